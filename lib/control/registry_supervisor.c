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
#include <string.h>
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

/* ------------------------------------------------------------------------ a statement */

/* The id but for its first bit: places are signed. */
static struct flock place_of(uint64_t domain)
{
	return (struct flock){.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(domain & INT64_MAX),
		.l_len = 1};
}

int rv_registry_state_all_below(int fd, uint64_t domain)
{
	struct flock place = place_of(domain);

	return fcntl(fd, F_SETLK, &place) < 0 ? -errno : 0;
}

/* "lock:\t1: POSIX  ADVISORY  WRITE 8692 fd:00:1234 START END", a line for each lock. */
static bool is_locked(const char *fdinfo, const struct flock *place)
{
	char end[64];
	size_t length = (size_t)snprintf(end, sizeof(end), " %lld %lld\n",
		(long long)place->l_start, (long long)place->l_start);
	const char *line = fdinfo, *newline, *kind;

	while ((line = strstr(line, "\nlock:\t")) && (newline = strchr(++line, '\n'))) {
		kind = strstr(line, ": POSIX  ADVISORY  WRITE ");
		if (kind && kind + length < newline &&
			strncmp(newline + 1 - length, end, length) == 0)
			return true;
	}
	return false;
}

static bool holds_lock(pid_t pid, int fd, const struct flock *place)
{
	char path[48], text[4096];
	rv_autoclose int file = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	n = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 && is_locked(text, place);
}

/*
 * Not F_GETLK: that tells a number, and who shared descriptors with somebody who had the
 * supervisor's pid before could hold locks in its name. Who has the pid afterwards and began when
 * the supervisor did had it all the time.
 */
bool rv_registry_is_all_below(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	const struct flock place = place_of(certificate->domain);
	int fd = rv_registry_statement(registry, certificate);
	struct rv_process_id holder;

	if (fd < 0 || !holds_lock(certificate->supervisor.pid, fd, &place))
		return false;
	holder = rv_process_id_of(certificate->supervisor.pid);
	return rv_process_id_same(&holder, &certificate->supervisor);
}

/* ------------------------------------------------------------------------- its domains */

struct supervised {
	const struct rv_process_id *id;
	int (*fn)(void *data, const struct rv_certificate *certificate);
	void *data;
	int fd;
};

/* What one getdents(2) gave. */
static int call_each(const struct supervised *each, const char *entries, size_t size)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < size;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		struct rv_certificate certificate;

		at += entry->d_reclen;
		if (rv_entry_domain(entry->d_name, "") &&
			rv_certificate_read(each->fd, entry->d_name, &certificate) == 0 &&
			rv_process_id_same(&certificate.supervisor, each->id))
			r = each->fn(each->data, &certificate);
	}
	return r;
}

/* Nearly always one domain: opendir(3) would take four calls and 32 KiB for it. */
int rv_registry_supervised(const struct rv_registry *registry, const struct rv_process_id *id,
	int (*fn)(void *data, const struct rv_certificate *certificate), void *data)
{
	rv_autoclose int fd = registry->fd < 0 ? -ENOENT : open_directory(registry, id->pid);
	const struct supervised each = {id, fn, data, fd};
	_Alignas(struct dirent64) char entries[4096];
	ssize_t n = 0;
	int r = 0;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	while (r == 0 && (n = getdents64(fd, entries, sizeof(entries))) > 0)
		r = call_each(&each, entries, (size_t)n);
	return r == 0 && n < 0 ? -errno : r;
}
