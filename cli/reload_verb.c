/* SPDX-License-Identifier: MIT */
/* `reeve reload`: let a running domain load its policy again. */
#include "control.h"
#include "reload.h"
#include "verbs.h"

static size_t number(const json_t *answer, const char *key)
{
	return (size_t)json_integer_value(json_object_get(answer, key));
}

/* What could not change; how much that was. */
static size_t print_fixed(const json_t *answer)
{
	const json_t *fixed = json_object_get(answer, "fixed");
	size_t count = json_array_size(fixed);

	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "reeve: %s\n", json_string_value(json_array_get(fixed, i)));
	if (count)
		fprintf(stderr, "hint: %s\n", CLI_RELOAD_HINT);
	return count;
}

static int run_reload(void *data, const struct cli_operands *operands)
{
	json_t *answer;
	size_t fixed;
	int code = cli_control_ask(
		"reload", operands, json_pack("{s:s}", "request", "reload"), &answer);

	(void)data;
	if (code)
		return code;
	cli_reload_print(stdout, "", number(answer, "added"), number(answer, "removed"),
		number(answer, "kept"));
	fixed = print_fixed(answer);
	json_decref(answer);
	return fixed ? CLI_NO : CLI_OK;
}

const struct cli_verb cli_verb_reload = {
	.name = "reload",
	.synopsis = "[ID]",
	.summary = "Let a running domain load its policy again",
	.text = "The policy files of the run are read again. What they grant now beyond what the\n"
		"program was started with becomes live rules, in one commit; live rules of the\n"
		"policy that are not there any more are taken back. A policy with a mistake in it\n"
		"changes nothing. `reeve run --reload` does so whenever a file changes.\n"
		"\n"
		"Exit code: 0 done; 1 no such domain, or something in the policy cannot change\n"
		"while the program runs, which is said; 125 refused, or a mistake in the policy.\n",
	.options = cli_no_options,
	.run = run_reload,
};
