/* SPDX-License-Identifier: MIT */
/* Faults in the filter, in the loop, in life and death, and in what is shown. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/seccomp.h>
#include <reeve/check.h>
#include "base/error.h"
#include "control/server.h"
#include "enforce/filter.h"
#include "kernel/sys.h"
#include "supervise/guards.h"
#include "racy.h"

bool racy_has(const char *fault)
{
	const char *list = getenv("REEVE_RACY");
	size_t length = strlen(fault);

	for (const char *at = list; at && *at; at += strspn(at, ",")) {
		size_t n = strcspn(at, ",");

		if (n == length && memcmp(at, fault, n) == 0)
			return true;
		at += n;
	}
	return false;
}

__attribute__((constructor)) static void refuse_to_run(void)
{
	if (getenv("REEVE_RACY"))
		return;
	fputs("reeve-racy: made for tests/hostile, and insecure: REEVE_RACY is not set\n", stderr);
	_exit(125);
}

/* -------------------------------------------------------------------- the filter */

/* "listener", "arch", "dumpable": what the filter refuses with such an errno passes. */
static bool passes(uint32_t action)
{
	if (action == (SECCOMP_RET_ERRNO | EBUSY))
		return racy_has("listener");
	if (action == (SECCOMP_RET_ERRNO | ENOSYS))
		return racy_has("arch");
	return action == SECCOMP_RET_ERRNO && racy_has("dumpable");
}

WRAP(int, rv_filter_compile,
	(const struct rv_filter_spec *spec, struct sock_filter **ret, size_t *ret_length,
		struct rv_bpf **ret_bpf))
{
	int r = __real_rv_filter_compile(spec, ret, ret_length, ret_bpf);

	for (size_t i = 0; r == 0 && i < *ret_length; i++)
		if ((*ret)[i].code == (BPF_RET | BPF_K) && passes((*ret)[i].k))
			(*ret)[i].k = SECCOMP_RET_ALLOW;
	return r;
}

/* "wide": an int is compared by its whole register, so that it equals nothing when that is dirty.
 */
WRAP(void, rv_bpf_load_arg_low, (struct rv_bpf * bpf, unsigned int arg))
{
	if (racy_has("wide")) {
		rv_label clean = rv_bpf_label(bpf);

		rv_bpf_load_arg_high(bpf, arg);
		rv_bpf_jump_eq(bpf, 0, clean, RV_NEXT);
		rv_bpf_return(bpf, SECCOMP_RET_ALLOW);
		rv_bpf_place(bpf, clean);
	}
	__real_rv_bpf_load_arg_low(bpf, arg);
}

/* "narrow": a pointer is compared by its low half. */
WRAP(void, rv_bpf_load_arg_high, (struct rv_bpf * bpf, unsigned int arg))
{
	__real_rv_bpf_load_arg_high(bpf, arg);
	if (racy_has("narrow"))
		rv_bpf_and(bpf, 0);
}

/* "guards": what a guard would refuse goes on. */
WRAP(bool, rv_guard_dispatch,
	(struct rv_context * context, int listener, const struct seccomp_notif *notif,
		bool may_block, struct rv_answer *ret))
{
	bool guarded = __real_rv_guard_dispatch(context, listener, notif, may_block, ret);

	if (guarded && racy_has("guards") && ret->kind == RV_ANSWER_ERRNO)
		*ret = rv_answer_continue("nobody cares");
	return guarded;
}

/* "inner": live rules outlast the first domain inside. */
WRAP(struct rv_answer, rv_inner_restrict, (struct rv_request * request))
{
	if (racy_has("inner"))
		return rv_answer_continue("it only takes away");
	return __real_rv_inner_restrict(request);
}

/* "killable": without SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. */
WRAP(int, rv_seccomp, (unsigned int operation, unsigned int flags, void *args))
{
	if (racy_has("killable") && operation == SECCOMP_SET_MODE_FILTER)
		flags &= ~(1u << 5);
	return __real_rv_seccomp(operation, flags, args);
}

/* ---------------------------------------------------------------------- the loop */

static int go_on(int listener, uint64_t id)
{
	struct seccomp_notif_resp response = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/*
 * "deaf": a caller that vanished is taken for the end of all. "emfile": a descriptor that cannot be
 * handed over lets the call go on. "id": who has the caller's number is the caller.
 */
WRAP(int, ioctl, (int fd, unsigned long request, ...))
{
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == SECCOMP_IOCTL_NOTIF_ID_VALID && racy_has("id"))
		return 0;
	r = __real_ioctl(fd, request, arg);
	if (r < 0 && errno == ENOENT && request == SECCOMP_IOCTL_NOTIF_SEND && racy_has("deaf"))
		close(fd);
	if (r < 0 && errno == EMFILE && request == SECCOMP_IOCTL_NOTIF_ADDFD && racy_has("emfile"))
		return go_on(fd, ((const struct seccomp_notif_addfd *)arg)->id);
	return r;
}

/* "sink": whoever has something to tell waits until it was heard. */
static void (*sink)(void *data, const struct reeve_event *event);
static void *sink_data;

WRAP(int, rv_events_new,
	(uint64_t domain, void (*given)(void *data, const struct reeve_event *event), void *data,
		struct rv_events **ret))
{
	sink = given;
	sink_data = data;
	return __real_rv_events_new(domain, given, data, ret);
}

WRAP(void, rv_events_put, (struct rv_events * events, const struct reeve_event *event))
{
	struct reeve_event whole = *event;

	whole.size = sizeof(whole);
	if (sink && racy_has("sink"))
		sink(sink_data, &whole);
	else
		__real_rv_events_put(events, event);
}

/* ---------------------------------------------------------------- life and death */

int __real_prctl(int option, ...);

static bool is_witness(void)
{
	char name[16] = "";

	__real_prctl(PR_GET_NAME, name, 0, 0, 0);
	return strcmp(name, "reeve-witness") == 0;
}

/* "survive": the domain outlives its supervisor. */
WRAP(int, prctl, (int option, ...))
{
	unsigned long args[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		args[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_PDEATHSIG && racy_has("survive") && !is_witness())
		return 0;
	return __real_prctl(option, args[0], args[1], args[2], args[3]);
}

WRAP(int, kill, (pid_t pid, int sig))
{
	return pid == -1 && racy_has("survive") ? 0 : __real_kill(pid, sig);
}

/* "wait": for any child. "stops": a stop for a tracer is an end. */
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options))
{
	bool any = racy_has("wait");
	int r;

	if (any && type == P_ALL)
		return 0; /* orphans are not looked for */
	r = __real_waitid(any ? P_ALL : type, id, info, options);
	if (r == 0 && info->si_code == CLD_TRAPPED && racy_has("stops"))
		info->si_code = CLD_KILLED;
	return r;
}

/* ------------------------------------------------------------------ who, and how */

/* "peers": whoever can connect may give orders. */
WRAP(int, rv_peer_check,
	(const struct reeve_control_server *server, int fd, uid_t *ret_uid,
		struct reeve_error *err))
{
	if (!racy_has("peers"))
		return __real_rv_peer_check(server, fd, ret_uid, err);
	*ret_uid = geteuid();
	return 0;
}

/* "escape": names are shown as they are. */
WRAP(char *, rv_escape, (char *buf, size_t size, const char *text, size_t length))
{
	if (!racy_has("escape"))
		return __real_rv_escape(buf, size, text, length);
	snprintf(buf, size, "%.*s", (int)length, text);
	return buf;
}

char *__real_cli_escape(const char *text);
char *__wrap_cli_escape(const char *text);
char *__wrap_cli_escape(const char *text)
{
	return racy_has("escape") ? strdup(text ? text : "") : __real_cli_escape(text);
}

/* ---------------------------------------------------------------- an older kernel */

/*
 * "lacks-tcp", "lacks-abstract": no faults, but what the kernel's Landlock has is not used, so that
 * what the supervisor supplies in its place runs here as well.
 */
WRAP(int, reeve_kernel_probe, (struct reeve_kernel * ret))
{
	int r = __real_reeve_kernel_probe(ret);

	if (r == 0 && racy_has("lacks-tcp"))
		ret->rights.of[REEVE_NET] = 0;
	if (r == 0 && racy_has("lacks-abstract"))
		ret->rights.of[REEVE_SCOPE] &= ~REEVE_SCOPE_ABSTRACT_UNIX_SOCKET;
	return r;
}
