/* SPDX-License-Identifier: MIT */
/* Settings of a domain: no_new_privs, all threads at once, log flags, quiet rules. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/error.h"
#include "observe/verify.h"

/*
 * Settings must leave a box as strong as it was. Two things that it refuses, so that a fault in one
 * right is not taken for one of the setting.
 */
static int try_make(const struct rv_stage *stage)
{
	(void)stage;
	if (mkfifo("here/new", 0600) < 0)
		return -errno;
	return symlink("file", "here/link") < 0 ? -errno : 0;
}

/* Fails where execve() gives no privileges any more, to this process and to a child of it. */
static int try_gain(const struct rv_stage *stage)
{
	int set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), inherited;
	pid_t pid = rv_spawn();

	(void)stage;
	if (pid < 0)
		return pid;
	if (pid == 0)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	inherited = rv_reap(pid) != 0;
	return set == 1 && inherited ? -EPERM : set == inherited ? 0 : -EIO;
}

static int prove_no_new_privs(struct rv_proof *proof, const struct rv_row *row)
{
	struct rv_outcome bare, got;
	char said[sizeof(got.text) + 32];
	int r = rv_trial(proof, row, RV_BARE, try_gain, &bare);

	if (r >= 0)
		r = rv_trial(proof, row, RV_REFUSED, try_gain, &got);
	if (r < 0)
		return r;
	if (bare.end != RV_END_DONE || bare.code != 0)
		rv_tell(proof, REEVE_SKIPPED, "cannot be tried: set for reeve itself already");
	else if (got.end == RV_END_DONE && got.code == -EPERM)
		rv_tell(proof, REEVE_HELD, "set in the sandbox, and inherited by a child");
	else
		rv_tell_wrong(proof, &got, "%s sandboxed %s, expected: EPERM", row->what,
			rv_outcome_say(&got, said, sizeof(said)));
	return 0;
}

/* -------------------------------------------------------------------- boxes */

static void box_plain(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	(void)grants;
	(void)box;
}

#define MAKE_RIGHTS (REEVE_FS_MAKE_FIFO | REEVE_FS_MAKE_SYM)

static void box_make(const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	box->handled.of[REEVE_FS] |= MAKE_RIGHTS;
	snprintf(box->path, sizeof(box->path), "%s/%s", stage->path, grants ? "here" : "there");
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_PATH_BENEATH,
		.allowed = MAKE_RIGHTS,
		.path = box->path,
		.origin = "verify"};
	box->rules_count = 1;
}

static void box_log_same(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	box_make(stage, grants, box);
	box->flags = REEVE_RESTRICT_LOG_SAME_EXEC_OFF;
}

static void box_log_new(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	box_make(stage, grants, box);
	box->flags = REEVE_RESTRICT_LOG_NEW_EXEC_ON;
}

static void box_log_sub(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	box_make(stage, grants, box);
	box->flags = REEVE_RESTRICT_LOG_SUBDOMAINS_OFF;
}

/* Quiet on the object itself: it must be taken, and must not grant. */
static void box_quiet(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	box_make(stage, grants, box);
	snprintf(box->path, sizeof(box->path), "%s/here", stage->path);
	box->rules[0].quiet = MAKE_RIGHTS;
	box->rules[0].allowed = grants ? MAKE_RIGHTS : 0;
}

/* ------------------------------------------------------------------ threads */

struct other_thread {
	sem_t go;
	const struct rv_stage *stage;
	int result;
};

static void *other_main(void *data)
{
	struct other_thread *other = data;

	while (sem_wait(&other->go) < 0)
		;
	other->result = try_make(other->stage);
	return NULL;
}

/* A thread that was there before the box must find itself in it. */
static void threads_main(void *data, struct rv_outcome *out)
{
	struct rv_stage *stage = data;
	struct rv_box box = {.handled.of[REEVE_FS] = RV_BOX_FS, .flags = REEVE_RESTRICT_TSYNC};
	struct other_thread other = {.stage = stage};
	struct reeve_error err = {0};
	pthread_t thread;

	box_make(stage, false, &box);
	if (chdir(stage->path) < 0 || sem_init(&other.go, 0, 0) < 0 ||
		pthread_create(&thread, NULL, other_main, &other) != 0) {
		out->end = RV_END_DIED;
		snprintf(out->text, sizeof(out->text), "has no second thread");
		return;
	}
	out->code = rv_box_enter(&box, &err);
	if (out->code < 0) {
		out->end = RV_END_BOX;
		rv_escape(out->text, sizeof(out->text), err.message, strlen(err.message));
		return;
	}
	sem_post(&other.go);
	pthread_join(thread, NULL);
	out->code = other.result;
}

static int prove_threads(struct rv_proof *proof, const struct rv_row *row)
{
	struct rv_outcome got;
	struct rv_stage stage;
	char said[sizeof(got.text) + 32];
	int r = rv_stage_open(proof, 0, &stage);

	if (r < 0)
		return r;
	r = rv_run(threads_main, &stage, &got);
	rv_stage_close(&stage);
	if (r < 0)
		return r;
	if (got.end == RV_END_DONE && got.code == -row->refused)
		rv_tell_held(proof, "refused with EACCES", row->what);
	else
		rv_tell_wrong(proof, &got, "%s %s, expected: EACCES", row->what,
			rv_outcome_say(&got, said, sizeof(said)));
	return 0;
}

/* -------------------------------------------------------------------- table */

#define LOG(does, boxer)                                                                           \
	{                                                                                          \
		.feature = "log_flags", .what = does, .op = try_make, .refused = EACCES,           \
		.box = boxer                                                                       \
	}

static const struct rv_row rows[] = {
	{.feature = "no_new_privs",
		.what = "gaining privileges",
		.box = box_plain,
		.prove = prove_no_new_privs},
	{.feature = "tsync",
		.what = "making files by a thread that was there before",
		.op = try_make,
		.refused = EACCES,
		.prove = prove_threads},
	LOG("making files with log_same_exec_off", box_log_same),
	LOG("making files with log_new_exec_on", box_log_new),
	LOG("making files with log_subdomains_off", box_log_sub),
	{.feature = "quiet",
		.what = "making files below a quiet directory",
		.op = try_make,
		.refused = EACCES,
		.box = box_quiet},
};

struct rv_rows rv_rows_setting(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
