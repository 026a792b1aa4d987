/* SPDX-License-Identifier: MIT */
/*
 * The tree of toml.h as one line of text, for tests: {a=1, b='x', c=[~1.5, true]}. Floats begin
 * with ~, strings are in single quotes, what is not printable ASCII in them is \xHH per byte.
 * toml_vs_tomllib.py writes the same of what Python read.
 */
#ifndef TESTS_POLICY_TREE_DUMP_H
#define TESTS_POLICY_TREE_DUMP_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy/toml.h"

static inline void dump_quoted(FILE *out, const char *text, size_t length)
{
	fputc('\'', out);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f || c == '\'' || c == '\\')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('\'', out);
}

static inline void dump_float(FILE *out, double number)
{
	if (isnan(number))
		fputs("~nan", out);
	else
		fprintf(out, "~%.17g", number);
}

static inline void dump_datetime(FILE *out, struct toml_datetime d)
{
	int minutes = abs(d.offset_minutes);

	if (d.has_date)
		fprintf(out, "%04d-%02d-%02d", d.year, d.month, d.day);
	if (d.has_date && d.has_time)
		fputc('T', out);
	if (d.has_time)
		fprintf(out, "%02d:%02d:%02d.%09d", d.hour, d.minute, d.second, d.nanosecond);
	if (d.has_offset)
		fprintf(out, "%c%02d:%02d", d.offset_minutes < 0 ? '-' : '+', minutes / 60,
			minutes % 60);
}

static inline void dump_tree(FILE *out, const struct toml_value *value);

static inline void dump_array(FILE *out, const struct toml_value *array)
{
	fputc('[', out);
	for (size_t i = 0; i < toml_array_count(array); i++) {
		fputs(i ? ", " : "", out);
		dump_tree(out, toml_array_at(array, i));
	}
	fputc(']', out);
}

static inline void dump_table(FILE *out, const struct toml_value *table)
{
	fputc('{', out);
	for (size_t i = 0; i < toml_table_count(table); i++) {
		const char *key;
		size_t length;
		const struct toml_value *value = toml_table_at(table, i, &key, &length);

		fputs(i ? ", " : "", out);
		if (length && strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789") == length)
			fputs(key, out);
		else
			dump_quoted(out, key, length);
		fputc('=', out);
		dump_tree(out, value);
	}
	fputc('}', out);
}

static inline void dump_tree(FILE *out, const struct toml_value *value)
{
	const char *text;
	size_t length;

	switch (toml_type(value)) {
	case TOML_STRING:
		text = toml_string(value, &length);
		dump_quoted(out, text, length);
		break;
	case TOML_INTEGER:
		fprintf(out, "%" PRId64, toml_integer(value));
		break;
	case TOML_FLOAT:
		dump_float(out, toml_float(value));
		break;
	case TOML_BOOLEAN:
		fputs(toml_boolean(value) ? "true" : "false", out);
		break;
	case TOML_DATETIME:
		dump_datetime(out, toml_datetime(value));
		break;
	case TOML_ARRAY:
		dump_array(out, value);
		break;
	case TOML_TABLE:
		dump_table(out, value);
		break;
	}
}

#endif /* TESTS_POLICY_TREE_DUMP_H */
