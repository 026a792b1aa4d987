/* SPDX-License-Identifier: MIT */
/* `reeve run` as the supervisor of CMD. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reeve/control.h>
#include "ask.h"
#include "supervised.h"

#define DENIED_EXIT	 124
#define TRIM_FROM	 (256u << 10)
#define CONTROL_DELAY_MS 10

/* ------------------------------------------------------------------------ sinks */

/* Made before the start: nothing that CMD does can lead them elsewhere. -1: none. */
struct sinks {
	int events, status;
	bool close_events;
	struct cli_needed *needed; /* NULL: no --write-policy */
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

	if (sinks->needed)
		cli_needed_add(sinks->needed, event);
	if (sinks->events >= 0 && reeve_event_to_json(event, &line) == 0)
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
	struct reeve_supervisor *supervisor, const struct cli_earlier *earlier, int failure,
	int status)
{
	uint64_t domain = reeve_supervisor_domain(supervisor);
	struct cli_summary *summary = cli_summary_new(supervisor);
	int code = failure < 0 ? CLI_ERROR : exit_code(status), left;

	if (failure < 0)
		cli_fail(NULL, "cannot wait for the program: %s", strerror(-failure));
	left = reeve_supervisor_end(supervisor);
	if (left == -ECHILD)
		left = cli_kill_orphans(earlier);
	report_left(run, left);
	/* All events have been handed out. */
	if (sinks->needed && cli_write_policy(&run->write_policy, sinks->needed, run->quiet) != 0)
		code = CLI_ERROR;
	if (code == 0 && run->fail_on_deny && cli_summary_denials(summary) > 0)
		code = DENIED_EXIT;
	if (!run->quiet)
		cli_summary_print(summary, run->permissive);
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

	if (name && reeve_control_names(check_name, (void *)name, NULL) > 0)
		return cli_fail("`reeve ps` lists the domains that run",
			"--name %s: a running domain has this name", shown);
	return 0;
}

/* Without a control socket the sandbox holds all the same: that is worth a warning, no more. */
static void warn_no_control(const struct cli_supervised *run, const struct reeve_error *err)
{
	if (run->quiet)
		return;
	fprintf(stderr, "reeve: warning: no control socket: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
}

/*
 * Nobody can have heard of a domain yet that ends within a few milliseconds, unless it has a name,
 * or we say ourselves that it is there: the others are spared socket and entry.
 */
static unsigned int control_delay(const struct cli_supervised *run)
{
	return run->name || run->status_fd || run->verbose ? 0 : CONTROL_DELAY_MS;
}

static struct reeve_control_server *serve_control(const struct cli_supervised *run,
	struct reeve_supervisor *supervisor, struct cli_reload *reload, bool was_childless)
{
	struct reeve_control_options options = {.size = sizeof(options),
		.name = run->name,
		.argv = run->command,
		.ruleset = run->ruleset,
		.policy_file = run->policy_file,
		.plan = run->plan,
		.reload = reload ? cli_reload_now : NULL,
		.reload_data = reload,
		.is_all_below = was_childless};
	struct reeve_control_server *server = NULL;
	struct reeve_error err = {0};

	options.after_ms = control_delay(run);
	if (reeve_control_serve(supervisor, &options, &server, &err) < 0)
		warn_no_control(run, &err);
	return server;
}

/* What only reading a large policy took: we stay as long as the program does. */
void cli_give_back_memory(void)
{
	if (mallinfo2().fordblks > TRIM_FROM)
		malloc_trim(0);
}

static bool has_live(const struct reeve_plan *plan)
{
	const struct reeve_plan_item *item;

	for (size_t i = 0; (item = reeve_plan_at(plan, i)); i++)
		if (strcmp(item->feature, "live") == 0)
			return item->by == REEVE_BY_SUPERVISOR;
	return false;
}

/* Live rules are the supervisor's from now on, which tells them when they are asked for. */
static struct reeve_ruleset *without_live(const struct reeve_ruleset *ruleset)
{
	struct reeve_ruleset *fewer = NULL;
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r;

	reeve_ruleset_handled(ruleset, &handled);
	r = reeve_ruleset_new(&handled, &fewer);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		bool is_live = rule.type == REEVE_RULE_PATH_BENEATH &&
			       (rule.flags & REEVE_RULE_LIVE) && !(rule.flags & REEVE_RULE_DENY);

		if (!is_live)
			r = reeve_ruleset_add(fewer, &rule, NULL);
	}
	if (r == 0)
		return fewer;
	reeve_ruleset_free(fewer);
	return NULL;
}

/* Of the policy only what is still needed is kept. */
static void keep_less(struct cli_supervised *run)
{
	bool live = has_live(run->plan);
	struct reeve_ruleset *fewer = live ? without_live(run->ruleset) : NULL;

	if (fewer) {
		reeve_ruleset_free(run->ruleset);
		run->ruleset = fewer;
	}
	run->reload.ruleset = run->ruleset;
}

static void free_plan(struct cli_supervised *run)
{
	reeve_plan_free(run->plan);
	run->plan = NULL;
	cli_give_back_memory();
}

static int start_and_wait(
	struct cli_supervised *run, struct sinks *sinks, struct cli_askers *askers)
{
	struct reeve_supervisor_options options = {.size = sizeof(options), .exec = run->exec};
	struct reeve_control_server *server;
	struct reeve_supervisor *supervisor;
	bool was_childless = cli_is_childless();
	cli_autoearlier struct cli_earlier *earlier = was_childless ? NULL : cli_earlier_new();
	struct cli_reload *reload;
	struct reeve_error err = {0};
	struct cli_jobs jobs;
	int status = 0, r;

	options.sync_wake_up = -1;
	options.no_shim = run->no_shim;
	options.record = run->record;
	if (sinks->events >= 0 || sinks->needed) {
		options.event = write_event;
		options.event_data = sinks;
	}
	cli_jobs_begin(&jobs);
	options.signal_mask = &jobs.mask;
	options.ignored_signals = &jobs.ignored;
	options.identified = run->identified;
	options.before_exec = cli_jobs_before_exec;
	options.before_exec_data = &jobs;
	cli_askers_options(askers, &options);
	jobs.paused = cli_askers_paused(askers);
	r = reeve_supervisor_start(run->plan, run->command, &options, &supervisor, &err);
	if (r < 0) {
		cli_jobs_end(&jobs);
		cli_print_error(&err);
		return reeve_exec_exit_code(&err);
	}
	keep_less(run);
	/* `reeve sandboxer` has no policy to be loaded again. */
	reload = run->reload.files ? cli_reload_begin(&run->reload, supervisor) : NULL;
	server = serve_control(run, supervisor, reload, was_childless);
	free_plan(run);
	report_started(run, sinks, supervisor);
	cli_askers_start(askers, supervisor);
	r = cli_jobs_wait(&jobs, supervisor, &status);
	cli_jobs_end(&jobs);
	cli_askers_free(askers);
	if (reeve_control_stop(server, &err) < 0)
		warn_no_control(run, &err);
	cli_reload_end(reload);
	return finish(run, sinks, supervisor, earlier, r, status);
}

static int open_written(struct cli_supervised *run, struct sinks *sinks)
{
	if (!run->write_policy.name)
		return 0;
	sinks->needed = cli_needed_new();
	return sinks->needed ? cli_write_policy_open(&run->write_policy)
			     : cli_fail(NULL, "out of memory");
}

static void warn_reachable(const struct cli_supervised *run, const struct sinks *sinks)
{
	if (run->quiet)
		return;
	cli_warn_reachable(run->ruleset, "--events", sinks->close_events ? sinks->events : -1);
	cli_warn_reachable(run->ruleset, "--status-fd", sinks->status);
	cli_warn_reachable(run->ruleset, "--write-policy", run->write_policy.fd);
}

int cli_run_supervised(struct cli_supervised *run)
{
	struct sinks sinks = {.events = -1, .status = -1};
	struct cli_askers askers = {0};
	int r = name_is_free(run->name);

	if (r == 0)
		r = open_events(run->events, &sinks);
	if (r == 0)
		r = open_status(run->status_fd, &sinks);
	if (r == 0)
		r = open_written(run, &sinks);
	if (r == 0)
		r = cli_askers_new(run, &askers);
	if (r == 0) {
		warn_reachable(run, &sinks);
		r = start_and_wait(run, &sinks, &askers);
	}
	cli_askers_free(&askers);
	if (sinks.close_events)
		close(sinks.events);
	if (run->write_policy.fd >= 0)
		close(run->write_policy.fd);
	cli_needed_free(sinks.needed);
	reeve_plan_free(run->plan);
	reeve_ruleset_free(run->ruleset);
	return r;
}
