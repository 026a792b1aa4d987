/* SPDX-License-Identifier: MIT */
/*
 * Events: what a supervised domain asked for and did not get, and what was changed in it.
 *
 * One request that the policy denies is one event. A failure that is not the policy's (no such
 * file, mode 000, a read-only mount) is none. Names of classes and rights are those of the
 * kernel's audit records ("fs.read_file").
 */
#ifndef REEVE_EVENT_H
#define REEVE_EVENT_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>
#include <reeve/ruleset.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum reeve_event_kind {
	REEVE_EVENT_START = 1, /* the program was started; object: its path */
	REEVE_EVENT_DENIED,    /* a request that the policy denies */
	REEVE_EVENT_GUARD,     /* a request that a guard refuses, whatever the policy says */
	REEVE_EVENT_COMMIT,    /* live rules changed; object: what changed, by: who did it */
	REEVE_EVENT_LOST,      /* `count` events before this one were lost: a sink was too slow */
	REEVE_EVENT_EXIT,      /* the program ended; status as of waitpid(2) */
	REEVE_EVENT_QUESTION,  /* a request is held until somebody answers */
	REEVE_EVENT_ANSWER,    /* by whom, and what: `answer` */
	REEVE_EVENT_RELOAD,    /* the policy was loaded again; object: what came of it, error: or
				  why not */
	REEVE_EVENT_DOMAIN,    /* audit.h: who made a domain that denied something */
	REEVE_EVENT_FREED,     /* audit.h: a domain is gone, which denied `count` requests */
};

/* Strings live as long as the callback runs, or as reeve_event_copy()'s result. NULL: unknown. */
struct reeve_event {
	size_t size; /* sizeof(struct reeve_event) */
	enum reeve_event_kind kind;
	uint64_t sequence;    /* from 1, without holes within a domain */
	struct timespec time; /* CLOCK_REALTIME */
	uint64_t domain;
	pid_t pid, tid; /* of the caller */
	char comm[16];
	const char *exe;
	const char *call; /* "openat" */
	enum reeve_class cls;
	uint64_t asked;	    /* rights that the request needs */
	uint64_t missing;   /* those among them that nothing grants */
	const char *object; /* canonical path; for a rename the other one is in object2 */
	const char *object2;
	unsigned int layer; /* that denies, 1 = outermost */
	int error;	    /* errno that the caller got (positive), 0: none */
	/* "floor", "denial: ORIGIN", a rule's origin, "guard.tty", a user's name … */
	const char *by;
	uint64_t count;
	int status;
	uint64_t question;     /* of QUESTION and ANSWER: its id */
	const char *answer;    /* "allow" or "deny", scope, term: "allow directory session" */
	struct timespec until; /* of an ANSWER for a duration; CLOCK_REALTIME, 0: no end */
	bool permissive;       /* DENIED: would be denied, and was allowed (error is 0) */
};

/* A copy that owns its strings, to be freed with free(3) as a whole. -ENOMEM. */
int reeve_event_copy(const struct reeve_event *event, struct reeve_event **ret);

/* One line of JSON without newline, as `reeve watch --json` prints it; malloc(3). -ENOMEM. */
int reeve_event_to_json(const struct reeve_event *event, char **ret);

/* One line for people, escaped: "denied fs.read_file /etc/shadow (cat[123])"; malloc(3). -ENOMEM.
 */
int reeve_event_to_text(const struct reeve_event *event, char **ret);

/*
 * The flag of `reeve run`/`reeve allow` that would allow what a DENIED event asked for, for
 * instance "--ro /etc/hosts"; "" where there is none (execute cannot be added to a running domain,
 * and what a denial inside of a grant takes away no flag gives back).
 * Writes at most `size` bytes, always terminated; returns buf.
 */
char *reeve_event_flag(const struct reeve_event *event, char *buf, size_t size);

/* ------------------------------------------------- for a loop of one's own */

/*
 * Events for a program that polls: its put function is given to a supervisor
 * (reeve_supervisor_options.event with the queue as event_data, or reeve_supervisor_subscribe()),
 * and its descriptor to poll(2), epoll or libuv. One queue may serve several domains.
 *
 *	reeve_event_queue_new(1000, &queue);
 *	options.event = reeve_event_queue_put, options.event_data = queue;
 *	…  readable:  while (reeve_event_queue_next(queue, &event) > 0) { …; free(event); }
 */
struct reeve_event_queue;

/* -EINVAL: a capacity below 2 events; -ENOMEM; -EMFILE, -ENFILE. */
int reeve_event_queue_new(size_t capacity, struct reeve_event_queue **ret);

/* Frees it and what is in it; NULL is allowed. No supervisor may put any more. */
void reeve_event_queue_free(struct reeve_event_queue *queue);

/* Readable while an event waits; owned by the queue, close-on-exec. Only to be polled. */
int reeve_event_queue_fd(const struct reeve_event_queue *queue);

/* Copies an event into the queue. When it is full, events are counted, and a LOST event with their
 * number comes before the next one that fits. */
void reeve_event_queue_put(void *queue, const struct reeve_event *event);

/* 1 and the oldest event, to be freed with free(3); 0: none. From any thread, never blocks. */
int reeve_event_queue_next(struct reeve_event_queue *queue, struct reeve_event **ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_EVENT_H */
