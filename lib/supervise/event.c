/* SPDX-License-Identifier: MIT */
/* Copies of events, and the flag that would allow what one denied. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "supervise/event_private.h"

/* ----------------------------------------------------------------------- copying */

static const size_t strings_at[] = {
	offsetof(struct reeve_event, exe),
	offsetof(struct reeve_event, call),
	offsetof(struct reeve_event, object),
	offsetof(struct reeve_event, object2),
	offsetof(struct reeve_event, by),
	offsetof(struct reeve_event, answer),
};

static const char **string_of(struct reeve_event *event, size_t i)
{
	return (const char **)((char *)event + strings_at[i]);
}

/* What the caller's version of the structure has; 0 says that it is ours. */
static struct reeve_event known_part(const struct reeve_event *event)
{
	struct reeve_event known = {0};
	size_t size = event->size ? event->size : sizeof(known);

	memcpy(&known, event, size < sizeof(known) ? size : sizeof(known));
	known.size = sizeof(known);
	known.comm[sizeof(known.comm) - 1] = '\0';
	return known;
}

size_t rv_event_strings_size(const struct reeve_event *event, size_t cap)
{
	struct reeve_event known = known_part(event);
	size_t size = 0;

	for (size_t i = 0; i < RV_COUNT(strings_at); i++) {
		const char *text = *string_of(&known, i);

		size += text ? strnlen(text, cap - 1) + 1 : 0;
	}
	return size;
}

void rv_event_copy_to(
	struct reeve_event *to, char *strings, const struct reeve_event *from, size_t cap)
{
	*to = known_part(from);
	for (size_t i = 0; i < RV_COUNT(strings_at); i++) {
		const char **text = string_of(to, i);
		size_t length;

		if (!*text)
			continue;
		length = strnlen(*text, cap - 1);
		memcpy(strings, *text, length);
		strings[length] = '\0';
		*text = strings;
		strings += length + 1;
	}
}

int reeve_event_copy(const struct reeve_event *event, struct reeve_event **ret)
{
	size_t size = rv_event_strings_size(event, SIZE_MAX);
	struct reeve_event *copy = malloc(sizeof(*copy) + size);

	if (!copy)
		return -ENOMEM;
	rv_event_copy_to(copy, (char *)(copy + 1), event, SIZE_MAX);
	*ret = copy;
	return 0;
}

/* ------------------------------------------------------------------------- flags */

#define READING (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)

static void quote_plain(struct rv_strbuf *sb, const char *text, size_t length)
{
	rv_strbuf_puts(sb, "'");
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\'')
			rv_strbuf_puts(sb, "'\\''");
		else
			rv_strbuf_add(sb, text + i, 1);
	}
	rv_strbuf_puts(sb, "'");
}

/* Whether a shell would take an escape of rv_escape() for other than quotes and backslashes. */
static bool has_controls(const char *escaped)
{
	for (const char *p = strchr(escaped, '\\'); p; p = strchr(p + 2, '\\'))
		if (p[1] != '"' && p[1] != '\\')
			return true;
	return false;
}

/* $'…' of bash, zsh and ksh: nothing else can show such a name on one line. */
static void quote_controls(struct rv_strbuf *sb, const char *escaped)
{
	rv_strbuf_puts(sb, "$'");
	for (const char *p = escaped; *p; p++) {
		if (*p == '\'')
			rv_strbuf_puts(sb, "\\'");
		else
			rv_strbuf_add(sb, p, 1);
	}
	rv_strbuf_puts(sb, "'");
}

static void quote(struct rv_strbuf *sb, const char *text, size_t length)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_@%+=:,./-";
	rv_autofree char *escaped = malloc(4 * length + 5);

	if (!escaped) {
		sb->failed = true;
		return;
	}
	rv_escape(escaped, 4 * length + 5, text, length);
	if (has_controls(escaped))
		quote_controls(sb, escaped);
	else if (strspn(text, harmless) >= length)
		rv_strbuf_add(sb, text, length);
	else
		quote_plain(sb, text, length);
}

static void add_flag(struct rv_strbuf *sb, const char *flag, const char *object, size_t length)
{
	rv_strbuf_printf(sb, "%s%s ", sb->length ? " " : "", flag);
	quote(sb, object, length);
}

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? 1 : (size_t)(slash - path);
}

/* Whether a directory is another one or above it. */
static bool contains(const char *dir, size_t length, const char *other, size_t other_length)
{
	return length <= other_length && memcmp(dir, other, length) == 0 &&
	       (length == 1 || length == other_length || other[length] == '/');
}

/* The directories of one or two names; where one holds the other, it will do. */
static void add_directories(struct rv_strbuf *sb, const char *object, const char *object2)
{
	size_t length = directory_length(object), length2;

	if (!object2 || object2[0] != '/')
		object2 = object;
	length2 = directory_length(object2);
	if (!contains(object2, length2, object, length) || length2 == length)
		add_flag(sb, "--rw", object, length);
	if (!contains(object, length, object2, length2))
		add_flag(sb, "--rw", object2, length2);
}

/* The next run's processes have other directories in /proc. */
static size_t lasting_length(const char *path)
{
	bool of_process = strncmp(path, "/proc/", 6) == 0 && path[6] >= '1' && path[6] <= '9';

	return of_process ? strlen("/proc") : strlen(path);
}

static void add_fs(struct rv_strbuf *sb, const struct reeve_event *event, uint64_t rights)
{
	size_t length = lasting_length(event->object);

	if (!rights || event->object[0] != '/' || (rights & REEVE_FS_EXECUTE))
		return;
	/* Where it would have been made there is nothing that a flag could name. */
	if ((rights & RV_IN_DIRECTORY) || (event->asked & RV_MAKING))
		add_directories(sb, event->object, event->object2);
	else if (!(rights & ~READING))
		add_flag(sb, "--ro", event->object, length);
	else if (rights & ~REEVE_FS_RESOLVE_UNIX)
		add_flag(sb, "--rw", event->object, length);
	if (rights & REEVE_FS_RESOLVE_UNIX)
		add_flag(sb, "--unix", event->object, length);
}

static void add_other(struct rv_strbuf *sb, const struct reeve_event *event, uint64_t rights)
{
	static const struct {
		enum reeve_class cls;
		uint64_t right;
		const char *flag;
	} flags[] = {
		{REEVE_NET, REEVE_NET_BIND_TCP, "--bind-tcp"},
		{REEVE_NET, REEVE_NET_CONNECT_TCP, "--connect-tcp"},
		{REEVE_NET, REEVE_NET_BIND_UDP, "--bind-udp"},
		{REEVE_NET, REEVE_NET_CONNECT_SEND_UDP, "--connect-udp"},
		{REEVE_SOCKET, REEVE_SOCKET_CREATE, "--socket"},
	};

	for (size_t i = 0; i < RV_COUNT(flags); i++)
		if (flags[i].cls == event->cls && (flags[i].right & rights))
			add_flag(sb, flags[i].flag, event->object, strlen(event->object));
}

char *reeve_event_flag(const struct reeve_event *event, char *buf, size_t size)
{
	struct reeve_event known = known_part(event);
	rv_autostrbuf sb = {0};

	if (size == 0)
		return buf;
	buf[0] = '\0';
	if (known.kind != REEVE_EVENT_DENIED || !known.object || rv_event_denial(&known))
		return buf;
	if (known.cls == REEVE_FS)
		add_fs(&sb, &known, known.missing);
	else
		add_other(&sb, &known, known.missing);
	/* A flag that is cut would mean something else. */
	if (sb.length && !sb.failed && sb.length < size)
		memcpy(buf, sb.text, sb.length + 1);
	return buf;
}
