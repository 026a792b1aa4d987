/* SPDX-License-Identifier: MIT */
/* Entries of running domains, and their sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "control/registry.h"
#include "kernel/pidfd.h"
#include "supervise/domain_id.h"

#define ENTRY  ".json"
#define SOCKET ".sock"

/* ----------------------------------------------------------------------- looking */

/* Of another namespace nothing can be told by pid: whether its socket answers will show. */
static bool is_alive(const struct rv_registry *registry, struct rv_entry *entry)
{
	rv_autoclose int fd = -1;

	if (entry->pidns == registry->pidns)
		return rv_process_read(entry->supervisor, &entry->process) == 0 &&
		       entry->process.start == entry->start && entry->process.state != 'Z';
	fd = rv_registry_connect(registry, &entry->certificate);
	return fd >= 0 || fd == -EAGAIN || fd == -ESTALE;
}

struct each {
	const struct rv_registry *registry;
	int (*fn)(void *data, const struct rv_entry *entry);
	void *data;
};

/* Unless somebody adds or removes entries right now; then the next look finds it. */
static void remove_dead(const struct rv_registry *registry, const struct rv_entry *entry)
{
	const struct rv_certificate id_only = {.domain = entry->domain};
	rv_autoclose int lock = rv_registry_lock(registry, true);

	if (lock >= 0)
		rv_registry_remove(
			registry, entry->certificate.domain ? &entry->certificate : &id_only);
}

static int look_at_entry(const struct each *each, uint64_t domain)
{
	RV_CLEANUP(rv_entry_source_release) struct rv_entry_source source = {0};
	struct rv_entry entry;
	int r = rv_entry_read(each->registry, domain, &source, &entry);

	/* What is not ours, or no entry, is as good as not there. */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!is_alive(each->registry, &entry))
		remove_dead(each->registry, &entry);
	else if (entry.certificate.domain)
		r = each->fn(each->data, &entry);
	return r;
}

static bool has_entry(const struct rv_registry *registry, uint64_t domain)
{
	char name[RV_ENTRY_NAME];

	rv_entry_name(domain, ENTRY, name);
	return faccessat(registry->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* A supervisor that was killed between making its socket and its entry, which takes the lock. */
static void remove_half(const struct rv_registry *registry, uint64_t domain)
{
	const struct rv_certificate id_only = {.domain = domain};
	rv_autoclose int lock = rv_registry_lock(registry, true);

	if (lock >= 0 && !has_entry(registry, domain))
		rv_registry_remove(registry, &id_only);
}

/* Those that had no entry when the directory was read; both are in ascending order. */
static void look_at_sockets(
	const struct rv_registry *registry, const struct rv_ids *sockets, const struct rv_ids *all)
{
	size_t k = 0;

	for (size_t i = 0; i < sockets->count; i++) {
		while (k < all->count && all->at[k] < sockets->at[i])
			k++;
		if (k == all->count || all->at[k] != sockets->at[i])
			remove_half(registry, sockets->at[i]);
	}
}

int rv_registry_each(const struct rv_registry *registry,
	int (*fn)(void *data, const struct rv_entry *entry), void *data)
{
	static const char *const suffixes[] = {ENTRY, SOCKET};
	const struct each each = {registry, fn, data};
	struct rv_ids ids[2];
	int r = rv_registry_ids(registry, suffixes, 2, ids);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ids[0].count; i++)
		r = look_at_entry(&each, ids[0].at[i]);
	if (r == 0)
		look_at_sockets(registry, &ids[1], &ids[0]);
	rv_ids_release(&ids[0]);
	rv_ids_release(&ids[1]);
	return r;
}

/* The entry last: while it is there, what else was left is found. */
void rv_registry_remove(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	char name[RV_ENTRY_NAME];

	rv_registry_uncertify(registry, certificate);
	unlinkat(registry->fd, rv_entry_name(certificate->domain, SOCKET, name), 0);
	unlinkat(registry->fd, rv_entry_name(certificate->domain, ENTRY, name), 0);
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
	rv_entry_name(domain, SOCKET, name);
	address_of(registry, name, &address);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (fchmodat(registry->fd, name, 0600, 0) == 0 && listen(fd, 64) == 0)
		return rv_steal_fd(&fd);
	r = -errno;
	unlinkat(registry->fd, name, 0);
	return r;
}

/* Was the socket bound to this domain's name, whatever links to it there are? */
static bool is_bound_to(int fd, uint64_t domain)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address) - 1; /* which leaves a zero behind it */
	char name[RV_ENTRY_NAME], end[RV_ENTRY_NAME + 1];
	int length = snprintf(end, sizeof(end), "/%s", rv_entry_name(domain, SOCKET, name));
	size_t have;

	if (getpeername(fd, (struct sockaddr *)&address, &size) < 0)
		return false;
	have = strlen(address.sun_path);
	return have >= (size_t)length && strcmp(address.sun_path + have - length, end) == 0;
}

/*
 * Is it the supervisor that listens? The kernel noted who called listen(2). The pid may have been
 * another's at that time, whose pidfd tells that it is dead. And on the socket of this domain: a
 * link to one of its others could be anybody's.
 */
static int check_peer(
	const struct rv_registry *registry, int fd, const struct rv_certificate *certificate)
{
	struct rv_process_id listener;
	rv_autoclose int pidfd = -1;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	if (peer.uid != geteuid() || peer.pid <= 0 || !is_bound_to(fd, certificate->domain))
		return -ESTALE;
	listener = certificate->pidns == registry->pidns
			   ? rv_process_id_of(peer.pid)
			   : rv_process_id_in(peer.pid, certificate->pidns);
	pidfd = rv_peer_pidfd(fd);
	if (pidfd != -ENOPROTOOPT && (pidfd < 0 || rv_pidfd_ended(pidfd)))
		return -ESTALE;
	return rv_process_id_same(&listener, &certificate->supervisor) ? 0 : -ESTALE;
}

int rv_registry_connect(
	const struct rv_registry *registry, const struct rv_certificate *certificate)
{
	char name[RV_ENTRY_NAME];
	struct sockaddr_un address;
	struct stat st;
	rv_autoclose int fd = -1;
	int r;

	rv_entry_name(certificate->domain, SOCKET, name);
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
	r = check_peer(registry, fd, certificate);
	return r < 0 ? r : rv_steal_fd(&fd);
}
