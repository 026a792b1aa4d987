/* SPDX-License-Identifier: MIT */
/* listen(2). */
#include <errno.h>
#include <netinet/tcp.h>
#include "base/cleanup.h"
#include "supervise/ask.h"
#include "supervise/net_ip.h"

/* -------------------------------------------------------------------- bare sockets */

static bool decide(struct rv_net *net, int what)
{
	int was = RV_BARE_UNDECIDED;

	return atomic_compare_exchange_strong(&net->bare, &was, what) || was == what;
}

bool rv_net_may_make_bare(struct rv_net *net)
{
	return decide(net, RV_BARE_MADE);
}

bool rv_net_may_go_on(struct rv_request *request, bool can_be_performed)
{
	struct rv_net *net = request->context->net;

	if (!net->listens)
		return true;
	if (can_be_performed && rv_ask_has_approver(request->context->ask) &&
		atomic_load(&net->bare) != RV_BARE_NEVER)
		return false;
	return decide(net, RV_BARE_NEVER);
}

/* ----------------------------------------------------------------------- listening */

static struct rv_answer perform(struct rv_request *request, int fd)
{
	struct rv_job job = {.work = {.kind = RV_WORK_LISTEN, .args = {rv_arg_int(request, 1)}},
		.fds = {fd},
		.fds_count = 1,
		.no_wait = true};

	return rv_net_perform(request, &job);
}

/* Natively EINVAL; and what a connection bound is bound no more once that ends. */
static bool is_connecting(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
	       (info.tcpi_state != TCP_CLOSE && info.tcpi_state != TCP_LISTEN);
}

/* It asks for no power of the caller's. */
static struct rv_answer listen_tcp(struct rv_request *request, int fd)
{
	struct rv_answer answer;

	if (is_connecting(fd))
		return rv_answer_errno(EINVAL);
	if (rv_net_ip_is_unbound(fd) && !rv_net_ip_may_listen(request, fd, &answer))
		return answer;
	return perform(request, fd);
}

/*
 * The peers of a UNIX socket see who made it listen (SO_PEERCRED): the connector only where bare
 * sockets are or may be made, and never in the place of somebody else. `fd` is -1 where it could
 * not be had.
 */
static struct rv_answer listen_other(struct rv_request *request, int fd)
{
	bool can = fd >= 0 && rv_may_act_for(request);

	if (rv_net_may_go_on(request, can))
		return rv_answer_continue(
			"whatever socket it is on by then, a rule or its maker's "
			"policy let it be made: none is bare here, and none will be");
	return can ? perform(request, fd) : rv_answer_errno(EPERM);
}

struct rv_answer rv_net_listen(struct rv_request *request)
{
	rv_autoclose int fd = rv_net_copy_fd(request, rv_arg_int(request, 0));
	int domain = fd < 0 ? fd : rv_net_option(fd, SO_DOMAIN);

	if (fd == -EPERM)
		return listen_other(request, -1);
	if (domain < 0)
		return rv_answer_errno(-domain);
	if (rv_net_ip_right(fd, RV_IP_BIND) == REEVE_NET_BIND_TCP)
		return listen_tcp(request, fd);
	return listen_other(request, fd);
}
