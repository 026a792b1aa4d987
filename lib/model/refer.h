/* SPDX-License-Identifier: MIT */
#ifndef RV_MODEL_REFER_H
#define RV_MODEL_REFER_H

#include <reeve/domain.h>

/* All rights of class fs that a rename or link asks for, in either directory. */
uint64_t rv_refer_needs(const struct reeve_refer *refer);

#endif /* RV_MODEL_REFER_H */
