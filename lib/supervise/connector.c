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
#include "supervise/worker.h"

/* What the supervisor may ask for. */
#define COMMAND_KILL	 'k'
#define COMMAND_STOP	 's'
#define COMMAND_CONTINUE 'c'
#define COMMAND_WORKER	 'w' /* with the channel */
#define COMMAND_MEMBER	 'm' /* with a pidfd, and its number here */

/* A packet. */
struct order {
	int32_t command, pid;
};

#define KCMP_VM 1

#define PIDS_MAX 4096 /* continued one by one; more of them together */

/* A command or an answer with at most one descriptor. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

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

static int list_entries(const char *buf, long size, pid_t pids[PIDS_MAX], int count)
{
	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(buf + at);
		pid_t pid = parse_pid(entry->d_name);

		at += entry->d_reclen;
		/* Signal 0 is checked against the scope as any other. */
		if (pid <= 0 || pid == getpid() || kill(pid, 0) < 0)
			continue;
		if (count < PIDS_MAX)
			pids[count] = pid;
		count++;
	}
	return count;
}

/* Processes of the domain but ourselves: how many, and as far as there is room which. */
static int list_domain(pid_t pids[PIDS_MAX])
{
	char buf[4096] __attribute__((aligned(8)));
	int count = 0;
	long n;

	lseek(FD_PROC, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, FD_PROC, buf, sizeof(buf))) > 0)
		count = list_entries(buf, n, pids, count);
	return count;
}

/*
 * Children before their parents, as far as pids tell: a shell must not see its job stopped when it
 * goes on itself.
 */
static void continue_domain(const pid_t pids[PIDS_MAX], int count)
{
	for (int i = count < PIDS_MAX ? count : PIDS_MAX; i-- > 0;)
		kill(pids[i], SIGCONT);
	kill(-1, SIGCONT);
}

/* Never the caller itself: Linux leaves it out of kill(-1). */
static int signal_domain(bool scoped, char command)
{
	static pid_t pids[PIDS_MAX];
	int count;

	if (!scoped)
		return -EPERM;
	count = list_domain(pids);
	if (command == COMMAND_KILL)
		kill(-1, SIGKILL);
	else if (command == COMMAND_STOP)
		kill(-1, SIGSTOP);
	else if (command == COMMAND_CONTINUE)
		continue_domain(pids, count);
	else
		return -EINVAL;
	return count;
}

static int take_fd(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return -1;
	return *(const int *)(const void *)CMSG_DATA(header);
}

static int start_worker(int channel)
{
	int r = channel < 0 ? -EBADF : rv_worker_start(channel);

	if (channel >= 0)
		close(channel); /* the worker has a copy */
	return r;
}

/*
 * Signal 0 is checked against the scope: it can be sent to the domain and below only. Without the
 * scope, tasks of other domains cannot be looked at; one that is not dumpable cannot be either.
 */
static int is_member(bool scoped, int pidfd, pid_t pid)
{
	int r = pidfd < 0 ? -EBADF : scoped ? rv_pidfd_kill(pidfd, 0) : 0;

	if (!scoped && r == 0 && syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) < 0)
		r = errno == ENOSYS ? -EOPNOTSUPP : -errno;
	if (pidfd >= 0)
		close(pidfd);
	return r == 0 ? 1 : r == -EPERM ? 0 : r;
}

/* False when the supervisor is gone. */
static bool obey(bool scoped)
{
	struct order order;
	union control control;
	struct iovec iov = {&order, sizeof(order)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int32_t answer = -EINVAL;

	if (recvmsg(FD_COMMAND, &message, MSG_CMSG_CLOEXEC) != sizeof(order))
		return false;
	if (order.command == COMMAND_WORKER)
		answer = start_worker(take_fd(&message));
	else if (order.command == COMMAND_MEMBER)
		answer = is_member(scoped, take_fd(&message), order.pid);
	else
		answer = signal_domain(scoped, (char)order.command);
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
	bool scoped, told;

	/*
	 * What the program must not find otherwise, then the report that the supervisor waits for;
	 * the rest while the program prepares itself. Commands are read after it.
	 */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	scoped = kill(supervisor, 0) < 0 && errno == EPERM;
	ready.code = scoped;
	told = write(fds->command, &ready, sizeof(ready)) == sizeof(ready);
	drop_descriptors(fds);
	setsid();
	if (chdir("/") < 0) {
		/* Only keeps a mount busy. */
	}
	prctl(PR_SET_NAME, "reeve-connector", 0, 0, 0);
	rv_worker_init();
	if (told)
		serve(scoped);
	if (scoped)
		kill(-1, SIGKILL);
	_exit(0);
}

/* Handlers of signals are the supervisor's, so none may run: they stay blocked. */
void rv_connector_twin_main(const struct rv_connector_fds *fds)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	drop_descriptors(fds);
	setsid();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || chdir("/") < 0)
		_exit(1);
	prctl(PR_SET_NAME, "reeve-twin", 0, 0, 0);
	rv_worker_init();
	serve(false);
	_exit(0);
}

/* ---------------------------------------------------------------- supervisor */

static int32_t read_answer(int command_fd)
{
	int32_t answer;
	ssize_t n;

	do
		n = recv(command_fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	return n == sizeof(answer) ? answer : -EPIPE;
}

/* `fd` goes with it, unless negative. */
static int32_t ask(int command_fd, struct order order, int fd)
{
	union control control = {0};
	struct iovec iov = {&order, sizeof(order)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		*(int *)(void *)CMSG_DATA(&control.header) = fd;
	}
	do
		n = sendmsg(command_fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == sizeof(order) ? read_answer(command_fd) : -EPIPE;
}

int rv_connector_signal(int command_fd, int sig)
{
	const char command = sig == SIGKILL   ? COMMAND_KILL
			     : sig == SIGSTOP ? COMMAND_STOP
					      : COMMAND_CONTINUE;

	return ask(command_fd, (struct order){.command = command}, -1);
}

pid_t rv_connector_worker(int command_fd, int channel)
{
	return ask(command_fd, (struct order){.command = COMMAND_WORKER}, channel);
}

int rv_connector_member(int command_fd, int pidfd, pid_t pid)
{
	return ask(command_fd, (struct order){COMMAND_MEMBER, pid}, pidfd);
}
