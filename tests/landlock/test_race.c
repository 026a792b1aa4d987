/* SPDX-License-Identifier: MIT */
/*
 * Rulesets that are changed by many at once: threads, forked children, children that are killed in
 * the middle of it, and under a storm of signals. What is in force at the end is what was asked
 * for.
 */
#define _GNU_SOURCE
#include "probe.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>

#define THREADS 4
#define ROUNDS	300
#define COMMIT	LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR

static int supervisor, supervisee;
static atomic_bool stop;

static void set_up(void)
{
	make_scratch();
	supervisor = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	supervisee = supervisee_of(supervisor);
	atomic_store(&stop, false);
}

/* a/file can be read, and b/file cannot. */
static void expect_a_alone(void)
{
	struct probe probe = probe_start(supervisee, supervisor);

	CHECK_EQ(probe.restricted, 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_WRONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
}

/* in_scratch() has one row of buffers for all threads. */
static int add_name(const char *name, __u64 allowed, __u32 flags)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return add_path(supervisor, path, allowed, flags);
}

/* ----------------------------------------------------------------------------------- threads */

/* Each leaves nothing of b, whatever the others do between its calls. */
static void *change(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(add_name("a", READ, i % 3 ? 0 : COMMIT), 0);
		CHECK_EQ(add_name("b", READ, i % 5 ? 0 : COMMIT), 0);
		CHECK_EQ(add_name("b", 0, LANDLOCK_ADD_RULE_INTERSECT), 0);
	}
	return arg;
}

/* Others are made and closed meanwhile, in whose place a number of theirs comes. */
static void *make_and_close(void *arg)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = RW_RIGHTS};

	while (!atomic_load(&stop)) {
		int fd = landlock_create_ruleset(
			&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
		int sub = supervisee_of(fd);

		CHECK_EQ(add_path(fd, "/", RW_RIGHTS, COMMIT), 0);
		close(fd);
		CHECK_EQ(add_path(sub, "/usr", READ, 0), 0);
		close(sub);
	}
	return arg;
}

static void threads(void)
{
	pthread_t changing[THREADS], making;

	set_up();
	CHECK_EQ(pthread_create(&making, NULL, make_and_close, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&changing[i], NULL, change, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(changing[i], NULL), 0);
	atomic_store(&stop, true);
	CHECK_EQ(pthread_join(making, NULL), 0);
	CHECK_EQ(commit(supervisor), 0);
	expect_a_alone();
	remove_scratch();
}

/* A commit shows all that was staged or nothing of it: both names, or neither. */
static void *swing(void *arg)
{
	while (!atomic_load(&stop)) {
		CHECK_EQ(add_name("a", READ, 0), 0);
		CHECK_EQ(add_name("b", READ, COMMIT), 0);
		CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0), 0);
		CHECK_EQ(commit(supervisor), 0);
	}
	return arg;
}

static void commits_under_load(void)
{
	struct probe probe;
	pthread_t thread;
	int seen[2] = {0, 0};

	set_up();
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(pthread_create(&thread, NULL, swing, NULL), 0);
	for (int i = 0; i < 20000 && (i < 300 || !seen[0] || !seen[1]); i++) {
		int error = probe_open(&probe, in_scratch("a/file"), O_RDONLY);

		CHECK(error == 0 || error == EACCES);
		seen[error == 0]++;
	}
	CHECK(seen[0] && seen[1]);
	atomic_store(&stop, true);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

/* ---------------------------------------------------------------------------------- children */

/* Forked while other threads are in the middle of a change. */
static void forks_in_the_middle(void)
{
	pthread_t changing[2];

	set_up();
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&changing[i], NULL, change, NULL), 0);
	for (int i = 0; i < 30; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(TAP_SECONDS);
			_exit(add_name("a", READ, COMMIT) || close(supervisor) ||
				!commit(supervisor));
		}
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(changing[i], NULL), 0);
	CHECK_EQ(commit(supervisor), 0);
	expect_a_alone();
	remove_scratch();
}

/* Killed with the lock, perhaps: the next one has it all the same. */
static void killed_in_the_middle(void)
{
	set_up();
	CHECK_EQ(add_name("a", READ, COMMIT), 0);
	for (int i = 0; i < 60; i++) {
		int ready[2];
		char byte;
		pid_t pid;

		CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			alarm(TAP_SECONDS);
			CHECK_EQ(write(ready[1], "", 1), 1);
			for (;;) {
				add_name("b", READ, 0);
				add_name("b", 0, LANDLOCK_ADD_RULE_INTERSECT | COMMIT);
			}
		}
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		usleep((useconds_t)(i * 37 % 1000)); /* wherever it is by then */
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
		CHECK_EQ(add_name("b", 0, LANDLOCK_ADD_RULE_INTERSECT | COMMIT), 0);
		close(ready[0]);
		close(ready[1]);
	}
	expect_a_alone();
	remove_scratch();
}

/* --------------------------------------------------------------------- signals and descriptors */

static void count_signal(int sig)
{
	(void)sig;
}

/* No call of these is interrupted, of whoever restricts itself neither. */
static void under_a_storm(void)
{
	const struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
	const struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};

	set_up();
	CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	change(NULL);
	CHECK_EQ(commit(supervisor), 0);
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			setitimer(ITIMER_REAL, &often, NULL);
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			_exit(landlock_restrict_self(supervisee, 0) ? errno : 0);
		}
		while (waitpid(pid, &status, 0) < 0)
			CHECK_EQ(errno, EINTR);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
	expect_a_alone();
	remove_scratch();
}

/* Each call fails as a whole, and with room again it works. */
static void without_descriptors(void)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = RW_RIGHTS};
	const struct rlimit few = {64, 64};
	struct landlock_path_beneath_attr rule = {.allowed_access = READ};
	int fds[64], count = 0;

	set_up();
	rule.parent_fd = open(in_scratch("a"), O_PATH | O_CLOEXEC);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fds[count] = open("/", O_PATH | O_CLOEXEC)) >= 0)
		count++;
	/* From no room at all to nearly enough. */
	for (int room = 0; room < 6; room++) {
		int fd = landlock_create_ruleset(
			&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);

		CHECK(fd >= 0 || errno == EMFILE);
		if (fd >= 0)
			close(fd);
		fd = ioctl(supervisor, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);
		CHECK(fd >= 0 || errno == EMFILE);
		if (fd >= 0)
			close(fd);
		CHECK(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0) == 0 || errno == EMFILE);
		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), 0);
		CHECK_EQ(commit(supervisor), 0);
		close(fds[--count]);
	}
	while (count > 0)
		close(fds[--count]);
	expect_a_alone();
	remove_scratch();
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"threads that add, commit, make and close", threads},
		{"commits while requests are judged", commits_under_load},
		{"children forked in the middle of it", forks_in_the_middle},
		{"children killed in the middle of it", killed_in_the_middle},
		{"a storm of signals", under_a_storm},
		{"no room for descriptors", without_descriptors},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
