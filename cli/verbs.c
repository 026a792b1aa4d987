/* SPDX-License-Identifier: MIT */
/* The verb table. */
#include <string.h>
#include "verbs.h"

static const struct cli_verb *const verbs[] = {
	&cli_verb_run,
	&cli_verb_ps,
	&cli_verb_top,
	&cli_verb_watch,
	&cli_verb_denials,
	&cli_verb_allow,
	&cli_verb_revoke,
	&cli_verb_rules,
	&cli_verb_reload,
	&cli_verb_inspect,
	&cli_verb_kill,
	&cli_verb_id,
	&cli_verb_audit,
	&cli_verb_observe_pin,
	&cli_verb_observe_unpin,
	&cli_verb_check,
	&cli_verb_explain,
	&cli_verb_learn,
	&cli_verb_deps,
	&cli_verb_policy_check,
	&cli_verb_policy_show,
	&cli_verb_policy_lint,
	&cli_verb_policy_import,
	&cli_verb_sandboxer,
	&cli_verb_help,
	&cli_verb_version,
};

const struct cli_verb *cli_verb_at(size_t i)
{
	return i < CLI_COUNT(verbs) ? verbs[i] : NULL;
}

/* How many words of argv are this verb's name, 0: it is another. */
static int words_matched(const struct cli_verb *verb, int argc, char *const *argv)
{
	const char *space = strchr(verb->name, ' ');
	size_t first = space ? (size_t)(space - verb->name) : strlen(verb->name);

	if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], verb->name, first) != 0)
		return 0;
	if (!space)
		return 1;
	return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

const struct cli_verb *cli_verb_find(int argc, char *const *argv, int *ret_words)
{
	for (size_t i = 0; i < CLI_COUNT(verbs); i++) {
		int words = words_matched(verbs[i], argc, argv);

		if (words) {
			*ret_words = words;
			return verbs[i];
		}
	}
	return NULL;
}

bool cli_verb_is_group(const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i < CLI_COUNT(verbs); i++)
		if (strncmp(verbs[i]->name, word, length) == 0 && verbs[i]->name[length] == ' ')
			return true;
	return false;
}

static int unknown_in_group(const char *group, const char *word)
{
	cli_autoescape char *shown = cli_escape(word);
	char hint[96];

	snprintf(hint, sizeof(hint), "`reeve help %s` lists what there is", group);
	if (!word)
		return cli_fail(hint, "%s: say what to do", group);
	return cli_fail(hint, "%s: unknown verb %s", group, shown);
}

int cli_verb_unknown(int argc, char *const *argv)
{
	cli_autoescape char *shown = cli_escape(argv[0]);
	struct cli_nearest near = {.word = argv[0]};
	const char *found;
	char hint[96];

	if (cli_verb_is_group(argv[0]))
		return unknown_in_group(argv[0], argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; i < CLI_COUNT(verbs); i++)
		cli_nearest_try(&near, verbs[i]->name);
	found = cli_nearest_found(&near);
	if (found)
		snprintf(hint, sizeof(hint), "did you mean `reeve %s`?", found);
	else
		snprintf(hint, sizeof(hint),
			"`reeve help` lists the verbs; a program is run by `reeve run -- CMD`");
	return cli_fail(hint, "unknown verb %s", shown);
}
