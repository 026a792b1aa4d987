/* SPDX-License-Identifier: MIT */
/*
 * The domain model: the reference semantics of Landlock, and of what reeve adds, as pure code.
 *
 * A *domain* is one enforced ruleset (its *layer*) below a parent domain, as the kernel's
 * landlock_restrict_self() makes it. It allows what its own layer and all layers above it allow.
 * A layer has a static part that never changes, and optionally a *live* part: a second ruleset
 * that handles the same rights and is replaced as a whole by a commit. A request is allowed by a
 * layer when static ∪ committed live grants every requested right that the layer handles, on the
 * object or above it.
 *
 * Nothing here asks the kernel. Paths are taken as they are: absolute, canonical, no symbolic
 * links resolved. Use it to explain a policy, to test one, or to decide in a supervisor.
 *
 * Domains are not locked: changing the live part of one (stage, commit) needs outside locking
 * against deciding on it; deciding from several threads does not.
 */
#ifndef REEVE_DOMAIN_H
#define REEVE_DOMAIN_H

#include <stdbool.h>
#include <reeve/ruleset.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define REEVE_LAYERS_MAX 16 /* as in the kernel (LANDLOCK_MAX_NUM_LAYERS) */

struct reeve_domain;

/*
 * A new domain below `parent` (NULL: below no domain), enforcing `ruleset`. Takes a reference to
 * both.
 *
 * -E2BIG: more than REEVE_LAYERS_MAX layers; -EINVAL: `ruleset` is NULL; -ENOMEM.
 */
int reeve_domain_new(
	struct reeve_domain *parent, struct reeve_ruleset *ruleset, struct reeve_domain **ret);
struct reeve_domain *reeve_domain_ref(struct reeve_domain *domain);
void reeve_domain_free(struct reeve_domain *domain);

/* Number of layers, this one included. */
unsigned int reeve_domain_depth(const struct reeve_domain *domain);

/* ---------------------------------------------------------- the live part */

/*
 * The live part of this domain's own layer. Changes are staged and take effect together with
 * reeve_domain_commit(); uncommitted counts as empty. The handled rights are those of the static
 * part, and cannot change. What a DENY rule of the static part takes away, a live grant gives back
 * only on an object below it; a live DENY rule takes away from live grants alone.
 *
 * stage_add: adds one rule, as reeve_ruleset_add(), with its errors.
 * stage_intersect: ands the rights of the rules on exactly the object of `rule` with
 *   rule->allowed; a rule left with no right is dropped. An object without a rule is no error.
 * stage_replace: the whole live part becomes a copy of `ruleset`, which must not handle a right
 *   that the layer does not (-EINVAL); rights that it does not handle are granted everywhere
 *   (scopes are the static part's alone).
 * stage_clear: nothing is granted by the live part.
 */
int reeve_domain_stage_add(
	struct reeve_domain *domain, const struct reeve_rule *rule, struct reeve_error *err);
int reeve_domain_stage_intersect(
	struct reeve_domain *domain, const struct reeve_rule *rule, struct reeve_error *err);
int reeve_domain_stage_replace(struct reeve_domain *domain, const struct reeve_ruleset *ruleset);
int reeve_domain_stage_clear(struct reeve_domain *domain);

/* Publishes what is staged, as one snapshot. Staging goes on from there. -ENOMEM. */
int reeve_domain_commit(struct reeve_domain *domain);

/* The committed live part, or NULL where nothing was ever committed. Valid until the next commit.
 */
const struct reeve_ruleset *reeve_domain_live(const struct reeve_domain *domain);

/* The static part. Valid as long as the domain. */
const struct reeve_ruleset *reeve_domain_static(const struct reeve_domain *domain);

/* ---------------------------------------------------------------- decisions */

struct reeve_decision {
	bool allowed;
	bool quiet;	  /* denied, and every missing right is quiet on this object */
	int error;	  /* 0, or what the kernel would return: EACCES, EXDEV, EPERM (positive) */
	uint64_t missing; /* rights that the denying layer did not find granted */
	unsigned int layer; /* 1 = outermost; the innermost layer that denies, 0 where allowed */
};

/*
 * May a task of `domain` (NULL: unsandboxed) use `access` (REEVE_FS_*) on `path`? The answer of
 * Landlock for open, truncate, unlink (ask for remove_file on the parent directory), mkdir (ask
 * for make_dir on the parent) and so on. EACCES where denied.
 */
void reeve_decide_path(const struct reeve_domain *domain, const char *path, uint64_t access,
	struct reeve_decision *ret);

/*
 * The same for making or removing the entry `path` of a directory: `access` is one REEVE_FS_MAKE_*
 * or REEVE_FS_REMOVE_*, judged on the directory. Besides, EACCES where a DENY rule is on the entry,
 * or below it and it is not a directory that is made.
 */
void reeve_decide_entry(const struct reeve_domain *domain, const char *path, uint64_t access,
	struct reeve_decision *ret);

/* A rename, exchange or hard link. Types are file type bits of st_mode (S_IFREG, S_IFDIR …). */
struct reeve_refer {
	const char *old_path;  /* the object that gets a new name; must exist */
	const char *new_path;  /* its new name */
	unsigned int old_mode; /* S_IFMT bits of the object at old_path */
	unsigned int new_mode; /* S_IFMT bits of what is at new_path now, 0 where nothing is */
	bool is_link;	       /* link(2): the old name stays */
	bool is_exchange;      /* RENAME_EXCHANGE: both must exist */
};

/*
 * EACCES where a right other than refer is missing, else EXDEV where refer is missing on either
 * side or the object would gain a right by the move (it takes precedence in this order, as in the
 * kernel's current_check_refer_path()). `missing` is then what would be gained. What a DENY rule is
 * on or below cannot be moved, replaced or linked: EACCES.
 *
 * Mount points are not known here. Between two mounts the kernel gives EXDEV without asking
 * Landlock; and it compares the rights of old and new place without a rule on the root directory
 * where a mount point lies between, so that it may give EXDEV where the answer here is allowed.
 */
void reeve_decide_refer(const struct reeve_domain *domain, const struct reeve_refer *refer,
	struct reeve_decision *ret);

/* One right of REEVE_NET_* on a port (host byte order). EACCES where denied. */
void reeve_decide_port(const struct reeve_domain *domain, uint64_t access, uint16_t port,
	struct reeve_decision *ret);

/*
 * The same on one IP address and port, address rules included (reeve_decide_port() knows no
 * address, so only those for "any" count there). `address` is text: "192.0.2.1" or "2001:db8::1".
 * 0, or -EINVAL where it is no address.
 */
int reeve_decide_address(const struct reeve_domain *domain, uint64_t access, const char *address,
	uint16_t port, struct reeve_decision *ret);

/* REEVE_SOCKET_CREATE. EACCES where denied. `type` without SOCK_NONBLOCK and SOCK_CLOEXEC. */
void reeve_decide_socket(const struct reeve_domain *domain, int family, int type, int protocol,
	struct reeve_decision *ret);

/*
 * May a task of `accessor` reach a resource that a task of `resource` made (a socket), or that it
 * is (a signal's target)? NULL is "no domain". One scope bit. EPERM where denied.
 */
void reeve_decide_scope(const struct reeve_domain *accessor, const struct reeve_domain *resource,
	uint64_t scope, struct reeve_decision *ret);

/* May a task of `tracer` trace one of `tracee`? EPERM where denied. Implicit in every domain. */
void reeve_decide_ptrace(const struct reeve_domain *tracer, const struct reeve_domain *tracee,
	struct reeve_decision *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_DOMAIN_H */
