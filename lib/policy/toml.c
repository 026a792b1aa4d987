/* SPDX-License-Identifier: MIT */
/*
 * The grammar of TOML 1.0: expressions, keys, headers, arrays, inline tables, and the rules on what
 * may be defined where. Tables and arrays remember how they came to be (enum toml_origin).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "policy/toml_private.h"

/* One part of a key. */
struct key {
	const char *text;
	size_t length;
	struct toml_mark mark;
	bool owned; /* lives as long as the document and ends in NUL; else points into the text */
};

/* Where keys go: a table, and its depth. */
struct scope {
	struct toml_value *table;
	unsigned int depth;
};

static int parse_value(struct toml_parser *p, unsigned int depth, struct toml_value **ret);

/* --------------------------------------------------------------------- pieces */

/* What a value is, for messages. */
static const char *describe(const struct toml_value *value)
{
	static const char *const scalars[] = {
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "an integer",
		[TOML_FLOAT] = "a float",
		[TOML_BOOLEAN] = "a boolean",
		[TOML_DATETIME] = "a date or time",
	};

	if (value->type == TOML_ARRAY)
		return value->origin == TOML_HEADER_ARRAY ? "an array of tables" : "an array";
	if (value->type != TOML_TABLE)
		return scalars[value->type];
	switch (value->origin) {
	case TOML_CLOSED:
		return "an inline table";
	case TOML_DOTTED:
		return "a table made by dotted keys";
	default:
		return "a table";
	}
}

/* `what` says what was expected of the key. */
static int conflict(
	struct toml_parser *p, const struct key *key, const struct toml_value *is, const char *what)
{
	return toml_fail(p, key->mark, "expected %s, but %s is %s since line %u", what,
		toml_show(key->text, key->length).text, describe(is), is->line);
}

static int check_depth(struct toml_parser *p, struct toml_mark mark, unsigned int depth)
{
	if (depth <= TOML_DEPTH_MAX)
		return 0;
	return toml_fail(
		p, mark, "expected at most %d levels of nesting, found more", TOML_DEPTH_MAX);
}

static struct toml_value *lookup(const struct toml_value *table, const struct key *key)
{
	struct toml_entry *entry = toml_find(table->as.table, key->text, key->length);

	return entry ? entry->value : NULL;
}

static int add(struct toml_parser *p, struct toml_value *table, const struct key *key,
	struct toml_value *value)
{
	if (key->owned)
		return toml_table_add_owned(
			p->document, table, key->text, key->length, key->mark.line, value);
	return toml_table_add(p->document, table, key->text, key->length, key->mark.line, value);
}

/* A new table or array under a new key. */
static int add_new(struct toml_parser *p, struct toml_value *table, const struct key *key,
	struct toml_mark mark, enum toml_type type, enum toml_origin origin,
	struct toml_value **ret)
{
	struct toml_value *value = toml_new(p->document, type, mark.line, mark.column);
	int r;

	if (!value)
		return -ENOMEM;
	value->origin = (unsigned char)origin;
	r = add(p, table, key, value);
	if (r < 0)
		return r;
	*ret = value;
	return 0;
}

/* ----------------------------------------------------------------------- keys */

static int parse_quoted_key(struct toml_parser *p, struct key *ret)
{
	int r = toml_read_string(p, true);

	if (r < 0)
		return r;
	ret->text = toml_copy(p->document, p->scratch, p->scratch_length);
	ret->length = p->scratch_length;
	ret->owned = true;
	return ret->text ? 0 : -ENOMEM;
}

static int parse_key(struct toml_parser *p, struct key *ret)
{
	int c = toml_peek(p, 0);

	*ret = (struct key){.text = p->at, .mark = toml_here(p)};
	if (c == '"' || c == '\'')
		return parse_quoted_key(p, ret);
	while (toml_is_bare(toml_peek(p, 0)))
		p->at++;
	ret->length = (size_t)(p->at - ret->text);
	return ret->length ? 0 : toml_expected(p, "a key");
}

/*
 * One part of a key and the white space after it. 1: and a dot, so that another part follows; the
 * cursor is at it then.
 */
static int parse_key_part(struct toml_parser *p, struct key *ret)
{
	int r = parse_key(p, ret);

	if (r < 0)
		return r;
	toml_skip_blanks(p);
	if (toml_peek(p, 0) != '.')
		return 0;
	p->at++;
	toml_skip_blanks(p);
	return 1;
}

/*
 * From a table to the one that a dotted key names below it. TOML wants what dotted keys make to be
 * written in one place. That needs no check: a later section could come here only from above, past
 * the table whose section it was, and that one has a header.
 */
static int descend_dotted(struct toml_parser *p, struct scope *scope, const struct key *key)
{
	struct toml_value *next = lookup(scope->table, key);
	int r = check_depth(p, key->mark, ++scope->depth);

	if (r < 0)
		return r;
	if (!next)
		r = add_new(p, scope->table, key, key->mark, TOML_TABLE, TOML_DOTTED, &next);
	else if (next->type != TOML_TABLE || next->origin == TOML_CLOSED ||
		 next->origin == TOML_HEADER)
		r = conflict(p, key, next, "a table that dotted keys can add to here");
	if (r < 0)
		return r;
	next->origin = TOML_DOTTED;
	scope->table = next;
	return 0;
}

/* key = value */
static int parse_pair(struct toml_parser *p, const struct scope *scope)
{
	struct scope in = *scope;
	struct toml_value *value = NULL;
	struct key key;
	int r;

	while ((r = parse_key_part(p, &key)) > 0) {
		r = descend_dotted(p, &in, &key);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (toml_peek(p, 0) != '=')
		return toml_expected(p, "'=' after the key");
	p->at++;
	toml_skip_blanks(p);
	if ((value = lookup(in.table, &key)))
		return conflict(p, &key, value, "a new key");
	r = parse_value(p, in.depth, &value);
	return r < 0 ? r : add(p, in.table, &key, value);
}

/* --------------------------------------------------------------------- values */

static int begin_container(
	struct toml_parser *p, enum toml_type type, unsigned int depth, struct toml_value **ret)
{
	struct toml_mark mark = toml_here(p);
	int r = check_depth(p, mark, depth);

	if (r < 0)
		return r;
	*ret = toml_new(p->document, type, mark.line, mark.column);
	p->at++;
	return *ret ? 0 : -ENOMEM;
}

static int expected_in_container(
	struct toml_parser *p, const struct toml_value *container, const char *close)
{
	bool array = container->type == TOML_ARRAY;
	struct toml_mark mark = toml_here(p);
	struct toml_error inner = {0}, *outer = p->err;
	int r;

	if (mark.line == container->line)
		return toml_expected(p, close);
	p->err = &inner;
	r = toml_expected(p, close);
	p->err = outer;
	toml_fail(p, mark, "%.90s (the %s begins on line %u)", inner.message,
		array ? "array" : "inline table", container->line);
	return r;
}

static int parse_array(struct toml_parser *p, unsigned int depth, struct toml_value **ret)
{
	struct toml_value *array = NULL, *element = NULL;
	int r = begin_container(p, TOML_ARRAY, depth, &array);

	while (r == 0 && (r = toml_skip_lines(p)) == 0 && toml_peek(p, 0) != ']') {
		if (toml_peek(p, 0) < 0)
			return expected_in_container(p, array, "a value or ']'");
		r = parse_value(p, depth, &element);
		if (r == 0)
			r = toml_array_append(p->document, array, element);
		if (r == 0)
			r = toml_skip_lines(p);
		if (r < 0 || toml_peek(p, 0) == ']')
			break;
		if (toml_peek(p, 0) != ',')
			return expected_in_container(p, array, "',' or ']'");
		p->at++;
	}
	if (r < 0)
		return r;
	p->at++;
	*ret = array;
	return 0;
}

static int parse_pairs_inline(struct toml_parser *p, const struct scope *scope)
{
	for (;;) {
		int r = parse_pair(p, scope);

		if (r < 0)
			return r;
		toml_skip_blanks(p);
		if (toml_peek(p, 0) == '}')
			return 0;
		if (toml_peek(p, 0) != ',')
			return expected_in_container(p, scope->table, "',' or '}'");
		p->at++;
		toml_skip_blanks(p);
	}
}

/* One line, no comma at the end; closed afterwards. */
static int parse_inline_table(struct toml_parser *p, unsigned int depth, struct toml_value **ret)
{
	struct scope scope = {.depth = depth};
	int r = begin_container(p, TOML_TABLE, depth, &scope.table);

	if (r < 0)
		return r;
	toml_skip_blanks(p);
	if (toml_peek(p, 0) != '}')
		r = parse_pairs_inline(p, &scope);
	if (r < 0)
		return r;
	p->at++;
	*ret = scope.table;
	return 0;
}

/* `depth` is that of what the value is in. */
static int parse_value(struct toml_parser *p, unsigned int depth, struct toml_value **ret)
{
	switch (toml_peek(p, 0)) {
	case '"':
	case '\'':
		return toml_parse_string(p, ret);
	case '[':
		return parse_array(p, depth + 1, ret);
	case '{':
		return parse_inline_table(p, depth + 1, ret);
	case 't':
	case 'f':
		return toml_parse_boolean(p, ret);
	default:
		if (p->at == p->end)
			return toml_expected(p, "a value");
		return toml_parse_number(p, ret);
	}
}

/* -------------------------------------------------------------------- headers */

/* One step on the way of a [header] to its table: an array of tables means its last one. */
static int descend_header(struct toml_parser *p, struct scope *scope, const struct key *key)
{
	struct toml_value *next = lookup(scope->table, key);
	int r = 0;

	scope->depth++;
	if (!next)
		r = add_new(p, scope->table, key, key->mark, TOML_TABLE, TOML_IMPLICIT, &next);
	else if (next->type < TOML_ARRAY || next->origin == TOML_CLOSED)
		r = conflict(p, key, next, "a table");
	if (r < 0)
		return r;
	if (next->type == TOML_ARRAY) {
		next = next->as.array->items[next->as.array->count - 1];
		scope->depth++;
	}
	scope->table = next;
	return check_depth(p, key->mark, scope->depth);
}

/* [table] */
static int define_table(
	struct toml_parser *p, struct scope *scope, const struct key *key, struct toml_mark begin)
{
	struct toml_value *table = lookup(scope->table, key);
	int r = 0;

	if (!table)
		r = add_new(p, scope->table, key, begin, TOML_TABLE, TOML_HEADER, &table);
	else if (table->type != TOML_TABLE || table->origin != TOML_IMPLICIT)
		r = conflict(p, key, table, "a new table");
	if (r < 0)
		return r;
	table->origin = TOML_HEADER;
	table->line = begin.line;
	table->column = begin.column;
	scope->table = table;
	scope->depth++;
	return check_depth(p, key->mark, scope->depth);
}

/* [[table]] */
static int append_table(
	struct toml_parser *p, struct scope *scope, const struct key *key, struct toml_mark begin)
{
	struct toml_value *array = lookup(scope->table, key), *table;
	int r = 0;

	if (!array)
		r = add_new(p, scope->table, key, begin, TOML_ARRAY, TOML_HEADER_ARRAY, &array);
	else if (array->type != TOML_ARRAY || array->origin != TOML_HEADER_ARRAY)
		r = conflict(p, key, array, "an array of tables");
	if (r < 0)
		return r;
	table = toml_new(p->document, TOML_TABLE, begin.line, begin.column);
	if (!table)
		return -ENOMEM;
	table->origin = TOML_HEADER;
	scope->table = table;
	scope->depth += 2;
	r = toml_array_append(p->document, array, table);
	return r < 0 ? r : check_depth(p, key->mark, scope->depth);
}

static int parse_header(struct toml_parser *p, struct scope *ret)
{
	struct scope scope = {.table = toml_root_mutable(p->document)};
	struct toml_mark begin = toml_here(p);
	bool array = toml_peek(p, 1) == '[';
	struct key key;
	int r;

	p->at += array ? 2 : 1;
	toml_skip_blanks(p);
	while ((r = parse_key_part(p, &key)) > 0) {
		r = descend_header(p, &scope, &key);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (toml_peek(p, 0) != ']' || (array && toml_peek(p, 1) != ']'))
		return toml_expected(
			p, array ? "']]' after the table's name" : "']' after the table's name");
	p->at += array ? 2 : 1;
	r = array ? append_table(p, &scope, &key, begin) : define_table(p, &scope, &key, begin);
	if (r == 0)
		*ret = scope;
	return r;
}

/* ------------------------------------------------------------------- document */

static int parse_expression(struct toml_parser *p, struct scope *scope)
{
	bool header = toml_peek(p, 0) == '[';
	int r = header ? parse_header(p, scope) : parse_pair(p, scope);

	if (r < 0)
		return r;
	toml_skip_blanks(p);
	r = toml_skip_comment(p);
	if (r < 0 || p->at == p->end || toml_skip_newline(p))
		return r;
	return toml_expected(p, header ? "the end of the line after the header"
				       : "the end of the line after the value");
}

static int parse_document(struct toml_parser *p)
{
	struct scope scope = {.table = toml_root_mutable(p->document)};
	int r = toml_skip_lines(p);

	while (r == 0 && p->at < p->end) {
		r = parse_expression(p, &scope);
		if (r == 0)
			r = toml_skip_lines(p);
	}
	return r;
}

static void skip_byte_order_mark(struct toml_parser *p)
{
	if (p->end - p->at >= 3 && memcmp(p->at, "\xef\xbb\xbf", 3) == 0)
		p->at += 3;
	p->line_start = p->at;
}

static int parse_text(struct toml_parser *p)
{
	int r;

	/* Lines, columns and the numbers of keys are 32 bits wide. */
	if ((uint64_t)(p->end - p->at) >= UINT32_MAX)
		return toml_fail(p, toml_here(p), "expected less than 4 GiB of text, found more");
	skip_byte_order_mark(p);
	r = parse_document(p);
	free(p->scratch);
	if (p->c_locale)
		freelocale(p->c_locale);
	if (r == -ENOMEM)
		toml_fail(p, toml_here(p), "out of memory");
	return r;
}

int toml_parse(const char *text, size_t length, struct toml_document **ret, struct toml_error *err)
{
	struct toml_error ignored;
	struct toml_parser p = {.line = 1, .err = err ? err : &ignored};
	int r;

	p.at = p.line_start = length ? text : "";
	p.end = p.at + length;
	p.document = toml_document_new();
	if (p.document)
		toml_expect(p.document, length);
	if (!p.document) {
		toml_fail(&p, toml_here(&p), "out of memory");
		return -ENOMEM;
	}
	r = parse_text(&p);
	if (r < 0) {
		toml_free(p.document);
		return r;
	}
	*ret = p.document;
	return 0;
}
