/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "policy/decode.h"
#include "policy/json.h"

int rv_no_memory(struct reeve_error *err)
{
	return rv_error(err, -ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ messages */

const char *rv_spell(const struct rv_decoder *d, const char *key, char buf[RV_KEY_SIZE])
{
	size_t n = 0;

	if (!d->json)
		return key;
	for (; *key && n < RV_KEY_SIZE - 1; key++) {
		if (*key == '_' && key[1])
			buf[n++] = (char)toupper((unsigned char)*++key);
		else
			buf[n++] = *key;
	}
	buf[n] = '\0';
	return buf;
}

/* "path_beneath.parent", "abi", "path_beneath" without a current key. */
static const char *where(const struct rv_decoder *d, char buf[2 * RV_KEY_SIZE])
{
	const char *table = d->table ? d->table->name : "", *key = d->key ? d->key : "";
	char a[RV_KEY_SIZE], b[RV_KEY_SIZE];

	snprintf(buf, 2 * RV_KEY_SIZE, "%s%s%s", rv_spell(d, table, a), *table && *key ? "." : "",
		rv_spell(d, key, b));
	return buf;
}

static const char *show_string(const struct toml_value *value, char *buf, size_t size)
{
	size_t length;
	const char *text = toml_string(value, &length);

	buf[0] = '"';
	rv_escape(buf + 1, size - 2, text, length);
	strcat(buf, "\"");
	return buf;
}

/* The value as it would be written. */
static const char *show(const struct toml_value *value, char *buf, size_t size)
{
	switch (toml_type(value)) {
	case TOML_STRING:
		return show_string(value, buf, size);
	case TOML_INTEGER:
		snprintf(buf, size, "%" PRId64, toml_integer(value));
		return buf;
	case TOML_FLOAT:
		snprintf(buf, size, "%g", toml_float(value));
		return buf;
	case TOML_BOOLEAN:
		return toml_boolean(value) ? "true" : "false";
	case TOML_ARRAY:
		return toml_array_count(value) ? "[…]" : "[]";
	case TOML_TABLE:
		return "{…}";
	case TOML_DATETIME:
		break;
	}
	return "a date";
}

int rv_expected(struct rv_decoder *d, const struct toml_value *value, const char *fmt, ...)
{
	char what[400], key[2 * RV_KEY_SIZE], shown[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return rv_error(d->err, -EINVAL, "%s:%u: %s: %s: expected %s", rv_q(d->name),
		toml_line(value), where(d, key), show(value, shown, sizeof(shown)), what);
}

int rv_wrong(struct rv_decoder *d, const struct toml_value *value, const char *fmt, ...)
{
	char what[400], key[2 * RV_KEY_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	where(d, key);
	return rv_error(d->err, -EINVAL, "%s:%u: %s%s%s", rv_q(d->name), toml_line(value), key,
		*key ? ": " : "", what);
}

const char *rv_origin(struct rv_decoder *d, unsigned int line)
{
	if (d->origin && d->origin_line == line)
		return d->origin;
	d->origin = rv_arena_add_origin(&d->config->arena, d->name, strlen(d->name), line);
	d->origin_line = line;
	return d->origin;
}

/* -------------------------------------------------------------------- shapes */

static const char *const shape_names[] = {
	[RV_STRING] = "a string",
	[RV_INTEGER] = "an integer",
	[RV_BOOLEAN] = "true or false",
	[RV_STRINGS] = "an array of strings with at least one element",
	[RV_MIXED] = "an array of strings or integers with at least one element",
	[RV_TABLES] = "an array of tables with at least one element",
};

static int check_string(struct rv_decoder *d, const struct toml_value *value)
{
	size_t length;
	const char *text = toml_string(value, &length);

	if (strlen(text) != length)
		return rv_expected(d, value, "a string without a NUL character");
	if (length >= PATH_MAX)
		return rv_expected(d, value, "less than %d bytes, not %zu", PATH_MAX, length);
	return 0;
}

static int check_element(
	struct rv_decoder *d, enum rv_shape shape, const struct toml_value *element)
{
	enum toml_type type = toml_type(element);

	if (type == TOML_STRING && shape != RV_TABLES)
		return check_string(d, element);
	if ((type == TOML_TABLE && shape == RV_TABLES) ||
		(type == TOML_INTEGER && shape == RV_MIXED))
		return 0;
	return rv_expected(d, element, "%s",
		shape == RV_TABLES ? "a table"
				   : (shape == RV_MIXED ? "a string or an integer" : "a string"));
}

static int check_array(struct rv_decoder *d, enum rv_shape shape, const struct toml_value *value)
{
	char key[RV_KEY_SIZE];
	int r = 0;

	if (toml_type(value) != TOML_ARRAY || toml_array_count(value) == 0) {
		rv_expected(d, value, "%s", shape_names[shape]);
		if (shape == RV_TABLES && toml_type(value) == TOML_TABLE && !d->json)
			rv_error_hint(d->err, "write the header as [[%s]], with two brackets",
				rv_spell(d, d->key, key));
		return -EINVAL;
	}
	for (size_t i = 0; r == 0 && i < toml_array_count(value); i++)
		r = check_element(d, shape, toml_array_at(value, i));
	return r;
}

static int check_shape(struct rv_decoder *d, enum rv_shape shape, const struct toml_value *value)
{
	static const enum toml_type scalars[] = {
		[RV_STRING] = TOML_STRING,
		[RV_INTEGER] = TOML_INTEGER,
		[RV_BOOLEAN] = TOML_BOOLEAN,
	};

	if (shape > RV_BOOLEAN)
		return check_array(d, shape, value);
	if (toml_type(value) != scalars[shape])
		return rv_expected(d, value, "%s", shape_names[shape]);
	return shape == RV_STRING ? check_string(d, value) : 0;
}

/* -------------------------------------------------------------------- tables */

static bool is_key(
	const struct rv_decoder *d, const struct rv_table *table, const char *name, size_t length)
{
	char buf[RV_KEY_SIZE];

	for (size_t i = 0; i < table->keys_count; i++) {
		const char *spelt = rv_spell(d, table->keys[i].name, buf);

		if (strlen(spelt) == length && memcmp(spelt, name, length) == 0)
			return true;
	}
	return false;
}

static void list_keys(struct rv_decoder *d, const struct rv_table *table)
{
	rv_autostrbuf keys = {0};
	char buf[RV_KEY_SIZE];

	for (size_t i = 0; i < table->keys_count; i++)
		rv_strbuf_printf(
			&keys, "%s%s", i ? ", " : "", rv_spell(d, table->keys[i].name, buf));
	if (keys.text)
		rv_error_hint(d->err, "expected one of %s", keys.text);
}

/* Where the key is right in the other notation, or nearly right in this one. */
static void hint_key(struct rv_decoder *d, const struct rv_table *table, const char *name)
{
	struct rv_decoder other = {.json = !d->json};
	struct rv_suggestion suggestion = {.word = name};
	char spelt[32][RV_KEY_SIZE], buf[RV_KEY_SIZE];

	for (size_t i = 0; i < table->keys_count && i < RV_COUNT(spelt); i++) {
		const char *spelling = rv_spell(d, table->keys[i].name, spelt[i]);

		rv_suggest(&suggestion, spelling);
		if (strcmp(rv_spell(&other, table->keys[i].name, buf), name) == 0) {
			rv_error_hint(d->err, "in %s this key is written \"%s\"",
				d->json ? "JSON" : "TOML", spelling);
			return;
		}
	}
	rv_suggest_hint(&suggestion, d->err);
	if (!suggestion.best)
		list_keys(d, table);
}

static int check_keys(
	struct rv_decoder *d, const struct rv_table *table, const struct toml_value *value)
{
	char shown[128], spelt[RV_KEY_SIZE];
	const char *name;
	size_t length;

	for (size_t i = 0; toml_table_at(value, i, &name, &length); i++) {
		if (is_key(d, table, name, length))
			continue;
		rv_escape(shown, sizeof(shown), name, length);
		rv_error(d->err, -EINVAL, "%s:%u: %s%s%s: unknown key", rv_q(d->name),
			toml_table_key_line(value, i), rv_spell(d, table->name, spelt),
			*table->name ? "." : "", shown);
		if (strlen(name) == length)
			hint_key(d, table, name);
		return -EINVAL;
	}
	return 0;
}

static int decode_table(
	struct rv_decoder *d, const struct rv_table *table, const struct toml_value *value);

static int decode_tables(
	struct rv_decoder *d, const struct rv_table *table, const struct toml_value *array)
{
	int r = 0;

	/* Most tables are rules. */
	if (rv_reserve(&d->config->drafts, toml_array_count(array)) < 0)
		return rv_no_memory(d->err);
	for (size_t i = 0; r == 0 && i < toml_array_count(array); i++) {
		d->entry = (struct rv_entry){0};
		r = decode_table(d, table, toml_array_at(array, i));
	}
	return r;
}

static int decode_key(
	struct rv_decoder *d, const struct rv_key *key, const struct toml_value *table)
{
	char spelt[RV_KEY_SIZE];
	const struct toml_value *value = toml_table_get(table, rv_spell(d, key->name, spelt));
	int r;

	d->key = key->name;
	if (!value && key->required)
		return rv_wrong(
			d, table, "this key is required: expected %s", shape_names[key->shape]);
	if (!value)
		return 0;
	r = check_shape(d, key->shape, value);
	if (r < 0)
		return r;
	return key->table ? decode_tables(d, key->table, value) : key->take(d, value);
}

static int decode_table(
	struct rv_decoder *d, const struct rv_table *table, const struct toml_value *value)
{
	const struct rv_table *outer = d->table;
	int r = check_keys(d, table, value);

	d->table = table;
	for (size_t i = 0; r == 0 && i < table->keys_count; i++)
		r = decode_key(d, &table->keys[i], value);
	d->key = NULL;
	if (r == 0 && table->finish)
		r = table->finish(d, value);
	d->table = outer;
	return r;
}

static void free_document(struct toml_document **document)
{
	toml_free(*document);
}

int rv_decode_text(struct rv_decoder *d, const char *text, size_t length)
{
	__attribute__((cleanup(free_document))) struct toml_document *document = NULL;
	struct toml_error error = {0};
	int r;

	r = d->json ? rv_json_parse(text, length, &document, &error)
		    : toml_parse(text, length, &document, &error);
	if (r == -ENOMEM)
		return rv_no_memory(d->err);
	if (r < 0)
		return rv_error(d->err, r, "%s:%u:%u: %s", rv_q(d->name), error.line, error.column,
			error.message);
	return decode_table(d, &rv_policy_table, toml_root(document));
}
