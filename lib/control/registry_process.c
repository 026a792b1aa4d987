/* SPDX-License-Identifier: MIT */
/* What /proc tells of a process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "control/registry.h"

/* Deeper than any tree of processes; a loop would be a lie. */
#define MAX_ANCESTORS 4096

static int read_stat(pid_t pid, char *text, size_t size)
{
	char path[32];
	rv_autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	text[n] = '\0';
	return 0;
}

/* Fields are counted from behind the command's name, which may contain anything. */
int rv_process_read(pid_t pid, struct rv_process *ret)
{
	char text[1024], *field;
	struct rv_process process = {0};
	int parent, r = pid > 0 ? read_stat(pid, text, sizeof(text)) : -ESRCH;

	if (r < 0)
		return r;
	field = strrchr(text, ')');
	if (!field || sscanf(field, ") %c %d", &process.state, &parent) != 2)
		return -EPROTO;
	process.parent = parent;
	/* state is field 3, starttime field 22. */
	for (int i = 2; i < 22 && field; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, " %" SCNu64, &process.start) != 1)
		return -EPROTO;
	*ret = process;
	return 0;
}

uint64_t rv_process_pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : (uint64_t)st.st_ino;
}

int rv_process_ancestors(
	pid_t pid, int (*fn)(void *data, pid_t pid, const struct rv_process *process), void *data)
{
	struct rv_process process;
	int r = 0;

	for (unsigned int i = 0; pid > 0 && r == 0; i++) {
		if (i >= MAX_ANCESTORS)
			return -ELOOP;
		r = rv_process_read(pid, &process);
		if (r == 0)
			r = fn(data, pid, &process);
		pid = process.parent;
	}
	return r;
}
