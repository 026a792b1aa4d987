/* SPDX-License-Identifier: MIT */
/*
 * Whose an access is. Asking /proc for it each time would cost more than the access: what is known
 * of a task is kept as long as it is the same task, by a number that the kernel uses only once
 * (the inode of a pidfd, 6.9 and later), and until it execs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include "kernel/sys.h"
#include "supervise/record_private.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#define PIDFS_MAGIC 0x50494446

/* ----------------------------------------------------------------- what /proc says */

struct stat_fields {
	char comm[16];
	pid_t parent;
	uint64_t start;
};

/* "PID (comm) S PPID …": the command may hold anything, parentheses too. Fields as in
 * proc_pid_stat(5): 3 state, 4 ppid, 22 starttime. */
static int parse_stat(const char *text, struct stat_fields *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long start;
	int parent;

	if (!open || !close || close < open)
		return -EINVAL;
	snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(close - open - 1), open + 1);
	if (sscanf(close + 1,
		    " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		    "%llu",
		    &parent, &start) != 2)
		return -EINVAL;
	ret->parent = parent;
	ret->start = start;
	return 0;
}

static int read_stat(pid_t pid, struct stat_fields *ret)
{
	char path[32], text[1024];
	rv_autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return parse_stat(text, ret);
}

static uint64_t identity_of(pid_t tid)
{
	rv_autoclose int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
	struct stat_fields fields;
	struct statfs fs;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PIDFS_MAGIC)
		return st.st_ino;
	/* An older kernel: a pid may have two tasks within a tick, but not without an exec. */
	return read_stat(tid, &fields) == 0 ? fields.start : 0;
}

/* ------------------------------------------------------------------------- actors */

static bool grow_actors(struct reeve_record *record)
{
	size_t capacity = record->actor_capacity ? 2 * record->actor_capacity : 64;
	void *actors;

	if (record->actor_count < record->actor_capacity)
		return true;
	actors = reallocarray(record->actors, capacity, sizeof(*record->actors));
	if (!actors)
		return false;
	record->actors = actors;
	record->actor_capacity = capacity;
	return true;
}

static size_t pid_slot(const struct reeve_record *record, pid_t pid)
{
	size_t mask = record->by_pid_count - 1;
	size_t i = ((uint32_t)pid * UINT32_C(0x9e3779b1)) & mask;

	while (record->by_pid[i] && record->actors[record->by_pid[i] - 1].pid != pid)
		i = (i + 1) & mask;
	return i;
}

static bool grow_by_pid(struct reeve_record *record)
{
	size_t count = record->by_pid_count ? 2 * record->by_pid_count : 128;
	uint32_t *by_pid;

	if (2 * (record->actor_count + 1) <= record->by_pid_count)
		return true;
	by_pid = calloc(count, sizeof(*by_pid));
	if (!by_pid)
		return false;
	free(record->by_pid);
	record->by_pid = by_pid;
	record->by_pid_count = count;
	for (uint32_t id = 1; id <= record->actor_count; id++)
		by_pid[pid_slot(record, record->actors[id - 1].pid)] = id;
	return true;
}

/* The newest actor with this pid, 0: none. */
static uint32_t newest(const struct reeve_record *record, pid_t pid)
{
	return record->by_pid_count ? record->by_pid[pid_slot(record, pid)] : 0;
}

static uint32_t add_actor(
	struct reeve_record *record, pid_t pid, const struct stat_fields *fields, uint32_t exe)
{
	uint32_t id = (uint32_t)record->actor_count + 1, before = newest(record, pid);
	struct rv_actor *actor;

	if (!grow_actors(record) || !grow_by_pid(record))
		return 0;
	actor = &record->actors[id - 1];
	*actor = (struct rv_actor){.pid = pid,
		.start = fields->start,
		.exe = exe,
		.parent = newest(record, fields->parent)};
	memcpy(actor->comm, fields->comm, sizeof(actor->comm));
	actor->process = id;
	if (before && record->actors[before - 1].start == fields->start) {
		/* The parent may have died since, which changes what /proc says. */
		actor->process = record->actors[before - 1].process;
		actor->parent = record->actors[before - 1].parent;
	}
	record->by_pid[pid_slot(record, pid)] = id;
	record->actor_count++;
	return id;
}

/* The same process with the same program is the same actor. */
static uint32_t find_or_add(
	struct reeve_record *record, pid_t pid, const struct stat_fields *fields, const char *exe)
{
	uint32_t id = newest(record, pid);
	uint32_t path = exe[0] ? rv_paths_intern(&record->paths, exe) : RV_NO_PATH;
	const struct rv_actor *actor = id ? &record->actors[id - 1] : NULL;

	if (actor && actor->start == fields->start && actor->exe == path &&
		strcmp(actor->comm, fields->comm) == 0)
		return id;
	return add_actor(record, pid, fields, path);
}

static uint32_t ask(struct reeve_record *record, struct rv_caller *caller)
{
	struct rv_caller_status status;
	struct stat_fields fields;
	char link[32], exe[PATH_MAX];
	uint32_t id;
	ssize_t n;

	/* Of the process: what its threads call themselves is their own matter. */
	if (rv_caller_status(caller, &status) < 0 || read_stat(status.tgid, &fields) < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)status.tgid);
	n = readlink(link, exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	pthread_mutex_lock(&record->lock);
	id = find_or_add(record, status.tgid, &fields, exe);
	pthread_mutex_unlock(&record->lock);
	return id;
}

static struct rv_actor_slot *slot_of(struct reeve_record *record, pid_t tid)
{
	return &record->tasks[(size_t)tid & (RV_ACTOR_SLOTS - 1)];
}

static uint32_t known(struct reeve_record *record, pid_t tid, uint64_t identity)
{
	const struct rv_actor_slot *slot = slot_of(record, tid);
	uint32_t actor;

	pthread_mutex_lock(&record->lock);
	actor = slot->tid == tid && slot->identity == identity ? slot->actor : 0;
	pthread_mutex_unlock(&record->lock);
	return actor;
}

static void keep(struct reeve_record *record, pid_t tid, uint64_t identity, uint32_t actor)
{
	pthread_mutex_lock(&record->lock);
	*slot_of(record, tid) =
		(struct rv_actor_slot){.tid = tid, .identity = identity, .actor = actor};
	pthread_mutex_unlock(&record->lock);
}

uint32_t rv_record_actor(struct reeve_record *record, struct rv_caller *caller)
{
	uint64_t identity = identity_of(caller->tid);
	uint32_t actor = identity ? known(record, caller->tid, identity) : 0;

	if (actor || !identity)
		return actor;
	actor = ask(record, caller);
	if (actor)
		keep(record, caller->tid, identity, actor);
	return actor;
}

/*
 * An exec by another thread than the first gives its process's pid to the one that calls: both are
 * to be asked again, and any that has the same slot by chance.
 */
void rv_record_execs(struct reeve_record *record, pid_t tid)
{
	uint32_t actor;

	pthread_mutex_lock(&record->lock);
	actor = slot_of(record, tid)->actor;
	slot_of(record, tid)->actor = 0;
	if (actor)
		slot_of(record, record->actors[actor - 1].pid)->actor = 0;
	pthread_mutex_unlock(&record->lock);
}
