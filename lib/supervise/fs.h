/* SPDX-License-Identifier: MIT */
/* The handlers of file system calls, and what they share (request.c). */
#ifndef RV_SUPERVISE_FS_H
#define RV_SUPERVISE_FS_H

#include "supervise/resolve.h"

/* fs_open.c */
struct rv_answer rv_fs_open(struct rv_request *request);
struct rv_answer rv_fs_creat(struct rv_request *request);
struct rv_answer rv_fs_openat(struct rv_request *request);
struct rv_answer rv_fs_openat2(struct rv_request *request);

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
	const char *object, *object2; /* canonical */
	mode_t umask;		      /* the caller's, once rv_fs_go() said NULL */
};

/*
 * What follows from a judgement. NULL: perform it, with the umask given; a rule that grants once is
 * used up then. Else the reason to CONTINUE; a denial is reported where `would_work` says that only
 * the policy is in the way.
 */
const char *rv_fs_go(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data);

/* Whether the caller's DAC rights allow `mode` (R_OK …) on a pinned object; EROFS counts. */
bool rv_fs_accessible(int fd, int mode);

/* Whether entries can be made in this directory; `remove`: whether this entry can be removed. */
bool rv_fs_can_make(const struct rv_place *place);
bool rv_fs_can_remove(const struct rv_place *place);

/* The result of a system call as an answer. */
struct rv_answer rv_fs_result(long r);

#endif /* RV_SUPERVISE_FS_H */
