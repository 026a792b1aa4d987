/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include "base/cleanup.h"
#include "observe/audit.h"

static void drop(struct rv_audit_pending *pending)
{
	while (pending->first) {
		struct rv_audit_event *next = *rv_audit_event_next(pending->first);

		free(pending->first);
		pending->first = next;
	}
}

/* Reports and forgets the oldest. */
static void report_oldest(struct reeve_audit *audit)
{
	struct rv_audit_pending *oldest = &audit->pending[0];

	for (struct rv_audit_event *event = oldest->first; event;
		event = *rv_audit_event_next(event))
		rv_audit_report(audit, oldest, event);
	drop(oldest);
	audit->count--;
	memmove(oldest, oldest + 1, audit->count * sizeof(*oldest));
}

static struct rv_audit_pending *find(struct reeve_audit *audit, uint64_t serial)
{
	for (size_t i = 0; i < audit->count; i++)
		if (audit->pending[i].serial == serial)
			return &audit->pending[i];
	return NULL;
}

static struct rv_audit_pending *begin(struct reeve_audit *audit, uint64_t serial)
{
	struct rv_audit_pending *pending;

	if (audit->count == RV_AUDIT_PENDING)
		report_oldest(audit);
	pending = &audit->pending[audit->count++];
	memset(pending, 0, sizeof(*pending));
	pending->serial = serial;
	return pending;
}

/* In order: what is complete waits for those before it, a while. */
static void report_complete(struct reeve_audit *audit)
{
	while (audit->count > 0 && audit->pending[0].complete)
		report_oldest(audit);
}

static int take_landlock(struct reeve_audit *audit, const struct rv_audit_record *record)
{
	struct rv_audit_pending *pending = find(audit, record->serial);
	struct rv_audit_event *event, **end;
	int r = 0;

	event = rv_audit_event_new(record, &r);
	if (!event)
		return r;
	if (!pending)
		pending = begin(audit, record->serial);
	end = &pending->first;
	while (*end)
		end = rv_audit_event_next(*end);
	*end = event;
	pending->complete |= rv_audit_event_is_last(event);
	report_complete(audit);
	return 1;
}

int rv_audit_take(struct reeve_audit *audit, const struct rv_audit_record *record)
{
	struct rv_audit_pending *pending;

	if (record->type == RV_AUDIT_ACCESS || record->type == RV_AUDIT_DOMAIN)
		return take_landlock(audit, record);
	pending = find(audit, record->serial);
	if (!pending)
		return 0;
	if (record->type == RV_AUDIT_SYSCALL)
		rv_audit_caller(pending, record);
	else if (record->type == RV_AUDIT_EOE)
		pending->complete = true;
	report_complete(audit);
	return 1;
}

int reeve_audit_new(void (*fn)(void *data, const struct reeve_event *event), void *data,
	struct reeve_audit **ret)
{
	struct reeve_audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		return -ENOMEM;
	audit->fn = fn;
	audit->data = data;
	audit->fd = -1;
	*ret = audit;
	return 0;
}

void reeve_audit_free(struct reeve_audit *audit)
{
	if (!audit)
		return;
	for (size_t i = 0; i < audit->count; i++)
		drop(&audit->pending[i]);
	rv_close_p(&audit->fd);
	free(audit);
}

int reeve_audit_line(struct reeve_audit *audit, const char *line, size_t length)
{
	struct rv_audit_record record;

	return rv_audit_parse_line(line, length, &record) ? rv_audit_take(audit, &record) : 0;
}

int reeve_audit_flush(struct reeve_audit *audit)
{
	while (audit->count > 0)
		report_oldest(audit);
	return 0;
}
