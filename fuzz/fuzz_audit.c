/* SPDX-License-Identifier: MIT */
/* Lines of audit logs, from whoever could write them; each event is also made text and JSON. */
#include <reeve/audit.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line each, and nothing in it that does something to a terminal. */
static void check(char *text)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			abort();
	free(text);
}

static void on_event(void *data, const struct reeve_event *event)
{
	char *text;

	(void)data;
	if (event->domain == 0)
		abort();
	if (reeve_event_to_text(event, &text) == 0)
		check(text);
	if (reeve_event_to_json(event, &text) == 0)
		check(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reeve_audit *audit;
	const char *at = (const char *)data, *end = at + size;

	if (reeve_audit_new(on_event, NULL, &audit) < 0)
		return 0;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		reeve_audit_line(audit, at, length);
		at += length + (newline != NULL);
	}
	reeve_audit_flush(audit);
	reeve_audit_free(audit);
	return 0;
}
