/* SPDX-License-Identifier: MIT */
/* Faults in what an address, or a socket, is taken for. */
#include <string.h>
#include "supervise/net_ip.h"
#include "supervise/owner.h"
#include "supervise/sockets.h"
#include "racy.h"

/* "literal": an address is what is written, public where it says nothing else, and none where no
 * family is. */
WRAP(struct rv_ip, rv_ip_from_v6, (const void *bytes))
{
	struct rv_ip ip = {.is_v4 = false};

	if (!racy_has("literal"))
		return __real_rv_ip_from_v6(bytes);
	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	return ip;
}

WRAP(bool, rv_address_match, (const struct rv_address *address, const struct rv_ip *ip, bool bound))
{
	if (racy_has("literal") && address->kind == RV_ADDRESS_PUBLIC)
		return !ip->is_v4 || ip->bytes[0] != 127;
	return __real_rv_address_match(address, ip, bound);
}

WRAP(bool, rv_net_ip_allowed,
	(struct rv_request * request, int fd, enum rv_ip_use use,
		const struct rv_address_copy *address, struct rv_answer *ret))
{
	if (racy_has("literal") && address->size >= sizeof(sa_family_t) &&
		address->any.sa_family == AF_UNSPEC)
		return true;
	return __real_rv_net_ip_allowed(request, fd, use, address, ret);
}

/* "owner": a socket is whose it was bound by, or anybody's. */
WRAP(int, rv_owner_of_file,
	(struct rv_owner * owner, int pin, const struct stat *st, struct rv_found *ret))
{
	int r = __real_rv_owner_of_file(owner, pin, st, ret);

	if (r == 0 && racy_has("owner"))
		ret->made = RV_MADE_INSIDE;
	return r;
}

/* "guards": what a guard would refuse goes on. */
WRAP(bool, rv_sockets_dispatch,
	(struct rv_context * context, int listener, const struct seccomp_notif *notif,
		bool may_block, const struct rv_pass *pass, struct rv_answer *ret))
{
	bool refused = __real_rv_sockets_dispatch(context, listener, notif, may_block, pass, ret);

	if (refused && racy_has("guards") && ret->kind == RV_ANSWER_ERRNO)
		*ret = rv_answer_continue("nobody cares");
	return refused;
}
