/* SPDX-License-Identifier: MIT */
/* UNIX sockets by path, where a process restricts itself: RESOLVE_UNIX and the pathname scope. */
#define _GNU_SOURCE
#include "probe.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/un.h>

#define RESOLVE LANDLOCK_ACCESS_FS_RESOLVE_UNIX
#define SCOPE	LANDLOCK_SCOPE_PATHNAME_UNIX_SOCKET

/* ------------------------------------------------------------------------- sockets */

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const void *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		return -1;
	return fd;
}

/* In the probe: 0 or errno. */
static int try_connect(void *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	r = connect(fd, (const void *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return r;
}

/* Its own server, and a child that connects to it. */
static int serve_oneself(void *path)
{
	int server = listen_at(path), status = 1;
	pid_t pid;

	if (server < 0)
		return errno;
	pid = fork();
	if (pid == 0)
		_exit(try_connect(path));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	close(server);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int make_datagram(void *type)
{
	int pair[2];

	if (socket(AF_UNIX, *(int *)type, 0) >= 0)
		return 0;
	return socketpair(AF_UNIX, *(int *)type, 0, pair) == 0 ? 0 : errno;
}

static int no_children(void *data)
{
	(void)data;
	errno = 0;
	return waitpid(-1, NULL, WNOHANG) == -1 ? errno : 0;
}

static int move_it(void *names)
{
	const char *from = names, *to = from + strlen(from) + 1;

	return rename(from, to) < 0 ? errno : 0;
}

/* ------------------------------------------------------------------------ rulesets */

/* What the probe, which is forked later, finds at the same place. */
static char *shared;

static char *say(const char *name)
{
	if (!shared)
		shared =
			mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	strcpy(shared, in_scratch(name));
	return shared;
}

static char *say_both(const char *from, const char *to)
{
	size_t length;

	say(from);
	length = strlen(shared) + 1;
	strcpy(shared + length, in_scratch(to));
	return shared;
}

static int make_unix_ruleset(__u64 handled, __u64 scoped)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = handled, .scoped = scoped};
	int fd = landlock_create_ruleset(&attr, sizeof(attr), 0);

	if (fd < 0 && errno == ENOTSUP) {
		printf("# %s\n", reeve_landlock_why());
		SKIP("landlock: not supported here");
	}
	CHECK(fd >= 0);
	return fd;
}

/* A server outside; restricted with the ruleset. */
static struct probe restricted(int ruleset)
{
	struct probe probe;

	say("a/file");
	probe = probe_start(ruleset, -1);
	if (probe.restricted == ENOTSUP)
		SKIP("landlock: no supervisor here");
	CHECK_EQ(probe.restricted, 0);
	return probe;
}

static void by_scope(void)
{
	struct probe probe;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0);
	probe = restricted(make_unix_ruleset(0, SCOPE));
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), EPERM);
	CHECK_EQ(probe_call(&probe, try_connect, say("a/nothing")), ENOENT);
	CHECK_EQ(probe_call(&probe, serve_oneself, say("b/own")), 0);
	CHECK_EQ(probe_call(&probe, no_children, NULL), ECHILD);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDWR), 0);
	CHECK_EQ(try_connect(say("a/s")), 0); /* from outside */
	probe_end(&probe);
	CHECK_EQ(no_children(NULL), ECHILD);
	remove_scratch();
}

static void by_right(void)
{
	struct probe probe;
	int ruleset;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0 && listen_at(in_scratch("a/t")) >= 0);
	CHECK(listen_at(in_scratch("b/s")) >= 0);
	ruleset = make_unix_ruleset(RW_RIGHTS | RESOLVE, 0);
	CHECK_EQ(add_path(ruleset, in_scratch("a/s"), RESOLVE, 0), 0);
	CHECK_EQ(add_path(ruleset, in_scratch("b"), READ | RESOLVE, 0), 0);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), 0);
	CHECK_EQ(probe_call(&probe, try_connect, say("a/t")), EACCES);
	CHECK_EQ(probe_call(&probe, try_connect, say("b/s")), 0);
	CHECK_EQ(probe_open(&probe, in_scratch("a/file"), O_RDONLY), EACCES);
	CHECK_EQ(probe_open(&probe, in_scratch("b/file"), O_RDONLY), 0);
	probe_end(&probe);
	remove_scratch();
}

/* The scope knows no exceptions, and says EPERM. */
static void by_both(void)
{
	struct probe probe;
	int ruleset;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0);
	ruleset = make_unix_ruleset(RESOLVE, SCOPE | LANDLOCK_SCOPE_SIGNAL);
	CHECK_EQ(add_path(ruleset, in_scratch("a"), RESOLVE, 0), 0);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), EPERM);
	CHECK_EQ(probe_call(&probe, serve_oneself, say("a/own")), 0);
	probe_end(&probe);
	remove_scratch();
}

/* With the scope of abstract names, which the kernel looks at whoever made a socket. */
static int serve_abstract(void *data)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(address);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)data;
	/* A name of the kernel's choice. */
	if (bind(server, (const void *)&address, sizeof(sa_family_t)) < 0 ||
		listen(server, 1) < 0 || getsockname(server, (void *)&address, &size) < 0)
		return errno;
	return connect(client, (const void *)&address, size) < 0 ? errno : 0;
}

static void with_abstract_scope(void)
{
	struct probe probe;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0);
	probe = restricted(make_unix_ruleset(0, SCOPE | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET));
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), EPERM);
	CHECK_EQ(probe_call(&probe, serve_abstract, NULL), 0);
	CHECK_EQ(probe_call(&probe, serve_oneself, say("a/own")), 0);
	probe_end(&probe);
	remove_scratch();
}

static void no_datagrams(void)
{
	static int types[] = {SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
	struct probe probe;
	int ruleset, kept;

	make_scratch();
	ruleset = make_unix_ruleset(0, SCOPE);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, make_datagram, &types[0]), EACCES);
	CHECK_EQ(probe_call(&probe, make_datagram, &types[1]), EACCES);
	CHECK_EQ(probe_call(&probe, make_datagram, &types[2]), 0);
	probe_end(&probe);
	kept = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(landlock_restrict_self(ruleset, 0), -1);
	CHECK_EQ(errno, ENOTSUP);
	CHECK(strstr(reeve_landlock_why(), "datagram"));
	close(kept);
	CHECK_EQ(landlock_restrict_self(ruleset, 0), 0);
	CHECK_EQ(landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), -1);
	remove_scratch();
}

/* Into a directory whose sockets may be reached. */
static void nothing_gained_by_moves(void)
{
	const __u64 moving = LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_MAKE_SOCK |
			     LANDLOCK_ACCESS_FS_REMOVE_FILE;
	struct probe probe;
	int ruleset;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0);
	ruleset = make_unix_ruleset(moving | RESOLVE, 0);
	CHECK_EQ(add_path(ruleset, in_scratch("a"), moving, 0), 0);
	CHECK_EQ(add_path(ruleset, in_scratch("b"), moving | RESOLVE, 0), 0);
	probe = restricted(ruleset);
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), EACCES);
	CHECK_EQ(probe_call(&probe, move_it, say_both("a/s", "b/s")), EXDEV);
	CHECK_EQ(probe_call(&probe, move_it, say_both("a/s", "a/t")), 0);
	probe_end(&probe);
	remove_scratch();
}

/* Every connector that there is, this domain's among them. 0: there are, and none can be taken. */
static int take_connectors(void *data)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int seen = 0, taken = 0;

	(void)data;
	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);
		char path[64], comm[32] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
		fd = pid > 0 ? open(path, O_RDONLY) : -1;
		if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0 ||
			strcmp(comm, "reeve-connector\n") != 0)
			continue;
		close(fd);
		seen++;
		snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
		taken += ptrace(PTRACE_ATTACH, pid, 0, 0) == 0 || open(path, O_RDWR) >= 0;
	}
	return !seen ? 1 : taken ? 2 : 0;
}

static void connector_is_out_of_reach(void)
{
	struct probe probe;

	make_scratch();
	CHECK(listen_at(in_scratch("a/s")) >= 0);
	probe = restricted(make_unix_ruleset(0, SCOPE));
	CHECK_EQ(probe_call(&probe, try_connect, say("a/s")), EPERM);
	CHECK_EQ(probe_call(&probe, take_connectors, NULL), 0);
	probe_end(&probe);
	remove_scratch();
}

static void what_is_reported(void)
{
	struct reeve_landlock_features there = {.size = sizeof(there)};
	int abi = landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	CHECK_EQ(reeve_landlock_features(&there), 0);
	CHECK_EQ(abi, there.abi);
	if (there.kernel_abi < 7 || !(there.supplied & REEVE_LANDLOCK_PATHNAME_SCOPE))
		SKIP("landlock: nothing is supplied here");
	CHECK((there.kernel | there.supplied) & REEVE_LANDLOCK_RESOLVE_UNIX);
	CHECK(abi >= 9);
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"what is reported", what_is_reported},
		{"the pathname scope", by_scope},
		{"resolve_unix and its rules", by_right},
		{"both", by_both},
		{"beside the scope of abstract names", with_abstract_scope},
		{"no datagrams", no_datagrams},
		{"the connector is out of reach", connector_is_out_of_reach},
		{"nothing is gained by moves", nothing_gained_by_moves},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
