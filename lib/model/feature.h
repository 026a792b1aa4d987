/* SPDX-License-Identifier: MIT */
/* Inside of a feature: what it is, for those who decide by it. */
#ifndef RV_MODEL_FEATURE_H
#define RV_MODEL_FEATURE_H

#include <reeve/check.h>

/* The feature of one right or scope; NULL where `bit` is not exactly one known bit. */
const struct reeve_feature *rv_feature_of_right(enum reeve_class cls, uint64_t bit);

/* What a kernel lacks for any supervisor, static text; NULL: nothing. */
const char *rv_supervisor_lacks(const struct reeve_kernel *kernel);

/* What is lacking, static text; "" for REEVE_OBSERVES. */
const char *rv_observes_why(enum reeve_observes observes);

#endif /* RV_MODEL_FEATURE_H */
