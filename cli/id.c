/* SPDX-License-Identifier: MIT */
/* `reeve id`: the domain of a process, or of who is on the other end of a socket. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <reeve/observe.h>
#include "control.h"
#include "verbs.h"

struct id_options {
	const char *peer;
	bool self, kernel, json;
};

#define KERNEL_IDS (REEVE_DOMAIN_KERNEL_LAST | REEVE_DOMAIN_KERNEL_FIRST)

static const struct cli_option options[] = {
	{"--peer", 0, "SOCKET",
		"of who is on the other end of a UNIX socket: the number of a file descriptor, the "
		"path of a listening socket, or @NAME of an abstract one",
		CLI_PATHS, CLI_STRING, offsetof(struct id_options, peer)},
	{"--self", 0, NULL, "of the calling process; as without operands", CLI_NOTHING, CLI_FLAG,
		offsetof(struct id_options, self)},
	{"--kernel", 0, NULL,
		"the kernel's ids, too, if need be by a BPF program (privileged); without it, "
		"where "
		"`reeve observe pin` was",
		CLI_NOTHING, CLI_FLAG, offsetof(struct id_options, kernel)},
	{"--json", 0, NULL, "print one JSON object", CLI_NOTHING, CLI_FLAG,
		offsetof(struct id_options, json)},
	{0},
};

static const char text[] =
	"PID is a process, or a thread. The id is proven, whatever the process says of\n"
	"itself; what cannot be, and what you may not see, is not given: exit code 1. So\n"
	"it is for other users' domains, and for a process in the domain of the caller.\n"
	"A process that asks for its own (--self) is told what REEVE_DOMAIN says.\n"
	"\n"
	"Exit code: 0 an id was given, 1 none was, 125 reeve failed.\n";

/* ------------------------------------------------------------------------ numbers */

/* -1: it is none. */
static int number_of(const char *given)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(given, &end, 10);
	return *given >= '0' && *given <= '9' && !*end && !errno && number <= INT_MAX ? (int)number
										      : -1;
}

static struct reeve_task_domain wanted(const struct id_options *id)
{
	return (struct reeve_task_domain){.size = sizeof(struct reeve_task_domain),
		.wanted = KERNEL_IDS | (id->kernel ? REEVE_DOMAIN_LOAD : 0)};
}

/* ------------------------------------------------------------------------- telling */

static void json_id(json_t *object, const char *key, bool given, uint64_t id)
{
	char hex[17];

	snprintf(hex, sizeof(hex), "%" PRIx64, id);
	cli_json_text(object, key, given ? hex : NULL);
}

static int tell_json(const struct reeve_task_domain *d)
{
	json_t *object = cli_json_new("id");

	json_id(object, "domain", d->given & REEVE_DOMAIN_LAST, d->last);
	json_id(object, "firstDomain", d->given & REEVE_DOMAIN_FIRST, d->first);
	json_id(object, "kernelDomain", d->given & REEVE_DOMAIN_KERNEL_LAST, d->kernel_last);
	json_id(object, "kernelFirstDomain", d->given & REEVE_DOMAIN_KERNEL_FIRST, d->kernel_first);
	json_object_set_new(object, "pid", d->pid ? json_integer(d->pid) : json_null());
	json_object_set_new(object, "restricted", json_boolean(d->restricted));
	json_object_set_new(object, "byPid", json_boolean(d->by_pid));
	if (!cli_json_line(object))
		return cli_fail(NULL, "out of memory");
	return d->given ? CLI_OK : CLI_NO;
}

static void tell_ids(const char *of, bool last, uint64_t last_id, bool first, uint64_t first_id)
{
	if (!last)
		return;
	printf("%s%" PRIx64, of, last_id);
	if (first && first_id != last_id)
		printf(" in %" PRIx64, first_id);
	putchar('\n');
}

/* Whom nothing restricts is not in a domain of reeve's; the kernel's may be anybody's. */
static const char *why_none(const struct reeve_task_domain *d, bool kernel)
{
	if (d->restricted)
		return "no domain is given; it is restricted, as in a sandbox";
	return kernel ? "it is in no domain, or in none that you may see"
		      : "it is in no domain of reeve's";
}

static int tell(const struct reeve_task_domain *d, const char *whose, bool kernel)
{
	tell_ids(
		"", d->given & REEVE_DOMAIN_LAST, d->last, d->given & REEVE_DOMAIN_FIRST, d->first);
	tell_ids("kernel ", d->given & REEVE_DOMAIN_KERNEL_LAST, d->kernel_last,
		d->given & REEVE_DOMAIN_KERNEL_FIRST, d->kernel_first);
	if (d->by_pid)
		fputs("reeve: warning: by its pid, which may have been reused: this kernel has no "
		      "SO_PEERPIDFD\n",
			stderr);
	if (d->given)
		return CLI_OK;
	if (!d->pid)
		fprintf(stderr, "reeve: %s: the process ended, or cannot be seen from here\n",
			whose);
	else
		fprintf(stderr, "reeve: %s: %s\n", whose, why_none(d, kernel));
	if (d->restricted && !kernel)
		fputs("hint: static runs have the kernel's id only: --kernel (as root), or after "
		      "`reeve observe pin`\n",
			stderr);
	return CLI_NO;
}

static int tell_either(
	const struct reeve_task_domain *domain, const char *whose, const struct id_options *id)
{
	return id->json ? tell_json(domain) : tell(domain, whose, id->kernel);
}

static int failed(const char *whose, int r)
{
	return cli_fail(NULL, "%s: %s", whose, strerror(-r));
}

/* ----------------------------------------------------------------------- processes */

/* A thread's number is no process's: PIDFD_THREAD, Linux 6.9. */
static int open_task(int pid)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0 && errno != ESRCH)
		fd = pidfd_open(pid, O_EXCL);
	return fd;
}

static int id_of_pid(const char *given, const struct id_options *id)
{
	struct reeve_task_domain domain = wanted(id);
	cli_autoescape char *shown = cli_escape(given);
	int pid = number_of(given), fd, r;
	char whose[32];

	if (pid <= 0)
		return cli_fail("`reeve ps` lists the domains that run, with their programs",
			"id: %s: expected a pid", shown);
	snprintf(whose, sizeof(whose), "process %d", pid);
	fd = open_task(pid);
	if (fd < 0 && errno == ESRCH) {
		fprintf(stderr, "reeve: %s: no such process\n", whose);
		return CLI_NO;
	}
	if (fd < 0)
		return failed(whose, -errno);
	r = reeve_pidfd_domain(fd, &domain);
	close(fd);
	return r < 0 ? failed(whose, r) : tell_either(&domain, whose, id);
}

/* In its own domain nobody is told. What it was told at its start, it knows. */
static int id_of_self(const struct id_options *id)
{
	const char *claimed = getenv("REEVE_DOMAIN");
	struct reeve_task_domain domain = wanted(id);
	cli_autoescape char *shown = cli_escape(claimed);
	int fd = pidfd_open(getpid(), 0), r = fd < 0 ? -errno : reeve_pidfd_domain(fd, &domain);
	json_t *object;

	if (fd >= 0)
		close(fd);
	if (r < 0)
		return failed("this process", r);
	if (domain.given || !domain.restricted || !claimed || !*claimed)
		return tell_either(&domain, "this process", id);
	if (!id->json) {
		printf("%s\n", shown);
		return CLI_OK;
	}
	object = cli_json_new("id");
	cli_json_text(object, "domain", claimed);
	cli_json_text(object, "source", "environment");
	json_object_set_new(object, "pid", json_integer(getpid()));
	json_object_set_new(object, "restricted", json_true());
	return cli_json_line(object) ? CLI_OK : cli_fail(NULL, "out of memory");
}

/* ------------------------------------------------------------------------- sockets */

/* The socket's type must be the listener's. */
static int connect_as(int type, const struct sockaddr_un *address, socklen_t size)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, size) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	socklen_t size = sizeof(address);
	int fd;

	if (length >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	if (*name == '@') {
		address.sun_path[0] = '\0';
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	fd = connect_as(SOCK_STREAM, &address, size);
	return fd < 0 && errno == EPROTOTYPE ? connect_as(SOCK_SEQPACKET, &address, size) : fd;
}

static int id_of_peer(const char *given, const struct id_options *id)
{
	struct reeve_task_domain domain = wanted(id);
	cli_autoescape char *shown = cli_escape(given);
	int number = number_of(given), fd = number >= 0 ? number : connect_to(given), r;

	if (fd < 0)
		return failed(shown, -errno);
	r = reeve_peer_domain(fd, &domain);
	if (number < 0)
		close(fd);
	if (r == -ENOTCONN)
		return cli_fail(NULL, "--peer %s: not connected", shown);
	return r < 0 ? failed(shown, r) : tell_either(&domain, shown, id);
}

/* ---------------------------------------------------------------------------- verb */

static int run_id(void *data, const struct cli_operands *operands)
{
	const struct id_options *id = data;

	if (operands->count + (id->peer != NULL) + id->self > 1)
		return cli_fail(NULL, "id: expected one of PID, --peer and --self");
	if (id->peer)
		return id_of_peer(id->peer, id);
	return operands->count ? id_of_pid(operands->items[0], id) : id_of_self(id);
}

const struct cli_verb cli_verb_id = {
	.name = "id",
	.synopsis = "[PID]",
	.summary = "Tell which domain a process is in",
	.text = text,
	.options = options,
	.size = sizeof(struct id_options),
	.run = run_id,
};
