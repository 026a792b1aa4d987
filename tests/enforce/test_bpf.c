/* SPDX-License-Identifier: MIT */
/* The assembler and the simulator. */
#include <stdint.h>

#include "base/cleanup.h"
#include "enforce/bpf.h"
#include "tap.h"

static uint32_t run(const struct sock_filter *code, size_t length, const struct seccomp_data *data)
{
	uint32_t action = 0xdead;

	CHECK_EQ(rv_bpf_simulate(code, length, data, &action), 0);
	return action;
}

static uint32_t assemble_and_run(struct rv_bpf *bpf, const struct seccomp_data *data)
{
	struct sock_filter *code;
	size_t length;
	uint32_t action;

	CHECK_EQ(rv_bpf_assemble(bpf, &code, &length), 0);
	action = run(code, length, data);
	free(code);
	return action;
}

/* --------------------------------------------------------------- assembler */

static void loads(void)
{
	struct seccomp_data data = {.nr = 7, .arch = 0xc000003e};

	for (unsigned int i = 0; i < 6; i++)
		data.args[i] = (uint64_t)(0x100 + i) << 32 | (0x200 + i);
	for (unsigned int i = 0; i < 14; i++) {
		uint32_t want = i < 6	  ? 0x200 + i
				: i < 12  ? 0x100 + i - 6
				: i == 12 ? 7
					  : data.arch;
		struct rv_bpf *bpf = rv_bpf_new();
		rv_label yes = rv_bpf_label(bpf);

		if (i < 6)
			rv_bpf_load_arg_low(bpf, i);
		else if (i < 12)
			rv_bpf_load_arg_high(bpf, i - 6);
		else if (i == 12)
			rv_bpf_load_nr(bpf);
		else
			rv_bpf_load_arch(bpf);
		rv_bpf_jump_eq(bpf, want, yes, RV_NEXT);
		rv_bpf_return(bpf, 1);
		rv_bpf_place(bpf, yes);
		rv_bpf_return(bpf, 2);
		CHECK_EQ(assemble_and_run(bpf, &data), 2);
		rv_bpf_free(bpf);
	}
}

typedef void jump_fn(struct rv_bpf *bpf, uint32_t k, rv_label yes, rv_label no);

/*
 * One conditional jump with `near` instructions before the "yes" target and `far` more before the
 * "no" one. The padding returns something else, so a jump that lands wrongly shows.
 */
static uint32_t run_jump(jump_fn *jump, uint32_t nr, uint32_t k, size_t near, size_t far)
{
	struct rv_bpf *bpf = rv_bpf_new();
	rv_label yes = rv_bpf_label(bpf), no = rv_bpf_label(bpf);
	struct seccomp_data data = {.nr = (int)nr};
	uint32_t action;

	rv_bpf_load_nr(bpf);
	jump(bpf, k, yes, no);
	for (size_t i = 0; i < near; i++)
		rv_bpf_return(bpf, 77);
	rv_bpf_place(bpf, yes);
	rv_bpf_return(bpf, 1);
	for (size_t i = 0; i < far; i++)
		rv_bpf_return(bpf, 78);
	rv_bpf_place(bpf, no);
	rv_bpf_return(bpf, 2);
	action = assemble_and_run(bpf, &data);
	rv_bpf_free(bpf);
	return action;
}

static void check_jumps(size_t near, size_t far)
{
	static const uint32_t values[] = {0, 1, 4, 5, 6, 7, 0x7fffffff, 0x80000000u, UINT32_MAX};

	for (size_t i = 0; i < RV_COUNT(values); i++) {
		uint32_t v = values[i];

		CHECK_EQ(run_jump(rv_bpf_jump_eq, v, 5, near, far), v == 5 ? 1 : 2);
		CHECK_EQ(run_jump(rv_bpf_jump_ge, v, 5, near, far), v >= 5 ? 1 : 2);
		CHECK_EQ(run_jump(rv_bpf_jump_gt, v, 5, near, far), v > 5 ? 1 : 2);
		CHECK_EQ(run_jump(rv_bpf_jump_set, v, 5, near, far), v & 5 ? 1 : 2);
	}
}

static void jumps(void)
{
	static const size_t distances[] = {0, 1, 2, 253, 254, 255, 256, 257, 300, 1500};

	for (size_t i = 0; i < RV_COUNT(distances); i++) {
		for (size_t j = 0; j < RV_COUNT(distances); j++)
			check_jumps(distances[i], distances[j]);
	}
}

/*
 * Jumps over jumps, all near the limit: making one long pushes the next over it. `count` of them
 * stand in a row and have one target; every one must still reach it.
 */
static void cascade(void)
{
	for (size_t padding = 0; padding < 260; padding++) {
		const uint32_t count = 40;
		struct rv_bpf *bpf = rv_bpf_new();
		rv_label end = rv_bpf_label(bpf);
		struct sock_filter *code;
		size_t length;

		rv_bpf_load_nr(bpf);
		for (uint32_t i = 0; i < count; i++)
			rv_bpf_jump_eq(bpf, i, i % 2 ? end : RV_NEXT, i % 2 ? RV_NEXT : end);
		for (size_t i = 0; i <= padding; i++)
			rv_bpf_return(bpf, 77);
		rv_bpf_place(bpf, end);
		rv_bpf_return(bpf, 1);
		CHECK_EQ(rv_bpf_assemble(bpf, &code, &length), 0);
		CHECK_EQ(rv_bpf_check(code, length), 0);
		for (int nr = 0; nr < (int)count; nr++) {
			struct seccomp_data data = {.nr = nr};

			CHECK_EQ(run(code, length, &data), 1);
		}
		free(code);
		rv_bpf_free(bpf);
	}
}

static void short_jumps_stay_short(void)
{
	struct rv_bpf *bpf = rv_bpf_new();
	rv_label yes = rv_bpf_label(bpf);
	struct sock_filter *code;
	size_t length;

	rv_bpf_comment(bpf, "a comment is no instruction");
	rv_bpf_load_nr(bpf);
	rv_bpf_jump_eq(bpf, 1, yes, RV_NEXT);
	for (int i = 0; i < 255; i++)
		rv_bpf_return(bpf, 7);
	rv_bpf_place(bpf, yes);
	rv_bpf_comment(bpf, "a label before a comment means what follows it");
	rv_bpf_return(bpf, 1);
	CHECK_EQ(rv_bpf_assemble(bpf, &code, &length), 0);
	CHECK_EQ(length, 258);
	CHECK_EQ(code[1].jt, 255);
	CHECK_EQ(code[1].jf, 0);
	free(code);
	rv_bpf_free(bpf);
}

static void unconditional(void)
{
	struct rv_bpf *bpf = rv_bpf_new();
	rv_label end = rv_bpf_label(bpf), next = rv_bpf_label(bpf);
	struct seccomp_data data = {.nr = 0};

	rv_bpf_jump(bpf, RV_NEXT);
	rv_bpf_jump(bpf, next);
	rv_bpf_place(bpf, next);
	rv_bpf_jump(bpf, end);
	for (int i = 0; i < 3000; i++)
		rv_bpf_return(bpf, 7);
	rv_bpf_place(bpf, end);
	rv_bpf_return(bpf, 1);
	CHECK_EQ(assemble_and_run(bpf, &data), 1);
	rv_bpf_free(bpf);
}

static void masks(void)
{
	struct rv_bpf *bpf = rv_bpf_new();
	rv_label yes = rv_bpf_label(bpf);
	struct seccomp_data data = {.args = {0, 0xfffffff5}};

	rv_bpf_load_arg_low(bpf, 1);
	rv_bpf_and(bpf, 0xf);
	rv_bpf_jump_eq(bpf, 5, yes, RV_NEXT);
	rv_bpf_return(bpf, 7);
	rv_bpf_place(bpf, yes);
	rv_bpf_return(bpf, 1);
	CHECK_EQ(assemble_and_run(bpf, &data), 1);
	rv_bpf_free(bpf);
}

/* Mistakes are remembered and told by rv_bpf_assemble(), which leaves its results alone. */
static void check_mistake(void (*make)(struct rv_bpf *bpf), int error)
{
	struct sock_filter *code = (struct sock_filter *)-1;
	struct rv_bpf *bpf = rv_bpf_new();
	size_t length = 42;
	char *text = NULL;

	make(bpf);
	CHECK_EQ(rv_bpf_assemble(bpf, &code, &length), error);
	CHECK(code == (void *)-1 && length == 42);
	CHECK_EQ(rv_bpf_dump(bpf, &text), -EINVAL);
	CHECK(!text);
	rv_bpf_free(bpf);
}

static void make_nothing(struct rv_bpf *bpf)
{
	rv_bpf_comment(bpf, "nothing but words");
}

static void make_unplaced(struct rv_bpf *bpf)
{
	rv_bpf_jump_eq(bpf, 1, rv_bpf_label(bpf), RV_NEXT);
	rv_bpf_return(bpf, 1);
}

static void make_foreign_label(struct rv_bpf *bpf)
{
	rv_bpf_jump(bpf, 99);
	rv_bpf_return(bpf, 1);
}

static void make_backward(struct rv_bpf *bpf)
{
	rv_label back = rv_bpf_label(bpf);

	rv_bpf_place(bpf, back);
	rv_bpf_load_nr(bpf);
	rv_bpf_jump_eq(bpf, 1, back, RV_NEXT);
	rv_bpf_return(bpf, 1);
}

static void make_twice(struct rv_bpf *bpf)
{
	rv_label label = rv_bpf_label(bpf);

	rv_bpf_place(bpf, label);
	rv_bpf_return(bpf, 1);
	rv_bpf_place(bpf, label);
	rv_bpf_return(bpf, 1);
}

static void make_fall_off(struct rv_bpf *bpf)
{
	rv_bpf_return(bpf, 1);
	rv_bpf_load_nr(bpf);
}

static void make_fall_off_jump(struct rv_bpf *bpf)
{
	rv_label end = rv_bpf_label(bpf);

	rv_bpf_jump_eq(bpf, 1, end, RV_NEXT);
	rv_bpf_return(bpf, 1);
	rv_bpf_place(bpf, end);
}

static void make_fall_off_next(struct rv_bpf *bpf)
{
	rv_label end = rv_bpf_label(bpf);

	rv_bpf_jump(bpf, end);
	rv_bpf_place(bpf, end);
	rv_bpf_jump_eq(bpf, 1, RV_NEXT, RV_NEXT);
}

static void make_seventh_argument(struct rv_bpf *bpf)
{
	rv_bpf_load_arg_low(bpf, 6);
	rv_bpf_return(bpf, 1);
}

static void make_too_long(struct rv_bpf *bpf)
{
	for (int i = 0; i <= BPF_MAXINSNS; i++)
		rv_bpf_return(bpf, 1);
}

/* Short enough as written, too long once the jumps reach. */
static void make_too_long_relaxed(struct rv_bpf *bpf)
{
	rv_label end = rv_bpf_label(bpf);

	for (int i = 0; i < BPF_MAXINSNS - 1; i++)
		rv_bpf_jump_eq(bpf, 1, end, RV_NEXT);
	rv_bpf_place(bpf, end);
	rv_bpf_return(bpf, 1);
}

static void mistakes(void)
{
	check_mistake(make_nothing, -EINVAL);
	check_mistake(make_unplaced, -EINVAL);
	check_mistake(make_foreign_label, -EINVAL);
	check_mistake(make_backward, -EINVAL);
	check_mistake(make_twice, -EINVAL);
	check_mistake(make_fall_off, -EINVAL);
	check_mistake(make_fall_off_jump, -EINVAL);
	check_mistake(make_fall_off_next, -EINVAL);
	check_mistake(make_seventh_argument, -EINVAL);
	check_mistake(make_too_long, -E2BIG);
	check_mistake(make_too_long_relaxed, -E2BIG);
}

static void longest(void)
{
	struct rv_bpf *bpf = rv_bpf_new();
	struct seccomp_data data = {.nr = 0};

	for (int i = 0; i < BPF_MAXINSNS - 1; i++)
		rv_bpf_load_nr(bpf);
	rv_bpf_return(bpf, 5);
	CHECK_EQ(assemble_and_run(bpf, &data), 5);
	rv_bpf_free(bpf);
}

static void dump(void)
{
	struct rv_bpf *bpf = rv_bpf_new();
	rv_label end = rv_bpf_label(bpf);
	struct sock_filter *code;
	size_t length;
	char *text;

	rv_bpf_load_arg_high(bpf, 5);
	rv_bpf_and(bpf, 0xf0);
	rv_bpf_comment(bpf, "why");
	rv_bpf_jump_ge(bpf, 17, end, RV_NEXT);
	rv_bpf_jump_set(bpf, 16, end, RV_NEXT);
	rv_bpf_jump(bpf, end);
	rv_bpf_return(bpf, SECCOMP_RET_KILL_PROCESS);
	rv_bpf_place(bpf, end);
	rv_bpf_return(bpf, SECCOMP_RET_ERRNO | EACCES);
	CHECK_EQ(rv_bpf_assemble(bpf, &code, &length), 0);
	CHECK_EQ(rv_bpf_dump(bpf, &text), 0);
	CHECK_STR(text, "    0  load arg5.high\n"
			"    1  and 0xf0\n"
			"; why\n"
			"    2  if >= 17 goto 6 else 3\n"
			"    3  if & 0x10 goto 6 else 4\n"
			"    4  goto 6\n"
			"    5  return kill process\n"
			"    6  return errno EACCES\n");
	free(text);
	free(code);
	rv_bpf_free(bpf);
}

/* --------------------------------------------------------------- simulator */

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Programs that the kernel refuses; test_filter_kernel.c asks it about the same ones. */
static void refused_programs(void)
{
	static const struct {
		struct sock_filter code[4];
		size_t length;
	} bad[] = {
		{{ALLOW}, 0},
		{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)}, 1},
		{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UINT32_MAX - 3), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), ALLOW}, 2},
		{{BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), ALLOW}, 2},
		{{BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW}, 2},
		{{BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW}, 2},
		{{BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW}, 2},
		{{BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32), ALLOW}, 2},
		{{BPF_STMT(BPF_ST, BPF_MEMWORDS), ALLOW}, 2},
		{{BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW}, 2}, /* never written */
		{{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3),
			 BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW},
			4}, /* not on every path */
		{{BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW}, 2},
		{{BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), ALLOW}, 2},
		{{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ALLOW}, 2},
		{{BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ALLOW}, 2},
		{{ALLOW, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)}, 2},
		{{BPF_STMT(0xff, 0), ALLOW}, 2},
		{{BPF_STMT(0x100 | BPF_RET, 0), ALLOW}, 2},
	};
	struct seccomp_data data = {.nr = 0};
	uint32_t action = 42;

	for (size_t i = 0; i < RV_COUNT(bad); i++) {
		if (rv_bpf_check(bad[i].code, bad[i].length) != -EINVAL)
			printf("# program %zu was taken\n", i);
		CHECK_EQ(rv_bpf_check(bad[i].code, bad[i].length), -EINVAL);
		CHECK_EQ(rv_bpf_simulate(bad[i].code, bad[i].length, &data, &action), -EINVAL);
	}
	CHECK_EQ(action, 42);
}

static void too_long(void)
{
	size_t length = BPF_MAXINSNS + 1;
	struct sock_filter *code = calloc(length, sizeof(*code));

	for (size_t i = 0; i < length; i++)
		code[i] = (struct sock_filter)ALLOW;
	CHECK_EQ(rv_bpf_check(code, length), -EINVAL);
	CHECK_EQ(rv_bpf_check(code, length - 1), 0);
	free(code);
}

static void arithmetic(void)
{
	static const struct {
		uint16_t op;
		uint32_t a, v, want;
	} ops[] = {
		{BPF_ADD, UINT32_MAX, 2, 1},
		{BPF_SUB, 1, 2, UINT32_MAX},
		{BPF_MUL, 0x10001, 0x10001, 0x20001},
		{BPF_DIV, 17, 5, 3},
		{BPF_AND, 0xff0, 0x0ff, 0x0f0},
		{BPF_OR, 0xf00, 0x00f, 0xf0f},
		{BPF_XOR, 0xff0, 0x0ff, 0xf0f},
		{BPF_LSH, 1, 31, 0x80000000u},
		{BPF_RSH, 0x80000000u, 31, 1},
		{BPF_NEG, 1, 0, UINT32_MAX},
	};
	struct seccomp_data data = {.nr = 0};

	for (size_t i = 0; i < RV_COUNT(ops); i++) {
		const struct sock_filter with_k[] = {
			BPF_STMT(BPF_LD | BPF_IMM, ops[i].a),
			BPF_STMT(BPF_ALU | ops[i].op | BPF_K, ops[i].v),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};
		const struct sock_filter with_x[] = {
			BPF_STMT(BPF_LD | BPF_IMM, ops[i].v),
			BPF_STMT(BPF_MISC | BPF_TAX, 0),
			BPF_STMT(BPF_LD | BPF_IMM, ops[i].a),
			BPF_STMT(BPF_ALU | ops[i].op | (ops[i].op == BPF_NEG ? 0 : BPF_X), 0),
			BPF_STMT(BPF_RET | BPF_A, 0),
		};

		CHECK_EQ(run(with_k, RV_COUNT(with_k), &data), ops[i].want);
		CHECK_EQ(run(with_x, RV_COUNT(with_x), &data), ops[i].want);
	}
}

static void registers(void)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), /* 64 */
		BPF_STMT(BPF_ST, 15),
		BPF_STMT(BPF_LDX | BPF_IMM, 5),
		BPF_STMT(BPF_STX, 0),
		BPF_STMT(BPF_LDX | BPF_MEM, 15),
		BPF_STMT(BPF_LD | BPF_MEM, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), /* 69 */
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_IMM, 69),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_filter by_zero[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 9),
		BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
		ALLOW,
	};
	struct seccomp_data data = {.nr = 0};
	uint32_t action;
	size_t steps;

	CHECK_EQ(run(code, RV_COUNT(code), &data), 64);
	CHECK_EQ(rv_bpf_simulate_steps(code, RV_COUNT(code), &data, &action, &steps), 0);
	CHECK_EQ(steps, RV_COUNT(code) - 1);
	CHECK_EQ(run(by_zero, RV_COUNT(by_zero), &data), SECCOMP_RET_KILL_THREAD);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"loads", loads},
		{"conditional jumps of all distances", jumps},
		{"jumps that push each other over the limit", cascade},
		{"255 is still one instruction", short_jumps_stay_short},
		{"unconditional jumps", unconditional},
		{"masks", masks},
		{"mistakes are told when assembling", mistakes},
		{"the longest program", longest},
		{"the dump, word by word", dump},
		{"programs that the kernel refuses", refused_programs},
		{"too long a program", too_long},
		{"arithmetic", arithmetic},
		{"registers, scratch memory, division by zero", registers},
	};

	return tap_run(cases, RV_COUNT(cases));
}
