/* SPDX-License-Identifier: MIT */
/* Denials inside of a grant: a program under a supervisor, as `reeve run` starts it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <reeve/supervisor.h>
#include "base/error.h"
#include "observe/verify.h"

/*
 * What the program tries, each with an exit code of its own: to read what is denied, to make what
 * is denied and not there, to move what is above it (which would uncover it), and what is no
 * business of the denial.
 */
static const char script[] = "(read x <here/file) 2>/dev/null && exit 11\n"
			     "(: >here/dir/new) 2>/dev/null && exit 12\n"
			     "mv here there/moved 2>/dev/null && exit 13\n"
			     "(: >there/made && mv there/made here/dir/made &&\n"
			     "	echo x >here/dir/made && read x <here/dir/made) || exit 14\n"
			     "exit 10\n";

static const struct {
	int code;
	const char *what;
} failures[] = {
	{11, "reading what is denied worked"},
	{12, "making what is denied worked"},
	{13, "moving the directory above what is denied worked"},
	{14, "what is beside it was refused"},
};

static int add_path(struct reeve_policy *policy, const char *path, uint64_t allowed,
	unsigned int flags, struct reeve_error *err)
{
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.flags = flags,
		.allowed = allowed,
		.path = path,
		.origin = "verify"};

	return reeve_policy_add_rule(policy, &rule, err);
}

static int make_policy(
	const struct rv_stage *stage, struct reeve_policy *policy, struct reeve_error *err)
{
	static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64", "/etc", "/dev/null"};
	uint64_t all = reeve_rights_of_abi(REEVE_FS, 2), read = all;
	char path[PATH_MAX];
	int r;

	reeve_rights_group(REEVE_FS, "abi.read_execute", 1, &read);
	r = add_path(policy, stage->path, all, 0, err);
	for (size_t i = 0; r >= 0 && i < RV_COUNT(system); i++)
		r = add_path(policy, system[i], i + 1 < RV_COUNT(system) ? read : all,
			REEVE_RULE_OPTIONAL, err);
	snprintf(path, sizeof(path), "%s/here/file", stage->path);
	if (r >= 0)
		r = add_path(policy, path, 0, REEVE_RULE_DENY, err);
	snprintf(path, sizeof(path), "%s/here/dir/new", stage->path);
	if (r >= 0)
		r = add_path(policy, path, 0, REEVE_RULE_DENY, err);
	return r < 0 ? r : reeve_policy_resolve(policy, NULL, err);
}

static int wait_for(struct reeve_supervisor *supervisor)
{
	int status = 0, r;

	do
		r = reeve_supervisor_wait(supervisor, 0, &status);
	while (r == -EINTR);
	reeve_supervisor_end(supervisor);
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static int supervise(
	const struct reeve_plan *plan, const struct rv_stage *stage, struct reeve_error *err)
{
	char *const argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
	struct reeve_exec_options exec = {.size = sizeof(exec), .chdir = stage->path};
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .exec = &exec, .sync_wake_up = -1, .no_shim = true};
	struct reeve_supervisor *supervisor;
	int r = reeve_supervisor_start(plan, argv, &options, &supervisor, err);

	return r < 0 ? r : wait_for(supervisor);
}

/* The program's exit code, or -errno with the reason in `err`. */
static int try_supervised(const struct rv_stage *stage, struct reeve_error *err)
{
	struct reeve_policy *policy = NULL;
	struct reeve_plan *plan = NULL;
	int r = reeve_policy_new(&policy);

	if (r >= 0)
		r = make_policy(stage, policy, err);
	/* Every supervised domain wants it, and this is not about it. */
	if (r >= 0)
		r = reeve_policy_degrade(policy, "scope.signal", err);
	if (r >= 0)
		r = reeve_plan_new_supervised(policy, NULL, NULL, &plan, err);
	if (r >= 0)
		r = supervise(plan, stage, err);
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return r;
}

static void try_in_child(void *data, struct rv_outcome *out)
{
	struct reeve_error err = {0};

	/* A process that changed its user is not dumpable, nor are its children: then nobody but
	 * root could look at them, a supervisor neither. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	out->code = try_supervised(data, &err);
	if (out->code >= 0)
		return;
	out->end = RV_END_BOX;
	rv_escape(out->text, sizeof(out->text), err.message, strlen(err.message));
}

static void tell(struct rv_proof *proof, const struct rv_row *row, const struct rv_outcome *got)
{
	char said[sizeof(got->text) + 32];

	if (got->end == RV_END_DONE && got->code == 10) {
		rv_tell_held(proof, "refused", row->what);
		return;
	}
	for (size_t i = 0; got->end == RV_END_DONE && i < RV_COUNT(failures); i++)
		if (failures[i].code == got->code) {
			rv_tell(proof, REEVE_BROKEN, "%s", failures[i].what);
			return;
		}
	rv_tell_wrong(proof, got, "%s %s", row->what, rv_outcome_say(got, said, sizeof(said)));
}

static int prove_deny(struct rv_proof *proof, const struct rv_row *row)
{
	struct rv_outcome got;
	struct rv_stage stage;
	int r = rv_stage_open(proof, 0, &stage);

	if (r < 0)
		return r;
	r = rv_run(try_in_child, &stage, &got);
	if (r >= 0)
		tell(proof, row, &got);
	rv_stage_close(&stage);
	return r;
}

static const struct rv_row rows[] = {
	{.feature = "deny_inside",
		.what = "reading, making and uncovering what is denied",
		.flags = RV_ROW_SUPERVISED,
		.prove = prove_deny},
};

struct rv_rows rv_rows_deny(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
