/* SPDX-License-Identifier: MIT */
/*
 * The iterator as a file: each open(2) of it is a run over all tasks, and needs no more than the
 * permission to read it. The system's own bpffs is closed to ordinary users (systemd mounts it with
 * mode 0700), so ours is another.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "base/error.h"
#include "observe/host.h"

#define PARENT "/run/reeve"
#define PLACE  "/run/reeve/bpf"

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

static bool is_bpffs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

int rv_host_open_pinned(void)
{
	rv_autoclose int fd = open(REEVE_HOST_PIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	/* Opened, an iterator is an anonymous inode: what was opened is asked by its name. */
	if (lstat(REEVE_HOST_PIN, &st) < 0 || st.st_uid != 0)
		return -EPERM;
	return rv_steal_fd(&fd);
}

/* /run is root's; what is below is ours, or a mistake that must not be built upon. */
static int make_directory(const char *path, struct reeve_error *err)
{
	struct stat st;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return rv_error(err, -errno, "cannot make %s: %s", path, strerror(errno));
	if (lstat(path, &st) < 0)
		return rv_error(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return rv_error(err, -EPERM,
			"%s must be a directory of root's, and writable by nobody else", path);
	return 0;
}

static int mount_bpffs(struct reeve_error *err)
{
	rv_autoclose int fd = open(PLACE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && is_bpffs(fd))
		return 0;
	if (mount("reeve", PLACE, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return rv_error(
			err, -errno, "cannot mount a bpffs at " PLACE ": %s", strerror(errno));
	return 0;
}

/* Under a name of its own first: what is pinned is always whole, and of one version. */
static int pin(struct rv_iterator *iterator, mode_t mode, struct reeve_error *err)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), PLACE "/new-%d", (int)getpid());
	r = iterator->libbpf.link_pin(iterator->link, path);
	if (r < 0)
		return rv_error(
			err, r, "cannot pin the BPF iterator as %s: %s", path, strerror(-r));
	if (chmod(path, mode) == 0 && rename(path, REEVE_HOST_PIN) == 0)
		return 0;
	r = -errno;
	unlink(path);
	return rv_error(
		err, r, "cannot pin the BPF iterator as " REEVE_HOST_PIN ": %s", strerror(-r));
}

int reeve_host_pin(mode_t mode, struct reeve_error *err)
{
	rv_autoiterator iterator = {0};
	int r = rv_iterator_open(&iterator, err);

	if (r == 0)
		r = make_directory(PARENT, err);
	if (r == 0)
		r = make_directory(PLACE, err);
	if (r == 0)
		r = mount_bpffs(err);
	return r < 0 ? r : pin(&iterator, mode, err);
}

/* The last two are the kernel's own, in every bpffs where it was built so (BPF_PRELOAD). */
static bool is_somebodys(const char *name)
{
	static const char *const nobodys[] = {".", "..", "maps.debug", "progs.debug"};

	for (size_t i = 0; i < RV_COUNT(nobodys); i++)
		if (strcmp(name, nobodys[i]) == 0)
			return false;
	return true;
}

static bool is_unused(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool unused = dir != NULL;

	while (unused && (entry = readdir(dir)))
		unused = !is_somebodys(entry->d_name);
	if (dir)
		closedir(dir);
	return unused;
}

int reeve_host_unpin(struct reeve_error *err)
{
	int r = unlink(REEVE_HOST_PIN) < 0 ? -errno : 0;

	if (r == -ENOENT)
		return rv_error(err, r, "nothing is pinned as " REEVE_HOST_PIN);
	if (r < 0)
		return rv_error(err, r, "cannot remove " REEVE_HOST_PIN ": %s", strerror(-r));
	/* What fails now is in use by somebody else, and stays. */
	if (is_unused(PLACE) && umount2(PLACE, UMOUNT_NOFOLLOW) == 0)
		rmdir(PLACE);
	rmdir(PARENT);
	return 0;
}
