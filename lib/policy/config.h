/* SPDX-License-Identifier: MIT */
/*
 * What policy texts say, before anything is expanded: the thing that is included and composed.
 *
 * Everything is a list that only grows, and every string lives in an arena, so that two configs
 * are joined by reserving room first and then by steps that cannot fail: that is what makes a load
 * transactional.
 */
#ifndef RV_POLICY_CONFIG_H
#define RV_POLICY_CONFIG_H

#include <stdbool.h>
#include <reeve/policy.h>

/* ------------------------------------------------------------------ arena */

struct rv_arena_chunk;

/* Strings that are freed together. Zeroed is valid and empty. */
struct rv_arena {
	struct rv_arena_chunk *first;
};

/* A copy of `length` bytes and a NUL; NULL: no memory. */
const char *rv_arena_add(struct rv_arena *arena, const char *text, size_t length);
const char *rv_arena_puts(struct rv_arena *arena, const char *text);
/* "NAME:LINE", by hand: printf(3) would take longer than all else that is done for a rule. */
const char *rv_arena_add_origin(
	struct rv_arena *arena, const char *name, size_t length, unsigned int line);
void rv_arena_release(struct rv_arena *arena);

/* ----------------------------------------------------------------- config */

/* Who wrote a draft, which decides what becomes of rights that nothing handles. */
enum rv_draft_source {
	RV_DRAFT_TEXT,	  /* a policy file: handled with it, or cut away by a composition */
	RV_DRAFT_API,	  /* reeve_policy_add_rule(): handled with it */
	RV_DRAFT_FLAG,	  /* a rule flag: only widens; a warning where nothing is left of it */
	RV_DRAFT_IMPLIED, /* what a flag brings along: the same without the warning */
};

/* A rule whose path is still a template. */
struct rv_draft {
	struct reeve_rule rule;
	const char *base; /* what a relative path is relative to; NULL: the working directory */
	enum rv_draft_source source;
};

/* One value of one variable; value NULL declares the variable without giving it one. */
struct rv_binding {
	const char *name, *value;
};

/* A working directory that the policy refuses, with everything above it. */
struct rv_refusal {
	const char *path, *base, *origin;
};

#define RV_LIST(type)                                                                              \
	struct {                                                                                   \
		type *at;                                                                          \
		size_t count, capacity;                                                            \
	}

struct rv_config {
	struct rv_arena arena;
	struct reeve_rights handled;
	RV_LIST(struct rv_draft) drafts;
	RV_LIST(struct rv_binding) bindings;
	RV_LIST(struct rv_refusal) refusals;
	RV_LIST(const char *) degraded; /* names of reeve_feature_find(): static strings */
	RV_LIST(const char *) files;	/* canonical */
	RV_LIST(const char *) roads;	/* to them, as they were opened; absolute */
	unsigned int deny;
	enum reeve_unix_datagram unix_datagram;
	bool private_tmpdir, floor_only;
};

/* Makes room for `more` elements of `size` bytes in a list's members. -ENOMEM. */
int rv_list_reserve(void *at, size_t *capacity, size_t count, size_t more, size_t size);

#define rv_reserve(list, more)                                                                     \
	rv_list_reserve(&(list)->at, &(list)->capacity, (list)->count, (more), sizeof(*(list)->at))

/* Each copies the struct, not the strings in it. -ENOMEM. */
int rv_config_add_draft(struct rv_config *config, const struct rv_draft *draft);
int rv_config_add_binding(struct rv_config *config, const char *name, const char *value);
int rv_config_add_refusal(struct rv_config *config, const struct rv_refusal *refusal);
int rv_config_add_degraded(struct rv_config *config, const char *feature);
int rv_config_add_file(struct rv_config *config, const char *path, const char *road);

/* Lets the config handle what its rules use. */
void rv_config_handle_used(struct rv_config *config);

/*
 * Cuts a draft down to what is handled. False: nothing is left of it. A rule about a UNIX socket
 * stays where either way to deny the connection is in force.
 */
bool rv_draft_cut(struct rv_draft *draft, const struct reeve_rights *handled);

/*
 * Both move everything out of `other` into `config`. include: as if the text of other stood in
 * config. compose: as landlockconfig does it, in any order and any number of times with the same
 * result: what both handle, the rules of both cut down to that.
 * -ENOMEM, and then neither has changed.
 */
int rv_config_include(struct rv_config *config, struct rv_config *other);
int rv_config_compose(struct rv_config *config, struct rv_config *other);

void rv_config_release(struct rv_config *config);
#define rv_autoconfig __attribute__((cleanup(rv_config_release))) struct rv_config

#endif /* RV_POLICY_CONFIG_H */
