/* SPDX-License-Identifier: MIT */
/* `reeve kill`: end a running domain. */
#include "control.h"
#include "verbs.h"

static int run_kill(void *data, const struct cli_operands *operands)
{
	json_t *answer;
	int code =
		cli_control_ask("kill", operands, json_pack("{s:s}", "request", "kill"), &answer);

	(void)data;
	if (code)
		return code;
	json_decref(answer);
	return CLI_OK;
}

const struct cli_verb cli_verb_kill = {
	.name = "kill",
	.synopsis = "[ID]",
	.summary = "Kill every process of a running domain",
	.text = "By SIGKILL, those too that have left their session or lost their parent.\n"
		"`reeve run` then ends as always.\n"
		"\n"
		"Exit code: 0 killed; 1 no such domain; 125 refused.\n",
	.options = cli_no_options,
	.run = run_kill,
};
