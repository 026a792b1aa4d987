/* SPDX-License-Identifier: MIT */
/*
 * Starts commands in turn, many rounds, and prints what each start took: side by side, so that what
 * disturbs the machine disturbs all of them.
 *
 *	stopwatch ROUNDS FILE
 *
 * FILE has one command a line, words separated by tabs. Output, one line a start:
 * "COMMAND-NUMBER NANOSECONDS MAX-RSS-KIB EXIT-CODE". The order turns by one each round.
 *
 * The peak memory of a child counts every program that it was since the fork, this one included: so
 * stopwatch is small, starts by vfork, and is linked statically.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 32
#define WORDS	 64

static char *commands[COMMANDS][WORDS];
static int count;
static FILE *report;

/* What the commands print is nobody's business: /dev/null is their standard output. */
static void set_report(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), old = dup(STDOUT_FILENO);

	report = old < 0 ? NULL : fdopen(old, "w");
	if (null < 0 || !report || fcntl(old, F_SETFD, FD_CLOEXEC) < 0 ||
		dup2(null, STDOUT_FILENO) < 0) {
		perror("standard output");
		exit(1);
	}
}

static void read_commands(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		perror(path);
		exit(1);
	}
	while (count < COMMANDS && getline(&line, &size, file) > 0) {
		char *rest = strdup(line), *word;
		int n = 0;

		rest[strcspn(rest, "\n")] = '\0';
		while (n < WORDS - 1 && (word = strsep(&rest, "\t")))
			commands[count][n++] = word;
		count++;
	}
	fclose(file);
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void start(int which)
{
	struct rusage usage;
	long long before = now(), after;
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		execvp(commands[which][0], commands[which]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("start");
		exit(1);
	}
	after = now();
	fprintf(report, "%d %lld %ld %d\n", which, after - before, usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[1]) : 0;

	if (rounds < 1) {
		fprintf(stderr, "usage: stopwatch ROUNDS FILE\n");
		return 1;
	}
	read_commands(argv[2]);
	set_report();
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < count; i++)
			start((i + round) % count);
	}
	return fclose(report) ? 1 : 0;
}
