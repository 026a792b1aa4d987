/* SPDX-License-Identifier: MIT */
/* The parts of finding the supervised domain of a process. */
#ifndef RV_OBSERVE_OWN_DOMAIN_H
#define RV_OBSERVE_OWN_DOMAIN_H

#include "control/client.h"
#include "observe/task.h"

#define RV_CHAIN_MAX 256

/* A process and its ancestors, as far as there is room. */
struct rv_chain {
	struct rv_process_id at[RV_CHAIN_MAX];
	size_t count;
};

/*
 * Asks supervisors whether a task, the patience's pidfd, with so many seccomp filters, is in a
 * domain of theirs: those among its ancestors, else those to which orphans do not come. 1 with the
 * domain; 0: none says so; -ENOMEM, -EMFILE, -ENFILE.
 */
int rv_ask_supervisors(const struct rv_registry *registry, const struct rv_chain *chain,
	unsigned int filters, const struct rv_patience *patience, uint64_t *ret_domain);

/* Out of memory or descriptors: not "nothing is known". */
bool rv_is_exhausted(int r);

#endif /* RV_OBSERVE_OWN_DOMAIN_H */
