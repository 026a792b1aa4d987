/* SPDX-License-Identifier: MIT */
/*
 * A growing string. Zeroed is valid and empty. A failed allocation is remembered: later appends do
 * nothing, and rv_strbuf_steal() reports it, so callers check once, at the end.
 */
#ifndef RV_BASE_STRBUF_H
#define RV_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "base/cleanup.h"

/* NULL is a text of its own. */
static inline bool rv_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

struct rv_strbuf {
	char *text; /* NUL-terminated when not NULL */
	size_t length, capacity;
	bool failed;
};

/* Makes room for `more` bytes at once, where it is known how many come. */
void rv_strbuf_reserve(struct rv_strbuf *sb, size_t more);
void rv_strbuf_add(struct rv_strbuf *sb, const char *text, size_t length);
void rv_strbuf_puts(struct rv_strbuf *sb, const char *text);
void rv_strbuf_printf(struct rv_strbuf *sb, const char *fmt, ...) RV_PRINTF(2, 3);

/* The text, owned by the caller, never NULL on success; 0 or -ENOMEM. Leaves sb empty. */
int rv_strbuf_steal(struct rv_strbuf *sb, char **ret);

void rv_strbuf_release(struct rv_strbuf *sb);
#define rv_autostrbuf RV_CLEANUP(rv_strbuf_release) struct rv_strbuf

#endif /* RV_BASE_STRBUF_H */
