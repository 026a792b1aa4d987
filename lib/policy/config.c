/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>
#include "base/cleanup.h"
#include "policy/config.h"

/* Large enough that a profile takes one or two chunks. */
#define CHUNK_SIZE 16384

struct rv_arena_chunk {
	struct rv_arena_chunk *next;
	size_t used, size;
	char text[];
};

static struct rv_arena_chunk *chunk_for(struct rv_arena *arena, size_t need)
{
	size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;
	struct rv_arena_chunk *chunk = arena->first;

	if (chunk && chunk->size - chunk->used >= need)
		return chunk;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	*chunk = (struct rv_arena_chunk){.next = arena->first, .size = size};
	arena->first = chunk;
	return chunk;
}

const char *rv_arena_add(struct rv_arena *arena, const char *text, size_t length)
{
	struct rv_arena_chunk *chunk = chunk_for(arena, length + 1);
	char *copy;

	if (!chunk)
		return NULL;
	copy = chunk->text + chunk->used;
	memcpy(copy, text, length);
	copy[length] = '\0';
	chunk->used += length + 1;
	return copy;
}

const char *rv_arena_puts(struct rv_arena *arena, const char *text)
{
	return rv_arena_add(arena, text, strlen(text));
}

const char *rv_arena_add_origin(
	struct rv_arena *arena, const char *name, size_t length, unsigned int line)
{
	char digits[3 * sizeof(line)];
	size_t n = sizeof(digits), room = length + 1 + sizeof(digits);
	struct rv_arena_chunk *chunk = chunk_for(arena, room + 1);
	char *text;

	if (!chunk)
		return NULL;
	do
		digits[--n] = (char)('0' + line % 10);
	while (line /= 10);
	text = chunk->text + chunk->used;
	memcpy(text, name, length);
	text[length] = ':';
	memcpy(text + length + 1, digits + n, sizeof(digits) - n);
	length += 1 + sizeof(digits) - n;
	text[length] = '\0';
	chunk->used += length + 1;
	return text;
}

void rv_arena_release(struct rv_arena *arena)
{
	struct rv_arena_chunk *next;

	for (struct rv_arena_chunk *chunk = arena->first; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->first = NULL;
}

static void arena_take(struct rv_arena *arena, struct rv_arena *other)
{
	struct rv_arena_chunk **end = &arena->first;

	while (*end)
		end = &(*end)->next;
	*end = rv_steal_ptr(&other->first);
}

int rv_list_reserve(void *at, size_t *capacity, size_t count, size_t more, size_t size)
{
	size_t want = count + more, next = *capacity ? *capacity : 16;
	void *moved, *old;

	if (want <= *capacity)
		return 0;
	while (next < want)
		next *= 2;
	if (want < more || next > SIZE_MAX / size)
		return -ENOMEM;
	memcpy(&old, at, sizeof(old));
	moved = realloc(old, next * size);
	if (!moved)
		return -ENOMEM;
	memcpy(at, &moved, sizeof(moved));
	*capacity = next;
	return 0;
}

int rv_config_add_draft(struct rv_config *config, const struct rv_draft *draft)
{
	if (rv_reserve(&config->drafts, 1) < 0)
		return -ENOMEM;
	config->drafts.at[config->drafts.count++] = *draft;
	return 0;
}

int rv_config_add_binding(struct rv_config *config, const char *name, const char *value)
{
	if (rv_reserve(&config->bindings, 1) < 0)
		return -ENOMEM;
	config->bindings.at[config->bindings.count++] = (struct rv_binding){name, value};
	return 0;
}

int rv_config_add_refusal(struct rv_config *config, const struct rv_refusal *refusal)
{
	if (rv_reserve(&config->refusals, 1) < 0)
		return -ENOMEM;
	config->refusals.at[config->refusals.count++] = *refusal;
	return 0;
}

static bool is_degraded(const struct rv_config *config, const char *feature)
{
	for (size_t i = 0; i < config->degraded.count; i++)
		if (strcmp(config->degraded.at[i], feature) == 0)
			return true;
	return false;
}

int rv_config_add_degraded(struct rv_config *config, const char *feature)
{
	if (is_degraded(config, feature))
		return 0;
	if (rv_reserve(&config->degraded, 1) < 0)
		return -ENOMEM;
	config->degraded.at[config->degraded.count++] = feature;
	return 0;
}

int rv_config_add_file(struct rv_config *config, const char *path, const char *road)
{
	if (rv_reserve(&config->files, 1) < 0 || rv_reserve(&config->roads, 1) < 0)
		return -ENOMEM;
	config->files.at[config->files.count++] = path;
	config->roads.at[config->roads.count++] = road;
	return 0;
}

void rv_config_handle_used(struct rv_config *config)
{
	struct reeve_rights *handled = &config->handled;
	bool has_unix = false;

	for (size_t i = 0; i < config->drafts.count; i++) {
		const struct reeve_rule *rule = &config->drafts.at[i].rule;

		if (rule->type == REEVE_RULE_UNIX_SOCKET)
			has_unix = true;
		else
			handled->of[reeve_rule_class(rule->type)] |= rule->allowed;
	}
	if (has_unix && !(handled->of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX))
		handled->of[REEVE_SCOPE] |= REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
}

bool rv_draft_cut(struct rv_draft *draft, const struct reeve_rights *handled)
{
	struct reeve_rule *rule = &draft->rule;
	uint64_t mask = handled->of[reeve_rule_class(rule->type)];

	/* A denial of what is not handled: it must not become a denial of everything. */
	if ((rule->flags & REEVE_RULE_DENY) && rule->allowed && !(rule->allowed & mask))
		return false;
	if (rule->type == REEVE_RULE_UNIX_SOCKET)
		return (handled->of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET) ||
		       (mask & REEVE_FS_RESOLVE_UNIX);
	rule->allowed &= mask;
	rule->quiet &= mask;
	return rule->allowed || rule->quiet || ((rule->flags & REEVE_RULE_DENY) && mask);
}

static int reserve_for(struct rv_config *config, const struct rv_config *other)
{
	/* Into an empty list, the other one moves as a whole. */
	if ((config->drafts.count && rv_reserve(&config->drafts, other->drafts.count) < 0) ||
		rv_reserve(&config->bindings, other->bindings.count) < 0 ||
		rv_reserve(&config->refusals, other->refusals.count) < 0 ||
		rv_reserve(&config->degraded, other->degraded.count) < 0 ||
		rv_reserve(&config->files, other->files.count) < 0 ||
		rv_reserve(&config->roads, other->roads.count) < 0)
		return -ENOMEM;
	return 0;
}

/* Appends a list for which room was reserved. */
#define append(list, other)                                                                        \
	do {                                                                                       \
		if ((other)->count)                                                                \
			memcpy((list)->at + (list)->count, (other)->at,                            \
				(other)->count * sizeof(*(list)->at));                             \
		(list)->count += (other)->count;                                                   \
	} while (0)

static void join_drafts(struct rv_config *config, struct rv_config *other)
{
	if (config->drafts.count) {
		append(&config->drafts, &other->drafts);
		return;
	}
	free(config->drafts.at);
	memcpy(&config->drafts, &other->drafts, sizeof(config->drafts));
	memset(&other->drafts, 0, sizeof(other->drafts));
}

/* What is the same in both ways of joining. Nothing here can fail. */
static void join(struct rv_config *config, struct rv_config *other)
{
	join_drafts(config, other);
	append(&config->bindings, &other->bindings);
	append(&config->refusals, &other->refusals);
	append(&config->files, &other->files);
	append(&config->roads, &other->roads);
	for (size_t i = 0; i < other->degraded.count; i++)
		rv_config_add_degraded(config, other->degraded.at[i]);
	config->private_tmpdir |= other->private_tmpdir;
	config->floor_only |= other->floor_only;
	arena_take(&config->arena, &other->arena);
	rv_config_release(other);
}

int rv_config_include(struct rv_config *config, struct rv_config *other)
{
	if (reserve_for(config, other) < 0)
		return -ENOMEM;
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		config->handled.of[cls] |= other->handled.of[cls];
	config->deny |= other->deny;
	if (config->unix_datagram == REEVE_UNIX_DATAGRAM_DEFAULT)
		config->unix_datagram = other->unix_datagram;
	join(config, other);
	return 0;
}

/* The more permissive of two: what a union of two policies allows. */
static enum reeve_unix_datagram compose_datagram(
	enum reeve_unix_datagram a, enum reeve_unix_datagram b)
{
	if (a == REEVE_UNIX_DATAGRAM_MEDIATE || b == REEVE_UNIX_DATAGRAM_MEDIATE)
		return REEVE_UNIX_DATAGRAM_MEDIATE;
	return a == b ? a : REEVE_UNIX_DATAGRAM_DEFAULT;
}

static void cut_drafts(struct rv_config *config)
{
	size_t kept = 0;

	for (size_t i = 0; i < config->drafts.count; i++)
		if (rv_draft_cut(&config->drafts.at[i], &config->handled))
			config->drafts.at[kept++] = config->drafts.at[i];
	config->drafts.count = kept;
}

int rv_config_compose(struct rv_config *config, struct rv_config *other)
{
	if (reserve_for(config, other) < 0)
		return -ENOMEM;
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		config->handled.of[cls] &= other->handled.of[cls];
	config->deny &= other->deny;
	config->unix_datagram = compose_datagram(config->unix_datagram, other->unix_datagram);
	join(config, other);
	cut_drafts(config);
	return 0;
}

void rv_config_release(struct rv_config *config)
{
	free(config->drafts.at);
	free(config->bindings.at);
	free(config->refusals.at);
	free(config->degraded.at);
	free(config->files.at);
	free(config->roads.at);
	rv_arena_release(&config->arena);
	*config = (struct rv_config){0};
}
