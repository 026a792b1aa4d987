/* SPDX-License-Identifier: MIT */
/*
 * The private TMPDIR of a run: BASE/reeve-UID/PID-STARTTIME-PIDNS, where BASE is $TMPDIR or /tmp.
 * Nothing stays behind to remove it, so a later run removes those whose process is gone. A name
 * belongs to one process for ever: STARTTIME is field 22 of /proc/PID/stat, and PIDNS the inode of
 * the PID namespace, because a pid of another container says nothing about processes here.
 */
#ifndef RV_ENFORCE_TMPDIR_H
#define RV_ENFORCE_TMPDIR_H

#include <limits.h>
#include <stddef.h>
#include <reeve/error.h>

struct rv_tmpdir {
	int fd; /* O_PATH|O_CLOEXEC, or -1 where there is none */
	int parent_fd;
	char name[96];
	char path[PATH_MAX];
};
#define RV_TMPDIR_NONE                                                                             \
	{                                                                                          \
		.fd = -1, .parent_fd = -1                                                          \
	}

/*
 * Makes a directory for the calling process, mode 0700. Where some have gathered, removes those
 * that are stale first (a bounded amount; what fails stays). -ENOTDIR (a link, too), -EPERM:
 * reeve-UID is not a private directory of ours.
 */
int rv_tmpdir_make(struct rv_tmpdir *tmpdir, struct reeve_error *err);

/* Closes the descriptors; the directory stays. */
void rv_tmpdir_close(struct rv_tmpdir *tmpdir);

/* For a launch that failed before anything ran in it: removes the (empty) directory, and closes. */
void rv_tmpdir_undo(struct rv_tmpdir *tmpdir);

/*
 * Removes a directory and all in it, which may be hostile and still be changing: no symbolic link
 * is followed, no mount entered, nothing outside is changed. At most *budget entries are looked at.
 * 0, or the first error; -EAGAIN: the budget ran out.
 */
int rv_remove_tree(int parent_fd, const char *name, size_t *budget);

#endif /* RV_ENFORCE_TMPDIR_H */
