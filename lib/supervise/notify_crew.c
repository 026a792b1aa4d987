/* SPDX-License-Identifier: MIT */
/* Which thread receives: mostly one, and another stands by (notify.h). */
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <errno.h>
#include "supervise/notify_private.h"

#define LOOK_NS	 1000000 /* how often the one who stands by looks, while requests come */
#define TOGETHER 256	 /* for how many requests another one receives, once it was needed */

static void receiver_free(struct rv_receiver *r)
{
	if (!r)
		return;
	free(r->request);
	free(r->response);
	free(r);
}

static struct rv_receiver *receiver_new(struct rv_notify *n)
{
	struct rv_receiver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->notify = n;
	r->request = malloc(n->request_size);
	r->response = malloc(n->response_size);
	if (r->request && r->response)
		return r;
	receiver_free(r);
	return NULL;
}

static void count(struct rv_receiver *r, int change)
{
	r->notify->threads += (unsigned int)change;
	if (r->stands_by)
		r->notify->stands_by = change > 0;
	else
		r->notify->waiting += (unsigned int)change;
}

int rv_crew_add(struct rv_notify *n, bool stands_by, void *(*body)(void *arg))
{
	struct rv_receiver *self = receiver_new(n);
	int r;

	if (!self)
		return -ENOMEM;
	self->stands_by = stands_by;
	count(self, 1);
	r = rv_notify_thread(body, self);
	if (r < 0) {
		count(self, -1);
		receiver_free(self);
	}
	return r;
}

/* ---- the list of those in RECV; with the lock held */

static void list_remove(struct rv_receiver *r)
{
	struct rv_receiver **at = &r->notify->receivers;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
}

static void list_add(struct rv_receiver *r)
{
	r->next = r->notify->receivers;
	r->notify->receivers = r;
}

void rv_crew_join(struct rv_receiver *r)
{
	struct rv_notify *n = r->notify;

	pthread_mutex_lock(&n->lock);
	r->thread = pthread_self();
	if (!r->stands_by)
		list_add(r);
	pthread_mutex_unlock(&n->lock);
}

void rv_crew_add_stand_by(struct rv_notify *n, void *(*body)(void *arg))
{
	if (!n->stands_by && n->threads < RV_RECEIVERS_MAX && !n->over)
		(void)rv_crew_add(n, true, body);
}

void rv_crew_begin_work(struct rv_receiver *r, void *(*body)(void *arg))
{
	struct rv_notify *n = r->notify;

	pthread_mutex_lock(&n->lock);
	list_remove(r);
	n->waiting--;
	n->begun++;
	/* Where nobody waits any more, a request that takes long would hold up all others. */
	if (n->waiting == 0 && n->begun > 1)
		rv_crew_add_stand_by(n, body);
	if (n->dozes) {
		n->dozes = false;
		pthread_cond_signal(&n->stir);
	}
	pthread_mutex_unlock(&n->lock);
}

static bool are_enough(const struct rv_notify *n)
{
	return n->waiting > (n->begun < n->together_until ? 1 : 0);
}

bool rv_crew_end_work(struct rv_receiver *r)
{
	struct rv_notify *n = r->notify;
	bool receives, stay;

	pthread_mutex_lock(&n->lock);
	receives = !n->over && !are_enough(n);
	r->stands_by = !n->over && !receives && !n->stands_by;
	stay = receives || r->stands_by;
	if (receives) {
		n->waiting++;
		list_add(r);
	} else if (r->stands_by) {
		n->stands_by = true;
	}
	pthread_mutex_unlock(&n->lock);
	return stay;
}

void rv_crew_leave(struct rv_receiver *r, bool was_waiting)
{
	struct rv_notify *n = r->notify;

	pthread_mutex_lock(&n->lock);
	n->threads--;
	if (was_waiting) {
		list_remove(r);
		n->waiting--;
	}
	receiver_free(r);
	if (n->threads == 0 && n->workers_count == 0)
		pthread_cond_broadcast(&n->ended);
	pthread_mutex_unlock(&n->lock);
}

void rv_crew_set_over(struct rv_notify *n)
{
	n->over = true;
	pthread_cond_broadcast(&n->stir);
}

/* ---- standing by; with the lock held */

static bool is_pending(const struct rv_notify *n)
{
	struct pollfd pfd = {.fd = n->listener, .events = POLLIN};

	return poll(&pfd, 1, 0) > 0;
}

/* Nobody receives, and who did is at the same request all the time, or others come meanwhile. */
static bool is_needed(const struct rv_notify *n, uint64_t seen)
{
	return n->waiting == 0 && (n->begun == seen || is_pending(n));
}

static void wait_a_while(struct rv_notify *n)
{
	struct timespec until;

	if (n->over) /* nobody will stir us again */
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_clockwait(&n->stir, &n->lock, CLOCK_MONOTONIC, &until);
}

static void wait_until_needed(struct rv_notify *n)
{
	uint64_t seen = n->begun;
	bool needed = false;

	while (!n->over && !needed) {
		/* Nothing came since the last look, and somebody waits for it. */
		while (n->begun == seen && n->waiting > 0 && !n->over) {
			n->dozes = true;
			pthread_cond_wait(&n->stir, &n->lock);
		}
		n->dozes = false;
		seen = n->begun;
		wait_a_while(n);
		needed = is_needed(n, seen);
	}
}

bool rv_crew_stand_by(struct rv_receiver *r)
{
	struct rv_notify *n = r->notify;
	bool over;

	pthread_mutex_lock(&n->lock);
	wait_until_needed(n);
	n->stands_by = r->stands_by = false;
	over = n->over;
	if (!over) {
		n->waiting++;
		list_add(r);
		n->together_until = n->begun + TOGETHER;
	}
	pthread_mutex_unlock(&n->lock);
	return !over;
}
