/* SPDX-License-Identifier: MIT */
/* `reeve run` as the supervisor of CMD. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reeve/control.h>
#include "supervised.h"

#define DENIED_EXIT 124

/* ------------------------------------------------------------------------ sinks */

/* Made before the start: nothing that CMD does can lead them elsewhere. -1: none. */
struct sinks {
	int events, status;
	bool close_events;
};

static int open_events(const char *events, struct sinks *sinks)
{
	cli_autoescape char *shown = cli_escape(events);

	if (!events || strcmp(events, "none") == 0)
		return 0;
	if (strcmp(events, "-") == 0) {
		sinks->events = STDOUT_FILENO;
		return 0;
	}
	/* A link there could be CMD's, from an earlier run. */
	sinks->events = open(
		events, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	if (sinks->events < 0)
		return cli_fail(NULL, "--events: %s: %s", shown,
			errno == ELOOP ? "a symbolic link" : strerror(errno));
	sinks->close_events = true;
	return 0;
}

static int open_status(const char *given, struct sinks *sinks)
{
	cli_autoescape char *shown = cli_escape(given);
	char *end;
	long number;

	if (!given)
		return 0;
	errno = 0;
	number = strtol(given, &end, 10);
	if (*given < '0' || *given > '9' || *end || errno || number > INT_MAX)
		return cli_fail(
			NULL, "--status-fd: %s: expected the number of a file descriptor", shown);
	if (fcntl((int)number, F_GETFD) < 0)
		return cli_fail(NULL, "--status-fd: file descriptor %ld is not open", number);
	sinks->status = (int)number;
	return 0;
}

/* Whole lines, or nothing: a reader that is too slow loses events and nobody waits for it. */
static void write_event(void *data, const struct reeve_event *event)
{
	const struct sinks *sinks = data;
	cli_autofree char *line = NULL;

	if (reeve_event_to_json(event, &line) == 0)
		dprintf(sinks->events, "%s\n", line);
}

static void report_started(const struct cli_supervised *run, const struct sinks *sinks,
	const struct reeve_supervisor *supervisor)
{
	if (sinks->status >= 0)
		dprintf(sinks->status,
			"{\"version\":1,\"event\":\"started\",\"domain\":\"%" PRIx64
			"\",\"pid\":%d%s%s%s}\n",
			reeve_supervisor_domain(supervisor), (int)reeve_supervisor_pid(supervisor),
			run->name ? ",\"name\":\"" : "", run->name ? run->name : "",
			run->name ? "\"" : "");
	if (run->verbose)
		fprintf(stderr, "reeve: domain %" PRIx64 "\n", reeve_supervisor_domain(supervisor));
}

static void report_exited(const struct sinks *sinks, uint64_t domain, int code)
{
	if (sinks->status >= 0)
		dprintf(sinks->status,
			"{\"version\":1,\"event\":\"exited\",\"domain\":\"%" PRIx64
			"\",\"code\":%d}\n",
			domain, code);
}

/* ------------------------------------------------------------------------ the run */

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void report_left(const struct cli_supervised *run, int left)
{
	if (left > 0 && !run->quiet)
		fprintf(stderr, "reeve: %d process%s left in the domain, killed\n", left,
			left == 1 ? " was" : "es were");
}

/* CMD has ended, or cannot be waited for (negative). */
static int finish(const struct cli_supervised *run, const struct sinks *sinks,
	struct reeve_supervisor *supervisor, int failure, int status)
{
	uint64_t domain = reeve_supervisor_domain(supervisor);
	struct cli_summary *summary = cli_summary_new(supervisor);
	int code = failure < 0 ? CLI_ERROR : exit_code(status);

	if (failure < 0)
		cli_fail(NULL, "cannot wait for the program: %s", strerror(-failure));
	report_left(run, reeve_supervisor_end(supervisor));
	if (code == 0 && run->fail_on_deny && cli_summary_denials(summary) > 0)
		code = DENIED_EXIT;
	if (!run->quiet)
		cli_summary_print(summary);
	cli_summary_free(summary);
	report_exited(sinks, domain, code);
	return code;
}

/* What must not happen after CMD was started: that it has to be killed for its name. */
static int check_name(void *data, const struct reeve_control_entry *entry)
{
	return entry->name && strcmp(entry->name, data) == 0;
}

static int name_is_free(const char *name)
{
	cli_autoescape char *shown = cli_escape(name);

	if (name && reeve_control_list(check_name, (void *)name, NULL) > 0)
		return cli_fail("`reeve ps` lists the domains that run",
			"--name %s: a running domain has this name", shown);
	return 0;
}

/* Without a control socket the sandbox holds all the same: that is worth a warning, no more. */
static struct reeve_control_server *serve_control(
	const struct cli_supervised *run, struct reeve_supervisor *supervisor)
{
	struct reeve_control_options options = {.size = sizeof(options),
		.name = run->name,
		.argv = run->command,
		.ruleset = run->ruleset};
	struct reeve_control_server *server = NULL;
	struct reeve_error err = {0};

	if (reeve_control_serve(supervisor, &options, &server, &err) == 0 || run->quiet)
		return server;
	fprintf(stderr, "reeve: warning: no control socket: %s\n", err.message);
	if (err.hint[0])
		fprintf(stderr, "hint: %s\n", err.hint);
	return NULL;
}

static int start_and_wait(const struct cli_supervised *run, struct sinks *sinks)
{
	struct reeve_supervisor_options options = {.size = sizeof(options), .exec = run->exec};
	struct reeve_control_server *server;
	struct reeve_supervisor *supervisor;
	struct reeve_error err = {0};
	struct cli_jobs jobs;
	int status = 0, r;

	options.sync_wake_up = -1;
	options.no_shim = run->no_shim;
	if (sinks->events >= 0) {
		options.event = write_event;
		options.event_data = sinks;
	}
	cli_jobs_begin(&jobs);
	options.signal_mask = &jobs.mask;
	options.ignored_signals = &jobs.ignored;
	r = reeve_supervisor_start(run->plan, run->command, &options, &supervisor, &err);
	if (r < 0) {
		cli_print_error(&err);
		return reeve_exec_exit_code(&err);
	}
	server = serve_control(run, supervisor);
	report_started(run, sinks, supervisor);
	r = cli_jobs_wait(&jobs, supervisor, &status);
	reeve_control_stop(server);
	return finish(run, sinks, supervisor, r, status);
}

int cli_run_supervised(const struct cli_supervised *run)
{
	struct sinks sinks = {.events = -1, .status = -1};
	int r = name_is_free(run->name);

	if (r == 0)
		r = open_events(run->events, &sinks);
	if (r == 0)
		r = open_status(run->status_fd, &sinks);
	if (r == 0)
		r = start_and_wait(run, &sinks);
	if (sinks.close_events)
		close(sinks.events);
	return r;
}
