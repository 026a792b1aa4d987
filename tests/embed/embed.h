/* SPDX-License-Identifier: MIT */
/* What the embedding tests share: plans made in code, and what a program writes to a pipe. */
#ifndef TESTS_EMBED_EMBED_H
#define TESTS_EMBED_EMBED_H

#include <fcntl.h>
#include <poll.h>
#include <reeve/reeve.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <grp.h>
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void become_user(int argc, char *argv[])
{
	if (argc < 2 || strcmp(argv[1], "--user") || geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		abort();
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Reads and executes everything, writes /dev/null only: built by rules, without any file. */
static inline struct reeve_policy *policy_in_code(void)
{
	static const char *const flags[][2] = {{"--rx", "/"}, {"--rw", "/dev/null"}};
	struct reeve_rights all = {{0}};
	struct reeve_error err = {0};
	struct reeve_policy *policy;

	all.of[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, 1);
	CHECK_EQ(reeve_policy_new(&policy), 0);
	CHECK_EQ(reeve_policy_handle(policy, &all), 0);
	for (size_t i = 0; i < COUNT(flags); i++)
		CHECK_EQ(reeve_policy_add_flag(policy, flags[i][0], flags[i][1], &err), 0);
	if (reeve_policy_resolve(policy, NULL, &err))
		printf("# %s\n", err.message);
	CHECK_EQ(err.code, 0);
	return policy;
}

static inline struct reeve_plan *plan_in_code(void)
{
	struct reeve_policy *policy = policy_in_code();
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	if (reeve_plan_new(policy, NULL, &plan, &err)) {
		printf("# %s\n", err.message);
		SKIP("landlock: no plan can be made here");
	}
	reeve_policy_free(policy);
	return plan;
}

static inline struct reeve_plan *supervised_plan(void)
{
	struct reeve_policy *policy = policy_in_code();
	struct reeve_error err = {0};
	struct reeve_plan *plan;

	if (reeve_plan_new_supervised(policy, NULL, NULL, &plan, &err)) {
		printf("# %s\n", err.message);
		SKIP("landlock: no program can be supervised here");
	}
	reeve_policy_free(policy);
	return plan;
}

/* The exit code of a child, waited for by its pidfd. */
static inline int wait_for(int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	siginfo_t info;

	CHECK_EQ(poll(&end, 1, 20000), 1);
	CHECK_EQ(waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED), 0);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* What was written to a descriptor until all its writers are gone. */
static inline const char *read_all(int fd)
{
	static char text[4096];
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return text;
}

#endif /* TESTS_EMBED_EMBED_H */
