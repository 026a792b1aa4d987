/* SPDX-License-Identifier: MIT */
/* Inside of ask: ask.c (holding, answering), ask_question.c, ask_watch.c (the threads). */
#ifndef RV_SUPERVISE_ASK_PRIVATE_H
#define RV_SUPERVISE_ASK_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "supervise/ask.h"

struct rv_waiter {
	struct rv_waiter *next;
	struct rv_question *question; /* owned reference */
	struct seccomp_notif notif;
};

struct rv_waiters {
	struct rv_waiter *first, **last; /* last: where the next one is put */
	unsigned int count;
};

/* Constant but for what is said below; strings are its own. */
struct rv_question {
	atomic_uint refs;
	uint64_t hash;
	struct reeve_question shown; /* waiting and questions are filled in for each reader */
	struct reeve_task parents[REEVE_PARENTS_MAX];

	/* Guarded by the lock of ask. */
	struct rv_question *next; /* in the table, by rising ids */
	struct rv_waiters waiters;
	uint64_t idle_since; /* CLOCK_BOOTTIME ms: nobody waits since; 0: somebody does */
	bool is_listed;	     /* in the table */
	bool is_busy;	     /* somebody answers it just now */

	struct rv_pass pass; /* set before a waiter is queued */
	char by[128];
	char strings[];
};

struct rv_approver {
	int id;
	struct reeve_approver fn;
	uint64_t last; /* id of the last question that it was told */
	bool removed;
	struct rv_approver *next;
};

/* A denial that is remembered. */
struct rv_refusal {
	struct rv_question *question; /* owned reference: what was denied */
	enum reeve_answer_scope scope;
	char *tree;	/* owned: another one than the question's, or NULL */
	uint64_t until; /* CLOCK_BOOTTIME ms, 0: for good */
};

struct rv_ask {
	struct rv_context *context;
	struct rv_notify *notify;
	int listener;

	pthread_mutex_t lock;	/* short, but for looks at waiters' signals */
	pthread_cond_t changed; /* for the watcher */
	pthread_cond_t done;	/* an approver's function returned; a worker ended */
	pthread_t watcher;
	bool watching, stopping;
	atomic_bool ended;

	struct rv_question *questions, **last;
	unsigned int count, waiting;
	uint64_t last_id;
	_Atomic unsigned int approving; /* approvers that are not removed: read without the lock */

	struct rv_approver *approvers, *calling; /* calling: whose function runs */
	int last_approver;
	uint64_t *gone; /* ids that approvers may have been told and that are no more */
	size_t gone_count, gone_capacity;

	struct rv_waiters queue; /* answered, to be handled again */
	unsigned int workers;
	unsigned int looked; /* how many waiters were looked at in this turn */

	struct rv_refusal *refusals;
	size_t refusals_count;
};

/* ask_question.c */

struct rv_question *rv_question_new(
	struct rv_request *request, const struct rv_want *want, uint64_t hash);
struct rv_question *rv_question_ref(struct rv_question *question);
void rv_question_free(struct rv_question *question); /* drops a reference */
uint64_t rv_question_hash(const struct rv_want *want);
bool rv_question_is(const struct rv_question *question, const struct rv_want *want);
/* Whether `path` is `dir` or beneath it. */
bool rv_path_is_beneath(const char *path, const char *dir);

/* ask_scope.c */

bool rv_scope_fits(enum reeve_class cls, enum reeve_answer_scope scope);
/* What an answer of this scope is about besides the question itself; `tree`: instead of the
 * question's, or NULL. */
bool rv_scope_holds(const struct reeve_question *question, enum reeve_answer_scope scope,
	const char *tree, const struct rv_want *want);
/* The same of another question. */
bool rv_scope_holds_question(const struct reeve_question *question, enum reeve_answer_scope scope,
	const char *tree, const struct reeve_question *other);
/* As reeve_question_rules(), whatever is possible. */
int rv_scope_rules(const struct reeve_question *question, enum reeve_answer_scope scope,
	struct reeve_rule ret[REEVE_QUESTION_RULES]);
/* As a running domain takes it: a UNIX socket is a path, with a right on it. */
void rv_make_live(struct reeve_rule *rule);
extern const char *const rv_scope_names[REEVE_ANSWER_FAMILY + 2]; /* ends with NULL */

/* ask.c; all with the lock */
void rv_ask_report(
	struct rv_ask *ask, const struct rv_question *question, struct reeve_event event);
void rv_ask_unlist(struct rv_ask *ask, struct rv_question *question);
struct reeve_question rv_ask_show(const struct rv_ask *ask, const struct rv_question *question);
void rv_waiters_add(struct rv_waiters *waiters, struct rv_waiter *waiter);
void rv_waiter_free(struct rv_waiter *waiter);
void rv_refusal_release(struct rv_refusal *refusal);

/* ask_answer.c; with the lock */
void rv_ask_deny_all(struct rv_ask *ask, const char *by);

/* ask_watch.c */
int rv_ask_start_watcher(struct rv_ask *ask); /* with the lock */
void rv_ask_run_queue(struct rv_ask *ask);    /* with the lock: sees to it that there are workers */

#endif /* RV_SUPERVISE_ASK_PRIVATE_H */
