/* SPDX-License-Identifier: MIT */
/*
 * The filter compiler: from a description of what to guard and decide to a seccomp program.
 * Pure code; every architecture's program can be made on any machine.
 */
#ifndef RV_ENFORCE_FILTER_H
#define RV_ENFORCE_FILTER_H

#include "enforce/bpf.h"

/* Guards, each one bit; see the design's §6 and filter.c for what each refuses and with what. */
#define RV_GUARD_ARCH	    (1u << 0) /* foreign architectures, x32, unknown numbers: ENOSYS */
#define RV_GUARD_TTY	    (1u << 1) /* ioctl TIOCSTI, TIOCLINUX: EPERM */
#define RV_GUARD_SCHED	    (1u << 2) /* prlimit64, sched_set*, setpriority, ioprio_set: EPERM */
#define RV_GUARD_IO_URING   (1u << 3) /* io_uring_*: ENOSYS */
#define RV_GUARD_TCP	    (1u << 4) /* MSG_FASTOPEN: EOPNOTSUPP; non-TCP streams: EACCES */
#define RV_GUARD_SYSV_IPC   (1u << 5) /* SysV IPC: EPERM */
#define RV_GUARD_KEYRING    (1u << 6) /* add_key, request_key, keyctl: EPERM */
#define RV_GUARD_UNIX_DGRAM (1u << 7) /* AF_UNIX datagram and raw sockets, pairs too: EACCES */

/*
 * What goes to the supervisor (SECCOMP_RET_USER_NOTIF), each one bit: the file system calls of the
 * design's §6, without open and openat of O_PATH, and without tagged calls; execve and execveat;
 * what the guards and the rules of sockets refuse by arguments, so that it shows as an
 * event. A second listener, unknown numbers and foreign architectures, and sockets out of range are
 * always refused by the filter itself.
 */
#define RV_TRAP_FS	(1u << 0)
#define RV_TRAP_EXEC	(1u << 1)
#define RV_TRAP_GUARD	(1u << 2)
#define RV_TRAP_UNIX	(1u << 3)  /* socket(AF_UNIX) where the rules allow it: not socketpair */
#define RV_TRAP_CONNECT (1u << 4)  /* connect */
#define RV_TRAP_BIND	(1u << 5)  /* bind */
#define RV_TRAP_MEMFD	(1u << 6)  /* memfd_create */
#define RV_TRAP_SOCKET	(1u << 7)  /* socket, socketpair of any family, where the rules allow it */
#define RV_TRAP_SEND	(1u << 8)  /* sendto with an address; sendmsg, sendmmsg */
#define RV_TRAP_LISTEN	(1u << 9)  /* listen */
#define RV_TRAP_MOVES	(1u << 12) /* of RV_TRAP_FS: rename and link */

/*
 * With RV_TRAP_FS goes what changes for whom the supervisor acts and what it may take for granted
 * of a caller; it notes the call and lets it go on: unshare, clone with a new user or mount
 * namespace, clone3 (whose flags are in memory), chroot, fchroot and pivot_root; userfaultfd, and
 * ioctl USERFAULTFD_IOC_NEW. With any of RV_TRAPS_IDS: setgroups, setfsuid and setfsgid.
 */
#define RV_IOCTL_UFFD_NEW 0xaa00u /* USERFAULTFD_IOC_NEW, of /dev/userfaultfd; alike on both */
#define RV_TRAPS_IDS	  (RV_TRAP_FS | RV_TRAP_CONNECT | RV_TRAP_BIND | RV_TRAP_SEND)

/*
 * The tag of the try-then-trap shim (shim/), in the sixth argument of a file system call, all 64
 * bits. None of these calls has six arguments, so the kernel ignores it, and the filter lets such a
 * call pass untrapped, rename and link apart: Landlock decides. What a register holds by chance is
 * no tag: as an address it is not canonical on x86-64, and has bits 48 to 55 set where arm64's are
 * clear. A forged tag only hides the caller's own denials from the log.
 */
#define RV_SHIM_TAG UINT64_C(0x9e5bd3c127f48a6d)

/* One granted (family, type, protocol); type and protocol may be REEVE_SOCKET_ANY (-1). */
struct rv_filter_socket {
	int family, type, protocol;
};

struct rv_filter_spec {
	uint32_t arch; /* AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 */
	unsigned int guards;
	/*
	 * The filter gets a listener. Also guarded then: a second listener EBUSY, setns EPERM,
	 * landlock_* EOPNOTSUPP, prctl(PR_SET_DUMPABLE, 0) is answered as done. With
	 * RV_GUARD_SCHED, calls for one other task are trapped instead of refused (the supervisor
	 * performs them for tasks of the domain), sched_setaffinity among them.
	 */
	bool supervised;
	/* landlock_* are not refused then, but landlock_restrict_self is trapped, always. */
	bool inner_landlock;
	unsigned int traps; /* supervised only */
	/*
	 * Socket creation is handled: what no entry grants is `socket_error`, 0: EACCES. So is what
	 * getsockopt(2) makes (SCTP's peeloff), by an entry for either of the two families. Another
	 * one goes without RV_GUARD_TCP, which refuses protocols of the same pairs.
	 */
	bool handle_socket;
	int socket_error;
	const struct rv_filter_socket *sockets;
	size_t sockets_count;
};

/*
 * Compiles. *ret_length is 0 and *ret NULL for a spec that guards nothing. With `ret_bpf`, the
 * assembler is handed out for rv_bpf_dump(); else it is freed.
 * -ENOMEM; -E2BIG: too many sockets for one program; -EOPNOTSUPP: an unknown architecture;
 * -EINVAL: an unknown guard or trap, a trap without `supervised`, a socket_error with RV_GUARD_TCP.
 */
int rv_filter_compile(const struct rv_filter_spec *spec, struct sock_filter **ret,
	size_t *ret_length, struct rv_bpf **ret_bpf);

/* What the filter decides of socket(2) and socketpair(2) whose arguments are in range. */
enum rv_socket_verdict {
	RV_SOCKET_ALLOWED,
	RV_SOCKET_NO_RULE,    /* creation is handled, and no rule grants it */
	RV_SOCKET_TCP,	      /* RV_GUARD_TCP */
	RV_SOCKET_UNIX_DGRAM, /* RV_GUARD_UNIX_DGRAM */
};

/* The same decision on the same numbers, for one socket. `type` may have its flags. Pure. */
enum rv_socket_verdict rv_filter_socket_verdict(
	const struct rv_filter_spec *spec, int family, int type, int protocol);

/* The errno of that verdict. */
int rv_filter_socket_error(const struct rv_filter_spec *spec, enum rv_socket_verdict verdict);

/* Whether it grants a socket of UDP or UDP-Lite. */
bool rv_filter_socket_is_udp(const struct rv_filter_socket *rule);

/* AUDIT_ARCH_* of this machine; 0 where reeve does not know it. */
uint32_t rv_filter_native_arch(void);

#endif /* RV_ENFORCE_FILTER_H */
