/* SPDX-License-Identifier: MIT */
/* What a supervisor has to judge: the floor, and what it supplies itself. Pure code. */
#include "base/cleanup.h"
#include "base/error.h"
#include "enforce/plan.h"

struct reeve_rights rv_plan_judged_rights(const struct reeve_plan *plan)
{
	static const struct {
		const char *feature;
		enum reeve_class cls;
		uint64_t right;
	} supplied[] = {
		{"scope.pathname_unix_socket", REEVE_FS, REEVE_FS_RESOLVE_UNIX},
		{"fs.resolve_unix", REEVE_FS, REEVE_FS_RESOLVE_UNIX},
		{"net.bind_tcp", REEVE_NET, REEVE_NET_BIND_TCP},
		{"net.connect_tcp", REEVE_NET, REEVE_NET_CONNECT_TCP},
		{"net.bind_udp", REEVE_NET, REEVE_NET_BIND_UDP},
		{"net.connect_send_udp", REEVE_NET, REEVE_NET_CONNECT_SEND_UDP},
	};
	struct reeve_rights handled;

	reeve_ruleset_handled(plan->floor, &handled);
	if (rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP) ||
		rv_plan_has(plan, "socket.create", REEVE_OBSERVED))
		handled.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE; /* by live rules, and no others */
	for (size_t i = 0; i < RV_COUNT(supplied); i++) {
		if (rv_plan_has(plan, supplied[i].feature, REEVE_BY_SUPERVISOR))
			handled.of[supplied[i].cls] |= supplied[i].right;
	}
	return handled;
}

/* A policy's rule as it is judged; false where it is not, or elsewhere. */
static bool to_judged(
	const struct reeve_plan *plan, const struct reeve_rights *handled, struct reeve_rule *rule)
{
	bool denies_all = (rule->flags & REEVE_RULE_DENY) && !rule->allowed;

	/* Sockets are granted by the filter. What is not reported of them is looked up here. */
	if (rule->type == REEVE_RULE_SOCKET)
		rule->allowed = 0;
	/* The policy's denials are not live, whatever else is: nobody revokes them. */
	if ((rule->flags & REEVE_RULE_DENY) ? !plan->policy
					    : plan->live && (rule->flags & REEVE_RULE_LIVE))
		return false;
	rule->flags &= REEVE_RULE_OPTIONAL | REEVE_RULE_DENY;
	rule->allowed &= handled->of[reeve_rule_class(rule->type)];
	rule->quiet &= handled->of[reeve_rule_class(rule->type)];
	if (rule->type == REEVE_RULE_UNIX_SOCKET)
		rule->type = REEVE_RULE_PATH_BENEATH;
	return rule->allowed || rule->quiet || denies_all;
}

static int add_protected(struct reeve_plan *plan, uint64_t handled)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0;
		r == 0 && plan->protected && reeve_ruleset_at(plan->protected, i, &rule) == 0;
		i++) {
		rule.allowed &= handled;
		if (rule.allowed)
			r = reeve_ruleset_add(plan->judged, &rule, NULL);
	}
	return r;
}

int rv_plan_add_judged(
	struct reeve_plan *plan, const struct reeve_ruleset *ruleset, struct reeve_error *err)
{
	struct reeve_rights handled = rv_plan_judged_rights(plan);
	struct reeve_rule rule;
	int r = reeve_ruleset_new(&handled, &plan->judged);

	if (r)
		return rv_error(err, r, "out of memory");
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (to_judged(plan, &handled, &rule))
			r = reeve_ruleset_add(plan->judged, &rule, err);
	}
	return r ? r : add_protected(plan, handled.of[REEVE_FS]);
}
