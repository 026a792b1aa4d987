/* SPDX-License-Identifier: MIT */
/* `reeve learn --diff`: which rules of a policy grant more than a run needed. */
#include <stdlib.h>
#include <string.h>
#include "learn.h"

void learn_print_lines(char sign, char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("%c%s\n", sign, line);
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = dir[1] ? strlen(dir) : 0;

	return strncmp(path, dir, length) == 0 && path[length] == '/';
}

/* How a rule of ours is about what a rule of the policy grants. */
enum about { NOTHING, PART, ALL };

static enum about about_path(const struct reeve_rule *theirs, const struct reeve_rule *ours)
{
	if (strcmp(theirs->path, ours->path) == 0 || is_below(theirs->path, ours->path))
		return ALL;
	return is_below(ours->path, theirs->path) ? PART : NOTHING;
}

static bool is_on_path(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_PATH_BENEATH || rule->type == REEVE_RULE_UNIX_SOCKET;
}

static bool is_on_port(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_NET_PORT || rule->type == REEVE_RULE_NET_ADDRESS;
}

static enum about about(const struct reeve_rule *theirs, const struct reeve_rule *ours)
{
	if (is_on_path(theirs) && is_on_path(ours))
		return about_path(theirs, ours);
	if (is_on_port(theirs) && is_on_port(ours))
		return theirs->port_first <= ours->port_last &&
				       ours->port_first <= theirs->port_last
			       ? ALL
			       : NOTHING;
	return theirs->type == REEVE_RULE_SOCKET && ours->type == REEVE_RULE_SOCKET &&
			       theirs->socket_family == ours->socket_family
		       ? ALL
		       : NOTHING;
}

/* What of a rule was needed, and of which of that only a part of what is below. */
struct needed_of {
	uint64_t all, part;
	const char *example; /* of a part */
	size_t parts;
};

static struct needed_of look(const struct learned *learned, const struct reeve_rule *theirs)
{
	struct needed_of needed = {0};

	for (size_t i = 0; i < learned->rules.count; i++) {
		const struct reeve_rule *ours = &learned->rules.at[i].rule;
		uint64_t rights = ours->allowed & theirs->allowed;
		enum about how = rights ? about(theirs, ours) : NOTHING;

		needed.all |= how == ALL ? rights : 0;
		needed.part |= how == PART ? rights : 0;
		needed.parts += how == PART;
		if (how == PART && !needed.example)
			needed.example = ours->path;
	}
	needed.part &= ~needed.all;
	return needed;
}

/* The rights that nobody needed, as they would be taken out. */
static void print_unneeded(const struct reeve_rule *theirs, uint64_t rights)
{
	cli_autofree char *toml = NULL;
	struct reeve_rule rule = *theirs;

	rule.allowed = rights;
	rule.quiet = 0;
	printf("-# %s: was not needed\n", theirs->origin);
	if (reeve_rule_to_toml(&rule, &toml) == 0)
		learn_print_lines('-', toml);
}

static void print_parts(const struct reeve_rule *theirs, const struct needed_of *needed)
{
	cli_autoescape char *path = cli_escape(theirs->path);
	cli_autoescape char *example = cli_escape(needed->example);

	printf("-# %s: of what is below %s only %s", theirs->origin, path, example);
	if (needed->parts > 1)
		printf(" and %zu more", needed->parts - 1);
	puts(needed->parts > 1 ? " were needed" : " was needed");
}

static bool print_rule(const struct learned *learned, const struct reeve_rule *theirs)
{
	struct needed_of needed = look(learned, theirs);
	uint64_t unneeded = theirs->allowed & ~(needed.all | needed.part);

	if (unneeded)
		print_unneeded(theirs, unneeded);
	if (needed.part)
		print_parts(theirs, &needed);
	return unneeded || needed.part;
}

/* Of profiles, which others extend as well, nothing is to be taken out. */
size_t learn_print_broader(const struct reeve_policy *policy, const struct learned *learned)
{
	const struct reeve_ruleset *ruleset = reeve_policy_ruleset(policy);
	struct reeve_rule rule;
	size_t count = 0;

	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.allowed && !(rule.flags & REEVE_RULE_DENY) && rule.origin &&
			strncmp(rule.origin, "profile ", 8) != 0)
			count += print_rule(learned, &rule);
	return count;
}
