/* SPDX-License-Identifier: MIT */
/*
 * Inside of a record: where accesses are kept (record.c, record_paths.c), who they are of
 * (record_actor.c), and how handlers tell them (record_note.c, record_net.c).
 *
 * Handlers say what they were about to do in any case, so recording costs them an `if`. Nothing of
 * it decides: a mistake here makes a wrong note.
 */
#ifndef RV_SUPERVISE_RECORD_H
#define RV_SUPERVISE_RECORD_H

#include <reeve/record.h>
#include "supervise/fs.h"

/* An access as it is noted. */
struct rv_note {
	const char *call; /* static */
	enum reeve_class cls;
	uint64_t rights, implied;
	const char *object, *object2;
	unsigned int flags;
	enum reeve_outcome outcome;
	int error;
	uint16_t port;
	int family, type, protocol;
};

/* record.c: `actor` is an id. */
void rv_record_put(struct reeve_record *record, uint32_t actor, const struct rv_note *note);
void rv_record_hidden(struct reeve_record *record);

/* record_actor.c: the caller's, 0: it is gone, or no memory. */
uint32_t rv_record_actor(struct reeve_record *record, struct rv_caller *caller);

/* It is about to exec: who it is is asked again afterwards. */
void rv_record_execs(struct reeve_record *record, pid_t tid);

/* ---- record_note.c: all of them only where request->context->record */

/* What the request needs was judged, and is about to follow its way. */
void rv_record_verdict(
	struct rv_request *request, const struct rv_verdict *verdict, bool would_work);

/*
 * Nothing was judged, because the kernel alone can say what the path means, or because it would
 * fail. `fd`: what it names as far as we can see, O_PATH, or -1. `error`: negative errno of the
 * lookup, or 0. `rights` are asked for if it exists.
 */
void rv_record_native(
	struct rv_request *request, const struct rv_path *path, int fd, int error, uint64_t rights);

/* It exists, and fails for `error` (positive). */
void rv_record_failed(struct rv_request *request, const char *object, uint64_t rights, int error);

/* One of the files that an exec needs. */
void rv_record_exec(struct rv_request *request, const struct rv_object *object,
	const struct rv_judgement *judgement, bool interpreter);

/* ---- record_net.c */

/* Before it is handled: socket, connect, and bind but to a path, which is noted as it is made. */
void rv_record_net(struct rv_context *context, int listener, const struct seccomp_notif *notif);

#endif /* RV_SUPERVISE_RECORD_H */
