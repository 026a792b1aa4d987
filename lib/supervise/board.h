/* SPDX-License-Identifier: MIT */
/*
 * The numbers of a running domain, where others of its user can see them without asking: a page of
 * shared memory, whose descriptor they open by /proc/SUPERVISOR/fd. Two hundred domains can be
 * listed so without waking one of them, and a supervisor that is stopped can be, too. Who opens it
 * can only read (F_SEAL_FUTURE_WRITE), and cannot cut it short under us.
 */
#ifndef RV_SUPERVISE_BOARD_H
#define RV_SUPERVISE_BOARD_H

#include <stdint.h>
#include <sys/types.h>

#define RV_BOARD_MAGIC UINT64_C(0x3164726f62766572) /* "revbord1" */

struct rv_numbers {
	_Atomic uint64_t denied, guarded, commits;
	_Atomic uint64_t rules;	    /* live ones in force */
	_Atomic uint64_t questions; /* that wait */
};

struct rv_board {
	uint64_t magic, domain; /* 0: it is starting */
	struct rv_numbers numbers;
};

/* Returns the descriptor. What memfd_create(2) and mmap(2) give; -ENOMEM: RLIMIT_FSIZE. */
int rv_board_new(struct rv_board **ret);
void rv_board_free(struct rv_board *board); /* NULL is allowed */

/*
 * Reads the board that this process has as its descriptor `fd`. -ESTALE: that is none, or another
 * domain's; what open(2) gives, -EACCES for who may not look at the process.
 */
int rv_board_read(pid_t supervisor, int fd, uint64_t domain, struct rv_board *ret);

struct reeve_supervisor;

/* Of a supervisor: -1, there is none. */
int rv_session_board(const struct reeve_supervisor *supervisor);

#endif /* RV_SUPERVISE_BOARD_H */
