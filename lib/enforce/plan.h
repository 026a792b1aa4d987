/* SPDX-License-Identifier: MIT */
/* Inside of a plan. */
#ifndef RV_ENFORCE_PLAN_H
#define RV_ENFORCE_PLAN_H

#include <reeve/check.h>
#include <reeve/domain.h>
#include <reeve/sandbox.h>
#include "enforce/filter.h"

#define RV_WHY_SIZE 120

struct rv_plan_item {
	struct reeve_plan_item item; /* first: handed out by address; `why` points below */
	const struct reeve_feature *feature;
	char why[RV_WHY_SIZE];
};

struct reeve_plan {
	struct reeve_kernel kernel;

	/* Items point into themselves: the array is allocated once, with room for every feature. */
	struct rv_plan_item *items;
	size_t items_count;
	size_t missing; /* items by nobody; a plan that has some is never enforced */

	struct reeve_ruleset *floor;
	struct reeve_domain *domain; /* the floor as a domain, for diagnosis */
	/*
	 * For each rule of the floor, what the policy's rule granted before this kernel's lacks
	 * were cut off: tells a rule that never made sense from one that degraded away.
	 */
	uint64_t *asked;
	uint64_t quiet_fs, quiet_net; /* union of the rules' quiet rights */

	struct rv_filter_spec spec; /* `sockets` is owned */
	struct sock_filter *filter;
	size_t filter_length;

	bool private_tmpdir;
};

/*
 * plan_items.c: the items of a policy. What it degrades is REEVE_DEGRADED, what remains by nobody
 * is counted in plan->missing. -EINVAL (unknown name in degrade), -ENOMEM.
 */
int rv_plan_add_items(
	struct reeve_plan *plan, const struct reeve_policy *policy, struct reeve_error *err);

/* Who enforces the feature in this plan; false where it was not asked for. */
bool rv_plan_has(const struct reeve_plan *plan, const char *feature, enum reeve_enforcer by);

/* Fills err with what is missing, and the way out. Returns -EOPNOTSUPP; 0 for a complete plan. */
int rv_plan_check(const struct reeve_plan *plan, struct reeve_error *err);

/* plan_floor.c: the rules that Landlock gets, and the sockets that the filter gets. */
int rv_plan_add_floor(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err);

#endif /* RV_ENFORCE_PLAN_H */
