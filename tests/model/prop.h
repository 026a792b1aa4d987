/* SPDX-License-Identifier: MIT */
/*
 * The property test: random stacks of layers, and random requests, each answered by the model and
 * by the running kernel. See test_property.c.
 *
 * A *case* is made of specs (below), from which both sides are built independently: the model's
 * domains by prop_model.c, the kernel's by prop_kernel.c with raw system calls.
 */
#ifndef TESTS_MODEL_PROP_H
#define TESTS_MODEL_PROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <reeve/domain.h>

#define PROP_LAYERS    4
#define PROP_RULES     8
#define PROP_PORTS     6
#define PROP_REQUESTS  48
#define PROP_PORT_BASE 21000

/* ------------------------------------------------------------------- random */

struct prop_random {
	uint64_t state;
};

uint64_t prop_next(struct prop_random *random);
unsigned int prop_below(struct prop_random *random, unsigned int limit); /* 0 … limit-1 */
bool prop_chance(struct prop_random *random, unsigned int percent);

/* --------------------------------------------------------------------- tree */

/* One object of the tree. Paths are absolute and canonical. */
struct prop_node {
	char path[160];
	mode_t type;	/* S_IFMT bits */
	bool is_victim; /* an empty directory that requests may remove: no rule is on it */
	bool may_rule;	/* rules may be on it */
	bool may_move;	/* requests may rename, link, remove it */
	int fd;		/* O_PATH, for rules: undoing keeps inodes, so it stays right */
};

#define PROP_NODES_MAX 48
struct prop_tree {
	char top[128]; /* the temporary directory, with "t" (the tree) and "s" (the stash) in it */
	struct prop_node nodes[PROP_NODES_MAX];
	int count;
};

/* Makes the tree in $TMPDIR or /tmp. 0 or -errno. */
int prop_tree_make(struct prop_tree *tree);
void prop_tree_remove(struct prop_tree *tree);

/* Brings back an object that a request removed or replaced, the same inode where it matters. */
void prop_tree_restore(const struct prop_tree *tree, int node);

bool prop_is_within(const char *path, const char *directory); /* or the same */

/* -------------------------------------------------------------------- specs */

struct prop_rule {
	int node;
	uint64_t allowed;
	bool live; /* the model gets it in the live part of the layer; the kernel as any other */
};

struct prop_port {
	uint16_t first, last;
	uint64_t allowed;
	bool live;
};

struct prop_layer {
	struct reeve_rights handled;
	struct prop_rule rules[PROP_RULES];
	struct prop_port ports[PROP_PORTS];
	int rule_count, port_count;
};

enum prop_kind {
	PROP_OPEN_READ,
	PROP_OPEN_WRITE,
	PROP_OPEN_BOTH,
	PROP_OPEN_DIR,
	PROP_OPEN_TRUNC,
	PROP_EXEC,
	PROP_TRUNCATE,
	PROP_IOCTL,
	PROP_MAKE_REG,
	PROP_CREAT,
	PROP_MAKE_DIR,
	PROP_MAKE_SYM,
	PROP_MAKE_FIFO,
	PROP_MAKE_CHAR,
	PROP_MAKE_BLOCK,
	PROP_BIND_UNIX,
	PROP_UNLINK,
	PROP_RMDIR,
	PROP_RENAME_WITHIN,
	PROP_RENAME_BETWEEN,
	PROP_REPLACE,
	PROP_EXCHANGE,
	PROP_LINK_WITHIN,
	PROP_LINK_BETWEEN,
	PROP_BIND_TCP,
	PROP_CONNECT_TCP,
	PROP_SIGNAL,
	PROP_ABSTRACT_STREAM,
	PROP_ABSTRACT_DATAGRAM,
	PROP_PTRACE,
	PROP_KIND_COUNT
};
extern const char *const prop_kind_names[PROP_KIND_COUNT];

struct prop_request {
	enum prop_kind kind;
	int node;	    /* the object */
	int other;	    /* REPLACE, EXCHANGE: what is there; else -1 */
	char new_path[176]; /* what is made, or the new name */
	uint16_t port;
};

struct prop_case {
	struct prop_layer layers[PROP_LAYERS];
	int layer_count;
	/* The resource process, where has_resource: it shares this many layers, and adds others. */
	bool has_resource;
	int shared, added_count;
	struct prop_layer added[2];
	struct prop_request requests[PROP_REQUESTS];
	int request_count;
};

/* What this machine lets us exercise. */
struct prop_abilities {
	int abi;
	bool is_root, ptrace;
	uint64_t of[REEVE_CLASS_COUNT]; /* rights that the kernel has */
};

void prop_generate(struct prop_random *random, const struct prop_tree *tree,
	const struct prop_abilities *can, struct prop_case *ret);

/* ------------------------------------------------------------------ answers */

struct prop_answer {
	int error;	  /* 0: allowed; else the errno of Landlock's denial */
	uint64_t wanted;  /* model: the rights asked for, 0 where it is not that simple */
	uint64_t missing; /* model: those that the denying layer misses */
};

/* The model's domains. */
struct prop_domains {
	struct reeve_domain *accessor, *resource;
};
int prop_model_make(
	const struct prop_tree *tree, const struct prop_case *c, struct prop_domains *ret);
void prop_model_free(struct prop_domains *domains);
struct prop_answer prop_model_answer(const struct prop_tree *tree,
	const struct prop_domains *domains, const struct prop_request *request);

/*
 * The kernel's: a child enforces the layers and performs the requests; each one's errno goes to
 * `answers`, which must be shared memory. 0 or -errno.
 */
int prop_kernel_run(const struct prop_tree *tree, const struct prop_abilities *can,
	const struct prop_case *c, int *answers);
void prop_kernel_probe(struct prop_abilities *ret);

/* An errno that is not a denial but a harmless failure of an operation that was let through. */
int prop_normalise(enum prop_kind kind, int error);

/* Performs one request; its errno. */
int prop_perform(const struct prop_tree *tree, const struct prop_request *request, pid_t resource);

/* Undoes what a request did, from outside the domain. */
void prop_undo(const struct prop_tree *tree, const struct prop_request *request, int error);

/* Abstract address of the resource process; datagram or stream. */
socklen_t prop_abstract_address(void *ret, pid_t resource, bool datagram);

#endif /* TESTS_MODEL_PROP_H */
