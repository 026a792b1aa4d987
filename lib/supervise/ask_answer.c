/* SPDX-License-Identifier: MIT */
/* What an answer does: rules, remembered denials, and those who waited. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <reeve/policy.h>
#include "base/error.h"
#include "supervise/ask_private.h"
#include "supervise/judge_private.h"

/* All that wait for it are to be handled again. With the lock. */
static void release(struct rv_ask *ask, struct rv_question *question, bool allow, const char *by)
{
	struct rv_waiter *waiter;

	question->pass = (struct rv_pass){.allow = allow,
		.cls = question->shown.cls,
		.rights = question->shown.missing,
		.object = question->shown.object,
		.object2 = question->shown.object2,
		.by = question->by};
	snprintf(question->by, sizeof(question->by), "%s", by ? by : "an answer");
	while ((waiter = question->waiters.first)) {
		question->waiters.first = waiter->next;
		rv_waiters_add(&ask->queue, waiter);
		ask->waiting--;
	}
	question->waiters = (struct rv_waiters){.last = &question->waiters.first};
	rv_ask_unlist(ask, question);
	rv_ask_run_queue(ask);
}

void rv_ask_deny_all(struct rv_ask *ask, const char *by)
{
	while (ask->questions) {
		struct rv_question *question = ask->questions;

		rv_ask_report(ask, question,
			(struct reeve_event){.kind = REEVE_EVENT_ANSWER,
				.answer = "deny object once",
				.by = by,
				.error = EACCES});
		release(ask, question, false, by);
		rv_question_free(question);
	}
}

void rv_ask_end(struct rv_ask *ask, const char *by)
{
	if (!ask)
		return;
	pthread_mutex_lock(&ask->lock);
	ask->ended = true;
	rv_ask_deny_all(ask, by);
	pthread_mutex_unlock(&ask->lock);
}

static int check_answer(
	const struct rv_question *question, const struct reeve_answer *a, struct reeve_error *err)
{
	struct reeve_rule rules[REEVE_QUESTION_RULES];
	bool lasts = a->term != REEVE_ANSWER_ONCE;

	if (a->term > REEVE_ANSWER_DURATION || a->scope > REEVE_ANSWER_FAMILY)
		return rv_error(err, -EINVAL, "no such answer");
	if (!rv_scope_fits(question->shown.cls, a->scope))
		return rv_error(err, -EINVAL, "scope: \"%s\" is none of a question of class %s",
			rv_scope_names[a->scope], reeve_class_name(question->shown.cls));
	if ((a->term == REEVE_ANSWER_DURATION) != (a->milliseconds > 0))
		return rv_error(err, -EINVAL, "a duration needs milliseconds, nothing else does");
	if (a->save && (!a->allow || a->term != REEVE_ANSWER_SESSION))
		return rv_error(
			err, -EINVAL, "only what is allowed for the session can be saved as well");
	if (a->tree && (a->scope != REEVE_ANSWER_TREE || a->tree[0] != '/' ||
			       !rv_path_is_beneath(question->shown.object, a->tree)))
		return rv_error(err, -EINVAL, "tree: \"%s\": expected a directory above the object",
			rv_q(a->tree));
	if (!lasts || a->tree || !a->allow ||
		reeve_question_rules(&question->shown, a->scope, rules) > 0)
		return 0;
	rv_error(err, -EINVAL,
		"question %" PRIu64 ": this cannot be allowed so for longer than once",
		question->shown.id);
	if (question->shown.cls == REEVE_FS)
		rv_error_hint(err, "allow its directory: entries are made, moved and removed by "
				   "rights on the directory that they are in");
	return -EINVAL;
}

/* `rules` hold strings of the question and of the answer. */
static int make_rules(const struct rv_question *question, const struct reeve_answer *a,
	const char *origin, struct reeve_rule rules[REEVE_QUESTION_RULES])
{
	struct reeve_question shown = question->shown;
	int count;

	if (a->tree)
		shown.tree = a->tree;
	count = reeve_question_rules(&shown, a->scope, rules);
	for (int i = 0; i < count; i++)
		rules[i].origin = origin;
	return count;
}

static int grant(struct rv_ask *ask, const struct rv_question *question,
	const struct reeve_answer *a, struct reeve_error *err)
{
	struct reeve_live_options options = {
		.size = sizeof(options), .milliseconds = a->milliseconds, .by = a->by};
	struct reeve_rule rules[REEVE_QUESTION_RULES];
	char origin[96];
	int count, r = 0;

	snprintf(origin, sizeof(origin), "question %" PRIu64 " of %s[%d]", question->shown.id,
		question->shown.comm, (int)question->shown.pid);
	count = make_rules(question, a, origin, rules);
	if (count < 0)
		return count;
	if (a->save)
		r = reeve_policy_file_add(a->save, rules, (size_t)count, err);
	for (int i = 0; i < count; i++)
		rv_make_live(&rules[i]);
	return r < 0 ? r : rv_judge_grant(ask->context->judge, rules, (size_t)count, &options, err);
}

void rv_refusal_release(struct rv_refusal *refusal)
{
	rv_question_free(refusal->question);
	free(refusal->tree);
}

static void forget_old(struct rv_ask *ask)
{
	uint64_t now = rv_boot_ms();
	size_t kept = 0;

	for (size_t i = 0; i < ask->refusals_count; i++)
		if (ask->refusals[i].until && now >= ask->refusals[i].until)
			rv_refusal_release(&ask->refusals[i]);
		else
			ask->refusals[kept++] = ask->refusals[i];
	ask->refusals_count = kept;
}

/* With the lock. */
static int remember(struct rv_ask *ask, struct rv_question *question, const struct reeve_answer *a,
	struct reeve_error *err)
{
	struct rv_refusal refusal = {.scope = a->scope};

	forget_old(ask);
	if (ask->refusals_count == RV_REFUSALS_MAX)
		return rv_error(err, -ENOSPC, "%d denials are remembered already; deny it once",
			RV_REFUSALS_MAX);
	if (!ask->refusals)
		ask->refusals = calloc(RV_REFUSALS_MAX, sizeof(*ask->refusals));
	if (a->tree)
		refusal.tree = strdup(a->tree);
	if (!ask->refusals || (a->tree && !refusal.tree))
		return rv_error(err, -ENOMEM, "out of memory");
	refusal.question = rv_question_ref(question);
	if (a->term == REEVE_ANSWER_DURATION)
		refusal.until = rv_boot_ms() + a->milliseconds;
	ask->refusals[ask->refusals_count++] = refusal;
	return 0;
}

static void report_answer(struct rv_ask *ask, const struct rv_question *question,
	const struct reeve_answer *a, unsigned int waiting)
{
	static const char *const terms[] = {"once", "session", "duration"};
	struct reeve_event event = {
		.kind = REEVE_EVENT_ANSWER, .by = a->by, .error = a->allow ? 0 : EACCES};
	char answer[48];

	snprintf(answer, sizeof(answer), "%s %s %s%s", a->allow ? "allow" : "deny",
		rv_scope_names[a->scope], terms[a->term], a->save ? " saved" : "");
	event.answer = answer;
	event.count = waiting;
	if (a->term == REEVE_ANSWER_DURATION) {
		clock_gettime(CLOCK_REALTIME, &event.until);
		event.until.tv_sec += (time_t)(a->milliseconds / 1000);
	}
	rv_ask_report(ask, question, event);
}

/* Those requests are judged again, as if they came only now: what is not settled waits on. */
static void settle_others(
	struct rv_ask *ask, const struct rv_question *answered, const struct reeve_answer *a)
{
	struct rv_question *next;

	for (struct rv_question *q = ask->questions; q; q = next) {
		next = q->next;
		if (q->is_busy ||
			!rv_scope_holds_question(&answered->shown, a->scope, a->tree, &q->shown))
			continue;
		release(ask, q, false, NULL);
		q->pass.rights = 0; /* covers nothing */
		rv_question_free(q);
	}
}

/* Marked as busy, with a reference. */
static int begin_answer(struct rv_ask *ask, uint64_t id, const struct reeve_answer *a,
	struct rv_question **ret, struct reeve_error *err)
{
	struct rv_question *question;
	int r;

	pthread_mutex_lock(&ask->lock);
	for (question = ask->questions; question && question->shown.id != id;)
		question = question->next;
	if (question && question->is_busy)
		question = NULL;
	if (!question || (a->term == REEVE_ANSWER_ONCE && !question->waiters.count))
		r = rv_error(err, -ENOENT, "question %" PRIu64 ": nobody waits for its answer", id);
	else
		r = check_answer(question, a, err);
	if (r == 0) {
		question->is_busy = true;
		*ret = rv_question_ref(question);
	}
	pthread_mutex_unlock(&ask->lock);
	return r;
}

/* `r`: how it went. */
static int end_answer(struct rv_ask *ask, struct rv_question *question,
	const struct reeve_answer *a, int r, struct reeve_error *err)
{
	pthread_mutex_lock(&ask->lock);
	question->is_busy = false;
	if (r == 0 && !a->allow && a->term != REEVE_ANSWER_ONCE)
		r = remember(ask, question, a, err);
	if (r == 0 && question->is_listed) {
		report_answer(ask, question, a, question->waiters.count);
		release(ask, question, a->allow, a->by);
		rv_question_free(question); /* the table's */
	}
	if (r == 0 && a->term != REEVE_ANSWER_ONCE)
		settle_others(ask, question, a);
	pthread_mutex_unlock(&ask->lock);
	return r;
}

int rv_ask_answer(
	struct rv_ask *ask, uint64_t id, const struct reeve_answer *a, struct reeve_error *err)
{
	bool grants = a->allow && a->term != REEVE_ANSWER_ONCE;
	struct rv_question *question = NULL;
	int r = begin_answer(ask, id, a, &question, err);

	if (r < 0)
		return r;
	if (grants)
		r = grant(ask, question, a, err);
	r = end_answer(ask, question, a, r, err);
	rv_question_free(question);
	return r < 0 ? r : grants;
}
