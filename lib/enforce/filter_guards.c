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

#define WHICH_PROCESS 0 /* setpriority(): PRIO_* */
#define WHICH_PGRP    1
#define WHICH_USER    2

#define IOPRIO_PROCESS 1 /* ioprio_set(): IOPRIO_WHO_* */
#define IOPRIO_PGRP    2
#define IOPRIO_USER    3

#define FLAG_FASTOPEN 0x20000000 /* MSG_FASTOPEN */

static void allow_or_refuse(struct rv_bpf *bpf, rv_label allow, rv_label refuse, int error)
{
	rv_bpf_place(bpf, allow);
	rv_bpf_return(bpf, SECCOMP_RET_ALLOW);
	rv_bpf_place(bpf, refuse);
	rv_bpf_return(bpf, RV_REFUSE(error));
}

static void guard_ioctl(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_eq(bpf, IOCTL_TIOCSTI, refuse, RV_NEXT);
	rv_bpf_jump_eq(bpf, IOCTL_TIOCLINUX, refuse, allow);
}

/*
 * Limits of another process kill it (RLIMIT_CPU 0, RLIMIT_NOFILE) and Landlock's signal scope does
 * not see it. Reading them (no new limits) is harmless. The process' own pid is refused too: a
 * filter cannot know it, and 0 says the same.
 */
static void guard_prlimit(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, 0, allow, RV_NEXT);
	rv_bpf_load_arg_low(bpf, 2);
	rv_bpf_jump_eq(bpf, 0, RV_NEXT, refuse);
	rv_bpf_load_arg_high(bpf, 2);
	rv_bpf_jump_eq(bpf, 0, allow, refuse);
}

static void guard_pid(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, 0, allow, refuse);
}

/*
 * A process group or a user contains others; "process 0" is the caller. What is none of the three
 * is EINVAL, which the kernel says itself.
 */
static void guard_which(struct rv_bpf *bpf, uint32_t process, uint32_t pgrp, uint32_t user,
	rv_label allow, rv_label refuse)
{
	rv_label one = rv_bpf_label(bpf);

	rv_bpf_load_arg_low(bpf, 0);
	rv_bpf_jump_eq(bpf, process, one, RV_NEXT);
	rv_bpf_jump_eq(bpf, pgrp, refuse, RV_NEXT);
	rv_bpf_jump_eq(bpf, user, refuse, allow);
	rv_bpf_place(bpf, one);
	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_jump_eq(bpf, 0, allow, refuse);
}

static void guard_setpriority(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	guard_which(bpf, WHICH_PROCESS, WHICH_PGRP, WHICH_USER, allow, refuse);
}

static void guard_ioprio_set(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	guard_which(bpf, IOPRIO_PROCESS, IOPRIO_PGRP, IOPRIO_USER, allow, refuse);
}

/*
 * With this flag a send connects first, past Landlock's connect hook. The other way to TCP Fast
 * Open, the option TCP_FASTOPEN_CONNECT, needs no guard: it only delays the handshake of a
 * connect(2) that was checked. Only the argument counts: the kernel overwrites msghdr's flags.
 */
static void guard_fastopen_3(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	rv_bpf_load_arg_low(bpf, 3);
	rv_bpf_jump_set(bpf, FLAG_FASTOPEN, refuse, allow);
}

static void guard_fastopen_2(struct rv_bpf *bpf, rv_label allow, rv_label refuse)
{
	rv_bpf_load_arg_low(bpf, 2);
	rv_bpf_jump_set(bpf, FLAG_FASTOPEN, refuse, allow);
}

static const struct {
	void (*emit)(struct rv_bpf *bpf, rv_label allow, rv_label refuse);
	const char *comment;
	int error;
} guards[RV_VERDICT_COUNT] = {
	[RV_VERDICT_IOCTL] = {guard_ioctl, "ioctl: not TIOCSTI, not TIOCLINUX", EPERM},
	[RV_VERDICT_PRLIMIT] = {guard_prlimit, "prlimit64: no limits for others", EPERM},
	[RV_VERDICT_OTHERS_PID] = {guard_pid, "sched_set*: for pid 0 only", EPERM},
	[RV_VERDICT_SETPRIORITY] = {guard_setpriority, "setpriority: for oneself only", EPERM},
	[RV_VERDICT_IOPRIO_SET] = {guard_ioprio_set, "ioprio_set: for oneself only", EPERM},
	[RV_VERDICT_FLAGS_3] = {guard_fastopen_3, "sendto, sendmmsg: not MSG_FASTOPEN", EOPNOTSUPP},
	[RV_VERDICT_FLAGS_2] = {guard_fastopen_2, "sendmsg: not MSG_FASTOPEN", EOPNOTSUPP},
};

int rv_filter_verdict(
	struct rv_bpf *bpf, const struct rv_filter_spec *spec, enum rv_verdict verdict)
{
	rv_label allow, refuse;

	switch (verdict) {
	case RV_VERDICT_ENOSYS:
		rv_bpf_return(bpf, RV_REFUSE(ENOSYS));
		return 0;
	case RV_VERDICT_EPERM:
		rv_bpf_return(bpf, RV_REFUSE(EPERM));
		return 0;
	case RV_VERDICT_SOCKET:
		return rv_filter_socket(bpf, spec);
	default:
		allow = rv_bpf_label(bpf);
		refuse = rv_bpf_label(bpf);
		rv_bpf_comment(bpf, guards[verdict].comment);
		guards[verdict].emit(bpf, allow, refuse);
		allow_or_refuse(bpf, allow, refuse, guards[verdict].error);
		return 0;
	}
}
