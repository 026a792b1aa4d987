/* SPDX-License-Identifier: MIT */
/*
 * Removing a tree that a sandboxed program made, with the power of a process outside. Programs of
 * that sandbox may still run and change it meanwhile. What holds: every directory is entered by one
 * name below an open directory, never by "..", a symbolic link or a mount point; what is unlinked
 * is an entry of a directory that was reached so. A directory that the program moves away meanwhile
 * loses contents that the program could have removed itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "enforce/tmpdir.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* Open directories at once. Deeper ones are moved up to the root of the tree first. */
#define DEPTH_MAX 32

struct removal {
	int root_fd;
	size_t *budget;
	unsigned int moved;
	int error; /* the first */
};

static void note(struct removal *rm, int error)
{
	if (!rm->error && error != -ENOENT)
		rm->error = error;
}

/* Below `parent`, in the same mount, and a directory itself. */
static int open_below(int parent, const char *name, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	struct stat above, below;
	int rv_autoclose fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));

	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd < 0 ? -errno : rv_steal_fd(&fd);
	fd = openat(parent, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(parent, &above) < 0 || fstat(fd, &below) < 0)
		return -errno;
	return above.st_dev == below.st_dev ? rv_steal_fd(&fd) : -EXDEV;
}

/*
 * A directory that its owner may not read or write (module caches are made so): its mode is
 * changed through an O_PATH descriptor, which pins the object; a chmod by name could hit what a
 * symbolic link points to.
 */
static int open_locked(int parent, const char *name)
{
	int rv_autoclose pin = open_below(parent, name, O_PATH);
	char path[40];
	int fd;

	if (pin < 0)
		return pin;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pin);
	if (chmod(path, 0700) < 0)
		return -errno;
	fd = openat(pin, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_directory(int parent, const char *name)
{
	int fd = open_below(parent, name, O_RDONLY);
	struct stat st;

	if (fd == -EACCES)
		return open_locked(parent, name);
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)!fchmod(fd, 0700); /* root does not need it */
	return fd;
}

static void remove_in(struct removal *rm, int fd, unsigned int depth);

/* Up to the root, where a later pass finds it with depth 1. */
static void move_up(struct removal *rm, int parent, const char *name)
{
	char up[32];

	snprintf(up, sizeof(up), "reeve-moved-%u", rm->moved);
	if (renameat(parent, name, rm->root_fd, up) < 0)
		note(rm, -errno);
	rm->moved++; /* a name that is taken is not tried again */
}

static void remove_directory(struct removal *rm, int parent, const char *name, unsigned int depth)
{
	int fd;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return;
	if (depth >= DEPTH_MAX) {
		move_up(rm, parent, name);
		return;
	}
	fd = open_directory(parent, name);
	if (fd < 0) {
		note(rm, fd);
		return;
	}
	remove_in(rm, fd, depth + 1);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		note(rm, -errno);
}

static void remove_entry(
	struct removal *rm, int parent, const struct dirent *entry, unsigned int depth)
{
	if (entry->d_type != DT_DIR && unlinkat(parent, entry->d_name, 0) == 0)
		return;
	if (entry->d_type == DT_DIR || errno == EISDIR)
		remove_directory(rm, parent, entry->d_name, depth);
	else
		note(rm, -errno);
}

/* Takes the descriptor. */
static void remove_in(struct removal *rm, int fd, unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		note(rm, -errno);
		close(fd);
		return;
	}
	while (*rm->budget && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		--*rm->budget;
		remove_entry(rm, dirfd(dir), entry, depth);
	}
	closedir(dir);
}

int rv_remove_tree(int parent_fd, const char *name, size_t *budget)
{
	struct removal rm = {.root_fd = -1, .budget = budget};
	unsigned int moved;
	int fd;

	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	rm.root_fd = open_directory(parent_fd, name);
	if (rm.root_fd < 0)
		return rm.root_fd;
	do {
		moved = rm.moved;
		fd = openat(rm.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			remove_in(&rm, fd, 1);
	} while (fd >= 0 && rm.moved != moved && *budget);
	close(rm.root_fd);
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (!*budget)
		return -EAGAIN;
	return rm.error ? rm.error : -errno;
}
