/* SPDX-License-Identifier: MIT */
/* connect(2). */
#include <errno.h>
#include <string.h>
#include "base/cleanup.h"
#include "supervise/net_ip.h"

struct connecting {
	struct rv_request *request;
	int fd;	 /* a duplicate of the caller's socket */
	int pin; /* on the socket's file; -1: none */
	struct rv_address_copy address;
};

static struct rv_answer perform(struct connecting *c)
{
	struct rv_answer answer;
	struct rv_job job = {.work = {.kind = RV_WORK_CONNECT,
				     .pinned = c->pin >= 0,
				     .address_size = c->address.size},
		.fds = {c->fd, c->pin},
		.fds_count = c->pin >= 0 ? 2 : 1};

	if (!rv_net_inner_lets(c->request, c->fd, RV_IP_CONNECT, &c->address, &answer))
		return answer;
	memcpy(job.work.address, c->address.bytes, c->address.size);
	return rv_net_perform(c->request, &job);
}

/*
 * What a live rule allows is performed, outside the floor. Else only where a right is ours to
 * enforce may nothing go on: else the kernel checks all of them again, whatever the memory says by
 * then and whatever the descriptor is.
 */
static struct rv_answer go_on(struct connecting *c, bool can_be_performed)
{
	if (c->request->outside || c->request->context->net->connects)
		return perform(c);
	if (rv_net_may_go_on(c->request, can_be_performed))
		return rv_answer_continue("the floor checks all that restricts it");
	return can_be_performed ? perform(c) : rv_answer_errno(EPERM);
}

/* IP, or any other family, whose addresses no rule names. */
static struct rv_answer connect_ip(struct connecting *c)
{
	struct rv_answer answer;

	if (!rv_net_ip_allowed(c->request, c->fd, RV_IP_CONNECT, &c->address, &answer))
		return answer;
	return go_on(c, true);
}

static struct rv_answer connect_it(struct connecting *c)
{
	const struct rv_net *net = c->request->context->net;
	int domain = c->address.domain;
	struct rv_answer answer;

	/* Connecting by IP asks for no power of the caller's: see SECURITY.md. */
	if (domain == AF_INET || domain == AF_INET6 || net->grants_only)
		return connect_ip(c);
	if (!rv_may_act_for(c->request))
		return net->connects ? rv_answer_errno(EPERM) : go_on(c, false);
	if (domain == AF_UNIX &&
		!rv_net_unix_allowed(c->request, c->fd, &c->address, &c->pin, &answer))
		return answer;
	return go_on(c, true);
}

struct rv_answer rv_net_connect(struct rv_request *request)
{
	struct connecting c = {.request = request, .fd = -1, .pin = -1};
	int r = rv_net_copy(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), &c.fd, &c.address);
	struct rv_answer answer;

	if (r < 0)
		return request->context->net->connects || !rv_net_may_go_on(request, false)
			       ? rv_answer_errno(-r)
			       : rv_answer_continue("the kernel gives the errno, or decides");
	answer = connect_it(&c);
	rv_close_p(&c.fd);
	rv_close_p(&c.pin);
	return answer;
}
