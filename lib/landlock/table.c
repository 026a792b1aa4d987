/* SPDX-License-Identifier: MIT */
/*
 * Staged changes applied to live rules, as the kernel would: rules on one object are one rule. The
 * object is the inode (or the port); the path is only how it is found. So rules on an inode that
 * was given by two paths (bind mounts) are kept apart, and an intersection reaches both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "landlock/image.h"

struct table {
	struct entry {
		const struct rv_record *record;
		uint64_t allowed;
	} * entries;
	size_t count;
	uint32_t *slots; /* index + 1 into entries; 0: free */
	size_t mask;
};

/* All but the path. */
static bool same_object(const struct rv_record *a, const struct rv_record *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case REEVE_RULE_PATH_BENEATH:
		return a->dev == b->dev && a->ino == b->ino;
	case REEVE_RULE_NET_PORT:
		return a->port_first == b->port_first && a->port_last == b->port_last;
	default:
		return a->family == b->family && a->socket_type == b->socket_type &&
		       a->protocol == b->protocol;
	}
}

static size_t hash(const struct rv_record *record)
{
	uint64_t key = record->type;

	if (record->type == REEVE_RULE_PATH_BENEATH)
		key += record->ino * 31 + record->dev;
	else if (record->type == REEVE_RULE_NET_PORT)
		key += record->port_first;
	else
		key += (uint64_t)(uint32_t)record->family;
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 20);
}

static size_t count_records(const struct rv_records *records)
{
	const struct rv_record *record = NULL;
	size_t count = 0;

	while ((record = rv_record_next(records, record)))
		count++;
	return count;
}

static int table_init(struct table *table, size_t count)
{
	size_t size = 16;

	while (size < count * 2)
		size *= 2;
	table->entries = calloc(count + 1, sizeof(*table->entries));
	table->slots = calloc(size, sizeof(*table->slots));
	table->mask = size - 1;
	return table->entries && table->slots ? 0 : -ENOMEM;
}

static void table_release(struct table *table)
{
	free(table->entries);
	free(table->slots);
}

static void add(struct table *table, const struct rv_record *record)
{
	size_t slot = hash(record) & table->mask;

	for (; table->slots[slot]; slot = (slot + 1) & table->mask) {
		struct entry *entry = &table->entries[table->slots[slot] - 1];

		if (same_object(entry->record, record) &&
			strcmp(entry->record->path, record->path) == 0) {
			entry->allowed |= record->allowed;
			return;
		}
	}
	table->entries[table->count++] = (struct entry){record, record->allowed};
	table->slots[slot] = (uint32_t)table->count;
}

static void intersect(struct table *table, const struct rv_record *record)
{
	size_t slot = hash(record) & table->mask;

	for (; table->slots[slot]; slot = (slot + 1) & table->mask) {
		struct entry *entry = &table->entries[table->slots[slot] - 1];

		if (same_object(entry->record, record))
			entry->allowed &= record->allowed;
	}
}

static void clear(struct table *table)
{
	table->count = 0;
	memset(table->slots, 0, (table->mask + 1) * sizeof(*table->slots));
}

static void apply(struct table *table, const struct rv_records *changes)
{
	const struct rv_record *record = NULL;

	while ((record = rv_record_next(changes, record))) {
		if (record->op == RV_RECORD_CLEAR)
			clear(table);
		else if (record->op == RV_RECORD_INTERSECT)
			intersect(table, record);
		else
			add(table, record);
	}
}

/* Rules of which nothing is left are gone. */
static int write_out(const struct table *table, size_t room, struct rv_records *ret)
{
	char *out = calloc(1, room + 1), *at = out;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < table->count; i++) {
		const struct entry *entry = &table->entries[i];
		struct rv_record *copy = (struct rv_record *)at;

		if (!entry->allowed)
			continue;
		memcpy(copy, entry->record, entry->record->size);
		copy->op = RV_RECORD_ADD;
		copy->allowed = entry->allowed;
		at += (entry->record->size + 7) & ~UINT32_C(7);
	}
	*ret = (struct rv_records){out, (size_t)(at - out)};
	return 0;
}

int rv_records_apply(
	const struct rv_records *live, const struct rv_records *staged, struct rv_records *ret)
{
	struct table table = {0};
	int r = table_init(&table, count_records(live) + count_records(staged));

	if (r == 0) {
		apply(&table, live);
		apply(&table, staged);
		r = write_out(&table, live->size + staged->size, ret);
	}
	table_release(&table);
	return r;
}
