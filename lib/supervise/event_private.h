/* SPDX-License-Identifier: MIT */
/* Copying an event with its strings into memory of one's own. */
#ifndef RV_SUPERVISE_EVENT_PRIVATE_H
#define RV_SUPERVISE_EVENT_PRIVATE_H

#include <reeve/event.h>

/* Bytes that the strings take, each cut to at most `cap` - 1 bytes. */
size_t rv_event_strings_size(const struct reeve_event *event, size_t cap);

/* Copies the members that both know, and the strings to `strings`, cut the same way. */
void rv_event_copy_to(
	struct reeve_event *to, char *strings, const struct reeve_event *from, size_t cap);

/* "denied", "guard" …; "unknown" for one that has no name. */
const char *rv_event_kind_name(enum reeve_event_kind kind);

#endif /* RV_SUPERVISE_EVENT_PRIVATE_H */
