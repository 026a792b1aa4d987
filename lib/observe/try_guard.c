/* SPDX-License-Identifier: MIT */
/* The guards of the seccomp filter, and what `deny` adds to them. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "observe/verify.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup    425
#define SYS_io_uring_enter    426
#define SYS_io_uring_register 427
#endif
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE	   (3 << 13)
#define HIGH		   UINT64_C(0x100000000) /* what a filter sees and the kernel does not */

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static int result_close(long fd)
{
	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

/* ------------------------------------------------------------------ foreign */

/* getpid() by the 32-bit entry; dies where the kernel has none. */
static int try_int80(const struct rv_stage *stage)
{
	long r = -EOPNOTSUPP;

	(void)stage;
#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "r8", "r9", "r10", "r11", "memory");
	r = (int)r;
#endif
	return r < 0 ? (int)r : 0;
}

/* getpid() by its x32 number. */
static int try_x32(const struct rv_stage *stage)
{
	(void)stage;
#ifdef __x86_64__
	return result(syscall(0x40000000L + SYS_getpid));
#else
	return -EOPNOTSUPP;
#endif
}

static int try_getpid(const struct rv_stage *stage)
{
	(void)stage;
	return result(syscall(SYS_getpid));
}

/* ---------------------------------------------------------------- terminals */

/* A terminal of our own, as controlling terminal: then anybody may push a character into it. */
static int with_tty(int (*fn)(int tty))
{
	rv_autoclose int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	rv_autoclose int tty = -1;
	char name[64];

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || setsid() < 0 ||
		ptsname_r(master, name, sizeof(name)) != 0)
		return RV_LACKING;
	/* The end of the terminal hangs up on its session, which is this process. */
	signal(SIGHUP, SIG_IGN);
	tty = open(name, O_RDWR | O_CLOEXEC);
	return tty < 0 ? RV_LACKING : fn(tty);
}

static int push(int tty)
{
	return result(syscall(SYS_ioctl, tty, TIOCSTI, "x"));
}

static int push_high(int tty)
{
	return result(syscall(SYS_ioctl, tty, HIGH | TIOCSTI, "x"));
}

static int console(int tty)
{
	char subcode = 0;

	return result(syscall(SYS_ioctl, tty, TIOCLINUX, &subcode));
}

static int window_size(int tty)
{
	struct winsize size;

	return result(ioctl(tty, TIOCGWINSZ, &size));
}

static int try_push(const struct rv_stage *stage)
{
	(void)stage;
	return with_tty(push);
}

static int try_push_high(const struct rv_stage *stage)
{
	(void)stage;
	return with_tty(push_high);
}

static int try_console(const struct rv_stage *stage)
{
	(void)stage;
	return with_tty(console);
}

static int try_window_size(const struct rv_stage *stage)
{
	(void)stage;
	return with_tty(window_size);
}

/* --------------------------------------------------------------- scheduling */

static int limit(pid_t pid)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return -errno;
	return result(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &now, NULL));
}

static int try_prlimit(const struct rv_stage *stage)
{
	return limit(stage->victim);
}

static int try_prlimit_self(const struct rv_stage *stage)
{
	(void)stage;
	return limit(0);
}

static int try_setscheduler(const struct rv_stage *stage)
{
	struct sched_param param = {0};

	return result(sched_setscheduler(stage->victim, SCHED_IDLE, &param));
}

static int try_setpriority(const struct rv_stage *stage)
{
	return result(setpriority(PRIO_PROCESS, (id_t)stage->victim, 19));
}

static int try_setpriority_self(const struct rv_stage *stage)
{
	(void)stage;
	return result(setpriority(PRIO_PROCESS, 0, 19));
}

static int try_ioprio(const struct rv_stage *stage)
{
	return result(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, stage->victim, IOPRIO_IDLE));
}

/* ----------------------------------------------------------------- io_uring */

static int try_uring(const struct rv_stage *stage)
{
	uint64_t params[32] = {0}; /* struct io_uring_params is 120 bytes */

	(void)stage;
	return result_close(syscall(SYS_io_uring_setup, 1, params));
}

static int try_uring_enter(const struct rv_stage *stage)
{
	(void)stage;
	return result(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
}

static int try_uring_register(const struct rv_stage *stage)
{
	(void)stage;
	return result(syscall(SYS_io_uring_register, -1, 0, NULL, 0));
}

/* ---------------------------------------------------------------------- TCP */

static int fast_open(const struct rv_stage *stage, uint64_t flags)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(stage->tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	rv_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return result(syscall(SYS_sendto, fd, "x", 1, flags, &address, sizeof(address)));
}

static int try_fast_open(const struct rv_stage *stage)
{
	return fast_open(stage, MSG_FASTOPEN);
}

static int try_fast_open_high(const struct rv_stage *stage)
{
	return fast_open(stage, HIGH | MSG_FASTOPEN);
}

static int try_connect(const struct rv_stage *stage)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(stage->tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	rv_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	return result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int try_mptcp(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
}

static int try_mptcp6(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
}

static int try_vsock(const struct rv_stage *stage)
{
	(void)stage;
	return result_close(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* --------------------------------------------------------------------- deny */

static int try_shm(const struct rv_stage *stage)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);

	(void)stage;
	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	return result(id);
}

static int try_sem(const struct rv_stage *stage)
{
	int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	(void)stage;
	if (id >= 0)
		semctl(id, 0, IPC_RMID);
	return result(id);
}

static int try_msg(const struct rv_stage *stage)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	(void)stage;
	if (id >= 0)
		msgctl(id, IPC_RMID, NULL);
	return result(id);
}

/* The process keyring goes with the process. */
static int try_add_key(const struct rv_stage *stage)
{
	return result(
		syscall(SYS_add_key, "user", stage->name, "x", 1, (long)KEY_SPEC_PROCESS_KEYRING));
}

static int try_keyctl(const struct rv_stage *stage)
{
	(void)stage;
	return result(
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_PROCESS_KEYRING, 1L));
}

/* There is no such key: what the kernel says to that is not what the filter says. */
static int try_request_key(const struct rv_stage *stage)
{
	return result(syscall(SYS_request_key, "user", stage->name, NULL, 0L));
}

/* -------------------------------------------------------------------- boxes */

#define UNUSED_BOX(row, stage, grants) ((void)(row), (void)(stage), (void)(grants))

/* These guards are always on. */
static void box_any(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	(void)box;
}

static void box_signal(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	box->handled.of[REEVE_SCOPE] = REEVE_SCOPE_SIGNAL;
}

/* The port is granted, so that it is the guard that refuses what is refused. */
static void box_connect(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	box->handled.of[REEVE_NET] = REEVE_NET_CONNECT_TCP;
	box->rules[0] = (struct reeve_rule){.type = REEVE_RULE_NET_PORT,
		.allowed = REEVE_NET_CONNECT_TCP,
		.port_first = stage->tcp_port,
		.port_last = stage->tcp_port,
		.origin = "verify"};
	box->rules_count = stage->tcp_port ? 1 : 0;
}

static void box_sockets(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	box->handled.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE;
}

static void box_no_ipc(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	box->text = "[[ruleset]]\nhandled_access_fs = [\"make_char\"]\ndeny = [\"sysv_ipc\"]\n";
}

static void box_no_keyring(
	const struct rv_row *row, const struct rv_stage *stage, bool grants, struct rv_box *box)
{
	UNUSED_BOX(row, stage, grants);
	box->text = "[[ruleset]]\nhandled_access_fs = [\"make_char\"]\ndeny = [\"keyring\"]\n";
}

/* -------------------------------------------------------------------- table */

#define ROW(name, does, try, errnum, boxer, flag, other)                                           \
	.feature = name, .what = does, .op = try, .refused = errnum, .box = boxer,                 \
	.flags = RV_ROW_NO_GRANT | (flag), .neighbour = other
#define WANTS(cls, bit) .wants_class = REEVE_##cls, .wants = REEVE_##cls##_##bit
#define ARCH(does, try)                                                                            \
	{                                                                                          \
		ROW("guard.arch", does, try, ENOSYS, box_any, 0, try_getpid)                       \
	}
#define TTY(does, try)                                                                             \
	{                                                                                          \
		ROW("guard.tty", does, try, EPERM, box_any, RV_ROW_FUTILE, try_window_size)        \
	}
#define SCHED(does, try, other)                                                                    \
	{                                                                                          \
		ROW("guard.sched", does, try, EPERM, box_signal, 0, other),                        \
			.needs = RV_NEEDS_VICTIM, WANTS(SCOPE, SIGNAL)                             \
	}
#define URING(does, try, flag)                                                                     \
	{                                                                                          \
		ROW("guard.io_uring", does, try, ENOSYS, box_sockets, flag, try_getpid)            \
	}
#define URING_TCP(does, try)                                                                       \
	{                                                                                          \
		ROW("guard.io_uring", does, try, ENOSYS, box_connect, 0, try_getpid),              \
			WANTS(NET, CONNECT_TCP)                                                    \
	}
#define TCP(does, try, errnum, flag)                                                               \
	{                                                                                          \
		ROW("guard.tcp", does, try, errnum, box_connect, flag, try_connect),               \
			.needs = RV_NEEDS_TCP, WANTS(NET, CONNECT_TCP)                             \
	}
#define IPC(does, try)                                                                             \
	{                                                                                          \
		ROW("deny.sysv_ipc", does, try, EPERM, box_no_ipc, 0, try_getpid)                  \
	}
#define KEYRING(does, try, flag)                                                                   \
	{                                                                                          \
		ROW("deny.keyring", does, try, EPERM, box_no_keyring, flag, try_getpid)            \
	}

static const struct rv_row rows[] = {
	ARCH("int 0x80", try_int80),
	ARCH("an x32 call", try_x32),
	TTY("ioctl(TIOCSTI)", try_push),
	TTY("ioctl(TIOCSTI) with high bits set", try_push_high),
	TTY("ioctl(TIOCLINUX)", try_console),
	SCHED("prlimit64() on a process outside", try_prlimit, try_prlimit_self),
	SCHED("sched_setscheduler() on it", try_setscheduler, NULL),
	SCHED("setpriority() on it", try_setpriority, try_setpriority_self),
	SCHED("ioprio_set() on it", try_ioprio, NULL),
	URING("io_uring_setup()", try_uring, 0),
	URING("io_uring_enter()", try_uring_enter, RV_ROW_FUTILE),
	URING("io_uring_register()", try_uring_register, RV_ROW_FUTILE),
	URING_TCP("io_uring_setup() where connect_tcp is handled", try_uring),
	TCP("sendto(MSG_FASTOPEN)", try_fast_open, EOPNOTSUPP, 0),
	TCP("sendto(MSG_FASTOPEN) with high bits set", try_fast_open_high, EOPNOTSUPP, 0),
	TCP("socket() of MPTCP", try_mptcp, EACCES, RV_ROW_FUTILE),
	TCP("socket() of MPTCP over IPv6", try_mptcp6, EACCES, RV_ROW_FUTILE),
	TCP("socket() of VSOCK", try_vsock, EACCES, RV_ROW_FUTILE),
	IPC("shmget()", try_shm),
	IPC("semget()", try_sem),
	IPC("msgget()", try_msg),
	KEYRING("add_key()", try_add_key, 0),
	KEYRING("keyctl()", try_keyctl, 0),
	KEYRING("request_key()", try_request_key, RV_ROW_FUTILE),
};

struct rv_rows rv_rows_guard(void)
{
	return (struct rv_rows){rows, RV_COUNT(rows)};
}
