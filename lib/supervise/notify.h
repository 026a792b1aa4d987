/* SPDX-License-Identifier: MIT */
/*
 * The notify loop: threads that receive trapped calls, have them judged, and send the answer.
 *
 * Every thread waits in SECCOMP_IOCTL_NOTIF_RECV, and the one that gets a request handles it to
 * the end; before, it makes sure that another one waits (leader and followers: no queue, no
 * wake-up between threads). There are at least RV_RECEIVERS_MIN and at most RV_RECEIVERS_MAX. When
 * the last waiting one gets a request, the handler is told not to block.
 *
 * ENOENT and EINTR are normal events: callers die and are interrupted all the time.
 */
#ifndef RV_SUPERVISE_NOTIFY_H
#define RV_SUPERVISE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/seccomp.h>

#define RV_RECEIVERS_MIN 2
#define RV_RECEIVERS_MAX 64

enum rv_answer_kind {
	RV_ANSWER_CONTINUE, /* the kernel goes on with the call, and checks it itself */
	RV_ANSWER_ERRNO,    /* the call fails with `value` */
	RV_ANSWER_VALUE,    /* the call was performed and returns `value` */
	RV_ANSWER_FD,	    /* the call returns a duplicate of `fd` in the caller */
	RV_ANSWER_NONE,	    /* the caller is gone: nothing to send */
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

struct rv_notify;

struct rv_notify_counters {
	uint64_t received, continued, refused, performed, injected, vanished;
};

/* Judges one request. Called from several threads at once. */
typedef struct rv_answer (*rv_notify_handler)(
	void *data, int listener, const struct seccomp_notif *request, bool may_block);

/*
 * Starts receiving on `listener`, which stays the caller's and must outlive the loop. sync_wake_up:
 * SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP; a kernel that lacks it (before 6.6) is no error.
 * -ENOMEM, -EAGAIN: no threads; what SECCOMP_GET_NOTIF_SIZES gives.
 */
int rv_notify_start(int listener, bool sync_wake_up, rv_notify_handler handler, void *data,
	struct rv_notify **ret);

/* Switches SYNC_WAKE_UP of a running loop. -ENOSYS where the kernel cannot. */
int rv_notify_set_sync(struct rv_notify *notify, bool sync_wake_up);

void rv_notify_counters(struct rv_notify *notify, struct rv_notify_counters *ret);

/*
 * Waits until the last task that has the filter is gone, but not for long: the caller has killed
 * them. Then the listener is to be closed. Joins all threads, frees. NULL is allowed.
 */
void rv_notify_join(struct rv_notify *notify);

#endif /* RV_SUPERVISE_NOTIFY_H */
