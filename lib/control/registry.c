/* SPDX-License-Identifier: MIT */
/* Entries of running domains, and their sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include "control/registry.h"
#include "kernel/pidfd.h"
#include "supervise/domain_id.h"

#define ENTRY  ".json"
#define SOCKET ".sock"

static void certify(struct rv_entry *entry, const struct rv_certificate *certificate)
{
	entry->certificate = *certificate;
	entry->domain = certificate->domain;
	entry->pidns = certificate->pidns;
	entry->supervisor = certificate->supervisor.pid;
	entry->start = certificate->supervisor.start;
	entry->program = certificate->program.pid;
	entry->connector = certificate->connector.pid;
}

void rv_entry_of_self(const struct rv_certificate *certificate, struct rv_entry *ret)
{
	struct timespec now;
	int is_subreaper = 0;

	*ret = (struct rv_entry){0};
	certify(ret, certificate);
	clock_gettime(CLOCK_REALTIME, &now);
	ret->since = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
	ret->subreaper = is_subreaper;
}

json_t *rv_entry_to_json(const struct rv_entry *entry, const json_t *argv)
{
	char id[RV_DOMAIN_ID_SIZE], text[RV_CERTIFICATE_SIZE];

	return json_pack("{s:i, s:s, s:s?, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:s, s:O?}",
		"version", 1, "domain", rv_domain_id_format(entry->domain, id), "name", entry->name,
		"supervisor", (int)entry->supervisor, "pid", (int)entry->program, "connector",
		(int)entry->connector, "board", entry->board, "staticRules",
		(json_int_t)entry->rules, "start", (json_int_t)entry->start, "pidns",
		(json_int_t)entry->pidns, "since", (json_int_t)entry->since, "subreaper",
		entry->subreaper, "certificate", rv_certificate_format(&entry->certificate, text),
		"argv", argv);
}

static int64_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void entry_of_json(const json_t *object, uint64_t domain, struct rv_entry *ret)
{
	const char *text = json_string_value(json_object_get(object, "certificate"));
	struct rv_certificate certificate;

	*ret = (struct rv_entry){.domain = domain,
		.supervisor = (pid_t)integer(object, "supervisor"),
		.program = (pid_t)integer(object, "pid"),
		.connector = (pid_t)integer(object, "connector"),
		.board = json_object_get(object, "board") ? (int)integer(object, "board") : -1,
		.rules = (uint64_t)integer(object, "staticRules"),
		.start = (uint64_t)integer(object, "start"),
		.pidns = (uint64_t)integer(object, "pidns"),
		.since = (uint64_t)integer(object, "since"),
		.subreaper = json_is_true(json_object_get(object, "subreaper")),
		.name = json_string_value(json_object_get(object, "name")),
		.object = object};
	if (text && rv_certificate_parse(text, &certificate) == 0 && certificate.domain == domain)
		certify(ret, &certificate);
}

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
	if (!is_alive(each->registry, &entry))
		remove_dead(each->registry, &entry);
	else if (entry.certificate.domain)
		r = each->fn(each->data, &entry);
	json_decref(object);
	return r;
}

static bool has_entry(const struct rv_registry *registry, uint64_t domain)
{
	char name[RV_ENTRY_NAME];

	rv_entry_name(domain, ENTRY, name);
	return faccessat(registry->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* A supervisor that was killed between making its socket and its entry, which takes the lock. */
static int each_socket(void *data, uint64_t domain)
{
	const struct each *each = data;
	const struct rv_certificate id_only = {.domain = domain};
	rv_autoclose int lock = -1;

	if (has_entry(each->registry, domain))
		return 0;
	lock = rv_registry_lock(each->registry, true);
	if (lock >= 0 && !has_entry(each->registry, domain))
		rv_registry_remove(each->registry, &id_only);
	return 0;
}

int rv_registry_each(const struct rv_registry *registry,
	int (*fn)(void *data, const struct rv_entry *entry), void *data)
{
	struct each each = {registry, fn, data};
	int r = rv_registry_names(registry, ENTRY, each_entry, &each);

	return r ? r : rv_registry_names(registry, SOCKET, each_socket, &each);
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
