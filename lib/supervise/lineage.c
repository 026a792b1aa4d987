/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervise/lineage.h"

#define OVERLAP 64 /* no line that we want is longer */

static void take_unsigned(const char *text, const char *key, unsigned int *ret)
{
	const char *at = strstr(text, key);

	if (at)
		*ret = (unsigned int)strtoul(at + strlen(key), NULL, 10);
}

/* What this part of the file says. None of the keys can be in a name, whose newlines are escaped.
 */
static void take_facts(const char *text, struct rv_task_facts *ret)
{
	unsigned int tgid = (unsigned int)ret->tgid, parent = (unsigned int)ret->parent,
		     no_new_privs = ret->no_new_privs;

	take_unsigned(text, "\nTgid:", &tgid);
	take_unsigned(text, "\nPPid:", &parent);
	take_unsigned(text, "\nNoNewPrivs:", &no_new_privs);
	take_unsigned(text, "\nSeccomp:", &ret->seccomp);
	take_unsigned(text, "\nSeccomp_filters:", &ret->filters);
	ret->tgid = (pid_t)tgid;
	ret->parent = (pid_t)parent;
	ret->no_new_privs = no_new_privs == 1;
}

/* In one read but for who is in thousands of groups, which are listed before what matters most:
 * /proc gives as much as there is room for. */
static int read_facts(int fd, struct rv_task_facts *ret)
{
	struct rv_task_facts facts = {0};
	char text[8192];
	size_t have = 0, room;
	ssize_t n;

	do {
		if (have > OVERLAP) {
			memmove(text, text + have - OVERLAP, OVERLAP);
			have = OVERLAP;
		}
		room = sizeof(text) - 1 - have;
		n = read(fd, text + have, room);
		if (n < 0)
			return -errno;
		have += (size_t)n;
		text[have] = '\0';
		take_facts(text, &facts);
	} while ((size_t)n == room);
	*ret = facts;
	return facts.tgid > 0 ? 0 : -ESRCH;
}

static int gone(int r)
{
	return r == -ENOENT ? -ESRCH : r;
}

int rv_task_facts(int proc_fd, struct rv_task_facts *ret)
{
	rv_autoclose int fd = openat(proc_fd, "status", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? gone(-errno) : read_facts(fd, ret);
}

int rv_task_facts_of(pid_t tid, struct rv_task_facts *ret)
{
	char path[32];
	rv_autoclose int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? gone(-errno) : read_facts(fd, ret);
}

int rv_open_task(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? gone(-errno) : fd;
}

/*
 * From a pinned process to its parent, pinned. A child is given away before its parent's pid is
 * free: if it still names the same parent after that was opened, the right one was opened.
 * -ENOENT: it has no parent (that we could see); -EAGAIN, -ESRCH: someone died meanwhile.
 */
static int open_parent(int proc_fd, pid_t *ret_pid)
{
	struct rv_task_facts before, after;
	int r = rv_task_facts(proc_fd, &before);
	rv_autoclose int parent = -1;

	if (r < 0)
		return r;
	if (before.parent <= 0)
		return -ENOENT;
	parent = rv_open_task(before.parent);
	if (parent < 0)
		return parent;
	r = rv_task_facts(proc_fd, &after);
	if (r < 0 || after.parent != before.parent)
		return r < 0 ? r : -EAGAIN;
	*ret_pid = before.parent;
	return rv_steal_fd(&parent);
}

static int climb(int proc_fd, pid_t root, struct rv_lineage *ret)
{
	rv_autoclose int at = dup(proc_fd);

	while (at >= 0 && ret->count < RV_LINEAGE_MAX) {
		pid_t pid;
		int parent = open_parent(at, &pid);

		if (parent < 0)
			return parent;
		close(at);
		at = parent;
		if (pid == root) {
			ret->reached = true;
			return 0;
		}
		if (pid == 1)
			return 0;
		ret->pids[ret->count++] = pid;
	}
	return at < 0 ? -errno : 0;
}

/* Again when a parent died on the way; someone who forks on and on is nobody's. */
int rv_lineage(int proc_fd, pid_t root, struct rv_lineage *ret)
{
	struct rv_task_facts facts;
	int r = rv_task_facts(proc_fd, &facts);

	if (r < 0)
		return r;
	ret->reached = false;
	for (int i = 0; i < 8; i++) {
		ret->pids[0] = facts.tgid;
		ret->count = 1;
		r = climb(proc_fd, root, ret);
		if (r == 0 || r == -ENOENT)
			return 0;
		if (r != -EAGAIN && r != -ESRCH)
			return r;
	}
	return rv_task_facts(proc_fd, &facts); /* is it the task itself that is gone? */
}
