/* SPDX-License-Identifier: MIT */
/* Running domains, of which one is meant. */
#ifndef RV_CONTROL_CANDIDATE_H
#define RV_CONTROL_CANDIDATE_H

#include "control/client.h"

/* With a copy of what its entry says. */
struct rv_candidate {
	struct rv_certificate certificate;
	uint64_t domain, pidns;
	pid_t supervisor;
	char *name;
};

struct rv_candidates {
	struct rv_candidate *items;
	size_t count;
};

/*
 * The domain of this process (client_pid.c). 1; 0: of none, or there is no such process. Where only
 * its supervisor can tell, and does not: -EBUSY, with the reason.
 */
int rv_candidate_of_pid(const struct rv_registry *registry, const struct rv_candidates *candidates,
	pid_t pid, const struct rv_candidate **ret, struct reeve_error *err);

#endif /* RV_CONTROL_CANDIDATE_H */
