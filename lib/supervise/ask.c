/* SPDX-License-Identifier: MIT */
/* Holding requests, and answering them. */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "supervise/ask_private.h"
#include "supervise/judge_private.h"

/* -------------------------------------------------------------------------- life */

int rv_ask_new(struct rv_context *context, struct rv_ask **ret)
{
	struct rv_ask *ask = calloc(1, sizeof(*ask));
	pthread_condattr_t monotonic;

	if (!ask)
		return -ENOMEM;
	ask->context = context;
	ask->listener = -1;
	ask->last = &ask->questions;
	ask->queue.last = &ask->queue.first;
	pthread_mutex_init(&ask->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&ask->changed, &monotonic);
	pthread_cond_init(&ask->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*ret = ask;
	return 0;
}

void rv_ask_set_notify(struct rv_ask *ask, struct rv_notify *notify, int listener)
{
	pthread_mutex_lock(&ask->lock);
	ask->notify = notify;
	ask->listener = listener;
	pthread_mutex_unlock(&ask->lock);
}

static void free_waiters(struct rv_waiters *waiters)
{
	while (waiters->first) {
		struct rv_waiter *waiter = waiters->first;

		waiters->first = waiter->next;
		rv_waiter_free(waiter);
	}
}

void rv_ask_free(struct rv_ask *ask)
{
	if (!ask)
		return;
	rv_ask_stop(ask);
	while (ask->questions) {
		struct rv_question *question = ask->questions;

		ask->questions = question->next;
		free_waiters(&question->waiters);
		rv_question_free(question);
	}
	free_waiters(&ask->queue);
	while (ask->approvers) {
		struct rv_approver *approver = ask->approvers;

		ask->approvers = approver->next;
		free(approver);
	}
	for (size_t i = 0; i < ask->refusals_count; i++)
		rv_refusal_release(&ask->refusals[i]);
	free(ask->refusals);
	free(ask->gone);
	pthread_cond_destroy(&ask->done);
	pthread_cond_destroy(&ask->changed);
	pthread_mutex_destroy(&ask->lock);
	free(ask);
}

/* ------------------------------------------------------------------------ waiters */

void rv_waiters_add(struct rv_waiters *waiters, struct rv_waiter *waiter)
{
	waiter->next = NULL;
	*waiters->last = waiter;
	waiters->last = &waiter->next;
	waiters->count++;
}

void rv_waiter_free(struct rv_waiter *waiter)
{
	if (!waiter)
		return;
	rv_question_free(waiter->question);
	free(waiter);
}

static struct rv_waiter *waiter_new(const struct rv_request *request)
{
	struct rv_waiter *waiter = calloc(1, sizeof(*waiter));

	if (waiter)
		waiter->notif = *request->notif;
	return waiter;
}

/* ------------------------------------------------------------------------ holding */

/* Whether what was denied for longer is part of what is asked for now. With the lock. */
static bool is_refused(struct rv_ask *ask, const struct rv_want *want)
{
	uint64_t now = rv_boot_ms();

	for (size_t i = 0; i < ask->refusals_count; i++) {
		const struct rv_refusal *refusal = &ask->refusals[i];
		const struct reeve_question *denied = &refusal->question->shown;

		if ((!refusal->until || now < refusal->until) &&
			!(denied->missing & ~want->missing) &&
			rv_scope_holds(denied, refusal->scope, refusal->tree, want))
			return true;
	}
	return false;
}

static struct rv_question *find(struct rv_ask *ask, const struct rv_want *want, uint64_t hash)
{
	for (struct rv_question *q = ask->questions; q; q = q->next)
		if (q->hash == hash && rv_question_is(q, want))
			return q;
	return NULL;
}

static void add_waiter(struct rv_ask *ask, struct rv_question *question, struct rv_waiter *waiter)
{
	waiter->question = rv_question_ref(question);
	rv_waiters_add(&question->waiters, waiter);
	question->idle_since = 0;
	ask->waiting++;
	pthread_cond_signal(&ask->changed);
}

static bool is_full(struct rv_ask *ask, const struct rv_question *question)
{
	unsigned int of_program = 0;

	for (const struct rv_question *q = ask->questions; q; q = q->next)
		of_program += q->shown.pid == question->shown.pid;
	return ask->count >= RV_QUESTIONS_MAX || of_program >= RV_QUESTIONS_PER_PROGRAM;
}

void rv_ask_report(struct rv_ask *ask, const struct rv_question *question, struct reeve_event event)
{
	const struct reeve_question *shown = &question->shown;

	event.pid = shown->pid;
	event.tid = shown->tid;
	memcpy(event.comm, shown->comm, sizeof(event.comm));
	event.exe = shown->exe;
	event.call = shown->call;
	event.cls = shown->cls;
	event.asked = shown->asked;
	event.missing = shown->missing;
	event.object = shown->object;
	event.object2 = shown->object2;
	event.question = shown->id;
	if (ask->context->events)
		rv_events_put(ask->context->events, &event);
}

/* Takes the reference. With the lock. */
static void list(struct rv_ask *ask, struct rv_question *question)
{
	question->shown.id = ++ask->last_id;
	question->is_listed = true;
	*ask->last = question;
	ask->last = &question->next;
	ask->count++;
	ask->context->numbers->questions = ask->count;
	rv_ask_report(ask, question, (struct reeve_event){.kind = REEVE_EVENT_QUESTION});
}

void rv_ask_unlist(struct rv_ask *ask, struct rv_question *question)
{
	struct rv_question **at = &ask->questions;
	uint64_t *more;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	if (!*at)
		ask->last = at;
	question->is_listed = false;
	ask->count--;
	ask->context->numbers->questions = ask->count;
	if (ask->gone_count == ask->gone_capacity) {
		more = reallocarray(ask->gone, 2 * ask->gone_capacity + 16, sizeof(*more));
		if (more) {
			ask->gone = more;
			ask->gone_capacity = 2 * ask->gone_capacity + 16;
		}
	}
	/* Without memory nobody is told: answering it says that it is gone. */
	if (ask->gone_count < ask->gone_capacity)
		ask->gone[ask->gone_count++] = question->shown.id;
	pthread_cond_signal(&ask->changed);
}

/* With the lock; takes `waiter`, and `made` where it is used. */
static enum rv_hold hold(struct rv_ask *ask, const struct rv_want *want, uint64_t hash,
	struct rv_waiter *waiter, struct rv_question **made)
{
	struct rv_question *question;

	if (!ask->approving || ask->stopping || ask->ended)
		return RV_HOLD_NO;
	if (is_refused(ask, want))
		return RV_HOLD_REFUSED;
	if (ask->waiting >= RV_WAITERS_MAX)
		return RV_HOLD_FULL;
	question = find(ask, want, hash);
	if (!question && !*made)
		return RV_HOLD_YES; /* but first it has to be made */
	if (!question && is_full(ask, *made))
		return RV_HOLD_FULL;
	if (!question) {
		question = rv_steal_ptr(made);
		list(ask, question);
	}
	add_waiter(ask, question, waiter);
	return RV_HOLD_YES;
}

bool rv_ask_has_approver(const struct rv_ask *ask)
{
	return ask && atomic_load(&ask->approving) && !atomic_load(&ask->ended);
}

bool rv_ask_would_hold(struct rv_ask *ask, const struct rv_want *want)
{
	bool would;

	if (!rv_ask_has_approver(ask))
		return false;
	pthread_mutex_lock(&ask->lock);
	would = ask->approving && !ask->stopping && !ask->ended && !is_refused(ask, want);
	pthread_mutex_unlock(&ask->lock);
	return would;
}

/* A question is made without the lock: it reads /proc. */
static enum rv_hold hold_with(struct rv_ask *ask, struct rv_request *request,
	const struct rv_want *want, struct rv_waiter *waiter)
{
	uint64_t hash = rv_question_hash(want);
	struct rv_question *made = NULL;
	enum rv_hold held;
	bool taken;

	for (int tries = 0; tries < 2; tries++) {
		pthread_mutex_lock(&ask->lock);
		held = hold(ask, want, hash, waiter, &made);
		taken = waiter->question;
		pthread_mutex_unlock(&ask->lock);
		/* Once it is taken, it may be answered, and gone, at any time. */
		if (held != RV_HOLD_YES || taken)
			break;
		made = rv_question_new(request, want, hash);
		held = RV_HOLD_NO;
		/* What no rule could grant is no question. */
		if (!made || !made->shown.scopes)
			break;
	}
	rv_question_free(made);
	return held;
}

enum rv_hold rv_ask_hold(struct rv_request *request, const struct rv_want *want)
{
	struct rv_ask *ask = request->context->ask;
	struct rv_waiter *waiter;
	enum rv_hold held;

	if (!rv_ask_has_approver(ask) || !want->missing)
		return RV_HOLD_NO;
	if (want->cls == REEVE_FS && (want->missing & ask->context->judge->never_live))
		return RV_HOLD_NO;
	waiter = waiter_new(request);
	if (!waiter)
		return RV_HOLD_NO;
	held = hold_with(ask, request, want, waiter);
	if (held != RV_HOLD_YES)
		rv_waiter_free(waiter);
	return held;
}

bool rv_pass_covers(const struct rv_pass *pass, const struct rv_want *want)
{
	const char *object2 = want->object2 ? want->object2 : "";

	return pass && pass->cls == want->cls && strcmp(pass->object, want->object) == 0 &&
	       strcmp(pass->object2 ? pass->object2 : "", object2) == 0 &&
	       !(want->missing & ~pass->rights);
}

/* ------------------------------------------------------------------------- showing */

struct reeve_question rv_ask_show(const struct rv_ask *ask, const struct rv_question *question)
{
	struct reeve_question shown = question->shown;

	shown.waiting = question->waiters.count;
	shown.questions = ask->count;
	return shown;
}

/* References to all that are listed. */
static struct rv_question **list_all(struct rv_ask *ask, struct reeve_question **ret, size_t *count)
{
	struct rv_question **all;

	pthread_mutex_lock(&ask->lock);
	all = calloc(ask->count + 1, sizeof(*all));
	*ret = calloc(ask->count + 1, sizeof(**ret));
	*count = 0;
	for (struct rv_question *q = ask->questions; all && *ret && q; q = q->next) {
		(*ret)[*count] = rv_ask_show(ask, q);
		all[(*count)++] = rv_question_ref(q);
	}
	pthread_mutex_unlock(&ask->lock);
	return all;
}

int rv_ask_questions(struct rv_ask *ask,
	int (*fn)(void *data, const struct reeve_question *question), void *data)
{
	rv_autofree struct reeve_question *shown = NULL;
	size_t count;
	rv_autofree struct rv_question **all = list_all(ask, &shown, &count);
	int r = all && shown ? 0 : -ENOMEM;

	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = fn(data, &shown[i]);
		rv_question_free(all[i]);
	}
	return r;
}
