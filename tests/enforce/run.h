/* SPDX-License-Identifier: MIT */
/* Runs a program under a policy in a child, as `reeve run` does, and keeps what it wrote. */
#ifndef TESTS_ENFORCE_RUN_H
#define TESTS_ENFORCE_RUN_H

#include "helpers.h"

/* DIR/NAME, never freed. */
static inline const char *join(const char *dir, const char *name)
{
	char *path;

	CHECK(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

/* A format whose every %s (eight at most) is the directory, never freed. */
static inline const char *text_of(const char *format, const char *dir)
{
	size_t size = strlen(format) + 8 * strlen(dir) + 1;
	char *text = malloc(size);

	CHECK(text);
	snprintf(text, size, format, dir, dir, dir, dir, dir, dir, dir, dir);
	return text;
}

struct run {
	const char *policy;
	struct reeve_exec_options options;
	void (*before)(void); /* in the child */
	int code;	      /* exit code, or -signal */
	char out[16384];      /* standard output; message and hint of a launch that failed */
};

static inline void run_child(struct run *run, char *const argv[])
{
	struct reeve_plan *plan;
	struct reeve_error err = {0};

	if (run->before)
		run->before();
	plan = plan_of(run->policy);
	run->options.size = sizeof(run->options);
	CHECK(reeve_plan_exec(plan, argv, &run->options, &err) < 0);
	printf("%s\nhint: %s\n", err.message, err.hint);
	fflush(stdout);
	_exit(reeve_exec_exit_code(&err));
}

static inline void run_argv(struct run *run, char *const argv[])
{
	int out[2], status = 0;
	size_t at = 0;
	ssize_t n;
	pid_t pid;

	CHECK(pipe(out) == 0);
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(dup2(out[1], 1) == 1 && dup2(out[1], 2) == 2);
		close(out[0]);
		close(out[1]);
		run_child(run, argv);
	}
	close(out[1]);
	while ((n = read(out[0], run->out + at, sizeof(run->out) - 1 - at)) > 0)
		at += (size_t)n;
	run->out[at] = '\0';
	close(out[0]);
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	run->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* NULL-terminated, of literals too. */
#define LIST(...)     ((char *const *)(const char *const[]){__VA_ARGS__, NULL})
#define RUN(run, ...) run_argv(run, LIST(__VA_ARGS__))

#define CHECK_HAS(text, part)                                                                      \
	do {                                                                                       \
		if (!strstr(text, part)) {                                                         \
			printf("# %s:%d: \"%s\" is not in \"%s\"\n", __FILE__, __LINE__, part,     \
				text);                                                             \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define CHECK_CODE(run, want)                                                                      \
	do {                                                                                       \
		if ((run)->code != (want))                                                         \
			printf("# output: %s\n", (run)->out);                                      \
		CHECK_EQ((run)->code, want);                                                       \
	} while (0)

static inline void need_landlock(void)
{
	struct reeve_kernel k = {.size = sizeof(k)};

	CHECK_EQ(reeve_kernel_probe(&k), 0);
	if (k.landlock_abi < 1 || !k.seccomp_filter)
		SKIP("landlock: not here");
}

#endif /* TESTS_ENFORCE_RUN_H */
