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

/* One granted (family, type, protocol); type and protocol may be REEVE_SOCKET_ANY (-1). */
struct rv_filter_socket {
	int family, type, protocol;
};

struct rv_filter_spec {
	uint32_t arch; /* AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 */
	unsigned int guards;
	/* Socket creation is handled: what no entry grants is EACCES. */
	bool handle_socket;
	const struct rv_filter_socket *sockets;
	size_t sockets_count;
};

/*
 * Compiles. *ret_length is 0 and *ret NULL for a spec that guards nothing. With `ret_bpf`, the
 * assembler is handed out for rv_bpf_dump(); else it is freed.
 * -ENOMEM; -E2BIG: too many sockets for one program; -EOPNOTSUPP: an unknown architecture;
 * -EINVAL: an unknown guard.
 */
int rv_filter_compile(const struct rv_filter_spec *spec, struct sock_filter **ret,
	size_t *ret_length, struct rv_bpf **ret_bpf);

/* AUDIT_ARCH_* of this machine; 0 where reeve does not know it. */
uint32_t rv_filter_native_arch(void);

#endif /* RV_ENFORCE_FILTER_H */
