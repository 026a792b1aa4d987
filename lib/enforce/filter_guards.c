/* SPDX-License-Identifier: MIT */
/*
 * The guards that look at arguments. The kernel takes an `int` argument from the low half of its
 * register and ignores the rest, so only the low half may be compared: ioctl(fd, 1<<32|TIOCSTI) is
 * TIOCSTI. A pointer is all 64 bits: 0x100000000 is not NULL.
 *
 * Constants of the kernel are our own where libc's follow the machine that compiles.
 */
#include <errno.h>

#include "enforce/filter_guards.h"

#define IOCTL_TIOCSTI	0x5412 /* types into the terminal's input queue */
#define IOCTL_TIOCLINUX 0x541c /* the console's: its paste does the same */

#define CLONE_NEW_VIEW 0x10020000 /* CLONE_NEWUSER, CLONE_NEWNS */

#define WHICH_PROCESS 0 /* setpriority(): PRIO_* */
#define WHICH_PGRP    1
#define WHICH_USER    2

#define IOPRIO_PROCESS 1 /* ioprio_set(): IOPRIO_WHO_* */
#define IOPRIO_PGRP    2
#define IOPRIO_USER    3

#define FLAG_FASTOPEN 0x20000000 /* MSG_FASTOPEN */

#define LEVEL_SCTP	   132 /* SOL_SCTP */
#define SCTP_PEELOFF	   102 /* SCTP_SOCKOPT_PEELOFF, linux/sctp.h */
#define SCTP_PEELOFF_FLAGS 122 /* SCTP_SOCKOPT_PEELOFF_FLAGS */

#define FLAG_PATH 0x200000 /* O_PATH; alike on both machines */

#define FILTER_NEW_LISTENER 8u /* SECCOMP_FILTER_FLAG_NEW_LISTENER */
#define PRCTL_SET_DUMPABLE  4  /* PR_SET_DUMPABLE */

/*
 * Where the paths of a piece end. `other`: of setpriority and ioprio_set for others than one task,
 * of ioctl what is noted; `allow` or `refuse` where that is the same.
 */
struct ends {
	rv_label allow, refuse, other;
};

static void guard_ioctl(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 1);
	if (to->other != to->allow)
		rv_bpf_jump_eq(bpf, RV_IOCTL_UFFD_NEW, to->other, RV_NEXT);
	rv_bpf_jump_eq(bpf, IOCTL_TIOCSTI, to->refuse, RV_NEXT);
	rv_bpf_jump_eq(bpf, IOCTL_TIOCLINUX, to->refuse, to->allow);
}

/*
 * Limits of another process kill it (RLIMIT_CPU 0, RLIMIT_NOFILE) and Landlock's signal scope does
 * not see it. Reading them (no new limits) is harmless. The process' own pid is refused too: a
 * filter cannot know it, and 0 says the same.
 */
static void guard_prlimit(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, 0, to->allow, RV_NEXT);
	rv_bpf_load_arg_low(bpf, 2);
	rv_bpf_jump_eq(bpf, 0, RV_NEXT, to->refuse);
	rv_bpf_load_arg_high(bpf, 2);
	rv_bpf_jump_eq(bpf, 0, to->allow, to->refuse);
}

static void guard_pid(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, 0, to->allow, to->refuse);
}

/*
 * A process group or a user contains others; "process 0" is the caller. What is none of the three
 * is EINVAL, which the kernel says itself.
 */
static void guard_which(
	struct rv_bpf *bpf, uint32_t process, uint32_t pgrp, uint32_t user, const struct ends *to)
{
	rv_label one = rv_bpf_label(bpf);

	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, process, one, RV_NEXT);
	rv_bpf_jump_eq(bpf, pgrp, to->other, RV_NEXT);
	rv_bpf_jump_eq(bpf, user, to->other, to->allow);
	rv_bpf_place(bpf, one);
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_eq(bpf, 0, to->allow, to->refuse);
}

static void guard_setpriority(struct rv_bpf *bpf, const struct ends *to)
{
	guard_which(bpf, WHICH_PROCESS, WHICH_PGRP, WHICH_USER, to);
}

static void guard_ioprio_set(struct rv_bpf *bpf, const struct ends *to)
{
	guard_which(bpf, IOPRIO_PROCESS, IOPRIO_PGRP, IOPRIO_USER, to);
}

/*
 * With this flag a send connects first, past Landlock's connect hook. The other way to TCP Fast
 * Open, the option TCP_FASTOPEN_CONNECT, needs no guard: it only delays the handshake of a
 * connect(2) that was checked. Only the argument counts: the kernel overwrites msghdr's flags.
 */
static void guard_fastopen_3(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 3);
	rv_bpf_jump_set(bpf, FLAG_FASTOPEN, to->refuse, to->allow);
}

static void guard_fastopen_2(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 2);
	rv_bpf_jump_set(bpf, FLAG_FASTOPEN, to->refuse, to->allow);
}

/*
 * What names no address goes where the socket is connected to. The address is a pointer: all of it
 * counts. MSG_FASTOPEN is the supervisor's to refuse, or not.
 */
static void trap_sendto(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 3);
	rv_bpf_jump_set(bpf, FLAG_FASTOPEN, to->refuse, RV_NEXT);
	rv_bpf_load_arg_low(bpf, 4);
	rv_bpf_jump_eq(bpf, 0, RV_NEXT, to->refuse);
	rv_bpf_load_arg_high(bpf, 4);
	rv_bpf_jump_eq(bpf, 0, to->allow, to->refuse);
}

/*
 * With this flag a program would get a listener of its own, and with it the power to let calls go
 * on. The kernel would refuse it as long as ours is open (EBUSY); nothing may depend on that.
 */
static void guard_seccomp(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, SECCOMP_SET_MODE_FILTER, RV_NEXT, to->allow);
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_set(bpf, FILTER_NEW_LISTENER, to->refuse, to->allow);
}

/* The value is an unsigned long: all of it counts, and what is neither 0 nor 1 is EINVAL. */
static void guard_dumpable(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, PRCTL_SET_DUMPABLE, RV_NEXT, to->allow);
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_eq(bpf, 0, RV_NEXT, to->allow);
	rv_bpf_load_arg_high(bpf, 1);
	rv_bpf_jump_eq(bpf, 0, to->refuse, to->allow);
}

/*
 * With either option a one-to-many socket of SCTP hands one of its associations over to a new
 * socket, which the kernel makes as socket(2) does.
 */
static void guard_peeloff(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_eq(bpf, LEVEL_SCTP, RV_NEXT, to->allow);
	rv_bpf_load_arg_low(bpf, 2);
	rv_bpf_jump_eq(bpf, SCTP_PEELOFF, to->refuse, RV_NEXT);
	rv_bpf_jump_eq(bpf, SCTP_PEELOFF_FLAGS, to->refuse, to->allow);
}

/* What clone3 is asked for is in memory: all of it is trapped. */
static void trap_clone(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_set(bpf, CLONE_NEW_VIEW, to->refuse, to->allow);
}

/* A tag that is right by half is the caller's garbage. */
static void trap_untagged(struct rv_bpf *bpf, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, 5);
	rv_bpf_jump_eq(bpf, (uint32_t)RV_SHIM_TAG, RV_NEXT, to->refuse);
	rv_bpf_load_arg_high(bpf, 5);
	rv_bpf_jump_eq(bpf, (uint32_t)(RV_SHIM_TAG >> 32), to->allow, to->refuse);
}

/* Landlock does not look at O_PATH opens: there is nothing to grant and nothing to report. */
static void trap_open(struct rv_bpf *bpf, unsigned int flags, const struct ends *to)
{
	rv_bpf_load_arg_low(bpf, flags);
	rv_bpf_jump_set(bpf, FLAG_PATH, to->allow, RV_NEXT);
	trap_untagged(bpf, to);
}

static void trap_open_1(struct rv_bpf *bpf, const struct ends *to)
{
	trap_open(bpf, 1, to);
}

static void trap_open_2(struct rv_bpf *bpf, const struct ends *to)
{
	trap_open(bpf, 2, to);
}

/* What becomes of a call that a piece does not allow, where there is a supervisor. */
enum fate {
	REFUSED,   /* by the filter, or trapped with RV_TRAP_GUARD so that it shows */
	PERFORMED, /* trapped */
	ALWAYS,	   /* answered by the filter whatever is trapped */
};

static const struct {
	void (*emit)(struct rv_bpf *bpf, const struct ends *to); /* NULL: refuses all */
	const char *comment;
	int error;
	enum fate fate;
} guards[RV_VERDICT_COUNT] = {
	[RV_VERDICT_ENOSYS] = {NULL, "unknown", ENOSYS, ALWAYS},
	[RV_VERDICT_IO_URING] = {NULL, "io_uring", ENOSYS, REFUSED},
	[RV_VERDICT_EPERM] = {NULL, "refused", EPERM, REFUSED},
	[RV_VERDICT_EOPNOTSUPP] = {NULL, "landlock_*: as if there were none", EOPNOTSUPP, REFUSED},
	[RV_VERDICT_IOCTL] = {guard_ioctl, "ioctl: not TIOCSTI, not TIOCLINUX", EPERM, REFUSED},
	[RV_VERDICT_PRLIMIT] = {guard_prlimit, "prlimit64: no limits for others", EPERM, PERFORMED},
	[RV_VERDICT_OTHERS_PID] = {guard_pid, "sched_set*: for pid 0 only", EPERM, PERFORMED},
	[RV_VERDICT_SETPRIORITY] = {guard_setpriority, "setpriority: for oneself only", EPERM,
		PERFORMED},
	[RV_VERDICT_IOPRIO_SET] = {guard_ioprio_set, "ioprio_set: for oneself only", EPERM,
		PERFORMED},
	[RV_VERDICT_FLAGS_3] = {guard_fastopen_3, "sendto, sendmmsg: not MSG_FASTOPEN", EOPNOTSUPP,
		REFUSED},
	[RV_VERDICT_FLAGS_2] = {guard_fastopen_2, "sendmsg: not MSG_FASTOPEN", EOPNOTSUPP, REFUSED},
	[RV_VERDICT_SENDTO] = {trap_sendto, "sendto: trapped with an address", 0, PERFORMED},
	[RV_VERDICT_PEELOFF] = {guard_peeloff, "getsockopt: no peeloff of SCTP", EACCES, REFUSED},
	[RV_VERDICT_SECCOMP] = {guard_seccomp, "seccomp: no listener", EBUSY, ALWAYS},
	[RV_VERDICT_PRCTL] = {guard_dumpable, "prctl: PR_SET_DUMPABLE(0) is done", 0, ALWAYS},
	[RV_VERDICT_CLONE] = {trap_clone, "clone: trapped with a new user or mount namespace", 0,
		PERFORMED},
	[RV_VERDICT_TRAP] = {NULL, "trapped", 0, PERFORMED},
	[RV_VERDICT_FS] = {trap_untagged, "trapped unless tagged", 0, PERFORMED},
	[RV_VERDICT_OPEN_1] = {trap_open_1, "open: trapped unless tagged or O_PATH", 0, PERFORMED},
	[RV_VERDICT_OPEN_2] = {trap_open_2, "openat: the same", 0, PERFORMED},
};

static uint32_t refusal(const struct rv_filter_spec *spec, enum fate fate, int error)
{
	if (fate == PERFORMED && spec->supervised)
		return SECCOMP_RET_USER_NOTIF;
	if (fate != ALWAYS && (spec->traps & RV_TRAP_GUARD))
		return SECCOMP_RET_USER_NOTIF;
	return RV_REFUSE(error);
}

static uint32_t refused(const struct rv_filter_spec *spec, enum rv_verdict verdict)
{
	/* Looked at for what is noted only. */
	if (verdict == RV_VERDICT_IOCTL && !(spec->guards & RV_GUARD_TTY))
		return SECCOMP_RET_ALLOW;
	if (verdict == RV_VERDICT_PEELOFF)
		return refusal(spec, REFUSED, rv_filter_socket_error(spec, RV_SOCKET_NO_RULE));
	return refusal(spec, guards[verdict].fate, guards[verdict].error);
}

/* Nobody performs what concerns a whole group or user: refused, where one task's is trapped. */
static uint32_t other(const struct rv_filter_spec *spec, enum rv_verdict verdict)
{
	if (verdict == RV_VERDICT_SETPRIORITY || verdict == RV_VERDICT_IOPRIO_SET)
		return refusal(spec, REFUSED, EPERM);
	return verdict == RV_VERDICT_IOCTL && (spec->traps & RV_TRAP_FS) ? SECCOMP_RET_USER_NOTIF
									 : SECCOMP_RET_ALLOW;
}

static void emit_guard(
	struct rv_bpf *bpf, const struct rv_filter_spec *spec, enum rv_verdict verdict)
{
	const uint32_t actions[] = {
		SECCOMP_RET_ALLOW, refused(spec, verdict), other(spec, verdict)};
	struct ends to = {.allow = rv_bpf_label(bpf), .refuse = rv_bpf_label(bpf)};

	to.other = actions[2] == actions[0]   ? to.allow
		   : actions[2] == actions[1] ? to.refuse
					      : rv_bpf_label(bpf);
	guards[verdict].emit(bpf, &to);
	rv_bpf_place(bpf, to.allow);
	rv_bpf_return(bpf, actions[0]);
	rv_bpf_place(bpf, to.refuse);
	rv_bpf_return(bpf, actions[1]);
	if (to.other != to.allow && to.other != to.refuse) {
		rv_bpf_place(bpf, to.other);
		rv_bpf_return(bpf, actions[2]);
	}
}

int rv_filter_verdict(
	struct rv_bpf *bpf, const struct rv_filter_spec *spec, enum rv_verdict verdict)
{
	if (verdict == RV_VERDICT_SOCKET)
		return rv_filter_socket(bpf, spec);
	rv_bpf_comment(bpf, guards[verdict].comment);
	if (guards[verdict].emit)
		emit_guard(bpf, spec, verdict);
	else
		rv_bpf_return(bpf, refusal(spec, guards[verdict].fate, guards[verdict].error));
	return 0;
}
