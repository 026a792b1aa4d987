/* SPDX-License-Identifier: MIT */
/* `reeve run` without --static: the parts of it that concern the supervisor. */
#ifndef CLI_SUPERVISED_H
#define CLI_SUPERVISED_H

#include <signal.h>
#include "cli.h"

struct cli_supervised {
	const struct reeve_plan *plan;
	const struct reeve_exec_options *exec;
	char *const *command;
	const char *events;		     /* --events: NULL, "none", "-" or a file */
	const char *name;		     /* --name, or NULL */
	const struct reeve_ruleset *ruleset; /* the policy's, for `reeve inspect` */
	const char *status_fd;		     /* --status-fd, or NULL */
	bool fail_on_deny, no_shim, quiet, verbose;
};

/* Runs CMD to its end; what `reeve run` exits with. */
int cli_run_supervised(const struct cli_supervised *run);

/* ---- signals and stops (jobs.c) */

/* Blocks what is to be waited for and forwarded. What the program is to be started with: */
struct cli_jobs {
	sigset_t mask;	  /* its signal mask */
	sigset_t ignored; /* ignored here before, but not any more */
	sigset_t waited;
	bool has_terminal;
};
void cli_jobs_begin(struct cli_jobs *jobs);

/* Waits for the program's end, as a shell would see it: forwards signals, stops with it. Reaps
 * orphans. Returns its status as of waitpid(2), or a negative errno. */
int cli_jobs_wait(const struct cli_jobs *jobs, struct reeve_supervisor *supervisor, int *ret);

/* ---- what was denied (summary.c) */

struct cli_summary;

/* Takes the denials from the supervisor, which may end then. NULL: no memory. */
struct cli_summary *cli_summary_new(struct reeve_supervisor *supervisor);
size_t cli_summary_denials(const struct cli_summary *summary);
/* To stderr, at most a screenful; nothing where nothing was denied. */
void cli_summary_print(const struct cli_summary *summary);
void cli_summary_free(struct cli_summary *summary);

#endif /* CLI_SUPERVISED_H */
