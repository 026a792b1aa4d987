/* SPDX-License-Identifier: MIT */
/* The filter compiler, in the simulator: nothing here depends on the machine that tests. */
#include <inttypes.h>
#include <limits.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "filter_sim.h"

static int run_nr(const struct program *p, uint32_t arch, uint32_t nr)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)nr};

	return run(p, &data);
}

/* --------------------------------------------------------------- the table */

static void check_row(const struct filter_row *row, uint32_t arch)
{
	struct rv_filter_spec spec = *row->spec;
	struct seccomp_data data = {.arch = arch};
	struct program p;
	int got;

	spec.arch = arch;
	data.nr = (int)filter_number(arch, row->call);
	if ((uint32_t)data.nr == NO_CALL)
		return;
	for (size_t i = 0; i < RV_COUNT(row->args); i++)
		data.args[i] = row->args[i];
	p = compile(&spec);
	got = run(&p, &data);
	if (got != row->error || filter_reference(&spec, &data) != row->error)
		printf("# arch %#" PRIx32 ", %s, %s: errno %d, wanted %d; the reference says %d\n",
			arch, filter_call_name(row->call), row->what, got, row->error,
			filter_reference(&spec, &data));
	CHECK_EQ(got, row->error);
	CHECK_EQ(filter_reference(&spec, &data), row->error);
	free(p.code);
}

static void table(void)
{
	for (size_t i = 0; i < filter_rows_count; i++) {
		for (size_t j = 0; j < RV_COUNT(archs); j++)
			check_row(&filter_rows[i], archs[j]);
	}
	printf("# %zu rows, %zu architectures\n", filter_rows_count, RV_COUNT(archs));
}

/* ----------------------------------------------------------- architectures */

static void foreign(void)
{
	static const uint32_t others[] = {AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64,
		AUDIT_ARCH_S390X, AUDIT_ARCH_AARCH64 ^ 0x80000000u, 0, UINT32_MAX};

	for (size_t i = 0; i < RV_COUNT(archs); i++) {
		struct rv_filter_spec spec = {.arch = archs[i], .guards = RV_GUARD_ARCH};
		struct program p = compile(&spec);

		for (size_t j = 0; j < RV_COUNT(others); j++) {
			CHECK_EQ(run_nr(&p, others[j], 0), ENOSYS);
			CHECK_EQ(run_nr(&p, others[j], 20), ENOSYS);
			CHECK_EQ(run_nr(&p, others[j], 102), ENOSYS); /* i386's socketcall */
		}
		CHECK_EQ(run_nr(&p, archs[1 - i], 39), ENOSYS);
		CHECK_EQ(run_nr(&p, archs[i], 39), 0);
		free(p.code);
	}
}

/* Without the guard (degraded by name) others pass, but one's own numbers are still guarded. */
static void foreign_degraded(void)
{
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_X86_64, .guards = RV_GUARD_KEYRING};
	struct program p = compile(&spec);

	CHECK_EQ(run_nr(&p, AUDIT_ARCH_I386, 250), 0);
	CHECK_EQ(run_nr(&p, AUDIT_ARCH_X86_64, 1000), 0);
	CHECK_EQ(run_nr(&p, AUDIT_ARCH_X86_64, 250), EPERM);
	free(p.code);
}

static void x32(void)
{
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_X86_64, .guards = RV_GUARD_ARCH};
	struct program p = compile(&spec);

	for (uint32_t nr = 0; nr < 1000; nr++)
		CHECK_EQ(run_nr(&p, AUDIT_ARCH_X86_64, 0x40000000u | nr), ENOSYS);
	free(p.code);
}

static void check_numbers(
	const struct program *p, uint32_t arch, uint32_t first, uint32_t last, int error)
{
	for (uint32_t nr = first; nr <= last; nr++)
		CHECK_EQ(run_nr(p, arch, nr), error);
}

static void unknown_numbers(void)
{
	static const struct {
		uint32_t arch, first, last;
		int error;
	} spans[] = {
		{AUDIT_ARCH_X86_64, 0, 336, 0},
		{AUDIT_ARCH_X86_64, 337, 423, ENOSYS},
		{AUDIT_ARCH_X86_64, 424, 472, 0},
		{AUDIT_ARCH_X86_64, 473, 5000, ENOSYS},
		{AUDIT_ARCH_AARCH64, 0, 243, 0},
		{AUDIT_ARCH_AARCH64, 244, 259, ENOSYS},
		{AUDIT_ARCH_AARCH64, 260, 294, 0},
		{AUDIT_ARCH_AARCH64, 295, 423, ENOSYS},
		{AUDIT_ARCH_AARCH64, 424, 472, 0},
		{AUDIT_ARCH_AARCH64, 473, 5000, ENOSYS},
	};

	for (size_t i = 0; i < RV_COUNT(spans); i++) {
		struct rv_filter_spec spec = {.arch = spans[i].arch, .guards = RV_GUARD_ARCH};
		struct program p = compile(&spec);

		check_numbers(&p, spans[i].arch, spans[i].first, spans[i].last, spans[i].error);
		CHECK_EQ(run_nr(&p, spans[i].arch, INT_MAX), ENOSYS);
		CHECK_EQ(run_nr(&p, spans[i].arch, 0x80000000u), ENOSYS);
		CHECK_EQ(run_nr(&p, spans[i].arch, UINT32_MAX), ENOSYS);
		free(p.code);
	}
}

/* ------------------------------------------------------- the kernel's cache */

/* The value of a load that does not depend on arguments; false for any other. */
static bool load_constant(uint32_t k, const struct seccomp_data *data, uint32_t *value)
{
	if (k == offsetof(struct seccomp_data, nr))
		*value = (uint32_t)data->nr;
	else if (k == offsetof(struct seccomp_data, arch))
		*value = data->arch;
	else
		return false;
	return true;
}

static bool jump_taken(const struct sock_filter *in, uint32_t value)
{
	switch (in->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		return value == in->k;
	case BPF_JMP | BPF_JGE | BPF_K:
		return value >= in->k;
	case BPF_JMP | BPF_JGT | BPF_K:
		return value > in->k;
	default:
		return value & in->k;
	}
}

/*
 * What seccomp_cache_prepare() does for each number: follows the program as long as it looks at
 * nr and arch only. True if that ends in "allow": the call never runs the filter.
 */
static bool cached(const struct program *p, uint32_t arch, uint32_t nr)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)nr};
	uint32_t value = 0;

	for (size_t pc = 0; pc < p->length; pc++) {
		const struct sock_filter *in = &p->code[pc];

		if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (!load_constant(in->k, &data, &value))
				return false;
		} else if (in->code == (BPF_RET | BPF_K)) {
			return in->k == SECCOMP_RET_ALLOW;
		} else if (in->code == (BPF_JMP | BPF_JA)) {
			pc += in->k;
		} else if (in->code == (BPF_ALU | BPF_AND | BPF_K)) {
			value &= in->k;
		} else if (BPF_CLASS(in->code) == BPF_JMP) {
			pc += jump_taken(in, value) ? in->jt : in->jf;
		} else {
			return false;
		}
	}
	return false;
}

static bool is_guarded(const struct rv_filter_spec *spec, uint32_t nr)
{
	uint32_t arch = spec->arch;
	enum call first = spec->supervised ? CALL_FIRST_SUPERVISED : CALL_FIRST_GUARDED;

	for (enum call call = first; call < CALL_COUNT; call++) {
		if (filter_number(arch, call) == nr)
			return true;
	}
	return false;
}

static void check_cache(const struct rv_filter_spec *from)
{
	for (size_t i = 0; i < RV_COUNT(archs); i++) {
		struct rv_filter_spec spec = *from;
		struct program p;
		unsigned int count = 0;

		spec.arch = archs[i];
		p = compile(&spec);
		for (uint32_t nr = 0; nr <= 500; nr++) {
			bool allowed = run_nr(&p, archs[i], nr) == 0;

			if (!is_guarded(&spec, nr))
				CHECK_EQ(cached(&p, archs[i], nr), allowed);
			count += cached(&p, archs[i], nr);
		}
		printf("# arch %#" PRIx32 ": %u numbers are in the kernel's allow bitmap\n",
			archs[i], count);
		CHECK(count > 260);
		free(p.code);
	}
}

static void cache(void)
{
	check_cache(&filter_spec_everything);
	check_cache(&filter_spec_supervised);
}

/* ----------------------------------------------------------------- results */

static void too_many_rules(void)
{
	static struct rv_filter_socket rules[4000];
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_X86_64,
		.handle_socket = true,
		.sockets = rules,
		.sockets_count = RV_COUNT(rules)};
	struct sock_filter *code = (struct sock_filter *)-1;
	struct rv_bpf *bpf = (struct rv_bpf *)-1;
	size_t length = 42;

	for (size_t i = 0; i < RV_COUNT(rules); i++)
		rules[i] = (struct rv_filter_socket){AF_INET, -1, (int)(2 * i)};
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -E2BIG);
	CHECK(code == (void *)-1 && bpf == (void *)-1 && length == 42);
	for (size_t i = 0; i < RV_COUNT(rules); i++)
		rules[i].protocol = (int)i; /* neighbours are one range */
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, NULL), 0);
	CHECK(length < 64);
	free(code);
}

static void errors(void)
{
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_RISCV64, .guards = RV_GUARD_ARCH};
	struct sock_filter *code = (struct sock_filter *)-1;
	struct rv_bpf *bpf = (struct rv_bpf *)-1;
	size_t length = 42;

	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -EOPNOTSUPP);
	spec.arch = AUDIT_ARCH_X86_64;
	spec.guards = 1u << 8;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -EINVAL);
	spec.guards = 1u << 31;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -EINVAL);
	spec.guards = 0;
	spec.traps = RV_TRAP_FS;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -EINVAL);
	spec.supervised = true;
	spec.traps = 1u << 31;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), -EINVAL);
	CHECK(code == (void *)-1 && bpf == (void *)-1 && length == 42);
	spec.supervised = false;
	spec.traps = 0;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), 0);
	CHECK(!code && !bpf && length == 0);
}

static void dump(void)
{
	struct rv_filter_spec spec = filter_spec_everything;
	struct sock_filter *code;
	struct rv_bpf *bpf;
	size_t length, lines = 0;
	char *text;

	spec.arch = AUDIT_ARCH_AARCH64;
	CHECK_EQ(rv_filter_compile(&spec, &code, &length, &bpf), 0);
	CHECK_EQ(rv_bpf_dump(bpf, &text), 0);
	for (const char *p = text; *p; p = strchr(p, '\n') + 1)
		lines += *p != ';';
	CHECK_EQ(lines, length);
	CHECK(strstr(text, "    0  load arch\n"));
	CHECK(strstr(text, "; ioctl: not TIOCSTI, not TIOCLINUX\n"));
	CHECK(strstr(text, "  return errno EOPNOTSUPP\n"));
	CHECK(strstr(text, "  load arg2.high\n"));
	rv_bpf_free(bpf);
	free(code);
	free(text);
}

/* ------------------------------------------------------------------- costs */

static void costs(void)
{
	static const enum call plain[] = {CALL_read, CALL_write, CALL_openat, CALL_close, CALL_mmap,
		CALL_futex, CALL_connect, CALL_recvmsg, CALL_ioctl, CALL_sendto, CALL_socket};

	for (size_t i = 0; i < RV_COUNT(archs); i++) {
		struct rv_filter_spec spec = filter_spec_everything;
		size_t steps, worst = 0;
		struct program p;

		spec.arch = archs[i];
		p = compile(&spec);
		printf("# arch %#" PRIx32 ", everything guarded: %zu instructions;", archs[i],
			p.length);
		for (size_t j = 0; j < RV_COUNT(plain); j++) {
			struct seccomp_data data = {.arch = archs[i],
				.nr = (int)filter_number(archs[i], plain[j]),
				.args = {AF_INET, SOCK_STREAM}};

			CHECK_EQ(run_steps(&p, &data, &steps), 0);
			printf(" %s %zu%s", filter_call_name(plain[j]), steps,
				cached(&p, archs[i], (uint32_t)data.nr) ? " (cached)" : "");
		}
		for (uint32_t nr = 0; nr < 500; nr++) {
			struct seccomp_data data = {.arch = archs[i], .nr = (int)nr};

			if (run_steps(&p, &data, &steps) == 0 && cached(&p, archs[i], nr))
				worst = steps > worst ? steps : worst;
		}
		printf("; worst of those that are not guarded %zu\n", worst);
		CHECK(worst <= 12);
		free(p.code);
	}
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"the table, on both architectures", table},
		{"foreign architectures are refused", foreign},
		{"without the arch guard they are not", foreign_degraded},
		{"x32 numbers are refused", x32},
		{"unknown numbers are refused", unknown_numbers},
		{"what is not guarded is allowed by nr and arch alone", cache},
		{"too many socket rules", too_many_rules},
		{"errors leave the results alone", errors},
		{"the dump has every instruction", dump},
		{"instructions run by plain calls", costs},
	};

	return tap_run(cases, RV_COUNT(cases));
}
