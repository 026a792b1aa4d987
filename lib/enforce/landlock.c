/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/error.h"
#include "enforce/landlock.h"
#include "kernel/sys.h"

/* ------------------------------------------------------------------- the ruleset */

/* The shortest struct that says it all: what an older kernel does not know is not in it. */
static size_t attr_size(const struct rv_landlock_ruleset_attr *attr)
{
	if (attr->quiet_access_fs || attr->quiet_access_net || attr->quiet_scoped)
		return offsetof(struct rv_landlock_ruleset_attr, handled_permissions);
	if (attr->scoped)
		return offsetof(struct rv_landlock_ruleset_attr, quiet_access_fs);
	if (attr->handled_access_net)
		return offsetof(struct rv_landlock_ruleset_attr, scoped);
	return offsetof(struct rv_landlock_ruleset_attr, handled_access_net);
}

/* 1 with the fd in *ret; 0 where nothing is handled. */
static int create(const struct reeve_plan *plan, int *ret, struct reeve_error *err)
{
	struct rv_landlock_ruleset_attr attr = {0};
	struct reeve_rights handled = rv_plan_enforced(plan);
	int fd;

	attr.handled_access_fs = handled.of[REEVE_FS];
	attr.handled_access_net = handled.of[REEVE_NET];
	attr.scoped = handled.of[REEVE_SCOPE];
	if (!attr.handled_access_fs && !attr.handled_access_net && !attr.scoped)
		return 0;
	attr.quiet_access_fs = plan->quiet_fs & attr.handled_access_fs;
	attr.quiet_access_net = plan->quiet_net & attr.handled_access_net;
	fd = rv_landlock_create_ruleset(&attr, attr_size(&attr), 0);
	if (fd < 0)
		return rv_error(err, fd, "landlock_create_ruleset: %s", strerror(-fd));
	*ret = fd;
	return 1;
}

/* -------------------------------------------------------------------------- paths */

/* "ORIGIN: PATH: " belongs before every message about a rule. */
static int rule_error(struct reeve_error *err, int code, const struct reeve_rule *rule)
{
	rv_error(err, code, "%s: %s", rv_q(rule->path), strerror(-code));
	if (rule->origin)
		rv_error_wrap(err, code, "%s", rv_q(rule->origin));
	return code;
}

static int open_path(const char *path)
{
	int fd = rv_open_no_symlinks(path);

	/* Seccomp profiles of containers refuse what they do not know, with either of these. */
	if (fd != -ENOSYS && fd != -EPERM)
		return fd;
	fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int add_beneath(int ruleset_fd, int fd, uint64_t allowed, uint32_t flags)
{
	struct rv_landlock_path_beneath_attr attr = {.allowed_access = allowed, .parent_fd = fd};

	return rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_PATH_BENEATH, &attr, flags);
}

static int is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode);
}

/* A rule of which nothing is left on a file is a mistake, unless this machine took it away. */
static int refuse_empty(const struct reeve_rule *rule, uint64_t asked, struct reeve_error *err)
{
	char names[256];

	if (asked & REEVE_FS_FILE_RIGHTS)
		return 0;
	reeve_rights_format(REEVE_FS, asked, names, sizeof(names));
	rv_error(err, -ENOTDIR, "%s: not a directory, so %s can mean nothing on it",
		rv_q(rule->path), names);
	if (rule->origin)
		rv_error_wrap(err, -ENOTDIR, "%s", rv_q(rule->origin));
	return -ENOTDIR;
}

/*
 * The kernel refuses rights on a file that only a directory can have (EINVAL): those are cut off.
 * It is asked first, which tells files from directories without another call. (On a directory
 * EINVAL would be a right that the ruleset does not handle: the second try then says so again.)
 */
static int add_open_path(int ruleset_fd, int fd, const struct reeve_rule *rule, uint64_t asked,
	struct reeve_error *err)
{
	uint32_t flags = rule->quiet ? RV_LANDLOCK_ADD_RULE_QUIET : 0;
	uint64_t on_file = rule->allowed & REEVE_FS_FILE_RIGHTS;
	int r = add_beneath(ruleset_fd, fd, rule->allowed, flags);

	if (r == -EINVAL && !on_file && !flags && is_directory(fd) == 0)
		return refuse_empty(rule, asked, err);
	if (r == -EINVAL && on_file != rule->allowed)
		r = add_beneath(ruleset_fd, fd, on_file, flags);
	return r ? rule_error(err, r, rule) : 0;
}

/* `opened`: the descriptor that resolving left, or -1. */
static int add_path(int ruleset_fd, const struct reeve_rule *rule, uint64_t asked, int opened,
	struct reeve_error *err)
{
	int rv_autoclose fd = opened >= 0 ? -1 : open_path(rule->path);

	if (opened >= 0)
		return add_open_path(ruleset_fd, opened, rule, asked, err);
	if ((fd == -ENOENT || fd == -ENOTDIR) && (rule->flags & REEVE_RULE_OPTIONAL))
		return 0;
	if (fd >= 0)
		return add_open_path(ruleset_fd, fd, rule, asked, err);
	rule_error(err, fd, rule);
	if (fd == -ENOENT)
		rv_error_hint(err, "create it, or let the rule ignore that: missing = \"ignore\"");
	if (fd == -ELOOP)
		rv_error_hint(err, "it became a symbolic link since the policy was read");
	return fd;
}

/* -------------------------------------------------------------------------- ports */

static int add_ports(int ruleset_fd, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct rv_landlock_net_port_attr attr = {.allowed_access = rule->allowed};
	uint32_t flags = rule->quiet ? RV_LANDLOCK_ADD_RULE_QUIET : 0;

	for (attr.port = rule->port_first; attr.port <= rule->port_last; attr.port++) {
		int r = rv_landlock_add_rule(ruleset_fd, RV_LANDLOCK_RULE_NET_PORT, &attr, flags);

		if (r == 0)
			continue;
		rv_error(err, r, "port %u: %s", (unsigned int)attr.port,
			r == -EAFNOSUPPORT ? "this kernel has no TCP/IP" : strerror(-r));
		if (rule->origin)
			rv_error_wrap(err, r, "%s", rv_q(rule->origin));
		return r;
	}
	return 0;
}

/* --------------------------------------------------------------------------- all */

static int add_each(int ruleset_fd, const struct reeve_plan *plan, const struct rv_opened *opened,
	struct reeve_error *err)
{
	struct reeve_rule rule;
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(plan->floor, i, &rule) == 0; i++) {
		const struct rv_plan_origin *from = &plan->from[i];
		int fd = opened ? rv_opened_at(opened, &at, from->rule) : -1;

		r = rule.type == REEVE_RULE_NET_PORT
			    ? add_ports(ruleset_fd, &rule, err)
			    : add_path(ruleset_fd, &rule, from->asked, fd, err);
	}
	return r;
}

static int add_rules(int ruleset_fd, const struct reeve_plan *plan, struct reeve_error *err)
{
	bool use = rv_opened_use(plan->opened);
	int r = add_each(ruleset_fd, plan, use ? plan->opened : NULL, err);

	if (use)
		rv_opened_done(plan->opened);
	return r;
}

static int add_all(
	int ruleset_fd, const struct reeve_plan *plan, int all_fd, struct reeve_error *err)
{
	struct reeve_rights handled = rv_plan_enforced(plan);
	int r;

	if (all_fd < 0 || !handled.of[REEVE_FS])
		return 0;
	r = add_beneath(ruleset_fd, all_fd, handled.of[REEVE_FS], 0);
	return r ? rv_error(err, r, "private TMPDIR: landlock_add_rule: %s", strerror(-r)) : 0;
}

int rv_landlock_ruleset(
	const struct reeve_plan *plan, int all_fd, int *ret, struct reeve_error *err)
{
	int rv_autoclose fd = -1;
	int r = create(plan, &fd, err);

	if (r > 0 && plan->mode.permissive)
		r = 0;
	if (r > 0)
		r = add_rules(fd, plan, err);
	if (r == 0 && fd >= 0)
		r = add_all(fd, plan, all_fd, err);
	if (r)
		return r;
	*ret = rv_steal_fd(&fd);
	return 0;
}
