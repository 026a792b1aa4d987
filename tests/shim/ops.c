/* SPDX-License-Identifier: MIT */
/*
 * Does every operation that the shim interposes, in the directory given, and writes down what came
 * of it: result, errno, descriptor flags, modes, contents. With the preload and without it the text
 * must be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

static int dir_fd;
static uintptr_t invalid = 16;

/* errno is set to something first: success must not change it. */
#define DO(call)                                                                                   \
	do {                                                                                       \
		errno = ENOTTY;                                                                    \
		int r_ = (int)(call);                                                              \
		int e_ = errno;                                                                    \
		printf("%s = %d, %s\n", #call, r_, strerrorname_np(e_));                           \
	} while (0)

static void show(int fd, int error)
{
	struct stat st = {0};

	if (fd < 0) {
		printf("%s\n", strerrorname_np(error));
		return;
	}
	fstat(fd, &st);
	printf("mode %o, size %ld, fl %#x, fd %#x, %s\n", st.st_mode, (long)st.st_size,
		fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), strerrorname_np(error));
	close(fd);
}

#define OPEN(call)                                                                                 \
	do {                                                                                       \
		errno = ENOTTY;                                                                    \
		int fd_ = (call);                                                                  \
		int e_ = errno;                                                                    \
		printf("%s: ", #call);                                                             \
		show(fd_, e_);                                                                     \
	} while (0)

static void opens(void)
{
	OPEN(open("new", O_CREAT | O_WRONLY, 0640));
	OPEN(open("new", O_CREAT | O_EXCL | O_WRONLY, 0640));
	OPEN(open("new", O_RDONLY | O_CLOEXEC));
	OPEN(open64("new", O_RDWR | O_APPEND));
	OPEN(open("absent", O_RDONLY));
	OPEN(open("", O_RDONLY));
	OPEN(open((char *)invalid, O_RDONLY));
	OPEN(open("new", O_RDONLY | O_DIRECTORY));
	OPEN(open(".", O_WRONLY));
	OPEN(open(".", O_TMPFILE | O_RDWR, 0600));
	OPEN(open("new/", O_RDONLY));
	OPEN(open("new", O_PATH));
	OPEN(openat(dir_fd, "at", O_CREAT | O_RDWR | O_NONBLOCK, 0666));
	OPEN(openat64(dir_fd, "at64", O_CREAT | O_RDWR, 0777));
	OPEN(openat(-1, "at", O_RDONLY));
	OPEN(openat(AT_FDCWD, "at", O_RDONLY | O_NOFOLLOW));
	OPEN(creat("created", 0604));
	OPEN(creat64("created", 0600));
	OPEN(__open_2("new", O_RDONLY | O_CLOEXEC));
	OPEN(__open64_2("new", O_WRONLY));
	OPEN(__openat_2(dir_fd, "new", O_RDONLY));
	OPEN(__openat64_2(dir_fd, "absent", O_RDONLY));
	DO(chmod("new", 0));
	OPEN(open("new", O_RDONLY));
	OPEN(open("new", O_CREAT | O_RDWR, 0666));
	DO(chmod("new", 0644));
}

/* Each stream: where it begins, its flags, what is written and read. */
static void stream(const char *path, const char *mode)
{
	FILE *f;
	char text[32] = "";
	int error;

	errno = ENOTTY;
	f = fopen(path, mode);
	error = errno;
	printf("fopen(%s, \"%s\"): ", path, mode);
	if (!f) {
		printf("%s\n", strerrorname_np(error));
		return;
	}
	printf("tell %ld, fl %#x, fd %#x, %s; ", ftell(f), fcntl(fileno(f), F_GETFL),
		fcntl(fileno(f), F_GETFD), strerrorname_np(error));
	printf("puts %d, ", fputs("abc", f) >= 0);
	printf("tell %ld, ", ftell(f));
	rewind(f);
	printf("read %zu, ", fread(text, 1, sizeof(text) - 1, f));
	printf("\"%s\", error %d, tell %ld, ", text, ferror(f) != 0, ftell(f));
	printf("close %d\n", fclose(f));
}

static void streams(void)
{
	static const char *const modes[] = {"w", "r", "a", "r+", "w+", "a+", "rb", "wb+", "w+b",
		"re", "ae+", "wx", "w+x", "q", "", "r,ccs=UTF-8", "w,ccs=nonsense", "rm", "rc",
		"r+e", "rzzzzzze", "xw", "ab", "a+e"};
	FILE *f;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		stream("stream", modes[i]);
		unlink("fresh");
		stream("fresh", modes[i]);
	}
	stream(".", "r");
	stream(".", "w");
	stream("absent/x", "w");
	f = fopen64("stream", "a");
	printf("fopen64 tell %ld\n", ftell(f));
	f = freopen("stream", "r", f);
	printf("freopen %d\n", f && fgetc(f) != EOF);
	fclose(f);
}

static void directory(const char *path)
{
	DIR *dir;
	int count = 0, error;

	errno = ENOTTY;
	dir = opendir(path);
	error = errno;
	printf("opendir(%s): %s", path, strerrorname_np(error));
	if (dir) {
		printf(", fl %#x, fd %#x", fcntl(dirfd(dir), F_GETFL), fcntl(dirfd(dir), F_GETFD));
		while (readdir(dir))
			count++;
		closedir(dir);
	}
	printf(", %d entries\n", count);
}

static int no_dots(const struct dirent *entry)
{
	errno = ERANGE; /* must not look like a failure */
	return entry->d_name[0] != '.';
}

static void list(const char *name, int count, struct dirent **names, int error)
{
	printf("%s: %d, %s", name, count, strerrorname_np(error));
	for (int i = 0; i < count; i++) {
		printf(" %s/%d", names[i]->d_name, names[i]->d_type);
		free(names[i]);
	}
	printf("\n");
	if (count >= 0)
		free(names);
}

#define SCAN(call)                                                                                 \
	do {                                                                                       \
		struct dirent **names = NULL;                                                      \
		errno = ENOTTY;                                                                    \
		int n_ = call;                                                                     \
		list(#call, n_, names, errno);                                                     \
	} while (0)

static void scans(void)
{
	DO(mkdir("scanned", 0700));
	for (char c = 'z'; c >= 'a'; c--)
		close(open((char[]){'s', 'c', 'a', 'n', 'n', 'e', 'd', '/', c, 0}, O_CREAT, 0600));
	SCAN(scandir("scanned", &names, no_dots, alphasort));
	SCAN(scandir("scanned", &names, NULL, alphasort));
	SCAN(scandirat(dir_fd, "scanned", &names, no_dots, versionsort));
	SCAN(scandir64("scanned", (struct dirent64 ***)&names,
		(int (*)(const struct dirent64 *))no_dots, alphasort64));
	SCAN(scandirat64(dir_fd, "scanned", (struct dirent64 ***)&names, NULL, alphasort64));
	SCAN(scandir("absent", &names, NULL, NULL));
	SCAN(scandir("new", &names, NULL, NULL));
	SCAN(scandirat(-1, "scanned", &names, NULL, NULL));
}

static int on_error(const char *path, int error)
{
	printf("glob: %s: %s\n", path, strerrorname_np(error));
	return 0;
}

static void match(const char *pattern, int flags)
{
	glob_t found = {.gl_offs = 1};
	int r = glob(pattern, flags, on_error, &found);

	printf("glob(%s, %#x) = %d, flags %#x, %d:", pattern, flags, r, found.gl_flags,
		found.gl_opendir == NULL && found.gl_stat == NULL);
	for (size_t i = 0; i < found.gl_pathc; i++)
		printf(" %s", found.gl_pathv[i + (flags & GLOB_DOOFFS ? 1 : 0)]);
	printf("\n");
	globfree(&found);
}

static void globs(void)
{
	static const char *const patterns[] = {"scanned/[a-d]", "scanned/*", "*/z", "absent/*",
		"none*", "scanned/{a,b,x}", "scanned", "/", "", "new/*", "./s*d/?", "\\s*"};
	static const int flags[] = {0, GLOB_MARK | GLOB_NOSORT, GLOB_NOCHECK | GLOB_BRACE,
		GLOB_DOOFFS | GLOB_PERIOD, GLOB_ONLYDIR, GLOB_NOESCAPE | GLOB_NOMAGIC};
	glob64_t found = {0};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			match(patterns[i], flags[j]);
	}
	DO(symlink("nowhere", "scanned/dangling"));
	match("scanned/d*", 0);
	match("scanned/dangling", GLOB_MARK);
	DO(glob64("scanned/[xy]", 0, NULL, &found));
	DO(glob64("scanned/a", GLOB_APPEND, NULL, &found));
	printf("glob64: %zu, %s\n", found.gl_pathc, found.gl_pathv[2]);
	globfree64(&found);
}

static void nameless(void)
{
	FILE *(*const makers[])(void) = {tmpfile, tmpfile64};

	for (int i = 0; i < 2; i++) {
		FILE *f = makers[i]();
		struct stat st;

		if (!f || fstat(fileno(f), &st) < 0)
			exit(3);
		printf("tmpfile: mode %o, links %d, fl %#x, fd %#x, puts %d, ", st.st_mode,
			(int)st.st_nlink, fcntl(fileno(f), F_GETFL), fcntl(fileno(f), F_GETFD),
			fputs("abc", f) >= 0);
		rewind(f);
		printf("reads %c\n", fgetc(f));
		fclose(f);
	}
}

static void names(void)
{
	struct stat st;

	DO(mkdir("d", 0751));
	DO(mkdir("d", 0751));
	DO(mkdirat(dir_fd, "d/e", 0700));
	DO(mkdir("absent/d", 0700));
	DO(symlink("nowhere", "s"));
	DO(symlink("nowhere", "s"));
	DO(symlinkat("d", dir_fd, "sd"));
	DO(link("new", "hard"));
	DO(link("new", "hard"));
	DO(link("d", "hard2"));
	DO(linkat(dir_fd, "s", dir_fd, "hard-s", 0));
	DO(linkat(dir_fd, "sd", dir_fd, "hard-sd", AT_SYMLINK_FOLLOW));
	DO(rename("hard", "moved"));
	DO(rename("absent", "moved"));
	DO(rename("d", "d/e/f"));
	DO(renameat(dir_fd, "moved", dir_fd, "d/moved"));
	DO(renameat2(dir_fd, "d/moved", dir_fd, "new", RENAME_NOREPLACE));
	DO(renameat2(dir_fd, "d/moved", dir_fd, "s", RENAME_EXCHANGE));
	DO(renameat2(dir_fd, "d/moved", dir_fd, "s", 1u << 20));
	DO(mkfifo("fifo", 0620));
	DO(mkfifoat(dir_fd, "fifo", 0620));
	DO(mknod("node", S_IFREG | 0600, 0));
	DO(mknodat(dir_fd, "sock", S_IFSOCK | 0600, 0));
	DO(mknod("bad", S_IFREG | 0600, (dev_t)1 << 40));
	DO(mknod("odd", S_IFDIR | 0600, 0));
	DO(truncate("new", 7));
	DO(truncate64("new", 5));
	DO(truncate("new", -1));
	DO(truncate("d", 0));
	DO(stat("new", &st));
	printf("size %ld, umask'd dir %o\n", (long)st.st_size, stat("d", &st) ? 0 : st.st_mode);
	DO(unlink("d"));
	DO(rmdir("d"));
	DO(rmdir("new"));
	DO(unlinkat(dir_fd, "d/e", 0));
	DO(unlinkat(dir_fd, "d/e", AT_REMOVEDIR));
	DO(unlinkat(dir_fd, "absent", 1 << 20));
	DO(remove("d/moved"));
	DO(remove("d"));
	DO(remove("d"));
	DO(remove("absent"));
	DO(unlink("fifo"));
}

static void temps(void)
{
	char file[] = "t-XXXXXX", suffixed[] = "t-XXXXXX.c", dir[] = "d-XXXXXX", bad[] = "XXXXX";

	OPEN(mkstemp(file));
	printf("named %d\n", access(file, F_OK) == 0 && !strstr(file, "XXXXXX"));
	OPEN(mkstemps(suffixed, 2));
	printf("named %d\n", access(suffixed, F_OK) == 0 && strcmp(suffixed + 8, ".c") == 0);
	OPEN(mkstemp(bad));
	OPEN(mkstemps(suffixed, 2));
	strcpy(file, "t-XXXXXX");
	OPEN(mkostemp(file, O_CLOEXEC | O_APPEND));
	strcpy(suffixed, "t-XXXXXX.c");
	OPEN(mkostemps64(suffixed, 2, O_CLOEXEC));
	printf("mkdtemp %d\n", mkdtemp(dir) == dir && access(dir, X_OK) == 0);
	printf("mkdtemp %d %s\n", mkdtemp(bad) != NULL, strerrorname_np(errno));
}

/* ------------------------------------------------------ threads, signals, vfork */

static void *blocked(void *arg)
{
	(void)arg;
	open("pipe", O_RDONLY); /* nobody ever writes: only cancellation ends it */
	return NULL;
}

/* Waits until the thread sleeps in the kernel, then cancels it: open() must be interrupted. */
static void cancellation(void)
{
	pthread_t thread;
	void *result;

	DO(mkfifo("pipe", 0600));
	pthread_create(&thread, NULL, blocked, NULL);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled before: %d\n", result == PTHREAD_CANCELED);
	pthread_create(&thread, NULL, blocked, NULL);
	for (char state = 0; state != 'S';) {
		char path[64], text[256];
		DIR *tasks = opendir("/proc/self/task");
		int fd = -1;

		for (struct dirent *e; (e = readdir(tasks)) != NULL;) {
			snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", e->d_name);
			if (e->d_name[0] != '.' && atoi(e->d_name) != getpid())
				fd = open(path, O_RDONLY);
		}
		closedir(tasks);
		text[0] = '\0';
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
			state = strrchr(text, ')')[2];
		close(fd);
	}
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled in the kernel: %d\n", result == PTHREAD_CANCELED);
}

static void on_signal(int signal)
{
	int fd = open("new", O_RDONLY);

	(void)signal;
	close(fd);
}

static void contexts(void)
{
	int status;
	pid_t pid;

	signal(SIGUSR1, on_signal);
	for (int i = 0; i < 100; i++) {
		raise(SIGUSR1);
		close(open("new", O_RDONLY));
	}
	pid = vfork();
	if (pid == 0) {
		int fd = open("new", O_RDONLY);

		_exit(fd >= 0 && close(fd) == 0 ? 42 : 1);
	}
	waitpid(pid, &status, 0);
	printf("vfork: %d\n", WEXITSTATUS(status));
}

static int early = -2;

__attribute__((constructor)) static void before_main(void)
{
	early = open("/", O_RDONLY | O_DIRECTORY);
	close(early);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) < 0)
		return 2;
	umask(027);
	dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	printf("constructor: %d\n", early >= 0);
	opens();
	streams();
	directory(".");
	directory("absent");
	directory("new");
	directory("");
	scans();
	globs();
	nameless();
	names();
	temps();
	cancellation();
	contexts();
	return 0;
}
