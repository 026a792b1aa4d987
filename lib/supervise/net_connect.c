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
	struct rv_job job = {.work = {.kind = RV_WORK_CONNECT,
				     .pinned = c->pin >= 0,
				     .address_size = c->address.size},
		.fds = {c->fd, c->pin},
		.fds_count = c->pin >= 0 ? 2 : 1};

	memcpy(job.work.address, c->address.bytes, c->address.size);
	return rv_net_perform(c->request, &job);
}

/* Where the kernel has every limit it checks again what the address says by then. */
static struct rv_answer go_on(struct connecting *c)
{
	if (!c->request->outside && c->request->context->net->grants_only)
		return rv_answer_continue("Landlock decides, and no limit is ours");
	return perform(c);
}

static struct rv_answer connect_ip(struct connecting *c)
{
	struct rv_answer answer;

	return rv_net_ip_allowed(c->request, c->fd, RV_IP_CONNECT, &c->address, &answer) ? go_on(c)
											 : answer;
}

/* IP, or any other family, whose addresses no rule names. */
static struct rv_answer connect_it(struct connecting *c)
{
	int domain = rv_net_option(c->fd, SO_DOMAIN);
	struct rv_answer answer;
	bool allowed;

	/* Connecting by IP asks for no power of the caller's: see SECURITY.md. */
	if (domain == AF_INET || domain == AF_INET6 || c->request->context->net->grants_only)
		return connect_ip(c);
	if (!rv_may_act_for(c->request))
		return rv_answer_errno(EPERM);
	allowed = domain != AF_UNIX ||
		  rv_net_unix_allowed(c->request, c->fd, &c->address, &c->pin, &answer);
	return allowed ? perform(c) : answer;
}

struct rv_answer rv_net_connect(struct rv_request *request)
{
	struct connecting c = {.request = request, .fd = -1, .pin = -1};
	int r = rv_net_copy(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), &c.fd, &c.address);
	struct rv_answer answer;

	if (r < 0)
		return request->context->net->grants_only
			       ? rv_answer_continue("the kernel gives the errno, or decides")
			       : rv_answer_errno(-r);
	answer = connect_it(&c);
	rv_close_p(&c.fd);
	rv_close_p(&c.pin);
	return answer;
}
