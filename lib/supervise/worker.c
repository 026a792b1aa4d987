/* SPDX-License-Identifier: MIT */
/* In the connector's threads: no libc, see worker.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/un.h>
#include "kernel/raw.h"
#include "supervise/worker.h"

/* A signal's frame takes up to 11 kB of it on machines with AMX. */
#define STACK_SIZE (64 * 1024)

/* Where the channel ends up, and our own descriptors in procfs: the directory that we are in. */
enum { FD_CHANNEL, FD_OWN };

struct received {
	struct rv_work work;
	int fds[RV_WORK_FDS];
	uint32_t count;
	uint8_t *area; /* NULL: there is none yet */
};

/* ------------------------------------------------------------------------ channel */

union control {
	char bytes[CMSG_SPACE(RV_PACKET_FDS * sizeof(int))];
	struct cmsghdr header;
};

static void take_fds(struct msghdr *message, struct received *r)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	const int *fds;
	size_t count;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	fds = (const int *)(const void *)CMSG_DATA(header);
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count && r->count < RV_WORK_FDS; i++)
		r->fds[r->count++] = fds[i];
}

static bool receive_packet(struct received *r, void *buf, size_t size)
{
	union control control;
	struct iovec iov = {buf, size};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	long n;

	do {
		message.msg_controllen = sizeof(control);
		n = rv_raw(SYS_recvmsg, FD_CHANNEL, &message, MSG_CMSG_CLOEXEC);
	} while (n == -EINTR);
	if (n != (long)size)
		return false;
	take_fds(&message, r);
	return true;
}

/* False: the supervisor closed the channel. */
static bool receive(struct received *r)
{
	char byte;

	r->count = 0;
	if (!receive_packet(r, &r->work, sizeof(r->work)))
		return false;
	return RV_WORK_PACKETS(r->work.fds_count) == 1 || receive_packet(r, &byte, 1);
}

static bool answer(long result, int fd, bool broken)
{
	struct rv_work_done done = {.result = result, .broken = broken};
	union control control = {0};
	struct iovec iov = {&done, sizeof(done)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	long n;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		*(int *)(void *)CMSG_DATA(&control.header) = fd;
	}
	do
		n = rv_raw(SYS_sendmsg, FD_CHANNEL, &message, MSG_NOSIGNAL);
	while (n == -EINTR);
	return n == sizeof(done);
}

/* --------------------------------------------------------------------------- calls */

/* "N", in the directory of our own descriptors: the whole name takes a µs longer to look up. */
static uint32_t pin_address(int pin, uint8_t *address)
{
	struct sockaddr_un *to = (void *)address;
	char *at = to->sun_path;
	int divisor = 1;

	to->sun_family = AF_UNIX;
	while (pin / divisor >= 10)
		divisor *= 10;
	for (; divisor; divisor /= 10)
		*at++ = (char)('0' + pin / divisor % 10);
	*at = '\0';
	return (uint32_t)(at + 1 - (char *)to);
}

static long do_connect(struct received *r)
{
	if (r->count < 1 || (r->work.pinned && r->count < 2))
		return -EBADF;
	if (r->work.pinned)
		r->work.address_size = pin_address(r->fds[1], r->work.address);
	return rv_raw(SYS_connect, r->fds[0], r->work.address, r->work.address_size);
}

/*
 * By one end of a pair, which is connected already: the kernel looks the address up and asks its
 * security modules all the same, and then gives EISCONN. One for datagrams changes its peer.
 */
static long do_probe(struct received *r)
{
	int pair[2];
	long result;

	if (r->count < 1)
		return -EBADF;
	result = rv_raw(
		SYS_socketpair, AF_UNIX, r->work.args[0] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
	if (result < 0)
		return result;
	r->work.address_size = pin_address(r->fds[0], r->work.address);
	result = rv_raw(SYS_connect, pair[0], r->work.address, r->work.address_size);
	rv_raw(SYS_close, pair[0]);
	rv_raw(SYS_close, pair[1]);
	return result == -EISCONN || result == -EAGAIN ? 0 : result;
}

static long do_bind(struct received *r)
{
	long result;

	if (r->count < 2)
		return -EBADF;
	result = rv_raw(SYS_fchdir, r->fds[1]);
	if (result < 0)
		return result;
	rv_raw(SYS_umask, r->work.args[0]);
	result = rv_raw(SYS_bind, r->fds[0], r->work.address, r->work.address_size);
	if (rv_raw(SYS_fchdir, FD_OWN) < 0)
		rv_raw(SYS_exit, 0);
	return result;
}

static long do_listen(const struct received *r)
{
	return r->count < 1 ? -EBADF : rv_raw(SYS_listen, r->fds[0], r->work.args[0]);
}

static long do_map(struct received *r)
{
	long at;

	if (r->count < 1)
		return -EBADF;
	at = rv_raw(SYS_mmap, NULL, RV_AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fds[0], 0);
	if (at > -4096 && at < 0)
		return at;
	r->area = (uint8_t *)at; /* NOLINT: the kernel gives addresses as numbers */
	return 0;
}

/* The supervisor wrote which of its descriptors; here they have other numbers. */
static bool name_rights(const struct received *r, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int *fds = (int *)(void *)CMSG_DATA(c);
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			if ((uint32_t)fds[i] >= r->count)
				return false;
			fds[i] = r->fds[fds[i]];
		}
	}
	return true;
}

static long send_letter(const struct received *r, const struct rv_letter *letter, int flags)
{
	uint8_t pinned[sizeof(struct sockaddr_un)];
	struct iovec iov = {r->area + letter->data, letter->data_size};
	struct msghdr message = {.msg_name = letter->name_size ? r->area + letter->name : NULL,
		.msg_namelen = letter->name_size,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = letter->control_size ? r->area + letter->control : NULL,
		.msg_controllen = letter->control_size};

	if (letter->pin >= r->count || !name_rights(r, &message))
		return -EBADF;
	if (letter->pin) {
		message.msg_name = pinned;
		message.msg_namelen = pin_address(r->fds[letter->pin], pinned);
	}
	return rv_raw(SYS_sendmsg, r->fds[0], &message, flags);
}

/* What was sent before an error is told, as by sendmmsg(2). */
static long do_send(struct received *r)
{
	struct rv_mail *mail = (void *)r->area;
	long n = 0;

	if (!mail || r->count < 1)
		return -EBADF;
	for (uint32_t i = 0; i < mail->count; i++) {
		n = send_letter(r, &mail->letters[i], mail->flags);
		if (n < 0)
			return mail->many && i ? (long)i : n;
		mail->letters[i].sent = (uint32_t)n;
	}
	return mail->many ? (long)mail->count : n;
}

/* SIGPIPE is blocked here, so that it can be seen and taken. */
static bool take_sigpipe(void)
{
	uint64_t set = UINT64_C(1) << (SIGPIPE - 1);
	const struct timespec at_once = {0};

	return rv_raw(SYS_rt_sigtimedwait, &set, NULL, &at_once, sizeof(set)) == SIGPIPE;
}

static long perform(struct received *r)
{
	const int32_t *args = r->work.args;

	/* There was no room for all of them in the table. */
	if (r->count != r->work.fds_count)
		return -EMFILE;
	switch (r->work.kind) {
	case RV_WORK_SOCKET:
		return rv_raw(SYS_socket, args[0], args[1], args[2]);
	case RV_WORK_CONNECT:
		return do_connect(r);
	case RV_WORK_BIND:
		return do_bind(r);
	case RV_WORK_LISTEN:
		return do_listen(r);
	case RV_WORK_MAP:
		return do_map(r);
	case RV_WORK_SEND:
		return do_send(r);
	case RV_WORK_PROBE:
		return do_probe(r);
	default:
		return -ENOSYS;
	}
}

/* They mostly came one after the other: one call instead of two. */
static void close_all(const struct received *r)
{
	uint32_t last = r->count ? r->count - 1 : 0;
	bool in_order = r->count > 1;

	for (uint32_t i = 1; i < r->count; i++)
		in_order = in_order && r->fds[i] == r->fds[i - 1] + 1;
	if (in_order && rv_raw(SYS_close_range, r->fds[0], r->fds[last], 0) == 0)
		return;
	for (uint32_t i = 0; i < r->count; i++)
		rv_raw(SYS_close, r->fds[i]);
}

static bool serve_one(struct received *r)
{
	long result = perform(r);
	int made = r->work.kind == RV_WORK_SOCKET && result >= 0 ? (int)result : -1;
	bool ok, broken = result == -EPIPE && take_sigpipe();

	close_all(r);
	ok = answer(result, made, broken);
	if (made >= 0)
		rv_raw(SYS_close, made);
	return ok;
}

/* -------------------------------------------------------------------------- thread */

/* Anywhere else, the name of a pin would mean a file of others. Ours are not the process's. */
static bool enter_own_descriptors(void)
{
	static const char own[] = "/proc/thread-self/fd";

	return rv_raw(SYS_openat, AT_FDCWD, own, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) == FD_OWN &&
	       rv_raw(SYS_fchdir, FD_OWN) == 0;
}

static int worker(void *channel)
{
	uint64_t signals = UINT64_C(1) << (RV_WORKER_SIGNAL - 1);
	uint64_t pipe = UINT64_C(1) << (SIGPIPE - 1);
	struct received r = {.area = NULL};

	rv_raw(SYS_dup3, (intptr_t)channel, FD_CHANNEL, 0);
	rv_raw(SYS_close_range, FD_CHANNEL + 1, ~0u, 0);
	rv_raw(SYS_rt_sigprocmask, SIG_UNBLOCK, &signals, NULL, sizeof(signals));
	rv_raw(SYS_rt_sigprocmask, SIG_BLOCK, &pipe, NULL, sizeof(pipe));
	if (enter_own_descriptors()) {
		while (receive(&r) && serve_one(&r))
			;
	}
	rv_raw(SYS_exit, 0);
	__builtin_unreachable();
}

static void nothing(int sig)
{
	(void)sig;
}

void rv_worker_init(void)
{
	struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */

	sigaction(RV_WORKER_SIGNAL, &action, NULL);
}

/* The stack is never freed: a worker ends with the connector, or when it broke. */
pid_t rv_worker_start(int channel)
{
	const int flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t tid;

	if (stack == MAP_FAILED)
		return -errno;
	tid = clone(worker, stack + STACK_SIZE, flags, (void *)(intptr_t)channel);
	if (tid >= 0)
		return tid;
	tid = -errno;
	munmap(stack, STACK_SIZE);
	return tid;
}
