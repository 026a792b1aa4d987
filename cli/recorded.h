/* SPDX-License-Identifier: MIT */
/* What `reeve learn` and `reeve deps` have in common: one run of CMD, watched, then a file. */
#ifndef CLI_RECORDED_H
#define CLI_RECORDED_H

#include <reeve/record.h>
#include "run.h"

struct cli_recorded {
	/* Ends in cli_recorded_run(), and returns what that does. */
	int (*run)(void *data, struct run *run, struct reeve_record *record);
	/* Of a run that began: what was recorded. 0 or CLI_ERROR. */
	int (*write)(void *data, const struct run *run, struct reeve_record *record);
};

/* Starts CMD under run->policy, and waits for its end: its exit code, or CLI_ERROR. */
int cli_recorded_run(struct run *run, struct reeve_record *record);

/* Both steps of a run whose policy is made. CMD's exit code, or CLI_ERROR. */
int cli_recorded(struct run *run, const struct cli_recorded *steps, void *data);

#endif /* CLI_RECORDED_H */
