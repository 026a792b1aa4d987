/* SPDX-License-Identifier: MIT */
/* What must hold of every tree and of every error, however the text came about. */
#ifndef FUZZ_TREE_H
#define FUZZ_TREE_H

#include <stdlib.h>
#include <string.h>
#include "policy/toml.h"

#define FUZZ_REQUIRE(cond)                                                                         \
	do {                                                                                       \
		if (!(cond))                                                                       \
			abort(); /* the fuzzer reports it */                                       \
	} while (0)

static inline void fuzz_walk(const struct toml_value *value, unsigned int depth);

static inline void fuzz_walk_table(const struct toml_value *table, unsigned int depth)
{
	for (size_t i = 0; i < toml_table_count(table); i++) {
		const char *key;
		size_t length;
		const struct toml_value *value = toml_table_at(table, i, &key, &length);

		FUZZ_REQUIRE(key[length] == '\0' && toml_table_key_line(table, i) >= 1);
		if (strlen(key) == length)
			FUZZ_REQUIRE(toml_table_get(table, key) == value);
		fuzz_walk(value, depth + 1);
	}
}

/* The root is at depth 0, scalars in the deepest table at TOML_DEPTH_MAX + 1. */
static inline void fuzz_walk(const struct toml_value *value, unsigned int depth)
{
	size_t length;

	FUZZ_REQUIRE(depth <= TOML_DEPTH_MAX + 1);
	FUZZ_REQUIRE(toml_line(value) >= 1 && toml_column(value) >= 1);
	toml_type_name(toml_type(value));
	if (toml_type(value) == TOML_STRING)
		FUZZ_REQUIRE(toml_string(value, &length)[length] == '\0');
	for (size_t i = 0; i < toml_array_count(value); i++)
		fuzz_walk(toml_array_at(value, i), depth + 1);
	fuzz_walk_table(value, depth);
}

/* An error is at a place that the text has, and its message can be shown. */
static inline void fuzz_check_error(const struct toml_error *err, const char *text, size_t size)
{
	unsigned int lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	FUZZ_REQUIRE(err->line >= 1 && err->line <= lines);
	FUZZ_REQUIRE(err->column >= 1 && err->column <= size + 1);
	FUZZ_REQUIRE(err->message[0] && strlen(err->message) < sizeof(err->message));
	for (const char *p = err->message; *p; p++)
		FUZZ_REQUIRE((unsigned char)*p >= 0x20 && *p != 0x7f);
}

#endif /* FUZZ_TREE_H */
