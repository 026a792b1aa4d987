/* SPDX-License-Identifier: MIT */
/*
 * Requests and answers, written by hand. Each must be harmless when it is really made: what is
 * expected to be allowed runs on the machine that tests (as root, perhaps).
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "filter_table.h"

#define ANY   (-1)
#define HIGH  (UINT64_C(1) << 32)  /* what the kernel does not see of an int, but of a pointer */
#define MINUS UINT64_C(0xffffffff) /* -1 as an int */

#define TIOCSTI_   0x5412
#define TIOCLINUX_ 0x541c
#define TCGETS_	   0x5401
#define FASTOPEN   UINT64_C(0x20000000)
#define UFFD_NEW_  0xaa00
#define NEWUSER_   UINT64_C(0x10000000)
#define NEWNS_	   UINT64_C(0x00020000)

#define TAG	  UINT64_C(0x9e5bd3c127f48a6d) /* RV_SHIM_TAG, written down once more */
#define PATH_FLAG UINT64_C(010000000)	       /* O_PATH */

#define MPTCP 262
#define SMC   256
#define SCTP  132

static const struct rv_filter_spec tty = {.guards = RV_GUARD_ARCH | RV_GUARD_TTY};
static const struct rv_filter_spec sched = {.guards = RV_GUARD_ARCH | RV_GUARD_SCHED};
static const struct rv_filter_spec uring = {.guards = RV_GUARD_ARCH | RV_GUARD_IO_URING};
static const struct rv_filter_spec tcp = {.guards = RV_GUARD_ARCH | RV_GUARD_TCP};
static const struct rv_filter_spec sysv = {.guards = RV_GUARD_ARCH | RV_GUARD_SYSV_IPC};
static const struct rv_filter_spec keys = {.guards = RV_GUARD_ARCH | RV_GUARD_KEYRING};
static const struct rv_filter_spec dgram = {.guards = RV_GUARD_ARCH | RV_GUARD_UNIX_DGRAM};

static const struct rv_filter_spec fs = {
	.guards = RV_GUARD_ARCH, .supervised = true, .traps = RV_TRAP_FS};
static const struct rv_filter_spec exec = {
	.guards = RV_GUARD_ARCH, .supervised = true, .traps = RV_TRAP_EXEC};
static const struct rv_filter_spec watched = {
	.guards = RV_GUARD_ARCH | RV_GUARD_SCHED | RV_GUARD_TTY, .supervised = true};
static const struct rv_filter_spec inner = {
	.guards = RV_GUARD_ARCH, .supervised = true, .inner_landlock = true};

/* UNIX sockets are the supervisor's; with rules, and without. */
static const struct rv_filter_socket unix_rules[] = {
	{AF_UNIX, SOCK_STREAM, 0}, {AF_UNIX, SOCK_SEQPACKET, ANY}};
static const struct rv_filter_spec unix_some = {.guards = RV_GUARD_ARCH,
	.supervised = true,
	.traps = RV_TRAP_UNIX | RV_TRAP_CONNECT,
	.handle_socket = true,
	.sockets = unix_rules,
	.sockets_count = RV_COUNT(unix_rules)};
static const struct rv_filter_spec unix_all = {
	.guards = RV_GUARD_ARCH | RV_GUARD_UNIX_DGRAM, .supervised = true, .traps = RV_TRAP_UNIX};

static const struct rv_filter_spec noted = {
	.guards = RV_GUARD_ARCH | RV_GUARD_UNIX_DGRAM, .supervised = true, .traps = RV_TRAP_SOCKET};

static const struct rv_filter_spec sends = {
	.guards = RV_GUARD_ARCH, .supervised = true, .traps = RV_TRAP_SEND};
static const struct rv_filter_spec sends_tcp = {
	.guards = RV_GUARD_ARCH | RV_GUARD_TCP, .supervised = true, .traps = RV_TRAP_SEND};

/* Socket creation handled and nothing granted. */
static const struct rv_filter_spec nothing = {.guards = RV_GUARD_ARCH, .handle_socket = true};

static const struct rv_filter_socket rules[] = {
	{AF_UNIX, ANY, ANY},
	{AF_NETLINK, ANY, ANY},
	{AF_INET, SOCK_STREAM, 0},
	{AF_INET, SOCK_STREAM, IPPROTO_TCP},
	{AF_INET, SOCK_DGRAM, ANY},
	{AF_INET, ANY, 200},
	{AF_INET6, SOCK_STREAM, ANY},
	{AF_INET6, SOCK_STREAM, MPTCP},
	{AF_INET6, SOCK_SEQPACKET, ANY},
	{AF_VSOCK, SOCK_STREAM, ANY},
	{AF_SMC, ANY, 0},
	{AF_INET, SOCK_PACKET, ANY}, /* never matches: the kernel makes AF_PACKET of it */
	{AF_INET, 77, ANY},	     /* no such type, no such family: no effect */
	{200, ANY, ANY},
	{AF_QIPCRTR, SOCK_DGRAM, 0},
};

#define RULES .sockets = rules, .sockets_count = RV_COUNT(rules)

static const struct rv_filter_spec some = {.guards = RV_GUARD_ARCH, .handle_socket = true, RULES};
static const struct rv_filter_spec some_tcp = {
	.guards = RV_GUARD_ARCH | RV_GUARD_TCP, .handle_socket = true, RULES};
static const struct rv_filter_spec some_dgram = {
	.guards = RV_GUARD_ARCH | RV_GUARD_UNIX_DGRAM, .handle_socket = true, RULES};

static const struct rv_filter_socket packet_rules[] = {{AF_PACKET, SOCK_PACKET, 3}};
static const struct rv_filter_spec packet = {.guards = RV_GUARD_ARCH,
	.handle_socket = true,
	.sockets = packet_rules,
	.sockets_count = RV_COUNT(packet_rules)};

static const struct rv_filter_socket sctp_rules[] = {{AF_INET, SOCK_SEQPACKET, SCTP}};
static const struct rv_filter_spec sctp = {.guards = RV_GUARD_ARCH | RV_GUARD_TCP,
	.handle_socket = true,
	.sockets = sctp_rules,
	.sockets_count = RV_COUNT(sctp_rules)};

const struct rv_filter_spec filter_spec_everything = {
	.guards = RV_GUARD_ARCH | RV_GUARD_TTY | RV_GUARD_SCHED | RV_GUARD_IO_URING | RV_GUARD_TCP |
		  RV_GUARD_SYSV_IPC | RV_GUARD_KEYRING | RV_GUARD_UNIX_DGRAM,
	.handle_socket = true,
	RULES};

const struct rv_filter_spec filter_spec_supervised = {
	.guards = RV_GUARD_ARCH | RV_GUARD_TTY | RV_GUARD_SCHED | RV_GUARD_IO_URING | RV_GUARD_TCP |
		  RV_GUARD_SYSV_IPC | RV_GUARD_KEYRING | RV_GUARD_UNIX_DGRAM,
	.supervised = true,
	.traps = RV_TRAP_FS | RV_TRAP_EXEC | RV_TRAP_GUARD | RV_TRAP_UNIX | RV_TRAP_CONNECT |
		 RV_TRAP_BIND | RV_TRAP_MEMFD | RV_TRAP_SEND | RV_TRAP_LISTEN,
	.handle_socket = true,
	RULES};

/* clang-format off */
const struct filter_row filter_rows[] = {
	{&tty, CALL_ioctl, {MINUS, TIOCSTI_}, EPERM, "TIOCSTI"},
	{&tty, CALL_ioctl, {MINUS, TIOCLINUX_}, EPERM, "TIOCLINUX"},
	{&tty, CALL_ioctl, {MINUS, HIGH | TIOCSTI_}, EPERM, "TIOCSTI, high word"},
	{&tty, CALL_ioctl, {MINUS, ~MINUS | TIOCSTI_}, EPERM, "TIOCSTI, high word full"},
	{&tty, CALL_ioctl, {MINUS, HIGH | TIOCLINUX_}, EPERM, "TIOCLINUX, high word"},
	{&tty, CALL_ioctl, {0, TIOCSTI_, 0}, EPERM, "TIOCSTI on stdin"},
	{&tty, CALL_ioctl, {MINUS, TCGETS_}, 0, "TCGETS"},
	{&tty, CALL_ioctl, {TIOCSTI_, TCGETS_, TIOCSTI_}, 0, "TIOCSTI as another argument"},
	{&tty, CALL_ioctl, {MINUS, 0x5411}, 0, "next to TIOCSTI"},
	{&tty, CALL_ioctl, {MINUS, 0x5413}, 0, "TIOCGWINSZ"},
	{&tty, CALL_ioctl, {MINUS, 0x15412}, 0, "more than TIOCSTI's bits"},
	{&sched, CALL_ioctl, {MINUS, TIOCSTI_}, 0, "no tty guard"},

	{&sched, CALL_prlimit64, {0, 7, 0, 0}, 0, "own limits, read"},
	{&sched, CALL_prlimit64, {0, 7, 8, 0}, 0, "own limits, set"},
	{&sched, CALL_prlimit64, {HIGH, 7, 8, 0}, 0, "pid 0 with a high word"},
	{&sched, CALL_prlimit64, {1, 7, 0, 0}, 0, "another's limits, read"},
	{&sched, CALL_prlimit64, {1, 7, 8, 0}, EPERM, "another's limits, set"},
	{&sched, CALL_prlimit64, {1, 7, HIGH, 0}, EPERM, "low word of the pointer zero"},
	{&sched, CALL_prlimit64, {1, 7, ~MINUS, 0}, EPERM, "high word of the pointer full"},
	{&sched, CALL_prlimit64, {1, 7, UINT64_MAX, 0}, EPERM, "pointer full"},
	{&sched, CALL_prlimit64, {HIGH | 1, 7, 8, 0}, EPERM, "pid 1 with a high word"},
	{&sched, CALL_prlimit64, {MINUS, 7, 8, 0}, EPERM, "pid -1"},
	{&sched, CALL_prlimit64, {MINUS, 7, 0, 8}, 0, "pid -1, read"},
	{&tty, CALL_prlimit64, {MINUS, 7, 8, 0}, 0, "no sched guard"},
	{&sched, CALL_setrlimit, {7, 0}, 0, "setrlimit is for oneself"},

	{&sched, CALL_sched_setscheduler, {0, 0, 0}, 0, "own scheduler"},
	{&sched, CALL_sched_setscheduler, {HIGH, 0, 0}, 0, "own scheduler, high word"},
	{&sched, CALL_sched_setscheduler, {1, 0, 0}, EPERM, "another's scheduler"},
	{&sched, CALL_sched_setscheduler, {HIGH | 1, 0, 0}, EPERM, "another's, high word"},
	{&sched, CALL_sched_setscheduler, {MINUS, 0, 0}, EPERM, "pid -1"},
	{&sched, CALL_sched_setparam, {0, 0}, 0, "own parameters"},
	{&sched, CALL_sched_setparam, {1, 0}, EPERM, "another's parameters"},
	{&sched, CALL_sched_setattr, {0, 0, 0}, 0, "own attributes"},
	{&sched, CALL_sched_setattr, {1, 0, 0}, EPERM, "another's attributes"},
	{&sched, CALL_sched_setaffinity, {MINUS, 0, 0}, 0, "affinity stays"},
	{&sched, CALL_sched_getparam, {1, 0}, 0, "reading parameters"},
	{&sched, CALL_sched_getscheduler, {1}, 0, "reading the scheduler"},
	{&sched, CALL_sched_getattr, {1, 0, 0, 0}, 0, "reading attributes"},
	{&tty, CALL_sched_setscheduler, {MINUS, 0, 0}, 0, "no sched guard"},

	{&sched, CALL_setpriority, {PRIO_PROCESS, 0, 0}, 0, "own priority"},
	{&sched, CALL_setpriority, {HIGH, HIGH, 0}, 0, "own priority, high words"},
	{&sched, CALL_setpriority, {PRIO_PROCESS, 1, 0}, EPERM, "another's priority"},
	{&sched, CALL_setpriority, {HIGH, HIGH | 1, 0}, EPERM, "another's priority, high words"},
	{&sched, CALL_setpriority, {PRIO_PGRP, 0, 0}, EPERM, "own group's priority"},
	{&sched, CALL_setpriority, {PRIO_PGRP, 1, 0}, EPERM, "a group's priority"},
	{&sched, CALL_setpriority, {PRIO_USER, 0, 0}, EPERM, "own user's priority"},
	{&sched, CALL_setpriority, {HIGH | PRIO_USER, 0, 0}, EPERM, "user, high word"},
	{&sched, CALL_setpriority, {3, 1, 0}, 0, "no such which"},
	{&sched, CALL_setpriority, {MINUS, 1, 0}, 0, "which -1"},
	{&sched, CALL_getpriority, {PRIO_USER, 0}, 0, "reading priorities"},
	{&tty, CALL_setpriority, {PRIO_PROCESS, 0x7ffffff0, 0}, 0, "no sched guard"},

	{&sched, CALL_ioprio_set, {1, 0, 0}, 0, "own I/O priority"},
	{&sched, CALL_ioprio_set, {HIGH | 1, HIGH, 0}, 0, "own I/O priority, high words"},
	{&sched, CALL_ioprio_set, {1, 1, 0}, EPERM, "another's I/O priority"},
	{&sched, CALL_ioprio_set, {1, HIGH | 1, 0}, EPERM, "another's, high word"},
	{&sched, CALL_ioprio_set, {2, 0, 0}, EPERM, "own group's I/O priority"},
	{&sched, CALL_ioprio_set, {3, 0, 0}, EPERM, "a user's I/O priority"},
	{&sched, CALL_ioprio_set, {HIGH | 3, 0, 0}, EPERM, "a user's, high word"},
	{&sched, CALL_ioprio_set, {0, 1, 0}, 0, "no such which"},
	{&sched, CALL_ioprio_set, {4, 1, 0}, 0, "no such which either"},
	{&sched, CALL_ioprio_get, {2, 0}, 0, "reading I/O priorities"},

	{&uring, CALL_io_uring_setup, {0, 0}, ENOSYS, "io_uring_setup"},
	{&uring, CALL_io_uring_enter, {MINUS, 0, 0, 0, 0, 0}, ENOSYS, "io_uring_enter"},
	{&uring, CALL_io_uring_register, {MINUS, 0, 0, 0}, ENOSYS, "io_uring_register"},
	{&uring, CALL_pidfd_send_signal, {MINUS, 0, 0, 0}, 0, "the number before"},
	{&uring, CALL_open_tree, {MINUS, 0, 0}, 0, "the number after"},
	{&tty, CALL_io_uring_setup, {0, 0}, 0, "no io_uring guard"},

	{&tcp, CALL_sendto, {MINUS, 0, 0, FASTOPEN, 0, 0}, EOPNOTSUPP, "sendto, fast open"},
	{&tcp, CALL_sendto, {MINUS, 0, 0, FASTOPEN | 0x4040, 0, 0}, EOPNOTSUPP, "and other flags"},
	{&tcp, CALL_sendto, {MINUS, 0, 0, HIGH | FASTOPEN, 0, 0}, EOPNOTSUPP, "and a high word"},
	{&tcp, CALL_sendto, {MINUS, 0, 0, ~FASTOPEN, 0, 0}, 0, "all but fast open"},
	{&tcp, CALL_sendto, {MINUS, 0, 0, FASTOPEN << 32, 0, 0}, 0, "in the high word"},
	{&tcp, CALL_sendto, {MINUS, FASTOPEN, FASTOPEN, 0, FASTOPEN, FASTOPEN}, 0, "elsewhere"},
	{&tcp, CALL_sendmsg, {MINUS, 0, FASTOPEN}, EOPNOTSUPP, "sendmsg, fast open"},
	{&tcp, CALL_sendmsg, {MINUS, 0, HIGH | FASTOPEN | 1}, EOPNOTSUPP, "sendmsg, high word"},
	{&tcp, CALL_sendmsg, {MINUS, 0, 0x4000, FASTOPEN}, 0, "sendmsg, none"},
	{&tcp, CALL_sendmmsg, {MINUS, 0, 1, FASTOPEN}, EOPNOTSUPP, "sendmmsg, fast open"},
	{&tcp, CALL_sendmmsg, {MINUS, 0, FASTOPEN, 0}, 0, "sendmmsg, none"},
	{&tcp, CALL_recvmsg, {MINUS, 0, FASTOPEN}, 0, "recvmsg"},
	{&tty, CALL_sendto, {MINUS, 0, 0, FASTOPEN, 0, 0}, 0, "no TCP guard"},

	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, 0}, 0, "TCP by default"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, IPPROTO_TCP}, 0, "TCP"},
	{&tcp, CALL_socket, {AF_INET6, SOCK_STREAM, IPPROTO_TCP}, 0, "TCP, IPv6"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, MPTCP}, EACCES, "MPTCP"},
	{&tcp, CALL_socket, {AF_INET6, SOCK_STREAM, MPTCP}, EACCES, "MPTCP, IPv6"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, MPTCP}, EACCES, "CLOEXEC"},
	{&tcp, CALL_socket, {HIGH | AF_INET, SOCK_STREAM, MPTCP}, EACCES, "family's high word"},
	{&tcp, CALL_socket, {AF_INET, HIGH | SOCK_STREAM, MPTCP}, EACCES, "type's high word"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, HIGH | MPTCP}, EACCES, "protocol's high word"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, HIGH}, 0, "protocol 0's high word"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, SMC}, EACCES, "SMC by protocol"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, SCTP}, EACCES, "SCTP, one to one"},
	{&tcp, CALL_socket, {AF_INET, SOCK_SEQPACKET, SCTP}, EACCES, "SCTP, one to many"},
	{&tcp, CALL_socket, {AF_INET, SOCK_SEQPACKET, 0}, EACCES, "SCTP by default"},
	{&tcp, CALL_socket, {AF_INET, SOCK_SEQPACKET, IPPROTO_TCP}, 0, "no such thing: kernel's"},
	{&tcp, CALL_socket, {AF_INET, SOCK_STREAM, MINUS}, EACCES, "protocol -1"},
	{&tcp, CALL_socket, {AF_INET, SOCK_DGRAM, 0}, 0, "UDP"},
	{&tcp, CALL_socket, {AF_INET, SOCK_DGRAM, MPTCP}, 0, "datagrams have no MPTCP"},
	{&tcp, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, 0, "UNIX"},
	{&tcp, CALL_socket, {AF_VSOCK, SOCK_STREAM, 0}, EACCES, "vsock"},
	{&tcp, CALL_socket, {AF_VSOCK, SOCK_DGRAM, 0}, EACCES, "vsock datagrams"},
	{&tcp, CALL_socket, {AF_SMC, SOCK_STREAM, 0}, EACCES, "SMC"},
	{&tcp, CALL_socket, {AF_RDS, SOCK_SEQPACKET, 0}, EACCES, "RDS"},
	{&tcp, CALL_socket, {HIGH | AF_SMC, SOCK_STREAM, 0}, EACCES, "SMC, high word"},
	{&tty, CALL_socket, {AF_INET, SOCK_STREAM, MPTCP}, 0, "no TCP guard"},
	{&tty, CALL_socket, {MINUS, MINUS, MINUS}, 0, "nothing guards sockets"},

	{&dgram, CALL_socket, {AF_UNIX, SOCK_DGRAM, 0}, EACCES, "UNIX datagrams"},
	{&dgram, CALL_socket, {AF_UNIX, SOCK_RAW, 0}, EACCES, "UNIX raw is datagrams"},
	{&dgram, CALL_socketpair, {AF_UNIX, SOCK_DGRAM, 0, 0}, EACCES, "a pair of them"},
	{&dgram, CALL_socketpair, {AF_UNIX, SOCK_RAW, 0, 0}, EACCES, "a raw pair"},
	{&dgram, CALL_socket, {AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0}, EACCES, "flags"},
	{&dgram, CALL_socket, {HIGH | AF_UNIX, HIGH | SOCK_DGRAM, 0}, EACCES, "high words"},
	{&dgram, CALL_socket, {AF_UNIX, SOCK_DGRAM, 17}, EACCES, "whatever the protocol"},
	{&dgram, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, 0, "UNIX streams"},
	{&dgram, CALL_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, 0, "UNIX seqpackets"},
	{&dgram, CALL_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, 0, "a pair of streams"},
	{&dgram, CALL_socket, {AF_INET, SOCK_DGRAM, 0}, 0, "UDP"},
	{&dgram, CALL_socket, {AF_INET, SOCK_STREAM, MPTCP}, 0, "no TCP guard here"},

	{&nothing, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, EACCES, "nothing granted"},
	{&nothing, CALL_socket, {AF_UNSPEC, SOCK_STREAM, 0}, EACCES, "AF_UNSPEC"},
	{&nothing, CALL_socket, {AF_MCTP, SOCK_DGRAM, 0}, EACCES, "the last family"},
	{&nothing, CALL_socket, {46, SOCK_STREAM, 0}, EAFNOSUPPORT, "a family too many"},
	{&nothing, CALL_socket, {MINUS, SOCK_STREAM, 0}, EAFNOSUPPORT, "family -1"},
	{&nothing, CALL_socket, {AF_UNIX, 10, 0}, EACCES, "the last type"},
	{&nothing, CALL_socket, {AF_UNIX, 11, 0}, EINVAL, "a type too many"},
	{&nothing, CALL_socket, {AF_UNIX, 15, 0}, EINVAL, "the most that the mask leaves"},
	{&nothing, CALL_socket, {AF_UNIX, 16 | SOCK_STREAM, 0}, EINVAL, "an odd flag"},
	{&nothing, CALL_socket, {AF_UNIX, MINUS, 0}, EINVAL, "type -1"},
	{&nothing, CALL_socket, {46, 16, 0}, EINVAL, "flags before the family"},
	{&nothing, CALL_socket, {46, 11, 0}, EAFNOSUPPORT, "the family before the type"},
	{&nothing, CALL_socket, {AF_UNIX, 0, 0}, EACCES, "type 0"},
	{&nothing, CALL_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, EACCES, "a pair"},
	{&nothing, CALL_getsockopt, {3, SCTP, 102}, EACCES, "peeloff makes one"},
	{&nothing, CALL_getsockopt, {3, HIGH | SCTP, HIGH | 122}, EACCES, "with flags"},
	{&nothing, CALL_getsockopt, {3, SCTP, 103}, 0, "another option"},
	{&nothing, CALL_getsockopt, {3, SOL_SOCKET, 102}, 0, "of another level"},
	{&nothing, CALL_accept4, {MINUS, 0, 0, 0}, 0, "accepting makes no socket in this sense"},

	{&some, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, 0, "granted by two wildcards"},
	{&some, CALL_socket, {AF_UNIX, SOCK_RAW, 99}, 0, "whatever type and protocol"},
	{&some, CALL_socketpair, {AF_UNIX, SOCK_DGRAM, 0, 0}, 0, "a pair"},
	{&some, CALL_socket, {HIGH | AF_UNIX, HIGH | SOCK_STREAM, HIGH}, 0, "high words"},
	{&some, CALL_socket, {AF_NETLINK, SOCK_RAW, 0}, 0, "netlink"},
	{&some, CALL_socket, {AF_INET, SOCK_STREAM, 0}, 0, "named protocol 0"},
	{&some, CALL_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 6}, 0, "flags"},
	{&some, CALL_socket, {AF_INET, SOCK_STREAM, MPTCP}, EACCES, "protocol not named"},
	{&some, CALL_socket, {AF_INET, SOCK_STREAM, 200}, 0, "named for any type"},
	{&some, CALL_socket, {AF_INET, SOCK_RAW, 200}, 0, "raw is any type too"},
	{&some, CALL_socket, {AF_INET, SOCK_RAW, 201}, EACCES, "next to what is named"},
	{&some, CALL_socket, {AF_INET, SOCK_RAW, HIGH | 201}, EACCES, "with a high word"},
	{&some, CALL_socket, {AF_INET, SOCK_DGRAM, 12345}, 0, "any protocol"},
	{&some, CALL_socket, {AF_INET, SOCK_PACKET, 200}, EACCES, "packet is another family"},
	{&some, CALL_socket, {AF_PACKET, SOCK_PACKET, 0}, EACCES, "that family"},
	{&some, CALL_socket, {AF_INET, 77 & 15, 0}, EINVAL, "a rule for no type"},
	{&some, CALL_socket, {200, SOCK_STREAM, 0}, EAFNOSUPPORT, "a rule for no family"},
	{&some, CALL_socket, {AF_INET6, SOCK_STREAM, MPTCP}, 0, "by the wildcard"},
	{&some, CALL_socket, {AF_INET6, SOCK_DGRAM, 0}, EACCES, "type not named"},
	{&some, CALL_socket, {AF_VSOCK, SOCK_STREAM, 0}, 0, "vsock streams"},
	{&some, CALL_socket, {AF_VSOCK, SOCK_DGRAM, 0}, EACCES, "vsock datagrams"},
	{&some, CALL_socket, {AF_SMC, SOCK_STREAM, 0}, 0, "SMC, protocol 0"},
	{&some, CALL_socket, {AF_SMC, SOCK_STREAM, 1}, EACCES, "SMC, protocol 1"},
	{&some, CALL_socket, {AF_QIPCRTR, SOCK_DGRAM, MINUS}, EACCES, "a family that takes -1"},
	{&some, CALL_getsockopt, {3, SCTP, 102}, 0, "peeloff, by IPv6's wildcard"},
	{&some, CALL_sendto, {MINUS, 0, 0, FASTOPEN, 0, 0}, 0, "no TCP guard"},

	{&packet, CALL_socket, {AF_INET, SOCK_PACKET, 3}, 0, "judged as AF_PACKET"},
	{&packet, CALL_socket, {AF_INET, SOCK_PACKET, 4}, EACCES, "another protocol"},
	{&packet, CALL_socket, {AF_INET6, SOCK_PACKET, 3}, EACCES, "AF_INET only is mapped"},
	{&packet, CALL_socket, {AF_PACKET, SOCK_PACKET, 3}, 0, "as such"},
	{&packet, CALL_socket, {AF_PACKET, SOCK_RAW, MINUS}, EACCES, "AF_PACKET takes -1"},

	{&sctp, CALL_socket, {AF_INET, SOCK_SEQPACKET, SCTP}, 0, "SCTP"},
	{&sctp, CALL_getsockopt, {3, SCTP, 102}, 0, "and its peeloff"},
	{&sctp, CALL_getsockopt, {3, SCTP, 122}, 0, "with flags"},

	{&some_tcp, CALL_socket, {AF_INET, SOCK_STREAM, 200}, 0, "the protocol is named"},
	{&some_tcp, CALL_socket, {AF_INET, SOCK_SEQPACKET, 200}, 0, "for seqpacket as well"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_STREAM, 0}, 0, "the wildcard grants TCP"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_STREAM, IPPROTO_TCP}, 0, "in both spellings"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_STREAM, MPTCP}, 0, "MPTCP is named"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_STREAM, SMC}, EACCES, "the wildcard is not enough"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_SEQPACKET, SCTP}, EACCES, "SCTP neither"},
	{&some_tcp, CALL_socket, {AF_INET6, SOCK_SEQPACKET, 0}, EACCES, "nor by default"},
	{&some_tcp, CALL_socket, {AF_INET, SOCK_DGRAM, SCTP}, 0, "datagrams by the wildcard"},
	{&some_tcp, CALL_socket, {AF_VSOCK, SOCK_STREAM, 0}, 0, "the family is named"},
	{&some_tcp, CALL_socket, {AF_RDS, SOCK_SEQPACKET, 0}, EACCES, "the family is not"},
	{&some_tcp, CALL_getsockopt, {3, SCTP, 102}, EACCES, "nor by peeloff"},
	{&some_tcp, CALL_sendmsg, {MINUS, 0, FASTOPEN}, EOPNOTSUPP, "fast open"},

	{&some_dgram, CALL_socket, {AF_UNIX, SOCK_DGRAM, 0}, EACCES, "refused although granted"},
	{&some_dgram, CALL_socketpair, {AF_UNIX, SOCK_RAW, 0, 0}, EACCES, "pairs as well"},
	{&some_dgram, CALL_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, 0, "the rest as granted"},

	{&sysv, CALL_shmget, {0x7fff1234, 0, 0}, EPERM, "shmget"},
	{&sysv, CALL_shmat, {MINUS, 0, 0}, EPERM, "shmat"},
	{&sysv, CALL_shmctl, {MINUS, 0, 0}, EPERM, "shmctl"},
	{&sysv, CALL_shmdt, {1}, EPERM, "shmdt"},
	{&sysv, CALL_semget, {0, MINUS, 0}, EPERM, "semget"},
	{&sysv, CALL_semop, {MINUS, 0, 0}, EPERM, "semop"},
	{&sysv, CALL_semctl, {MINUS, 0, 0, 0}, EPERM, "semctl"},
	{&sysv, CALL_semtimedop, {MINUS, 0, 0, 0}, EPERM, "semtimedop"},
	{&sysv, CALL_msgget, {0x7fff1234, 0}, EPERM, "msgget"},
	{&sysv, CALL_msgsnd, {MINUS, 0, 0, 0}, EPERM, "msgsnd"},
	{&sysv, CALL_msgrcv, {MINUS, 0, 0, 0, 0}, EPERM, "msgrcv"},
	{&sysv, CALL_msgctl, {MINUS, 0, 0}, EPERM, "msgctl"},
	{&sysv, CALL_mq_unlink, {0}, EPERM, "mq_unlink"},
	{&tty, CALL_mq_unlink, {0}, 0, "no SysV guard"},
	{&tty, CALL_shmget, {0x7fff1234, 0, 0}, 0, "no SysV guard"},
	{&tty, CALL_semget, {0, MINUS, 0}, 0, "no SysV guard"},
	{&tty, CALL_msgget, {0x7fff1234, 0}, 0, "no SysV guard"},

	{&keys, CALL_add_key, {0, 0, 0, 0, 0}, EPERM, "add_key"},
	{&keys, CALL_request_key, {0, 0, 0, 0}, EPERM, "request_key"},
	{&keys, CALL_keyctl, {MINUS, 0, 0, 0, 0}, EPERM, "keyctl"},
	{&tty, CALL_keyctl, {MINUS, 0, 0, 0, 0}, 0, "no keyring guard"},
	{&tty, CALL_add_key, {0, 0, 0, 0, 0}, 0, "no keyring guard"},

	{&filter_spec_everything, CALL_read, {MINUS, 0, 0}, 0, "read"},
	{&filter_spec_everything, CALL_write, {MINUS, 0, 0}, 0, "write"},
	{&filter_spec_everything, CALL_close, {MINUS}, 0, "close"},
	{&filter_spec_everything, CALL_openat, {MINUS, 0, 0, 0}, 0, "openat"},
	{&filter_spec_everything, CALL_getpid, {0}, 0, "getpid"},
	{&filter_spec_everything, CALL_connect, {MINUS, 0, 0}, 0, "connect"},
	{&filter_spec_everything, CALL_bind, {MINUS, 0, 0}, 0, "bind"},
	{&filter_spec_everything, CALL_listen, {MINUS, 0, 0}, 0, "listen"},
	{&filter_spec_everything, CALL_setsockopt, {MINUS, 6, 31, 0, 0}, 0, "setsockopt"},
	{&filter_spec_everything, CALL_kill, {0x7ffffff0, 0}, 0, "kill, no such process"},
	{&filter_spec_everything, CALL_clone3, {0, 0}, 0, "clone3, without arguments"},
	{&filter_spec_everything, CALL_execve, {0, 0, 0}, 0, "execve, without a path"},

	{&noted, CALL_socket, {AF_INET6, SOCK_DGRAM, 0, 0}, FILTER_TRAPPED, "noted: a socket"},
	{&noted, CALL_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, FILTER_TRAPPED, "noted: a pair"},
	{&noted, CALL_socketpair, {AF_UNIX, SOCK_DGRAM, 0, 0}, EACCES, "noted: what is refused"},

	{&fs, CALL_openat, {MINUS, 0, 0, 0}, FILTER_TRAPPED, "openat"},
	{&fs, CALL_openat, {MINUS, 0, PATH_FLAG, 0}, 0, "openat, O_PATH"},
	{&fs, CALL_openat, {MINUS, 0, HIGH | PATH_FLAG | 0x80000, 0}, 0, "O_PATH, high word and more"},
	{&fs, CALL_openat, {MINUS, 0, PATH_FLAG << 32, 0}, FILTER_TRAPPED, "O_PATH in the high word"},
	{&fs, CALL_openat, {MINUS, PATH_FLAG, 0, PATH_FLAG}, FILTER_TRAPPED, "O_PATH elsewhere"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, 0, TAG}, 0, "tagged"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, 0, TAG & MINUS}, FILTER_TRAPPED, "half a tag, low"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, 0, TAG & ~MINUS}, FILTER_TRAPPED, "half a tag, high"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, 0, TAG + 1}, FILTER_TRAPPED, "next to the tag"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, 0, TAG ^ HIGH}, FILTER_TRAPPED, "one bit off, high"},
	{&fs, CALL_openat, {MINUS, 0, 0, 0, TAG, 0}, FILTER_TRAPPED, "tag in another argument"},
	{&fs, CALL_openat, {MINUS, 0, PATH_FLAG, 0, 0, TAG}, 0, "tagged and O_PATH"},
	{&fs, CALL_open, {0, 0, 0}, FILTER_TRAPPED, "open"},
	{&fs, CALL_open, {0, PATH_FLAG, 0}, 0, "open, O_PATH"},
	{&fs, CALL_open, {0, 0, PATH_FLAG}, FILTER_TRAPPED, "O_PATH as the mode"},
	{&fs, CALL_open, {0, 0, 0, 0, 0, TAG}, 0, "open, tagged"},
	{&fs, CALL_openat2, {MINUS, 0, 0, 24}, FILTER_TRAPPED, "openat2"},
	{&fs, CALL_openat2, {MINUS, 0, PATH_FLAG, 24}, FILTER_TRAPPED, "openat2: flags are in memory"},
	{&fs, CALL_openat2, {MINUS, 0, 0, 24, 0, TAG}, 0, "openat2, tagged"},
	{&fs, CALL_creat, {0, 0}, FILTER_TRAPPED, "creat"},
	{&fs, CALL_creat, {0, PATH_FLAG}, FILTER_TRAPPED, "creat has no flags"},
	{&fs, CALL_creat, {0, 0, 0, 0, 0, TAG}, 0, "creat, tagged"},
	{&fs, CALL_mkdir, {0, 0}, FILTER_TRAPPED, "mkdir"},
	{&fs, CALL_mkdir, {0, 0, 0, 0, 0, TAG}, 0, "mkdir, tagged"},
	{&fs, CALL_mkdirat, {MINUS, 0, 0}, FILTER_TRAPPED, "mkdirat"},
	{&fs, CALL_mkdirat, {MINUS, 0, 0, 0, 0, TAG}, 0, "mkdirat, tagged"},
	{&fs, CALL_mknod, {0, 0, 0}, FILTER_TRAPPED, "mknod"},
	{&fs, CALL_mknod, {0, 0, 0, 0, 0, TAG}, 0, "mknod, tagged"},
	{&fs, CALL_mknodat, {MINUS, 0, 0, 0}, FILTER_TRAPPED, "mknodat"},
	{&fs, CALL_mknodat, {MINUS, 0, 0, 0, 0, TAG}, 0, "mknodat, tagged"},
	{&fs, CALL_unlink, {0}, FILTER_TRAPPED, "unlink"},
	{&fs, CALL_unlink, {0, 0, 0, 0, 0, TAG}, 0, "unlink, tagged"},
	{&fs, CALL_unlinkat, {MINUS, 0, 0}, FILTER_TRAPPED, "unlinkat"},
	{&fs, CALL_unlinkat, {MINUS, 0, 0, 0, 0, TAG}, 0, "unlinkat, tagged"},
	{&fs, CALL_rmdir, {0}, FILTER_TRAPPED, "rmdir"},
	{&fs, CALL_rmdir, {0, 0, 0, 0, 0, TAG}, 0, "rmdir, tagged"},
	{&fs, CALL_rename, {0, 0}, FILTER_TRAPPED, "rename"},
	{&fs, CALL_rename, {0, 0, 0, 0, 0, TAG}, FILTER_TRAPPED, "rename, tagged"},
	{&fs, CALL_renameat, {MINUS, 0, MINUS, 0}, FILTER_TRAPPED, "renameat"},
	{&fs, CALL_renameat, {MINUS, 0, MINUS, 0, 0, TAG}, FILTER_TRAPPED, "renameat, tagged"},
	{&fs, CALL_renameat2, {MINUS, 0, MINUS, 0, 0}, FILTER_TRAPPED, "renameat2"},
	{&fs, CALL_renameat2, {MINUS, 0, MINUS, 0, 0, TAG}, FILTER_TRAPPED, "renameat2, tagged"},
	{&fs, CALL_link, {0, 0}, FILTER_TRAPPED, "link"},
	{&fs, CALL_link, {0, 0, 0, 0, 0, TAG}, FILTER_TRAPPED, "link, tagged"},
	{&fs, CALL_linkat, {MINUS, 0, MINUS, 0, 0}, FILTER_TRAPPED, "linkat"},
	{&fs, CALL_linkat, {MINUS, 0, MINUS, 0, 0, TAG}, FILTER_TRAPPED, "linkat, tagged"},
	{&fs, CALL_symlink, {0, 0}, FILTER_TRAPPED, "symlink"},
	{&fs, CALL_symlink, {0, 0, 0, 0, 0, TAG}, 0, "symlink, tagged"},
	{&fs, CALL_symlinkat, {0, MINUS, 0}, FILTER_TRAPPED, "symlinkat"},
	{&fs, CALL_symlinkat, {0, MINUS, 0, 0, 0, TAG}, 0, "symlinkat, tagged"},
	{&fs, CALL_truncate, {0, 0}, FILTER_TRAPPED, "truncate"},
	{&fs, CALL_truncate, {0, 0, 0, 0, 0, TAG}, 0, "truncate, tagged"},
	{&fs, CALL_execve, {0, 0, 0}, 0, "exec is not trapped here"},
	{&fs, CALL_read, {MINUS, 0, 0}, 0, "read"},
	{&fs, CALL_close, {MINUS}, 0, "close"},

	{&exec, CALL_execve, {0, 0, 0}, FILTER_TRAPPED, "execve"},
	{&exec, CALL_execve, {0, 0, 0, 0, 0, TAG}, FILTER_TRAPPED, "exec has no tag"},
	{&exec, CALL_execveat, {MINUS, 0, 0, 0, 0}, FILTER_TRAPPED, "execveat"},
	{&exec, CALL_execveat, {MINUS, 0, 0, 0, 0, TAG}, FILTER_TRAPPED, "execveat has no tag"},
	{&exec, CALL_openat, {MINUS, 0, 0, 0}, 0, "fs is not trapped here"},
	{&exec, CALL_setfsuid, {0}, 0, "nor what decides over its callers"},
	{&fs, CALL_setgroups, {1, 0}, FILTER_TRAPPED, "other groups"},
	{&fs, CALL_setfsuid, {0, 0, 0, 0, 0, TAG}, FILTER_TRAPPED, "setfsuid has no tag"},
	{&fs, CALL_setfsgid, {0}, FILTER_TRAPPED, "setfsgid"},
	{&fs, CALL_unshare, {0}, FILTER_TRAPPED, "unshare"},
	{&fs, CALL_chroot, {0}, FILTER_TRAPPED, "chroot"},
	{&fs, CALL_pivot_root, {0, 0}, FILTER_TRAPPED, "pivot_root"},
	{&fs, CALL_clone3, {0, 0}, FILTER_TRAPPED, "clone3"},
	/* CLONE_THREAD without CLONE_SIGHAND is EINVAL. */
	{&fs, CALL_clone, {0x10000}, 0, "clone"},
	{&fs, CALL_clone, {HIGH * NEWUSER_ | 0x10000}, 0, "clone, a namespace in the high word"},
	{&fs, CALL_clone, {NEWUSER_ | 0x10000}, FILTER_TRAPPED, "clone, a user namespace"},
	{&fs, CALL_clone, {HIGH | NEWNS_ | 0x10000}, FILTER_TRAPPED, "clone, a mount namespace"},
	{&exec, CALL_unshare, {0}, 0, "not noted where nobody acts for it"},
	{&exec, CALL_clone3, {0, 0}, 0, "nor this"},
	{&fs, CALL_userfaultfd, {MINUS}, FILTER_TRAPPED, "userfaultfd"},
	{&fs, CALL_ioctl, {MINUS, UFFD_NEW_}, FILTER_TRAPPED, "userfaultfd by its device"},
	{&fs, CALL_ioctl, {MINUS, HIGH | UFFD_NEW_}, FILTER_TRAPPED, "the same, high word"},
	{&fs, CALL_ioctl, {MINUS, TIOCSTI_}, 0, "no guard of terminals"},
	{&sends, CALL_clone3, {0, 0}, 0, "clone3, where only sockets are ours"},
	{&watched, CALL_ioctl, {MINUS, UFFD_NEW_}, 0, "userfaultfd where no memory is read"},
	{&filter_spec_supervised, CALL_ioctl, {MINUS, UFFD_NEW_}, FILTER_TRAPPED, "with all guards"},

	{&sends, CALL_setgroups, {1, 0}, FILTER_TRAPPED, "groups, where sockets are ours"},
	{&sends, CALL_sendto, {MINUS, 0, 0, 0, 0, 0}, 0, "sendto, no address"},
	{&sends, CALL_sendto, {MINUS, 0, 0, 0, 0, 16}, 0, "sendto, only its size"},
	{&sends, CALL_sendto, {MINUS, 0, 0, 0, 8, 0}, FILTER_TRAPPED, "sendto, an address"},
	{&sends, CALL_sendto, {MINUS, 0, 0, 0, HIGH, 0}, FILTER_TRAPPED, "sendto, its high word"},
	{&sends, CALL_sendto, {MINUS, 0, 0, FASTOPEN, 0, 0}, FILTER_TRAPPED, "sendto, fast open"},
	{&sends, CALL_sendto, {MINUS, 8, 8, ~FASTOPEN, 0, 8}, 0, "sendto, all else"},
	{&sends, CALL_sendmsg, {MINUS, 0, 0}, FILTER_TRAPPED, "sendmsg"},
	{&sends, CALL_sendmmsg, {MINUS, 0, 0, 0}, FILTER_TRAPPED, "sendmmsg"},
	{&sends, CALL_recvmsg, {MINUS, 8, 0}, 0, "recvmsg"},
	{&sends, CALL_connect, {MINUS, 8, 16}, 0, "connect is trapped by itself"},
	{&sends_tcp, CALL_sendto, {MINUS, 0, 0, FASTOPEN, 0, 0}, FILTER_TRAPPED, "with the guard"},
	{&sends_tcp, CALL_sendto, {MINUS, 0, 0, 0, 0, 0}, 0, "with the guard, no address"},
	{&sends_tcp, CALL_sendmsg, {MINUS, 0, FASTOPEN}, FILTER_TRAPPED, "sendmsg, with the guard"},

	{&watched, CALL_seccomp, {1, 8, 0}, EBUSY, "a listener"},
	{&watched, CALL_seccomp, {1, 0xff, 0}, EBUSY, "a listener among other flags"},
	{&watched, CALL_seccomp, {HIGH | 1, HIGH | 8, 0}, EBUSY, "high words"},
	{&watched, CALL_seccomp, {1, UINT64_C(8) << 32, 0}, 0, "the flag in the high word"},
	{&watched, CALL_seccomp, {1, 0, 0}, 0, "a filter without"},
	{&watched, CALL_seccomp, {2, 8, 0}, 0, "another operation"},
	{&watched, CALL_prctl, {4, 0}, FILTER_DONE, "not dumpable"},
	{&watched, CALL_prctl, {HIGH | 4, 0}, FILTER_DONE, "high word of the option"},
	{&watched, CALL_prctl, {4, 1}, 0, "dumpable"},
	{&watched, CALL_prctl, {4, HIGH}, 0, "EINVAL, the kernel's"},
	{&watched, CALL_prctl, {3, 0}, 0, "another option"},
	{&watched, CALL_setns, {MINUS, 0}, EPERM, "setns"},
	{&watched, CALL_landlock_create_ruleset, {0, 0, 1}, EOPNOTSUPP, "no Landlock: version"},
	{&watched, CALL_landlock_create_ruleset, {0, 0, 0}, EOPNOTSUPP, "create_ruleset"},
	{&watched, CALL_landlock_add_rule, {MINUS, 0, 0, 0}, EOPNOTSUPP, "add_rule"},
	{&watched, CALL_landlock_restrict_self, {MINUS, 0}, EOPNOTSUPP, "restrict_self"},
	{&inner, CALL_landlock_create_ruleset, {0, 0, 1}, 0, "inner domains: version"},
	{&inner, CALL_landlock_add_rule, {MINUS, 0, 0, 0}, 0, "inner domains: add_rule"},
	{&inner, CALL_landlock_restrict_self, {MINUS, 0}, FILTER_TRAPPED, "the end of live rules"},
	{&inner, CALL_landlock_restrict_self, {HIGH | 3, HIGH}, FILTER_TRAPPED, "high words"},
	{&inner, CALL_openat, {MINUS, 0, 0, 0}, 0, "nothing else is trapped"},
	{&watched, CALL_sched_setaffinity, {0, 0, 0}, 0, "own affinity"},
	{&watched, CALL_sched_setaffinity, {MINUS, 0, 0}, FILTER_TRAPPED, "another's affinity"},
	{&watched, CALL_prlimit64, {0, 7, 8, 0}, 0, "own limits"},
	{&watched, CALL_prlimit64, {1, 7, 0, 0}, 0, "another's limits, read"},
	{&watched, CALL_prlimit64, {MINUS, 7, 8, 0}, FILTER_TRAPPED, "another's limits"},
	{&watched, CALL_sched_setscheduler, {MINUS, 0, 0}, FILTER_TRAPPED, "another's scheduler"},
	{&watched, CALL_sched_setparam, {MINUS, 0}, FILTER_TRAPPED, "another's parameters"},
	{&watched, CALL_sched_setattr, {MINUS, 0, 0}, FILTER_TRAPPED, "another's attributes"},
	{&watched, CALL_setpriority, {0, 0, 0}, 0, "own priority"},
	{&watched, CALL_setpriority, {0, MINUS, 0}, FILTER_TRAPPED, "another's priority"},
	{&watched, CALL_setpriority, {1, MINUS, 0}, EPERM, "a group's priority"},
	{&watched, CALL_setpriority, {2, MINUS, 0}, EPERM, "a user's priority"},
	{&watched, CALL_ioprio_set, {1, MINUS, 0}, FILTER_TRAPPED, "another's I/O priority"},
	{&watched, CALL_ioprio_set, {3, MINUS, 0}, EPERM, "a user's I/O priority"},
	{&watched, CALL_openat, {MINUS, 0, 0, 0}, 0, "nothing else is trapped"},
	{&watched, CALL_ioctl, {MINUS, TIOCSTI_}, EPERM, "TIOCSTI, refused"},
	{&tty, CALL_setns, {MINUS, 0}, 0, "not supervised"},
	{&tty, CALL_seccomp, {1, 8, 0}, 0, "not supervised"},
	{&tty, CALL_prctl, {4, 0}, 0, "not supervised"},
	{&tty, CALL_landlock_create_ruleset, {0, 0, 1}, 0, "not supervised"},

	{&filter_spec_supervised, CALL_ioctl, {MINUS, TIOCSTI_}, FILTER_TRAPPED, "TIOCSTI, shown"},
	{&filter_spec_supervised, CALL_setpriority, {2, 0, 0}, FILTER_TRAPPED, "a user, shown"},
	{&filter_spec_supervised, CALL_io_uring_setup, {0, 0}, FILTER_TRAPPED, "io_uring, shown"},
	{&filter_spec_supervised, CALL_sendmsg, {MINUS, 0, FASTOPEN}, FILTER_TRAPPED, "fast open"},
	{&filter_spec_supervised, CALL_shmget, {0x7fff1234, 0, 0}, FILTER_TRAPPED, "SysV"},
	{&filter_spec_supervised, CALL_keyctl, {MINUS, 0, 0, 0, 0}, FILTER_TRAPPED, "keyctl"},
	{&filter_spec_supervised, CALL_setns, {MINUS, 0}, FILTER_TRAPPED, "setns"},
	{&filter_spec_supervised, CALL_landlock_create_ruleset, {0, 0, 1}, FILTER_TRAPPED, "Landlock"},
	{&filter_spec_supervised, CALL_seccomp, {1, 8, 0}, EBUSY, "never trapped"},
	{&filter_spec_supervised, CALL_prctl, {4, 0}, FILTER_DONE, "never trapped"},
	{&filter_spec_supervised, CALL_socket, {AF_PACKET, SOCK_RAW, 0}, FILTER_TRAPPED, "sockets are too"},
	{&filter_spec_supervised, CALL_ioctl, {MINUS, TCGETS_}, 0, "TCGETS"},
	{&filter_spec_supervised, CALL_connect, {MINUS, 0, 0}, FILTER_TRAPPED, "connect"},
	{&filter_spec_supervised, CALL_bind, {MINUS, 0, 0}, FILTER_TRAPPED, "bind"},
	{&filter_spec_supervised, CALL_listen, {MINUS, 0, 0}, FILTER_TRAPPED, "listen"},
	{&filter_spec_supervised, CALL_memfd_create, {8, 0}, FILTER_TRAPPED, "memfd_create"},
	{&filter_spec_supervised, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, FILTER_TRAPPED, "stream"},
	{&filter_spec_supervised, CALL_socket, {AF_UNIX, SOCK_DGRAM, 0}, FILTER_TRAPPED, "datagram, shown"},

	{&unix_some, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, FILTER_TRAPPED, "stream"},
	{&unix_some, CALL_socket, {HIGH | AF_UNIX, HIGH | SOCK_STREAM, HIGH}, FILTER_TRAPPED, "high"},
	{&unix_some, CALL_socket, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0}, FILTER_TRAPPED, "flags"},
	{&unix_some, CALL_socket, {AF_UNIX, SOCK_STREAM, 1}, EACCES, "protocol"},
	{&unix_some, CALL_socket, {AF_UNIX, SOCK_SEQPACKET, 7}, FILTER_TRAPPED, "seqpacket"},
	{&unix_some, CALL_socket, {AF_UNIX, SOCK_DGRAM, 0}, EACCES, "no rule"},
	{&unix_some, CALL_socket, {AF_INET, SOCK_STREAM, 0}, EACCES, "another family"},
	{&unix_some, CALL_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, 0, "a pair"},
	{&unix_some, CALL_socketpair, {AF_UNIX, SOCK_SEQPACKET, 7, 0}, 0, "a pair, any protocol"},
	{&unix_some, CALL_socketpair, {AF_UNIX, SOCK_DGRAM, 0, 0}, EACCES, "a pair without rule"},
	{&unix_some, CALL_connect, {MINUS, 0, 0}, FILTER_TRAPPED, "connect"},
	{&unix_some, CALL_bind, {MINUS, 0, 0}, 0, "bind"},
	{&unix_some, CALL_listen, {MINUS, 0, 0}, 0, "listen"},
	{&unix_all, CALL_socket, {AF_UNIX, SOCK_STREAM, 0}, FILTER_TRAPPED, "stream"},
	{&unix_all, CALL_socket, {AF_UNIX, SOCK_RAW, 0}, EACCES, "raw is a datagram socket"},
	{&unix_all, CALL_socket, {MINUS, SOCK_STREAM, 0}, EAFNOSUPPORT, "no family"},
	{&unix_all, CALL_socket, {AF_NETLINK, SOCK_RAW, 0}, 0, "another family"},
	{&unix_all, CALL_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, 0, "a pair"},
	{&unix_all, CALL_connect, {MINUS, 0, 0}, 0, "connect"},
};
/* clang-format on */

const size_t filter_rows_count = RV_COUNT(filter_rows);
