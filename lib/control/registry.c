/* SPDX-License-Identifier: MIT */
/* Entries of running domains, and their sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include "control/registry.h"
#include "supervise/domain_id.h"

#define ENTRY  ".json"
#define SOCKET ".sock"

int rv_entry_of_self(struct rv_entry *ret)
{
	struct rv_entry entry = {.supervisor = getpid(), .pidns = rv_process_pidns()};
	struct rv_process process;
	struct timespec now;
	int r = rv_process_read(entry.supervisor, &process);

	if (r < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	entry.start = process.start;
	entry.since = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	*ret = entry;
	return 0;
}

json_t *rv_entry_to_json(const struct rv_entry *entry, const json_t *argv)
{
	char id[RV_DOMAIN_ID_SIZE];

	return json_pack("{s:i, s:s, s:s?, s:i, s:i, s:I, s:I, s:I, s:O?}", "version", 1, "domain",
		rv_domain_id_format(entry->domain, id), "name", entry->name, "supervisor",
		(int)entry->supervisor, "pid", (int)entry->program, "start",
		(json_int_t)entry->start, "pidns", (json_int_t)entry->pidns, "since",
		(json_int_t)entry->since, "argv", argv);
}

static int64_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void entry_of_json(const json_t *object, uint64_t domain, struct rv_entry *ret)
{
	*ret = (struct rv_entry){.domain = domain,
		.supervisor = (pid_t)integer(object, "supervisor"),
		.program = (pid_t)integer(object, "pid"),
		.start = (uint64_t)integer(object, "start"),
		.pidns = (uint64_t)integer(object, "pidns"),
		.since = (uint64_t)integer(object, "since"),
		.name = json_string_value(json_object_get(object, "name")),
		.object = object};
}

/* ----------------------------------------------------------------------- looking */

/* Of another namespace nothing can be told by pid: whether its socket answers will show. */
static bool is_alive(const struct rv_registry *registry, const struct rv_entry *entry)
{
	struct rv_process process;
	rv_autoclose int fd = -1;

	if (entry->pidns == rv_process_pidns())
		return rv_process_read(entry->supervisor, &process) == 0 &&
		       process.start == entry->start && process.state != 'Z';
	fd = rv_registry_connect(registry, entry->domain);
	return fd >= 0 || fd == -EAGAIN;
}

struct each {
	const struct rv_registry *registry;
	int (*fn)(void *data, const struct rv_entry *entry);
	void *data;
};

/* Unless somebody adds or removes entries right now; then the next look finds it. */
static void remove_dead(const struct rv_registry *registry, uint64_t domain)
{
	rv_autoclose int lock = rv_registry_lock(registry, true);

	if (lock >= 0)
		rv_registry_remove(registry, domain);
}

static int each_entry(void *data, uint64_t domain)
{
	const struct each *each = data;
	char name[RV_ENTRY_NAME];
	struct rv_entry entry;
	json_t *object;
	int r = rv_registry_read(each->registry, rv_entry_name(domain, ENTRY, name), &object);

	/* What is not ours, or no entry, is as good as not there. */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	entry_of_json(object, domain, &entry);
	if (is_alive(each->registry, &entry))
		r = each->fn(each->data, &entry);
	else
		remove_dead(each->registry, domain);
	json_decref(object);
	return r;
}

int rv_registry_each(const struct rv_registry *registry,
	int (*fn)(void *data, const struct rv_entry *entry), void *data)
{
	struct each each = {registry, fn, data};

	return rv_registry_names(registry, ENTRY, each_entry, &each);
}

void rv_registry_remove(const struct rv_registry *registry, uint64_t domain)
{
	char name[RV_ENTRY_NAME];

	unlinkat(registry->fd, rv_entry_name(domain, ENTRY, name), 0);
	unlinkat(registry->fd, rv_entry_name(domain, SOCKET, name), 0);
}

/* ----------------------------------------------------------------------- sockets */

/* By the directory's descriptor: sun_path is short, and the directory is the one we checked. */
static void address_of(
	const struct rv_registry *registry, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", registry->fd, name);
}

int rv_registry_listen(const struct rv_registry *registry, uint64_t domain)
{
	char name[RV_ENTRY_NAME];
	struct sockaddr_un address;
	rv_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	address_of(registry, rv_entry_name(domain, SOCKET, name), &address);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (fchmodat(registry->fd, name, 0600, 0) == 0 && listen(fd, 64) == 0)
		return rv_steal_fd(&fd);
	r = -errno;
	unlinkat(registry->fd, name, 0);
	return r;
}

static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == geteuid() ? 0 : -ESTALE;
}

int rv_registry_connect(const struct rv_registry *registry, uint64_t domain)
{
	char name[RV_ENTRY_NAME];
	struct sockaddr_un address;
	struct stat st;
	rv_autoclose int fd = -1;
	int r;

	rv_entry_name(domain, SOCKET, name);
	if (fstatat(registry->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -ESTALE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	address_of(registry, name, &address);
	/* Never waits: a queue that is full belongs to a supervisor that does not answer. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	r = check_peer(fd);
	return r < 0 ? r : rv_steal_fd(&fd);
}
