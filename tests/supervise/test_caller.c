/* SPDX-License-Identifier: MIT */
/* What is read of a caller: memory, credentials, descriptors; and that a number is nobody's name.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "../enforce/helpers.h"
#include "supervise/caller.h"

/* Our own memory, as if we were the caller of something. */
static void reads_a_caller(void)
{
	struct rv_caller caller = {.tid = getpid(),
		.listener = -1,
		.proc_fd = open("/proc/self", O_PATH),
		.mem_fd = open("/proc/self/mem", O_RDONLY)};
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rv_caller_status status, own;
	char buf[64];

	CHECK(caller.proc_fd >= 0 && pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
	memcpy(pages + 4091, "path", 5);
	CHECK_EQ(rv_caller_read_string(&caller, (uintptr_t)pages + 4091, buf, sizeof(buf)), 4);
	CHECK_STR(buf, "path");
	pages[4095] = 'x'; /* no end before the page ends */
	CHECK_EQ(
		rv_caller_read_string(&caller, (uintptr_t)pages + 4091, buf, sizeof(buf)), -EFAULT);
	CHECK_EQ(rv_caller_read_string(&caller, (uintptr_t)pages + 4090, buf, 3), 0);
	memset(pages, 'a', 4096);
	CHECK_EQ(rv_caller_read_string(&caller, (uintptr_t)pages, buf, sizeof(buf)), -ENAMETOOLONG);
	CHECK_EQ(rv_caller_read_string(&caller, 0, buf, sizeof(buf)), -EFAULT);
	CHECK_EQ(rv_caller_read_string(&caller, UINT64_MAX - 8, buf, sizeof(buf)), -EFAULT);
	CHECK_EQ(rv_caller_dir(&caller, 999), -EBADF);
	CHECK(rv_caller_dir(&caller, AT_FDCWD) >= 0);
	CHECK_EQ(rv_caller_status(&caller, &status), 0);
	CHECK_EQ(rv_own_status(&own), 0);
	CHECK(rv_credentials_equal(&status.credentials, &own.credentials));
	CHECK_EQ(status.credentials.fsuid, geteuid());
	CHECK_EQ(status.tgid, getpid());
	become_user();
	if (getuid() != own.credentials.fsuid) {
		CHECK_EQ(rv_own_status(&status), 0);
		CHECK(!rv_credentials_equal(&status.credentials, &own.credentials));
	}
	rv_caller_close(&caller);
}

/* ------------------------------------------------------------------ kept pidfds */

#define THEIRS	100 /* a descriptor of our children's */
#define MORE	9   /* than are kept */
#define CHILD_S 60

/* Waits to be killed, with `path` open; another child of that number where `wanted` is not 0. */
static pid_t child_with(const char *path, pid_t wanted)
{
	struct clone_args args = {.exit_signal = SIGCHLD,
		.set_tid = wanted ? (uint64_t)(uintptr_t)&wanted : 0,
		.set_tid_size = wanted != 0};
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		int fd = open(path, O_RDONLY);

		if (dup2(fd, THEIRS) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		sleep(CHILD_S);
		_exit(0);
	}
	close(ready[1]);
	if (pid > 0)
		CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

static bool has_open(struct rv_pidfds *pidfds, pid_t pid, const char *path)
{
	struct rv_caller caller = {
		.tid = pid, .listener = -1, .proc_fd = -1, .mem_fd = -1, .pidfds = pidfds};
	int fd = rv_caller_fd_unchecked(&caller, THEIRS);
	struct stat theirs, ours;

	CHECK(fd >= 0 && fstat(fd, &theirs) == 0 && stat(path, &ours) == 0);
	close(fd);
	return theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void pidfds_are_kept(void)
{
	struct rv_pidfds pidfds = {.lock = PTHREAD_MUTEX_INITIALIZER};
	int before = lowest_fd();
	pid_t pids[MORE];

	for (int i = 0; i < MORE; i++)
		pids[i] = child_with(i % 2 ? "/proc" : "/", 0);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < MORE; i++) {
			CHECK(has_open(&pidfds, pids[i], i % 2 ? "/proc" : "/"));
			CHECK(has_open(&pidfds, pids[i], i % 2 ? "/proc" : "/"));
		}
	}
	CHECK(lowest_fd() <= before + (int)(sizeof(pidfds.kept) / sizeof(pidfds.kept[0])));
	for (int i = 0; i < MORE; i++)
		end_child(pids[i]);
	rv_pidfds_release(&pidfds);
	CHECK_EQ(lowest_fd(), before);
}

static void of_who_has_the_number(void)
{
	struct rv_pidfds pidfds = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pid_t pid = child_with("/", 0), again = -1;
	struct rv_caller caller = {.tid = pid, .proc_fd = -1, .mem_fd = -1, .pidfds = &pidfds};
	uid_t uid;
	gid_t gid;

	CHECK(has_open(&pidfds, pid, "/"));
	end_child(pid);
	CHECK_EQ(rv_caller_fd_unchecked(&caller, THEIRS), -ESRCH);
	CHECK(rv_caller_effective_ids(&caller, &uid, &gid) < 0);
	/* Kept again, so that the next one of the number meets a pidfd of the one before. */
	for (int i = 0; i < 20 && again < 0; i++) {
		pid = child_with("/", 0);
		caller.tid = pid;
		CHECK(has_open(&pidfds, pid, "/"));
		end_child(pid);
		again = child_with("/proc", pid);
	}
	if (again < 0 && (errno == EPERM || errno == EEXIST))
		SKIP("set_tid: not permitted, or taken each time");
	CHECK_EQ(again, pid);
	CHECK(has_open(&pidfds, pid, "/proc"));
	end_child(pid);
	rv_pidfds_release(&pidfds);
}

/* A number that is not to be seen from here. */
static void of_nobody(void)
{
	struct rv_pidfds pidfds = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct rv_caller caller = {.tid = 0, .proc_fd = -1, .mem_fd = -1, .pidfds = &pidfds};
	uid_t uid;
	gid_t gid;

	CHECK_EQ(rv_caller_fd_unchecked(&caller, THEIRS), -ESRCH);
	CHECK(rv_caller_effective_ids(&caller, &uid, &gid) < 0);
}

static void effective_ids(void)
{
	struct rv_pidfds pidfds = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct rv_caller caller = {.tid = getpid(), .proc_fd = -1, .mem_fd = -1, .pidfds = &pidfds};
	uid_t uid = 77;
	gid_t gid = 77;
	int r = rv_caller_effective_ids(&caller, &uid, &gid);

	if (r == -ENOTTY)
		SKIP("pidfd information: this kernel has none");
	CHECK_EQ(r, 0);
	CHECK(uid == geteuid() && gid == getegid());
	/* Not those that the file system asks for, should they be others. */
	if (geteuid() == 0) {
		CHECK(seteuid(65534) == 0);
		setfsuid(0);
		CHECK_EQ(setfsuid(0), 0);
		CHECK_EQ(rv_caller_effective_ids(&caller, &uid, &gid), 0);
		CHECK_EQ(uid, 65534);
		CHECK(seteuid(0) == 0);
	}
	become_user();
	CHECK_EQ(rv_caller_effective_ids(&caller, &uid, &gid), 0);
	CHECK(uid == geteuid() && gid == getegid());
	rv_pidfds_release(&pidfds);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"a caller's memory and credentials", reads_a_caller},
		{"pidfds are kept, and not too many", pidfds_are_kept},
		{"they are those of who has the number now", of_who_has_the_number},
		{"nobody has the number 0", of_nobody},
		{"its effective ids", effective_ids},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
