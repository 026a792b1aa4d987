/* SPDX-License-Identifier: MIT */
/* Who receives: a handler that takes long holds up nobody else, and threads go when not needed. */
#include <dirent.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include "base/cleanup.h"
#include "kernel/sys.h"
#include "supervise/notify.h"
#include "tap.h"

#define CALLERS 6 /* that are all handled at the same time, or never */
#define ANSWER	4711
#define AFTER	400 /* calls, one after the other */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int inside, seen;
} meeting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

/* The first ones wait for each other. */
static struct rv_answer handle(
	void *data, int listener, const struct seccomp_notif *request, bool may_block)
{
	(void)data;
	(void)listener;
	(void)request;
	(void)may_block;
	pthread_mutex_lock(&meeting.lock);
	meeting.inside++;
	pthread_cond_broadcast(&meeting.changed);
	while (meeting.inside < CALLERS)
		pthread_cond_wait(&meeting.changed, &meeting.lock);
	meeting.seen++;
	pthread_mutex_unlock(&meeting.lock);
	return rv_answer_value(ANSWER);
}

/* ---- the callers */

static int trap_getppid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {RV_COUNT(filter), filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void *call(void *arg)
{
	return syscall(SYS_getppid) == ANSWER ? arg : NULL;
}

static void __attribute__((noreturn)) run_callers(int told, int go)
{
	int listener = trap_getppid(), good = 0;
	pthread_t threads[CALLERS];
	char byte;

	if (write(told, &listener, sizeof(listener)) < 0 || read(go, &byte, 1) != 1)
		_exit(100);
	close(listener);
	for (int i = 0; i < CALLERS; i++)
		if (pthread_create(&threads[i], NULL, call, &good))
			_exit(101);
	for (int i = 0; i < CALLERS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		good += result != NULL;
	}
	for (int i = 0; i < AFTER; i++)
		good += call(&good) != NULL;
	_exit(good == CALLERS + AFTER ? 0 : 1);
}

/* ---- the test */

static int threads_now(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = -2; /* "." and ".." */

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Threads that were joined in all but name may take a moment to end. */
static bool comes_down_to(int count)
{
	for (int i = 0; i < 2000 && threads_now() > count; i++)
		usleep(10000);
	return threads_now() <= count;
}

static int take_listener(pid_t pid, int told)
{
	rv_autoclose int pidfd = rv_pidfd_open(pid);
	int number = -1;

	CHECK_EQ(read(told, &number, sizeof(number)), (int)sizeof(number));
	return rv_pidfd_getfd(pidfd, number);
}

static void all_at_once(void)
{
	struct rv_notify *notify = NULL;
	int told[2], go[2], status, listener;
	pid_t pid;

	CHECK(pipe(told) == 0 && pipe(go) == 0);
	pid = fork();
	if (pid == 0)
		run_callers(told[1], go[0]);
	listener = take_listener(pid, told[0]);
	CHECK(listener >= 0);
	CHECK_EQ(rv_notify_start(listener, false, handle, NULL, &notify), 0);
	rv_notify_stand_by(notify);
	CHECK_EQ(write(go[1], "", 1), 1);
	alarm(60);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(meeting.seen, CALLERS + AFTER);
	rv_notify_join(notify);
	CHECK(comes_down_to(1));
	close(listener);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"handlers that wait for each other all get to run", all_at_once},
	};

	return tap_run(cases, RV_COUNT(cases));
}
