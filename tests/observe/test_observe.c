/* SPDX-License-Identifier: MIT */
/* reeve/observe.h without a domain: errors, and what is not given. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <reeve/host.h>
#include <reeve/landlock.h>
#include <reeve/observe.h>
#include "kernel/pidfd.h"
#include "kernel/process.h"
#include "kernel/sys.h"
#include "tap.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static void errors(void)
{
	struct reeve_task_domain domain = {0};
	int pair[2], pidfd = pidfd_open(getpid(), 0), file = open("/", O_RDONLY);

	CHECK(pidfd >= 0 && file >= 0);
	CHECK_EQ(reeve_pidfd_domain(pidfd, &domain), -EINVAL);
	CHECK_EQ(reeve_peer_domain(pidfd, &domain), -EINVAL);
	domain.size = sizeof(domain);
	CHECK_EQ(reeve_pidfd_domain(-1, &domain), -EBADF);
	CHECK_EQ(reeve_pidfd_domain(file, &domain), -EBADF);
	CHECK_EQ(reeve_pidfd_domain(open("/proc/self", O_RDONLY), &domain), -EBADF);
	CHECK_EQ(reeve_peer_domain(-1, &domain), -EBADF);
	CHECK_EQ(reeve_peer_domain(file, &domain), -ENOTSOCK);
	CHECK_EQ(reeve_peer_domain(socket(AF_UNIX, SOCK_STREAM, 0), &domain), -ENOTCONN);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(reeve_peer_domain(pair[0], &domain), 0);
	CHECK_EQ(domain.given, 0);
	CHECK_EQ(domain.pid, getpid());
}

/* Older callers have room for less. */
static void sizes(void)
{
	struct {
		struct reeve_task_domain domain;
		char behind[8];
	} small = {{.size = offsetof(struct reeve_task_domain, pid)}, "1234567"};

	small.domain.pid = 77;
	CHECK_EQ(reeve_pidfd_domain(pidfd_open(getpid(), 0), &small.domain), 0);
	CHECK_EQ(small.domain.pid, 77);
	CHECK_EQ(small.domain.size, offsetof(struct reeve_task_domain, pid));
	CHECK_STR(small.behind, "1234567");
}

static void *wait_for_end(void *data)
{
	*(_Atomic pid_t *)data = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

static void ids(void)
{
	struct rv_pidfd_ids found = {0};
	struct reeve_task_domain domain = {.size = sizeof(domain), .pid = 5};
	_Atomic pid_t tid = 0;
	pthread_t thread;
	pid_t child = fork();
	int pidfd;

	if (child == 0)
		_exit(0);
	pidfd = pidfd_open(child, 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_EQ(rv_pidfd_ids(pidfd, &found), -ESRCH);
	CHECK(rv_pidfd_ended(pidfd));
	CHECK_EQ(reeve_pidfd_domain(pidfd, &domain), 0);
	CHECK(domain.given == 0 && domain.pid == 0 && !domain.restricted);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_end, (void *)&tid), 0);
	while (tid == 0)
		usleep(1000);
	pidfd = pidfd_open(tid, O_EXCL);
	if (pidfd < 0)
		SKIP("pidfd: no PIDFD_THREAD (Linux 6.9)");
	CHECK_EQ(rv_pidfd_ids(pidfd, &found), 0);
	CHECK(found.tid == tid && found.tgid == getpid());
	CHECK(!rv_pidfd_ended(pidfd));
}

/* The sender of each datagram, and no descriptor left open. */
static void messages(void)
{
	char control[256], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct rv_pidfd_ids found;
	int pair[2], on = 1, pidfd;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
	CHECK_EQ(reeve_message_pidfd(&message), -ENOENT);
	if (setsockopt(pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on)) < 0)
		SKIP("pidfd: no SO_PASSPIDFD (Linux 6.5)");
	message.msg_controllen = sizeof(control);
	CHECK_EQ(send(pair[0], "x", 1, 0), 1);
	CHECK_EQ(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC), 1);
	pidfd = reeve_message_pidfd(&message);
	CHECK(pidfd >= 0);
	CHECK_EQ(rv_pidfd_ids(pidfd, &found), 0);
	CHECK_EQ(found.tgid, getpid());
}

/* The getter of the proposal's shape. */
static void landlock_info(void)
{
	struct reeve_landlock_pidfd_info info = {
		.mask = PIDFD_INFO_LANDLOCK_LAST_DOMAIN | PIDFD_INFO_LANDLOCK_FIRST_DOMAIN,
		.landlock_last_domain = 3};
	int pidfd = pidfd_open(getpid(), 0);

	CHECK_EQ(reeve_landlock_pidfd_info(pidfd, &info), 0);
	CHECK(info.mask == 0 && info.landlock_last_domain == 0 && info.landlock_first_domain == 0);
	info.mask = 1 << 1;
	CHECK(reeve_landlock_pidfd_info(pidfd, &info) == -1 && errno == EINVAL);
	info.mask = PIDFD_INFO_LANDLOCK_LAST_DOMAIN;
	CHECK(reeve_landlock_pidfd_info(-1, &info) == -1 && errno == EBADF);
	CHECK(reeve_landlock_pidfd_info(pidfd, NULL) == -1 && errno == EFAULT);
}

/* ------------------------------------------------------------------ who opened the pidfd */

static bool restrict_self(void)
{
	const struct rv_landlock_ruleset_attr attr = {.handled_access_fs = REEVE_FS_MAKE_BLOCK};
	int ruleset = rv_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);

	return ruleset >= 0 && rv_set_no_new_privs() == 0 &&
	       rv_landlock_restrict_self(ruleset, 0) == 0;
}

/* A child that does this when it is in a domain of its own, and what it gave back. */
static pid_t in_domain(int (*fn)(const int *data), const int *data)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(restrict_self() ? fn(data) : 100);
	return pid;
}

static int result_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int say_and_wait(const int *pipe)
{
	char byte = 'r';

	return write(pipe[1], &byte, 1) == 1 ? pause() : 1;
}

struct with_fd {
	char byte;
	struct iovec iov;
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message;
};

static void prepare(struct with_fd *with)
{
	*with = (struct with_fd){.byte = 'x'};
	with->iov = (struct iovec){&with->byte, 1};
	with->message = (struct msghdr){.msg_iov = &with->iov,
		.msg_iovlen = 1,
		.msg_control = with->control,
		.msg_controllen = sizeof(with->control)};
}

/* data: a socket, and whom to open. */
static int open_and_send(const int *data)
{
	int pidfd = pidfd_open(data[1], 0);
	struct with_fd with;
	struct cmsghdr *c;

	prepare(&with);
	c = CMSG_FIRSTHDR(&with.message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(pidfd));
	memcpy(CMSG_DATA(c), &pidfd, sizeof(pidfd));
	return sendmsg(data[0], &with.message, 0) == 1 ? 0 : 1;
}

static int receive_fd(int socket)
{
	struct with_fd with;
	int fd;

	prepare(&with);
	if (recvmsg(socket, &with.message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&with.message)), sizeof(fd));
	return fd;
}

static unsigned int given(int pidfd)
{
	struct reeve_task_domain domain = {
		.size = sizeof(domain), .wanted = REEVE_DOMAIN_KERNEL_LAST | REEVE_DOMAIN_LOAD};

	return reeve_pidfd_domain(pidfd, &domain) == 0 ? domain.given : 99;
}

#define KERNEL (REEVE_DOMAIN_KERNEL_LAST | REEVE_DOMAIN_KERNEL_FIRST)

/* data: a pidfd from before, and its pid. */
static int ask_inside(const int *data)
{
	int own = pidfd_open(data[1], 0);

	return given(data[0]) == KERNEL && own >= 0 && given(own) == 0 ? 0 : 1;
}

static void openers(void)
{
	struct reeve_host *host = NULL;
	int ready[2], pair[2], opened, sent;
	pid_t target;
	char byte;

	if (geteuid() != 0)
		SKIP("root: needed to load the iterator");
	if (reeve_host_read(0, &host, NULL) < 0)
		SKIP("bpf: the domains of this host cannot be read");
	reeve_host_free(host);
	CHECK_EQ(pipe(ready), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	target = in_domain(say_and_wait, ready);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	opened = pidfd_open(target, 0);
	CHECK_EQ(given(opened), KERNEL);
	CHECK_EQ(result_of(in_domain(open_and_send, (int[]){pair[0], target})), 0);
	sent = receive_fd(pair[1]);
	CHECK(sent >= 0);
	CHECK_EQ(given(sent), 0);
	CHECK_EQ(result_of(in_domain(ask_inside, (int[]){opened, target})), 0);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
}

int main(void)
{
	static const struct tap_case cases[] = {{"errors", errors}, {"sizes", sizes},
		{"pidfds of processes and threads", ids}, {"SCM_PIDFD", messages},
		{"the proposal's getter", landlock_info},
		{"the reader is who opened the pidfd", openers}};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
