/* SPDX-License-Identifier: MIT */
/*
 * Proof by trying to break it: the parts of reeve_verify().
 *
 * A *row* says how one feature is tried: an operation, the sandbox (*box*) that refuses it, the one
 * that grants it. A *trial* is one process that enters a box, or none, and performs the operation
 * on a *stage*: a fresh directory, and servers or victims where the row needs them, all made by the
 * process that called reeve_verify(), so outside every box.
 *
 * Boxes are entered through the public functions that `reeve run` uses (policy, plan, restrict), so
 * a fault of reeve's own shows as well as one of the kernel's.
 */
#ifndef RV_OBSERVE_VERIFY_H
#define RV_OBSERVE_VERIFY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <reeve/check.h>
#include "base/cleanup.h"

/* ------------------------------------------------------------------- stages */

#define RV_NEEDS_UNIX	(1u << 0) /* a listening pathname UNIX socket: here/socket */
#define RV_NEEDS_TCP	(1u << 1) /* a listening TCP socket on the loopback: tcp_port */
#define RV_NEEDS_UDP	(1u << 2) /* a bound UDP socket on the loopback: udp_port */
#define RV_NEEDS_VICTIM (1u << 3) /* a child that waits to be killed: victim */

/*
 * A stage is the working directory of the trial's process. It holds here/ (with file, dir/, prog)
 * and there/, which is empty and takes the rule where an operation is to be refused.
 */
struct rv_stage {
	char path[PATH_MAX - 64];    /* absolute */
	char name[64];		     /* of this stage alone; for abstract sockets */
	int unix_fd, tcp_fd, udp_fd; /* -1: none */
	uint16_t tcp_port, udp_port; /* host byte order */
	pid_t victim;		     /* 0: none; in a matrix, the resource process */
};

/* Makes here/ and there/ below the stage's path. -errno. */
int rv_stage_files(const struct rv_stage *stage);

/* ---------------------------------------------------------------- processes */

/* What became of a trial. Small enough for one atomic write to a pipe. */
enum rv_end {
	RV_END_DONE,  /* the operation was performed: code is its result, 0 or -errno */
	RV_END_BOX,   /* the box could not be entered: code and text are reeve's error */
	RV_END_DIED,  /* it said nothing: text tells how it ended */
	RV_END_STUCK, /* it was killed because it took too long */
};
struct rv_outcome {
	enum rv_end end;
	int code;
	char text[240];
};

/*
 * fork(2) for everything below: the child dies with its parent, dies of an alarm should all else
 * fail, and has default signal handling. Returns as fork(2), with -errno.
 */
pid_t rv_spawn(void);

#define RV_TRIAL_MS 20000 /* what no trial takes, on any machine */

/*
 * Runs fn in a child and receives its outcome. A child that takes longer than `ms` milliseconds is
 * killed; it is waited for in every case. 0, or -errno where no child could be made.
 */
int rv_run_within(
	int ms, void (*fn)(void *data, struct rv_outcome *out), void *data, struct rv_outcome *ret);

/* The same within RV_TRIAL_MS. */
int rv_run(void (*fn)(void *data, struct rv_outcome *out), void *data, struct rv_outcome *ret);

/* waitpid(2) for one child, EINTR aside; its status, or 0 where somebody else reaped it. */
int rv_reap(pid_t pid);

/* -------------------------------------------------------------------- boxes */

/* What a process is put into. */
struct rv_box {
	const char *text; /* a policy in TOML to begin with, or NULL */
	struct reeve_rights handled;
	struct reeve_rule rules[2];
	size_t rules_count;
	unsigned int flags;  /* REEVE_RESTRICT_* */
	char path[PATH_MAX]; /* what a rule's path may point to */
};

/* Rights that every box handles, so that it is a Landlock domain whatever else it handles. Two, so
 * that it still is when one of them is what is tried. */
#define RV_BOX_FS (REEVE_FS_MAKE_BLOCK | REEVE_FS_MAKE_CHAR)

/* Restricts the calling process. 0, or -errno with the reason in `err`. */
int rv_box_enter(const struct rv_box *box, struct reeve_error *err);

/* --------------------------------------------------------------------- rows */

struct rv_row;

#define RV_LACKING (-4095) /* what an operation needs, apart from permission, is not there */

/* Performs an operation on the stage that is the working directory. 0, -errno, or RV_LACKING. */
typedef int (*rv_op)(const struct rv_stage *stage);

/* Fills in the box (zeroed but for RV_BOX_FS) that grants or that refuses a row's operation. */
typedef void (*rv_boxer)(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box);

/* The proof of one feature as it grows row by row. */
struct rv_proof {
	char dir[PATH_MAX - 96]; /* private temporary directory of reeve_verify() */
	struct reeve_kernel kernel;
	unsigned int stages; /* made so far */
	bool told;	     /* a row has been heard; verdict and detail are set */
	enum reeve_verdict verdict;
	char detail[480];
	char how[96]; /* the last of what rv_tell_held() was told */
};

#define RV_ROW_NO_GRANT	  (1u << 0) /* nothing grants it: refused in every box of this kind */
#define RV_ROW_FUTILE	  (1u << 1) /* fails without a box too, but with another error */
#define RV_ROW_SUPERVISED (1u << 2) /* `prove` starts a program under a supervisor */

struct rv_row {
	const char *feature;
	const char *what; /* the operation, for people */
	rv_op op;
	int refused; /* the errno of its refusal, positive */
	unsigned int needs, flags;
	rv_boxer box;
	rv_op neighbour; /* what the refusing box must not forbid; NULL: nothing tried */
	/* A right that the box handles besides what the row is about: no kernel need have it. */
	enum reeve_class wants_class;
	uint64_t wants;
	/* NULL: rv_prove_sides(). 0, or -errno where the proof itself could not be done. */
	int (*prove)(struct rv_proof *proof, const struct rv_row *row);
	int (*make)(const struct rv_stage *stage); /* rv_prove_matrix(): makes the resource */
};

/* Without a box it works, with the granting box it works, with the refusing one it is refused. */
int rv_prove_sides(struct rv_proof *proof, const struct rv_row *row);

/*
 * A resource process and an accessor process below a coordinator, in and out of domains, siblings
 * and parent and child, against the answers that Landlock documents.
 */
int rv_prove_matrix(struct rv_proof *proof, const struct rv_row *row);

/* Adds what a row found to the proof. The worst verdict wins; HELD wins over SKIPPED. */
void rv_tell(struct rv_proof *proof, enum reeve_verdict verdict, const char *fmt, ...)
	RV_PRINTF(3, 4);

/*
 * The same for what held: "refused with EACCES: truncate(), ftruncate()", without repeating `how`
 * where it is the same as the last time.
 */
void rv_tell_held(struct rv_proof *proof, const char *how, const char *what);

/* The same for what went wrong, unless it tells of this machine only. */
void rv_tell_wrong(struct rv_proof *proof, const struct rv_outcome *got, const char *fmt, ...)
	RV_PRINTF(3, 4);

/* One trial on a new stage: in no box, in the row's granting or in its refusing one. -errno. */
enum rv_side { RV_BARE, RV_GRANTED, RV_REFUSED };
int rv_trial(struct rv_proof *proof, const struct rv_row *row, enum rv_side side, rv_op op,
	struct rv_outcome *ret);

/* Stages of a proof: a new one with what `needs` names, and its end. */
int rv_stage_open(struct rv_proof *proof, unsigned int needs, struct rv_stage *ret);
void rv_stage_close(struct rv_stage *stage);

/* "worked", "EACCES", "could not be sandboxed: …", for people. Returns buf. */
char *rv_outcome_say(const struct rv_outcome *outcome, char *buf, size_t size);

/* ------------------------------------------------------------------- tables */

struct rv_rows {
	const struct rv_row *rows;
	size_t count;
};
struct rv_rows rv_rows_fs(void);
struct rv_rows rv_rows_net(void);
struct rv_rows rv_rows_scope(void);
struct rv_rows rv_rows_socket(void);
struct rv_rows rv_rows_guard(void);
struct rv_rows rv_rows_setting(void);
struct rv_rows rv_rows_deny(void);

#endif /* RV_OBSERVE_VERIFY_H */
