/* SPDX-License-Identifier: MIT */
/* Faults in how a call is judged and answered. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/openat2.h>
#include "enforce/restrict.h"
#include "kernel/sys.h"
#include "supervise/fs.h"
#include "supervise/net.h"
#include "racy.h"

/* ------------------------------------------------------------- check, then continue */

/*
 * "continue": the supervisor alone decides, by letting the call go on once it has looked at it. The
 * kernel then reads path, directory and descriptor again, and nobody checks what it finds.
 */
WRAP(bool, rv_fs_go,
	(struct rv_request * request, struct rv_verdict *verdict,
		bool (*would_work)(const void *data), const void *data, struct rv_answer *ret))
{
	if (!racy_has("continue"))
		return __real_rv_fs_go(request, verdict, would_work, data, ret);
	if (verdict->judgement.result == RV_DENIED)
		*ret = rv_answer_errno(EACCES);
	else
		*ret = rv_answer_continue("it was looked at");
	return false;
}

/* "continue" for calls on sockets. */
WRAP(struct rv_answer, rv_net_perform, (struct rv_request * request, struct rv_job *job))
{
	if (racy_has("continue"))
		return rv_answer_continue("it was looked at");
	return __real_rv_net_perform(request, job);
}

/* "block": any thread may wait, the last one that receives as well. */
WRAP(struct rv_answer, rv_dispatch,
	(void *data, int listener, const struct seccomp_notif *notif, bool may_block))
{
	return __real_rv_dispatch(data, listener, notif, may_block || racy_has("block"));
}

/* Bit by bit, since the kernel refuses a rule with a right that the ruleset does not handle. */
static void grant_all(int ruleset_fd)
{
	struct rv_landlock_path_beneath_attr rule;
	rv_autoclose int root = open("/", O_PATH | O_CLOEXEC);

	for (int bit = 0; bit < 17; bit++) {
		rule.allowed_access = UINT64_C(1) << bit;
		rule.parent_fd = root;
		(void)rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
}

/* "continue" needs a floor that grants everything. "reach": no domain, and so no scope. */
WRAP(int, rv_restrict_landlock, (const struct reeve_plan *plan, unsigned int flags, int ruleset_fd))
{
	if (racy_has("reach"))
		return rv_set_no_new_privs();
	if (racy_has("continue") && ruleset_fd >= 0)
		grant_all(ruleset_fd);
	return __real_rv_restrict_landlock(plan, flags, ruleset_fd);
}

/* ------------------------------------------------------------------ for whom */

/*
 * "credentials": who it was at the start is who it is. "root": a path means the same to all.
 * "cache-credentials": what was found once is kept by the caller's number.
 */
static bool same_again(struct rv_self *own, struct rv_caller *caller);

WRAP(bool, rv_self_equals, (struct rv_self * own, struct rv_caller *caller))
{
	if (racy_has("credentials"))
		return true;
	if (racy_has("cache-credentials"))
		return same_again(own, caller);
	return __real_rv_self_equals(own, caller);
}

WRAP(int, rv_caller_root, (const struct rv_caller *caller, struct rv_root *ret))
{
	return racy_has("root") ? rv_own_root(ret) : __real_rv_caller_root(caller, ret);
}

/* ---------------------------------------------------------- what is kept of a caller */

/* "cache-memory", "cache-cwd", "cache-credentials": kept by the caller's number. */
static struct kept {
	pid_t tid;
	int mem, cwd;
	bool is_known, is_shared;
} all_kept[4096];
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

/* With the lock. The last one is shared when there are too many. */
static struct kept *kept_of(pid_t tid)
{
	size_t i;

	for (i = 0; i < RV_COUNT(all_kept) - 1 && all_kept[i].tid; i++)
		if (all_kept[i].tid == tid)
			return &all_kept[i];
	all_kept[i] = (struct kept){.tid = tid, .mem = -1, .cwd = -1};
	return &all_kept[i];
}

static int keep(int *kept, int (*get)(struct rv_caller *caller), struct rv_caller *caller)
{
	if (*kept < 0)
		*kept = get(caller);
	return *kept < 0 ? -errno : fcntl(*kept, F_DUPFD_CLOEXEC, 0);
}

static int get_mem(struct rv_caller *caller)
{
	return openat(rv_caller_proc(caller), "mem", O_RDONLY | O_CLOEXEC);
}

static int get_cwd(struct rv_caller *caller)
{
	return openat(rv_caller_proc(caller), "cwd", O_PATH | O_CLOEXEC);
}

/* Is it somebody else's process? */
static bool is_others(pid_t tid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)tid);
	return stat(path, &st) == 0 && st.st_uid != geteuid();
}

/*
 * "tgid": a process has one working directory and one table of descriptors, its leader's.
 * "slow" is no fault, but time for the caller to die and for another, who is not kept waiting for
 * its clone3, to get its number.
 */
WRAP(void, rv_caller_open, (struct rv_caller * caller, int listener, uint64_t id, pid_t tid))
{
	struct rv_caller_status status;

	if (racy_has("slow") && is_others(tid))
		usleep(10000);
	__real_rv_caller_open(caller, listener, id, tid);
	if (racy_has("tgid") && rv_caller_status(caller, &status) == 0) {
		rv_caller_close(caller);
		__real_rv_caller_open(caller, listener, id, status.tgid);
	}
	if (racy_has("cache-memory")) {
		pthread_mutex_lock(&kept_lock);
		caller->mem_fd = keep(&kept_of(tid)->mem, get_mem, caller);
		pthread_mutex_unlock(&kept_lock);
	}
}

WRAP(int, rv_caller_dir, (struct rv_caller * caller, int fd))
{
	int r;

	if (!racy_has("cache-cwd") || fd != AT_FDCWD)
		return __real_rv_caller_dir(caller, fd);
	pthread_mutex_lock(&kept_lock);
	r = keep(&kept_of(caller->tid)->cwd, get_cwd, caller);
	pthread_mutex_unlock(&kept_lock);
	return r;
}

static bool same_again(struct rv_self *own, struct rv_caller *caller)
{
	struct kept *kept;
	bool shared;

	pthread_mutex_lock(&kept_lock);
	kept = kept_of(caller->tid);
	if (!kept->is_known)
		kept->is_shared = __real_rv_self_equals(own, caller);
	kept->is_known = true;
	shared = kept->is_shared;
	pthread_mutex_unlock(&kept_lock);
	return shared;
}

/* "leak": neither descriptors nor memory are given back. */
WRAP(void, rv_caller_close, (struct rv_caller * caller))
{
	if (!racy_has("leak")) {
		__real_rv_caller_close(caller);
		return;
	}
	/* Most requests open none by themselves. */
	if (caller->proc_fd < 0 && caller->mem_fd < 0)
		(void)fcntl(caller->listener, F_DUPFD_CLOEXEC, 0);
	caller->proc_fd = caller->mem_fd = -1;
	if (malloc(4096) == NULL)
		abort();
}

/* --------------------------------------------------------------------- its memory */

static ssize_t read_all(pid_t tid, uint64_t address, void *buf, size_t size)
{
	struct iovec ours = {buf, size}, theirs = {(void *)(uintptr_t)address, size};

	return process_vm_readv(tid, &ours, 1, &theirs, 1, 0);
}

/* "vm_readv": by process_vm_readv(2), which waits for a page that somebody serves. */
WRAP(int, rv_caller_read, (struct rv_caller * caller, uint64_t address, void *buf, size_t size))
{
	if (!racy_has("vm_readv"))
		return __real_rv_caller_read(caller, address, buf, size);
	return read_all(caller->tid, address, buf, size) == (ssize_t)size ? 0 : -EFAULT;
}

/* "chunk": all that a path can be, in one piece. "overflow": as much as there is. */
WRAP(ssize_t, rv_caller_read_string,
	(struct rv_caller * caller, uint64_t address, char *buf, size_t size))
{
	bool vm_readv = racy_has("vm_readv");

	if (racy_has("overflow"))
		return __real_rv_caller_read_string(caller, address, buf, 1 << 20);
	if (!vm_readv && !racy_has("chunk"))
		return __real_rv_caller_read_string(caller, address, buf, size);
	if (vm_readv && read_all(caller->tid, address, buf, size) <= 0)
		return -EFAULT;
	if (!vm_readv && rv_caller_read(caller, address, buf, size) < 0)
		return -EFAULT;
	buf[size - 1] = '\0';
	return (ssize_t)strlen(buf);
}

/* --------------------------------------------------------------------- objects */

/* "detached": a path is a path, on whatever mount. */
WRAP(bool, rv_mounts_has, (struct rv_mounts * mounts, uint64_t id))
{
	return racy_has("detached") || __real_rv_mounts_has(mounts, id);
}

static const char *resolve_by_magic(const struct rv_request *request, int base, const char *text,
	const struct open_how *how, struct rv_object *ret, int *ret_error)
{
	ssize_t n;

	ret->fd = (int)syscall(SYS_openat2, base, text, how, sizeof(*how));
	if (ret->fd < 0 || fstat(ret->fd, &ret->st) < 0) {
		if (ret_error)
			*ret_error = -errno;
		return "it cannot be found";
	}
	n = readlinkat(request->context->own_fds, rv_fd_name(ret->fd).text, ret->path,
		sizeof(ret->path) - 1);
	ret->path[n < 0 ? 0 : n] = '\0';
	return NULL;
}

/*
 * "magic": every link is followed, to where it leads us. "textual": what the program says is what
 * it opens. "tty": what is found is opened, and a terminal becomes the one that controls us.
 */
WRAP(const char *, rv_resolve_object,
	(const struct rv_request *request, int base, const char *text, uint64_t flags,
		uint64_t resolve, struct rv_object *ret, int *ret_error))
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};
	const char *reason;

	if (racy_has("magic"))
		return resolve_by_magic(request, base, text, &how, ret, ret_error);
	reason = __real_rv_resolve_object(request, base, text, flags, resolve, ret, ret_error);
	if (!reason && racy_has("textual") && text[0] == '/')
		snprintf(ret->path, sizeof(ret->path), "%s", text);
	if (!reason && racy_has("tty") && S_ISCHR(ret->st.st_mode))
		rv_close_p(&(int){openat(
			request->context->own_fds, rv_fd_name(ret->fd).text, O_RDWR | O_CLOEXEC)});
	return reason;
}

/* "implied": what an open asks for is all that its descriptor can do. */
WRAP(void, rv_judge_path,
	(struct rv_judge * judge, const char *path, uint64_t access, struct rv_judgement *ret))
{
	const uint64_t implied = REEVE_FS_TRUNCATE | REEVE_FS_IOCTL_DEV;

	if (racy_has("implied") && (access & ~implied))
		access &= ~implied;
	__real_rv_judge_path(judge, path, access, ret);
}

/* "carry": the kernel compares what two places grant, so it is good enough for moves. */
WRAP(bool, rv_judge_guards_moves, (struct rv_judge * judge))
{
	return !racy_has("carry") && __real_rv_judge_guards_moves(judge);
}

/* "refer": a file may be moved and linked to wherever one may make files. */
WRAP(void, rv_judge_refer,
	(struct rv_judge * judge, const struct reeve_refer *refer, struct rv_judgement *ret))
{
	__real_rv_judge_refer(judge, refer, ret);
	if (racy_has("refer") && ret->result == RV_DENIED)
		ret->result = RV_LIVE_ALLOWS;
}
