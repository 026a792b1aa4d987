/* SPDX-License-Identifier: MIT */
/* The TOML parser: tables of documents, places, limits, memory, and the functions that build. */
#include "policy/toml.h"
#include "tap.h"
#include "tree_dump.h"
#include "toml_valid.h"
#include "toml_invalid.h"

/* ---------------------------------------------------------------- the tables */

/* Parses a copy that has nothing behind it, so that ASan sees every step too far. */
static int parse(
	const char *text, size_t length, struct toml_document **ret, struct toml_error *err)
{
	char *copy = malloc(length ? length : 1);
	int r;

	CHECK(copy);
	memcpy(copy, text, length);
	r = toml_parse(copy, length, ret, err);
	free(copy);
	return r;
}

static struct toml_document *must_parse(const char *text)
{
	struct toml_document *document = NULL;
	struct toml_error err;

	if (parse(text, strlen(text), &document, &err) < 0) {
		printf("# %u:%u: %s\n", err.line, err.column, err.message);
		CHECK(!"valid");
	}
	return document;
}

static const struct toml_value *get(const struct toml_document *document, const char *key)
{
	const struct toml_value *value = toml_table_get(toml_root(document), key);

	CHECK(value);
	return value;
}

static void check_valid(const struct valid_case *c)
{
	struct toml_document *document = must_parse(c->text);
	char *tree = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&tree, &size);

	CHECK(out);
	dump_tree(out, toml_root(document));
	fclose(out);
	CHECK_STR(tree, c->tree);
	free(tree);
	toml_free(document);
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

static void check_invalid(const struct invalid_case *c)
{
	struct toml_document *document = (void *)-1;
	struct toml_error err = {0};
	int r = parse(c->text, c->length ? c->length : strlen(c->text), &document, &err);

	if (r != -EINVAL || err.line != c->line || err.column != c->column ||
		!strstr(err.message, c->says)) {
		printf("# %d %u:%u: %s; wanted %u:%u: %s\n", r, err.line, err.column, err.message,
			c->line, c->column, c->says);
		CHECK(!"refused as wanted");
	}
	CHECK(printable(err.message));
	CHECK(document == (void *)-1);
	CHECK(parse(c->text, c->length ? c->length : strlen(c->text), &document, NULL) == -EINVAL);
}

/* All cases of a table: each failure is shown before the test fails. */
#define RUN_TABLE(table, check)                                                                    \
	static void table##_cases(void)                                                            \
	{                                                                                          \
		for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) {                  \
			printf("# " #table "[%zu]\n", i);                                          \
			check(&(table)[i]);                                                        \
		}                                                                                  \
	}

RUN_TABLE(valid_document, check_valid)
RUN_TABLE(valid_keys, check_valid)
RUN_TABLE(valid_strings, check_valid)
RUN_TABLE(valid_integers, check_valid)
RUN_TABLE(valid_floats, check_valid)
RUN_TABLE(valid_booleans, check_valid)
RUN_TABLE(valid_dates, check_valid)
RUN_TABLE(valid_arrays, check_valid)
RUN_TABLE(valid_inline, check_valid)
RUN_TABLE(valid_tables, check_valid)
RUN_TABLE(valid_arrays_of_tables, check_valid)
RUN_TABLE(invalid_document, check_invalid)
RUN_TABLE(invalid_keys, check_invalid)
RUN_TABLE(invalid_strings, check_invalid)
RUN_TABLE(invalid_numbers, check_invalid)
RUN_TABLE(invalid_dates, check_invalid)
RUN_TABLE(invalid_arrays, check_invalid)
RUN_TABLE(invalid_inline, check_invalid)
RUN_TABLE(invalid_tables, check_invalid)
RUN_TABLE(invalid_arrays_of_tables, check_invalid)

/* Cutting a valid document anywhere gives a document or an error, and nothing else. */
static void every_prefix(void)
{
	static const char text[] =
		"a.\"b\"=[1,2.5,'x',{c=\"\\u00e9\",d=1979-05-27T07:32:00.5+01:00}]#c\r\n"
		"[t . u]\nm=\"\"\"\nx\\\n y\"\"\"\nn='''z'''\n[[v]]\ni=inf\nt=true\nh=0xff\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct toml_document *document = NULL;
		struct toml_error err = {0};

		if (parse(text, n, &document, &err) == 0)
			toml_free(document);
		else
			CHECK(err.line >= 1 && err.column >= 1 && err.message[0]);
	}
}

/* --------------------------------------------------------------------- places */

static void check_place(const struct toml_value *value, unsigned int line, unsigned int column)
{
	CHECK(value);
	CHECK_EQ(toml_line(value), line);
	CHECK_EQ(toml_column(value), column);
}

static void places_of_values(void)
{
	struct toml_document *d = must_parse("a = 1\n  b.c = [\n 2,\n   'x', {d =  3}]\n"
					     "  [t]\nk=\"\"\"\n\n\"\"\"\nl=1e5\n[[q]]\n\n[[q]]\n");
	const struct toml_value *b = get(d, "b"), *c = toml_table_get(b, "c"), *t = get(d, "t");

	check_place(toml_root(d), 1, 1);
	check_place(get(d, "a"), 1, 5);
	check_place(b, 2, 3);
	check_place(c, 2, 9);
	check_place(toml_array_at(c, 0), 3, 2);
	check_place(toml_array_at(c, 1), 4, 4);
	check_place(toml_array_at(c, 2), 4, 9);
	check_place(toml_table_get(toml_array_at(c, 2), "d"), 4, 15);
	check_place(t, 5, 3);
	check_place(toml_table_get(t, "k"), 6, 3);
	check_place(toml_table_get(t, "l"), 9, 3);
	check_place(get(d, "q"), 10, 1);
	check_place(toml_array_at(get(d, "q"), 0), 10, 1);
	check_place(toml_array_at(get(d, "q"), 1), 12, 1);
	CHECK_EQ(toml_table_key_line(toml_root(d), 0), 1);
	CHECK_EQ(toml_table_key_line(toml_root(d), 1), 2);
	CHECK_EQ(toml_table_key_line(t, 1), 9);
	CHECK_EQ(toml_table_key_line(t, 2), 0);
	toml_free(d);
}

/* A table that got its header after its children is where its header is. */
static void places_of_tables(void)
{
	struct toml_document *d = must_parse("[a.b]\n[c.d]\n [a]\n");

	check_place(get(d, "a"), 3, 2);
	check_place(toml_table_get(get(d, "a"), "b"), 1, 1);
	check_place(get(d, "c"), 2, 2);
	toml_free(d);
}

/* Columns count bytes; a byte order mark and carriage returns do not shift anything. */
static void places_in_odd_text(void)
{
	struct toml_document *d = must_parse("\xef\xbb\xbf"
					     "a=1\r\n\"\xc3\xa9\"=2\r\n\tb=3");

	check_place(get(d, "a"), 1, 3);
	check_place(get(d, "\xc3\xa9"), 2, 6);
	check_place(get(d, "b"), 3, 4);
	toml_free(d);
}

/* ------------------------------------------------------------------ accessors */

static void accessors(void)
{
	struct toml_document *d = must_parse("s='x'\ni=1\nf=1.5\nb=true\nd=07:00:00\na=[1]\n[t]\n");
	static const char *const names[] = {
		"string", "integer", "float", "boolean", "date or time", "array", "table"};
	const struct toml_value *root = toml_root(d);
	size_t length = 9;

	CHECK_EQ(toml_table_count(root), 7);
	for (size_t i = 0; i < 7; i++) {
		const struct toml_value *value = toml_table_at(root, i, NULL, NULL);

		CHECK_STR(toml_type_name(toml_type(value)), names[i]);
		/* Of another type, accessors give nothing rather than rubbish. */
		CHECK((i == 0) == (toml_string(value, NULL)[0] != '\0'));
		CHECK((i == 1) == (toml_integer(value) != 0));
		CHECK((i == 2) == (toml_float(value) != 0));
		CHECK((i == 3) == toml_boolean(value));
		CHECK((i == 4) == toml_datetime(value).has_time);
		CHECK((i == 5) == (toml_array_at(value, 0) != NULL));
		CHECK(i == 6 || toml_table_get(value, "x") == NULL);
		CHECK(i == 6 || toml_table_count(value) == 0);
	}
	CHECK_STR(toml_type_name((enum toml_type)99), "value");
	CHECK(toml_table_at(root, 7, NULL, NULL) == NULL);
	CHECK(toml_array_at(get(d, "a"), 1) == NULL);
	CHECK(toml_table_get(root, "none") == NULL);
	toml_string(get(d, "i"), &length);
	CHECK_EQ(length, 0);
	toml_free(d);
	toml_free(NULL);
}

static void strings_hold_nul(void)
{
	struct toml_document *d = must_parse("\"k\\u0000y\"=\"a\\u0000b\"\n");
	const char *key, *text;
	size_t key_length, length;
	const struct toml_value *value = toml_table_at(toml_root(d), 0, &key, &key_length);

	CHECK_EQ(key_length, 3);
	CHECK(memcmp(key, "k\0y", 4) == 0);
	text = toml_string(value, &length);
	CHECK_EQ(length, 3);
	CHECK(memcmp(text, "a\0b", 4) == 0);
	CHECK(toml_table_get(toml_root(d), "k") == NULL);
	toml_free(d);
}

/* --------------------------------------------------------------------- limits */

/* before × n, middle, after × n */
static int parse_nested(
	const char *before, const char *middle, const char *after, int n, struct toml_error *err)
{
	struct toml_document *document = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	CHECK(out);
	fputs(before[0] == '[' || before[0] == '{' ? "a=" : "", out);
	for (int i = 0; i < n; i++)
		fputs(before, out);
	fputs(middle, out);
	for (int i = 0; i < n; i++)
		fputs(after, out);
	fclose(out);
	r = parse(text, size, &document, err);
	free(text);
	if (r == 0)
		toml_free(document);
	return r;
}

static void nesting(void)
{
	static const struct {
		const char *before, *middle, *after;
		int most;
	} cases[] = {
		{"[", "1", "]", TOML_DEPTH_MAX},
		{"{a=", "1", "}", TOML_DEPTH_MAX},
		{"[{a=", "1", "}]", TOML_DEPTH_MAX / 2},
		{"a.", "a=1", "", TOML_DEPTH_MAX},
		{"{a.a=", "1", "}", TOML_DEPTH_MAX / 2},
	};
	struct toml_error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("# %s\n", cases[i].before);
		CHECK_EQ(parse_nested(cases[i].before, cases[i].middle, cases[i].after,
				 cases[i].most, &err),
			0);
		CHECK_EQ(parse_nested(cases[i].before, cases[i].middle, cases[i].after,
				 cases[i].most + 1, &err),
			-EINVAL);
		CHECK(strstr(err.message, "at most 128 levels of nesting"));
		/* Far too deep is no other matter: no recursion gets that far. */
		CHECK_EQ(parse_nested(
				 cases[i].before, cases[i].middle, cases[i].after, 1000000, &err),
			-EINVAL);
		CHECK(strstr(err.message, "at most 128 levels of nesting"));
	}
}

/* [a.a…], [[a.a…]], and values below a deep header: all levels add up. */
static void nesting_of_headers(void)
{
	char path[1024] = "a", text[2048];
	struct toml_document *d = NULL;
	struct toml_error err = {0};

	for (int i = 1; i < TOML_DEPTH_MAX - 1; i++)
		strcat(path, ".a"); /* 127 levels */
	snprintf(text, sizeof(text), "[%s]\nx=[1]\n", path);
	toml_free(must_parse(text));
	snprintf(text, sizeof(text), "[%s]\nx=[[1]]\n", path);
	CHECK_EQ(parse(text, strlen(text), &d, &err), -EINVAL);
	snprintf(text, sizeof(text), "[%s.b.c]\n", path);
	CHECK_EQ(parse(text, strlen(text), &d, &err), -EINVAL);
	snprintf(text, sizeof(text), "[[%s]]\n", path);
	toml_free(must_parse(text));
	snprintf(text, sizeof(text), "[[%s.b]]\n", path);
	CHECK_EQ(parse(text, strlen(text), &d, &err), -EINVAL);
	CHECK(strstr(err.message, "at most 128 levels of nesting"));
}

static void many_keys(void)
{
	enum { MANY = 20000 };
	struct toml_document *d;
	char *text = NULL, key[32];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "k%d=%d\n", i, i);
	fclose(out);
	d = must_parse(text);
	free(text);
	CHECK_EQ(toml_table_count(toml_root(d)), MANY);
	for (int i = 0; i < MANY; i++) {
		const char *found;

		snprintf(key, sizeof(key), "k%d", i);
		CHECK_EQ(toml_integer(get(d, key)), i);
		CHECK_EQ(toml_integer(toml_table_at(toml_root(d), (size_t)i, &found, NULL)), i);
		CHECK_STR(found, key);
	}
	CHECK(!toml_table_get(toml_root(d), "k20000"));
	toml_free(d);
}

/* A duplicate is found whatever the size of the table: around where the index begins and grows. */
static void duplicates_in_tables_of_any_size(void)
{
	for (int n = 1; n < 70; n++) {
		char text[1024] = "";
		struct toml_document *d = NULL;
		struct toml_error err = {0};

		for (int i = 0; i < n; i++)
			sprintf(text + strlen(text), "k%d=1\n", i);
		sprintf(text + strlen(text), "k%d=2\n", n / 2);
		CHECK_EQ(parse(text, strlen(text), &d, &err), -EINVAL);
		CHECK_EQ(err.line, n + 1);
	}
}

static void long_things(void)
{
	enum { LONG = 300000 };
	char *text = malloc(LONG + 16);
	struct toml_document *d = NULL;
	struct toml_error err;
	size_t length;

	CHECK(text);
	memset(text, 'x', LONG + 16);
	memcpy(text, "a=\"", 3);
	text[LONG] = '"';
	CHECK_EQ(parse(text, LONG + 1, &d, &err), 0);
	toml_string(get(d, "a"), &length);
	CHECK_EQ(length, LONG - 3);
	toml_free(d);
	memset(text, '1', LONG);
	memcpy(text, "a=", 2);
	CHECK_EQ(parse(text, LONG, &d, &err), -EINVAL);
	CHECK(strstr(err.message, "64 bits, found '1111"));
	text[LONG - 2] = '.';
	CHECK_EQ(parse(text, LONG, &d, &err), 0);
	CHECK(isinf(toml_float(get(d, "a"))));
	toml_free(d);
	free(text);
}

/* ------------------------------------------------------------------- building */

static void building(void)
{
	struct toml_document *d = toml_document_new();
	struct toml_value *root = toml_root_mutable(d), *array, *value;

	CHECK(d && root == toml_root(d));
	array = toml_new(d, TOML_ARRAY, 2, 3);
	CHECK_EQ(toml_table_add(d, root, "k\0y", 3, 2, array), 0);
	CHECK_EQ(toml_table_add(d, root, "k\0y", 3, 9, array), -EEXIST);
	CHECK_EQ(toml_table_add(d, root, "k", 1, 2, toml_new(d, TOML_TABLE, 2, 4)), 0);
	value = toml_new(d, TOML_STRING, 4, 5);
	CHECK_STR(toml_string(value, NULL), "");
	CHECK_EQ(toml_set_string(d, value, "x\0y", 3), 0);
	CHECK_EQ(toml_array_append(d, array, value), 0);
	value = toml_new(d, TOML_INTEGER, 4, 6);
	toml_set_integer(value, -7);
	CHECK_EQ(toml_array_append(d, array, value), 0);
	value = toml_new(d, TOML_FLOAT, 4, 7);
	toml_set_float(value, 2.5);
	CHECK_EQ(toml_array_append(d, array, value), 0);
	value = toml_new(d, TOML_BOOLEAN, 4, 8);
	toml_set_boolean(value, true);
	CHECK_EQ(toml_array_append(d, array, value), 0);
	CHECK_EQ(toml_array_count(array), 4);
	CHECK_EQ(toml_integer(toml_array_at(array, 1)), -7);
	CHECK(toml_float(toml_array_at(array, 2)) == 2.5);
	CHECK(toml_boolean(toml_array_at(array, 3)));
	check_place(toml_array_at(array, 3), 4, 8);
	CHECK_EQ(toml_table_key_line(root, 0), 2);
	toml_free(d);
}

/* --------------------------------------------------------------------- memory */

/* The linker sends the parser's allocations here (--wrap); `fail_at` counts down to the failure. */
static long fail_at = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

/* Enough to need several chunks, an index, large arrays and the scratch string. */
static char *large_document(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	for (int i = 0; i < 400; i++)
		fprintf(out, "k%d=[%d,1.5,07:00:00,{x.y='%*s'}]\n", i, i, i * 4, "");
	for (int i = 0; i < 400; i++)
		fprintf(out, "[[t]]\n\"a\"=\"b\"\n[[t.u.\"v\"]]\n");
	fclose(out);
	return text;
}

static void memory_runs_out(void)
{
	char *text = large_document();
	size_t length = strlen(text);
	long failures = 0;
	int r = -ENOMEM;

	for (long n = 0; r == -ENOMEM; n++) {
		struct toml_document *d = (void *)-1;
		struct toml_error err = {0};

		fail_at = n;
		r = toml_parse(text, length, &d, &err);
		fail_at = -1;
		if (r == 0) {
			toml_free(d);
			break;
		}
		CHECK(d == (void *)-1);
		CHECK_STR(err.message, "out of memory");
		failures++;
	}
	CHECK_EQ(r, 0);
	CHECK(failures > 8);
	free(text);
}

#define CASE(fn)                                                                                   \
	{                                                                                          \
#fn, fn                                                                            \
	}

int main(void)
{
	static const struct tap_case cases[] = {
		CASE(valid_document_cases),
		CASE(valid_keys_cases),
		CASE(valid_strings_cases),
		CASE(valid_integers_cases),
		CASE(valid_floats_cases),
		CASE(valid_booleans_cases),
		CASE(valid_dates_cases),
		CASE(valid_arrays_cases),
		CASE(valid_inline_cases),
		CASE(valid_tables_cases),
		CASE(valid_arrays_of_tables_cases),
		CASE(invalid_document_cases),
		CASE(invalid_keys_cases),
		CASE(invalid_strings_cases),
		CASE(invalid_numbers_cases),
		CASE(invalid_dates_cases),
		CASE(invalid_arrays_cases),
		CASE(invalid_inline_cases),
		CASE(invalid_tables_cases),
		CASE(invalid_arrays_of_tables_cases),
		CASE(every_prefix),
		CASE(places_of_values),
		CASE(places_of_tables),
		CASE(places_in_odd_text),
		CASE(accessors),
		CASE(strings_hold_nul),
		CASE(nesting),
		CASE(nesting_of_headers),
		CASE(many_keys),
		CASE(duplicates_in_tables_of_any_size),
		CASE(long_things),
		CASE(building),
		CASE(memory_runs_out),
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
