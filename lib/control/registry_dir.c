/* SPDX-License-Identifier: MIT */
/* The registry's directory, and files in it. Nothing in it is trusted that is not ours. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/error.h"
#include "control/registry.h"
#include "supervise/domain_id.h"

/* The largest file that is read. Records hold at most 1024 denials. */
#define MAX_FILE (16u << 20)

/* -------------------------------------------------------------------- finding it */

/* Is this directory ours, and nobody else can write to it? */
static bool is_private_parent(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 022) == 0;
}

static int check_directory(int fd, const char *path, struct reeve_error *err)
{
	struct stat st;
	const char *wrong = NULL;

	if (fstat(fd, &st) < 0)
		return rv_error(err, -errno, "%s: %s", rv_q(path), strerror(errno));
	if (st.st_uid != geteuid())
		wrong = "belongs to another user";
	else if (st.st_mode & 077)
		wrong = "is open to other users";
	if (!wrong)
		return 0;
	rv_error(err, -EPERM, "%s %s, so it cannot be trusted with control sockets", rv_q(path),
		wrong);
	return rv_error_hint(err, "remove it, or set XDG_RUNTIME_DIR to a directory of mode 0700");
}

/* O_NOFOLLOW: a link in /tmp could be anybody's. */
static int open_in(int parent, const char *name, bool create, struct rv_registry *registry,
	struct reeve_error *err)
{
	rv_autoclose int fd = -1;
	int r;

	if (create && mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return rv_error(err, -errno, "%s: %s", rv_q(registry->path), strerror(errno));
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !create)
		return 0;
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		rv_error(err, -EPERM, "%s is not a directory", rv_q(registry->path));
		return rv_error_hint(err, "remove it, or set XDG_RUNTIME_DIR");
	}
	if (fd < 0)
		return rv_error(err, -errno, "%s: %s", rv_q(registry->path), strerror(errno));
	r = check_directory(fd, registry->path, err);
	if (r == 0)
		registry->fd = rv_steal_fd(&fd);
	return r;
}

/* A runtime directory that is there and ours. -1: it is not. */
static int open_parent(const char *path)
{
	rv_autoclose int fd = -1;

	if (!path || path[0] != '/')
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && is_private_parent(fd) ? rv_steal_fd(&fd) : -1;
}

static int open_below(
	const char *parent, bool create, struct rv_registry *registry, struct reeve_error *err)
{
	rv_autoclose int fd = open_parent(parent);

	if (fd < 0 || strlen(parent) + sizeof("/reeve") > sizeof(registry->path))
		return -ENOENT;
	snprintf(registry->path, sizeof(registry->path), "%s/reeve", parent);
	return open_in(fd, "reeve", create, registry, err);
}

int rv_registry_open(bool create, struct rv_registry *ret, struct reeve_error *err)
{
	struct rv_registry registry = {.fd = -1, .pidns = rv_process_pidns(), .uid = geteuid()};
	char run[64];
	int r = open_below(getenv("XDG_RUNTIME_DIR"), create, &registry, err);

	if (r == -ENOENT) {
		snprintf(run, sizeof(run), "/run/user/%u", (unsigned int)geteuid());
		r = open_below(run, create, &registry, err);
	}
	if (r == -ENOENT) {
		snprintf(registry.path, sizeof(registry.path), "/tmp/reeve-run-%u",
			(unsigned int)geteuid());
		r = open_in(AT_FDCWD, registry.path, create, &registry, err);
	}
	if (r == 0)
		*ret = registry;
	return r;
}

void rv_registry_close(struct rv_registry *registry)
{
	rv_close_p(&registry->fd);
	registry->fd = -1;
}

int rv_registry_lock(const struct rv_registry *registry, bool try)
{
	rv_autoclose int fd = openat(registry->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	do
		r = flock(fd, LOCK_EX | (try ? LOCK_NB : 0));
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : rv_steal_fd(&fd);
}

/* ------------------------------------------------------------------------- files */

/* Text has no zeros. */
static int read_text(int fd, size_t size, char **ret)
{
	rv_autofree char *text = malloc(size + 1);
	size_t have = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (have < size && n > 0) {
		n = read(fd, text + have, size - have);
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	if (n < 0 || strlen(text) != have)
		return -ESTALE;
	*ret = rv_steal_ptr(&text);
	return 0;
}

static int read_file(const struct rv_registry *registry, const char *name, char **ret)
{
	rv_autoclose int fd = -1;
	struct stat st;

	/* O_NONBLOCK: it may be a FIFO. */
	fd = openat(registry->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -ESTALE : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != registry->uid ||
		st.st_size > MAX_FILE)
		return -ESTALE;
	return read_text(fd, (size_t)st.st_size, ret);
}

/* json_loadfd() has a system call for each byte. */
int rv_registry_read(const struct rv_registry *registry, const char *name, json_t **ret)
{
	rv_autofree char *text = NULL;
	json_t *object;
	int r = read_file(registry, name, &text);

	if (r < 0)
		return r;
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return -ESTALE;
	}
	*ret = object;
	return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A file without a name, which is gone with its writer, until all is in it. -EEXIST: something has
 * the name. Not every file system can. */
static int write_nameless(
	const struct rv_registry *registry, const char *name, const char *text, size_t length)
{
	rv_autoclose int fd = openat(registry->fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	char path[32];
	int r = fd < 0 ? -errno : write_all(fd, text, length);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = linkat(AT_FDCWD, path, registry->fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
	return r < 0 ? r : rv_steal_fd(&fd);
}

static int write_renamed(
	const struct rv_registry *registry, const char *name, const char *text, size_t length)
{
	rv_autoclose int fd = -1;
	char temporary[RV_ENTRY_NAME + 8];
	int r;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	unlinkat(registry->fd, temporary, 0);
	fd = openat(registry->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, length);
	if (r == 0 && renameat(registry->fd, temporary, registry->fd, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(registry->fd, temporary, 0);
	return r < 0 ? r : rv_steal_fd(&fd);
}

int rv_registry_write(const struct rv_registry *registry, const char *name, const json_t *object)
{
	rv_autofree char *text = json_dumps(object, JSON_COMPACT);
	int fd;

	if (!text)
		return -ENOMEM;
	fd = write_nameless(registry, name, text, strlen(text));
	return fd >= 0 ? fd : write_renamed(registry, name, text, strlen(text));
}

/* ------------------------------------------------------------------------- names */

char *rv_entry_name(uint64_t domain, const char *suffix, char buf[RV_ENTRY_NAME])
{
	char id[RV_DOMAIN_ID_SIZE];

	snprintf(buf, RV_ENTRY_NAME, "%s%s", rv_domain_id_format(domain, id), suffix);
	return buf;
}

uint64_t rv_entry_domain(const char *name, const char *suffix)
{
	size_t digits = strspn(name, "0123456789abcdef");

	if (digits == 0 || digits >= RV_DOMAIN_ID_SIZE || name[0] == '0' ||
		strcmp(name + digits, suffix) != 0)
		return 0;
	return strtoull(name, NULL, 16);
}

static void close_dir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_id(struct rv_ids *domains, uint64_t domain)
{
	size_t capacity = domains->capacity ? domains->capacity * 2 : 16;
	uint64_t *at;

	if (domains->count == domains->capacity) {
		at = reallocarray(domains->at, capacity, sizeof(*at));
		if (!at)
			return -ENOMEM;
		domains->at = at;
		domains->capacity = capacity;
	}
	domains->at[domains->count++] = domain;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int add_name(const char *name, const char *const *suffixes, size_t count, struct rv_ids *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		uint64_t domain = rv_entry_domain(name, suffixes[i]);

		if (domain)
			r = add_id(&ret[i], domain);
	}
	return r;
}

int rv_registry_ids(const struct rv_registry *registry, const char *const *suffixes, size_t count,
	struct rv_ids *ret)
{
	RV_CLEANUP(close_dir_p) DIR *dir = NULL;
	struct dirent *entry;
	int fd, r = 0;

	memset(ret, 0, count * sizeof(*ret));
	if (registry->fd < 0)
		return 0;
	fd = openat(registry->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = -errno;
		rv_close_p(&fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)))
		r = add_name(entry->d_name, suffixes, count, ret);
	for (size_t i = 0; i < count; i++) {
		if (ret[i].count)
			qsort(ret[i].at, ret[i].count, sizeof(*ret[i].at), by_id);
		if (r < 0)
			rv_ids_release(&ret[i]);
	}
	return r;
}

void rv_ids_release(struct rv_ids *ids)
{
	free(ids->at);
	*ids = (struct rv_ids){0};
}
