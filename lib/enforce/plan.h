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

/* For whom a plan is made; zeroed: for a process that restricts itself. */
struct rv_plan_mode {
	bool supervised;
	bool no_events; /* supervised: trap only what guards need */
};

struct reeve_plan {
	struct reeve_kernel kernel;
	struct rv_plan_mode mode;

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

	/* Rules that start out live, kept out of the floor; NULL unless "live" is enforced. */
	struct reeve_ruleset *live;

	struct rv_filter_spec spec; /* `sockets` is owned */
	struct sock_filter *filter;
	size_t filter_length;

	bool private_tmpdir;
};

/*
 * Makes a plan. `complete`: what nobody enforces is an error, see reeve_plan_new(); else it stays
 * in the plan, see reeve_plan_describe().
 */
int rv_plan_make(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct rv_plan_mode *mode, bool complete, struct reeve_plan **ret,
	struct reeve_error *err);

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

/* -EINVAL for a supervised plan: its traps and live rules mean nothing without a supervisor. */
int rv_plan_in_place(const struct reeve_plan *plan, struct reeve_error *err);

/* The error of a run that is nested in a supervised one. Returns -EOPNOTSUPP. */
int rv_plan_refuse_nested(struct reeve_error *err);

/* plan_floor.c: the rules that Landlock gets, and the sockets that the filter gets. */
int rv_plan_add_floor(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err);

#endif /* RV_ENFORCE_PLAN_H */
