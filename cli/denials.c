/* SPDX-License-Identifier: MIT */
/* `reeve denials`: what was denied in a domain, after its end too. */
#include <stdlib.h>
#include "control.h"
#include "verbs.h"

struct denials_options {
	bool json;
};

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct denials_options, json)},
	{0},
};

static void print_denial(const json_t *denial)
{
	const char *text = json_string_value(json_object_get(denial, "text"));
	cli_autoescape char *flag =
		cli_escape_quoted(json_string_value(json_object_get(denial, "flag")));
	json_int_t count = json_integer_value(json_object_get(denial, "count"));

	cli_control_print(text ? text : "");
	if (count > 1)
		printf("   (%" JSON_INTEGER_FORMAT " times)", count);
	printf("%s%s\n", *flag ? "\n    allow it: " : "", flag);
}

static void print_all(const json_t *answer, bool json)
{
	json_int_t lost = json_integer_value(json_object_get(answer, "eventsLost"));
	json_t *denials = json_object_get(answer, "denials"), *denial;
	size_t i;

	json_array_foreach(denials, i, denial)
	{
		if (json)
			cli_json_line(json_incref(denial));
		else
			print_denial(denial);
	}
	if (json)
		return;
	if (json_array_size(denials) == 0)
		puts("Nothing was denied.");
	if (lost > 0)
		printf("Lost: %" JSON_INTEGER_FORMAT " events.\n", lost);
}

static int run_denials(void *data, const struct cli_operands *operands)
{
	const struct denials_options *options_given = data;
	cli_autofree char *text = NULL;
	struct reeve_error err = {0};
	json_t *answer;

	if (operands->count > 1)
		return cli_fail(NULL, "denials: expected at most one domain");
	if (reeve_control_denials(operands->items[0], &text, &err) < 0)
		return cli_control_failed(&err);
	answer = json_loads(text, 0, NULL);
	print_all(answer, options_given->json);
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_verb_denials = {
	.name = "denials",
	.synopsis = "[ID]",
	.summary = "List what was denied in a domain, also after its end",
	.text = "With the flag of `reeve run` or `reeve allow` that would allow each. The last\n"
		"32 domains that ended are remembered. Without ID: the one that runs, or where\n"
		"none does the last that ended.\n"
		"\n"
		"Exit code: 0, whether there are any or not; 1 no such domain; 125 refused.\n",
	.options = options,
	.size = sizeof(struct denials_options),
	.run = run_denials,
};
