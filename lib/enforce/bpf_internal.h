/* SPDX-License-Identifier: MIT */
/* What the assembler and its dump share. */
#ifndef RV_ENFORCE_BPF_INTERNAL_H
#define RV_ENFORCE_BPF_INTERNAL_H

#include "enforce/bpf.h"

#define RV_NOWHERE ((size_t)-1)

/* One line of the source: an instruction, or a comment (no instruction at all). */
struct rv_bpf_item {
	uint16_t code;
	uint32_t k;
	rv_label yes, no;     /* conditional jumps; an unconditional one uses `yes` */
	bool far_yes, far_no; /* reached through a JA behind this instruction */
	size_t at;	      /* its first instruction, known while and after assembling */
	const char *comment;
};

struct rv_bpf {
	struct rv_bpf_item *items;
	size_t count, capacity;
	size_t *labels; /* the item that each label stands before, RV_NOWHERE until placed */
	size_t labels_count, labels_capacity;
	int error; /* the first mistake, told by rv_bpf_assemble() */

	struct sock_filter *program; /* set by rv_bpf_assemble() */
	size_t length;
};

#endif /* RV_ENFORCE_BPF_INTERNAL_H */
