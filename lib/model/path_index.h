/* SPDX-License-Identifier: MIT */
/*
 * From a path to the rules on it and on each directory above it, at a cost that depends on the
 * depth of the path and not on the number of rules.
 *
 * A hash table over canonical paths is probed once for each prefix. The hash of a prefix is made
 * from that of the whole path by taking bytes back (see path_index.c), so that a walk upwards reads
 * the path once.
 */
#ifndef RV_MODEL_PATH_INDEX_H
#define RV_MODEL_PATH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RV_NO_RULE UINT32_MAX

/* One object with rules. They form a list by the user's own `next` links, in order of addition. */
struct rv_path_node {
	const char
		*path; /* borrowed from the first rule; not necessarily ended by NUL at `length` */
	size_t length;
	uint64_t hash;
	uint32_t first, last; /* rule numbers */
};

/* Zeroed is valid and empty. */
struct rv_path_index {
	struct rv_path_node *nodes;
	size_t count, capacity;
	uint32_t *slots; /* node number + 1, 0 where free; a power of two of them */
	size_t slot_count;
};

/*
 * The node of a path, made with first == last == RV_NO_RULE where there is none. `path` must
 * outlive the index. NULL: no memory, the index is unchanged. The pointer is valid until the next
 * call.
 */
struct rv_path_node *rv_path_index_intern(
	struct rv_path_index *index, const char *path, size_t length);

/* Makes room for so many more nodes: the next that many calls of intern cannot fail. */
bool rv_path_index_reserve(struct rv_path_index *index, size_t count);

void rv_path_index_release(struct rv_path_index *index);

/* A walk from an object to the root directory. */
struct rv_path_walk {
	const char *path;
	size_t length; /* of the prefix that the walk is at; 0 past the end */
	uint64_t hash;
};

/* The hash of a path in pieces: that of the first piece starts with RV_PATH_HASH_START. */
#define RV_PATH_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t rv_path_hash(uint64_t hash, const char *text, size_t length);

/* Starts at the first `length` bytes of `path`, which is absolute and canonical. */
struct rv_path_walk rv_path_walk_begin(const char *path, size_t length);

/* One directory up. From the root directory: to the end. */
void rv_path_walk_up(struct rv_path_walk *walk);

/* The node of the prefix that the walk is at, or NULL. */
const struct rv_path_node *rv_path_walk_node(
	const struct rv_path_walk *walk, const struct rv_path_index *index);

/* Length of the directory that holds an object; of "/" itself for "/". */
size_t rv_path_parent(const char *path, size_t length);

/* Absolute, without ".", "..", "//" and final slash, and not empty. */
bool rv_path_is_canonical(const char *path);

#endif /* RV_MODEL_PATH_INDEX_H */
