/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "supervise/waits.h"

/* How often the callers' pending signals are looked at. */
#define TICK_MS 10

struct wait {
	struct rv_workers *workers;
	struct rv_channel *channel; /* NULL: a free place */
	struct rv_caller caller;
	struct rv_job job; /* its data and descriptors are gone */
	bool timed;	   /* the socket has a timeout */
	int interrupted;   /* the errno for a call that a signal ended; 0: none did */
};

struct rv_waits {
	pthread_mutex_t lock; /* guards what follows, but for `at` in the thread */
	unsigned int reserved;
	struct wait at[RV_WAITS_MAX]; /* filled under the lock, emptied by the thread */
	bool running, stopping;
	pthread_t thread;
	int wake_fd;
	struct rv_notify *notify;
};

/* -------------------------------------------------------------------------- places */

bool rv_waits_reserve(struct rv_waits *waits)
{
	bool ok;

	pthread_mutex_lock(&waits->lock);
	ok = waits->reserved < RV_WAITS_MAX;
	waits->reserved += ok;
	pthread_mutex_unlock(&waits->lock);
	return ok;
}

void rv_waits_cancel(struct rv_waits *waits)
{
	pthread_mutex_lock(&waits->lock);
	waits->reserved--;
	pthread_mutex_unlock(&waits->lock);
}

/* ---------------------------------------------------------------------- the thread */

static void wake(struct rv_waits *waits)
{
	uint64_t one = 1;

	if (write(waits->wake_fd, &one, sizeof(one)) < 0) {
		/* The counter is full: it is awake. */
	}
}

static void answer(struct rv_waits *waits, struct wait *wait, const struct rv_job *job)
{
	int error = job->result < 0 ? (int)-job->result : 0;
	struct rv_answer answer;

	if (job->after)
		job->after(&wait->caller, wait->channel, job);
	if (error == EINTR && wait->interrupted)
		error = wait->interrupted;
	answer = error ? rv_answer_errno(error) : rv_answer_value(job->result);
	rv_notify_finish(waits->notify, wait->caller.id, &answer);
}

static void end_wait(struct rv_waits *waits, struct wait *wait, bool usable)
{
	rv_channel_done(wait->workers, wait->channel, usable);
	rv_caller_close(&wait->caller);
	pthread_mutex_lock(&waits->lock);
	wait->channel = NULL;
	waits->reserved--;
	pthread_mutex_unlock(&waits->lock);
}

static void take_answer(struct rv_waits *waits, struct wait *wait)
{
	struct rv_job *job = &wait->job;
	int r = rv_channel_answer(wait->channel, false, job);

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		job->result = -EPERM;
		job->after = NULL;
	}
	rv_close_p(&job->made);
	job->made = -1;
	answer(waits, wait, job);
	end_wait(waits, wait, r == 0);
}

/* With a timeout the socket's calls are not restarted, natively either. */
static void look_for_signal(struct wait *wait)
{
	struct rv_caller_status status;

	if (!rv_caller_waits(&wait->caller) || rv_caller_status(&wait->caller, &status) < 0)
		wait->interrupted = EINTR;
	else
		wait->interrupted = rv_status_interrupted(&status);
	if (wait->interrupted && wait->timed)
		wait->interrupted = EINTR;
}

/* Has to be said again until it is heard. */
static void interrupt_if_needed(struct wait *wait)
{
	if (!wait->interrupted)
		look_for_signal(wait);
	if (wait->interrupted)
		rv_channel_interrupt(wait->workers, wait->channel);
}

/* What to poll for, and which place each is of. */
struct watched {
	struct pollfd fds[RV_WAITS_MAX + 1];
	struct wait *waits[RV_WAITS_MAX + 1];
	nfds_t count;
};

/* False: the end. */
static bool collect(struct rv_waits *waits, struct watched *w)
{
	bool go_on;

	w->fds[0] = (struct pollfd){.fd = waits->wake_fd, .events = POLLIN};
	w->count = 1;
	pthread_mutex_lock(&waits->lock);
	for (size_t i = 0; i < RV_WAITS_MAX; i++) {
		if (!waits->at[i].channel)
			continue;
		w->waits[w->count] = &waits->at[i];
		w->fds[w->count++] =
			(struct pollfd){.fd = waits->at[i].channel->fd, .events = POLLIN};
	}
	go_on = !waits->stopping || w->count > 1;
	pthread_mutex_unlock(&waits->lock);
	return go_on;
}

static void *serve(void *arg)
{
	struct rv_waits *waits = arg;
	struct watched w;

	while (collect(waits, &w)) {
		uint64_t ignored;

		poll(w.fds, w.count, w.count > 1 ? TICK_MS : -1);
		if (w.fds[0].revents && read(waits->wake_fd, &ignored, sizeof(ignored)) < 0) {
			/* Nonblocking. */
		}
		for (nfds_t i = 1; i < w.count; i++) {
			if (w.fds[i].revents)
				take_answer(waits, w.waits[i]);
			else
				interrupt_if_needed(w.waits[i]);
		}
	}
	return NULL;
}

/* With the lock. Signals are for the threads of the program that embeds us. */
static int start_thread(struct rv_waits *waits)
{
	sigset_t all, saved;
	int r;

	if (waits->running)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	r = pthread_create(&waits->thread, NULL, serve, waits);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	waits->running = r == 0;
	return -r;
}

/* With the lock. There is one: it was reserved. */
static struct wait *free_place(struct rv_waits *waits)
{
	size_t i = 0;

	while (waits->at[i].channel)
		i++;
	return &waits->at[i];
}

int rv_waits_add(struct rv_waits *waits, struct rv_workers *workers, struct rv_channel *channel,
	struct rv_caller *caller, const struct rv_job *job, bool timed)
{
	int r;

	pthread_mutex_lock(&waits->lock);
	r = start_thread(waits);
	if (r == 0) {
		*free_place(waits) = (struct wait){.workers = workers,
			.channel = channel,
			.caller = *caller,
			.job = *job,
			.timed = timed};
		caller->proc_fd = caller->mem_fd = -1;
	}
	pthread_mutex_unlock(&waits->lock);
	if (r == 0)
		wake(waits);
	return r;
}

/* ---------------------------------------------------------------------------- life */

int rv_waits_new(struct rv_waits **ret)
{
	struct rv_waits *waits = calloc(1, sizeof(*waits));

	if (!waits)
		return -ENOMEM;
	waits->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waits->wake_fd < 0) {
		free(waits);
		return -errno;
	}
	pthread_mutex_init(&waits->lock, NULL);
	*ret = waits;
	return 0;
}

void rv_waits_set_notify(struct rv_waits *waits, struct rv_notify *notify)
{
	waits->notify = notify;
}

void rv_waits_free(struct rv_waits *waits)
{
	if (!waits)
		return;
	pthread_mutex_lock(&waits->lock);
	waits->stopping = true;
	pthread_mutex_unlock(&waits->lock);
	wake(waits);
	if (waits->running)
		pthread_join(waits->thread, NULL);
	rv_close_p(&waits->wake_fd);
	pthread_mutex_destroy(&waits->lock);
	free(waits);
}
