/* SPDX-License-Identifier: MIT */
/*
 * What reeve/landlock.h costs. For each of ROUNDS, one line: a ruleset of 20 rules by raw system
 * calls and by the header's functions (ns each); the median of 1000 rules staged on a
 * supervisor ruleset (ns); their commit (ns).
 *
 *	bench-landlock ROUNDS
 */
#include <reeve/landlock.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RULES  1000
#define NATIVE 20
#define READ   LANDLOCK_ACCESS_FS_READ_FILE

static const struct landlock_ruleset_attr attr = {.handled_access_fs = READ};

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_directory(const char *scratch, int i)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/%d", scratch, i);
	mkdir(path, 0700);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		exit(1);
	return fd;
}

static long time_raw(const int *fds)
{
	long start = now();
	int ruleset = (int)syscall(444, &attr, sizeof(attr.handled_access_fs), 0);

	for (int i = 0; i < NATIVE; i++) {
		struct landlock_path_beneath_attr rule = {READ, fds[i]};

		syscall(445, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	close(ruleset);
	return now() - start;
}

static long time_ours(const int *fds)
{
	long start = now();
	int ruleset = landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);

	for (int i = 0; i < NATIVE; i++) {
		struct landlock_path_beneath_attr rule = {READ, fds[i]};

		landlock_add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	close(ruleset);
	return now() - start;
}

static int compare(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

/*
 * As a program does: opens each, adds it, closes it. Only the adding counts, and of that the
 * median: one rule that another process came between would weigh as much as a hundred.
 */
static long time_staging(int supervisor, const char *scratch)
{
	static long spent[RULES];

	for (int i = 0; i < RULES; i++) {
		struct landlock_path_beneath_attr rule = {READ, open_directory(scratch, i)};
		long start = now();

		if (landlock_add_rule(supervisor, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
			exit(1);
		spent[i] = now() - start;
		close(rule.parent_fd);
	}
	qsort(spent, RULES, sizeof(spent[0]), compare);
	return spent[RULES / 2];
}

static long time_commit(int supervisor)
{
	long start = now();

	if (landlock_add_rule(supervisor, 0, NULL, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR))
		exit(1);
	return now() - start;
}

int main(int argc, char *argv[])
{
	char scratch[] = "/tmp/reeve-bench-XXXXXX";
	int fds[NATIVE], rounds = argc > 1 ? atoi(argv[1]) : 10, supervisor;
	long raw[1000], ours[1000];

	if (rounds > 1000 || !mkdtemp(scratch))
		return 1;
	for (int i = 0; i < NATIVE; i++)
		fds[i] = open_directory(scratch, i);
	/* Before there is a supervisor ruleset, and in turn. */
	for (int i = 0; i < rounds; i++) {
		raw[i] = time_raw(fds);
		ours[i] = time_ours(fds);
	}
	for (int i = 0; i < rounds; i++) {
		long staging;

		supervisor = landlock_create_ruleset(
			&attr, sizeof(attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
		if (supervisor < 0)
			return 1;
		staging = time_staging(supervisor, scratch);
		printf("%ld %ld %ld %ld\n", raw[i], ours[i], staging, time_commit(supervisor));
		close(supervisor);
	}
	for (int i = 0; i < RULES; i++) {
		char path[100];

		snprintf(path, sizeof(path), "%s/%d", scratch, i);
		rmdir(path);
	}
	return rmdir(scratch);
}
