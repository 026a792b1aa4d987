/* SPDX-License-Identifier: MIT */
/* Keeping the supervisor busy, confused or out of means, and what an innocent process gets then. */
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <linux/userfaultfd.h>
#include "hostile.h"

#define PATIENCE_MS 6000
#define CROWD	    100 /* more than the supervisor has threads */

static void open_some(void)
{
	for (int i = 0; i < 50; i++)
		if (!reads_as(in_work("live/f"), "good"))
			_exit(1);
}

/* Whether a process that does no harm gets what it is granted, in time. */
static void ask_for_others(void)
{
	struct pollfd pfd = {.events = POLLIN};
	int status = 0;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0) {
		open_some();
		_exit(0);
	}
	pfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	NEED(pfd.fd >= 0);
	score->tries++;
	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(pfd.fd);
	score->hits += status != 0;
	score->grants += status == 0;
}

/* ------------------------------------------------------------------ calls that wait */

static const char *fifo(int i)
{
	char name[64];

	snprintf(name, sizeof(name), "live/fifo%d", i);
	return in_work(name);
}

static pid_t opens_fifo(int i)
{
	pid_t pid = fork();

	NEED(pid >= 0);
	if (pid == 0) {
		(void)open(fifo(i), i % 2 ? O_RDONLY : O_WRONLY);
		pause();
		_exit(0);
	}
	return pid;
}

/* FIFOs without another end, each opened by a process of its own. */
static void fifos(void)
{
	pid_t pids[CROWD];

	for (int i = 0; i < CROWD; i++)
		NEED(mkfifo(fifo(i), 0600) == 0);
	for (int i = 0; i < CROWD; i++)
		pids[i] = opens_fifo(i);
	usleep(200000);
	ask_for_others();
	for (int i = 0; i < CROWD; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < CROWD; i++)
		waitpid(pids[i], NULL, 0);
	ask_for_others();
}

static atomic_bool all_there;

/* Not before all exist: making one is trapped, too. */
static void *touch(void *path)
{
	while (!all_there)
		usleep(1000);
	score->tries++;
	(void)open(path, O_RDONLY | O_CLOEXEC);
	return NULL;
}

/* Paths on a page that userfaultfd(2) never serves. */
static void unserved_page(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(fd >= 0 && page != MAP_FAILED && ioctl(fd, UFFDIO_API, &api) == 0);
	range.range.start = (uintptr_t)page;
	range.range.len = 4096;
	NEED(ioctl(fd, UFFDIO_REGISTER, &range) == 0);
	for (int i = 0; i < CROWD; i++)
		begin(touch, page + 8 * i);
	all_there = true;
	usleep(200000);
	ask_for_others();
}

/* ------------------------------------------------------------------ many, and dying */

static void *open_again_and_again(void *arg)
{
	(void)arg;
	while (!score->over) {
		bool good = reads_as(in_work("live/f"), "good");

		score->tries++;
		score->grants += good;
		score->hits += !good;
	}
	return NULL;
}

/* Each thread in a call of its own, all the time; and none is refused what it may. */
static void crowd(void)
{
	pthread_t threads[CROWD * 2];

	for (size_t i = 0; i < COUNT(threads); i++)
		threads[i] = begin(open_again_and_again, NULL);
	while (more())
		usleep(10000);
	score->over = true;
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
}

/* Callers that die in their calls. */
static void dying(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		NEED(pid >= 0);
		if (pid == 0) {
			for (;;)
				(void)reads_as(in_work("live/f"), "good");
		}
		usleep((useconds_t)(rand() % 400));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	ask_for_others();
}

/* More events than a pipe holds, of whose other end nobody reads. */
static void unread(void)
{
	int done;

	for (int i = 0; i < 3000; i++)
		(void)mkdir(in_work("shut/n"), 0700);
	ask_for_others();
	done = open(in_work("floor/done"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	NEED(done >= 0);
}

/* ------------------------------------------------------------------------- growth */

static void hold(void)
{
	char byte;

	puts("hold");
	fflush(stdout);
	NEED(read(0, &byte, 1) == 1);
}

static void use_up(int count)
{
	char name[64];

	for (int i = 0; i < count; i++) {
		/* Each denial is of another object; each fourth path is as long as can be. */
		snprintf(name, sizeof(name), "shut/%d", i);
		(void)mkdir(in_work(name), 0700);
		score->grants += reads_as(in_work("live/f"), "good");
		score->tries++;
	}
}

/* The harness looks at the supervisor's memory and descriptors between the two. */
static void growth(void)
{
	use_up(2500);
	hold();
	use_up(5000);
	hold();
}

/* ------------------------------------------------------------------------- signals */

static void nothing(int sig)
{
	(void)sig;
}

static void storm(bool restart)
{
	struct sigaction action = {.sa_handler = nothing, .sa_flags = restart ? SA_RESTART : 0};
	struct itimerval often = {{0, 170}, {0, 170}};

	NEED(sigaction(SIGALRM, &action, NULL) == 0);
	NEED(setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int do_create(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? fd : close(fd);
}

static int do_mkdir(const char *path)
{
	return mkdir(path, 0700);
}

static int do_mkfifo(const char *path)
{
	return mkfifo(path, 0600);
}

static int do_symlink(const char *path)
{
	return symlink("x", path);
}

static int do_link(const char *path)
{
	return link(in_work("live/f"), path);
}

static int do_rename(const char *path)
{
	char from[PATH_MAX + 16];

	snprintf(from, sizeof(from), "%s/live/t", work);
	return rename(from, path);
}

static int undo_rename(const char *path)
{
	char to[PATH_MAX + 16];

	snprintf(to, sizeof(to), "%s/live/t", work);
	return rename(path, to);
}

static int undo_unlink(const char *path)
{
	return unlink(path);
}

static int undo_rmdir(const char *path)
{
	return rmdir(path);
}

/* A call whose answer is not what happened: failed and done, or done and not there. */
static bool lies(int (*call)(const char *path), const char *path, bool made, unsigned long *eintr)
{
	bool done = call(path) == 0, interrupted = !done && errno == EINTR;

	score->tries++;
	score->grants += done;
	*eintr += interrupted;
	/* Nobody else is here: it can only succeed, or be interrupted before it began. */
	return (!done && !interrupted) || is_there(path) != (done ? made : !made);
}

static void under_storm(bool restart)
{
	static const struct {
		int (*act)(const char *path), (*undo)(const char *path);
	} calls[] = {{do_create, undo_unlink}, {do_mkdir, undo_rmdir}, {do_mkfifo, undo_unlink},
		{do_symlink, undo_unlink}, {do_link, undo_unlink}, {do_rename, undo_rename}};
	unsigned long eintr = 0;
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/live/s", work);
	storm(restart);
	for (size_t i = 0; more(); i = (i + 1) % COUNT(calls)) {
		score->hits += lies(calls[i].act, path, true, &eintr);
		if (is_there(path))
			score->hits += lies(calls[i].undo, path, false, &eintr);
		while (is_there(path) && calls[i].undo(path) < 0 && more())
			;
	}
	storm(true);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	printf("EINTR %lu of %lu\n", eintr, score->tries);
}

static void storm_restarting(void)
{
	under_storm(true);
}

static void storm_plain(void)
{
	under_storm(false);
}

/* ------------------------------------------------------------------ whose child is whose */

/* The child is our parent's, whose wait must not take it for us. */
static void clone_parent(void)
{
	for (int i = 0; i < MANY; i++) {
		long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

		NEED(pid >= 0);
		if (pid == 0)
			_exit(5);
	}
	score->tries++;
	usleep(100000);
	score->grants += reads_as(in_work("live/f"), "good");
}

static void trace_me(void)
{
	NEED(signal(SIGUSR1, nothing) != SIG_ERR && ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	score->tries++;
	raise(SIGUSR1);
	usleep(100000);
	score->grants += reads_as(in_work("live/f"), "good");
}

const struct attack drain_attacks[] = {
	{"fifos", fifos},
	{"unserved-page", unserved_page},
	{"crowd", crowd},
	{"dying", dying},
	{"unread", unread},
	{"growth", growth},
	{"storm-restarting", storm_restarting},
	{"storm-plain", storm_plain},
	{"clone-parent", clone_parent},
	{"trace-me", trace_me},
	{NULL, NULL},
};
