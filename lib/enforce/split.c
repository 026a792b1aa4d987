/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/split.h"
#include "kernel/sys.h"
#include "model/ruleset.h"

/* --------------------------------------------------------------------- the result */

static int make_room(struct rv_split_parts *parts)
{
	size_t capacity = parts->capacity ? parts->capacity * 2 : 16;
	void *at;

	if (parts->count < parts->capacity)
		return 0;
	at = reallocarray(parts->at, capacity, sizeof(*parts->at));
	if (!at)
		return -ENOMEM;
	parts->at = at;
	parts->capacity = capacity;
	return 0;
}

int rv_split_add(struct rv_split_parts *parts, const struct rv_split_part *part)
{
	struct rv_split_part copy = *part;
	int r = make_room(parts);

	if (r)
		return r;
	copy.path = strdup(part->path);
	if (!copy.path)
		return -ENOMEM;
	parts->at[parts->count++] = copy;
	return 0;
}

static void release_parts(struct rv_split_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		free(parts->at[i].path);
	free(parts->at);
}

void rv_split_release(struct rv_split *split)
{
	release_parts(&split->floor);
	release_parts(&split->spine);
	release_parts(&split->denied);
	release_parts(&split->again);
	*split = (struct rv_split){0};
}

int rv_split_error(
	struct reeve_error *err, int code, const struct reeve_rule *rule, const char *why)
{
	rv_error(err, code, "%s: %s", rv_q(rule->path), why);
	if (rule->origin)
		rv_error_wrap(err, code, "%s", rv_q(rule->origin));
	return code;
}

/* ------------------------------------------------------------------- the splitting */

struct splitter {
	const struct reeve_plan *plan;
	const struct reeve_rule *grant; /* the one being split */
	int ruleset_fd;
	struct rv_split *split;
	struct reeve_error *err;
	char path[PATH_MAX]; /* of the directory or entry being looked at */
	size_t length;
};

static int open_no_links(const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int add_beneath(struct splitter *s, int fd, const struct stat *st, uint64_t allowed)
{
	struct rv_landlock_path_beneath_attr attr = {.allowed_access = allowed, .parent_fd = fd};
	struct rv_split_part part = {s->path, allowed, {st->st_dev, st->st_ino}, s->grant->origin};
	int r;

	if (!allowed)
		return 0;
	r = rv_landlock_add_rule(s->ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	if (r == 0)
		r = rv_split_add(&s->split->floor, &part);
	return r ? rv_split_error(s->err, r, s->grant, strerror(-r)) : 0;
}

/*
 * What of the grant an object beside the spine gets. A file gets only what the supervisor cannot
 * give: to be executed, for which the kernel wants to be allowed to read it, or connected to.
 */
static uint64_t rights_for(const struct splitter *s, mode_t mode)
{
	uint64_t allowed = s->grant->allowed;

	if (S_ISDIR(mode))
		return allowed;
	if (S_ISSOCK(mode))
		return allowed & REEVE_FS_RESOLVE_UNIX;
	if (!S_ISREG(mode) || !(mode & 0111) || !(allowed & REEVE_FS_EXECUTE))
		return 0;
	return allowed & (REEVE_FS_EXECUTE | REEVE_FS_READ_FILE);
}

/* Whether an entry need not be opened to know that it gets nothing. */
static bool is_hopeless(const struct splitter *s, unsigned char type)
{
	switch (type) {
	case DT_DIR:
		return !rights_for(s, S_IFDIR);
	case DT_REG:
		return !rights_for(s, S_IFREG | 0111);
	case DT_SOCK:
		return !rights_for(s, S_IFSOCK);
	case DT_UNKNOWN:
		return false;
	}
	return true;
}

static int split_directory(struct splitter *s, int fd);

/*
 * A denied entry keeps what the denial leaves: a directory of programs that may not be written has
 * to be one that the kernel lets execute. Denials in it may take away more.
 */
static int split_denied(struct splitter *s, int dir, const char *name)
{
	const struct reeve_rule *grant = s->grant;
	struct reeve_rule rest = *grant;
	rv_autoclose int fd = -1;
	struct stat st;
	bool more;
	int r;

	rest.allowed &= RV_PLAN_MAY_STAY & ~rv_ruleset_denied(s->plan->policy, s->path, s->length);
	if (!rest.allowed)
		return 0;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : rv_split_error(s->err, -errno, grant, s->path);
	rv_plan_denied_below(s->plan->policy, s->path, &more);
	s->grant = &rest;
	r = more && S_ISDIR(st.st_mode) ? split_directory(s, fd)
					: add_beneath(s, fd, &st, rights_for(s, st.st_mode));
	s->grant = grant;
	return r;
}

/* One entry of a spine directory; gone meanwhile: it is left to the supervisor. */
static int split_entry(struct splitter *s, int dir, const struct dirent *entry)
{
	bool pinned = rv_ruleset_denies_within(s->plan->policy, s->path, s->length);
	rv_autoclose int fd = -1;
	struct stat st;

	if (pinned && rv_ruleset_denial_on(s->plan->policy, s->path, s->length))
		return split_denied(s, dir, entry->d_name);
	if (!pinned && is_hopeless(s, entry->d_type))
		return 0;
	fd = openat(dir, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : rv_split_error(s->err, -errno, s->grant, s->path);
	if (!pinned)
		return add_beneath(s, fd, &st, rights_for(s, st.st_mode));
	if (S_ISLNK(st.st_mode))
		return rv_error(s->err, -ELOOP,
			"%s: it became a symbolic link since the policy was read", rv_q(s->path));
	return S_ISDIR(st.st_mode) ? split_directory(s, fd) : 0;
}

/* Moves on to an entry; false: its path is too long to be one that anybody can name. */
static bool enter(struct splitter *s, size_t length, const char *name)
{
	int n = snprintf(
		s->path + length, sizeof(s->path) - length, "%s%s", length > 1 ? "/" : "", name);

	s->length = length + (size_t)n;
	return s->length < sizeof(s->path);
}

static int split_entries(struct splitter *s, int dir, DIR *stream)
{
	size_t length = s->length;
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!enter(s, length, entry->d_name))
			continue;
		if (rv_ruleset_denies_within(s->plan->policy, s->path, s->length))
			r = rv_split_check_names(dir, s->path, entry->d_name, s->err);
		if (r == 0)
			r = split_entry(s, dir, entry);
	}
	s->length = length;
	s->path[length] = '\0';
	return r;
}

/* A directory that cannot be listed is left to the supervisor as a whole. */
static int split_directory(struct splitter *s, int fd)
{
	int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	struct rv_split_part part = {.path = s->path};
	DIR *stream;
	struct stat st;

	if (fstat(fd, &st) < 0)
		r = -errno;
	else
		part.is = (struct rv_identity){st.st_dev, st.st_ino};
	r = rv_split_add(&s->split->spine, &part);
	if (r == 0)
		r = rv_split_check_names(dir >= 0 ? dir : fd, s->path, NULL, s->err);
	stream = r == 0 && dir >= 0 ? fdopendir(dir) : NULL;
	if (stream) {
		r = split_entries(s, dir, stream);
		closedir(stream);
	} else if (dir >= 0) {
		close(dir);
	}
	return r;
}

/* ------------------------------------------------------------------------ a grant */

static int split_grant(struct splitter *s)
{
	int rv_autoclose fd = open_no_links(s->grant->path, O_PATH);
	struct stat st;
	int r = 0;

	if (fd == -ENOENT && (s->grant->flags & REEVE_RULE_OPTIONAL))
		return 0;
	if (fd < 0)
		return rv_split_error(s->err, fd, s->grant,
			fd == -ELOOP ? "it became a symbolic link since the policy was read"
				     : strerror(-fd));
	if (fstat(fd, &st) < 0)
		return rv_split_error(s->err, -errno, s->grant, strerror(errno));
	s->length = (size_t)snprintf(s->path, sizeof(s->path), "%s", s->grant->path);
	return r == 0 && S_ISDIR(st.st_mode) ? split_directory(s, fd) : r;
}

static int split_grants(struct splitter *s)
{
	struct reeve_rule grant;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(s->plan->spread, i, &grant) == 0; i++) {
		s->grant = &grant;
		r = split_grant(s);
	}
	return r;
}

/* ---------------------------------------------------------------------- the denials */

static int look_at_denied(struct splitter *s, const struct reeve_rule *rule)
{
	int rv_autoclose fd = open_no_links(rule->path, O_PATH | O_NOFOLLOW);
	struct rv_split_part part = {.path = (char *)rule->path,
		.allowed = rule->allowed ? rule->allowed : UINT64_MAX,
		.origin = rule->origin};
	struct stat st;
	int r;

	/* What is not there yet is denied by its path. */
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return rv_split_error(s->err, fd < 0 ? fd : -errno, rule,
			fd == -ELOOP ? "it became a symbolic link since the policy was read"
				     : strerror(fd < 0 ? -fd : errno));
	part.is = (struct rv_identity){st.st_dev, st.st_ino};
	r = rv_split_check_names(fd, rule->path, NULL, s->err);
	if (r == 0)
		r = rv_split_check_denied(fd, rule, s->err);
	if (r == 0)
		r = rv_split_add(&s->split->denied, &part);
	return r;
}

static int look_at_denials(struct splitter *s)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(s->plan->policy, i, &rule) == 0; i++)
		if (rule.flags & REEVE_RULE_DENY)
			r = look_at_denied(s, &rule);
	return r;
}

/* What is granted below something denied, as far as it is there: its own rule is the plan's. */
static int look_at_grants(struct splitter *s)
{
	struct reeve_rule rule;
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(s->plan->policy, i, &rule) == 0; i++) {
		struct rv_split_part part = {.path = (char *)rule.path};

		if ((rule.flags & REEVE_RULE_DENY) || rule.type != REEVE_RULE_PATH_BENEATH ||
			!rv_ruleset_denied(s->plan->policy, rule.path, strlen(rule.path)) ||
			lstat(rule.path, &st) < 0)
			continue;
		part.is = (struct rv_identity){st.st_dev, st.st_ino};
		r = rv_split_add(&s->split->again, &part);
	}
	return r;
}

int rv_split_make(const struct reeve_plan *plan, int ruleset_fd, struct rv_split *ret,
	struct reeve_error *err)
{
	struct rv_split split = {.floor.count = 0};
	struct splitter s = {.plan = plan, .ruleset_fd = ruleset_fd, .split = &split, .err = err};
	int r;

	if (!rv_plan_is_split(plan))
		return 0;
	r = look_at_denials(&s);
	if (r == 0)
		r = look_at_grants(&s);
	if (r == 0)
		r = rv_split_check_mounts(plan, err);
	if (r == 0)
		r = split_grants(&s);
	if (r == -ENOMEM)
		rv_error(err, r, "out of memory");
	if (r)
		rv_split_release(&split);
	else
		*ret = split;
	return r;
}
