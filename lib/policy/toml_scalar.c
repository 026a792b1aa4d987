/* SPDX-License-Identifier: MIT */
/* Booleans, numbers, dates and times of TOML. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "policy/toml_private.h"

static int new_value(
	struct toml_parser *p, enum toml_type type, struct toml_mark mark, struct toml_value **ret)
{
	struct toml_value *value = toml_new(p->document, type, mark.line, mark.column);

	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

/* Passes `word` if the cursor is at it and it ends there. */
static bool pass_word(struct toml_parser *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0 ||
		toml_is_bare(toml_peek(p, n)))
		return false;
	p->at += n;
	return true;
}

int toml_parse_boolean(struct toml_parser *p, struct toml_value **ret)
{
	struct toml_mark mark = toml_here(p);
	bool yes = pass_word(p, "true");
	int r;

	if (!yes && !pass_word(p, "false"))
		return toml_expected(p, "a value");
	r = new_value(p, TOML_BOOLEAN, mark, ret);
	if (r == 0)
		(*ret)->as.boolean = yes;
	return r;
}

/* ------------------------------------------------------------------- integers */

/* The value of a digit in any base, 99 for what is none. */
static unsigned int digit_value(int c)
{
	if (toml_is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

static const char *digit_name(unsigned int base)
{
	return base == 2    ? "a binary digit"
	       : base == 8  ? "an octal digit"
	       : base == 16 ? "a hexadecimal digit"
			    : "a digit";
}

/* Digits, with single underscores only between them. */
static int pass_digits(struct toml_parser *p, unsigned int base)
{
	for (;;) {
		if (digit_value(toml_peek(p, 0)) >= base)
			return toml_expected(p, digit_name(base));
		while (digit_value(toml_peek(p, 0)) < base)
			p->at++;
		if (toml_peek(p, 0) != '_')
			return 0;
		p->at++;
	}
}

/* The magnitude written in [start, p->at). */
static int convert_integer(
	struct toml_parser *p, const char *start, unsigned int base, bool negative, int64_t *ret)
{
	uint64_t most = (uint64_t)INT64_MAX + negative, n = 0;

	for (const char *s = start; s < p->at; s++) {
		if (*s == '_')
			continue;
		if (__builtin_mul_overflow(n, base, &n) ||
			__builtin_add_overflow(n, digit_value(*s), &n) || n > most)
			return -ERANGE;
	}
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return 0;
}

static int make_integer(struct toml_parser *p, struct toml_mark mark, const char *start,
	unsigned int base, bool negative, struct toml_value **ret)
{
	int64_t n;
	int r;

	if (convert_integer(p, start, base, negative, &n) < 0)
		return toml_fail(p, mark, "expected an integer of 64 bits, found %s%s",
			negative ? "-" : "", toml_show(start, (size_t)(p->at - start)).text);
	r = new_value(p, TOML_INTEGER, mark, ret);
	if (r == 0)
		(*ret)->as.integer = n;
	return r;
}

static unsigned int base_of_prefix(int c)
{
	return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
}

static int prefixed_integer(
	struct toml_parser *p, struct toml_mark mark, bool sign, struct toml_value **ret)
{
	unsigned int base = base_of_prefix(toml_peek(p, 1));
	const char *start = p->at + 2;
	int r;

	if (sign)
		return toml_fail(p, mark, "expected no sign before %s", toml_show(p->at, 2).text);
	p->at += 2;
	r = pass_digits(p, base);
	return r < 0 ? r : make_integer(p, mark, start, base, false, ret);
}

/* --------------------------------------------------------------------- floats */

/* strtod(3) obeys the locale of the calling program; TOML does not. */
static int convert_float(struct toml_parser *p, const char *start, double *ret)
{
	int r = 0;

	p->scratch_length = 0;
	for (const char *s = start; s < p->at && r == 0; s++)
		if (*s != '_')
			r = toml_scratch_put(p, s, 1);
	if (r == 0)
		r = toml_scratch_put(p, "", 1);
	if (r < 0)
		return r;
	if (!p->c_locale)
		p->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!p->c_locale)
		return -ENOMEM;
	*ret = strtod_l(p->scratch, NULL, p->c_locale);
	return 0;
}

static int make_float(
	struct toml_parser *p, struct toml_mark mark, const char *start, struct toml_value **ret)
{
	double number;
	int r = convert_float(p, start, &number);

	if (r == 0)
		r = new_value(p, TOML_FLOAT, mark, ret);
	if (r == 0)
		(*ret)->as.number = number;
	return r;
}

/* What makes a number a float, if it is there. 1: it is. */
static int pass_fraction_and_exponent(struct toml_parser *p)
{
	int found = 0, c;

	if (toml_peek(p, 0) == '.') {
		p->at++;
		if (pass_digits(p, 10) < 0)
			return -EINVAL;
		found = 1;
	}
	c = toml_peek(p, 0);
	if (c == 'e' || c == 'E') {
		p->at++;
		c = toml_peek(p, 0);
		if (c == '+' || c == '-')
			p->at++;
		if (pass_digits(p, 10) < 0)
			return -EINVAL;
		found = 1;
	}
	return found;
}

/* Decimal, after the sign. `start` is at the sign. */
static int decimal(struct toml_parser *p, struct toml_mark mark, const char *start, bool negative,
	struct toml_value **ret)
{
	const char *digits = p->at;
	int r = pass_digits(p, 10);

	if (r < 0)
		return r;
	if (*digits == '0' && p->at > digits + 1)
		return toml_fail(p, mark, "expected a number without leading zeros, found %s",
			toml_show(start, (size_t)(p->at - start)).text);
	r = pass_fraction_and_exponent(p);
	if (r < 0)
		return r;
	return r ? make_float(p, mark, start, ret)
		 : make_integer(p, mark, digits, 10, negative, ret);
}

/* ------------------------------------------------------------ dates and times */

/* The parts of dates and times: as many digits, within these limits. */
enum part { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, OFFSET_HOUR, OFFSET_MINUTE };

static const struct {
	const char *name, *digits;
	int width, least, most;
} parts[] = {
	[YEAR] = {"a year", "a year of four digits", 4, 0, 9999},
	[MONTH] = {"a month", "a month of two digits", 2, 1, 12},
	[DAY] = {"a day", "a day of two digits", 2, 1, 31},
	[HOUR] = {"an hour", "an hour of two digits", 2, 0, 23},
	[MINUTE] = {"a minute", "a minute of two digits", 2, 0, 59},
	/* RFC 3339 has leap seconds, and which minutes had one is not for a parser to know. */
	[SECOND] = {"a second", "a second of two digits", 2, 0, 60},
	[OFFSET_HOUR] = {"an offset's hour", "an offset's hour of two digits", 2, 0, 23},
	[OFFSET_MINUTE] = {"an offset's minute", "an offset's minute of two digits", 2, 0, 59},
};

static int read_part(struct toml_parser *p, enum part part, int *ret)
{
	struct toml_mark mark = toml_here(p);
	int n = 0;

	for (int i = 0; i < parts[part].width; i++) {
		if (!toml_is_digit(toml_peek(p, 0)))
			return toml_expected(p, parts[part].digits);
		n = n * 10 + (*p->at++ - '0');
	}
	if (n < parts[part].least || n > parts[part].most)
		return toml_fail(p, mark, "expected %s from %02d to %02d, found %02d",
			parts[part].name, parts[part].least, parts[part].most, n);
	*ret = n;
	return 0;
}

static int pass_character(struct toml_parser *p, char c, const char *what)
{
	if (toml_peek(p, 0) != c)
		return toml_expected(p, what);
	p->at++;
	return 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static int read_date(struct toml_parser *p, struct toml_datetime *d)
{
	struct toml_mark mark;
	int r = read_part(p, YEAR, &d->year);

	if (r == 0)
		r = pass_character(p, '-', "'-' after the year");
	if (r == 0)
		r = read_part(p, MONTH, &d->month);
	if (r == 0)
		r = pass_character(p, '-', "'-' after the month");
	mark = toml_here(p);
	if (r == 0)
		r = read_part(p, DAY, &d->day);
	if (r < 0)
		return r;
	if (d->day > days_of_month(d->year, d->month))
		return toml_fail(p, mark,
			"expected a day that %04d-%02d has (%d at most), found %d", d->year,
			d->month, days_of_month(d->year, d->month), d->day);
	d->has_date = true;
	return 0;
}

/* The fraction of a second, of which nine digits count. */
static int read_fraction(struct toml_parser *p, struct toml_datetime *d)
{
	int scale = 100000000;

	if (toml_peek(p, 0) != '.')
		return 0;
	p->at++;
	if (!toml_is_digit(toml_peek(p, 0)))
		return toml_expected(p, "a digit of the second's fraction");
	for (; toml_is_digit(toml_peek(p, 0)); p->at++, scale /= 10)
		d->nanosecond += (*p->at - '0') * scale;
	return 0;
}

static int read_time(struct toml_parser *p, struct toml_datetime *d)
{
	int r = read_part(p, HOUR, &d->hour);

	if (r == 0)
		r = pass_character(p, ':', "':' after the hour");
	if (r == 0)
		r = read_part(p, MINUTE, &d->minute);
	if (r == 0)
		r = pass_character(p, ':', "':' after the minute");
	if (r == 0)
		r = read_part(p, SECOND, &d->second);
	if (r < 0)
		return r;
	d->has_time = true;
	return read_fraction(p, d);
}

static int read_offset(struct toml_parser *p, struct toml_datetime *d)
{
	int c = toml_peek(p, 0), hour = 0, minute = 0, r;

	if (c != 'Z' && c != 'z' && c != '+' && c != '-')
		return 0;
	p->at++;
	d->has_offset = true;
	if (c == 'Z' || c == 'z')
		return 0;
	r = read_part(p, OFFSET_HOUR, &hour);
	if (r == 0)
		r = pass_character(p, ':', "':' after the offset's hour");
	if (r == 0)
		r = read_part(p, OFFSET_MINUTE, &minute);
	d->offset_minutes = (c == '-' ? -1 : 1) * (hour * 60 + minute);
	return r;
}

static bool at_digits(const struct toml_parser *p, size_t n, char then)
{
	for (size_t i = 0; i < n; i++)
		if (!toml_is_digit(toml_peek(p, i)))
			return false;
	return toml_peek(p, n) == then;
}

/* After a date a time may follow: T, t, or one space that a digit follows. */
static bool pass_time_separator(struct toml_parser *p)
{
	int c = toml_peek(p, 0);

	if (c != 'T' && c != 't' && (c != ' ' || !toml_is_digit(toml_peek(p, 1))))
		return false;
	p->at++;
	return true;
}

static int read_datetime(struct toml_parser *p, struct toml_datetime *d)
{
	int r;

	if (at_digits(p, 2, ':'))
		return read_time(p, d);
	r = read_date(p, d);
	if (r < 0 || !pass_time_separator(p))
		return r;
	r = read_time(p, d);
	return r < 0 ? r : read_offset(p, d);
}

static int datetime(struct toml_parser *p, struct toml_mark mark, struct toml_value **ret)
{
	struct toml_datetime read = {0}, *kept;
	int r = read_datetime(p, &read);

	if (r == 0)
		r = new_value(p, TOML_DATETIME, mark, ret);
	if (r < 0)
		return r;
	kept = toml_alloc(p->document, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = read;
	(*ret)->as.datetime = kept;
	return 0;
}

int toml_parse_number(struct toml_parser *p, struct toml_value **ret)
{
	struct toml_mark mark = toml_here(p);
	const char *start = p->at;
	bool sign = *start == '-' || *start == '+';

	if (at_digits(p, 4, '-') || at_digits(p, 2, ':'))
		return datetime(p, mark, ret);
	p->at += sign;
	if (pass_word(p, "inf") || pass_word(p, "nan"))
		return make_float(p, mark, start, ret);
	if (toml_peek(p, 0) == '0' && base_of_prefix(toml_peek(p, 1)))
		return prefixed_integer(p, mark, sign, ret);
	if (!sign && !toml_is_digit(toml_peek(p, 0)))
		return toml_expected(p, "a value");
	return decimal(p, mark, start, *start == '-', ret);
}
