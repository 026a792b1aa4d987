/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include "verbs.h"

int cli_run_verb(const struct cli_verb *verb, int argc, char **argv)
{
	cli_autofree void *options = calloc(1, verb->size ? verb->size : 1);
	struct cli_operands operands;
	int code;

	if (!options)
		return cli_fail(NULL, "out of memory");
	code = cli_parse(verb, argc, argv, options, &operands);
	if (code == CLI_PARSE_HELP) {
		cli_help_verb(stdout, verb);
		code = CLI_OK;
	} else if (code == 0) {
		code = verb->run(options, &operands);
	}
	cli_options_release(verb, options);
	return code;
}
