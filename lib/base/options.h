/* SPDX-License-Identifier: MIT */
/* Structs whose first member is their size, set by the caller. */
#ifndef RV_BASE_OPTIONS_H
#define RV_BASE_OPTIONS_H

#include <stddef.h>

struct reeve_error;

/*
 * Copies what the caller set into *to, which has `known` bytes and the defaults of what an older
 * caller does not have; `given` NULL: nothing.
 *
 * Fails closed. -EINVAL: a size that cannot be (above all 0: whoever forgot it would have set
 * nothing, and be told nothing), or something set beyond what this library knows.
 */
int rv_options_take(void *to, size_t known, const void *given, struct reeve_error *err);

#endif /* RV_BASE_OPTIONS_H */
