/* SPDX-License-Identifier: MIT */
/*
 * What the iterator writes and host_parse.c reads: a header, then for each task of interest one
 * struct rv_host_task. Where its domain is its parent's that is all, as what is above is said
 * there; else its domains follow, from the innermost to the outermost, and one struct rv_host_end.
 *
 * Of the process that reads there are descriptors, too: those that were opened in another domain
 * than it is in now. A file keeps the credentials of who opened it. So where a pidfd came from
 * somebody else, or from before the process restricted itself, it can be told for whom it speaks.
 * Both sides may come from different versions of reeve, where an iterator stays pinned: whatever
 * changes here changes RV_HOST_MAGIC.
 *
 * Included by the program for BPF too, so nothing but numbers.
 */
#ifndef RV_OBSERVE_BPF_RECORD_H
#define RV_OBSERVE_BPF_RECORD_H

#include <stdint.h>

#define RV_HOST_MAGIC	 0x32766572 /* "rev2" */
#define RV_HOST_LAYERS	 16	    /* Landlock's limit */
#define RV_HOST_EXE_SIZE 256	    /* with NUL; longer ones are cut */

struct rv_host_header {
	uint32_t magic;
	uint32_t offset; /* of Landlock's part in a task's security blob, for the curious */
};

#define RV_HOST_NOTHING	   0
#define RV_HOST_DOMAINS	   1
#define RV_HOST_DESCRIPTOR 2 /* `tid` is its number, and one struct rv_host_opener follows */

/* The domains of who opened it, innermost first; 0: no more. */
struct rv_host_opener {
	uint64_t domains[RV_HOST_LAYERS];
};

/* Process ids are those of the reader's pid namespace, 0: not visible there. */
struct rv_host_task {
	uint32_t tid, pid, parent, uid;
	uint64_t start;	 /* nanoseconds of CLOCK_BOOTTIME */
	uint64_t domain; /* the innermost; 0: none */
	char comm[16];
	uint32_t follows; /* RV_HOST_* */
	uint32_t unused;
};

struct rv_host_layer {
	uint64_t id, denials;
	uint32_t creator, creator_uid;
	uint16_t exe_size; /* bytes that follow, with NUL; 0: none */
	uint8_t creator_lives;
	uint8_t logs; /* the kernel's enum: 0 pending, 1 recorded, 2 disabled */
	char comm[16];
	uint32_t more; /* another layer follows */
};

/* `stable`: the task had these credentials all the time, so that what was read is true. */
struct rv_host_end {
	uint32_t stable;
};

/* The program's variables, which user space sets. */
struct rv_host_control {
	int32_t offset;	 /* of Landlock's part in the security blob of credentials; -1: unknown */
	uint32_t target; /* calibration: a process whose only domain is one that it made itself */
};

#endif /* RV_OBSERVE_BPF_RECORD_H */
