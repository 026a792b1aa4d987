/* SPDX-License-Identifier: MIT */
/* Around the filter, and at the supervisor and its connector. */
#include <dirent.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include "kernel/uapi.h"
#include "hostile.h"

static void count(bool hit)
{
	score->tries++;
	score->hits += hit;
}

/* What must work anyway. */
static void check_grant(void)
{
	score->grants += reads_as(in_work("live/f"), "good");
}

/* ---------------------------------------------------------------------- the terminal */

/* Types into the terminal that it got from the user, whose shell would read it. */
static void type(void)
{
	int tty = open("/dev/tty", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		count(ioctl(fd, TIOCSTI, "x") == 0);
	count(syscall(SYS_ioctl, 0, 1L << 32 | TIOCSTI, "x") == 0);
	count(syscall(SYS_ioctl, 1L << 32, TIOCSTI | 0xabcdL << 32, "x") == 0);
	count(tty >= 0 && ioctl(tty, TIOCSTI, "x") == 0);
	check_grant();
}

/* Only where the upper half, which the kernel ignores, is not empty. */
static void type_wide(void)
{
	count(syscall(SYS_ioctl, 0, 1L << 32 | TIOCSTI, "x") == 0);
	count(syscall(SYS_ioctl, 0, (long)(0xffffffffUL << 32 | TIOCSTI), "x") == 0);
	check_grant();
}

/* ------------------------------------------------------------- 64-bit registers */

static void wide_socket(void)
{
	count(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0);
	count(syscall(SYS_socket, 1L << 32 | AF_INET, SOCK_STREAM, 0) >= 0);
	count(syscall(SYS_socket, AF_INET, 1L << 32 | SOCK_DGRAM, 0) >= 0);
	count(syscall(SYS_socket, 1L << 40 | AF_INET6, 1L << 33 | SOCK_DGRAM, 1L << 34) >= 0);
	score->grants += socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

/* A pointer whose low half is zero is not NULL: these are new limits for the supervisor. */
static void narrow_pointer(void)
{
	struct rlimit *limit = mmap((void *)0x100000000, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	NEED(limit == (void *)0x100000000);
	NEED(syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, NULL, limit) == 0);
	count(syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, limit, NULL) == 0);
	check_grant();
}

/* ------------------------------------------------------------------ other ways in */

/* getpid(2) by the 32-bit entry. */
static long by_int80(long nr)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr) : "memory");
	return result;
#else
	(void)nr;
	return -ENOSYS;
#endif
}

static void int80(void)
{
	count(by_int80(20) > 0);
	check_grant();
}

static void x32(void)
{
	count(syscall(0x40000000 | SYS_getpid) > 0);
	count(syscall(0x40000000 | SYS_openat, AT_FDCWD, in_work("shut/f"), O_RDONLY) >= 0);
	check_grant();
}

static void io_uring(void)
{
	char params[256] = "";

	count(syscall(SYS_io_uring_setup, 4, params) >= 0);
	check_grant();
}

/* -------------------------------------------------------------- filters and domains */

/* A filter that lets all pass, with a listener of the program's own. */
static int listen_ourselves(void)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, allow};

	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void listener(void)
{
	count(listen_ourselves() >= 0);
	count(syscall(SYS_seccomp, 1L << 32 | SECCOMP_SET_MODE_FILTER,
		      1L << 32 | SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL) >= 0);
	check_grant();
}

/*
 * Says its pid, then waits for its supervisor to be killed, which the harness does, and takes what
 * that had: with a listener it could let go on what the filter traps.
 */
static void inherit(void)
{
	pid_t supervisor = getppid();

	check_grant();
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	while (getppid() == supervisor)
		sched_yield();
	/* Still alive: that alone is a hit. The rest says what it is worth. */
	count(true);
	count(listen_ourselves() >= 0);
	/* Without a listener nothing that is trapped may succeed. */
	if (open(in_work("live/f"), O_RDONLY) >= 0 || errno != ENOSYS)
		printf("trapped calls go on\n");
}

/* An inner domain forbids all, and the supervisor opens it nevertheless. */
static void inner_domain(void)
{
	struct rv_landlock_ruleset_attr attr = {.handled_access_fs = 1 << 2 /* read_file */};
	int fd = (int)syscall(RV_NR_LANDLOCK_CREATE_RULESET, &attr, 8, 0);

	check_grant();
	score->tries++;
	if (fd < 0 || syscall(RV_NR_LANDLOCK_RESTRICT_SELF, fd, 0) < 0)
		return;
	count(reads_as(in_work("live/f"), "good"));
}

static void enter_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	if (geteuid() != 0)
		NEED(unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0);
	if (geteuid() != 0)
		fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0);
	count(syscall(SYS_setns, fd, 0) == 0);
	count(syscall(SYS_setns, 1L << 32 | fd, 1L << 32) == 0);
	score->grants++;
}

/* Makes itself unreadable for the supervisor, which then must not let go what it cannot read. */
static void undumpable(void)
{
	check_grant();
	NEED(prctl(PR_SET_DUMPABLE, 0) == 0);
	for (int i = 0; i < MANY; i++)
		count(reads_as(in_work("shut/f"), "secret"));
	check_grant();
}

/* The shim's tag: Landlock decides then, and nobody else. */
static void forged_tag(void)
{
	long fd = tagged(SYS_openat, AT_FDCWD, (long)in_work("shut/f"), O_RDONLY, 0, 0);

	count(fd >= 0);
	count(tagged(SYS_openat, AT_FDCWD, (long)in_work("shut/f"), O_RDWR, 0, 0) >= 0);
	count(tagged(SYS_mkdirat, AT_FDCWD, (long)in_work("shut/n"), 0700, 0, 0) == 0);
	count(tagged(SYS_unlinkat, AT_FDCWD, (long)in_work("shut/u"), 0, 0, 0) == 0);
	/* Nor for what only a live rule grants. */
	count(tagged(SYS_openat, AT_FDCWD, (long)in_work("live/f"), O_RDONLY, 0, 0) >= 0);
	check_grant();
}

/* ---------------------------------------------------- the supervisor and its connector */

/* What this supervisor has besides the program: others may run on this machine. */
static bool is_helper(const char *pid)
{
	char path[64], name[32];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	file = atoi(pid) > 0 ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	if (fscanf(file, "%*d %31s %*c %d", name, &parent) != 2)
		parent = 0;
	fclose(file);
	return parent == getppid() && strncmp(name, "(reeve", 6) == 0;
}

/* The connector, the witness. */
static size_t find_helpers(pid_t *helpers, size_t size)
{
	size_t found = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	NEED(dir);
	while ((entry = readdir(dir)) && found < size)
		if (is_helper(entry->d_name))
			helpers[found++] = atoi(entry->d_name);
	closedir(dir);
	return found;
}

static void attack_by_signals(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	siginfo_t info = {.si_signo = SIGCONT, .si_code = SI_QUEUE};

	count(kill(pid, 0) == 0);
	count(kill(pid, SIGCONT) == 0);
	count(syscall(SYS_tgkill, pid, pid, SIGCONT) == 0);
	count(syscall(SYS_tkill, pid, SIGCONT) == 0);
	count(syscall(SYS_rt_sigqueueinfo, pid, SIGCONT, &info) == 0);
	count(syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0) == 0);
	count(syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
	close(pidfd);
}

static void attack_memory(pid_t pid)
{
	char path[64], text[16];
	struct iovec iovec = {text, sizeof(text)};

	/* EIO and EFAULT come after the permission. */
	count(process_vm_readv(pid, &iovec, 1, &iovec, 1, 0) >= 0 || errno == EFAULT);
	count(process_vm_writev(pid, &iovec, 1, &iovec, 1, 0) >= 0 || errno == EFAULT);
	count(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	count(open(path, O_RDWR | O_CLOEXEC) >= 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	count(readlink(path, text, sizeof(text)) >= 0);
	snprintf(path, sizeof(path), "/proc/%d/root/etc", (int)pid);
	count(open(path, O_PATH | O_CLOEXEC) >= 0);
	count(syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0) == 0);
}

static void attack_power(pid_t pid)
{
	struct rlimit limit = {4096, 4096};
	struct sched_param param = {0};
	uint32_t attr[16] = {48};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	count(prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0);
	count(sched_setscheduler(pid, SCHED_BATCH, &param) == 0);
	count(sched_setparam(pid, &param) == 0);
	count(syscall(SYS_sched_setattr, pid, attr, 0) == 0);
	count(sched_setaffinity(pid, sizeof(cpus), &cpus) == 0);
	count(setpriority(PRIO_PROCESS, (id_t)pid, 10) == 0);
	count(syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 7) == 0);
	count(syscall(SYS_sched_setscheduler, 1L << 32 | pid, SCHED_BATCH, &param) == 0);
}

/* Signals by a descriptor's owner, to whom the kernel sends them later. */
static void attack_by_owner(pid_t pid)
{
	int pair[2];

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	(void)fcntl(pair[0], F_SETOWN, pid);
	(void)fcntl(pair[0], F_SETSIG, SIGKILL);
	(void)fcntl(pair[0], F_SETFL, O_ASYNC);
	NEED(write(pair[1], "x", 1) == 1);
	close(pair[0]);
	close(pair[1]);
}

static void each_other(void (*attack)(pid_t pid))
{
	pid_t helpers[8];
	size_t found = find_helpers(helpers, COUNT(helpers));

	NEED(found >= 2);
	for (size_t i = 0; i < found; i++)
		attack(helpers[i]);
	attack(getppid());
	check_grant();
}

static void reach(void)
{
	each_other(attack_by_signals);
	each_other(attack_memory);
}

static void power(void)
{
	each_other(attack_power);
	/* What the supervisor's group or user shares with the program. */
	count(setpriority(PRIO_PGRP, 0, 1) == 0);
	/* Of a user without processes: a real one's would change for good, all over the machine. */
	count(setpriority(PRIO_USER, 0x3ffffff0, 1) == 0 || errno == ESRCH);
	count(syscall(SYS_ioprio_set, 2, 0, 2 << 13 | 6) == 0);
	count(syscall(SYS_ioprio_set, 3, 0x3ffffff0, 2 << 13 | 6) == 0 || errno == ESRCH);
}

/* The harness sees whether the supervisor came to its end. */
static void owner(void)
{
	each_other(attack_by_owner);
	score->tries++;
	sched_yield();
}

const struct attack guard_attacks[] = {
	{"type", type},
	{"type-wide", type_wide},
	{"wide-socket", wide_socket},
	{"narrow-pointer", narrow_pointer},
	{"int80", int80},
	{"x32", x32},
	{"io-uring", io_uring},
	{"listener", listener},
	{"inherit", inherit},
	{"inner-domain", inner_domain},
	{"inner-floor", inner_domain},
	{"enter-namespace", enter_namespace},
	{"undumpable", undumpable},
	{"forged-tag", forged_tag},
	{"reach", reach},
	{"power", power},
	{"owner", owner},
	{NULL, NULL},
};
