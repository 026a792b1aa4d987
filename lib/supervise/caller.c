/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/seccomp.h>
#include "base/cleanup.h"
#include "supervise/caller.h"

int rv_caller_open(struct rv_caller *caller, int listener, uint64_t id, pid_t tid)
{
	char path[32];

	*caller = (struct rv_caller){
		.tid = tid, .listener = listener, .id = id, .proc_fd = -1, .mem_fd = -1};
	snprintf(path, sizeof(path), "/proc/%d", (int)tid);
	caller->proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (caller->proc_fd < 0)
		return -errno;
	/* Had the tid been reused before the open, its old owner would not wait any more. */
	if (!rv_caller_waits(caller)) {
		rv_caller_close(caller);
		return -ENOENT;
	}
	return 0;
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

static int open_mem(struct rv_caller *caller)
{
	if (caller->mem_fd < 0)
		caller->mem_fd = openat(caller->proc_fd, "mem", O_RDONLY | O_CLOEXEC);
	return caller->mem_fd < 0 ? -errno : 0;
}

int rv_caller_read(struct rv_caller *caller, uint64_t address, void *buf, size_t size)
{
	int r = open_mem(caller);
	ssize_t n;

	if (r < 0)
		return r;
	if (address > INT64_MAX - size)
		return -EFAULT;
	n = pread(caller->mem_fd, buf, size, (off_t)address);
	return n == (ssize_t)size ? 0 : -EFAULT;
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

int rv_caller_dir(const struct rv_caller *caller, int fd)
{
	char name[24] = "cwd";
	int dir;

	if (fd != AT_FDCWD)
		snprintf(name, sizeof(name), "fd/%d", fd);
	dir = openat(caller->proc_fd, name, O_PATH | O_CLOEXEC);
	if (dir >= 0)
		return dir;
	return fd != AT_FDCWD && errno == ENOENT ? -EBADF : -errno;
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
	uint64_t pending, caught;
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
	else if (!strcmp(key, "SigPnd") || !strcmp(key, "ShdPnd"))
		p->pending |= parse_hex(value);
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
	p->status->pending_handled = p->pending & p->caught;
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

static int root_at(int proc_fd, struct rv_root *ret)
{
	struct statx stx;

	if (statx(proc_fd, "root", AT_NO_AUTOMOUNT, STATX_INO | STATX_MNT_ID, &stx) < 0)
		return -errno;
	ret->dev = (dev_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
	ret->ino = stx.stx_ino;
	ret->mount = stx.stx_mnt_id;
	return 0;
}

int rv_caller_status(const struct rv_caller *caller, struct rv_caller_status *ret)
{
	return status_at(caller->proc_fd, ret);
}

int rv_caller_root(const struct rv_caller *caller, struct rv_root *ret)
{
	return root_at(caller->proc_fd, ret);
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

int rv_own_root(struct rv_root *ret)
{
	rv_autoclose int fd = own_proc();

	return fd < 0 ? fd : root_at(fd, ret);
}

bool rv_credentials_equal(const struct rv_credentials *a, const struct rv_credentials *b)
{
	return a->fsuid == b->fsuid && a->fsgid == b->fsgid && a->effective == b->effective &&
	       a->groups == b->groups && a->user_ns_dev == b->user_ns_dev &&
	       a->user_ns_ino == b->user_ns_ino;
}
