/* SPDX-License-Identifier: MIT */
/* `reeve audit`: what the kernel's audit records of Landlock say, as reeve's events. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <time.h>
#include <reeve/audit.h>
#include "host.h"
#include "json.h"
#include "verbs.h"

#define FLUSH_MS   300 /* after so long, no more records of an event will come */
#define REFRESH_MS 1000

struct audit_options {
	bool json;
};

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct audit_options, json)},
	{0},
};

struct state {
	bool json, failed;
	struct reeve_host *host; /* NULL: not to be had */
	struct cli_join join;
	uint64_t read_at; /* milliseconds; 0: never */
	bool no_host;	  /* not tried again */
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000 + 1;
}

/* ------------------------------------------------------------------------------ joining */

static void forget_host(struct state *state)
{
	cli_join_release(&state->join);
	reeve_host_free(state->host);
	state->host = NULL;
}

static void read_host(struct state *state)
{
	struct reeve_error err = {0};

	forget_host(state);
	state->read_at = now();
	if (reeve_host_read(0, &state->host, &err) < 0)
		state->no_host = true;
	else if (cli_join_names(&state->join, &err) == 0)
		cli_join_host(state->host, &state->join);
}

/* The domain as it is now; a new one is looked for once in a while only. */
static const struct reeve_host_domain *find_domain(struct state *state, uint64_t id)
{
	const struct reeve_host_domain *found =
		state->host ? reeve_host_domain_find(state->host, id) : NULL;

	if (found || state->no_host || (state->read_at && now() < state->read_at + REFRESH_MS))
		return found;
	read_host(state);
	return state->host ? reeve_host_domain_find(state->host, id) : NULL;
}

/* ----------------------------------------------------------------------------- printing */

static bool is_in(const struct reeve_host_task *task, uint64_t id)
{
	for (unsigned int i = 0; i < task->depth; i++)
		if (task->domains[i] == id)
			return true;
	return false;
}

static json_t *processes_json(const struct reeve_host *host, uint64_t id)
{
	const struct reeve_host_task *task;
	json_t *array = json_array();

	for (size_t i = 0; (task = reeve_host_task_at(host, i)); i++)
		if (is_in(task, id))
			json_array_append_new(array, json_integer(task->tid));
	return array;
}

static json_t *creator_json(const struct reeve_host_domain *domain)
{
	json_t *json = json_pack(
		"{s:i, s:I}", "pid", (int)domain->creator, "uid", (json_int_t)domain->creator_uid);

	cli_json_text(json, "comm", domain->comm);
	cli_json_text(json, "exe", domain->exe);
	return json;
}

/* The event's own keys, and what is known of the domain now. */
static bool print_json(struct state *state, const struct reeve_event *event)
{
	const struct reeve_host_domain *domain = find_domain(state, event->domain);
	const struct cli_joined *joined = cli_join_find(&state->join, event->domain);
	cli_autofree char *text = NULL;
	char id[17];
	json_t *json;

	if (reeve_event_to_json(event, &text) < 0 || !(json = json_loads(text, 0, NULL)))
		return false;
	if (joined) {
		snprintf(id, sizeof(id), "%" PRIx64, joined->reeve);
		cli_json_text(json, "reeve", id);
		cli_json_text(json, "name", joined->name);
	}
	if (domain) {
		json_object_set_new(json, "creator", creator_json(domain));
		json_object_set_new(json, "processes", processes_json(state->host, event->domain));
	}
	return cli_json_line(json);
}

static bool print_text(struct state *state, const struct reeve_event *event)
{
	const struct reeve_host_domain *domain = find_domain(state, event->domain);
	const struct cli_joined *joined = cli_join_find(&state->join, event->domain);
	cli_autofree char *text = NULL;

	if (reeve_event_to_text(event, &text) < 0)
		return false;
	printf("%" PRIx64 " ", event->domain);
	if (joined)
		printf("(reeve %" PRIx64 ") ", joined->reeve);
	fputs(text, stdout);
	if (domain && event->kind == REEVE_EVENT_DENIED && !event->pid) {
		cli_autoescape char *comm = cli_escape(domain->comm);

		printf(" in the domain of %s[%d]", comm, (int)domain->creator);
	}
	return putchar('\n') != EOF;
}

static void on_event(void *data, const struct reeve_event *event)
{
	struct state *state = data;
	bool ok = state->json ? print_json(state, event) : print_text(state, event);

	state->failed |= !ok || fflush(stdout) != 0;
}

/* ------------------------------------------------------------------------------ reading */

static int read_log(struct state *state, struct reeve_audit *audit, FILE *in)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	while (r >= 0 && !state->failed && (n = getline(&line, &room, in)) > 0)
		r = reeve_audit_line(audit, line, (size_t)n);
	free(line);
	if (r >= 0 && !state->failed)
		r = reeve_audit_flush(audit);
	if (r < 0 || ferror(in))
		return cli_fail(
			NULL, "audit: cannot read the log: %s", strerror(r < 0 ? -r : errno));
	return state->failed ? CLI_ERROR : CLI_OK;
}

static int read_file(struct state *state, struct reeve_audit *audit, const char *path)
{
	cli_autoescape char *shown = cli_escape(path);
	FILE *in = fopen(path, "re");
	int code;

	if (!in)
		return cli_fail(NULL, "%s: cannot open: %s", shown, strerror(errno));
	code = read_log(state, audit, in);
	fclose(in);
	return code;
}

/* What was there before us has its first denials behind it. */
static int listen_on(struct state *state, struct reeve_audit *audit, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int r = 0;

	while (!state->failed) {
		int ready = poll(&poll_fd, 1, FLUSH_MS);

		if (ready < 0 && errno != EINTR)
			return cli_fail(NULL, "audit: cannot wait: %s", strerror(errno));
		r = ready > 0 ? reeve_audit_receive(audit) : reeve_audit_flush(audit);
		if (r == -ENOBUFS)
			fputs("reeve: some records were lost\n", stderr);
		else if (r < 0)
			return cli_fail(NULL, "audit: cannot read: %s", strerror(-r));
	}
	return CLI_ERROR;
}

/* Who pipes a log into it would wait for ever. (Whatever starts it may have given it a pipe, too.)
 */
static void tell_of_stdin(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode)))
		fputs("reeve: this shows what happens from now on; `reeve audit -` reads standard "
		      "input\n",
			stderr);
}

static int listen_live(struct state *state, struct reeve_audit *audit)
{
	struct reeve_error err = {0};
	bool enabled;
	int fd;

	if (reeve_audit_open(audit, &fd, &enabled, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (!enabled)
		fputs("reeve: auditing is off in this kernel, so nothing is recorded\n"
		      "hint: `auditctl -e 1` turns it on\n",
			stderr);
	tell_of_stdin();
	return listen_on(state, audit, fd);
}

static int run_audit(void *data, const struct cli_operands *operands)
{
	const struct audit_options *given = data;
	struct state state = {.json = given->json};
	struct reeve_audit *audit;
	int code;

	if (operands->count > 1)
		return cli_fail(NULL, "audit: expected at most one log");
	if (reeve_audit_new(on_event, &state, &audit) < 0)
		return cli_fail(NULL, "out of memory");
	if (operands->count == 0)
		code = listen_live(&state, audit);
	else if (strcmp(operands->items[0], "-") == 0)
		code = read_log(&state, audit, stdin);
	else
		code = read_file(&state, audit, operands->items[0]);
	reeve_audit_free(audit);
	forget_host(&state);
	return code;
}

const struct cli_verb cli_verb_audit = {
	.name = "audit",
	.synopsis = "[LOG]",
	.summary = "Show what the kernel's audit says of Landlock, on the whole host",
	.text = "As events, like `reeve watch`, each with the kernel's id of the domain. Without\n"
		"LOG as they happen, until Ctrl-C, which needs root and that auditing is on. LOG\n"
		"is a file, or - for standard input: audit.log, dmesg, `ausearch --raw`.\n"
		"\n"
		"Exit code: 0 the log was read; 125 it could not be.\n",
	.options = options,
	.size = sizeof(struct audit_options),
	.complete = CLI_PATHS,
	.run = run_audit,
};
