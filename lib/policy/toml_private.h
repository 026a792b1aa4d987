/* SPDX-License-Identifier: MIT */
/*
 * What the files of the TOML parser share: the tree (toml_tree.c), the cursor, errors and strings
 * (toml_lex.c), numbers and dates (toml_scalar.c). toml.c has the grammar. Only libc below.
 */
#ifndef RV_POLICY_TOML_PRIVATE_H
#define RV_POLICY_TOML_PRIVATE_H

#include <locale.h>
#include "policy/toml.h"

/* ------------------------------------------------------------------ the tree */

/* How an array or table came to be, which decides what may still be added to it. */
enum toml_origin {
	TOML_CLOSED = 0,    /* array or inline table: complete as written; any other value */
	TOML_IMPLICIT,	    /* made on the way to a [header] below it; may get one of its own */
	TOML_HEADER,	    /* by its own [header], or an element of [[header]], or the root */
	TOML_DOTTED,	    /* by dotted keys: never gets a header of its own */
	TOML_HEADER_ARRAY,  /* the array of [[header]]s */
	TOML_ORIGINS_COUNT, /* not one */
};

struct toml_entry {
	const char *key; /* ends in NUL, in the arena */
	struct toml_value *value;
	size_t key_length;
	unsigned int key_line;
	uint32_t hash; /* valid once the table has an index */
};

struct toml_table {
	struct toml_entry *entries; /* in order of appearance */
	uint32_t *slots;	    /* entry number + 1, or 0; NULL while the table is small */
	size_t count, capacity;
	size_t slots_count; /* a power of two, at least twice `count` */
	uint64_t seed[2];   /* the document's */
};

struct toml_array {
	struct toml_value **items;
	size_t count, capacity;
};

struct toml_value {
	unsigned char type;   /* enum toml_type */
	unsigned char origin; /* enum toml_origin */
	unsigned int line, column;
	union {
		struct {
			const char *text;
			size_t length;
		} string;
		int64_t integer;
		double number;
		bool boolean;
		struct toml_datetime *datetime;
		struct toml_array *array;
		struct toml_table *table;
	} as;
};

/* Memory that lives as long as the document, not zeroed; NULL: no memory. */
void *toml_alloc(struct toml_document *document, size_t size);

/* A copy that ends in NUL. */
char *toml_copy(struct toml_document *document, const char *text, size_t length);

/* The entry of a key, or NULL. */
struct toml_entry *toml_find(const struct toml_table *table, const char *key, size_t length);

/* toml_table_add() of a key that lives as long as the document already. */
int toml_table_add_owned(struct toml_document *document, struct toml_value *table, const char *key,
	size_t key_length, unsigned int key_line, struct toml_value *value);

/* ---------------------------------------------------------------- the cursor */

/* A place in the text. */
struct toml_mark {
	unsigned int line, column;
};

struct toml_parser {
	struct toml_document *document;
	const char *at, *end;
	const char *line_start; /* first byte of the line that `at` is in */
	unsigned int line;
	char *scratch; /* the string being read */
	size_t scratch_length, scratch_capacity;
	locale_t c_locale; /* (locale_t)0 until a float needs it */
	struct toml_error *err;
};

/* The byte `ahead` of the cursor, or -1 past the end. */
static inline int toml_peek(const struct toml_parser *p, size_t ahead)
{
	return (size_t)(p->end - p->at) > ahead ? (unsigned char)p->at[ahead] : -1;
}

static inline bool toml_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* The characters of bare keys. */
static inline bool toml_is_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || toml_is_digit(c) || c == '_' ||
	       c == '-';
}

struct toml_mark toml_here(const struct toml_parser *p);

/* Both fill in the error and return -EINVAL. expected: "expected WHAT, found …", at the cursor. */
int toml_fail(struct toml_parser *p, struct toml_mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int toml_expected(struct toml_parser *p, const char *what);

/* A key or other text from the document, quoted for a message; cut where it is long. */
struct toml_shown {
	char text[56];
};
struct toml_shown toml_show(const char *text, size_t length);

/* Length of the UTF-8 sequence at `at`, 0 where it is none. */
size_t toml_utf8(const char *at, const char *end);

void toml_skip_blanks(struct toml_parser *p);
bool toml_skip_newline(struct toml_parser *p); /* false: the cursor is not at one */
int toml_skip_comment(struct toml_parser *p);  /* from '#' to the end of the line, if at '#' */
int toml_skip_lines(struct toml_parser *p);    /* blanks, newlines and comments */

/* ----------------------------------------------------------- strings, scalars */

/* A string at the cursor, into p->scratch. `key`: no multi-line strings. */
int toml_read_string(struct toml_parser *p, bool key);
int toml_scratch_put(struct toml_parser *p, const char *text, size_t length);

/* The value at the cursor, whose first character says that it is such a one. */
int toml_parse_string(struct toml_parser *p, struct toml_value **ret);
int toml_parse_boolean(struct toml_parser *p, struct toml_value **ret);
int toml_parse_number(struct toml_parser *p, struct toml_value **ret); /* dates, inf, nan too */

#endif /* RV_POLICY_TOML_PRIVATE_H */
