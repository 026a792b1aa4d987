/* SPDX-License-Identifier: MIT */
/*
 * Inside of a judge: what was granted, and the snapshots that decisions use.
 *
 * A *grant* is one live rule with its metadata; it is shared by all snapshots that it is in, and
 * lies in a *batch* with the others that were added with it, which goes when no entry needs any of
 * them. An *entry* is a grant in one snapshot, with the rights that are left of it there. A
 * snapshot never changes; a commit makes the next one and puts it in place of the current one.
 */
#ifndef RV_SUPERVISE_JUDGE_PRIVATE_H
#define RV_SUPERVISE_JUDGE_PRIVATE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/cleanup.h"
#include "model/path_index.h"
#include "supervise/judge.h"

/*
 * What nothing can add to a running domain: the kernel does not execute what another process
 * opened, and resolve_unix is of use only where calls on UNIX sockets are performed for the caller
 * (rv_judge_new_unix()).
 */
#define RV_NEVER_LIVE (REEVE_FS_EXECUTE | REEVE_FS_RESOLVE_UNIX)

/*
 * One live rule, within its batch. Constant once committed, but for the atomics. Its path is the
 * batch's text at `dir`, a slash, and `name`; the root directory has neither. One that is on no
 * path has a struct rv_live_object at `dir`, and the text of its address as `name`.
 */
struct rv_live_rule {
	uint32_t offset;      /* from the batch to here */
	uint32_t number;      /* in the batch */
	uint32_t dir, origin; /* from the batch to these; origin 0: none */
	uint32_t line;	      /* the origin is "TEXT:LINE"; 0: just the text */
	uint16_t dir_length, name_length;
	uint64_t since; /* its commit, CLOCK_REALTIME nanoseconds; 0: not committed yet */
	_Atomic uint64_t uses;
	atomic_bool consumed; /* granted once, and used; set with the judge's lock held */
	bool is_deny;
	uint8_t type; /* enum reeve_rule_type; PATH_BENEATH for UNIX_SOCKET as well */
	char name[];
};

/* What a rule that is on no path is on. */
struct rv_live_object {
	struct rv_address address; /* NET_ADDRESS */
	int32_t numbers[3];	   /* NET_*: first and last port; SOCKET: family, type, protocol */
};

/*
 * Rules that were added together: one allocation, with what they have in common. Rules in one
 * directory share its text if they follow each other, and so do those of one policy file.
 */
struct rv_batch {
	atomic_uint refs;      /* entries, and whoever makes it */
	uint32_t by;	       /* where from here, 0: none */
	uint64_t first_id;     /* of its rules, rising in order of addition */
	uint64_t milliseconds; /* from commit to end, 0: until revoked */
	uint64_t expires;      /* CLOCK_BOOTTIME milliseconds, 0: until revoked */
	uint64_t dev, ino;     /* pinned: the object that the path has to name */
	bool once, pinned;
	bool of_policy; /* what a reload replaces */
	char bytes[];	/* texts, rules and their objects */
};

struct rv_entry {
	struct rv_live_rule *grant; /* with a reference to its batch */
	uint32_t allowed, quiet;    /* of the rule's class */
	uint32_t next;		    /* on the same path, of later addition; or on no path */
	bool once, is_deny;
};

_Static_assert((REEVE_FS_RESOLVE_UNIX << 1) - 1 <= UINT32_MAX, "struct rv_entry is wide enough");

/* In order of addition, hence of ids. Zeroed is valid and empty. */
struct rv_entries {
	struct rv_entry *at;
	size_t count, capacity;
};

struct rv_snapshot {
	atomic_uint refs;
	struct rv_entries entries;
	uint32_t *slots; /* by path: number of its first entry + 1, 0 where free; a power of two */
	size_t slot_count;
	uint32_t first_pathless;   /* entries that are on no path, the oldest first */
	size_t denials;		   /* how many entries are DENY rules */
	size_t granting;	   /* on paths, that may still grant; guarded by the judge's lock */
	uint64_t first_expiry;	   /* when an entry is over next, 0: none ever is */
	uint64_t last_grant_until; /* when none on a path grants any more, 0: no such time */
	atomic_int guards_moves;   /* rv_judge_guards_moves(): 1, -1: no, 0: not asked yet */
};

struct rv_judge {
	struct reeve_ruleset *policy; /* owned reference: the static part */
	struct reeve_domain *fixed;   /* of the static part alone */
	struct rv_judge_floor *floor; /* what of that the kernel has; NULL: all of it */
	struct reeve_rights handled;
	/* Without rules: live rules are joined with these, instead of the policy. NULL: not so. */
	struct reeve_ruleset *alone;
	uint64_t never_live;	/* RV_NEVER_LIVE, or what is left of it here */
	uint64_t beyond_kernel; /* static rights that the supervisor alone enforces */
	uint64_t never_net, never_socket;
	bool no_udp;	       /* no rule may make UDP sockets */
	atomic_bool displaced; /* rv_judge_displaced() found something */
	atomic_bool ended;     /* rv_judge_end() */

	pthread_mutex_t staging; /* taken before `lock`; guards what is staged, and publishing */
	struct rv_entries staged;
	bool is_staged; /* else what is staged equals the current snapshot */
	uint64_t last_id;

	pthread_mutex_t lock; /* short: guards `current`, and consuming */
	struct rv_snapshot *current;
	_Atomic uint64_t *shown; /* how many rules are in force, for others to see; or NULL */
};

/* judge_batch.c */

uint64_t rv_boot_ms(void);

static inline struct rv_batch *rv_batch_of(const struct rv_live_rule *grant)
{
	return (struct rv_batch *)((char *)(uintptr_t)grant - grant->offset);
}

static inline uint64_t rv_live_rule_id(const struct rv_live_rule *grant)
{
	return rv_batch_of(grant)->first_id + grant->number;
}

/* Whether a grant decides nothing any more at `now` (rv_boot_ms()). */
static inline bool rv_live_rule_over(const struct rv_live_rule *grant, uint64_t now)
{
	uint64_t expires = rv_batch_of(grant)->expires;

	return (expires && now >= expires) || atomic_load(&grant->consumed);
}

/* Whether a grant does not apply: it is over, or its path names another object by now. */
bool rv_live_rule_void(const struct rv_live_rule *grant, uint64_t now);

static inline bool rv_live_rule_has_path(const struct rv_live_rule *grant)
{
	return grant->type == REEVE_RULE_PATH_BENEATH;
}

/* Whether it is on this path; without one it is on none. */
bool rv_live_rule_is_on(const struct rv_live_rule *grant, const char *path, size_t length);
/*
 * Whether it is on exactly what `rule` is on: ranges of ports and prefixes are not compared. Of a
 * socket also whether it has the same origin, where `rule` has one.
 */
bool rv_live_rule_is_of(const struct rv_live_rule *grant, const struct reeve_rule *rule);
bool rv_live_rule_same_object(const struct rv_live_rule *a, const struct rv_live_rule *b);
/* An order of objects, equal ones being equal: <0, 0, >0. */
int rv_live_rule_compare(const struct rv_live_rule *a, const struct rv_live_rule *b);

/* Only of rules that are on no path. */
const struct rv_live_object *rv_live_rule_object(const struct rv_live_rule *grant);

/* As that of a walk that is at its path. */
uint64_t rv_live_rule_hash(const struct rv_live_rule *grant);

/* Each is put together in the buffer; origin and by are NULL where there is none. */
void rv_live_rule_describe(
	const struct rv_live_rule *grant, char buf[static PATH_MAX], struct reeve_rule *ret);
const char *rv_live_rule_path(const struct rv_live_rule *grant, char buf[static PATH_MAX]);
#define RV_ORIGIN_SIZE (PATH_MAX + 64) /* longer ones are cut off */
const char *rv_live_rule_origin(const struct rv_live_rule *grant, char buf[static RV_ORIGIN_SIZE]);
const char *rv_live_rule_by(const struct rv_live_rule *grant);

/*
 * Appends rules to a list, as one batch; their ids follow *last_id, which moves on. `options` may
 * be NULL, and so may `object`: whatever the path names. -ENOMEM, and then nothing has changed.
 */
int rv_batch_append(struct rv_entries *entries, const struct reeve_rule *rules, size_t count,
	const struct reeve_live_options *options, const struct rv_pin *object, uint64_t *last_id);

/* Room for so many more entries. -ENOMEM. */
int rv_entries_reserve(struct rv_entries *entries, size_t more);
/* Appends a copy of the entry, with a reference of its own to the grant. -ENOMEM. */
int rv_entries_add(struct rv_entries *entries, const struct rv_entry *entry);
void rv_entries_release(struct rv_entries *entries);
/* Drops the reference of an entry that is not in a list any more. */
void rv_entry_drop(const struct rv_entry *entry);

/* judge_snapshot.c */

/* Takes over the entries on success. -ENOMEM. */
int rv_snapshot_new(struct rv_entries *entries, struct rv_snapshot **ret);
void rv_snapshot_free(struct rv_snapshot *snapshot); /* drops a reference */
#define rv_autosnapshot RV_CLEANUP(rv_snapshot_free_p) struct rv_snapshot *
void rv_snapshot_free_p(struct rv_snapshot **snapshot);

/* The first entry on the path that a walk is at, or RV_NO_RULE. */
uint32_t rv_snapshot_first(const struct rv_snapshot *snapshot, const struct rv_path_walk *walk);

/* The current snapshot, with a reference. */
struct rv_snapshot *rv_judge_snapshot(struct rv_judge *judge);

/* Makes it the current one; takes the reference over. With `staging` held. */
void rv_judge_publish(struct rv_judge *judge, struct rv_snapshot *snapshot);

/* judge_floor.c */
void rv_judge_floor_free(struct rv_judge_floor *floor);

/* Whether the kernel allows it. Only asked where the static part does. */
bool rv_judge_floor_allows(const struct rv_judge *judge, const char *path, uint64_t access);
bool rv_judge_floor_allows_refer(const struct rv_judge *judge, const struct reeve_refer *refer);

/* judge.c: the static part allows it, and the floor does not. */
void rv_judgement_static(const struct rv_judge *judge, const char *path, uint64_t access,
	struct rv_judgement *judgement);

/* judge.c: it is denied by a DENY rule, NULL: not so, of this origin. */
void rv_judgement_denied(struct rv_judgement *judgement, const char *origin);

/* judge.c: the rule was needed; false: there are too many of them. */
bool rv_judgement_add(struct rv_judgement *judgement, const struct rv_entry *entry);

/* judge_moves.c: rights of which the new place has more by live rules, as far as is known. */
uint64_t rv_judge_move_gain(const struct rv_judge *judge, const struct rv_snapshot *snapshot,
	const struct reeve_refer *refer);

/* judge_stage.c; all with `staging` held. */

/*
 * All rules of a ruleset, as one batch: `choose` may change each, or leave it out (false); NULL: as
 * they are. `first` goes before them, NULL: nothing does. -ENOMEM.
 */
int rv_stage_ruleset(struct rv_judge *judge, struct rv_entries *entries,
	const struct reeve_rule *first, const struct reeve_ruleset *ruleset,
	bool (*choose)(const struct rv_judge *judge, struct reeve_rule *rule));
/* From now on it counts. Nobody else sees a grant that is not committed. */
void rv_stage_start(struct rv_live_rule *grant, uint64_t now, uint64_t since);
/* CLOCK_REALTIME in nanoseconds. */
uint64_t rv_stage_since(void);
/* Publishes what is left of `entries`; how many are not. -ENOMEM. */
int rv_stage_publish(struct rv_judge *judge, const struct rv_entries *entries, uint64_t now);

#endif /* RV_SUPERVISE_JUDGE_PRIVATE_H */
