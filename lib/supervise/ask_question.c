/* SPDX-License-Identifier: MIT */
/* What a question says: who asks, what for, and what could be granted. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "base/strbuf.h"
#include "supervise/ask_private.h"
#include "supervise/event_private.h"
#include "supervise/judge_private.h"
#include "supervise/lineage.h"

#define READING (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)

/* ------------------------------------------------------------------------- paths */

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
}

static bool is_beneath(const char *path, const char *dir, size_t length)
{
	return strncmp(path, dir, length) == 0 &&
	       (length == 1 || path[length] == '/' || path[length] == '\0');
}

bool rv_path_is_beneath(const char *path, const char *dir)
{
	return is_beneath(path, dir, strlen(dir));
}

/* Where a path's first `count` components end; 0: it has not so many. */
static size_t components(const char *path, size_t length, unsigned int count)
{
	size_t at = 0;

	for (; count > 0; count--) {
		if (at >= length)
			return 0;
		at++;
		while (at < length && path[at] != '/')
			at++;
	}
	return at;
}

/* Of /home/user/project/…: the project. Else what is two steps down from the root. */
static size_t by_components(const char *dir, size_t length)
{
	return components(dir, length, is_beneath(dir, "/home", 5) ? 3 : 2);
}

static bool is_repository(const char *dir, size_t length)
{
	char path[PATH_MAX + 8];
	struct stat st;

	memcpy(path, dir, length);
	strcpy(path + length, "/.git");
	return lstat(path, &st) == 0;
}

/* The repository that a directory is in, or what is likely to be meant as a whole. */
static size_t tree_length(const char *dir, size_t length)
{
	size_t least = by_components(dir, length);

	for (size_t at = length; at > least; at--)
		if ((at == length || dir[at] == '/') && is_repository(dir, at))
			return at;
	return least;
}

/* The longest directory that two are beneath. */
static size_t common_length(const char *a, size_t length, const char *b)
{
	while (length > 1 && !is_beneath(b, a, length)) {
		while (length > 1 && a[length - 1] != '/')
			length--;
		length -= length > 1;
	}
	return length;
}

/* ---------------------------------------------------------------------- questions */

uint64_t rv_question_hash(const struct rv_want *want)
{
	const char *const texts[] = {want->object, want->object2 ? want->object2 : ""};
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ want->missing ^ (uint64_t)want->cls << 56;

	for (size_t i = 0; i < RV_COUNT(texts); i++)
		for (const char *p = texts[i];; p++) {
			hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
			if (!*p)
				break;
		}
	return hash;
}

bool rv_question_is(const struct rv_question *question, const struct rv_want *want)
{
	const struct reeve_question *shown = &question->shown;

	return shown->cls == want->cls && shown->missing == want->missing &&
	       strcmp(shown->object, want->object) == 0 &&
	       rv_same_text(shown->object2, want->object2);
}

/* Puts `length` bytes of a string at *at, and moves on. */
static const char *put(char **at, const char *text, size_t length)
{
	char *where = *at;

	memcpy(where, text, length);
	where[length] = '\0';
	*at += length + 1;
	return where;
}

static void set_directories(struct reeve_question *shown, char **at)
{
	size_t length = shown->object_is_directory ? strlen(shown->object)
						   : directory_length(shown->object);
	size_t length2 = shown->object2 ? directory_length(shown->object2) : 0, tree = length;

	shown->directory = put(at, shown->object, length);
	if (shown->object2) {
		tree = common_length(shown->object, length, shown->object2);
		if (!is_beneath(shown->object2, shown->object, length))
			shown->directory2 = put(at, shown->object2, length2);
	}
	tree = tree_length(shown->object, tree);
	if (tree > 1 && (tree < length || shown->directory2))
		shown->tree = put(at, shown->object, tree);
}

static void set_parents(struct rv_question *question, struct rv_request *request)
{
	struct rv_lineage lineage = {.count = 0};
	char path[32];

	if (rv_lineage(rv_caller_proc(request->caller), request->context->supervisor_pid,
		    &lineage) < 0)
		return;
	question->shown.parents = question->parents;
	for (size_t i = 1; i < lineage.count && i <= REEVE_PARENTS_MAX; i++) {
		struct reeve_task *task = &question->parents[question->shown.parents_count++];
		rv_autoclose int fd = -1;

		task->pid = lineage.pids[i];
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)task->pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, task->comm, sizeof(task->comm) - 1) > 0)
			task->comm[strcspn(task->comm, "\n")] = '\0';
	}
}

/* Whoever lets a directory be read means the files too. */
static uint64_t beneath_rights(uint64_t missing, uint64_t handled)
{
	return missing & ~(uint64_t)READING ? missing : READING & handled;
}

static void set_caller(
	struct rv_question *question, struct rv_request *request, const struct reeve_event *from)
{
	struct reeve_question *shown = &question->shown;

	shown->domain = request->context->domain;
	shown->pid = from->pid;
	shown->tid = from->tid;
	shown->call = from->call;
	memcpy(shown->comm, from->comm, sizeof(shown->comm));
	set_parents(question, request);
}

static bool can_be_granted(
	struct rv_judge *judge, const struct reeve_question *shown, enum reeve_answer_scope scope)
{
	struct reeve_rule rules[REEVE_QUESTION_RULES];
	int count = rv_scope_rules(shown, scope, rules);
	bool can = count > 0;

	for (int i = 0; i < count; i++) {
		rv_make_live(&rules[i]);
		can &= rv_judge_check_rule(judge, &rules[i], NULL) == 0;
	}
	return can;
}

static void set_scopes(struct rv_judge *judge, struct reeve_question *shown)
{
	for (unsigned int i = 0; i <= REEVE_ANSWER_FAMILY; i++)
		if (can_be_granted(judge, shown, (enum reeve_answer_scope)i))
			shown->scopes |= 1u << i;
}

/* UNIX sockets are scoped, or not: whoever grants them knows. */
static bool is_unlimited(const struct rv_judge *judge, const int socket[3])
{
	uint64_t handled = judge->handled.of[REEVE_NET];
	bool inet = socket[0] == AF_INET || socket[0] == AF_INET6;

	if (inet && socket[1] == SOCK_STREAM && !socket[2])
		return !(handled & REEVE_NET_CONNECT_TCP);
	if (inet && socket[1] == SOCK_DGRAM && !socket[2])
		return !(handled & REEVE_NET_CONNECT_SEND_UDP);
	return socket[0] != AF_UNIX;
}

static void set_object(struct reeve_question *shown, const struct rv_want *want, char **at)
{
	shown->object = put(at, want->object, strlen(want->object));
	if (want->object2)
		shown->object2 = put(at, want->object2, strlen(want->object2));
	if (want->address)
		shown->address = put(at, want->address, strlen(want->address));
	shown->port = want->port;
	shown->socket_family = want->socket[0];
	shown->socket_type = want->socket[1];
	shown->socket_protocol = want->socket[2];
	if (want->cls == REEVE_FS)
		set_directories(shown, at);
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

struct rv_question *rv_question_new(
	struct rv_request *request, const struct rv_want *want, uint64_t hash)
{
	struct rv_judge *judge = request->context->judge;
	struct reeve_event caller = {0};
	struct rv_question *question;
	char exe[PATH_MAX], *at;

	rv_fill_in_caller(request, &caller, exe);
	/* The object twice more as directory and tree, and each with its NUL. */
	question = calloc(1, sizeof(*question) + 3 * length_of(want->object) +
				     2 * length_of(want->object2) + length_of(want->address) +
				     length_of(caller.exe) + 8);
	if (!question)
		return NULL;
	at = question->strings;
	atomic_init(&question->refs, 1);
	question->hash = hash;
	question->waiters.last = &question->waiters.first;
	question->shown = (struct reeve_question){.size = sizeof(question->shown),
		.cls = want->cls,
		.asked = want->asked,
		.missing = want->missing,
		.object_is_directory = want->object_is_directory,
		.beneath = beneath_rights(want->missing, judge->handled.of[REEVE_FS])};
	clock_gettime(CLOCK_REALTIME, &question->shown.since);
	set_object(&question->shown, want, &at);
	question->shown.is_unlimited =
		want->cls == REEVE_SOCKET && is_unlimited(judge, want->socket);
	if (caller.exe)
		question->shown.exe = put(&at, caller.exe, strlen(caller.exe));
	set_scopes(judge, &question->shown);
	set_caller(question, request, &caller);
	return question;
}

struct rv_question *rv_question_ref(struct rv_question *question)
{
	atomic_fetch_add_explicit(&question->refs, 1, memory_order_relaxed);
	return question;
}

void rv_question_free(struct rv_question *question)
{
	if (question && atomic_fetch_sub_explicit(&question->refs, 1, memory_order_acq_rel) == 1)
		free(question);
}
