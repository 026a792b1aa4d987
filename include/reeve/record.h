/* SPDX-License-Identifier: MIT */
/*
 * A record of accesses: what a program and its children asked for, whether it was denied or not.
 *
 *	reeve_record_new(&record);
 *	plan_options.record = true;		(reeve_plan_new_supervised())
 *	options.record = record;		(reeve_supervisor_start())
 *	…
 *	reeve_supervisor_end(supervisor);
 *	reeve_record_each(record, fn, data);
 *	reeve_record_free(record);
 *
 * Recording adds nothing to what the policy allows and takes nothing away: each call that is
 * trapped is judged as ever, and noted. Nothing is tried in the kernel first (no shim is
 * preloaded), so that nothing is missed but what the kernel's Landlock does not look at either:
 * stat(2), chmod(2), O_PATH, and what is done with a descriptor that is open, but for sends that
 * name an address. What is noted is what was so when the call was judged: a program that changes
 * the path meanwhile has another object, which Landlock judges and this record does not show.
 */
#ifndef REEVE_RECORD_H
#define REEVE_RECORD_H

#include <stdbool.h>
#include <sys/types.h>
#include <reeve/ruleset.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Equal accesses of one actor are one entry with a count. Thread-safe; may be filled by several
 * supervisors one after the other, then actors and accesses go on.
 */
struct reeve_record;

/* -ENOMEM. */
int reeve_record_new(struct reeve_record **ret);
void reeve_record_free(struct reeve_record *record); /* no supervisor may use it; NULL is allowed */

/* One program in one process: until the next exec that works. Strings live as long as the record.
 */
struct reeve_actor {
	size_t size;	  /* sizeof(struct reeve_actor) */
	uint32_t id;	  /* from 1, in the order in which they were first seen */
	uint32_t process; /* the id of the first actor of the same process */
	uint32_t parent;  /* the id of an actor of the process that made it; 0: not seen */
	pid_t pid;
	uint64_t start; /* ticks since boot (proc_pid_stat(5)): with pid the process's identity */
	const char *comm;
	const char *exe; /* NULL: unknown */
};

enum reeve_outcome {
	REEVE_ACCESS_ALLOWED, /* nothing known was in its way */
	REEVE_ACCESS_DENIED,  /* by the policy, and by nothing else */
	REEVE_ACCESS_ABSENT,  /* open or exec of what does not exist: ENOENT, ENOTDIR */
	REEVE_ACCESS_FAILED,  /* for another reason; see error */
};

#define REEVE_ACCESS_MAKES	 1u  /* the object (of two: object2) did not exist, and is made */
#define REEVE_ACCESS_REMOVES	 2u  /* the name `object` is gone afterwards */
#define REEVE_ACCESS_REPLACES	 4u  /* what was called object2 is gone */
#define REEVE_ACCESS_DIRECTORY	 8u  /* the object is a directory */
#define REEVE_ACCESS_INTERPRETER 16u /* of an exec: the script's interpreter, or the ELF loader */
#define REEVE_ACCESS_NAMELESS	 32u /* O_TMPFILE: a file without a name in the directory `object` */
#define REEVE_ACCESS_INSIDE	 64u /* a UNIX socket made in the domain itself: never out of reach */
#define REEVE_ACCESS_EXCLUSIVE	 128u /* made with O_EXCL, as temporary files and locks are */

/* Strings live during the callback. */
struct reeve_access {
	size_t size;	   /* sizeof(struct reeve_access) */
	uint64_t sequence; /* of the first of them, from 1: the order in which they were judged */
	uint64_t count;
	const struct reeve_actor *actor;
	const char *call; /* "openat" */
	enum reeve_class cls;
	/*
	 * What Landlock asks for. Of class REEVE_FS: making, removing and refer in the directory
	 * that the name is in, everything else on the object. Of a rename or link: what is made,
	 * and refer, in object2's directory; what is removed, and refer, in object's.
	 */
	uint64_t rights;
	/* What it may ask for later, with the descriptor: truncate where one may write, ioctl_dev.
	 */
	uint64_t implied;
	/*
	 * REEVE_FS: a canonical path in the supervisor's view; where nothing is, the absolute path
	 * as it was named. /proc/self is /proc/PID. REEVE_NET: "192.0.2.1:443",
	 * "[2001:db8::1]:443". REEVE_SOCKET: "inet:stream", as --socket takes it (and in numbers,
	 * below). REEVE_SCOPE: "@name" of an abstract UNIX socket.
	 */
	const char *object;
	const char *object2; /* the new name of a rename or link, or NULL */
	unsigned int flags;  /* REEVE_ACCESS_* */
	enum reeve_outcome outcome;
	int error; /* positive errno as far as known beforehand, 0: none, or unknown */
	uint16_t port;
	int socket_family, socket_type, socket_protocol; /* type without SOCK_NONBLOCK and so on */
};

/* In the order of `sequence`. Stops when fn returns non-zero, and returns that. -ENOMEM. Nothing is
 * added meanwhile: a domain that is still being recorded waits. */
int reeve_record_each(struct reeve_record *record,
	int (*fn)(void *data, const struct reeve_access *access), void *data);

/* In the order of ids. */
int reeve_record_actors(struct reeve_record *record,
	int (*fn)(void *data, const struct reeve_actor *actor), void *data);

/* Progress, and whether it is complete. */
struct reeve_record_counters {
	size_t size;	   /* sizeof(struct reeve_record_counters) */
	uint64_t calls;	   /* accesses, equal ones counted each */
	uint64_t accesses; /* different ones */
	uint64_t actors;
	uint64_t lost;	 /* not noted for want of memory */
	uint64_t hidden; /* of callers whose root or user namespace is another, whose paths mean
			    nothing here; and of paths that are longer than PATH_MAX */
};
void reeve_record_count(struct reeve_record *record, struct reeve_record_counters *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_RECORD_H */
