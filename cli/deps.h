/* SPDX-License-Identifier: MIT */
/*
 * `reeve deps`: what a program and its children depended on. A record of accesses (record.h) is
 * read once into files (deps_files.c), and written as a Makefile's rules, JSON lines or a graph
 * (deps_write.c, deps_dot.c); what was written as JSON can be compared with what is there now
 * (deps_changed.c).
 */
#ifndef CLI_DEPS_H
#define CLI_DEPS_H

#include "cli.h"

/* One path. What comes later in the run does not take back what was true before. */
struct cli_dep {
	char *path;
	uint64_t first;	    /* the sequence of its first access */
	bool read;	    /* opened for reading, or executed, before the run itself wrote it */
	bool executed;	    /* or an interpreter or loader */
	bool listed;	    /* a directory */
	bool written, made; /* by the run: opened for writing; or its name was made */
	bool removed;	    /* its name was */
	bool absent;	    /* opened or executed in vain: it did not exist then */
	/* Afterwards: */
	bool exists, is_regular;
	long long size, seconds;
	long nanoseconds; /* of its last change */
};

struct cli_deps {
	struct reeve_record *record;
	struct cli_dep **files; /* in the order of `first` */
	size_t count;
	void *tree; /* of tsearch(3), by path */
	const struct cli_list *under;
	char **places; /* --under, canonical */
	bool failed;   /* out of memory */
};

/* Reads the record. False: no memory. */
bool cli_deps_read(
	struct cli_deps *deps, struct reeve_record *record, const struct cli_list *under);
void cli_deps_release(struct cli_deps *deps);
/* The entry of a path, or NULL. */
struct cli_dep *cli_deps_find(const struct cli_deps *deps, const char *path);
/* Is it of interest: below one of --under, where that is given? */
bool cli_deps_wanted(const struct cli_deps *deps, const char *path);

/* What a rule of make can depend on: read or executed, not made by the run, still there. */
bool cli_dep_is_input(const struct cli_dep *file);
/* What the run left behind. */
bool cli_dep_is_output(const struct cli_dep *file);

struct cli_deps_output {
	FILE *file;
	char *const *command;
	const struct cli_list *targets; /* --target */
	const char *cwd;		/* what paths in a Makefile are relative to */
	bool json;			/* --missing as JSON */
};

/* Each returns 0, or CLI_ERROR after saying why. Errors of writing show in the stream. */
int cli_deps_make(const struct cli_deps *deps, const struct cli_deps_output *out);
int cli_deps_json(const struct cli_deps *deps, const struct cli_deps_output *out);
int cli_deps_dot(const struct cli_deps *deps, const struct cli_deps_output *out);
int cli_deps_missing(const struct cli_deps *deps, const struct cli_deps_output *out);

/* --changed-since: 0 nothing changed, 1 something did, 125. */
int cli_deps_changed(const char *name, bool json);

#endif /* CLI_DEPS_H */
