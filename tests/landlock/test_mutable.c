/* SPDX-License-Identifier: MIT */
/* Mutable domains: what the proposal says. */
#define _GNU_SOURCE
#include "probe.h"
#include <sys/syscall.h>

static int supervisor, supervisee;

static void set_up(void)
{
	make_scratch();
	supervisor = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	supervisee = supervisee_of(supervisor);
}

/* ------------------------------------------------------------------------ semantics */

static void the_example(void)
{
	struct probe probe;

	set_up();
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe.restricted, 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, 0), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES); /* uncommitted */
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_WRONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), 0, LANDLOCK_ADD_RULE_INTERSECT), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0); /* uncommitted */
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

static void committed_before(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

static void intersect_keeps_the_rest(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisor, in_scratch("a"),
			 READ | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE,
			 LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDWR), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ,
			 LANDLOCK_ADD_RULE_INTERSECT | LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_WRONLY), EACCES);
	/* On an object without a rule: no error, no effect. */
	CHECK_EQ(add_path(supervisor, in_scratch("b"), 0,
			 LANDLOCK_ADD_RULE_INTERSECT | LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

static void clears(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, 0), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("b"), READ, 0), 0);
	CHECK_EQ(commit(supervisor), 0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, 0), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

/* static ∪ live, right by right. */
static void joins_static_and_live(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisee, in_scratch("a"), READ, 0), 0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDWR), EACCES);
	CHECK_EQ(
		add_path(supervisor, in_scratch("a/file"), LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE,
			LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDWR | O_TRUNC), 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0), 0);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0); /* static stays */
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDWR), EACCES);
	probe_end(&probe);
	remove_scratch();
}

static void several_supervisees(void)
{
	struct probe first, second;
	int other;

	set_up();
	other = supervisee_of(supervisor);
	first = probe_start(supervisee, supervisor);
	second = probe_start(other, supervisor);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&first, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&second, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&first);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0), 0);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_open(&second, in_scratch("a/file"), O_RDONLY), EACCES);
	probe_end(&second);
	remove_scratch();
}

static void closing_keeps_the_last_commit(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(add_path(supervisor, in_scratch("b"), READ, 0), 0); /* never committed */
	probe = probe_start(supervisee, supervisor);
	close(supervisor);
	close(supervisee);
	/* Now the mapping is dropped, too. */
	CHECK(make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR) >= 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

/* A forked child that does not restrict itself is as good a supervisor as its parent. */
static void forked_supervisor(void)
{
	struct probe probe;
	int status;
	pid_t pid;

	set_up();
	probe = probe_start(supervisee, supervisor);
	pid = fork();
	if (pid == 0)
		_exit(add_path(
			supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("b"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

/* The rule is on the directory, not on its name. */
static void follows_the_object(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK(rename(in_scratch("a"), in_scratch("gone")) == 0);
	CHECK(rename(in_scratch("b"), in_scratch("a")) == 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

/* ---------------------------------------------------------------- whole rulesets */

static void commits_a_ruleset(void)
{
	struct probe probe;
	int plain, fewer, more;

	set_up();
	plain = make_ruleset(RW_RIGHTS, 0); /* after a supervisor ruleset: readable */
	CHECK_EQ(add_path(plain, in_scratch("b"), READ, 0), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_COMMIT_RULESET, plain), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	/* What the new one does not handle is granted everywhere. */
	fewer = make_ruleset(RW_RIGHTS & ~READ, 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_COMMIT_RULESET, fewer), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_WRONLY), EACCES);
	more = make_ruleset(RW_RIGHTS | LANDLOCK_ACCESS_FS_MAKE_DIR, 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_COMMIT_RULESET, more), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

static void intersects_with_a_ruleset(void)
{
	struct landlock_ruleset_rule_attr attr;
	struct probe probe;

	set_up();
	attr.ruleset_fd = make_ruleset(READ | LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
	CHECK_EQ(add_path(attr.ruleset_fd, in_scratch("a"), READ, 0), 0);
	CHECK_EQ(add_path(supervisor, scratch, READ | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE,
			 LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDWR), 0);
	CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_INTERSECT_RULESET, &attr,
			 LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_WRONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

static int compose(int left, int right, __u32 flag)
{
	struct landlock_ruleset_attr attr = {.left_fd = left, .right_fd = right};

	return landlock_create_ruleset(&attr, sizeof(attr), flag);
}

static void composes(void)
{
	int left, right, both;
	struct probe probe;

	set_up();
	left = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_RECORDED);
	right = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_RECORDED);
	CHECK_EQ(add_path(left, in_scratch("a"), READ, 0), 0);
	CHECK_EQ(add_path(right, scratch, READ, 0), 0);
	both = compose(left, right, LANDLOCK_CREATE_RULESET_INTERSECT);
	CHECK(both >= 0);
	probe = probe_start(both, -1);
	CHECK_EQ(probe.restricted, 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	probe_end(&probe);
	right = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_RECORDED);
	CHECK_EQ(add_path(right, in_scratch("b"), READ, 0), 0);
	both = compose(left, right, LANDLOCK_CREATE_RULESET_UNION);
	CHECK(both >= 0);
	probe = probe_start(both, -1);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_WRONLY), EACCES);
	probe_end(&probe);
	remove_scratch();
}

static void the_kernels_cannot_be_read(void)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = READ};
	int native = (int)syscall(444, &attr, 8, 0), recorded;

	CHECK(native >= 0);
	recorded = make_ruleset(READ, LANDLOCK_CREATE_RULESET_RECORDED);
	CHECK_EQ(compose(native, recorded, LANDLOCK_CREATE_RULESET_UNION), -1);
	CHECK_EQ(errno, ENOTSUP);
	CHECK(strstr(reeve_landlock_why(), "RECORDED"));
	CHECK_EQ(compose(recorded, 1000, LANDLOCK_CREATE_RULESET_UNION), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(compose(recorded, 0, LANDLOCK_CREATE_RULESET_UNION), -1);
	CHECK_EQ(errno, EBADFD);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"the thread's example", the_example},
		{"committed before the child restricts itself", committed_before},
		{"INTERSECT cuts one rule down", intersect_keeps_the_rest},
		{"clear", clears},
		{"static and live rules together, right by right", joins_static_and_live},
		{"several supervisees", several_supervisees},
		{"closing the supervisor ruleset", closing_keeps_the_last_commit},
		{"a forked child commits", forked_supervisor},
		{"a rule is on an object", follows_the_object},
		{"commit of a whole ruleset", commits_a_ruleset},
		{"intersection with a ruleset", intersects_with_a_ruleset},
		{"UNION and INTERSECT at creation", composes},
		{"a ruleset of the kernel's cannot be composed", the_kernels_cannot_be_read},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
