/* SPDX-License-Identifier: MIT */
/* Comparison trees: from the value in the accumulator to a label, in logarithmic time. */
#ifndef RV_ENFORCE_FILTER_TREE_H
#define RV_ENFORCE_FILTER_TREE_H

#include "enforce/bpf.h"

struct rv_range {
	uint32_t first, last; /* inclusive */
	rv_label to;
};

/*
 * Emits code that jumps to the range's label, or to `other` where no range has the value. The
 * ranges are sorted and do not overlap; neighbours with the same label should have been merged
 * (rv_range_add()). All labels have to be placed behind it; it never falls through.
 */
void rv_filter_tree(
	struct rv_bpf *bpf, const struct rv_range *ranges, size_t count, rv_label other);

/* Appends a range to a sorted array that has room, or extends its last one. Returns the count. */
size_t rv_range_add(
	struct rv_range *ranges, size_t count, uint32_t first, uint32_t last, rv_label to);

#endif /* RV_ENFORCE_FILTER_TREE_H */
