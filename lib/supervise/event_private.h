/* SPDX-License-Identifier: MIT */
/* Copying an event with its strings into memory of one's own. */
#ifndef RV_SUPERVISE_EVENT_PRIVATE_H
#define RV_SUPERVISE_EVENT_PRIVATE_H

#include <jansson.h>
#include <reeve/event.h>

/* Rights that are asked for on the directory in which an entry is made, or also removed. */
#define RV_MAKING                                                                                  \
	(REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_DIR | REEVE_FS_MAKE_REG | REEVE_FS_MAKE_SOCK |         \
		REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_SYM)
#define RV_IN_DIRECTORY (RV_MAKING | REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE | REEVE_FS_REFER)

/* Bytes that the strings take, each cut to at most `cap` - 1 bytes. */
size_t rv_event_strings_size(const struct reeve_event *event, size_t cap);

/* Copies the members that both know, and the strings to `strings`, cut the same way. */
void rv_event_copy_to(
	struct reeve_event *to, char *strings, const struct reeve_event *from, size_t cap);

/* Of a denied event, the origin of the denial inside of a grant that is to blame, or NULL. */
const char *rv_event_denial(const struct reeve_event *event);

/* "denied", "guard" …; "unknown" for one that has no name. */
const char *rv_event_kind_name(enum reeve_event_kind kind);

/* Sets a text; one that is not UTF-8 goes in escaped, and its bytes in hex as KEY_hex besides.
 * NULL: nothing. -1: no memory. */
int rv_json_text(json_t *json, const char *key, const char *text);

#endif /* RV_SUPERVISE_EVENT_PRIVATE_H */
