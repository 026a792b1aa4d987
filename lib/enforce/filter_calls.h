/* SPDX-License-Identifier: MIT */
/* The numbers of the system calls that some guard looks at, per architecture. */
#ifndef RV_ENFORCE_FILTER_CALLS_H
#define RV_ENFORCE_FILTER_CALLS_H

#include <stddef.h>
#include <stdint.h>

enum rv_call {
	RV_CALL_IOCTL,
	RV_CALL_PRLIMIT64,
	RV_CALL_SCHED_SETSCHEDULER,
	RV_CALL_SCHED_SETPARAM,
	RV_CALL_SCHED_SETATTR,
	RV_CALL_SETPRIORITY,
	RV_CALL_IOPRIO_SET,
	RV_CALL_IO_URING_SETUP,
	RV_CALL_IO_URING_ENTER,
	RV_CALL_IO_URING_REGISTER,
	RV_CALL_SENDTO,
	RV_CALL_SENDMSG,
	RV_CALL_SENDMMSG,
	RV_CALL_SOCKET,
	RV_CALL_SOCKETPAIR,
	RV_CALL_SHMGET,
	RV_CALL_SHMAT,
	RV_CALL_SHMCTL,
	RV_CALL_SHMDT,
	RV_CALL_SEMGET,
	RV_CALL_SEMOP,
	RV_CALL_SEMCTL,
	RV_CALL_SEMTIMEDOP,
	RV_CALL_MSGGET,
	RV_CALL_MSGSND,
	RV_CALL_MSGRCV,
	RV_CALL_MSGCTL,
	RV_CALL_MQ_UNLINK,
	RV_CALL_ADD_KEY,
	RV_CALL_REQUEST_KEY,
	RV_CALL_KEYCTL,
	RV_CALL_SCHED_SETAFFINITY,
	RV_CALL_SECCOMP,
	RV_CALL_PRCTL,
	RV_CALL_SETNS,
	RV_CALL_LANDLOCK_CREATE_RULESET,
	RV_CALL_LANDLOCK_ADD_RULE,
	RV_CALL_LANDLOCK_RESTRICT_SELF,
	RV_CALL_SETGROUPS,
	RV_CALL_SETFSUID,
	RV_CALL_SETFSGID,
	RV_CALL_UNSHARE,
	RV_CALL_CLONE,
	RV_CALL_CLONE3,
	RV_CALL_CHROOT,
	RV_CALL_FCHROOT,
	RV_CALL_PIVOT_ROOT,
	RV_CALL_USERFAULTFD,
	RV_CALL_EXECVE,
	RV_CALL_EXECVEAT,
	RV_CALL_OPENAT,
	RV_CALL_OPENAT2,
	RV_CALL_MKDIRAT,
	RV_CALL_MKNODAT,
	RV_CALL_UNLINKAT,
	RV_CALL_RENAMEAT,
	RV_CALL_RENAMEAT2,
	RV_CALL_LINKAT,
	RV_CALL_SYMLINKAT,
	RV_CALL_TRUNCATE,
	RV_CALL_OPEN,
	RV_CALL_CREAT,
	RV_CALL_MKDIR,
	RV_CALL_MKNOD,
	RV_CALL_UNLINK,
	RV_CALL_RMDIR,
	RV_CALL_RENAME,
	RV_CALL_LINK,
	RV_CALL_SYMLINK,
	RV_CALL_CONNECT,
	RV_CALL_BIND,
	RV_CALL_LISTEN,
	RV_CALL_MEMFD_CREATE,
	RV_CALL_GETSOCKOPT,
	RV_CALL_COUNT
};

/* In a table: the architecture has no such call. */
#define RV_NO_CALL UINT16_MAX

/* Numbers from first to last mean nothing on this architecture. */
struct rv_call_gap {
	uint32_t first, last;
};

struct rv_call_table {
	uint32_t arch; /* AUDIT_ARCH_* */
	uint16_t number[RV_CALL_COUNT];
	const struct rv_call_gap *gaps; /* ascending; the last one reaches to UINT32_MAX */
	size_t gaps_count;
};

/* NULL for an architecture that has no table. */
const struct rv_call_table *rv_call_table(uint32_t arch);

/*
 * The row for a call's number in a table of `count` rows, `size` bytes each, that begin with their
 * enum rv_call. NULL: there is none.
 */
const void *rv_call_row(uint32_t arch, int nr, const void *rows, size_t count, size_t size);

#endif /* RV_ENFORCE_FILTER_CALLS_H */
