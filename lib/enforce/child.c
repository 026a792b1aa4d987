/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/child.h"
#include "enforce/fds.h"

#define MAPS_MAX 256 /* room for the map on the child's stack */

pid_t rv_child_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);

	return pid < 0 ? -errno : (pid_t)pid;
}

void rv_child_signals(const sigset_t *ignored)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL}, ign = {.sa_handler = SIG_IGN}, old;

	for (int sig = 1; sig < _NSIG; sig++) {
		if (sigaction(sig, NULL, &old) < 0)
			continue;
		if (sigismember(ignored, sig) == 1)
			sigaction(sig, &ign, NULL);
		else if (old.sa_handler != SIG_IGN && old.sa_handler != SIG_DFL)
			sigaction(sig, &dfl, NULL);
	}
}

/* ------------------------------------------------------------------------- checking */

static int not_open(int fd, struct reeve_error *err)
{
	return rv_error(
		err, -EBADF, "file descriptor %d is to be the program's, but is not open", fd);
}

static int check_map(const struct reeve_exec_options *options, size_t i, struct reeve_error *err)
{
	const struct reeve_fd_map *map = &options->fds[i];

	if (fcntl(map->from, F_GETFD) < 0)
		return not_open(map->from, err);
	if (map->to < 0)
		return rv_error(
			err, -EINVAL, "the program can have no file descriptor %d", map->to);
	for (size_t k = 0; k < i; k++)
		if (options->fds[k].to == map->to)
			return rv_error(err, -EINVAL,
				"the program's file descriptor %d is given twice", map->to);
	return 0;
}

int rv_child_check_fds(const struct reeve_exec_options *options, struct reeve_error *err)
{
	int r = rv_fds_check(options->keep_fds, options->keep_fds_count, err);

	if (r == 0 && options->fds_count > MAPS_MAX)
		r = rv_error(err, -EINVAL, "at most %d file descriptors can be mapped", MAPS_MAX);
	for (size_t i = 0; r == 0 && i < options->fds_count; i++)
		r = check_map(options, i, err);
	if (r || !options->terminal)
		return r;
	if (fcntl(*options->terminal, F_GETFD) < 0)
		return not_open(*options->terminal, err);
	if (!isatty(*options->terminal))
		return rv_error(
			err, -ENOTTY, "file descriptor %d is no terminal", *options->terminal);
	return 0;
}

/* ---------------------------------------------------------------------- in the child */

/* The first number that nothing of the program's will have. */
static int above(const struct reeve_exec_options *options)
{
	int top = 2;

	for (size_t i = 0; i < options->fds_count; i++)
		if (options->fds[i].to > top)
			top = options->fds[i].to;
	return top + 1;
}

static int lift(int *fd, int least)
{
	int lifted;

	if (*fd < 0)
		return 0;
	lifted = fcntl(*fd, F_DUPFD_CLOEXEC, least);
	if (lifted < 0)
		return -errno;
	*fd = lifted;
	return 0;
}

static int take_terminal(int fd)
{
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int i = 0; i < 3; i++) {
		/* On itself dup2(2) changes nothing, close-on-exec included. */
		if (fd == i ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, i) < 0)
			return -errno;
	}
	return 0;
}

int rv_child_fds(const struct reeve_exec_options *options, int *const own[], size_t own_count)
{
	int from[MAPS_MAX], terminal = options->terminal ? *options->terminal : -1;
	int least = above(options), r = 0;

	if ((options->new_session || options->terminal) && setsid() < 0)
		return -errno;
	if (!options->fds_count && !options->terminal)
		return 0;
	for (size_t i = 0; r == 0 && i < own_count; i++)
		r = lift(own[i], least);
	for (size_t i = 0; r == 0 && i < options->fds_count; i++) {
		from[i] = options->fds[i].from;
		r = lift(&from[i], least);
	}
	if (r == 0 && options->terminal)
		r = take_terminal(terminal);
	for (size_t i = 0; r == 0 && i < options->fds_count; i++)
		r = dup2(from[i], options->fds[i].to) < 0 ? -errno : 0;
	return r;
}
