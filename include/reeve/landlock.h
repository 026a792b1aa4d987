/* SPDX-License-Identifier: MIT */
/*
 * Landlock's system calls, with what is proposed on the Landlock mailing list, on today's kernels.
 *
 * A program written for them compiles unchanged with `-include reeve/landlock.h` and `-lreeve`: its
 * own `#ifndef landlock_create_ruleset` wrappers give way, and its `#include <linux/landlock.h>`
 * finds everything defined already. What the kernel knows goes straight to the kernel.
 *
 * All functions are the system calls' equals: -1 and errno, in the kernel's order of checks. Bits
 * that the proposals take are known here: a program that expects the next one to be unknown (as the
 * kernel's own tests do, of bit 2 of the flags of create_ruleset and of the scopes) finds it known.
 * What neither the kernel nor reeve can do here fails with ENOTSUP; reeve_landlock_why() says why.
 * No libc header is included, so a program's own _GNU_SOURCE still counts.
 *
 * Descriptors. A ruleset is a descriptor as the kernel's is: close-on-exec, inherited by fork(2),
 * passed by SCM_RIGHTS, kept over exec by clearing FD_CLOEXEC. Those that the kernel cannot hold
 * (supervisor and supervisee rulesets, socket rules, unions and intersections, what is said below
 * of UNIX sockets) work with these functions only, not with the raw system calls.
 *
 * Sockets. Their creation can be handled in two shapes: as an access right (the series on the
 * list) or as a permission (what its reviewer wants instead); one ruleset takes one of them, and a
 * union or intersection is of two of the same (EINVAL). The scope of pathname UNIX sockets, and
 * where the kernel lacks them resolve_unix and the rights on UDP ports, are enforced by a process
 * that landlock_restrict_self() starts: a socket that was made outside of the domain is reached
 * only where a rule grants resolve_unix (else EACCES), and with the scope by no rule (EPERM). Such
 * calls are performed by another process, of the domain, whose pid SO_PEERCRED shows to the other
 * side. In such a domain there is no io_uring and no foreign architecture (ENOSYS), no second
 * domain below it (Landlock's calls fail with EOPNOTSUPP), with UNIX sockets scoped no UNIX
 * datagram socket (EACCES), and mounts are refused, as in any domain that handles fs rights. A
 * program that means to nest leaves these rights out.
 */
#ifndef REEVE_LANDLOCK_H
#define REEVE_LANDLOCK_H

#if defined(_LINUX_LANDLOCK_H) || defined(_UAPI_LINUX_LANDLOCK_H)
#error "include <reeve/landlock.h> before <linux/landlock.h>: it takes its place (-include does that)"
#endif
#define _LINUX_LANDLOCK_H
#define _UAPI_LINUX_LANDLOCK_H

#include <linux/types.h> /* the kernel's own: includes nothing of libc */

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ------------------------------------------------------------ landlock_create_ruleset() */

/*
 * left_fd and right_fd are looked at with CREATE_RULESET_UNION and _INTERSECT only; all other
 * members are then zero. What a kernel does not know may be zero in it.
 */
struct landlock_ruleset_attr {
	__u64 handled_access_fs;     /* ABI 1 */
	__u64 handled_access_net;    /* ABI 4 */
	__u64 scoped;		     /* ABI 6 */
	__u64 quiet_access_fs;	     /* ABI 10 */
	__u64 quiet_access_net;	     /* ABI 10 */
	__u64 quiet_scoped;	     /* ABI 10 */
	__u64 handled_permissions;   /* ABI 12 */
	__u64 handled_access_socket; /* proposed */
	__s32 left_fd;		     /* proposed */
	__s32 right_fd;		     /* proposed */
};

#define LANDLOCK_CREATE_RULESET_VERSION (1U << 0)
#define LANDLOCK_CREATE_RULESET_ERRATA	(1U << 1) /* ABI 7 */
/* Proposed. SUPERVISOR: the live part of a domain; see "Mutable domains" below. */
#define LANDLOCK_CREATE_RULESET_SUPERVISOR (1U << 2)
/*
 * A ruleset of two: UNION allows what either allows (and handles what both handle), INTERSECT
 * what both allow (and handles what either handles). The two must be known to reeve: supervisor and
 * supervisee rulesets, results of these, and plain ones made while the process has a supervisor
 * ruleset or with RECORDED. ENOTSUP for others: the kernel does not tell what is in them.
 */
#define LANDLOCK_CREATE_RULESET_UNION	  (1U << 3)
#define LANDLOCK_CREATE_RULESET_INTERSECT (1U << 4)
#define LANDLOCK_CREATE_RULESET_RECORDED  (1U << 5) /* reeve's own: a plain one that can be read */

/* -------------------------------------------------------------------- landlock_add_rule() */

enum landlock_rule_type {
	LANDLOCK_RULE_PATH_BENEATH = 1,
	LANDLOCK_RULE_NET_PORT,	  /* ABI 4 */
	LANDLOCK_RULE_NAMESPACE,  /* ABI 12 */
	LANDLOCK_RULE_CAPABILITY, /* ABI 12 */
	/* Proposed; numbers that no kernel will give to anything else. */
	LANDLOCK_RULE_SOCKET = 0x52450001,
	LANDLOCK_RULE_INTERSECT_RULESET = 0x52450002, /* on a supervisor ruleset: struct below */
	LANDLOCK_RULE_SOCKET_PERMISSION = 0x52450003
};
/* So that #ifdef can ask. */
#define LANDLOCK_RULE_SOCKET		LANDLOCK_RULE_SOCKET
#define LANDLOCK_RULE_INTERSECT_RULESET LANDLOCK_RULE_INTERSECT_RULESET
#define LANDLOCK_RULE_SOCKET_PERMISSION LANDLOCK_RULE_SOCKET_PERMISSION

#define LANDLOCK_ADD_RULE_QUIET (1U << 0) /* ABI 10 */
/*
 * Proposed, for supervisor rulesets. COMMIT_SUPERVISOR: after this rule, publish all that was
 * staged, at once; allowed_access 0, or rule type 0 with a NULL attr, only commits. INTERSECT:
 * and the rights of the rule on exactly this object with allowed_access; 0 drops it.
 */
#define LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR (1U << 1)
#define LANDLOCK_ADD_RULE_INTERSECT	    (1U << 2)

struct landlock_path_beneath_attr {
	__u64 allowed_access;
	__s32 parent_fd;
} __attribute__((packed));

struct landlock_net_port_attr {
	__u64 allowed_access;
	__u64 port; /* host byte order */
};

struct landlock_namespace_attr {
	__u64 permissions;
	__u64 allowed_namespace_types; /* CLONE_NEW* */
	__u64 quiet_namespace_types;
};

struct landlock_capability_attr {
	__u64 permissions;
	__u64 allowed_capabilities; /* 1 << CAP_* */
	__u64 quiet_capabilities;
};

/* Proposed. type -1 and protocol -1: any. Denied creation is EACCES. */
struct landlock_socket_attr {
	__u64 allowed_access;
	__s32 family;	/* 0 to 254 */
	__s32 type;	/* 0 to 254, without SOCK_NONBLOCK and SOCK_CLOEXEC */
	__s32 protocol; /* 0 to 65534; 0 is not IPPROTO_TCP */
} __attribute__((packed));

/*
 * Proposed: the same in the shape of permissions, for rulesets that handle
 * LANDLOCK_PERMISSION_SOCKET_CREATE. Denied creation is EPERM, as with any permission. Errors come
 * in the order of permissions: EINVAL (LANDLOCK_ADD_RULE_QUIET, which they have as a member
 * instead), EFAULT, ENOMSG (nothing allowed and nothing quiet), EINVAL (not handled), EINVAL
 * (range).
 */
struct landlock_socket_permission_attr {
	__u64 allowed_permissions;
	__u64 quiet_permissions;      /* denials that are not logged: accepted; none is */
	__s32 family, type, protocol; /* as above */
} __attribute__((packed));

/* Proposed: the rules of the supervisor ruleset are cut down to what this one allows, too. */
struct landlock_ruleset_rule_attr {
	__s32 ruleset_fd;
};

/* ---------------------------------------------------------------- landlock_restrict_self() */

#define LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF  (1U << 0) /* ABI 7 */
#define LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON	  (1U << 1) /* ABI 7 */
#define LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2) /* ABI 7 */
#define LANDLOCK_RESTRICT_SELF_TSYNC		  (1U << 3) /* ABI 8 */
#define LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS	  (1U << 4) /* ABI 11 */

/* ------------------------------------------------------------------------ rights and scopes */

#define LANDLOCK_ACCESS_FS_EXECUTE	(1ULL << 0)
#define LANDLOCK_ACCESS_FS_WRITE_FILE	(1ULL << 1)
#define LANDLOCK_ACCESS_FS_READ_FILE	(1ULL << 2)
#define LANDLOCK_ACCESS_FS_READ_DIR	(1ULL << 3)
#define LANDLOCK_ACCESS_FS_REMOVE_DIR	(1ULL << 4)
#define LANDLOCK_ACCESS_FS_REMOVE_FILE	(1ULL << 5)
#define LANDLOCK_ACCESS_FS_MAKE_CHAR	(1ULL << 6)
#define LANDLOCK_ACCESS_FS_MAKE_DIR	(1ULL << 7)
#define LANDLOCK_ACCESS_FS_MAKE_REG	(1ULL << 8)
#define LANDLOCK_ACCESS_FS_MAKE_SOCK	(1ULL << 9)
#define LANDLOCK_ACCESS_FS_MAKE_FIFO	(1ULL << 10)
#define LANDLOCK_ACCESS_FS_MAKE_BLOCK	(1ULL << 11)
#define LANDLOCK_ACCESS_FS_MAKE_SYM	(1ULL << 12)
#define LANDLOCK_ACCESS_FS_REFER	(1ULL << 13) /* ABI 2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14) /* ABI 3 */
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	(1ULL << 15) /* ABI 5 */
#define LANDLOCK_ACCESS_FS_RESOLVE_UNIX (1ULL << 16) /* ABI 9 */

#define LANDLOCK_ACCESS_NET_BIND_TCP	     (1ULL << 0) /* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP	     (1ULL << 1) /* ABI 4 */
#define LANDLOCK_ACCESS_NET_BIND_UDP	     (1ULL << 2) /* ABI 10 */
#define LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP (1ULL << 3) /* ABI 10 */

#define LANDLOCK_ACCESS_SOCKET_CREATE (1ULL << 0) /* proposed */

#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL		    (1ULL << 1) /* ABI 6 */
#define LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET (1ULL << 2) /* proposed */

#define LANDLOCK_PERMISSION_NAMESPACE_USE  (1ULL << 0) /* ABI 12 */
#define LANDLOCK_PERMISSION_CAPABILITY_USE (1ULL << 1) /* ABI 12 */
/*
 * Proposed; a bit that no kernel will give to anything else. Socket creation as the maintainer
 * would have it instead of handled_access_socket: a ruleset takes one of the two, both are EINVAL.
 */
#define LANDLOCK_PERMISSION_SOCKET_CREATE (1ULL << 62)

/* -------------------------------------------------------------------------- the three calls */

/*
 * As the system call. With LANDLOCK_CREATE_RULESET_VERSION: the highest ABI that kernel and reeve
 * together provide all of, to this process; see reeve_landlock_features().
 *
 * Besides the kernel's errors: ENOTSUP for what is known here, and enforced by nobody on this
 * machine.
 */
int reeve_landlock_create_ruleset(
	const struct landlock_ruleset_attr *attr, __SIZE_TYPE__ size, __u32 flags);

/*
 * As the system call. On a supervisor ruleset rules are staged until a commit; EPERM where it was
 * inherited over exec or received from another process, which can use but not change it. A process
 * that stages many rules has one descriptor more than it opened (close-on-exec, a link in /proc),
 * by which the library finds paths faster; it may be closed.
 */
int reeve_landlock_add_rule(
	int ruleset_fd, enum landlock_rule_type rule_type, const void *rule_attr, __u32 flags);

/*
 * As the system call. With a supervisee ruleset, a process of reeve's is started first, which adds
 * what the supervisor ruleset grants at each moment; it is no child of the caller, and ends with
 * the domain. Without it the domain has what its static rules grant, and trapped calls fail with
 * ENOSYS. EBADFD: a supervisor ruleset. ENOTSUP: threads (a forked child has none), a vfork child,
 * a kernel that refuses to let reeve look at the caller (Yama without CAP_SYS_PTRACE; capabilities
 * that are permitted and not in effect), or a domain
 * that is supervised already. So with a ruleset that restricts sockets as the kernel does not:
 * there one layer more of Landlock is taken of the 16 that there may be, and it is ENOTSUP also to
 * scope UNIX sockets where a UNIX datagram socket is open.
 */
int reeve_landlock_restrict_self(int ruleset_fd, __u32 flags);

#define landlock_create_ruleset reeve_landlock_create_ruleset
#define landlock_add_rule	reeve_landlock_add_rule
#define landlock_restrict_self	reeve_landlock_restrict_self

/* --------------------------------------------------------------------------- Mutable domains */

/*
 * A domain whose rules change while its processes run. A supervisor ruleset has two parts: the
 * static rules of its supervisee ruleset, and live rules of its own. A request is allowed when
 * both together allow it, right by right:
 *
 *	sup = landlock_create_ruleset(&attr, size, LANDLOCK_CREATE_RULESET_SUPERVISOR);
 *	sub = ioctl(sup, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0);
 *	landlock_add_rule(sub, …);	for good: what the program cannot do without
 *	landlock_add_rule(sup, …);	staged
 *	landlock_add_rule(sup, 0, NULL, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR);
 *	if (fork() == 0) {
 *		close(sup);
 *		landlock_restrict_self(sub, 0);
 *		execv(…);
 *	}
 *
 * Staged changes count for nothing until a commit, which puts all of them in force at once: every
 * request that begins after it is judged by it. Who supervises needs to do nothing else: it may
 * wait, and it may close the supervisor ruleset or end, which leaves the last commit in force.
 * There may be several supervisees of one supervisor ruleset.
 *
 * The kernel enforces the static rules. What only live rules allow is performed for the caller by
 * the process that landlock_restrict_self() starts, as `reeve run` does it: opening and changing
 * files, connecting and binding to ports, sending UDP, making sockets. Live rules cannot give
 * execute (the kernel executes nothing that another process opened), nor resolve_unix where the
 * kernel's Landlock has it: ENOTSUP. For the same reason what is executed, its interpreter and its
 * dynamic loader must be readable by static rules where read_file is handled: else execve(2) fails
 * with EACCES, whatever is live. With the scope of pathname UNIX sockets resolve_unix gives
 * nothing, live or not. Callers that changed their credentials, root or user namespace get no more
 * than the static rules. A supervisee ruleset that handles rights on UDP ports takes one layer more
 * of Landlock, and the calls on UDP and UNIX sockets are performed as said above ("Sockets").
 *
 * A live rule on a path is on the object that parent_fd was, as any rule of Landlock's, and holds
 * while that is found under the path that it had; moved elsewhere, it gives nothing. No rename or
 * link gains rights, by the rules in force when it is made (EXDEV); a rule that is committed later
 * is on all that is there by then, whoever moved it there before.
 *
 * Only the process that made a supervisor ruleset, and those that it forks, can change it. Having
 * the descriptor is not enough, so a supervisee that forgot to close it, or looks for it, gains
 * nothing: once it is restricted, its copy of the power is gone. Inside of the domain Landlock's
 * calls fail with EOPNOTSUPP, so there is no nesting, and setns(2), io_uring and other listeners
 * of seccomp are refused. When the supervising process dies, what it answered fails with ENOSYS.
 */

/* ---------------------------------------------------------------------------------- ioctl(2) */

/* Proposed: of a supervisor ruleset, a new descriptor on its supervisee ruleset. ENOTTY: no
 * supervisor ruleset; EINVAL: an argument that is not 0. All three: EMFILE, ENFILE, ENOMEM. */
#define LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET 0x4c20 /* _IO('L', 0x20) */
/*
 * Proposed: the live part becomes what this ruleset allows, committed at once. Rights that it does
 * not handle are granted everywhere; EINVAL where it handles more. The argument is its descriptor.
 */
#define LANDLOCK_IOCTL_COMMIT_RULESET 0x4c21 /* _IO('L', 0x21) */
/* Proposed ("clear all"): stages that nothing is granted; the argument is 0. */
#define LANDLOCK_IOCTL_CLEAR_RULES 0x4c22 /* _IO('L', 0x22) */

/*
 * ioctl(2), and these three on a supervisor ruleset. Everything else is handed to libc unchanged.
 * The name in the source stays ioctl, so that struct members and methods of that name are left
 * alone: only the symbol that calls are linked to is another. REEVE_LANDLOCK_NO_IOCTL, defined
 * before, leaves libc's; reeve_landlock_ioctl() is there in any case.
 */
int reeve_landlock_ioctl(int fd, unsigned long request, ...);

#if defined(REEVE_LANDLOCK_NO_IOCTL)
#elif defined(_SYS_IOCTL_H) /* declared already: too late for another symbol */
#define ioctl reeve_landlock_ioctl
#elif defined(__has_include)
#if !__has_include(<bits/libc-header-start.h>) /* not glibc: as POSIX has it */
extern int ioctl(int fd, int request, ...) __asm__("reeve_landlock_ioctl");
#elif !defined(__cplusplus)
extern int ioctl(int fd, unsigned long request, ...) __asm__("reeve_landlock_ioctl");
#elif __cplusplus >= 201103L
extern int ioctl(int fd, unsigned long request, ...) noexcept(true) __asm__("reeve_landlock_ioctl");
#else
extern int ioctl(int fd, unsigned long request, ...) throw() __asm__("reeve_landlock_ioctl");
#endif
#endif

/* ------------------------------------------------------------------------ what there is here */

#define REEVE_LANDLOCK_TSYNC		 (1ULL << 0) /* restrict_self flag; single-threaded callers */
#define REEVE_LANDLOCK_RESOLVE_UNIX	 (1ULL << 1)
#define REEVE_LANDLOCK_UDP		 (1ULL << 2)
#define REEVE_LANDLOCK_QUIET		 (1ULL << 3) /* accepted; audit records are the kernel's */
#define REEVE_LANDLOCK_NO_NEW_PRIVS	 (1ULL << 4) /* restrict_self flag */
#define REEVE_LANDLOCK_PERMISSIONS	 (1ULL << 5)
#define REEVE_LANDLOCK_PATHNAME_SCOPE	 (1ULL << 6)
#define REEVE_LANDLOCK_SOCKET		 (1ULL << 7) /* handled_access_socket */
#define REEVE_LANDLOCK_MUTABLE		 (1ULL << 8) /* supervisor rulesets */
#define REEVE_LANDLOCK_PIDFD_INFO	 (1ULL << 9)
#define REEVE_LANDLOCK_SOCKET_PERMISSION (1ULL << 10) /* LANDLOCK_PERMISSION_SOCKET_CREATE */

struct reeve_landlock_features {
	__SIZE_TYPE__ size; /* sizeof(struct reeve_landlock_features), set by the caller */
	__s32 kernel_abi;   /* 0: the kernel has no Landlock */
	__s32 abi;	    /* what VERSION reports */
	__u64 kernel;	    /* REEVE_LANDLOCK_* that the kernel has */
	__u64 supplied;	    /* REEVE_LANDLOCK_* that it lacks, and reeve supplies here */
};

/* 0; -1 and EFAULT, EINVAL (size 0), ENOMEM, EMFILE, ENFILE. */
int reeve_landlock_features(struct reeve_landlock_features *ret);

/* Why the last of these functions in this thread failed, in words, or "". Never NULL. */
const char *reeve_landlock_why(void);

/*
 * Receives what reeve_landlock_why() would say, whenever a call fails for a reason that errno does
 * not tell (ENOTSUP above all). For the whole process; NULL stops it. It must not
 * call any of these functions. The environment variable
 * REEVE_LANDLOCK_LOG=2 does the same to a file descriptor, for programs that are not changed.
 */
void reeve_landlock_set_log(void (*fn)(const char *message));

/* ------------------------------------------------------------------- domain IDs by pidfd */

/* Proposed; PIDFD_GET_INFO of today's kernels has other uses for these bits. */
#define PIDFD_INFO_LANDLOCK_LAST_DOMAIN	 (1ULL << 3)
#define PIDFD_INFO_LANDLOCK_FIRST_DOMAIN (1ULL << 4)

struct reeve_landlock_pidfd_info {
	__u64 mask; /* in: which are wanted; out: which were given */
	__u64 landlock_last_domain;
	__u64 landlock_first_domain;
};

/*
 * The innermost domain of a task, and the outermost that the caller does not share. What cannot be
 * told is not given: its bit is cleared. The ids are reeve's for domains of `reeve run` and of
 * programs that use its supervisor, the kernel's for others where they can be read, and so for what
 * landlock_restrict_self() made, supervised or not. Who counts as
 * the reader, and what an id rests on: reeve/observe.h.
 * 0; -1 and EFAULT, EINVAL (an unknown bit), EBADF (no pidfd).
 */
int reeve_landlock_pidfd_info(int pidfd, struct reeve_landlock_pidfd_info *info);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_LANDLOCK_H */
