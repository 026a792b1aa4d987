/* SPDX-License-Identifier: MIT */
/* `reeve policy check` and `reeve policy show`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "remedy.h"
#include "verbs.h"

/* -------------------------------------------------------------- policy check */

/* What this machine makes of a valid policy. */
static void print_unenforceable(const struct reeve_policy *policy)
{
	const struct reeve_plan_item *item;
	cli_autoplan *plan = NULL;

	if (reeve_plan_describe(policy, NULL, &plan, NULL) < 0)
		return;
	for (size_t i = 0; (item = reeve_plan_at(plan, i)); i++)
		if (item->by == REEVE_BY_NOBODY)
			printf("  cannot be enforced on this machine: %s: %s\n", item->feature,
				item->why);
}

int cli_policy_load_named(struct reeve_policy *policy, const char *name, struct reeve_error *err)
{
	/* A file in the working directory is meant even where a profile has its name. */
	if (access(name, F_OK) == 0)
		return reeve_policy_load_file(policy, name, REEVE_POLICY_AUTO, err);
	return reeve_policy_load(policy, name, err);
}

static int check_one(const char *name)
{
	struct reeve_resolve_options resolve = {.size = sizeof(resolve), .keep_missing = true};
	struct reeve_log log = {cli_log, NULL};
	cli_autoescape char *shown = cli_escape(name);
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	int r = reeve_policy_new(&policy);

	if (r < 0)
		return cli_fail(NULL, "out of memory");
	reeve_policy_set_log(policy, &log);
	r = cli_policy_load_named(policy, name, &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, &resolve, &err);
	if (r < 0) {
		cli_print_error(&err);
		/* The text is wrong, or it could not be read. */
		return r == -EINVAL || r == -ELOOP ? CLI_NO : CLI_ERROR;
	}
	printf("%s: valid, %zu rules\n", shown, reeve_ruleset_count(reeve_policy_ruleset(policy)));
	print_unenforceable(policy);
	return CLI_OK;
}

struct check_options {
	struct cli_list policies;
};

static int run_policy_check(void *data, const struct cli_operands *operands)
{
	const struct check_options *check = data;
	int worst = CLI_OK, code;

	if (operands->count == 0 && check->policies.count == 0)
		return cli_fail("`reeve policy check FILE`", "policy check: say which file");
	for (size_t i = 0; i < check->policies.count; i++) {
		code = check_one(check->policies.items[i]);
		worst = code > worst ? code : worst;
	}
	for (int i = 0; i < operands->count; i++) {
		code = check_one(operands->items[i]);
		worst = code > worst ? code : worst;
	}
	return worst;
}

static const struct cli_option check_options[] = {
	{"--policy", 'p', "FILE", "another one, named as for other verbs", CLI_POLICIES, CLI_LIST,
		offsetof(struct check_options, policies)},
	{0},
};

const struct cli_verb cli_verb_policy_check = {
	.name = "policy check",
	.synopsis = "FILE...",
	.summary = "Check policy files: syntax, keys, values, variables",
	.text = "Paths that do not exist on this machine are no errors here. What this machine\n"
		"could not enforce is mentioned.\n"
		"\n"
		"Exit code: 0 all are valid; 1 one is not; 125 one could not be read.\n",
	.options = check_options,
	.size = sizeof(struct check_options),
	.complete = CLI_POLICIES,
	.run = run_policy_check,
};

/* --------------------------------------------------------------- policy show */

struct show_options {
	struct cli_rules rules;
	bool json, toml, verbose;
	struct cli_list made; /* names of policies; owned */
};

#define AT(member) offsetof(struct show_options, member)

static const struct cli_option show_options[] = {
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG, AT(json)},
	{"--toml", 0, NULL, "print it as a policy file, without variables", CLI_NOTHING, CLI_FLAG,
		AT(toml)},
	{"--verbose", 'v', NULL, "print the names of all rights", CLI_NOTHING, CLI_FLAG,
		AT(verbose)},
	{0},
};

/* Keys that stand before all tables, and a table for those of [[ruleset]]. */
static void print_toml_settings(const struct reeve_policy *policy)
{
	const char *feature;
	struct reeve_policy_settings settings = {.size = sizeof(settings)};

	reeve_policy_settings(policy, &settings);
	if (settings.private_tmpdir)
		puts("tmpdir = \"private\"");
	if (settings.inner_landlock_floor_only)
		puts("inner_landlock = \"floor-only\"");
	for (size_t i = 0; (feature = reeve_policy_degraded_at(policy, i)); i++)
		printf("%s\"%s\"", i ? ", " : "degrade = [", feature);
	if (reeve_policy_degraded_at(policy, 0))
		puts("]");
}

static void print_toml_denials(const struct reeve_policy *policy)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	const char *name;
	size_t printed = 0;

	reeve_policy_settings(policy, &settings);
	if (settings.deny || settings.unix_datagram)
		puts("\n[[ruleset]]");
	for (size_t i = 0; (name = cli_denial_name(i)); i++)
		if (settings.deny & cli_denial_bit(i))
			printf("%s\"%s\"", printed++ ? ", " : "deny = [", name);
	if (printed)
		puts("]");
	if (settings.unix_datagram)
		printf("unix_datagram = \"%s\"\n",
			settings.unix_datagram == REEVE_UNIX_DATAGRAM_REFUSE ? "refuse"
									     : "mediate");
}

static int show_toml(const struct reeve_policy *policy)
{
	cli_autofree char *toml = NULL;
	int r = reeve_ruleset_to_toml(reeve_policy_ruleset(policy), &toml);

	if (r < 0)
		return cli_fail(NULL, "cannot write TOML: %s", strerror(-r));
	print_toml_settings(policy);
	fputs(toml, stdout);
	print_toml_denials(policy);
	return CLI_OK;
}

static void print_files(const struct reeve_policy *policy)
{
	const char *file;

	for (size_t i = 0; (file = reeve_policy_file_at(policy, i)); i++) {
		cli_autoescape char *shown = cli_escape(file);

		printf("%s%s\n", i ? "           " : "Read from: ", shown);
	}
	if (reeve_policy_file_at(policy, 0))
		putchar('\n');
}

/* What no rule says, and yet denies writing. */
static void print_protected(const struct reeve_policy *policy)
{
	size_t printed = 0;
	const char *file;

	for (size_t i = 0; (file = reeve_policy_file_at(policy, i)); i++) {
		cli_autoescape char *shown = cli_escape(file);

		if (!cli_is_protected(policy, file))
			continue;
		if (printed++ == 0)
			puts("\nDenied for writing, though granted: " CLI_PROTECTED);
		printf("  %s\n", shown);
	}
}

/* What other verbs about policies take as an operand is another -p here. */
static int take_operands(struct show_options *show, const struct cli_operands *operands)
{
	for (int i = 0; i < operands->count; i++) {
		const char *name = operands->items[i];
		char *here = NULL;
		bool is_file = !strchr(name, '/') && access(name, F_OK) == 0;

		/* It is meant even where a profile has its name, as in `policy check`. */
		if ((is_file && asprintf(&here, "./%s", name) < 0) ||
			(here && !cli_list_add(&show->made, here)) ||
			!cli_list_add(&show->rules.policies, here ? here : name))
			return cli_fail(NULL, "out of memory");
	}
	return CLI_OK;
}

static int show_policy(struct show_options *show)
{
	struct cli_build build = {.rules = &show->rules};
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};

	if (show->json && show->toml)
		return cli_fail(NULL, "policy show: --json or --toml, not both");
	if (cli_build_policy(&build, &policy, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (show->json)
		return cli_show_json(policy);
	if (show->toml)
		return show_toml(policy);
	print_files(policy);
	cli_show_handled(reeve_policy_ruleset(policy));
	cli_show_settings(policy);
	cli_show_rules(reeve_policy_ruleset(policy), show->verbose);
	print_protected(policy);
	return CLI_OK;
}

static int run_policy_show(void *data, const struct cli_operands *operands)
{
	struct show_options *show = data;
	int code = take_operands(show, operands);

	if (code == CLI_OK)
		code = show_policy(show);
	for (size_t i = 0; i < show->made.count; i++)
		free((void *)show->made.items[i]);
	free(show->made.items);
	return code;
}

const struct cli_verb cli_verb_policy_show = {
	.name = "policy show",
	.synopsis = "[POLICY]...",
	.summary = "Show the effective policy, with the origin of each rule",
	.text = "POLICY is a file or a profile, as with -p. Without any: the profile "
		"`workspace`.\n",
	.options = show_options,
	.size = sizeof(struct show_options),
	.takes_rules = true,
	.rules_offset = AT(rules),
	.complete = CLI_POLICIES,
	.run = run_policy_show,
};
