/* SPDX-License-Identifier: MIT */
/* Processes: made, watched, reaped. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "base/error.h"
#include "observe/verify.h"

/* For those that nobody watches: grandchildren whose parent was killed. */
#define ALARM_SECONDS (RV_TRIAL_MS / 1000 + 10)

static void child_set_up(pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	/* A socket whose reader went away is an error to report, not an end. */
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(ALARM_SECONDS);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}

pid_t rv_spawn(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_set_up(parent);
	return pid;
}

int rv_reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return status;
}

/* Waits for one outcome. True where it came, false at end of file or after too long. */
static bool receive(int fd, int ms, struct rv_outcome *ret, bool *ret_late)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	ssize_t n;
	int ready;

	do
		ready = poll(&pfd, 1, ms);
	while (ready < 0 && errno == EINTR);
	*ret_late = ready == 0;
	if (ready <= 0)
		return false;
	do
		n = read(fd, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*ret);
}

static void tell_death(struct rv_outcome *ret, bool late, int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	memset(ret, 0, sizeof(*ret));
	ret->end = late ? RV_END_STUCK : RV_END_DIED;
	if (late)
		snprintf(ret->text, sizeof(ret->text), "took too long");
	else if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof(ret->text), "died of SIG%s", name ? name : "?");
	else
		snprintf(ret->text, sizeof(ret->text), "exited with %d", WEXITSTATUS(status));
}

static void __attribute__((noreturn))
child_main(void (*fn)(void *data, struct rv_outcome *out), void *data, int fd)
{
	struct rv_outcome out;

	memset(&out, 0, sizeof(out));
	fn(data, &out);
	/* Shorter than PIPE_BUF, so all or nothing. */
	_exit(write(fd, &out, sizeof(out)) == (ssize_t)sizeof(out) ? 0 : 1);
}

int rv_run_within(
	int ms, void (*fn)(void *data, struct rv_outcome *out), void *data, struct rv_outcome *ret)
{
	rv_autoclose int in = -1, out = -1;
	bool came, late;
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	pid = rv_spawn();
	if (pid < 0)
		return pid;
	if (pid == 0)
		child_main(fn, data, out);
	close(rv_steal_fd(&out));
	came = receive(in, ms, ret, &late);
	if (!came)
		kill(pid, SIGKILL);
	status = rv_reap(pid);
	if (!came)
		tell_death(ret, late, status);
	return 0;
}

int rv_run(void (*fn)(void *data, struct rv_outcome *out), void *data, struct rv_outcome *ret)
{
	return rv_run_within(RV_TRIAL_MS, fn, data, ret);
}

/* ------------------------------------------------------------------- a trial */

struct trial {
	const struct rv_row *row;
	const struct rv_stage *stage;
	enum rv_side side;
	rv_op op;
};

static void trial_main(void *data, struct rv_outcome *out)
{
	const struct trial *trial = data;
	struct rv_box box = {.handled.of[REEVE_FS] = RV_BOX_FS};
	struct reeve_error err = {0};

	if (chdir(trial->stage->path) < 0) {
		out->end = RV_END_DIED;
		snprintf(out->text, sizeof(out->text), "lost its directory");
		return;
	}
	if (trial->side != RV_BARE) {
		trial->row->box(trial->row, trial->stage, trial->side == RV_GRANTED, &box);
		out->code = rv_box_enter(&box, &err);
		if (out->code < 0) {
			out->end = RV_END_BOX;
			rv_escape(out->text, sizeof(out->text), err.message, strlen(err.message));
			return;
		}
	}
	out->code = trial->op(trial->stage);
}

int rv_trial(struct rv_proof *proof, const struct rv_row *row, enum rv_side side, rv_op op,
	struct rv_outcome *ret)
{
	struct rv_stage stage;
	struct trial trial = {.row = row, .stage = &stage, .side = side, .op = op};
	int r = rv_stage_open(proof, row->needs, &stage);

	if (r < 0)
		return r;
	r = rv_run(trial_main, &trial, ret);
	rv_stage_close(&stage);
	return r;
}

/* -------------------------------------------------------------------- boxes */

static int box_policy(
	const struct rv_box *box, struct reeve_policy *policy, struct reeve_error *err)
{
	int r = 0;

	if (box->text)
		r = reeve_policy_load_text(
			policy, "verify", box->text, strlen(box->text), REEVE_POLICY_TOML, err);
	if (r < 0)
		return r;
	r = reeve_policy_handle(policy, &box->handled);
	if (r < 0)
		return rv_error(err, r, "handled rights were not taken: %s", strerror(-r));
	for (size_t i = 0; i < box->rules_count && r >= 0; i++)
		r = reeve_policy_add_rule(policy, &box->rules[i], err);
	return r < 0 ? r : reeve_policy_resolve(policy, NULL, err);
}

int rv_box_enter(const struct rv_box *box, struct reeve_error *err)
{
	struct reeve_policy *policy = NULL;
	struct reeve_plan *plan = NULL;
	int r = reeve_policy_new(&policy);

	if (r < 0)
		return rv_error(err, r, "no memory");
	r = box_policy(box, policy, err);
	if (r >= 0)
		r = reeve_plan_new(policy, NULL, &plan, err);
	if (r >= 0)
		r = reeve_plan_restrict(plan, box->flags, err);
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return r;
}
