/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "model/path_index.h"
#include "policy/canon.h"

#define LINKS_MAX 40 /* the kernel's MAXSYMLINKS */

struct walk {
	char out[PATH_MAX]; /* what is resolved; "" is the root */
	size_t length;
	char rest[PATH_MAX]; /* what is left to do */
	unsigned int links;
	bool may_miss;
	bool is_missing; /* `out` does not exist */
	const struct rv_canon *canon;
};

static int check_directory(const struct walk *walk)
{
	struct stat st;

	if (walk->is_missing)
		return -ENOENT;
	if (stat(walk->length ? walk->out : "/", &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* ".." of a directory that has no symbolic link in its path is what the text says. */
static int step_up(struct walk *walk)
{
	int r = check_directory(walk);

	if (r < 0)
		return r;
	if (walk->length && walk->canon->on_up)
		walk->canon->on_up(walk->canon->data, walk->out);
	while (walk->length && walk->out[walk->length - 1] != '/')
		walk->length--;
	walk->length -= walk->length > 0;
	walk->out[walk->length] = '\0';
	return 0;
}

/* Puts a link's target before what is left. `kept` is the length of the link's directory. */
static int follow(struct walk *walk, size_t kept, const char *target, size_t length)
{
	size_t left = strlen(walk->rest);

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (length + 1 + left >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + length + 1, walk->rest, left + 1);
	memcpy(walk->rest, target, length);
	walk->rest[length] = '/';
	if (!left)
		walk->rest[length] = '\0';
	walk->length = target[0] == '/' ? 0 : kept;
	walk->out[walk->length] = '\0';
	return 0;
}

static int step_into(struct walk *walk, const char *name, size_t length)
{
	size_t kept = walk->length;
	char target[PATH_MAX];
	ssize_t n;

	if (kept + 1 + length >= sizeof(walk->out))
		return -ENAMETOOLONG;
	walk->out[kept] = '/';
	memcpy(walk->out + kept + 1, name, length);
	walk->length = kept + 1 + length;
	walk->out[walk->length] = '\0';
	if (walk->is_missing)
		return 0;
	n = readlink(walk->out, target, sizeof(target));
	if (n >= 0 && walk->canon->on_link)
		walk->canon->on_link(walk->canon->data, walk->out);
	if (n >= 0)
		return n < (ssize_t)sizeof(target) ? follow(walk, kept, target, (size_t)n)
						   : -ENAMETOOLONG;
	if (errno == EINVAL) /* not a symbolic link */
		return 0;
	if (errno != ENOENT || !walk->may_miss)
		return -errno;
	walk->is_missing = true;
	return 0;
}

static int step(struct walk *walk, const char *name, size_t length)
{
	if (length == 1 && name[0] == '.')
		return walk->is_missing ? 0 : check_directory(walk);
	if (length == 2 && name[0] == '.' && name[1] == '.')
		return step_up(walk);
	return step_into(walk, name, length);
}

/* Resolves what is in walk->rest, which may change on the way. */
static int walk_on(struct walk *walk)
{
	char name[NAME_MAX + 1];
	size_t slashes, length;
	int r = 0;

	while (r == 0 && *walk->rest) {
		slashes = strspn(walk->rest, "/");
		length = strcspn(walk->rest + slashes, "/");
		if (length > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, walk->rest + slashes, length);
		memmove(walk->rest, walk->rest + slashes + length,
			strlen(walk->rest + slashes + length) + 1);
		if (length)
			r = step(walk, name, length);
		else if (!walk->is_missing) /* a final slash */
			r = check_directory(walk);
	}
	return r;
}

/* Walks the directory of the last component, or takes it from memory. */
static int walk_directory(
	struct walk *walk, struct rv_canon *canon, const char *path, size_t length)
{
	int r;

	/* Whoever wants to know of links and steps up is told of those again. */
	bool tells =
		(canon->on_link || canon->on_up) && strcmp(canon->directory, canon->resolved) != 0;

	if (length && !tells && strncmp(canon->directory, path, length) == 0 &&
		!canon->directory[length]) {
		strcpy(walk->out, canon->resolved);
		walk->length = strlen(walk->out);
		walk->is_missing = canon->is_missing;
		return walk->is_missing && !walk->may_miss ? -ENOENT : 0;
	}
	memcpy(walk->rest, path, length);
	walk->rest[length] = '\0';
	r = walk_on(walk);
	if (r == 0) {
		memcpy(canon->directory, path, length);
		canon->directory[length] = '\0';
		canon->is_missing = walk->is_missing;
		strcpy(canon->resolved, walk->out);
	}
	return r;
}

int rv_canonicalize(struct rv_canon *canon, const char *path, bool may_miss, char ret[PATH_MAX])
{
	const char *last = strrchr(path, '/');
	struct walk walk; /* 8 KiB: cleared where needed */
	int r;

	walk.out[0] = walk.rest[0] = '\0';
	walk.length = walk.links = 0;
	walk.may_miss = may_miss;
	walk.is_missing = false;
	walk.canon = canon;
	if (!last || strlen(path) >= PATH_MAX)
		return last ? -ENAMETOOLONG : -EINVAL;
	r = walk_directory(&walk, canon, path, (size_t)(last - path));
	if (r < 0)
		return r;
	strcpy(walk.rest, last);
	r = walk_on(&walk);
	if (r == 0)
		strcpy(ret, walk.length ? walk.out : "/");
	return r;
}

int rv_open_canonical(const char *path)
{
	int fd;

	if (!rv_path_is_canonical(path))
		return -EAGAIN;
	fd = rv_open_no_symlinks(path);
	switch (fd) {
	case -ENOENT:
	case -EACCES:
	case -ENOTDIR:
	case -EMFILE:
	case -ENFILE:
		return fd;
	default: /* ELOOP: a symbolic link; ENOSYS, EPERM: no openat2(2) */
		return fd < 0 ? -EAGAIN : fd;
	}
}

/*
 * A relative target counts from the link's directory. Should that have a link in its path, then so
 * has the whole, which does not open.
 */
int rv_open_link(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t kept = slash ? (size_t)(slash - path) + 1 : 0;
	char target[PATH_MAX];
	ssize_t n;
	int fd;

	if (!kept || kept >= sizeof(target))
		return -EAGAIN;
	n = readlink(path, target, sizeof(target));
	if (n <= 0)
		return -EAGAIN;
	if (target[0] == '/')
		kept = 0;
	if (kept + (size_t)n >= PATH_MAX)
		return -EAGAIN;
	memcpy(ret, path, kept);
	memcpy(ret + kept, target, (size_t)n);
	ret[kept + (size_t)n] = '\0';
	fd = rv_open_canonical(ret);
	return fd < 0 ? -EAGAIN : fd;
}
