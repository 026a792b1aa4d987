/* SPDX-License-Identifier: MIT */
/* A child that restricts itself with a descriptor and then does what it is told. */
#ifndef TESTS_LANDLOCK_PROBE_H
#define TESTS_LANDLOCK_PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#define TAP_SECONDS 60
#include "tap.h"

#define RW_RIGHTS (RW_WANTED & ~rights_lacking())
#define RW_WANTED                                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                        \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define READ LANDLOCK_ACCESS_FS_READ_FILE

/* As far as it can be had. */
#define TRUNCATE (LANDLOCK_ACCESS_FS_TRUNCATE & ~rights_lacking())

/* Of these; nobody supplies it. */
static inline __u64 rights_lacking(void)
{
	return landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 3
		       ? LANDLOCK_ACCESS_FS_TRUNCATE
		       : 0;
}

struct probe {
	pid_t pid;
	int socket;
	int restricted; /* 0, or the errno of landlock_restrict_self() */
};

struct order {
	int what; /* 'o'pen, 'u'nlink, 'c'all `run` */
	int flags;
	char path[200];
	int (*run)(void *data);
	void *data;
};

/* ---- in the child */

static inline int obey(const struct order *order)
{
	int fd;

	switch (order->what) {
	case 'o':
		fd = open(order->path, order->flags, 0600);
		if (fd < 0)
			return errno;
		close(fd);
		return 0;
	case 'u':
		return unlink(order->path) < 0 ? errno : 0;
	case 'c':
		return order->run(order->data);
	default:
		return EINVAL;
	}
}

__attribute__((noreturn)) static inline void serve(int fd, int ruleset_fd)
{
	struct order order;
	int answer;

	alarm(TAP_SECONDS * tap_slowness()); /* it would outlive a case that hangs with it */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	answer = landlock_restrict_self(ruleset_fd, 0) ? errno : 0;
	if (answer)
		printf("# restrict_self: %s: %s\n", strerror(answer), reeve_landlock_why());
	fflush(stdout);
	while (write(fd, &answer, sizeof(answer)) == sizeof(answer) &&
		read(fd, &order, sizeof(order)) == sizeof(order))
		answer = obey(&order);
	_exit(0);
}

/* ---- in the parent */

static inline int answer_of(const struct probe *probe)
{
	int answer;

	CHECK_EQ(read(probe->socket, &answer, sizeof(answer)), sizeof(answer));
	return answer;
}

/* `close_fd`, unless negative, is closed in the child first. */
static inline struct probe probe_start(int ruleset_fd, int close_fd)
{
	struct probe probe;
	int pair[2];

	fflush(stdout);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	probe.pid = fork();
	if (probe.pid == 0) {
		close(pair[0]);
		if (close_fd >= 0)
			close(close_fd);
		serve(pair[1], ruleset_fd);
	}
	close(pair[1]);
	probe.socket = pair[0];
	probe.restricted = answer_of(&probe);
	return probe;
}

static inline int tell(const struct probe *probe, struct order order)
{
	CHECK_EQ(write(probe->socket, &order, sizeof(order)), sizeof(order));
	return answer_of(probe);
}

static inline int probe_open(const struct probe *probe, const char *path, int flags)
{
	struct order order = {.what = 'o', .flags = flags};

	snprintf(order.path, sizeof(order.path), "%s", path);
	return tell(probe, order);
}

static inline int probe_call(const struct probe *probe, int (*run)(void *), void *data)
{
	return tell(probe, (struct order){.what = 'c', .run = run, .data = data});
}

static inline void probe_end(struct probe *probe)
{
	int status;

	shutdown(probe->socket, SHUT_RDWR); /* later children have it, too */
	close(probe->socket);
	CHECK_EQ(waitpid(probe->pid, &status, 0), probe->pid);
	CHECK_EQ(status, 0);
}

/* ---- rulesets */

static inline int add_path(int ruleset_fd, const char *path, __u64 allowed, __u32 flags)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = allowed};
	int r, saved;

	attr.parent_fd = open(path, O_PATH | O_CLOEXEC);
	CHECK(attr.parent_fd >= 0);
	r = landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &attr, flags);
	saved = errno;
	close(attr.parent_fd);
	errno = saved;
	return r;
}

static inline int commit(int supervisor_fd)
{
	return landlock_add_rule(supervisor_fd, 0, NULL, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR);
}

static inline int make_ruleset(__u64 handled, __u32 flags)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = handled};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), flags);

	if (fd < 0 && errno == ENOTSUP) {
		printf("# %s\n", reeve_landlock_why());
		SKIP("landlock: not supported here");
	}
	CHECK(fd >= 0);
	return fd;
}

static inline int supervisee_of(int supervisor_fd)
{
	int fd = ioctl(supervisor_fd, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);

	CHECK(fd >= 0);
	return fd;
}

/* ---- files: a directory with a/file, b/file */

static char scratch[64];

static inline const char *in_scratch(const char *name)
{
	static char paths[8][200];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline void make_file(const char *name)
{
	int fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "text\n", 5), 5);
	close(fd);
}

static inline void make_scratch(void)
{
	strcpy(scratch, "/tmp/reeve-landlock-XXXXXX");
	CHECK(mkdtemp(scratch));
	CHECK(mkdir(in_scratch("a"), 0700) == 0 && mkdir(in_scratch("b"), 0700) == 0);
	make_file("a/file");
	make_file("b/file");
}

static inline void remove_scratch(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	CHECK_EQ(system(command), 0);
}

/* With --user, as an ordinary user. */
static inline void become_user(int argc, char *argv[])
{
	if (argc < 2 || strcmp(argv[1], "--user") || geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		abort();
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

#endif /* TESTS_LANDLOCK_PROBE_H */
