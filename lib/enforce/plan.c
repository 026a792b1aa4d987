/* SPDX-License-Identifier: MIT */
/* Plans: what would be done, and by whom, before anything is done. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "enforce/plan.h"
#include "kernel/probe.h"
#include "policy/policy.h"

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

bool rv_plan_kernel_scopes_unix(const struct reeve_plan *plan)
{
	struct reeve_rights handled;

	reeve_ruleset_handled(plan->floor, &handled);
	return (handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) &&
	       (rv_plan_has(plan, "scope.pathname_unix_socket", REEVE_BY_LANDLOCK) ||
		       rv_plan_has(plan, "fs.resolve_unix", REEVE_BY_LANDLOCK));
}

/*
 * Whether datagrams are for the kernel to judge, and were asked for: then they are watched, as on
 * kernels that cannot judge them, so that denials show and live rules hold. Each call that may have
 * an address costs that much, so nobody has it by default.
 */
static bool sends_unix(const struct reeve_plan *plan)
{
	return rv_plan_kernel_scopes_unix(plan) &&
	       rv_plan_has(plan, "unix_datagram", REEVE_BY_LANDLOCK);
}

/* For events and live rules; what guards cannot do without, the filter traps by itself. */
static unsigned int traps_for_events(const struct reeve_plan *plan)
{
	unsigned int traps = plan->mode.no_events ? 0 : RV_TRAP_GUARD;
	struct reeve_rights handled;

	reeve_ruleset_handled(plan->floor, &handled);
	if (handled.of[REEVE_FS])
		traps |= RV_TRAP_FS;
	if (handled.of[REEVE_FS] & REEVE_FS_MAKE_SOCK)
		traps |= RV_TRAP_BIND;
	if (handled.of[REEVE_NET])
		traps |= RV_TRAP_CONNECT | RV_TRAP_BIND;
	if (rv_plan_kernel_scopes_unix(plan))
		traps |= RV_TRAP_CONNECT | (sends_unix(plan) ? RV_TRAP_SEND : 0);
	if (handled.of[REEVE_FS] & REEVE_FS_EXECUTE)
		traps |= RV_TRAP_EXEC;
	/* Of a TCP socket that an answer may need, and no rule lets be made (net_listen.c). */
	if ((handled.of[REEVE_NET] & REEVE_NET_BIND_TCP) &&
		rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP))
		traps |= RV_TRAP_LISTEN;
	return traps;
}

/* What names the peer of a UDP socket. */
#define UDP_SENDS (RV_TRAP_CONNECT | RV_TRAP_SEND)

#define UDP (REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP)

static bool has_udp(const struct reeve_ruleset *ruleset, bool addresses_only)
{
	struct reeve_rule rule;

	for (size_t i = 0; ruleset && reeve_ruleset_at(ruleset, i, &rule) == 0; i++) {
		if (reeve_rule_class(rule.type) == REEVE_NET &&
			(rule.type == REEVE_RULE_NET_ADDRESS || !addresses_only) &&
			((rule.allowed | rule.quiet) & UDP))
			return true;
	}
	return false;
}

/* Whether rules name addresses of UDP, which the kernel does not know even where it knows ports, or
 * are live, so that it knows nothing of them. */
static bool has_udp_of_ours(const struct reeve_plan *plan)
{
	return has_udp(plan->judged, true) || has_udp(plan->live, false);
}

/* No live rule makes any either. */
static bool has_live_udp_socket(const struct reeve_plan *plan)
{
	struct reeve_rule rule;

	for (size_t i = 0; plan->live && reeve_ruleset_at(plan->live, i, &rule) == 0; i++) {
		const struct rv_filter_socket socket = {
			rule.socket_family, rule.socket_type, rule.socket_protocol};

		if (rule.type == REEVE_RULE_SOCKET && rv_filter_socket_is_udp(&socket))
			return true;
	}
	return false;
}

bool rv_plan_lacks_udp(const struct reeve_plan *plan)
{
	bool ours = rv_plan_has(plan, "net.bind_udp", REEVE_BY_SUPERVISOR) ||
		    rv_plan_has(plan, "net.connect_send_udp", REEVE_BY_SUPERVISOR) ||
		    has_udp_of_ours(plan);

	if (!ours || has_live_udp_socket(plan) ||
		!rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP))
		return false;
	for (size_t i = 0; i < plan->spec.sockets_count; i++) {
		if (rv_filter_socket_is_udp(&plan->spec.sockets[i]))
			return false;
	}
	return true;
}

static bool is_udp_right(const char *feature)
{
	return strcmp(feature, "net.bind_udp") == 0 || strcmp(feature, "net.connect_send_udp") == 0;
}

/* For what the kernel lacks. */
static unsigned int traps_to_enforce(const struct reeve_plan *plan)
{
	static const struct {
		const char *feature;
		unsigned int traps;
	} table[] = {
		{"scope.pathname_unix_socket", RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_MOVES},
		{"fs.resolve_unix", RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_MOVES},
		{"scope.abstract_unix_socket", RV_TRAP_UNIX | RV_TRAP_CONNECT},
		{"unix_datagram", RV_TRAP_UNIX | RV_TRAP_CONNECT | RV_TRAP_SEND},
		{"net.connect_tcp", RV_TRAP_CONNECT},
		{"net.bind_tcp", RV_TRAP_BIND},
		/* What is not bound is when it connects or sends. */
		{"net.bind_udp", RV_TRAP_BIND | UDP_SENDS},
		{"net.connect_send_udp", UDP_SENDS},
		{"net_address", RV_TRAP_CONNECT | RV_TRAP_BIND},
		{"execute_memfd", RV_TRAP_MEMFD},
	};
	bool no_udp = rv_plan_lacks_udp(plan);
	unsigned int traps = 0;

	for (size_t i = 0; i < RV_COUNT(table); i++) {
		if (rv_plan_has(plan, table[i].feature, REEVE_BY_SUPERVISOR) &&
			!(no_udp && is_udp_right(table[i].feature)))
			traps |= table[i].traps;
	}
	if (has_udp_of_ours(plan) && !no_udp)
		traps |= UDP_SENDS;
	return traps;
}

/* Whether what Landlock checks is trapped as well. */
static bool watches(const struct reeve_plan *plan)
{
	return plan->mode.supervised && (!plan->mode.no_events || rv_plan_is_split(plan));
}

bool rv_plan_judges_sends(const struct reeve_plan *plan)
{
	return (traps_to_enforce(plan) & RV_TRAP_SEND) || (watches(plan) && sends_unix(plan));
}

struct reeve_rights rv_plan_live_rights(const struct reeve_plan *plan)
{
	unsigned int traps = plan->spec.traps;
	struct reeve_rights live = {.of = {0}};
	uint64_t net = 0;

	if (traps & RV_TRAP_CONNECT)
		net |= REEVE_NET_CONNECT_TCP;
	if (traps & RV_TRAP_BIND)
		net |= REEVE_NET_BIND_TCP;
	if (rv_plan_judges_sends(plan) && (traps & RV_TRAP_CONNECT) && (traps & RV_TRAP_BIND))
		net |= UDP;
	live.of[REEVE_NET] = net;
	live.of[REEVE_SOCKET] = traps & RV_TRAP_GUARD ? REEVE_SOCKET_CREATE : 0;
	return live;
}

static unsigned int wanted_traps(const struct reeve_plan *plan)
{
	const unsigned int for_record = RV_TRAP_FS | RV_TRAP_EXEC | RV_TRAP_CONNECT | RV_TRAP_BIND |
					RV_TRAP_SOCKET | RV_TRAP_SEND;

	if (!plan->mode.supervised)
		return 0;
	return traps_to_enforce(plan) | (plan->mode.record ? for_record : 0) |
	       (watches(plan) ? traps_for_events(plan) : 0);
}

static int compile_filter(struct reeve_plan *plan, struct reeve_error *err)
{
	int r;

	plan->spec.arch = rv_filter_native_arch();
	plan->spec.guards = wanted_guards(plan);
	plan->spec.supervised = plan->mode.supervised;
	plan->spec.inner_landlock = rv_plan_has(plan, "inner_landlock", REEVE_BY_SUPERVISOR);
	plan->spec.traps = wanted_traps(plan);
	/* Observed: trapped, reported, and let through by the supervisor. */
	plan->spec.handle_socket = rv_plan_has(plan, "socket.create", REEVE_BY_SECCOMP) ||
				   (rv_plan_has(plan, "socket.create", REEVE_OBSERVED) &&
					   (plan->spec.traps & RV_TRAP_GUARD));
	if (!plan->spec.guards && !plan->spec.handle_socket && !plan->spec.supervised)
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
	r = plan->mode.supervised ? reeve_kernel_probe(&plan->kernel)
				  : rv_kernel_probe(&plan->kernel);
	return r ? rv_error(err, r, "cannot probe the kernel: %s", strerror(-r)) : 0;
}

static int fill(struct reeve_plan *plan, const struct reeve_policy *policy,
	const struct reeve_kernel *kernel, struct reeve_error *err)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	struct reeve_ruleset *ruleset = NULL;
	int r;

	if (!reeve_policy_ruleset(policy))
		return rv_error(err, -EINVAL, "the policy is not resolved");
	reeve_policy_settings(policy, &settings);
	plan->private_tmpdir = settings.private_tmpdir;
	plan->opened = rv_opened_ref(policy->opened);
	r = know_kernel(plan, kernel, err);
	if (r == 0)
		r = rv_plan_protect_files(plan, policy, &ruleset, err);
	if (r == 0)
		r = rv_plan_add_items(plan, policy, ruleset, err);
	if (r == 0)
		r = rv_plan_add_floor(plan, ruleset, err);
	if (r == 0 && plan->mode.supervised)
		r = rv_plan_add_judged(plan, ruleset, err);
	reeve_ruleset_free(ruleset);
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
	reeve_ruleset_free(plan->judged);
	reeve_ruleset_free(plan->live);
	reeve_ruleset_free(plan->policy);
	reeve_ruleset_free(plan->spread);
	reeve_ruleset_free(plan->protected);
	free((void *)plan->spec.sockets);
	free(plan->filter);
	free(plan->from);
	rv_opened_unref_p(&plan->opened);
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
