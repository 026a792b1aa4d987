/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include "supervise/domain_id.h"

int rv_domain_id_new(uint64_t *ret)
{
	uint64_t id = 0;

	while (id == 0) {
		ssize_t n = getrandom(&id, sizeof(id), 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n != (ssize_t)sizeof(id))
			id = 0;
	}
	*ret = id;
	return 0;
}

char *rv_domain_id_format(uint64_t id, char buf[RV_DOMAIN_ID_SIZE])
{
	snprintf(buf, RV_DOMAIN_ID_SIZE, "%" PRIx64, id);
	return buf;
}
