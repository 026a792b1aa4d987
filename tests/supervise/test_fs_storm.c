/* SPDX-License-Identifier: MIT */
/*
 * Signals without SA_RESTART over granted calls. One that no receiver has taken yet is interrupted
 * by the kernel (EINTR), which nothing can change; but then nothing of it has happened, and what
 * was performed is never reported as interrupted.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/time.h>
#include "fs_driver.h"

#define ROUNDS	  300
#define PERIOD_US 2000

static char dir[PATH_MAX];
static volatile sig_atomic_t rung;

struct told {
	unsigned int calls, interrupted, wrong, signals;
};

static void ring(int sig)
{
	(void)sig;
	rung++;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0; /* never trapped */
}

/* Whether the call is done: `there` exists exactly if it was, or the other way round. */
static bool judge(struct told *told, int result, const char *name, bool made)
{
	bool interrupted = result < 0 && errno == EINTR;

	told->calls++;
	told->interrupted += interrupted;
	told->wrong += (result < 0 && !interrupted) || exists(name) != (made == (result >= 0));
	return !interrupted;
}

static int create(void)
{
	int fd = open("file", O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static void one_round(struct told *told)
{
	while (!judge(told, create(), "file", true))
		;
	while (!judge(told, rename("file", "moved"), "moved", true))
		;
	while (!judge(told, link("moved", "link"), "link", true))
		;
	while (!judge(told, unlink("moved"), "moved", false))
		;
	while (!judge(told, unlink("link"), "link", false))
		;
	while (!judge(told, symlink("x", "symlink"), "symlink", true))
		;
	while (!judge(told, unlink("symlink"), "symlink", false))
		;
	while (!judge(told, mkdir("dir", 0700), "dir", true))
		;
	while (!judge(told, rmdir("dir"), "dir", false))
		;
	while (!judge(told, mkfifo("fifo", 0600), "fifo", true))
		;
	while (!judge(told, unlink("fifo"), "fifo", false))
		;
}

static void run(int fd, void *data)
{
	struct sigaction action = {.sa_handler = ring};
	struct itimerval timer = {{0, PERIOD_US}, {0, PERIOD_US}};
	struct told told = {0};

	(void)data;
	CHECK(chdir(dir) == 0);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++)
		one_round(&told);
	timer = (struct itimerval){0};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	told.signals = (unsigned int)rung;
	CHECK(write(fd, &told, sizeof(told)) == sizeof(told));
}

static void storm(void)
{
	char template[] = "/tmp/reeve-storm-XXXXXX";
	struct driver_rule rules[2] = {{dir, UINT64_MAX, true}};
	struct driver driver = {.mode = DRIVER_LIVE,
		.handled = reeve_rights_of_abi(REEVE_FS, 2),
		.rules = rules,
		.run = run};
	struct rv_notify_counters counters;
	struct told told;

	if (rv_landlock_create_ruleset(NULL, 0, RV_LANDLOCK_CREATE_RULESET_VERSION) < 2)
		SKIP("landlock: needs ABI 2");
	CHECK(mkdtemp(template) && realpath(template, dir));
	driver_start(&driver);
	CHECK(read(driver.fd, &told, sizeof(told)) == sizeof(told));
	rv_notify_counters(driver.notify, &counters);
	CHECK_EQ(driver_end(&driver), 0);
	CHECK(rmdir(dir) == 0);
	printf("# %u signals over %u calls: %u interrupted\n", told.signals, told.calls,
		told.interrupted);
	CHECK(told.signals > 10);
	CHECK_EQ(told.wrong, 0);
	CHECK_EQ(told.calls - told.interrupted, ROUNDS * 11);
	CHECK_EQ(counters.performed + counters.injected, ROUNDS * 11);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"what is interrupted has not happened, what has is not interrupted", storm},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
