/* SPDX-License-Identifier: MIT */
/*
 * Inside of a judge: what was granted, and the snapshots that decisions use.
 *
 * A *grant* is one live rule with its metadata; it is shared by all snapshots that it is in. An
 * *entry* is a grant in one snapshot, with the rights that are left of it there. A snapshot never
 * changes; a commit makes the next one and puts it in place of the current one.
 */
#ifndef RV_SUPERVISE_JUDGE_PRIVATE_H
#define RV_SUPERVISE_JUDGE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/cleanup.h"
#include "model/path_index.h"
#include "supervise/judge.h"

/*
 * What nothing can add to a running domain: the kernel does not execute what another process
 * opened, and connecting to UNIX sockets is not performed for the caller.
 */
#define RV_NEVER_LIVE (REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX)

/* Constant once committed, but for the atomics. */
struct rv_live_rule {
	atomic_uint refs;
	uint32_t path_length, origin, by; /* the latter two: where in `text`, 0: none */
	uint64_t id;			  /* rising in order of addition */
	uint64_t milliseconds;		  /* from commit to end, 0: until revoked */
	uint64_t expires;		  /* CLOCK_BOOTTIME milliseconds, 0: until revoked */
	struct timespec since;		  /* its commit; CLOCK_REALTIME */
	_Atomic uint64_t uses;
	atomic_bool consumed; /* granted once, and used; set with the judge's lock held */
	bool once, is_deny, committed;
	char text[]; /* path, origin, by */
};

struct rv_entry {
	struct rv_live_rule *grant; /* owned reference */
	uint64_t allowed, quiet;
	uint32_t next; /* on the same path */
	bool once, is_deny;
};

/* In order of addition, hence of ids. Zeroed is valid and empty. */
struct rv_entries {
	struct rv_entry *at;
	size_t count, capacity;
};

struct rv_snapshot {
	atomic_uint refs;
	struct rv_entries entries;
	struct rv_path_index index;
	size_t denials;		   /* how many entries are DENY rules */
	size_t granting;	   /* entries that may still grant; guarded by the judge's lock */
	uint64_t first_expiry;	   /* when an entry is over next, 0: none ever is */
	uint64_t last_grant_until; /* when no entry grants any more, 0: no such time */
};

struct rv_judge {
	struct reeve_ruleset *policy; /* owned reference: the static part */
	struct reeve_domain *floor;   /* of the static part alone */
	struct reeve_rights handled;

	pthread_mutex_t staging; /* taken before `lock`; guards what is staged, and publishing */
	struct rv_entries staged;
	bool is_staged; /* else what is staged equals the current snapshot */
	uint64_t last_id;

	pthread_mutex_t lock; /* short: guards `current`, and consuming */
	struct rv_snapshot *current;
};

/* judge_snapshot.c */

uint64_t rv_boot_ms(void);

/* Whether a grant decides nothing any more at `now` (rv_boot_ms()). */
static inline bool rv_live_rule_over(const struct rv_live_rule *grant, uint64_t now)
{
	return (grant->expires && now >= grant->expires) || atomic_load(&grant->consumed);
}

/* NULL: no memory. `options` may be NULL. */
struct rv_live_rule *rv_live_rule_new(
	const struct reeve_rule *rule, const struct reeve_live_options *options);
void rv_live_rule_free(struct rv_live_rule *grant);

/* Appends a copy of the entry, with a reference of its own to the grant. -ENOMEM. */
int rv_entries_add(struct rv_entries *entries, const struct rv_entry *entry);
void rv_entries_release(struct rv_entries *entries);

/* Takes over the entries on success. -ENOMEM. */
int rv_snapshot_new(struct rv_entries *entries, struct rv_snapshot **ret);
void rv_snapshot_free(struct rv_snapshot *snapshot); /* drops a reference */
#define rv_autosnapshot RV_CLEANUP(rv_snapshot_free_p) struct rv_snapshot *
void rv_snapshot_free_p(struct rv_snapshot **snapshot);

/* The current snapshot, with a reference. */
struct rv_snapshot *rv_judge_snapshot(struct rv_judge *judge);

/* Makes it the current one; takes the reference over. With `staging` held. */
void rv_judge_publish(struct rv_judge *judge, struct rv_snapshot *snapshot);

/* judge.c: the rule was needed; false: there are too many of them. */
bool rv_judgement_add(struct rv_judgement *judgement, const struct rv_entry *entry);

#endif /* RV_SUPERVISE_JUDGE_PRIVATE_H */
