/* SPDX-License-Identifier: MIT */
/* Finding a program as execvp(3) does, in an environment that is not ours. */
#ifndef RV_ENFORCE_SEARCH_H
#define RV_ENFORCE_SEARCH_H

#include <limits.h>
#include <stddef.h>

/* A variable's value in an environment, or NULL. */
const char *rv_env_get(char *const *envp, const char *name);

/* `envp` with one variable set: an array to be freed, whose strings are borrowed but `setting`. */
char **rv_env_with(char *const *envp, const char *setting);

/*
 * The names to try, one after the other. A program with a slash in its name is tried as it is.
 *
 *	struct rv_search search = {.program = "make", .path = rv_env_get(envp, "PATH")};
 *	while (rv_search_next(&search) > 0) ... search.name ...
 *
 * Async-signal-safe.
 */
struct rv_search {
	const char *program, *path; /* path NULL: as execvp(3), /bin:/usr/bin */
	const char *next;	    /* zeroed by the caller, as the rest */
	int started;
	char name[PATH_MAX];
};

/* 1: search->name is the next; 0: there is none; names that are too long are passed over. */
int rv_search_next(struct rv_search *search);

/* Whether the search goes on after execve(2) gave this (negative) error, as execvp(3) has it. */
int rv_search_goes_on(int error);

#endif /* RV_ENFORCE_SEARCH_H */
