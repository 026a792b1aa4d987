/* SPDX-License-Identifier: MIT */
/*
 * One trapped call on its way: received by notify.c, looked up in the table of dispatch.c by its
 * number, handled by one file per family of calls (fs_open.c, fs_make.c, fs_remove.c, fs_move.c,
 * exec.c, guards.c), which copies what it needs from the caller, judges, performs, and says how to
 * answer.
 */
#ifndef RV_SUPERVISE_REQUEST_H
#define RV_SUPERVISE_REQUEST_H

#include <limits.h>
#include <linux/seccomp.h>
#include "supervise/board.h"
#include "supervise/events.h"
#include "supervise/inner.h"
#include "supervise/self.h"
#include "supervise/judge.h"
#include "supervise/mounts.h"
#include "supervise/notify.h"

struct rv_net;	   /* net.h */
struct rv_sockets; /* sockets.h */
struct rv_net;	   /* net.h */
struct rv_mover;   /* mover.h */
struct rv_guise;   /* guise.h */

/* What all requests of one domain share. Constant while it runs. */
struct rv_context {
	struct rv_judge *judge;
	struct rv_deny *deny;	  /* deny.h */
	struct rv_mover *mover;	  /* NULL: moves are the kernel's alone */
	struct rv_events *events; /* NULL: none wanted */
	struct rv_ask *ask;	  /* NULL: nobody can be asked */
	uint64_t domain;
	struct rv_self own; /* the supervisor's, taken at launch */
	struct rv_reading reading;
	struct rv_pidfds pidfds;
	int own_fds; /* our /proc/self/fd, O_PATH: rv_fd_name() is below it */
	struct rv_mounts *mounts;
	pid_t supervisor_pid, connector_pid;
	int connector_fd;	    /* -1: gone */
	struct rv_net *net;	    /* NULL: no call on sockets is trapped */
	struct rv_sockets *sockets; /* NULL: what the filter refuses of them is not trapped */
	struct rv_inner inner;
	bool permissive;	     /* what is judged is reported, and goes on */
	struct reeve_record *record; /* record.h; NULL: not wanted */
	/* `own_numbers`, or where others can see them (board.h). */
	struct rv_numbers *numbers, own_numbers;
};

struct rv_request {
	struct rv_context *context;
	struct rv_caller *caller;
	const struct seccomp_notif *notif;
	const char *call; /* "openat" */
	bool may_block;
	bool outside;	       /* of the floor: what is performed has been granted by a live rule */
	bool is_partly_done;   /* it cannot begin again, so it is not held */
	const char *denied_by; /* for the event; NULL: "floor" */
	bool judged;	       /* by rv_fs_go() or as an exec */
	bool foreign;	       /* the caller is not who we are: nothing was performed */
	struct rv_guise *guise;	    /* then: looked at once more, for the event (guise.h) */
	const struct rv_pass *pass; /* it was held, and answered (ask.h); NULL: it is new */
};

static inline uint64_t rv_arg(const struct rv_request *r, unsigned int i)
{
	return r->notif->data.args[i];
}

/* An `int` argument: the low word (hazards.md). */
static inline int rv_arg_int(const struct rv_request *r, unsigned int i)
{
	return (int)(uint32_t)r->notif->data.args[i];
}

typedef struct rv_answer (*rv_handler)(struct rv_request *request);

/*
 * What of a context concerns this process; the rest is left alone. `no_new_privs`: as for
 * rv_self_learn(). -errno of reading /proc.
 */
int rv_context_init(struct rv_context *context, bool no_new_privs);
void rv_context_release(struct rv_context *context);

/*
 * All tasks of the domain have had a filter that traps this (RV_TRAP_*) since they were like us,
 * and share root and memory with nobody else: what is noted of them is all that can have changed.
 */
void rv_context_trust_filter(struct rv_context *context, unsigned int traps);

/* Its caller, to be closed; nothing is opened yet. */
void rv_request_open(struct rv_request *request, int listener, struct rv_caller *caller);

/* The rv_notify_handler that looks up and runs the handler; data is a struct rv_context. */
struct rv_answer rv_dispatch(
	void *data, int listener, const struct seccomp_notif *notif, bool may_block);

/* Handles a request that was held again from the beginning; `pass` is the answer. */
struct rv_answer rv_dispatch_again(struct rv_context *context, int listener,
	const struct seccomp_notif *notif, bool may_block, const struct rv_pass *pass);

/*
 * Whether the supervisor may act for this caller: same credentials, same root. Else nothing is
 * granted live, and the call goes on natively (hazards.md: "The caller's credentials …").
 */
bool rv_may_act_for(struct rv_request *request);

/*
 * Puts a DENIED event; quiet judgements put none. `error` is what the caller gets: in permissive
 * mode nothing, whatever is said here, so a handler then answers CONTINUE.
 */
void rv_report_denied(struct rv_request *request, const struct rv_judgement *judgement,
	enum reeve_class cls, uint64_t asked, const char *object, const char *object2, int error);
/* pid, tid, comm, call, and exe, which lives in the buffer. */
void rv_fill_in_caller(
	struct rv_request *request, struct reeve_event *event, char exe[static PATH_MAX]);

/* What is denied by its identity, whatever its name (deny.h). */
void rv_judge_known_denied(struct rv_judgement *ret, uint64_t asked);

enum rv_settled {
	RV_ASKED_ALLOWED, /* it was held, and this is its answer */
	RV_ASKED_HELD,	  /* until it is answered */
	RV_ASKED_DENIED,  /* request->denied_by says by whom */
};
struct rv_want;

/* Asks about what is judged as denied on sockets, where somebody can be. */
enum rv_settled rv_request_ask(struct rv_request *request, const struct rv_judgement *judgement,
	const struct rv_want *want);

/*
 * The same: whether it goes on, because of an answer, or in permissive mode. False: *ret is the
 * answer; it is held until there is one, or the denial was reported.
 */
bool rv_request_goes_on(struct rv_request *request, const struct rv_judgement *judgement,
	const struct rv_want *want, int error, struct rv_answer *ret);
void rv_report_guard(struct rv_request *request, const char *guard, const char *object, int error);

#endif /* RV_SUPERVISE_REQUEST_H */
