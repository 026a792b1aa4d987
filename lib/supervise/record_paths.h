/* SPDX-License-Identifier: MIT */
/* Many paths in little memory: each is a name and the number of the directory above it. */
#ifndef RV_SUPERVISE_RECORD_PATHS_H
#define RV_SUPERVISE_RECORD_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RV_NO_PATH UINT32_MAX

struct rv_path_name {
	uint32_t parent; /* RV_NO_PATH: the root directory, or a text that is no absolute path */
	uint32_t at;	 /* of its name in `text` */
	uint32_t length;
};

/* Zeroed is valid and empty. */
struct rv_paths {
	struct rv_path_name *names;
	size_t count, capacity;
	char *text;
	size_t text_size, text_capacity;
	uint32_t *slots; /* number + 1, 0: free; a power of two */
	size_t slot_count;
};

/* The number of a path (or another text). RV_NO_PATH: no memory; nothing has changed. */
uint32_t rv_paths_intern(struct rv_paths *paths, const char *text);

/* The text of a path in *buf, which grows as is needed (malloc). NULL: no memory. */
const char *rv_paths_text(
	const struct rv_paths *paths, uint32_t number, char **buf, size_t *buf_size);

/* Frees what only rv_paths_intern() needs, which makes it again. */
void rv_paths_settle(struct rv_paths *paths);

void rv_paths_release(struct rv_paths *paths);

#endif /* RV_SUPERVISE_RECORD_PATHS_H */
