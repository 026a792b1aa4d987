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
	const char *by;	    /* "floor", a rule's origin, "guard.tty", a user's name … */
	uint64_t count;
	int status;
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
 * instance "--ro /etc/hosts"; "" where there is none (execute cannot be added to a running domain).
 * Writes at most `size` bytes, always terminated; returns buf.
 */
char *reeve_event_flag(const struct reeve_event *event, char *buf, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_EVENT_H */
