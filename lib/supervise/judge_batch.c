/* SPDX-License-Identifier: MIT */
/* Grants, in batches; and lists of them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "supervise/judge_private.h"

uint64_t rv_boot_ms(void)
{
	return rv_now_ms(CLOCK_BOOTTIME);
}

/* ------------------------------------------------------------------- what they say */

static const char *text_at(const struct rv_live_rule *grant, uint32_t offset)
{
	return (const char *)rv_batch_of(grant) + offset;
}

const char *rv_live_rule_path(const struct rv_live_rule *grant, char buf[static PATH_MAX])
{
	size_t dir = grant->dir_length;

	memcpy(buf, text_at(grant, grant->dir), dir);
	buf[dir] = '/';
	memcpy(buf + dir + 1, grant->name, grant->name_length + 1u);
	return buf;
}

const char *rv_live_rule_origin(const struct rv_live_rule *grant, char buf[static RV_ORIGIN_SIZE])
{
	const char *text = text_at(grant, grant->origin);

	if (!grant->origin)
		return NULL;
	if (grant->line)
		snprintf(buf, RV_ORIGIN_SIZE, "%s:%u", text, grant->line);
	else
		snprintf(buf, RV_ORIGIN_SIZE, "%s", text);
	return buf;
}

const char *rv_live_rule_by(const struct rv_live_rule *grant)
{
	uint32_t by = rv_batch_of(grant)->by;

	return by ? text_at(grant, by) : NULL;
}

bool rv_live_rule_is_on(const struct rv_live_rule *grant, const char *path, size_t length)
{
	size_t dir = grant->dir_length;

	return rv_live_rule_has_path(grant) && length == dir + 1 + grant->name_length &&
	       path[dir] == '/' && memcmp(path + dir + 1, grant->name, grant->name_length) == 0 &&
	       memcmp(path, text_at(grant, grant->dir), dir) == 0;
}

bool rv_live_rule_same_object(const struct rv_live_rule *a, const struct rv_live_rule *b)
{
	return rv_live_rule_compare(a, b) == 0;
}

static int compare_paths(const struct rv_live_rule *a, const struct rv_live_rule *b)
{
	int r = (int)a->dir_length - (int)b->dir_length;

	return r ? r : memcmp(text_at(a, a->dir), text_at(b, b->dir), a->dir_length);
}

static int compare_numbers(const struct rv_live_rule *a, const struct rv_live_rule *b)
{
	return memcmp(rv_live_rule_object(a)->numbers, rv_live_rule_object(b)->numbers,
		sizeof(rv_live_rule_object(a)->numbers));
}

int rv_live_rule_compare(const struct rv_live_rule *a, const struct rv_live_rule *b)
{
	int r = a->type - b->type;

	if (r == 0)
		r = rv_live_rule_has_path(a) ? compare_paths(a, b) : compare_numbers(a, b);
	return r ? r : strcmp(a->name, b->name);
}

const struct rv_live_object *rv_live_rule_object(const struct rv_live_rule *grant)
{
	return (const void *)text_at(grant, grant->dir);
}

static enum reeve_rule_type type_of(const struct reeve_rule *rule)
{
	return rule->path ? REEVE_RULE_PATH_BENEATH : rule->type;
}

static void take_numbers(const struct reeve_rule *rule, int32_t numbers[3])
{
	const bool is_socket = rule->type == REEVE_RULE_SOCKET;

	numbers[0] = is_socket ? rule->socket_family : rule->port_first;
	numbers[1] = is_socket ? rule->socket_type : rule->port_last;
	numbers[2] = is_socket ? rule->socket_protocol : 0;
}

/* Of an address, how it is written. */
static const char *name_of(const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_NET_ADDRESS ? rule->address : "";
}

/* Several ports bring the same sockets along: each takes its own away again. */
static bool came_with(const struct rv_live_rule *grant, const char *origin)
{
	char buf[RV_ORIGIN_SIZE];
	const char *own = rv_live_rule_origin(grant, buf);

	return !origin || (own && strcmp(own, origin) == 0);
}

bool rv_live_rule_is_of(const struct rv_live_rule *grant, const struct reeve_rule *rule)
{
	int32_t numbers[3];

	if (grant->type != type_of(rule))
		return false;
	if (rule->path)
		return rv_live_rule_is_on(grant, rule->path, strlen(rule->path));
	take_numbers(rule, numbers);
	return memcmp(numbers, rv_live_rule_object(grant)->numbers, sizeof(numbers)) == 0 &&
	       strcmp(grant->name, name_of(rule)) == 0 &&
	       (rule->type != REEVE_RULE_SOCKET || came_with(grant, rule->origin));
}

static void describe_object(const struct rv_live_rule *grant, struct reeve_rule *ret)
{
	const int32_t *numbers = rv_live_rule_object(grant)->numbers;

	if (grant->type == REEVE_RULE_SOCKET) {
		ret->socket_family = numbers[0];
		ret->socket_type = numbers[1];
		ret->socket_protocol = numbers[2];
		return;
	}
	ret->port_first = (uint16_t)numbers[0];
	ret->port_last = (uint16_t)numbers[1];
	if (grant->type == REEVE_RULE_NET_ADDRESS)
		ret->address = grant->name;
}

void rv_live_rule_describe(
	const struct rv_live_rule *grant, char buf[static PATH_MAX], struct reeve_rule *ret)
{
	*ret = (struct reeve_rule){.type = grant->type,
		.flags = REEVE_RULE_LIVE | (grant->is_deny ? REEVE_RULE_DENY : 0)};
	if (rv_live_rule_has_path(grant))
		ret->path = rv_live_rule_path(grant, buf);
	else
		describe_object(grant, ret);
}

uint64_t rv_live_rule_hash(const struct rv_live_rule *grant)
{
	uint64_t hash =
		rv_path_hash(RV_PATH_HASH_START, text_at(grant, grant->dir), grant->dir_length);

	hash = rv_path_hash(hash, "/", 1);
	return rv_path_hash(hash, grant->name, grant->name_length);
}

bool rv_live_rule_void(const struct rv_live_rule *grant, uint64_t now)
{
	const struct rv_batch *batch = rv_batch_of(grant);
	char path[PATH_MAX];
	struct stat st;

	if (rv_live_rule_over(grant, now))
		return true;
	return batch->pinned && (lstat(rv_live_rule_path(grant, path), &st) < 0 ||
					st.st_dev != batch->dev || st.st_ino != batch->ino);
}

/* ------------------------------------------------------------------------- batches */

/* Goes over the rules twice: without a batch only to learn its size. */
struct writer {
	struct rv_batch *batch;
	size_t at;
	/* What was written last, which the next rule may share. */
	const char *dir_text, *origin_text;
	size_t dir_length, origin_length, dir, origin;
};

static size_t put(struct writer *w, const char *text, size_t length)
{
	size_t at = w->at;

	if (w->batch) {
		memcpy((char *)w->batch + at, text, length);
		((char *)w->batch)[at + length] = '\0';
	}
	w->at += length + 1;
	return at;
}

static size_t put_dir(struct writer *w, const char *path, size_t length)
{
	if (!w->dir || length != w->dir_length || memcmp(path, w->dir_text, length) != 0)
		w->dir = put(w, path, length);
	w->dir_text = path;
	w->dir_length = length;
	return w->dir;
}

/* How much of "FILE:LINE" is FILE, and the line; 0: it is no such thing. */
static size_t split_origin(const char *origin, uint32_t *ret_line)
{
	const char *colon = strrchr(origin, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

	*ret_line = 0;
	if (!digits || digits > 9 || colon[1] == '0' || colon[1 + digits] != '\0')
		return strlen(origin);
	for (const char *p = colon + 1; *p; p++)
		*ret_line = *ret_line * 10 + (uint32_t)(*p - '0');
	return (size_t)(colon - origin);
}

static size_t put_origin(struct writer *w, const char *origin, uint32_t *ret_line)
{
	size_t length;

	*ret_line = 0;
	if (!origin)
		return 0;
	length = split_origin(origin, ret_line);
	if (!w->origin || length != w->origin_length || memcmp(origin, w->origin_text, length) != 0)
		w->origin = put(w, origin, length);
	w->origin_text = origin;
	w->origin_length = length;
	return w->origin;
}

static size_t align(struct writer *w, size_t alignment)
{
	w->at = (w->at + alignment - 1) / alignment * alignment;
	return w->at;
}

/* What the rule is on: its address has been checked. */
static size_t put_object(struct writer *w, const struct reeve_rule *rule)
{
	size_t at = align(w, _Alignof(struct rv_live_object));
	struct rv_live_object *object;

	w->at += sizeof(*object);
	if (!w->batch)
		return at;
	object = (struct rv_live_object *)((char *)w->batch + at);
	take_numbers(rule, object->numbers);
	if (rule->type == REEVE_RULE_NET_ADDRESS)
		rv_address_parse(rule->address, &object->address, NULL);
	return at;
}

static struct rv_live_rule *put_named(struct writer *w, const char *name, size_t length)
{
	size_t at = align(w, _Alignof(struct rv_live_rule));
	/* The name begins where the members end, which may be before the struct does. */
	size_t size = offsetof(struct rv_live_rule, name) + length + 1;
	struct rv_live_rule *grant;

	w->at = at + (size < sizeof(*grant) ? sizeof(*grant) : size);
	if (!w->batch)
		return NULL;
	grant = (struct rv_live_rule *)((char *)w->batch + at);
	grant->offset = (uint32_t)at;
	grant->name_length = (uint16_t)length;
	memcpy(grant->name, name, length + 1);
	return grant;
}

static struct rv_live_rule *put_rule(struct writer *w, const struct reeve_rule *rule, size_t number)
{
	const char *name = rule->path ? strrchr(rule->path, '/') + 1 : name_of(rule);
	size_t dir_length = rule->path ? (size_t)(name - 1 - rule->path) : 0;
	size_t dir = rule->path ? put_dir(w, rule->path, dir_length) : put_object(w, rule);
	uint32_t line;
	size_t origin = put_origin(w, rule->origin, &line);
	struct rv_live_rule *grant = put_named(w, name, strlen(name));

	if (!grant)
		return NULL;
	grant->dir = (uint32_t)dir;
	grant->dir_length = (uint16_t)dir_length;
	grant->origin = (uint32_t)origin;
	grant->line = line;
	grant->number = (uint32_t)number;
	grant->type = (uint8_t)type_of(rule);
	grant->is_deny = rule->flags & REEVE_RULE_DENY;
	return grant;
}

static struct writer writer_begin(struct rv_batch *batch, const struct reeve_live_options *options)
{
	struct writer w = {.batch = batch, .at = sizeof(*batch)};
	size_t by = options && options->by ? put(&w, options->by, strlen(options->by)) : 0;

	if (batch)
		batch->by = (uint32_t)by;
	return w;
}

static struct rv_batch *new_batch(const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, const struct rv_pin *object)
{
	struct writer w = writer_begin(NULL, options);
	struct rv_batch *batch;

	for (size_t i = 0; i < count; i++)
		put_rule(&w, &rules[i], i);
	batch = w.at > UINT32_MAX ? NULL : calloc(1, w.at);
	if (!batch)
		return NULL;
	atomic_init(&batch->refs, (unsigned int)count);
	if (options) {
		batch->once = options->once;
		batch->milliseconds = options->milliseconds;
	}
	if (object) {
		batch->pinned = true;
		batch->dev = object->dev;
		batch->ino = object->ino;
	}
	return batch;
}

int rv_batch_append(struct rv_entries *entries, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, const struct rv_pin *object, uint64_t *last_id)
{
	struct rv_batch *batch;
	struct writer w;
	int r = rv_entries_reserve(entries, count);

	if (r || count == 0)
		return r;
	batch = new_batch(rules, count, options, object);
	if (!batch)
		return -ENOMEM;
	batch->first_id = *last_id + 1;
	*last_id += count;
	w = writer_begin(batch, options);
	for (size_t i = 0; i < count; i++) {
		struct rv_live_rule *grant = put_rule(&w, &rules[i], i);

		entries->at[entries->count++] = (struct rv_entry){.grant = grant,
			.allowed = (uint32_t)rules[i].allowed,
			.quiet = (uint32_t)rules[i].quiet,
			.once = batch->once,
			.is_deny = grant->is_deny};
	}
	return 0;
}

/* ----------------------------------------------------------------------- entries */

int rv_entries_reserve(struct rv_entries *entries, size_t more)
{
	size_t capacity = entries->capacity ? entries->capacity : 4;
	void *at;

	if (more <= entries->capacity - entries->count)
		return 0;
	if (more >= RV_NO_RULE / 2 - entries->count)
		return -ENOMEM;
	while (capacity - entries->count < more)
		capacity *= 2;
	at = reallocarray(entries->at, capacity, sizeof(*entries->at));
	if (!at)
		return -ENOMEM;
	entries->at = at;
	entries->capacity = capacity;
	return 0;
}

int rv_entries_add(struct rv_entries *entries, const struct rv_entry *entry)
{
	int r = rv_entries_reserve(entries, 1);

	if (r)
		return r;
	atomic_fetch_add_explicit(&rv_batch_of(entry->grant)->refs, 1, memory_order_relaxed);
	entries->at[entries->count++] = *entry;
	return 0;
}

void rv_entry_drop(const struct rv_entry *entry)
{
	struct rv_batch *batch = rv_batch_of(entry->grant);

	if (atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) == 1)
		free(batch);
}

void rv_entries_release(struct rv_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		rv_entry_drop(&entries->at[i]);
	free(entries->at);
	*entries = (struct rv_entries){0};
}
