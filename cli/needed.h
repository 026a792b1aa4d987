/* SPDX-License-Identifier: MIT */
/* What a run was denied, or would have been in permissive mode, as rules that allow it. */
#ifndef CLI_NEEDED_H
#define CLI_NEEDED_H

#include "cli.h"

struct cli_needed;

/* NULL: no memory. */
struct cli_needed *cli_needed_new(void);
void cli_needed_free(struct cli_needed *needed);

/* Takes a denial down; any other event is ignored, but losses are counted. */
void cli_needed_add(struct cli_needed *needed, const struct reeve_event *event);

/* One object and the rights on it, least first. Strings live during the callback. */
struct cli_need {
	const char *path;
	uint64_t rights; /* REEVE_FS_* */
	uint64_t count;	 /* requests */
	const char *who; /* "cat (openat)", escaped; NULL: unknown */
};

/* Sorted by path, cut down to `handled`; when the run is over. Stops where fn returns non-zero, and
 * returns that. -ENOMEM. */
int cli_needed_each(const struct cli_needed *needed, uint64_t handled,
	int (*fn)(void *data, const struct cli_need *need), void *data);

/* The same for what is no path: `path` is then the flag that allows it, "--socket inet:raw". */
int cli_needed_flags(const struct cli_needed *needed,
	int (*fn)(void *data, const struct cli_need *need), void *data);

/* Denials that were not taken down. */
uint64_t cli_needed_lost(const struct cli_needed *needed);

/* ---- policy_file.c */

/* What cannot be loaded is not worth a file: checked, then stored. 0, or CLI_ERROR after saying
 * why.
 */
int cli_policy_file_store(const char *option, const char *name, int fd, const char *text);

/* ---- write_policy.c */

/* Where the policy of a run came from, and the file for the new one, opened before the run. */
struct cli_write_policy {
	const struct reeve_policy *policy;
	const struct cli_rules *rules;
	const struct cli_list *degrade;
	char *const *command;
	const char *name; /* the file's */
	int fd;
};

/* Opens it: not through a link, and only a regular file. 0 or CLI_ERROR. */
int cli_write_policy_open(struct cli_write_policy *out);
/* Writes the policy with what was needed, loads it once to be sure, and says so on stderr. */
int cli_write_policy(
	const struct cli_write_policy *out, const struct cli_needed *needed, bool quiet);

#endif /* CLI_NEEDED_H */
