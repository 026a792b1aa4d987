/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "supervise/deny.h"

/* Open descriptors are few: what is denied beyond that is known by its number alone. */
#define HELD_MAX  256
#define DEPTH_MAX 1024

struct known {
	struct rv_identity is;
	uint64_t rights;
};

struct rv_deny {
	struct known *denied, *spine, *again; /* as in a split; sorted by identity */
	size_t denied_count, spine_count, again_count;
	bool any_directory;
	int held[HELD_MAX];
	size_t held_count;
};

/* ---------------------------------------------------------------------- identities */

static int compare(const void *a, const void *b)
{
	const struct rv_identity *x = &((const struct known *)a)->is;
	const struct rv_identity *y = &((const struct known *)b)->is;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static int copy_parts(const struct rv_split_parts *parts, struct known **ret, size_t *ret_count)
{
	struct known *known = calloc(parts->count + 1, sizeof(*known));

	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < parts->count; i++)
		known[i] = (struct known){parts->at[i].is, parts->at[i].allowed};
	qsort(known, parts->count, sizeof(*known), compare);
	*ret = known;
	*ret_count = parts->count;
	return 0;
}

/* What the denials of this very object take away; several rules may be on one. */
static uint64_t rights_on(const struct rv_deny *deny, const struct stat *st)
{
	const struct known key = {.is = {st->st_dev, st->st_ino}};
	const struct known *end = deny->denied + deny->denied_count, *at;
	uint64_t rights = 0;

	at = bsearch(&key, deny->denied, deny->denied_count, sizeof(key), compare);
	while (at && at > deny->denied && compare(at - 1, &key) == 0)
		at--;
	for (; at && at < end && compare(at, &key) == 0; at++)
		rights |= at->rights;
	return rights;
}

/* Nothing that is denied above it counts: it is where it was, or granted again. */
static bool ends_walk(const struct rv_deny *deny, const struct stat *st)
{
	const struct known key = {.is = {st->st_dev, st->st_ino}};

	return bsearch(&key, deny->spine, deny->spine_count, sizeof(key), compare) ||
	       bsearch(&key, deny->again, deny->again_count, sizeof(key), compare);
}

static void hold(struct rv_deny *deny, const struct rv_split_part *part)
{
	struct stat st;
	int fd = open(part->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0) {
		rv_close_p(&fd);
		return;
	}
	deny->any_directory |= S_ISDIR(st.st_mode);
	if (deny->held_count < HELD_MAX)
		deny->held[deny->held_count++] = fd;
	else
		close(fd);
}

int rv_deny_new(const struct rv_split *split, struct rv_deny **ret)
{
	struct rv_deny *deny = calloc(1, sizeof(*deny));
	int r = deny ? copy_parts(&split->denied, &deny->denied, &deny->denied_count) : -ENOMEM;

	if (r == 0)
		r = copy_parts(&split->spine, &deny->spine, &deny->spine_count);
	if (r == 0)
		r = copy_parts(&split->again, &deny->again, &deny->again_count);
	for (size_t i = 0; r == 0 && i < split->denied.count; i++)
		hold(deny, &split->denied.at[i]);
	if (r)
		rv_deny_free(deny);
	else
		*ret = deny;
	return r;
}

void rv_deny_free(struct rv_deny *deny)
{
	if (!deny)
		return;
	for (size_t i = 0; i < deny->held_count; i++)
		close(deny->held[i]);
	free(deny->denied);
	free(deny->spine);
	free(deny->again);
	free(deny);
}

/* ---------------------------------------------------------------------- the way up */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * From an open directory upwards, by ".." of the directory itself: no name can be exchanged on the
 * way. A directory of the spine ends it: that one is where it was, and nothing denied is above it
 * that its path would not tell.
 */
static bool denied_above(const struct rv_deny *deny, int dir, uint64_t rights)
{
	char up[3 * DEPTH_MAX + 1] = "";
	struct stat st, below = {.st_ino = 0};

	for (size_t depth = 0; depth < DEPTH_MAX; depth++, below = st) {
		if (fstatat(dir, up, &st, AT_EMPTY_PATH) < 0)
			return true;
		if (rights_on(deny, &st) & rights)
			return true;
		if (ends_walk(deny, &st) || (depth && same(&st, &below)))
			return false;
		memcpy(up + 3 * depth, "../", 4);
	}
	return true;
}

/* The directory that an object is in, while it is there. */
static int open_parent(const struct rv_object *object)
{
	char dir[PATH_MAX];
	char *name = strrchr(strcpy(dir, object->path), '/');
	struct stat st;
	int fd;

	*name++ = '\0';
	fd = open(*dir ? dir : "/", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && same(&st, &object->st))
		return fd;
	rv_close_p(&fd);
	return -1;
}

bool rv_deny_object(const struct rv_deny *deny, const struct rv_object *object, uint64_t rights)
{
	rv_autoclose int parent = -1;

	if (!deny || deny->denied_count == 0)
		return false;
	if (rights_on(deny, &object->st) & rights)
		return true;
	if (!deny->any_directory)
		return false;
	if (S_ISDIR(object->st.st_mode))
		return denied_above(deny, object->fd, rights);
	parent = open_parent(object);
	return parent < 0 || denied_above(deny, parent, rights);
}

bool rv_deny_place(const struct rv_deny *deny, const struct rv_place *place, uint64_t rights)
{
	if (!deny || deny->denied_count == 0)
		return false;
	if (place->exists && rights_on(deny, &place->st))
		return true;
	return deny->any_directory && denied_above(deny, place->dir, rights);
}
