/* SPDX-License-Identifier: MIT */
/*
 * One trapped call on its way: received by notify.c, looked up in the table of dispatch.c by its
 * number, handled by one file per family of calls (fs_open.c, fs_make.c, fs_remove.c, fs_move.c,
 * exec.c, guards.c), which copies what it needs from the caller, judges, performs, and says how to
 * answer.
 */
#ifndef RV_SUPERVISE_REQUEST_H
#define RV_SUPERVISE_REQUEST_H

#include <linux/seccomp.h>
#include "supervise/caller.h"
#include "supervise/events.h"
#include "supervise/judge.h"
#include "supervise/notify.h"

/* What all requests of one domain share. Constant while it runs. */
struct rv_context {
	struct rv_judge *judge;
	struct rv_events *events; /* NULL: none wanted */
	uint64_t domain;
	struct rv_credentials own_credentials; /* of the supervisor, taken at launch */
	struct rv_root own_root;
	pid_t supervisor_pid, connector_pid;
	int connector_fd; /* -1: gone */
	_Atomic uint64_t denied, guarded;
};

struct rv_request {
	struct rv_context *context;
	struct rv_caller *caller;
	const struct seccomp_notif *notif;
	const char *call; /* "openat" */
	bool may_block;
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

/* The rv_notify_handler that looks up and runs the handler; data is a struct rv_context. */
struct rv_answer rv_dispatch(
	void *data, int listener, const struct seccomp_notif *notif, bool may_block);

/*
 * Whether the supervisor may act for this caller: same credentials, same root. Else nothing is
 * granted live, and the call goes on natively (hazards.md: "The caller's credentials …").
 */
bool rv_may_act_for(const struct rv_request *request);

/* Puts a DENIED event; quiet judgements put none. `error` is what the caller gets. */
void rv_report_denied(struct rv_request *request, const struct rv_judgement *judgement,
	enum reeve_class cls, uint64_t asked, const char *object, const char *object2, int error);
void rv_report_guard(struct rv_request *request, const char *guard, const char *object, int error);

#endif /* RV_SUPERVISE_REQUEST_H */
