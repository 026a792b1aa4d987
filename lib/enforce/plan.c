/* SPDX-License-Identifier: MIT */
/* Plans: what would be done, and by whom, before anything is done. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "enforce/plan.h"

/* ---------------------------------------------------------------------- filter */

/* A guard that is in the plan, by the filter, is one bit of the filter's description. */
static unsigned int wanted_guards(const struct reeve_plan *plan)
{
	static const struct {
		const char *feature;
		unsigned int guard;
	} table[] = {
		{"guard.arch", RV_GUARD_ARCH},
		{"guard.tty", RV_GUARD_TTY},
		{"guard.sched", RV_GUARD_SCHED},
		{"guard.io_uring", RV_GUARD_IO_URING},
		{"guard.tcp", RV_GUARD_TCP},
		{"deny.sysv_ipc", RV_GUARD_SYSV_IPC},
		{"deny.keyring", RV_GUARD_KEYRING},
		{"unix_datagram", RV_GUARD_UNIX_DGRAM},
	};
	unsigned int guards = 0;

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		if (rv_plan_has(plan, table[i].feature, REEVE_BY_SECCOMP))
			guards |= table[i].guard;
	}
	return guards;
}

/* For events and live rules; what guards cannot do without, the filter traps by itself. */
static unsigned int wanted_traps(const struct reeve_plan *plan)
{
	unsigned int traps = RV_TRAP_GUARD;
	struct reeve_rights handled;

	if (!plan->mode.supervised || plan->mode.no_events)
		return 0;
	reeve_ruleset_handled(plan->floor, &handled);
	if (handled.of[REEVE_FS])
		traps |= RV_TRAP_FS;
	if (handled.of[REEVE_FS] & REEVE_FS_EXECUTE)
		traps |= RV_TRAP_EXEC;
	return traps;
}

static int compile_filter(struct reeve_plan *plan, struct reeve_error *err)
{
	int r;

	plan->spec.arch = rv_filter_native_arch();
	plan->spec.guards = wanted_guards(plan);
	plan->spec.supervised = plan->mode.supervised;
	plan->spec.traps = wanted_traps(plan);
	plan->spec.handle_socket = rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP);
	if (!plan->spec.guards && !plan->spec.handle_socket)
		return 0;
	r = rv_filter_compile(&plan->spec, &plan->filter, &plan->filter_length, NULL);
	if (r == -E2BIG)
		return rv_error(err, r, "%zu socket rules are too many for one filter",
			plan->spec.sockets_count);
	if (r == -EOPNOTSUPP)
		return rv_error(err, r, "reeve has no seccomp filter for this architecture");
	return r ? rv_error(err, r, "cannot compile the filter: %s", strerror(-r)) : 0;
}

int reeve_plan_filter_dump(const struct reeve_plan *plan, char **ret)
{
	struct sock_filter *program = NULL;
	struct rv_bpf *bpf = NULL;
	size_t length;
	int r;

	if (!plan->filter_length) {
		char *empty = strdup("");

		if (!empty)
			return -ENOMEM;
		*ret = empty;
		return 0;
	}
	r = rv_filter_compile(&plan->spec, &program, &length, &bpf);
	if (r == 0)
		r = rv_bpf_dump(bpf, ret);
	free(program);
	rv_bpf_free(bpf);
	return r;
}

/* ------------------------------------------------------------- making and freeing */

static int know_kernel(
	struct reeve_plan *plan, const struct reeve_kernel *kernel, struct reeve_error *err)
{
	int r;

	if (kernel) {
		size_t size = kernel->size < sizeof(*kernel) ? kernel->size : sizeof(*kernel);

		memcpy(&plan->kernel, kernel, size);
		return 0;
	}
	plan->kernel.size = sizeof(plan->kernel);
	r = reeve_kernel_probe(&plan->kernel);
	return r ? rv_error(err, r, "cannot probe the kernel: %s", strerror(-r)) : 0;
}

static int fill(struct reeve_plan *plan, const struct reeve_policy *policy,
	const struct reeve_kernel *kernel, struct reeve_error *err)
{
	const struct reeve_ruleset *ruleset = reeve_policy_ruleset(policy);
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	int r;

	if (!ruleset)
		return rv_error(err, -EINVAL, "the policy is not resolved");
	reeve_policy_settings(policy, &settings);
	plan->private_tmpdir = settings.private_tmpdir;
	r = know_kernel(plan, kernel, err);
	if (r == 0)
		r = rv_plan_add_items(plan, policy, err);
	if (r == 0)
		r = rv_plan_add_floor(plan, ruleset, err);
	return r ? r : compile_filter(plan, err);
}

int rv_plan_make(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct rv_plan_mode *mode, bool complete, struct reeve_plan **ret,
	struct reeve_error *err)
{
	struct reeve_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return rv_error(err, -ENOMEM, "out of memory");
	plan->mode = *mode;
	r = fill(plan, policy, kernel, err);
	if (r == 0 && complete)
		r = rv_plan_check(plan, err);
	if (r) {
		reeve_plan_free(plan);
		return r;
	}
	*ret = plan;
	return 0;
}

static const struct rv_plan_mode in_place = {.supervised = false};

int reeve_plan_describe(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	struct reeve_plan **ret, struct reeve_error *err)
{
	return rv_plan_make(policy, kernel, &in_place, false, ret, err);
}

int reeve_plan_new(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	struct reeve_plan **ret, struct reeve_error *err)
{
	return rv_plan_make(policy, kernel, &in_place, true, ret, err);
}

int rv_plan_in_place(const struct reeve_plan *plan, struct reeve_error *err)
{
	if (!plan->mode.supervised)
		return 0;
	return rv_error(err, -EINVAL, "the plan was made for a program under a supervisor");
}

void reeve_plan_free(struct reeve_plan *plan)
{
	if (!plan)
		return;
	reeve_domain_free(plan->domain);
	reeve_ruleset_free(plan->floor);
	reeve_ruleset_free(plan->live);
	free((void *)plan->spec.sockets);
	free(plan->filter);
	free(plan->asked);
	free(plan->items);
	free(plan);
}

/* --------------------------------------------------------------------- showing */

const struct reeve_plan_item *reeve_plan_at(const struct reeve_plan *plan, size_t i)
{
	return i < plan->items_count ? &plan->items[i].item : NULL;
}

const struct reeve_ruleset *reeve_plan_floor(const struct reeve_plan *plan)
{
	return plan->floor;
}

size_t reeve_plan_filter_length(const struct reeve_plan *plan)
{
	return plan->filter_length;
}
