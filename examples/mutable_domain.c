/* SPDX-License-Identifier: MIT */
/*
 * A mutable domain, as proposed on the Landlock mailing list: a program written for the kernel's
 * interface alone. It is compiled with -include reeve/landlock.h and linked with -lreeve.
 *
 *	mutable_domain DIRECTORY PROGRAM [ARGUMENT]...
 *
 * runs PROGRAM so that it may read system directories, and DIRECTORY at first not: it may from the
 * first line on standard input on, and may not any more from the second one on, and so forth. The
 * parent never calls back into the sandbox: what it commits is in force.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in the kernel's own sandboxer.c: for those who have no libc wrappers. */
#ifndef landlock_create_ruleset
static inline int landlock_create_ruleset(
	const struct landlock_ruleset_attr *attr, size_t size, __u32 flags)
{
	return syscall(__NR_landlock_create_ruleset, attr, size, flags);
}
#endif

#define READ	 (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define READ_RUN (READ | LANDLOCK_ACCESS_FS_EXECUTE)

static int add_path(int ruleset_fd, const char *path, __u64 access, __u32 flags)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
	int r = -1;

	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -1;
	r = landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, flags);
	close(rule.parent_fd);
	return r;
}

static void sandboxed(int supervisor_fd, int supervisee_fd, char *argv[])
{
	close(supervisor_fd);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		landlock_restrict_self(supervisee_fd, 0) == 0)
		execvp(argv[0], argv);
	perror(argv[0]);
	_exit(126);
}

static int next_line(void)
{
	int c;

	while ((c = getchar()) != EOF && c != '\n')
		;
	return c != EOF;
}

/* Each line turns the access on or off. */
static void supervise(int supervisor_fd, const char *directory)
{
	for (int granted = 1; next_line(); granted = !granted) {
		if (granted)
			add_path(supervisor_fd, directory, READ, 0);
		else
			add_path(supervisor_fd, directory, 0, LANDLOCK_ADD_RULE_INTERSECT);
		/* Only now, and all of it at once. */
		if (landlock_add_rule(supervisor_fd, 0, NULL, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR))
			perror("commit");
		puts(granted ? "granted" : "revoked");
		fflush(stdout);
	}
}

/* What the program needs in any case is static: it can never be revoked. */
static int add_system(int supervisee_fd)
{
	static const char *const paths[] = {"/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
		r = add_path(supervisee_fd, paths[i], READ_RUN, 0);
	if (r == 0)
		r = add_path(supervisee_fd, "/dev/null",
			LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
	return r;
}

int main(int argc, char *argv[])
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = READ_RUN | LANDLOCK_ACCESS_FS_WRITE_FILE};
	int supervisor_fd, supervisee_fd, status = 0;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: mutable_domain DIRECTORY PROGRAM [ARGUMENT]...\n");
		return 125;
	}
	supervisor_fd =
		landlock_create_ruleset(&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	if (supervisor_fd < 0) {
		perror("landlock_create_ruleset");
		return 125;
	}
	supervisee_fd = ioctl(supervisor_fd, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);
	if (supervisee_fd < 0 || add_system(supervisee_fd)) {
		perror("supervisee ruleset");
		return 125;
	}
	pid = fork();
	if (pid == 0)
		sandboxed(supervisor_fd, supervisee_fd, argv + 2);
	close(supervisee_fd);
	supervise(supervisor_fd, argv[1]);
	close(supervisor_fd); /* the last commit stays in force */
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
