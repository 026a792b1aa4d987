/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <signal.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/notify.h"

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP /* Linux 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (UINT64_C(1) << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	   SECCOMP_IOW(4, uint64_t)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND /* Linux 5.14 */
#define SECCOMP_ADDFD_FLAG_SEND (1u << 1)
#endif

/* How long the end of a domain that was killed may take, and then that of the threads. */
#define LAST_TASK_MS 2000
#define LEAVE_MS     100

struct rv_notify {
	int listener;
	rv_notify_handler handler;
	void *data;
	size_t request_size, response_size; /* the kernel's, at least ours */

	pthread_mutex_t lock; /* guards the members below */
	pthread_cond_t ended; /* signalled when `threads` falls to 0 */
	unsigned int threads, waiting;
	bool over; /* no task has the filter any more */
	/* Threads that wait in RECV, which before Linux 6.11 they never leave by themselves. */
	struct rv_receiver *receivers;

	_Atomic uint64_t received, continued, refused, performed, injected, vanished;
};

/* One thread, in the list while it waits. With its buffers, made by the thread that starts it. */
struct rv_receiver {
	struct rv_notify *notify;
	pthread_t thread;
	struct rv_receiver *next;
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
};

static void receiver_free(struct rv_receiver *r)
{
	if (!r)
		return;
	free(r->request);
	free(r->response);
	free(r);
}

static struct rv_receiver *receiver_new(struct rv_notify *n)
{
	struct rv_receiver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->notify = n;
	r->request = malloc(n->request_size);
	r->response = malloc(n->response_size);
	if (r->request && r->response)
		return r;
	receiver_free(r);
	return NULL;
}

static void *receiver(void *arg);

/* With the lock held. */
static int add_receiver(struct rv_notify *n)
{
	pthread_attr_t attr;
	struct rv_receiver *self = receiver_new(n);
	pthread_t thread;
	int r;

	if (!self)
		return -ENOMEM;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024); /* path buffers, no recursion */
	n->threads++;
	n->waiting++;
	r = pthread_create(&thread, &attr, receiver, self);
	pthread_attr_destroy(&attr);
	if (r) {
		n->threads--;
		n->waiting--;
		receiver_free(self);
	}
	return -r;
}

/* With the lock held. */
static void list_remove(struct rv_receiver *r)
{
	struct rv_receiver **at = &r->notify->receivers;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
}

static void list_add(struct rv_receiver *r)
{
	r->next = r->notify->receivers;
	r->notify->receivers = r;
}

/* Takes this thread from waiting to working; false: it must not block. */
static bool begin_work(struct rv_receiver *r)
{
	struct rv_notify *n = r->notify;
	bool may_block = true;

	pthread_mutex_lock(&n->lock);
	list_remove(r);
	n->waiting--;
	if (n->waiting == 0 && !n->over)
		may_block = n->threads < RV_RECEIVERS_MAX && add_receiver(n) == 0;
	pthread_mutex_unlock(&n->lock);
	return may_block;
}

/* Back to waiting; false: there are enough others, this thread ends. */
static bool end_work(struct rv_receiver *r)
{
	struct rv_notify *n = r->notify;
	bool stay;

	pthread_mutex_lock(&n->lock);
	stay = !n->over && n->waiting < RV_RECEIVERS_MIN;
	if (stay) {
		n->waiting++;
		list_add(r);
	}
	pthread_mutex_unlock(&n->lock);
	return stay;
}

static void leave(struct rv_receiver *r, bool was_waiting)
{
	struct rv_notify *n = r->notify;

	pthread_mutex_lock(&n->lock);
	n->threads--;
	if (was_waiting) {
		list_remove(r);
		n->waiting--;
	}
	receiver_free(r);
	if (n->threads == 0)
		pthread_cond_broadcast(&n->ended);
	pthread_mutex_unlock(&n->lock);
}

static void leave_cancelled(void *receiver)
{
	leave(receiver, true);
}

/* -ENOENT from RECV is a caller that vanished, or the end: then the listener hangs up. */
static bool hung_up(struct rv_notify *n)
{
	struct pollfd pfd = {.fd = n->listener, .events = POLLIN};

	if (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLHUP | POLLERR | POLLNVAL)))
		return false;
	pthread_mutex_lock(&n->lock);
	n->over = true;
	pthread_mutex_unlock(&n->lock);
	return true;
}

/* Waits for a request. Only here can the thread be cancelled: rv_notify_join() does, at the end. */
static int wait_for_request(struct rv_receiver *receiver)
{
	int r;

	pthread_cleanup_push(leave_cancelled, receiver);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	r = ioctl(receiver->notify->listener, SECCOMP_IOCTL_NOTIF_RECV, receiver->request);
	r = r < 0 ? -errno : 0;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_pop(0);
	return r;
}

/* 1: a request; 0: it vanished, try again; -1: over. The kernel wants the buffer zeroed. */
static int receive(struct rv_receiver *receiver)
{
	int r;

	memset(receiver->request, 0, receiver->notify->request_size);
	r = wait_for_request(receiver);
	if (r == 0)
		return 1;
	if (r == -ENOENT || r == -EINTR)
		return hung_up(receiver->notify) ? -1 : 0;
	return -1;
}

/* ---- sending */

static int send_response(struct rv_notify *n, struct seccomp_notif_resp *response, uint64_t id,
	int error, int64_t value, uint32_t flags)
{
	memset(response, 0, n->response_size);
	response->id = id;
	response->error = -error;
	response->val = value;
	response->flags = flags;
	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SEND, response) < 0 ? -errno : 0;
}

static int send_fd(struct rv_notify *n, struct seccomp_notif_resp *response, uint64_t id,
	const struct rv_answer *answer)
{
	struct seccomp_notif_addfd addfd = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)answer->fd,
		.newfd_flags = answer->close_on_exec ? O_CLOEXEC : 0,
	};

	if (ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd) >= 0)
		return 0;
	if (errno == ENOENT)
		return -ENOENT;
	/* EMFILE and the like are the caller's: never fall back to CONTINUE (hazards.md). */
	return send_response(n, response, id, errno, 0, 0);
}

static int send_answer(struct rv_notify *n, struct seccomp_notif_resp *response, uint64_t id,
	const struct rv_answer *answer)
{
	switch (answer->kind) {
	case RV_ANSWER_CONTINUE:
		n->continued++;
		return send_response(n, response, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
	case RV_ANSWER_ERRNO:
		n->refused++;
		return send_response(n, response, id, (int)answer->value, 0, 0);
	case RV_ANSWER_VALUE:
		n->performed++;
		return send_response(n, response, id, 0, answer->value, 0);
	case RV_ANSWER_FD:
		n->injected++;
		return send_fd(n, response, id, answer);
	case RV_ANSWER_NONE:
		break;
	}
	return -ENOENT;
}

static void handle_one(struct rv_notify *n, const struct seccomp_notif *request,
	struct seccomp_notif_resp *response, bool may_block)
{
	struct rv_answer answer = n->handler(n->data, n->listener, request, may_block);

	n->received++;
	if (send_answer(n, response, request->id, &answer) == -ENOENT)
		n->vanished++;
	rv_close_p(&answer.fd);
}

/* A umask and working directory of its own, so that a create can use the caller's umask. */
static void own_fs_struct(void)
{
	(void)unshare(CLONE_FS); /* cannot fail but for memory; creates then check the umask set */
}

static void begin(struct rv_receiver *r)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	/* A wait in ioctl(2) is no cancellation point of libc's. */
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	own_fs_struct();
	pthread_mutex_lock(&r->notify->lock);
	r->thread = pthread_self();
	list_add(r);
	pthread_mutex_unlock(&r->notify->lock);
}

static void *receiver(void *arg)
{
	struct rv_receiver *self = arg;
	bool stay = true;

	begin(self);
	while (stay) {
		int r = receive(self);

		if (r < 0)
			break;
		if (r == 0)
			continue;
		handle_one(self->notify, self->request, self->response, begin_work(self));
		stay = end_work(self);
	}
	leave(self, stay);
	return NULL;
}

/* ---- starting and ending */

static int buffer_sizes(struct rv_notify *n)
{
	struct seccomp_notif_sizes sizes;
	int r = rv_seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes);

	if (r < 0)
		return r;
	n->request_size = sizes.seccomp_notif;
	n->response_size = sizes.seccomp_notif_resp;
	if (n->request_size < sizeof(struct seccomp_notif))
		n->request_size = sizeof(struct seccomp_notif);
	if (n->response_size < sizeof(struct seccomp_notif_resp))
		n->response_size = sizeof(struct seccomp_notif_resp);
	return 0;
}

int rv_notify_set_sync(struct rv_notify *n, bool sync_wake_up)
{
	uint64_t flags = sync_wake_up ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0;

	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags) < 0 ? -ENOSYS : 0;
}

/* All signals stay with the embedding program's own threads. */
static int start_receivers(struct rv_notify *n)
{
	sigset_t all, saved;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < RV_RECEIVERS_MIN && r == 0; i++)
		r = add_receiver(n);
	if (r < 0 && n->threads > 0)
		r = 0; /* one is enough to go on */
	pthread_mutex_unlock(&n->lock);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return r;
}

int rv_notify_start(int listener, bool sync_wake_up, rv_notify_handler handler, void *data,
	struct rv_notify **ret)
{
	rv_autofree struct rv_notify *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->listener = listener;
	n->handler = handler;
	n->data = data;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->ended, NULL);
	r = buffer_sizes(n);
	if (r < 0)
		return r;
	if (sync_wake_up)
		(void)rv_notify_set_sync(n, true); /* speed only */
	r = start_receivers(n);
	if (r < 0)
		return r;
	*ret = rv_steal_ptr(&n);
	return 0;
}

void rv_notify_counters(struct rv_notify *n, struct rv_notify_counters *ret)
{
	*ret = (struct rv_notify_counters){
		.received = n->received,
		.continued = n->continued,
		.refused = n->refused,
		.performed = n->performed,
		.injected = n->injected,
		.vanished = n->vanished,
	};
}

/* True when all threads have left within the time. */
static bool all_left(struct rv_notify *n, long milliseconds)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (n->threads > 0 && r == 0)
		r = pthread_cond_clockwait(&n->ended, &n->lock, CLOCK_MONOTONIC, &until);
	return n->threads == 0;
}

/* From Linux 6.11 on, RECV returns when the last task is gone; before, it has to be broken off. */
static void break_off(struct rv_notify *n)
{
	n->over = true;
	for (const struct rv_receiver *r = n->receivers; r; r = r->next)
		pthread_cancel(r->thread);
	while (n->threads > 0)
		pthread_cond_wait(&n->ended, &n->lock);
}

void rv_notify_join(struct rv_notify *n)
{
	struct pollfd listener;

	if (!n)
		return;
	listener = (struct pollfd){.fd = n->listener};
	poll(&listener, 1, LAST_TASK_MS);
	pthread_mutex_lock(&n->lock);
	if (!all_left(n, LEAVE_MS))
		break_off(n);
	pthread_mutex_unlock(&n->lock);
	pthread_cond_destroy(&n->ended);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
