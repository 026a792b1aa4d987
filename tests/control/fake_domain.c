/* SPDX-License-Identifier: MIT */
/*
 * The real control server over a supervisor that is made up, so that the protocol and the peer
 * checks can be tested without a sandbox, on any kernel. Commands on stdin, answers on stdout:
 *
 *	fake-domain [NAME]	prints "serving ID PATH", or "failed ERRNO MESSAGE"; with FAKE_WAIT
 *				in the environment first "id ID", and waits for a line
 *	deny PATH COUNT		COUNT denials of reading PATH: "denied"
 *	spawn COMMAND		runs it by sh, below this supervisor: "spawned STATUS"
 *	rules			"rules N COMMITS": those in force
 *	exit			the event that the program ended; then, and at the end of stdin:
 *				stops, "stopped KILLED"
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reeve/control.h>
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "supervise/board.h"
#include "supervise/member.h"

#define MAX_RULES 64

struct fake_rule {
	struct reeve_rule rule;
	uint64_t milliseconds;
	bool once, committed;
};

struct reeve_supervisor {
	pthread_mutex_t lock;
	uint64_t domain;
	struct rv_certificate certificate;
	struct fake_rule rules[MAX_RULES];
	size_t count;
	uint64_t commits, denied, sequence;
	void (*fn)(void *data, const struct reeve_event *event);
	void *data;
	struct reeve_event denials[16];
	uint64_t counts[16];
	size_t denial_count;
	bool killed;
};

/* ---- what the server calls, in place of session_rules.c */

uint64_t reeve_supervisor_domain(const struct reeve_supervisor *s)
{
	return s->domain;
}

const struct rv_certificate *rv_supervisor_certificate(const struct reeve_supervisor *s)
{
	return &s->certificate;
}

/* Everybody is: what the test passes is what matters. */
int rv_supervisor_has(struct reeve_supervisor *s, int pidfd)
{
	struct rv_pidfd_ids ids;

	(void)s;
	return rv_pidfd_ids(pidfd, &ids) < 0 ? -EBADF : 1;
}

pid_t reeve_supervisor_pid(const struct reeve_supervisor *s)
{
	(void)s;
	return getpid();
}

/* No other process sees this one's numbers, so that it is asked for them. */
int rv_session_besides(const struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data)
{
	(void)s;
	(void)fn;
	(void)data;
	return 0;
}

int rv_session_protected(const struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data)
{
	return rv_session_besides(s, fn, data);
}

bool rv_session_has_ended_live(const struct reeve_supervisor *s)
{
	(void)s;
	return false;
}

int rv_session_board(const struct reeve_supervisor *s)
{
	(void)s;
	return -1;
}

int reeve_supervisor_stage_add(struct reeve_supervisor *s, const struct reeve_rule *rule,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	struct fake_rule *added;

	(void)err;
	if (s->count == MAX_RULES)
		return -ENOMEM;
	added = &s->rules[s->count++];
	*added = (struct fake_rule){
		.rule = *rule, .milliseconds = options->milliseconds, .once = options->once};
	added->rule.path = rule->path ? strdup(rule->path) : NULL;
	added->rule.address = rule->address ? strdup(rule->address) : NULL;
	added->rule.origin = strdup(rule->origin ? rule->origin : "");
	return 0;
}

int reeve_supervisor_stage_revoke(
	struct reeve_supervisor *s, const struct reeve_rule *rule, struct reeve_error *err)
{
	int touched = 0;

	(void)err;
	for (size_t i = 0; i < s->count; i++)
		if (s->rules[i].rule.path && rule->path &&
			strcmp(s->rules[i].rule.path, rule->path) == 0 &&
			(!rule->allowed || (s->rules[i].rule.allowed & rule->allowed))) {
			s->rules[i].rule.allowed &= rule->allowed ? ~rule->allowed : 0;
			touched++;
		}
	return touched;
}

int reeve_supervisor_commit(struct reeve_supervisor *s, const char *by, struct reeve_error *err)
{
	(void)by;
	(void)err;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count; i++)
		s->rules[i].committed = true;
	s->commits++;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int reeve_supervisor_grant(struct reeve_supervisor *s, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = reeve_supervisor_stage_add(s, &rules[i], options, err);
	return r ? r : reeve_supervisor_commit(s, options->by, err);
}

int reeve_supervisor_rules(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_live_rule *rule), void *data)
{
	int r = 0;

	for (size_t i = 0; i < s->count && r == 0; i++) {
		struct reeve_live_rule live = {.rule = s->rules[i].rule,
			.by = "uid 1",
			.uses = 3,
			.milliseconds_left =
				s->rules[i].milliseconds ? s->rules[i].milliseconds : UINT64_MAX,
			.once = s->rules[i].once};

		if (s->rules[i].rule.allowed)
			r = fn(data, &live);
	}
	return r;
}

int reeve_supervisor_subscribe(struct reeve_supervisor *s,
	void (*fn)(void *data, const struct reeve_event *event), void *data)
{
	pthread_mutex_lock(&s->lock);
	s->fn = fn;
	s->data = data;
	pthread_mutex_unlock(&s->lock);
	return 1;
}

void reeve_supervisor_unsubscribe(struct reeve_supervisor *s, int id)
{
	(void)id;
	pthread_mutex_lock(&s->lock);
	s->fn = NULL;
	pthread_mutex_unlock(&s->lock);
}

int reeve_supervisor_denials(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_event *event, uint64_t count), void *data)
{
	int r = 0;

	for (size_t i = 0; i < s->denial_count && r == 0; i++)
		r = fn(data, &s->denials[i], s->counts[i]);
	return r;
}

void reeve_supervisor_counters(struct reeve_supervisor *s, struct reeve_supervisor_counters *ret)
{
	*ret = (struct reeve_supervisor_counters){
		.size = sizeof(*ret), .denied = s->denied, .commits = s->commits};
}

/* This one cannot load its policy again. */
void reeve_reload_release(struct reeve_reload *reload)
{
	(void)reload;
}

void reeve_supervisor_kill(struct reeve_supervisor *s)
{
	s->killed = true;
}

/* ---- questions: in place of session_ask.c; nobody asks here (tests/supervise/test_ask.py) */

int reeve_supervisor_ask(
	struct reeve_supervisor *s, const struct reeve_approver *approver, struct reeve_error *err)
{
	(void)s;
	(void)approver;
	(void)err;
	return 1;
}

void reeve_supervisor_ask_end(struct reeve_supervisor *s, int id)
{
	(void)s;
	(void)id;
}

int reeve_supervisor_questions(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_question *question), void *data)
{
	(void)s;
	(void)fn;
	(void)data;
	return 0;
}

int reeve_supervisor_answer(struct reeve_supervisor *s, uint64_t question,
	const struct reeve_answer *answer, struct reeve_error *err)
{
	(void)s;
	(void)question;
	(void)answer;
	(void)err;
	return -ENOENT;
}

/* ---- commands */

static void emit(struct reeve_supervisor *s, struct reeve_event *event)
{
	event->size = sizeof(*event);
	event->sequence = ++s->sequence;
	event->domain = s->domain;
	clock_gettime(CLOCK_REALTIME, &event->time);
	pthread_mutex_lock(&s->lock);
	if (s->fn)
		s->fn(s->data, event);
	pthread_mutex_unlock(&s->lock);
}

static void deny(struct reeve_supervisor *s, const char *path, unsigned long count)
{
	struct reeve_event event = {.kind = REEVE_EVENT_DENIED,
		.pid = 12,
		.tid = 12,
		.comm = "evil\033[2J",
		.exe = "/usr/bin/evil",
		.call = "openat",
		.cls = REEVE_FS,
		.asked = REEVE_FS_READ_FILE,
		.missing = REEVE_FS_READ_FILE,
		.object = path,
		.error = EACCES,
		.by = "floor",
		.count = 1};

	for (unsigned long i = 0; i < count; i++)
		emit(s, &event);
	s->denied += count;
	if (s->denial_count < 16) {
		s->denials[s->denial_count] = event;
		s->denials[s->denial_count].object = strdup(path);
		s->counts[s->denial_count++] = count;
	}
	puts("denied");
}

static void spawn(const char *command)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("spawned %d\n", WEXITSTATUS(status));
}

/* False: the end. */
static bool command(struct reeve_supervisor *s, char *line)
{
	struct reeve_event ended = {.kind = REEVE_EVENT_EXIT, .pid = 12, .tid = 12};
	size_t rules = 0;
	char *count;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "deny ", 5) == 0) {
		count = strrchr(line, ' ');
		*count++ = '\0';
		deny(s, line + 5, strtoul(count, NULL, 10));
	} else if (strncmp(line, "spawn ", 6) == 0) {
		spawn(line + 6);
	} else if (strcmp(line, "rules") == 0) {
		pthread_mutex_lock(&s->lock);
		for (size_t i = 0; i < s->count; i++)
			rules += s->rules[i].rule.allowed && s->rules[i].committed;
		printf("rules %zu %" PRIu64 "\n", rules, s->commits);
		pthread_mutex_unlock(&s->lock);
	} else {
		emit(s, &ended);
		return false;
	}
	return true;
}

static struct reeve_ruleset *policy(void)
{
	struct reeve_rights handled = {
		.of = {[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, 7) & ~REEVE_FS_IOCTL_DEV}};
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.path = "/usr",
		.allowed = REEVE_FS_READ_FILE,
		.origin = "fake.toml:1"};
	struct reeve_ruleset *ruleset = NULL;

	if (reeve_ruleset_new(&handled, &ruleset) || reeve_ruleset_add(ruleset, &rule, NULL))
		exit(2);
	return ruleset;
}

/* In tests ids are wanted that begin alike: drawn until one does. */
static void draw_id(struct reeve_supervisor *s)
{
	const char *prefix = getenv("FAKE_ID") ? getenv("FAKE_ID") : "";
	char text[RV_DOMAIN_ID_SIZE];

	s->certificate.pidns = rv_process_pidns();
	s->certificate.supervisor = s->certificate.program = rv_process_id_of(getpid());
	do
		if (rv_certificate_make(&s->certificate) < 0)
			exit(2);
	while (strncmp(rv_domain_id_format(s->certificate.domain, text), prefix, strlen(prefix)));
	s->domain = s->certificate.domain;
}

static void wait_if_wanted(const struct reeve_supervisor *s)
{
	char line[16];

	if (!getenv("FAKE_WAIT"))
		return;
	printf("id %" PRIx64 "\n", s->domain);
	if (!fgets(line, sizeof(line), stdin))
		exit(2);
}

int main(int argc, char **argv)
{
	static struct reeve_supervisor s = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct reeve_control_options options = {
		.size = sizeof(options), .name = argv[1], .argv = argv, .ruleset = policy()};
	struct reeve_control_server *server;
	struct reeve_error err = {0};
	char line[8192];
	int r;

	(void)argc;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	draw_id(&s);
	wait_if_wanted(&s);
	r = reeve_control_serve(&s, &options, &server, &err);
	reeve_ruleset_free((struct reeve_ruleset *)options.ruleset);
	if (r < 0) {
		printf("failed %d %s\n", -err.code, err.message);
		return 1;
	}
	printf("serving %" PRIx64 " %s\n", s.domain, reeve_control_path(server));
	while (fgets(line, sizeof(line), stdin) && command(&s, line))
		;
	reeve_control_stop(server, NULL);
	printf("stopped %d\n", s.killed);
	return 0;
}
