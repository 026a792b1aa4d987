/* SPDX-License-Identifier: MIT */
/* Live rules on ports, on sockets, and on what bind(2) makes. */
#define _GNU_SOURCE
#include "probe.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/un.h>

#define CONNECT	 LANDLOCK_ACCESS_NET_CONNECT_TCP
#define BIND	 LANDLOCK_ACCESS_NET_BIND_TCP
#define BIND_UDP LANDLOCK_ACCESS_NET_BIND_UDP
#define SEND_UDP LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
#define CREATE	 LANDLOCK_ACCESS_SOCKET_CREATE
#define COMMIT	 LANDLOCK_ADD_RULE_COMMIT_SUPERVISOR
#define CUT	 (COMMIT | LANDLOCK_ADD_RULE_INTERSECT)

/* What the probe does, at the same place in both processes. */
struct task {
	int family, type, protocol;
	unsigned int port, other;
	char path[100];
};
static struct task *task;

static int supervisor, supervisee;

static void set_up(const struct landlock_ruleset_attr *attr)
{
	task = mmap(NULL, sizeof(*task), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(task != MAP_FAILED);
	supervisor =
		landlock_create_ruleset(attr, sizeof(*attr), LANDLOCK_CREATE_RULESET_SUPERVISOR);
	if (supervisor < 0 && errno == ENOTSUP) {
		printf("# %s\n", reeve_landlock_why());
		SKIP("landlock: not supported here");
	}
	CHECK(supervisor >= 0);
	supervisee = supervisee_of(supervisor);
}

static struct probe restricted(void)
{
	struct probe probe = probe_start(supervisee, supervisor);

	CHECK_EQ(probe.restricted, 0);
	return probe;
}

static int add_port(int ruleset, unsigned int port, __u64 allowed, __u32 flags)
{
	struct landlock_net_port_attr attr = {allowed, port};

	return landlock_add_rule(ruleset, LANDLOCK_RULE_NET_PORT, &attr, flags);
}

static int add_socket(int family, int type, __u64 allowed, __u32 flags)
{
	struct landlock_socket_attr attr = {allowed, family, type, -1};

	return landlock_add_rule(supervisor, LANDLOCK_RULE_SOCKET, &attr, flags);
}

static int permit_socket(int family, int type, __u64 allowed, __u32 flags)
{
	struct landlock_socket_permission_attr attr = {allowed, 0, family, type, -1};

	return landlock_add_rule(supervisor, LANDLOCK_RULE_SOCKET_PERMISSION, &attr, flags);
}

/* --------------------------------------------------------------------- in the probe */

static struct sockaddr_in loopback(unsigned int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

typedef int (*use_fn)(int fd, const struct sockaddr *address, socklen_t size);

static int use_address(int type, use_fn use, const void *address, socklen_t size)
{
	const struct sockaddr *to = address;
	int fd = socket(to->sa_family, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return errno;
	r = use(fd, to, size) < 0 ? errno : 0;
	close(fd);
	return r;
}

static int with_socket(int type, use_fn use)
{
	const struct sockaddr_in to = loopback(task->port);

	return use_address(type, use, &to, sizeof(to));
}

static int do_connect(void *data)
{
	(void)data;
	return with_socket(SOCK_STREAM, connect);
}

static int do_bind(void *data)
{
	(void)data;
	return with_socket(SOCK_STREAM, bind);
}

static int do_bind_udp(void *data)
{
	(void)data;
	return with_socket(SOCK_DGRAM, bind);
}

static int send_byte(int fd, const struct sockaddr *to, socklen_t size)
{
	return (int)sendto(fd, "x", 1, 0, to, size);
}

static int do_send_udp(void *data)
{
	(void)data;
	return with_socket(SOCK_DGRAM, send_byte);
}

static int do_socket(void *data)
{
	int fd = socket(task->family, task->type | SOCK_CLOEXEC, task->protocol);

	(void)data;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int do_pair(void *data)
{
	int pair[2];

	(void)data;
	if (socketpair(task->family, task->type | SOCK_CLOEXEC, task->protocol, pair) < 0)
		return errno;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static int on_path(use_fn use)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, task->path, sizeof(task->path));
	return use_address(SOCK_STREAM, use, &at, sizeof(at));
}

static int do_bind_path(void *data)
{
	(void)data;
	return on_path(bind);
}

static int do_connect_path(void *data)
{
	(void)data;
	return on_path(connect);
}

/* What was root's was granted to root. */
static int drop_to_nobody(void *data)
{
	(void)data;
	return setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
			       setresuid(65534, 65534, 65534)
		       ? errno
		       : 0;
}

/* ---------------------------------------------------------------------- around it */

static int listener(unsigned int *ret_port)
{
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK(fd >= 0 && bind(fd, (void *)&at, sizeof(at)) == 0 && listen(fd, 4096) == 0);
	CHECK(getsockname(fd, (void *)&at, &size) == 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static int connections(int fd)
{
	int count = 0, one;

	while ((one = accept(fd, NULL, NULL)) >= 0) {
		close(one);
		count++;
	}
	return count;
}

static int at_port(const struct probe *probe, int (*run)(void *), unsigned int port)
{
	task->port = port;
	return probe_call(probe, run, NULL);
}

/* A port that nobody has. */
static unsigned int free_port(void)
{
	unsigned int port;

	close(listener(&port));
	return port;
}

/* ------------------------------------------------------------------------- ports */

static const struct landlock_ruleset_attr tcp = {.handled_access_net = CONNECT | BIND};

static void connecting(void)
{
	unsigned int fixed, live, other;
	int fds[] = {listener(&fixed), listener(&live), listener(&other)};
	struct probe probe;

	set_up(&tcp);
	CHECK_EQ(add_port(supervisee, fixed, CONNECT, 0), 0);
	probe = restricted();
	CHECK_EQ(at_port(&probe, do_connect, fixed), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), EACCES);
	CHECK_EQ(add_port(supervisor, live, CONNECT, 0), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), EACCES); /* staged only */
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), 0);
	CHECK_EQ(at_port(&probe, do_connect, other), EACCES);
	CHECK_EQ(at_port(&probe, do_bind, live), EACCES); /* another right */
	CHECK_EQ(connections(fds[0]) + connections(fds[1]), 2);
	CHECK_EQ(connections(fds[2]), 0);
	CHECK_EQ(add_port(supervisor, live, BIND, LANDLOCK_ADD_RULE_INTERSECT), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), 0); /* staged only */
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), EACCES);
	CHECK_EQ(at_port(&probe, do_connect, fixed), 0);
	probe_end(&probe);
}

static void binding(void)
{
	unsigned int fixed = free_port(), live = free_port();
	struct probe probe;

	set_up(&tcp);
	CHECK_EQ(add_port(supervisee, fixed, BIND, 0), 0);
	probe = restricted();
	CHECK_EQ(at_port(&probe, do_bind, fixed), 0);
	CHECK_EQ(at_port(&probe, do_bind, live), EACCES);
	CHECK_EQ(add_port(supervisor, live, BIND, COMMIT), 0);
	CHECK_EQ(at_port(&probe, do_bind, live), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), EACCES);
	/* Nobody needs to hold it open. */
	CHECK_EQ(close(supervisor), 0);
	CHECK_EQ(at_port(&probe, do_bind, live), 0);
	probe_end(&probe);
}

static void datagrams(void)
{
	static const struct landlock_ruleset_attr udp = {.handled_access_net = BIND_UDP | SEND_UDP};
	unsigned int live = free_port(), other = free_port();
	struct probe probe;

	set_up(&udp);
	CHECK_EQ(add_port(supervisee, 0, BIND_UDP, 0), 0); /* of the kernel's choice */
	probe = restricted();
	CHECK_EQ(at_port(&probe, do_send_udp, live), EACCES);
	CHECK_EQ(at_port(&probe, do_bind_udp, live), EACCES);
	CHECK_EQ(add_port(supervisor, live, BIND_UDP | SEND_UDP, COMMIT), 0);
	CHECK_EQ(at_port(&probe, do_send_udp, live), 0);
	CHECK_EQ(at_port(&probe, do_bind_udp, live), 0);
	CHECK_EQ(at_port(&probe, do_send_udp, other), EACCES);
	CHECK_EQ(add_port(supervisor, live, SEND_UDP, CUT), 0);
	CHECK_EQ(at_port(&probe, do_bind_udp, live), EACCES);
	CHECK_EQ(at_port(&probe, do_send_udp, live), 0);
	probe_end(&probe);
}

/* -------------------------------------------------------------------------- attacks */

static struct sockaddr_in flipped;
static volatile bool flipping;

static void *flip(void *arg)
{
	in_port_t ports[] = {htons((uint16_t)task->port), htons((uint16_t)task->other)};

	for (unsigned int i = 0; flipping; i++)
		*(volatile in_port_t *)&flipped.sin_port = ports[i % 2];
	return arg;
}

/* Connects to an address that changes meanwhile, between what is granted and what is not. */
static int race(void *data)
{
	pthread_t thread;
	int reached = 0;

	(void)data;
	flipped = loopback(task->port);
	flipping = true;
	if (pthread_create(&thread, NULL, flip, NULL))
		return -1;
	for (int i = 0; i < 2000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		reached += connect(fd, (void *)&flipped, sizeof(flipped)) == 0;
		close(fd);
	}
	flipping = false;
	pthread_join(thread, NULL);
	return reached;
}

static void races(void)
{
	unsigned int fixed, live, other;
	int granted[] = {listener(&fixed), listener(&live)}, forbidden = listener(&other);
	struct probe probe;

	set_up(&tcp);
	CHECK_EQ(add_port(supervisee, fixed, CONNECT, 0), 0);
	CHECK_EQ(add_port(supervisor, live, CONNECT, COMMIT), 0);
	probe = restricted();
	task->other = other;
	CHECK(at_port(&probe, race, live) > 0);
	CHECK(at_port(&probe, race, fixed) > 0);
	CHECK(connections(granted[0]) > 0 && connections(granted[1]) > 0);
	CHECK_EQ(connections(forbidden), 0);
	probe_end(&probe);
}

static void other_credentials(void)
{
	unsigned int fixed, live;
	int fds[] = {listener(&fixed), listener(&live)};
	struct probe probe;

	if (geteuid())
		SKIP("root: only root can drop to another user");
	set_up(&tcp);
	CHECK_EQ(add_port(supervisee, fixed, CONNECT, 0), 0);
	CHECK_EQ(add_port(supervisor, live, CONNECT, COMMIT), 0);
	probe = restricted();
	CHECK_EQ(at_port(&probe, do_connect, live), 0);
	CHECK_EQ(probe_call(&probe, drop_to_nobody, NULL), 0);
	CHECK_EQ(at_port(&probe, do_connect, live), EACCES);
	CHECK_EQ(at_port(&probe, do_connect, fixed), 0);
	CHECK_EQ(connections(fds[1]), 1);
	probe_end(&probe);
}

/* ------------------------------------------------------------------------- sockets */

static int made(const struct probe *probe, int (*run)(void *), int family, int type)
{
	task->family = family;
	task->type = type;
	task->protocol = 0;
	return probe_call(probe, run, NULL);
}

/* One of the two shapes in which it can be handled. */
struct shape {
	const struct landlock_ruleset_attr attr;
	int (*add)(int family, int type, __u64 allowed, __u32 flags);
	__u64 right;
	int denied;
};

static void make_sockets(const struct shape *shape)
{
	struct probe probe;

	set_up(&shape->attr);
	probe = restricted();
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_STREAM), shape->denied);
	CHECK_EQ(made(&probe, do_pair, AF_UNIX, SOCK_STREAM), shape->denied);
	CHECK_EQ(shape->add(AF_INET, SOCK_STREAM, shape->right, 0), 0);
	CHECK_EQ(shape->add(AF_UNIX, -1, shape->right, 0), 0);
	/* Staged only. */
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_STREAM), shape->denied);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_STREAM), 0);
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_DGRAM), shape->denied);
	CHECK_EQ(made(&probe, do_socket, AF_INET6, SOCK_STREAM), shape->denied);
	CHECK_EQ(made(&probe, do_socket, AF_UNIX, SOCK_STREAM), 0);
	CHECK_EQ(made(&probe, do_pair, AF_UNIX, SOCK_DGRAM), 0);
	CHECK_EQ(shape->add(AF_UNIX, -1, 0, CUT), 0);
	CHECK_EQ(made(&probe, do_pair, AF_UNIX, SOCK_DGRAM), shape->denied);
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_STREAM), 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_CLEAR_RULES, 0), 0);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(made(&probe, do_socket, AF_INET, SOCK_STREAM), shape->denied);
	probe_end(&probe);
}

static void creating(void)
{
	static const struct shape access = {
		{.handled_access_socket = CREATE, .handled_access_net = CONNECT}, add_socket,
		CREATE, EACCES};

	make_sockets(&access);
}

static void permitting(void)
{
	static const struct shape permission = {
		{.handled_permissions = LANDLOCK_PERMISSION_SOCKET_CREATE}, permit_socket,
		LANDLOCK_PERMISSION_SOCKET_CREATE, EPERM};

	make_sockets(&permission);
}

/* What a committed ruleset does not handle is granted everywhere. */
static void whole_rulesets(void)
{
	static const struct landlock_ruleset_attr all = {.handled_access_fs = READ,
							  .handled_access_net = CONNECT,
							  .handled_access_socket = CREATE},
						  paths = {.handled_access_fs = READ},
						  ports = {.handled_access_net = CONNECT};
	unsigned int one, two;
	int fds[] = {listener(&one), listener(&two)}, plain;
	struct probe probe;

	set_up(&all);
	probe = restricted();
	CHECK_EQ(at_port(&probe, do_connect, one), EACCES); /* there is no socket */
	plain = landlock_create_ruleset(&paths, sizeof(paths), 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_COMMIT_RULESET, plain), 0);
	CHECK_EQ(at_port(&probe, do_connect, one), 0);
	CHECK_EQ(made(&probe, do_pair, AF_UNIX, SOCK_STREAM), 0);
	CHECK_EQ(probe_open(&probe, "/etc/passwd", O_RDONLY), EACCES);
	plain = landlock_create_ruleset(&ports, sizeof(ports), 0);
	CHECK_EQ(add_port(plain, two, CONNECT, 0), 0);
	CHECK_EQ(ioctl(supervisor, LANDLOCK_IOCTL_COMMIT_RULESET, plain), 0);
	CHECK_EQ(at_port(&probe, do_connect, one), EACCES);
	CHECK_EQ(at_port(&probe, do_connect, two), 0);
	CHECK_EQ(probe_open(&probe, "/etc/passwd", O_RDONLY), 0);
	CHECK_EQ(connections(fds[0]) + connections(fds[1]), 2);
	probe_end(&probe);
}

/* --------------------------------------------------------------------------- paths */

static void set_path(const char *name)
{
	snprintf(task->path, sizeof(task->path), "%s", in_scratch(name));
}

static void made_by_bind(void)
{
	static const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SOCK};
	struct probe probe;
	struct stat st;

	make_scratch();
	set_up(&attr);
	CHECK_EQ(add_path(supervisee, in_scratch("b"), LANDLOCK_ACCESS_FS_MAKE_SOCK, 0), 0);
	probe = restricted();
	set_path("b/fixed");
	CHECK_EQ(probe_call(&probe, do_bind_path, NULL), 0);
	set_path("a/live");
	CHECK_EQ(probe_call(&probe, do_bind_path, NULL), EACCES);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), LANDLOCK_ACCESS_FS_MAKE_SOCK, COMMIT), 0);
	CHECK_EQ(probe_call(&probe, do_bind_path, NULL), 0);
	CHECK(stat(task->path, &st) == 0 && S_ISSOCK(st.st_mode));
	probe_end(&probe);
	remove_scratch();
}

/* Where the kernel does not know the right. */
static void resolving(void)
{
	static const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_RESOLVE_UNIX};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct probe probe;

	make_scratch();
	set_up(&attr);
	set_path("a/socket");
	memcpy(at.sun_path, task->path, sizeof(task->path));
	CHECK(bind(server, (void *)&at, sizeof(at)) == 0 && listen(server, 8) == 0);
	probe = restricted();
	CHECK_EQ(probe_call(&probe, do_connect_path, NULL), EACCES);
	if (add_path(supervisor, in_scratch("a"), attr.handled_access_fs, 0) && errno == ENOTSUP) {
		printf("# %s\n", reeve_landlock_why());
		SKIP("landlock: not supported here");
	}
	CHECK_EQ(probe_call(&probe, do_connect_path, NULL), EACCES);
	CHECK_EQ(commit(supervisor), 0);
	CHECK_EQ(probe_call(&probe, do_connect_path, NULL), 0);
	CHECK_EQ(add_path(supervisor, in_scratch("a"), 0, CUT), 0);
	CHECK_EQ(probe_call(&probe, do_connect_path, NULL), EACCES);
	CHECK_EQ(connections(server), 1);
	probe_end(&probe);
	remove_scratch();
}

/* With nothing but ports handled no call on a UNIX socket is performed by anybody else. */
static void peers_see_the_program(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), peer;
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	struct probe probe;

	make_scratch();
	set_up(&tcp);
	set_path("a/socket");
	memcpy(at.sun_path, task->path, sizeof(task->path));
	CHECK(bind(server, (void *)&at, sizeof(at)) == 0 && listen(server, 8) == 0);
	probe = restricted();
	CHECK_EQ(probe_call(&probe, do_connect_path, NULL), 0);
	peer = accept(server, NULL, NULL);
	CHECK(getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0);
	CHECK_EQ(credentials.pid, probe.pid);
	probe_end(&probe);
	remove_scratch();
}

int main(int argc, char *argv[])
{
	static const struct tap_case cases[] = {
		{"TCP ports to connect to", connecting},
		{"TCP ports to bind to", binding},
		{"UDP ports", datagrams},
		{"an address that changes meanwhile", races},
		{"other credentials get the static rules", other_credentials},
		{"sockets, by family and type", creating},
		{"sockets as a permission: EPERM", permitting},
		{"a whole ruleset, with what it does not handle", whole_rulesets},
		{"a UNIX socket's file", made_by_bind},
		{"UNIX sockets that others made", resolving},
		{"a UNIX socket's peer sees the program", peers_see_the_program},
	};

	become_user(argc, argv);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
