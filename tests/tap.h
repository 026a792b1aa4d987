/* SPDX-License-Identifier: MIT */
/*
 * Tests in C: each case runs in a process of its own and reports TAP. A case fails by CHECK(), by
 * exiting non-zero, or by dying; it skips with SKIP("why"). With REEVE_TEST_REQUIRE set to a
 * comma-separated list of words, a SKIP whose reason starts with one of them is a failure.
 *
 *	static void adds_up(void)
 *	{
 *		CHECK(1 + 1 == 2);
 *	}
 *	int main(void)
 *	{
 *		static const struct tap_case cases[] = {{"adds up", adds_up}};
 *		return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
 *	}
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a case finds in tap_data: for many cases of one function. */
struct tap_case {
	const char *name;
	void (*run)(void);
	const void *data;
};

#define TAP_SKIPPED 77

/* A case that waits longer than that, for something that does not come, fails: SIGALRM. 0: never.
 */
#ifndef TAP_SECONDS
#define TAP_SECONDS 0
#endif

/* Children leave by _exit(): LeakSanitizer cannot run below Landlock. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("# %s:%d: CHECK(%s) failed (errno %d)\n", __FILE__, __LINE__,       \
				#cond, errno);                                                     \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define CHECK_EQ(got, want)                                                                        \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_) {                                                               \
			printf("# %s:%d: %s is %lld, wanted %lld (%s)\n", __FILE__, __LINE__,      \
				#got, got_, want_, #want);                                         \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (!got_ || strcmp(got_, want_) != 0) {                                           \
			printf("# %s:%d: %s is \"%s\", wanted \"%s\"\n", __FILE__, __LINE__, #got, \
				got_ ? got_ : "(null)", want_);                                    \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define SKIP(why)                                                                                  \
	do {                                                                                       \
		tap_skip(why);                                                                     \
	} while (0)

static inline void tap_skip(const char *why)
{
	const char *require = getenv("REEVE_TEST_REQUIRE");
	size_t n = strcspn(why, ": ");

	for (const char *p = require; p && *p; p += strspn(p, ",")) {
		size_t len = strcspn(p, ",");

		if (len == n && strncmp(p, why, n) == 0) {
			printf("# required, but would be skipped: %s\n", why);
			fflush(stdout);
			_exit(1);
		}
		p += len;
	}
	printf("# SKIP %s\n", why);
	fflush(stdout);
	_exit(TAP_SKIPPED);
}

static const void *tap_data __attribute__((unused));

/* What a shell, nohup or a test runner ignores and blocks is nothing that a test should see. */
static inline void tap_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Under QEMU without KVM. */
static inline unsigned int tap_slowness(void)
{
	return getenv("REEVE_TEST_EMULATED") ? 10 : 1;
}

static inline int tap_run(const struct tap_case *cases, size_t count)
{
	int failed = 0;

	tap_reset_signals();
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		int status = 0;
		pid_t pid;

		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			tap_data = cases[i].data;
			alarm(TAP_SECONDS * tap_slowness());
			cases[i].run();
			fflush(stdout);
			_exit(0);
		}
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (pid < 0 || (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
			if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == TAP_SKIPPED) {
				printf("ok %zu - %s # SKIP see above\n", i + 1, cases[i].name);
				continue;
			}
			if (pid > 0 && WIFSIGNALED(status))
				printf("# died by signal %d\n", WTERMSIG(status));
			printf("not ok %zu - %s\n", i + 1, cases[i].name);
			failed++;
			continue;
		}
		printf("ok %zu - %s\n", i + 1, cases[i].name);
	}
	return failed ? 1 : 0;
}

#endif /* TESTS_TAP_H */
