/* SPDX-License-Identifier: MIT */
#include "enforce/filter_tree.h"

/* So few single values are compared one by one: shorter than a tree, and no slower. */
#define FEW 3

/*
 * A range of several values. `low`: the comparisons above have shown that the value is not less.
 */
static void leaf(struct rv_bpf *bpf, const struct rv_range *range, uint32_t low, rv_label other)
{
	if (range->first > low)
		rv_bpf_jump_ge(bpf, range->first, RV_NEXT, other);
	if (range->last == UINT32_MAX)
		rv_bpf_jump(bpf, range->to);
	else
		rv_bpf_jump_gt(bpf, range->last, other, range->to);
}

static bool few_values(const struct rv_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i >= FEW || ranges[i].first != ranges[i].last)
			return false;
	}
	return true;
}

static void tree(struct rv_bpf *bpf, const struct rv_range *ranges, size_t count, uint32_t low,
	rv_label other)
{
	size_t half = count / 2;
	rv_label upper;

	if (count == 0) {
		rv_bpf_jump(bpf, other);
	} else if (few_values(ranges, count)) {
		for (size_t i = 0; i < count; i++)
			rv_bpf_jump_eq(bpf, ranges[i].first, ranges[i].to,
				i + 1 < count ? RV_NEXT : other);
	} else if (count == 1) {
		leaf(bpf, ranges, low, other);
	} else {
		upper = rv_bpf_label(bpf);
		rv_bpf_jump_ge(bpf, ranges[half].first, upper, RV_NEXT);
		tree(bpf, ranges, half, low, other);
		rv_bpf_place(bpf, upper);
		tree(bpf, ranges + half, count - half, ranges[half].first, other);
	}
}

void rv_filter_tree(struct rv_bpf *bpf, const struct rv_range *ranges, size_t count, rv_label other)
{
	tree(bpf, ranges, count, 0, other);
}

size_t rv_range_add(
	struct rv_range *ranges, size_t count, uint32_t first, uint32_t last, rv_label to)
{
	struct rv_range *before = count ? &ranges[count - 1] : NULL;

	if (before && before->to == to && before->last + 1 == first) {
		before->last = last;
		return count;
	}
	ranges[count] = (struct rv_range){first, last, to};
	return count + 1;
}
