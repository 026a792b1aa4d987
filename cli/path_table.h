/* SPDX-License-Identifier: MIT */
/* A table of things that are known by their paths, in the order in which they were added. */
#ifndef CLI_PATH_TABLE_H
#define CLI_PATH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every entry begins with. */
struct cli_path_key {
	char *path;
};

struct cli_path_bucket {
	uint32_t number; /* + 1; 0: free */
	uint32_t tag;	 /* half of the hash: nearly all others need not be looked at */
};

/* Open addressing. Zeroed but for `size` is valid and empty. */
struct cli_path_table {
	size_t size; /* of an entry */
	char *entries;
	size_t count, capacity;
	struct cli_path_bucket *buckets;
	struct cli_path_chunk *chunks; /* the text of the paths */
	size_t bucket_count;
};

/* Entries themselves belong to the caller, but for their paths. */
void cli_path_table_release(struct cli_path_table *table);

void *cli_path_table_at(const struct cli_path_table *table, size_t i);
size_t cli_path_table_number(const struct cli_path_table *table, const void *entry);

/* Room for so many, as far as there is memory: growing to a million costs as much as filling it. */
void cli_path_table_reserve(struct cli_path_table *table, size_t count);

/* NULL: there is none. Pointers are good until the next entry is added. */
void *cli_path_table_find(const struct cli_path_table *table, const char *path);

/* The entry of a path, a zeroed one where there was none; NULL: no memory. */
void *cli_path_table_get(struct cli_path_table *table, const char *path);

/* The same, of a path that is in another table already, and stays there as long. */
void *cli_path_table_get_key(struct cli_path_table *table, const struct cli_path_key *key);

/* What the entries of all directories above a path have, by `rights`, together. */
uint64_t cli_path_table_above(const struct cli_path_table *table, const char *path,
	uint64_t (*rights)(const void *entry));

/* The directory above, in place; "/" stays. */
void cli_path_up(char *path);

#endif /* CLI_PATH_TABLE_H */
