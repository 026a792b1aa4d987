/* SPDX-License-Identifier: MIT */
/* What a call means is changed while it is judged: path, directory, descriptor, flags, links. */
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "hostile.h"

/* ------------------------------------------------------------- the path in memory */

/*
 * A path whose directory is `live` or `shut`, as another thread writes it. Pauses of changing
 * length let both the look and the second look of a racy supervisor see either.
 */
struct path {
	char text[PATH_MAX];
	char *word; /* the four letters within */
	unsigned int round;
};

static void pause_a_while(unsigned int round)
{
	for (volatile unsigned int i = 0; i < round % 97 * 40; i++)
		;
	if (round % 13 == 0)
		sched_yield();
}

static void flip_word(void *arg)
{
	struct path *path = arg;

	memcpy(path->word, "live", 4);
	pause_a_while(path->round++);
	memcpy(path->word, "shut", 4);
	pause_a_while(path->round++);
}

struct call {
	const char *name;		       /* of the entry in either directory */
	bool (*act)(const char *flipping);     /* true: it was done */
	bool (*was_shut)(const char *in_shut); /* the one it must never reach was reached */
	void (*again)(const char *in_live);    /* puts back what was done in `live` */
};

static void race_path(const struct call *call)
{
	struct path path = {.round = 0};
	char in_shut[PATH_MAX], in_live[PATH_MAX], name[64];
	struct flipper flipper;

	snprintf(name, sizeof(name), "live/%s", call->name);
	snprintf(in_live, sizeof(in_live), "%s", in_work(name));
	snprintf(name, sizeof(name), "shut/%s", call->name);
	snprintf(in_shut, sizeof(in_shut), "%s", in_work(name));
	strcpy(path.text, in_live);
	path.word = path.text + strlen(work) + 1;
	flipper_start(&flipper, flip_word, &path);
	while (more()) {
		bool done = call->act(path.text);

		score->tries++;
		if (call->was_shut(in_shut)) {
			score->hits++;
			break; /* what is gone there cannot be put back */
		}
		if (!done)
			continue;
		score->grants++;
		if (call->again)
			call->again(in_live);
	}
	flipper_end(&flipper);
}

static char seen[16];

static bool open_it(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(seen, 0, sizeof(seen));
	if (fd < 0)
		return false;
	NEED(read(fd, seen, sizeof(seen) - 1) > 0);
	close(fd);
	return true;
}

static bool secret_seen(const char *in_shut)
{
	(void)in_shut;
	return strncmp(seen, "secret", 6) == 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool is_gone(const char *path)
{
	return !exists(path);
}

static bool is_empty(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_size == 0;
}

static bool create_it(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool mkdir_it(const char *path)
{
	return mkdir(path, 0700) == 0;
}

static bool mknod_it(const char *path)
{
	return mkfifo(path, 0600) == 0;
}

static bool symlink_it(const char *path)
{
	return symlink("elsewhere", path) == 0;
}

static bool unlink_it(const char *path)
{
	return unlink(path) == 0;
}

static bool rmdir_it(const char *path)
{
	return rmdir(path) == 0;
}

static bool truncate_it(const char *path)
{
	return truncate(path, 0) == 0;
}

/* From either directory into `live`, where it can be read. */
static bool rename_it(const char *path)
{
	return rename(path, in_work("live/got")) == 0;
}

static bool link_it(const char *path)
{
	return link(path, in_work("live/got")) == 0;
}

static bool rename_into_it(const char *path)
{
	return rename(in_work("live/f"), path) == 0;
}

static void unlink_again(const char *path)
{
	NEED(unlink(path) == 0);
}

static void rmdir_again(const char *path)
{
	NEED(rmdir(path) == 0);
}

static void create_again(const char *path)
{
	NEED(create_it(path));
}

static void mkdir_again(const char *path)
{
	NEED(mkdir_it(path));
}

static void rename_again(const char *path)
{
	NEED(rename(in_work("live/got"), path) == 0);
}

static void unlink_got(const char *path)
{
	(void)path;
	NEED(unlink(in_work("live/got")) == 0);
}

static bool secret_got(const char *path)
{
	(void)path;
	return exists(in_work("live/got")) && reads_as(in_work("live/got"), "secret");
}

static void rename_back(const char *path)
{
	NEED(rename(path, in_work("live/f")) == 0);
}

static void path_open(void)
{
	race_path(&(struct call){"f", open_it, secret_seen, NULL});
}

static void path_create(void)
{
	race_path(&(struct call){"new", create_it, exists, unlink_again});
}

static void path_mkdir(void)
{
	race_path(&(struct call){"newdir", mkdir_it, exists, rmdir_again});
}

static void path_mknod(void)
{
	race_path(&(struct call){"fifo", mknod_it, exists, unlink_again});
}

static void path_symlink(void)
{
	race_path(&(struct call){"link", symlink_it, exists, unlink_again});
}

static void path_unlink(void)
{
	NEED(create_it(in_work("live/u")));
	race_path(&(struct call){"u", unlink_it, is_gone, create_again});
}

static void path_rmdir(void)
{
	NEED(mkdir_it(in_work("live/d")));
	race_path(&(struct call){"d", rmdir_it, is_gone, mkdir_again});
}

static void path_truncate(void)
{
	race_path(&(struct call){"t", truncate_it, is_empty, NULL});
}

static void path_rename(void)
{
	race_path(&(struct call){"f", rename_it, secret_got, rename_again});
}

static void path_rename_into(void)
{
	race_path(&(struct call){"moved", rename_into_it, exists, rename_back});
}

static void path_link(void)
{
	race_path(&(struct call){"f", link_it, secret_got, unlink_got});
}

/* ------------------------------------------------------- what a relative path is below */

static void tell(bool secret)
{
	score->tries++;
	score->hits += secret;
	score->grants += strncmp(seen, "good", 4) == 0;
}

struct directories {
	int live, shut, used;
	unsigned int round;
};

static void flip_dirfd(void *arg)
{
	struct directories *d = arg;

	dup2(d->live, d->used);
	pause_a_while(d->round++);
	dup2(d->shut, d->used);
	pause_a_while(d->round++);
}

static void open_directories(struct directories *d)
{
	d->live = open(in_work("live"), O_PATH | O_CLOEXEC);
	d->shut = open(in_work("shut"), O_PATH | O_CLOEXEC);
	d->used = dup(d->live);
	d->round = 0;
	NEED(d->live >= 0 && d->shut >= 0 && d->used >= 0);
}

static bool open_below(int dir)
{
	int fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);

	memset(seen, 0, sizeof(seen));
	if (fd < 0)
		return false;
	NEED(read(fd, seen, sizeof(seen) - 1) > 0);
	close(fd);
	return secret_seen(NULL);
}

static void dirfd(void)
{
	struct directories d;
	struct flipper flipper;

	open_directories(&d);
	flipper_start(&flipper, flip_dirfd, &d);
	while (more())
		tell(open_below(d.used));
	flipper_end(&flipper);
}

static void flip_cwd(void *arg)
{
	struct directories *d = arg;

	NEED(fchdir(d->live) == 0);
	pause_a_while(d->round++);
	NEED(fchdir(d->shut) == 0);
	pause_a_while(d->round++);
}

static void cwd(void)
{
	struct directories d;
	struct flipper flipper;

	open_directories(&d);
	flipper_start(&flipper, flip_cwd, &d);
	while (more())
		tell(open_below(AT_FDCWD));
	flipper_end(&flipper);
}

/* -------------------------------------------------------------- what a path leads to */

static void exchange(void *arg)
{
	const char *const *names = arg;

	NEED(tagged(SYS_renameat2, AT_FDCWD, (long)names[0], AT_FDCWD, (long)names[1],
		     2 /* RENAME_EXCHANGE */) == 0);
	pause_a_while((unsigned int)rand());
}

/* Two symbolic links change places, in a directory that the kernel lets it write. */
static void swap_links(void)
{
	static char a[PATH_MAX + 8], b[PATH_MAX + 8];
	const char *names[] = {a, b};
	char path[PATH_MAX + 16];
	struct flipper flipper;

	snprintf(a, sizeof(a), "%s/floor/a", work);
	snprintf(b, sizeof(b), "%s/floor/b", work);
	snprintf(path, sizeof(path), "%s/f", a);
	NEED(symlink(in_work("live"), a) == 0 && symlink(in_work("shut"), b) == 0);
	flipper_start(&flipper, exchange, names);
	while (more()) {
		open_it(path);
		tell(secret_seen(NULL));
	}
	flipper_end(&flipper);
	NEED(unlink(a) == 0 && unlink(b) == 0);
}

static void exchange_trapped(void *arg)
{
	const char *const *names = arg;

	(void)syscall(SYS_renameat2, AT_FDCWD, names[0], AT_FDCWD, names[1], 2);
}

/* A directory and a symbolic link change places, in the one that the live rule lets it write. */
static void swap_directory(void)
{
	static char a[PATH_MAX + 8], b[PATH_MAX + 8];
	const char *names[] = {a, b};
	char path[PATH_MAX + 16];
	struct flipper flipper;

	snprintf(a, sizeof(a), "%s/live/a", work);
	snprintf(b, sizeof(b), "%s/live/b", work);
	snprintf(path, sizeof(path), "%s/f", a);
	NEED(mkdir(a, 0700) == 0 && link(in_work("live/f"), path) == 0);
	NEED(symlink(in_work("shut"), b) == 0);
	flipper_start(&flipper, exchange_trapped, names);
	while (more()) {
		open_it(path);
		tell(secret_seen(NULL));
	}
	flipper_end(&flipper);
}

/* ------------------------------------------------------------------------- sockets */

/* Which server is reached, by its first word. */
static void tell_server(int fd, bool connected)
{
	memset(seen, 0, sizeof(seen));
	NEED(!connected || read(fd, seen, sizeof(seen) - 1) >= 0);
	tell(secret_seen(NULL));
	close(fd);
}

static void fill_address(struct sockaddr_un *address, const char *path)
{
	address->sun_family = AF_UNIX;
	NEED(strlen(path) < sizeof(address->sun_path));
	strcpy(address->sun_path, path);
}

/* The path of an address flips between two servers. */
static void connect_path(void)
{
	struct sockaddr_un address;
	struct path path = {.word = address.sun_path + strlen(work) + 1};
	struct flipper flipper;

	fill_address(&address, in_work("live/s"));
	flipper_start(&flipper, flip_word, &path);
	while (more()) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		NEED(fd >= 0);
		tell_server(fd, connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	}
	flipper_end(&flipper);
}

/* The path stays, relative to a directory that another thread changes. */
static void connect_cwd(void)
{
	struct sockaddr_un address;
	struct directories d;
	struct flipper flipper;

	open_directories(&d);
	fill_address(&address, "s");
	flipper_start(&flipper, flip_cwd, &d);
	while (more()) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		NEED(fd >= 0);
		tell_server(fd, connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	}
	flipper_end(&flipper);
}

/* ------------------------------------------------------------------------ the flags */

struct flags {
	struct open_how how;
	unsigned int round;
};

static void flip_flags(void *arg)
{
	struct flags *flags = arg;
	volatile uint64_t *at = (volatile uint64_t *)&flags->how.flags;

	*at = O_RDONLY | O_CLOEXEC;
	pause_a_while(flags->round++);
	*at = O_RDWR | O_CLOEXEC;
	pause_a_while(flags->round++);
}

/* A file that may be read, opened by a struct in memory that says for what. */
static void open_how(void)
{
	struct flags flags = {.how.flags = O_RDONLY | O_CLOEXEC};
	struct flipper flipper;

	flipper_start(&flipper, flip_flags, &flags);
	while (more()) {
		int fd = (int)syscall(
			SYS_openat2, AT_FDCWD, in_work("look/f"), &flags.how, sizeof(flags.how));

		score->tries++;
		if (fd < 0)
			continue;
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
			score->grants++;
		else
			score->hits++;
		close(fd);
	}
	flipper_end(&flipper);
}

const struct attack race_attacks[] = {
	{"path-open", path_open},
	{"path-create", path_create},
	{"path-mkdir", path_mkdir},
	{"path-mknod", path_mknod},
	{"path-symlink", path_symlink},
	{"path-unlink", path_unlink},
	{"path-rmdir", path_rmdir},
	{"path-truncate", path_truncate},
	{"path-rename", path_rename},
	{"path-rename-into", path_rename_into},
	{"path-link", path_link},
	{"dirfd", dirfd},
	{"cwd", cwd},
	{"swap-links", swap_links},
	{"swap-directory", swap_directory},
	{"open-how", open_how},
	{"connect-path", connect_path},
	{"connect-cwd", connect_cwd},
	{NULL, NULL},
};
