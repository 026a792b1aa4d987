/* SPDX-License-Identifier: MIT */
/*
 * The built-in profiles, decoded when reeve was built (tools/compile-profiles.c, with the decoder
 * of this room): reading their text at every start took a fifth of its time. Strings are offsets
 * into one text, which spares the loader a relocation for each.
 */
#ifndef RV_POLICY_READY_H
#define RV_POLICY_READY_H

#include <stdint.h>
#include <reeve/check.h>
#include "policy/config.h"

#define RV_READY_NAME_MAX 64 /* bytes of a built-in profile's name */

/* Offset of a string plus one; 0: NULL. */
typedef uint16_t rv_ready_text;

struct rv_ready_range {
	uint16_t first, count;
};

struct rv_ready_draft {
	rv_ready_text text; /* the path; of an address rule the address */
	uint16_t line;
	uint16_t kind;
};

/* Bindings: name and value. Refusals and extends: text and line. Degraded: a name. */
struct rv_ready_pair {
	rv_ready_text text;
	uint16_t other;
};

/* Sorted by name; ends with a NULL name. */
struct rv_builtin_profile {
	const char *name, *text;
	size_t length;
	struct reeve_rights handled;
	unsigned int deny;
	enum reeve_unix_datagram unix_datagram;
	bool private_tmpdir, floor_only;
	struct rv_ready_range drafts;				     /* of rv_ready_drafts */
	struct rv_ready_range bindings, refusals, extends, degraded; /* of rv_ready_pairs */
};

extern const struct rv_builtin_profile rv_builtin_profiles[];
extern const char rv_ready_strings[];
extern const struct reeve_rule rv_ready_kinds[]; /* without path, address and origin */
extern const struct rv_ready_draft rv_ready_drafts[];
extern const struct rv_ready_pair rv_ready_pairs[];

static inline const char *rv_ready_string(rv_ready_text text)
{
	return text ? rv_ready_strings + text - 1 : NULL;
}

/*
 * Adds to a config what the profile's own text says, as rv_decode_text() would; what it extends is
 * the caller's to load first. -ENOMEM.
 */
int rv_ready_add(struct rv_config *config, const struct rv_builtin_profile *profile);

#endif /* RV_POLICY_READY_H */
