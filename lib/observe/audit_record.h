/* SPDX-License-Identifier: MIT */
/* One audit record: "audit(SECONDS.MILLISECONDS:SERIAL): KEY=VALUE …". Nothing is trusted. */
#ifndef RV_OBSERVE_AUDIT_RECORD_H
#define RV_OBSERVE_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum rv_audit_type {
	RV_AUDIT_SYSCALL = 1300,
	RV_AUDIT_EOE = 1320, /* the last record of an event */
	RV_AUDIT_ACCESS = 1423,
	RV_AUDIT_DOMAIN = 1424,
};

struct rv_audit_record {
	unsigned int type;
	struct timespec time;
	uint64_t serial;
	const char *body; /* the fields, borrowed, not terminated */
	size_t length;
};

/* The part of a record that begins with "audit(". False: it is none. */
bool rv_audit_parse_message(
	unsigned int type, const char *text, size_t length, struct rv_audit_record *ret);
/* A line of a log. False: none of the four types, or not a record. */
bool rv_audit_parse_line(const char *line, size_t length, struct rv_audit_record *ret);

/* Fields by their key; false: there is none, or it is no number. */
bool rv_audit_number(const struct rv_audit_record *record, const char *key, int64_t *ret);
bool rv_audit_id(const struct rv_audit_record *record, const char *key, uint64_t *ret); /* hex */

/*
 * The text of a field, decoded: "quoted", or hex where it has a space, a quote or a control
 * character. Cut to `size`, always terminated; NUL at the start (an abstract socket's) becomes '@',
 * others end it. False: there is none.
 */
bool rv_audit_text(const struct rv_audit_record *record, const char *key, char *buf, size_t size);

#endif /* RV_OBSERVE_AUDIT_RECORD_H */
