/* SPDX-License-Identifier: MIT */
/* Is the process of a pidfd, which came with the request, in the domain? */
#include <errno.h>
#include "base/error.h"
#include "control/server.h"
#include "supervise/member.h"

int rv_serve_member(struct rv_asked *asked, struct reeve_error *err)
{
	int pidfd = asked->client->passed_fd, r;

	r = pidfd < 0 ? -EBADF : rv_supervisor_has(asked->server->supervisor, pidfd);
	if (r == -EBADF)
		return rv_error(err, -EINVAL, "member: expected a pidfd with the request");
	/* Not proven is neither yes nor no. */
	json_object_set_new(asked->answer, "member", r < 0 ? json_null() : json_boolean(r));
	return 0;
}
