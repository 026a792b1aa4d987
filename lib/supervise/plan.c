/* SPDX-License-Identifier: MIT */
/* Plans for a program under a supervisor. */
#include <string.h>
#include <reeve/supervisor.h>
#include "base/error.h"
#include "base/options.h"
#include "enforce/plan.h"
#include "kernel/sys.h"
#include "model/feature.h"

static int refuse(const char *why, struct reeve_error *err)
{
	rv_error(err, -EOPNOTSUPP, "cannot supervise a program here: %s", why);
	rv_error_hint(err, "--static runs it without a supervisor: no events, no live rules");
	return -EOPNOTSUPP;
}

/* Before what the policy asks for: inside a supervised domain nothing else can be told. */
static int check_kernel(const struct reeve_kernel *kernel, struct reeve_error *err)
{
	const char *why = rv_supervisor_lacks(kernel);

	if (kernel->listener_taken)
		return rv_plan_refuse_nested(err);
	if (why)
		return refuse(why, err);
	if (kernel->yama == 2 && !rv_may_trace())
		return refuse("kernel.yama.ptrace_scope 2 lets only those with CAP_SYS_PTRACE look "
			      "at a program's memory",
			err);
	return 0;
}

static int make(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct reeve_supervised_plan_options *given, bool complete, struct reeve_plan **ret,
	struct reeve_error *err)
{
	struct reeve_supervised_plan_options options = {.size = sizeof(options)};
	struct rv_plan_mode mode = {.supervised = true};
	struct reeve_plan *plan;
	int r = rv_options_take(&options, sizeof(options), given, err);

	if (r)
		return r;
	mode.no_events = options.no_events;
	mode.permissive = options.permissive;
	mode.record = options.record;
	if (mode.permissive && mode.no_events)
		return rv_error(err, -EINVAL,
			"permissive without events: nobody would hear what is denied");
	if (mode.record && mode.no_events)
		return rv_error(err, -EINVAL, "a record needs trapped calls");
	mode.scope_error = options.scope_error;
	r = rv_plan_make(policy, kernel, &mode, false, &plan, err);
	if (r)
		return r;
	if (complete)
		r = check_kernel(&plan->kernel, err);
	if (r == 0 && complete)
		r = rv_plan_check(plan, err);
	if (r) {
		reeve_plan_free(plan);
		return r;
	}
	*ret = plan;
	return 0;
}

int reeve_plan_new_supervised(const struct reeve_policy *policy, const struct reeve_kernel *kernel,
	const struct reeve_supervised_plan_options *options, struct reeve_plan **ret,
	struct reeve_error *err)
{
	return make(policy, kernel, options, true, ret, err);
}

int reeve_plan_describe_supervised(const struct reeve_policy *policy,
	const struct reeve_kernel *kernel, const struct reeve_supervised_plan_options *options,
	struct reeve_plan **ret, struct reeve_error *err)
{
	return make(policy, kernel, options, false, ret, err);
}
