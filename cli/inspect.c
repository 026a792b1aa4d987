/* SPDX-License-Identifier: MIT */
/* `reeve inspect`: what is known of a running domain. */
#include <inttypes.h>
#include <stdlib.h>
#include "control.h"
#include "verbs.h"

struct inspect_options {
	bool json;
};

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object", CLI_NOTHING, CLI_FLAG,
		offsetof(struct inspect_options, json)},
	{0},
};

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

static void print_answer(const json_t *answer)
{
	const char *policy = json_string_value(json_object_get(answer, "policy"));
	cli_autoescape char *domain = cli_control_text(answer, "domain");
	cli_autoescape char *name = cli_control_text(answer, "name");
	cli_autoescape char *command = cli_control_command(json_object_get(answer, "argv"));
	char span[32];

	printf("Domain:      %s\n", domain);
	if (*name)
		printf("Name:        %s\n", name);
	printf("Command:     %s\n", command);
	printf("Program:     pid %" JSON_INTEGER_FORMAT "\n", number(answer, "pid"));
	printf("Supervisor:  pid %" JSON_INTEGER_FORMAT "\n", number(answer, "supervisor"));
	printf("Running for: %s\n",
		cli_control_span(cli_control_age((uint64_t)number(answer, "since")), span));
	printf("Live rules:  %" JSON_INTEGER_FORMAT "\n", number(answer, "rules"));
	print_counters(answer);
	if (policy) {
		puts("\nPolicy:\n");
		cli_control_print(policy);
	}
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
	print_answer(answer);
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_verb_inspect = {
	.name = "inspect",
	.synopsis = "[ID]",
	.summary = "Show a running domain: its policy, and what it did so far",
	.options = options,
	.size = sizeof(struct inspect_options),
	.run = run_inspect,
};
