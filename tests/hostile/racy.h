/* SPDX-License-Identifier: MIT */
/*
 * A reeve that is wrong on purpose. `reeve-racy` is the command's and the library's own objects,
 * linked with ld's --wrap so that calls between them come by here: nothing of it is in the product,
 * and nothing of the product knows of it. Which faults it has is said by the variable REEVE_RACY, a
 * list of words with commas; without it the program refuses to run.
 *
 * Each fault is the design that one would write first. An attack of this directory must succeed
 * against the fault that it is for before its failure against reeve counts.
 */
#ifndef TESTS_HOSTILE_RACY_H
#define TESTS_HOSTILE_RACY_H

#include <stdbool.h>

/* Defines the wrapper of a function, of the type that its header says, and declares the function.
 */
#define WRAP(type, name, params)                                                                   \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	_Static_assert(__builtin_types_compatible_p(__typeof__(name), __typeof__(__wrap_##name)),  \
		#name " has another type by now");                                                 \
	type __wrap_##name params

bool racy_has(const char *fault);

#endif /* TESTS_HOSTILE_RACY_H */
