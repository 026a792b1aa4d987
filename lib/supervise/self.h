/* SPDX-License-Identifier: MIT */
/*
 * Who the supervisor is, and whether a caller is the same: only then something is performed for it
 * (hazards.md: "The caller's credentials are no longer the supervisor's").
 *
 * Asked anew for every request, of the task itself. /proc/TID/status has most of the answer and
 * costs as much as two bare round trips, so that it is read only where it has to be:
 *
 * - effective capabilities come from capget(2), euid and egid from a pidfd, or before Linux 6.13 as
 *   the owner of /proc/TID, the user namespace is a link below it;
 * - supplementary groups can only be changed by setgroups(2), fsuid and fsgid without the effective
 *   ids only by setfsuid(2) and setfsgid(2). The filter traps these three, and from the first one
 *   on status is read;
 * - root and user namespace can only be changed by unshare(2), clone(2), clone3(2), chroot(2) and
 *   its kin (setns(2) is refused). They are trapped too, and until one was called nothing is asked;
 * - what needs a capability that nobody in the domain has is not asked for: under no_new_privs
 *   none is gained, and who gains it in a new user namespace is seen to be in one. An ordinary
 *   user's program is thus at most asked for its user namespace.
 */
#ifndef RV_SUPERVISE_SELF_H
#define RV_SUPERVISE_SELF_H

#include <stdatomic.h>
#include "supervise/caller.h"

struct rv_self {
	struct rv_credentials credentials;
	struct rv_root root;
	char user_ns[64]; /* "user:[…]" */
	char label[4096]; /* of the security module; "": there is none */
	bool dumpable;
	/* What a task of the domain may change, as far as its capabilities go. */
	bool ids_vary, capabilities_vary, root_varies;
	/* Set before the first call that changes them in a way that shows only in status goes on.
	 */
	atomic_bool ids_changed;
	/* The same for root and user namespace. Set from the beginning where not all tasks that can
	 * change them do so through our filter (rv_context_trust_filter()). */
	atomic_bool view_changed;
};

/*
 * Of the calling process, as it is now. `no_new_privs`: all callers have it set, from when they
 * were like this. Negative errno: /proc cannot be read.
 */
int rv_self_learn(struct rv_self *ret, bool no_new_privs);

/*
 * Whether the caller's fsuid, fsgid, groups, effective capabilities, user namespace, security label
 * and root directory are the supervisor's. What was looked at by its number may have been another
 * task's by then: to be followed by rv_caller_waits().
 */
bool rv_self_equals(struct rv_self *own, struct rv_caller *caller);

bool rv_self_same_label(const struct rv_self *own, struct rv_caller *caller);

/* Whether its paths mean what they mean to us: the same root directory and user namespace. */
bool rv_self_same_view(const struct rv_self *own, struct rv_caller *caller);

#endif /* RV_SUPERVISE_SELF_H */
