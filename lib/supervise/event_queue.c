/* SPDX-License-Identifier: MIT */
/* Events for a program's own loop: a bounded queue behind a descriptor that can be polled. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include "base/cleanup.h"
#include "supervise/event_private.h"

struct reeve_event_queue {
	int fd; /* readable while count > 0 */
	pthread_mutex_t lock;
	size_t capacity, first, count;
	uint64_t lost; /* since the last event that was taken in */
	struct reeve_event *ring[];
};

int reeve_event_queue_new(size_t capacity, struct reeve_event_queue **ret)
{
	struct reeve_event_queue *queue;

	if (capacity < 2 || capacity > SIZE_MAX / sizeof(void *) / 2)
		return -EINVAL;
	queue = calloc(1, sizeof(*queue) + capacity * sizeof(queue->ring[0]));
	if (!queue)
		return -ENOMEM;
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd < 0) {
		int r = -errno;

		free(queue);
		return r;
	}
	pthread_mutex_init(&queue->lock, NULL);
	queue->capacity = capacity;
	*ret = queue;
	return 0;
}

int reeve_event_queue_fd(const struct reeve_event_queue *queue)
{
	return queue->fd;
}

/* With the lock. */
static void signal_first(const struct reeve_event_queue *queue)
{
	if (queue->count == 1)
		eventfd_write(queue->fd, 1); /* from 0: cannot overflow */
}

/* With the lock. False: no memory. */
static bool push(struct reeve_event_queue *queue, const struct reeve_event *event)
{
	struct reeve_event *copy;

	if (reeve_event_copy(event, &copy) < 0)
		return false;
	queue->ring[(queue->first + queue->count++) % queue->capacity] = copy;
	signal_first(queue);
	return true;
}

/* What was lost is said before the next one that fits, as one event. */
static bool push_lost(struct reeve_event_queue *queue, const struct reeve_event *before)
{
	struct reeve_event lost = {.size = sizeof(lost),
		.kind = REEVE_EVENT_LOST,
		.time = before->time,
		.domain = before->domain,
		.count = queue->lost};

	if (!queue->lost)
		return true;
	if (!push(queue, &lost))
		return false;
	queue->lost = 0;
	return true;
}

void reeve_event_queue_put(void *data, const struct reeve_event *event)
{
	struct reeve_event_queue *queue = data;
	size_t needed;

	pthread_mutex_lock(&queue->lock);
	needed = queue->lost ? 2 : 1;
	if (queue->capacity - queue->count < needed || !push_lost(queue, event) ||
		!push(queue, event))
		queue->lost++;
	pthread_mutex_unlock(&queue->lock);
}

int reeve_event_queue_next(struct reeve_event_queue *queue, struct reeve_event **ret)
{
	eventfd_t ignored;
	int r = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->count) {
		*ret = queue->ring[queue->first];
		queue->first = (queue->first + 1) % queue->capacity;
		r = 1;
		if (--queue->count == 0)
			eventfd_read(queue->fd, &ignored);
	}
	pthread_mutex_unlock(&queue->lock);
	return r;
}

void reeve_event_queue_free(struct reeve_event_queue *queue)
{
	struct reeve_event *event;

	if (!queue)
		return;
	while (reeve_event_queue_next(queue, &event) > 0)
		free(event);
	close(queue->fd);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}
