/* SPDX-License-Identifier: MIT */
/*
 * Which object a rule names, however many rules come on one number, and what becomes of the
 * descriptor that the library keeps to find out (lib/landlock/object.c).
 */
#define _GNU_SOURCE
#include "probe.h"
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define MANY 40

static int supervisor, supervisee;

static const char *directory(int i)
{
	char name[16];

	snprintf(name, sizeof(name), "d%d", i);
	return in_scratch(name);
}

static const char *file_in(int i)
{
	char name[24];

	snprintf(name, sizeof(name), "d%d/file", i);
	return in_scratch(name);
}

static void set_up(void)
{
	make_scratch();
	for (int i = 0; i < MANY; i++) {
		char name[24];

		CHECK_EQ(mkdir(directory(i), 0700), 0);
		snprintf(name, sizeof(name), "d%d/file", i);
		make_file(name);
	}
	supervisor = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	supervisee = supervisee_of(supervisor);
}

static void add_range(int first, int end)
{
	for (int i = first; i < end; i++)
		CHECK_EQ(add_path(supervisor, directory(i), READ, 0), 0);
}

/* Exactly those before `end` are allowed. */
static void expect_allowed(int end)
{
	struct probe probe;

	CHECK_EQ(commit(supervisor), 0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe.restricted, 0);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(probe_open(&probe, file_in(i), O_RDONLY), i < end ? 0 : EACCES);
	probe_end(&probe);
}

/* The link that is held, or -1: of all descriptors the one that is a symbolic link. */
static int find_held(void)
{
	int found = -1;

	for (int fd = 0; fd < 256; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
			CHECK_EQ(found, -1);
			found = fd;
		}
	}
	return found;
}

/* ------------------------------------------------------------------------ what a rule names */

static void on_one_number(void)
{
	set_up();
	add_range(0, MANY - 1);
	CHECK(find_held() >= 0);
	CHECK_EQ(fcntl(find_held(), F_GETFD), FD_CLOEXEC);
	expect_allowed(MANY - 1);
	remove_scratch();
}

/* Two in turn, and then many open at once. */
static void on_several_numbers(void)
{
	int fds[MANY];

	set_up();
	for (int i = 0; i < MANY; i++)
		fds[i] = open(directory(i), O_PATH | O_CLOEXEC);
	for (int i = 0; i < MANY - 1; i++) {
		struct landlock_path_beneath_attr attr = {READ, fds[i]};

		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), 0);
		attr.parent_fd = fds[0];
		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), 0);
	}
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	expect_allowed(MANY - 1);
	remove_scratch();
}

/* Renamed between the opening and the adding: the object and where it is then. */
static void renamed_before_the_adding(void)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = READ};

	set_up();
	add_range(0, 20);
	attr.parent_fd = open(directory(20), O_PATH | O_CLOEXEC);
	CHECK_EQ(renameat2(AT_FDCWD, directory(20), AT_FDCWD, directory(30), RENAME_EXCHANGE), 0);
	CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), 0);
	CHECK_EQ(renameat2(AT_FDCWD, directory(20), AT_FDCWD, directory(30), RENAME_EXCHANGE), 0);
	close(attr.parent_fd);
	expect_allowed(20); /* it is no longer where it was when the rule was added */
	remove_scratch();
}

static void other_kinds_on_the_number(void)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = READ};
	int pair[2];

	set_up();
	add_range(0, 20);
	CHECK(find_held() >= 0);
	CHECK_EQ(pipe2(pair, O_CLOEXEC), 0);
	attr.parent_fd = pair[0];
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), -1);
		CHECK_EQ(errno, EBADFD);
	}
	close(pair[0]);
	close(pair[1]);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), -1);
		CHECK_EQ(errno, EBADF);
	}
	expect_allowed(20);
	remove_scratch();
}

/* ----------------------------------------------------------------------------------- children */

static pid_t fork_by_libc(void)
{
	return fork();
}

/* No handler of pthread_atfork() runs. */
static pid_t fork_by_kernel(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* On the number that the parent's link is of, and has something else on. */
static void in_a_child(pid_t (*make)(void))
{
	int theirs, status;
	pid_t pid;

	set_up();
	add_range(0, 20);
	theirs = open(directory(MANY - 1), O_PATH | O_CLOEXEC);
	pid = make();
	if (pid == 0) {
		close(theirs);
		add_range(20, MANY - 1);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	close(theirs);
	expect_allowed(MANY - 1);
	remove_scratch();
}

static void in_a_forked_child(void)
{
	in_a_child(fork_by_libc);
}

static void in_a_cloned_child(void)
{
	in_a_child(fork_by_kernel);
}

static int held_in_child(void *data)
{
	(void)data;
	return find_held() >= 0 ? EEXIST : 0;
}

static void not_in_a_supervisee(void)
{
	struct probe probe;

	set_up();
	add_range(0, 20);
	CHECK(find_held() >= 0);
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_call(&probe, held_in_child, NULL), 0);
	probe_end(&probe);
	remove_scratch();
}

/* ------------------------------------------------------------------------ a careless program */

static void closed_by_the_program(void)
{
	set_up();
	add_range(0, 20);
	CHECK_EQ(close(find_held()), 0);
	add_range(20, MANY - 1);
	expect_allowed(MANY - 1);
	remove_scratch();
}

/* Its number is somebody else's, and stays so, whatever is done then. */
static void reused_by_the_program(void)
{
	int held, status, saved;
	pid_t pid;

	set_up();
	add_range(0, 20);
	held = find_held();
	saved = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ(dup3(saved, held, O_CLOEXEC), held);
	pid = fork();
	if (pid == 0)
		_exit(fcntl(held, F_GETFD) == FD_CLOEXEC ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	add_range(20, MANY - 1);
	CHECK_EQ(fcntl(held, F_GETFD), FD_CLOEXEC);
	expect_allowed(MANY - 1);
	remove_scratch();
}

static void without_room(void)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = READ};
	const struct rlimit limit = {64, 64};
	int fds[64], count = 0;

	set_up();
	attr.parent_fd = open(directory(0), O_PATH | O_CLOEXEC);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fds[count] = open("/", O_PATH | O_CLOEXEC)) >= 0)
		count++;
	CHECK_EQ(errno, EMFILE);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &attr, 0), 0);
	CHECK_EQ(find_held(), -1);
	while (count > 0)
		close(fds[--count]);
	close(attr.parent_fd);
	expect_allowed(1);
	remove_scratch();
}

/* --------------------------------------------------------------------- where the attribute is */

/* AddressSanitizer calls what lies there nobody's, which it is. */
static void beyond_the_frame(const void *here, size_t page)
{
#ifdef __SANITIZE_ADDRESS__
	(void)here, (void)page;
#else
	for (uintptr_t at = (uintptr_t)here; at < (uintptr_t)here + 16 * page; at += page / 2) {
		int r = landlock_add_rule(supervisor, LANDLOCK_RULE_NET_PORT, (const void *)at, 0);

		CHECK(r < 0 && (errno == EFAULT || errno == EINVAL || errno == ENOMSG));
	}
#endif
}

static void attributes_anywhere(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct landlock_path_beneath_attr attr = {.allowed_access = READ}, *end;
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	CHECK_EQ(mprotect(pages + page, page, PROT_NONE), 0);
	set_up();
	attr.parent_fd = open(directory(0), O_PATH | O_CLOEXEC);
	end = (void *)(pages + page - sizeof(attr));
	memcpy(end, &attr, sizeof(attr));
	CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, end, 0), 0);
	for (size_t over = 1; over <= sizeof(attr); over++) {
		CHECK_EQ(landlock_add_rule(
				 supervisor, LANDLOCK_RULE_PATH_BENEATH, (char *)end + over, 0),
			-1);
		CHECK_EQ(errno, EFAULT);
	}
	/* Beyond the page where this function stands, and beyond the stack. */
	beyond_the_frame(&attr, page);
	CHECK_EQ(landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, (void *)-8, 0), -1);
	CHECK_EQ(errno, EFAULT);
	close(attr.parent_fd);
	expect_allowed(1);
	remove_scratch();
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"many rules on one number", on_one_number},
		{"rules on several numbers", on_several_numbers},
		{"an object that was renamed before the rule was added", renamed_before_the_adding},
		{"what can be no object, on the same number", other_kinds_on_the_number},
		{"a forked child adds on the same number", in_a_forked_child},
		{"a child of clone(2) adds on the same number", in_a_cloned_child},
		{"a supervisee has no link of its parent's", not_in_a_supervisee},
		{"the program closed what is held", closed_by_the_program},
		{"the program has something else by its number", reused_by_the_program},
		{"no descriptor is left", without_room},
		{"attributes that cannot be read", attributes_anywhere},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
