/* SPDX-License-Identifier: MIT */
/* A thread for each call that waits for something. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "supervise/notify_private.h"

struct rv_worker {
	struct rv_notify *notify;
	struct rv_worker *next; /* in the list of all */
	pthread_t thread;
	bool started; /* `thread` is known */
	uint64_t id;
	struct rv_blocking blocking;
};

/* With the lock held. */
static void list_remove(struct rv_worker *worker)
{
	struct rv_worker **at = &worker->notify->workers;

	while (*at != worker)
		at = &(*at)->next;
	*at = worker->next;
}

static void leave(void *arg)
{
	struct rv_worker *worker = arg;
	struct rv_notify *n = worker->notify;

	worker->blocking.release(worker->blocking.data);
	pthread_mutex_lock(&n->lock);
	list_remove(worker);
	free(worker);
	n->workers_count--;
	if (n->threads == 0 && n->workers_count == 0)
		pthread_cond_broadcast(&n->ended);
	pthread_mutex_unlock(&n->lock);
}

static void *work(void *arg)
{
	struct rv_worker *self = arg;
	struct rv_notify *n = self->notify;
	struct rv_answer answer;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	rv_notify_own_fs();
	pthread_mutex_lock(&n->lock);
	self->thread = pthread_self();
	self->started = true;
	pthread_mutex_unlock(&n->lock);
	pthread_cleanup_push(leave, self);
	answer = self->blocking.handle(self->blocking.data);
	if (answer.kind == RV_ANSWER_BLOCKS)
		answer = rv_answer_unblocked(&answer);
	rv_notify_finish(n, self->id, &answer);
	pthread_cleanup_pop(1);
	return NULL;
}

/* With the lock held. */
static int start(struct rv_notify *n, struct rv_worker *worker)
{
	int r;

	if (n->over)
		return -ESHUTDOWN;
	if (n->workers_count >= RV_WORKERS_MAX)
		return -EAGAIN;
	r = rv_notify_thread(work, worker);
	if (r < 0)
		return r;
	worker->next = n->workers;
	n->workers = worker;
	n->workers_count++;
	return 0;
}

int rv_notify_block(struct rv_notify *n, uint64_t id, const struct rv_blocking *blocking)
{
	struct rv_worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->notify = n;
	worker->id = id;
	worker->blocking = *blocking;
	pthread_mutex_lock(&n->lock);
	r = start(n, worker);
	pthread_mutex_unlock(&n->lock);
	if (r < 0)
		free(worker);
	return r;
}

/* They notice by themselves that their callers are gone, but for those that wait in the kernel. */
void rv_work_cancel(struct rv_notify *n)
{
	for (const struct rv_worker *w = n->workers; w; w = w->next) {
		if (w->started)
			pthread_cancel(w->thread);
	}
}
