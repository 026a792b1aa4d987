/* SPDX-License-Identifier: MIT */
/*
 * The notify loop: threads that receive trapped calls, have them judged, and send the answer.
 *
 * One receiver waits in SECCOMP_IOCTL_NOTIF_RECV, handles what it gets to the end, and waits again.
 * The kernel wakes all who wait there for each request, and all but one in vain: every further one
 * costs each trapped call some 2 µs on one processor, and another processor its rest. But a call
 * that no receiver has taken yet is interrupted by any signal, and a handler may take long. So
 * another thread stands by: while requests come, it looks every millisecond whether the receiver
 * is at the same request as before, or others wait for it; then it receives as well for a while.
 * None must block: a handler that would have to says RV_ANSWER_BLOCKS, and is run again from the
 * start by a thread of its own (notify_work.c), as long as there are not too many.
 *
 * ENOENT and EINTR are normal events: callers die and are interrupted all the time.
 */
#ifndef RV_SUPERVISE_NOTIFY_H
#define RV_SUPERVISE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/seccomp.h>

#define RV_RECEIVERS_MAX  64
#define RV_RECEIVERS_IDLE 3  /* that many may remain: two who receive, one who stands by */
#define RV_WORKERS_MAX	  64 /* calls that wait for something at the same time */

enum rv_answer_kind {
	RV_ANSWER_CONTINUE, /* the kernel goes on with the call, and checks it itself */
	RV_ANSWER_ERRNO,    /* the call fails with `value` */
	RV_ANSWER_VALUE,    /* the call was performed and returns `value` */
	RV_ANSWER_FD,	    /* the call returns a duplicate of `fd` in the caller */
	RV_ANSWER_HELD,	    /* the caller waits on: rv_notify_finish() will send the answer */
	RV_ANSWER_NONE,	    /* the caller is gone: nothing to send */
	RV_ANSWER_BLOCKS,   /* this thread must not wait: again, by one that may */
};

/*
 * What the handler decided. CONTINUE always names why that is sound (principle 2 of the design):
 * there is no default constructor for it but rv_answer_continue().
 */
struct rv_answer {
	enum rv_answer_kind kind;
	int64_t value;
	int fd; /* closed by the loop before the answer is sent where it stays ours */
	bool close_on_exec;
	bool may_linger;    /* our own copy may be closed after the caller went on */
	const char *reason; /* of a CONTINUE */
};

static inline struct rv_answer rv_answer_continue(const char *reason)
{
	return (struct rv_answer){.kind = RV_ANSWER_CONTINUE, .fd = -1, .reason = reason};
}

static inline struct rv_answer rv_answer_errno(int error)
{
	return (struct rv_answer){.kind = RV_ANSWER_ERRNO, .value = error, .fd = -1};
}

static inline struct rv_answer rv_answer_value(int64_t value)
{
	return (struct rv_answer){.kind = RV_ANSWER_VALUE, .value = value, .fd = -1};
}

static inline struct rv_answer rv_answer_fd(int fd, bool close_on_exec)
{
	return (struct rv_answer){.kind = RV_ANSWER_FD, .fd = fd, .close_on_exec = close_on_exec};
}

static inline struct rv_answer rv_answer_none(void)
{
	return (struct rv_answer){.kind = RV_ANSWER_NONE, .fd = -1};
}

static inline struct rv_answer rv_answer_held(void)
{
	return (struct rv_answer){.kind = RV_ANSWER_HELD, .fd = -1};
}

static inline struct rv_answer rv_answer_blocks(void)
{
	return (struct rv_answer){.kind = RV_ANSWER_BLOCKS, .fd = -1};
}

/* The same, for what must not go on where no thread may wait: it fails with `error` then. */
static inline struct rv_answer rv_answer_blocks_or(int error)
{
	return (struct rv_answer){.kind = RV_ANSWER_BLOCKS, .value = error, .fd = -1};
}

/* What becomes of BLOCKS where no thread may wait. */
static inline struct rv_answer rv_answer_unblocked(const struct rv_answer *answer)
{
	return answer->value ? rv_answer_errno((int)answer->value)
			     : rv_answer_continue("no thread is free to wait");
}

struct rv_notify;

struct rv_notify_counters {
	uint64_t received, continued, refused, performed, injected, vanished;
};

/* Judges one request. Called from several threads at once. may_block: this thread may wait. */
typedef struct rv_answer (*rv_notify_handler)(
	void *data, int listener, const struct seccomp_notif *request, bool may_block);

/*
 * Starts receiving on `listener`, which stays the caller's and must outlive the loop. sync_wake_up:
 * SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP; a kernel that lacks it (before 6.6) is no error.
 * -ENOMEM, -EAGAIN: no threads; what SECCOMP_GET_NOTIF_SIZES gives.
 */
int rv_notify_start(int listener, bool sync_wake_up, rv_notify_handler handler, void *data,
	struct rv_notify **ret);

/*
 * Lets somebody stand by from now on. Else that begins with the second request: before the first
 * one was answered, nobody must be able to make another.
 */
void rv_notify_stand_by(struct rv_notify *notify);

/* Switches SYNC_WAKE_UP of a running loop. -ENOSYS where the kernel cannot. */
int rv_notify_set_sync(struct rv_notify *notify, bool sync_wake_up);

/* Sends the answer to a request that was held, from any thread, and closes the answer's fd. */
void rv_notify_finish(struct rv_notify *notify, uint64_t id, struct rv_answer *answer);

/* How to handle a request with a thread that may wait. */
struct rv_blocking {
	struct rv_answer (*handle)(void *data);
	void (*release)(void *data); /* when it was handled, or cannot be any more */
	void *data;
};

/*
 * Has a request handled by another thread, which also answers; it may block. -ENOMEM, -EAGAIN: no
 * thread is to be had; -ESHUTDOWN: the domain ends. Then `data` is still the caller's.
 */
int rv_notify_block(struct rv_notify *notify, uint64_t id, const struct rv_blocking *blocking);

void rv_notify_counters(struct rv_notify *notify, struct rv_notify_counters *ret);

/*
 * Waits until the last task that has the filter is gone, but not for long: the caller has killed
 * them. Then the listener is to be closed. Joins all threads, frees. NULL is allowed.
 */
void rv_notify_join(struct rv_notify *notify);

#endif /* RV_SUPERVISE_NOTIFY_H */
