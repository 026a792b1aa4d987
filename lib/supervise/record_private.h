/* SPDX-License-Identifier: MIT */
/* What a record is made of. */
#ifndef RV_SUPERVISE_RECORD_PRIVATE_H
#define RV_SUPERVISE_RECORD_PRIVATE_H

#include <pthread.h>
#include "supervise/record.h"
#include "supervise/record_paths.h"

#define RV_ACTOR_SLOTS 1024 /* a power of two */

/* Who a task is, as long as it is the same task and does not exec. */
struct rv_actor_slot {
	pid_t tid;
	uint64_t identity; /* of the task: a number that is not used again */
	uint32_t actor;	   /* 0: to be asked */
};

struct rv_actor {
	uint32_t process, parent;
	pid_t pid;
	uint64_t start;
	uint32_t exe; /* a path, RV_NO_PATH: unknown */
	char comm[16];
};

/* One access, and how often. Kept small: there can be millions. */
struct rv_entry_access {
	uint32_t actor, object, count;
	union {
		uint32_t object2; /* REEVE_FS: RV_NO_PATH, there is none */
		int32_t protocol; /* all others */
	};
	uint32_t rights, implied;
	uint16_t flags, port, error, family, type;
	uint8_t cls, outcome;
	uint8_t call; /* number in `calls` */
};

#define RV_RECORD_CALLS 64

struct reeve_record {
	pthread_mutex_t lock;
	struct rv_paths paths;

	struct rv_entry_access *accesses;
	size_t count, capacity;
	uint32_t *slots; /* number of an access + 1, 0: free; a power of two */
	size_t slot_count;

	const char *calls[RV_RECORD_CALLS];
	size_t call_count;

	struct rv_actor *actors; /* number id - 1 */
	size_t actor_count, actor_capacity;
	struct rv_actor_slot tasks[RV_ACTOR_SLOTS];
	uint32_t *by_pid; /* ids of the newest actor of each pid, open addressing */
	size_t by_pid_count;

	uint64_t calls_seen, lost, hidden;
};

#endif /* RV_SUPERVISE_RECORD_PRIVATE_H */
