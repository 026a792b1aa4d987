/* SPDX-License-Identifier: MIT */
/* The store of a record: equal accesses are one entry, strings are numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "supervise/record_private.h"

int reeve_record_new(struct reeve_record **ret)
{
	struct reeve_record *record = calloc(1, sizeof(*record));

	if (!record)
		return -ENOMEM;
	pthread_mutex_init(&record->lock, NULL);
	*ret = record;
	return 0;
}

void reeve_record_free(struct reeve_record *record)
{
	if (!record)
		return;
	rv_paths_release(&record->paths);
	free(record->accesses);
	free(record->slots);
	free(record->actors);
	free(record->by_pid);
	pthread_mutex_destroy(&record->lock);
	free(record);
}

/* ------------------------------------------------------------------------ adding */

/* Names of calls are static: there are as many as there are handlers. */
static int call_number(struct reeve_record *record, const char *call)
{
	size_t i;

	for (i = 0; i < record->call_count; i++)
		if (record->calls[i] == call || strcmp(record->calls[i], call) == 0)
			return (int)i;
	if (i == RV_RECORD_CALLS)
		return -ENOMEM;
	record->calls[i] = call;
	return (int)record->call_count++;
}

static bool is_equal(const struct rv_entry_access *a, const struct rv_entry_access *b)
{
	return a->object == b->object && a->actor == b->actor && a->object2 == b->object2 &&
	       a->rights == b->rights && a->implied == b->implied && a->call == b->call &&
	       a->flags == b->flags && a->outcome == b->outcome && a->error == b->error &&
	       a->cls == b->cls && a->port == b->port && a->family == b->family &&
	       a->type == b->type;
}

static uint32_t hash_of(const struct rv_entry_access *a)
{
	uint64_t hash = (uint64_t)a->actor << 32 | a->object;

	hash = (hash ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	hash ^= (uint64_t)a->rights << 20 ^ (uint64_t)a->call << 8 ^ a->outcome ^ a->object2;
	hash = (hash ^ hash >> 32) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(hash ^ hash >> 31);
}

static size_t find_slot(const struct reeve_record *record, const struct rv_entry_access *access)
{
	size_t mask = record->slot_count - 1, i = hash_of(access) & mask;

	while (record->slots[i] && !is_equal(&record->accesses[record->slots[i] - 1], access))
		i = (i + 1) & mask;
	return i;
}

static bool grow_slots(struct reeve_record *record)
{
	size_t count = 1024;
	uint32_t *slots;

	while (4 * (record->count + 1) > 3 * count)
		count *= 2;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < record->count; i++) {
		size_t at = hash_of(&record->accesses[i]) & (count - 1);

		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(record->slots);
	record->slots = slots;
	record->slot_count = count;
	return true;
}

/* Grows by half: while it is copied, both are there. */
static bool make_room(struct reeve_record *record)
{
	size_t capacity = record->capacity + record->capacity / 2 + 256;
	void *accesses;

	if (4 * (record->count + 1) > 3 * record->slot_count && !grow_slots(record))
		return false;
	if (record->count < record->capacity)
		return true;
	if (record->count >= UINT32_MAX - 1)
		return false;
	accesses = reallocarray(record->accesses, capacity, sizeof(*record->accesses));
	if (!accesses)
		return false;
	record->accesses = accesses;
	record->capacity = capacity;
	return true;
}

static bool add(struct reeve_record *record, const struct rv_entry_access *access)
{
	size_t slot;

	if (!make_room(record))
		return false;
	slot = find_slot(record, access);
	if (!record->slots[slot]) {
		record->accesses[record->count] = *access;
		record->slots[slot] = (uint32_t)++record->count;
	}
	record->accesses[record->slots[slot] - 1].count++;
	return true;
}

/* With the lock. */
static bool put(struct reeve_record *record, uint32_t actor, const struct rv_note *note)
{
	struct rv_entry_access access = {.actor = actor,
		.object = rv_paths_intern(&record->paths, note->object),
		.rights = (uint32_t)note->rights,
		.implied = (uint32_t)note->implied,
		.flags = (uint16_t)note->flags,
		.port = note->port,
		.error = (uint16_t)note->error,
		.family = (uint16_t)note->family,
		.type = (uint16_t)note->type,
		.cls = (uint8_t)note->cls,
		.outcome = (uint8_t)note->outcome};
	int call = call_number(record, note->call);

	if (note->cls != REEVE_FS)
		access.protocol = note->protocol;
	else
		access.object2 =
			note->object2 ? rv_paths_intern(&record->paths, note->object2) : RV_NO_PATH;
	if (call < 0 || access.object == RV_NO_PATH ||
		(note->object2 && access.object2 == RV_NO_PATH))
		return false;
	access.call = (uint8_t)call;
	return add(record, &access);
}

void rv_record_put(struct reeve_record *record, uint32_t actor, const struct rv_note *note)
{
	pthread_mutex_lock(&record->lock);
	record->calls_seen++;
	if (!actor || !put(record, actor, note))
		record->lost++;
	pthread_mutex_unlock(&record->lock);
}

void rv_record_hidden(struct reeve_record *record)
{
	pthread_mutex_lock(&record->lock);
	record->hidden++;
	pthread_mutex_unlock(&record->lock);
}

/* ------------------------------------------------------------------- handing out */

/* Texts of one callback. */
struct texts {
	char *object, *object2, *exe;
	size_t object_size, object2_size, exe_size;
};

static void texts_release(struct texts *texts)
{
	free(texts->object);
	free(texts->object2);
	free(texts->exe);
}

static int fill_actor(const struct reeve_record *record, uint32_t id, struct texts *texts,
	struct reeve_actor *ret)
{
	const struct rv_actor *actor = &record->actors[id - 1];

	*ret = (struct reeve_actor){.size = sizeof(*ret),
		.id = id,
		.process = actor->process,
		.parent = actor->parent,
		.pid = actor->pid,
		.start = actor->start,
		.comm = actor->comm};
	if (actor->exe == RV_NO_PATH)
		return 0;
	ret->exe = rv_paths_text(&record->paths, actor->exe, &texts->exe, &texts->exe_size);
	return ret->exe ? 0 : -ENOMEM;
}

static int fill_access(
	const struct reeve_record *record, size_t i, struct texts *texts, struct reeve_access *ret)
{
	const struct rv_entry_access *from = &record->accesses[i];
	bool has_two = from->cls == REEVE_FS && from->object2 != RV_NO_PATH;

	*ret = (struct reeve_access){.size = sizeof(*ret),
		.sequence = i + 1,
		.count = from->count,
		.call = record->calls[from->call],
		.cls = from->cls,
		.rights = from->rights,
		.implied = from->implied,
		.flags = from->flags,
		.outcome = from->outcome,
		.error = from->error,
		.port = from->port,
		.socket_family = from->family,
		.socket_type = from->type,
		.socket_protocol = from->cls == REEVE_FS ? 0 : from->protocol};
	ret->object =
		rv_paths_text(&record->paths, from->object, &texts->object, &texts->object_size);
	if (has_two)
		ret->object2 = rv_paths_text(
			&record->paths, from->object2, &texts->object2, &texts->object2_size);
	return ret->object && (ret->object2 || !has_two) ? 0 : -ENOMEM;
}

/* What is read as a whole is over, mostly; should more be noted, they are made again. */
static void drop_slots(struct reeve_record *record)
{
	free(record->slots);
	record->slots = NULL;
	record->slot_count = 0;
	rv_paths_settle(&record->paths);
}

int reeve_record_each(struct reeve_record *record,
	int (*fn)(void *data, const struct reeve_access *access), void *data)
{
	RV_CLEANUP(texts_release) struct texts texts = {0};
	struct reeve_actor actor = {0};
	struct reeve_access access;
	int r = 0;

	pthread_mutex_lock(&record->lock);
	drop_slots(record);
	for (size_t i = 0; r == 0 && i < record->count; i++) {
		if (actor.id != record->accesses[i].actor)
			r = fill_actor(record, record->accesses[i].actor, &texts, &actor);
		if (r == 0)
			r = fill_access(record, i, &texts, &access);
		access.actor = &actor;
		if (r == 0)
			r = fn(data, &access);
	}
	pthread_mutex_unlock(&record->lock);
	return r;
}

int reeve_record_actors(struct reeve_record *record,
	int (*fn)(void *data, const struct reeve_actor *actor), void *data)
{
	RV_CLEANUP(texts_release) struct texts texts = {0};
	struct reeve_actor actor;
	int r = 0;

	pthread_mutex_lock(&record->lock);
	for (uint32_t id = 1; r == 0 && id <= record->actor_count; id++) {
		r = fill_actor(record, id, &texts, &actor);
		if (r == 0)
			r = fn(data, &actor);
	}
	pthread_mutex_unlock(&record->lock);
	return r;
}

void reeve_record_count(struct reeve_record *record, struct reeve_record_counters *ret)
{
	pthread_mutex_lock(&record->lock);
	*ret = (struct reeve_record_counters){.size = sizeof(*ret),
		.calls = record->calls_seen,
		.accesses = record->count,
		.actors = record->actor_count,
		.lost = record->lost,
		.hidden = record->hidden};
	pthread_mutex_unlock(&record->lock);
}
