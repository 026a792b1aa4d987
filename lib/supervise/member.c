/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include "kernel/pidfd.h"
#include "supervise/member.h"
#include "supervise/session.h"

const struct rv_certificate *rv_supervisor_certificate(const struct reeve_supervisor *s)
{
	return &s->certificate;
}

int rv_supervisor_has(struct reeve_supervisor *s, int pidfd)
{
	struct rv_pidfd_ids ids;
	int r = rv_pidfd_ids(pidfd, &ids);

	if (r < 0)
		return r;
	/* Outside of any domain, the connector could reach everybody. */
	if (!s->has_floor)
		return -EOPNOTSUPP;
	r = rv_workers_member(&s->workers, pidfd, ids.tid);
	return r >= 0 && rv_pidfd_ended(pidfd) ? -ESRCH : r;
}
