/* SPDX-License-Identifier: MIT */
/*
 * reeve_verify() on this machine: nothing may be broken, and nothing may be left behind. One TAP
 * line a feature, as whoever runs the test and, for root, as an ordinary user too.
 *
 * With arguments it is the tool of mutants.py: "FEATURE<tab>VERDICT<tab>DETAIL" lines, exit 1 where
 * something is broken.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <grp.h>
#include <reeve/check.h>
#include "tap.h"

#define NOBODY 65534

static const char *const verdicts[] = {
	[REEVE_HELD] = "held", [REEVE_BROKEN] = "broken", [REEVE_SKIPPED] = "skipped"};

/* ------------------------------------------------------------------- as a tool */

static void print_line(void *data, const struct reeve_feature *feature, enum reeve_verdict verdict,
	const char *detail)
{
	(void)data;
	printf("%s\t%s\t%s\n", feature->name, verdicts[verdict], detail);
	fflush(stdout);
}

static int as_tool(void)
{
	struct reeve_error err = {0};
	int broken = reeve_verify(print_line, NULL, &err);

	if (broken < 0)
		fprintf(stderr, "%s\n", err.message);
	return broken < 0 ? 125 : broken > 0;
}

/* ------------------------------------------------------------------- as a test */

struct report {
	const char *who;
	int number, held, broken;
};

static void print_tap(void *data, const struct reeve_feature *feature, enum reeve_verdict verdict,
	const char *detail)
{
	struct report *report = data;
	bool untried = verdict == REEVE_SKIPPED && strstr(detail, "nobody has written");

	report->held += verdict == REEVE_HELD;
	report->broken += verdict == REEVE_BROKEN;
	printf("%sok %d - %s%s%s%s\n", verdict == REEVE_BROKEN || untried ? "not " : "",
		++report->number, feature->name, report->who,
		verdict == REEVE_SKIPPED && !untried ? " # SKIP " : ": ", detail);
}

static void check(struct report *report, bool good, const char *what)
{
	printf("%sok %d - %s%s\n", good ? "" : "not ", ++report->number, what, report->who);
	report->broken += !good;
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Below a directory of its own, which must be empty afterwards. */
static void verify_as(uid_t uid, struct report *report)
{
	char dir[] = "/tmp/reeve-test-verify.XXXXXX";
	struct reeve_error err = {0};
	int before, broken;

	if (!mkdtemp(dir) || (uid && uid != geteuid() &&
				     (chown(dir, uid, uid) || setgroups(0, NULL) ||
					     setresgid(uid, uid, uid) || setresuid(uid, uid, uid))))
		perror("cannot set up");
	setenv("TMPDIR", dir, 1);
	before = count_entries("/proc/self/fd");
	broken = reeve_verify(print_tap, report, &err);
	if (broken < 0)
		printf("# %s\n", err.message);
	check(report, broken == report->broken, "it returns the number of what is broken");
	check(report, report->held > 0, "something held");
	check(report, waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no child is left");
	check(report, count_entries(dir) == 2, "no file is left");
	check(report, count_entries("/proc/self/fd") == before, "no descriptor is left");
	rmdir(dir);
	fflush(stdout);
}

#define CHECKS 5

static int in_child(uid_t uid, struct report *report)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		verify_as(uid, report);
		_exit(report->broken > 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int main(int argc, char **argv)
{
	struct report report = {.who = ""};
	int features = 0, bad;

	(void)argv;
	if (argc > 1)
		return as_tool();
	while (reeve_feature_at((size_t)features))
		features++;
	printf("1..%d\n", (features + CHECKS) * (geteuid() == 0 ? 2 : 1));
	fflush(stdout);
	bad = in_child(geteuid(), &report);
	if (geteuid() == 0) {
		report = (struct report){
			.who = " (as an ordinary user)", .number = features + CHECKS};
		bad |= in_child(NOBODY, &report);
	}
	return bad != 0;
}
