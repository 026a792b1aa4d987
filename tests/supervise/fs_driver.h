/* SPDX-License-Identifier: MIT */
/*
 * A small supervisor for tests: a forked child under Landlock and the filter, its calls answered by
 * rv_notify and rv_dispatch over a judge with given rules. Nothing of launch is needed.
 */
#ifndef TESTS_SUPERVISE_FS_DRIVER_H
#define TESTS_SUPERVISE_FS_DRIVER_H

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/cleanup.h"
#include "enforce/filter.h"
#include "kernel/sys.h"
#include "supervise/request.h"
#include "tests/tap.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum driver_mode { DRIVER_NATIVE, DRIVER_STATIC, DRIVER_LIVE };

struct driver_rule {
	const char *path;
	uint64_t rights;
	bool live;
};

struct driver {
	enum driver_mode mode;
	uint64_t handled;
	const struct driver_rule *rules; /* ended by a path of NULL */
	void (*run)(int fd, void *data); /* in the child; `fd` is a socket to the test */
	void *data;
	struct rv_events *events;

	pid_t pid;
	int fd, listener;
	struct rv_context context;
	struct rv_notify *notify;
};

#define FOR_DIRS (~REEVE_FS_FILE_RIGHTS)

static inline uint64_t driver_cut(const char *path, uint64_t rights)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode) ? rights & REEVE_FS_FILE_RIGHTS
							    : rights;
}

/* ---- the child */

static inline void driver_landlock(const struct driver *d)
{
	struct rv_landlock_ruleset_attr attr = {.handled_access_fs = d->handled};
	int fd = rv_landlock_create_ruleset(&attr, 8, 0);

	CHECK(fd >= 0);
	for (const struct driver_rule *rule = d->rules; rule->path; rule++) {
		struct rv_landlock_path_beneath_attr beneath = {
			.allowed_access = driver_cut(rule->path, rule->rights) & d->handled,
			.parent_fd = open(rule->path, O_PATH | O_CLOEXEC)};

		if (!rule->live || d->mode == DRIVER_STATIC)
			CHECK(rv_landlock_add_rule(fd, 1, &beneath, 0) == 0);
		close(beneath.parent_fd);
	}
	CHECK(rv_landlock_restrict_self(fd, 0) == 0);
	close(fd);
}

#define DRIVER_TRAPS (RV_TRAP_FS | RV_TRAP_EXEC)

/* As `reeve run` traps it. */
static inline int driver_filter(void)
{
	const struct rv_filter_spec spec = {
		.arch = rv_filter_native_arch(), .supervised = true, .traps = DRIVER_TRAPS};
	struct sock_fprog program;
	size_t length;

	CHECK(rv_filter_compile(&spec, &program.filter, &length, NULL) == 0);
	program.len = (unsigned short)length;
	return rv_seccomp(SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

static inline void driver_child(struct driver *d, int fd)
{
	int listener = -1;
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (d->mode != DRIVER_NATIVE) {
		CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		driver_landlock(d);
	}
	if (d->mode == DRIVER_LIVE)
		CHECK((listener = driver_filter()) >= 0);
	CHECK(write(fd, &listener, sizeof(listener)) == sizeof(listener));
	CHECK(read(fd, &go, 1) == 1);
	if (listener >= 0)
		close(listener);
	d->run(fd, d->data);
	_exit(0);
}

/* ---- the supervisor */

static inline struct reeve_ruleset *driver_rules(const struct driver *d, bool live)
{
	struct reeve_rights handled = {.of = {[REEVE_FS] = d->handled}};
	struct reeve_ruleset *ruleset;

	CHECK(reeve_ruleset_new(&handled, &ruleset) == 0);
	for (const struct driver_rule *rule = d->rules; rule->path; rule++) {
		struct reeve_rule r = {.type = REEVE_RULE_PATH_BENEATH,
			.path = rule->path,
			.allowed = driver_cut(rule->path, rule->rights) & d->handled};

		if (rule->live == live)
			CHECK(reeve_ruleset_add(ruleset, &r, NULL) == 0);
	}
	return ruleset;
}

static inline void driver_supervise(struct driver *d, int number)
{
	struct reeve_ruleset *floor = driver_rules(d, false), *live = driver_rules(d, true);
	int pidfd = rv_pidfd_open(d->pid);

	CHECK(pidfd >= 0);
	d->listener = rv_pidfd_getfd(pidfd, number);
	CHECK(d->listener >= 0);
	close(pidfd);
	CHECK(rv_context_init(&d->context, true) == 0);
	rv_context_trust_filter(&d->context, DRIVER_TRAPS);
	d->context.events = d->events;
	d->context.connector_fd = -1;
	CHECK(rv_judge_new(floor, live, &d->context.judge) == 0);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(live);
	CHECK(rv_notify_start(d->listener, false, rv_dispatch, &d->context, &d->notify) == 0);
}

static inline void driver_start(struct driver *d)
{
	int pair[2], number;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	fflush(NULL);
	d->pid = fork();
	CHECK(d->pid >= 0);
	if (d->pid == 0) {
		close(pair[0]);
		driver_child(d, pair[1]);
	}
	close(pair[1]);
	d->fd = pair[0];
	d->listener = -1;
	CHECK(read(d->fd, &number, sizeof(number)) == sizeof(number));
	if (d->mode == DRIVER_LIVE)
		driver_supervise(d, number);
	CHECK(write(d->fd, "", 1) == 1);
}

/* The exit status as of waitpid(2). */
static inline int driver_end(struct driver *d)
{
	int status;

	/* The children of other drivers hold copies. */
	shutdown(d->fd, SHUT_RDWR);
	close(d->fd);
	CHECK(waitpid(d->pid, &status, 0) == d->pid);
	rv_notify_join(d->notify);
	if (d->context.judge)
		rv_judge_free(d->context.judge);
	if (d->mode == DRIVER_LIVE)
		rv_context_release(&d->context);
	if (d->listener >= 0)
		close(d->listener);
	return status;
}

/* How many calls were answered by what the supervisor did. */
static inline uint64_t driver_performed(const struct driver *d)
{
	struct rv_notify_counters c;

	rv_notify_counters(d->notify, &c);
	return c.performed + c.injected + c.refused;
}

#endif /* TESTS_SUPERVISE_FS_DRIVER_H */
