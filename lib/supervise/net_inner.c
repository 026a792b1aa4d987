/* SPDX-License-Identifier: MIT */
/* What a domain that the program made itself might forbid of calls on sockets: see inner.h. */
#include <errno.h>
#include <stddef.h>
#include <sys/un.h>
#include "supervise/inner.h"
#include "supervise/net_ip.h"

/* Abstract names are nobody's to forbid, but to who connects or sends. */
static bool unix_lets(struct rv_request *request, enum rv_ip_use use,
	const struct rv_address_copy *to, struct rv_answer *ret)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);

	/* The kernel refuses what means none, or takes it as a disconnect. */
	if (to->size <= before || (use != RV_IP_BIND && to->any.sa_family != AF_UNIX))
		return true;
	if (to->bytes[before])
		return rv_inner_lets(request, REEVE_FS,
			use == RV_IP_BIND ? REEVE_FS_MAKE_SOCK : REEVE_FS_RESOLVE_UNIX, EACCES,
			ret);
	return use == RV_IP_BIND ||
	       rv_inner_lets(request, REEVE_SCOPE, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET, EPERM, ret);
}

/* A socket that sends or connects may be bound by that. */
static bool ip_lets(struct rv_request *request, int fd, enum rv_ip_use use, struct rv_answer *ret)
{
	uint64_t right = rv_net_ip_right(fd, use);

	if (right == REEVE_NET_CONNECT_SEND_UDP)
		right |= REEVE_NET_BIND_UDP;
	return rv_inner_lets(request, REEVE_NET, right, EACCES, ret);
}

bool rv_net_inner_lets(struct rv_request *request, int fd, enum rv_ip_use use,
	const struct rv_address_copy *to, struct rv_answer *ret)
{
	int domain;

	if (!rv_inner_begun(&request->context->inner))
		return true;
	domain = rv_net_option(fd, SO_DOMAIN);
	if (domain == AF_UNIX)
		return unix_lets(request, use, to, ret);
	return (domain != AF_INET && domain != AF_INET6) || ip_lets(request, fd, use, ret);
}
