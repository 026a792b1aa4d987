/* SPDX-License-Identifier: MIT */
/* Rulesets made of rulesets: narrowing one object, union, intersection. */
#include <string.h>
#include "model/ruleset.h"
#include "base/error.h"

/* What a ruleset restricts, refer included where it is denied without being handled. */
static uint64_t restricted(const struct reeve_ruleset *ruleset, enum reeve_class cls)
{
	uint64_t handled = ruleset->handled.of[cls];

	return cls == REEVE_FS ? rv_fs_restricted(handled) : handled;
}

/* Refer need not be handled where another fs right is, unless a rule may want to grant it. */
static uint64_t spare_refer(
	uint64_t fs, const struct reeve_ruleset *a, const struct reeve_ruleset *b)
{
	bool named = (a->handled.of[REEVE_FS] | b->handled.of[REEVE_FS]) & REEVE_FS_REFER;

	return named || fs == REEVE_FS_REFER ? fs : fs & ~REEVE_FS_REFER;
}

/* ---------------------------------------------------------------- narrowing */

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_object(const struct reeve_rule *a, const struct reeve_rule *b)
{
	return a->type == b->type && same_string(a->path, b->path) &&
	       same_string(a->address, b->address) && a->port_first == b->port_first &&
	       a->port_last == b->port_last && a->socket_family == b->socket_family &&
	       a->socket_type == b->socket_type && a->socket_protocol == b->socket_protocol;
}

/* Adds a rule cut down to `mask`, unless that leaves nothing of what it granted. */
static int add_cut(struct reeve_ruleset *to, const struct reeve_rule *rule, uint64_t mask)
{
	struct reeve_rule cut = *rule;

	cut.allowed &= mask;
	if (rule->allowed && !cut.allowed)
		return 0;
	return reeve_ruleset_add(to, &cut, NULL);
}

static int add_ports(
	struct reeve_ruleset *to, const struct reeve_rule *rule, int first, int last, uint64_t mask)
{
	struct reeve_rule part = *rule;

	if (first > last)
		return 0;
	part.port_first = (uint16_t)first;
	part.port_last = (uint16_t)last;
	return add_cut(to, &part, mask);
}

/* Below, within, and above the ports that are narrowed. */
static int narrow_ports(
	struct reeve_ruleset *to, const struct reeve_rule *rule, const struct reeve_rule *by)
{
	int first = rule->port_first, last = rule->port_last;
	int from = by->port_first > first ? by->port_first : first;
	int until = by->port_last < last ? by->port_last : last;
	int ret;

	if (from > until)
		return add_cut(to, rule, UINT64_MAX);
	ret = add_ports(to, rule, first, from - 1, UINT64_MAX);
	if (ret == 0)
		ret = add_ports(to, rule, from, until, by->allowed);
	if (ret == 0)
		ret = add_ports(to, rule, until + 1, last, UINT64_MAX);
	return ret;
}

static int narrow(
	struct reeve_ruleset *to, const struct reeve_rule *rule, const struct reeve_rule *by)
{
	struct reeve_rule object = *by;

	if (rule->type == REEVE_RULE_NET_PORT && by->type == REEVE_RULE_NET_PORT)
		return narrow_ports(to, rule, by);
	/* `by` comes from outside: what does not belong to its type is not compared. */
	if (reeve_rule_class(by->type) == REEVE_FS)
		object = (struct reeve_rule){.type = by->type, .path = by->path};
	else if (by->type == REEVE_RULE_SOCKET)
		object = (struct reeve_rule){.type = by->type,
			.socket_family = by->socket_family,
			.socket_type = by->socket_type,
			.socket_protocol = by->socket_protocol};
	else
		object.socket_family = object.socket_type = object.socket_protocol = 0;
	if (!same_object(rule, &object) || rule->flags & REEVE_RULE_DENY)
		return add_cut(to, rule, UINT64_MAX);
	return add_cut(to, rule, by->allowed);
}

int rv_ruleset_narrowed(const struct reeve_ruleset *ruleset, const struct reeve_rule *rule,
	struct reeve_ruleset **ret)
{
	struct reeve_ruleset *made;
	int r = reeve_ruleset_new(&ruleset->handled, &made);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ruleset->count; i++)
		r = narrow(made, &ruleset->rules[i].pub, rule);
	if (r < 0)
		reeve_ruleset_free(made);
	else
		*ret = made;
	return r;
}

/* -------------------------------------------------------------------- union */

static bool scopes_unix(const struct reeve_ruleset *ruleset)
{
	return (ruleset->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET) != 0;
}

static bool resolves_unix(const struct reeve_ruleset *ruleset)
{
	return (ruleset->handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) != 0;
}

/*
 * Pathname UNIX sockets are restricted by a scope or by a right. Where one side uses the one and
 * the other side the other, the union still restricts them: by the scope, with the rules of both.
 */
static bool unix_by_either(const struct reeve_ruleset *a, const struct reeve_ruleset *b)
{
	return (scopes_unix(a) || resolves_unix(a)) && (scopes_unix(b) || resolves_unix(b)) &&
	       !(resolves_unix(a) && resolves_unix(b));
}

/* A grant of the right as the scope has it. */
static int unite_unix(struct reeve_ruleset *to, struct reeve_rule rule)
{
	if (!scopes_unix(to) && !resolves_unix(to))
		return 0;
	rule.type = REEVE_RULE_UNIX_SOCKET;
	rule.allowed &= REEVE_FS_RESOLVE_UNIX;
	rule.quiet &= REEVE_FS_RESOLVE_UNIX;
	return rule.allowed || rule.quiet ? reeve_ruleset_add(to, &rule, NULL) : 0;
}

/* One rule, cut down to what the union handles. */
static int unite_rule(
	struct reeve_ruleset *to, const struct reeve_ruleset *from, struct reeve_rule rule)
{
	uint64_t handled = to->handled.of[reeve_rule_class(rule.type)];
	bool denies = rule.flags & REEVE_RULE_DENY;
	int ret = 0;

	if (rule.type == REEVE_RULE_UNIX_SOCKET)
		return unite_unix(to, rule);
	if (rule.type == REEVE_RULE_PATH_BENEATH && !denies && scopes_unix(to) &&
		resolves_unix(from) && !resolves_unix(to))
		ret = unite_unix(to, rule);
	rule.quiet &= handled;
	/* A denial of only dropped rights must not become one of all rights. */
	if (ret < 0 || (rule.allowed && !(rule.allowed & handled) && !rule.quiet))
		return ret;
	if (rule.allowed && !(rule.allowed & handled))
		rule.flags &= ~REEVE_RULE_DENY;
	rule.allowed &= handled;
	if (!rule.allowed && !rule.quiet && !denies)
		return 0;
	return reeve_ruleset_add(to, &rule, NULL);
}

static int unite(struct reeve_ruleset *to, const struct reeve_ruleset *from)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < from->count; i++)
		ret = unite_rule(to, from, from->rules[i].pub);
	return ret;
}

int reeve_ruleset_union(
	const struct reeve_ruleset *a, const struct reeve_ruleset *b, struct reeve_ruleset **ret)
{
	struct reeve_rights handled;
	struct reeve_ruleset *made;
	int r;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		handled.of[cls] =
			restricted(a, (enum reeve_class)cls) & restricted(b, (enum reeve_class)cls);
	handled.of[REEVE_FS] = spare_refer(handled.of[REEVE_FS], a, b);
	if (unix_by_either(a, b))
		handled.of[REEVE_SCOPE] |= REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	r = reeve_ruleset_new(&handled, &made);
	if (r < 0)
		return r;
	r = unite(made, a);
	if (r == 0)
		r = unite(made, b);
	if (r < 0)
		reeve_ruleset_free(made);
	else
		*ret = made;
	return r;
}

/* ------------------------------------------------------------- intersection */

/* The two sides, and what becomes of them. */
struct meet {
	const struct reeve_ruleset *side[2];
	struct reeve_ruleset *to;
};

/* What both sides grant of what the result handles; what a side does not handle, it grants. */
static struct rv_grant both(
	const struct meet *meet, enum reeve_class cls, struct rv_grant a, struct rv_grant b)
{
	uint64_t open_a = ~restricted(meet->side[0], cls), open_b = ~restricted(meet->side[1], cls);
	uint64_t handled = meet->to->handled.of[cls];

	return (struct rv_grant){.allowed = (a.allowed | open_a) & (b.allowed | open_b) & handled,
		.quiet = (a.quiet | open_a) & (b.quiet | open_b) & handled,
		.flags = (a.flags | b.flags) & REEVE_RULE_LIVE};
}

static int add_granted(struct meet *meet, struct reeve_rule rule, struct rv_grant grant)
{
	rule.allowed = grant.allowed;
	rule.quiet = grant.quiet;
	rule.flags = (rule.flags & REEVE_RULE_OPTIONAL) | grant.flags;
	if (!rule.allowed && !rule.quiet)
		return 0;
	return reeve_ruleset_add(meet->to, &rule, NULL);
}

/* Whether a side lets a socket at this path be reached, by a rule or because it does not care. */
static bool reaches_unix(const struct reeve_ruleset *side, struct rv_grant grant)
{
	if (grant.allowed & REEVE_FS_RESOLVE_UNIX)
		return true;
	return !(side->handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) &&
	       !(side->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET);
}

/* A rule of either side: what holds on its path, given all that is above it on both sides. */
static int meet_path(struct meet *meet, const struct reeve_rule *rule)
{
	size_t length = strlen(rule->path);
	struct rv_grant a = rv_ruleset_path(meet->side[0], NULL, rule->path, length, false);
	struct rv_grant b = rv_ruleset_path(meet->side[1], NULL, rule->path, length, false);
	struct reeve_rule made = *rule;
	struct rv_grant unix_grant = {
		.allowed = REEVE_FS_RESOLVE_UNIX, .flags = (a.flags | b.flags) & REEVE_RULE_LIVE};
	struct rv_path_walk walk = rv_path_walk_begin(rule->path, length);
	int ret;

	if (rv_path_walk_node(&walk, &meet->to->paths))
		return 0; /* both sides have a rule here, or one has several */
	made.type = REEVE_RULE_PATH_BENEATH;
	ret = add_granted(meet, made, both(meet, REEVE_FS, a, b));
	if (ret < 0 || !((a.allowed | b.allowed) & REEVE_FS_RESOLVE_UNIX) ||
		!scopes_unix(meet->to) || !reaches_unix(meet->side[0], a) ||
		!reaches_unix(meet->side[1], b))
		return ret;
	made.type = REEVE_RULE_UNIX_SOCKET;
	return add_granted(meet, made, unix_grant);
}

/* The first rule that speaks of a port, for its origin. */
static const struct reeve_rule *port_rule(const struct meet *meet, unsigned int port)
{
	for (int s = 0; s < 2; s++) {
		for (size_t i = 0; i < meet->side[s]->count; i++) {
			const struct reeve_rule *rule = &meet->side[s]->rules[i].pub;

			if (rule->type == REEVE_RULE_NET_PORT && rule->port_first <= port &&
				port <= rule->port_last)
				return rule;
		}
	}
	return NULL;
}

/* Ports that one side grants by a live rule stay revocable: see REEVE_RULE_LIVE. */
static bool ports_are_live(const struct meet *meet, unsigned int first, unsigned int last)
{
	for (int s = 0; s < 2; s++) {
		for (size_t i = 0; i < meet->side[s]->count; i++) {
			const struct reeve_rule *rule = &meet->side[s]->rules[i].pub;

			if (rule->type == REEVE_RULE_NET_PORT && rule->flags & REEVE_RULE_LIVE &&
				rule->port_first <= last && first <= rule->port_last)
				return true;
		}
	}
	return false;
}

static struct rv_grant both_on_port(const struct meet *meet, unsigned int port)
{
	return both(meet, REEVE_NET, rv_ruleset_port(meet->side[0], (uint16_t)port),
		rv_ruleset_port(meet->side[1], (uint16_t)port));
}

static int add_port_run(
	struct meet *meet, unsigned int first, unsigned int last, struct rv_grant grant)
{
	const struct reeve_rule *source = port_rule(meet, first);
	struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.port_first = (uint16_t)first,
		.port_last = (uint16_t)last,
		.origin = source ? source->origin : NULL};

	grant.flags = ports_are_live(meet, first, last) ? REEVE_RULE_LIVE : 0;
	return add_granted(meet, rule, grant);
}

/* Runs of ports on which the same is granted become one rule each. */
static int meet_ports(struct meet *meet)
{
	unsigned int first = 0;
	int ret = 0;

	if (!meet->side[0]->ports && !meet->side[1]->ports)
		return 0;
	while (ret == 0 && first < RV_PORTS) {
		struct rv_grant grant = both_on_port(meet, first), next;
		unsigned int last = first;

		for (; last + 1 < RV_PORTS; last++) {
			next = both_on_port(meet, last + 1);
			if (next.allowed != grant.allowed || next.quiet != grant.quiet)
				break;
		}
		ret = add_port_run(meet, first, last, grant);
		first = last + 1;
	}
	return ret;
}

/* The narrower of two numbers of which each may be a wildcard; false where they exclude another. */
static bool meet_number(int a, int b, int *ret)
{
	*ret = a == REEVE_SOCKET_ANY ? b : a;
	return a == REEVE_SOCKET_ANY || b == REEVE_SOCKET_ANY || a == b;
}

static int meet_socket_pair(
	struct meet *meet, const struct reeve_rule *a, const struct reeve_rule *b)
{
	struct reeve_rule made = *a;

	if (b->type != REEVE_RULE_SOCKET || a->socket_family != b->socket_family ||
		!meet_number(a->socket_type, b->socket_type, &made.socket_type) ||
		!meet_number(a->socket_protocol, b->socket_protocol, &made.socket_protocol))
		return 0;
	return add_granted(meet, made,
		(struct rv_grant){a->allowed & b->allowed, a->quiet & b->quiet,
			(a->flags | b->flags) & REEVE_RULE_LIVE});
}

/* A rule of side `s`. Where the other side does not handle sockets, it stays as it is. */
static int meet_socket(struct meet *meet, int s, const struct reeve_rule *rule)
{
	const struct reeve_ruleset *other = meet->side[!s];
	int ret = 0;

	if (!other->handled.of[REEVE_SOCKET])
		return reeve_ruleset_add(meet->to, rule, NULL);
	if (s != 0)
		return 0; /* the pairs were made from the first side */
	for (size_t i = 0; ret == 0 && i < other->count; i++)
		ret = meet_socket_pair(meet, rule, &other->rules[i].pub);
	return ret;
}

static int meet_rules(struct meet *meet, int s)
{
	const struct reeve_ruleset *side = meet->side[s];
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < side->count; i++) {
		const struct reeve_rule *rule = &side->rules[i].pub;

		if (reeve_rule_class(rule->type) == REEVE_FS)
			ret = meet_path(meet, rule);
		else if (rule->type == REEVE_RULE_SOCKET)
			ret = meet_socket(meet, s, rule);
	}
	return ret;
}

static bool can_meet(const struct reeve_ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++)
		if (ruleset->rules[i].pub.type == REEVE_RULE_NET_ADDRESS ||
			ruleset->rules[i].pub.flags & REEVE_RULE_DENY)
			return false;
	return true;
}

int reeve_ruleset_intersect(
	const struct reeve_ruleset *a, const struct reeve_ruleset *b, struct reeve_ruleset **ret)
{
	struct meet meet = {.side = {a, b}};
	struct reeve_rights handled;
	int r;

	if (!can_meet(a) || !can_meet(b))
		return -EOPNOTSUPP;
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		handled.of[cls] =
			restricted(a, (enum reeve_class)cls) | restricted(b, (enum reeve_class)cls);
	handled.of[REEVE_FS] = spare_refer(handled.of[REEVE_FS], a, b);
	r = reeve_ruleset_new(&handled, &meet.to);
	if (r < 0)
		return r;
	for (int s = 0; r == 0 && s < 2; s++)
		r = meet_rules(&meet, s);
	if (r == 0)
		r = meet_ports(&meet);
	if (r < 0)
		reeve_ruleset_free(meet.to);
	else
		*ret = meet.to;
	return r;
}
