/* SPDX-License-Identifier: MIT */
/*
 * Between clone and exec, of a child that becomes a program: system calls only, nothing that could
 * wait for a lock that another thread of its parent held.
 */
#ifndef RV_ENFORCE_CHILD_H
#define RV_ENFORCE_CHILD_H

#include <signal.h>
#include <sys/types.h>
#include <reeve/sandbox.h>

/* clone(2) as fork(2), without what libc does at a fork; no exit signal. -errno. */
pid_t rv_child_clone(unsigned long flags);

/* Handlers are functions of a program that is not ours any more; what is ignored stays so, and
 * `ignored` is. */
void rv_child_signals(const sigset_t *ignored);

/* In the parent: whether these descriptors are open, and numbers that can be. Fills err. */
int rv_child_check_fds(const struct reeve_exec_options *options, struct reeve_error *err);

/*
 * Session, terminal and descriptors as the options want them. Those in `own` (pointers to numbers,
 * -1 allowed) are of the launch itself: they are moved out of the way first. -errno.
 */
int rv_child_fds(const struct reeve_exec_options *options, int *const own[], size_t own_count);

#endif /* RV_ENFORCE_CHILD_H */
