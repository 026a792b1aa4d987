/* SPDX-License-Identifier: MIT */
/*
 * The words of the control protocol, reeve-control(7): JSON objects, one a line. The server greets
 * first, so a client that is refused has written nothing, and reads why.
 */
#ifndef RV_CONTROL_PROTOCOL_H
#define RV_CONTROL_PROTOCOL_H

#include <stdbool.h>
#include <jansson.h>
#include <reeve/supervisor.h>

#define RV_PROTOCOL_VERSION 1
#define RV_REQUEST_MAX	    (1u << 20) /* bytes of a request line */

/* A new object with "version". NULL: no memory. */
json_t *rv_message_new(void);
/* {"version": 1, "ok": true} */
json_t *rv_message_ok(void);
/* What `err` says, as an answer; and back: its code, 0 where the message is no error. */
json_t *rv_message_error(const struct reeve_error *err);
int rv_message_to_error(const json_t *message, struct reeve_error *err);
/* The message as a line with its newline, malloc(3)ed; drops it. NULL in, or no memory: NULL. */
char *rv_message_line(json_t *message);

/* Sets `key` to text for people: what is not UTF-8 is escaped. NULL: null. */
void rv_message_text(json_t *object, const char *key, const char *text);

/* A path is "path", or where it is not UTF-8 "pathHex", its bytes in hex. */
void rv_message_path(json_t *object, const char *path);
/* malloc(3)ed. -EINVAL: there is none, or not one that a path can be. */
int rv_message_get_path(const json_t *object, char **ret);

/* An array of names. */
json_t *rv_rights_to_json(enum reeve_class cls, uint64_t bits);
/* Any rule: class, rule (which kind), its object, allowed, origin; quiet and deny where it has
 * them. */
json_t *rv_rule_to_json(const struct reeve_rule *rule);
/*
 * The other way. The path is to be free(3)d; the origin lives as long as the object. -EOPNOTSUPP: a
 * rule that cannot be live; -EINVAL: not a rule; the message says what was expected.
 */
int rv_rule_of_json(const json_t *object, struct reeve_rule *ret, struct reeve_error *err);

#endif /* RV_CONTROL_PROTOCOL_H */
