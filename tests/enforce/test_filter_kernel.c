/* SPDX-License-Identifier: MIT */
/*
 * The same table on the running kernel. Each row is tried twice in a child that has installed the
 * filter: once as compiled, for the errno; once with every errno of the program moved up by MARK,
 * where the kernel has none of its own, which tells a refusal by the filter from one by the kernel.
 * A trapped call is ENOSYS as long as nobody listens; its twin has a mark of its own.
 */
#include <linux/audit.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "filter_table.h"
#include "tap.h"

#define MARK	     2000
#define MARK_TRAPPED 3000

struct program {
	struct sock_filter *code;
	size_t length;
};

static struct program compile(const struct rv_filter_spec *from)
{
	struct rv_filter_spec spec = *from;
	struct program p = {0};

	spec.arch = rv_filter_native_arch();
	if (!spec.arch)
		SKIP("arch: reeve has no table for this machine");
	CHECK_EQ(rv_filter_compile(&spec, &p.code, &p.length, NULL), 0);
	return p;
}

static void mark(struct program *p)
{
	for (size_t i = 0; i < p->length; i++) {
		struct sock_filter *in = &p->code[i];

		if (in->code == (BPF_RET | BPF_K) && in->k == SECCOMP_RET_USER_NOTIF)
			in->k = SECCOMP_RET_ERRNO | MARK_TRAPPED;
		else if (in->code == (BPF_RET | BPF_K) && in->k != SECCOMP_RET_ALLOW)
			in->k += MARK;
	}
}

/* 0 or the errno of the kernel's refusal. For the rest of this process. */
static int install(const struct sock_filter *code, size_t length)
{
	struct sock_fprog prog = {(unsigned short)length, (struct sock_filter *)code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno;
	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? errno : 0;
}

/*
 * Runs fn in a child and returns what it returns (an errno, or -1 for trouble), passed through
 * shared memory, as exit codes are too narrow.
 */
static int in_child(int (*fn)(const void *data), const void *data, int *ret_status)
{
	int *result = mmap(
		NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, value;
	pid_t pid;

	CHECK(result != MAP_FAILED);
	*result = -1;
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		*result = fn(data);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		CHECK_EQ(errno, EINTR);
	if (ret_status)
		*ret_status = status;
	else
		CHECK_EQ(status, 0);
	value = *result;
	munmap(result, sizeof(*result));
	return value;
}

struct attempt {
	struct program program;
	long nr;
	const uint64_t *args;
};

static int attempt(const void *data)
{
	const struct attempt *a = data;
	long r;

	if (install(a->program.code, a->program.length) != 0)
		return -1;
	r = syscall(a->nr, a->args[0], a->args[1], a->args[2], a->args[3], a->args[4], a->args[5]);
	return r < 0 ? errno : 0;
}

/* ---------------------------------------------------------------- the table */

/* What the program answers as it is, and what its marked twin says of who answered. */
static void ask(const struct filter_row *row, int *ret_plain, int *ret_marked)
{
	struct attempt a = {.program = compile(row->spec), .args = row->args};

	a.nr = (long)filter_number(rv_filter_native_arch(), row->call);
	*ret_plain = in_child(attempt, &a, NULL);
	mark(&a.program);
	*ret_marked = in_child(attempt, &a, NULL);
	free(a.program.code);
}

static bool check_row(const struct filter_row *row)
{
	int plain, marked;
	bool ok;

	if (filter_number(rv_filter_native_arch(), row->call) == NO_CALL)
		return true;
	ask(row, &plain, &marked);
	if (row->error == FILTER_TRAPPED)
		ok = plain == ENOSYS && marked == MARK_TRAPPED;
	else if (row->error == FILTER_DONE)
		ok = plain == 0 && marked == MARK;
	else if (row->error)
		ok = plain == row->error && marked == row->error + MARK;
	else
		ok = plain >= 0 && marked >= 0 && marked < MARK;
	if (!ok)
		printf("# %s, %s: errno %d, marked %d, wanted %d\n", filter_call_name(row->call),
			row->what, plain, marked, row->error);
	return ok;
}

static void table(void)
{
	size_t refused = 0, bad = 0;

	for (size_t i = 0; i < filter_rows_count; i++) {
		bad += !check_row(&filter_rows[i]);
		refused += filter_rows[i].error != 0;
	}
	printf("# %zu rows, %zu of them refused\n", filter_rows_count, refused);
	CHECK_EQ(bad, 0);
}

/* Every row once more with everything guarded: what the reference says of it then. */
static size_t check_everything(const struct rv_filter_spec *from)
{
	size_t bad = 0;

	for (size_t i = 0; i < filter_rows_count; i++) {
		struct rv_filter_spec spec = *from;
		struct filter_row row = filter_rows[i];
		struct seccomp_data data = {.arch = rv_filter_native_arch()};

		spec.arch = data.arch;
		data.nr = (int)filter_number(data.arch, row.call);
		for (size_t j = 0; j < RV_COUNT(row.args); j++)
			data.args[j] = row.args[j];
		row.spec = &spec;
		row.error = filter_reference(&spec, &data);
		bad += !check_row(&row);
	}
	return bad;
}

static void table_everything(void)
{
	CHECK_EQ(check_everything(&filter_spec_everything), 0);
	CHECK_EQ(check_everything(&filter_spec_supervised), 0);
}

/* ---------------------------------------------------- what the kernel accepts */

static int install_only(const void *data)
{
	const struct program *p = data;

	return install(p->code, p->length);
}

/* All combinations of guards, with and without socket rules; long ones as well. */
static void accepted(void)
{
	static struct rv_filter_socket rules[900];
	static const size_t counts[] = {0, 1, 40, 900};
	size_t longest = 0, programs = 0;

	for (size_t i = 0; i < RV_COUNT(rules); i++)
		rules[i] = (struct rv_filter_socket){
			(int)(i * 7 % 46), (int)(i * 5 % 11), (int)(i * 3 % 5000)};
	for (unsigned int guards = 0; guards < 256; guards++) {
		for (size_t i = 0; i < RV_COUNT(counts); i++) {
			struct rv_filter_spec spec = {.guards = guards,
				.handle_socket = i > 0,
				.sockets = rules,
				.sockets_count = counts[i]};
			struct program p;

			if (counts[i] > 40 && guards % 16)
				continue;
			p = compile(&spec);
			if (!p.code)
				continue;
			CHECK_EQ(in_child(install_only, &p, NULL), 0);
			longest = p.length > longest ? p.length : longest;
			programs++;
			free(p.code);
		}
	}
	for (unsigned int i = 0; i < 256 * 8; i += 5) {
		struct rv_filter_spec spec = {
			.guards = i % 256, .supervised = true, .traps = i / 256};
		struct program p = compile(&spec);

		CHECK_EQ(in_child(install_only, &p, NULL), 0);
		programs++;
		free(p.code);
	}
	printf("# %zu programs, the longest has %zu instructions\n", programs, longest);
}

/* Small programs at random: the kernel and the simulator agree on which are programs at all. */
static void check_agrees(void)
{
	static const uint16_t codes[] = {BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND, BPF_LD | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM,
		BPF_ST, BPF_STX, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN,
		BPF_LDX | BPF_B | BPF_MSH, BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_DIV | BPF_K,
		BPF_ALU | BPF_MOD | BPF_K, BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X,
		BPF_ALU | BPF_NEG, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_JMP | BPF_JA,
		BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JSET | BPF_X, BPF_RET | BPF_K,
		BPF_RET | BPF_A, BPF_RET | BPF_X, 0xff};
	static const uint32_t constants[] = {0, 1, 2, 3, 4, 15, 16, 31, 32, 60, 62, 64, 68};
	uint64_t state = UINT64_C(0x5eedb9f);
	size_t taken = 0, total = 1500;

	printf("# seed %#llx\n", (unsigned long long)state);
	for (size_t i = 0; i < total; i++) {
		struct sock_filter code[5];
		struct program p = {code, 1 + i % RV_COUNT(code)};
		int want, status;

		for (size_t j = 0; j < p.length; j++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
			code[j].code = codes[(state >> 33) % RV_COUNT(codes)];
			code[j].k = constants[(state >> 43) % RV_COUNT(constants)];
			code[j].jt = (state >> 53) % 3;
			code[j].jf = (state >> 58) % 3;
		}
		if (i % 4) /* most would fail for this alone */
			code[p.length - 1] =
				(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		want = rv_bpf_check(code, p.length) == 0 ? 0 : EINVAL;
		/* What is taken may well kill the child when it exits. */
		CHECK_EQ(in_child(install_only, &p, &status), want);
		taken += want == 0;
	}
	printf("# %zu of %zu programs taken\n", taken, total);
	CHECK(taken > total / 10 && taken < total * 9 / 10);
}

/* ------------------------------------------------------------ architectures */

static const uint64_t no_args[6];

static void check_number(const struct rv_filter_spec *spec, uint32_t nr)
{
	struct attempt a = {.program = compile(spec), .nr = (long)nr, .args = no_args};

	CHECK_EQ(in_child(attempt, &a, NULL), ENOSYS);
	mark(&a.program);
	CHECK_EQ(in_child(attempt, &a, NULL), ENOSYS + MARK);
	free(a.program.code);
}

static const struct rv_filter_spec arch_only = {.guards = RV_GUARD_ARCH};

static void unknown_numbers(void)
{
	static const uint32_t numbers[] = {400, 423, 473, 474, 511, 512, 547, 1000, 0x7fffffff};

	for (size_t i = 0; i < RV_COUNT(numbers); i++)
		check_number(&arch_only, numbers[i]);
}

#ifdef __x86_64__
static void x32(void)
{
	check_number(&arch_only, 0x40000000u | 39);
	check_number(&arch_only, 0x40000000u | 41);
	check_number(&arch_only, 0x40000000u | 514); /* x32's ioctl */
}

static long int80(long nr)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(0), "c"(0), "d"(0) : "memory");
	return r;
}

/* getpid is 20 for i386; without a filter it must work, or there is nothing to test. */
static int i386_getpid(const void *data)
{
	const struct program *p = data;
	long r;

	if (p && install(p->code, p->length) != 0)
		return -1;
	r = int80(20);
	return r < 0 ? (int)-r : 0;
}

static void i386(void)
{
	struct program p = compile(&arch_only);
	int status;

	if (in_child(i386_getpid, NULL, &status) != 0 || status != 0)
		SKIP("ia32: this kernel runs no i386 system calls");
	CHECK_EQ(in_child(i386_getpid, &p, NULL), ENOSYS);
	mark(&p);
	CHECK_EQ(in_child(i386_getpid, &p, NULL), ENOSYS + MARK);
	free(p.code);
}
#else
static void x32(void)
{
	SKIP("x86: this machine has no x32");
}

static void i386(void)
{
	SKIP("x86: this machine has no int 0x80");
}
#endif

/* An ordinary program under everything: no plain call must be lost. */
static int live_on(const void *data)
{
	const struct program *p = data;
	char buffer[8];
	int ends[2];
	pid_t pid;

	if (install(p->code, p->length) != 0)
		return -1;
	if (pipe(ends) < 0 || write(ends[1], "reeve", 5) != 5 || read(ends[0], buffer, 8) != 5)
		return errno;
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "test \"$(echo a | cat)\" = a && kill -0 $$",
			(char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &ends[0], 0) != pid)
		return errno;
	return ends[0] == 0 ? 0 : -1;
}

static void ordinary_program(void)
{
	struct program p = compile(&filter_spec_everything);

	CHECK_EQ(in_child(live_on, &p, NULL), 0);
	free(p.code);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"the table, on this kernel", table},
		{"the table, with everything guarded", table_everything},
		{"every combination of guards is accepted", accepted},
		{"kernel and simulator accept the same programs", check_agrees},
		{"unknown numbers are refused", unknown_numbers},
		{"x32 calls are refused", x32},
		{"i386 calls are refused", i386},
		{"an ordinary program runs", ordinary_program},
	};

	return tap_run(cases, RV_COUNT(cases));
}
