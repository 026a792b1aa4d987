/* SPDX-License-Identifier: MIT */
/* Each verb's file defines its row; verbs.c lines them up. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli.h"

extern const struct cli_verb cli_verb_run;
extern const struct cli_verb cli_verb_ps;
extern const struct cli_verb cli_verb_top;
extern const struct cli_verb cli_verb_watch;
extern const struct cli_verb cli_verb_denials;
extern const struct cli_verb cli_verb_allow;
extern const struct cli_verb cli_verb_revoke;
extern const struct cli_verb cli_verb_rules;
extern const struct cli_verb cli_verb_reload;
extern const struct cli_verb cli_verb_inspect;
extern const struct cli_verb cli_verb_kill;
extern const struct cli_verb cli_verb_id;
extern const struct cli_verb cli_verb_audit;
extern const struct cli_verb cli_verb_observe_pin;
extern const struct cli_verb cli_verb_observe_unpin;
extern const struct cli_verb cli_verb_check;
extern const struct cli_verb cli_verb_explain;
extern const struct cli_verb cli_verb_learn;
extern const struct cli_verb cli_verb_deps;
extern const struct cli_verb cli_verb_policy_check;
extern const struct cli_verb cli_verb_policy_show;
extern const struct cli_verb cli_verb_policy_lint;
extern const struct cli_verb cli_verb_policy_import;
extern const struct cli_verb cli_verb_sandboxer;
extern const struct cli_verb cli_verb_help;
extern const struct cli_verb cli_verb_version;

/* Finds a verb by its name, one or two words; *ret_words tells how many of argv it took. */
const struct cli_verb *cli_verb_find(int argc, char *const *argv, int *ret_words);
/* Is `word` the first word of verbs that have two? */
bool cli_verb_is_group(const char *word);
/* Prints why `argv` names no verb. Returns CLI_ERROR. */
int cli_verb_unknown(int argc, char *const *argv);

/* Parses the options (argv without the verb's words), and runs it. */
int cli_run_verb(const struct cli_verb *verb, int argc, char **argv);

/* All of the command (main.c): what its module exports. */
__attribute__((visibility("default"))) int cli_main(int argc, char **argv);

#endif /* CLI_VERBS_H */
