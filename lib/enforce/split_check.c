/* SPDX-License-Identifier: MIT */
/* Whether what is denied can be told from other objects: by its names, by its inode. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "base/error.h"
#include "enforce/split.h"

#ifndef FS_CASEFOLD_FL
#define FS_CASEFOLD_FL 0x40000000
#endif

/* Of a denied tree at most so many entries are looked at: a start must not take seconds. */
#define ENTRIES_MAX 20000
#define DEPTH_MAX   64

/* ------------------------------------------------------------------ file systems */

/* Names that are folded or mapped, inodes that are made up, or both. */
static const struct {
	unsigned long magic;
	const char *name;
} untrusted[] = {
	{0x4d44, "vfat"},
	{0x2011bab0, "exfat"},
	{0x5346544e, "ntfs"},
	{0x7366746e, "ntfs3"},
	{0xff534d42, "cifs"},
	{0xfe534d42, "smb2"},
	{0x517b, "smb"},
	{0x65735546, "FUSE"},
	{0x01021997, "9p"},
	{0x4244, "hfs"},
	{0x482b, "hfsplus"},
	{0x9660, "iso9660"},
	{0x15013346, "udf"},
	{0xadf5, "adfs"},
	{0xadff, "affs"},
	{0xf995e849, "hpfs"},
	{0x5346414f, "afs"},
	{0x786f4256, "vboxsf"},
};

static int untrusted_error(struct reeve_error *err, const char *path, const char *what)
{
	rv_error(err, -EOPNOTSUPP, "%s: nothing can be denied inside of a grant here: %s",
		rv_q(path), what);
	rv_error_hint(err,
		"grant the directories beside it one by one, or move it to a file system "
		"such as ext4, xfs, btrfs or tmpfs");
	return -EOPNOTSUPP;
}

/* Whether another spelling of an entry's name finds the same object. */
static bool folds(int dir, const char *entry)
{
	char other[NAME_MAX + 1];
	struct stat a, b;
	size_t i = 0;

	for (; entry[i] && i < NAME_MAX; i++)
		other[i] =
			(char)(islower((unsigned char)entry[i]) ? toupper((unsigned char)entry[i])
								: tolower((unsigned char)entry[i]));
	other[i] = '\0';
	if (strcmp(other, entry) == 0)
		return false;
	return fstatat(dir, entry, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dir, other, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino && a.st_nlink == b.st_nlink && a.st_nlink == 1;
}

int rv_split_check_names(int fd, const char *path, const char *entry, struct reeve_error *err)
{
	char what[64];
	struct statfs fs;
	int flags = 0;

	if (fstatfs(fd, &fs) < 0)
		return rv_error(err, -errno, "%s: %s", rv_q(path), strerror(errno));
	for (size_t i = 0; i < RV_COUNT(untrusted); i++) {
		if (untrusted[i].magic != (unsigned long)fs.f_type)
			continue;
		snprintf(what, sizeof(what), "names or inodes of %s do not identify an object",
			untrusted[i].name);
		return untrusted_error(err, path, what);
	}
	/* An O_PATH descriptor takes no ioctl: then a directory was checked with another one. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL))
		return untrusted_error(err, path, "the directory folds case");
	if (entry && folds(fd, entry))
		return untrusted_error(err, path, "the file system folds case");
	return 0;
}

/* ---------------------------------------------------------------- what is denied */

struct look {
	const struct reeve_rule *rule;
	struct reeve_error *err;
	unsigned int left, depth;
};

static int refuse_link(const struct look *look, const char *name)
{
	char why[NAME_MAX + 128];

	snprintf(why, sizeof(why),
		"%s%shas another name (hard link), under which it could be reached",
		name ? rv_q(name) : "it", name ? " in it " : " ");
	rv_split_error(look->err, -EOPNOTSUPP, look->rule, why);
	rv_error_hint(look->err,
		"make it a file of its own (cp FILE FILE.new && mv FILE.new FILE; find -samefile "
		"finds the other name), or grant what is needed beside it instead of the tree "
		"above it");
	return -EOPNOTSUPP;
}

static int look_into(struct look *look, int dir);

static int look_at_entry(struct look *look, int dir, const char *name)
{
	rv_autoclose int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return st.st_nlink > 1 ? refuse_link(look, name) : 0;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? 0 : look_into(look, fd);
}

static int look_into(struct look *look, int dir)
{
	int fd =
		look->depth < DEPTH_MAX ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!stream) {
		rv_close_p(&fd);
		return 0;
	}
	look->depth++;
	while (r == 0 && look->left && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		look->left--;
		r = look_at_entry(look, fd, entry->d_name);
	}
	look->depth--;
	closedir(stream);
	return r;
}

int rv_split_check_denied(int fd, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct look look = {.rule = rule, .err = err, .left = ENTRIES_MAX};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return rv_split_error(err, -errno, rule, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return look_into(&look, fd);
	/* A symbolic link is denied for its place, and under another name it leads nowhere else. */
	return st.st_nlink > 1 && !S_ISLNK(st.st_mode) ? refuse_link(&look, NULL) : 0;
}
