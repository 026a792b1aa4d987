/* SPDX-License-Identifier: MIT */
/* The process that restricts itself, what it sees of its supervisor, and what it must not be able
 * to do. */
#define _GNU_SOURCE
#include "probe.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>

static int supervisor, supervisee;

static void set_up(void)
{
	make_scratch();
	supervisor = make_ruleset(RW_RIGHTS, LANDLOCK_CREATE_RULESET_SUPERVISOR);
	supervisee = supervisee_of(supervisor);
}

/* ------------------------------------------------------------------------ processes */

static int count_children(void *data)
{
	(void)data;
	errno = 0;
	return waitpid(-1, NULL, WNOHANG) == -1 ? errno : 0;
}

static void invisible(void)
{
	struct probe probe;

	set_up();
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_call(&probe, count_children, NULL), ECHILD);
	probe_end(&probe);
	CHECK_EQ(count_children(NULL), ECHILD); /* ours neither */
	remove_scratch();
}

static void invisible_to_a_subreaper(void)
{
	struct probe probe;

	set_up();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* not inherited: the child sets its own */
	CHECK_EQ(fcntl(supervisee, F_SETFD, 0), 0);
	probe.pid = fork();
	if (probe.pid == 0) {
		int is = 0;

		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		CHECK_EQ(landlock_restrict_self(supervisee, 0), 0);
		CHECK_EQ(count_children(NULL), ECHILD);
		prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0);
		_exit(is != 1);
	}
	CHECK_EQ(waitpid(probe.pid, &probe.restricted, 0), probe.pid);
	CHECK_EQ(probe.restricted, 0);
	remove_scratch();
}

static volatile sig_atomic_t children_ended;

static void on_child(int sig)
{
	(void)sig;
	children_ended++;
}

static void no_sigchld(void)
{
	struct sigaction action = {.sa_handler = on_child};

	set_up();
	remove_scratch();
	sigaction(SIGCHLD, &action, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(supervisee, 0), 0);
	CHECK_EQ(children_ended, 0);
}

/* A pipe's reader sees its end: the supervisor keeps none of the caller's descriptors. */
static void keeps_nothing_open(void)
{
	int ends[2], status;
	pid_t pid;
	char c;

	set_up();
	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (landlock_restrict_self(supervisee, 0))
			_exit(1);
		close(ends[1]);
		alarm(TAP_SECONDS);
		pause();
	}
	close(ends[1]);
	CHECK_EQ(read(ends[0], &c, 1), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
	remove_scratch();
}

static int try_to_nest(void *data)
{
	(void)data;
	return landlock_restrict_self(supervisee, 0) == -1 ? errno : 0;
}

static void nested_is_refused(void)
{
	struct probe probe;

	set_up();
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_call(&probe, try_to_nest, NULL), EOPNOTSUPP);
	probe_end(&probe);
	remove_scratch();
}

static void *idle(void *arg)
{
	pause();
	return arg;
}

static void threads_are_refused(void)
{
	pthread_t thread;

	set_up();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(pthread_create(&thread, NULL, idle, NULL), 0);
	CHECK_EQ(landlock_restrict_self(supervisee, 0), -1);
	CHECK_EQ(errno, ENOTSUP);
	CHECK(strstr(reeve_landlock_why(), "thread"));
	CHECK(open(in_scratch("a/file"), O_RDONLY) >= 0); /* nothing happened */
	remove_scratch();
}

static void vfork_is_refused(void)
{
	volatile int error = 0;
	pid_t pid;

	set_up();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	pid = vfork();
	if (pid == 0) {
		error = landlock_restrict_self(supervisee, 0) == -1 ? errno : 0;
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(error, ENOTSUP);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	remove_scratch();
}

static void *fork_one(void *data)
{
	struct probe *probe = data;

	*probe = probe_start(supervisee, supervisor);
	return NULL;
}

/* Forked from a process with threads, as most embedders are. */
static void forked_from_threads(void)
{
	pthread_t other, forker;
	struct probe probe;

	set_up();
	CHECK_EQ(pthread_create(&other, NULL, idle, NULL), 0);
	CHECK_EQ(pthread_create(&forker, NULL, fork_one, &probe), 0);
	CHECK_EQ(pthread_join(forker, NULL), 0);
	CHECK_EQ(probe.restricted, 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

static char self[PATH_MAX];

/* Knows nothing but the number of a descriptor. */
static void after_exec(void)
{
	static char option[] = "--probe";
	char fds[2][16], *argv[] = {self, option, fds[0], fds[1], NULL};
	struct probe probe;
	int pair[2];

	set_up();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	fflush(stdout);
	probe.pid = fork();
	if (probe.pid == 0) {
		fcntl(supervisee, F_SETFD, 0);
		snprintf(fds[0], sizeof(fds[0]), "%d", pair[1]);
		snprintf(fds[1], sizeof(fds[1]), "%d", supervisee);
		execv(self, argv);
		_exit(1);
	}
	close(pair[1]);
	probe.socket = pair[0];
	CHECK_EQ(answer_of(&probe), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

/* ------------------------------------------------------------------------ attacks */

static int find_image(int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control;
	char data[64];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int image;

	if (recvmsg(fd, &msg, MSG_PEEK) < 0 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&image, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return image;
}

/* Every way to write what the supervisor reads. 0: none of them works. */
static int write_the_image(void *data)
{
	int fd = find_image(*(int *)data);
	char path[32];
	void *at;

	if (fd < 0)
		return 1;
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE) == 0)
		return 2;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		return 3;
	if (pwrite(fd, "x", 1, 0) != -1)
		return 4;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR);
	if (fd >= 0 && pwrite(fd, "x", 1, 0) != -1)
		return 5;
	if (fd >= 0 && ftruncate(fd, 0) == 0)
		return 6;
	if (fd >= 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0)
		return 7;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *(int *)data);
	return open(path, O_RDWR) >= 0 ? 8 : 0;
}

/* Whatever of the parent's writable mappings is left in this process. */
static int find_writable_mapping(void *data)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int found = 0;

	(void)data;
	if (!maps)
		return -1;
	while (fgets(line, sizeof(line), maps))
		found += strstr(line, "landlock-ruleset") && strstr(line, "rw-s");
	fclose(maps);
	return found;
}

static int widen_by_rule(void *data)
{
	(void)data;
	return add_path(supervisor, in_scratch("b"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR) == 0
		       ? 0
		       : errno;
}

/* A child that did not close the supervisor ruleset. */
static void cannot_widen_itself(void)
{
	struct probe probe;

	set_up();
	CHECK_EQ(find_writable_mapping(NULL), 1); /* what is looked for below is found here */
	CHECK_EQ(add_path(supervisee, "/proc", READ | LANDLOCK_ACCESS_FS_READ_DIR, 0), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	probe = probe_start(supervisee, -1);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(probe_call(&probe, find_writable_mapping, NULL), 0);
	CHECK_EQ(probe_call(&probe, write_the_image, &supervisor), 0);
	CHECK_EQ(probe_call(&probe, write_the_image, &supervisee), 0);
	CHECK(probe_call(&probe, widen_by_rule, NULL) != 0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), EACCES);
	/* Nor is its parent's power lost. */
	CHECK_EQ(add_path(supervisor, in_scratch("b"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

/* The supervisor's pid: an orphan, hence a child of this process (PR_SET_CHILD_SUBREAPER), cloned
 * after the caller. Those of other tests that run now have other parents. */
static pid_t find_supervisor(pid_t caller)
{
	char command[64];
	FILE *pipe;
	int pid, found = 0;

	snprintf(command, sizeof(command), "pgrep -x -P %d reeve-landlock", (int)getpid());
	pipe = popen(command, "re");

	while (pipe && fscanf(pipe, "%d", &pid) == 1)
		if (pid > caller && (!found || pid < found))
			found = pid;
	if (pipe)
		pclose(pipe);
	return found;
}

static int attack_supervisor(void *data)
{
	pid_t pid = *(pid_t *)data;
	char path[64];

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if (open(path, O_RDWR) >= 0)
		return 2;
	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)pid);
	return open(path, O_RDONLY) >= 0 ? 3 : 0;
}

static void supervisor_is_out_of_reach(void)
{
	struct probe probe;
	pid_t pid;

	set_up();
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK_EQ(add_path(supervisee, "/proc", READ | LANDLOCK_ACCESS_FS_WRITE_FILE, 0), 0);
	probe = probe_start(supervisee, supervisor);
	pid = find_supervisor(probe.pid);
	if (!pid)
		SKIP("pgrep: the supervisor's process is not found");
	CHECK_EQ(probe_call(&probe, attack_supervisor, &pid), 0);
	/* Its end gives nothing: the floor stays, and what is trapped fails. */
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	for (int i = 0; i < 1000 && probe_open(&probe, in_scratch("a/file"), O_RDONLY) != ENOSYS;
		i++)
		usleep(1000);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), ENOSYS);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), ENOSYS);
	probe_end(&probe);
	remove_scratch();
}

/* It ends with the last process of its domain, which need not be the one that restricted itself. */
static void supervisor_ends_with_the_domain(void)
{
	struct probe probe;
	char path[64], text[200] = "";
	pid_t pid;
	FILE *file;

	set_up();
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	probe = probe_start(supervisee, supervisor);
	pid = find_supervisor(probe.pid);
	if (!pid)
		SKIP("pgrep: the supervisor's process is not found");
	probe_end(&probe);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	/* Gone, or dead and waiting for us. */
	for (int i = 0; i < 5000; i++) {
		file = fopen(path, "re");
		if (!file || !fgets(text, sizeof(text), file) || strstr(text, ") Z ")) {
			remove_scratch();
			return;
		}
		fclose(file);
		usleep(1000);
	}
	CHECK(!"ended");
}

static int fork_many(void *data)
{
	volatile int failed = 0;

	for (volatile int i = 0; i < 200; i++) {
		int status = 1;
		pid_t pid = i % 2 ? fork() : vfork();

		if (pid == 0)
			_exit(open(data, O_RDONLY) < 0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			failed++;
	}
	return failed;
}

static void forks_are_supervised(void)
{
	static char path[200];
	struct probe probe;

	set_up();
	snprintf(path, sizeof(path), "%s", in_scratch("a/file"));
	probe = probe_start(supervisee, supervisor);
	CHECK_EQ(probe_call(&probe, fork_many, path), 200);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR),
		0);
	CHECK_EQ(probe_call(&probe, fork_many, path), 0);
	probe_end(&probe);
	remove_scratch();
}

/* Numbers that were a ruleset's, and are something else now. */
static void reused_numbers(void)
{
	int other;

	set_up();
	close(supervisor);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK_EQ(dup2(other, supervisor), supervisor);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), READ, 0), -1);
	CHECK_EQ(errno, EBADFD);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0), -1);
	CHECK_EQ(errno, ENOTTY);
	close(supervisee);
	CHECK_EQ(dup2(other, supervisee), supervisee);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(supervisee, 0), -1);
	CHECK_EQ(errno, EBADFD);
	remove_scratch();
}

static int send_descriptor(int socket, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {&fd, sizeof(fd)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) < 0 ? -errno : 0;
}

/* A program's own socket is no ruleset, and what waits in it is not touched. */
static void foreign_sockets(void)
{
	int pair[2], waiting = 0;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	CHECK_EQ(landlock_add_rule(pair[0], 0, NULL, 0), -1);
	CHECK_EQ(errno, EBADFD);
	CHECK_EQ(send_descriptor(pair[1], 0), 0);
	CHECK_EQ(landlock_add_rule(pair[0], 0, NULL, 0), -1);
	CHECK_EQ(errno, EBADFD);
	CHECK_EQ(ioctl(pair[0], LANDLOCK_IOCTL_GET_SUPERVISEE_RULESET, 0), -1);
	CHECK_EQ(errno, ENOTTY);
	/* Any other ioctl is libc's. */
	CHECK_EQ(ioctl(pair[0], FIONREAD, &waiting), 0);
	CHECK_EQ(waiting, sizeof(int));
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"no wait(-1) sees the supervisor", invisible},
		{"nor that of a subreaper", invisible_to_a_subreaper},
		{"no SIGCHLD", no_sigchld},
		{"the supervisor keeps no descriptor", keeps_nothing_open},
		{"nested supervisees are refused", nested_is_refused},
		{"one thread of several is refused", threads_are_refused},
		{"a vfork child is refused", vfork_is_refused},
		{"a child forked from a threaded process", forked_from_threads},
		{"after exec, by the descriptor alone", after_exec},
		{"a supervisee cannot widen itself", cannot_widen_itself},
		{"the supervisor is out of reach, and its end gives nothing",
			supervisor_is_out_of_reach},
		{"the supervisor ends with its domain", supervisor_ends_with_the_domain},
		{"forked and vforked descendants", forks_are_supervised},
		{"numbers that are something else by now", reused_numbers},
		{"sockets of the program's own", foreign_sockets},
	};

	become_user(argc, argv);
	if (argc == 4 && strcmp(argv[1], "--probe") == 0)
		serve(atoi(argv[2]), atoi(argv[3]));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
