/* SPDX-License-Identifier: MIT */
/*
 * The guards' handlers behind a real listener: this process is the supervisor, its child the
 * program. A second child, with a filter of its own, is a program of someone else.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/audit.h>

#include "base/cleanup.h"
#include "enforce/filter.h"
#include "kernel/sys.h"
#include "supervise/guards.h"
#include "tap.h"

#define CPU_RESOURCE RLIMIT_CORE /* harmless to set */

static int listen_here(unsigned int traps)
{
	struct rv_filter_spec spec = {.arch = rv_filter_native_arch(),
		.guards = RV_GUARD_ARCH | RV_GUARD_SCHED | RV_GUARD_TTY | RV_GUARD_KEYRING,
		.supervised = true,
		.traps = traps};
	struct sock_fprog prog;
	size_t length;
	int fd;

	CHECK_EQ(rv_filter_compile(&spec, &prog.filter, &length, NULL), 0);
	prog.len = (unsigned short)length;
	CHECK_EQ(rv_set_no_new_privs(), 0);
	fd = rv_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (fd == -EBUSY)
		SKIP("listener: another supervisor has it");
	CHECK(fd >= 0);
	return fd;
}

struct program {
	pid_t pid;
	int listener;
	struct rv_context context;
};

/* Runs body in a child under the filter; the context stays where it is from here on. */
static void start(struct program *p, void (*body)(pid_t outsider), pid_t outsider)
{
	volatile int *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2], number, pidfd;
	char byte = 0;

	CHECK(shared != MAP_FAILED && pipe(ends) == 0);
	memset(p, 0, sizeof(*p));
	fflush(stdout);
	p->pid = fork();
	CHECK(p->pid >= 0);
	if (p->pid == 0) {
		int go[2];

		CHECK(pipe(go) == 0);
		shared[1] = go[1];
		number = listen_here(RV_TRAP_GUARD);
		CHECK(write(ends[1], &number, sizeof(number)) == sizeof(number));
		CHECK(read(go[0], &byte, 1) == 1);
		body(outsider);
		fflush(stdout);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &number, sizeof(number)) != sizeof(number))
		SKIP("listener: none to be had");
	pidfd = rv_pidfd_open(p->pid);
	p->listener = rv_pidfd_getfd(pidfd, number);
	if (p->listener == -EPERM)
		SKIP("getfd: not allowed here");
	CHECK(p->listener >= 0);
	number = rv_pidfd_getfd(pidfd, shared[1]);
	CHECK(number >= 0 && write(number, &byte, 1) == 1);
	close(number);
	close(pidfd);
	CHECK_EQ(rv_context_init(&p->context, true), 0);
	p->context.connector_pid = -1;
	p->context.connector_fd = -1;
}

/* Serves until the program ends. Its exit status; how many calls came. */
static int serve(struct program *p, unsigned int *ret_calls)
{
	unsigned int calls = 0;
	int status;

	while (waitpid(p->pid, &status, WNOHANG) == 0) {
		struct pollfd {
			int fd;
			short events, revents;
		} pfd = {p->listener, 1, 0};
		struct seccomp_notif request = {0};
		struct seccomp_notif_resp response = {0};
		struct rv_answer answer;

		if (syscall(SYS_ppoll, &pfd, 1, &(struct timespec){0, 10000000}, NULL, 0) <= 0 ||
			!(pfd.revents & 1))
			continue;
		if (ioctl(p->listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			continue;
		CHECK(rv_guard_dispatch(&p->context, p->listener, &request, true, &answer));
		CHECK(answer.kind == RV_ANSWER_ERRNO || answer.kind == RV_ANSWER_VALUE);
		response.id = request.id;
		if (answer.kind == RV_ANSWER_ERRNO)
			response.error = -(int)answer.value;
		else
			response.val = answer.value;
		(void)ioctl(p->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
		calls++;
	}
	*ret_calls = calls;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Someone else's program: confined as well, a child of the same supervisor, another domain. */
static pid_t start_outsider(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		listen_here(0);
		CHECK(write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	return pid;
}

static void end_outsider(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void run(void (*body)(pid_t outsider), unsigned int want_calls, uint64_t want_guarded)
{
	pid_t outsider = start_outsider();
	struct program p;
	unsigned int calls;

	start(&p, body, outsider);
	CHECK_EQ(serve(&p, &calls), 0);
	CHECK_EQ(calls, want_calls);
	CHECK_EQ(p.context.numbers->guarded, want_guarded);
	end_outsider(outsider);
}

#define FAILS(call, error)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((call) == -1);                                                               \
		CHECK_EQ(errno, error);                                                            \
	} while (0)

/* ------------------------------------------------------------ tasks of one's own */

static void own_tasks(pid_t outsider)
{
	struct rlimit64 limit = {1000, 2000}, old = {1, 1}, now = {0};
	struct sched_param param = {0};
	cpu_set_t cpus;
	pid_t child;

	(void)outsider;
	CHECK(getrlimit64(CPU_RESOURCE, &now) == 0);
	limit.rlim_max = now.rlim_max;
	limit.rlim_cur = 0;
	CHECK(prlimit64(getpid(), CPU_RESOURCE, &limit, &old) == 0);
	CHECK(old.rlim_cur == now.rlim_cur && old.rlim_max == now.rlim_max);
	CHECK(getrlimit64(CPU_RESOURCE, &now) == 0 && now.rlim_cur == 0);
	CHECK(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
	CHECK(sched_setaffinity(gettid(), sizeof(cpus), &cpus) == 0);
	CHECK(sched_setscheduler(getpid(), SCHED_BATCH, &param) == 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK(sched_setparam(getpid(), &param) == 0);
	child = fork();
	if (child == 0) {
		CHECK(setpriority(PRIO_PROCESS, getppid(), 5) == 0); /* an ancestor */
		pause();
	}
	while (getpriority(PRIO_PROCESS, 0) != 5)
		sched_yield();
	CHECK(setpriority(PRIO_PROCESS, child, 7) == 0); /* a descendant */
	CHECK_EQ(getpriority(PRIO_PROCESS, child), 7);
	CHECK(syscall(SYS_ioprio_set, 1, child, 2 << 13 | 7) == 0);
	CHECK_EQ(syscall(SYS_ioprio_get, 1, child), 2 << 13 | 7);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void performed(void)
{
	run(own_tasks, 7, 0);
}

static void *thread(void *arg)
{
	cpu_set_t cpus;

	CHECK(pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus) == 0);
	CHECK(pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus) == 0);
	CHECK(setpriority(PRIO_PROCESS, gettid(), 3) == 0);
	CHECK(setpriority(PRIO_PROCESS, *(pid_t *)arg, 4) == 0);
	return NULL;
}

static void own_threads(pid_t outsider)
{
	pid_t self = gettid();
	pthread_t other;

	(void)outsider;
	CHECK(pthread_create(&other, NULL, thread, &self) == 0);
	CHECK(pthread_join(other, NULL) == 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 4);
}

static void threads(void)
{
	run(own_threads, 3, 0);
}

/* ---------------------------------------------------------------- other's tasks */

static void attack(pid_t victim)
{
	struct rlimit64 limit = {0, 0};
	struct sched_param param = {0};
	unsigned char attr[48] = {48};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	FAILS(prlimit64(victim, RLIMIT_CPU, &limit, NULL), EPERM);
	FAILS(sched_setaffinity(victim, sizeof(cpus), &cpus), EPERM);
	FAILS(sched_setscheduler(victim, SCHED_IDLE, &param), EPERM);
	FAILS(sched_setparam(victim, &param), EPERM);
	FAILS(syscall(SYS_sched_setattr, victim, attr, 0), EPERM);
	FAILS(setpriority(PRIO_PROCESS, victim, 19), EPERM);
	FAILS(syscall(SYS_ioprio_set, 1, victim, 3 << 13), EPERM);
}

static void others_tasks(pid_t outsider)
{
	attack(getppid()); /* the supervisor */
	attack(outsider);
	attack(1);
	FAILS(setpriority(PRIO_PGRP, 0, 5), EPERM);
	FAILS(setpriority(PRIO_USER, 0, 5), EPERM);
	FAILS(syscall(SYS_ioprio_set, 3, 0, 0), EPERM);
}

static void refused(void)
{
	int before = getpriority(PRIO_PROCESS, 0);

	run(others_tasks, 24, 24);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), before);
}

/* --------------------------------------------------------------------- errors */

static void bad_requests(pid_t outsider)
{
	struct rlimit64 limit = {2, 1};
	struct sched_param param = {99};
	uint32_t attr[12] = {8};

	(void)outsider;
	FAILS(prlimit64(getpid(), CPU_RESOURCE, (void *)16, NULL), EFAULT);
	FAILS(prlimit64(getpid(), CPU_RESOURCE, &limit, NULL), EINVAL);
	FAILS(prlimit64(getpid(), 999, &limit, NULL), EINVAL);
	FAILS(prlimit64(0x3ffffff0, CPU_RESOURCE, &limit, NULL), ESRCH);
	FAILS(sched_setscheduler(getpid(), SCHED_OTHER, &param), EINVAL);
	FAILS(sched_setscheduler(getpid(), SCHED_OTHER, NULL), EINVAL);
	FAILS(sched_setscheduler(-1, SCHED_OTHER, &param), EINVAL);
	FAILS(sched_setparam(0x3ffffff0, &param), ESRCH);
	FAILS(syscall(SYS_sched_setattr, getpid(), attr, 0), E2BIG);
	CHECK(attr[0] >= 48); /* the kernel's size, written back */
	FAILS(setpriority(PRIO_PROCESS, 0x3ffffff0, 0), ESRCH);
	limit = (struct rlimit64){0, 0};
	CHECK(getrlimit64(CPU_RESOURCE, &limit) == 0);
	FAILS(prlimit64(getpid(), CPU_RESOURCE, &limit, (void *)16), EFAULT);
}

static void errors(void)
{
	run(bad_requests, 11, 0);
}

static void refused_calls(pid_t outsider)
{
	(void)outsider;
	FAILS(ioctl(-1, 0x5412, "x"), EPERM);
	FAILS(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM);
	FAILS(setns(-1, 0), EPERM);
	FAILS(syscall(RV_NR_LANDLOCK_CREATE_RULESET, NULL, 0, 1), EOPNOTSUPP);
	FAILS(syscall(RV_NR_LANDLOCK_RESTRICT_SELF, -1, 0), EOPNOTSUPP);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL),
		EBUSY);			       /* not trapped */
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0); /* neither */
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
}

static void refusals(void)
{
	run(refused_calls, 5, 5);
}

static void drop_and_set(pid_t outsider)
{
	struct sched_param param = {0};

	(void)outsider;
	CHECK(setresuid(65534, 65534, 65534) == 0);
	FAILS(sched_setscheduler(getpid(), SCHED_OTHER, &param), EPERM);
}

/* Who dropped root must not act through the supervisor's. */
static void dropped(void)
{
	if (geteuid() != 0)
		SKIP("root: needed to drop it");
	run(drop_and_set, 1, 1);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"calls for one's own domain are performed", performed},
		{"threads of one process", threads},
		{"supervisor, init and other domains are out of reach", refused},
		{"errors are the kernel's", errors},
		{"refusals show and have their errno", refusals},
		{"another user's calls are not performed", dropped},
	};

	if (!rv_filter_native_arch()) {
		printf("1..0 # SKIP arch: reeve has no table for this machine\n");
		return 0;
	}
	return tap_run(cases, RV_COUNT(cases));
}
