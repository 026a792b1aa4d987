/* SPDX-License-Identifier: MIT */
/*
 * A complete TOML 1.0 parser (toml.c and its parts, toml_*.c), without dependencies beyond libc.
 *
 * The whole document is parsed into a tree whose nodes know their line and column. Time and memory
 * are linear in the size of the text. At most TOML_DEPTH_MAX arrays and tables are nested below the
 * root, whether by headers, dotted keys or values, so whoever walks the tree may recurse. The text
 * must be UTF-8 and may contain anything: parsing never fails in any other way than by returning an
 * error.
 */
#ifndef RV_POLICY_TOML_H
#define RV_POLICY_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOML_DEPTH_MAX 128

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_DATETIME, /* any of TOML's four date and time types */
	TOML_ARRAY,
	TOML_TABLE,
};

/* Which of the four types, by what is present. */
struct toml_datetime {
	bool has_date, has_time, has_offset;
	int year, month, day, hour, minute, second, nanosecond;
	int offset_minutes;
};

struct toml_value; /* opaque; lives as long as its document */
struct toml_document;

struct toml_error {
	unsigned int line, column; /* from 1; column in bytes */
	char message[160];	   /* what was expected, and what was found; printable */
};

/*
 * Parses `length` bytes of `text`, which need not end in NUL and is not used afterwards.
 * 0; -EINVAL: not TOML, `err` says where and why; -ENOMEM.
 */
int toml_parse(const char *text, size_t length, struct toml_document **ret, struct toml_error *err);
void toml_free(struct toml_document *document);

/* The document as a table. */
const struct toml_value *toml_root(const struct toml_document *document);

enum toml_type toml_type(const struct toml_value *value);
const char *toml_type_name(enum toml_type type);	  /* "string", "integer", … "table" */
unsigned int toml_line(const struct toml_value *value);	  /* of its first character; of a */
unsigned int toml_column(const struct toml_value *value); /* [table]: of its header */

/* Each accessor wants a value of its type. Strings end in NUL, and may contain others. */
const char *toml_string(const struct toml_value *value, size_t *ret_length);
int64_t toml_integer(const struct toml_value *value);
double toml_float(const struct toml_value *value);
bool toml_boolean(const struct toml_value *value);
struct toml_datetime toml_datetime(const struct toml_value *value);

/* Elements of an array, in order. at: NULL past the end. */
size_t toml_array_count(const struct toml_value *array);
const struct toml_value *toml_array_at(const struct toml_value *array, size_t i);

/* Keys of a table, in the order of their first appearance. get costs O(1). */
size_t toml_table_count(const struct toml_value *table);
const struct toml_value *toml_table_at(
	const struct toml_value *table, size_t i, const char **ret_key, size_t *ret_key_length);
const struct toml_value *toml_table_get(const struct toml_value *table, const char *key);
unsigned int toml_table_key_line(const struct toml_value *table, size_t i);

/* ---- building the same tree from another notation (JSON); see json.c */
struct toml_document *toml_document_new(void); /* an empty root table; NULL: no memory */
/* It will be made of so many bytes of text. */
void toml_expect(struct toml_document *document, size_t length);
struct toml_value *toml_new(struct toml_document *document, enum toml_type type, unsigned int line,
	unsigned int column);
int toml_set_string(
	struct toml_document *document, struct toml_value *value, const char *text, size_t length);
void toml_set_integer(struct toml_value *value, int64_t integer);
void toml_set_float(struct toml_value *value, double number);
void toml_set_boolean(struct toml_value *value, bool boolean);
int toml_array_append(
	struct toml_document *document, struct toml_value *array, struct toml_value *element);
/* -EEXIST: the key is there. The root table of a new document may be filled in like any other. */
int toml_table_add(struct toml_document *document, struct toml_value *table, const char *key,
	size_t key_length, unsigned int key_line, struct toml_value *value);
struct toml_value *toml_root_mutable(struct toml_document *document);

#endif /* RV_POLICY_TOML_H */
