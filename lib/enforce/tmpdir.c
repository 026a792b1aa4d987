/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/tmpdir.h"

/*
 * Removing one directory costs as much as all of a start's other work on it (50 to 250 µs), so it
 * is done when this many are there; and then at most so many entries, some hundred milliseconds:
 * the next start goes on.
 */
#define STALE_MIN    8
#define STALE_BUDGET 20000

#define DAY 86400

/* ------------------------------------------------------------------------ names */

/* A process, as a directory's name tells it. */
struct owner {
	unsigned long long pid, time, place;
};

static void format_name(const struct owner *owner, unsigned int again, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%llu-%llu-%llu", owner->pid, owner->time, owner->place);

	if (again && n > 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, "-%u", again);
}

/* Decimal digits, then the end or a dash; NULL where it is anything else. */
static const char *parse_number(const char *s, unsigned long long *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return NULL;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	if (errno || (*end != '\0' && *end != '-'))
		return NULL;
	return *end ? end + 1 : end;
}

static int parse_name(const char *name, struct owner *ret)
{
	const char *s = parse_number(name, &ret->pid);

	s = s ? parse_number(s, &ret->time) : NULL;
	s = s ? parse_number(s, &ret->place) : NULL;
	return s ? 0 : -EINVAL;
}

/*
 * Field 22, counted from the last ')', because the second field is the name of a program and may
 * contain anything. -ENOENT: no such process.
 */
static int start_time(unsigned long long pid, unsigned long long *ret)
{
	char path[64], text[1024];
	const char *s;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%llu/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ENOENT; /* it died in between: ESRCH */
	text[n] = '\0';
	s = strrchr(text, ')');
	for (int field = 2; s && field < 22; field++)
		s = strchr(s + 1, ' ');
	return s && sscanf(s, " %llu", ret) == 1 ? 0 : -EINVAL;
}

/* FNV-1a of the host's name, from the device of /proc on. Short: TMPDIR is part of sun_path. */
static unsigned int hash_place(dev_t proc, const char *host)
{
	unsigned int hash = 0x811c9dc5u ^ (unsigned int)proc;

	for (; *host; host++)
		hash = (hash ^ (unsigned char)*host) * 0x01000193u;
	return hash;
}

static int find_self(struct owner *ret)
{
	unsigned long long tick = (unsigned long long)sysconf(_SC_CLK_TCK);
	struct utsname host;
	struct timespec now;
	struct stat st;

	if (stat("/proc", &st) < 0 || uname(&host) < 0 || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return -errno;
	ret->pid = (unsigned long long)getpid();
	ret->time = (unsigned long long)now.tv_sec * tick +
		    (unsigned long long)now.tv_nsec * tick / 1000000000u;
	ret->place = hash_place(st.st_dev, host.nodename);
	return 0;
}

/* ------------------------------------------------------------------------ stale */

bool rv_tmpdir_is_old(time_t changed, time_t now, time_t uptime)
{
	return changed < now - uptime && changed < now - 10 * DAY;
}

/* Of another place no pid can be asked about. */
static bool is_old(int base_fd, const char *name)
{
	struct timespec now, uptime;
	struct stat st;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	       clock_gettime(CLOCK_BOOTTIME, &uptime) == 0 &&
	       fstatat(base_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       rv_tmpdir_is_old(st.st_ctim.tv_sec, now.tv_sec, uptime.tv_sec);
}

/* Gone for certain: hidepid hides only processes of others, and these are our own. */
static bool is_stale(int base_fd, const char *name, const struct owner *self)
{
	unsigned long long start;
	struct owner owner;
	int r;

	if (parse_name(name, &owner) < 0)
		return false;
	if (owner.place != self->place)
		return is_old(base_fd, name);
	r = start_time(owner.pid, &start);
	return r == -ENOENT || (r == 0 && start > owner.time);
}

/*
 * Most file systems count a directory's subdirectories in its links, which costs nothing to ask.
 * Those that do not (btrfs) always say 1: there every start looks. Else it is each STALE_MIN-th
 * that looks: there may be many that are in use.
 */
static bool have_gathered(int base_fd)
{
	struct stat st;

	if (fstat(base_fd, &st) < 0 || st.st_nlink < 2)
		return true;
	return st.st_nlink >= STALE_MIN + 2 && (st.st_nlink - 2) % STALE_MIN == 0;
}

static void remove_stale(int base_fd, const struct owner *self)
{
	DIR *dir;
	size_t budget = STALE_BUDGET;
	struct dirent *entry;
	int fd;

	if (!have_gathered(base_fd))
		return;
	fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		rv_close_p(&fd);
		return;
	}
	while (budget && (entry = readdir(dir))) {
		if (is_stale(base_fd, entry->d_name, self))
			rv_remove_tree(base_fd, entry->d_name, &budget);
	}
	closedir(dir);
}

/* ----------------------------------------------------------------------- making */

static int check_private(int fd, const char *path, struct reeve_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rv_error(err, -errno, "%s: %s", rv_q(path), strerror(errno));
	if (st.st_uid == geteuid() && (st.st_mode & 07777) == 0700)
		return 0;
	rv_error(err, -EPERM, "%s: must belong to user %u and have mode 0700, has %u and %04o",
		rv_q(path), (unsigned int)geteuid(), (unsigned int)st.st_uid,
		(unsigned int)st.st_mode & 07777);
	rv_error_hint(err, "remove it, or set TMPDIR to a directory of your own");
	return -EPERM;
}

/* BASE/reeve-UID: made where it is missing, believed only where nobody else can write into it. */
static int open_base(const char *base, char *path, size_t size, struct reeve_error *err)
{
	int rv_autoclose fd = -1;
	int r = snprintf(path, size, "%s/reeve-%u", base, (unsigned int)geteuid());

	if (r < 0 || (size_t)r >= size)
		return rv_error(err, -ENAMETOOLONG, "TMPDIR: too long");
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		r = rv_error(err, -errno, "%s: cannot make the private TMPDIR: %s", rv_q(path),
			strerror(errno));
		rv_error_hint(err, "set TMPDIR to a directory that you can write to");
		return r;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		r = rv_error(err, -errno, "%s: not a private directory: %s", rv_q(path),
			strerror(errno));
		rv_error_hint(err, "remove it, or set TMPDIR to a directory of your own");
		return r;
	}
	r = check_private(fd, path, err);
	return r ? r : rv_steal_fd(&fd);
}

/*
 * The name may be taken: by an earlier run in this same process, or from before a reboot. Then the
 * next one is used.
 */
static int make_own(int base_fd, const struct owner *self, char *name, size_t size)
{
	for (unsigned int again = 0; again < 1000; again++) {
		format_name(self, again, name, size);
		if (mkdirat(base_fd, name, 0700) == 0)
			return openat(base_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int fill(struct rv_tmpdir *tmpdir, const char *base_path, const struct owner *self,
	struct reeve_error *err)
{
	int n;

	tmpdir->fd = make_own(tmpdir->parent_fd, self, tmpdir->name, sizeof(tmpdir->name));
	if (tmpdir->fd < 0)
		return rv_error(err, -errno, "%s: cannot make the private TMPDIR: %s",
			rv_q(base_path), strerror(errno));
	n = snprintf(tmpdir->path, sizeof(tmpdir->path), "%s/%s", base_path, tmpdir->name);
	if (n < 0 || (size_t)n >= sizeof(tmpdir->path))
		return rv_error(err, -ENAMETOOLONG, "TMPDIR: too long");
	return 0;
}

int rv_tmpdir_make(struct rv_tmpdir *tmpdir, struct reeve_error *err)
{
	const char *base = getenv("TMPDIR");
	char path[PATH_MAX];
	struct owner self = {0};
	int r = find_self(&self);

	if (r)
		return rv_error(err, r, "private TMPDIR: cannot look at /proc: %s", strerror(-r));
	if (!base || base[0] != '/')
		base = "/tmp";
	tmpdir->parent_fd = open_base(base, path, sizeof(path), err);
	if (tmpdir->parent_fd < 0)
		return tmpdir->parent_fd;
	remove_stale(tmpdir->parent_fd, &self);
	r = fill(tmpdir, path, &self, err);
	if (r)
		rv_tmpdir_undo(tmpdir);
	return r;
}

void rv_tmpdir_close(struct rv_tmpdir *tmpdir)
{
	rv_close_p(&tmpdir->fd);
	rv_close_p(&tmpdir->parent_fd);
	tmpdir->fd = tmpdir->parent_fd = -1;
}

void rv_tmpdir_undo(struct rv_tmpdir *tmpdir)
{
	if (tmpdir->fd >= 0)
		unlinkat(tmpdir->parent_fd, tmpdir->name, AT_REMOVEDIR);
	rv_tmpdir_close(tmpdir);
}
