/* SPDX-License-Identifier: MIT */
/*
 * What the running kernel can do, found by trying. It runs at every start, so what is likely is
 * tried first: a kernel that keeps the promise of its ABI costs one ruleset (an anonymous inode,
 * some 2 µs); everything else here is refused by the kernel before it allocates anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reeve/check.h>
#include "base/cleanup.h"
#include "kernel/probe.h"
#include "kernel/sys.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* A descriptor that can be no ruleset; not -1, which restrict_self takes as "none" (ABI 7). */
#define NO_FD (-2)

/* ------------------------------------------------------------------ Landlock */

/* 1: accepted; 0: the kernel does not know it; negative: out of memory or descriptors. */
static int try_ruleset(const struct rv_landlock_ruleset_attr *attr, size_t size)
{
	int fd = rv_landlock_create_ruleset(attr, size, 0);

	if (fd >= 0) {
		close(fd);
		return 1;
	}
	return fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE ? fd : 0;
}

/* The size that the struct had when a class came; a kernel before it sees bits in the tail. */
static size_t attr_of_class(
	struct rv_landlock_ruleset_attr *attr, enum reeve_class cls, uint64_t bits)
{
	switch (cls) {
	case REEVE_FS:
		attr->handled_access_fs = bits;
		return offsetof(struct rv_landlock_ruleset_attr, handled_access_net);
	case REEVE_NET:
		attr->handled_access_net = bits;
		return offsetof(struct rv_landlock_ruleset_attr, scoped);
	case REEVE_SCOPE:
		attr->scoped = bits;
		return offsetof(struct rv_landlock_ruleset_attr, quiet_access_fs);
	default: /* no class of its own: sockets are only proposed */
		return 0;
	}
}

/* What the ABI promises, in one ruleset. */
static int try_promised(struct reeve_kernel *k)
{
	struct rv_landlock_ruleset_attr attr = {0};
	size_t size = 0;
	int abi = k->landlock_abi < REEVE_ABI_MAX ? k->landlock_abi : REEVE_ABI_MAX, r;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++) {
		uint64_t bits = reeve_rights_of_abi((enum reeve_class)cls, abi);
		size_t end = attr_of_class(&attr, (enum reeve_class)cls, bits);

		if (bits && end > size)
			size = end;
	}
	r = try_ruleset(&attr, size);
	if (r <= 0)
		return r;
	k->rights.of[REEVE_FS] = attr.handled_access_fs;
	k->rights.of[REEVE_NET] = attr.handled_access_net;
	k->rights.of[REEVE_SCOPE] = attr.scoped;
	return 0;
}

/*
 * Bits that are not known to be there, one by one: a kernel that lacks one says EINVAL (or E2BIG
 * for a struct that is too long) before it allocates, so this is cheap where it finds nothing.
 */
static int try_others(struct reeve_kernel *k)
{
	const struct reeve_right_info *info;

	for (size_t i = 0; (info = reeve_right_at(i)); i++) {
		struct rv_landlock_ruleset_attr attr = {0};
		size_t size = attr_of_class(&attr, info->cls, info->bit);
		int r;

		if (!size || (k->rights.of[info->cls] & info->bit))
			continue;
		r = try_ruleset(&attr, size);
		if (r < 0)
			return r;
		if (r)
			k->rights.of[info->cls] |= info->bit;
	}
	return 0;
}

static int try_quiet(struct reeve_kernel *k)
{
	struct rv_landlock_ruleset_attr attr = {
		.handled_access_fs = REEVE_FS_READ_FILE, .quiet_access_fs = REEVE_FS_READ_FILE};
	int r = try_ruleset(&attr, offsetof(struct rv_landlock_ruleset_attr, handled_permissions));

	if (r < 0)
		return r;
	k->quiet = r;
	return 0;
}

/*
 * The flags of landlock_restrict_self(). Safe, because every version of the call looks its ruleset
 * up before it changes anything, and NO_FD is none: EBADF says that the flag passed the check
 * before. Until ABI 11 a caller without no_new_privs and CAP_SYS_ADMIN gets EPERM before flags are
 * looked at; then the ABI, which the kernel itself reports, must do.
 */
static void try_restrict_flags(struct reeve_kernel *k)
{
	static const struct {
		unsigned int flag;
		int abi;
	} flags[] = {
		{RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF, 7},
		{RV_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON, 7},
		{RV_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF, 7},
		{RV_LANDLOCK_RESTRICT_SELF_TSYNC, 8},
		{RV_LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS, 11},
	};

	for (size_t i = 0; i < RV_COUNT(flags); i++) {
		int r = rv_landlock_restrict_self(NO_FD, flags[i].flag);

		if (r == -EBADF || (r == -EPERM && k->landlock_abi >= flags[i].abi))
			k->restrict_flags |= flags[i].flag;
	}
}

static int probe_landlock(struct reeve_kernel *k)
{
	int r = rv_landlock_create_ruleset(NULL, 0, RV_LANDLOCK_CREATE_RULESET_VERSION);

	if (r <= 0) {
		/* EPERM and others come from a seccomp filter around us: no Landlock either. */
		k->landlock_error = r == -EOPNOTSUPP ? EOPNOTSUPP : ENOSYS;
		return 0;
	}
	k->landlock_abi = r;
	r = rv_landlock_create_ruleset(NULL, 0, RV_LANDLOCK_CREATE_RULESET_ERRATA);
	if (r > 0)
		k->landlock_errata = (uint64_t)r;
	try_restrict_flags(k);
	r = try_promised(k);
	if (r == 0)
		r = try_others(k);
	return r ? r : try_quiet(k);
}

/* ------------------------------------------------------------------- seccomp */

/*
 * EFAULT for a NULL program comes after the flags were accepted, and before anything is done. EBUSY
 * is what the filter of a supervised domain says to any second listener: then the flags are known.
 */
static bool knows_filter_flags(unsigned int flags)
{
	int r = rv_seccomp(SECCOMP_SET_MODE_FILTER, flags, NULL);

	return r == -EFAULT || r == -EBUSY;
}

/* The child: its exit code is the answer. System calls only: there may be other threads. */
static void ask_for_listener(void)
{
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog program = {1, &allow};
	long r;

	syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	syscall(SYS_exit_group, r < 0 && errno == EBUSY);
}

/*
 * Whether one of our filters has a listener shows only when another is installed (EBUSY), which
 * cannot be undone: so a child does it, and is gone. Without any filter the answer is no, and no
 * child is needed. The child has no exit signal, which fork(2) would give it: a caller's SIGCHLD
 * handler hears nothing, and only __WCLONE sees it. All signals are blocked meanwhile: no handler
 * may run in the child.
 */
static bool find_listener(void)
{
	sigset_t all, old;
	int status = 0, saved = errno;
	pid_t pid, got = -1;

	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return false;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (pid == 0)
		ask_for_listener();
	while (pid > 0 && (got = waitpid(pid, &status, __WCLONE)) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid > 0 && got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void probe_seccomp(struct reeve_kernel *k)
{
	uint32_t refuse = SECCOMP_RET_ERRNO, notify = SECCOMP_RET_USER_NOTIF;

	k->seccomp_filter =
		knows_filter_flags(0) && rv_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &refuse) == 0;
	if (!k->seccomp_filter)
		return;
	k->user_notif = knows_filter_flags(SECCOMP_FILTER_FLAG_NEW_LISTENER) &&
			rv_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &notify) == 0;
	if (!k->user_notif)
		return;
	k->wait_killable_recv = knows_filter_flags(
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	k->listener_taken = find_listener();
}

/* ---------------------------------------------------------------------- memory files */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

/* Flags are looked at before the name, of which there is none. */
static bool knows_memfd_noexec(void)
{
	return syscall(SYS_memfd_create, NULL, MFD_NOEXEC_SEAL) < 0 && errno == EFAULT;
}

/* ---------------------------------------------------------------------- both */

static int read_yama(void)
{
	int rv_autoclose fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char digit;

	if (fd < 0 || read(fd, &digit, 1) != 1 || digit < '0' || digit > '9')
		return -1;
	return digit - '0';
}

int rv_kernel_probe(struct reeve_kernel *ret)
{
	struct reeve_kernel found = {.size = sizeof(found), .yama = -1};
	int r = probe_landlock(&found);

	if (r < 0)
		return r;
	probe_seccomp(&found);
	found.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	found.memfd_noexec = knows_memfd_noexec();
	*ret = found;
	return 0;
}

int reeve_kernel_probe(struct reeve_kernel *ret)
{
	struct reeve_kernel found;
	size_t size = ret->size;
	int r = rv_kernel_probe(&found);

	if (r < 0)
		return r;
	found.yama = read_yama();
	/* A caller built against an older header has room for less. */
	memset(ret, 0, size);
	memcpy(ret, &found, size < sizeof(found) ? size : sizeof(found));
	ret->size = size;
	return 0;
}
