/* SPDX-License-Identifier: MIT */
/*
 * What the filter must answer, as a table (for the simulator on both architectures and for the
 * running kernel) and as a predicate in plain C (for random requests).
 */
#ifndef TESTS_ENFORCE_FILTER_TABLE_H
#define TESTS_ENFORCE_FILTER_TABLE_H

#include "enforce/filter.h"
#include "filter_numbers.h"

struct filter_row {
	const struct rv_filter_spec *spec; /* its arch is filled in by the test */
	enum call call;
	uint64_t args[6];
	int error; /* 0: allowed */
	const char *what;
};

extern const struct filter_row filter_rows[];
extern const size_t filter_rows_count;

/* Every kind of guard and a few socket rules at once. */
extern const struct rv_filter_spec filter_spec_everything;

uint32_t filter_number(uint32_t arch, enum call call);
const char *filter_call_name(enum call call);

/* The errno that a spec demands for a request, 0 where it is allowed. */
int filter_reference(const struct rv_filter_spec *spec, const struct seccomp_data *data);

#endif /* TESTS_ENFORCE_FILTER_TABLE_H */
