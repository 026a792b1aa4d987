/* SPDX-License-Identifier: MIT */
/*
 * The caller of a trapped system call: its memory, directories, credentials, signals.
 *
 * Nothing here is kept longer than one request: a memory fd kept over vfork+exec reads the parent,
 * a cwd is stale after chdir, credentials survive pid reuse (hazards.md). What names the task for
 * good, /proc/TID and its memory, is opened when it is first asked for; the notification's id is
 * checked then. Most is asked for by the task's number, which may be another's by then: before
 * anything is done, told, or used up because of it, rv_caller_waits() must have been true once
 * more. Who waits now has waited all along; an answer to who does not is nobody's.
 */
#ifndef RV_SUPERVISE_CALLER_H
#define RV_SUPERVISE_CALLER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Of all callers of one domain: how their memory is read. process_vm_readv(2) costs a tenth of
 * opening /proc/TID/mem, but waits for who serves a page by userfaultfd(2), so it is used only as
 * long as nobody in the domain can have one. What makes one is trapped, and noted before it goes
 * on, when no such read is under way.
 */
struct rv_reading {
	atomic_bool served;    /* somebody may: set from the beginning where that is not trapped */
	atomic_uint under_way; /* process_vm_readv() */
};

/*
 * pidfds of tasks that called before. One whose task lives is that of who has the number now, by
 * whatever exec: numbers are freed at the end only.
 */
struct rv_pidfds { /* zeroed: none */
	pthread_mutex_t lock;
	struct rv_pidfd {
		pid_t tid; /* 0: none */
		int fd;
	} kept[4];
	unsigned int next;
	atomic_bool uninformed; /* this kernel tells nothing of a pidfd (before Linux 6.13) */
};

struct rv_caller {
	pid_t tid;
	int listener;		    /* borrowed */
	uint64_t id;		    /* of the notification */
	int proc_fd;		    /* /proc/TID, O_PATH; -1 until rv_caller_proc() */
	int mem_fd;		    /* -1 until something was read by it */
	struct rv_reading *reading; /* NULL: by mem_fd only */
	struct rv_pidfds *pidfds;   /* for rv_caller_fd() and what asks by it below */
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
	uint64_t pending_handled; /* signals pending that have a handler and are not blocked */
	uint64_t pending_own;	  /* those among them that are this task's alone */
	bool pending_stop;	  /* a signal that will stop the process */
	unsigned int threads;
};

/* From now on by /proc/TID/mem only; returns when no other read is under way. */
void rv_reading_served(struct rv_reading *reading);

void rv_pidfds_release(struct rv_pidfds *pidfds);

/* Opens nothing yet. */
void rv_caller_open(struct rv_caller *caller, int listener, uint64_t id, pid_t tid);
void rv_caller_close(struct rv_caller *caller);

/*
 * The caller's /proc/TID, borrowed. -ENOENT: it is gone, or was released from the call. That, or
 * what open(2) says, is also what the functions below say that need it.
 */
int rv_caller_proc(struct rv_caller *caller);

/* True while the caller waits for the answer. */
bool rv_caller_waits(const struct rv_caller *caller);

/* By number. -EFAULT: not all of it is mapped, or it may not be read (not dumpable). Never blocks:
 * pread of /proc/TID/mem gives EIO for a userfaultfd page where process_vm_readv(2) would hang. */
int rv_caller_read(struct rv_caller *caller, uint64_t address, void *buf, size_t size);

/*
 * As copy_to_user(), but for read-only pages: those of a private mapping are copied and written.
 * -EFAULT, or what open(2) says.
 */
int rv_caller_write(struct rv_caller *caller, uint64_t address, const void *buf, size_t size);

/*
 * Copies a string of at most `size` - 1 bytes; reads no further than the page where it ends.
 * Returns its length; -EFAULT; -ENAMETOOLONG.
 */
ssize_t rv_caller_read_string(struct rv_caller *caller, uint64_t address, char *buf, size_t size);

/* An O_PATH fd on the caller's fd (AT_FDCWD: cwd), by number. -EBADF as openat(2) would say. */
int rv_caller_dir(struct rv_caller *caller, int fd);

/*
 * The path of that, as /proc has it; not terminated. Returns its length, which is `size` where it
 * is longer, or a negative errno. By number, as rv_caller_root().
 */
ssize_t rv_caller_dir_path(const struct rv_caller *caller, int fd, char *buf, size_t size);

/*
 * A duplicate of the caller's descriptor: the same open file. -EBADF; -EPERM: it may not be looked
 * at; -ESRCH: it is gone, or has a table of its own that this kernel (before 6.9) cannot name.
 */
int rv_caller_fd(struct rv_caller *caller, int fd);
/* The same by number. */
int rv_caller_fd_unchecked(struct rv_caller *caller, int fd);

/* As we see them, by number. -ESRCH: gone; others: this kernel does not tell. */
int rv_caller_effective_ids(struct rv_caller *caller, uid_t *ret_uid, gid_t *ret_gid);

/* 0 and *ret; -ENOENT when gone. */
int rv_caller_status(struct rv_caller *caller, struct rv_caller_status *ret);

/*
 * 0, or the errno for a caller that has a signal to handle: while it waits for our answer, nothing
 * but SIGKILL gets through. It is ERESTARTSYS of the kernel, so that SA_RESTART decides, where this
 * task itself will handle the signal: else another thread may, and the caller would see the number.
 */
int rv_caller_interrupted(struct rv_caller *caller);
int rv_status_interrupted(const struct rv_caller_status *status);

/*
 * Whether its process is stopped, or will be as soon as it is released from the call: it would
 * handle no signal before it is continued. By number.
 */
bool rv_task_is_stopped(pid_t tid);

/* The caller's root directory, as stat(2) sees it; mount ID included. By number: to be followed by
 * rv_caller_waits(). */
struct rv_root {
	dev_t dev;
	ino_t ino;
	uint64_t mount;
};
int rv_caller_root(const struct rv_caller *caller, struct rv_root *ret);

/* What the security module calls it, as /proc/TID/attr/current has it; "" where none does. */
int rv_caller_label(struct rv_caller *caller, char *buf, size_t size);

/* The same of the calling process. */
int rv_own_status(struct rv_caller_status *ret);
int rv_own_label(char *buf, size_t size);
int rv_own_root(struct rv_root *ret);

bool rv_credentials_equal(const struct rv_credentials *a, const struct rv_credentials *b);

#endif /* RV_SUPERVISE_CALLER_H */
