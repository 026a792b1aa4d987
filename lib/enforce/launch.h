/* SPDX-License-Identifier: MIT */
/*
 * The steps of becoming a program under a plan, shared by the static and the supervised launch:
 *
 *	rv_launch_init()	options taken and checked; nothing is done yet
 *	rv_launch_prepare()	all that can fail and can be undone: directory, diagnosis, TMPDIR
 *	rv_launch_ruleset()	the floor, as Landlock gets it
 *	rv_launch_exec()	async-signal-safe: may run in a child of a process with threads
 *	rv_launch_exec_error()	what rv_launch_exec() returned, in words
 *	rv_launch_undo()	removes the TMPDIR of a launch that failed
 *	rv_launch_release()	frees; what was made stays
 */
#ifndef RV_ENFORCE_LAUNCH_H
#define RV_ENFORCE_LAUNCH_H

#include "enforce/diagnose.h"
#include "enforce/split.h"
#include "enforce/tmpdir.h"

struct rv_launch {
	const struct reeve_plan *plan;
	char *const *argv;
	struct reeve_exec_options options;
	char *const *envp;
	char **own_envp;   /* to be freed; what envp points to once something was set */
	char **shell_argv; /* to be freed: for what the kernel takes for no program */
	struct rv_tmpdir tmpdir;
	char setting[PATH_MAX + 16]; /* "TMPDIR=…" */
	int ruleset_fd;
	struct rv_split split; /* what rv_launch_ruleset() made of grants with denials inside */
	struct rv_diagnosis diagnosis;
};

int rv_launch_init(struct rv_launch *launch, const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *options, struct reeve_error *err);

/* Sets one variable of the program's environment; `setting` is borrowed. -ENOMEM. */
int rv_launch_set(struct rv_launch *launch, const char *setting, struct reeve_error *err);

/* Takes another environment: an array and its strings in one block for free(3). Set nothing later.
 */
void rv_launch_take_env(struct rv_launch *launch, char **envp);

/* Changes the working directory of the calling thread. */
int rv_launch_prepare(struct rv_launch *launch, struct reeve_error *err);
int rv_launch_ruleset(struct rv_launch *launch, struct reeve_error *err);

/* Returns only on failure: the negative errno that execvp(3) would report. */
int rv_launch_exec(const struct rv_launch *launch);
int rv_launch_exec_error(const struct rv_launch *launch, int code, struct reeve_error *err);

void rv_launch_undo(struct rv_launch *launch);
void rv_launch_release(struct rv_launch *launch);

#endif /* RV_ENFORCE_LAUNCH_H */
