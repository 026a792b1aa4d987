/* SPDX-License-Identifier: MIT */
/*
 * What the filter must answer, as a table (for the simulator on both architectures and for the
 * running kernel) and as a predicate in plain C (for random requests).
 */
#ifndef TESTS_ENFORCE_FILTER_TABLE_H
#define TESTS_ENFORCE_FILTER_TABLE_H

#include "enforce/filter.h"
#include "filter_numbers.h"

/* Answers that are no errno. */
#define FILTER_TRAPPED (-1) /* goes to the supervisor */
#define FILTER_DONE    (-2) /* returns 0 without being done */

struct filter_row {
	const struct rv_filter_spec *spec; /* its arch is filled in by the test */
	enum call call;
	uint64_t args[6];
	int error; /* 0: allowed; FILTER_* below */
	const char *what;
};

extern const struct filter_row filter_rows[];
extern const size_t filter_rows_count;

/* Every kind of guard and a few socket rules at once. */
extern const struct rv_filter_spec filter_spec_everything;

/* The same in a supervised domain, with everything trapped that can be. */
extern const struct rv_filter_spec filter_spec_supervised;

/* A number that no architecture has where the call does not exist: NO_CALL. */
uint32_t filter_number(uint32_t arch, enum call call);
const char *filter_call_name(enum call call);

/* The answer that a spec demands for a request, as in filter_row. */
int filter_reference(const struct rv_filter_spec *spec, const struct seccomp_data *data);

#endif /* TESTS_ENFORCE_FILTER_TABLE_H */
