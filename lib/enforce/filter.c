/* SPDX-License-Identifier: MIT */
/*
 * The filter compiler.
 *
 *	load arch; other than ours: ENOSYS
 *	load nr; a tree over the numbers that are guarded or unknown
 *	return allow			<- everything else
 *	return errno ENOSYS		<- unknown numbers
 *	…				<- one piece for each kind of guarded call
 *
 * A call that is not guarded is thus allowed by looking at arch and nr alone, through loads of
 * these two, constant comparisons and returns. That is what the kernel's seccomp_cache_prepare()
 * recognises (5.11 and later): such calls are marked in a bitmap when the filter is installed, and
 * never run the program at all. They must not be made to load an argument.
 *
 * Foreign architectures. i386 code (int 0x80, socketcall(2) and ipc(2) included) has
 * AUDIT_ARCH_I386, 32-bit arm AUDIT_ARCH_ARM: numbers mean something else there, so the
 * whole architecture is refused: programs built for i386 do not run in a domain. Without
 * RV_GUARD_ARCH (degraded by name), they do, past every other guard here.
 */
#include <errno.h>
#include <linux/audit.h>

#include "base/cleanup.h"
#include "enforce/filter_calls.h"
#include "enforce/filter_guards.h"
#include "enforce/filter_tree.h"

#define GUARDS_ALL                                                                                 \
	(RV_GUARD_ARCH | RV_GUARD_TTY | RV_GUARD_SCHED | RV_GUARD_IO_URING | RV_GUARD_TCP |        \
		RV_GUARD_SYSV_IPC | RV_GUARD_KEYRING | RV_GUARD_UNIX_DGRAM)

#define TRAPS_ALL                                                                                  \
	(RV_TRAP_FS | RV_TRAP_EXEC | RV_TRAP_GUARD | RV_TRAP_UNIX | RV_TRAP_CONNECT |              \
		RV_TRAP_BIND | RV_TRAP_MEMFD | RV_TRAP_SOCKET | RV_TRAP_MOVES | RV_TRAP_SEND |     \
		RV_TRAP_LISTEN)

/* What stands in the spec beside the guards. */
#define HANDLE_SOCKET	 (1u << 31)
#define SUPERVISED	 (1u << 30)
#define SUPERVISED_SCHED (1u << 29)
#define TRAPS_FS	 (1u << 28)
#define TRAPS_EXEC	 (1u << 27)
#define TRAPS_UNIX	 (1u << 26)
#define TRAPS_CONNECT	 (1u << 25)
#define TRAPS_BIND	 (1u << 24)
#define TRAPS_MEMFD	 (1u << 23)
#define TRAPS_SOCKET	 (1u << 22)
#define TRAPS_SEND	 (1u << 21)
#define GUARDS_SEND	 (1u << 20) /* MSG_FASTOPEN, where sends are not trapped anyway */
#define TRAPS_IDS	 (1u << 19)
#define SOCKETS		 (HANDLE_SOCKET | RV_GUARD_TCP | RV_GUARD_UNIX_DGRAM | TRAPS_UNIX | TRAPS_SOCKET)
#define TRAPS_MOVES	 (1u << 18)
#define TRAPS_LISTEN	 (1u << 17)
#define INNER		 (1u << 16)
#define NO_INNER	 (1u << 15)
#define NO_PEELOFF	 (1u << 14)

/*
 * Which call any of these guards wants looked at, and how. Without a supervisor, which can tell
 * who the target is, sched_setaffinity is not among the sched_* ones: programs pin their own
 * threads by tid, and it harms little.
 */
static const struct {
	unsigned int guards;
	enum rv_call call;
	enum rv_verdict verdict;
} guarded[] = {
	{RV_GUARD_TTY | TRAPS_FS, RV_CALL_IOCTL, RV_VERDICT_IOCTL},
	{RV_GUARD_SCHED, RV_CALL_PRLIMIT64, RV_VERDICT_PRLIMIT},
	{RV_GUARD_SCHED, RV_CALL_SCHED_SETSCHEDULER, RV_VERDICT_OTHERS_PID},
	{RV_GUARD_SCHED, RV_CALL_SCHED_SETPARAM, RV_VERDICT_OTHERS_PID},
	{RV_GUARD_SCHED, RV_CALL_SCHED_SETATTR, RV_VERDICT_OTHERS_PID},
	{RV_GUARD_SCHED, RV_CALL_SETPRIORITY, RV_VERDICT_SETPRIORITY},
	{RV_GUARD_SCHED, RV_CALL_IOPRIO_SET, RV_VERDICT_IOPRIO_SET},
	/* Its requests pass seccomp by; programs fall back to plain calls on ENOSYS. */
	{RV_GUARD_IO_URING, RV_CALL_IO_URING_SETUP, RV_VERDICT_IO_URING},
	{RV_GUARD_IO_URING, RV_CALL_IO_URING_ENTER, RV_VERDICT_IO_URING},
	{RV_GUARD_IO_URING, RV_CALL_IO_URING_REGISTER, RV_VERDICT_IO_URING},
	{GUARDS_SEND, RV_CALL_SENDTO, RV_VERDICT_FLAGS_3},
	{GUARDS_SEND, RV_CALL_SENDMSG, RV_VERDICT_FLAGS_2},
	{GUARDS_SEND, RV_CALL_SENDMMSG, RV_VERDICT_FLAGS_3},
	{TRAPS_SEND, RV_CALL_SENDTO, RV_VERDICT_SENDTO},
	{TRAPS_SEND, RV_CALL_SENDMSG, RV_VERDICT_TRAP},
	{TRAPS_SEND, RV_CALL_SENDMMSG, RV_VERDICT_TRAP},
	{SOCKETS, RV_CALL_SOCKET, RV_VERDICT_SOCKET},
	{SOCKETS, RV_CALL_SOCKETPAIR, RV_VERDICT_SOCKET},
	{NO_PEELOFF, RV_CALL_GETSOCKOPT, RV_VERDICT_PEELOFF},
	{TRAPS_CONNECT, RV_CALL_CONNECT, RV_VERDICT_TRAP},
	{TRAPS_BIND, RV_CALL_BIND, RV_VERDICT_TRAP},
	{TRAPS_LISTEN, RV_CALL_LISTEN, RV_VERDICT_TRAP},
	{TRAPS_MEMFD, RV_CALL_MEMFD_CREATE, RV_VERDICT_TRAP},
	{RV_GUARD_SYSV_IPC, RV_CALL_SHMGET, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SHMAT, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SHMCTL, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SHMDT, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SEMGET, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SEMOP, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SEMCTL, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_SEMTIMEDOP, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_MSGGET, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_MSGSND, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_MSGRCV, RV_VERDICT_EPERM},
	{RV_GUARD_SYSV_IPC, RV_CALL_MSGCTL, RV_VERDICT_EPERM},
	/* Landlock sees a POSIX queue opened, and not removed. */
	{RV_GUARD_SYSV_IPC, RV_CALL_MQ_UNLINK, RV_VERDICT_EPERM},
	{RV_GUARD_KEYRING, RV_CALL_ADD_KEY, RV_VERDICT_EPERM},
	{RV_GUARD_KEYRING, RV_CALL_REQUEST_KEY, RV_VERDICT_EPERM},
	{RV_GUARD_KEYRING, RV_CALL_KEYCTL, RV_VERDICT_EPERM},
	{SUPERVISED_SCHED, RV_CALL_SCHED_SETAFFINITY, RV_VERDICT_OTHERS_PID},
	/* With a listener of its own a program could let trapped calls go on by itself. */
	{SUPERVISED, RV_CALL_SECCOMP, RV_VERDICT_SECCOMP},
	/* The supervisor reads the caller's memory, which this would forbid. */
	{SUPERVISED, RV_CALL_PRCTL, RV_VERDICT_PRCTL},
	{SUPERVISED, RV_CALL_SETNS, RV_VERDICT_EPERM},
	/* What is performed for the caller would pass an inner domain by, */
	{NO_INNER, RV_CALL_LANDLOCK_CREATE_RULESET, RV_VERDICT_EOPNOTSUPP},
	{NO_INNER, RV_CALL_LANDLOCK_ADD_RULE, RV_VERDICT_EOPNOTSUPP},
	{NO_INNER, RV_CALL_LANDLOCK_RESTRICT_SELF, RV_VERDICT_EOPNOTSUPP},
	/* unless that ends with the first one. */
	{INNER, RV_CALL_LANDLOCK_RESTRICT_SELF, RV_VERDICT_TRAP},
	{TRAPS_EXEC, RV_CALL_EXECVE, RV_VERDICT_TRAP},
	{TRAPS_EXEC, RV_CALL_EXECVEAT, RV_VERDICT_TRAP},
	/* Never refused: as long as none was called, groups and fs ids are known (self.h), */
	{TRAPS_IDS, RV_CALL_SETGROUPS, RV_VERDICT_TRAP},
	{TRAPS_IDS, RV_CALL_SETFSUID, RV_VERDICT_TRAP},
	{TRAPS_IDS, RV_CALL_SETFSGID, RV_VERDICT_TRAP},
	/* so are root and user namespace where they are asked for most, */
	{TRAPS_FS, RV_CALL_UNSHARE, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_CLONE, RV_VERDICT_CLONE},
	{TRAPS_FS, RV_CALL_CLONE3, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_CHROOT, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_FCHROOT, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_PIVOT_ROOT, RV_VERDICT_TRAP},
	/* and nobody can make a reader of the caller's memory wait (caller.h). */
	{TRAPS_FS, RV_CALL_USERFAULTFD, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_OPEN, RV_VERDICT_OPEN_1},
	{TRAPS_FS, RV_CALL_OPENAT, RV_VERDICT_OPEN_2},
	{TRAPS_FS, RV_CALL_OPENAT2, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_CREAT, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_MKDIR, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_MKDIRAT, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_MKNOD, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_MKNODAT, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_UNLINK, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_UNLINKAT, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_RMDIR, RV_VERDICT_FS},
	/* Tagged as well: Landlock does not know what live rules let them gain (mover.h). */
	{TRAPS_FS | TRAPS_MOVES, RV_CALL_RENAME, RV_VERDICT_TRAP},
	{TRAPS_FS | TRAPS_MOVES, RV_CALL_RENAMEAT, RV_VERDICT_TRAP},
	{TRAPS_FS | TRAPS_MOVES, RV_CALL_RENAMEAT2, RV_VERDICT_TRAP},
	{TRAPS_FS | TRAPS_MOVES, RV_CALL_LINK, RV_VERDICT_TRAP},
	{TRAPS_FS | TRAPS_MOVES, RV_CALL_LINKAT, RV_VERDICT_TRAP},
	{TRAPS_FS, RV_CALL_SYMLINK, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_SYMLINKAT, RV_VERDICT_FS},
	{TRAPS_FS, RV_CALL_TRUNCATE, RV_VERDICT_FS},
};

#define MAX_GAPS   4
#define MAX_RANGES (RV_COUNT(guarded) + MAX_GAPS)

/* A compilation. */
struct compiler {
	const struct rv_filter_spec *spec;
	const struct rv_call_table *table;
	struct rv_bpf *bpf;
	struct rv_range ranges[MAX_RANGES]; /* system call numbers → the piece that decides */
	size_t ranges_count;
	rv_label labels[RV_VERDICT_COUNT]; /* RV_NEXT: that piece is not needed */
};

static unsigned int wanted(const struct rv_filter_spec *spec)
{
	unsigned int bits = spec->guards;

	if (spec->handle_socket)
		bits |= HANDLE_SOCKET | (rv_filter_grants_peeloff(spec) ? 0 : NO_PEELOFF);
	if (spec->supervised)
		bits |= SUPERVISED | (spec->inner_landlock ? INNER : NO_INNER);
	if (spec->supervised && (spec->guards & RV_GUARD_SCHED))
		bits |= SUPERVISED_SCHED;
	if (spec->traps & RV_TRAPS_IDS)
		bits |= TRAPS_IDS;
	if (spec->traps & RV_TRAP_FS)
		bits |= TRAPS_FS;
	if (spec->traps & RV_TRAP_EXEC)
		bits |= TRAPS_EXEC;
	if (spec->traps & RV_TRAP_UNIX)
		bits |= TRAPS_UNIX;
	if (spec->traps & RV_TRAP_CONNECT)
		bits |= TRAPS_CONNECT;
	if (spec->traps & RV_TRAP_BIND)
		bits |= TRAPS_BIND;
	if (spec->traps & RV_TRAP_MEMFD)
		bits |= TRAPS_MEMFD;
	if (spec->traps & RV_TRAP_SOCKET)
		bits |= TRAPS_SOCKET;
	if (spec->traps & RV_TRAP_MOVES)
		bits |= TRAPS_MOVES;
	if (spec->traps & RV_TRAP_LISTEN)
		bits |= TRAPS_LISTEN;
	if (spec->traps & RV_TRAP_SEND)
		bits |= TRAPS_SEND;
	else if (spec->guards & RV_GUARD_TCP)
		bits |= GUARDS_SEND;
	return bits;
}

/* Puts a range at the end, and its verdict on the list of what has to be emitted. */
static void add_range(struct compiler *c, uint32_t first, uint32_t last, enum rv_verdict verdict)
{
	if (c->labels[verdict] == RV_NEXT)
		c->labels[verdict] = rv_bpf_label(c->bpf);
	c->ranges[c->ranges_count++] = (struct rv_range){first, last, c->labels[verdict]};
}

static int compare_ranges(const void *a, const void *b)
{
	const struct rv_range *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static void collect_ranges(struct compiler *c)
{
	size_t count = 0;

	for (size_t i = 0; i < RV_COUNT(guarded); i++) {
		uint32_t nr = c->table->number[guarded[i].call];

		if (nr != RV_NO_CALL && (guarded[i].guards & wanted(c->spec)))
			add_range(c, nr, nr, guarded[i].verdict);
	}
	for (size_t i = 0; i < c->table->gaps_count; i++) {
		if (c->spec->guards & RV_GUARD_ARCH)
			add_range(c, c->table->gaps[i].first, c->table->gaps[i].last,
				RV_VERDICT_ENOSYS);
	}
	qsort(c->ranges, c->ranges_count, sizeof(c->ranges[0]), compare_ranges);
	for (size_t i = 0; i < c->ranges_count; i++)
		count = rv_range_add(
			c->ranges, count, c->ranges[i].first, c->ranges[i].last, c->ranges[i].to);
	c->ranges_count = count;
}

static int emit(struct compiler *c)
{
	struct rv_bpf *bpf = c->bpf;
	rv_label allow = rv_bpf_label(bpf), foreign = rv_bpf_label(bpf);

	rv_bpf_load_arch(bpf);
	rv_bpf_jump_eq(bpf, c->table->arch, RV_NEXT, foreign);
	rv_bpf_load_nr(bpf);
	rv_filter_tree(bpf, c->ranges, c->ranges_count, allow);
	rv_bpf_place(bpf, foreign);
	if (c->spec->guards & RV_GUARD_ARCH)
		rv_bpf_return(bpf, RV_REFUSE(ENOSYS));
	rv_bpf_place(bpf, allow);
	rv_bpf_return(bpf, SECCOMP_RET_ALLOW);
	for (enum rv_verdict verdict = 0; verdict < RV_VERDICT_COUNT; verdict++) {
		int r;

		if (c->labels[verdict] == RV_NEXT)
			continue;
		rv_bpf_place(bpf, c->labels[verdict]);
		r = rv_filter_verdict(bpf, c->spec, verdict);
		if (r < 0)
			return r;
	}
	return 0;
}

static void rv_bpf_free_p(struct rv_bpf **bpf)
{
	rv_bpf_free(*bpf);
}

static int compile(const struct rv_filter_spec *spec, const struct rv_call_table *table,
	struct sock_filter **ret, size_t *ret_length, struct rv_bpf **ret_bpf)
{
	RV_CLEANUP(rv_bpf_free_p) struct rv_bpf *bpf = rv_bpf_new();
	struct compiler c = {.spec = spec, .table = table, .bpf = bpf};
	int r;

	if (!bpf)
		return -ENOMEM;
	for (size_t i = 0; i < RV_VERDICT_COUNT; i++)
		c.labels[i] = RV_NEXT;
	collect_ranges(&c);
	r = emit(&c);
	if (r < 0)
		return r;
	r = rv_bpf_assemble(bpf, ret, ret_length);
	if (r == 0 && ret_bpf)
		*ret_bpf = rv_steal_ptr(&bpf);
	return r;
}

int rv_filter_compile(const struct rv_filter_spec *spec, struct sock_filter **ret,
	size_t *ret_length, struct rv_bpf **ret_bpf)
{
	const struct rv_call_table *table = rv_call_table(spec->arch);

	if ((spec->guards & ~GUARDS_ALL) || (spec->traps & ~TRAPS_ALL))
		return -EINVAL;
	if (spec->traps && !spec->supervised)
		return -EINVAL;
	if (spec->socket_error && spec->socket_error != EACCES && (spec->guards & RV_GUARD_TCP))
		return -EINVAL;
	if (!wanted(spec)) {
		*ret = NULL;
		*ret_length = 0;
		if (ret_bpf)
			*ret_bpf = NULL;
		return 0;
	}
	if (!table)
		return -EOPNOTSUPP;
	return compile(spec, table, ret, ret_length, ret_bpf);
}

uint32_t rv_filter_native_arch(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__) && !defined(__ILP32__) && !defined(__AARCH64EB__)
	return AUDIT_ARCH_AARCH64;
#else
	return 0;
#endif
}
