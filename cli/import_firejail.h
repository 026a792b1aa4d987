/* SPDX-License-Identifier: MIT */
/* What the two halves of the import of firejail's profiles share: reading them (import_firejail.c)
 * and what their commands mean (import_commands.c). */
#ifndef CLI_IMPORT_FIREJAIL_H
#define CLI_IMPORT_FIREJAIL_H

#include "import.h"

struct firejail_command {
	char *name, *value;
	char *origin; /* "x.profile:12: blacklist /boot" */
	char *where;  /* "x.profile:12" */
};

struct firejail_list {
	char **items;
	size_t count;
};

struct firejail {
	struct cli_import *import;
	struct cli_view view;
	struct firejail_command *commands;
	size_t count;
	struct firejail_list ignored;	 /* beginnings of lines */
	struct firejail_list spared;	 /* paths that are not to be blacklisted any more */
	struct firejail_list not_listed; /* paths that are not to be whitelisted any more */
	char *home, *runtime;
	bool writable_etc, writable_var, writable_run_user;
	bool families_said;
	unsigned int depth; /* of includes */
};

typedef void (*firejail_path_fn)(
	struct firejail *fire, const struct firejail_command *command, const char *path);

/* ${HOME} and its like replaced, but for ${PATH}; allocated. */
char *cli_firejail_macros(struct firejail *fire, const char *text);
/* Calls fn for each path that a value means: macros, wildcards. */
void cli_firejail_each_path(struct firejail *fire, const struct firejail_command *command,
	const char *value, firejail_path_fn fn);

/* Appends to a list; no memory is remembered. */
void cli_firejail_add(struct firejail *fire, struct firejail_list *list, const char *text);

/* Applies a command if it belongs to this round: 0 private places, 1 whitelists, 2 the rest. */
int cli_firejail_apply(
	struct firejail *fire, const struct firejail_command *command, unsigned int round);

#endif /* CLI_IMPORT_FIREJAIL_H */
