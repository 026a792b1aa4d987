/* SPDX-License-Identifier: MIT */
/* What the tests of this room share: policies from text, kernels that never were, other users. */
#ifndef TESTS_ENFORCE_HELPERS_H
#define TESTS_ENFORCE_HELPERS_H

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <reeve/reeve.h>
#include "kernel/uapi.h"
#include "tap.h"

#define TEST_USER 65534

#define CHECK_OK(call)                                                                             \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ < 0) {                                                                      \
			printf("# %s:%d: %s: %d: %s\n", __FILE__, __LINE__, #call, r_,             \
				err.message);                                                      \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* A kernel with this ABI, and all else. */
static inline struct reeve_kernel fake_kernel(int abi)
{
	struct reeve_kernel k = {.size = sizeof(k), .landlock_abi = abi, .yama = -1};

	for (int cls = 0; abi > 0 && cls < REEVE_CLASS_COUNT; cls++)
		k.rights.of[cls] = reeve_rights_of_abi((enum reeve_class)cls, abi);
	k.landlock_error = abi ? 0 : ENOSYS;
	k.quiet = abi >= 10;
	k.restrict_flags = abi >= 11 ? 31 : abi >= 8 ? 15 : abi >= 7 ? 7 : 0;
	k.seccomp_filter = k.user_notif = k.wait_killable_recv = true;
	k.memfd_noexec = abi >= 3; /* Linux 6.3 */
	return k;
}

/* A resolved policy; paths need not exist. */
static inline struct reeve_policy *policy_of(const char *toml)
{
	struct reeve_resolve_options options = {.size = sizeof(options), .keep_missing = true};
	struct reeve_policy *policy;
	struct reeve_error err = {0};

	CHECK_OK(reeve_policy_new(&policy));
	CHECK_OK(reeve_policy_load_text(
		policy, "test.toml", toml, strlen(toml), REEVE_POLICY_TOML, &err));
	CHECK_OK(reeve_policy_resolve(policy, &options, &err));
	return policy;
}

/* As policy_of(), then a plan for the running kernel. */
static inline struct reeve_plan *plan_of(const char *toml)
{
	struct reeve_policy *policy = policy_of(toml);
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	CHECK_OK(reeve_plan_new(policy, NULL, &plan, &err));
	reeve_policy_free(policy);
	return plan;
}

/* An ordinary user from here on; where the test runs as one, nothing changes. */
static inline void become_user(void)
{
	if (geteuid() != 0)
		return;
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(TEST_USER, TEST_USER, TEST_USER) == 0);
	CHECK(setresuid(TEST_USER, TEST_USER, TEST_USER) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* else /proc/self belongs to root */
}

/* A directory of the test's own below the temporary directory, canonical. */
static inline const char *make_dir(void)
{
	static char path[PATH_MAX];
	char name[] = "/tmp/reeve-test-XXXXXX";

	CHECK(mkdtemp(name));
	CHECK(chmod(name, 0755) == 0);
	CHECK(realpath(name, path));
	return path;
}

/* Removes it again: no test leaves anything. */
static inline void remove_dir(const char *path)
{
	char command[PATH_MAX + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	CHECK(system(command) == 0);
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

/* Runs fn in a child; its exit status, or -signal. */
static inline int in_child(void (*fn)(void *), void *data)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		fn(data);
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif /* TESTS_ENFORCE_HELPERS_H */
