/* SPDX-License-Identifier: MIT */
/* Becoming a program under a plan. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "base/options.h"
#include "enforce/fds.h"
#include "enforce/launch.h"
#include "enforce/restrict.h"
#include "enforce/search.h"

#define LOG_FLAGS                                                                                  \
	(REEVE_RESTRICT_LOG_SAME_EXEC_OFF | REEVE_RESTRICT_LOG_NEW_EXEC_ON |                       \
		REEVE_RESTRICT_LOG_SUBDOMAINS_OFF)

/* ---------------------------------------------------------------------- errors */

/* From here on the program is at fault, not reeve: 127 or 126. */
static int exec_error(
	const struct rv_launch *launch, int code, const char *what, struct reeve_error *err)
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
static int exec_by_shell(const struct rv_launch *launch, const char *path)
{
	launch->shell_argv[1] = (char *)path;
	execve(launch->shell_argv[0], launch->shell_argv, launch->envp);
	return -errno;
}

static int exec_path(const struct rv_launch *launch, const char *path)
{
	int r;

	execve(path, launch->argv, launch->envp);
	r = -errno;
	return r == -ENOEXEC ? exec_by_shell(launch, path) : r;
}

/*
 * As execvp(3), but that it begins with what was judged: all before it in PATH was not to be had.
 * EACCES wins over "not found".
 */
int rv_launch_exec(const struct rv_launch *launch)
{
	struct rv_search search = {
		.program = launch->argv[0], .path = rv_env_get(launch->envp, "PATH")};
	int r = -ENOENT, denied = 0;

	if (launch->diagnosis.program[0]) {
		r = exec_path(launch, launch->diagnosis.program);
		if (!rv_search_goes_on(r))
			return r;
	}
	while (rv_search_next(&search)) {
		r = exec_path(launch, search.name);
		if (!rv_search_goes_on(r))
			return r;
		if (r == -EACCES)
			denied = r;
	}
	return denied ? denied : r;
}

static bool explains(const struct rv_diagnosis *diagnosis, int code)
{
	if (!diagnosis->message[0])
		return false;
	return diagnosis->code == code || (diagnosis->code == -EPERM && code == -EACCES);
}

int rv_launch_exec_error(const struct rv_launch *launch, int code, struct reeve_error *err)
{
	const struct rv_diagnosis *diagnosis = &launch->diagnosis;

	if (!explains(diagnosis, code))
		return exec_error(launch, code, NULL, err);
	exec_error(launch, code, diagnosis->message, err);
	rv_error_hint(err, "%s", diagnosis->hint);
	return code;
}

/* ----------------------------------------------------------------------- before */

static int make_shell_argv(struct rv_launch *launch)
{
	size_t argc = 0;

	while (launch->argv[argc])
		argc++;
	launch->shell_argv = calloc(argc + 2, sizeof(*launch->shell_argv));
	if (!launch->shell_argv)
		return -ENOMEM;
	launch->shell_argv[0] = (char *)"/bin/sh";
	for (size_t i = 1; i < argc; i++)
		launch->shell_argv[i + 1] = launch->argv[i];
	return 0;
}

int rv_launch_init(struct rv_launch *launch, const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *options, struct reeve_error *err)
{
	int r;

	*launch = (struct rv_launch){
		.plan = plan, .argv = argv, .tmpdir = RV_TMPDIR_NONE, .ruleset_fd = -1};
	r = rv_options_take(&launch->options, sizeof(launch->options), options, err);
	if (r)
		return r;
	launch->envp = launch->options.envp ? launch->options.envp : environ;
	if (launch->options.restrict_flags & ~LOG_FLAGS)
		return rv_error(err, -EINVAL, "a program takes no restrict flags but LOG ones");
	if (!argv || !argv[0])
		return rv_error(err, -EINVAL, "no program given");
	if (make_shell_argv(launch) < 0)
		return rv_error(err, -ENOMEM, "out of memory");
	return rv_plan_check(plan, err);
}

int rv_launch_set(struct rv_launch *launch, const char *setting, struct reeve_error *err)
{
	char **envp = rv_env_with(launch->envp, setting);

	if (!envp)
		return rv_error(err, -ENOMEM, "out of memory");
	free(launch->own_envp);
	launch->envp = launch->own_envp = envp;
	return 0;
}

void rv_launch_take_env(struct rv_launch *launch, char **envp)
{
	free(launch->own_envp);
	launch->envp = launch->own_envp = envp;
}

static int change_directory(const struct rv_launch *launch, struct reeve_error *err)
{
	const char *dir = launch->options.chdir;

	if (!dir || chdir(dir) == 0)
		return 0;
	return rv_error(err, -errno, "%s: cannot change directory: %s", rv_q(dir), strerror(errno));
}

/* Whoever comes from another system expects PATH to have ".". */
static int not_found(const struct rv_launch *launch, struct reeve_error *err)
{
	const char *program = launch->argv[0];

	exec_error(launch, -ENOENT, NULL, err);
	if (!strchr(program, '/') && access(program, X_OK) == 0)
		rv_error_hint(err, "the one in this directory is ./%s", rv_q(program));
	return -ENOENT;
}

/* What is bound to fail fails here, with nothing done yet. */
static int foresee(struct rv_launch *launch, struct reeve_error *err)
{
	struct rv_diagnosis *diagnosis = &launch->diagnosis;

	rv_diagnose(launch->plan, launch->argv[0], launch->envp, diagnosis);
	if (diagnosis->code == -ENOENT && !diagnosis->message[0])
		return not_found(launch, err);
	if (diagnosis->code != -EACCES || !diagnosis->after_exec)
		return 0;
	exec_error(launch, -EACCES, diagnosis->message, err);
	rv_error_hint(err, "%s", diagnosis->hint);
	return -EACCES;
}

static int make_tmpdir(struct rv_launch *launch, struct reeve_error *err)
{
	int r;

	if (!launch->plan->private_tmpdir)
		return 0;
	r = rv_tmpdir_make(&launch->tmpdir, err);
	if (r)
		return r;
	snprintf(launch->setting, sizeof(launch->setting), "TMPDIR=%s", launch->tmpdir.path);
	return rv_launch_set(launch, launch->setting, err);
}

static int check_kind(const struct rv_launch *launch, enum rv_fd_kind kind, struct reeve_error *err)
{
	const struct reeve_exec_options *options = &launch->options;
	int r;

	if (options->keep_all_fds && kind == RV_FD_MEMORY)
		return rv_error(err, -EINVAL,
			"execute_memfd cannot be denied where all descriptors are kept");
	if (options->keep_all_fds)
		r = rv_fds_refuse_any(kind, err);
	else
		r = rv_fds_refuse(kind, options->keep_fds, options->keep_fds_count, err);
	for (size_t i = 0; r == 0 && i < options->fds_count; i++)
		r = rv_fds_refuse(kind, &options->fds[i].from, 1, err);
	return r;
}

static int check_fds(const struct rv_launch *launch, struct reeve_error *err)
{
	const struct reeve_plan *plan = launch->plan;
	int r = 0;

	if (rv_plan_has(plan, "execute_memfd", REEVE_BY_SUPERVISOR))
		r = check_kind(launch, RV_FD_MEMORY, err);
	/* Mediated, it could be connected to anything already. */
	if (r == 0 && (rv_plan_has(plan, "unix_datagram", REEVE_BY_SECCOMP) ||
			      rv_plan_has(plan, "unix_datagram", REEVE_BY_SUPERVISOR)))
		r = check_kind(launch, RV_FD_UNIX_DATAGRAM, err);
	if (r == 0 && rv_plan_lacks_udp(plan))
		r = check_kind(launch, RV_FD_UDP, err);
	return r;
}

int rv_launch_prepare(struct rv_launch *launch, struct reeve_error *err)
{
	int r = change_directory(launch, err);

	if (r == 0)
		r = foresee(launch, err);
	if (r == 0)
		r = make_tmpdir(launch, err);
	return r ? r : check_fds(launch, err);
}

int rv_launch_ruleset(struct rv_launch *launch, struct reeve_error *err)
{
	int r = rv_restrict_prepare(launch->plan, launch->options.restrict_flags, launch->tmpdir.fd,
		&launch->ruleset_fd, err);

	return r ? r : rv_split_make(launch->plan, launch->ruleset_fd, &launch->split, err);
}

void rv_launch_undo(struct rv_launch *launch)
{
	rv_tmpdir_undo(&launch->tmpdir);
}

void rv_launch_release(struct rv_launch *launch)
{
	rv_close_p(&launch->ruleset_fd);
	launch->ruleset_fd = -1;
	rv_tmpdir_close(&launch->tmpdir);
	rv_split_release(&launch->split);
	free(launch->own_envp);
	free(launch->shell_argv);
}

/* ------------------------------------------------------------------ in place */

static int limit_fds(const struct rv_launch *launch, struct reeve_error *err)
{
	const struct reeve_exec_options *options = &launch->options;

	if (options->keep_all_fds)
		return 0;
	return rv_fds_keep_only(options->keep_fds, options->keep_fds_count, err);
}

static int become(struct rv_launch *launch, struct reeve_error *err)
{
	int r = rv_launch_prepare(launch, err);

	if (r == 0)
		r = limit_fds(launch, err);
	if (r == 0)
		r = rv_launch_ruleset(launch, err);
	if (r == 0)
		r = rv_restrict_commit(
			launch->plan, launch->options.restrict_flags, launch->ruleset_fd, err);
	return r ? r : rv_launch_exec_error(launch, rv_launch_exec(launch), err);
}

/* What cannot be undone when the program turns out not to be there. */
static int refuse_setup(const struct reeve_exec_options *options, struct reeve_error *err)
{
	if (!options->fds_count && !options->terminal && !options->new_session)
		return 0;
	return rv_error(err, -EINVAL,
		"fds, terminal and new_session are for a program that is started beside this one");
}

int reeve_plan_exec(const struct reeve_plan *plan, char *const argv[],
	const struct reeve_exec_options *options, struct reeve_error *err)
{
	struct rv_launch launch;
	int r = rv_launch_init(&launch, plan, argv, options, err);

	if (r == 0)
		r = rv_plan_in_place(plan, err);
	if (r == 0)
		r = refuse_setup(&launch.options, err);
	if (r == 0)
		r = become(&launch, err);
	/* The open parent directory still allows it, should Landlock: removing needs a right. */
	rv_launch_undo(&launch);
	rv_launch_release(&launch);
	return r;
}
