/* SPDX-License-Identifier: MIT */
/* From the fields of a record to an event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "observe/audit.h"

#define OBJECT_SIZE 4352 /* a path, decoded: PATH_MAX, and a little */

struct rv_audit_event {
	struct rv_audit_event *next;
	struct reeve_event event; /* its strings are the ones below */
	char object[OBJECT_SIZE], exe[256], named[64];
};

struct rv_audit_event **rv_audit_event_next(struct rv_audit_event *event)
{
	return &event->next;
}

bool rv_audit_event_is_last(const struct rv_audit_event *event)
{
	return event->event.kind == REEVE_EVENT_FREED;
}

/* ----------------------------------------------------------------------------- objects */

/* "ADDRESS:PORT", as far as the record has them. */
static bool take_address(const struct rv_audit_record *record, const char *address_key,
	const char *port_key, char *buf, size_t size)
{
	char address[64] = "";
	int64_t port = -1;
	bool any = rv_audit_text(record, address_key, address, sizeof(address));
	const char *colon;

	any |= rv_audit_number(record, port_key, &port);
	colon = strchr(address, ':') ? "]" : "";
	if (any && port >= 0)
		snprintf(buf, size, "%s%s%s%s%u", *colon ? "[" : "", address, colon,
			*address ? ":" : "", (unsigned int)port);
	else if (any)
		snprintf(buf, size, "%s", address);
	return any;
}

static bool take_process(const struct rv_audit_record *record, char *buf, size_t size)
{
	char comm[64] = "?";
	int64_t pid;

	if (!rv_audit_number(record, "opid", &pid))
		return false;
	rv_audit_text(record, "ocomm", comm, sizeof(comm));
	snprintf(buf, size, "pid %lld (%s)", (long long)pid, comm);
	return true;
}

static bool take_object(const struct rv_audit_record *record, char *buf, size_t size)
{
	static const char *const addresses[][2] = {
		{"daddr", "dest"}, {"saddr", "src"}, {"faddr", "fport"}, {"laddr", "lport"}};

	if (rv_audit_text(record, "path", buf, size) || rv_audit_text(record, "name", buf, size) ||
		take_process(record, buf, size))
		return true;
	for (size_t i = 0; i < RV_COUNT(addresses); i++)
		if (take_address(record, addresses[i][0], addresses[i][1], buf, size))
			return true;
	return false;
}

/* ------------------------------------------------------------------------------ events */

/* "fs.write_file,fs.read_file": rights of one class; what is none goes to `call`. */
static bool take_blockers(const struct rv_audit_record *record, struct rv_audit_event *event)
{
	char blockers[512], *rest = blockers, *word;

	if (!rv_audit_text(record, "blockers", blockers, sizeof(blockers)))
		return false;
	while ((word = strsep(&rest, ","))) {
		const struct reeve_right_info *right = reeve_right_find(REEVE_CLASS_COUNT, word);

		if (right && (!event->event.missing || event->event.cls == right->cls)) {
			event->event.cls = right->cls;
			event->event.missing |= right->bit;
		} else if (!event->event.call) {
			snprintf(event->named, sizeof(event->named), "%s", word);
			event->event.call = event->named;
		}
	}
	event->event.asked = event->event.missing;
	return true;
}

static bool fill_denied(const struct rv_audit_record *record, struct rv_audit_event *event)
{
	event->event.kind = REEVE_EVENT_DENIED;
	if (!take_blockers(record, event))
		return false;
	if (take_object(record, event->object, sizeof(event->object)))
		event->event.object = event->object;
	return true;
}

/* Numbers of a log are not to be believed. */
static pid_t take_pid(const struct rv_audit_record *record)
{
	int64_t pid;

	return rv_audit_number(record, "pid", &pid) && pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static bool fill_domain(const struct rv_audit_record *record, struct rv_audit_event *event)
{
	char status[16];
	int64_t denials;

	if (!rv_audit_text(record, "status", status, sizeof(status)))
		return false;
	if (strcmp(status, "deallocated") == 0) {
		event->event.kind = REEVE_EVENT_FREED;
		if (rv_audit_number(record, "denials", &denials) && denials > 0)
			event->event.count = (uint64_t)denials;
		return true;
	}
	event->event.kind = REEVE_EVENT_DOMAIN;
	event->event.pid = take_pid(record);
	rv_audit_text(record, "comm", event->event.comm, sizeof(event->event.comm));
	if (rv_audit_text(record, "exe", event->exe, sizeof(event->exe)))
		event->event.exe = event->event.object = event->exe;
	return strcmp(status, "allocated") == 0;
}

struct rv_audit_event *rv_audit_event_new(const struct rv_audit_record *record, int *ret_r)
{
	rv_autofree struct rv_audit_event *event = calloc(1, sizeof(*event));
	bool ok;

	if (!event) {
		*ret_r = -ENOMEM;
		return NULL;
	}
	event->event.size = sizeof(event->event);
	event->event.sequence = record->serial;
	event->event.time = record->time;
	event->event.by = "kernel";
	ok = rv_audit_id(record, "domain", &event->event.domain) && event->event.domain != 0;
	ok = ok && (record->type == RV_AUDIT_ACCESS ? fill_denied(record, event)
						    : fill_domain(record, event));
	return ok ? rv_steal_ptr(&event) : NULL;
}

void rv_audit_caller(struct rv_audit_pending *pending, const struct rv_audit_record *record)
{
	int64_t exit;

	pending->pid = take_pid(record);
	if (rv_audit_number(record, "exit", &exit) && exit < 0 && exit > -4096)
		pending->error = (int)-exit;
	rv_audit_text(record, "comm", pending->comm, sizeof(pending->comm));
	rv_audit_text(record, "exe", pending->exe, sizeof(pending->exe));
	rv_audit_text(record, "SYSCALL", pending->call, sizeof(pending->call));
}

/* pid in a record is a thread's id; it is a process's where the two are the same. */
void rv_audit_report(const struct reeve_audit *audit, const struct rv_audit_pending *pending,
	struct rv_audit_event *event)
{
	struct reeve_event *reported = &event->event;

	if (reported->kind == REEVE_EVENT_DENIED) {
		reported->pid = pending->pid;
		reported->error = pending->error;
		memcpy(reported->comm, pending->comm, sizeof(reported->comm));
		reported->exe = *pending->exe ? pending->exe : NULL;
		if (!reported->call && *pending->call)
			reported->call = pending->call;
	}
	audit->fn(audit->data, reported);
}
