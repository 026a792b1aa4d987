/* SPDX-License-Identifier: MIT */
/*
 * `reeve run` in two pieces: run.c has its options and what a static run needs, and is in both
 * images of the command (see front.c); run_full.c, in the larger one, has all that run.c does not.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stddef.h>
#include "cli.h"

struct run_options {
	struct cli_rules rules;
	struct cli_list degrade, keep_fds, env;
	const char *chdir, *events, *name, *status_fd, *write_policy, *approver;
	bool is_static, permissive, reload, ask, fail_on_deny, no_shim, clear_env, dry_run, quiet,
		verbose;
};

/* What `learn` and `deps` have as well, in struct run_options at `base` of the verb's options. */
#define RUN_AT(base, member) ((base) + offsetof(struct run_options, member))
#define RUN_START_OPTIONS(base)                                                                    \
	{"--keep-fd", 0, "N", "leave file descriptor N open; all others above 2 are closed",       \
		CLI_NOTHING, CLI_LIST, RUN_AT(base, keep_fds)},                                    \
		{"--clear-env", 0, NULL, "start CMD with an empty environment", CLI_NOTHING,       \
			CLI_FLAG, RUN_AT(base, clear_env)},                                        \
	{                                                                                          \
		"--env", 0, "NAME=VALUE", "set a variable of CMD's environment", CLI_NOTHING,      \
			CLI_LIST, RUN_AT(base, env)                                                \
	}

/* The environment of CMD; the array is ours, its strings are not. */
struct run_environment {
	const char **entries;
	size_t count;
};

/* Where CMD starts, and with what; arrays are ours. */
struct run_start {
	struct run_environment env;
	char *layers; /* an entry of it: see layers.h; or NULL */
	int *keep_fds;
	struct reeve_exec_options exec;
};

/* Checked options, and the policy that they make. Zeroed is valid for release. */
struct run {
	const struct run_options *options;
	char *chdir; /* absolute, or NULL */
	struct reeve_policy *policy;
	struct run_start start;
	char *const *command;
};

/* Whatever is not a plain static run: supervised, --dry-run. */
int cli_run_full(const struct run_options *options, const struct cli_operands *operands);

/* Steps of both: 0, or CLI_ERROR after saying why. */
int cli_run_prepare(
	struct run *run, const struct run_options *options, const struct cli_operands *operands);
int cli_run_make_start(struct run *run);
void cli_run_release(struct run *run);

/* Prints it, CLI_ERROR; in the small image, which knows no JSON, perhaps the other's answer. */
int cli_refuse(const struct reeve_error *err);

#endif /* CLI_RUN_H */
