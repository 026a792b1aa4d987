/* SPDX-License-Identifier: MIT */
/*
 * The threads of held requests. The watcher tells approvers, and drops who does not wait any more;
 * workers handle answered requests again. Both exist only while there is something for them to do,
 * but for the watcher, which waits once somebody could be asked.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "base/error.h"
#include "base/options.h"
#include "supervise/ask_private.h"
#include "supervise/judge_private.h"

/*
 * Each look is at some of those who wait, all in turn. It holds the lock, which an answer needs, so
 * that one at a thousand would take longer than an answer may: many are looked at in small parts.
 */
#define LOOKS	 8   /* how many of them at once */
#define LOOK_MS	 20  /* until the next look, if that is all of them */
#define PART_MS	 3   /* else */
#define GRACE_MS 300 /* a question without waiters: the call may be restarted after a signal */
#define WORKERS	 16

static struct timespec after_ms(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += (long)ms * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

/* All signals stay with the embedding program's own threads. */
static int start_thread(pthread_t *thread, void *(*run)(void *), void *data)
{
	sigset_t all, saved;
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024); /* path buffers, no recursion */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	r = pthread_create(thread, &attr, run, data);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

/* ------------------------------------------------------------------------ workers */

/* What was allowed may be a FIFO: a thread for itself, so that other answers need not wait. */
struct blocked {
	struct rv_context *context; /* which lives longer than what is asked in it */
	int listener;
	struct rv_waiter *waiter;
};

static struct rv_answer handle_blocked(void *data)
{
	const struct blocked *blocked = data;

	return rv_dispatch_again(blocked->context, blocked->listener, &blocked->waiter->notif, true,
		&blocked->waiter->question->pass);
}

static void release_blocked(void *data)
{
	struct blocked *blocked = data;

	rv_waiter_free(blocked->waiter);
	free(blocked);
}

static bool hand_over(const struct rv_ask *ask, struct rv_waiter *waiter)
{
	struct blocked *blocked = malloc(sizeof(*blocked));
	struct rv_blocking blocking = {handle_blocked, release_blocked, blocked};

	if (!blocked)
		return false;
	*blocked = (struct blocked){ask->context, ask->listener, waiter};
	if (rv_notify_block(ask->notify, waiter->notif.id, &blocking) == 0)
		return true;
	free(blocked);
	return false;
}

static void handle_and_answer(struct rv_ask *ask, struct rv_waiter *waiter)
{
	struct rv_answer answer = rv_dispatch_again(
		ask->context, ask->listener, &waiter->notif, false, &waiter->question->pass);

	if (answer.kind == RV_ANSWER_BLOCKS) {
		if (hand_over(ask, waiter))
			return;
		answer = rv_answer_unblocked(&answer);
	}
	rv_notify_finish(ask->notify, waiter->notif.id, &answer);
	rv_waiter_free(waiter);
}

static struct rv_waiter *take(struct rv_ask *ask)
{
	struct rv_waiter *waiter = ask->queue.first;

	if (!waiter)
		return NULL;
	ask->queue.first = waiter->next;
	if (!waiter->next)
		ask->queue.last = &ask->queue.first;
	ask->queue.count--;
	return waiter;
}

static void *work(void *data)
{
	struct rv_ask *ask = data;
	struct rv_waiter *waiter;

	/* A umask of its own, for what is created in the caller's place. */
	(void)unshare(CLONE_FS);
	pthread_detach(pthread_self());
	pthread_mutex_lock(&ask->lock);
	while (!ask->stopping && (waiter = take(ask))) {
		pthread_mutex_unlock(&ask->lock);
		handle_and_answer(ask, waiter);
		pthread_mutex_lock(&ask->lock);
	}
	ask->workers--;
	pthread_cond_broadcast(&ask->done);
	pthread_mutex_unlock(&ask->lock);
	return NULL;
}

/* One for each request that was answered, as far as there may be so many. */
void rv_ask_run_queue(struct rv_ask *ask)
{
	pthread_t thread;

	for (unsigned int i = 0; i < ask->queue.count && ask->workers < WORKERS; i++) {
		ask->workers++;
		if (start_thread(&thread, work, ask) < 0) {
			ask->workers--;
			break;
		}
	}
	/* Without a thread now, the watcher tries again. */
	pthread_cond_signal(&ask->changed);
}

/* ------------------------------------------------------------- who waits no more */

/* Takes one out of a question; `at` is what points to it. */
static struct rv_waiter *drop(
	struct rv_ask *ask, struct rv_question *question, struct rv_waiter **at)
{
	struct rv_waiter *waiter = *at;

	*at = waiter->next;
	if (!*at)
		question->waiters.last = at;
	question->waiters.count--;
	ask->waiting--;
	return waiter;
}

static bool is_valid(const struct rv_ask *ask, const struct rv_waiter *waiter)
{
	uint64_t id = waiter->notif.id;

	return ioctl(ask->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int interrupted(const struct rv_ask *ask, const struct rv_waiter *waiter)
{
	struct rv_caller caller;
	int error;

	rv_caller_open(&caller, ask->listener, waiter->notif.id, (pid_t)waiter->notif.pid);
	error = rv_caller_interrupted(&caller);
	rv_caller_close(&caller);
	/* It would ask the same again, but only when it is continued. */
	return error && rv_task_is_stopped((pid_t)waiter->notif.pid) ? 0 : error;
}

static void interrupt(
	struct rv_ask *ask, struct rv_question *question, struct rv_waiter **at, int error)
{
	struct rv_answer answer = rv_answer_errno(error);
	struct rv_waiter *waiter = drop(ask, question, at);

	if (!question->waiters.count)
		question->idle_since = rv_boot_ms();
	rv_notify_finish(ask->notify, waiter->notif.id, &answer);
	rv_waiter_free(waiter);
}

/* Whether it still waits; if not, it is taken out. */
static bool look_at(struct rv_ask *ask, struct rv_question *question, struct rv_waiter **at)
{
	int error;

	if (!is_valid(ask, *at)) {
		rv_waiter_free(drop(ask, question, at));
		return false;
	}
	error = interrupted(ask, *at);
	if (error)
		interrupt(ask, question, at, error);
	return !error;
}

/* At the waiters of one question; *skip of them are not this look's, *left: how many still are. */
static void look_at_all(
	struct rv_ask *ask, struct rv_question *question, unsigned int *skip, unsigned int *left)
{
	struct rv_waiter **at = &question->waiters.first;

	while (*at && *left > 0) {
		if (*skip > 0)
			--*skip;
		else if (--*left, !look_at(ask, question, at))
			continue;
		at = &(*at)->next;
	}
}

static bool is_over(struct rv_question *question, uint64_t now)
{
	if (question->waiters.count || question->is_busy)
		return false;
	if (!question->idle_since)
		return true;
	/* Whoever is stopped between a signal and its next try has its time afterwards. */
	if (rv_task_is_stopped(question->shown.tid))
		question->idle_since = now;
	return now >= question->idle_since + GRACE_MS;
}

static void look(struct rv_ask *ask)
{
	unsigned int skip = ask->looked < ask->waiting ? ask->looked : 0, left = LOOKS;
	uint64_t now = rv_boot_ms();
	struct rv_question *next;

	ask->looked = skip + LOOKS;
	for (struct rv_question *q = ask->questions; q; q = next) {
		next = q->next;
		look_at_all(ask, q, &skip, &left);
		if (is_over(q, now)) {
			rv_ask_unlist(ask, q);
			rv_question_free(q);
		}
	}
}

/* ---------------------------------------------------------------------- approvers */

/* Calls out without the lock; nobody frees an approver that is being called. */
static void call_asked(
	struct rv_ask *ask, struct rv_approver *approver, struct rv_question *question)
{
	struct reeve_question shown = rv_ask_show(ask, question);

	rv_question_ref(question);
	approver->last = shown.id;
	ask->calling = approver;
	pthread_mutex_unlock(&ask->lock);
	if (approver->fn.asked)
		approver->fn.asked(approver->fn.data, &shown);
	rv_question_free(question);
	pthread_mutex_lock(&ask->lock);
	ask->calling = NULL;
	pthread_cond_broadcast(&ask->done);
}

static void call_gone(struct rv_ask *ask, struct rv_approver *approver, uint64_t id)
{
	ask->calling = approver;
	pthread_mutex_unlock(&ask->lock);
	if (approver->fn.gone)
		approver->fn.gone(approver->fn.data, id);
	pthread_mutex_lock(&ask->lock);
	ask->calling = NULL;
	pthread_cond_broadcast(&ask->done);
}

static struct rv_question *first_after(struct rv_ask *ask, uint64_t id)
{
	struct rv_question *question = ask->questions;

	while (question && question->shown.id <= id)
		question = question->next;
	return question;
}

/* Everything may have changed after each call: the search begins anew. */
static bool tell_one(struct rv_ask *ask)
{
	for (struct rv_approver *a = ask->approvers; a; a = a->next) {
		struct rv_question *question = a->removed ? NULL : first_after(ask, a->last);

		if (!question)
			continue;
		call_asked(ask, a, question);
		return true;
	}
	return false;
}

static void tell_gone(struct rv_ask *ask)
{
	while (ask->gone_count && !ask->stopping) {
		uint64_t id = ask->gone[--ask->gone_count];

		for (struct rv_approver *a = ask->approvers; a; a = a->next)
			if (!a->removed && a->last >= id)
				call_gone(ask, a, id);
	}
}

static void free_removed(struct rv_ask *ask)
{
	struct rv_approver **at = &ask->approvers;

	while (*at) {
		struct rv_approver *approver = *at;

		if (!approver->removed) {
			at = &approver->next;
			continue;
		}
		*at = approver->next;
		free(approver);
	}
}

static void *watch(void *data)
{
	struct rv_ask *ask = data;
	struct timespec next = after_ms(LOOK_MS);

	pthread_mutex_lock(&ask->lock);
	while (!ask->stopping) {
		int r = 0;

		tell_gone(ask);
		if (tell_one(ask))
			continue;
		free_removed(ask);
		if (ask->stopping || ask->gone_count)
			continue;
		if (ask->questions || ask->queue.count)
			r = pthread_cond_clockwait(
				&ask->changed, &ask->lock, CLOCK_MONOTONIC, &next);
		else
			pthread_cond_wait(&ask->changed, &ask->lock);
		if (r != ETIMEDOUT)
			continue;
		look(ask);
		if (!ask->workers)
			rv_ask_run_queue(ask);
		next = after_ms(ask->waiting > LOOKS ? PART_MS : LOOK_MS);
	}
	pthread_mutex_unlock(&ask->lock);
	return NULL;
}

int rv_ask_start_watcher(struct rv_ask *ask)
{
	int r = ask->watching ? 0 : start_thread(&ask->watcher, watch, ask);

	ask->watching |= r == 0;
	return r;
}

int rv_ask_add_approver(struct rv_ask *ask, const struct reeve_approver *fn)
{
	struct rv_approver *approver = calloc(1, sizeof(*approver)), **last;
	int r;

	if (!approver)
		return -ENOMEM;
	r = rv_options_take(&approver->fn, sizeof(approver->fn), fn, NULL);
	if (r) {
		free(approver);
		return r;
	}
	pthread_mutex_lock(&ask->lock);
	r = rv_ask_start_watcher(ask);
	if (r == 0) {
		r = approver->id = ++ask->last_approver;
		for (last = &ask->approvers; *last; last = &(*last)->next)
			;
		*last = approver;
		ask->approving++;
		pthread_cond_signal(&ask->changed);
	}
	pthread_mutex_unlock(&ask->lock);
	if (r < 0)
		free(approver);
	return r;
}

void rv_ask_remove_approver(struct rv_ask *ask, int id)
{
	struct rv_approver *approver;

	pthread_mutex_lock(&ask->lock);
	for (approver = ask->approvers; approver && approver->id != id;)
		approver = approver->next;
	if (approver && !approver->removed) {
		approver->removed = true;
		ask->approving--;
		if (!ask->approving)
			rv_ask_deny_all(ask, "nobody");
	}
	/* From within its own function it cannot be waited for. */
	while (approver && ask->calling == approver && !pthread_equal(pthread_self(), ask->watcher))
		pthread_cond_wait(&ask->done, &ask->lock);
	pthread_cond_signal(&ask->changed);
	pthread_mutex_unlock(&ask->lock);
}

void rv_ask_stop(struct rv_ask *ask)
{
	if (!ask)
		return;
	pthread_mutex_lock(&ask->lock);
	ask->stopping = true;
	pthread_cond_broadcast(&ask->changed);
	while (ask->workers)
		pthread_cond_wait(&ask->done, &ask->lock);
	pthread_mutex_unlock(&ask->lock);
	if (ask->watching)
		pthread_join(ask->watcher, NULL);
	ask->watching = false;
}
