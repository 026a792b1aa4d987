/* SPDX-License-Identifier: MIT */
/*
 * Why a program could not be executed under a policy: judged by the domain model on canonical
 * paths, before the policy is in force (afterwards nothing could be opened). It runs at every
 * launch, so a program of which nothing is outside the policy costs some twenty system calls.
 */
#ifndef RV_ENFORCE_DIAGNOSE_H
#define RV_ENFORCE_DIAGNOSE_H

#include <limits.h>
#include "enforce/plan.h"

struct rv_diagnosis {
	/*
	 * 0: nothing found; -ENOENT: there is no such program, or with a message: its interpreter
	 * is missing; -EACCES: the policy denies something that the program needs; -EPERM: it is no
	 * program whatever the policy says, for which execve(2) has EACCES as well.
	 */
	int code;
	/* Found in what execve(2) does not look at (a shared library): it would succeed, in vain.
	 */
	bool after_exec;
	char message[768]; /* "…/prog: needs …, which the policy does not let it read" */
	char hint[512];
	/* The candidate that was judged, as PATH gives it; "": none can be executed. */
	char program[PATH_MAX];
};

void rv_diagnose(const struct reeve_plan *plan, const char *program, char *const *envp,
	struct rv_diagnosis *ret);

#endif /* RV_ENFORCE_DIAGNOSE_H */
