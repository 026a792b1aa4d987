/* SPDX-License-Identifier: MIT */
/* For whom the supervisor acts, and what it reports. */
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
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

/* The child's exit code, with one rule on the directory; if it is no live one, with events. */
static int try_with(int (*act)(void), uint64_t rights, bool live, struct rv_context *ret,
	struct rv_notify_counters *counters)
{
	static struct setting s;
	char template[] = "/tmp/reeve-grant-XXXXXX";
	siginfo_t info;
	int code;

	s.act = act;
	CHECK(mkdtemp(template) && realpath(template, s.dir) && chmod(s.dir, 0755) == 0);
	put(s.dir, "open", 0666);
	put(s.dir, "closed", 0);
	s.rules[0] = (struct driver_rule){s.dir, rights, live};
	s.driver = (struct driver){.mode = DRIVER_LIVE,
		.handled = reeve_rights_of_abi(REEVE_FS, 1),
		.rules = s.rules,
		.run = run,
		.data = &s};
	if (!live)
		CHECK(rv_events_new(0, NULL, NULL, &s.driver.events) == 0);
	driver_start(&s.driver);
	CHECK(waitid(P_PID, (id_t)s.driver.pid, &info, WEXITED | WNOWAIT) == 0);
	*ret = s.driver.context;
	rv_notify_counters(s.driver.notify, counters);
	code = WEXITSTATUS(driver_end(&s.driver));
	if (!live)
		rv_events_free(s.driver.events);
	take_away(s.dir, "open");
	take_away(s.dir, "closed");
	CHECK(rmdir(s.dir) == 0);
	return code;
}

/* `live`: the directory is granted. */
static int try(
	int (*act)(void), bool live, struct rv_context *ret, struct rv_notify_counters *counters)
{
	return try_with(act, live ? UINT64_MAX : (uint64_t)REEVE_FS_MAKE_FIFO, true, ret, counters);
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
	CHECK_EQ(context.numbers->denied, 0);
}

static void denied(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	CHECK_EQ(try(open_it, false, &context, &counters), EACCES);
	CHECK_EQ(counters.injected, 0);
	CHECK_EQ(context.numbers->denied, 1);
}

static void as_ordinary_user(void)
{
	if (geteuid() == 0)
		CHECK(setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0 &&
			setresuid(USER, USER, USER) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
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

	as_ordinary_user();
	CHECK_EQ(try(fail_natively, false, &context, &counters), 0);
	CHECK_EQ(context.numbers->denied, 0);
}

static int open_at(const char *dir, const char *name)
{
	int at = open(dir, O_PATH | O_CLOEXEC), fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	int error = errno;

	close(at);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? error : 0;
}

static int open_what_the_floor_has(void)
{
	char here[PATH_MAX];
	bool good = symlink("/etc/passwd", "link") == 0 && getcwd(here, sizeof(here));

	good = good && try_open("open", O_RDWR) == 0 && try_open("./open", O_WRONLY | O_TRUNC) == 0;
	good = good && open_at(here, "open") == 0 && try_open(here, O_RDONLY | O_DIRECTORY) == 0;
	good = good && try_open("missing", O_RDONLY) == ENOENT && open_at(here, "no/") == ENOENT;
	if (!good)
		return 1;
	/* Three denials. */
	good = try_open("link", O_RDONLY) == EACCES && open_at(here, "link") == EACCES &&
	       try_open("/etc/passwd", O_RDONLY) == EACCES;
	return good && unlink("link") == 0 ? 0 : 2;
}

/* Where there is nothing to grant, what is denied is seen all the same, under whatever name. */
static void nothing_live(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	CHECK_EQ(try_with(open_what_the_floor_has, UINT64_MAX, false, &context, &counters), 0);
	CHECK_EQ(context.numbers->denied, 3);
	CHECK_EQ(counters.continued, counters.received);
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

static int set_fs_id_and_open(void)
{
	setfsgid(USER);
	return open_it();
}

static int drop_a_capability_and_open(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return 1;
	data[0].effective &= data[0].effective - 1; /* any */
	return syscall(SYS_capset, &header, data) < 0 ? 1 : open_it();
}

static int mount_namespace_and_open(void)
{
	return unshare(CLONE_NEWNS) < 0 ? 1 : open_it();
}

static int end_of(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 1;
}

static int clone_into_namespace_and_open(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(open_it());
	return end_of(pid);
}

/* The flags are in memory, where no filter sees them. */
static int clone3_into_namespace_and_open(void)
{
	uint64_t args[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD}; /* struct clone_args */
	pid_t pid = (pid_t)syscall(SYS_clone3, args, 64);

	if (pid == 0)
		_exit(open_it());
	return end_of(pid);
}

/* Its root is that of the process that shares it, whoever changes it. */
static int share_root_and_open(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(chroot(".") < 0);
	return end_of(pid) ? 1 : try_open("/open", O_RDONLY);
}

static void other_credentials(void)
{
	static int (*const acts[])(void) = {drop_and_open, change_groups_and_open, chroot_and_open,
		enter_namespace_and_open, set_fs_id_and_open, drop_a_capability_and_open,
		mount_namespace_and_open, clone_into_namespace_and_open,
		clone3_into_namespace_and_open, share_root_and_open};
	struct rv_context context;
	struct rv_notify_counters counters;

	if (geteuid() != 0)
		SKIP("root: needs it to have something to drop");
	for (size_t i = 0; i < RV_COUNT(acts); i++) {
		CHECK_EQ(try(acts[i], true, &context, &counters), EACCES);
		CHECK_EQ(counters.injected, 0);
	}
}

static int call_and_change_nothing(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);

	if (count < 0 || setgroups((size_t)count, groups) < 0 || setfsuid(geteuid()) < 0)
		return 1;
	return open_it();
}

/* What makes the supervisor look closer does not take a grant away. */
static void same_credentials(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	if (geteuid() != 0)
		SKIP("root: needs it to set groups");
	CHECK_EQ(try(call_and_change_nothing, true, &context, &counters), 0);
	CHECK_EQ(counters.injected, 1);
}

static int enter_namespace_drop_and_open(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {0};

	if (unshare(CLONE_NEWUSER) < 0)
		return 1;
	return syscall(SYS_capset, &header, none) < 0 ? 2 : open_it();
}

/* Whoever can serve pages is known, whatever it may do with them (hostile/drain). */
static int serve_pages_and_open(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC) < 0 ? 1 : open_it();
}

static int ask_device_and_open(void)
{
	(void)ioctl(-1, 0xaa00 /* USERFAULTFD_IOC_NEW */, O_CLOEXEC);
	return open_it();
}

static void served_pages(void)
{
	static int (*const acts[])(void) = {serve_pages_and_open, ask_device_and_open};
	struct rv_context context;
	struct rv_notify_counters counters;

	if (syscall(SYS_userfaultfd, O_CLOEXEC) < 0)
		SKIP("userfaultfd: not here, or not for ordinary users");
	for (size_t i = 0; i < RV_COUNT(acts); i++) {
		CHECK_EQ(try(acts[i], true, &context, &counters), 0);
		CHECK_EQ(counters.injected, 1);
		CHECK(context.reading.served);
	}
	CHECK_EQ(try(open_it, true, &context, &counters), 0);
	CHECK(!context.reading.served);
}

/* Who has no capability outside has none inside either in the end. */
static void user_namespace(void)
{
	struct rv_context context;
	struct rv_notify_counters counters;

	as_ordinary_user();
	if (try(enter_namespace_drop_and_open, true, &context, &counters) == 1)
		SKIP("userns: none for ordinary users");
	CHECK_EQ(try(enter_namespace_drop_and_open, true, &context, &counters), EACCES);
	CHECK_EQ(counters.injected, 0);
	CHECK_EQ(try(open_it, true, &context, &counters), 0);
	CHECK_EQ(counters.injected, 1);
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
		{"without live rules, denials are told from what the floor allows", nothing_live},
		{"no grant for other credentials, groups, root, namespaces", other_credentials},
		{"a grant for those who set what they are", same_credentials},
		{"no grant in a user namespace without capabilities", user_namespace},
		{"memory is read with care from when somebody can serve pages", served_pages},
		{"nothing of procfs or through a magic link is opened", procfs},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
