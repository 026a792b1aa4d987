/* SPDX-License-Identifier: MIT */
/* Compiling a spec and asking the simulator, for tests. */
#ifndef TESTS_ENFORCE_FILTER_SIM_H
#define TESTS_ENFORCE_FILTER_SIM_H

#include <linux/audit.h>

#include "filter_table.h"
#include "tap.h"

static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64};

struct program {
	struct sock_filter *code;
	size_t length;
};

static inline struct program compile(const struct rv_filter_spec *spec)
{
	struct program p = {0};

	CHECK_EQ(rv_filter_compile(spec, &p.code, &p.length, NULL), 0);
	CHECK_EQ(p.code == NULL, p.length == 0);
	CHECK_EQ(p.code ? rv_bpf_check(p.code, p.length) : 0, 0);
	return p;
}

/* The answer as in filter_row; an action that it has no word for is a failure. */
static inline int run_steps(const struct program *p, const struct seccomp_data *data, size_t *steps)
{
	uint32_t action = 0;

	CHECK_EQ(rv_bpf_simulate_steps(p->code, p->length, data, &action, steps), 0);
	if (action == SECCOMP_RET_ALLOW)
		return 0;
	if (action == SECCOMP_RET_USER_NOTIF)
		return FILTER_TRAPPED;
	CHECK_EQ(action & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
	if ((action & SECCOMP_RET_DATA) == 0)
		return FILTER_DONE;
	return (int)(action & SECCOMP_RET_DATA);
}

static inline int run(const struct program *p, const struct seccomp_data *data)
{
	size_t steps;

	return run_steps(p, data, &steps);
}

#endif /* TESTS_ENFORCE_FILTER_SIM_H */
