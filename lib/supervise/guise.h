/* SPDX-License-Identifier: MIT */
/*
 * Looking at what a caller asks for as the caller would, where it is not who we are: other ids,
 * groups, capabilities, another user namespace or root directory. Nothing is performed for those,
 * but what the floor denies them is an event like any other, and what fails anyhow is none.
 *
 * Credentials are a thread's: a thread of its own takes the caller's while it looks up and asks for
 * permission, and does not come back to anything else. It never takes more than we have. Where we
 * cannot be the caller (who has other ids, and we no capability to take them; another security
 * label; another user namespace's capabilities, which may be more than none) nothing is reported,
 * or less.
 */
#ifndef RV_SUPERVISE_GUISE_H
#define RV_SUPERVISE_GUISE_H

#include "supervise/request.h"

struct rv_guise {
	bool on;	       /* the thread looks as the caller does */
	bool others_ids;       /* these are not ours: */
	unsigned int uid, gid; /* fsuid and fsgid */
	gid_t groups[256];
	size_t group_count;
	uint64_t effective, own; /* capabilities: the caller's among ours, and ours */
	int root;		 /* the caller's root directory; -1: it is ours */
	uid_t own_uid;
	gid_t own_gid;
};

/*
 * Runs fn(data) in a thread that has request->guise, which is set meanwhile; or not at all, where
 * that cannot be.
 */
void rv_guise_run(struct rv_request *request, void (*fn)(void *data), void *data);

/* From here to there system calls are made as the caller. NULL: as ever. False: as nobody; then all
 * looks fail. */
bool rv_guise_begin(struct rv_guise *guise);
void rv_guise_end(struct rv_guise *guise);

#endif /* RV_SUPERVISE_GUISE_H */
