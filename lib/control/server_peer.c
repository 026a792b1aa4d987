/* SPDX-License-Identifier: MIT */
/*
 * Who may use the control socket. A sandboxed program that could would grant itself what it likes.
 * It may be our own domain's, or another's; a static sandbox has no supervisor, but no_new_privs.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "control/server.h"
#include "kernel/pidfd.h"

#define ELSEWHERE "use a terminal that is not itself sandboxed"

static int refuse(struct reeve_error *err, const char *why)
{
	rv_error(err, -EPERM, "the control socket refuses this client: %s", why);
	rv_error_hint(err, ELSEWHERE);
	return -EPERM;
}

/* ------------------------------------------------------------------------ threads */

struct restrictions {
	unsigned int no_new_privs, mode, filters;
};

static int read_restrictions(const char *path, struct restrictions *ret)
{
	struct restrictions found = {.no_new_privs = UINT_MAX, .mode = UINT_MAX};
	char line[256];
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	found.filters = UINT_MAX; /* before Linux 5.9 there is no such line */
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "NoNewPrivs: %u", &found.no_new_privs);
		sscanf(line, "Seccomp: %u", &found.mode);
		sscanf(line, "Seccomp_filters: %u", &found.filters);
	}
	fclose(file);
	*ret = found;
	/* A thread that ended meanwhile reads as empty. */
	return found.no_new_privs == UINT_MAX ? -ESRCH : 0;
}

unsigned int rv_own_filters(void)
{
	struct restrictions own;

	return read_restrictions("/proc/thread-self/status", &own) == 0 ? own.filters : UINT_MAX;
}

/* In a container all have the runtime's filter; a sandbox in it has more than we. */
static int check_thread(
	const struct reeve_control_server *server, const char *path, struct reeve_error *err)
{
	struct restrictions found;
	int r = read_restrictions(path, &found);

	if (r < 0)
		return r;
	if (found.no_new_privs)
		return refuse(err, "it has no_new_privs set, as a sandboxed program has");
	if (found.mode == 0 || found.mode == UINT_MAX)
		return 0;
	if (found.mode != 2 || found.filters == UINT_MAX || found.filters > server->own_filters)
		return refuse(err, "it has a seccomp filter, as a sandboxed program has");
	return 0;
}

/* Both are a thread's own, and the socket may have been any thread's. */
static int check_threads(
	const struct reeve_control_server *server, pid_t pid, struct reeve_error *err)
{
	char path[300];
	struct dirent *entry;
	unsigned int seen = 0;
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, entry->d_name);
		r = check_thread(server, path, err);
		seen += r == 0;
		r = r == -ENOENT || r == -ESRCH ? 0 : r;
	}
	if (dir)
		closedir(dir);
	if (r == 0 && seen == 0)
		r = -ESRCH;
	return r == 0 || r == -EPERM ? r : refuse(err, "what it is cannot be read from /proc");
}

/* ---------------------------------------------------------------------- ancestors */

static int found(void *data, const struct rv_certificate *certificate)
{
	(void)data;
	(void)certificate;
	return 1;
}

static int is_supervisor(void *data, pid_t pid, const struct rv_process *process)
{
	const struct rv_process_id id = {pid, process->start};
	const struct reeve_control_server *server = data;

	if (pid == server->entry.supervisor)
		return 1;
	return rv_registry_supervised(&server->registry, &id, found, NULL);
}

static int check_ancestors(
	const struct reeve_control_server *server, pid_t pid, struct reeve_error *err)
{
	struct rv_process process;
	int r = rv_process_read(pid, &process);

	/* A supervisor itself may: a program that embeds us. What it started may not. */
	if (r == 0)
		r = rv_process_ancestors(process.parent, is_supervisor, (void *)server);
	if (r > 0)
		return refuse(err, "it runs below a reeve supervisor");
	return r == 0 ? 0 : refuse(err, "where it comes from cannot be read from /proc");
}

/* --------------------------------------------------------------------------- peers */

static int check_process(
	const struct reeve_control_server *server, int fd, pid_t pid, struct reeve_error *err)
{
	struct rv_process before, after;
	rv_autoclose int pidfd = rv_peer_pidfd(fd);
	int r;

	/* Without SO_PEERPIDFD the pid could be reused by now. */
	if (pidfd < 0 && pidfd != -ENOPROTOOPT)
		return refuse(err, "its process has ended");
	if (rv_process_read(pid, &before) < 0)
		return refuse(err, "what it is cannot be read from /proc");
	r = check_threads(server, pid, err);
	if (r == 0)
		r = check_ancestors(server, pid, err);
	if (r)
		return r;
	if (rv_process_read(pid, &after) < 0 || after.start != before.start ||
		(pidfd >= 0 && rv_pidfd_ended(pidfd)))
		return refuse(err, "its process has ended");
	return 0;
}

int rv_peer_check(
	const struct reeve_control_server *server, int fd, uid_t *ret_uid, struct reeve_error *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return refuse(err, "it cannot be told who it is");
	if (peer.uid != 0 && peer.uid != geteuid()) {
		rv_error(err, -EPERM, "the control socket refuses this client: it is user %u's",
			(unsigned int)peer.uid);
		rv_error_hint(err, "the domain is user %u's", (unsigned int)geteuid());
		return -EPERM;
	}
	if (peer.pid <= 0)
		return refuse(err, "it is in a pid namespace that cannot be seen from here");
	r = check_process(server, fd, peer.pid, err);
	if (r == 0)
		*ret_uid = peer.uid;
	return r;
}
