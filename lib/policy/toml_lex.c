/* SPDX-License-Identifier: MIT */
/* The cursor of the TOML parser: places, errors, white space, comments, strings. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy/toml_private.h"

/* ------------------------------------------------------------------- errors */

struct toml_mark toml_here(const struct toml_parser *p)
{
	return (struct toml_mark){p->line, (unsigned int)(p->at - p->line_start) + 1};
}

int toml_fail(struct toml_parser *p, struct toml_mark mark, const char *fmt, ...)
{
	va_list args;

	p->err->line = mark.line;
	p->err->column = mark.column;
	va_start(args, fmt);
	vsnprintf(p->err->message, sizeof(p->err->message), fmt, args);
	va_end(args);
	return -EINVAL;
}

/* Reads the code point of a sequence that toml_utf8() found to be `n` bytes long. */
static unsigned long code_point(const char *at, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned long c = (unsigned char)at[0] & first[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)at[i] & 0x3f);
	return c;
}

/* One character as TOML would escape it: only printable ASCII stays, so nothing can be forged. */
static size_t show_one(char out[16], const char *at, const char *end)
{
	size_t n = toml_utf8(at, end);
	unsigned long c = n ? code_point(at, n) : (unsigned char)*at;

	if (n == 0)
		sprintf(out, "\\x%02lx", c);
	else if (c >= 0x20 && c < 0x7f)
		sprintf(out, c == '\\' || c == '\'' ? "\\%c" : "%c", (int)c);
	else
		sprintf(out, c > 0xffff ? "\\U%08lx" : "\\u%04lx", c);
	return n ? n : 1;
}

struct toml_shown toml_show(const char *text, size_t length)
{
	const char *end = text + length;
	struct toml_shown shown;
	size_t at = 0;
	char one[16];

	shown.text[at++] = '\'';
	while (text < end) {
		size_t n = show_one(one, text, end);

		if (at + strlen(one) + sizeof("...'") > sizeof(shown.text)) {
			at += (size_t)sprintf(shown.text + at, "...");
			break;
		}
		at += (size_t)sprintf(shown.text + at, "%s", one);
		text += n;
	}
	sprintf(shown.text + at, "'");
	return shown;
}

/* What the cursor is at: a whole word, or one character. */
static struct toml_shown show_found(const struct toml_parser *p)
{
	struct toml_shown shown;
	int c = toml_peek(p, 0);
	size_t n = 0;

	while (toml_is_bare(toml_peek(p, n)) && n < sizeof(shown.text))
		n++;
	if (n > 0)
		return toml_show(p->at, n);
	if (c < 0)
		strcpy(shown.text, "the end of the file");
	else if (c == '\n' || (c == '\r' && toml_peek(p, 1) == '\n'))
		strcpy(shown.text, "the end of the line");
	else if (c == '\r')
		strcpy(shown.text, "a carriage return without line feed");
	else if (c < 0x20 || c == 0x7f)
		sprintf(shown.text, "control character 0x%02x", (unsigned int)c);
	else if ((n = toml_utf8(p->at, p->end)) == 0)
		sprintf(shown.text, "byte 0x%02x, which is not UTF-8", (unsigned int)c);
	else
		shown = toml_show(p->at, n);
	return shown;
}

int toml_expected(struct toml_parser *p, const char *what)
{
	return toml_fail(p, toml_here(p), "expected %s, found %s", what, show_found(p).text);
}

/* -------------------------------------------------- white space and comments */

size_t toml_utf8(const char *at, const char *end)
{
	static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)*at;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	unsigned long point;

	if (c < 0x80)
		return 1;
	if (n == 0 || c > 0xf4 || (size_t)(end - at) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
	point = code_point(at, n);
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	return n;
}

void toml_skip_blanks(struct toml_parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
		p->at++;
}

bool toml_skip_newline(struct toml_parser *p)
{
	int c = toml_peek(p, 0);

	if (c == '\r' && toml_peek(p, 1) == '\n')
		p->at++;
	else if (c != '\n')
		return false;
	p->at++;
	p->line++;
	p->line_start = p->at;
	return true;
}

/* Passes what means itself in comments and strings, up to one of two other characters. */
static void pass_text(struct toml_parser *p, int stop, int other)
{
	while (p->at < p->end) {
		int c = (unsigned char)*p->at;
		size_t n = 1;

		if (c == stop || c == other || (c < 0x20 && c != '\t') || c == 0x7f)
			return;
		if (c >= 0x80)
			n = toml_utf8(p->at, p->end);
		if (n == 0)
			return;
		p->at += n;
	}
}

static bool at_line_end(const struct toml_parser *p)
{
	int c = toml_peek(p, 0);

	return c < 0 || c == '\n' || (c == '\r' && toml_peek(p, 1) == '\n');
}

int toml_skip_comment(struct toml_parser *p)
{
	if (toml_peek(p, 0) != '#')
		return 0;
	pass_text(p, '\n', '\r');
	return at_line_end(p) ? 0 : toml_expected(p, "the text of a comment");
}

int toml_skip_lines(struct toml_parser *p)
{
	do {
		int r;

		toml_skip_blanks(p);
		r = toml_skip_comment(p);
		if (r < 0)
			return r;
	} while (toml_skip_newline(p));
	return 0;
}

/* ------------------------------------------------------------------ strings */

/* How a string is written. */
struct quoting {
	struct toml_mark begin;
	char quote;
	bool multi;
	bool escapes; /* basic: backslash means something */
};

int toml_scratch_put(struct toml_parser *p, const char *text, size_t length)
{
	size_t capacity = p->scratch_capacity ? p->scratch_capacity : 256;
	char *more;

	while (capacity - p->scratch_length < length && capacity <= SIZE_MAX / 4)
		capacity *= 2;
	if (capacity - p->scratch_length < length)
		return -ENOMEM;
	if (capacity != p->scratch_capacity) {
		more = realloc(p->scratch, capacity);
		if (!more)
			return -ENOMEM;
		p->scratch = more;
		p->scratch_capacity = capacity;
	}
	if (length > 0)
		memcpy(p->scratch + p->scratch_length, text, length);
	p->scratch_length += length;
	return 0;
}

static int put_code_point(struct toml_parser *p, unsigned long c)
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	char text[4];

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		text[i] = (char)(0x80 | (c & 0x3f));
	text[0] = (char)(lead[n] | c);
	return toml_scratch_put(p, text, n);
}

static int hex_digit(int c)
{
	if (toml_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \uXXXX or \UXXXXXXXX; the cursor is at the backslash. */
static int unicode_escape(struct toml_parser *p, int digits)
{
	struct toml_mark mark = toml_here(p);
	unsigned long c = 0;

	p->at += 2;
	for (int i = 0; i < digits; i++, p->at++) {
		int digit = hex_digit(toml_peek(p, 0));

		if (digit < 0)
			return toml_expected(p, digits == 4 ? "four hexadecimal digits after \\u"
							    : "eight hexadecimal digits after \\U");
		c = c << 4 | (unsigned long)digit;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return toml_fail(p, mark,
			"expected a Unicode scalar value in the escape, found %s 0x%lx",
			c > 0x10ffff ? "a number beyond the last," : "the surrogate", c);
	return put_code_point(p, c);
}

/* A backslash at the end of a line takes away all white space up to the next other character. */
static int line_continuation(struct toml_parser *p)
{
	p->at++;
	toml_skip_blanks(p);
	if (!toml_skip_newline(p))
		return toml_expected(p, "the end of the line after a backslash");
	do
		toml_skip_blanks(p);
	while (toml_skip_newline(p));
	return 0;
}

static int escape(struct toml_parser *p, bool multi)
{
	static const char letters[] = "btnfr\"\\", meaning[] = "\b\t\n\f\r\"\\";
	int c = toml_peek(p, 1);
	const char *hit = c > 0 ? strchr(letters, c) : NULL;

	if (hit) {
		p->at += 2;
		return toml_scratch_put(p, meaning + (hit - letters), 1);
	}
	if (c == 'u' || c == 'U')
		return unicode_escape(p, c == 'u' ? 4 : 8);
	if (multi && c > 0 && strchr(" \t\r\n", c))
		return line_continuation(p);
	p->at++;
	return toml_expected(p, "one of b t n f r u U \" \\ after the backslash");
}

/* At a quote. 1: it ended the string; 0: it is part of it. */
static int closing_quote(struct toml_parser *p, const struct quoting *q)
{
	int n = 1, r;

	if (!q->multi) {
		p->at++;
		return 1;
	}
	while (n < 5 && toml_peek(p, (size_t)n) == q->quote)
		n++;
	/* The last three of up to five close. */
	r = toml_scratch_put(p, p->at, (size_t)(n < 3 ? n : n - 3));
	p->at += n;
	return r < 0 ? r : n >= 3;
}

static int bad_character(struct toml_parser *p, const struct quoting *q)
{
	static const char *const delimiter[2][2] = {{"'", "'''"}, {"\"", "\"\"\""}};
	char what[96];

	if (toml_peek(p, 0) < 0 || (!q->multi && at_line_end(p)))
		snprintf(what, sizeof(what),
			"%s to end the string that begins at line %u column %u",
			delimiter[q->quote == '"'][q->multi], q->begin.line, q->begin.column);
	else
		strcpy(what, "the text of a string");
	return toml_expected(p, what);
}

/* The next piece of a string: a run of plain text and what ended it. 1: the string is complete. */
static int string_piece(struct toml_parser *p, const struct quoting *q)
{
	const char *start = p->at;
	int c, r;

	pass_text(p, q->quote, q->escapes ? '\\' : q->quote);
	r = toml_scratch_put(p, start, (size_t)(p->at - start));
	if (r < 0)
		return r;
	c = toml_peek(p, 0);
	if (c == q->quote)
		return closing_quote(p, q);
	if (c == '\\' && q->escapes)
		return escape(p, q->multi);
	if (q->multi && toml_skip_newline(p))
		return toml_scratch_put(p, "\n", 1);
	return bad_character(p, q);
}

int toml_read_string(struct toml_parser *p, bool key)
{
	struct quoting q = {.begin = toml_here(p), .quote = *p->at, .escapes = *p->at == '"'};
	int r;

	q.multi = toml_peek(p, 1) == q.quote && toml_peek(p, 2) == q.quote;
	if (q.multi && key)
		return toml_fail(p, q.begin, "expected a key, found a multi-line string");
	p->at += q.multi ? 3 : 1;
	if (q.multi)
		toml_skip_newline(p);
	p->scratch_length = 0;
	do
		r = string_piece(p, &q);
	while (r == 0);
	return r < 0 ? r : 0;
}

int toml_parse_string(struct toml_parser *p, struct toml_value **ret)
{
	struct toml_mark mark = toml_here(p);
	struct toml_value *value;
	int r = toml_read_string(p, false);

	if (r < 0)
		return r;
	value = toml_new(p->document, TOML_STRING, mark.line, mark.column);
	if (!value || toml_set_string(p->document, value, p->scratch, p->scratch_length) < 0)
		return -ENOMEM;
	*ret = value;
	return 0;
}
