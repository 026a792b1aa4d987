/* SPDX-License-Identifier: MIT */
/*
 * The same file system can be mounted in several places, and parts of it (bind mounts). A denied
 * object that can be reached by another mount, within what is granted, would be read there: the
 * floor goes by the directories that lead to an object.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/error.h"
#include "enforce/split.h"
#include "model/ruleset.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

/* A line of /proc/self/mountinfo. */
struct mount {
	unsigned long id;
	char device[32];      /* "MAJOR:MINOR" */
	char root[PATH_MAX];  /* of the file system, what is mounted */
	char point[PATH_MAX]; /* where */
};

struct mounts {
	struct mount *at;
	size_t count, capacity;
};

static void release_mounts(struct mounts *mounts)
{
	free(mounts->at);
}

/* Space, tab, newline and backslash are written as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int octal;

		if (*text == '\\' && sscanf(text + 1, "%3o", &octal) == 1) {
			*to++ = (char)octal;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static bool parse(char *line, struct mount *mount)
{
	/* 36 35 98:0 /root /point options … */
	if (sscanf(line, "%lu %*u %31s %4095s %4095s", &mount->id, mount->device, mount->root,
		    mount->point) != 4)
		return false;
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

static int add_mount(struct mounts *mounts, char *line)
{
	if (mounts->count == mounts->capacity) {
		size_t capacity = mounts->capacity ? mounts->capacity * 2 : 32;
		void *at = reallocarray(mounts->at, capacity, sizeof(*mounts->at));

		if (!at)
			return -ENOMEM;
		mounts->at = at;
		mounts->capacity = capacity;
	}
	mounts->count += parse(line, &mounts->at[mounts->count]);
	return 0;
}

static int read_mounts(struct mounts *mounts)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	rv_autofree char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!file)
		return -errno;
	while (r == 0 && getline(&line, &size, file) > 0)
		r = add_mount(mounts, line);
	fclose(file);
	return r;
}

/* ------------------------------------------------------------------------ places */

static bool is_within(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (n == 1)
		return true;
	return strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* DIR/REST without a doubled slash; `rest` begins with one, or is empty. */
static bool join(char to[static PATH_MAX], const char *dir, const char *rest)
{
	int n = snprintf(to, PATH_MAX, "%s%s", dir[1] || !*rest ? dir : "", rest);

	return n < PATH_MAX;
}

/* What of `path` is beyond `above`, which it is within. */
static const char *beyond(const char *path, const char *above)
{
	return above[1] ? path + strlen(above) : path[1] ? path : "";
}

/* The mount that an object is on; of what is not there, the directory above it counts. */
static const struct mount *mount_of(const struct mounts *mounts, const char *path)
{
	char at[PATH_MAX];
	struct statx stx;
	size_t length = (size_t)snprintf(at, sizeof(at), "%s", path);

	while (statx(AT_FDCWD, at, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0) {
		if (length <= 1)
			return NULL;
		length = rv_path_parent(at, length);
		at[length] = '\0';
	}
	for (size_t i = 0; i < mounts->count; i++)
		if ((stx.stx_mask & STATX_MNT_ID) && mounts->at[i].id == stx.stx_mnt_id)
			return &mounts->at[i];
	return NULL;
}

static bool is_granted(const struct reeve_plan *plan, const char *path)
{
	return rv_ruleset_path(plan->policy, NULL, path, strlen(path), false).allowed != 0;
}

static int refuse(const struct reeve_rule *rule, const char *place, struct reeve_error *err)
{
	char why[PATH_MAX + 64];

	snprintf(why, sizeof(why),
		"it can be reached at %s too, which is granted: a mount leads there", rv_q(place));
	rv_split_error(err, -EOPNOTSUPP, rule, why);
	rv_error_hint(err, "deny that path as well, or unmount it");
	return -EOPNOTSUPP;
}

/* `inside` is where the denied object is in its file system. */
static int check_mount(const struct reeve_plan *plan, const struct reeve_rule *rule,
	const struct mount *other, const char *inside, struct reeve_error *err)
{
	char place[PATH_MAX];
	bool fits = true;

	if (is_within(inside, other->root))
		fits = join(place, other->point, beyond(inside, other->root));
	else if (is_within(other->root, inside))
		snprintf(place, sizeof(place), "%s", other->point);
	else
		return 0;
	return fits && is_granted(plan, place) ? refuse(rule, place, err) : 0;
}

static int check_denial(const struct reeve_plan *plan, const struct mounts *mounts,
	const struct reeve_rule *rule, struct reeve_error *err)
{
	const struct mount *own = mount_of(mounts, rule->path);
	char inside[PATH_MAX];
	int r = 0;

	if (!own || !is_within(rule->path, own->point))
		return rv_split_error(
			err, -EOPNOTSUPP, rule, "the mount that it is on is not known");
	if (!join(inside, own->root, beyond(rule->path, own->point)))
		return rv_split_error(err, -ENAMETOOLONG, rule, strerror(ENAMETOOLONG));
	for (size_t i = 0; r == 0 && i < mounts->count; i++)
		if (&mounts->at[i] != own && strcmp(mounts->at[i].device, own->device) == 0)
			r = check_mount(plan, rule, &mounts->at[i], inside, err);
	return r;
}

int rv_split_check_mounts(const struct reeve_plan *plan, struct reeve_error *err)
{
	RV_CLEANUP(release_mounts) struct mounts mounts = {.count = 0};
	struct reeve_rule rule;
	int r = read_mounts(&mounts);

	if (r)
		return rv_error(err, r, "/proc/self/mountinfo: %s", strerror(-r));
	for (size_t i = 0; r == 0 && reeve_ruleset_at(plan->policy, i, &rule) == 0; i++)
		if (rule.flags & REEVE_RULE_DENY)
			r = check_denial(plan, &mounts, &rule, err);
	return r;
}
