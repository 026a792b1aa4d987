/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "cli.h"
#include "path_table.h"

/* Eight bytes at a time: there can be a million. */
static uint64_t hash_of(const char *path)
{
	const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
	size_t length = strlen(path);
	uint64_t hash = length * prime;

	while (length) {
		size_t n = length < 8 ? length : 8;
		uint64_t word = 0;

		memcpy(&word, path, n);
		hash = (hash ^ word) * prime;
		hash ^= hash >> 29;
		path += n;
		length -= n;
	}
	return hash * prime;
}

void *cli_path_table_at(const struct cli_path_table *table, size_t i)
{
	return table->entries + i * table->size;
}

size_t cli_path_table_number(const struct cli_path_table *table, const void *entry)
{
	return (size_t)((const char *)entry - table->entries) / table->size;
}

/* Paths are kept as long as the table, one after the other. */
struct cli_path_chunk {
	struct cli_path_chunk *next;
	size_t used, size;
	char text[];
};

#define CHUNK_SIZE ((size_t)256 << 10)

static char *keep(struct cli_path_table *table, const char *path)
{
	struct cli_path_chunk *chunk = table->chunks;
	size_t size = strlen(path) + 1;
	char *copy;

	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct cli_path_chunk){.next = table->chunks, .size = room};
		table->chunks = chunk;
	}
	copy = chunk->text + chunk->used;
	memcpy(copy, path, size);
	chunk->used += size;
	return copy;
}

static struct cli_path_key *key_at(const struct cli_path_table *table, size_t i)
{
	return cli_path_table_at(table, i);
}

void cli_path_table_release(struct cli_path_table *table)
{
	while (table->chunks) {
		struct cli_path_chunk *next = table->chunks->next;

		free(table->chunks);
		table->chunks = next;
	}
	free(table->entries);
	free(table->buckets);
	*table = (struct cli_path_table){.size = table->size};
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static void put(struct cli_path_bucket *buckets, size_t count, struct cli_path_bucket bucket)
{
	size_t at = bucket.tag & (count - 1);

	while (buckets[at].number)
		at = (at + 1) & (count - 1);
	buckets[at] = bucket;
}

#define HUGE_PAGE ((uintptr_t)2 << 20)

/*
 * A large table is looked into at random: in small pages each look is a miss of the TLB as well,
 * and on a virtual machine a dear one. A hint only: small pages do where the kernel has no others.
 */
static void hint_huge(const void *at, size_t size)
{
	uintptr_t first = ((uintptr_t)at + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t end = ((uintptr_t)at + size) & ~(HUGE_PAGE - 1);

	if (first < end)
		madvise((void *)first, end - first, MADV_HUGEPAGE);
}

static bool rehash(struct cli_path_table *table, size_t count)
{
	struct cli_path_bucket *buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return false;
	hint_huge(buckets, count * sizeof(*buckets));
	for (size_t i = 0; i < table->bucket_count; i++)
		if (table->buckets[i].number)
			put(buckets, count, table->buckets[i]);
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_count = count;
	return true;
}

static bool set_capacity(struct cli_path_table *table, size_t capacity)
{
	char *entries = reallocarray(table->entries, capacity, table->size);

	if (!entries)
		return false;
	hint_huge(entries, capacity * table->size);
	table->entries = entries;
	table->capacity = capacity;
	return true;
}

static bool make_room(struct cli_path_table *table)
{
	size_t buckets = table->bucket_count ? 2 * table->bucket_count : 256;

	if (2 * table->count >= table->bucket_count && !rehash(table, buckets))
		return false;
	if (table->count < table->capacity)
		return true;
	return table->count < UINT32_MAX &&
	       set_capacity(table, table->capacity ? 2 * table->capacity : 64);
}

void cli_path_table_reserve(struct cli_path_table *table, size_t count)
{
	size_t buckets = 256;

	while (buckets < 2 * count)
		buckets *= 2;
	if (buckets > table->bucket_count)
		rehash(table, buckets);
	if (count > table->capacity)
		set_capacity(table, count);
}

static void *find(const struct cli_path_table *table, const char *path, uint64_t hash)
{
	size_t mask = table->bucket_count - 1;

	for (size_t at = tag_of(hash) & mask; table->bucket_count && table->buckets[at].number;
		at = (at + 1) & mask) {
		struct cli_path_key *key;

		if (table->buckets[at].tag != tag_of(hash))
			continue;
		key = key_at(table, table->buckets[at].number - 1);
		if (strcmp(key->path, path) == 0)
			return key;
	}
	return NULL;
}

/* One that is not there yet. */
static void *add(struct cli_path_table *table, char *path, uint64_t hash)
{
	struct cli_path_key *key;

	if (!path || !make_room(table))
		return NULL;
	key = key_at(table, table->count);
	memset(key, 0, table->size);
	*key = (struct cli_path_key){path};
	put(table->buckets, table->bucket_count,
		(struct cli_path_bucket){(uint32_t)++table->count, tag_of(hash)});
	return key;
}

void *cli_path_table_find(const struct cli_path_table *table, const char *path)
{
	return find(table, path, hash_of(path));
}

void *cli_path_table_get(struct cli_path_table *table, const char *path)
{
	uint64_t hash = hash_of(path);
	void *key = find(table, path, hash);

	return key ? key : add(table, keep(table, path), hash);
}

void *cli_path_table_get_key(struct cli_path_table *table, const struct cli_path_key *key)
{
	uint64_t hash = hash_of(key->path);
	void *known = find(table, key->path, hash);

	return known ? known : add(table, key->path, hash);
}

void cli_path_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		slash[slash == path] = '\0';
}

uint64_t cli_path_table_above(
	const struct cli_path_table *table, const char *path, uint64_t (*rights)(const void *entry))
{
	cli_autofree char *dir = strdup(path);
	uint64_t found = 0;

	while (dir && dir[1]) {
		const void *entry;

		cli_path_up(dir);
		entry = cli_path_table_find(table, dir);
		found |= entry ? rights(entry) : 0;
	}
	return found;
}
