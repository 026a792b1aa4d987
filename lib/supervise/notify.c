/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <signal.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/notify_private.h"

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

int rv_notify_thread(void *(*body)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024); /* path buffers, no recursion */
	r = pthread_create(&thread, &attr, body, arg);
	pthread_attr_destroy(&attr);
	return -r;
}

static void leave_cancelled(void *receiver)
{
	rv_crew_leave(receiver, true);
}

/* -ENOENT from RECV is a caller that vanished, or the end: then the listener hangs up. */
static bool hung_up(struct rv_notify *n)
{
	struct pollfd pfd = {.fd = n->listener, .events = POLLIN};

	if (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & (POLLHUP | POLLERR | POLLNVAL)))
		return false;
	pthread_mutex_lock(&n->lock);
	rv_crew_set_over(n);
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

/*
 * With ADDFD_FLAG_SEND the caller goes on before our copy is closed: where that can be told (the
 * end of a FIFO, ETXTBSY of a file that was written, a lock), the fd is put there first, and the
 * call returns when it is the only one. That takes two more switches between the two tasks, about 3
 * µs.
 */
static int send_fd(struct rv_notify *n, struct seccomp_notif_resp *response, uint64_t id,
	struct rv_answer *answer)
{
	struct seccomp_notif_addfd addfd = {
		.id = id,
		.flags = answer->may_linger ? SECCOMP_ADDFD_FLAG_SEND : 0,
		.srcfd = (uint32_t)answer->fd,
		.newfd_flags = answer->close_on_exec ? O_CLOEXEC : 0,
	};
	int fd = ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	/* EMFILE and the like are the caller's: never fall back to CONTINUE (hazards.md). */
	if (fd < 0)
		return send_response(n, response, id, errno, 0, 0);
	if (answer->may_linger)
		return 0;
	close(rv_steal_fd(&answer->fd));
	return send_response(n, response, id, 0, fd, 0);
}

static int send_answer(struct rv_notify *n, struct seccomp_notif_resp *response, uint64_t id,
	struct rv_answer *answer)
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
	case RV_ANSWER_HELD:
		return 0;
	case RV_ANSWER_NONE:
	case RV_ANSWER_BLOCKS:
		break;
	}
	return -ENOENT;
}

void rv_notify_finish(struct rv_notify *n, uint64_t id, struct rv_answer *answer)
{
	rv_autofree struct seccomp_notif_resp *response = malloc(n->response_size);

	if (!response || send_answer(n, response, id, answer) == -ENOENT)
		n->vanished++;
	rv_close_p(&answer->fd);
}

/* A request that is handled again, by a thread that may wait. */
struct again {
	struct rv_notify *notify;
	struct seccomp_notif request; /* what the kernel may have after ours, nobody here reads */
};

static struct rv_answer handle_again(void *data)
{
	const struct again *again = data;
	const struct rv_notify *n = again->notify;

	return n->handler(n->data, n->listener, &again->request, true);
}

static bool hand_over(struct rv_notify *n, const struct seccomp_notif *request)
{
	struct again *again = malloc(sizeof(*again));
	struct rv_blocking blocking = {handle_again, free, again};

	if (!again)
		return false;
	*again = (struct again){n, *request};
	if (rv_notify_block(n, request->id, &blocking) == 0)
		return true;
	free(again);
	return false;
}

static void handle_one(struct rv_notify *n, const struct seccomp_notif *request,
	struct seccomp_notif_resp *response)
{
	struct rv_answer answer = n->handler(n->data, n->listener, request, false);

	n->received++;
	if (answer.kind == RV_ANSWER_BLOCKS) {
		if (hand_over(n, request))
			return;
		answer = rv_answer_unblocked(&answer);
	}
	if (send_answer(n, response, request->id, &answer) == -ENOENT)
		n->vanished++;
	rv_close_p(&answer.fd);
}

void rv_notify_own_fs(void)
{
	(void)unshare(CLONE_FS); /* cannot fail but for memory; creates then check the umask set */
}

static void begin(struct rv_receiver *r)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	/* A wait in ioctl(2) is no cancellation point of libc's. */
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	rv_notify_own_fs();
	rv_crew_join(r);
}

static void *receiver(void *arg)
{
	struct rv_receiver *self = arg;
	bool stay = true, waits = true;

	begin(self);
	while (stay) {
		int r;

		waits = !self->stands_by || rv_crew_stand_by(self);
		r = waits ? receive(self) : -1;
		if (r < 0)
			break;
		if (r == 0)
			continue;
		rv_crew_begin_work(self, receiver);
		handle_one(self->notify, self->request, self->response);
		stay = rv_crew_end_work(self);
	}
	rv_crew_leave(self, stay && waits);
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

void rv_notify_stand_by(struct rv_notify *n)
{
	sigset_t all, saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_mutex_lock(&n->lock);
	rv_crew_add_stand_by(n, receiver);
	pthread_mutex_unlock(&n->lock);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

int rv_notify_set_sync(struct rv_notify *n, bool sync_wake_up)
{
	uint64_t flags = sync_wake_up ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0;

	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags) < 0 ? -ENOSYS : 0;
}

/* All signals stay with the embedding program's own threads. */
static int start_receiver(struct rv_notify *n)
{
	sigset_t all, saved;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	pthread_mutex_lock(&n->lock);
	r = rv_crew_add(n, false, receiver);
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
	pthread_cond_init(&n->stir, NULL);
	r = buffer_sizes(n);
	if (r < 0)
		return r;
	if (sync_wake_up)
		(void)rv_notify_set_sync(n, true); /* speed only */
	r = start_receiver(n);
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
	while (n->threads + n->workers_count > 0 && r == 0)
		r = pthread_cond_clockwait(&n->ended, &n->lock, CLOCK_MONOTONIC, &until);
	return n->threads + n->workers_count == 0;
}

/* From Linux 6.11 on, RECV returns when the last task is gone; before, it has to be broken off. */
static void break_off(struct rv_notify *n)
{
	for (const struct rv_receiver *r = n->receivers; r; r = r->next)
		pthread_cancel(r->thread);
	rv_work_cancel(n);
	while (n->threads + n->workers_count > 0)
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
	rv_crew_set_over(n);
	if (!all_left(n, LEAVE_MS))
		break_off(n);
	pthread_mutex_unlock(&n->lock);
	pthread_cond_destroy(&n->ended);
	pthread_cond_destroy(&n->stir);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
