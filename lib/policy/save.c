/* SPDX-License-Identifier: MIT */
/*
 * Rules into a policy file. The new text is written beside it and renamed into its place, so that a
 * reader sees the old text or the new one. Whoever can write to the directory (the sandboxed
 * program, perhaps) could put something else under the name that is renamed: what then has the
 * file's name is compared with what was written.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include "base/error.h"
#include "policy/decode.h"
#include "policy/edit.h"
#include "policy/policy.h"

#define LOCK_TRIES 50 /* of 10 ms */
#define SWAP_TRIES 3  /* how often somebody may swap the new file before it is given up */

struct saving {
	const char *path; /* as given */
	char name[NAME_MAX + 1];
	int dir;
	struct stat st; /* as it was read */
	bool json;
	char *text, *edited; /* owned */
	size_t length;
	struct reeve_error *err;
};

/* --------------------------------------------------------------------- reading it */

static int open_directory(struct saving *s)
{
	const char *slash = strrchr(s->path, '/'), *name = slash ? slash + 1 : s->path;
	char dir[PATH_MAX];
	size_t length = slash ? (size_t)(slash - s->path) + 1 : 0;

	if (!*name || strlen(name) > NAME_MAX || length >= sizeof(dir))
		return rv_error(
			s->err, -EINVAL, "%s: expected the name of a policy file", rv_q(s->path));
	strcpy(s->name, name);
	memcpy(dir, length ? s->path : ".", length ? length : 1);
	dir[length ? length : 1] = '\0';
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir >= 0 ? 0 : rv_error(s->err, -errno, "%s: %s", rv_q(s->path), strerror(errno));
}

/* Of all who change policies in this directory by reeve, one at a time. Nobody is waited for long:
 * any reader of the directory could hold the lock. */
static int lock_directory(const struct saving *s)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(s->dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return 0; /* no locks here */
		nanosleep(&pause, NULL);
	}
	return rv_error(
		s->err, -EBUSY, "%s: its directory is locked by another process", rv_q(s->path));
}

static int refuse_link(const struct saving *s)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(s->dir, s->name, target, sizeof(target) - 1);

	rv_error(s->err, -ELOOP,
		"%s: a symbolic link: it may lead elsewhere by now, so nothing is written through "
		"it",
		rv_q(s->path));
	if (n > 0) {
		target[n] = '\0';
		rv_error_hint(s->err, "name the file itself, %s", rv_q(target));
	}
	return -ELOOP;
}

static int check_file(const struct saving *s)
{
	if (!S_ISREG(s->st.st_mode))
		return rv_error(s->err, -ENXIO, "%s: not a regular file: expected a policy file",
			rv_q(s->path));
	if (s->st.st_nlink > 1)
		return rv_error(s->err, -EMLINK,
			"%s: has another name (a hard link), which would keep the old text",
			rv_q(s->path));
	if (geteuid() != 0 && s->st.st_uid != geteuid())
		return rv_error(s->err, -EPERM, "%s: another user's file", rv_q(s->path));
	return 0;
}

static int open_file(struct saving *s)
{
	rv_autoclose int fd =
		openat(s->dir, s->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0 && errno == ELOOP)
		return refuse_link(s);
	if (fd < 0) {
		r = rv_error(s->err, -errno, "%s: cannot open the policy file: %s", rv_q(s->path),
			strerror(errno));
		if (r == -ENOENT)
			rv_error_hint(s->err, "write it first; one that only extends another: "
					      "extends = [\"workspace\"]");
		return r;
	}
	if (fstat(fd, &s->st) < 0)
		return rv_error(s->err, -errno, "%s: %s", rv_q(s->path), strerror(errno));
	r = check_file(s);
	return r < 0 ? r : rv_steal_fd(&fd);
}

static int read_file(struct saving *s)
{
	rv_autoclose int fd = open_file(s);
	char path[32];
	int r;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = rv_read_file(path, &s->text, &s->length, s->err);
	if (r < 0)
		return r;
	if (strlen(s->text) != s->length)
		return rv_error(
			s->err, -EINVAL, "%s: a NUL byte: expected a policy file", rv_q(s->path));
	return 0;
}

/* ------------------------------------------------------------------------ editing */

/* A rule must not let the file handle more: that would deny what was not restricted. */
static int handled_by(struct saving *s, struct reeve_rights *ret)
{
	struct reeve_policy *policy;
	int r = reeve_policy_new(&policy);

	if (r < 0)
		return rv_no_memory(s->err);
	r = reeve_policy_load_file(policy, s->path, REEVE_POLICY_AUTO, s->err);
	if (r == 0)
		*ret = policy->loaded.handled;
	reeve_policy_free(policy);
	return r;
}

static int add_rule(struct saving *s, const struct reeve_rule *rule)
{
	struct rv_edit edit = {
		.name = s->path, .text = s->edited ? s->edited : s->text, .json = s->json};
	char *text;
	int r;

	edit.length = strlen(edit.text);
	r = rv_edit_add(&edit, rule, &text, s->err);
	if (r > 0) {
		free(s->edited);
		s->edited = text;
	}
	return r;
}

/* What of a rule the file restricts. UNIX sockets are restricted by a scope, or by a right. */
static uint64_t restricted(const struct reeve_rights *handled, const struct reeve_rule *rule)
{
	if (rule->type == REEVE_RULE_UNIX_SOCKET &&
		(handled->of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET))
		return UINT64_MAX;
	return handled->of[reeve_rule_class(rule->type)];
}

static int add_rules(
	struct saving *s, const struct reeve_rule *rules, const char *const *comments, size_t count)
{
	struct reeve_rights handled;
	int r = handled_by(s, &handled), added = 0;
	size_t left = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct reeve_rule rule = rules[i];

		rule.origin = comments ? comments[i] : NULL;
		if (!(rule.flags & REEVE_RULE_DENY))
			rule.allowed &= restricted(&handled, &rule);
		/* What is granted here is not kept quiet about; what grants nothing may be. */
		rule.quiet = rule.allowed ? 0 : rule.quiet & restricted(&handled, &rule);
		if (!rule.allowed && !rule.quiet && !(rule.flags & REEVE_RULE_DENY))
			continue;
		left++;
		r = add_rule(s, &rule);
		added += r > 0;
	}
	if (r >= 0 && left == 0)
		return rv_error(s->err, -EINVAL,
			"%s: this policy does not restrict what the rules would allow",
			rv_q(s->path));
	return r < 0 ? r : added;
}

/* ------------------------------------------------------------------------ writing */

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int make_new(const struct saving *s, char name[NAME_MAX + 1])
{
	uint64_t number;
	int fd;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	snprintf(name, NAME_MAX + 1, ".reeve-%016" PRIx64, number);
	fd = openat(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Owner before mode: chown(2) may clear bits of it. */
static int fill(const struct saving *s, int fd)
{
	int r = write_all(fd, s->edited, strlen(s->edited));

	if (r == 0 && (s->st.st_uid != geteuid() || s->st.st_gid != getegid()) &&
		fchown(fd, s->st.st_uid, s->st.st_gid) < 0)
		r = -errno;
	if (r == 0 && fchmod(fd, s->st.st_mode & 07777) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Whether the name still means what was read, or what was written. */
static bool names(const struct saving *s, const struct stat *st)
{
	struct stat now;

	return fstatat(s->dir, s->name, &now, AT_SYMLINK_NOFOLLOW) == 0 && is_same(&now, st);
}

/* 1: in place; 0: somebody put another file under one of the names. */
static int replace(const struct saving *s)
{
	char name[NAME_MAX + 1];
	rv_autoclose int fd = make_new(s, name);
	struct stat written;
	int r = fd < 0 ? fd : fill(s, fd);

	if (r == 0 && fstat(fd, &written) < 0)
		r = -errno;
	if (r == 0 && renameat(s->dir, name, s->dir, s->name) < 0)
		r = -errno;
	if (r < 0) {
		if (fd >= 0)
			unlinkat(s->dir, name, 0);
		return r;
	}
	return names(s, &written);
}

static int write_file(const struct saving *s)
{
	int r = 0;

	if (!names(s, &s->st))
		return rv_error(s->err, -ESTALE, "%s: changed meanwhile, nothing was written",
			rv_q(s->path));
	for (int i = 0; r == 0 && i < SWAP_TRIES; i++)
		r = replace(s);
	if (r == 0)
		r = rv_error(s->err, -ESTALE,
			"%s: somebody else writes files in its directory: look at what is in it "
			"now",
			rv_q(s->path));
	else if (r < 0)
		rv_error(s->err, r, "%s: cannot write it: %s", rv_q(s->path), strerror(-r));
	return r < 0 ? r : 0;
}

static bool is_json(const char *path)
{
	size_t n = strlen(path);

	return n >= 5 && strcmp(path + n - 5, ".json") == 0;
}

int reeve_policy_file_add_commented(const char *path, const struct reeve_rule *rules,
	const char *const *comments, size_t count, struct reeve_error *err)
{
	struct saving s = {.path = path, .dir = -1, .json = is_json(path), .err = err};
	int r = open_directory(&s), added = 0;

	if (r == 0)
		r = lock_directory(&s);
	if (r == 0)
		r = read_file(&s);
	if (r == 0)
		r = added = add_rules(&s, rules, comments, count);
	if (r > 0)
		r = write_file(&s);
	rv_close_p(&s.dir);
	free(s.text);
	free(s.edited);
	return r < 0 ? r : added;
}

int reeve_policy_file_add(
	const char *path, const struct reeve_rule *rules, size_t count, struct reeve_error *err)
{
	return reeve_policy_file_add_commented(path, rules, NULL, count, err);
}
