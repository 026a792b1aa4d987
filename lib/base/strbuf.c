/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/strbuf.h"

static bool make_room(struct rv_strbuf *sb, size_t more)
{
	size_t want = sb->length + more + 1, capacity = sb->capacity ? sb->capacity : 64;
	char *text;

	if (sb->failed || want < more)
		return false;
	if (want <= sb->capacity)
		return true;
	while (capacity < want)
		capacity *= 2;
	text = realloc(sb->text, capacity);
	if (!text) {
		sb->failed = true;
		return false;
	}
	sb->text = text;
	sb->capacity = capacity;
	return true;
}

void rv_strbuf_reserve(struct rv_strbuf *sb, size_t more)
{
	make_room(sb, more);
}

void rv_strbuf_add(struct rv_strbuf *sb, const char *text, size_t length)
{
	if (!make_room(sb, length))
		return;
	memcpy(sb->text + sb->length, text, length);
	sb->length += length;
	sb->text[sb->length] = '\0';
}

void rv_strbuf_puts(struct rv_strbuf *sb, const char *text)
{
	rv_strbuf_add(sb, text, strlen(text));
}

void rv_strbuf_printf(struct rv_strbuf *sb, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0 || !make_room(sb, (size_t)n))
		return;
	va_start(args, fmt);
	vsnprintf(sb->text + sb->length, (size_t)n + 1, fmt, args);
	va_end(args);
	sb->length += (size_t)n;
}

int rv_strbuf_steal(struct rv_strbuf *sb, char **ret)
{
	make_room(sb, 0);
	if (sb->failed) {
		rv_strbuf_release(sb);
		return -ENOMEM;
	}
	sb->text[sb->length] = '\0';
	*ret = sb->text;
	*sb = (struct rv_strbuf){0};
	return 0;
}

void rv_strbuf_release(struct rv_strbuf *sb)
{
	rv_free_p(&sb->text);
	*sb = (struct rv_strbuf){0};
}
