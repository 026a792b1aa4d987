/* SPDX-License-Identifier: MIT */
/* For whom the supervisor acts, and what it reports. */
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include "fs_driver.h"

#define USER 65534

struct setting {
	char dir[PATH_MAX];
	struct driver_rule rules[3];
	struct driver driver;
	int (*act)(void); /* in the child, in `dir`: what it exits with */
};

static void put(const char *dir, const char *name, mode_t mode)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	CHECK(fd >= 0 && fchmod(fd, mode) == 0);
	close(fd);
}

static void take_away(const char *dir, const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(unlink(path) == 0);
}

static void run(int fd, void *data)
{
	struct setting *s = data;

	(void)fd;
	CHECK(chdir(s->dir) == 0);
	_exit(s->act());
}

/* The child's exit code. `live`: the directory is granted. */
static int try(
	int (*act)(void), bool live, struct rv_context *ret, struct rv_notify_counters *counters)
{
	static struct setting s;
	char template[] = "/tmp/reeve-grant-XXXXXX";
	siginfo_t info;
	int code;

	s.act = act;
	CHECK(mkdtemp(template) && realpath(template, s.dir) && chmod(s.dir, 0755) == 0);
	put(s.dir, "open", 0666);
	put(s.dir, "closed", 0);
	s.rules[0] =
		(struct driver_rule){s.dir, live ? UINT64_MAX : (uint64_t)REEVE_FS_MAKE_FIFO, true};
	s.driver = (struct driver){.mode = DRIVER_LIVE,
		.handled = reeve_rights_of_abi(REEVE_FS, 1),
		.rules = s.rules,
		.run = run,
		.data = &s};
	driver_start(&s.driver);
	CHECK(waitid(P_PID, (id_t)s.driver.pid, &info, WEXITED | WNOWAIT) == 0);
	*ret = s.driver.context;
	rv_notify_counters(s.driver.notify, counters);
	code = WEXITSTATUS(driver_end(&s.driver));
	take_away(s.dir, "open");
	take_away(s.dir, "closed");
	CHECK(rmdir(s.dir) == 0);
	return code;
}

static int try_open(const char *name, int flags)
{
	int fd = open(name, flags, 0600);
	int error = errno;

	if (fd < 0)
		return error;
	close(fd);
	return 0;
}

static int open_it(void)
{
	return try_open("open", O_RDWR);
}

static void granted(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	CHECK_EQ(try(open_it, true, &context, &counters), 0);
	CHECK_EQ(counters.injected, 1);
	CHECK_EQ(context.denied, 0);
}

static void denied(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	CHECK_EQ(try(open_it, false, &context, &counters), EACCES);
	CHECK_EQ(counters.injected, 0);
	CHECK_EQ(context.denied, 1);
}

static int fail_natively(void)
{
	if (try_open("missing", O_RDONLY) != ENOENT || try_open("closed", O_RDONLY) != EACCES)
		return 1;
	if (mkdir("open", 0700) == 0 || errno != EEXIST)
		return 2;
	return unlink("missing") == 0 || errno != ENOENT ? 3 : 0;
}

static void not_the_policys(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	if (geteuid() == 0)
		CHECK(setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0 &&
			setresuid(USER, USER, USER) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	CHECK_EQ(try(fail_natively, false, &context, &counters), 0);
	CHECK_EQ(context.denied, 0);
}

static int drop_and_open(void)
{
	return setresuid(USER, USER, USER) < 0 ? 1 : open_it();
}

static int change_groups_and_open(void)
{
	gid_t group = USER;

	return setgroups(1, &group) < 0 ? 1 : open_it();
}

static int chroot_and_open(void)
{
	return chroot(".") < 0 ? 1 : try_open("/open", O_RDONLY);
}

static int enter_namespace_and_open(void)
{
	return unshare(CLONE_NEWUSER) < 0 ? 1 : open_it();
}

static void other_credentials(void)
{
	static int (*const acts[])(void) = {
		drop_and_open, change_groups_and_open, chroot_and_open, enter_namespace_and_open};
	struct rv_context context;
	struct rv_notify_counters counters;

	if (geteuid() != 0)
		SKIP("root: needs it to have something to drop");
	for (size_t i = 0; i < RV_COUNT(acts); i++) {
		CHECK_EQ(try(acts[i], true, &context, &counters), EACCES);
		CHECK_EQ(counters.injected, 0);
	}
}

static int own_files(void)
{
	/* Ours would be the supervisor's. */
	if (try_open("/proc/self/status", O_RDONLY) != EACCES)
		return 1;
	return try_open("/proc/self/cwd/open", O_RDONLY) == EACCES ? 0 : 2;
}

static void procfs(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	CHECK_EQ(try(own_files, true, &context, &counters), 0);
	CHECK_EQ(counters.injected, 0);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"a granted open is performed", granted},
		{"a denied open is reported once", denied},
		{"what fails without the policy is not reported", not_the_policys},
		{"no grant for other credentials, groups, root, user namespace", other_credentials},
		{"nothing of procfs or through a magic link is opened", procfs},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
