/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include "base/cleanup.h"
#include "supervise/ask.h"
#include "supervise/net_ip.h"
#include "supervise/sockets.h"

#define SEND_UDP REEVE_NET_CONNECT_SEND_UDP
#define TCP	 (REEVE_NET_CONNECT_TCP | REEVE_NET_BIND_TCP)

#define V6_SIZE 24 /* the kernel's SIN6_LEN_RFC2133: without the scope id */

uint64_t rv_net_ip_right(int fd, enum rv_ip_use use)
{
	static const struct {
		int type, protocol;
		uint64_t rights[3]; /* of enum rv_ip_use */
	} table[] = {
		/* A send needs a connection, but for MSG_FASTOPEN, which is guarded. */
		{SOCK_STREAM, IPPROTO_TCP, {REEVE_NET_BIND_TCP, REEVE_NET_CONNECT_TCP, 0}},
		{SOCK_DGRAM, IPPROTO_UDP, {REEVE_NET_BIND_UDP, SEND_UDP, SEND_UDP}},
		{SOCK_DGRAM, IPPROTO_UDPLITE, {REEVE_NET_BIND_UDP, SEND_UDP, SEND_UDP}},
	};
	int type = rv_net_option(fd, SO_TYPE), protocol = rv_net_option(fd, SO_PROTOCOL);

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		if (table[i].type == type && table[i].protocol == protocol)
			return table[i].rights[use];
	}
	return 0;
}

bool rv_net_ip_parse(
	int fd, const struct rv_address_copy *address, enum rv_ip_use use, struct rv_endpoint *ret)
{
	const struct sockaddr_in *v4 = (const void *)address->bytes;
	const struct sockaddr_in6 *v6 = (const void *)address->bytes;
	int family = address->size >= sizeof(sa_family_t) ? address->any.sa_family : -1;
	char text[INET6_ADDRSTRLEN];

	if (family == AF_UNSPEC &&
		(use == RV_IP_BIND ||
			(use == RV_IP_SEND && rv_net_option(fd, SO_DOMAIN) == AF_INET)))
		family = AF_INET;
	if (family == AF_INET && address->size >= sizeof(*v4)) {
		ret->ip = rv_ip_from_v4(&v4->sin_addr);
		ret->port = ntohs(v4->sin_port);
	} else if (family == AF_INET6 && address->size >= V6_SIZE) {
		ret->ip = rv_ip_from_v6(&v6->sin6_addr);
		ret->port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	inet_ntop(ret->ip.is_v4 ? AF_INET : AF_INET6, ret->ip.bytes, text, sizeof(text));
	snprintf(
		ret->text, sizeof(ret->text), ret->ip.is_v4 ? "%s:%u" : "[%s]:%u", text, ret->port);
	return true;
}

bool rv_net_ip_is_unbound(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	socklen_t size = sizeof(at);

	/* Both have the port at the same place. */
	return getsockname(fd, &at.any, &size) < 0 || !at.v4.sin_port;
}

struct rv_endpoint rv_net_ip_any(int fd)
{
	struct rv_endpoint any = {.ip = {.is_v4 = rv_net_option(fd, SO_DOMAIN) == AF_INET}};

	snprintf(any.text, sizeof(any.text), any.ip.is_v4 ? "0.0.0.0:0" : "[::]:0");
	return any;
}

bool rv_net_ip_listen_binds(int fd)
{
	return rv_net_ip_right(fd, RV_IP_BIND) == REEVE_NET_BIND_TCP && rv_net_ip_is_unbound(fd);
}

/* A question on one call, of one part or two. */
struct asking {
	struct rv_request *request;
	int fd;			  /* a duplicate of the caller's socket */
	struct rv_judgement live; /* the live rules that are needed; FLOOR_ALLOWS: none */
	struct rv_answer *answer; /* of what is not allowed */

	uint64_t missing; /* what nobody grants, of both parts */
	uint64_t right;	  /* the first of them, with what was decided, and on what */
	struct rv_judgement denied;
	struct rv_endpoint to;
};

static bool refuse(struct asking *a, const struct rv_judgement *judgement, uint64_t right,
	const struct rv_endpoint *to)
{
	rv_report_denied(a->request, judgement, REEVE_NET, right, to->text, NULL, EACCES);
	*a->answer = rv_answer_errno(EACCES);
	return a->request->context->permissive;
}

/* What is denied is asked about as a whole. */
static bool deny(struct asking *a, struct rv_judgement *judgement, uint64_t right,
	const struct rv_endpoint *to)
{
	judgement->decision.missing = right;
	if (a->request->context->permissive)
		return refuse(a, judgement, right, to);
	if (!a->missing) {
		a->denied = *judgement;
		a->right = right;
		a->to = *to;
	}
	a->missing |= right;
	return true;
}

static bool judge(struct asking *a, uint64_t right, const struct rv_endpoint *to, bool bound)
{
	struct rv_judgement judgement;

	rv_judge_endpoint(a->request->context->judge, right, &to->ip, to->port, bound, &judgement);
	if (judgement.result == RV_FLOOR_ALLOWS)
		return true;
	/* What the floor does not give is given only to those who are as we are. */
	if (judgement.result == RV_LIVE_ALLOWS && rv_may_act_for(a->request)) {
		if (a->live.result == RV_LIVE_ALLOWS)
			return rv_judgement_join(&a->live, &judgement);
		a->live = judgement;
		return true;
	}
	return deny(a, &judgement, right, to);
}

/*
 * A UDP socket that is not bound when it connects or sends is bound to a port that the kernel
 * chooses: what bind(2) of port 0 would need.
 */
static bool may_bind_itself(struct asking *a)
{
	struct rv_endpoint any = rv_net_ip_any(a->fd);

	return !rv_net_ip_is_unbound(a->fd) || judge(a, REEVE_NET_BIND_UDP, &any, true);
}

/* Or too short to be anything. */
static bool is_disconnect(enum rv_ip_use use, const struct rv_address_copy *address)
{
	return use == RV_IP_CONNECT &&
	       (address->size < sizeof(sa_family_t) || address->any.sa_family == AF_UNSPEC);
}

static bool judge_all(struct asking *a, enum rv_ip_use use, const struct rv_address_copy *address,
	struct rv_endpoint *to, uint64_t right)
{
	/* The kernel binds it before it finds the address wrong. */
	if (!rv_net_ip_parse(a->fd, address, use, to))
		return right != SEND_UDP || is_disconnect(use, address) || may_bind_itself(a);
	if (!judge(a, right, to, use == RV_IP_BIND))
		return false;
	return right != SEND_UDP || may_bind_itself(a);
}

#define NETWORK_SIZE (INET6_ADDRSTRLEN + 4)

/* As rules have it: with its full prefix. */
static const char *network_of(const struct rv_endpoint *to, char buf[static NETWORK_SIZE])
{
	inet_ntop(to->ip.is_v4 ? AF_INET : AF_INET6, to->ip.bytes, buf, INET6_ADDRSTRLEN);
	return strcat(buf, to->ip.is_v4 ? "/32" : "/128");
}

/* The socket's family, type and protocol where no rule lets it be made: an answer that lasts grants
 * that as well. */
static void set_socket(const struct asking *a, int socket[3])
{
	const int args[3] = {rv_net_option(a->fd, SO_DOMAIN), rv_net_option(a->fd, SO_TYPE), 0};

	if (rv_sockets_lack_rule(a->request->context, args))
		memcpy(socket, args, sizeof(args));
}

/* False: it is held, or denied. */
static bool ask(struct asking *a)
{
	char network[NETWORK_SIZE];
	struct rv_want want = {.cls = REEVE_NET,
		.asked = a->missing,
		.missing = a->missing,
		.object = a->to.text,
		.address = network_of(&a->to, network),
		.port = a->to.port};

	set_socket(a, want.socket);
	switch (rv_request_ask(a->request, &a->denied, &want)) {
	case RV_ASKED_ALLOWED:
		a->request->outside = true;
		return true;
	case RV_ASKED_HELD:
		*a->answer = rv_answer_held();
		return false;
	case RV_ASKED_DENIED:
		break;
	}
	return refuse(a, &a->denied, a->right, &a->to);
}

static bool may_use_socket(const struct asking *a)
{
	if (atomic_load(&a->request->context->net->bare) != RV_BARE_MADE)
		return true;
	return rv_sockets_may_use(a->request,
		(const int[3]){rv_net_option(a->fd, SO_DOMAIN), SOCK_STREAM, 0}, a->answer);
}

/* Once all parts are judged. */
static bool settle(struct asking *a, uint64_t right, const struct rv_endpoint *to)
{
	if (a->missing ? !ask(a) : (right & TCP) && !may_use_socket(a))
		return false;
	if (a->live.result != RV_LIVE_ALLOWS || !rv_caller_waits(a->request->caller))
		return true;
	/* Granted once, and used by another request meanwhile: nothing is left of the rule. */
	if (!rv_judge_used(a->request->context->judge, &a->live)) {
		a->live.decision = (struct reeve_decision){.missing = right, .layer = 1};
		return refuse(a, &a->live, right, to);
	}
	a->request->outside = true;
	return true;
}

/*
 * To an IPv6 socket an AF_UNSPEC address is none: it sends to its peer. Landlock (ABI 10) refuses
 * it wherever sends are restricted, and so do we.
 */
static bool is_unspecified_send(
	const struct asking *a, enum rv_ip_use use, const struct rv_address_copy *address)
{
	struct reeve_rights handled;

	if (use != RV_IP_SEND || address->size < sizeof(sa_family_t) ||
		address->any.sa_family != AF_UNSPEC || rv_net_option(a->fd, SO_DOMAIN) != AF_INET6)
		return false;
	reeve_ruleset_handled(rv_judge_static(a->request->context->judge), &handled);
	return handled.of[REEVE_NET] & SEND_UDP;
}

static bool refuse_unspecified(struct asking *a)
{
	const struct rv_judgement denied = {.result = RV_DENIED,
		.decision = {.error = EACCES, .missing = SEND_UDP, .layer = 1}};
	const struct rv_endpoint none = {.text = "[::]:0"};

	return refuse(a, &denied, SEND_UDP, &none);
}

bool rv_net_ip_allowed(struct rv_request *request, int fd, enum rv_ip_use use,
	const struct rv_address_copy *address, struct rv_answer *ret)
{
	struct asking a = {
		.request = request, .fd = fd, .live = {.result = RV_FLOOR_ALLOWS}, .answer = ret};
	uint64_t right = rv_net_ip_right(fd, use);
	struct rv_endpoint to = {0};

	if (!right)
		return true;
	if (right == SEND_UDP && is_unspecified_send(&a, use, address))
		return refuse_unspecified(&a);
	return judge_all(&a, use, address, &to, right) && settle(&a, right, &to);
}

bool rv_net_ip_may_listen(struct rv_request *request, int fd, struct rv_answer *ret)
{
	struct asking a = {
		.request = request, .fd = fd, .live = {.result = RV_FLOOR_ALLOWS}, .answer = ret};
	const struct rv_endpoint any = rv_net_ip_any(fd);

	return judge(&a, REEVE_NET_BIND_TCP, &any, true) && settle(&a, REEVE_NET_BIND_TCP, &any);
}
