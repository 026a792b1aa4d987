/* SPDX-License-Identifier: MIT */
/* The caller is not whom the supervisor takes it for: another thread, program, user, root. */
#include <grp.h>
#include <signal.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "hostile.h"

#define NOBODY 65534

static void look_for(const char *path, const char *wrong, const char *right)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	score->tries++;
	if (fd < 0)
		return;
	NEED(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	score->hits += wrong && strncmp(text, wrong, strlen(wrong)) == 0;
	score->grants += right && strncmp(text, right, strlen(right)) == 0;
}

/* ------------------------------------------------------- threads with things of their own */

static void *thread_own_cwd(void *arg)
{
	(void)arg;
	NEED(unshare(CLONE_FS) == 0 && chdir(in_work("shut")) == 0);
	for (int i = 0; i < MANY; i++)
		look_for("f", "secret", NULL);
	NEED(chdir(in_work("live")) == 0);
	look_for("f", NULL, "good");
	return NULL;
}

/* The leader's directory is granted, the thread's is not. */
static void own_cwd(void)
{
	NEED(chdir(in_work("live")) == 0);
	pthread_join(begin(thread_own_cwd, NULL), NULL);
}

#define SHARED_NUMBER 100

static void below_number(const char *wrong, const char *right)
{
	char text[16] = "";
	int fd = openat(SHARED_NUMBER, "f", O_RDONLY | O_CLOEXEC);

	score->tries++;
	if (fd < 0)
		return;
	NEED(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	score->hits += wrong && strcmp(text, wrong) == 0;
	score->grants += right && strcmp(text, right) == 0;
}

static void *thread_own_files(void *arg)
{
	(void)arg;
	NEED(unshare(CLONE_FILES) == 0);
	NEED(dup2(open(in_work("shut"), O_PATH), SHARED_NUMBER) == SHARED_NUMBER);
	for (int i = 0; i < MANY; i++)
		below_number("secret", NULL);
	return NULL;
}

/* One number, two tables of descriptors. */
static void own_files(void)
{
	NEED(dup2(open(in_work("live"), O_PATH), SHARED_NUMBER) == SHARED_NUMBER);
	below_number(NULL, "good");
	pthread_join(begin(thread_own_files, NULL), NULL);
}

static pthread_t leader;

static void *orphaned_thread(void *arg)
{
	(void)arg;
	pthread_join(leader, NULL);
	/* Its directory, descriptors and memory can be had by the thread alone. */
	for (int i = 0; i < MANY; i++) {
		unsigned long before = score->grants;

		look_for("f", NULL, "good");
		score->hits += score->grants == before;
	}
	_exit(0);
}

static void lose_leader(void)
{
	NEED(chdir(in_work("live")) == 0);
	leader = pthread_self();
	begin(orphaned_thread, NULL);
	pthread_exit(NULL);
}

/* The leader is a zombie: what is granted must be granted. */
static void zombie_leader(void)
{
	NEED(in_child(lose_leader) == 0);
}

/* ----------------------------------------------------------------------- what is kept */

/* The working directory changes between two calls. */
static void stale_cwd(void)
{
	for (int i = 0; i < MANY; i++) {
		NEED(chdir(in_work("live")) == 0);
		look_for("f", NULL, "good");
		NEED(chdir(in_work("shut")) == 0);
		look_for("f", "secret", NULL);
	}
}

#define FIXED ((char *)0x7000000000)

static char *fixed_page(void)
{
	char *page = mmap(FIXED, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	NEED(page == FIXED);
	return page;
}

/* After vfork and exec the memory is another, at the same place is another path. */
static void vfork_second(void)
{
	strcpy(fixed_page(), in_work("shut/f"));
	look_for(FIXED, "secret", NULL);
}

static void report_second(int from)
{
	char line[100];
	unsigned long hits = 0;
	ssize_t n = read(from, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	NEED(sscanf(line, "hits %lu", &hits) == 1);
	score->hits += hits;
	score->tries++;
	close(from);
}

static void vfork_exec(void)
{
	char self[PATH_MAX] = "";
	int ends[2];
	pid_t pid;

	NEED(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	strcpy(fixed_page(), in_work("live/f"));
	NEED(pipe(ends) == 0);
	pid = vfork();
	if (pid == 0) {
		/* Trapped in the parent's memory, and then in its own. */
		int fd = (int)syscall(SYS_openat, AT_FDCWD, FIXED, O_RDONLY, 0);

		score->grants += fd >= 0;
		dup2(ends[1], 1);
		execl(self, self, "vfork-second", work, "1000", NULL);
		_exit(1);
	}
	NEED(pid > 0);
	close(ends[1]);
	report_second(ends[0]);
	waitpid(pid, NULL, 0);
}

/* ----------------------------------------------------------------------- credentials */

static void open_private(void)
{
	look_for(in_work("live/private"), "private", NULL);
}

static void dropped_uid(void)
{
	NEED(setresuid(NOBODY, NOBODY, NOBODY) == 0);
	open_private();
}

static void dropped_fsuid(void)
{
	setfsuid(NOBODY);
	open_private();
}

static void dropped_effective(void)
{
	NEED(seteuid(NOBODY) == 0);
	open_private();
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}};

	NEED(syscall(SYS_capset, &header, none) == 0);
}

/* Somebody else's file: only root's capabilities open it. */
static void open_others(void)
{
	look_for(in_work("live/others"), "others", NULL);
}

static void dropped_capabilities(void)
{
	drop_capabilities();
	open_others();
}

static void dropped_by_namespace(void)
{
	NEED(unshare(CLONE_NEWUSER) == 0);
	open_others();
}

/* A file that only members of group 7777 may read, without the capability to look past that. */
static void dropped_groups(void)
{
	NEED(setgroups(0, NULL) == 0 && setfsgid(NOBODY) >= 0);
	drop_capabilities();
	look_for(in_work("live/members"), "members", NULL);
}

/* Groups and fs ids are changed where capabilities and effective ids stay: nothing else shows it.
 */
static void left_group(void)
{
	NEED(setgroups(0, NULL) == 0);
	look_for(in_work("live/members"), "members", NULL);
}

static void *thread_left_group(void *arg)
{
	(void)arg;
	NEED(syscall(SYS_setgroups, 0, NULL) == 0);
	look_for(in_work("live/members"), "members", NULL);
	return NULL;
}

static void left_group_by_thread(void)
{
	pthread_join(begin(thread_left_group, NULL), NULL);
	/* The others are still in it. */
	look_for(in_work("live/members"), NULL, "members");
}

/* The kernel makes it unreadable at that, which it can undo. */
static void be_readable(void)
{
	NEED(prctl(PR_SET_DUMPABLE, 1) == 0);
}

static void other_fsuid(void)
{
	setfsuid(NOBODY - 1);
	be_readable();
	look_for(in_work("live/owned"), "owned", NULL);
}

/* The upper half of the register is the caller's garbage. */
static void other_fsuid_wide(void)
{
	(void)syscall(SYS_setfsuid, 1L << 32 | (NOBODY - 1));
	be_readable();
	look_for(in_work("live/owned"), "owned", NULL);
}

static void other_fsgid(void)
{
	setfsgid(NOBODY - 1);
	be_readable();
	look_for(in_work("live/grouped"), "grouped", NULL);
}

static void vfork_left_group(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		int fd;

		(void)syscall(SYS_setgroups, 0, NULL);
		fd = open(in_work("live/members"), O_RDONLY);
		score->tries++;
		score->hits += fd >= 0;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void groups(void)
{
	static void (*const all[])(void) = {vfork_left_group, left_group_by_thread, left_group,
		other_fsuid, other_fsuid_wide, other_fsgid};

	look_for(in_work("live/members"), NULL, "members");
	look_for(in_work("live/owned"), NULL, "owned");
	look_for(in_work("live/grouped"), NULL, "grouped");
	NEED(score->grants == 3);
	for (size_t i = 0; i < COUNT(all); i++)
		NEED(in_child(all[i]) == 0);
}

static void *thread_drops(void *arg)
{
	(void)arg;
	/* The system call: libc's would change all threads. */
	NEED(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
	open_private();
	return NULL;
}

static void dropped_thread(void)
{
	pthread_join(begin(thread_drops, NULL), NULL);
}

/* Each in a child: what was dropped is gone for good. */
static void credentials(void)
{
	static void (*const all[])(void) = {dropped_uid, dropped_fsuid, dropped_effective,
		dropped_capabilities, dropped_by_namespace, dropped_groups, dropped_thread};

	look_for(in_work("live/private"), NULL, "private");
	look_for(in_work("live/others"), NULL, "others");
	for (size_t i = 0; i < COUNT(all); i++)
		NEED(in_child(all[i]) == 0);
}

/* -------------------------------------------------------------------------- pid reuse */

static void child_with_power(void)
{
	look_for(in_work("live/private"), NULL, "private");
}

/* clone3(2) with a chosen pid; 0 in the child. */
static pid_t clone_as(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A process opens with root's power; another one of the same number has none. */
static void pid_reuse(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork(), again;

		NEED(pid >= 0);
		if (pid == 0) {
			child_with_power();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		again = clone_as(pid);
		if (again < 0 && errno == EEXIST)
			continue;
		NEED(again >= 0);
		if (again == 0) {
			dropped_uid();
			_exit(0);
		}
		waitpid(again, NULL, 0);
	}
}

/* Waits in a call that it may not make, until it is killed. */
static void make_without_power(const char *path)
{
	NEED(setresuid(NOBODY, NOBODY, NOBODY) == 0);
	score->ready = true;
	(void)mkdir(path, 0700);
}

/* Whether it came to be, within a time that is longer than the racy reeve is slow. */
static bool was_made(const char *path)
{
	for (int i = 0; i < 30 && access(path, F_OK) < 0; i++)
		usleep(1000);
	return rmdir(path) == 0;
}

/* Its number goes on to one that may, with the same memory, before the supervisor has looked. */
static void pid_reuse_meanwhile(void)
{
	const char *path = in_work("live/made"); /* where it stands for all of them */

	look_for(in_work("live/private"), NULL, "private");
	while (more()) {
		pid_t pid, again;

		score->ready = false;
		pid = fork();
		NEED(pid >= 0);
		if (pid == 0) {
			make_without_power(path);
			_exit(0);
		}
		while (!score->ready)
			usleep(100);
		usleep(1000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		again = clone_as(pid);
		if (again == 0) {
			pause();
			_exit(0);
		}
		score->tries++;
		score->hits += was_made(path);
		if (again > 0) {
			kill(again, SIGKILL);
			waitpid(again, NULL, 0);
		}
	}
}

/* ------------------------------------------------------------------------------- root */

/* A jail that the program made for a part of itself, with a name that is granted outside of it. */
static void jailed(void)
{
	if (geteuid() != 0)
		NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(chroot(in_work("floor")) == 0 && chdir("/") == 0);
	look_for(in_work("live/f"), "good", NULL);
	look_for("../../../../live/f", "good", NULL);
}

static void jail(void)
{
	look_for(in_work("live/f"), NULL, "good");
	NEED(in_child(jailed) == 0);
}

const struct attack who_attacks[] = {
	{"own-cwd", own_cwd},
	{"own-files", own_files},
	{"zombie-leader", zombie_leader},
	{"stale-cwd", stale_cwd},
	{"vfork-exec", vfork_exec},
	{"vfork-second", vfork_second},
	{"credentials", credentials},
	{"groups", groups},
	{"pid-reuse", pid_reuse},
	{"pid-reuse-meanwhile", pid_reuse_meanwhile},
	{"jail", jail},
	{NULL, NULL},
};
