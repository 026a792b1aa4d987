/* SPDX-License-Identifier: MIT */
/*
 * Streams: libc opens their files by internal calls that cannot be interposed, so the file is
 * opened here and handed over by descriptor. freopen(3) cannot be done so (the stream keeps its
 * descriptor's number), and stays libc's: trapped, and no less correct.
 */
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

struct stream_mode {
	int flags;
	bool update;	/* "+" */
	bool hand_over; /* something that only libc's own fopen knows */
};

/* The letters that fopen(3) looks at: the first, and six more. False: EINVAL. */
static bool parse_mode(const char *mode, struct stream_mode *ret)
{
	struct stream_mode m = {0};

	if (mode[0] != 'r' && mode[0] != 'w' && mode[0] != 'a')
		return false;
	m.hand_over = strchr(mode, ',') != NULL; /* ",ccs=" */
	for (size_t i = 1; i < 7 && mode[i]; i++) {
		m.update |= mode[i] == '+';
		m.hand_over |= mode[i] == 'm' || mode[i] == 'c';
		m.flags |= mode[i] == 'x' ? O_EXCL : mode[i] == 'e' ? O_CLOEXEC : 0;
	}
	m.flags |= m.update ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
	m.flags |= mode[0] == 'w' ? O_CREAT | O_TRUNC : mode[0] == 'a' ? O_CREAT | O_APPEND : 0;
	*ret = m;
	return true;
}

/* What fdopen(3) does not do and fopen does: begin at the end of a file that is appended to. */
static bool to_the_end(int fd, const struct stream_mode *m)
{
	int saved = errno;

	if (!(m->flags & O_APPEND) || m->update)
		return true;
	if (lseek(fd, 0, SEEK_END) < 0 && errno != ESPIPE)
		return false;
	errno = saved;
	return true;
}

static FILE *stream_of(int fd, char letter, const struct stream_mode *m)
{
	char mode[3] = {letter, m->update ? '+' : '\0', '\0'};
	FILE *stream = to_the_end(fd, m) ? fdopen(fd, mode) : NULL;
	int error = errno;

	if (!stream)
		close(fd);
	errno = error;
	return stream;
}

static FILE *open_stream(const char *name, const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *);
	struct stream_mode m;
	int fd;

	if (!parse_mode(mode, &m)) {
		errno = EINVAL;
		return NULL;
	}
	if (m.hand_over) {
		*(void **)&real = shim_real(name);
		return real ? real(path, mode) : NULL;
	}
	fd = shim_openat(AT_FDCWD, path, m.flags, 0666);
	return fd < 0 ? NULL : stream_of(fd, mode[0], &m);
}

SHIM_EXPORT FILE *fopen(const char *path, const char *mode)
{
	return open_stream("fopen", path, mode);
}

SHIM_EXPORT FILE *fopen64(const char *path, const char *mode)
{
	return open_stream("fopen64", path, mode);
}

DIR *shim_opendirat(int at, const char *path)
{
	int fd = shim_openat_nocancel(at, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int error = errno;

	if (fd >= 0 && !dir)
		close(fd);
	errno = error;
	return dir;
}

SHIM_EXPORT DIR *opendir(const char *path)
{
	return shim_opendirat(AT_FDCWD, path);
}

/* A file without a name, where the file system has that; else libc knows how to go on. */
static FILE *temporary(const char *name)
{
	int saved = errno;
	int fd = shim_openat_nocancel(AT_FDCWD, P_tmpdir, O_RDWR | O_EXCL | O_TMPFILE, 0600);
	struct stream_mode m = {.flags = O_RDWR, .update = true};
	FILE *(*real)(void);

	if (fd >= 0)
		return stream_of(fd, 'w', &m);
	errno = saved;
	*(void **)&real = shim_real(name);
	return real ? real() : NULL;
}

SHIM_EXPORT FILE *tmpfile(void)
{
	return temporary("tmpfile");
}

SHIM_EXPORT FILE *tmpfile64(void)
{
	return temporary("tmpfile64");
}
