/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include "supervise/record_paths.h"

static uint32_t hash_of(uint32_t parent, const char *name, size_t length)
{
	uint64_t hash = (UINT64_C(0xcbf29ce484222325) ^ parent) * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

/* Its slot, or the free one where it belongs. */
static size_t find_slot(const struct rv_paths *paths, uint32_t parent, const char *name,
	size_t length, uint32_t hash)
{
	size_t mask = paths->slot_count - 1, i = hash & mask;

	for (; paths->slots[i]; i = (i + 1) & mask) {
		const struct rv_path_name *other = &paths->names[paths->slots[i] - 1];

		if (other->parent == parent && other->length == length &&
			memcmp(paths->text + other->at, name, length) == 0)
			break;
	}
	return i;
}

static bool grow_slots(struct rv_paths *paths)
{
	size_t count = 256;
	uint32_t *slots;

	while (4 * (paths->count + 1) > 3 * count)
		count *= 2;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < paths->count; i++) {
		const struct rv_path_name *name = &paths->names[i];
		size_t at =
			hash_of(name->parent, paths->text + name->at, name->length) & (count - 1);

		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(paths->slots);
	paths->slots = slots;
	paths->slot_count = count;
	return true;
}

/* By half each time: twice the memory is in use while it is copied. */
static bool grow(void **at, size_t *capacity, size_t needed, size_t size)
{
	size_t larger = *capacity + *capacity / 2;
	void *grown;

	if (needed <= *capacity)
		return true;
	if (larger < needed + 64)
		larger = needed + 64;
	grown = reallocarray(*at, larger, size);
	if (!grown)
		return false;
	*at = grown;
	*capacity = larger;
	return true;
}

static bool make_room(struct rv_paths *paths, size_t length)
{
	size_t size = paths->text_size + length;

	if (size >= UINT32_MAX || paths->count + 1 >= RV_NO_PATH)
		return false;
	if (4 * (paths->count + 1) > 3 * paths->slot_count && !grow_slots(paths))
		return false;
	return grow((void **)&paths->names, &paths->capacity, paths->count + 1,
		       sizeof(*paths->names)) &&
	       grow((void **)&paths->text, &paths->text_capacity, size, 1);
}

static uint32_t intern_name(
	struct rv_paths *paths, uint32_t parent, const char *name, size_t length)
{
	uint32_t hash = hash_of(parent, name, length);
	size_t slot;

	if (!make_room(paths, length))
		return RV_NO_PATH;
	slot = find_slot(paths, parent, name, length, hash);
	if (paths->slots[slot])
		return paths->slots[slot] - 1;
	memcpy(paths->text + paths->text_size, name, length);
	paths->names[paths->count] = (struct rv_path_name){
		.parent = parent, .at = (uint32_t)paths->text_size, .length = (uint32_t)length};
	paths->text_size += length;
	paths->slots[slot] = (uint32_t)++paths->count;
	return (uint32_t)paths->count - 1;
}

uint32_t rv_paths_intern(struct rv_paths *paths, const char *text)
{
	uint32_t number;

	if (text[0] != '/')
		return intern_name(paths, RV_NO_PATH, text, strlen(text));
	number = intern_name(paths, RV_NO_PATH, "/", 1);
	while (number != RV_NO_PATH && *(text += strspn(text, "/"))) {
		size_t length = strcspn(text, "/");

		number = intern_name(paths, number, text, length);
		text += length;
	}
	return number;
}

const char *rv_paths_text(
	const struct rv_paths *paths, uint32_t number, char **buf, size_t *buf_size)
{
	size_t length = 1;
	char *end;

	for (uint32_t i = number; i != RV_NO_PATH; i = paths->names[i].parent)
		length += paths->names[i].length + 1;
	if (!grow((void **)buf, buf_size, length, 1))
		return NULL;
	end = *buf + length - 1;
	*end = '\0';
	for (uint32_t i = number; i != RV_NO_PATH; i = paths->names[i].parent) {
		const struct rv_path_name *name = &paths->names[i];
		bool below_root = name->parent != RV_NO_PATH;

		/* The root directory's own name is the slash before what is below it. */
		if (!below_root && *end)
			break;
		end -= name->length;
		memcpy(end, paths->text + name->at, name->length);
		if (below_root)
			*--end = '/';
	}
	return end;
}

void rv_paths_settle(struct rv_paths *paths)
{
	free(paths->slots);
	paths->slots = NULL;
	paths->slot_count = 0;
}

void rv_paths_release(struct rv_paths *paths)
{
	free(paths->names);
	free(paths->text);
	free(paths->slots);
	*paths = (struct rv_paths){0};
}
