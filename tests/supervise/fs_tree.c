/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "base/cleanup.h"
#include "fs_tree.h"
#include "tests/tap.h"

static void put(int dir, const char *name, mode_t mode)
{
	rv_autoclose int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, name, strlen(name)) == (ssize_t)strlen(name));
	CHECK(fchmod(fd, mode) == 0);
}

/* user::rwx user:1:rw- group::r-- mask::rw- other::--- as the kernel stores it. */
static void put_default_acl(int dir, const char *name)
{
	static const uint16_t acl[][4] = {{2, 0}, {1, 7, 0xffff, 0xffff}, {2, 6, 1, 0},
		{4, 4, 0xffff, 0xffff}, {16, 6, 0xffff, 0xffff}, {32, 0, 0xffff, 0xffff}};
	char value[4 + 5 * 8];
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	memcpy(value, acl[0], 4);
	for (int i = 1; i < 6; i++)
		memcpy(value + 4 + (i - 1) * 8, acl[i], 8);
	/* Not every file system has them: then the umask counts, everywhere alike. */
	(void)fsetxattr(fd, "system.posix_acl_default", value, sizeof(value), 0);
	close(fd);
}

static void make_links(int dir)
{
	static const char *const links[][2] = {{"file", "link"}, {"new", "dangling"},
		{"dangling", "dangling2"}, {"dir", "dirlink"}, {"loop", "loop"},
		{"dir/deep", "dir/../danglingdir"}, {"/nowhere/x", "absolute"},
		{"dir/", "slashlink"}, {"new/", "slashdangling"}};

	for (size_t i = 0; i < RV_COUNT(links); i++)
		CHECK(symlinkat(links[i][0], dir, links[i][1]) == 0);
	CHECK(linkat(dir, "file", dir, "dir/hard", 0) == 0);
}

static void give(int dir, int other)
{
	static const char *const names[] = {"sticky", "sticky/theirs", "theirs", "world"};

	for (size_t i = 0; other && i < RV_COUNT(names); i++)
		CHECK(fchownat(dir, names[i], (uid_t)other, (gid_t)other, 0) == 0);
}

void tree_make(const char *path, int other)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {{"dir", 0755}, {"dir/sub", 0700}, {"empty", 0755}, {"sticky", 01777},
		{"acl", 0755}, {"closed", 0}, {"readable", 0555}, {"setgid", 02775},
		{"world", 0777}},
	  files[] = {{"file", 0644}, {"dir/inner", 0600}, {"dir/sub/leaf", 0640},
		  {"sticky/theirs", 0666}, {"none", 0}, {"ro", 0444}, {"exec", 0755},
		  {"theirs", 0644}, {"odd (deleted)", 0644}};
	rv_autoclose int dir = open(path, O_PATH | O_DIRECTORY);

	umask(0);
	CHECK(dir >= 0);
	for (size_t i = 0; i < RV_COUNT(dirs); i++)
		CHECK(mkdirat(dir, dirs[i].name, 0700) == 0);
	put_default_acl(dir, "acl");
	for (size_t i = 0; i < RV_COUNT(files); i++)
		put(dir, files[i].name, files[i].mode);
	make_links(dir);
	CHECK(mkfifoat(dir, "fifo", 0666) == 0);
	CHECK(mknodat(dir, "socket", S_IFSOCK | 0666, 0) == 0);
	give(dir, other);
	for (size_t i = 0; i < RV_COUNT(dirs); i++)
		CHECK(fchmodat(dir, dirs[i].name, dirs[i].mode, 0) == 0);
}

/* ---- telling */

struct told {
	char *buf;
	size_t size, length;
};

static void tell(struct told *told, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	told->length +=
		(size_t)vsnprintf(told->buf + told->length, told->size - told->length, fmt, args);
	va_end(args);
	CHECK(told->length < told->size);
}

static void tell_content(struct told *told, int dir, const char *name, const struct stat *st)
{
	char text[300] = "";
	ssize_t n = 0;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir, name, text, 60);
	} else if (S_ISREG(st->st_mode)) {
		/* Readable for us whatever its mode: a user's own file is made so for a moment. */
		rv_autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);

		n = fd < 0 ? 0 : read(fd, text, 60);
	}
	tell(told, " size %lld \"%.*s\"", S_ISDIR(st->st_mode) ? 0LL : (long long)st->st_size,
		n > 0 ? (int)n : 0, text);
}

static void tell_dir(struct told *told, int dir, const char *prefix);

static void tell_entry(struct told *told, int dir, const char *prefix, const char *name)
{
	struct stat st;
	char path[PATH_MAX];

	CHECK(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	tell(told, "%s%.40s %o %u:%u links %lu rdev %lx", prefix, name, st.st_mode, st.st_uid,
		st.st_gid, (unsigned long)st.st_nlink, (unsigned long)st.st_rdev);
	tell_content(told, dir, name, &st);
	tell(told, "\n");
	if (!S_ISDIR(st.st_mode))
		return;
	snprintf(path, sizeof(path), "%s%s/", prefix, name);
	tell_dir(told, openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
}

static int compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void tell_dir(struct told *told, int dir, const char *prefix)
{
	struct dirent **entries = NULL;
	int n;

	if (dir < 0) {
		tell(told, "%s closed\n", prefix);
		return;
	}
	n = scandirat(dir, ".", &entries, NULL, compare);
	for (int i = 0; i < n; i++) {
		if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
			tell_entry(told, dir, prefix, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	close(dir);
}

void tree_tell(const char *path, char *buf, size_t size)
{
	struct told told = {buf, size, 0};

	buf[0] = '\0';
	tell_dir(&told, open(path, O_RDONLY | O_DIRECTORY), "");
}

/* ---- removing */

static void wipe_dir(int dir)
{
	struct dirent **entries = NULL;
	int n;

	if (fchmod(dir, 0700) < 0) {
		/* Then it is another's, and we are root. */
	}
	n = scandirat(dir, ".", &entries, NULL, NULL);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
			unlinkat(dir, name, 0) < 0) {
			CHECK(fchmodat(dir, name, 0700, 0) == 0);
			wipe_dir(openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
			CHECK(unlinkat(dir, name, AT_REMOVEDIR) == 0);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	close(dir);
}

void tree_wipe(const char *path)
{
	wipe_dir(open(path, O_RDONLY | O_DIRECTORY));
}
