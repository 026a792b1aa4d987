/* SPDX-License-Identifier: MIT */
#ifndef RV_BASE_CLOCK_H
#define RV_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that counts from the machine's start. */
static inline uint64_t rv_now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif /* RV_BASE_CLOCK_H */
