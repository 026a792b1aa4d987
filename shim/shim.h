/* SPDX-License-Identifier: MIT */
/*
 * The try-then-trap shim: preloaded into the programs of a supervised domain.
 *
 * libc's calls that Landlock itself checks are issued with a tag in the sixth argument, which the
 * kernel ignores and reeve's filter lets pass: Landlock decides, at Landlock's price. Only what it
 * refuses is called again without the tag, trapped, and perhaps granted by the supervisor. Without
 * a filter the tag means nothing, so a program that keeps the preload elsewhere is not harmed.
 *
 * What holds everywhere here: system calls by syscall(2) alone, no look-up of other functions on
 * the common path, no memory, no locks, no variables: it works in signal handlers, between vfork
 * and exec, before constructors ran, and in any thread. errno changes only on failure.
 */
#ifndef SHIM_H
#define SHIM_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#define SHIM_EXPORT __attribute__((visibility("default")))

/* The call tagged, and once more untagged when Landlock may have refused it. */
long shim_try(long nr, long a, long b, long c, long d, long e);

/*
 * openat(2) so, as a cancellation point where libc's is one: as libc does it, the thread is
 * cancellable at any time during the system call, and nowhere else.
 */
int shim_openat(int dir, const char *path, int flags, unsigned int mode);

/* The same without being a cancellation point. */
int shim_openat_nocancel(int dir, const char *path, int flags, unsigned int mode);

/* As opendir(3), from a directory. */
DIR *shim_opendirat(int at, const char *path);

/* libc's own function (or another preload's). NULL when there is none. */
void *shim_real(const char *name);

#endif /* SHIM_H */
