/* SPDX-License-Identifier: MIT */
/* The scratch tree that operations are tried on: made, told, removed. */
#ifndef TESTS_SUPERVISE_FS_TREE_H
#define TESTS_SUPERVISE_FS_TREE_H

#include <stddef.h>

/* Makes it in `dir`, which is empty. `other`: a user who owns some of it, where we are root. */
void tree_make(const char *dir, int other);

/* All names below with type, mode, owner, links, size, content; sorted. `buf` is terminated. */
void tree_tell(const char *dir, char *buf, size_t size);

/* Removes all that is in it. */
void tree_wipe(const char *dir);

#endif /* TESTS_SUPERVISE_FS_TREE_H */
