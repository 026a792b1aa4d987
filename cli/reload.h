/* SPDX-License-Identifier: MIT */
/* The policy of a run, loaded again. */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "cli.h"

#define CLI_RELOAD_SHOWN 10 /* of what cannot change */
#define CLI_RELOAD_HINT                                                                            \
	"start the program anew; rules with `live = true` in the policy that it starts with can "  \
	"be taken back later"

struct cli_reload;

struct cli_reload_options {
	struct cli_build build; /* what the policy was made of; borrowed to the end */
	/* Of the policy that the run starts with, but for live rules; borrowed. */
	const struct reeve_ruleset *ruleset;
	struct reeve_policy_settings settings; /* of it; cli_reload_keep() */
	char **files;			       /* as they were opened, owned; NULL at the end */
	bool watch;			       /* --reload: whenever its files change */
};

/* Whether such a policy can be loaded again at all. */
int cli_reload_check(
	const struct cli_rules *rules, const struct reeve_policy *policy, struct reeve_error *err);

/* Copies what a reload needs to know of the first policy, which may go then. False: no memory. */
bool cli_reload_keep(struct cli_reload_options *options, const struct reeve_policy *policy);
void cli_reload_release(struct cli_reload_options *options);

/* NULL: no memory. Ends before the supervisor does. */
struct cli_reload *cli_reload_begin(
	const struct cli_reload_options *options, struct reeve_supervisor *supervisor);
void cli_reload_end(struct cli_reload *reload);

/* For reeve_control_options.reload. */
int cli_reload_now(void *reload, const char *by, struct reeve_reload *ret, struct reeve_error *err);

/* "policy loaded again: 2 live rules more, …" */
void cli_reload_print(FILE *out, const char *prefix, size_t added, size_t removed, size_t kept);

/* ---- reach.c */

/* Whether a program under these rules could change what is at `path`, or put another there. */
bool cli_can_change(const struct reeve_ruleset *ruleset, const char *path);

/* ---- steps.c */

/* Calls fn for each symbolic link on the way to a path, and for what is at its end, by the
 * directory (without links) and the name there. False: a loop, or fn said so. */
bool cli_path_steps(
	const char *path, bool (*fn)(void *data, const char *dir, const char *name), void *data);

/* ---- file_watch.c */

/* Calls fn from a thread of its own after one of the files changed, whoever wrote them
 * however. NULL: it cannot, errno says why. */
struct cli_file_watch *cli_file_watch_begin(char *const *files, void (*fn)(void *data), void *data);
void cli_file_watch_end(struct cli_file_watch *watch);

#endif /* CLI_RELOAD_H */
