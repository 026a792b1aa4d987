/* SPDX-License-Identifier: MIT */
/* A plan's floor as a ruleset of the kernel. */
#ifndef RV_ENFORCE_LANDLOCK_H
#define RV_ENFORCE_LANDLOCK_H

#include "enforce/plan.h"

/*
 * Makes the ruleset and adds all rules; *ret is its fd (CLOEXEC), or -1 where the floor handles
 * nothing, so that there is nothing to enforce. `all_fd`, unless negative, is a directory below
 * which everything is granted.
 *
 * A path of a rule is opened without following symbolic links: resolving the policy made it
 * canonical, so a link there now is a change (-ELOOP). Errors name the rule's origin and path.
 */
int rv_landlock_ruleset(
	const struct reeve_plan *plan, int all_fd, int *ret, struct reeve_error *err);

#endif /* RV_ENFORCE_LANDLOCK_H */
