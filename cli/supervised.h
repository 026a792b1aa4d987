/* SPDX-License-Identifier: MIT */
/* `reeve run` without --static: the parts of it that concern the supervisor. */
#ifndef CLI_SUPERVISED_H
#define CLI_SUPERVISED_H

#include <signal.h>
#include <stdatomic.h>
#include "needed.h"
#include "reload.h"

struct cli_supervised {
	struct reeve_plan *plan; /* owned; freed once CMD was started */
	const struct reeve_exec_options *exec;
	char *const *command;
	const char *events;		      /* --events: NULL, "none", "-" or a file */
	const char *name;		      /* --name, or NULL */
	struct reeve_ruleset *ruleset;	      /* owned; the policy's, later without what is live */
	const char *status_fd;		      /* --status-fd, or NULL */
	struct cli_write_policy write_policy; /* name NULL: not wanted */
	struct cli_reload_options reload;
	struct reeve_record *record; /* of all accesses, for a plan that has one; or NULL */
	bool ask;		     /* --ask */
	const char *approver;	     /* --approver, or NULL */
	const char *policy_file;     /* to which answers can be saved, or NULL */
	void (*identified)(void *data, uint64_t domain); /* before CMD begins; or NULL */
	bool fail_on_deny, no_shim, permissive, quiet, verbose;
};

/* Runs CMD to its end, and releases what is owned; what `reeve run` exits with. */
int cli_run_supervised(struct cli_supervised *run);

/* To the kernel: what only the reading of a large policy took. */
void cli_give_back_memory(void);

/* ---- signals and stops (jobs.c) */

/* Blocks what is to be waited for and forwarded. What the program is to be started with: */
struct cli_jobs {
	sigset_t mask;	  /* its signal mask */
	sigset_t ignored; /* ignored here before, but not any more */
	sigset_t waited;
	bool has_terminal;
	struct cli_witness *witness;
	const atomic_bool *paused; /* we stopped the domain ourselves: no job's stop; or NULL */
};
void cli_jobs_begin(struct cli_jobs *jobs);
/* For reeve_supervisor_options.before_exec. */
void cli_jobs_before_exec(void *jobs, pid_t program);

/* Waits for the program's end, as a shell would see it: forwards signals, stops with it. Reaps
 * orphans. Returns its status as of waitpid(2), or a negative errno. */
int cli_jobs_wait(const struct cli_jobs *jobs, struct reeve_supervisor *supervisor, int *ret);

void cli_jobs_end(struct cli_jobs *jobs);
bool cli_is_stopped(pid_t pid);
pid_t cli_parent_of(pid_t pid);		    /* 0: there is no such process */
unsigned long long cli_start_of(pid_t pid); /* in clock ticks after boot; the same */

/* ---- orphans.c */

/* Has this process no children at all? */
bool cli_is_childless(void);
/* What was below us before there was a domain: jobs of the shell that became us. NULL: nothing. */
struct cli_earlier *cli_earlier_new(void);
void cli_earlier_free_p(struct cli_earlier **earlier);
#define cli_autoearlier __attribute__((cleanup(cli_earlier_free_p)))

/* After the end of a domain whose connector could not kill it: kills what is left of it all the
 * same. How many. */
int cli_kill_orphans(const struct cli_earlier *earlier);

/* ---- who else got a signal (witness.c) */

/* NULL: no memory, no process. Ends with us. */
struct cli_witness *cli_witness_new(void);
/* Whether a signal that we took was sent to our process group; each is to be asked about once. */
bool cli_witness_ask(struct cli_witness *witness, int sig);
void cli_witness_free(struct cli_witness *witness);

/* ---- what CMD can get at (reach.c) */

/* Warns where the policy lets CMD write to the file behind `fd` (-1, or not a file: nothing). */
void cli_warn_reachable(const struct reeve_ruleset *ruleset, const char *option, int fd);

/* ---- what was denied (summary.c) */

struct cli_summary;

/* Takes the denials from the supervisor, which may end then. NULL: no memory. */
struct cli_summary *cli_summary_new(struct reeve_supervisor *supervisor);
size_t cli_summary_denials(const struct cli_summary *summary);
/* To stderr, at most a screenful; nothing where nothing was denied. */
void cli_summary_print(const struct cli_summary *summary, bool permissive);
void cli_summary_free(struct cli_summary *summary);

#endif /* CLI_SUPERVISED_H */
