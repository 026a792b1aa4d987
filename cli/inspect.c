/* SPDX-License-Identifier: MIT */
/* `reeve inspect`: what is known of a running domain. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"
#include "verbs.h"

struct inspect_options {
	bool json, toml, verbose;
};

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object", CLI_NOTHING, CLI_FLAG,
		offsetof(struct inspect_options, json)},
	{"--toml", 0, NULL, "print the policy only, live rules included, as a policy file",
		CLI_NOTHING, CLI_FLAG, offsetof(struct inspect_options, toml)},
	{"--verbose", 'v', NULL, "print the names of all rights", CLI_NOTHING, CLI_FLAG,
		offsetof(struct inspect_options, verbose)},
	{0},
};

#define BY_WIDTH 12

static const char *const labels[] = {[REEVE_BY_LANDLOCK] = "Landlock",
	[REEVE_BY_SECCOMP] = "seccomp",
	[REEVE_BY_SUPERVISOR] = "supervisor",
	[REEVE_OBSERVED] = "judged only"};

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_counters(const json_t *answer)
{
	static const struct {
		const char *key, *does;
	} lines[] = {{"trapped", "calls that the supervisor saw"},
		{"continued", "of these it let the kernel decide"},
		{"performed", "of these it did itself"}, {"denied", "denials"},
		{"guarded", "refused by a guard"}, {"events", "events"},
		{"eventsLost", "events lost"}, {"commits", "changes of the live rules"}};
	const json_t *counters = json_object_get(answer, "counters");

	for (size_t i = 0; i < CLI_COUNT(lines); i++)
		printf("  %8" JSON_INTEGER_FORMAT " %s\n", number(counters, lines[i].key),
			lines[i].does);
}

static int count_process(void *data, const struct reeve_control_process *process)
{
	(void)process;
	++*(size_t *)data;
	return 0;
}

/* None where they are in another pid namespace. */
static void print_processes(const char *domain)
{
	size_t count = 0;

	reeve_control_processes(strtoull(domain, NULL, 16), count_process, &count, NULL);
	if (count > 0)
		printf("Processes:   %zu (reeve ps --tree)\n", count);
}

static void print_head(const json_t *answer)
{
	cli_autoescape char *domain = cli_control_text(answer, "domain");
	cli_autoescape char *name = cli_control_text(answer, "name");
	cli_autoescape char *command = cli_control_command(json_object_get(answer, "argv"));
	json_int_t questions = number(answer, "questions");
	char span[32];

	printf("Domain:      %s\n", domain);
	if (*name)
		printf("Name:        %s\n", name);
	printf("Command:     %s\n", command);
	printf("Program:     pid %" JSON_INTEGER_FORMAT "\n", number(answer, "pid"));
	printf("Supervisor:  pid %" JSON_INTEGER_FORMAT "\n", number(answer, "supervisor"));
	print_processes(domain);
	printf("Running for: %s\n",
		cli_control_span(cli_control_age((uint64_t)number(answer, "since")), span));
	printf("Floor:       %" JSON_INTEGER_FORMAT " rules of its policy, which cannot change\n",
		number(answer, "staticRules"));
	printf("Live rules:  %" JSON_INTEGER_FORMAT "\n", number(answer, "rules"));
	printf("Waiting:     %" JSON_INTEGER_FORMAT " request%s for an answer%s%s%s\n", questions,
		questions == 1 ? "" : "s", questions ? ": reeve watch " : "",
		questions ? domain : "", questions ? " --answer" : "");
}

/* The features that have this enforcer, in one line; with their reasons, in one each. */
static bool print_features(const json_t *items, enum reeve_enforcer by, bool reasons)
{
	cli_autofree char *list = NULL;
	json_t *item;
	size_t i, found = 0;

	json_array_foreach((json_t *)items, i, item)
	{
		const char *who = json_string_value(json_object_get(item, "by"));
		cli_autoescape char *feature = cli_control_text(item, "feature");
		cli_autoescape char *why = cli_control_text(item, "why");
		char *longer;

		if (!who || strcmp(who, reeve_enforcer_name(by)) != 0)
			continue;
		if (reasons)
			printf("  %s: %s\n", feature, *why ? why : who);
		else if (asprintf(&longer, "%s%s%s", list ? list : "", list ? ", " : "", feature) >=
			 0) {
			free(list);
			list = longer;
		}
		found++;
	}
	if (list) {
		printf("  %-*s", BY_WIDTH, labels[by]);
		cli_fill(stdout, 2 + BY_WIDTH, 2 + BY_WIDTH, list);
	}
	return found > 0;
}

static bool is_given_up(const json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)items, i, item)
	{
		const char *who = json_string_value(json_object_get(item, "by"));

		if (who && strcmp(who, reeve_enforcer_name(REEVE_DEGRADED)) == 0)
			return true;
	}
	return false;
}

static void print_enforced(const json_t *items)
{
	if (json_array_size(items) == 0)
		return;
	putchar('\n');
	cli_styled(CLI_HEADING, "Enforced");
	puts(" by");
	for (size_t i = 0; i < CLI_COUNT(labels); i++)
		if (labels[i])
			print_features(items, (enum reeve_enforcer)i, false);
	if (!is_given_up(items))
		return;
	putchar('\n');
	cli_styled(CLI_BAD, "Asked for, given up by name, not enforced");
	putchar('\n');
	print_features(items, REEVE_DEGRADED, true);
}

static void print_live(const json_t *rules, bool ended)
{
	json_t *rule;
	size_t i;

	putchar('\n');
	cli_styled(CLI_HEADING, "Live rules");
	if (ended) {
		puts("\n  ended: the program has restricted itself with Landlock (inner_landlock)");
		return;
	}
	puts(" (can be revoked: reeve allow, reeve revoke)");
	if (json_array_size(rules) == 0)
		puts("  none");
	json_array_foreach((json_t *)rules, i, rule)
	{
		fputs("  ", stdout);
		cli_live_rule_print(rule);
	}
}

/* A domain of another reeve may say less: then there is at least the policy as a file. */
static void print_policy(const json_t *answer, bool verbose)
{
	const char *policy = json_string_value(json_object_get(answer, "policy"));
	struct reeve_ruleset *ruleset;

	if (cli_answer_ruleset(answer, &ruleset) < 0) {
		if (policy) {
			puts("\nPolicy:\n");
			cli_control_print(policy);
		}
		return;
	}
	putchar('\n');
	cli_styled(CLI_HEADING, "Policy:");
	puts(" what holds until the end\n");
	cli_show_handled(ruleset);
	cli_show_rules(ruleset, verbose);
	reeve_ruleset_free(ruleset);
}

static void print_answer(const json_t *answer, bool verbose)
{
	print_head(answer);
	putchar('\n');
	cli_styled(CLI_HEADING, "So far");
	putchar('\n');
	print_counters(answer);
	print_enforced(json_object_get(answer, "enforced"));
	print_policy(answer, verbose);
	if (json_object_get(answer, "live"))
		print_live(json_object_get(answer, "live"),
			json_is_true(json_object_get(answer, "liveEnded")));
}

static int print_file(const json_t *answer)
{
	const char *policy = json_string_value(json_object_get(answer, "policy"));

	if (!policy)
		return cli_fail(NULL,
			"inspect: the policy cannot be written as a file: a path in it "
			"is not UTF-8");
	cli_control_print(policy);
	return CLI_OK;
}

static int run_inspect(void *data, const struct cli_operands *operands)
{
	const struct inspect_options *inspect = data;
	json_t *answer;
	int code = cli_control_ask(
		"inspect", operands, json_pack("{s:s}", "request", "inspect"), &answer);

	if (code)
		return code;
	json_object_del(answer, "ok");
	if (inspect->json)
		return cli_json_line(answer) ? CLI_OK : CLI_ERROR;
	if (inspect->toml)
		code = print_file(answer);
	else
		print_answer(answer, inspect->verbose);
	json_decref(answer);
	return code;
}

const struct cli_verb cli_verb_inspect = {
	.name = "inspect",
	.synopsis = "[ID]",
	.summary = "Show a running domain: its policy, and what it did so far",
	.text = "Who enforces what here: the kernel (by Landlock, by its seccomp filter) or the\n"
		"supervisor; each rule with the file and line, or flag, that it comes from.\n",
	.options = options,
	.size = sizeof(struct inspect_options),
	.run = run_inspect,
};
