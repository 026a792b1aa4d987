/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include "base/cleanup.h"
#include "kernel/process.h"
#include "kernel/sys.h"
#include "supervise/caller.h"

#define ERESTARTSYS 512 /* the kernel's own */

#define BIT(sig) (UINT64_C(1) << ((sig)-1))
#define STOPS	 (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

void rv_caller_open(struct rv_caller *caller, int listener, uint64_t id, pid_t tid)
{
	*caller = (struct rv_caller){
		.tid = tid, .listener = listener, .id = id, .proc_fd = -1, .mem_fd = -1};
}

void rv_caller_close(struct rv_caller *caller)
{
	rv_close_p(&caller->proc_fd);
	rv_close_p(&caller->mem_fd);
	caller->proc_fd = caller->mem_fd = -1;
}

bool rv_caller_waits(const struct rv_caller *caller)
{
	uint64_t id = caller->id;

	return ioctl(caller->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* Had the tid been reused before this, its old owner would not wait any more. */
static int open_once(const struct rv_caller *caller, const char *name, int flags, int *fd)
{
	char path[40];

	if (*fd >= 0)
		return *fd;
	snprintf(path, sizeof(path), "/proc/%d%s", (int)caller->tid, name);
	*fd = open(path, flags | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (rv_caller_waits(caller))
		return *fd;
	close(*fd);
	*fd = -1;
	return -ENOENT;
}

int rv_caller_proc(struct rv_caller *caller)
{
	return open_once(caller, "", O_PATH | O_DIRECTORY, &caller->proc_fd);
}

void rv_reading_served(struct rv_reading *reading)
{
	const struct timespec a_while = {.tv_nsec = 50000};

	atomic_store(&reading->served, true);
	while (atomic_load(&reading->under_way))
		nanosleep(&a_while, NULL);
}

/* False: not all of it, or it may not be read this way. */
static bool read_quickly(const struct rv_caller *caller, uint64_t address, void *buf, size_t size)
{
	struct iovec ours = {buf, size}, theirs = {(void *)(uintptr_t)address, size};
	ssize_t n = -1;

	if (!caller->reading || caller->mem_fd >= 0)
		return false;
	atomic_fetch_add(&caller->reading->under_way, 1);
	if (!atomic_load(&caller->reading->served))
		n = process_vm_readv(caller->tid, &ours, 1, &theirs, 1, 0);
	atomic_fetch_sub(&caller->reading->under_way, 1);
	return n == (ssize_t)size;
}

static int open_mem(struct rv_caller *caller)
{
	return open_once(caller, "/mem", O_RDONLY, &caller->mem_fd);
}

int rv_caller_read(struct rv_caller *caller, uint64_t address, void *buf, size_t size)
{
	ssize_t n;
	int r;

	if (address > INT64_MAX - size)
		return -EFAULT;
	if (read_quickly(caller, address, buf, size))
		return 0;
	r = open_mem(caller);
	if (r < 0)
		return r;
	n = pread(caller->mem_fd, buf, size, (off_t)address);
	return n == (ssize_t)size ? 0 : -EFAULT;
}

int rv_caller_write(struct rv_caller *caller, uint64_t address, const void *buf, size_t size)
{
	int proc = rv_caller_proc(caller);
	rv_autoclose int fd = proc < 0 ? -1 : openat(proc, "mem", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!rv_caller_waits(caller) || address > INT64_MAX - size)
		return -EFAULT;
	return pwrite(fd, buf, size, (off_t)address) == (ssize_t)size ? 0 : -EFAULT;
}

ssize_t rv_caller_read_string(struct rv_caller *caller, uint64_t address, char *buf, size_t size)
{
	const size_t page = 4096; /* the smallest; larger pages only mean more reads */
	size_t have = 0;

	while (have < size) {
		size_t chunk = page - (address + have) % page;
		const char *end;
		int r;

		if (chunk > size - have)
			chunk = size - have;
		r = rv_caller_read(caller, address + have, buf + have, chunk);
		if (r < 0)
			return r;
		end = memchr(buf + have, '\0', chunk);
		if (end)
			return end - buf;
		have += chunk;
	}
	return -ENAMETOOLONG;
}

struct link {
	char name[48];
};

static struct link link_of(const struct rv_caller *caller, int fd)
{
	struct link link;

	if (fd == AT_FDCWD)
		snprintf(link.name, sizeof(link.name), "/proc/%d/cwd", (int)caller->tid);
	else
		snprintf(link.name, sizeof(link.name), "/proc/%d/fd/%d", (int)caller->tid, fd);
	return link;
}

ssize_t rv_caller_dir_path(const struct rv_caller *caller, int fd, char *buf, size_t size)
{
	struct link link = link_of(caller, fd);
	ssize_t n = readlink(link.name, buf, size);

	return n < 0 ? -errno : n;
}

int rv_caller_dir(struct rv_caller *caller, int fd)
{
	struct link link = link_of(caller, fd);
	int dir = open(link.name, O_PATH | O_CLOEXEC);

	if (dir >= 0)
		return dir;
	return fd != AT_FDCWD && errno == ENOENT ? -EBADF : -errno;
}

/* struct pidfd_info and PIDFD_GET_INFO of include/uapi/linux/pidfd.h, as of Linux 6.13. */
struct pidfd_info_1 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
static_assert(sizeof(struct pidfd_info_1) == 64, "PIDFD_INFO_SIZE_VER0");
#define PIDFD_INFO		  _IOWR(0xff, 11, struct pidfd_info_1)
#define PIDFD_INFO_OF_CREDENTIALS (UINT64_C(1) << 1)

#ifndef PIDFD_THREAD /* Linux 6.9 */
#define PIDFD_THREAD O_EXCL
#endif

static int open_pidfd(pid_t tid)
{
	long fd = syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	return fd < 0 ? -errno : (int)fd;
}

/* Before Linux 6.9: a pidfd of its process, where both have one table of descriptors. */
static int process_fd(struct rv_caller *caller, int fd)
{
	rv_autoclose int pidfd = -1;
	struct rv_caller_status status;

	if (rv_caller_status(caller, &status) < 0 ||
		(status.tgid != caller->tid &&
			syscall(SYS_kcmp, caller->tid, status.tgid, KCMP_FILES, 0, 0) != 0))
		return -ESRCH;
	pidfd = rv_pidfd_open(status.tgid);
	return pidfd < 0 ? pidfd : rv_pidfd_getfd(pidfd, fd);
}

/* ---- pidfds that are kept */

static void forget(struct rv_pidfd *slot)
{
	if (slot->tid)
		close(slot->fd);
	slot->tid = 0;
}

void rv_pidfds_release(struct rv_pidfds *pidfds)
{
	for (size_t i = 0; i < RV_COUNT(pidfds->kept); i++)
		forget(&pidfds->kept[i]);
}

static struct rv_pidfd *slot_of(struct rv_pidfds *pidfds, pid_t tid)
{
	for (size_t i = 0; i < RV_COUNT(pidfds->kept); i++) {
		if (pidfds->kept[i].tid == tid)
			return &pidfds->kept[i];
	}
	return &pidfds->kept[pidfds->next++ % RV_COUNT(pidfds->kept)];
}

static int renew(struct rv_pidfd *slot, pid_t tid)
{
	forget(slot);
	slot->fd = open_pidfd(tid);
	slot->tid = slot->fd < 0 ? 0 : tid;
	return slot->fd;
}

/* -ESRCH of a pidfd: its task is gone, and the number may be another's. */
static int use_kept(struct rv_caller *caller, int (*use)(int pidfd, void *arg), void *arg)
{
	struct rv_pidfds *pidfds = caller->pidfds;
	struct rv_pidfd *slot;
	int r = -ESRCH;

	if (caller->tid <= 0)
		return r;
	pthread_mutex_lock(&pidfds->lock);
	slot = slot_of(pidfds, caller->tid);
	if (slot->tid == caller->tid)
		r = use(slot->fd, arg);
	if (r == -ESRCH)
		r = renew(slot, caller->tid) < 0 ? slot->fd : use(slot->fd, arg);
	pthread_mutex_unlock(&pidfds->lock);
	return r;
}

static int get_fd(int pidfd, void *fd)
{
	return rv_pidfd_getfd(pidfd, *(const int *)fd);
}

int rv_caller_fd_unchecked(struct rv_caller *caller, int fd)
{
	int copy = use_kept(caller, get_fd, &fd);

	return copy == -EINVAL ? process_fd(caller, fd) : copy;
}

static int get_info(int pidfd, void *info)
{
	return ioctl(pidfd, PIDFD_INFO, info) < 0 ? -errno : 0;
}

int rv_caller_effective_ids(struct rv_caller *caller, uid_t *ret_uid, gid_t *ret_gid)
{
	struct pidfd_info_1 info = {.mask = PIDFD_INFO_OF_CREDENTIALS};
	int r = atomic_load(&caller->pidfds->uninformed) ? -ENOTTY
							 : use_kept(caller, get_info, &info);

	if (r == 0 && !(info.mask & PIDFD_INFO_OF_CREDENTIALS))
		r = -ENOTTY;
	if (r < 0 && r != -ESRCH)
		atomic_store(&caller->pidfds->uninformed, true);
	*ret_uid = info.euid;
	*ret_gid = info.egid;
	return r;
}

int rv_caller_fd(struct rv_caller *caller, int fd)
{
	rv_autoclose int copy = rv_caller_fd_unchecked(caller, fd);

	/* The tid was the caller's when the pidfd was made, if it still waits. */
	return rv_caller_waits(caller) ? rv_steal_fd(&copy) : -ESRCH;
}

/* ---- /proc/TID/status, field by field */

static void parse_ids(const char *value, unsigned int *ret_fs)
{
	unsigned int real, effective, saved;

	sscanf(value, "%u %u %u %u", &real, &effective, &saved, ret_fs);
}

static uint64_t hash_text(const char *text, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t parse_hex(const char *value)
{
	return strtoull(value, NULL, 16);
}

struct parsed {
	struct rv_caller_status *status;
	uint64_t shared, own, blocked, caught;
};

static void parse_field(struct parsed *p, const char *key, const char *value, size_t length)
{
	struct rv_caller_status *s = p->status;

	if (!strcmp(key, "Umask"))
		s->umask = (mode_t)strtoul(value, NULL, 8);
	else if (!strcmp(key, "Tgid"))
		s->tgid = (pid_t)strtol(value, NULL, 10);
	else if (!strcmp(key, "Uid"))
		parse_ids(value, &s->credentials.fsuid);
	else if (!strcmp(key, "Gid"))
		parse_ids(value, &s->credentials.fsgid);
	else if (!strcmp(key, "Groups"))
		s->credentials.groups = hash_text(value, length);
	else if (!strcmp(key, "CapEff"))
		s->credentials.effective = parse_hex(value);
	else if (!strcmp(key, "Threads"))
		s->threads = (unsigned int)strtoul(value, NULL, 10);
	else if (!strcmp(key, "SigPnd"))
		p->own = parse_hex(value);
	else if (!strcmp(key, "ShdPnd"))
		p->shared = parse_hex(value);
	else if (!strcmp(key, "SigBlk"))
		p->blocked = parse_hex(value);
	else if (!strcmp(key, "SigCgt"))
		p->caught = parse_hex(value);
}

/* Splits "Key:\tvalue\n" lines in place. */
static void parse_status(char *text, struct parsed *p)
{
	for (char *line = text, *next; line && *line; line = next) {
		char *value = strchr(line, ':');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		parse_field(p, line, value, strlen(value));
	}
	p->status->pending_stop = (p->own | p->shared) & STOPS & ~p->caught & ~p->blocked;
	p->status->pending_own = p->own & p->caught & ~p->blocked;
	p->status->pending_handled = p->status->pending_own | (p->shared & p->caught & ~p->blocked);
}

static int read_file_at(int dir, const char *name, char *buf, size_t size)
{
	rv_autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	if (fd < 0)
		return -errno;
	while (have + 1 < size) {
		ssize_t n = read(fd, buf + have, size - 1 - have);

		if (n < 0)
			return -errno;
		if (n == 0) {
			buf[have] = '\0';
			return 0;
		}
		have += (size_t)n;
	}
	return -EOVERFLOW; /* more groups than we care to compare: no grant */
}

static int status_at(int proc_fd, struct rv_caller_status *ret)
{
	struct rv_caller_status status = {0};
	struct parsed parsed = {.status = &status};
	struct stat st;
	char text[16384];
	int r = read_file_at(proc_fd, "status", text, sizeof(text));

	if (r < 0)
		return r;
	parse_status(text, &parsed);
	if (fstatat(proc_fd, "ns/user", &st, 0) < 0)
		return -errno;
	status.credentials.user_ns_dev = st.st_dev;
	status.credentials.user_ns_ino = st.st_ino;
	*ret = status;
	return 0;
}

static int root_at(const char *path, struct rv_root *ret)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &stx) < 0)
		return -errno;
	ret->dev = (dev_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
	ret->ino = stx.stx_ino;
	ret->mount = stx.stx_mnt_id;
	return 0;
}

/* Without a module that has labels, reading is EINVAL. Some end theirs with a newline. */
static int label_at(int proc_fd, char *buf, size_t size)
{
	int r = read_file_at(proc_fd, "attr/current", buf, size);

	if (r < 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return r == -EINVAL || r == -ENOENT ? 0 : r;
}

int rv_caller_status(struct rv_caller *caller, struct rv_caller_status *ret)
{
	int proc = rv_caller_proc(caller);

	return proc < 0 ? proc : status_at(proc, ret);
}

int rv_status_interrupted(const struct rv_caller_status *status)
{
	if (!status->pending_handled)
		return 0;
	return status->pending_own || status->threads == 1 ? ERESTARTSYS : EINTR;
}

int rv_caller_interrupted(struct rv_caller *caller)
{
	struct rv_caller_status status;

	return rv_caller_status(caller, &status) < 0 ? 0 : rv_status_interrupted(&status);
}

static bool is_in_stop(const char *tid)
{
	struct rv_process task;

	return rv_process_read((pid_t)atoi(tid), &task) == 0 && task.state == 'T';
}

static bool has_thread_in_stop(int proc)
{
	int fd = openat(proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *task;
	bool found = false;

	while (tasks && !found && (task = readdir(tasks)))
		found = task->d_name[0] != '.' && is_in_stop(task->d_name);
	if (tasks)
		closedir(tasks);
	else
		rv_close_p(&fd);
	return found;
}

bool rv_task_is_stopped(pid_t tid)
{
	struct rv_caller_status status;
	rv_autoclose int proc = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)tid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0 || status_at(proc, &status) < 0)
		return false;
	return status.pending_stop || has_thread_in_stop(proc);
}

int rv_caller_root(const struct rv_caller *caller, struct rv_root *ret)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)caller->tid);
	return root_at(path, ret);
}

int rv_caller_label(struct rv_caller *caller, char *buf, size_t size)
{
	int proc = rv_caller_proc(caller);

	return proc < 0 ? proc : label_at(proc, buf, size);
}

static int own_proc(void)
{
	int fd = open("/proc/thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rv_own_status(struct rv_caller_status *ret)
{
	rv_autoclose int fd = own_proc();

	return fd < 0 ? fd : status_at(fd, ret);
}

int rv_own_label(char *buf, size_t size)
{
	rv_autoclose int fd = own_proc();

	return fd < 0 ? fd : label_at(fd, buf, size);
}

int rv_own_root(struct rv_root *ret)
{
	return root_at("/proc/thread-self/root", ret);
}

bool rv_credentials_equal(const struct rv_credentials *a, const struct rv_credentials *b)
{
	return a->fsuid == b->fsuid && a->fsgid == b->fsgid && a->effective == b->effective &&
	       a->groups == b->groups && a->user_ns_dev == b->user_ns_dev &&
	       a->user_ns_ino == b->user_ns_ino;
}
