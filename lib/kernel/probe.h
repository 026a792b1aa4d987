/* SPDX-License-Identifier: MIT */
#ifndef RV_KERNEL_PROBE_H
#define RV_KERNEL_PROBE_H

#include <reeve/check.h>

/*
 * As reeve_kernel_probe(), into the whole struct, but for Yama, which only a supervisor has to know
 * (it is left as -1): it costs a file in /proc.
 */
int rv_kernel_probe(struct reeve_kernel *ret);

#endif /* RV_KERNEL_PROBE_H */
