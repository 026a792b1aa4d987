/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4) of a text in memory. */
#ifndef RV_BASE_SHA256_H
#define RV_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define RV_SHA256_SIZE 32

void rv_sha256(const void *data, size_t length, uint8_t ret[RV_SHA256_SIZE]);

#endif /* RV_BASE_SHA256_H */
