/* SPDX-License-Identifier: MIT */
/* What learn_ladder.c, learn_roots.c and learn_rules.c share: what is wanted of each path, on the
 * way to rules. */
#ifndef CLI_LEARN_LADDER_H
#define CLI_LEARN_LADDER_H

#include "learn.h"

enum learn_more { NOTHING, NEW_NAMES, EXECUTED, OF_FILES, OF_DIRECTORIES, OTHER_NAME, TERMINALS };

/* Small: there is one a path. */
struct want {
	struct cli_path_key key;
	uint32_t floor, live;
	struct learn_who who;
	uint32_t group;	  /* number + 1, while it is looked at; 0: none */
	uint8_t more;	  /* enum learn_more */
	bool widened : 1; /* stands for many below */
	bool dropped : 1; /* another one stands for it */
};

/* A directory in which something cannot be granted. */
struct left_out {
	struct cli_path_key key;
	char *example; /* a name in it */
	size_t count;
	enum learn_more more;
};

struct ladder {
	struct learned *learned;
	struct cli_path_table wants;
	struct cli_path_table left_out;
	struct cli_path_table opened; /* the same, of what was linked to there */
};

/* Why a rule grants more than was asked for; NULL: it does not. */
const char *learn_reason(enum learn_more more);

/* Whether `path` is `dir`, or below it; `path` may be NULL. */
bool learn_is_above(const char *dir, const char *path);

/* ---- learn_roots.c */

/* Its name will be another one next time. */
bool learn_is_temporary(const struct learn_path *path);
/* The topmost of what the run made on the way to `path`, itself included; NULL: it made none. */
const struct learn_path *learn_made_root(const struct learned *learned, const char *path);
/* The same for rights on files: below directories that have a link to what was there. */
const struct learn_path *learn_tight_root(const struct learned *learned, const char *path);
/* Finds those directories, before anything is wanted. */
void learn_mix(struct learned *learned);

/* learn_rules.c: `path` cannot be granted, as its directory would have to be. One note for all that
 * is left out of a directory. */
void learn_leave_out(
	struct ladder *ladder, const char *dir, const char *path, enum learn_more more);
/* `path` is opened for writing, as it is linked to something in `root`, or to that. */
void learn_open_up(struct ladder *ladder, const char *path, const char *root);
void learn_note_left_out(struct ladder *ladder);
/* A rule, or two, for each want that stands for something. */
void learn_make_rules(struct ladder *ladder);

#endif /* CLI_LEARN_LADDER_H */
