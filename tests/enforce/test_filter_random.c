/* SPDX-License-Identifier: MIT */
/* Random specs and requests: the compiled filter, simulated, against the reference. */
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "filter_sim.h"

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static uint64_t seed(void)
{
	const char *text = getenv("REEVE_TEST_SEED");
	uint64_t value = text ? strtoull(text, NULL, 0) : UINT64_C(0x5eed0f117e45);

	printf("# seed %#" PRIx64 " (REEVE_TEST_SEED)\n", value);
	return value ? value : 1;
}

static uint32_t pick(const uint32_t *from, size_t count)
{
	return from[rnd((uint32_t)count)];
}

#define PICK(array) pick(array, RV_COUNT(array))

static uint32_t random_family(void)
{
	static const uint32_t some[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_RDS,
		AF_VSOCK, AF_SMC, 45, 46, 0, UINT32_MAX, 0x80000000u};

	return rnd(4) ? PICK(some) : rnd(60);
}

static uint32_t random_type(void)
{
	static const uint32_t flags[] = {0, 0, 0, SOCK_CLOEXEC, SOCK_NONBLOCK,
		SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 16, 0x80000000u, 0x400};
	static const uint32_t some[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};

	return (rnd(4) ? PICK(some) : rnd(16)) | (rnd(3) ? 0 : PICK(flags));
}

static uint32_t random_protocol(void)
{
	static const uint32_t some[] = {0, IPPROTO_TCP, IPPROTO_UDP, 132, 256, 262, 1, 5, 7, 16,
		65534, 65535, UINT32_MAX, 0x80000000u, 0x80000006u};

	return rnd(4) ? PICK(some) : rnd(300);
}

static uint32_t random_small(void)
{
	static const uint32_t some[] = {0, 0, 0, 1, 1, 2, 3, 4, UINT32_MAX, 0x5412, 0x541c, 0x5401,
		0xaa00, 0x10000000, 0x20000, 0x20000000, 0x20004000, 0xdfffffff, 7, 8, 0x200000,
		0x280000, 0xffdfffff};

	return rnd(8) ? PICK(some) : rnd(UINT32_MAX);
}

/* The high word must not matter, unless it is a pointer's. */
static uint64_t with_high(uint32_t low)
{
	static const uint32_t some[] = {0, 0, 0, 1, UINT32_MAX, 0x20000000, 0x80000000u};

	return (uint64_t)PICK(some) << 32 | low;
}

/* Tags, whole and damaged. */
static uint64_t random_tag(void)
{
	switch (rnd(4)) {
	case 0:
		return with_high((uint32_t)RV_SHIM_TAG);
	case 1:
		return (RV_SHIM_TAG & ~UINT64_C(0xffffffff)) | random_small();
	case 2:
		return RV_SHIM_TAG ^ UINT64_C(1) << rnd(64);
	default:
		return RV_SHIM_TAG;
	}
}

static struct rv_filter_socket random_rule(void)
{
	struct rv_filter_socket rule;

	rule.family = (int)random_family();
	rule.type = rnd(3) ? (int)(random_type() & 0xff) : -1;
	rule.protocol = rnd(3) ? (int)random_protocol() : -1;
	return rule;
}

#define MAX_RULES 400

static struct rv_filter_spec random_spec(struct rv_filter_socket *rules)
{
	static const uint32_t counts[] = {0, 1, 2, 5, 20, 60, MAX_RULES};
	struct rv_filter_spec spec = {.arch = archs[rnd(2)], .guards = rnd(256)};

	spec.handle_socket = rnd(2);
	spec.socket_error = !(spec.guards & RV_GUARD_TCP) && rnd(2) ? EPERM : 0;
	spec.supervised = rnd(2);
	spec.inner_landlock = rnd(2); /* without a supervisor it says nothing */
	spec.traps = spec.supervised ? rnd(128) : 0;
	spec.sockets = rules;
	spec.sockets_count = PICK(counts);
	for (size_t i = 0; i < spec.sockets_count; i++)
		rules[i] = random_rule();
	return spec;
}

static uint32_t random_nr(uint32_t arch)
{
	static const uint32_t edges[] = {243, 244, 259, 260, 294, 295, 336, 337, 423, 424, 472, 473,
		0x40000000, 0x40000029, 0x7fffffff, 0x80000000u, UINT32_MAX};

	switch (rnd(8)) {
	case 0:
		return rnd(500);
	case 1:
		return PICK(edges);
	case 2:
		return rnd(4) ? 0x40000000u | rnd(600) : rnd(UINT32_MAX);
	case 3:
	case 4:
		return filter_number(arch, rnd(2) ? CALL_socket : CALL_socketpair);
	default:
		return filter_number(arch, (enum call)rnd(CALL_COUNT));
	}
}

static struct seccomp_data random_request(const struct rv_filter_spec *spec)
{
	static const uint32_t others[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, AUDIT_ARCH_I386};
	static const uint32_t good_flags[] = {0, 0, SOCK_CLOEXEC, SOCK_NONBLOCK};
	struct seccomp_data data = {.arch = rnd(30) ? spec->arch : PICK(others)};
	uint32_t nr = random_nr(spec->arch);
	bool is_socket = nr == filter_number(spec->arch, CALL_socket) ||
			 nr == filter_number(spec->arch, CALL_socketpair);

	data.nr = (int)nr;
	data.instruction_pointer = (uint64_t)rnd(UINT32_MAX) << 20;
	for (size_t i = 0; i < RV_COUNT(data.args); i++)
		data.args[i] = with_high(random_small());
	if (rnd(2))
		data.args[5] = random_tag();
	if (nr == filter_number(spec->arch, CALL_prctl) && rnd(2))
		data.args[0] = with_high(4); /* PR_SET_DUMPABLE: too rare by chance */
	if (nr == filter_number(spec->arch, CALL_getsockopt) && rnd(4)) {
		data.args[1] = with_high(rnd(4) ? 132 : 1); /* SOL_SCTP */
		data.args[2] = with_high(100 + rnd(24));
	}
	if (is_socket && spec->sockets_count && rnd(3) == 0) { /* near a rule */
		const struct rv_filter_socket *rule =
			&spec->sockets[rnd((uint32_t)spec->sockets_count)];

		data.args[0] = with_high((uint32_t)rule->family);
		data.args[1] = with_high(
			(rule->type < 0 ? random_type() : (uint32_t)rule->type) | PICK(good_flags));
		data.args[2] = with_high((uint32_t)rule->protocol + rnd(3) - 1);
	} else if (is_socket) {
		data.args[0] = with_high(random_family());
		data.args[1] = with_high(random_type());
		data.args[2] = with_high(random_protocol());
	}
	return data;
}

struct tally {
	unsigned int requests, refused, sockets, sockets_refused;
};

static void compare(const struct rv_filter_spec *spec, const struct program *p,
	const struct seccomp_data *data, struct tally *tally)
{
	int want = filter_reference(spec, data);
	int got = p->code ? run(p, data) : 0;
	bool is_socket = (uint32_t)data->nr == filter_number(spec->arch, CALL_socket);

	if (got != want)
		printf("# spec: arch %#" PRIx32 " guards %#x handle_socket %d, %zu rules\n"
		       "# request: arch %#" PRIx32 " nr %#x args %#llx %#llx %#llx %#llx\n",
			spec->arch, spec->guards, spec->handle_socket, spec->sockets_count,
			data->arch, (unsigned int)data->nr, (unsigned long long)data->args[0],
			(unsigned long long)data->args[1], (unsigned long long)data->args[2],
			(unsigned long long)data->args[3]);
	CHECK_EQ(got, want);
	tally->requests++;
	tally->refused += want != 0;
	tally->sockets += is_socket;
	tally->sockets_refused += is_socket && want != 0;
}

static void random_differential(void)
{
	static struct rv_filter_socket rules[MAX_RULES];
	struct tally tally = {0};
	size_t longest = 0;

	state = seed();
	for (int i = 0; i < 1500; i++) {
		struct rv_filter_spec spec = random_spec(rules);
		struct program p = compile(&spec);

		for (int j = 0; j < 400; j++) {
			struct seccomp_data data = random_request(&spec);

			compare(&spec, &p, &data, &tally);
		}
		longest = p.length > longest ? p.length : longest;
		free(p.code);
	}
	printf("# %u requests, %u refused; socket(): %u, %u refused; longest program %zu\n",
		tally.requests, tally.refused, tally.sockets, tally.sockets_refused, longest);
	CHECK(tally.refused > tally.requests / 4 && tally.refused < tally.requests * 3 / 4);
	CHECK(tally.sockets_refused > tally.sockets / 4);
	CHECK(tally.sockets_refused < tally.sockets * 3 / 4);
}

/* Is the comparison able to see faults? Each instruction of a program is damaged in turn. */
static bool damage(struct sock_filter *in)
{
	uint8_t jt = in->jt;

	if (in->code == (BPF_RET | BPF_K)) {
		in->k = in->k == SECCOMP_RET_ALLOW ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW;
	} else if (in->code == (BPF_LD | BPF_W | BPF_ABS)) {
		in->k = (in->k ^ 4u) % (uint32_t)sizeof(struct seccomp_data);
	} else if (BPF_CLASS(in->code) == BPF_JMP && in->jt != in->jf) {
		in->jt = in->jf;
		in->jf = jt;
	} else if (in->code == (BPF_ALU | BPF_AND | BPF_K)) {
		in->k = UINT32_MAX;
	} else {
		return false;
	}
	return true;
}

static bool fault_seen(const struct rv_filter_spec *spec, const struct program *p)
{
	for (int i = 0; i < 50000; i++) {
		struct seccomp_data data = random_request(spec);

		if (run(p, &data) != filter_reference(spec, &data))
			return true;
	}
	return false;
}

static void check_planted(struct rv_filter_spec spec)
{
	size_t planted = 0;
	struct program p;

	state = seed();
	spec.arch = AUDIT_ARCH_X86_64;
	p = compile(&spec);
	for (size_t i = 0; i < p.length; i++) {
		struct sock_filter saved = p.code[i];
		bool seen;

		if (!damage(&p.code[i]))
			continue;
		planted++;
		seen = fault_seen(&spec, &p);
		if (!seen)
			printf("# instruction %zu: damaged, and nothing noticed\n", i);
		CHECK(seen);
		p.code[i] = saved;
	}
	printf("# %zu faults planted\n", planted);
	free(p.code);
}

static void planted_faults(void)
{
	struct rv_filter_spec watched = filter_spec_supervised;

	check_planted(filter_spec_everything);
	check_planted(filter_spec_supervised);
	watched.traps = RV_TRAP_FS | RV_TRAP_EXEC;
	check_planted(watched);
	watched.traps = RV_TRAP_FS | RV_TRAP_SOCKET; /* what is refused is not trapped as well */
	check_planted(watched);
}

/* ------------------------------------------------------------------- sizes */

static void many_rules(void)
{
	static struct rv_filter_socket rules[900];
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_X86_64,
		.guards = RV_GUARD_ARCH | RV_GUARD_TCP,
		.handle_socket = true,
		.sockets = rules};
	struct tally tally = {0};

	state = seed();
	for (size_t i = 0; i < RV_COUNT(rules); i++)
		rules[i] = (struct rv_filter_socket){(int)rnd(46), (int)rnd(11), (int)(2 * i)};
	for (spec.sockets_count = 0; spec.sockets_count <= RV_COUNT(rules);
		spec.sockets_count += 300) {
		struct program p = compile(&spec);

		printf("# %zu rules, all different: %zu instructions\n", spec.sockets_count,
			p.length);
		for (int i = 0; i < 20000; i++) {
			struct seccomp_data data = random_request(&spec);

			compare(&spec, &p, &data, &tally);
		}
		free(p.code);
	}
}

/* All in one cell: far jumps for sure. */
static void one_long_list(void)
{
	static struct rv_filter_socket rules[1500];
	struct rv_filter_spec spec = {.arch = AUDIT_ARCH_AARCH64,
		.handle_socket = true,
		.sockets = rules,
		.sockets_count = RV_COUNT(rules)};
	struct seccomp_data data = {.arch = AUDIT_ARCH_AARCH64, .nr = 198};
	struct program p;

	for (size_t i = 0; i < RV_COUNT(rules); i++)
		rules[i] = (struct rv_filter_socket){AF_INET, -1, (int)(3 * i)};
	p = compile(&spec);
	printf("# %zu protocols of one family: %zu instructions\n", RV_COUNT(rules), p.length);
	data.args[0] = AF_INET;
	data.args[1] = SOCK_RAW;
	for (uint32_t protocol = 0; protocol < 5000; protocol++) {
		data.args[2] = protocol;
		CHECK_EQ(run(&p, &data), protocol % 3 == 0 && protocol < 4500 ? 0 : EACCES);
	}
	free(p.code);
}

/* What the supervisor decides of a trapped socket(2) is what the filter decided. */
static void verdicts(void)
{
	static struct rv_filter_socket rules[MAX_RULES];
	unsigned int refused = 0, allowed = 0;

	state = seed();
	for (int i = 0; i < 60000; i++) {
		struct rv_filter_spec spec = random_spec(rules);
		struct seccomp_data data;
		int error;

		spec.traps = 0;
		spec.supervised = false;
		data = random_request(&spec);
		data.arch = spec.arch;
		data.nr = (int)filter_number(spec.arch, CALL_socket);
		error = filter_reference(&spec, &data);
		if (error && error != EACCES)
			continue; /* out of range: never trapped */
		CHECK_EQ(rv_filter_socket_verdict(&spec, (int)(uint32_t)data.args[0],
				 (int)(uint32_t)data.args[1],
				 (int)(uint32_t)data.args[2]) != RV_SOCKET_ALLOWED,
			error == EACCES);
		refused += error == EACCES;
		allowed += error == 0;
	}
	printf("# %u refused, %u allowed\n", refused, allowed);
	CHECK(refused > 1000 && allowed > 1000);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"the same verdicts outside of the filter", verdicts},
		{"random specs and requests agree with the reference", random_differential},
		{"damage to any instruction is noticed", planted_faults},
		{"hundreds of socket rules", many_rules},
		{"a long list of protocols", one_long_list},
	};

	return tap_run(cases, RV_COUNT(cases));
}
