/* SPDX-License-Identifier: MIT */
/*
 * Watching files that are edited: written in place, replaced by rename, removed and made again, or
 * reached by a symbolic link that is turned elsewhere. Hence it is the names that are watched, each
 * in its directory, links on the way included.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "reload.h"

/* A file that is being written is complete when it is closed; a link when it is made. */
#define EVENTS                                                                                     \
	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF |   \
		IN_MOVE_SELF)
#define QUIET_MS   40	/* no event for that long: the editor is done */
#define PATIENT_MS 400	/* … or after that long */
#define GONE_MS	   1000 /* removed to be made again: so long may that take */

/* A name in a directory that is watched. */
struct name {
	int wd;
	char *dir, *name;
};

struct cli_file_watch {
	char *const *files; /* NULL at the end */
	void (*fn)(void *data);
	void *data;
	pthread_t thread;
	int wake_fd, inotify_fd;
	uint64_t signature; /* of the files as they were loaded */
	struct name *names;
	size_t count;
	bool unfinished; /* one was made and is not closed yet */
};

/* ---------------------------------------------------------------------- watching */

static void forget(struct cli_file_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		free(watch->names[i].dir);
		free(watch->names[i].name);
	}
	free(watch->names);
	watch->names = NULL;
	watch->count = 0;
	if (watch->inotify_fd >= 0)
		close(watch->inotify_fd);
	watch->inotify_fd = -1;
}

static bool add_name(void *data, const char *dir, const char *name)
{
	struct cli_file_watch *watch = data;
	struct name *names = realloc(watch->names, (watch->count + 1) * sizeof(*names));
	struct name *last;

	if (!names)
		return false;
	watch->names = names;
	last = &names[watch->count];
	last->wd = inotify_add_watch(watch->inotify_fd, dir, EVENTS | IN_ONLYDIR);
	last->dir = strdup(dir);
	last->name = strdup(name);
	watch->count++;
	return last->wd >= 0 && last->dir && last->name;
}

/* All of it anew: directories may have been replaced. */
static bool watch_all(struct cli_file_watch *watch)
{
	bool good;

	forget(watch);
	watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	good = watch->inotify_fd >= 0;
	for (size_t i = 0; good && watch->files[i]; i++)
		good = cli_path_steps(watch->files[i], add_name, watch);
	return good;
}

/* --------------------------------------------------------------------- changes */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(1099511628211);
}

/* What tells one state of the files from another; *ret_gone: one is not there, or about to be
 * written: no policy is empty. */
static uint64_t sign(char *const *files, bool *ret_gone)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	*ret_gone = false;
	for (size_t i = 0; files[i]; i++) {
		struct stat st = {0};

		*ret_gone |= stat(files[i], &st) < 0 || st.st_size == 0;
		hash = mix(mix(hash, st.st_dev), st.st_ino);
		hash = mix(mix(hash, (uint64_t)st.st_size), (uint64_t)st.st_mtim.tv_sec);
		hash = mix(mix(hash, (uint64_t)st.st_mtim.tv_nsec), (uint64_t)st.st_ctim.tv_sec);
		hash = mix(hash, (uint64_t)st.st_ctim.tv_nsec);
	}
	return hash;
}

/* A new file counts when it is closed; what is linked is complete. */
static bool is_being_written(const struct name *name)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", name->dir, name->name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static bool concerns(struct cli_file_watch *watch, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF))
		return true;
	for (size_t i = 0; event->len && i < watch->count; i++) {
		const struct name *name = &watch->names[i];

		if (name->wd != event->wd || strcmp(name->name, event->name) != 0)
			continue;
		watch->unfinished = (event->mask & IN_CREATE) && is_being_written(name);
		return !watch->unfinished;
	}
	return false;
}

/* Takes all events; whether one was of ours. */
static bool take_events(struct cli_file_watch *watch)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t n;

	while ((n = read(watch->inotify_fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			any |= concerns(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return any;
}

/* 1: a change; 0: none for so long; -1: to end. */
static int wait_for_change(struct cli_file_watch *watch, int milliseconds)
{
	struct pollfd fds[] = {{.fd = watch->wake_fd, .events = POLLIN},
		{.fd = watch->inotify_fd, .events = POLLIN}};
	int r = poll(fds, 2, milliseconds);

	if (fds[0].revents)
		return -1;
	return r > 0 && fds[1].revents && take_events(watch);
}

/* Until the editor is done. False: to end. */
static bool settle(struct cli_file_watch *watch)
{
	bool gone;
	int r;

	for (int waited = 0; waited < PATIENT_MS; waited += QUIET_MS) {
		r = wait_for_change(watch, QUIET_MS);
		if (r < 0)
			return false;
		if (r == 0)
			break;
	}
	for (int waited = 0; waited < GONE_MS; waited += QUIET_MS) {
		sign(watch->files, &gone);
		if (!gone && !watch->unfinished)
			break;
		if (wait_for_change(watch, QUIET_MS) < 0)
			return false;
	}
	return true;
}

/* Watched first and then looked at: what changes from here on is seen. */
static void look_again(struct cli_file_watch *watch)
{
	uint64_t signature;
	bool gone;

	watch->unfinished = false;
	if (!watch_all(watch) && watch->count == 0)
		fprintf(stderr, "reeve: warning: --reload: cannot watch the policy any more: %s\n",
			strerror(errno));
	signature = sign(watch->files, &gone);
	if (signature == watch->signature)
		return;
	watch->signature = signature;
	watch->fn(watch->data);
}

static void *serve(void *data)
{
	struct cli_file_watch *watch = data;
	int r;

	while ((r = wait_for_change(watch, -1)) >= 0) {
		if (r == 0)
			continue;
		if (!settle(watch))
			break;
		look_again(watch);
	}
	return NULL;
}

/* ------------------------------------------------------------------------- life */

static bool start(struct cli_file_watch *watch)
{
	sigset_t all, saved;
	bool gone;

	watch->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (watch->wake_fd < 0 || !watch_all(watch))
		return false;
	watch->signature = sign(watch->files, &gone);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	errno = pthread_create(&watch->thread, NULL, serve, watch);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return errno == 0;
}

static void release(struct cli_file_watch *watch)
{
	int saved = errno;

	forget(watch);
	if (watch->wake_fd >= 0)
		close(watch->wake_fd);
	free(watch);
	errno = saved;
}

struct cli_file_watch *cli_file_watch_begin(char *const *files, void (*fn)(void *data), void *data)
{
	struct cli_file_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	*watch = (struct cli_file_watch){
		.files = files, .fn = fn, .data = data, .wake_fd = -1, .inotify_fd = -1};
	if (start(watch))
		return watch;
	release(watch);
	return NULL;
}

void cli_file_watch_end(struct cli_file_watch *watch)
{
	uint64_t one = 1;

	if (!watch)
		return;
	if (write(watch->wake_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(watch->thread, NULL);
	release(watch);
}
