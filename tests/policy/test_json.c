/* SPDX-License-Identifier: MIT */
/* JSON into the tree: values, places, and every way of being refused. */
#include "policy/json.h"
#include "tap.h"
#include "tree_dump.h"

/* Parses a copy that has nothing behind it, so that ASan sees every step too far. */
static int parse(
	const char *text, size_t length, struct toml_document **ret, struct toml_error *err)
{
	char *copy = malloc(length ? length : 1);
	int r;

	CHECK(copy);
	memcpy(copy, text, length);
	r = rv_json_parse(copy, length, ret, err);
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

/* --------------------------------------------------------------------- values */

static const struct {
	const char *text, *tree;
} valid[] = {
	{"{}", "{}"},
	{" \t\r\n{ } \n", "{}"},
	{"\xef\xbb\xbf{}", "{}"},
	{"{\"a\":1}", "{a=1}"},
	{"{\"b\":1,\"a\":2,\"c\":3}", "{b=1, a=2, c=3}"},
	{"{\"pathBeneath\":[{\"parent\":[\"/usr\"]}]}", "{'pathBeneath'=[{parent=['/usr']}]}"},
	{"{\"\":0}", "{''=0}"},
	{"{\"a\":[]}", "{a=[]}"},
	{"{\"a\":[ ]}", "{a=[]}"},
	{"{\"a\":[1,[2,[3]],{}]}", "{a=[1, [2, [3]], {}]}"},
	{"{\"a\":{\"b\":{\"c\":{}}}}", "{a={b={c={}}}}"},
	{"{\"a\":true,\"b\":false}", "{a=true, b=false}"},
	{"{\"a\":0,\"b\":-0,\"c\":-17}", "{a=0, b=0, c=-17}"},
	{"{\"a\":9223372036854775807}", "{a=9223372036854775807}"},
	{"{\"a\":-9223372036854775808}", "{a=-9223372036854775808}"},
	{"{\"a\":1.5,\"b\":1e3,\"c\":-2E-2}", "{a=~1.5, b=~1000, c=~-0.02}"},
	{"{\"a\":\"\"}", "{a=''}"},
	{"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{a='\"\\x5c/\\x08\\x0c\\x0a\\x0d\\x09'}"},
	{"{\"a\":\"\\u00e9\\ud83d\\ude00\"}", "{a='\\xc3\\xa9\\xf0\\x9f\\x98\\x80'}"},
	{"{\"a\":\"\\u0000b\"}", "{a='\\x00b'}"},
	{"{\"a\":\"\xc3\xa9\x7f\"}", "{a='\\xc3\\xa9\\x7f'}"},
	{"{\"\\u0061\\\"\":1}", "{'a\"'=1}"},
	{"{\"a\":\"}]{[,:\\\"\",\"b\":2}", "{a='}]{[,:\"', b=2}"},
	{"{\"a\":\"\\\\\",\"b\":2}", "{a='\\x5c', b=2}"},
	{"{\"a\\\\\":\"b\\\\\\\"\"}", "{'a\\x5c'='b\\x5c\"'}"},
	{"{\"a\":1,\"A\":2}", "{a=1, 'A'=2}"},
	{"{\"1\":1,\"10\":2,\"9\":3}", "{1=1, 10=2, 9=3}"},
};

static void trees(void)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		struct toml_document *document = must_parse(valid[i].text);
		char *tree = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&tree, &size);

		CHECK(out);
		dump_tree(out, toml_root(document));
		fclose(out);
		CHECK_STR(tree, valid[i].tree);
		free(tree);
		toml_free(document);
	}
}

/* --------------------------------------------------------------------- places */

static void check_place(const struct toml_value *value, unsigned int line, unsigned int column)
{
	CHECK(value);
	CHECK_EQ(toml_line(value), line);
	CHECK_EQ(toml_column(value), column);
}

static void places(void)
{
	struct toml_document *d =
		must_parse("{\n  \"a\" : 1,\r\n\t\"b\"\n:\n [\"x\\n\",  {\"c\" :\n"
			   "true}, -1.5e3 ] , \"\xc3\xa9\":{},\n\"d\":\"\"}\n");
	const struct toml_value *root = toml_root(d), *b = toml_table_get(root, "b");
	const struct toml_value *object = toml_array_at(b, 1);

	check_place(toml_table_get(root, "a"), 2, 9);
	check_place(b, 5, 2);
	check_place(toml_array_at(b, 0), 5, 3);
	check_place(object, 5, 11);
	check_place(toml_table_get(object, "c"), 6, 1);
	check_place(toml_array_at(b, 2), 6, 8);
	check_place(toml_table_get(root, "\xc3\xa9"), 6, 24);
	check_place(toml_table_get(root, "d"), 7, 5);
	CHECK_EQ(toml_table_key_line(root, 0), 2);
	CHECK_EQ(toml_table_key_line(root, 1), 3);
	CHECK_EQ(toml_table_key_line(root, 2), 6);
	CHECK_EQ(toml_table_key_line(root, 3), 7);
	CHECK_EQ(toml_table_key_line(object, 0), 5);
	toml_free(d);
}

/* Every element of a long document is where it was written: the walk stays in step. */
static void places_in_a_long_text(void)
{
	enum { MANY = 5000 };
	struct toml_document *d;
	char *text = NULL, key[64];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "%c\"k\\\"%d\":\n%*s[%d]", i ? ',' : '{', i, i % 7, "", i);
	fputc('}', out);
	fclose(out);
	d = must_parse(text);
	for (int i = 0; i < MANY; i++) {
		const struct toml_value *value;

		snprintf(key, sizeof(key), "k\"%d", i);
		value = toml_table_get(toml_root(d), key);
		check_place(value, (unsigned int)i + 2, (unsigned int)(i % 7) + 1);
		CHECK_EQ(toml_integer(toml_array_at(value, 0)), i);
	}
	free(text);
	toml_free(d);
}

/* --------------------------------------------------------------------- errors */

/* A text with NUL in it. */
#define WITH_NUL(text, line, column, says)                                                         \
	{                                                                                          \
		text, line, column, says, sizeof(text) - 1                                         \
	}

static const struct {
	const char *text;
	unsigned int line, column;
	const char *says;
	size_t length; /* 0: strlen(text) */
} invalid[] = {
	{"", 1, 1, "an object, found the end of the file"},
	{" \n ", 2, 2, "an object, found the end of the file"},
	{"x", 1, 1, "an object, found 'x'"},
	{"1", 1, 1, "an object, found '1'"},
	{"\"s\"", 1, 1, "an object, found \"s\""},
	{"null", 1, 1, "an object, found 'null'"},
	{"\n [1]", 2, 2, "an object, found an array"},
	{"{", 1, 2, "a key in double quotes, or '}', found the end of the file"},
	{"{\"a\"", 1, 5, "':' after the key, found the end of the file"},
	{"{\"a\":", 1, 6, "a value, found the end of the file"},
	{"{\"a\":1", 1, 7, "',' or '}', found the end of the file"},
	{"{\"a\":[1", 1, 8, "',' or ']', found the end of the file"},
	{"{\n\"a\":[1\n", 3, 1, "found the end of the file"},
	{"{\"a\" 1}", 1, 6, "':' after the key, found '1'"},
	{"{\"a\"=1}", 1, 5, "':' after the key, found '="},
	{"{\"a\":1 \"b\":2}", 1, 8, "',' or '}', found \"b\""},
	{"{\"a\":1,}", 1, 8, "a key in double quotes, or '}', found '}'"},
	{"{,}", 1, 2, "a key in double quotes, or '}', found ','"},
	{"{\"a\":[1,]}", 1, 9, "a value, found ']'"},
	{"{\"a\":[1 2]}", 1, 9, "',' or ']', found '2'"},
	{"{\"a\":[1}", 1, 8, "',' or ']', found '}'"},
	{"{a:1}", 1, 2, "a key in double quotes, or '}', found 'a'"},
	{"{'a':1}", 1, 2, "a key in double quotes, or '}'"},
	{"{1:2}", 1, 2, "a key in double quotes, or '}', found '1'"},
	{"{\"a\":foo}", 1, 6, "a value, found 'foo'"},
	{"{\"a\":True}", 1, 6, "a value, found 'True'"},
	{"{\"a\":}", 1, 6, "a value, found '}'"},
	{"{\"a\":1} x", 1, 9, "the end of the file, found 'x'"},
	{"{}{}", 1, 3, "the end of the file, found '{'"},
	{"{} // c", 1, 4, "the end of the file"},
	WITH_NUL("{}\0", 1, 3, "the end of the file, found control character 0x00"),
	{"{\"a\":01}", 1, 6, "a value, found '01'"},
	{"{\"a\":+1}", 1, 6, "a value, found '+1'"},
	{"{\"a\":.5}", 1, 6, "a value, found '.5'"},
	{"{\"a\":1.}", 1, 6, "a value, found '1.'"},
	{"{\"a\":-}", 1, 6, "a value, found '-'"},
	{"{\"a\":0x10}", 1, 6, "',' or '}'"},
	{"{\"a\":NaN}", 1, 6, "a value, found 'NaN'"},
	{"{\n\"a\":\n 9223372036854775808}", 3, 2,
		"an integer of 64 bits, found '9223372036854775808'"},
	{"{\"a\":-9223372036854775809}", 1, 6,
		"an integer of 64 bits, found '-9223372036854775809'"},
	{"{\"a\":99999999999999999999999999999999999999999999999999999999999999999999}", 1, 6,
		"an integer of 64 bits, found '9999"},
	{"{\"a\":1e999}", 1, 6, "a number that fits a double, found '1e999'"},
	{"{\"a\":null}", 1, 6, "a value, found null"},
	{"{\"a\":[1,\n {\"b\":\nnull}]}", 3, 1, "a value, found null"},
	{"{\"a\":1,\n  \"a\":2}", 2, 3, "a key that is new in its object, found \"a\""},
	{"{\"a\":{\"b\":1,\"b\":1}}", 1, 13, "a key that is new in its object, found \"b\""},
	{"{\"a\":1,\"\\u0061\":2}", 1, 8, "a key that is new in its object"},
	{"{\"a\\u0000\":1}", 1, 2, "a key without NUL"},
	{"{\"a\":\"x\\q\"}", 1, 8, "one of"},
	{"{\"a\":\"\n\"}", 1, 7, "'\"' to end the string, found the end of the line"},
	{"{\"a\":\"x", 1, 8, "'\"' to end the string, found the end of the file"},
	{"{\"a\":\"\t\"}", 1, 7, "the text of a string, found control character 0x09"},
	{"{\"a\":\"x\x01\"}", 1, 8, "control character 0x01"},
	WITH_NUL("{\"a\":\"x\0\"}", 1, 8, "control character 0x00"),
	{"{\"a\":\"\\u12\"}", 1, 7, "one of"},
	{"{\"a\":\"\\ud800\"}", 1, 7, "an escape for a Unicode scalar value, found '\\\\ud800'"},
	{"{\"a\":\"\\udc00\"}", 1, 7, "an escape for a Unicode scalar value"},
	{"{\"a\":\"\\ud800\\u0041\"}", 1, 13, "an escape for a Unicode scalar value"},
	{"{\"a\":\"x\xff\"}", 1, 8, "UTF-8, found '\\xff'"},
	{"{\"a\":\"\xed\xa0\x80\"}", 1, 7, "UTF-8, found '\\xed'"},
	{"{\"a\":\"\xc0\xaf\"}", 1, 7, "UTF-8"},
	{"\xff", 1, 1, "UTF-8, found '\\xff'"},
	{"{\n\n\"a\":\"x\xc3", 3, 7, "UTF-8, found '\\xc3'"},
	{"{\"\x1b[31m\":1}", 1, 3, "control character 0x1b"},
};

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void refusals(void)
{
	bool failed = false;

	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		size_t length = invalid[i].length ? invalid[i].length : strlen(invalid[i].text);
		struct toml_document *document = (void *)-1;
		struct toml_error err = {0};
		int r = parse(invalid[i].text, length, &document, &err);

		CHECK(printable(err.message));
		CHECK(document == (void *)-1);
		CHECK_EQ(parse(invalid[i].text, length, &document, NULL), r);
		if (r == -EINVAL && err.line == invalid[i].line &&
			err.column == invalid[i].column && strstr(err.message, invalid[i].says))
			continue;
		printf("# [%zu] %d %u:%u: %s; wanted %u:%u: %s\n", i, r, err.line, err.column,
			err.message, invalid[i].line, invalid[i].column, invalid[i].says);
		failed = true;
	}
	CHECK(!failed);
}

static void every_prefix(void)
{
	static const char text[] = "{\"a\\u00e9\":[1,-2.5e3,\"x\\\"\",{\"b\":true}],\n\"c\":{}}";

	for (size_t n = 0; n + 1 < sizeof(text); n++) {
		struct toml_document *document = NULL;
		struct toml_error err = {0};

		CHECK_EQ(parse(text, n, &document, &err), -EINVAL);
		CHECK(err.line >= 1 && err.column >= 1 && err.message[0]);
	}
	toml_free(must_parse(text));
}

/* n opening brackets, or objects, and as many closing ones if `closed`. */
static int parse_nested(const char *open, char close, int n, bool closed, struct toml_error *err)
{
	struct toml_document *document = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	CHECK(out);
	fputs("{\"a\":", out);
	for (int i = 0; i < n; i++)
		fputs(open, out);
	fputs("1", out);
	for (int i = 0; closed && i < n; i++)
		fputc(close, out);
	fputs("}", out);
	fclose(out);
	r = parse(text, size, &document, err);
	free(text);
	if (r == 0)
		toml_free(document);
	return r;
}

static void nesting(void)
{
	static const int too_deep[] = {TOML_DEPTH_MAX + 1, 2000, 2047, 2048, 3000, 1000000};
	struct toml_error err = {0};

	CHECK_EQ(parse_nested("[", ']', TOML_DEPTH_MAX, true, &err), 0);
	CHECK_EQ(parse_nested("{\"a\":", '}', TOML_DEPTH_MAX, true, &err), 0);
	for (size_t i = 0; i < sizeof(too_deep) / sizeof(too_deep[0]); i++) {
		CHECK_EQ(parse_nested("[", ']', too_deep[i], true, &err), -EINVAL);
		CHECK(strstr(err.message, "at most 128 levels of nesting"));
		CHECK_EQ(parse_nested("{\"a\":", '}', too_deep[i], true, &err), -EINVAL);
		CHECK(strstr(err.message, "at most 128 levels of nesting"));
	}
	CHECK_EQ(parse_nested("[", ']', 1000, false, &err), -EINVAL);
}

/* --------------------------------------------------------------------- memory */

/* The linker sends our allocations here (--wrap), not jansson's. */
static long fail_at = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

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

static void memory_runs_out(void)
{
	static char text[100000] = "{";
	long failures = 0;
	int r = -ENOMEM;

	for (int i = 0; i < 500; i++)
		sprintf(text + strlen(text), "\"k%d\":[1,{\"x\":\"%*s\"}],\n", i, i % 100, "");
	strcat(text, "\"z\":1}");
	for (long n = 0; r == -ENOMEM; n++) {
		struct toml_document *d = (void *)-1;
		struct toml_error err = {0};

		fail_at = n;
		r = rv_json_parse(text, strlen(text), &d, &err);
		fail_at = -1;
		CHECK((r < 0) == (d == (void *)-1));
		if (r == 0)
			toml_free(d);
		else
			CHECK_STR(err.message, "out of memory");
		failures += r < 0;
	}
	CHECK_EQ(r, 0);
	CHECK(failures > 5);
}

#define CASE(fn)                                                                                   \
	{                                                                                          \
#fn, fn                                                                            \
	}

int main(void)
{
	static const struct tap_case cases[] = {
		CASE(trees),
		CASE(places),
		CASE(places_in_a_long_text),
		CASE(refusals),
		CASE(every_prefix),
		CASE(nesting),
		CASE(memory_runs_out),
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
