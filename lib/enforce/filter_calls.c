/* SPDX-License-Identifier: MIT */
/*
 * Our own tables, because a program for either architecture is made on any machine, and because
 * what counts as unknown must not depend on how old the headers are that reeve was built with.
 * tests/enforce/filter_numbers.h holds the same numbers once more, checked against the headers.
 */
#include <linux/audit.h>

#include "base/cleanup.h"
#include "enforce/filter_calls.h"

/*
 * The highest number of Linux 7.3, where __NR_syscalls is 473: listns 470 (6.19), rseq_slice_yield
 * 471 (7.0), fchroot 472 (7.3). New calls get the same number on all architectures since 424.
 *
 * What is above could be anything, a second io_uring included: ENOSYS until this table learns it.
 */
#define HIGHEST 472

/*
 * x86-64's own calls end with uprobe 336; up to 386 are free for more of its own, 387–423 are
 * skipped to be in step with the others. Everything from 512 on is x32's, whose numbers carry
 * bit 30 besides (native calls share AUDIT_ARCH_X86_64 with them): all above the highest.
 */
static const struct rv_call_gap x86_64_gaps[] = {{337, 423}, {HIGHEST + 1, UINT32_MAX}};

/*
 * arm64 uses the generic table: 244–259 are for architectures that have calls of their own, which
 * arm64 has not, 295–402 are skipped, 403–423 are 32-bit machines' calls with 64-bit times.
 */
static const struct rv_call_gap aarch64_gaps[] = {
	{244, 259}, {295, 423}, {HIGHEST + 1, UINT32_MAX}};

static const struct rv_call_table tables[] = {
	{
		.arch = AUDIT_ARCH_X86_64,
		.gaps = x86_64_gaps,
		.gaps_count = RV_COUNT(x86_64_gaps),
		.number =
			{
				[RV_CALL_OPEN] = 2,
				[RV_CALL_IOCTL] = 16,
				[RV_CALL_SHMGET] = 29,
				[RV_CALL_SHMAT] = 30,
				[RV_CALL_SHMCTL] = 31,
				[RV_CALL_SOCKET] = 41,
				[RV_CALL_CONNECT] = 42,
				[RV_CALL_SENDTO] = 44,
				[RV_CALL_SENDMSG] = 46,
				[RV_CALL_BIND] = 49,
				[RV_CALL_LISTEN] = 50,
				[RV_CALL_SOCKETPAIR] = 53,
				[RV_CALL_GETSOCKOPT] = 55,
				[RV_CALL_CLONE] = 56,
				[RV_CALL_EXECVE] = 59,
				[RV_CALL_SEMGET] = 64,
				[RV_CALL_SEMOP] = 65,
				[RV_CALL_SEMCTL] = 66,
				[RV_CALL_SHMDT] = 67,
				[RV_CALL_MSGGET] = 68,
				[RV_CALL_MSGSND] = 69,
				[RV_CALL_MSGRCV] = 70,
				[RV_CALL_MSGCTL] = 71,
				[RV_CALL_TRUNCATE] = 76,
				[RV_CALL_RENAME] = 82,
				[RV_CALL_MKDIR] = 83,
				[RV_CALL_RMDIR] = 84,
				[RV_CALL_CREAT] = 85,
				[RV_CALL_LINK] = 86,
				[RV_CALL_UNLINK] = 87,
				[RV_CALL_SYMLINK] = 88,
				[RV_CALL_SETGROUPS] = 116,
				[RV_CALL_SETFSUID] = 122,
				[RV_CALL_SETFSGID] = 123,
				[RV_CALL_MKNOD] = 133,
				[RV_CALL_SETPRIORITY] = 141,
				[RV_CALL_SCHED_SETPARAM] = 142,
				[RV_CALL_SCHED_SETSCHEDULER] = 144,
				[RV_CALL_PIVOT_ROOT] = 155,
				[RV_CALL_PRCTL] = 157,
				[RV_CALL_CHROOT] = 161,
				[RV_CALL_SCHED_SETAFFINITY] = 203,
				[RV_CALL_SEMTIMEDOP] = 220,
				[RV_CALL_ADD_KEY] = 248,
				[RV_CALL_REQUEST_KEY] = 249,
				[RV_CALL_KEYCTL] = 250,
				[RV_CALL_IOPRIO_SET] = 251,
				[RV_CALL_OPENAT] = 257,
				[RV_CALL_MKDIRAT] = 258,
				[RV_CALL_MKNODAT] = 259,
				[RV_CALL_UNLINKAT] = 263,
				[RV_CALL_RENAMEAT] = 264,
				[RV_CALL_LINKAT] = 265,
				[RV_CALL_SYMLINKAT] = 266,
				[RV_CALL_UNSHARE] = 272,
				[RV_CALL_MQ_UNLINK] = 241,
				[RV_CALL_PRLIMIT64] = 302,
				[RV_CALL_SENDMMSG] = 307,
				[RV_CALL_SETNS] = 308,
				[RV_CALL_SCHED_SETATTR] = 314,
				[RV_CALL_RENAMEAT2] = 316,
				[RV_CALL_SECCOMP] = 317,
				[RV_CALL_MEMFD_CREATE] = 319,
				[RV_CALL_EXECVEAT] = 322,
				[RV_CALL_USERFAULTFD] = 323,
				[RV_CALL_IO_URING_SETUP] = 425,
				[RV_CALL_IO_URING_ENTER] = 426,
				[RV_CALL_IO_URING_REGISTER] = 427,
				[RV_CALL_CLONE3] = 435,
				[RV_CALL_OPENAT2] = 437,
				[RV_CALL_LANDLOCK_CREATE_RULESET] = 444,
				[RV_CALL_LANDLOCK_ADD_RULE] = 445,
				[RV_CALL_LANDLOCK_RESTRICT_SELF] = 446,
				[RV_CALL_FCHROOT] = 472,
			},
	},
	{
		.arch = AUDIT_ARCH_AARCH64,
		.gaps = aarch64_gaps,
		.gaps_count = RV_COUNT(aarch64_gaps),
		.number =
			{
				[RV_CALL_IOCTL] = 29,
				[RV_CALL_IOPRIO_SET] = 30,
				[RV_CALL_MKNODAT] = 33,
				[RV_CALL_MKDIRAT] = 34,
				[RV_CALL_UNLINKAT] = 35,
				[RV_CALL_SYMLINKAT] = 36,
				[RV_CALL_LINKAT] = 37,
				[RV_CALL_RENAMEAT] = 38,
				[RV_CALL_PIVOT_ROOT] = 41,
				[RV_CALL_TRUNCATE] = 45,
				[RV_CALL_CHROOT] = 51,
				[RV_CALL_OPENAT] = 56,
				[RV_CALL_UNSHARE] = 97,
				[RV_CALL_SCHED_SETPARAM] = 118,
				[RV_CALL_SCHED_SETSCHEDULER] = 119,
				[RV_CALL_SCHED_SETAFFINITY] = 122,
				[RV_CALL_SETPRIORITY] = 140,
				[RV_CALL_SETFSUID] = 151,
				[RV_CALL_SETFSGID] = 152,
				[RV_CALL_SETGROUPS] = 159,
				[RV_CALL_PRCTL] = 167,
				[RV_CALL_MQ_UNLINK] = 181,
				[RV_CALL_MSGGET] = 186,
				[RV_CALL_MSGCTL] = 187,
				[RV_CALL_MSGRCV] = 188,
				[RV_CALL_MSGSND] = 189,
				[RV_CALL_SEMGET] = 190,
				[RV_CALL_SEMCTL] = 191,
				[RV_CALL_SEMTIMEDOP] = 192,
				[RV_CALL_SEMOP] = 193,
				[RV_CALL_SHMGET] = 194,
				[RV_CALL_SHMCTL] = 195,
				[RV_CALL_SHMAT] = 196,
				[RV_CALL_SHMDT] = 197,
				[RV_CALL_SOCKET] = 198,
				[RV_CALL_SOCKETPAIR] = 199,
				[RV_CALL_BIND] = 200,
				[RV_CALL_LISTEN] = 201,
				[RV_CALL_CONNECT] = 203,
				[RV_CALL_SENDTO] = 206,
				[RV_CALL_GETSOCKOPT] = 209,
				[RV_CALL_SENDMSG] = 211,
				[RV_CALL_ADD_KEY] = 217,
				[RV_CALL_REQUEST_KEY] = 218,
				[RV_CALL_KEYCTL] = 219,
				[RV_CALL_CLONE] = 220,
				[RV_CALL_EXECVE] = 221,
				[RV_CALL_PRLIMIT64] = 261,
				[RV_CALL_SETNS] = 268,
				[RV_CALL_SENDMMSG] = 269,
				[RV_CALL_SCHED_SETATTR] = 274,
				[RV_CALL_RENAMEAT2] = 276,
				[RV_CALL_SECCOMP] = 277,
				[RV_CALL_MEMFD_CREATE] = 279,
				[RV_CALL_EXECVEAT] = 281,
				[RV_CALL_USERFAULTFD] = 282,
				[RV_CALL_IO_URING_SETUP] = 425,
				[RV_CALL_IO_URING_ENTER] = 426,
				[RV_CALL_IO_URING_REGISTER] = 427,
				[RV_CALL_CLONE3] = 435,
				[RV_CALL_OPENAT2] = 437,
				[RV_CALL_LANDLOCK_CREATE_RULESET] = 444,
				[RV_CALL_LANDLOCK_ADD_RULE] = 445,
				[RV_CALL_LANDLOCK_RESTRICT_SELF] = 446,
				[RV_CALL_FCHROOT] = 472,
				[RV_CALL_OPEN] = RV_NO_CALL,
				[RV_CALL_CREAT] = RV_NO_CALL,
				[RV_CALL_MKDIR] = RV_NO_CALL,
				[RV_CALL_MKNOD] = RV_NO_CALL,
				[RV_CALL_UNLINK] = RV_NO_CALL,
				[RV_CALL_RMDIR] = RV_NO_CALL,
				[RV_CALL_RENAME] = RV_NO_CALL,
				[RV_CALL_LINK] = RV_NO_CALL,
				[RV_CALL_SYMLINK] = RV_NO_CALL,
			},
	},
};

const struct rv_call_table *rv_call_table(uint32_t arch)
{
	for (size_t i = 0; i < RV_COUNT(tables); i++) {
		if (tables[i].arch == arch)
			return &tables[i];
	}
	return NULL;
}

const void *rv_call_row(uint32_t arch, int nr, const void *rows, size_t count, size_t size)
{
	const struct rv_call_table *table = rv_call_table(arch);
	const char *row = rows;

	for (size_t i = 0; table && i < count; i++, row += size) {
		if (table->number[*(const enum rv_call *)row] == nr)
			return row;
	}
	return NULL;
}
