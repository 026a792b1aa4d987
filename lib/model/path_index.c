/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include "model/path_index.h"
#include "base/cleanup.h"

/*
 * FNV-1a: h' = (h ^ byte) * PRIME. PRIME is odd, hence has an inverse modulo 2^64, hence each step
 * can be undone: h = (h' * INVERSE) ^ byte.
 */
#define HASH_PRIME   UINT64_C(0x100000001b3)
#define HASH_INVERSE UINT64_C(0xce965057aff6957b)

static uint64_t hash_add(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * HASH_PRIME;
}

static uint64_t hash_undo(uint64_t hash, unsigned char byte)
{
	return (hash * HASH_INVERSE) ^ byte;
}

uint64_t rv_path_hash(uint64_t hash, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = hash_add(hash, (unsigned char)text[i]);
	return hash;
}

static uint64_t hash_of(const char *path, size_t length)
{
	return rv_path_hash(RV_PATH_HASH_START, path, length);
}

/* The slot of a path, or the free one where it belongs. FNV's high bits are its better ones. */
static size_t find_slot(
	const struct rv_path_index *index, const char *path, size_t length, uint64_t hash)
{
	size_t mask = index->slot_count - 1, i = (hash ^ hash >> 32) & mask;

	for (; index->slots[i]; i = (i + 1) & mask) {
		const struct rv_path_node *node = &index->nodes[index->slots[i] - 1];

		if (node->hash == hash && node->length == length &&
			memcmp(node->path, path, length) == 0)
			break;
	}
	return i;
}

/* At most half full, so that a probe ends soon. */
static bool grow_slots(struct rv_path_index *index, size_t nodes)
{
	size_t count = index->slot_count ? index->slot_count : 16;
	uint32_t *slots;

	if (nodes * 2 <= index->slot_count)
		return true;
	while (count < nodes * 2)
		count *= 2;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	free(index->slots);
	index->slots = slots;
	index->slot_count = count;
	for (size_t i = 0; i < index->count; i++) {
		const struct rv_path_node *node = &index->nodes[i];

		slots[find_slot(index, node->path, node->length, node->hash)] = (uint32_t)i + 1;
	}
	return true;
}

static bool grow_nodes(struct rv_path_index *index, size_t count)
{
	size_t capacity = index->capacity ? index->capacity : 8;
	void *nodes;

	if (count <= index->capacity)
		return true;
	while (capacity < count)
		capacity *= 2;
	nodes = reallocarray(index->nodes, capacity, sizeof(*index->nodes));

	if (!nodes)
		return false;
	index->nodes = nodes;
	index->capacity = capacity;
	return true;
}

bool rv_path_index_reserve(struct rv_path_index *index, size_t count)
{
	return grow_slots(index, index->count + count) && grow_nodes(index, index->count + count);
}

struct rv_path_node *rv_path_index_intern(
	struct rv_path_index *index, const char *path, size_t length)
{
	uint64_t hash = hash_of(path, length);
	size_t slot;

	if (!rv_path_index_reserve(index, 1))
		return NULL;
	slot = find_slot(index, path, length, hash);
	if (index->slots[slot])
		return &index->nodes[index->slots[slot] - 1];
	index->nodes[index->count] =
		(struct rv_path_node){path, length, hash, RV_NO_RULE, RV_NO_RULE};
	index->slots[slot] = (uint32_t)++index->count;
	return &index->nodes[index->count - 1];
}

void rv_path_index_release(struct rv_path_index *index)
{
	free(index->nodes);
	free(index->slots);
	*index = (struct rv_path_index){0};
}

struct rv_path_walk rv_path_walk_begin(const char *path, size_t length)
{
	return (struct rv_path_walk){path, length, hash_of(path, length)};
}

void rv_path_walk_up(struct rv_path_walk *walk)
{
	size_t parent = walk->length > 1 ? rv_path_parent(walk->path, walk->length) : 0;

	while (walk->length > parent)
		walk->hash = hash_undo(walk->hash, (unsigned char)walk->path[--walk->length]);
}

const struct rv_path_node *rv_path_walk_node(
	const struct rv_path_walk *walk, const struct rv_path_index *index)
{
	size_t slot;

	if (!index->slot_count || !walk->length)
		return NULL;
	slot = find_slot(index, walk->path, walk->length, walk->hash);
	return index->slots[slot] ? &index->nodes[index->slots[slot] - 1] : NULL;
}

size_t rv_path_parent(const char *path, size_t length)
{
	while (length > 1 && path[length - 1] != '/')
		length--;
	return length > 1 ? length - 1 : 1;
}

bool rv_path_is_canonical(const char *path)
{
	if (path[0] != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path) {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
			(n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	}
	return true;
}
