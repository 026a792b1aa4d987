/* SPDX-License-Identifier: MIT */
/*
 * Coordinator, resource process, accessor process.
 *
 * The coordinator may enter a domain first, which the other two then inherit. The resource process
 * enters a domain of its own, or not, and makes the resource (a socket), or is it (the target of a
 * signal). Then the accessor enters a domain of its own, or not, and tries to reach it. Where the
 * coordinator itself is the resource, the two are parent and child.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "observe/verify.h"

struct arrangement {
	const char *name;		      /* resource_to_accessor */
	bool coordinator, resource, accessor; /* in a domain of its own? */
	bool is_parent;			      /* the coordinator is the resource process */
	bool allowed;
};

static const struct arrangement arrangements[] = {
	{"none_to_none", .allowed = true},
	{"none_to_scoped", .accessor = true},
	{"scoped_to_none", .resource = true, .allowed = true},
	{"scoped_to_scoped", .resource = true, .accessor = true},
	{"same_domain", .coordinator = true, .allowed = true},
	{"outer_to_inner", .coordinator = true, .accessor = true},
	{"inner_to_outer", .coordinator = true, .resource = true, .allowed = true},
	{"inner_to_inner", .coordinator = true, .resource = true, .accessor = true},
	{"parent_to_scoped_child", .is_parent = true, .accessor = true},
	{"scoped_parent_to_child", .is_parent = true, .coordinator = true, .allowed = true},
	{"scoped_parent_to_scoped_child", .is_parent = true, .coordinator = true, .accessor = true},
};

struct meeting {
	const struct rv_row *row;
	const struct arrangement *how;
	struct rv_stage stage; /* of this meeting; the coordinator's copy names the resource */
};

/* Enters the row's refusing box. False, and the outcome filled in, where that fails. */
static bool enter(const struct meeting *meeting, struct rv_outcome *out)
{
	struct rv_box box = {.handled.of[REEVE_FS] = RV_BOX_FS};
	struct reeve_error err = {0};

	meeting->row->box(meeting->row, &meeting->stage, false, &box);
	out->code = rv_box_enter(&box, &err);
	if (out->code >= 0)
		return true;
	out->end = RV_END_BOX;
	rv_escape(out->text, sizeof(out->text), err.message, strlen(err.message));
	return false;
}

static void accessor_main(void *data, struct rv_outcome *out)
{
	struct meeting *meeting = data;

	if (!meeting->how->accessor || enter(meeting, out))
		out->code = meeting->row->op(&meeting->stage);
}

/* A resource that could not be made must not pass for a refused access. */
static void make(const struct meeting *meeting, struct rv_outcome *out)
{
	out->code = meeting->row->make(&meeting->stage);
	if (out->code >= 0)
		return;
	out->end = RV_END_DIED;
	snprintf(out->text, sizeof(out->text), "found no resource: %s", strerror(-out->code));
}

/* Says that the resource is there, and stays until the coordinator closes its end of `hold`. */
static void __attribute__((noreturn))
resource_main(const struct meeting *meeting, int ready, const int hold[2])
{
	struct rv_outcome out;
	char byte;

	memset(&out, 0, sizeof(out));
	close(hold[1]);
	if (!meeting->how->resource || enter(meeting, &out))
		make(meeting, &out);
	if (write(ready, &out, sizeof(out)) != (ssize_t)sizeof(out))
		_exit(1);
	close(ready);
	while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static bool hear(int fd, struct rv_outcome *out)
{
	ssize_t n;

	do
		n = read(fd, out, sizeof(*out));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*out))
		return out->end == RV_END_DONE;
	memset(out, 0, sizeof(*out));
	out->end = RV_END_DIED;
	snprintf(out->text, sizeof(out->text), "found no resource process");
	return false;
}

static void access_it(struct meeting *meeting, struct rv_outcome *out)
{
	int r = rv_run(accessor_main, meeting, out);

	if (r >= 0)
		return;
	out->end = RV_END_DIED;
	snprintf(out->text, sizeof(out->text), "found no process: %s", strerror(-r));
}

/* Ends by itself in time: the accessor is watched, and the resource sees its pipe close. */
static void meet_siblings(struct meeting *meeting, struct rv_outcome *out)
{
	int ready[2] = {-1, -1}, hold[2] = {-1, -1};
	pid_t pid = -1;

	out->end = RV_END_DIED;
	snprintf(out->text, sizeof(out->text), "found no pipe or process");
	if (pipe2(ready, O_CLOEXEC) == 0 && pipe2(hold, O_CLOEXEC) == 0)
		pid = rv_spawn();
	if (pid == 0)
		resource_main(meeting, ready[1], hold);
	rv_close_p(&ready[1]);
	rv_close_p(&hold[0]);
	meeting->stage.victim = pid;
	if (pid > 0 && hear(ready[0], out))
		access_it(meeting, out);
	rv_close_p(&ready[0]);
	rv_close_p(&hold[1]);
	if (pid > 0)
		rv_reap(pid);
}

static void coordinator_main(void *data, struct rv_outcome *out)
{
	struct meeting *meeting = data;

	if (chdir(meeting->stage.path) < 0) {
		out->end = RV_END_DIED;
		return;
	}
	if (meeting->how->coordinator && !enter(meeting, out))
		return;
	if (!meeting->how->is_parent) {
		meet_siblings(meeting, out);
		return;
	}
	meeting->stage.victim = getpid();
	make(meeting, out);
	if (out->end == RV_END_DONE)
		access_it(meeting, out);
}

static int meet(struct rv_proof *proof, const struct rv_row *row, const struct arrangement *how,
	struct rv_outcome *ret)
{
	struct meeting meeting = {.row = row, .how = how};
	int r = rv_stage_open(proof, row->needs, &meeting.stage);

	if (r < 0)
		return r;
	r = rv_run(coordinator_main, &meeting, ret);
	rv_stage_close(&meeting.stage);
	return r;
}

static bool as_documented(
	const struct rv_row *row, const struct arrangement *how, const struct rv_outcome *got)
{
	return got->end == RV_END_DONE && got->code == (how->allowed ? 0 : -row->refused);
}

/* True where this arrangement is as documented; else tells what it is like. */
static bool judge(struct rv_proof *proof, const struct rv_row *row, const struct arrangement *how,
	const struct rv_outcome *got)
{
	char said[sizeof(got->text) + 32];

	if (as_documented(row, how, got))
		return true;
	rv_outcome_say(got, said, sizeof(said));
	/* Where no domain is near, it must work: without that, the others would prove nothing. */
	if (how == &arrangements[0])
		rv_tell(proof, REEVE_SKIPPED, "%s cannot be tried: %s: %s", row->what, how->name,
			said);
	else
		rv_tell_wrong(proof, got, "%s, %s: %s, expected: %s", row->what, how->name, said,
			how->allowed ? "worked" : strerrorname_np(row->refused));
	return false;
}

int rv_prove_matrix(struct rv_proof *proof, const struct rv_row *row)
{
	char text[sizeof(proof->how)];
	size_t held = 0;

	for (size_t i = 0; i < RV_COUNT(arrangements); i++) {
		struct rv_outcome got;
		int r = meet(proof, row, &arrangements[i], &got);

		if (r < 0)
			return r;
		if (judge(proof, row, &arrangements[i], &got))
			held++;
		else if (i == 0)
			return 0;
	}
	if (held < RV_COUNT(arrangements))
		return 0;
	snprintf(text, sizeof(text), "refused with %s out of the domain, in %zu arrangements",
		strerrorname_np(row->refused), held);
	rv_tell_held(proof, text, row->what);
	return 0;
}
