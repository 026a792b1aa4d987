/* SPDX-License-Identifier: MIT */
/* Granted opens that wait: for the other end of a FIFO, for a lease; and what gets them out. */
#include <limits.h>
#include <pthread.h>
#include <time.h>
#include <sys/time.h>
#include "fs_driver.h"

#define FIFOS 80 /* more than there are workers */

static char dir[PATH_MAX];

struct setting {
	struct driver_rule rules[2];
	struct driver driver;
	int (*act)(void);
};

static void run(int fd, void *data)
{
	const struct setting *s = data;

	(void)fd;
	CHECK(chdir(dir) == 0);
	_exit(s->act());
}

static void make_fifo(const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(mkfifo(path, 0600) == 0);
}

static struct setting *start(int (*act)(void))
{
	static struct setting s;
	char template[] = "/tmp/reeve-wait-XXXXXX";
	char path[PATH_MAX + 16];
	int fd;

	CHECK(mkdtemp(template) && realpath(template, dir));
	make_fifo("fifo");
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	CHECK(fd >= 0);
	close(fd);
	s = (struct setting){.act = act};
	s.rules[0] = (struct driver_rule){dir, UINT64_MAX, true};
	s.driver = (struct driver){.mode = DRIVER_LIVE,
		.handled = reeve_rights_of_abi(REEVE_FS, 1),
		.rules = s.rules,
		.run = run,
		.data = &s};
	driver_start(&s.driver);
	return &s;
}

/* From the test to its program, which asks by a call that is not trapped. */
static void say_go(void)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/go", dir);
	CHECK(symlink("go", path) == 0);
}

static void wait_for_go(void)
{
	struct stat st;

	while (lstat("go", &st) < 0)
		usleep(1000);
}

static void clean_up(void)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/fifo", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/file", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/go", dir);
	unlink(path);
	CHECK(rmdir(dir) == 0);
}

/* How the child ended, and how many calls were performed. */
static int finish(struct setting *s, uint64_t *ret_injected)
{
	struct rv_notify_counters counters;
	siginfo_t info;
	int status;

	CHECK(waitid(P_PID, (id_t)s->driver.pid, &info, WEXITED | WNOWAIT) == 0);
	rv_notify_counters(s->driver.notify, &counters);
	if (ret_injected)
		*ret_injected = counters.injected;
	status = driver_end(&s->driver);
	clean_up();
	return status;
}

static int run_to_end(int (*act)(void), uint64_t *ret_injected)
{
	return finish(start(act), ret_injected);
}

/* ------------------------------------------------------------------- both ends */

static void *write_it(void *name)
{
	int fd = open(name, O_WRONLY);

	if (fd < 0 || write(fd, "x", 1) != 1)
		_exit(10);
	close(fd);
	return NULL;
}

/* One thread of a program reads what another one writes. */
static int meet(void)
{
	pthread_t thread;
	char byte = 0;
	int fd;

	for (int i = 0; i < 20; i++) {
		CHECK(pthread_create(&thread, NULL, write_it, (void *)"fifo") == 0);
		fd = open("fifo", O_RDONLY);
		if (fd < 0 || (fcntl(fd, F_GETFL) & O_NONBLOCK))
			return 1;
		if (read(fd, &byte, 1) != 1 || byte != 'x' || read(fd, &byte, 1) != 0)
			return 2;
		close(fd);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	return 0;
}

static void *open_and_close(void *name)
{
	int fd = open(name, O_WRONLY);

	if (fd < 0)
		_exit(11);
	close(fd);
	return NULL;
}

/* A writer that writes nothing lets the reader go as well. */
static int meet_in_silence(void)
{
	pthread_t thread;
	char byte;
	int fd;

	CHECK(pthread_create(&thread, NULL, open_and_close, (void *)"fifo") == 0);
	fd = open("fifo", O_RDONLY);
	if (fd < 0 || read(fd, &byte, 1) != 0)
		return 1;
	CHECK(pthread_join(thread, NULL) == 0);
	return 0;
}

static int without_waiting(void)
{
	if (open("fifo", O_WRONLY | O_NONBLOCK) >= 0 || errno != ENXIO)
		return 1;
	if (open("fifo", O_RDONLY | O_NONBLOCK) < 0)
		return 2;
	return open("fifo", O_RDWR) < 0 ? 3 : 0;
}

static void both_ends(void)
{
	uint64_t injected;

	CHECK_EQ(run_to_end(meet, &injected), 0);
	CHECK_EQ(injected, 40);
	CHECK_EQ(run_to_end(meet_in_silence, &injected), 0);
	CHECK_EQ(injected, 2);
	CHECK_EQ(run_to_end(without_waiting, &injected), 0);
	CHECK_EQ(injected, 2);
}

/* ------------------------------------------------------------------- signals */

static volatile sig_atomic_t rung;

static void ring(int sig)
{
	(void)sig;
	rung++;
}

static void set_alarm(int flags, suseconds_t usec)
{
	struct sigaction action = {.sa_handler = ring, .sa_flags = flags};
	struct itimerval timer = {.it_value.tv_usec = usec};

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static int interrupted(void)
{
	set_alarm(0, 50000);
	if (open("fifo", O_RDONLY) >= 0 || errno != EINTR)
		return 1;
	set_alarm(0, 50000);
	if (open("fifo", O_WRONLY) >= 0 || errno != EINTR)
		return 2;
	return rung == 2 ? 0 : 3;
}

/* With SA_RESTART the program sees nothing of it: another process comes later. */
static int restarted(void)
{
	pid_t pid = fork();
	int fd, status;

	if (pid == 0) {
		usleep(200000);
		_exit(open("fifo", O_WRONLY) < 0);
	}
	set_alarm(SA_RESTART, 50000);
	fd = open("fifo", O_RDONLY);
	if (fd < 0)
		return errno == EINTR ? 1 : 2;
	CHECK(waitpid(pid, &status, 0) == pid);
	return rung == 1 && status == 0 ? 0 : 3;
}

/* What is blocked, or has no handler, interrupts nothing. */
static int not_interrupted(void)
{
	pid_t pid = fork();
	sigset_t set;
	int fd;

	if (pid == 0) {
		usleep(150000);
		_exit(open("fifo", O_WRONLY) < 0);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	set_alarm(0, 50000);
	fd = open("fifo", O_RDONLY);
	return fd < 0 || rung ? 1 : 0;
}

static void signals(void)
{
	uint64_t injected;

	CHECK_EQ(run_to_end(interrupted, &injected), 0);
	CHECK_EQ(injected, 0);
	CHECK_EQ(run_to_end(restarted, NULL), 0);
	CHECK_EQ(run_to_end(not_interrupted, NULL), 0);
}

/* ------------------------------------------------------------------- many of them */

static unsigned int threads_now(void)
{
	struct rv_caller_status status;

	CHECK(rv_own_status(&status) == 0);
	return status.threads;
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	open("fifo", O_RDONLY);
	return NULL;
}

/* All workers wait, and a plain open is as quick as ever. */
static int crowd(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int fd;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < FIFOS; i++)
		CHECK(pthread_create(&thread, &attr, wait_for_ever, NULL) == 0);
	usleep(100000);
	for (int i = 0; i < 100; i++) {
		fd = open("file", O_RDWR);
		if (fd < 0)
			return 1;
		close(fd);
	}
	return 0; /* _exit takes the threads along */
}

static bool comes_down_to(unsigned int threads)
{
	for (int i = 0; i < 200; i++) {
		if (threads_now() <= threads)
			return true;
		usleep(10000);
	}
	return false;
}

/* Another process of the domain keeps it alive: it is the callers' death that frees the workers. */
static int crowd_and_one(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(crowd());
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(open("file", O_RDONLY) >= 0);
	wait_for_go();
	return status;
}

static void many(void)
{
	struct setting *s = start(crowd_and_one);
	uint64_t injected;
	unsigned int most = 0;

	for (int i = 0; i < 100 && most < RV_WORKERS_MAX; i++) {
		unsigned int now = threads_now();

		most = now > most ? now : most;
		usleep(2000);
	}
	CHECK(most > RV_WORKERS_MAX / 2);
	CHECK(most <= 1 + RV_WORKERS_MAX + RV_RECEIVERS_MAX);
	CHECK(comes_down_to(1 + RV_RECEIVERS_IDLE + 1));
	say_go();
	CHECK_EQ(finish(s, &injected), 0);
	CHECK_EQ(injected, 101);
}

static int wait_to_be_killed(void)
{
	open("fifo", O_RDONLY);
	return 1;
}

static void killed(void)
{
	struct setting *s = start(wait_to_be_killed);
	int status;

	usleep(50000);
	kill(s->driver.pid, SIGKILL);
	status = finish(s, NULL);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* One that was joined is counted until the kernel is done with it. */
	CHECK(comes_down_to(1));
}

/* ------------------------------------------------------------------- leases */

static int open_leased(void)
{
	int fd;

	wait_for_go();
	fd = open("file", O_RDWR);
	if (fd < 0)
		return 1;
	return fcntl(fd, F_GETFL) & O_NONBLOCK ? 2 : 0;
}

static volatile sig_atomic_t broken;

static void on_break(int sig)
{
	(void)sig;
	broken = 1;
}

static void leases(void)
{
	struct sigaction action = {.sa_handler = on_break};
	struct setting *s;
	char path[PATH_MAX + 16];
	int fd;

	CHECK(sigaction(SIGIO, &action, NULL) == 0);
	s = start(open_leased);
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	say_go();
	for (int i = 0; i < 200 && !broken; i++)
		usleep(10000);
	CHECK(broken);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	close(fd);
	CHECK_EQ(finish(s, NULL), 0);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"both ends of a FIFO meet", both_ends},
		{"signals interrupt, or restart, as natively", signals},
		{"more waiting calls than workers stop nobody else, and go with their callers",
			many},
		{"a domain ends while a call waits", killed},
		{"a lease is waited for", leases},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
