/* SPDX-License-Identifier: MIT */
/*
 * The calls that guards trap (filter.h: RV_GUARD_SCHED of a supervised domain, RV_TRAP_GUARD).
 * None of them ever goes on in the kernel, whatever fails here, but for those that are only noted:
 * ioctl USERFAULTFD_IOC_NEW, and landlock_restrict_self where it is allowed (inner.h).
 */
#ifndef RV_SUPERVISE_GUARDS_H
#define RV_SUPERVISE_GUARDS_H

#include "supervise/request.h"

/*
 * Answers a guard's call; false for any other call, which has to be handled elsewhere.
 *
 * prlimit64, sched_setaffinity, sched_setscheduler, sched_setparam, sched_setattr, setpriority and
 * ioprio_set are performed for a task of the caller's domain; EPERM and an event for others, for a
 * process group or a user, and for a caller that the supervisor may not act for. ioctl, io_uring_*,
 * send*, SysV IPC, key calls, setns and landlock_* get the errno that the filter would have given,
 * and an event.
 */
bool rv_guard_dispatch(struct rv_context *context, int listener, const struct seccomp_notif *notif,
	bool may_block, struct rv_answer *ret);

/*
 * Is `tid` a task of the caller's domain? It is when it belongs to the caller's process, or when
 * some process is an ancestor of both (or one of the two) and below the supervisor: all below
 * the supervisor that the caller descends from is in its domain, and whoever descends from a task
 * of the domain is in it; a process is only ever given to an ancestor when its parent dies. Orphans
 * that the supervisor itself has inherited are therefore taken for others': a domain beside this
 * one, of the same supervisor, would look the same.
 *
 * 1, 0, or -ESRCH: no such task.
 */
int rv_in_domain(struct rv_request *request, pid_t tid);

#endif /* RV_SUPERVISE_GUARDS_H */
