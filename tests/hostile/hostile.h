/* SPDX-License-Identifier: MIT */
/*
 * What hostile programs share. One program, an attack for each word:
 *
 *	hostile ATTACK WORK MILLISECONDS
 *
 * WORK has `live` and `look`, which a live rule grants to write and to read, `shut`, which nothing
 * grants, and `floor`, which the kernel lets it write. The last line of output says how often the
 * attack got what it should not (hits), how often it tried, and how often it got what it should:
 * without that a sandbox in which nothing works would look safe.
 */
#ifndef TESTS_HOSTILE_HOSTILE_H
#define TESTS_HOSTILE_HOSTILE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "enforce/filter.h" /* RV_SHIM_TAG */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MANY	     8 /* hits are enough */

/* Shared with child processes. */
struct score {
	_Atomic unsigned long hits, tries, grants;
	_Atomic bool over;  /* threads and children end */
	_Atomic bool ready; /* the other process is where it should be */
};
extern struct score *score;
extern char work[PATH_MAX];

struct attack {
	const char *name;
	void (*run)(void);
};
extern const struct attack race_attacks[], who_attacks[], file_attacks[], guard_attacks[],
	drain_attacks[], tell_attacks[], send_attacks[], ways_attacks[];

/* What cannot go on ends in exit code 3: the attack was not made. */
void give_up(const char *what) __attribute__((noreturn));
#define NEED(cond)                                                                                 \
	do {                                                                                       \
		if (!(cond))                                                                       \
			give_up(#cond);                                                            \
	} while (0)

/* Until the time is over or there are hits enough. */
bool more(void);

/* WORK/name, in one of a few buffers. */
const char *in_work(const char *name);

/* Who may be reached, on 127.0.0.1, and who must not be: "PORT HOST PORT" in WORK/floor/ports.
 * Ports in network byte order. */
#define HOST_SIZE 16
void read_peers(in_port_t *good, char host[static HOST_SIZE], in_port_t *bad);

/* Whether a file can be opened, and begins with this word. */
bool reads_as(const char *path, const char *word);

/* Untrapped: with the shim's tag. */
static inline long tagged(long nr, long a, long b, long c, long d, long e)
{
	return syscall(nr, a, b, c, d, e, RV_SHIM_TAG);
}

pthread_t begin(void *(*body)(void *arg), void *arg);

/* A thread that runs body(arg) again and again until the attack is over; and its end. */
struct flipper {
	pthread_t thread;
	void (*body)(void *arg);
	void *arg;
};
void flipper_start(struct flipper *flipper, void (*body)(void *arg), void *arg);
void flipper_end(struct flipper *flipper);

/* Runs body in a child; its exit code, or 128 + signal. */
int in_child(void (*body)(void));

#endif /* TESTS_HOSTILE_HOSTILE_H */
