/* SPDX-License-Identifier: MIT */
/*
 * The tree of a document. Everything is in one arena, freed at once; arrays grow geometrically, so
 * what they leave behind when they grow is at most as much as they use. Tables with many keys have
 * an index, hashed with a random seed: no choice of keys makes it slow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include "policy/toml_private.h"

#define CHUNK_FIRST 4096u
#define CHUNK_MOST  (1u << 20)
#define CHUNK_HUGE  ((size_t)2 << 20) /* one page, where the kernel has such */
#define INDEX_FROM  8u		      /* tables with fewer keys are searched one by one */

struct chunk {
	struct chunk *next;
	size_t used, size;
	bool is_mapped; /* all CHUNK_HUGE bytes of it */
	_Alignas(16) char bytes[];
};

struct toml_document {
	struct chunk *chunks; /* the first one is filled, the others are full enough */
	size_t next_size;
	struct toml_value *root;
	uint64_t seed[2];
};

/* ------------------------------------------------------------------- memory */

static struct chunk *chunk_new(size_t size)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	*chunk = (struct chunk){.size = size};
	return chunk;
}

/*
 * Of a large document what costs most is that its memory is new: each page of it is a fault, and on
 * a virtual machine easily the work of parsing thousands of bytes. In a huge page it is one fault.
 */
static struct chunk *chunk_map(void)
{
	char *map = mmap(NULL, 2 * CHUNK_HUGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before = -(uintptr_t)map & (CHUNK_HUGE - 1);
	struct chunk *chunk;

	if (map == MAP_FAILED)
		return NULL;
	if (before)
		munmap(map, before);
	munmap(map + before + CHUNK_HUGE, CHUNK_HUGE - before);
	chunk = (void *)(map + before);
	madvise(chunk, CHUNK_HUGE, MADV_HUGEPAGE); /* small pages do as well */
	*chunk = (struct chunk){.size = CHUNK_HUGE - sizeof(*chunk), .is_mapped = true};
	return chunk;
}

static void chunk_free(struct chunk *chunk)
{
	if (chunk->is_mapped)
		munmap(chunk, CHUNK_HUGE);
	else
		free(chunk);
}

/* A chunk for one large object goes behind the first, whose free room stays in use. */
static void *alloc_apart(struct toml_document *document, size_t size)
{
	struct chunk *chunk = chunk_new(size);

	if (!chunk)
		return NULL;
	if (document->chunks) {
		chunk->next = document->chunks->next;
		document->chunks->next = chunk;
	} else {
		document->chunks = chunk;
	}
	chunk->used = size;
	return chunk->bytes;
}

static bool chunk_push(struct toml_document *document)
{
	bool is_huge = document->next_size >= CHUNK_HUGE;
	struct chunk *chunk = is_huge ? chunk_map() : chunk_new(document->next_size);

	if (!chunk)
		return false;
	chunk->next = document->chunks;
	document->chunks = chunk;
	if (document->next_size < CHUNK_MOST)
		document->next_size *= 2;
	return true;
}

void *toml_alloc(struct toml_document *document, size_t size)
{
	struct chunk *chunk = document->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return alloc_apart(document, size); /* so that ASan sees where each object ends */
#endif
	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		if (size > document->next_size / 4)
			return alloc_apart(document, size);
		if (!chunk_push(document))
			return NULL;
		chunk = document->chunks;
	}
	p = chunk->bytes + chunk->used;
	chunk->used += size;
	return p;
}

char *toml_copy(struct toml_document *document, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? toml_alloc(document, length + 1) : NULL;

	if (!copy)
		return NULL;
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

/* Room for one more element of `size` bytes in an array that has `count`. */
static int grow(
	struct toml_document *document, void *array, size_t *capacity, size_t count, size_t size)
{
	size_t more = *capacity ? *capacity * 2 : 4;
	void *old, *new;

	if (count < *capacity)
		return 0;
	if (more > SIZE_MAX / 2 / size)
		return -ENOMEM;
	new = toml_alloc(document, more * size);
	if (!new)
		return -ENOMEM;
	memcpy(&old, array, sizeof(old));
	if (count > 0)
		memcpy(new, old, count * size);
	memcpy(array, &new, sizeof(new));
	*capacity = more;
	return 0;
}

/* ---------------------------------------------------------------- documents */

/* Without entropy (early boot) the clock and an address must do. */
static void make_seed(struct toml_document *document)
{
	struct timespec now = {0};

	if (getrandom(document->seed, sizeof(document->seed), GRND_NONBLOCK) ==
		(ssize_t)sizeof(document->seed))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	document->seed[0] = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
	document->seed[1] = (uint64_t)(uintptr_t)document ^ (uint64_t)now.tv_sec << 32;
}

struct toml_document *toml_document_new(void)
{
	struct toml_document *document = calloc(1, sizeof(*document));

	if (!document)
		return NULL;
	document->next_size = CHUNK_FIRST;
	make_seed(document);
	document->root = toml_new(document, TOML_TABLE, 1, 1);
	if (!document->root) {
		toml_free(document);
		return NULL;
	}
	document->root->origin = TOML_HEADER;
	return document;
}

void toml_free(struct toml_document *document)
{
	if (!document)
		return;
	while (document->chunks) {
		struct chunk *next = document->chunks->next;

		chunk_free(document->chunks);
		document->chunks = next;
	}
	free(document);
}

void toml_expect(struct toml_document *document, size_t length)
{
	if (length >= CHUNK_HUGE / 4) /* the tree is some four times as large */
		document->next_size = CHUNK_HUGE;
}

const struct toml_value *toml_root(const struct toml_document *document)
{
	return document->root;
}

struct toml_value *toml_root_mutable(struct toml_document *document)
{
	return document->root;
}

/* ------------------------------------------------------------------- values */

static bool give_container(struct toml_document *document, struct toml_value *value)
{
	if (value->type == TOML_ARRAY) {
		value->as.array = toml_alloc(document, sizeof(*value->as.array));
		if (value->as.array)
			memset(value->as.array, 0, sizeof(*value->as.array));
		return value->as.array;
	}
	if (value->type == TOML_TABLE) {
		value->as.table = toml_alloc(document, sizeof(*value->as.table));
		if (!value->as.table)
			return false;
		memset(value->as.table, 0, sizeof(*value->as.table));
		memcpy(value->as.table->seed, document->seed, sizeof(document->seed));
	}
	return true;
}

struct toml_value *toml_new(
	struct toml_document *document, enum toml_type type, unsigned int line, unsigned int column)
{
	struct toml_value *value = toml_alloc(document, sizeof(*value));

	if (!value)
		return NULL;
	memset(value, 0, sizeof(*value));
	value->type = (unsigned char)type;
	value->line = line;
	value->column = column;
	if (type == TOML_STRING)
		value->as.string.text = "";
	return give_container(document, value) ? value : NULL;
}

int toml_set_string(
	struct toml_document *document, struct toml_value *value, const char *text, size_t length)
{
	char *copy = toml_copy(document, text, length);

	if (!copy)
		return -ENOMEM;
	value->as.string.text = copy;
	value->as.string.length = length;
	return 0;
}

void toml_set_integer(struct toml_value *value, int64_t integer)
{
	value->as.integer = integer;
}

void toml_set_float(struct toml_value *value, double number)
{
	value->as.number = number;
}

void toml_set_boolean(struct toml_value *value, bool boolean)
{
	value->as.boolean = boolean;
}

enum toml_type toml_type(const struct toml_value *value)
{
	return (enum toml_type)value->type;
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		[TOML_STRING] = "string",
		[TOML_INTEGER] = "integer",
		[TOML_FLOAT] = "float",
		[TOML_BOOLEAN] = "boolean",
		[TOML_DATETIME] = "date or time",
		[TOML_ARRAY] = "array",
		[TOML_TABLE] = "table",
	};

	return (unsigned int)type < sizeof(names) / sizeof(names[0]) ? names[type] : "value";
}

unsigned int toml_line(const struct toml_value *value)
{
	return value->line;
}

unsigned int toml_column(const struct toml_value *value)
{
	return value->column;
}

const char *toml_string(const struct toml_value *value, size_t *ret_length)
{
	bool is = value->type == TOML_STRING;

	if (ret_length)
		*ret_length = is ? value->as.string.length : 0;
	return is ? value->as.string.text : "";
}

int64_t toml_integer(const struct toml_value *value)
{
	return value->type == TOML_INTEGER ? value->as.integer : 0;
}

double toml_float(const struct toml_value *value)
{
	return value->type == TOML_FLOAT ? value->as.number : 0;
}

bool toml_boolean(const struct toml_value *value)
{
	return value->type == TOML_BOOLEAN && value->as.boolean;
}

struct toml_datetime toml_datetime(const struct toml_value *value)
{
	static const struct toml_datetime none;

	return value->type == TOML_DATETIME && value->as.datetime ? *value->as.datetime : none;
}

/* ------------------------------------------------------------------- arrays */

size_t toml_array_count(const struct toml_value *array)
{
	return array->type == TOML_ARRAY ? array->as.array->count : 0;
}

const struct toml_value *toml_array_at(const struct toml_value *array, size_t i)
{
	return i < toml_array_count(array) ? array->as.array->items[i] : NULL;
}

int toml_array_append(
	struct toml_document *document, struct toml_value *array, struct toml_value *element)
{
	struct toml_array *a = array->as.array;
	int r = grow(document, &a->items, &a->capacity, a->count, sizeof(*a->items));

	if (r == 0)
		a->items[a->count++] = element;
	return r;
}

/* ------------------------------------------------------------------- tables */

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] = ROTATE(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[2] = ROTATE(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3: keys come from whoever wrote the file, and must not be able to collide at will. */
static uint32_t hash_key(const uint64_t seed[2], const char *key, size_t length)
{
	uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575),
		seed[1] ^ UINT64_C(0x646f72616e646f6d), seed[0] ^ UINT64_C(0x6c7967656e657261),
		seed[1] ^ UINT64_C(0x7465646279746573)};
	uint64_t word;
	size_t left = length;

	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&word, key, 8);
		sip_word(v, word);
	}
	word = 0;
	memcpy(&word, key, left);
	sip_word(v, word ^ (uint64_t)length << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static bool entry_is(const struct toml_entry *entry, const char *key, size_t length)
{
	return entry->key_length == length && memcmp(entry->key, key, length) == 0;
}

static struct toml_entry *find_small(const struct toml_table *table, const char *key, size_t length)
{
	for (size_t i = 0; i < table->count; i++)
		if (entry_is(&table->entries[i], key, length))
			return &table->entries[i];
	return NULL;
}

struct toml_entry *toml_find(const struct toml_table *table, const char *key, size_t length)
{
	size_t mask = table->slots_count - 1;
	uint32_t hash;

	if (!table->slots)
		return find_small(table, key, length);
	hash = hash_key(table->seed, key, length);
	for (size_t i = hash & mask; table->slots[i]; i = (i + 1) & mask) {
		struct toml_entry *entry = &table->entries[table->slots[i] - 1];

		if (entry->hash == hash && entry_is(entry, key, length))
			return entry;
	}
	return NULL;
}

static void index_entry(struct toml_table *table, size_t number)
{
	size_t mask = table->slots_count - 1;
	size_t i = table->entries[number].hash & mask;

	while (table->slots[i])
		i = (i + 1) & mask;
	table->slots[i] = (uint32_t)(number + 1);
}

static int make_index(struct toml_document *document, struct toml_table *table)
{
	size_t count = table->slots_count ? table->slots_count * 2 : INDEX_FROM * 4;
	uint32_t *slots = toml_alloc(document, count * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	memset(slots, 0, count * sizeof(*slots));
	for (size_t i = 0; !table->slots && i < table->count; i++) {
		struct toml_entry *entry = &table->entries[i];

		entry->hash = hash_key(table->seed, entry->key, entry->key_length);
	}
	table->slots = slots;
	table->slots_count = count;
	for (size_t i = 0; i < table->count; i++)
		index_entry(table, i);
	return 0;
}

static int make_room(struct toml_document *document, struct toml_table *table)
{
	if (table->count >= UINT32_MAX - 1)
		return -ENOMEM;
	if (table->count >= INDEX_FROM && table->slots_count < (table->count + 1) * 2) {
		int r = make_index(document, table);

		if (r < 0)
			return r;
	}
	return grow(
		document, &table->entries, &table->capacity, table->count, sizeof(*table->entries));
}

int toml_table_add_owned(struct toml_document *document, struct toml_value *value, const char *key,
	size_t key_length, unsigned int key_line, struct toml_value *child)
{
	struct toml_table *table = value->as.table;
	struct toml_entry *entry;
	int r;

	if (toml_find(table, key, key_length))
		return -EEXIST;
	r = make_room(document, table);
	if (r < 0)
		return r;
	entry = &table->entries[table->count++];
	*entry = (struct toml_entry){
		.key = key, .key_length = key_length, .key_line = key_line, .value = child};
	if (table->slots) {
		entry->hash = hash_key(table->seed, key, key_length);
		index_entry(table, table->count - 1);
	}
	return 0;
}

int toml_table_add(struct toml_document *document, struct toml_value *table, const char *key,
	size_t key_length, unsigned int key_line, struct toml_value *value)
{
	const char *copy = toml_copy(document, key, key_length);

	if (!copy)
		return -ENOMEM;
	return toml_table_add_owned(document, table, copy, key_length, key_line, value);
}

size_t toml_table_count(const struct toml_value *table)
{
	return table->type == TOML_TABLE ? table->as.table->count : 0;
}

const struct toml_value *toml_table_at(
	const struct toml_value *table, size_t i, const char **ret_key, size_t *ret_key_length)
{
	const struct toml_entry *entry;

	if (i >= toml_table_count(table))
		return NULL;
	entry = &table->as.table->entries[i];
	if (ret_key)
		*ret_key = entry->key;
	if (ret_key_length)
		*ret_key_length = entry->key_length;
	return entry->value;
}

const struct toml_value *toml_table_get(const struct toml_value *table, const char *key)
{
	const struct toml_entry *entry =
		table->type == TOML_TABLE ? toml_find(table->as.table, key, strlen(key)) : NULL;

	return entry ? entry->value : NULL;
}

unsigned int toml_table_key_line(const struct toml_value *table, size_t i)
{
	return i < toml_table_count(table) ? table->as.table->entries[i].key_line : 0;
}
