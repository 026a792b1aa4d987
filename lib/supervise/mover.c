/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/mover.h"

struct rv_mover {
	int ruleset_fd;
	pthread_mutex_t one; /* held during a move */
	pthread_t thread;    /* started by the first one that needs it */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool started, restricted, stop;
	const struct rv_mover_call *call; /* NULL: nothing to do, or done */
	long result;
};

int rv_mover_new(int ruleset_fd, struct rv_mover **ret)
{
	struct rv_mover *mover = calloc(1, sizeof(*mover));

	if (!mover)
		return -ENOMEM;
	mover->ruleset_fd = fcntl(ruleset_fd, F_DUPFD_CLOEXEC, 3);
	if (mover->ruleset_fd < 0) {
		free(mover);
		return -errno;
	}
	pthread_mutex_init(&mover->one, NULL);
	pthread_mutex_init(&mover->lock, NULL);
	pthread_cond_init(&mover->changed, NULL);
	*ret = mover;
	return 0;
}

void rv_mover_free(struct rv_mover *mover)
{
	if (!mover)
		return;
	pthread_mutex_lock(&mover->lock);
	mover->stop = true;
	pthread_cond_broadcast(&mover->changed);
	pthread_mutex_unlock(&mover->lock);
	if (mover->started)
		pthread_join(mover->thread, NULL);
	close(mover->ruleset_fd);
	pthread_cond_destroy(&mover->changed);
	pthread_mutex_destroy(&mover->lock);
	pthread_mutex_destroy(&mover->one);
	free(mover);
}

bool rv_mover_enter(struct rv_mover *mover, bool wait)
{
	if (wait)
		return pthread_mutex_lock(&mover->one) == 0;
	return pthread_mutex_trylock(&mover->one) == 0;
}

void rv_mover_leave(struct rv_mover *mover)
{
	pthread_mutex_unlock(&mover->one);
}

/* ------------------------------------------------------------------------- the thread */

/* Both are properties of a thread; the others keep what they may. */
static bool take_floor(const struct rv_mover *mover)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       rv_landlock_restrict_self(mover->ruleset_fd, 0) == 0;
}

static long perform(const struct rv_mover *mover, const struct rv_mover_call *call)
{
	const long *args = call->args;

	if (!mover->restricted)
		return -EXDEV;
	return syscall(call->number, args[0], args[1], args[2], args[3], args[4]) < 0 ? -errno : 0;
}

static void *serve(void *data)
{
	struct rv_mover *mover = data;

	mover->restricted = take_floor(mover);
	pthread_mutex_lock(&mover->lock);
	while (!mover->stop) {
		if (mover->call) {
			mover->result = perform(mover, mover->call);
			mover->call = NULL;
			pthread_cond_broadcast(&mover->changed);
		}
		pthread_cond_wait(&mover->changed, &mover->lock);
	}
	pthread_mutex_unlock(&mover->lock);
	return NULL;
}

static bool start(struct rv_mover *mover)
{
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	r = pthread_create(&mover->thread, &attr, serve, mover);
	pthread_attr_destroy(&attr);
	return r == 0;
}

long rv_mover_perform(struct rv_mover *mover, const struct rv_mover_call *call)
{
	long result = -EXDEV;

	pthread_mutex_lock(&mover->lock);
	if (!mover->started)
		mover->started = start(mover);
	if (mover->started) {
		mover->call = call;
		pthread_cond_broadcast(&mover->changed);
		while (mover->call)
			pthread_cond_wait(&mover->changed, &mover->lock);
		result = mover->result;
	}
	pthread_mutex_unlock(&mover->lock);
	return result;
}
