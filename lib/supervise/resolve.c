/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include "base/cleanup.h"
#include "supervise/resolve.h"

void rv_path_close(struct rv_path *path)
{
	rv_close_p(&path->base);
	path->base = -1;
}

void rv_object_close(struct rv_object *object)
{
	rv_close_p(&object->fd);
	object->fd = -1;
}

void rv_place_close(struct rv_place *place)
{
	rv_close_p(&place->dir);
	place->dir = -1;
}

struct rv_fd_path rv_fd_path(int fd)
{
	struct rv_fd_path path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

/* ------------------------------------------------------------------- copying */

static const char *copy(
	struct rv_request *request, int dirfd, uint64_t address, bool confined, struct rv_path *ret)
{
	ssize_t n = rv_caller_read_string(request->caller, address, ret->text, sizeof(ret->text));

	if (n < 0)
		return "the path cannot be read";
	if (n == 0)
		return "the path is empty";
	if (ret->text[0] == '/' && !confined) {
		ret->base = AT_FDCWD;
		return NULL;
	}
	ret->base = rv_caller_dir(request->caller, dirfd);
	return ret->base < 0 ? "the directory cannot be opened" : NULL;
}

const char *rv_path_copy(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret)
{
	return copy(request, dirfd, address, false, ret);
}

const char *rv_path_copy_confined(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret)
{
	return copy(request, dirfd, address, true, ret);
}

/* ------------------------------------------------------------------- looking up */

static int look_up(int base, const char *text, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd = syscall(SYS_openat2, base, text, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The kernel marks a name that is gone with this suffix, which may as well be part of a name. */
static bool is_gone(const char *path, size_t length, const struct stat *st)
{
	static const char mark[] = " (deleted)";
	const size_t size = sizeof(mark) - 1;
	struct stat now;

	if (length < size || strcmp(path + length - size, mark) != 0)
		return false;
	return lstat(path, &now) < 0 || !is_same(&now, st);
}

static const char *canonical(int fd, const struct stat *st, char buf[static PATH_MAX])
{
	ssize_t n = readlink(rv_fd_path(fd).text, buf, PATH_MAX);

	if (n < 0 || n >= PATH_MAX)
		return "its canonical path is too long";
	buf[n] = '\0';
	if (buf[0] != '/')
		return "it is not below the root directory";
	return is_gone(buf, (size_t)n, st) ? "it was deleted" : NULL;
}

/* What is known of a pinned object, unless it is one that must not be ours. */
static const char *examine(int fd, struct stat *st, char path[static PATH_MAX])
{
	struct statfs fs;

	if (fstat(fd, st) < 0 || fstatfs(fd, &fs) < 0)
		return "it cannot be examined";
	if (fs.f_type == PROC_SUPER_MAGIC)
		return "on procfs, where names mean the caller";
	return canonical(fd, st, path);
}

const char *rv_resolve_object(int base, const char *text, uint64_t flags, uint64_t resolve,
	struct rv_object *ret, int *ret_error)
{
	int fd = look_up(base, text, flags, resolve);

	if (fd < 0) {
		if (ret_error)
			*ret_error = fd;
		return "it cannot be found, or only through a magic link";
	}
	ret->fd = fd;
	return examine(fd, &ret->st, ret->path);
}

const char *rv_resolve_fd(struct rv_request *request, int fd, struct rv_object *ret)
{
	ret->fd = rv_caller_dir(request->caller, fd);
	if (ret->fd < 0)
		return "the descriptor cannot be opened";
	return examine(ret->fd, &ret->st, ret->path);
}

/* ------------------------------------------------------------------- places */

/* Splits into the directory's path and the entry's name. */
static const char *split(
	const char *text, char dir[static PATH_MAX], char name[static NAME_MAX + 2])
{
	size_t end = strlen(text), start, length;

	while (end > 0 && text[end - 1] == '/')
		end--;
	for (start = end; start > 0 && text[start - 1] != '/'; start--)
		;
	length = end - start;
	if (length == 0 || (length == 1 && text[start] == '.') ||
		(length == 2 && !memcmp(text + start, "..", 2)))
		return "the path names no entry of a directory";
	if (length > NAME_MAX)
		return "a name is too long";
	snprintf(dir, PATH_MAX, "%.*s", (int)start, start ? text : "");
	snprintf(name, NAME_MAX + 2, "%.*s%s", (int)length, text + start, text[end] ? "/" : "");
	return NULL;
}

static const char *join(struct rv_place *place)
{
	int length = (int)strcspn(place->name, "/");
	const char *dir = place->dir_path[1] ? place->dir_path : "";
	int n = snprintf(place->path, PATH_MAX, "%s/%.*s", dir, length, place->name);

	return n >= PATH_MAX ? "its canonical path is too long" : NULL;
}

static void look_at_entry(struct rv_place *place)
{
	char name[NAME_MAX + 1];

	/* With a slash, stat would follow a symbolic link. */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(place->name, "/"), place->name);
	place->exists = fstatat(place->dir, name, &place->st, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *rv_resolve_place(int base, const char *text, uint64_t resolve, struct rv_place *ret)
{
	char dir[PATH_MAX];
	const char *reason = split(text, dir, ret->name);

	if (reason)
		return reason;
	ret->dir = look_up(base, dir[0] ? dir : ".", O_DIRECTORY, resolve);
	if (ret->dir < 0)
		return "its directory cannot be found, or only through a magic link";
	reason = examine(ret->dir, &ret->dir_st, ret->dir_path);
	if (!reason)
		reason = join(ret);
	if (!reason)
		look_at_entry(ret);
	return reason;
}
