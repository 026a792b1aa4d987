/* SPDX-License-Identifier: MIT */
/* Inside of the notify loop: receivers (notify.c, notify_crew.c) and workers (notify_work.c). */
#ifndef RV_SUPERVISE_NOTIFY_PRIVATE_H
#define RV_SUPERVISE_NOTIFY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "supervise/notify.h"

struct rv_notify {
	int listener;
	rv_notify_handler handler;
	void *data;
	size_t request_size, response_size; /* the kernel's, at least ours */

	pthread_mutex_t lock;	 /* guards the members below */
	pthread_cond_t ended;	 /* signalled when no thread is left */
	pthread_cond_t stir;	 /* for the one who stands by */
	unsigned int threads;	 /* receivers, with the one who stands by */
	unsigned int waiting;	 /* in RECV, or on the way there */
	uint64_t begun;		 /* requests */
	uint64_t together_until; /* that many were begun, two wait */
	bool stands_by;		 /* somebody does */
	bool dozes;		 /* and wants to be told of the next request */
	bool over;		 /* no task has the filter any more */
	/* Threads that wait in RECV, which before Linux 6.11 they never leave by themselves. */
	struct rv_receiver *receivers;
	struct rv_worker *workers;
	unsigned int workers_count;

	_Atomic uint64_t received, continued, refused, performed, injected, vanished;
};

/* One thread, in the list while it waits. With its buffers, made by the thread that starts it. */
struct rv_receiver {
	struct rv_notify *notify;
	pthread_t thread;
	struct rv_receiver *next;
	bool stands_by; /* instead of waiting in RECV */
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
};

/* notify_crew.c: who waits for requests. */

/* With the lock held: another thread, which runs `body`. -errno. */
int rv_crew_add(struct rv_notify *n, bool stands_by, void *(*body)(void *arg));
/* This thread, which was added, begins. */
void rv_crew_join(struct rv_receiver *r);
/* Until it has to receive; false: it has to leave, because all is over. */
bool rv_crew_stand_by(struct rv_receiver *r);
/* Takes this thread from waiting to working. */
void rv_crew_begin_work(struct rv_receiver *r, void *(*body)(void *arg));
/* Back to waiting, or standing by; false: there are enough others, this thread leaves. */
bool rv_crew_end_work(struct rv_receiver *r);
/* Frees it; `was_waiting`: it was in RECV. */
void rv_crew_leave(struct rv_receiver *r, bool was_waiting);
/* With the lock held: somebody stands by, if nobody does. */
void rv_crew_add_stand_by(struct rv_notify *n, void *(*body)(void *arg));
/* With the lock held: no more requests come. */
void rv_crew_set_over(struct rv_notify *n);

/* A detached thread with a small stack, and the signal mask of its maker. -errno. */
int rv_notify_thread(void *(*body)(void *arg), void *arg);

/* A umask and working directory of its own, so that a create can use the caller's umask. */
void rv_notify_own_fs(void);

/* With the lock held: ends the workers that wait in the kernel. */
void rv_work_cancel(struct rv_notify *n);

#endif /* RV_SUPERVISE_NOTIFY_PRIVATE_H */
