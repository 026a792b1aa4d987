/* SPDX-License-Identifier: MIT */
/* The handlers of file system calls, and what they share (request.c). */
#ifndef RV_SUPERVISE_FS_H
#define RV_SUPERVISE_FS_H

#include "supervise/mover.h"
#include "supervise/resolve.h"

/* fs_open.c */
struct rv_answer rv_fs_open(struct rv_request *request);
struct rv_answer rv_fs_creat(struct rv_request *request);
struct rv_answer rv_fs_openat(struct rv_request *request);
struct rv_answer rv_fs_openat2(struct rv_request *request);

/* fs_proc.c */

/* The caller's object of a path that was found to be on procfs; `pinned`: ours. False: unknown. */
bool rv_fs_find_on_procfs(struct rv_request *request, const char *text, uint64_t flags,
	const struct rv_object *pinned, struct rv_object *ret);

/* fs_wait.c */

/* Whether opening waits for something else than a lease. */
bool rv_open_may_wait(const struct stat *st, uint64_t flags);

/* Opens a pinned object as open(2) would with these flags; what `once` granted is used up. */
struct rv_answer rv_open_pinned(
	struct rv_request *request, const struct rv_object *object, uint64_t flags, bool once);

/* fs_make.c */
struct rv_answer rv_fs_mkdir(struct rv_request *request);
struct rv_answer rv_fs_mkdirat(struct rv_request *request);
struct rv_answer rv_fs_mknod(struct rv_request *request);
struct rv_answer rv_fs_mknodat(struct rv_request *request);
struct rv_answer rv_fs_symlink(struct rv_request *request);
struct rv_answer rv_fs_symlinkat(struct rv_request *request);

/* fs_link.c */
struct rv_answer rv_fs_link(struct rv_request *request);
struct rv_answer rv_fs_linkat(struct rv_request *request);

/* fs_remove.c */
struct rv_answer rv_fs_unlink(struct rv_request *request);
struct rv_answer rv_fs_rmdir(struct rv_request *request);
struct rv_answer rv_fs_unlinkat(struct rv_request *request);

/* fs_move.c */
struct rv_answer rv_fs_rename(struct rv_request *request);
struct rv_answer rv_fs_renameat(struct rv_request *request);
struct rv_answer rv_fs_renameat2(struct rv_request *request);

/* fs_truncate.c */
struct rv_answer rv_fs_truncate(struct rv_request *request);

/* exec.c */
struct rv_answer rv_exec_execve(struct rv_request *request);
struct rv_answer rv_exec_execveat(struct rv_request *request);

/* A request on its way to being performed. */
struct rv_verdict {
	struct rv_judgement judgement;
	uint64_t asked;
	uint64_t needs; /* for the record: what the kernel asks for; 0: what is asked */
	const char *object, *object2; /* canonical */
	/* What is held of it, for denials by identity. */
	const struct rv_object *pinned;
	const struct rv_place *places[2];
	uint64_t implied; /* what it takes besides where we perform it (fs_open.c) */
	bool makes;	  /* needs the umask */
	bool exclusive;	  /* for the record: O_EXCL */
	mode_t umask;	  /* the caller's, once rv_fs_go() said yes */
};

/*
 * What follows from a judgement. True: perform it, with the umask given; a rule that grants once is
 * used up then. False: *ret is how to answer, mostly CONTINUE; a denial is reported where
 * `would_work` says that only the policy is in the way.
 */
bool rv_fs_go(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data, struct rv_answer *ret);

/* For what is never performed: a denial by the floor is reported where only that is in the way. */
void rv_fs_report_floor(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data);

/* fs_guard.c: around each move, from before anything is looked up. */
struct rv_fs_guard {
	struct rv_mover *mover; /* entered; NULL: no live rules, nothing to guard */
	bool on;		/* nothing may go on in the kernel */
	bool tagged;		/* by the shim, which calls again after EXDEV */
};

#define RV_FS_GUARD_NONE ((struct rv_fs_guard){.mover = NULL})

/* False: another move is under way, and this thread must not wait. */
bool rv_fs_guard_begin(struct rv_request *request, struct rv_fs_guard *ret);
void rv_fs_guard_end(struct rv_fs_guard *guard);

/* Whether moves may go on in the kernel: the floor alone decides over what anyone can gain. */
bool rv_fs_moves_unguarded(const struct rv_context *context);

/* For what cannot be looked at: CONTINUE, or `error` (0: EXDEV), positive. */
struct rv_answer rv_fs_guard_fails(const struct rv_fs_guard *guard, const char *reason, int error);

/* rv_fs_go() for a move; `call` is what performs it in the floor. */
bool rv_fs_guard_go(struct rv_request *request, const struct rv_fs_guard *guard,
	struct rv_verdict *verdict, bool (*would_work)(const void *data), const void *data,
	const struct rv_mover_call *call, struct rv_answer *ret);

/* Whether the caller's DAC rights allow `mode` (R_OK …) on a pinned object; EROFS counts. */
bool rv_fs_accessible(int fd, int mode);

/* Whether entries can be made in this directory; `remove`: whether this entry can be removed. */
bool rv_fs_can_make(const struct rv_place *place);
bool rv_fs_can_remove(const struct rv_place *place);

/* The result of a system call as an answer. */
struct rv_answer rv_fs_result(long r);

#endif /* RV_SUPERVISE_FS_H */
