/* SPDX-License-Identifier: MIT */
/*
 * A small assembler for classic BPF with labels, and a simulator of what the kernel makes of the
 * program (seccomp_check_filter()'s rules and the interpreter's semantics). No system calls.
 */
#ifndef RV_ENFORCE_BPF_H
#define RV_ENFORCE_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

struct rv_bpf; /* a program under construction */

/* A forward reference; made by rv_bpf_label(), placed once by rv_bpf_place(). */
typedef unsigned int rv_label;
#define RV_NEXT ((rv_label)-1) /* "fall through", as a jump target */

struct rv_bpf *rv_bpf_new(void); /* NULL: no memory */
void rv_bpf_free(struct rv_bpf *bpf);

rv_label rv_bpf_label(struct rv_bpf *bpf);
void rv_bpf_place(struct rv_bpf *bpf, rv_label label);

/* Loads into the accumulator. Arguments 0–5, low or high 32 bits, whatever the byte order. */
void rv_bpf_load_nr(struct rv_bpf *bpf);
void rv_bpf_load_arch(struct rv_bpf *bpf);
void rv_bpf_load_arg_low(struct rv_bpf *bpf, unsigned int arg);
void rv_bpf_load_arg_high(struct rv_bpf *bpf, unsigned int arg);
void rv_bpf_and(struct rv_bpf *bpf, uint32_t mask);

/* Jumps; conditional jumps of any distance are made to work. */
void rv_bpf_jump(struct rv_bpf *bpf, rv_label to);
void rv_bpf_jump_eq(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no);
void rv_bpf_jump_ge(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no);
void rv_bpf_jump_gt(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no);
void rv_bpf_jump_set(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no);
void rv_bpf_return(struct rv_bpf *bpf, uint32_t action); /* SECCOMP_RET_* | data */

/* A comment for rv_bpf_dump(), before the next instruction. `text` must be static. */
void rv_bpf_comment(struct rv_bpf *bpf, const char *text);

/*
 * Resolves the labels. `ret` gets an array of *ret_length instructions, to be freed by the caller.
 * -ENOMEM (also for an allocation that failed earlier); -E2BIG: more than BPF_MAXINSNS;
 * -EINVAL: a label used and never placed, or a path that falls off the end.
 */
int rv_bpf_assemble(struct rv_bpf *bpf, struct sock_filter **ret, size_t *ret_length);

/* Readable text, one instruction a line, allocated. -ENOMEM. After rv_bpf_assemble(). */
int rv_bpf_dump(const struct rv_bpf *bpf, char **ret);

/*
 * Runs a program as the kernel does. 0 and the filter's return value in *ret; -EINVAL where the
 * kernel would refuse the program (bad opcode, jump out of range, unaligned or foreign load, no
 * final return, too long).
 */
int rv_bpf_simulate(const struct sock_filter *program, size_t length,
	const struct seccomp_data *data, uint32_t *ret);

/* The same, and how many instructions were run. */
int rv_bpf_simulate_steps(const struct sock_filter *program, size_t length,
	const struct seccomp_data *data, uint32_t *ret, size_t *ret_steps);

/* Would the kernel take the program? 0 or -EINVAL, as above. */
int rv_bpf_check(const struct sock_filter *program, size_t length);

#endif /* RV_ENFORCE_BPF_H */
