/* SPDX-License-Identifier: MIT */
/*
 * The caller of a trapped system call: its memory, directories, credentials, signals.
 *
 * Nothing here is kept longer than one request: a memory fd kept over vfork+exec reads the parent,
 * a cwd is stale after chdir, credentials survive pid reuse (hazards.md). All is opened below one
 * fd on /proc/TID, which names one task for good; the notification's id is checked once after that
 * fd was opened, so that the task is known to be the one that waits for our answer.
 */
#ifndef RV_SUPERVISE_CALLER_H
#define RV_SUPERVISE_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct rv_caller {
	pid_t tid;
	int listener; /* borrowed */
	uint64_t id;  /* of the notification */
	int proc_fd;  /* /proc/TID, O_PATH */
	int mem_fd;   /* -1 until something was read */
};

/* What decides over the caller's power, from /proc/TID/status. */
struct rv_credentials {
	uid_t fsuid;
	gid_t fsgid;
	uint64_t effective; /* capabilities */
	uint64_t groups;    /* a hash of the supplementary groups, in order */
	dev_t user_ns_dev;
	ino_t user_ns_ino;
};

struct rv_caller_status {
	struct rv_credentials credentials;
	mode_t umask;
	pid_t tgid;
	uint64_t pending_handled; /* signals pending that have a handler: SIGKILL aside */
};

/*
 * -ENOENT: the caller is gone, or was released from the call: drop the request. -EACCES, -EPERM:
 * it may not be looked at (not dumpable).
 */
int rv_caller_open(struct rv_caller *caller, int listener, uint64_t id, pid_t tid);
void rv_caller_close(struct rv_caller *caller);

/* True while the caller waits for the answer. */
bool rv_caller_waits(const struct rv_caller *caller);

/* -EFAULT: not all of it is mapped. Never blocks: pread of /proc/TID/mem gives EIO for a
 * userfaultfd page where process_vm_readv(2) would hang. */
int rv_caller_read(struct rv_caller *caller, uint64_t address, void *buf, size_t size);

/*
 * Copies a string of at most `size` - 1 bytes; reads no further than the page where it ends.
 * Returns its length; -EFAULT; -ENAMETOOLONG.
 */
ssize_t rv_caller_read_string(struct rv_caller *caller, uint64_t address, char *buf, size_t size);

/* An O_PATH fd on the caller's fd (AT_FDCWD: cwd). -EBADF as openat(2) would say. */
int rv_caller_dir(const struct rv_caller *caller, int fd);

/* 0 and *ret; -ENOENT when gone. */
int rv_caller_status(const struct rv_caller *caller, struct rv_caller_status *ret);

/* The caller's root directory, as stat(2) sees it; mount ID included. */
struct rv_root {
	dev_t dev;
	ino_t ino;
	uint64_t mount;
};
int rv_caller_root(const struct rv_caller *caller, struct rv_root *ret);

/* The same of the calling process. */
int rv_own_status(struct rv_caller_status *ret);
int rv_own_root(struct rv_root *ret);

bool rv_credentials_equal(const struct rv_credentials *a, const struct rv_credentials *b);

#endif /* RV_SUPERVISE_CALLER_H */
