/* SPDX-License-Identifier: MIT */
/* Making rulesets of reeve's own, and turning their records into the model's rulesets and back. */
#ifndef RV_LANDLOCK_RULESET_H
#define RV_LANDLOCK_RULESET_H

#include "landlock/compat.h"
#include "landlock/handle.h"
#include "landlock/image.h"

/* Records in order of addition, with memory of their own. Zeroed is empty. */
struct rv_list {
	char *at;
	size_t size, capacity;
};
void rv_list_release(struct rv_list *list);
#define rv_autolist RV_CLEANUP(rv_list_release) struct rv_list
int rv_list_add(struct rv_list *list, const struct rv_record *record, const char *path);

/*
 * A new ruleset that handles `handled`: its descriptor, or -errno. `rules` (may be NULL) become its
 * static rules; -ESTALE: a path leads to another object by now.
 */
int rv_ruleset_make(const struct landlock_ruleset_attr *attr, enum rv_role role,
	const struct rv_records *rules);

/* What a descriptor's ruleset grants: the live rules of a supervisor, else the static ones. */
struct rv_content {
	struct reeve_rights handled;
	bool permissions; /* as in the image */
	enum rv_role role;
	struct rv_records records; /* owned */
};
void rv_content_release(struct rv_content *content);
#define rv_autocontent RV_CLEANUP(rv_content_release) struct rv_content

/* -EBADF; -EBADFD: no ruleset; -ENOTSUP: one of the kernel's, which cannot be read; -ENOMEM. */
int rv_content_read(int fd, struct rv_content *ret);

/* What of a ruleset's rights the kernel's part must not have: it does not know them. */
uint64_t rv_beyond_kernel(enum reeve_class cls);

/* For which sockets a ruleset needs a supervisor, whatever else it has. */
#define RV_SOCKETS_UNIX (1u << 0)
#define RV_SOCKETS_UDP	(1u << 1)
unsigned int rv_sockets_supervised(const struct reeve_rights *handled);

/*
 * And which a supervisee ruleset with these rights needs looked at besides, so that live rules can
 * grant them. LIVE: the kernel has all limits there are, and decides whatever no live rule grants.
 */
#define RV_SOCKETS_LIVE (1u << 2)
unsigned int rv_sockets_live(const struct reeve_rights *handled);

/* Calls on these are performed by a connector, whatever allows them. */
#define RV_SOCKETS_PERFORMED (RV_SOCKETS_UNIX | RV_SOCKETS_UDP)

#define RV_FAMILY_MAX 254 /* of a socket rule */

void rv_record_rule(const struct rv_record *record, struct reeve_rule *ret);

/* As the model has it; and the records of a result that was made of these two. */
int rv_content_model(const struct reeve_rights *handled, const struct rv_records *records,
	struct reeve_ruleset **ret);
int rv_content_records(const struct reeve_ruleset *ruleset, const struct rv_records *left,
	const struct rv_records *right, struct rv_list *ret);

/* The union or intersection of two descriptors' rulesets: a new descriptor, or -errno. */
int rv_ruleset_compose(int left_fd, int right_fd, bool intersect);

/* 0; -ENOTSUP with a reason: this rule cannot be given to a running domain. */
int rv_live_check(const struct rv_record *record, const char **ret_why);

/*
 * On a supervisor ruleset, with its writable image: the live part becomes what the other ruleset
 * grants (committed), or is cut down to it (staged). -EINVAL: it handles more; -ENOTSUP as above.
 */
int rv_live_replace(struct rv_image *image, int ruleset_fd, const char **ret_why);
int rv_live_intersect(struct rv_image *image, int ruleset_fd, const char **ret_why);

/* The rights as the kernel's bits, which the model's are. */
void rv_rights_of_attr(const struct landlock_ruleset_attr *attr, struct reeve_rights *ret);

#endif /* RV_LANDLOCK_RULESET_H */
