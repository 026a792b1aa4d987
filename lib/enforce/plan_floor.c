/* SPDX-License-Identifier: MIT */
/* From a policy's ruleset to what Landlock and the filter get on this kernel. Pure code. */
#include <stdlib.h>
#include "base/error.h"
#include "enforce/plan.h"

/* What the floor handles: all that the kernel takes, and resolve_unix in the place of the scope. */
static struct reeve_rights floor_handled(
	const struct reeve_plan *plan, const struct reeve_ruleset *ruleset)
{
	struct reeve_rights handled;
	uint64_t pathname = REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	uint64_t resolve = plan->kernel.rights.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX;

	reeve_ruleset_handled(ruleset, &handled);
	if ((handled.of[REEVE_SCOPE] & pathname) && resolve) {
		handled.of[REEVE_SCOPE] &= ~pathname;
		handled.of[REEVE_FS] |= resolve;
	}
	handled.of[REEVE_SOCKET] = 0;
	/* Keeps the supervisor and its connector out of the program's reach. */
	if (plan->mode.supervised)
		handled.of[REEVE_SCOPE] |= REEVE_SCOPE_SIGNAL;
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		handled.of[cls] &= plan->kernel.rights.of[cls];
	return handled;
}

/* ---------------------------------------------------------------------- rules */

bool rv_plan_to_floor(struct reeve_rule *rule, const struct reeve_rights *handled)
{
	if (rule->type == REEVE_RULE_SOCKET)
		return false;
	rule->flags &= REEVE_RULE_OPTIONAL;
	if (rule->type == REEVE_RULE_UNIX_SOCKET)
		rule->type = REEVE_RULE_PATH_BENEATH;
	if (rule->type == REEVE_RULE_NET_ADDRESS) {
		rule->type = REEVE_RULE_NET_PORT;
		rule->address = NULL;
	}
	rule->allowed &= handled->of[reeve_rule_class(rule->type)];
	rule->quiet &= handled->of[reeve_rule_class(rule->type)];
	return rule->allowed || rule->quiet;
}

/* A live rule grants nothing here: what may be revoked is never in the floor. */
static int add_live(struct reeve_plan *plan, const struct reeve_rights *handled,
	const struct reeve_rule *asked, struct reeve_error *err)
{
	struct reeve_rule rule = *asked;

	if (rule.type == REEVE_RULE_UNIX_SOCKET)
		rule.type = REEVE_RULE_PATH_BENEATH;
	rule.allowed &= handled->of[reeve_rule_class(rule.type)];
	rule.quiet = 0;
	return rule.allowed ? reeve_ruleset_add(plan->live, &rule, err) : 0;
}

/* Port ranges that cover no port cannot come here: reeve_ruleset_add() refuses them. */
static int add_rule(struct reeve_plan *plan, const struct reeve_rights *handled,
	const struct reeve_rule *asked, size_t number, struct reeve_error *err)
{
	struct reeve_rule rule = *asked;
	int r;

	if (asked->flags & REEVE_RULE_DENY)
		return 0; /* plan->policy has it, or it is degraded, or the plan is never enforced
			   */
	if (plan->live && (asked->flags & REEVE_RULE_LIVE)) {
		struct reeve_rights judged = rv_plan_judged_rights(plan);

		return add_live(plan, &judged, asked, err);
	}
	if (!plan->kernel.quiet)
		rule.quiet = 0;
	if (!rv_plan_to_floor(&rule, handled))
		return 0;
	r = rv_plan_cut(plan, &rule, err);
	if (r || (!rule.allowed && !rule.quiet))
		return r;
	plan->from[reeve_ruleset_count(plan->floor)] =
		(struct rv_plan_origin){(uint32_t)number, asked->allowed};
	r = reeve_ruleset_add(plan->floor, &rule, err);
	if (r)
		return r;
	if (rule.type == REEVE_RULE_PATH_BENEATH)
		plan->quiet_fs |= rule.quiet;
	else
		plan->quiet_net |= rule.quiet;
	return 0;
}

static int add_socket(
	struct reeve_plan *plan, struct rv_filter_socket *sockets, const struct reeve_rule *rule)
{
	if (rule->type != REEVE_RULE_SOCKET || !(rule->allowed & REEVE_SOCKET_CREATE) ||
		(plan->live && (rule->flags & REEVE_RULE_LIVE)))
		return 0;
	sockets[plan->spec.sockets_count++] = (struct rv_filter_socket){
		rule->socket_family, rule->socket_type, rule->socket_protocol};
	return 0;
}

static int add_rules(struct reeve_plan *plan, const struct reeve_rights *handled,
	const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	size_t count = reeve_ruleset_count(ruleset);
	struct rv_filter_socket *sockets;
	struct reeve_rule rule;

	plan->from = calloc(count + 1, sizeof(*plan->from));
	sockets = calloc(count + 1, sizeof(*sockets));
	plan->spec.sockets = sockets;
	if (!plan->from || !sockets)
		return rv_error(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int r = reeve_ruleset_at(ruleset, i, &rule);

		if (r == 0)
			r = add_socket(plan, sockets, &rule);
		if (r == 0)
			r = add_rule(plan, handled, &rule, i, err);
		if (r)
			return r;
	}
	return 0;
}

struct reeve_rights rv_plan_enforced(const struct reeve_plan *plan)
{
	struct reeve_rights handled;

	reeve_ruleset_handled(plan->floor, &handled);
	if (plan->mode.permissive)
		handled = (struct reeve_rights){
			.of[REEVE_SCOPE] = handled.of[REEVE_SCOPE] & REEVE_SCOPE_SIGNAL};
	return handled;
}

static int make_domain(struct reeve_plan *plan)
{
	struct reeve_rights handled = rv_plan_enforced(plan);
	struct reeve_ruleset *all = NULL;
	int r;

	if (!plan->mode.permissive)
		return reeve_domain_new(
			NULL, plan->policy ? plan->policy : plan->floor, &plan->domain);
	r = reeve_ruleset_new(&handled, &all);
	if (r == 0)
		r = reeve_domain_new(NULL, all, &plan->domain);
	reeve_ruleset_free(all);
	return r;
}

int rv_plan_add_floor(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	struct reeve_rights handled = floor_handled(plan, ruleset), judged;
	int r = reeve_ruleset_new(&handled, &plan->floor);

	if (r == 0 && rv_plan_has(plan, "live", REEVE_BY_SUPERVISOR)) {
		judged = rv_plan_judged_rights(plan);
		r = reeve_ruleset_new(&judged, &plan->live);
	}
	if (r)
		return rv_error(err, r, "out of memory");
	r = rv_plan_begin_split(plan, ruleset, &handled, err);
	if (r == 0)
		r = add_rules(plan, &handled, ruleset, err);
	if (r)
		return r;
	r = make_domain(plan);
	return r ? rv_error(err, r, "out of memory") : 0;
}
