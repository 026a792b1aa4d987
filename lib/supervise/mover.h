/* SPDX-License-Identifier: MIT */
/*
 * Moves (rename, exchange, link) of a domain in which live rules grant something.
 *
 * Landlock refuses a move by which an object gains rights, and compares the static rules of the two
 * places for that; what live rules add there only we know. So a move that could gain by them never
 * goes on in the caller, whose memory may say something else by then: it is judged on pinned
 * directories and performed on them, one move at a time, so that none changes what another one was
 * judged by. What the floor allows is performed by a thread that has taken the floor: the kernel
 * checks it by the objects themselves, as it would have in the caller.
 */
#ifndef RV_SUPERVISE_MOVER_H
#define RV_SUPERVISE_MOVER_H

#include <stdbool.h>

struct rv_mover;

/* `ruleset_fd`: the kernel's ruleset of the floor; a duplicate is kept. -ENOMEM, -EMFILE. */
int rv_mover_new(int ruleset_fd, struct rv_mover **ret);
void rv_mover_free(struct rv_mover *mover); /* NULL is allowed */

/* From the look at a move to its end. False, unless told to wait: another one is under way. */
bool rv_mover_enter(struct rv_mover *mover, bool wait);
void rv_mover_leave(struct rv_mover *mover);

struct rv_mover_call {
	long number; /* SYS_* */
	long args[5];
};

/* By the thread in the floor, between the two. What the call gives; -EXDEV: there is no thread. */
long rv_mover_perform(struct rv_mover *mover, const struct rv_mover_call *call);

#endif /* RV_SUPERVISE_MOVER_H */
