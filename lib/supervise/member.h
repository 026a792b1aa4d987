/* SPDX-License-Identifier: MIT */
/* Who is in a domain: what a supervisor can tell, and prove. */
#ifndef RV_SUPERVISE_MEMBER_H
#define RV_SUPERVISE_MEMBER_H

#include <reeve/ruleset.h>
#include "supervise/domain_id.h"

struct reeve_supervisor;

/* Calls fn with each rule that the start itself added to the policy: the private TMPDIR, the shim.
 */
int rv_session_besides(const struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data);

/* The denials of policy files that were loaded: the policy itself does not have them. */
int rv_session_protected(const struct reeve_supervisor *supervisor,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data);

/* Whether live rules have ended for good, as the program restricted itself (inner.h). */
bool rv_session_has_ended_live(const struct reeve_supervisor *supervisor);

const struct rv_certificate *rv_supervisor_certificate(const struct reeve_supervisor *supervisor);

/*
 * Whether the task of a pidfd is in the domain: 1 or 0. The connector is asked, which is in the
 * domain itself, and whom the kernel lets reach (by signals, or to look at) what is in its domain
 * or below, and nothing else. -EOPNOTSUPP: it cannot be proven here; -EPIPE: the connector is gone;
 * -ESRCH: the process is; -EBADF: no pidfd.
 */
int rv_supervisor_has(struct reeve_supervisor *supervisor, int pidfd);

#endif /* RV_SUPERVISE_MEMBER_H */
