/* SPDX-License-Identifier: MIT */
/*
 * From a supervisor to its domains: "supervisor-PID", a directory with a link for each of them,
 * named by the id, whose text is the certificate. So it takes no walk over all domains to find out
 * whether an ancestor is one. As everywhere here, only a certificate that holds is believed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control/registry.h"

#define NAME_SIZE 32
#define TRIES	  16

static char *name_of(pid_t pid, char buf[NAME_SIZE])
{
	snprintf(buf, NAME_SIZE, "supervisor-%d", (int)pid);
	return buf;
}

static int open_directory(const struct rv_registry *registry, pid_t pid)
{
	char name[NAME_SIZE];
	int fd = openat(
		registry->fd, name_of(pid, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* -ENOENT: another of this supervisor's domains ended, and took the directory with it. */
static int make_link(const struct rv_registry *registry, const struct rv_certificate *certificate,
	const char *text)
{
	pid_t pid = certificate->supervisor.pid;
	char name[NAME_SIZE], id[RV_ENTRY_NAME];
	rv_autoclose int fd = -1;

	if (mkdirat(registry->fd, name_of(pid, name), 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_directory(registry, pid);
	if (fd < 0)
		return fd;
	rv_entry_name(certificate->domain, "", id);
	return symlinkat(text, fd, id) < 0 && errno != EEXIST ? -errno : 0;
}

int rv_registry_supervise(const struct rv_registry *registry,
	const struct rv_certificate *certificate, const char *text)
{
	int r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < TRIES; i++)
		r = make_link(registry, certificate, text);
	return r;
}

void rv_registry_unsupervise(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	pid_t pid = certificate->supervisor.pid;
	rv_autoclose int fd = pid > 0 ? open_directory(registry, pid) : -ENOENT;
	char name[NAME_SIZE], id[RV_ENTRY_NAME];

	if (fd < 0)
		return;
	unlinkat(fd, rv_entry_name(certificate->domain, "", id), 0);
	/* Unless others are in it. */
	unlinkat(registry->fd, name_of(pid, name), AT_REMOVEDIR);
}

static void close_dir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int rv_registry_supervised(const struct rv_registry *registry, const struct rv_process_id *id,
	int (*fn)(void *data, const struct rv_certificate *certificate), void *data)
{
	int fd = registry->fd < 0 ? -ENOENT : open_directory(registry, id->pid), r = 0;
	RV_CLEANUP(close_dir_p) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct rv_certificate certificate;
	struct dirent *entry;

	if (!dir) {
		r = fd < 0 ? fd : -errno;
		rv_close_p(&fd);
		return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (rv_certificate_read(dirfd(dir), entry->d_name, &certificate) == 0 &&
			rv_process_id_same(&certificate.supervisor, id))
			r = fn(data, &certificate);
	return r;
}
