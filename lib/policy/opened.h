/* SPDX-License-Identifier: MIT */
/*
 * What path rules name, kept open between resolving and enforcing: looked up once, and what was
 * checked is what is granted. An optimisation that may be missing for any rule: whoever finds no
 * descriptor opens the path.
 */
#ifndef RV_POLICY_OPENED_H
#define RV_POLICY_OPENED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More rules than this have no descriptor. A process has 1024, as a rule. */
#define RV_OPENED_MAX 256

struct rv_opened {
	atomic_uint refs;
	atomic_bool used; /* by one enforcement: then they are closed */
	size_t count, max;
	int fds[RV_OPENED_MAX];	       /* O_PATH, O_CLOEXEC, in the order of their rules */
	uint32_t rules[RV_OPENED_MAX]; /* numbers in the policy's ruleset */
};

/* NULL: no memory, or the process has few descriptors: do without. One reference. */
struct rv_opened *rv_opened_new(void);
struct rv_opened *rv_opened_ref(struct rv_opened *opened); /* NULL: NULL */
void rv_opened_unref_p(struct rv_opened **opened);	   /* closes what is left */

bool rv_opened_has_room(const struct rv_opened *opened);

/* Takes `fd` over as that of the rule; rules come in order. Closes it where there is no room. */
void rv_opened_keep(struct rv_opened *opened, uint32_t rule, int fd);

/* Closes all, keeps no more: descriptors have run out. */
void rv_opened_give_up(struct rv_opened *opened);

/*
 * For one enforcement, the first that asks: the descriptors by way of rv_opened_at(), until
 * rv_opened_done() closes them. False for all others, and for NULL.
 */
bool rv_opened_use(struct rv_opened *opened);
void rv_opened_done(struct rv_opened *opened);

/* That of the rule, or -1. `at` is the caller's, starts with 0, and rules come in order. */
int rv_opened_at(const struct rv_opened *opened, size_t *at, uint32_t rule);

#endif /* RV_POLICY_OPENED_H */
