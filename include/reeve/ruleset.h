/* SPDX-License-Identifier: MIT */
/*
 * Rights, scopes, rules and rulesets: the vocabulary of Landlock.
 *
 * A *right* is one bit of one class; a *scope* is one bit of the class REEVE_SCOPE. A *ruleset*
 * handles a set of rights (what it handles is denied unless a rule grants it) and holds rules. It
 * is pure data: nothing here makes a system call.
 *
 * The bits are those of the kernel's <linux/landlock.h> (ABI 12), so they can be passed on as they
 * are; REEVE_SOCKET_* and REEVE_SCOPE_PATHNAME_UNIX_SOCKET are those of the proposals on the
 * Landlock mailing list.
 */
#ifndef REEVE_RULESET_H
#define REEVE_RULESET_H

#include <stddef.h>
#include <stdint.h>
#include <reeve/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ------------------------------------------------------------------ rights */

enum reeve_class {
	REEVE_FS,     /* file hierarchies (kernel: LANDLOCK_ACCESS_FS_*) */
	REEVE_NET,    /* TCP and UDP ports (kernel: LANDLOCK_ACCESS_NET_*) */
	REEVE_SOCKET, /* creation of sockets (proposed: LANDLOCK_ACCESS_SOCKET_*) */
	REEVE_SCOPE,  /* reaching outside the domain (kernel: LANDLOCK_SCOPE_*) */
	REEVE_CLASS_COUNT
};

#define REEVE_FS_EXECUTE      (UINT64_C(1) << 0)
#define REEVE_FS_WRITE_FILE   (UINT64_C(1) << 1)
#define REEVE_FS_READ_FILE    (UINT64_C(1) << 2)
#define REEVE_FS_READ_DIR     (UINT64_C(1) << 3)
#define REEVE_FS_REMOVE_DIR   (UINT64_C(1) << 4)
#define REEVE_FS_REMOVE_FILE  (UINT64_C(1) << 5)
#define REEVE_FS_MAKE_CHAR    (UINT64_C(1) << 6)
#define REEVE_FS_MAKE_DIR     (UINT64_C(1) << 7)
#define REEVE_FS_MAKE_REG     (UINT64_C(1) << 8)
#define REEVE_FS_MAKE_SOCK    (UINT64_C(1) << 9)
#define REEVE_FS_MAKE_FIFO    (UINT64_C(1) << 10)
#define REEVE_FS_MAKE_BLOCK   (UINT64_C(1) << 11)
#define REEVE_FS_MAKE_SYM     (UINT64_C(1) << 12)
#define REEVE_FS_REFER	      (UINT64_C(1) << 13)
#define REEVE_FS_TRUNCATE     (UINT64_C(1) << 14)
#define REEVE_FS_IOCTL_DEV    (UINT64_C(1) << 15)
#define REEVE_FS_RESOLVE_UNIX (UINT64_C(1) << 16)

#define REEVE_NET_BIND_TCP	   (UINT64_C(1) << 0)
#define REEVE_NET_CONNECT_TCP	   (UINT64_C(1) << 1)
#define REEVE_NET_BIND_UDP	   (UINT64_C(1) << 2)
#define REEVE_NET_CONNECT_SEND_UDP (UINT64_C(1) << 3)

#define REEVE_SOCKET_CREATE (UINT64_C(1) << 0)

#define REEVE_SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define REEVE_SCOPE_SIGNAL		 (UINT64_C(1) << 1)
#define REEVE_SCOPE_PATHNAME_UNIX_SOCKET (UINT64_C(1) << 2)

/* Rights that mean something on an object that is not a directory (kernel: ACCESS_FILE). */
#define REEVE_FS_FILE_RIGHTS                                                                       \
	(REEVE_FS_EXECUTE | REEVE_FS_WRITE_FILE | REEVE_FS_READ_FILE | REEVE_FS_TRUNCATE |         \
		REEVE_FS_IOCTL_DEV | REEVE_FS_RESOLVE_UNIX)

/* The newest Landlock ABI whose rights are known here. */
#define REEVE_ABI_MAX 12

struct reeve_rights {
	uint64_t of[REEVE_CLASS_COUNT]; /* indexed by enum reeve_class */
};

/* One row of the table of rights. The strings are static. */
struct reeve_right_info {
	enum reeve_class cls;
	uint64_t bit;
	const char *name;      /* as in policy files: "read_file" */
	const char *full_name; /* as in events and audit records: "fs.read_file" */
	int abi;	       /* the Landlock ABI that brought it; 0: no released ABI has it */
	const char *does;      /* half a sentence for help texts: "open a file for reading" */
};

/* The i-th row, or NULL past the end; rows are sorted by class, then by bit. */
const struct reeve_right_info *reeve_right_at(size_t i);

/*
 * Finds a right by "name" within `cls`, or by "class.name" in any class when `cls` is
 * REEVE_CLASS_COUNT. Returns NULL where there is none.
 */
const struct reeve_right_info *reeve_right_find(enum reeve_class cls, const char *name);

/* The row of one bit, or NULL. */
const struct reeve_right_info *reeve_right_of_bit(enum reeve_class cls, uint64_t bit);

/* "fs", "net", "socket", "scope". */
const char *reeve_class_name(enum reeve_class cls);

/* All rights of a class that a Landlock ABI has (abi ≥ 1). 0 for REEVE_SOCKET: no released ABI has
 * it. */
uint64_t reeve_rights_of_abi(enum reeve_class cls, int abi);

/*
 * Resolves a group of landlockconfig: "abi.all" in each class; "abi.read_execute" (read_file,
 * read_dir, execute, refer) and "abi.read_write" (all but execute) in REEVE_FS.
 * 0, or -EINVAL for an unknown group or one that this class does not have.
 */
int reeve_rights_group(enum reeve_class cls, const char *group, int abi, uint64_t *ret);

/*
 * Writes "read_file, read_dir" into `buf` (always terminated, cut with "..." where it does not
 * fit) and returns `buf`. Unknown bits are shown in hex.
 */
char *reeve_rights_format(enum reeve_class cls, uint64_t bits, char *buf, size_t size);

/* ------------------------------------------------------------------- rules */

enum reeve_rule_type {
	REEVE_RULE_PATH_BENEATH = 1, /* a file hierarchy, or one file; class REEVE_FS */
	REEVE_RULE_NET_PORT,	     /* a range of ports; class REEVE_NET */
	REEVE_RULE_NET_ADDRESS,	     /* IP addresses and ports; class REEVE_NET */
	REEVE_RULE_SOCKET,	     /* family, type, protocol; class REEVE_SOCKET */
	REEVE_RULE_UNIX_SOCKET,	     /* a pathname UNIX socket that stays reachable; see `path` */
};

#define REEVE_RULE_LIVE	    1u /* belongs to the supervisor's part of the layer: can be revoked */
#define REEVE_RULE_OPTIONAL 2u /* a path that does not exist is ignored (missing = "ignore") */
#define REEVE_RULE_DENY	    4u /* PATH_BENEATH only: takes away what a grant above it gives */

#define REEVE_SOCKET_ANY (-1) /* wildcard for socket_type and socket_protocol */

/*
 * One rule. All strings are copied by reeve_ruleset_add(); those handed out by reeve_ruleset_at()
 * live as long as the ruleset. Members that do not belong to `type` are ignored (and zero when
 * handed out).
 */
struct reeve_rule {
	enum reeve_rule_type type;
	unsigned int flags; /* REEVE_RULE_* */

	/*
	 * Rights granted, of the type's class, each of them handled by the ruleset. May be 0 only
	 * with quiet ≠ 0 or REEVE_RULE_DENY. With REEVE_RULE_DENY: rights taken away, 0 for all; a
	 * grant on an object further down still counts, one on the same object does not. For
	 * REEVE_RULE_UNIX_SOCKET: REEVE_FS_RESOLVE_UNIX, and what must be scoped is
	 * REEVE_SCOPE_PATHNAME_UNIX_SOCKET or handled RESOLVE_UNIX.
	 */
	uint64_t allowed;
	uint64_t quiet; /* rights whose denial on this object is not reported */

	/* PATH_BENEATH, UNIX_SOCKET: absolute, canonical: no ".", "..", "//" or final slash. */
	const char *path;

	uint16_t port_first, port_last; /* NET_PORT, NET_ADDRESS: inclusive, host byte order */

	/* NET_ADDRESS: "public", "private", "loopback", "any", "192.0.2.0/24", "2001:db8::/32". */
	const char *address;

	int socket_family;   /* SOCKET: 0–254 */
	int socket_type;     /* SOCKET: 0–254 or REEVE_SOCKET_ANY; without SOCK_NONBLOCK etc. */
	int socket_protocol; /* SOCKET: 0–65534 or REEVE_SOCKET_ANY */

	const char *origin; /* "policy.toml:12", "--ro", "profile base:7", or NULL */
};

/* The class of the rights in a rule of this type. */
enum reeve_class reeve_rule_class(enum reeve_rule_type type);

/* ---------------------------------------------------------------- rulesets */

struct reeve_ruleset;

/*
 * A ruleset that handles `handled`, which never changes afterwards. Bits that no row of the table
 * has are refused.
 *
 * -EINVAL: an unknown bit; -ENOMEM.
 */
int reeve_ruleset_new(const struct reeve_rights *handled, struct reeve_ruleset **ret);

/* Rulesets are reference counted (atomically); free drops one reference. NULL is allowed. */
struct reeve_ruleset *reeve_ruleset_ref(struct reeve_ruleset *ruleset);
void reeve_ruleset_free(struct reeve_ruleset *ruleset);

void reeve_ruleset_handled(const struct reeve_ruleset *ruleset, struct reeve_rights *ret);

/*
 * Adds a rule; rules on one object add up. Not allowed once the ruleset is shared by a domain
 * (reeve_domain_new(), reeve_layer_commit() take a reference): -EBUSY then.
 *
 * -EINVAL: a right that the ruleset does not handle, a path that is not canonical, a port range or
 *  socket numbers out of range, an address that cannot be parsed, an unknown type or flag;
 * -ENOMSG: nothing allowed, denied or quiet (Landlock cannot subtract);
 * -ENAMETOOLONG: a path of PATH_MAX bytes or more; -EBUSY; -ENOMEM.
 */
int reeve_ruleset_add(
	struct reeve_ruleset *ruleset, const struct reeve_rule *rule, struct reeve_error *err);

/* The number of rules, and the i-th in order of addition. -ENOENT past the end. */
size_t reeve_ruleset_count(const struct reeve_ruleset *ruleset);
int reeve_ruleset_at(const struct reeve_ruleset *ruleset, size_t i, struct reeve_rule *ret);

/*
 * Union: allows what a or b allows. It handles what both handle (what only one handles, the other
 * allows everywhere), and has the rules of both, cut down to that. Intersection: allows what a and
 * b both allow; it handles what either handles. Neither changes its arguments.
 *
 * Refer is denied by a ruleset that handles any fs right, even where refer is not among them, and
 * is treated so here. A DENY rule of one side of a union also takes away what the other grants
 * above it.
 *
 * -ENOMEM. Rules of type NET_ADDRESS and DENY rules: -EOPNOTSUPP in an intersection.
 */
int reeve_ruleset_union(
	const struct reeve_ruleset *a, const struct reeve_ruleset *b, struct reeve_ruleset **ret);
int reeve_ruleset_intersect(
	const struct reeve_ruleset *a, const struct reeve_ruleset *b, struct reeve_ruleset **ret);

/*
 * Calls fn for every PATH_BENEATH rule on `path` (absolute, canonical) or above it, deepest first,
 * in order of addition where several are on one object. Stops when fn returns non-zero, and
 * returns that. Costs the depth of the path, not the number of rules.
 */
int reeve_ruleset_match_path(const struct reeve_ruleset *ruleset, const char *path,
	int (*fn)(void *data, const struct reeve_rule *rule), void *data);

/*
 * The ruleset as a policy file in TOML that loads to an equal ruleset, allocated with malloc(3);
 * origins become comments.
 * -EILSEQ: a path is not UTF-8, which TOML cannot express; -ENOMEM.
 */
int reeve_ruleset_to_toml(const struct reeve_ruleset *ruleset, char **ret);

/* One rule as it is written in a policy file, with its [[header]]; malloc(3). -EILSEQ: a path that
 * is not UTF-8; -ENOMEM. */
int reeve_rule_to_toml(const struct reeve_rule *rule, char **ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_RULESET_H */
