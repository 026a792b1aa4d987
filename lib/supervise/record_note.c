/* SPDX-License-Identifier: MIT */
/* From what a handler knows to what is noted. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "supervise/record.h"

#define REMOVING (REEVE_FS_REMOVE_DIR | REEVE_FS_REMOVE_FILE)

/* A path of a caller with another root is not what we take it for, nor one of who is gone. */
static bool has_our_view(struct rv_request *request)
{
	if (!rv_caller_waits(request->caller))
		return false;
	if (rv_self_same_view(&request->context->own, request->caller))
		return true;
	rv_record_hidden(request->context->record);
	return false;
}

static void put(struct rv_request *request, const struct rv_note *note)
{
	struct reeve_record *record = request->context->record;

	rv_record_put(record, rv_record_actor(record, request->caller), note);
}

/* ---------------------------------------------------------------- what was judged */

static bool is_denied(const struct rv_judgement *judgement)
{
	return judgement->result == RV_DENIED;
}

static void set_outcome(struct rv_note *note, const struct rv_judgement *judgement, bool would_work)
{
	if (!would_work) {
		note->outcome = REEVE_ACCESS_FAILED;
		note->error = EACCES;
	} else if (is_denied(judgement)) {
		note->outcome = REEVE_ACCESS_DENIED;
		note->error = judgement->decision.error;
	}
}

static bool is_directory(const struct rv_verdict *verdict)
{
	const struct rv_place *place = verdict->places[0];

	if (verdict->pinned)
		return S_ISDIR(verdict->pinned->st.st_mode);
	if (verdict->asked & REEVE_FS_MAKE_DIR)
		return true;
	return place && place->exists && S_ISDIR(place->st.st_mode);
}

static unsigned int flags_of(const struct rv_verdict *verdict, uint64_t rights)
{
	const struct rv_place *to = verdict->places[1];
	bool moves = verdict->object2 && to;
	unsigned int flags = is_directory(verdict) ? REEVE_ACCESS_DIRECTORY : 0;

	if (verdict->makes && verdict->pinned)
		return flags | REEVE_ACCESS_NAMELESS;
	if (verdict->makes || (verdict->object2 && !(moves && to->exists)))
		flags |= REEVE_ACCESS_MAKES;
	if (verdict->exclusive)
		flags |= REEVE_ACCESS_EXCLUSIVE;
	if (moves || (!verdict->object2 && (rights & REMOVING)))
		flags |= REEVE_ACCESS_REMOVES;
	if (moves && to->exists)
		flags |= REEVE_ACCESS_REPLACES;
	return flags;
}

void rv_record_verdict(
	struct rv_request *request, const struct rv_verdict *verdict, bool would_work)
{
	uint64_t rights = verdict->needs ? verdict->needs : verdict->asked;
	struct rv_note note = {.call = request->call,
		.cls = REEVE_FS,
		.rights = rights,
		.implied = verdict->implied & ~rights,
		.object = verdict->object,
		.object2 = verdict->object2,
		.flags = flags_of(verdict, rights)};

	if (!has_our_view(request))
		return;
	set_outcome(&note, &verdict->judgement, would_work);
	put(request, &note);
}

void rv_record_failed(struct rv_request *request, const char *object, uint64_t rights, int error)
{
	const struct rv_note note = {.call = request->call,
		.cls = REEVE_FS,
		.rights = rights,
		.object = object,
		.outcome = REEVE_ACCESS_FAILED,
		.error = error};

	if (has_our_view(request))
		put(request, &note);
}

void rv_record_exec(struct rv_request *request, const struct rv_object *object,
	const struct rv_judgement *judgement, bool interpreter)
{
	struct rv_note note = {.call = request->call,
		.cls = REEVE_FS,
		.rights = REEVE_FS_EXECUTE | REEVE_FS_READ_FILE,
		.object = object->path,
		.flags = interpreter ? REEVE_ACCESS_INTERPRETER : 0};

	if (!has_our_view(request))
		return;
	set_outcome(&note, judgement, true);
	put(request, &note);
}

/* ------------------------------------------------------------ what only the kernel knows */

/* What is below /proc/self is the caller's, and looked up by us it is ours. */
static void to_callers(struct rv_request *request, char path[static PATH_MAX])
{
	struct rv_caller_status status;
	char ours[64], theirs[64], rest[PATH_MAX];
	size_t length;

	if (rv_caller_status(request->caller, &status) < 0)
		return;
	snprintf(ours, sizeof(ours), "/proc/%d/task/%ld", (int)request->context->supervisor_pid,
		syscall(SYS_gettid));
	snprintf(theirs, sizeof(theirs), "/proc/%d/task/%d", (int)status.tgid,
		(int)request->caller->tid);
	length = strlen(ours);
	if (strncmp(path, ours, length) != 0 || (path[length] && path[length] != '/')) {
		*strstr(ours, "/task") = *strstr(theirs, "/task") = '\0';
		length = strlen(ours);
	}
	if (strncmp(path, ours, length) != 0 || (path[length] && path[length] != '/'))
		return;
	memcpy(rest, path + length, strlen(path + length) + 1);
	snprintf(path, PATH_MAX, "%s%.*s", theirs, (int)(PATH_MAX - sizeof(theirs)), rest);
}

/*
 * Below which of the caller's magic links a path is, and what comes after; NULL: none is known. The
 * rest is looked up from there, so only a descriptor's own object is told for certain.
 */
static const char *magic_link(const char *text, char link[static 32])
{
	static const struct {
		const char *prefix, *link;
	} table[] = {
		{"/dev/stdin", "fd/0"},
		{"/dev/stdout", "fd/1"},
		{"/dev/stderr", "fd/2"},
		{"/dev/fd/", "fd/"},
		{"/proc/self/fd/", "fd/"},
		{"/proc/thread-self/fd/", "fd/"},
		{"/proc/self/exe", "exe"},
		{"/proc/thread-self/exe", "exe"},
		{"/proc/self/cwd", "cwd"},
		{"/proc/self/root", "root"},
	};

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		size_t length = strlen(table[i].prefix), digits = 0;

		if (strncmp(text, table[i].prefix, length) != 0)
			continue;
		if (table[i].link[strlen(table[i].link) - 1] == '/')
			digits = strspn(text + length, "0123456789");
		if (digits > 10)
			return NULL;
		snprintf(link, 32, "%s%.*s", table[i].link, (int)digits, text + length);
		text += length + digits;
		return *text && *text != '/' ? NULL : text;
	}
	return NULL;
}

/* False: a pipe or the like, of which Landlock asks nothing; or it is not known. */
static bool follow_magic(struct rv_request *request, const char *text, char path[static PATH_MAX])
{
	int proc = rv_caller_proc(request->caller);
	char link[32];
	const char *rest = magic_link(text, link);
	ssize_t n = proc < 0 || !rest ? -1 : readlinkat(proc, link, path, PATH_MAX - 1);

	if (n <= 0 || path[0] != '/' || (size_t)n + strlen(rest) >= PATH_MAX)
		return false;
	memcpy(path + n, rest, strlen(rest) + 1);
	return true;
}

/* Without ".", ".." and "//", as a text: nothing is there to be looked up. */
static void clean(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t length;

		from += strspn(from, "/");
		length = strcspn(from, "/");
		if (length == 2 && !memcmp(from, "..", 2)) {
			while (to > path && *--to != '/')
				;
		} else if (length && !(length == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

static bool as_named(
	struct rv_request *request, const struct rv_path *path, char ret[static PATH_MAX])
{
	ssize_t n = 0;

	if (path->text[0] != '/') {
		n = path->base < 0 ? -1
				   : readlinkat(request->context->own_fds,
					     rv_fd_name(path->base).text, ret, PATH_MAX);
		if (n < 0 || (size_t)n + strlen(path->text) + 2 > PATH_MAX || ret[0] != '/')
			return false;
		ret[n++] = '/';
	}
	memcpy(ret + n, path->text, strlen(path->text) + 1);
	clean(ret);
	return true;
}

static bool of_descriptor(struct rv_request *request, int fd, char ret[static PATH_MAX])
{
	ssize_t n = readlinkat(request->context->own_fds, rv_fd_name(fd).text, ret, PATH_MAX - 1);

	if (n <= 0 || ret[0] != '/')
		return false;
	ret[n] = '\0';
	to_callers(request, ret);
	return true;
}

static bool is_absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

void rv_record_native(
	struct rv_request *request, const struct rv_path *path, int fd, int error, uint64_t rights)
{
	struct rv_note note = {.call = request->call, .cls = REEVE_FS, .rights = rights};
	struct rv_judgement judgement;
	char object[PATH_MAX];
	bool found;

	if (!has_our_view(request))
		return;
	if (fd >= 0)
		found = of_descriptor(request, fd, object);
	else if (error == -ELOOP && magic_link(path->text, (char[32]){0}))
		found = follow_magic(request, path->text, object);
	else
		found = false;
	note.object = object;
	if (found) {
		rv_judge_path(request->context->judge, object, rights, &judgement);
		set_outcome(&note, &judgement, true);
	} else if (error && as_named(request, path, object)) {
		note.outcome = is_absent(error) ? REEVE_ACCESS_ABSENT : REEVE_ACCESS_FAILED;
		note.error = -error;
	} else {
		return;
	}
	put(request, &note);
}
