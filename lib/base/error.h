/* SPDX-License-Identifier: MIT */
/*
 * Filling in a struct reeve_error. Each function returns the code it was given, so that a call site
 * stays one line:
 *
 *	return rv_error(err, -errno, "%s: cannot open: %s", path, strerror(errno));
 */
#ifndef RV_BASE_ERROR_H
#define RV_BASE_ERROR_H

#include <stddef.h>
#include <reeve/error.h>
#include "base/cleanup.h"

/* Sets code and message, drops the hint. `err` may be NULL. Returns `code`. */
int rv_error(struct reeve_error *err, int code, const char *fmt, ...) RV_PRINTF(3, 4);

/* Sets or replaces the hint of an error already set. Returns err's code, 0 without err. */
int rv_error_hint(struct reeve_error *err, const char *fmt, ...) RV_PRINTF(2, 3);

/* Puts context before the message: "CONTEXT: message". Returns `code`. */
int rv_error_wrap(struct reeve_error *err, int code, const char *fmt, ...) RV_PRINTF(3, 4);

/*
 * Copies `text` (from outside: a file name, a value) so that it can be shown: control characters,
 * invalid UTF-8, quotes and backslashes as \n, \x1b …; cut with "..." where it does not fit.
 * Returns buf.
 */
char *rv_escape(char *buf, size_t size, const char *text, size_t length);

/* rv_escape() into a buffer of the enclosing expression, for messages: rv_q(path). */
struct rv_quoted {
	char text[256];
};
struct rv_quoted rv_quote(const char *text);
#define rv_q(name) (rv_quote(name).text)

/* Sends a formatted message to a log that may be NULL or zeroed. */
void rv_log(const struct reeve_log *log, enum reeve_log_level level, const char *fmt, ...)
	RV_PRINTF(3, 4);

#endif /* RV_BASE_ERROR_H */
