/* SPDX-License-Identifier: MIT */
/*
 * The event queue of one domain: any thread puts, one thread of its own hands out. Putting never
 * blocks: when the ring is full, events are counted as lost, and the next one that fits is preceded
 * by REEVE_EVENT_LOST. The last RV_EVENTS_KEPT denials are kept for `denials` and the exit summary.
 */
#ifndef RV_SUPERVISE_EVENTS_H
#define RV_SUPERVISE_EVENTS_H

#include <reeve/event.h>

#define RV_EVENTS_RING 4096
#define RV_EVENTS_KEPT 1024

struct rv_events;

/* `sink` may be NULL: then events are only kept. It is called from the queue's own thread. */
int rv_events_new(uint64_t domain, void (*sink)(void *data, const struct reeve_event *event),
	void *data, struct rv_events **ret);

/* Whose they are, where that is known only later, but before the first event. */
void rv_events_set_domain(struct rv_events *events, uint64_t domain);

/* Hands out what is left (as long as the sink takes it without blocking for good), ends, frees. */
void rv_events_free(struct rv_events *events);

/* Copies `event`, fills in size, sequence, time and domain. Never blocks, never fails: it loses. */
void rv_events_put(struct rv_events *events, const struct reeve_event *event);

/* More readers (control clients): fn is called from the queue's thread until removed. */
int rv_events_subscribe(struct rv_events *events,
	void (*fn)(void *data, const struct reeve_event *event), void *data, unsigned int *ret_id);
void rv_events_unsubscribe(struct rv_events *events, unsigned int id);

/* The kept denials, oldest first, equal ones (object, rights, exe) joined with their count. */
int rv_events_kept(struct rv_events *events,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data);

void rv_events_counters(struct rv_events *events, uint64_t *ret_put, uint64_t *ret_lost);

#endif /* RV_SUPERVISE_EVENTS_H */
