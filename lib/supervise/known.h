/* SPDX-License-Identifier: MIT */
/*
 * A few socket files that the domain can reach: made inside, as a rule. bind(2) always makes a new
 * file, so that no other socket will ever be bound to one of them; and as long as it is held, no
 * other file has its numbers. What is held keeps its file system busy.
 */
#ifndef RV_SUPERVISE_KNOWN_H
#define RV_SUPERVISE_KNOWN_H

#include <stdbool.h>
#include <sys/stat.h>

struct rv_known; /* thread-safe */

int rv_known_new(struct rv_known **ret);    /* -ENOMEM */
void rv_known_free(struct rv_known *known); /* NULL is allowed */

/* `st` is the file's; *ret_type is what was kept with it. */
bool rv_known_find(struct rv_known *known, const struct stat *st, int *ret_type);

/* Duplicates `pin`, a descriptor of the file; the oldest one makes room for it. */
void rv_known_keep(struct rv_known *known, int pin, const struct stat *st, int type);

#endif /* RV_SUPERVISE_KNOWN_H */
