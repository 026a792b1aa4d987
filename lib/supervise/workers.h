/* SPDX-License-Identifier: MIT */
/*
 * The supervisor's side of a connector: its workers, each with its channel, made when all others
 * are busy, and used again. A call that does not return at once keeps its worker, and nobody else.
 */
#ifndef RV_SUPERVISE_WORKERS_H
#define RV_SUPERVISE_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "supervise/worker.h"

#define RV_WORKERS_MAX 64

struct rv_channel {
	int fd;
	pid_t worker;  /* its tid */
	uint8_t *area; /* shared with the worker; NULL: not yet */
	size_t used;   /* of it, by the job */
	int cpu;       /* where the worker was put last */
	struct rv_channel *next;
};

struct rv_workers {
	pid_t connector;
	int command_fd;		  /* -1: gone */
	pthread_mutex_t commands; /* one command at a time */
	pthread_mutex_t lock;	  /* guards what follows */
	struct rv_channel *idle;
	unsigned int count;
};

void rv_workers_init(struct rv_workers *workers);

/* Whose workers they are; `command_fd` stays the caller's. */
void rv_workers_set(struct rv_workers *workers, pid_t connector, int command_fd);

/* No channel may be in use any more. */
void rv_workers_release(struct rv_workers *workers);

/* As rv_connector_signal(), between other commands. */
int rv_workers_signal(struct rv_workers *workers, int sig);

struct rv_caller;

/* As rv_connector_member(), between other commands. */
int rv_workers_member(struct rv_workers *workers, int pidfd, pid_t pid);

/* Something to be done, and what came of it. Descriptors are the caller's, but for `made`. */
struct rv_job {
	struct rv_work work;
	const void *data; /* for the worker's area; `data_size`, RV_AREA_SIZE at most. NULL: none */
	size_t data_size;
	/*
	 * When there is a result, before the caller hears of it and while the area still has what
	 * the worker left there. NULL: nothing to do.
	 */
	void (*after)(struct rv_caller *caller, const struct rv_channel *channel,
		const struct rv_job *job);
	uint64_t lengths_at;  /* for `after` of a sendmmsg(2): its argument */
	bool no_wait;	      /* the call itself must not wait: MSG_DONTWAIT */
	int fds[RV_WORK_FDS]; /* sent along, `fds_count` of them */
	unsigned int fds_count;
	int64_t result;
	bool broken; /* SIGPIPE came with it */
	int made;    /* a descriptor that came with the answer; -1: none */
};

/*
 * Hands the job to a worker; the channel that will tell of it. -EAGAIN: all workers are busy;
 * -EPIPE: the connector is gone; -ENOMEM, -EMFILE; what the kernel says of descriptors that cannot
 * be passed (-EINVAL, -ETOOMANYREFS).
 */
int rv_workers_begin(struct rv_workers *workers, const struct rv_job *job, struct rv_channel **ret);

/* How long rv_channel_wait() waits, at most. */
#define RV_CHANNEL_MS 5

/*
 * Waits for the answer (`wait` false: looks whether it is there). 0 with job->result and job->made;
 * -EAGAIN: not yet; -EPIPE: the worker is gone.
 */
int rv_channel_answer(struct rv_channel *channel, bool wait, struct rv_job *job);

/* Makes the call that this channel's worker is in return -EINTR, if it waits. */
void rv_channel_interrupt(const struct rv_workers *workers, const struct rv_channel *channel);

/* After the answer; or after -EPIPE, then it is not used again. */
void rv_channel_done(struct rv_workers *workers, struct rv_channel *channel, bool usable);

/* Begins, and waits until it is done: for what cannot wait for others. 0 or as both. */
int rv_workers_do(struct rv_workers *workers, struct rv_job *job);

#endif /* RV_SUPERVISE_WORKERS_H */
