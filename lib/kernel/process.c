/* SPDX-License-Identifier: MIT */
/* What /proc tells of a process. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "kernel/process.h"

#define KCMP_VM 1

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

static void copy_comm(const char *text, const char *end, struct rv_process *process)
{
	const char *begin = strchr(text, '(');
	size_t length = begin && begin < end ? (size_t)(end - begin) - 1 : 0;

	if (length >= sizeof(process->comm))
		length = sizeof(process->comm) - 1;
	if (length)
		memcpy(process->comm, begin + 1, length);
}

/* From one space to the next, so many times; NULL: there are fewer. */
static const char *skip_fields(const char *at, int count)
{
	for (; at && count > 0; count--)
		at = strchr(at + 1, ' ');
	return at;
}

/* Fields are counted from behind the command's name, which may contain anything. (sscanf() takes as
 * long as all the rest.) */
int rv_process_read(pid_t pid, struct rv_process *ret)
{
	char text[1024];
	const char *field, *start;
	struct rv_process process = {0};
	int r = pid > 0 ? read_stat(pid, text, sizeof(text)) : -ESRCH;

	if (r < 0)
		return r;
	field = strrchr(text, ')');
	/* ") S 123 ": state is field 3, the parent 4, starttime 22. */
	if (!field || field[1] != ' ' || !field[2] || field[3] != ' ')
		return -EPROTO;
	start = skip_fields(field, 20);
	if (!start || !isdigit((unsigned char)start[1]))
		return -EPROTO;
	copy_comm(text, field, &process);
	process.state = field[2];
	process.parent = (pid_t)strtol(field + 4, NULL, 10);
	process.start = strtoull(start + 1, NULL, 10);
	*ret = process;
	return 0;
}

uint64_t rv_process_pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : (uint64_t)st.st_ino;
}

/* The last number of the line is the one of the innermost namespace. */
static pid_t innermost_pid(pid_t pid)
{
	char path[32], line[256];
	pid_t found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NSpid:", 6) == 0)
			found = (pid_t)strtol(strrchr(line, '\t') + 1, NULL, 10);
	if (file)
		fclose(file);
	return found;
}

pid_t rv_process_pid_in(pid_t pid, uint64_t pidns)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	if (pidns == 0 || stat(path, &st) < 0 || (uint64_t)st.st_ino != pidns)
		return 0;
	return innermost_pid(pid);
}

/* kcmp(2) compares what may be looked at: PTRACE_MODE_READ_REALCREDS. Without CONFIG_KCMP, the
 * target of a link does. */
bool rv_may_look(pid_t pid)
{
	char path[32], target[8];

	if (syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) >= 0)
		return true;
	if (errno != ENOSYS)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	return readlink(path, target, sizeof(target)) >= 0;
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
