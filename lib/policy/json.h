/* SPDX-License-Identifier: MIT */
/*
 * JSON text into the tree of toml.h, with lines: read by jansson, which knows no positions, then
 * walked in step with a scan of the text that finds them. Object keys keep their spelling. null is
 * an error: no key of a policy can take it.
 */
#ifndef RV_POLICY_JSON_H
#define RV_POLICY_JSON_H

#include "policy/toml.h"

/* As toml_parse(). Duplicate keys are errors. The top level must be an object. */
int rv_json_parse(
	const char *text, size_t length, struct toml_document **ret, struct toml_error *err);

#endif /* RV_POLICY_JSON_H */
