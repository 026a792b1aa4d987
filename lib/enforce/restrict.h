/* SPDX-License-Identifier: MIT */
/* The irrevocable steps. */
#ifndef RV_ENFORCE_RESTRICT_H
#define RV_ENFORCE_RESTRICT_H

#include "enforce/plan.h"

/*
 * What reeve_plan_restrict() does, in two parts. `prepare` does all that can fail for want of
 * something and can be undone; -1 in *ret_ruleset_fd where Landlock has nothing to enforce.
 * `all_fd` as in landlock.h. `commit` cannot be undone, and leaves the ruleset open.
 */
int rv_restrict_prepare(const struct reeve_plan *plan, unsigned int flags, int all_fd,
	int *ret_ruleset_fd, struct reeve_error *err);
int rv_restrict_commit(
	const struct reeve_plan *plan, unsigned int flags, int ruleset_fd, struct reeve_error *err);

/*
 * no_new_privs and Landlock, in one step where the kernel has one: no thread is left in between.
 * `ruleset_fd` -1: no_new_privs only. Async-signal-safe; the error is put into words afterwards.
 */
int rv_restrict_landlock(const struct reeve_plan *plan, unsigned int flags, int ruleset_fd);
int rv_restrict_landlock_error(int code, struct reeve_error *err);

/* Of the calling process. 1: no other thread; 0: others; negative: it cannot be told. */
int rv_single_threaded(void);

#endif /* RV_ENFORCE_RESTRICT_H */
