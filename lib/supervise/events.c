/* SPDX-License-Identifier: MIT */
/* The event queue: many put, one thread hands out. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "supervise/events_private.h"

/* How long a sink may take for one event when the queue is to end, before it is given up. */
#define PATIENCE_SECONDS 5

struct subscriber {
	unsigned int id;
	void (*fn)(void *data, const struct reeve_event *event);
	void *data;
	bool removed;
	struct subscriber *next;
};

struct slot {
	struct rv_item *item;
	uint64_t lost_before; /* announced with the sequence number before the item's */
};

struct rv_events {
	uint64_t domain;
	bool has_thread; /* from the first reader on */
	pthread_t thread;
	pthread_mutex_t lock;  /* short: never held while a sink runs */
	pthread_cond_t filled, /* for the thread */
		progress;      /* for those who wait for the thread */

	struct slot ring[RV_EVENTS_RING];
	size_t first, count, bytes;
	uint64_t sequence, put, lost, lost_unannounced;
	struct rv_kept kept;

	struct subscriber *subscribers;	  /* in order of subscription */
	const struct subscriber *running; /* whose function the thread is in */
	unsigned int last_id;
	uint64_t handed_out;
	pthread_t self;	  /* `thread` as it knows itself, while handing_out */
	bool handing_out; /* the thread walks over the subscribers */
	bool ending, ended, abandoned;
};

/* ----------------------------------------------------------------------- putting */

static bool has_reader(const struct rv_events *events)
{
	for (const struct subscriber *s = events->subscribers; s; s = s->next)
		if (!s->removed)
			return true;
	return false;
}

/* Takes the reference over where it returns true. With the lock. */
static bool push(struct rv_events *events, struct rv_item *item)
{
	struct slot *slot = &events->ring[(events->first + events->count) % RV_EVENTS_RING];

	if (events->count == RV_EVENTS_RING || events->bytes + item->bytes > RV_EVENTS_BYTES)
		return false;
	events->sequence += events->lost_unannounced != 0;
	*slot = (struct slot){item, events->lost_unannounced};
	events->lost_unannounced = 0;
	item->event.sequence = ++events->sequence;
	events->count++;
	events->bytes += item->bytes;
	pthread_cond_signal(&events->filled);
	return true;
}

static void lose(struct rv_events *events)
{
	events->lost++;
	events->lost_unannounced++;
	pthread_cond_signal(&events->filled);
}

/* With the lock. Without readers it is handed out to nobody at once. */
static bool put_item(struct rv_events *events, struct rv_item *item)
{
	bool pushed = false;

	clock_gettime(CLOCK_REALTIME, &item->event.time);
	if (has_reader(events)) {
		pushed = push(events, item);
		if (!pushed)
			lose(events);
	} else {
		item->event.sequence = ++events->sequence;
	}
	events->put += item->event.sequence != 0;
	if (item->event.kind == REEVE_EVENT_DENIED || item->event.kind == REEVE_EVENT_GUARD)
		rv_kept_put(&events->kept, item);
	return pushed;
}

void rv_events_put(struct rv_events *events, const struct reeve_event *event)
{
	struct rv_item *item = rv_item_new(event);
	bool pushed = false;

	if (item) {
		item->event.domain = events->domain;
		item->event.sequence = 0;
	}
	pthread_mutex_lock(&events->lock);
	if (item)
		pushed = put_item(events, item);
	else
		lose(events);
	pthread_mutex_unlock(&events->lock);
	if (!pushed)
		rv_item_free(item);
}

/* ------------------------------------------------------------------- handing out */

static void free_removed(struct rv_events *events)
{
	struct subscriber **link = &events->subscribers;

	while (*link) {
		struct subscriber *s = *link;

		if (!s->removed) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		free(s);
	}
}

/* To those who were subscribed when it began. With the lock, which is let go meanwhile. */
static void hand_out(struct rv_events *events, const struct reeve_event *event)
{
	unsigned int last_id = events->last_id;

	events->handing_out = true;
	for (struct subscriber *s = events->subscribers; s && s->id <= last_id; s = s->next) {
		if (s->removed || events->abandoned)
			continue;
		events->running = s;
		pthread_mutex_unlock(&events->lock);
		s->fn(s->data, event);
		pthread_mutex_lock(&events->lock);
		events->running = NULL;
		events->handed_out++;
		pthread_cond_broadcast(&events->progress);
	}
	events->handing_out = false;
	free_removed(events);
}

static void hand_out_lost(struct rv_events *events, uint64_t count, uint64_t sequence)
{
	struct reeve_event event = {.size = sizeof(event),
		.kind = REEVE_EVENT_LOST,
		.domain = events->domain,
		.count = count,
		.sequence = sequence};

	clock_gettime(CLOCK_REALTIME, &event.time);
	hand_out(events, &event);
}

static void hand_out_first(struct rv_events *events)
{
	struct slot slot = events->ring[events->first];
	uint64_t sequence = slot.item->event.sequence;

	events->first = (events->first + 1) % RV_EVENTS_RING;
	events->count--;
	events->bytes -= slot.item->bytes;
	if (slot.lost_before)
		hand_out_lost(events, slot.lost_before, sequence - 1);
	hand_out(events, &slot.item->event);
	rv_item_free(slot.item);
}

/* Losses after the last event that fitted need not wait for the next one. */
static void hand_out_losses(struct rv_events *events)
{
	uint64_t count = events->lost_unannounced;

	events->lost_unannounced = 0;
	hand_out_lost(events, count, ++events->sequence);
}

static void free_all(struct rv_events *events)
{
	for (; events->count; events->count--) {
		rv_item_free(events->ring[events->first].item);
		events->first = (events->first + 1) % RV_EVENTS_RING;
	}
	for (struct subscriber *s = events->subscribers; s; s = s->next)
		s->removed = true;
	free_removed(events);
	rv_kept_release(&events->kept);
	pthread_cond_destroy(&events->filled);
	pthread_cond_destroy(&events->progress);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

static void *serve(void *data)
{
	struct rv_events *events = data;
	bool abandoned;

	pthread_mutex_lock(&events->lock);
	events->self = pthread_self();
	while (!events->abandoned) {
		if (events->count)
			hand_out_first(events);
		else if (events->lost_unannounced)
			hand_out_losses(events);
		else if (events->ending)
			break;
		else
			pthread_cond_wait(&events->filled, &events->lock);
	}
	events->ended = true;
	abandoned = events->abandoned;
	pthread_cond_broadcast(&events->progress);
	pthread_mutex_unlock(&events->lock);
	if (abandoned)
		free_all(events);
	return NULL;
}

/* -------------------------------------------------------------------------- life */

/* Signals are for the threads of the program that embeds us. */
static int start_thread(struct rv_events *events)
{
	sigset_t all, saved;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	r = pthread_create(&events->thread, NULL, serve, events);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return -r;
}

static void init_locks(struct rv_events *events)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&events->lock, NULL);
	pthread_cond_init(&events->filled, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&events->progress, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int rv_events_new(uint64_t domain, void (*sink)(void *data, const struct reeve_event *event),
	void *data, struct rv_events **ret)
{
	struct rv_events *events = calloc(1, sizeof(*events));
	unsigned int id;
	int r;

	if (!events)
		return -ENOMEM;
	events->domain = domain;
	init_locks(events);
	r = rv_kept_init(&events->kept);
	if (r == 0 && sink)
		r = rv_events_subscribe(events, sink, data, &id);
	if (r)
		free_all(events);
	else
		*ret = events;
	return r;
}

void rv_events_set_domain(struct rv_events *events, uint64_t domain)
{
	events->domain = domain;
}

/* Until the thread is at its end, or has not come one event further for too long. */
static bool wait_for_end(struct rv_events *events)
{
	while (!events->ended) {
		uint64_t before = events->handed_out;
		struct timespec deadline;
		int r = 0;

		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_sec += PATIENCE_SECONDS;
		while (r == 0 && !events->ended && events->handed_out == before)
			r = pthread_cond_timedwait(&events->progress, &events->lock, &deadline);
		if (!events->ended && events->handed_out == before)
			return false;
	}
	return true;
}

void rv_events_free(struct rv_events *events)
{
	bool ended;

	if (!events)
		return;
	if (!events->has_thread) {
		free_all(events);
		return;
	}
	pthread_mutex_lock(&events->lock);
	events->ending = true;
	pthread_cond_signal(&events->filled);
	ended = wait_for_end(events);
	/* A sink that never returns keeps its thread, which frees all if it returns after all. */
	events->abandoned = !ended;
	if (!ended)
		pthread_detach(events->thread);
	pthread_mutex_unlock(&events->lock);
	if (!ended)
		return;
	pthread_join(events->thread, NULL);
	free_all(events);
}

/* ----------------------------------------------------------------------- readers */

int rv_events_subscribe(struct rv_events *events,
	void (*fn)(void *data, const struct reeve_event *event), void *data, unsigned int *ret_id)
{
	struct subscriber *s = malloc(sizeof(*s)), **last;
	int r = 0;

	if (!s)
		return -ENOMEM;
	*s = (struct subscriber){.fn = fn, .data = data};
	pthread_mutex_lock(&events->lock);
	if (!events->has_thread)
		r = start_thread(events);
	if (r == 0) {
		events->has_thread = true;
		*ret_id = s->id = ++events->last_id;
		for (last = &events->subscribers; *last; last = &(*last)->next)
			;
		*last = s;
	}
	pthread_mutex_unlock(&events->lock);
	if (r)
		free(s);
	return r;
}

void rv_events_unsubscribe(struct rv_events *events, unsigned int id)
{
	struct subscriber *s;

	pthread_mutex_lock(&events->lock);
	for (s = events->subscribers; s && s->id != id; s = s->next)
		;
	if (s)
		s->removed = true;
	/* From within its own function it cannot be waited for. */
	while (s && events->running == s && !pthread_equal(pthread_self(), events->self))
		pthread_cond_wait(&events->progress, &events->lock);
	if (!events->handing_out)
		free_removed(events);
	pthread_mutex_unlock(&events->lock);
}

/* -------------------------------------------------------------------------- kept */

struct kept_copy {
	struct rv_item *item;
	uint64_t count;
};

/* With the lock; how many. */
static size_t copy_kept(struct rv_kept *kept, struct kept_copy *copies)
{
	size_t count = 0;

	for (uint16_t i = kept->oldest; i != RV_KEPT_NONE; i = kept->entries[i].newer)
		copies[count++] = (struct kept_copy){
			rv_item_ref(kept->entries[i].item), kept->entries[i].count};
	return count;
}

int rv_events_kept(struct rv_events *events,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data)
{
	rv_autofree struct kept_copy *copies = calloc(RV_EVENTS_KEPT, sizeof(*copies));
	size_t count;
	int r = 0;

	if (!copies)
		return -ENOMEM;
	pthread_mutex_lock(&events->lock);
	count = copy_kept(&events->kept, copies);
	pthread_mutex_unlock(&events->lock);
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = fn(data, &copies[i].item->event, copies[i].count);
		rv_item_free(copies[i].item);
	}
	return r;
}

void rv_events_counters(struct rv_events *events, uint64_t *ret_put, uint64_t *ret_lost)
{
	pthread_mutex_lock(&events->lock);
	*ret_put = events->put;
	*ret_lost = events->lost;
	pthread_mutex_unlock(&events->lock);
}
