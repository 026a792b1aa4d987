/* SPDX-License-Identifier: MIT */
/*
 * Denials inside of a grant, which Landlock does not know: what is granted above a denial is taken
 * out of the floor, but for rights that do no harm to the denial wherever they hold. Pure code.
 */
#include <string.h>
#include "base/error.h"
#include "enforce/plan.h"
#include "model/ruleset.h"

static bool is_path_rule(const struct reeve_rule *rule)
{
	return reeve_rule_class(rule->type) == REEVE_FS;
}

static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (n == 1)
		return path[1] != '\0';
	return strncmp(path, above, n) == 0 && path[n] == '/';
}

uint64_t rv_plan_denied_below(const struct reeve_ruleset *ruleset, const char *path, bool *ret_any)
{
	struct reeve_rule rule;
	uint64_t denied = 0;

	*ret_any = false;
	if (!rv_ruleset_denies_within(ruleset, path, strlen(path)))
		return 0;
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (!(rule.flags & REEVE_RULE_DENY) || !is_below(rule.path, path))
			continue;
		*ret_any = true;
		denied |= rule.allowed ? rule.allowed : UINT64_MAX;
	}
	return denied;
}

bool rv_plan_needs_split(const struct reeve_ruleset *ruleset)
{
	struct reeve_rule rule;
	bool any = false;

	for (size_t i = 0; !any && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (is_path_rule(&rule) && !(rule.flags & REEVE_RULE_DENY) && rule.allowed)
			rv_plan_denied_below(ruleset, rule.path, &any);
	return any;
}

bool rv_plan_is_split(const struct reeve_plan *plan)
{
	/* Permissive: there is no floor to be split, and the policy is judged by paths alone. */
	return !plan->mode.permissive && plan->spread && reeve_ruleset_count(plan->spread) > 0;
}

/* The policy's denials are not live, whatever else is: nobody revokes them. */
static int add_to_policy(struct reeve_plan *plan, const struct reeve_rule *asked,
	const struct reeve_rights *handled, struct reeve_error *err)
{
	struct reeve_rule rule = *asked;
	bool denies = rule.flags & REEVE_RULE_DENY;

	if (denies) {
		bool all = !rule.allowed;

		rule.flags &= ~REEVE_RULE_LIVE;
		rule.allowed &= handled->of[REEVE_FS];
		/* What it denies is not handled at all: it must not become a denial of everything.
		 */
		if (!all && !rule.allowed)
			return 0;
	} else if ((rule.flags & REEVE_RULE_LIVE) || !rv_plan_to_floor(&rule, handled)) {
		return 0;
	}
	return reeve_ruleset_add(plan->policy, &rule, err);
}

int rv_plan_begin_split(struct reeve_plan *plan, const struct reeve_ruleset *ruleset,
	const struct reeve_rights *handled, struct reeve_error *err)
{
	struct reeve_rule rule;
	int r;

	if (!rv_plan_has(plan, "deny_inside", REEVE_BY_SUPERVISOR) &&
		!rv_plan_has(plan, "deny_inside", REEVE_OBSERVED) &&
		!rv_plan_has(plan, "deny_inside", REEVE_BY_LANDLOCK))
		return 0;
	r = reeve_ruleset_new(handled, &plan->policy);
	if (r == 0)
		r = reeve_ruleset_new(handled, &plan->spread);
	if (r)
		return rv_error(err, r, "out of memory");
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		r = add_to_policy(plan, &rule, handled, err);
	return r;
}

int rv_plan_cut(struct reeve_plan *plan, struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rule rest = *rule;
	uint64_t denied;
	bool any;

	if (!plan->policy || !is_path_rule(rule))
		return 0;
	/* A denial on the same object counts more than a grant. */
	rule->allowed &=
		rv_ruleset_path(plan->policy, NULL, rule->path, strlen(rule->path), true).allowed;
	denied = rv_plan_denied_below(plan->policy, rule->path, &any);
	if (!any)
		return 0;
	rest.allowed = rule->allowed & ~(RV_PLAN_MAY_STAY & ~denied);
	rest.quiet = 0;
	rule->allowed &= RV_PLAN_MAY_STAY & ~denied;
	return rest.allowed ? reeve_ruleset_add(plan->spread, &rest, err) : 0;
}
