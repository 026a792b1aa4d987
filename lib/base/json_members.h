/* SPDX-License-Identifier: MIT */
/* What somebody else wrote in JSON: a member that is not known would be obeyed by halves. */
#ifndef RV_BASE_JSON_MEMBERS_H
#define RV_BASE_JSON_MEMBERS_H

#include <jansson.h>
#include <reeve/error.h>

/*
 * 0 where each member of the object is one of `known`, names that end with NULL. -EINVAL: the
 * message names the first that is not, the hint those that are.
 */
int rv_json_members(const json_t *object, const char *const *known, struct reeve_error *err);

#endif /* RV_BASE_JSON_MEMBERS_H */
