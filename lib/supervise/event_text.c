/* SPDX-License-Identifier: MIT */
/* Events as lines of text and of JSON. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "supervise/domain_id.h"
#include "supervise/event_private.h"
#include "supervise/judge.h"

const char *rv_event_kind_name(enum reeve_event_kind kind)
{
	static const char *const names[] = {
		[REEVE_EVENT_START] = "start",
		[REEVE_EVENT_DENIED] = "denied",
		[REEVE_EVENT_GUARD] = "guard",
		[REEVE_EVENT_COMMIT] = "commit",
		[REEVE_EVENT_RELOAD] = "reload",
		[REEVE_EVENT_LOST] = "lost",
		[REEVE_EVENT_EXIT] = "exit",
		[REEVE_EVENT_QUESTION] = "question",
		[REEVE_EVENT_ANSWER] = "answer",
		[REEVE_EVENT_DOMAIN] = "domain",
		[REEVE_EVENT_FREED] = "freed",
	};
	bool known = (size_t)kind < RV_COUNT(names) && names[kind];

	return known ? names[kind] : "unknown";
}

const char *rv_event_denial(const struct reeve_event *event)
{
	const size_t length = strlen(RV_BY_DENIAL);

	if (event->kind != REEVE_EVENT_DENIED || !event->by ||
		strncmp(event->by, RV_BY_DENIAL, length) != 0)
		return NULL;
	return event->by + length;
}

/* Calls fn with the full name of each right, "fs.read_file"; unknown bits in hex. */
static void each_right(
	enum reeve_class cls, uint64_t bits, void (*fn)(void *data, const char *name), void *data)
{
	const struct reeve_right_info *info;
	char hex[48];

	for (size_t i = 0; (info = reeve_right_at(i)); i++) {
		if (info->cls != cls || !(bits & info->bit))
			continue;
		fn(data, info->full_name);
		bits &= ~info->bit;
	}
	if (!bits)
		return;
	snprintf(hex, sizeof(hex), "%s.0x%" PRIx64,
		(size_t)cls < REEVE_CLASS_COUNT ? reeve_class_name(cls) : "unknown", bits);
	fn(data, hex);
}

/* ------------------------------------------------------------------- for people */

static void add_escaped(struct rv_strbuf *sb, const char *text)
{
	size_t size = 4 * strlen(text) + 5;
	rv_autofree char *escaped = malloc(size);

	if (escaped)
		rv_strbuf_puts(sb, rv_escape(escaped, size, text, strlen(text)));
	else
		sb->failed = true;
}

static void add_part(struct rv_strbuf *sb, const char *before, const char *text)
{
	if (!text)
		return;
	rv_strbuf_puts(sb, before);
	add_escaped(sb, text);
}

static void add_right(void *data, const char *name)
{
	struct rv_strbuf *names = data;

	rv_strbuf_printf(names, "%s%s", names->length ? ", " : " ", name);
}

/* "fs.read_file /etc/shadow" */
static void request_to_text(struct rv_strbuf *sb, const struct reeve_event *event)
{
	uint64_t rights = event->missing ? event->missing : event->asked;
	rv_autostrbuf names = {0};

	if (rights)
		each_right(event->cls, rights, add_right, &names);
	if (names.text)
		rv_strbuf_puts(sb, names.text);
	else
		add_part(sb, " ", event->call);
	add_part(sb, " ", event->object);
	add_part(sb, " -> ", event->object2);
	if (rv_event_denial(event))
		add_part(sb, ", denied by ", rv_event_denial(event));
}

static void answer_to_text(struct rv_strbuf *sb, const struct reeve_event *event)
{
	rv_strbuf_printf(sb, "question %" PRIu64 " answered", event->question);
	add_part(sb, ": ", event->answer);
	add_part(sb, " by ", event->by);
	rv_strbuf_puts(sb, ":");
	request_to_text(sb, event);
}

static void guard_to_text(struct rv_strbuf *sb, const struct reeve_event *event)
{
	rv_strbuf_puts(sb, "refused");
	add_part(sb, " ", event->call);
	add_part(sb, " ", event->object);
	add_part(sb, " by ", event->by);
}

static void exit_to_text(struct rv_strbuf *sb, const struct reeve_event *event)
{
	if (WIFSIGNALED(event->status))
		rv_strbuf_printf(sb, "ended by signal %d (%s)", WTERMSIG(event->status),
			strsignal(WTERMSIG(event->status)));
	else
		rv_strbuf_printf(sb, "exited with %d", WEXITSTATUS(event->status));
}

static void what_to_text(struct rv_strbuf *sb, const struct reeve_event *event)
{
	switch (event->kind) {
	case REEVE_EVENT_START:
		rv_strbuf_puts(sb, "started");
		add_part(sb, " ", event->object);
		return;
	case REEVE_EVENT_DENIED:
		rv_strbuf_puts(sb, event->permissive ? "would be denied" : "denied");
		request_to_text(sb, event);
		return;
	case REEVE_EVENT_QUESTION:
		rv_strbuf_printf(sb, "question %" PRIu64 ":", event->question);
		request_to_text(sb, event);
		return;
	case REEVE_EVENT_ANSWER:
		answer_to_text(sb, event);
		return;
	case REEVE_EVENT_GUARD:
		guard_to_text(sb, event);
		return;
	case REEVE_EVENT_RELOAD:
		rv_strbuf_puts(sb, event->error ? "policy not reloaded" : "policy reloaded");
		add_part(sb, ": ", event->object);
		add_part(sb, " by ", event->by);
		return;
	case REEVE_EVENT_COMMIT:
		rv_strbuf_puts(sb, "rules changed");
		add_part(sb, ": ", event->object);
		add_part(sb, " by ", event->by);
		return;
	case REEVE_EVENT_LOST:
		rv_strbuf_printf(
			sb, "lost %" PRIu64 " event%s", event->count, event->count == 1 ? "" : "s");
		return;
	case REEVE_EVENT_EXIT:
		exit_to_text(sb, event);
		return;
	case REEVE_EVENT_DOMAIN:
		rv_strbuf_puts(sb, "made");
		add_part(sb, " by ", event->object);
		return;
	case REEVE_EVENT_FREED:
		rv_strbuf_printf(sb, "gone after %" PRIu64 " denial%s", event->count,
			event->count == 1 ? "" : "s");
		return;
	}
	rv_strbuf_printf(sb, "unknown event %d", (int)event->kind);
}

int reeve_event_to_text(const struct reeve_event *event, char **ret)
{
	rv_autofree struct reeve_event *known = NULL;
	rv_autostrbuf sb = {0};
	int r = reeve_event_copy(event, &known);

	if (r)
		return r;
	what_to_text(&sb, known);
	if (known->comm[0]) {
		add_part(&sb, " (", known->comm);
		rv_strbuf_printf(&sb, "[%d])", (int)known->pid);
	} else if (known->pid) {
		rv_strbuf_printf(&sb, " (pid %d)", (int)known->pid);
	}
	return rv_strbuf_steal(&sb, ret);
}

/* ------------------------------------------------------------------ for programs */

/* Consumes `value`, and remembers a failure. */
static void set(json_t *json, const char *key, json_t *value, bool *failed)
{
	if (json_object_set_new(json, key, value) < 0)
		*failed = true;
}

static json_t *to_hex(const char *text)
{
	size_t length = strlen(text);
	rv_autofree char *hex = malloc(2 * length + 1);

	for (size_t i = 0; hex && i < length; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)text[i]);
	return hex ? json_string(hex) : NULL;
}

/* JSON is UTF-8; what is not goes in escaped, and its bytes as KEY_hex besides. */
int rv_json_text(json_t *json, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;
	rv_autostrbuf escaped = {0};
	char hex_key[32];

	if (!text)
		return 0;
	if (value)
		return json_object_set_new(json, key, value);
	add_escaped(&escaped, text);
	snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
	if (escaped.failed || json_object_set_new(json, key, json_string(escaped.text)) < 0)
		return -1;
	return json_object_set_new(json, hex_key, to_hex(text));
}

static void set_text(json_t *json, const char *key, const char *text, bool *failed)
{
	if (rv_json_text(json, key, text) < 0)
		*failed = true;
}

static void append_right(void *data, const char *name)
{
	json_array_append_new(data, json_string(name));
}

static void set_rights(
	json_t *json, const char *key, enum reeve_class cls, uint64_t bits, bool *failed)
{
	json_t *array = json_array();

	if (array)
		each_right(cls, bits, append_right, array);
	set(json, key, array, failed);
}

static void set_number(json_t *json, const char *key, uint64_t value, bool *failed)
{
	set(json, key, json_integer((json_int_t)value), failed);
}

/* 2026-11-23T12:00:00.000000Z */
static void set_time(json_t *json, const char *key, const struct timespec *time, bool *failed)
{
	char text[40];
	struct tm tm;
	size_t n;

	if (!gmtime_r(&time->tv_sec, &tm))
		return;
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (!n)
		return;
	snprintf(text + n, sizeof(text) - n, ".%06ldZ", time->tv_nsec / 1000 % 1000000);
	set_text(json, key, text, failed);
}

static void set_caller(json_t *json, const struct reeve_event *event, bool *failed)
{
	if (event->pid)
		set_number(json, "pid", (uint64_t)event->pid, failed);
	if (event->tid)
		set_number(json, "tid", (uint64_t)event->tid, failed);
	set_text(json, "comm", event->comm[0] ? event->comm : NULL, failed);
	set_text(json, "exe", event->exe, failed);
	set_text(json, "call", event->call, failed);
}

static void set_request(json_t *json, const struct reeve_event *event, bool *failed)
{
	if (event->kind == REEVE_EVENT_DENIED || event->question) {
		set_rights(json, "asked", event->cls, event->asked, failed);
		set_rights(json, "missing", event->cls, event->missing, failed);
	}
	set_text(json, "object", event->object, failed);
	set_text(json, "object2", event->object2, failed);
	if (event->layer)
		set_number(json, "layer", event->layer, failed);
	if (event->permissive)
		set(json, "permissive", json_true(), failed);
	if (event->error)
		set_text(json, "error", strerrorname_np(event->error), failed);
	set_text(json, "by", event->by, failed);
}

static void set_result(json_t *json, const struct reeve_event *event, bool *failed)
{
	if (event->count)
		set_number(json, "count", event->count, failed);
	if (event->question)
		set_number(json, "question", event->question, failed);
	set_text(json, "answer", event->answer, failed);
	if (event->until.tv_sec)
		set_time(json, "until", &event->until, failed);
	if (event->kind != REEVE_EVENT_EXIT)
		return;
	if (WIFSIGNALED(event->status))
		set_number(json, "signal", (uint64_t)WTERMSIG(event->status), failed);
	else
		set_number(json, "code", (uint64_t)WEXITSTATUS(event->status), failed);
}

static json_t *to_json(const struct reeve_event *event, bool *failed)
{
	char id[RV_DOMAIN_ID_SIZE];
	json_t *json = json_object();

	set_number(json, "version", 1, failed);
	set_text(json, "event", rv_event_kind_name(event->kind), failed);
	set_number(json, "sequence", event->sequence, failed);
	set_time(json, "time", &event->time, failed);
	set_text(json, "domain", rv_domain_id_format(event->domain, id), failed);
	set_caller(json, event, failed);
	set_request(json, event, failed);
	set_result(json, event, failed);
	return json;
}

/* ASCII but for DEL, which JSON may leave as it is: nothing then does something to a terminal. */
static int dump(const json_t *json, char **ret)
{
	rv_autofree char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	rv_autostrbuf sb = {0};
	const char *at = text, *del;

	if (!text)
		return -ENOMEM;
	for (; (del = strchr(at, '\x7f')); at = del + 1) {
		rv_strbuf_add(&sb, at, (size_t)(del - at));
		rv_strbuf_puts(&sb, "\\u007f");
	}
	rv_strbuf_puts(&sb, at);
	return rv_strbuf_steal(&sb, ret);
}

int reeve_event_to_json(const struct reeve_event *event, char **ret)
{
	rv_autofree struct reeve_event *known = NULL;
	bool failed = false;
	json_t *json;
	int r = reeve_event_copy(event, &known);

	if (r)
		return r;
	json = to_json(known, &failed);
	r = json && !failed ? dump(json, ret) : -ENOMEM;
	json_decref(json);
	return r;
}
