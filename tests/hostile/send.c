/* SPDX-License-Identifier: MIT */
/*
 * Where something is sent or connected to, changed while that is judged. Who received it is told by
 * send.py, which has the receivers: `live/to` may be sent to, `shut/to` must not.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "hostile.h"

struct names {
	struct sockaddr_un good, bad;
};

static void fill(struct sockaddr_un *to, const char *path)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	NEED(strlen(path) < sizeof(to->sun_path));
	strcpy(to->sun_path, path);
}

static void fill_both(struct names *names)
{
	fill(&names->good, in_work("live/to"));
	fill(&names->bad, in_work("shut/to"));
}

static int datagram(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	NEED(fd >= 0);
	return fd;
}

static void tried(bool done)
{
	score->tries++;
	score->grants += done;
}

static void pause_a_while(unsigned int round)
{
	for (volatile unsigned int i = 0; i < round % 97 * 40; i++)
		;
	if (round % 13 == 0)
		sched_yield();
}

/* --------------------------------------------------------------- the address itself */

struct bytes {
	void *at;
	const void *good, *bad;
	size_t size;
	unsigned int round;
};

static void flip_bytes(void *arg)
{
	struct bytes *bytes = arg;

	memcpy(bytes->at, bytes->good, bytes->size);
	pause_a_while(bytes->round++);
	memcpy(bytes->at, bytes->bad, bytes->size);
	pause_a_while(bytes->round++);
}

/* Any call with this address, which is that of a granted receiver at first. */
static void race_bytes(struct bytes *bytes, bool (*act)(const void *address))
{
	struct flipper flipper;

	memcpy(bytes->at, bytes->good, bytes->size);
	flipper_start(&flipper, flip_bytes, bytes);
	while (more())
		tried(act(bytes->at));
	flipper_end(&flipper);
}

static int sender;

static bool by_sendto(const void *address)
{
	return sendto(sender, "x", 1, 0, address, sizeof(struct sockaddr_un)) == 1;
}

static void unix_sendto(void)
{
	struct sockaddr_un to;
	struct names names;
	struct bytes bytes = {&to, &names.good, &names.bad, sizeof(to), 0};

	fill_both(&names);
	sender = datagram(AF_UNIX);
	race_bytes(&bytes, by_sendto);
}

/* One end of a pair is a datagram socket like others. */
static void unix_pair(void)
{
	struct sockaddr_un to;
	struct names names;
	struct bytes bytes = {&to, &names.good, &names.bad, sizeof(to), 0};
	int pair[2];

	fill_both(&names);
	NEED(socketpair(AF_UNIX, SOCK_RAW | SOCK_NONBLOCK, 0, pair) == 0);
	sender = pair[0];
	race_bytes(&bytes, by_sendto);
}

/* ---------------------------------------------------- sockets that others have made */

/* What is handed out at live/give. */
static int receive_socket(void)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct sockaddr_un give;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fill(&give, in_work("live/give"));
	NEED(fd >= 0 && connect(fd, (void *)&give, sizeof(give)) == 0);
	NEED(recvmsg(fd, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message));
	close(fd);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void unix_received(void)
{
	struct sockaddr_un to;
	struct names names;
	struct bytes bytes = {&to, &names.good, &names.bad, sizeof(to), 0};

	fill_both(&names);
	sender = receive_socket();
	race_bytes(&bytes, by_sendto);
}

/* Made outside, bound and listening inside: what counts is who made it. */
static void unix_listener(void)
{
	struct sockaddr_un here;
	int listener = receive_socket(), fd;

	fill(&here, in_work("floor/listener"));
	NEED(bind(listener, (void *)&here, sizeof(here)) == 0 && listen(listener, 9) == 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0);
	score->tries++;
	score->hits += connect(fd, (void *)&here, sizeof(here)) == 0;
}

/* -------------------------------------------------------------- what points to it */

static struct iovec one = {(void *)"x", 1};

/* The header says where the address is. */
static bool by_sendmsg(const void *header)
{
	return sendmsg(sender, header, 0) == 1;
}

static void unix_sendmsg(void)
{
	struct names names;
	struct msghdr good = {.msg_name = &names.good,
		.msg_namelen = sizeof(names.good),
		.msg_iov = &one,
		.msg_iovlen = 1};
	struct msghdr bad = good, header;
	struct bytes bytes = {&header, &good, &bad, sizeof(header), 0};

	bad.msg_name = &names.bad;
	fill_both(&names);
	sender = datagram(AF_UNIX);
	race_bytes(&bytes, by_sendmsg);
}

static int other_end;

/* What is not received fills the sender's buffer. */
static bool by_sendmsg_in_pair(const void *header)
{
	char x;

	return by_sendmsg(header) && recv(other_end, &x, 1, MSG_DONTWAIT) == 1;
}

/* With no address there is nothing to judge: from a pair it goes to the other end. */
static void unix_name_appears(void)
{
	struct names names;
	struct msghdr good = {.msg_iov = &one, .msg_iovlen = 1}, bad = good, header;
	struct bytes bytes = {&header.msg_name, &good.msg_name, &bad.msg_name, sizeof(void *), 0};
	int pair[2];

	fill_both(&names);
	bad.msg_name = &names.bad;
	header = good;
	header.msg_namelen = sizeof(names.bad);
	NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
	sender = pair[0];
	other_end = pair[1];
	race_bytes(&bytes, by_sendmsg_in_pair);
}

static bool by_sendmmsg(const void *headers)
{
	return sendmmsg(sender, (struct mmsghdr *)(uintptr_t)headers, 2, 0) > 0;
}

static void unix_sendmmsg(void)
{
	struct names names;
	struct mmsghdr good[2] = {0}, bad[2], headers[2];
	struct bytes bytes = {headers, good, bad, sizeof(headers), 0};

	fill_both(&names);
	for (int i = 0; i < 2; i++)
		good[i].msg_hdr = (struct msghdr){.msg_name = &names.good,
			.msg_namelen = sizeof(names.good),
			.msg_iov = &one,
			.msg_iovlen = 1};
	memcpy(bad, good, sizeof(bad));
	bad[1].msg_hdr.msg_name = &names.bad;
	sender = datagram(AF_UNIX);
	race_bytes(&bytes, by_sendmmsg);
}

/* ----------------------------------------------------------------- the descriptor */

struct fds {
	int at, one, other;
	unsigned int round;
};

static void flip_fds(void *arg)
{
	struct fds *fds = arg;

	dup2(fds->one, fds->at);
	pause_a_while(fds->round++);
	dup2(fds->other, fds->at);
	pause_a_while(fds->round++);
}

struct descriptor {
	struct names names;
	struct msghdr header;
	struct fds fds;
};

/* Of a stream the kernel takes no address, so that none needs to be judged. */
static void prepare_descriptor(struct descriptor *d)
{
	int pair[2];

	fill_both(&d->names);
	d->header = (struct msghdr){.msg_name = &d->names.bad,
		.msg_namelen = sizeof(d->names.bad),
		.msg_iov = &one,
		.msg_iovlen = 1};
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	d->fds = (struct fds){.at = dup(pair[0]), .one = pair[0], .other = datagram(AF_UNIX)};
}

static void unix_descriptor(void)
{
	struct descriptor d;
	struct flipper flipper;

	prepare_descriptor(&d);
	flipper_start(&flipper, flip_fds, &d.fds);
	while (more()) {
		tried(sendmsg(d.fds.at, &d.header, 0) == 1);
		tried(sendto(d.fds.at, "x", 1, 0, (void *)&d.names.bad, sizeof(d.names.bad)) == 1);
	}
	flipper_end(&flipper);
}

static _Atomic bool in_call;

/* What is looked at is a stream; what the call finds when it goes on is not. */
static void flip_in_call(void *arg)
{
	struct fds *fds = arg;

	while (!in_call && !score->over)
		sched_yield();
	usleep(700);
	dup2(fds->other, fds->at);
	while (in_call && !score->over)
		sched_yield();
	dup2(fds->one, fds->at);
}

static void *work_in_call(void *arg)
{
	(void)prctl(PR_SET_TIMERSLACK, 1); /* the call is short */
	while (!score->over) {
		for (volatile unsigned int i = 0; in_call && i < 2000000; i++)
			;
		usleep(5);
	}
	return arg;
}

/* Keeps the calling thread from running while it is in a call: it is idle, and its CPU is not. */
static void park(pthread_t *other)
{
	const struct sched_param param = {0};
	cpu_set_t all, one_cpu;

	NEED(sched_getaffinity(0, sizeof(all), &all) == 0);
	CPU_ZERO(&one_cpu);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one_cpu) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one_cpu);
	NEED(sched_setaffinity(0, sizeof(one_cpu), &one_cpu) == 0);
	*other = begin(work_in_call, NULL);
	NEED(sched_setscheduler(0, SCHED_IDLE, &param) == 0);
}

static void unix_parked(void)
{
	struct descriptor d;
	struct flipper flipper;
	pthread_t other;

	prepare_descriptor(&d);
	flipper_start(&flipper, flip_in_call, &d.fds);
	park(&other);
	while (more()) {
		in_call = true;
		score->hits += sendmsg(d.fds.at, &d.header, 0) == 1;
		score->tries++;
		in_call = false;
	}
	flipper_end(&flipper);
	pthread_join(other, NULL);
}

/* ---------------------------------------------------------------------- the file */

static void exchange_files(void *arg)
{
	unsigned int *round = arg;

	(void)renameat2(
		AT_FDCWD, in_work("floor/in"), AT_FDCWD, in_work("floor/out"), RENAME_EXCHANGE);
	pause_a_while((*round)++);
}

/* A socket made inside, and one from outside that takes its place and gives it back. */
static void unix_renamed(void)
{
	struct sockaddr_un to;
	struct flipper flipper;
	unsigned int round = 0;
	int inside = datagram(AF_UNIX);
	char x;

	fill(&to, in_work("floor/in"));
	NEED(bind(inside, (void *)&to, sizeof(to)) == 0);
	sender = datagram(AF_UNIX);
	flipper_start(&flipper, exchange_files, &round);
	while (more()) {
		(void)by_sendto(&to);
		tried(recv(inside, &x, 1, 0) == 1);
	}
	flipper_end(&flipper);
}

/* ----------------------------------------------------------------------- by IP */

static struct sockaddr_in good_port, bad_port;

static void read_ports(void)
{
	char host[HOST_SIZE];

	good_port =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	bad_port = good_port;
	read_peers(&good_port.sin_port, host, &bad_port.sin_port);
	NEED(inet_pton(AF_INET, host, &bad_port.sin_addr) == 1);
}

static bool to_port(const void *address)
{
	return sendto(sender, "x", 1, 0, address, sizeof(good_port)) == 1;
}

/* Connected first, so that a send needs no address. */
static bool connect_to_port(const void *address)
{
	bool done;

	sender = datagram(AF_INET);
	done = connect(sender, address, sizeof(good_port)) == 0 && write(sender, "x", 1) == 1;
	close(sender);
	return done;
}

static bool connect_tcp(const void *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool done;

	NEED(fd >= 0);
	done = connect(fd, address, sizeof(good_port)) == 0 && write(fd, "x", 1) == 1;
	close(fd);
	return done;
}

static void race_ports(bool (*act)(const void *address))
{
	struct sockaddr_in to;
	struct bytes bytes = {&to, &good_port, &bad_port, sizeof(to), 0};

	read_ports();
	race_bytes(&bytes, act);
}

static void udp_sendto(void)
{
	sender = datagram(AF_INET);
	race_ports(to_port);
}

static void udp_connect(void)
{
	race_ports(connect_to_port);
}

static void tcp_connect(void)
{
	race_ports(connect_tcp);
}

static void udp_sendmsg(void)
{
	struct msghdr good = {.msg_name = &good_port,
		.msg_namelen = sizeof(good_port),
		.msg_iov = &one,
		.msg_iovlen = 1};
	struct msghdr bad = good, header;
	struct bytes bytes = {&header, &good, &bad, sizeof(header), 0};

	bad.msg_name = &bad_port;
	read_ports();
	sender = datagram(AF_INET);
	race_bytes(&bytes, by_sendmsg);
}

/* What is bound to the bad port would get what is sent there: it must stay free. */
static void udp_bind(void)
{
	struct sockaddr_in to;
	struct bytes bytes = {&to, &good_port, &bad_port, sizeof(to), 0};
	struct flipper flipper;

	read_ports();
	to = good_port; /* not port 0, for which the kernel may choose the bad one */
	flipper_start(&flipper, flip_bytes, &bytes);
	while (more()) {
		struct sockaddr_in at = {0};
		socklen_t size = sizeof(at);
		int fd = datagram(AF_INET);

		tried(bind(fd, (void *)&to, sizeof(to)) == 0);
		NEED(getsockname(fd, (void *)&at, &size) == 0);
		score->hits += at.sin_port == bad_port.sin_port;
		close(fd);
	}
	flipper_end(&flipper);
}

/* TCP takes no address from a send, UDP does. */
static void udp_descriptor(void)
{
	struct fds fds = {.other = datagram(AF_INET)};
	struct flipper flipper;

	read_ports();
	fds.one = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fds.at = dup(fds.one);
	NEED(fds.at >= 0);
	flipper_start(&flipper, flip_fds, &fds);
	while (more())
		tried(sendto(fds.at, "x", 1, MSG_NOSIGNAL, (void *)&bad_port, sizeof(bad_port)) ==
			1);
	flipper_end(&flipper);
}

const struct attack send_attacks[] = {
	{"unix-sendto", unix_sendto},
	{"unix-pair", unix_pair},
	{"unix-sendmsg", unix_sendmsg},
	{"unix-name-appears", unix_name_appears},
	{"unix-sendmmsg", unix_sendmmsg},
	{"unix-descriptor", unix_descriptor},
	{"unix-parked", unix_parked},
	{"unix-renamed", unix_renamed},
	{"unix-received", unix_received},
	{"unix-listener", unix_listener},
	{"udp-sendto", udp_sendto},
	{"udp-sendmsg", udp_sendmsg},
	{"udp-connect", udp_connect},
	{"udp-bind", udp_bind},
	{"udp-descriptor", udp_descriptor},
	{"tcp-connect", tcp_connect},
	{NULL, NULL},
};
