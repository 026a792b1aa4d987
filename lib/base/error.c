/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"

/* Marks text that did not fit; `size` is at least 4. */
static void mark_cut(char *buf, size_t size)
{
	memcpy(buf + size - 4, "...", 4);
}

static void format_into(char *buf, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(buf, size, fmt, args);

	if (n < 0)
		buf[0] = '\0';
	else if ((size_t)n >= size)
		mark_cut(buf, size);
}

int rv_error(struct reeve_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	err->hint[0] = '\0';
	err->exit_code = 0;
	va_start(args, fmt);
	format_into(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	return code;
}

int rv_error_hint(struct reeve_error *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return 0;
	va_start(args, fmt);
	format_into(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	return err->code;
}

int rv_error_wrap(struct reeve_error *err, int code, const char *fmt, ...)
{
	char inner[sizeof(err->message)];
	va_list args;
	size_t used;

	if (!err)
		return code;
	memcpy(inner, err->message, sizeof(inner));
	va_start(args, fmt);
	format_into(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	used = strlen(err->message);
	if ((size_t)snprintf(err->message + used, sizeof(err->message) - used, ": %s", inner) >=
		sizeof(err->message) - used)
		mark_cut(err->message, sizeof(err->message));
	err->code = code;
	return code;
}

/* Length of the valid UTF-8 sequence at s (1–4), or 0. Overlong forms and surrogates are invalid.
 */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	unsigned int c;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > left)
		return 0;
	c = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	/* C1 controls, bidirectional overrides and zero-width characters can forge a message. */
	if (c < 0xa0 || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2060 && c <= 0x2069) || c == 0xfeff)
		return 0;
	return n;
}

/* One unit of output for the character at s; *used is what it took of the input. */
static size_t escape_one(char out[8], const unsigned char *s, size_t left, size_t *used)
{
	static const char named[] = "\n\t\r\"\\", letter[] = "ntr\"\\";
	size_t n = utf8_length(s, left);
	const char *p = s[0] ? strchr(named, s[0]) : NULL;

	*used = 1;
	if (p)
		return (size_t)sprintf(out, "\\%c", letter[p - named]);
	if (n == 0 || s[0] < 0x20 || s[0] == 0x7f)
		return (size_t)sprintf(out, "\\x%02x", s[0]);
	memcpy(out, s, n);
	*used = n;
	return n;
}

char *rv_escape(char *buf, size_t size, const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0, safe = 0, used;
	char unit[8];

	for (size_t i = 0; i < length; i += used) {
		size_t n = escape_one(unit, s + i, length - i, &used);

		if (at + n >= size) {
			memcpy(buf + safe, "...", 4);
			return buf;
		}
		memcpy(buf + at, unit, n);
		at += n;
		if (at + 4 <= size)
			safe = at;
	}
	buf[at] = '\0';
	return buf;
}

struct rv_quoted rv_quote(const char *text)
{
	struct rv_quoted quoted;

	rv_escape(quoted.text, sizeof(quoted.text), text ? text : "", text ? strlen(text) : 0);
	return quoted;
}

void rv_log(const struct reeve_log *log, enum reeve_log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!log || !log->fn)
		return;
	va_start(args, fmt);
	format_into(text, sizeof(text), fmt, args);
	va_end(args);
	log->fn(log->data, level, text);
}
