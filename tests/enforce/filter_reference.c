/* SPDX-License-Identifier: MIT */
/*
 * The filter's meaning in plain C, written from the design and from libc's constants, without
 * a look at how the compiler does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "filter_table.h"

#define STEP_NAME(name, x86_64, arm64)	 [CALL_##name] = #name,
#define STEP_X86_64(name, x86_64, arm64) [CALL_##name] = (x86_64),
#define STEP_ARM64(name, x86_64, arm64)	 [CALL_##name] = (arm64),

static const char *const names[] = {CALLS_COMMON(STEP_NAME) CALLS_X86_64(STEP_NAME)};
static const uint32_t numbers_x86_64[] = {CALLS_COMMON(STEP_X86_64) CALLS_X86_64(STEP_X86_64)};
static const uint32_t numbers_arm64[] = {CALLS_COMMON(STEP_ARM64) CALLS_X86_64(STEP_ARM64)};

uint32_t filter_number(uint32_t arch, enum call call)
{
	return arch == AUDIT_ARCH_X86_64 ? numbers_x86_64[call] : numbers_arm64[call];
}

const char *filter_call_name(enum call call)
{
	return names[call];
}

static enum call find_call(uint32_t arch, uint32_t nr)
{
	for (enum call call = 0; call < CALL_COUNT; call++) {
		if (filter_number(arch, call) == nr && nr != NO_CALL)
			return call;
	}
	return CALL_COUNT;
}

static bool is_known(uint32_t arch, uint32_t nr)
{
	if (arch == AUDIT_ARCH_X86_64)
		return nr <= 336 || (nr >= 424 && nr <= 472);
	return nr <= 243 || (nr >= 260 && nr <= 294) || (nr >= 424 && nr <= 472);
}

static bool names_protocol(const struct rv_filter_spec *spec, int family, int type, int protocol)
{
	for (size_t i = 0; i < spec->sockets_count; i++) {
		const struct rv_filter_socket *rule = &spec->sockets[i];

		if (rule->family == family && (rule->type == -1 || rule->type == type) &&
			rule->protocol == protocol && protocol >= 0)
			return true;
	}
	return false;
}

static bool granted(const struct rv_filter_spec *spec, int family, int type, int protocol)
{
	for (size_t i = 0; i < spec->sockets_count; i++) {
		const struct rv_filter_socket *rule = &spec->sockets[i];

		if (rule->family == family && (rule->type == -1 || rule->type == type) &&
			rule->protocol == -1)
			return true;
	}
	return names_protocol(spec, family, type, protocol);
}

/* The TCP guard's opinion of a socket. */
static bool tcp_refuses(const struct rv_filter_spec *spec, int family, int type, int protocol)
{
	if (family == AF_VSOCK || family == AF_SMC || family == AF_RDS)
		return !granted(spec, family, type, protocol);
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
		return false;
	if (protocol == IPPROTO_TCP || (protocol == 0 && type == SOCK_STREAM))
		return false;
	return !names_protocol(spec, family, type, protocol);
}

static int socket_error(const struct rv_filter_spec *spec, const uint64_t *args)
{
	int family = (int)(uint32_t)args[0], type = (int)(uint32_t)args[1];
	int protocol = (int)(uint32_t)args[2];

	if (!spec->handle_socket && !(spec->guards & (RV_GUARD_TCP | RV_GUARD_UNIX_DGRAM)) &&
		!(spec->traps & (RV_TRAP_UNIX | RV_TRAP_SOCKET)))
		return 0;
	if (type & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return EINVAL;
	type &= 0xf;
	if (family < 0 || family > AF_MCTP)
		return EAFNOSUPPORT;
	if (type > SOCK_PACKET)
		return EINVAL;
	if (family == AF_INET && type == SOCK_PACKET)
		family = AF_PACKET;
	if ((spec->guards & RV_GUARD_UNIX_DGRAM) && family == AF_UNIX &&
		(type == SOCK_DGRAM || type == SOCK_RAW))
		return EACCES;
	if (spec->handle_socket && !granted(spec, family, type, protocol))
		return spec->socket_error ? spec->socket_error : EACCES;
	if ((spec->guards & RV_GUARD_TCP) && tcp_refuses(spec, family, type, protocol))
		return EACCES;
	return 0;
}

/* The option makes a socket of (either family, SOCK_SEQPACKET, IPPROTO_SCTP). */
static int peeloff_error(const struct rv_filter_spec *spec, const uint64_t *args)
{
	uint32_t level = (uint32_t)args[1], option = (uint32_t)args[2];
	const uint64_t inet[] = {AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP};
	const uint64_t inet6[] = {AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP};

	if (!spec->handle_socket || level != IPPROTO_SCTP || (option != 102 && option != 122))
		return 0;
	if (!socket_error(spec, inet) || !socket_error(spec, inet6))
		return 0;
	return spec->traps & RV_TRAP_GUARD ? FILTER_TRAPPED : socket_error(spec, inet);
}

/*
 * Refused where that shows; what is allowed of AF_UNIX is made by the supervisor, but for pairs;
 * or all of it is noted.
 */
static int socket_answer(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	int error = socket_error(spec, args);

	if ((error == EACCES || error == EPERM) && (spec->traps & RV_TRAP_GUARD))
		return FILTER_TRAPPED;
	if (!error && (spec->traps & RV_TRAP_SOCKET))
		return FILTER_TRAPPED;
	if (error || !(spec->traps & RV_TRAP_UNIX) || call != CALL_socket)
		return error;
	return (uint32_t)args[0] == AF_UNIX ? FILTER_TRAPPED : 0;
}

static int sched_error(enum call call, const uint64_t *args)
{
	uint32_t first = (uint32_t)args[0], second = (uint32_t)args[1];

	switch (call) {
	case CALL_prlimit64:
		return first != 0 && args[2] != 0 ? EPERM : 0;
	case CALL_sched_setscheduler:
	case CALL_sched_setparam:
	case CALL_sched_setattr:
		return first != 0 ? EPERM : 0;
	case CALL_setpriority:
		if (first == PRIO_PGRP || first == PRIO_USER)
			return EPERM;
		return first == PRIO_PROCESS && second != 0 ? EPERM : 0;
	case CALL_ioprio_set: /* IOPRIO_WHO_PROCESS, _PGRP, _USER */
		if (first == 2 || first == 3)
			return EPERM;
		return first == 1 && second != 0 ? EPERM : 0;
	default:
		return 0;
	}
}

static int tcp_error(enum call call, const uint64_t *args)
{
	uint64_t flags = 0;

	if (call == CALL_sendto || call == CALL_sendmmsg)
		flags = args[3];
	else if (call == CALL_sendmsg)
		flags = args[2];
	return flags & MSG_FASTOPEN ? EOPNOTSUPP : 0;
}

#define FCHROOT 472 /* of Linux 7.3: no header has it yet */

static bool is_noted(const struct rv_filter_spec *spec)
{
	return spec->traps & RV_TRAP_FS;
}

/* The calls that the supervisor looks at and no static guard. */
static int supervised_answer(
	const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	int refusal = spec->traps & RV_TRAP_GUARD ? FILTER_TRAPPED : 0;

	switch (call) {
	case CALL_seccomp: /* SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER */
		return (uint32_t)args[0] == 1 && (args[1] & 8) ? EBUSY : 0;
	case CALL_prctl: /* PR_SET_DUMPABLE */
		return (uint32_t)args[0] == 4 && args[1] == 0 ? FILTER_DONE : 0;
	case CALL_setns:
		return refusal ? refusal : EPERM;
	case CALL_landlock_restrict_self:
		if (spec->inner_landlock)
			return FILTER_TRAPPED;
		return refusal ? refusal : EOPNOTSUPP;
	case CALL_landlock_create_ruleset:
	case CALL_landlock_add_rule:
		if (spec->inner_landlock)
			return 0;
		return refusal ? refusal : EOPNOTSUPP;
	case CALL_clone: /* CLONE_NEWUSER, CLONE_NEWNS */
		return (args[0] & 0x10020000) && is_noted(spec) ? FILTER_TRAPPED : 0;
	case CALL_ioctl: /* USERFAULTFD_IOC_NEW */
		return (uint32_t)args[1] == 0xaa00 && is_noted(spec) ? FILTER_TRAPPED : 0;
	case CALL_setgroups:
	case CALL_setfsuid:
	case CALL_setfsgid:
		return spec->traps & (RV_TRAP_FS | RV_TRAP_CONNECT | RV_TRAP_BIND | RV_TRAP_SEND)
			       ? FILTER_TRAPPED
			       : 0;
	case CALL_unshare:
	case CALL_clone3:
	case CALL_chroot:
	case CALL_pivot_root:
	case CALL_userfaultfd:
		return is_noted(spec) ? FILTER_TRAPPED : 0;
	case CALL_execve:
	case CALL_execveat:
		return spec->traps & RV_TRAP_EXEC ? FILTER_TRAPPED : 0;
	default:
		return 0;
	}
}

static bool is_fs(enum call call)
{
	return call == CALL_openat || (call >= CALL_openat2 && call <= CALL_truncate) ||
	       (call >= CALL_open && call <= CALL_symlink);
}

static bool moves(enum call call)
{
	return call == CALL_rename || call == CALL_renameat || call == CALL_renameat2 ||
	       call == CALL_link || call == CALL_linkat;
}

static int fs_answer(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	if (moves(call))
		return spec->traps & (RV_TRAP_FS | RV_TRAP_MOVES) ? FILTER_TRAPPED : 0;
	if (!(spec->traps & RV_TRAP_FS) || args[5] == RV_SHIM_TAG)
		return 0;
	if ((call == CALL_open && (args[1] & O_PATH)) ||
		(call == CALL_openat && (args[2] & O_PATH)))
		return 0;
	return FILTER_TRAPPED;
}

/* One other task: the supervisor's. A group or user: refused. */
static int sched_answer(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	uint32_t which = (uint32_t)args[0];
	bool several = (call == CALL_setpriority && which != PRIO_PROCESS) ||
		       (call == CALL_ioprio_set && which != 1);
	int error = call == CALL_sched_setaffinity && which != 0 && spec->supervised
			    ? EPERM
			    : sched_error(call, args);

	if (!error || !(spec->guards & RV_GUARD_SCHED))
		return 0;
	return spec->supervised && !several ? FILTER_TRAPPED : error;
}

/* Whatever may name an address. */
static int send_answer(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	if (call == CALL_sendmsg || call == CALL_sendmmsg)
		return FILTER_TRAPPED;
	if (call == CALL_sendto)
		return args[4] || (args[3] & MSG_FASTOPEN) ? FILTER_TRAPPED : 0;
	return sched_answer(spec, call, args);
}

static int call_error(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	uint32_t request = (uint32_t)args[1];

	if (call == CALL_ioctl && (spec->guards & RV_GUARD_TTY))
		return request == 0x5412 || request == 0x541c ? EPERM : 0;
	if (call >= CALL_io_uring_setup && call <= CALL_io_uring_register)
		return spec->guards & RV_GUARD_IO_URING ? ENOSYS : 0;
	if (call >= CALL_shmget && call <= CALL_mq_unlink)
		return spec->guards & RV_GUARD_SYSV_IPC ? EPERM : 0;
	if (call == CALL_add_key || call == CALL_request_key || call == CALL_keyctl)
		return spec->guards & RV_GUARD_KEYRING ? EPERM : 0;
	if (call == CALL_socket || call == CALL_socketpair)
		return socket_answer(spec, call, args);
	if (call == CALL_getsockopt)
		return peeloff_error(spec, args);
	if (call == CALL_connect)
		return spec->traps & RV_TRAP_CONNECT ? FILTER_TRAPPED : 0;
	if (call == CALL_bind)
		return spec->traps & RV_TRAP_BIND ? FILTER_TRAPPED : 0;
	if (call == CALL_listen)
		return spec->traps & RV_TRAP_LISTEN ? FILTER_TRAPPED : 0;
	if (call == CALL_memfd_create)
		return spec->traps & RV_TRAP_MEMFD ? FILTER_TRAPPED : 0;
	if (spec->traps & RV_TRAP_SEND)
		return send_answer(spec, call, args);
	if ((spec->guards & RV_GUARD_TCP) && tcp_error(call, args))
		return tcp_error(call, args);
	return sched_answer(spec, call, args);
}

static int call_answer(const struct rv_filter_spec *spec, enum call call, const uint64_t *args)
{
	bool socket = call == CALL_socket || call == CALL_socketpair;
	int error;

	if (is_fs(call))
		return fs_answer(spec, call, args);
	error = call_error(spec, call, args);
	if (error > 0 && !socket && (spec->traps & RV_TRAP_GUARD))
		return FILTER_TRAPPED;
	return error || !spec->supervised ? error : supervised_answer(spec, call, args);
}

int filter_reference(const struct rv_filter_spec *spec, const struct seccomp_data *data)
{
	uint32_t nr = (uint32_t)data->nr;
	uint64_t args[6];

	if (data->arch != spec->arch)
		return spec->guards & RV_GUARD_ARCH ? ENOSYS : 0;
	if ((spec->guards & RV_GUARD_ARCH) && !is_known(spec->arch, nr))
		return ENOSYS;
	for (size_t i = 0; i < RV_COUNT(args); i++)
		args[i] = data->args[i];
	if (nr == FCHROOT)
		return spec->supervised && is_noted(spec) ? FILTER_TRAPPED : 0;
	return call_answer(spec, find_call(spec->arch, nr), args);
}
