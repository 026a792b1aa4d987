/* SPDX-License-Identifier: MIT */
/* What landlock_restrict_self() enforces without a supervisor: native rulesets, flags, sockets. */
#define _GNU_SOURCE
#include "probe.h"
#include <pthread.h>
#include <sys/syscall.h>

static bool has_nnp(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static int seccomp_mode(void *data)
{
	(void)data;
	return prctl(PR_GET_SECCOMP);
}

static void native(void)
{
	struct probe probe;
	int fd;

	make_scratch();
	fd = make_ruleset(RW_RIGHTS, 0);
	CHECK_EQ(syscall(445, fd, 0, NULL, 0), -1);
	CHECK_EQ(errno, EINVAL); /* the kernel's own: it finds the type wrong, not the ruleset */
	CHECK_EQ(add_path(fd, in_scratch("a"), READ, 0), 0);
	probe = probe_start(fd, -1);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	CHECK_EQ(probe_call(&probe, seccomp_mode, NULL), 0); /* Landlock does it alone */
	probe_end(&probe);
	remove_scratch();
}

static void *idle(void *arg)
{
	pause();
	return arg;
}

static void tsync(void)
{
	struct reeve_landlock_features there = {.size = sizeof(there)};
	int fd = make_ruleset(RW_RIGHTS, 0);
	pthread_t thread;

	CHECK_EQ(reeve_landlock_features(&there), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_TSYNC), 0);
	CHECK_EQ(open("/etc/passwd", O_RDONLY), -1);
	CHECK_EQ(pthread_create(&thread, NULL, idle, NULL), 0);
	if (there.kernel & REEVE_LANDLOCK_TSYNC)
		SKIP("kernel: it has TSYNC");
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_TSYNC), -1);
	CHECK_EQ(errno, ENOTSUP);
	/* The kernel's order: a wrong descriptor is found first. */
	CHECK_EQ(landlock_restrict_self(1000, LANDLOCK_RESTRICT_SELF_TSYNC), -1);
	CHECK_EQ(errno, EBADF);
}

static void no_new_privs(void)
{
	int fd = make_ruleset(RW_RIGHTS, 0);

	CHECK(!has_nnp());
	CHECK_EQ(landlock_restrict_self(1000, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(landlock_restrict_self(0, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), -1);
	CHECK_EQ(errno, EBADFD);
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS | 1u << 9), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK(!has_nnp()); /* what fails changes nothing */
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), 0);
	CHECK(has_nnp());
	CHECK_EQ(open("/etc/passwd", O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
}

static int socket_errno(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const __u64 PERMISSION = LANDLOCK_PERMISSION_SOCKET_CREATE;

static int socket_ruleset(__u64 fs)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = fs, .handled_access_socket = LANDLOCK_ACCESS_SOCKET_CREATE};
	struct landlock_socket_attr rules[] = {
		{LANDLOCK_ACCESS_SOCKET_CREATE, AF_UNIX, SOCK_STREAM, -1},
		{LANDLOCK_ACCESS_SOCKET_CREATE, AF_INET, SOCK_STREAM, 0}};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0);

	CHECK(fd >= 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(landlock_add_rule(fd, LANDLOCK_RULE_SOCKET, &rules[i], 0), 0);
	return fd;
}

/* The same as a permission. */
static int permission_ruleset(__u64 fs)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = fs, .handled_permissions = PERMISSION};
	struct landlock_socket_permission_attr rules[] = {{PERMISSION, 0, AF_UNIX, SOCK_STREAM, -1},
		{PERMISSION, 0, AF_INET, SOCK_STREAM, 0},
		{0, PERMISSION, AF_INET6, SOCK_STREAM, -1}}; /* quiet is not allowed */
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0);

	CHECK(fd >= 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(landlock_add_rule(fd, LANDLOCK_RULE_SOCKET_PERMISSION, &rules[i], 0), 0);
	return fd;
}

static void check_sockets(int denied)
{
	int pair[2];

	CHECK_EQ(socket_errno(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(socket_errno(AF_UNIX, SOCK_DGRAM, 0), denied);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), -1);
	CHECK_EQ(errno, denied);
	CHECK_EQ(socket_errno(AF_INET, SOCK_STREAM, 0), 0);
	CHECK_EQ(socket_errno(AF_INET, SOCK_STREAM, 6), denied); /* 0 is not IPPROTO_TCP */
	CHECK_EQ(socket_errno(AF_INET6, SOCK_STREAM, 0), denied);
	CHECK_EQ(socket_errno(1000, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_EQ(socket_errno(AF_INET, 15, 0), EINVAL);
	CHECK_EQ(socket_errno(AF_APPLETALK, SOCK_STREAM, 0), denied); /* before the family's own */
}

static void socket_rules(void)
{
	int fd = socket_ruleset(0);

	CHECK_EQ(socket_errno(AF_UNIX, SOCK_DGRAM, 0), 0);
	CHECK_EQ(socket_errno(AF_INET6, SOCK_STREAM, 0), 0);
	if (geteuid()) {
		CHECK_EQ(landlock_restrict_self(fd, 0), -1);
		CHECK_EQ(errno, EPERM);
	}
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), 0);
	CHECK(has_nnp());
	check_sockets(EACCES);
	CHECK_EQ(syscall(425, 1, NULL), -1); /* io_uring_setup: would go around it */
	CHECK_EQ(errno, ENOSYS);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
}

static void sockets_and_files(void)
{
	int fd = socket_ruleset(READ);

	CHECK_EQ(add_path(fd, "/etc", READ, 0), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(fd, 0), 0);
	check_sockets(EACCES);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	CHECK_EQ(open("/proc/self/status", O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
}

static void permissions(void)
{
	int fd = permission_ruleset(READ);

	CHECK_EQ(add_path(fd, "/etc", READ, 0), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(fd, 0), 0);
	check_sockets(EPERM);
	CHECK_EQ(syscall(425, 1, NULL), -1); /* io_uring_setup: would go around it */
	CHECK_EQ(errno, ENOSYS);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	CHECK_EQ(open("/proc/self/status", O_RDONLY), -1);
}

/* One of each shape: both have to allow it, and the kernel would ask the newest one first. */
static void permission_over_access(void)
{
	int first = socket_ruleset(0);
	struct landlock_ruleset_attr attr = {.handled_permissions = PERMISSION};
	struct landlock_socket_permission_attr rule = {PERMISSION, 0, AF_INET, -1, -1};
	int second = landlock_create_ruleset(&attr, sizeof(attr), 0);

	CHECK_EQ(landlock_add_rule(second, LANDLOCK_RULE_SOCKET_PERMISSION, &rule, 0), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(first, 0), 0);
	CHECK_EQ(landlock_restrict_self(second, 0), 0);
	CHECK_EQ(socket_errno(AF_INET, SOCK_STREAM, 0), 0);
	CHECK_EQ(socket_errno(AF_INET, SOCK_DGRAM, 0), EACCES);
	CHECK_EQ(socket_errno(AF_UNIX, SOCK_STREAM, 0), EPERM);
	CHECK(socket_errno(AF_INET6, SOCK_STREAM, 0) != 0);
}

/* A second layer only takes away. */
static void socket_layers(void)
{
	int first = socket_ruleset(0), second;
	struct landlock_ruleset_attr attr = {
		.handled_access_socket = LANDLOCK_ACCESS_SOCKET_CREATE};
	struct landlock_socket_attr rule = {LANDLOCK_ACCESS_SOCKET_CREATE, AF_INET6, -1, -1};

	second = landlock_create_ruleset(&attr, sizeof(attr), 0);
	CHECK_EQ(landlock_add_rule(second, LANDLOCK_RULE_SOCKET, &rule, 0), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(first, 0), 0);
	CHECK_EQ(landlock_restrict_self(second, 0), 0);
	CHECK_EQ(socket_errno(AF_INET6, SOCK_STREAM, 0), EACCES);
	CHECK_EQ(socket_errno(AF_UNIX, SOCK_STREAM, 0), EACCES);
}

/* The supervisee of one that has live rules on files; what went wrong in it. */
static int use_both(int supervisee)
{
	if (landlock_restrict_self(supervisee, 0))
		return 1;
	if (socket_errno(AF_UNIX, SOCK_DGRAM, 0) != 0)
		return 2;
	if (socket_errno(AF_INET, SOCK_STREAM, 0) != EACCES)
		return 3;
	if (open(in_scratch("a/file"), O_RDONLY) < 0)
		return 4;
	return open(in_scratch("b/file"), O_RDONLY) >= 0 ? 5 : 0;
}

/* With a supervisor besides. */
static void mutable_with_sockets(void)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = RW_RIGHTS,
		.handled_access_socket = LANDLOCK_ACCESS_SOCKET_CREATE};
	struct landlock_socket_attr rule = {LANDLOCK_ACCESS_SOCKET_CREATE, AF_UNIX, -1, -1};
	int supervisor = landlock_create_ruleset(
		    &attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR),
	    supervisee = supervisee_of(supervisor), status;

	make_scratch();
	CHECK_EQ(landlock_add_rule(supervisee, LANDLOCK_RULE_SOCKET, &rule, 0), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (fork() == 0)
		_exit(use_both(supervisee));
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	remove_scratch();
}

/* A ruleset of scopes has nothing that could be live: no process is started. */
static void nothing_to_supervise(void)
{
	struct landlock_ruleset_attr attr = {.scoped = LANDLOCK_SCOPE_SIGNAL};
	int supervisor =
		landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);

	if (supervisor < 0 && errno == ENOTSUP)
		SKIP("landlock: needs ABI 6");
	CHECK(supervisor >= 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(supervisee_of(supervisor), 0), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(kill(getppid(), 0), -1);
	CHECK_EQ(errno, EPERM);
}

static void pidfd_info(void)
{
	struct reeve_landlock_pidfd_info info = {.mask = PIDFD_INFO_LANDLOCK_LAST_DOMAIN};
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	CHECK_EQ(reeve_landlock_pidfd_info(fd, NULL), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(reeve_landlock_pidfd_info(1000, &info), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(reeve_landlock_pidfd_info(fd, &info), 0);
	CHECK_EQ(info.mask, 0);
	info.mask = 1;
	CHECK_EQ(reeve_landlock_pidfd_info(fd, &info), -1);
	CHECK_EQ(errno, EINVAL);
}

static char logged[200];

static void keep(const char *message)
{
	snprintf(logged, sizeof(logged), "%s", message);
}

static void reasons(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_permissions = LANDLOCK_PERMISSION_NAMESPACE_USE};

	reeve_landlock_set_log(keep);
	CHECK_EQ(landlock_create_ruleset(&attr, 1, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_STR(logged, ""); /* errno says it */
	if (landlock_create_ruleset(&attr, sizeof(attr), 0) >= 0)
		SKIP("kernel: it has all of it");
	CHECK_EQ(errno, ENOTSUP);
	CHECK(strstr(logged, "permissions"));
	CHECK_STR(reeve_landlock_why(), logged);
}

/* What fails leaves nothing behind, as in the kernel: here by the 17th layer. */
static void nothing_left_of_a_failure(void)
{
	int fd = make_ruleset(LANDLOCK_ACCESS_FS_MAKE_BLOCK, 0);

	if (geteuid())
		SKIP("root: sixteen layers need no_new_privs or a capability");
	for (int i = 0; i < 16; i++)
		if (landlock_restrict_self(fd, 0))
			SKIP("layers: there are some already");
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresuid(65534, 65534, 65534), 0);
	CHECK(!has_nnp());
	CHECK_EQ(landlock_restrict_self(fd, LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), -1);
	CHECK_EQ(errno, E2BIG);
	CHECK(!has_nnp());
}

/* In the order of ABI 11. */
static void order_of_flags(void)
{
	int fd = make_ruleset(LANDLOCK_ACCESS_FS_MAKE_BLOCK, 0);
	const __u32 off = LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF;

	CHECK_EQ(landlock_restrict_self(fd, 1u << 20), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(landlock_restrict_self(-1, off | LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS), -1);
	CHECK_EQ(errno, EBADF);
	CHECK(!has_nnp());
}

static int mark(int fd, __u64 allowed)
{
	struct landlock_path_beneath_attr attr = {allowed, open("/", O_PATH | O_CLOEXEC)};
	int r = landlock_add_rule(fd, LANDLOCK_RULE_PATH_BENEATH, &attr, LANDLOCK_ADD_RULE_QUIET);
	int error = errno;

	close(attr.parent_fd);
	return r ? error : 0;
}

/* A quiet mark needs something that is quiet, also where the kernel knows no marks. */
static void quiet_marks(void)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = RW_RIGHTS};
	int loud = landlock_create_ruleset(&attr, sizeof(attr), 0), quiet;
	struct probe probe;

	CHECK_EQ(mark(loud, READ), EINVAL);
	CHECK_EQ(landlock_add_rule(loud, LANDLOCK_RULE_PATH_BENEATH, NULL, LANDLOCK_ADD_RULE_QUIET),
		-1);
	CHECK_EQ(errno, EFAULT);
	attr.quiet_access_fs = READ;
	quiet = landlock_create_ruleset(&attr, sizeof(attr), 0);
	CHECK(quiet >= 0);
	CHECK_EQ(mark(quiet, 0), 0);
	CHECK_EQ(mark(quiet, LANDLOCK_ACCESS_FS_EXECUTE), EINVAL);
	make_scratch();
	CHECK_EQ(add_path(quiet, in_scratch("a"), READ, 0), 0);
	probe = probe_start(quiet, -1);
	CHECK_EQ(probe.restricted, 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"a native ruleset is the kernel's alone", native},
		{"TSYNC where the kernel lacks it", tsync},
		{"NO_NEW_PRIVS where the kernel lacks it", no_new_privs},
		{"nothing is left of a failure", nothing_left_of_a_failure},
		{"the order of flags", order_of_flags},
		{"quiet marks", quiet_marks},
		{"socket rules", socket_rules},
		{"socket rules and files", sockets_and_files},
		{"two layers of socket rules", socket_layers},
		{"socket creation as a permission, and files", permissions},
		{"a layer of permissions over one of socket rules", permission_over_access},
		{"socket rules in a mutable domain", mutable_with_sockets},
		{"a mutable domain without fs rights has no supervisor", nothing_to_supervise},
		{"pidfd info: not given", pidfd_info},
		{"the log gets what errno does not tell", reasons},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
