/* SPDX-License-Identifier: MIT */
/* What an IP socket is asked to do, as Landlock's rights see it. */
#ifndef RV_SUPERVISE_NET_IP_H
#define RV_SUPERVISE_NET_IP_H

#include <netinet/in.h>
#include "supervise/net.h"

enum rv_ip_use { RV_IP_BIND, RV_IP_CONNECT, RV_IP_SEND };

/* The right that Landlock asks for; 0: it does not look at such sockets. */
uint64_t rv_net_ip_right(int fd, enum rv_ip_use use);

struct rv_endpoint {
	struct rv_ip ip;
	uint16_t port;
	char text[INET6_ADDRSTRLEN + 10]; /* "192.0.2.1:443", "[2001:db8::1]:443" */
};

/*
 * False: too short, or of a family that means nothing here. AF_UNSPEC disconnects, binds to the
 * IPv4 wildcard, or sends: from an IPv6 socket to its peer (refused), from an IPv4 one to the
 * address.
 */
bool rv_net_ip_parse(
	int fd, const struct rv_address_copy *address, enum rv_ip_use use, struct rv_endpoint *ret);

/* Port 0 of any address of the socket's family: what the kernel's own choice of a port counts as.
 */
struct rv_endpoint rv_net_ip_any(int fd);

/* A TCP socket that is bound to no port: listen(2) has the kernel choose one. */
bool rv_net_ip_listen_binds(int fd);

/* An IP socket that connects or sends while it is bound to no port has the kernel choose one. */
bool rv_net_ip_is_unbound(int fd);

/*
 * Whether the policy lets the socket use the address. False: *ret is the answer, and the denial was
 * reported. What is no address that means something is left to the kernel.
 */
bool rv_net_ip_allowed(struct rv_request *request, int fd, enum rv_ip_use use,
	const struct rv_address_copy *address, struct rv_answer *ret);
/* The same of listen(2) on a socket that it binds. */
bool rv_net_ip_may_listen(struct rv_request *request, int fd, struct rv_answer *ret);

/*
 * net_inner.c: before a call on any socket is performed: false where an inner domain might forbid
 * it (inner.h); *ret is then the answer.
 */
bool rv_net_inner_lets(struct rv_request *request, int fd, enum rv_ip_use use,
	const struct rv_address_copy *to, struct rv_answer *ret);

#endif /* RV_SUPERVISE_NET_IP_H */
