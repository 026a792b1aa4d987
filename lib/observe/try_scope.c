/* SPDX-License-Identifier: MIT */
/* Scopes, and the ptrace rule that every domain brings along. */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include "observe/verify.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

/* ------------------------------------------------------------- UNIX sockets */

static socklen_t abstract_address(const struct rv_stage *stage, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path + 1, stage->name, strlen(stage->name));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(stage->name));
}

static socklen_t path_address(const struct rv_stage *stage, struct sockaddr_un *ret)
{
	static const char name[] = "here/made";

	(void)stage;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, name, sizeof(name));
	return sizeof(*ret);
}

/* The sockets live as long as the process that makes them; nobody need accept. */
static int serve(int type, const struct sockaddr_un *address, socklen_t length)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)address, length) < 0)
		return -errno;
	return type == SOCK_DGRAM ? 0 : result(listen(fd, 4));
}

static int reach(int type, const struct sockaddr_un *address, socklen_t length)
{
	rv_autoclose int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return result(connect(fd, (const struct sockaddr *)address, length));
}

static int send_to(const struct sockaddr_un *address, socklen_t length)
{
	rv_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return result(sendto(fd, "x", 1, 0, (const struct sockaddr *)address, length));
}

#define UNIX_PAIR(kind, address_of)                                                                \
	static int make_##kind##_stream(const struct rv_stage *stage)                              \
	{                                                                                          \
		struct sockaddr_un address;                                                        \
		socklen_t length = address_of(stage, &address);                                    \
		return serve(SOCK_STREAM, &address, length);                                       \
	}                                                                                          \
	static int make_##kind##_dgram(const struct rv_stage *stage)                               \
	{                                                                                          \
		struct sockaddr_un address;                                                        \
		socklen_t length = address_of(stage, &address);                                    \
		return serve(SOCK_DGRAM, &address, length);                                        \
	}                                                                                          \
	static int try_##kind##_stream(const struct rv_stage *stage)                               \
	{                                                                                          \
		struct sockaddr_un address;                                                        \
		socklen_t length = address_of(stage, &address);                                    \
		return reach(SOCK_STREAM, &address, length);                                       \
	}                                                                                          \
	static int try_##kind##_send(const struct rv_stage *stage)                                 \
	{                                                                                          \
		struct sockaddr_un address;                                                        \
		socklen_t length = address_of(stage, &address);                                    \
		return send_to(&address, length);                                                  \
	}

UNIX_PAIR(abstract, abstract_address)
UNIX_PAIR(path, path_address)

/* ------------------------------------------------------------------ signals */

/* Delivery is decided before it is known that the target ignores it. */
static int make_target(const struct rv_stage *stage)
{
	(void)stage;
	return signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -errno : 0;
}

static int try_kill(const struct rv_stage *stage)
{
	return result(kill(stage->victim, SIGUSR1));
}

/* Signal 0 is delivered to nobody, but says who is there. */
static int try_kill_zero(const struct rv_stage *stage)
{
	return result(kill(stage->victim, 0));
}

static int try_pidfd(const struct rv_stage *stage)
{
	rv_autoclose int fd = (int)syscall(SYS_pidfd_open, stage->victim, 0);

	if (fd < 0)
		return -errno;
	return result(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
}

/* ------------------------------------------------------------------- ptrace */

static int secret = 42;

/* Yama lets only ancestors trace, unless the tracee names a tracer. Without Yama this is EINVAL. */
static int make_tracee(const struct rv_stage *stage)
{
	(void)stage;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	return 0;
}

/* Another process forked from the same one has the variable at the same address. */
static int try_read_memory(const struct rv_stage *stage)
{
	int copy = 0;
	struct iovec to = {.iov_base = &copy, .iov_len = sizeof(copy)};
	struct iovec from = {.iov_base = &secret, .iov_len = sizeof(secret)};

	if (process_vm_readv(stage->victim, &to, 1, &from, 1, 0) < 0)
		return -errno;
	return copy == secret ? 0 : -EIO;
}

/* The end of this process lets the tracee go. */
static int try_seize(const struct rv_stage *stage)
{
	return result(ptrace(PTRACE_SEIZE, stage->victim, NULL, NULL));
}

/* -------------------------------------------------------------------- boxes */

static void box_scope(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	const struct reeve_right_info *right = reeve_right_find(REEVE_CLASS_COUNT, row->feature);

	(void)stage;
	(void)grants;
	box->handled.of[REEVE_SCOPE] = right->bit;
}

/* Every domain restricts ptrace, whatever it handles. */
static void box_plain(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	(void)row;
	(void)stage;
	(void)grants;
	(void)box;
}

/* -------------------------------------------------------------------- table */

#define ROW(name, does, errnum, boxer, maker, try)                                                 \
	{                                                                                          \
		.feature = name, .what = does, .op = try, .refused = errnum, .box = boxer,         \
		.prove = rv_prove_matrix, .make = maker                                            \
	}
#define ABSTRACT(does, maker, try)                                                                 \
	ROW("scope.abstract_unix_socket", does, EPERM, box_scope, maker, try)
/* Landlock's RESOLVE_UNIX refuses with EACCES. */
#define PATHNAME(does, maker, try)                                                                 \
	ROW("scope.pathname_unix_socket", does, EACCES, box_scope, maker, try)
#define SIGNAL(does, try)	ROW("scope.signal", does, EPERM, box_scope, make_target, try)
#define CROSS_DOMAIN(does, try) ROW("cross_domain", does, EPERM, box_plain, make_tracee, try)

static const struct rv_row rows[] = {
	ABSTRACT("connect() to an abstract socket", make_abstract_stream, try_abstract_stream),
	ABSTRACT("sendto() an abstract socket", make_abstract_dgram, try_abstract_send),
	PATHNAME("connect() to a pathname socket", make_path_stream, try_path_stream),
	PATHNAME("sendto() a pathname socket", make_path_dgram, try_path_send),
	SIGNAL("kill()", try_kill),
	SIGNAL("kill() with signal 0", try_kill_zero),
	SIGNAL("pidfd_send_signal()", try_pidfd),
	CROSS_DOMAIN("process_vm_readv()", try_read_memory),
	CROSS_DOMAIN("ptrace(PTRACE_SEIZE)", try_seize),
};

struct rv_rows rv_rows_scope(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
