/* SPDX-License-Identifier: MIT */
/* Becoming a program under a plan. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/diagnose.h"
#include "enforce/fds.h"
#include "enforce/restrict.h"
#include "enforce/search.h"
#include "enforce/tmpdir.h"

#define LOG_FLAGS                                                                                  \
	(REEVE_RESTRICT_LOG_SAME_EXEC_OFF | REEVE_RESTRICT_LOG_NEW_EXEC_ON |                       \
		REEVE_RESTRICT_LOG_SUBDOMAINS_OFF)

struct launch {
	const struct reeve_plan *plan;
	char *const *argv;
	struct reeve_exec_options options;
	char *const *envp;
	struct rv_tmpdir tmpdir;
	char setting[PATH_MAX + 16]; /* "TMPDIR=…" */
	char **own_envp;	     /* to be freed */
	int ruleset_fd;
	struct rv_diagnosis diagnosis;
};

/* ---------------------------------------------------------------------- errors */

/* From here on the program is at fault, not reeve: 127 or 126. */
static int exec_error(
	const struct launch *launch, int code, const char *what, struct reeve_error *err)
{
	const char *program = launch->argv[0];

	if (what)
		rv_error(err, code, "%s", what);
	else if (code == -ENOENT && !strchr(program, '/'))
		rv_error(err, code, "%s: command not found in PATH", rv_q(program));
	else
		rv_error(err, code, "%s: cannot be executed: %s", rv_q(program), strerror(-code));
	if (err)
		err->exit_code = code == -ENOENT ? 127 : 126;
	return code;
}

int reeve_exec_exit_code(const struct reeve_error *err)
{
	return err->exit_code ? err->exit_code : 125;
}

/* ------------------------------------------------------------------------ exec */

/* As execvp(3): what the kernel does not know is a script of the shell. */
static int exec_by_shell(const struct launch *launch, const char *path)
{
	size_t argc = 0;
	char **argv;
	int r;

	while (launch->argv[argc])
		argc++;
	argv = calloc(argc + 2, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)path;
	for (size_t i = 1; i < argc; i++)
		argv[i + 1] = launch->argv[i];
	execve(argv[0], argv, launch->envp);
	r = -errno;
	free(argv);
	return r;
}

static int exec_path(const struct launch *launch, const char *path)
{
	int r;

	execve(path, launch->argv, launch->envp);
	r = -errno;
	return r == -ENOEXEC ? exec_by_shell(launch, path) : r;
}

/* Returns the error that execvp(3) would report: EACCES wins over "not found". */
static int exec_search(const struct launch *launch)
{
	struct rv_search search = {
		.program = launch->argv[0], .path = rv_env_get(launch->envp, "PATH")};
	int r = -ENOENT, denied = 0;

	while (rv_search_next(&search)) {
		r = exec_path(launch, search.name);
		if (!rv_search_goes_on(r))
			return r;
		if (r == -EACCES)
			denied = r;
	}
	return denied ? denied : r;
}

static int become(const struct launch *launch, struct reeve_error *err)
{
	const struct rv_diagnosis *diagnosis = &launch->diagnosis;
	int r = exec_search(launch);

	if (diagnosis->code != r || !diagnosis->message[0])
		return exec_error(launch, r, NULL, err);
	exec_error(launch, r, diagnosis->message, err);
	rv_error_hint(err, "%s", diagnosis->hint);
	return r;
}

/* ----------------------------------------------------------------------- before */

static int take_options(
	struct launch *launch, const struct reeve_exec_options *options, struct reeve_error *err)
{
	size_t size = sizeof(launch->options);

	if (options)
		memcpy(&launch->options, options, options->size < size ? options->size : size);
	launch->envp = launch->options.envp ? launch->options.envp : environ;
	if (launch->options.restrict_flags & ~LOG_FLAGS)
		return rv_error(err, -EINVAL, "a program takes no restrict flags but LOG ones");
	if (!launch->argv || !launch->argv[0])
		return rv_error(err, -EINVAL, "no program given");
	return rv_plan_check(launch->plan, err);
}

static int change_directory(const struct launch *launch, struct reeve_error *err)
{
	const char *dir = launch->options.chdir;

	if (!dir || chdir(dir) == 0)
		return 0;
	return rv_error(err, -errno, "%s: cannot change directory: %s", rv_q(dir), strerror(errno));
}

/* What is bound to fail fails here, with nothing done yet. */
static int foresee(struct launch *launch, struct reeve_error *err)
{
	struct rv_diagnosis *diagnosis = &launch->diagnosis;

	rv_diagnose(launch->plan, launch->argv[0], launch->envp, diagnosis);
	if (diagnosis->code == -ENOENT && !diagnosis->message[0])
		return exec_error(launch, -ENOENT, NULL, err);
	if (diagnosis->code != -EACCES || !diagnosis->after_exec)
		return 0;
	exec_error(launch, -EACCES, diagnosis->message, err);
	rv_error_hint(err, "%s", diagnosis->hint);
	return -EACCES;
}

static int make_tmpdir(struct launch *launch, struct reeve_error *err)
{
	int r;

	if (!launch->plan->private_tmpdir)
		return 0;
	r = rv_tmpdir_make(&launch->tmpdir, err);
	if (r)
		return r;
	snprintf(launch->setting, sizeof(launch->setting), "TMPDIR=%s", launch->tmpdir.path);
	launch->own_envp = rv_env_with(launch->envp, launch->setting);
	if (!launch->own_envp)
		return rv_error(err, -ENOMEM, "out of memory");
	launch->envp = launch->own_envp;
	return 0;
}

static int limit_fds(const struct launch *launch, struct reeve_error *err)
{
	const struct reeve_exec_options *options = &launch->options;
	int r = 0;

	if (rv_plan_has(launch->plan, "unix_datagram", REEVE_BY_SECCOMP))
		r = rv_fds_refuse_datagram(options->keep_fds, options->keep_fds_count, err);
	if (r || options->keep_all_fds)
		return r;
	return rv_fds_keep_only(options->keep_fds, options->keep_fds_count, err);
}

/* All that can be undone, in the order of sandbox.h. */
static int prepare(struct launch *launch, struct reeve_error *err)
{
	int r = change_directory(launch, err);

	if (r == 0)
		r = foresee(launch, err);
	if (r == 0)
		r = make_tmpdir(launch, err);
	if (r == 0)
		r = limit_fds(launch, err);
	if (r == 0)
		r = rv_restrict_prepare(launch->plan, launch->options.restrict_flags,
			launch->tmpdir.fd, &launch->ruleset_fd, err);
	return r;
}

static void release(struct launch *launch)
{
	rv_close_p(&launch->ruleset_fd);
	free(launch->own_envp);
}

int reeve_plan_exec(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *options, struct reeve_error *err)
{
	struct launch launch = {
		.plan = plan, .argv = argv, .tmpdir = RV_TMPDIR_NONE, .ruleset_fd = -1};
	int r = take_options(&launch, options, err);

	if (r == 0)
		r = prepare(&launch, err);
	if (r) {
		rv_tmpdir_undo(&launch.tmpdir);
		release(&launch);
		return r;
	}
	r = rv_restrict_commit(plan, launch.options.restrict_flags, launch.ruleset_fd, err);
	if (r == 0)
		r = become(&launch, err);
	/* The open parent directory still allows it, should Landlock: removing needs a right. */
	rv_tmpdir_undo(&launch.tmpdir);
	release(&launch);
	return r;
}
