/* SPDX-License-Identifier: MIT */
/* `reeve run --dry-run`: what would be enforced, by whom, and where each rule comes from. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define BY_WIDTH 12

/* What a plan's items say, by enforcer; reasons get lines of their own. */
static const struct {
	enum reeve_enforcer by;
	const char *label;
} enforcers[] = {
	{REEVE_BY_LANDLOCK, "Landlock"},
	{REEVE_BY_SECCOMP, "seccomp"},
	{REEVE_BY_SUPERVISOR, "supervisor"},
	{REEVE_OBSERVED, "judged only"},
};

/* The features of one enforcer, "a, b, c"; allocated, NULL where there are none. */
static char *features_by(const struct reeve_plan *plan, enum reeve_enforcer by)
{
	const struct reeve_plan_item *item;
	size_t length = 0, size = 1;
	char *list;

	for (size_t i = 0; (item = reeve_plan_at(plan, i)); i++)
		size += item->by == by ? strlen(item->feature) + 2 : 0;
	list = size > 1 ? malloc(size) : NULL;
	for (size_t i = 0; list && (item = reeve_plan_at(plan, i)); i++)
		if (item->by == by)
			length += (size_t)sprintf(
				list + length, "%s%s", length ? ", " : "", item->feature);
	return list;
}

static void print_enforced(const struct reeve_plan *plan)
{
	cli_styled(CLI_HEADING, "Enforced");
	puts(" by");
	for (size_t i = 0; i < CLI_COUNT(enforcers); i++) {
		cli_autofree char *list = features_by(plan, enforcers[i].by);

		if (!list)
			continue;
		printf("  %-*s", BY_WIDTH, enforcers[i].label);
		cli_fill(stdout, 2 + BY_WIDTH, 2 + BY_WIDTH, list);
	}
	printf("  %-*s", BY_WIDTH, "reeve");
	cli_fill(stdout, 2 + BY_WIDTH, 2 + BY_WIDTH,
		"file descriptors above 2 are closed, unless kept by --keep-fd");
}

/* Prints the items of one kind with their reasons; the number of them. */
static size_t print_items(
	const struct reeve_plan *plan, enum reeve_enforcer by, const char *heading)
{
	const struct reeve_plan_item *item;
	size_t printed = 0;

	for (size_t i = 0; (item = reeve_plan_at(plan, i)); i++) {
		char text[512];

		if (item->by != by)
			continue;
		if (printed++ == 0) {
			putchar('\n');
			cli_styled(CLI_BAD, heading);
			putchar('\n');
		}
		snprintf(text, sizeof(text), "%s: %s", item->feature,
			item->why[0] ? item->why : reeve_enforcer_name(by));
		fputs("  ", stdout);
		cli_fill(stdout, 2, 4, text);
	}
	return printed;
}

static void print_command(char *const *command)
{
	if (!command[0])
		return;
	cli_styled(CLI_HEADING, "Command");
	for (; *command; command++) {
		cli_autoescape char *word = cli_escape(*command);

		printf(" %s", word);
	}
	fputs("\n\n", stdout);
}

static void print_filter(const struct reeve_plan *plan, bool verbose)
{
	cli_autofree char *dump = NULL;

	putchar('\n');
	cli_styled(CLI_HEADING, "seccomp filter");
	printf(" of %zu instructions%s\n", reeve_plan_filter_length(plan),
		verbose ? ":" : "; -v lists them");
	if (verbose && reeve_plan_filter_length(plan) > 0 &&
		reeve_plan_filter_dump(plan, &dump) == 0)
		fputs(dump, stdout);
}

static int describe(const struct reeve_policy *policy,
	const struct reeve_supervised_plan_options *options, struct reeve_plan **ret,
	struct reeve_error *err)
{
	return options ? reeve_plan_describe_supervised(policy, NULL, options, ret, err)
		       : reeve_plan_describe(policy, NULL, ret, err);
}

static int try_for_real(const struct reeve_policy *policy,
	const struct reeve_supervised_plan_options *options, struct reeve_error *err)
{
	cli_autoplan *plan = NULL;

	return options ? reeve_plan_new_supervised(policy, NULL, options, &plan, err)
		       : reeve_plan_new(policy, NULL, &plan, err);
}

int cli_run_dry(const struct reeve_policy *policy,
	const struct reeve_supervised_plan_options *options, char *const *command, bool verbose)
{
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};
	int r = describe(policy, options, &plan, &err);

	if (r < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	print_command(command);
	print_enforced(plan);
	print_items(plan, REEVE_DEGRADED, "Asked for, given up by name, not enforced");
	print_items(plan, REEVE_BY_NOBODY, "Asked for, and nobody can enforce it here");
	putchar('\n');
	cli_show_handled(reeve_policy_ruleset(policy));
	cli_show_settings(policy);
	cli_show_rules(reeve_policy_ruleset(policy), verbose);
	print_filter(plan, verbose);
	/* What would `run` do? Ask in the same words. */
	r = try_for_real(policy, options, &err);
	if (r < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	return CLI_OK;
}
