/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "verbs.h"

/* Options in place of a verb. */
static const struct {
	const char *option, *verb;
} top_options[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}};

/* `reeve policy`, `reeve policy --help` */
static bool wants_group_help(int argc, char *const *argv)
{
	return argc > 1 && cli_verb_is_group(argv[0]) &&
	       (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int dispatch(int argc, char **argv)
{
	const struct cli_verb *verb;
	int words = 1;

	for (size_t i = 0; i < CLI_COUNT(top_options); i++)
		if (strcmp(argv[0], top_options[i].option) == 0)
			argv[0] = (char *)top_options[i].verb;
	if (wants_group_help(argc, argv)) {
		cli_help_group(stdout, argv[0]);
		return CLI_OK;
	}
	if (argv[0][0] == '-' && argv[0][1]) {
		cli_autoescape char *shown = cli_escape(argv[0]);

		return cli_fail("options come after the verb: `reeve run --ro /usr -- CMD`",
			"unknown option %s", shown);
	}
	verb = cli_verb_find(argc, argv, &words);
	if (!verb)
		return cli_verb_unknown(argc, argv);
	return cli_run_verb(verb, argc - words, argv + words);
}

int cli_main(int argc, char **argv)
{
	if (argc < 2) {
		cli_help_top(stderr);
		return CLI_ERROR;
	}
	return cli_finish(dispatch(argc - 1, argv + 1));
}
