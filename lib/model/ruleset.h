/* SPDX-License-Identifier: MIT */
/* The inside of a ruleset, for the rest of this room. */
#ifndef RV_MODEL_RULESET_H
#define RV_MODEL_RULESET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <reeve/ruleset.h>
#include "model/address.h"
#include "model/path_index.h"

#define RV_PORTS 65536u

/* One rule. Never changed once added. */
struct rv_rule {
	struct reeve_rule pub;	   /* its strings are in `strings` */
	char *strings;		   /* owned */
	struct rv_address address; /* NET_ADDRESS: parsed pub.address */
	uint32_t next; /* on the same path; else of the same type. RV_NO_RULE: the last */
};

/* What is granted and quiet on one port: the bits of REEVE_NET_*, four of them today. */
struct rv_port_grant {
	uint8_t allowed, quiet;
};

struct reeve_ruleset {
	atomic_uint refs;
	atomic_bool frozen; /* a domain shares it: no rule may be added any more */
	struct reeve_rights handled;

	struct rv_rule *rules; /* in order of addition */
	size_t count, capacity;

	struct rv_path_index paths;	      /* PATH_BENEATH and UNIX_SOCKET rules */
	struct rv_path_index pinned;	      /* what DENY rules are on, and all above that */
	struct rv_port_grant *ports;	      /* RV_PORTS of them; NULL: no NET_PORT rule */
	uint32_t first_socket, last_socket;   /* SOCKET rules */
	uint32_t first_address, last_address; /* NET_ADDRESS rules */
};

/*
 * The rights of class fs that a ruleset restricts when it is enforced alone: Landlock denies refer
 * as soon as any fs right is handled, even where refer is not (current kernels still do, so that
 * policies written before ABI 2 stay safe).
 */
static inline uint64_t rv_fs_restricted(uint64_t handled_fs)
{
	return handled_fs ? handled_fs | REEVE_FS_REFER : 0;
}

/* What the rules of one ruleset say about one object. */
struct rv_grant {
	uint64_t allowed, quiet;
	unsigned int flags; /* REEVE_RULE_* of any of the rules; paths only */
};

/*
 * Adds up the rules on the object at the first `length` bytes of `path`, and unless `self_only` on
 * all that is above it. A right that a DENY rule takes away counts only where a rule further down
 * grants it; those of `denying` (NULL: none) take away as well. UNIX_SOCKET rules grant
 * resolve_unix.
 */
struct rv_grant rv_ruleset_path(const struct reeve_ruleset *ruleset,
	const struct reeve_ruleset *denying, const char *path, size_t length, bool self_only);

/* Origins aside. */
bool rv_same_rule(const struct reeve_rule *a, const struct reeve_rule *b);

/* Whether there is any DENY rule. */
static inline bool rv_ruleset_denies(const struct reeve_ruleset *ruleset)
{
	return ruleset->pinned.count > 0;
}

/* What the DENY rules on the object or above it take away from a grant above them all. */
uint64_t rv_ruleset_denied(const struct reeve_ruleset *ruleset, const char *path, size_t length);

/* What those on exactly the object that a walk is at do. */
uint64_t rv_ruleset_denied_on(const struct reeve_ruleset *ruleset, const struct rv_path_walk *walk);

/* Whether a DENY rule is on an object strictly below `path`, or on it. */
bool rv_ruleset_denies_within(const struct reeve_ruleset *ruleset, const char *path, size_t length);

/* The DENY rule on exactly this object that was added first, or NULL. */
const struct reeve_rule *rv_ruleset_denial_on(
	const struct reeve_ruleset *ruleset, const char *path, size_t length);

/* The one nearest to the object on the way up that takes any of `rights` away, or NULL. */
const struct reeve_rule *rv_ruleset_denial_over(
	const struct reeve_ruleset *ruleset, const char *path, size_t length, uint64_t rights);

/* NET_PORT rules, and NET_ADDRESS rules whose address is "any". */
struct rv_grant rv_ruleset_port(const struct reeve_ruleset *ruleset, uint16_t port);

/* NET_PORT rules and all NET_ADDRESS rules. `bound` as for rv_address_match(). */
struct rv_grant rv_ruleset_endpoint(
	const struct reeve_ruleset *ruleset, const struct rv_ip *ip, uint16_t port, bool bound);

struct rv_grant rv_ruleset_socket(
	const struct reeve_ruleset *ruleset, int family, int type, int protocol);

/* Checks a rule by itself; `may_be_empty`: it need not grant anything (intersection). */
int rv_rule_check(const struct reeve_rights *handled, const struct reeve_rule *rule,
	bool may_be_empty, struct reeve_error *err);

/* A copy with one reference that can be added to. -ENOMEM. */
int rv_ruleset_copy(const struct reeve_ruleset *ruleset, struct reeve_ruleset **ret);

/*
 * A copy in which the rules on exactly the object of `rule` grant no more than rule->allowed; those
 * left with nothing are gone. Ports are objects: a range is split. DENY rules stay. -ENOMEM.
 */
int rv_ruleset_narrowed(const struct reeve_ruleset *ruleset, const struct reeve_rule *rule,
	struct reeve_ruleset **ret);

/* Makes room for so many more rules on paths at once: they are many. -ENOMEM. */
int rv_ruleset_reserve(struct reeve_ruleset *ruleset, size_t more);

/* No rule can be added from now on. */
void rv_ruleset_freeze(struct reeve_ruleset *ruleset);

#endif /* RV_MODEL_RULESET_H */
