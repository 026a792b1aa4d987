/* SPDX-License-Identifier: MIT */
/*
 * Held requests: the questions of one domain.
 *
 * A request that is held occupies no thread and no descriptor: the notification's struct lies in a
 * table until somebody answers, and is then handled again from the beginning by a worker, as if it
 * had come just then. Requests that ask the same are waiters of one question.
 *
 *	held ──answer──▶ queue ──worker──▶ rv_dispatch_again() with the answer as its *pass*
 *	  └──died, signalled──▶ dropped by the watcher
 */
#ifndef RV_SUPERVISE_ASK_H
#define RV_SUPERVISE_ASK_H

#include <stdbool.h>
#include <reeve/supervisor.h>
#include "supervise/request.h"

#define RV_QUESTIONS_MAX	 4096
#define RV_QUESTIONS_PER_PROGRAM 1280 /* of one process */
#define RV_WAITERS_MAX		 8192
#define RV_REFUSALS_MAX		 1024 /* remembered denials */

struct rv_ask;

/*
 * What was answered, for the requests that waited for it. It holds for what was shown and for
 * nothing else: a request that turns out to want another object, or more rights, is a new one.
 */
struct rv_pass {
	bool allow;
	enum reeve_class cls;
	uint64_t rights;
	const char *object, *object2;
	const char *by;
};

/* What of a request is denied, and would work were it not for the policy. */
struct rv_want {
	enum reeve_class cls;
	uint64_t asked, missing; /* missing: what nothing grants, what it needs besides included */
	const char *object, *object2; /* as events have them */
	bool object_is_directory;     /* REEVE_FS */
	const char *address;	      /* REEVE_NET: what `object` is made of */
	uint16_t port;
	/* REEVE_SOCKET: family, type, protocol, 0 where it is the usual one. REEVE_NET: the same
	 * where no rule lets the socket be made, else 0. */
	int socket[3];
};

/* `context` and `notify` must outlive it; notify may be set until the first request is held. */
int rv_ask_new(struct rv_context *context, struct rv_ask **ret);
void rv_ask_set_notify(struct rv_ask *ask, struct rv_notify *notify, int listener);
/*
 * Ends the threads, which use the notify loop; what is still held stays unanswered: its callers are
 * dead. Handlers may hold more until the loop has ended; then it can be freed. NULL is allowed.
 */
void rv_ask_stop(struct rv_ask *ask);
/* From now on nobody is asked; what is held is denied, by `by`. NULL is allowed. */
void rv_ask_end(struct rv_ask *ask, const char *by);
void rv_ask_free(struct rv_ask *ask);

/* Somebody can be asked. An id ≥ 1, -ENOMEM, -EAGAIN. */
int rv_ask_add_approver(struct rv_ask *ask, const struct reeve_approver *approver);
void rv_ask_remove_approver(struct rv_ask *ask, int id);

enum rv_hold {
	RV_HOLD_NO,	 /* nobody can be asked, or not about this: deny */
	RV_HOLD_YES,	 /* the answer comes later, perhaps from another thread already */
	RV_HOLD_REFUSED, /* a remembered denial covers it */
	RV_HOLD_FULL,	 /* too many questions */
};

bool rv_ask_has_approver(const struct rv_ask *ask); /* NULL: no */

/* Somebody could be asked about this, and has not denied it for longer. NULL: nobody. */
bool rv_ask_would_hold(struct rv_ask *ask, const struct rv_want *want);

enum rv_hold rv_ask_hold(struct rv_request *request, const struct rv_want *want);

/* Whether an answer is about this; without one (NULL) none is. */
bool rv_pass_covers(const struct rv_pass *pass, const struct rv_want *want);

/* reeve_supervisor_answer(); 1: live rules were committed. */
int rv_ask_answer(struct rv_ask *ask, uint64_t id, const struct reeve_answer *answer,
	struct reeve_error *err);
int rv_ask_questions(struct rv_ask *ask,
	int (*fn)(void *data, const struct reeve_question *question), void *data);

#endif /* RV_SUPERVISE_ASK_H */
