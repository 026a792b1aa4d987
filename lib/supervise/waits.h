/* SPDX-License-Identifier: MIT */
/*
 * Calls that a worker is in and that did not return at once: one thread waits for all of them, and
 * answers the notification when the worker does. A signal that the caller handles ends the call
 * with EINTR as it would natively; so does the caller's end, for nobody.
 */
#ifndef RV_SUPERVISE_WAITS_H
#define RV_SUPERVISE_WAITS_H

#include "supervise/caller.h"
#include "supervise/notify.h"
#include "supervise/workers.h"

/* Fewer than workers, so that some are left for calls that do not wait. */
#define RV_WAITS_MAX 48

struct rv_waits;

int rv_waits_new(struct rv_waits **ret);

/* Who sends the answers; before anything can wait. */
void rv_waits_set_notify(struct rv_waits *waits, struct rv_notify *notify);

/* The workers must have ended. NULL is allowed. */
void rv_waits_free(struct rv_waits *waits);

/* Before a job that may wait is begun: takes one of RV_WAITS_MAX places; false: there is none. */
bool rv_waits_reserve(struct rv_waits *waits);

/* Gives the place back, of a job that was over at once. */
void rv_waits_cancel(struct rv_waits *waits);

/*
 * Takes over a place, the channel, and the caller: `caller` is empty afterwards. From now on the
 * notification is answered here, after what `job` wants done. `timed`: the socket has a timeout
 * (SO_SNDTIMEO). -ENOMEM, -EAGAIN (no thread): nothing was taken over.
 */
int rv_waits_add(struct rv_waits *waits, struct rv_workers *workers, struct rv_channel *channel,
	struct rv_caller *caller, const struct rv_job *job, bool timed);

#endif /* RV_SUPERVISE_WAITS_H */
