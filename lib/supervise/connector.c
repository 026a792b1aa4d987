/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kernel/sys.h"
#include "supervise/connector.h"
#include "supervise/spawn.h"

#define COMMAND_KILL 'k'

/* Where the three descriptors end up: 0, 1 and 2 are then taken, and nothing else is open. */
enum { FD_COMMAND, FD_SUPERVISOR, FD_PROC, FD_COUNT };

/* ----------------------------------------------------------------------- child */

static pid_t parse_pid(const char *name)
{
	pid_t pid = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		pid = pid * 10 + (*name - '0');
	}
	return pid;
}

static int count_entries(const char *buf, long size, pid_t self)
{
	int count = 0;

	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(buf + at);
		pid_t pid = parse_pid(entry->d_name);

		/* Signal 0 is checked against the scope as any other. */
		if (pid > 0 && pid != self && kill(pid, 0) == 0)
			count++;
		at += entry->d_reclen;
	}
	return count;
}

/* Processes of the domain but ourselves. */
static int count_domain(void)
{
	char buf[4096] __attribute__((aligned(8)));
	pid_t self = getpid();
	int count = 0;
	long n;

	lseek(FD_PROC, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, FD_PROC, buf, sizeof(buf))) > 0)
		count += count_entries(buf, n, self);
	return count;
}

/* Never the caller itself: Linux leaves it out of kill(-1). */
static int kill_domain(bool scoped)
{
	int count;

	if (!scoped)
		return -EPERM;
	count = count_domain();
	kill(-1, SIGKILL);
	return count;
}

/* False when the supervisor is gone. */
static bool obey(bool scoped)
{
	char command;
	int32_t answer;

	if (read(FD_COMMAND, &command, 1) != 1)
		return false;
	answer = command == COMMAND_KILL ? kill_domain(scoped) : -EINVAL;
	return write(FD_COMMAND, &answer, sizeof(answer)) == sizeof(answer);
}

static void serve(bool scoped)
{
	struct pollfd fds[] = {
		{.fd = FD_COMMAND, .events = POLLIN}, {.fd = FD_SUPERVISOR, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[1].revents || (fds[0].revents && !obey(scoped)))
			return;
	}
}

/* The standard descriptors are the program's: a pipeline ends when the program does. */
static void drop_descriptors(const struct rv_connector_fds *fds)
{
	/* First out of the way of 0, 1 and 2: any of them may be one of those already. */
	int high[] = {fcntl(fds->command, F_DUPFD, FD_COUNT),
		fcntl(fds->supervisor, F_DUPFD, FD_COUNT), fcntl(fds->proc, F_DUPFD, FD_COUNT)};

	for (int i = 0; i < FD_COUNT; i++)
		dup2(high[i], i);
	if (rv_close_range(FD_COUNT, ~0u, 0) == 0)
		return;
	for (int fd = FD_COUNT; fd < 65536; fd++)
		close(fd);
}

void rv_connector_main(const struct rv_connector_fds *fds, pid_t supervisor, pid_t program)
{
	struct rv_report ready = {.step = RV_STEP_READY, .value = program};
	bool scoped;

	drop_descriptors(fds);
	setsid();
	if (chdir("/") < 0) {
		/* Only keeps a mount busy. */
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "reeve-connector", 0, 0, 0);
	scoped = kill(supervisor, 0) < 0 && errno == EPERM;
	ready.code = scoped;
	if (write(FD_COMMAND, &ready, sizeof(ready)) == sizeof(ready))
		serve(scoped);
	if (scoped)
		kill(-1, SIGKILL);
	_exit(0);
}

/* ---------------------------------------------------------------- supervisor */

int rv_connector_kill(int command_fd)
{
	const char command = COMMAND_KILL;
	int32_t answer;
	ssize_t n;

	do
		n = send(command_fd, &command, 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return -EPIPE;
	do
		n = recv(command_fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	return n == sizeof(answer) ? answer : -EPIPE;
}
