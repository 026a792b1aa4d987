/* SPDX-License-Identifier: MIT */
/*
 * JSON into the tree of toml.h. jansson decides what is valid and converts it, but keeps no places.
 * Once it has accepted the text, finding them is easy: objects of jansson keep the order of their
 * keys, duplicates are refused, so the tokens of the text and the tree come in the same order.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/error.h"
#include "policy/json.h"

struct walk {
	const char *start, *at, *end;
	const char *line_start;
	unsigned int line;
	struct toml_document *document;
	struct toml_error *err;
};

struct mark {
	unsigned int line, column;
};

static struct mark here(const struct walk *w)
{
	return (struct mark){w->line, (unsigned int)(w->at - w->line_start) + 1};
}

static int RV_PRINTF(3, 4) fail(struct walk *w, struct mark mark, const char *fmt, ...)
{
	va_list args;

	w->err->line = mark.line;
	w->err->column = mark.column;
	va_start(args, fmt);
	vsnprintf(w->err->message, sizeof(w->err->message), fmt, args);
	va_end(args);
	return -EINVAL;
}

/* --------------------------------------------------------------------- tokens */

static void skip_space(struct walk *w)
{
	for (; w->at < w->end && memchr(" \t\r\n", *w->at, 4); w->at++) {
		if (*w->at != '\n')
			continue;
		w->line++;
		w->line_start = w->at + 1;
	}
}

/* From one quote to after the other. Strings have no newlines in JSON. */
static void skip_string(struct walk *w)
{
	for (w->at++; w->at < w->end && *w->at != '"' && *w->at != '\n'; w->at++)
		if (*w->at == '\\' && w->end - w->at > 1)
			w->at++;
	if (w->at < w->end && *w->at == '"')
		w->at++;
}

/* A number or word, or one character of punctuation. */
static void skip_other(struct walk *w)
{
	const char *begin = w->at;

	while (w->at < w->end && !memchr("{}[],:\" \t\r\n", *w->at, 11))
		w->at++;
	if (w->at == begin && w->at < w->end)
		w->at++;
}

static void skip_token(struct walk *w)
{
	if (w->at < w->end && *w->at == '"')
		skip_string(w);
	else
		skip_other(w);
}

/* --------------------------------------------------------- what jansson refused */

/* Where an error is: at the token that jansson was reading, at the very byte, at a backslash. */
enum where { AT_TOKEN, AT_BYTE, AT_ESCAPE };

/* By how jansson's text begins. */
static const struct {
	const char *begins, *expected;
	enum where where;
} complaints[] = {
	{"'[' or '{' expected", "an object", AT_TOKEN},
	{"string or '}' expected", "a key in double quotes, or '}'", AT_TOKEN},
	{"':' expected", "':' after the key", AT_TOKEN},
	{"'}' expected", "',' or '}'", AT_TOKEN},
	{"']' expected", "',' or ']'", AT_TOKEN},
	{"unexpected token", "a value", AT_TOKEN},
	{"invalid token", "a value", AT_TOKEN},
	{"end of file expected", "the end of the file", AT_TOKEN},
	{"too big", "an integer of 64 bits", AT_TOKEN},
	{"real number overflow", "a number that fits a double", AT_TOKEN},
	{"duplicate object key", "a key that is new in its object", AT_TOKEN},
	{"NUL byte in object key", "a key without NUL", AT_TOKEN},
	{"maximum parsing depth", "at most 128 levels of nesting", AT_TOKEN},
	{"invalid escape", "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", AT_ESCAPE},
	{"invalid Unicode", "an escape for a Unicode scalar value", AT_ESCAPE},
	{"unexpected newline", "'\"' to end the string", AT_BYTE},
	{"premature end of input", "'\"' to end the string", AT_BYTE},
	{"control character", "the text of a string", AT_BYTE},
	{"unable to decode", "UTF-8", AT_BYTE},
};

/* The text between two places, for a message. `out` has room for 80 bytes. */
static void show_text(char *out, const char *from, const char *to)
{
	char text[64];
	bool string = from < to && *from == '"';

	if (string && to - from > 1 && to[-1] == '"')
		to--;
	rv_escape(text, sizeof(text), from + string, (size_t)(to - from) - string);
	snprintf(out, 80, string ? "\"%s\"" : "'%s'", text);
}

/* What is at the cursor; the text up to `to` where that is text. */
static void show_found(const struct walk *w, const char *to, char *out)
{
	unsigned char c = w->at < w->end ? (unsigned char)*w->at : 0;

	if (w->at >= w->end)
		strcpy(out, "the end of the file");
	else if (c == '\n' || (c == '\r' && w->end - w->at > 1 && w->at[1] == '\n'))
		strcpy(out, "the end of the line");
	else if (c < 0x20 || c == 0x7f)
		sprintf(out, "control character 0x%02x", c);
	else
		show_text(out, w->at, to);
}

/* Moves to the token that ends at or after `place`; returns the token's end. */
static const char *go_to_token(struct walk *w, const char *place)
{
	for (skip_space(w); w->at < w->end; skip_space(w)) {
		struct walk before = *w;

		skip_token(w);
		if (w->at >= place) {
			const char *to = w->at;

			*w = before;
			return to;
		}
	}
	return w->at;
}

/* Moves on to `place`, counting lines. */
static void go_to(struct walk *w, const char *place)
{
	for (; w->at < place; w->at++) {
		if (*w->at != '\n')
			continue;
		w->line++;
		w->line_start = w->at + 1;
	}
}

/* The escape that ends at `place` or contains it; returns its end, as far as it can be shown. */
static const char *go_to_escape(struct walk *w, const char *place)
{
	const char *p = place;

	while (p > w->at && p[-1] != '\\')
		p--;
	go_to(w, p > w->at ? p - 1 : p);
	for (p = w->at; p < place && p - w->at < 6 && *p != '"';)
		p++;
	return p;
}

static const char *go_to_error(struct walk *w, enum where where, const char *place)
{
	if (where == AT_TOKEN)
		return go_to_token(w, place);
	if (where == AT_ESCAPE)
		return go_to_escape(w, place);
	go_to(w, place);
	return place < w->end ? place + 1 : place;
}

static int refuse(struct walk *w, const json_error_t *error)
{
	const char *place = w->start + (error->position > 0 ? error->position : 0);
	const char *expected = "valid JSON", *to;
	enum where where = AT_TOKEN;
	char found[80];

	for (size_t i = 0; i < RV_COUNT(complaints); i++) {
		if (strncmp(error->text, complaints[i].begins, strlen(complaints[i].begins)) != 0)
			continue;
		expected = complaints[i].expected;
		where = complaints[i].where;
		break;
	}
	if (json_error_code(error) == json_error_premature_end_of_input) {
		where = AT_BYTE;
		place = w->end;
	}
	if (place > w->end)
		place = w->end;
	to = go_to_error(w, where, place);
	show_found(w, to, found);
	return fail(w, here(w), "expected %s, found %s", expected, found);
}

/* ----------------------------------------------------------------------- tree */

static int build(struct walk *w, const json_t *json, unsigned int depth, struct toml_value **ret);

/* The scan and the tree disagree: not expected of any text that jansson accepts. */
static int out_of_step(struct walk *w)
{
	return fail(w, here(w), "expected the text to match what jansson read, found otherwise");
}

static bool pass(struct walk *w, char c)
{
	skip_space(w);
	if (w->at == w->end || *w->at != c)
		return false;
	w->at++;
	skip_space(w);
	return true;
}

static int build_pair(struct walk *w, void *iter, unsigned int depth, struct toml_value *object)
{
	const char *key = json_object_iter_key(iter);
	unsigned int line = w->line;
	struct toml_value *value = NULL;
	int r;

	if (w->at == w->end || *w->at != '"')
		return out_of_step(w);
	skip_string(w);
	if (!pass(w, ':'))
		return out_of_step(w);
	r = build(w, json_object_iter_value(iter), depth, &value);
	if (r < 0)
		return r;
	r = toml_table_add(w->document, object, key, strlen(key), line, value);
	return r == -EEXIST ? out_of_step(w) : r;
}

static int fill_object(
	struct walk *w, const json_t *json, unsigned int depth, struct toml_value *object)
{
	json_t *members = (json_t *)json; /* jansson iterates over non-const objects only */
	void *iter = json_object_iter(members);

	if (!pass(w, '{'))
		return out_of_step(w);
	while (iter) {
		int r = build_pair(w, iter, depth, object);

		if (r < 0)
			return r;
		iter = json_object_iter_next(members, iter);
		if (iter && !pass(w, ','))
			return out_of_step(w);
	}
	return pass(w, '}') ? 0 : out_of_step(w);
}

static int fill_array(
	struct walk *w, const json_t *json, unsigned int depth, struct toml_value *array)
{
	size_t count = json_array_size(json);

	if (!pass(w, '['))
		return out_of_step(w);
	for (size_t i = 0; i < count; i++) {
		struct toml_value *element = NULL;
		int r = build(w, json_array_get(json, i), depth, &element);

		if (r == 0)
			r = toml_array_append(w->document, array, element);
		if (r < 0)
			return r;
		if (i + 1 < count && !pass(w, ','))
			return out_of_step(w);
	}
	return pass(w, ']') ? 0 : out_of_step(w);
}

static enum toml_type type_of(const json_t *json)
{
	static const enum toml_type types[] = {
		[JSON_OBJECT] = TOML_TABLE,
		[JSON_ARRAY] = TOML_ARRAY,
		[JSON_STRING] = TOML_STRING,
		[JSON_INTEGER] = TOML_INTEGER,
		[JSON_REAL] = TOML_FLOAT,
		[JSON_TRUE] = TOML_BOOLEAN,
		[JSON_FALSE] = TOML_BOOLEAN,
	};

	return types[json_typeof(json)];
}

static int fill_scalar(struct walk *w, const json_t *json, struct toml_value *value)
{
	int r = 0;

	switch (toml_type(value)) {
	case TOML_STRING:
		r = toml_set_string(
			w->document, value, json_string_value(json), json_string_length(json));
		break;
	case TOML_INTEGER:
		toml_set_integer(value, json_integer_value(json));
		break;
	case TOML_FLOAT:
		toml_set_float(value, json_real_value(json));
		break;
	default:
		toml_set_boolean(value, json_is_true(json));
	}
	skip_token(w);
	return r;
}

/* `depth` is that of what the value is in; the root is at 0. */
static int build(struct walk *w, const json_t *json, unsigned int depth, struct toml_value **ret)
{
	struct mark mark = here(w);
	struct toml_value *value;
	int r;

	if (json_is_null(json))
		return fail(w, mark, "expected a value, found null");
	value = toml_new(w->document, type_of(json), mark.line, mark.column);
	if (!value)
		return -ENOMEM;
	if (toml_type(value) < TOML_ARRAY)
		r = fill_scalar(w, json, value);
	else if (depth >= TOML_DEPTH_MAX)
		r = fail(w, mark, "expected at most %d levels of nesting, found more",
			TOML_DEPTH_MAX);
	else if (toml_type(value) == TOML_ARRAY)
		r = fill_array(w, json, depth + 1, value);
	else
		r = fill_object(w, json, depth + 1, value);
	if (r == 0)
		*ret = value;
	return r;
}

/* ------------------------------------------------------------------- document */

static void release_json(json_t **json)
{
	json_decref(*json);
}

static void release_document(struct toml_document **document)
{
	toml_free(*document);
}

static int no_memory(struct walk *w)
{
	fail(w, here(w), "out of memory");
	return -ENOMEM;
}

static int load(struct walk *w, json_t **ret)
{
	json_error_t error;

	if (w->end - w->start >= INT_MAX) /* jansson counts in int */
		return fail(w, here(w), "expected less than 2 GiB of text, found more");
	*ret = json_loadb(w->start, (size_t)(w->end - w->start),
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (*ret)
		return 0;
	return json_error_code(&error) == json_error_out_of_memory ? no_memory(w)
								   : refuse(w, &error);
}

static int build_document(struct walk *w, struct toml_document **ret)
{
	RV_CLEANUP(release_document) struct toml_document *document = NULL;
	RV_CLEANUP(release_json) json_t *json = NULL;
	int r = load(w, &json);

	if (r < 0)
		return r;
	skip_space(w);
	if (!json_is_object(json))
		return fail(w, here(w), "expected an object, found an array");
	w->document = document = toml_document_new();
	if (!document)
		return no_memory(w);
	r = fill_object(w, json, 0, toml_root_mutable(document));
	if (r < 0)
		return r == -ENOMEM ? no_memory(w) : r;
	*ret = rv_steal_ptr(&document);
	return 0;
}

int rv_json_parse(
	const char *text, size_t length, struct toml_document **ret, struct toml_error *err)
{
	struct toml_error ignored;
	struct walk w = {.line = 1, .err = err ? err : &ignored};

	w.start = length ? text : "";
	w.end = w.start + length;
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		w.start += 3;
	w.at = w.line_start = w.start;
	return build_document(&w, ret);
}
