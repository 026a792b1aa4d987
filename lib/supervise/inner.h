/* SPDX-License-Identifier: MIT */
/*
 * Domains that the program makes itself inside of ours (`inner_landlock = "floor-only"`).
 *
 * Landlock stacks them, but whatever is performed for a task is checked against the domain of who
 * performs it. Which tasks are in which inner domain nobody can tell. So the first
 * landlock_restrict_self(2) ends, for the whole domain and for good, all that an inner domain could
 * forbid and would not be asked about: live rules, questions, what is brokered around denials, and
 * calls on sockets of a kind that this kernel's Landlock knows. What goes on in the kernel is
 * checked there, by the inner domain as well.
 */
#ifndef RV_SUPERVISE_INNER_H
#define RV_SUPERVISE_INNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <reeve/ruleset.h>

struct rv_request;
struct rv_answer;

struct rv_inner {
	bool allowed; /* else landlock_* are refused, by the filter or by a guard */
	int abi;      /* of this kernel's Landlock: what an inner domain can restrict */
	atomic_bool begun;
};

#define RV_INNER_BY "inner_landlock" /* the one who ended the live rules, in events */

/* Handles landlock_restrict_self(2). */
struct rv_answer rv_inner_restrict(struct rv_request *request);

static inline bool rv_inner_begun(const struct rv_inner *inner)
{
	return atomic_load(&inner->begun);
}

/*
 * Before something is performed that needs any of these rights: false where an inner domain might
 * forbid it. Then *ret is the answer, with `error`, and a guard's event was put.
 */
bool rv_inner_lets(struct rv_request *request, enum reeve_class cls, uint64_t rights, int error,
	struct rv_answer *ret);

#endif /* RV_SUPERVISE_INNER_H */
