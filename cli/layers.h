/* SPDX-License-Identifier: MIT */
/*
 * The layers of static runs. No process of reeve is left to tell what such a run enforces, and the
 * kernel does not, so each says in CMD's environment how it was asked for, for `reeve explain`. CMD
 * can change that, and would only mislead whoever asks about it: nothing is decided by it.
 */
#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H

#include <sys/types.h>
#include <time.h>
#include "run.h"

#define CLI_LAYERS_VARIABLE "REEVE_LAYERS"

/*
 * layers.c, in both images: "REEVE_LAYERS=...", with what was there before in front. Allocated;
 * NULL: no memory, or too long to be handed to each program.
 */
char *cli_layers_add(const struct run_options *run);

/* ---- layers_read.c */

struct cli_layer {
	const char *cwd; /* where reeve was started */
	time_t since;
	const char *chdir; /* --chdir, or NULL */
	struct cli_rules rules;
	struct cli_list degrade;
};

/* Outermost first. Zeroed is valid for release. */
struct cli_layers {
	struct cli_layer *at;
	size_t count;
	char *text; /* what all of them point into */
};

/* As the process was started with; none where it cannot be read, or does not make sense. */
void cli_layers_read(pid_t pid, struct cli_layers *ret);
void cli_layers_release(struct cli_layers *layers);

#endif /* CLI_LAYERS_H */
