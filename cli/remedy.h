/* SPDX-License-Identifier: MIT */
/*
 * What denied something, and what would allow it: the words that `explain`, the summary of `run`
 * and `policy show` have in common.
 */
#ifndef CLI_REMEDY_H
#define CLI_REMEDY_H

#include "cli.h"

#define CLI_REMEDY_SIZE 512

/* The origin of the exception that denied it inside of what is granted, or NULL. */
const char *cli_remedy_denial(const struct reeve_event *event);

/* The shortest flag that would allow what was denied; where none does, why in brackets, or "". */
void cli_remedy_flag(const struct reeve_event *event, char flag[static CLI_REMEDY_SIZE]);

/* The rule that allows what was denied and nothing else. `*ret_path` is to be freed after the rule.
 * False: no rule can. */
bool cli_remedy_rule(const struct reeve_event *event, struct reeve_rule *ret, char **ret_path);

/* "  to allow it: FLAG", and the same as lines of a policy file; either may be NULL. */
void cli_remedy_print(const char *flag, const struct reeve_rule *rule);

/* "  PATH is denied inside what is granted, by ORIGIN"; `path` is escaped. */
void cli_remedy_print_denial(const char *path, const char *origin);

/*
 * Loaded policy files are never writable from inside, whatever is granted. Whether that is what
 * denies writing to `path`, or replacing it, which the rules alone would allow. False: it is no
 * policy file, or no rule lets it be changed.
 */
bool cli_is_protected(const struct reeve_policy *policy, const char *path);
#define CLI_PROTECTED "loaded policy files are never writable from inside"

#endif /* CLI_REMEDY_H */
