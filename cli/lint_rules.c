/* SPDX-License-Identifier: MIT */
/* Rules that have no effect: of what is not there, what others say already, what is denied. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lint.h"

static const char *shown_origin(const struct reeve_rule *rule)
{
	return rule->origin ? rule->origin : "another rule";
}

static bool is_grant(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_PATH_BENEATH && !(rule->flags & REEVE_RULE_DENY) &&
	       rule->allowed;
}

/* ------------------------------------------------------------------------ not there */

/* A live rule, and an exception, may name what is made later. */
static void look_for_path(struct cli_lint *lint, const struct reeve_rule *rule)
{
	bool optional = rule->flags & REEVE_RULE_OPTIONAL;
	cli_autoescape char *path = cli_escape(rule->path);

	if (!rule->path || (rule->flags & (REEVE_RULE_LIVE | REEVE_RULE_DENY)) ||
		access(rule->path, F_OK) == 0)
		return;
	cli_lint_add(
		lint, optional ? LINT_OPTIONAL : LINT_MISSING, rule, "%s does not exist", path);
}

/* ------------------------------------------------------------------------- shadowed */

struct above {
	const struct reeve_rule *rule;
	uint64_t left; /* of its rights, not seen further up */
	struct reeve_rule by;
	bool self_seen;
};

/* Only what is not separated from the rule by a denial. */
static int on_above(void *data, const struct reeve_rule *rule)
{
	struct above *above = data;
	bool same = strcmp(rule->path, above->rule->path) == 0;

	if (rule->flags & REEVE_RULE_DENY)
		return 1;
	if (same && !above->self_seen) {
		/* Of equal rules the first one counts. */
		above->self_seen = rule->origin == above->rule->origin &&
				   rule->allowed == above->rule->allowed;
		if (above->self_seen)
			return 0;
	} else if (same) {
		return 0;
	}
	if (above->left & rule->allowed)
		above->by = *rule;
	above->left &= ~rule->allowed;
	return above->left == 0;
}

/*
 * A rule that may be missing is for machines that differ, and so is one of two profiles: there it
 * is only an overlap.
 */
static void look_for_shadow(struct cli_lint *lint, const struct reeve_rule *rule)
{
	struct above above = {.rule = rule, .left = rule->allowed};
	cli_autoescape char *path = cli_escape(rule->path), *by = NULL, *origin = NULL;

	if (!is_grant(rule) || rule->quiet || (rule->flags & REEVE_RULE_LIVE))
		return;
	reeve_ruleset_match_path(lint->ruleset, rule->path, on_above, &above);
	if (above.left)
		return;
	by = cli_escape(above.by.path);
	origin = cli_escape(shown_origin(&above.by));
	cli_lint_add(lint, (rule->flags & REEVE_RULE_OPTIONAL) ? LINT_OVERLAP : LINT_SHADOWED, rule,
		"%s: what it grants is granted on %s by %s", path, by, origin);
}

static bool within(const struct reeve_rule *inner, const struct reeve_rule *outer)
{
	return inner->port_first >= outer->port_first && inner->port_last <= outer->port_last &&
	       !(inner->allowed & ~outer->allowed);
}

/* Does `outer` allow all that `rule` does? Of equal ones the first counts. */
static bool covers(const struct reeve_rule *rule, const struct reeve_rule *outer, bool earlier)
{
	bool equal = within(outer, rule) && within(rule, outer);

	switch (rule->type) {
	case REEVE_RULE_NET_PORT:
		return outer->type == rule->type && within(rule, outer) && (!equal || earlier);
	case REEVE_RULE_NET_ADDRESS:
		return outer->type == REEVE_RULE_NET_PORT && within(rule, outer);
	case REEVE_RULE_SOCKET:
		return outer->type == rule->type && outer->socket_family == rule->socket_family &&
		       (outer->socket_type == REEVE_SOCKET_ANY ||
			       outer->socket_type == rule->socket_type) &&
		       (outer->socket_protocol == REEVE_SOCKET_ANY ||
			       outer->socket_protocol == rule->socket_protocol) &&
		       (earlier || outer->socket_type != rule->socket_type ||
			       outer->socket_protocol != rule->socket_protocol);
	default:
		return false;
	}
}

static void look_for_cover(struct cli_lint *lint, const struct reeve_rule *rule, size_t number)
{
	struct reeve_rule other;

	for (size_t i = 0; reeve_ruleset_at(lint->ruleset, i, &other) == 0; i++) {
		cli_autoescape char *origin = NULL;
		cli_autofree char *object = NULL;

		if (i == number || !covers(rule, &other, i < number))
			continue;
		object = cli_rule_object(rule);
		origin = cli_escape(shown_origin(&other));
		cli_lint_add(lint, LINT_SHADOWED, rule, "%s: allowed by %s already",
			object ? object : "?", origin);
		return;
	}
}

/* -------------------------------------------------------------------------- denials */

static int on_granted(void *data, const struct reeve_rule *rule)
{
	bool *granted = data;

	*granted = is_grant(rule);
	return *granted;
}

static void look_at_denial(struct cli_lint *lint, const struct reeve_rule *rule)
{
	cli_autoescape char *path = cli_escape(rule->path);
	bool granted = false;

	if (!(rule->flags & REEVE_RULE_DENY))
		return;
	reeve_ruleset_match_path(lint->ruleset, rule->path, on_granted, &granted);
	if (!granted)
		cli_lint_add(lint, LINT_DENIES_NOTHING, rule, "%s is not granted", path);
}

/* A grant on exactly an object that is denied. */
static void look_at_denied(struct cli_lint *lint, const struct reeve_rule *rule)
{
	cli_autoescape char *path = cli_escape(rule->path);
	struct reeve_rule other;

	for (size_t i = 0; is_grant(rule) && reeve_ruleset_at(lint->ruleset, i, &other) == 0; i++) {
		cli_autoescape char *origin = cli_escape(shown_origin(&other));

		if (!(other.flags & REEVE_RULE_DENY) || strcmp(other.path, rule->path) != 0 ||
			(other.allowed && (rule->allowed & ~other.allowed)))
			continue;
		cli_lint_add(lint, LINT_DENIED, rule, "%s is denied by %s", path, origin);
		return;
	}
}

void cli_lint_rules(struct cli_lint *lint)
{
	struct reeve_rule rule;

	for (size_t i = 0; reeve_ruleset_at(lint->ruleset, i, &rule) == 0; i++) {
		look_for_path(lint, &rule);
		look_for_shadow(lint, &rule);
		look_for_cover(lint, &rule, i);
		look_at_denial(lint, &rule);
		look_at_denied(lint, &rule);
	}
}
