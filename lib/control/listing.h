/* SPDX-License-Identifier: MIT */
/* The domains of this user that run, as the registry, /proc and their boards have them. */
#ifndef RV_CONTROL_LISTING_H
#define RV_CONTROL_LISTING_H

#include "control/registry.h"
#include "supervise/board.h"

struct rv_row {
	struct rv_entry entry; /* its strings are these */
	char *name, *argv;
	bool here; /* in our pid namespace; else nothing more is known */
	bool stopped, has_numbers;
	uint64_t parent; /* the domain that the supervisor runs in; 0: none */
	struct rv_board board;
};

/* In ascending order of ids. */
struct rv_listing {
	struct rv_row *rows;
	size_t count, room;
	bool brief; /* without numbers and parents */
};

int rv_listing_new(bool brief, struct rv_listing *ret, struct reeve_error *err);
void rv_listing_release(struct rv_listing *listing);
/* Calls fn with each, until it returns non-zero. */
int rv_listing_show(const struct rv_listing *listing,
	int (*fn)(void *data, const struct reeve_control_entry *entry), void *data);

/* Whether a child of its supervisor is not the supervisor's own. */
bool rv_row_has_orphan(const struct rv_row *row, pid_t child);
/* The domain of a process: it is `id`, a program, or below it by way of its child `child`. NULL:
 * none begins there. */
const struct rv_row *rv_row_of(
	const struct rv_listing *listing, const struct rv_process_id *id, pid_t child);

#endif /* RV_CONTROL_LISTING_H */
