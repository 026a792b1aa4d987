/* SPDX-License-Identifier: MIT */
/*
 * What the kernel makes of a seccomp program: the checks of bpf_check_classic() and
 * seccomp_check_filter(), then the meaning that classic BPF has once it is translated.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "enforce/bpf.h"

/* Everything seccomp_check_filter() lets pass; BPF_MOD, packet loads and the rest are refused. */
static const bool allowed_codes[256] = {
	[BPF_LD | BPF_W | BPF_ABS] = true,
	[BPF_LD | BPF_W | BPF_LEN] = true,
	[BPF_LDX | BPF_W | BPF_LEN] = true,
	[BPF_LD | BPF_IMM] = true,
	[BPF_LDX | BPF_IMM] = true,
	[BPF_LD | BPF_MEM] = true,
	[BPF_LDX | BPF_MEM] = true,
	[BPF_ST] = true,
	[BPF_STX] = true,
	[BPF_MISC | BPF_TAX] = true,
	[BPF_MISC | BPF_TXA] = true,
	[BPF_RET | BPF_K] = true,
	[BPF_RET | BPF_A] = true,
	[BPF_ALU | BPF_ADD | BPF_K] = true,
	[BPF_ALU | BPF_ADD | BPF_X] = true,
	[BPF_ALU | BPF_SUB | BPF_K] = true,
	[BPF_ALU | BPF_SUB | BPF_X] = true,
	[BPF_ALU | BPF_MUL | BPF_K] = true,
	[BPF_ALU | BPF_MUL | BPF_X] = true,
	[BPF_ALU | BPF_DIV | BPF_K] = true,
	[BPF_ALU | BPF_DIV | BPF_X] = true,
	[BPF_ALU | BPF_AND | BPF_K] = true,
	[BPF_ALU | BPF_AND | BPF_X] = true,
	[BPF_ALU | BPF_OR | BPF_K] = true,
	[BPF_ALU | BPF_OR | BPF_X] = true,
	[BPF_ALU | BPF_XOR | BPF_K] = true,
	[BPF_ALU | BPF_XOR | BPF_X] = true,
	[BPF_ALU | BPF_LSH | BPF_K] = true,
	[BPF_ALU | BPF_LSH | BPF_X] = true,
	[BPF_ALU | BPF_RSH | BPF_K] = true,
	[BPF_ALU | BPF_RSH | BPF_X] = true,
	[BPF_ALU | BPF_NEG] = true,
	[BPF_JMP | BPF_JA] = true,
	[BPF_JMP | BPF_JEQ | BPF_K] = true,
	[BPF_JMP | BPF_JEQ | BPF_X] = true,
	[BPF_JMP | BPF_JGE | BPF_K] = true,
	[BPF_JMP | BPF_JGE | BPF_X] = true,
	[BPF_JMP | BPF_JGT | BPF_K] = true,
	[BPF_JMP | BPF_JGT | BPF_X] = true,
	[BPF_JMP | BPF_JSET | BPF_K] = true,
	[BPF_JMP | BPF_JSET | BPF_X] = true,
};

static bool code_allowed(uint16_t code)
{
	return code < RV_COUNT(allowed_codes) && allowed_codes[code];
}

static bool uses_memory(uint16_t code)
{
	return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM) || code == BPF_ST ||
	       code == BPF_STX;
}

/* Is this instruction, with `left` others behind it, one the kernel would take? */
static bool instruction_ok(const struct sock_filter *in, size_t left)
{
	if (!code_allowed(in->code))
		return false;
	if (in->code == (BPF_LD | BPF_W | BPF_ABS))
		return in->k < sizeof(struct seccomp_data) && in->k % 4 == 0;
	if (uses_memory(in->code))
		return in->k < BPF_MEMWORDS;
	if (in->code == (BPF_ALU | BPF_DIV | BPF_K))
		return in->k != 0;
	if (in->code == (BPF_ALU | BPF_LSH | BPF_K) || in->code == (BPF_ALU | BPF_RSH | BPF_K))
		return in->k < 32;
	if (in->code == (BPF_JMP | BPF_JA))
		return in->k < left;
	if (BPF_CLASS(in->code) == BPF_JMP)
		return in->jt < left && in->jf < left;
	return true;
}

/*
 * A scratch word must be written on every path before it is read (check_load_and_stores()).
 * `masks[pc]` is what is surely written on all jumps to pc.
 */
static bool memory_step(const struct sock_filter *in, uint16_t *valid, uint16_t *after)
{
	switch (in->code) {
	case BPF_ST:
	case BPF_STX:
		*valid = (uint16_t)(*valid | 1u << in->k);
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
		return *valid & 1u << in->k;
	case BPF_JMP | BPF_JA:
		after[in->k] &= *valid;
		*valid = 0xffff; /* what follows is reached by jumps only */
		return true;
	default:
		if (BPF_CLASS(in->code) != BPF_JMP)
			return true;
		after[in->jt] &= *valid;
		after[in->jf] &= *valid;
		*valid = 0xffff;
		return true;
	}
}

static bool memory_ok(const struct sock_filter *program, size_t length)
{
	uint16_t masks[BPF_MAXINSNS], valid = 0;

	memset(masks, 0xff, sizeof(masks));
	for (size_t pc = 0; pc < length; pc++) {
		valid &= masks[pc];
		if (!memory_step(&program[pc], &valid, &masks[pc + 1]))
			return false;
	}
	return true;
}

int rv_bpf_check(const struct sock_filter *program, size_t length)
{
	if (length == 0 || length > BPF_MAXINSNS)
		return -EINVAL;
	for (size_t pc = 0; pc < length; pc++) {
		if (!instruction_ok(&program[pc], length - pc - 1))
			return -EINVAL;
	}
	if (BPF_CLASS(program[length - 1].code) != BPF_RET || !memory_ok(program, length))
		return -EINVAL;
	return 0;
}

/* ---------------------------------------------------------------- running */

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
	bool done;
	uint32_t result;
};

static void run_load(struct machine *m, const struct sock_filter *in)
{
	uint32_t value = in->k; /* BPF_IMM */

	if (BPF_MODE(in->code) == BPF_ABS)
		memcpy(&value, (const char *)m->data + in->k, sizeof(value));
	else if (BPF_MODE(in->code) == BPF_LEN)
		value = sizeof(struct seccomp_data);
	else if (BPF_MODE(in->code) == BPF_MEM)
		value = m->memory[in->k];
	if (BPF_CLASS(in->code) == BPF_LD)
		m->a = value;
	else
		m->x = value;
}

/* Division by X = 0 ends the program with 0 (kill), and shifts take X modulo 32. */
static void run_alu(struct machine *m, const struct sock_filter *in)
{
	uint32_t v = BPF_SRC(in->code) == BPF_X ? m->x : in->k;

	switch (BPF_OP(in->code)) {
	case BPF_ADD:
		m->a += v;
		break;
	case BPF_SUB:
		m->a -= v;
		break;
	case BPF_MUL:
		m->a *= v;
		break;
	case BPF_DIV:
		m->done = v == 0;
		m->a = v ? m->a / v : 0;
		break;
	case BPF_AND:
		m->a &= v;
		break;
	case BPF_OR:
		m->a |= v;
		break;
	case BPF_XOR:
		m->a ^= v;
		break;
	case BPF_LSH:
		m->a <<= v & 31;
		break;
	case BPF_RSH:
		m->a >>= v & 31;
		break;
	default: /* BPF_NEG */
		m->a = -m->a;
	}
}

/* How many instructions to skip. */
static size_t run_jump(const struct machine *m, const struct sock_filter *in)
{
	uint32_t v = BPF_SRC(in->code) == BPF_X ? m->x : in->k;

	switch (BPF_OP(in->code)) {
	case BPF_JA:
		return in->k;
	case BPF_JEQ:
		return m->a == v ? in->jt : in->jf;
	case BPF_JGE:
		return m->a >= v ? in->jt : in->jf;
	case BPF_JGT:
		return m->a > v ? in->jt : in->jf;
	default: /* BPF_JSET */
		return m->a & v ? in->jt : in->jf;
	}
}

/* One instruction; returns how many to skip after it. */
static size_t step(struct machine *m, const struct sock_filter *in)
{
	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
	case BPF_LDX:
		run_load(m, in);
		return 0;
	case BPF_ST:
		m->memory[in->k] = m->a;
		return 0;
	case BPF_STX:
		m->memory[in->k] = m->x;
		return 0;
	case BPF_ALU:
		run_alu(m, in);
		return 0;
	case BPF_JMP:
		return run_jump(m, in);
	case BPF_RET:
		m->done = true;
		m->result = BPF_RVAL(in->code) == BPF_A ? m->a : in->k;
		return 0;
	default: /* BPF_MISC */
		if (BPF_MISCOP(in->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return 0;
	}
}

int rv_bpf_simulate_steps(const struct sock_filter *program, size_t length,
	const struct seccomp_data *data, uint32_t *ret, size_t *ret_steps)
{
	struct machine m = {.data = data};
	size_t steps = 0;
	int r = rv_bpf_check(program, length);

	if (r < 0)
		return r;
	for (size_t pc = 0; !m.done; steps++)
		pc += 1 + step(&m, &program[pc]);
	*ret = m.result;
	*ret_steps = steps;
	return 0;
}

int rv_bpf_simulate(const struct sock_filter *program, size_t length,
	const struct seccomp_data *data, uint32_t *ret)
{
	size_t steps;

	return rv_bpf_simulate_steps(program, length, data, ret, &steps);
}
