/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include "base/cleanup.h"
#include "supervise/guise.h"
#include "supervise/record.h"
#include "supervise/resolve.h"

void rv_path_init(struct rv_path *path)
{
	path->base = -1;
	path->error = 0;
	path->text[0] = '\0';
}

void rv_object_init(struct rv_object *object)
{
	object->fd = -1;
	object->st = (struct stat){0};
	object->path[0] = '\0';
}

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

struct rv_fd_name rv_fd_name(int fd)
{
	struct rv_fd_name name;

	snprintf(name.text, sizeof(name.text), "%d", fd);
	return name;
}

/* ------------------------------------------------------------------- copying */

static bool is_attached(const struct rv_request *request, int fd)
{
	const struct rv_context *context = request->context;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 || !(stx.stx_mask & STATX_MNT_ID))
		return false;
	/* Most are on the root's mount, for which nothing has to be asked. */
	return stx.stx_mnt_id == context->own.root.mount ||
	       rv_mounts_has(context->mounts, stx.stx_mnt_id);
}

int rv_resolve_base(struct rv_request *request, int fd)
{
	int base = rv_caller_dir(request->caller, fd);

	if (base < 0 || is_attached(request, base))
		return base;
	close(base);
	return -EXDEV;
}

const char *rv_path_copy_text(struct rv_request *request, uint64_t address, struct rv_path *ret)
{
	ssize_t n = rv_caller_read_string(request->caller, address, ret->text, sizeof(ret->text));

	ret->error = n < 0 ? (int)-n : ENOENT;
	if (n < 0)
		return "the path cannot be read";
	return n == 0 ? "the path is empty" : NULL;
}

static const char *open_base(struct rv_request *request, int dirfd, struct rv_path *ret)
{
	ret->base = rv_resolve_base(request, dirfd);
	ret->error = -ret->base;
	return ret->base < 0 ? "the directory cannot be opened" : NULL;
}

const char *rv_path_copy_base(struct rv_request *request, int dirfd, struct rv_path *ret)
{
	if (ret->text[0] != '/')
		return open_base(request, dirfd, ret);
	ret->base = AT_FDCWD;
	return NULL;
}

const char *rv_path_copy(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret)
{
	const char *reason = rv_path_copy_text(request, address, ret);

	return reason ? reason : rv_path_copy_base(request, dirfd, ret);
}

const char *rv_path_copy_confined(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret)
{
	const char *reason = rv_path_copy_text(request, address, ret);

	return reason ? reason : open_base(request, dirfd, ret);
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

/*
 * As the caller. Its root directory is where an absolute path begins; from another directory what
 * leads back to the root, a link or "..", cannot be followed here.
 */
static int look_up_as_caller(
	struct rv_guise *guise, int base, const char *text, uint64_t flags, uint64_t resolve)
{
	int fd;

	if (guise->root >= 0 && base == AT_FDCWD) {
		base = guise->root;
		resolve |= RESOLVE_IN_ROOT;
	} else if (guise->root >= 0 && !(resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))) {
		resolve |= RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	}
	fd = rv_guise_begin(guise) ? look_up(base, text, flags, resolve) : -EPERM;
	rv_guise_end(guise);
	return fd;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char gone[] = "it was deleted";

/* The kernel marks a name that is gone with this suffix, which may as well be part of a name. */
static const char gone_mark[] = " (deleted)";

static bool is_gone(const char *path, size_t length, const struct stat *st)
{
	const size_t size = sizeof(gone_mark) - 1;
	struct stat now;

	if (length < size || strcmp(path + length - size, gone_mark) != 0)
		return false;
	return lstat(path, &now) < 0 || !is_same(&now, st);
}

/* The kernel has names that are longer than PATH_MAX, by way of a working directory. */
static const char *too_long(const struct rv_request *request)
{
	if (request->context->record)
		rv_record_hidden(request->context->record);
	return "its canonical path is too long";
}

static const char *canonical(
	const struct rv_request *request, int fd, const struct stat *st, char buf[static PATH_MAX])
{
	ssize_t n = readlinkat(request->context->own_fds, rv_fd_name(fd).text, buf, PATH_MAX);

	if (n < 0 || n >= PATH_MAX)
		return too_long(request);
	buf[n] = '\0';
	if (buf[0] != '/')
		return "it is not below the root directory";
	return is_gone(buf, (size_t)n, st) ? gone : NULL;
}

/* What is on a block device is not on procfs. */
static bool is_on_procfs(int fd, const struct stat *st)
{
	struct statfs fs;

	return major(st->st_dev) == 0 && (fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC);
}

static const char *without_path(const char *reason, char path[static PATH_MAX])
{
	if (reason)
		path[0] = '\0';
	return reason;
}

/*
 * What is known of a pinned object, unless it is one that must not be ours. In permissive mode it
 * is only judged, for which ours is good enough.
 */
static const char *examine(
	const struct rv_request *request, int fd, struct stat *st, char path[static PATH_MAX])
{
	const char *reason = NULL;

	if (fstat(fd, st) < 0)
		reason = "it cannot be examined";
	else if (is_on_procfs(fd, st) && !request->context->permissive)
		reason = "on procfs, where names mean the caller";
	else if (!path[0])
		reason = canonical(request, fd, st, path);
	return reason;
}

/*
 * A directory that was deleted is empty for ever, and the kernel still judges it by what it was
 * beneath: here, by the name that it had.
 */
static const char *examine_object(
	const struct rv_request *request, int fd, struct stat *st, char path[static PATH_MAX])
{
	const char *reason = examine(request, fd, st, path);

	if (reason != gone || !S_ISDIR(st->st_mode))
		return without_path(reason, path);
	path[strlen(path) - (sizeof(gone_mark) - 1)] = '\0';
	return NULL;
}

int rv_resolve_below(int dir, const char *text, uint64_t flags)
{
	return look_up(dir, text, flags, RESOLVE_BENEATH);
}

bool rv_object_name(const struct rv_request *request, struct rv_object *object)
{
	return fstat(object->fd, &object->st) == 0 &&
	       !canonical(request, object->fd, &object->st, object->path);
}

/* Absolute, and every component is the name of an entry: "//dev" has an empty one. */
static bool is_clean(const char *text)
{
	if (text[0] != '/')
		return false;
	for (const char *at = text; *at; at += strcspn(at, "/")) {
		size_t length = strcspn(++at, "/");

		if (length == 0 && text[1])
			return false;
		if (at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.')))
			return false;
	}
	return true;
}

/*
 * A clean path that is looked up without meeting a symbolic link is canonical as it stands, and
 * need not be asked for. *path is empty where it has to be.
 */
static int look_up_as_is(const struct rv_request *request, int base, const char *text,
	uint64_t flags, uint64_t resolve, char path[static PATH_MAX])
{
	int fd;

	path[0] = '\0';
	if (request->guise)
		return look_up_as_caller(request->guise, base, text, flags, resolve);
	if (base == AT_FDCWD && !resolve && is_clean(text)) {
		fd = look_up(base, text, flags, RESOLVE_NO_SYMLINKS);
		if (fd >= 0)
			memcpy(path, text, strlen(text) + 1);
		if (fd != -ELOOP)
			return fd;
	}
	return look_up(base, text, flags, resolve);
}

/* Puts the path of the caller's directory before `text`. False: it has none that is of use. */
static bool make_absolute(
	struct rv_request *request, int dirfd, const char *text, char path[static PATH_MAX])
{
	const size_t length = strlen(text);
	ssize_t n = rv_caller_dir_path(request->caller, dirfd, path, PATH_MAX);

	if (n <= 0 || path[0] != '/' || (size_t)n + length + 2 > PATH_MAX)
		return false;
	if (n > 1)
		path[n++] = '/';
	memcpy(path + n, text, length + 1);
	return true;
}

int rv_resolve_shortly(
	struct rv_request *request, int dirfd, const char *text, char path[static PATH_MAX])
{
	int fd;

	if (text[0] == '/')
		memcpy(path, text, strlen(text) + 1);
	else if (!make_absolute(request, dirfd, text, path))
		return -EINVAL;
	if (!is_clean(path))
		return -EINVAL;
	fd = look_up(AT_FDCWD, path, 0, RESOLVE_NO_SYMLINKS);
	if (fd >= 0)
		close(fd);
	/* The name of a directory that was deleted is nobody's. */
	return fd >= 0 ? 0 : fd == -ENOENT && text[0] != '/' ? -EINVAL : fd;
}

int rv_resolve_pin(
	const struct rv_request *request, int base, const char *text, struct rv_object *ret)
{
	int fd = look_up_as_is(request, base, text, 0, 0, ret->path);

	if (fd < 0)
		return fd;
	ret->fd = fd;
	return fstat(fd, &ret->st) < 0 ? -errno : 0;
}

const char *rv_resolve_pinned(const struct rv_request *request, struct rv_object *object)
{
	return examine_object(request, object->fd, &object->st, object->path);
}

const char *rv_resolve_object(const struct rv_request *request, int base, const char *text,
	uint64_t flags, uint64_t resolve, struct rv_object *ret, int *ret_error)
{
	int fd = look_up_as_is(request, base, text, flags, resolve, ret->path);

	if (fd < 0) {
		if (ret_error)
			*ret_error = fd;
		return "it cannot be found, or only through a magic link";
	}
	ret->fd = fd;
	return examine_object(request, fd, &ret->st, ret->path);
}

const char *rv_resolve_fd(struct rv_request *request, int fd, struct rv_object *ret)
{
	ret->fd = rv_resolve_base(request, fd);
	if (ret->fd < 0)
		return "the descriptor cannot be opened";
	ret->path[0] = '\0';
	return examine_object(request, ret->fd, &ret->st, ret->path);
}

/* ------------------------------------------------------------------- places */

/* Splits into the directory's path and the entry's name. */
static const char *split(
	const char *text, char dir[static PATH_MAX], char name[static NAME_MAX + 2], int *ret_error)
{
	size_t end = strlen(text), start, length;

	while (end > 0 && text[end - 1] == '/')
		end--;
	for (start = end; start > 0 && text[start - 1] != '/'; start--)
		;
	length = end - start;
	*ret_error = length > NAME_MAX ? ENAMETOOLONG : EBUSY;
	if (length == 0 || (length == 1 && text[start] == '.') ||
		(length == 2 && !memcmp(text + start, "..", 2)))
		return "the path names no entry of a directory";
	if (length > NAME_MAX)
		return "a name is too long";
	for (end = start; end > 1 && text[end - 1] == '/'; end--)
		;
	snprintf(dir, PATH_MAX, "%.*s", (int)end, end ? text : "");
	snprintf(name, NAME_MAX + 2, "%.*s%s", (int)length, text + start,
		text[start + length] ? "/" : "");
	*ret_error = 0;
	return NULL;
}

static const char *join(const struct rv_request *request, struct rv_place *place)
{
	int length = (int)strcspn(place->name, "/");
	const char *dir = place->dir_path[1] ? place->dir_path : "";
	int n = snprintf(place->path, PATH_MAX, "%s/%.*s", dir, length, place->name);

	return n >= PATH_MAX ? too_long(request) : NULL;
}

static void look_at_entry(struct rv_place *place)
{
	char name[NAME_MAX + 1];

	/* With a slash, stat would follow a symbolic link. */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(place->name, "/"), place->name);
	place->exists = fstatat(place->dir, name, &place->st, AT_SYMLINK_NOFOLLOW) == 0;
}

const char *rv_resolve_place(const struct rv_request *request, int base, const char *text,
	uint64_t resolve, struct rv_place *ret)
{
	char dir[PATH_MAX];
	const char *reason = split(text, dir, ret->name, &ret->error);

	if (reason)
		return reason;
	ret->dir = look_up_as_is(
		request, base, dir[0] ? dir : ".", O_DIRECTORY, resolve, ret->dir_path);
	if (ret->dir < 0) {
		ret->error = -ret->dir;
		return "its directory cannot be found, or only through a magic link";
	}
	reason = without_path(
		examine(request, ret->dir, &ret->dir_st, ret->dir_path), ret->dir_path);
	if (!reason)
		reason = join(request, ret);
	if (!reason)
		look_at_entry(ret);
	return reason;
}
