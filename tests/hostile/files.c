/* SPDX-License-Identifier: MIT */
/* Files: what a granted descriptor, link or name can be made to do beyond its grant. */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/random.h>
#include "hostile.h"

/* ---------------------------------------------------------------- links and renames */

/* A file that may only be read gets a name where all may be written. */
static void reopen_for_writing(int moved)
{
	int fd;

	score->tries++;
	if (moved < 0)
		return;
	fd = open(in_work("live/got"), O_WRONLY | O_CLOEXEC);
	score->hits += fd >= 0;
	if (fd >= 0)
		close(fd);
	(void)unlink(in_work("live/got"));
}

static void out_of_look(void)
{
	const char *from = in_work("look/f"), *to = in_work("live/got");

	score->grants += reads_as(from, "good") && !link(in_work("live/f"), in_work("live/f2"));
	reopen_for_writing(link(from, to));
	reopen_for_writing(rename(in_work("look/t"), to));
	reopen_for_writing((int)syscall(
		SYS_renameat2, AT_FDCWD, from, AT_FDCWD, in_work("live/t"), 2 /* EXCHANGE */));
	reopen_for_writing(linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
}

/* Out of what is not granted at all, by directory and whole directories as well. */
static void out_of_shut(void)
{
	score->grants += rename(in_work("live/f"), in_work("live/f2")) == 0;
	reopen_for_writing(link(in_work("shut/f"), in_work("live/got")));
	reopen_for_writing(rename(in_work("shut/f"), in_work("live/got")));
	score->tries += 2;
	score->hits += rename(in_work("shut/d"), in_work("live/d")) == 0;
	score->hits += rename(in_work("shut"), in_work("live/all")) == 0;
}

/*
 * `drop` and `mail` are the floor's, for making, moving and removing; a live rule lets `mail` be
 * read. By static rules alone nothing is gained on the way from one to the other.
 */
static void look_for_secret(const char *path)
{
	score->tries++;
	score->hits += reads_as(path, "secret");
}

static void carry_by(long nr, bool with_tag, const char *from, const char *to, long flags)
{
	const long a[] = {AT_FDCWD, (long)in_work(from), AT_FDCWD, (long)in_work(to)};

	if (with_tag)
		(void)tagged(nr, a[0], a[1], a[2], a[3], flags);
	else
		(void)syscall(nr, a[0], a[1], a[2], a[3], flags);
	look_for_secret(in_work(strcmp(from, "drop/d") == 0 ? "mail/d/1" : to));
}

static void carry_all(void)
{
	const long exchange = 2;

	for (int with_tag = 0; with_tag < 2; with_tag++) {
		carry_by(SYS_linkat, with_tag, "drop/2", "mail/2", 0);
		carry_by(SYS_linkat, with_tag, "drop/2", "drop/name2", 0);
		carry_by(SYS_renameat2, with_tag, "drop/1", "mail/1", 0);
		carry_by(SYS_renameat2, with_tag, "drop/d", "mail/d", 0);
		carry_by(SYS_renameat2, with_tag, "drop/1", "mail/own", exchange);
		carry_by(SYS_renameat2, with_tag, "mail/own", "drop/1", exchange);
		look_for_secret(in_work("mail/own"));
		carry_by(SYS_renameat2, with_tag, "drop/1", "drop/name", 0);
	}
}

static void carry(void)
{
	int fd = open(in_work("mail/own"), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	NEED(fd >= 0);
	close(fd);
	score->grants += !rename(in_work("mail/own"), in_work("drop/own"));
	score->grants += !rename(in_work("drop/own"), in_work("drop/own2"));
	score->grants += !mkdir(in_work("mail/new"), 0700) && reads_as(in_work("mail/f"), "good");
	NEED(mkdir(in_work("mail/own"), 0700) == 0);
	carry_all();
}

static void flip_place(void *arg)
{
	char *word = arg;

	memcpy(word, "mail", 4);
	sched_yield();
	memcpy(word, "drop", 4);
	sched_yield();
}

/* The new name is one in `drop` whenever it is looked at, and one in `mail` when it is used. */
static void carry_flip(void)
{
	char to[PATH_MAX];
	struct flipper flipper;

	snprintf(to, sizeof(to), "%s", in_work("drop/there"));
	flipper_start(&flipper, flip_place, to + strlen(work) + 1);
	while (more()) {
		bool moved = rename(in_work("drop/1"), to) == 0;

		look_for_secret(in_work("mail/there"));
		if (!moved || score->hits)
			continue;
		NEED(rename(in_work("drop/there"), in_work("drop/1")) == 0);
		score->grants++;
	}
	flipper_end(&flipper);
}

/* The link of a descriptor in procfs, for a file without a name and for one opened by a grant. */
static void link_descriptor(int fd, const char *to)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	NEED(fd >= 0);
	score->tries++;
	if (linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW) < 0 &&
		linkat(fd, "", AT_FDCWD, to, AT_EMPTY_PATH) < 0)
		return;
	score->hits++;
}

static void tmpfile_out(void)
{
	int fd = open(in_work("live"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	score->grants += fd >= 0 && write(fd, "x", 1) == 1;
	link_descriptor(fd, in_work("shut/made"));
	link_descriptor(open(in_work("look/f"), O_RDONLY | O_CLOEXEC), in_work("shut/made2"));
	link_descriptor(open(in_work("live/f"), O_RDONLY | O_CLOEXEC), in_work("shut/made3"));
}

/* ----------------------------------------------------------------- what a descriptor does */

/* `only` grants write_file, and neither truncate nor reading. */
static void shorten(void)
{
	int fd = open(in_work("only/f"), O_WRONLY | O_CLOEXEC);

	score->tries++;
	score->hits += fd >= 0 && ftruncate(fd, 0) == 0;
	score->grants += reads_as(in_work("live/f"), "good");
	fd = open(in_work("only/f"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	score->hits += fd >= 0;
}

/* A device that may be read, without ioctl_dev. */
static void device_ioctl(void)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC), count;

	score->tries++;
	score->hits += fd >= 0 && ioctl(fd, RNDGETENTCNT, &count) == 0;
	score->grants += reads_as(in_work("live/f"), "good");
}

/* Again through its link in procfs, for more than it was opened for. */
static void reopen(void)
{
	char self[64];
	int fd = open(in_work("look/f"), O_RDONLY | O_CLOEXEC);

	NEED(fd >= 0);
	score->grants++;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int flags = O_WRONLY; flags <= O_RDWR; flags++) {
		int again = open(self, flags | O_CLOEXEC);

		score->tries++;
		score->hits += again >= 0;
		again = (int)syscall(SYS_open, self, flags | O_TRUNC);
		score->hits += again >= 0;
	}
}

/* ------------------------------------------------------------------------ magic links */

static bool holds(const char *path, const char *what)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(text, (size_t)n, what, strlen(what));
}

/*
 * procfs is granted live, and its names mean the supervisor to the supervisor: its environment,
 * which the program's lacks, its name, its descriptors.
 */
static void magic(void)
{
	static const char *const ours[] = {"/proc/self/environ", "/proc/thread-self/environ",
		"/proc/self/task/../environ", "/proc/self/root/proc/self/environ"};
	static const char *const named[] = {"/proc/self/comm", "/proc/thread-self/comm"};
	char path[64];

	unsetenv("HOSTILE_MARK");
	for (size_t i = 0; i < COUNT(ours); i++, score->tries++)
		score->hits += holds(ours[i], "REEVE_RACY");
	for (size_t i = 0; i < COUNT(named); i++, score->tries++)
		score->hits += holds(named[i], "reeve");
	for (int fd = 3; fd < 40; fd++) {
		snprintf(path, sizeof(path), fd % 2 ? "/proc/self/fd/%d" : "/dev/fd/%d", fd);
		score->tries++;
		score->hits += open(path, O_RDONLY | O_CLOEXEC) >= 0;
	}
	score->grants += reads_as(in_work("live/f"), "good");
}

/* By the words it is below what is granted, by what it names it is not. */
static void lead_out(void)
{
	static const char *const ways[] = {"live/file-link", "live/dir-link/f", "live/../shut/f",
		"live/./../shut/../shut/f", "live/dir-link/../shut/f", "live//..//shut//f",
		"live/link-to-link"};

	NEED(symlink(in_work("shut/f"), in_work("live/file-link")) == 0);
	NEED(symlink("../shut", in_work("live/dir-link")) == 0);
	NEED(symlink("file-link", in_work("live/link-to-link")) == 0);
	for (size_t i = 0; i < COUNT(ways); i++, score->tries++)
		score->hits += reads_as(in_work(ways[i]), "secret");
	score->grants += reads_as(in_work("live/f"), "good");
}

/* ------------------------------------------------------- mounts that are attached nowhere */

#define CLONE_TREE 1 /* OPEN_TREE_CLONE */

static int detached = -1;

static int clone_tree(void *arg)
{
	detached = (int)syscall(SYS_open_tree, AT_FDCWD, (const char *)arg, CLONE_TREE);
	_exit(0);
}

/* A mount of `shut` that is attached nowhere: by a child that shares all but its user namespace. */
static int detach(const char *directory)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	int flags = CLONE_VM | CLONE_FILES | CLONE_NEWNS | SIGCHLD;
	pid_t pid = clone(clone_tree, stack + sizeof(stack),
		flags | (geteuid() == 0 ? 0 : CLONE_NEWUSER), (void *)(uintptr_t)directory);

	NEED(pid > 0 && waitpid(pid, NULL, 0) == pid && detached >= 0);
	return detached;
}

/* By a path relative to the working directory. */
static bool binds(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	NEED(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* Below its root there are names as below ours, which are granted there. */
static void detached_mount(void)
{
	static const char granted[] = "live/f";
	char below[PATH_MAX + 16], beside[PATH_MAX + 32];
	int root = detach(in_work("shut")), fd;

	snprintf(below, sizeof(below), "%s/%s", work + 1, granted);
	fd = openat(root, below, O_RDWR | O_CLOEXEC);
	score->tries += 5;
	score->hits += fd >= 0;
	NEED(fchdir(root) == 0);
	snprintf(beside, sizeof(beside), "%s-socket", below);
	score->hits += binds(beside);
	score->hits += reads_as(below, "secret");
	score->hits += truncate(below, 0) == 0;
	score->hits += linkat(root, below, AT_FDCWD, in_work("live/got"), 0) == 0;
	NEED(chdir(in_work("live")) == 0);
	score->grants += reads_as("f", "good");
	/* Another mount of ours is as good as the root's. */
	NEED(chdir("/dev/shm") == 0);
	fd = open("hostile-detached", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	NEED(fd >= 0 && unlink("hostile-detached") == 0);
}

/* ------------------------------------------------------------------------- the terminal */

/* A terminal that nobody has yet, opened through a live rule: whose will it be? */
static void adopt_terminal(void)
{
	char path[64] = "", byte;
	FILE *file = fopen(in_work("floor/pts"), "re");

	NEED(file && fscanf(file, "%63s", path) == 1);
	for (int i = 0; i < MANY; i++, score->tries++)
		(void)open(path, O_RDWR | O_CLOEXEC);
	score->grants += reads_as(in_work("live/f"), "good");
	puts("hold");
	fflush(stdout);
	NEED(read(0, &byte, 1) == 1);
}

/* ----------------------------------------------------------------------- EMFILE */

static void flip_number(void *arg)
{
	int *filler = arg;

	close(*filler);
	sched_yield();
	do
		*filler = dup(0);
	while (*filler < 0 && !score->over);
}

struct flip_text {
	char text[PATH_MAX];
	char *word;
};

static void flip_word(void *arg)
{
	struct flip_text *path = arg;

	memcpy(path->word, "live", 4);
	sched_yield();
	memcpy(path->word, "shut", 4);
	sched_yield();
}

/*
 * The last free descriptor comes and goes, so that handing one over fails now and then; meanwhile
 * the path flips. Letting the call go on instead would open what it says by then.
 */
static void no_descriptors(void)
{
	struct rlimit limit = {16, 16};
	struct flip_text path;
	struct flipper filler, flipper;
	int last = -1;

	snprintf(path.text, sizeof(path.text), "%s", in_work("live/f"));
	path.word = path.text + strlen(work) + 1;
	NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int fd; (fd = dup(0)) >= 0;)
		last = fd;
	flipper_start(&filler, flip_number, &last);
	flipper_start(&flipper, flip_word, &path);
	while (more()) {
		char text[16] = "";
		int fd = open(path.text, O_RDONLY | O_CLOEXEC);

		score->tries++;
		if (fd < 0)
			continue;
		score->hits += read(fd, text, 6) == 6 && !memcmp(text, "secret", 6);
		score->grants += !memcmp(text, "good", 4);
		close(fd);
	}
	score->over = true;
	flipper_end(&flipper);
	flipper_end(&filler);
}

/* ------------------------------------------------------------------- memory's edges */

/* The path ends with the page, and nothing is mapped after it. */
static void page_end(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *two = mmap(
		NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *name = in_work("live/f");
	char *path;

	NEED(two != MAP_FAILED && munmap(two + page, (size_t)page) == 0);
	path = two + page - strlen(name) - 1;
	strcpy(path, name);
	for (int i = 0; i < MANY; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		score->tries++;
		score->hits += fd < 0; /* what is granted was refused */
		score->grants += fd >= 0;
		close(fd);
	}
	/* Without its end it is no path, and must be EFAULT. */
	path[strlen(name)] = 'x';
	score->hits += open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EFAULT;
}

/* A path that never ends must not run over anything of the supervisor's. */
static void endless_path(void)
{
	const size_t size = 2 << 20;
	char *path = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const long calls[] = {SYS_mkdirat, SYS_unlinkat, SYS_openat};

	NEED(path != MAP_FAILED);
	memset(path, '/', size - 1);
	signal(SIGSYS, SIG_IGN);
	for (size_t i = 0; i < COUNT(calls) * 20; i++) {
		score->tries++;
		NEED(syscall(calls[i % COUNT(calls)], AT_FDCWD, path, O_RDONLY, 0) < 0);
		NEED(errno == ENAMETOOLONG);
	}
	score->grants += reads_as(in_work("live/f"), "good");
}

const struct attack file_attacks[] = {
	{"out-of-look", out_of_look},
	{"out-of-shut", out_of_shut},
	{"carry", carry},
	{"carry-flip", carry_flip},
	{"tmpfile-out", tmpfile_out},
	{"shorten", shorten},
	{"device-ioctl", device_ioctl},
	{"reopen", reopen},
	{"magic", magic},
	{"lead-out", lead_out},
	{"detached-mount", detached_mount},
	{"adopt-terminal", adopt_terminal},
	{"no-descriptors", no_descriptors},
	{"page-end", page_end},
	{"endless-path", endless_path},
	{NULL, NULL},
};
