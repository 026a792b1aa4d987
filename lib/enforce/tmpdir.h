/* SPDX-License-Identifier: MIT */
/*
 * The private TMPDIR of a run: BASE/reeve-UID/PID-TIME-PLACE, where BASE is $TMPDIR or /tmp.
 * Nothing stays behind to remove it, so a later run removes those whose process is gone: no process
 * has that pid, or the one that has it was started after TIME, when the directory was made (in
 * ticks since boot, as field 22 of /proc/PID/stat). PLACE stands for the device number of /proc and
 * the host's name, because a pid of another container, or of another host that shares BASE, says
 * nothing about processes here; what is of another place, or was before a restart, goes by its age.
 * None of the three costs a look into /proc/self, which takes longer than all else here.
 */
#ifndef RV_ENFORCE_TMPDIR_H
#define RV_ENFORCE_TMPDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
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

/*
 * Whether a directory of another place, last changed then, belongs to nobody: before this machine's
 * start, so to no process of it, and ten days ago, which is when systemd-tmpfiles(8) cleans /tmp.
 * All in seconds; uptime is CLOCK_BOOTTIME.
 */
bool rv_tmpdir_is_old(time_t changed, time_t now, time_t uptime);

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
