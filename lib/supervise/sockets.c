/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "enforce/filter_calls.h"
#include "policy/values.h"
#include "supervise/ask.h"
#include "supervise/judge_private.h"
#include "supervise/net.h"
#include "supervise/sockets.h"

struct rv_sockets {
	struct rv_filter_spec spec; /* its rules are those below */
	struct rv_filter_socket rules[];
};

int rv_sockets_new(const struct rv_filter_spec *spec, struct rv_sockets **ret)
{
	size_t size = spec->sockets_count * sizeof(spec->sockets[0]);
	struct rv_sockets *sockets = malloc(sizeof(*sockets) + size);

	if (!sockets)
		return -ENOMEM;
	sockets->spec = *spec;
	if (size)
		memcpy(sockets->rules, spec->sockets, size);
	sockets->spec.sockets = sockets->rules;
	*ret = sockets;
	return 0;
}

void rv_sockets_free(struct rv_sockets *sockets)
{
	free(sockets);
}

/* ------------------------------------------------------------------------- events */

/* What a program means by 0, which is no protocol's number. */
static bool is_default(int family, int type, int protocol)
{
	bool inet = family == AF_INET || family == AF_INET6;

	return protocol == 0 || (inet && type == SOCK_STREAM && protocol == IPPROTO_TCP) ||
	       (inet && type == SOCK_DGRAM && protocol == IPPROTO_UDP);
}

static void add_part(char *text, size_t size, enum rv_socket_part part, int number)
{
	const char *name = rv_socket_name(part, number);
	size_t length = strlen(text);

	if (name)
		snprintf(text + length, size - length, "%s%s", length ? ":" : "", name);
	else
		snprintf(text + length, size - length, "%s%d", length ? ":" : "", number);
}

static int type_of(const int args[3])
{
	return args[1] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void rv_sockets_describe(const int args[3], char *text, size_t size)
{
	int type = type_of(args);

	text[0] = '\0';
	add_part(text, size, RV_SOCKET_FAMILY, args[0]);
	add_part(text, size, RV_SOCKET_TYPE, type);
	if (!is_default(args[0], type, args[2]))
		add_part(text, size, RV_SOCKET_PROTOCOL, args[2]);
}

enum rv_socket_verdict rv_sockets_verdict(const struct rv_sockets *sockets, const int args[3])
{
	return rv_filter_socket_verdict(&sockets->spec, args[0], args[1], args[2]);
}

static bool refuse_by_guard(struct rv_request *request, enum rv_socket_verdict verdict,
	const int args[3], struct rv_answer *ret)
{
	char object[RV_SOCKET_TEXT];

	rv_sockets_describe(args, object, sizeof(object));
	rv_report_guard(
		request, verdict == RV_SOCKET_TCP ? "guard.tcp" : "unix_datagram", object, EACCES);
	*ret = rv_answer_errno(EACCES);
	return false;
}

/* -------------------------------------------------------------------------- asking */

static struct rv_want want_of(const int args[3], char object[static RV_SOCKET_TEXT])
{
	int type = type_of(args);

	rv_sockets_describe(args, object, RV_SOCKET_TEXT);
	return (struct rv_want){.cls = REEVE_SOCKET,
		.asked = REEVE_SOCKET_CREATE,
		.missing = REEVE_SOCKET_CREATE,
		.object = object,
		.socket = {args[0], type, is_default(args[0], type, args[2]) ? 0 : args[2]}};
}

/* What no rule grants, or none any more. Whether it goes on. */
static bool ask(struct rv_request *request, const int args[3], struct rv_judgement *judgement,
	struct rv_answer *ret)
{
	char object[RV_SOCKET_TEXT];
	const struct rv_want want = want_of(args, object);
	int error = rv_filter_socket_error(&request->context->sockets->spec, RV_SOCKET_NO_RULE);

	judgement->result = RV_DENIED;
	judgement->decision.error = error;
	judgement->decision.missing = REEVE_SOCKET_CREATE;
	judgement->decision.layer = 1;
	return rv_request_goes_on(request, judgement, &want, error, ret);
}

static bool is_tcp(const int args[3])
{
	return (args[0] == AF_INET || args[0] == AF_INET6) && type_of(args) == SOCK_STREAM &&
	       is_default(args[0], SOCK_STREAM, args[2]);
}

/*
 * Whoever wants a TCP connection is asked about its address, once: the socket alone reaches
 * nothing, since connect, bind and listen are judged here or by the floor. Where an address is
 * granted and the socket is not, it is the socket that is asked about then.
 *
 * Not so UDP: write(2) of a socket that has no peer fails, but only after the kernel has bound it
 * to a port, where it receives from then on, and no call for that is trapped.
 */
static bool may_be_bare(struct rv_request *request, const int args[3])
{
	const uint64_t tcp = REEVE_NET_CONNECT_TCP | REEVE_NET_BIND_TCP;
	struct rv_context *context = request->context;
	char object[RV_SOCKET_TEXT];
	const struct rv_want want = want_of(args, object);

	return is_tcp(args) && !(tcp & ~context->judge->handled.of[REEVE_NET]) &&
	       !context->permissive && context->net && context->net->listens &&
	       rv_ask_would_hold(context->ask, &want) && rv_may_act_for(request) &&
	       rv_net_is_ours(request) && rv_net_may_make_bare(context->net);
}

static bool lacks_rule(struct rv_context *context, const int args[3], struct rv_judgement *ret)
{
	if (!context->sockets || !context->sockets->spec.handle_socket ||
		rv_sockets_verdict(context->sockets, args) != RV_SOCKET_NO_RULE)
		return false;
	rv_judge_socket(context->judge, &context->sockets->spec, args, ret);
	return ret->result != RV_LIVE_ALLOWS;
}

bool rv_sockets_lack_rule(struct rv_context *context, const int args[3])
{
	struct rv_judgement judgement;

	return lacks_rule(context, args, &judgement);
}

bool rv_sockets_may_use(struct rv_request *request, const int args[3], struct rv_answer *ret)
{
	struct rv_judgement judgement;

	return !lacks_rule(request->context, args, &judgement) ||
	       ask(request, args, &judgement, ret);
}

/* ----------------------------------------------------------------------- dispatch */

static const struct call {
	enum rv_call call;
	const char *name;
} calls[] = {
	{RV_CALL_SOCKET, "socket"},
	{RV_CALL_SOCKETPAIR, "socketpair"},
	{RV_CALL_GETSOCKOPT, "getsockopt"},
};

static const struct call *find(const struct seccomp_data *data)
{
	return rv_call_row(data->arch, data->nr, calls, RV_COUNT(calls), sizeof(calls[0]));
}

/* Whether a live rule grants it, or an answer. False: *ret is what becomes of it. */
static bool is_allowed(struct rv_request *request, const int args[3],
	enum rv_socket_verdict verdict, struct rv_answer *ret)
{
	struct rv_context *context = request->context;
	struct rv_judgement judgement;

	/* The guard of unix_datagram is no rule's to lift. */
	if (verdict == RV_SOCKET_UNIX_DGRAM || !context->sockets->spec.handle_socket)
		return refuse_by_guard(request, verdict, args, ret);
	rv_judge_socket(context->judge, &context->sockets->spec, args, &judgement);
	if (judgement.result == RV_LIVE_ALLOWS && rv_judge_used(context->judge, &judgement))
		return true;
	if (verdict != RV_SOCKET_NO_RULE)
		return refuse_by_guard(request, verdict, args, ret);
	return may_be_bare(request, args) || ask(request, args, &judgement, ret);
}

/*
 * The kernel makes what is allowed, but for those whose maker counts: they are left to net.c. False
 * means that.
 */
static bool answer(struct rv_request *request, const struct call *call, const int args[3],
	enum rv_socket_verdict verdict, struct rv_answer *ret)
{
	if (!is_allowed(request, args, verdict, ret))
		return true;
	*ret = rv_answer_continue("granted, and decided on numbers alone: no memory can change "
				  "them, and nothing but the filter restricts them");
	return args[0] != AF_UNIX || !request->context->net || call->call != RV_CALL_SOCKET;
}

/*
 * Of SCTP's peeloff: a socket like the one that it is taken from, which the numbers do not tell,
 * and which another thread may exchange. So what is not granted for one family is for none, and
 * what is for one is for both.
 */
static void peeled_off(struct rv_request *request, int args[3])
{
	rv_autoclose int fd = rv_caller_fd(request->caller, rv_arg_int(request, 0));

	args[0] = fd >= 0 && rv_net_option(fd, SO_DOMAIN) == AF_INET6 ? AF_INET6 : AF_INET;
	args[1] = SOCK_SEQPACKET;
	args[2] = IPPROTO_SCTP;
}

static void take_args(struct rv_request *request, const struct call *call, int args[3])
{
	if (call->call == RV_CALL_GETSOCKOPT) {
		peeled_off(request, args);
		return;
	}
	for (unsigned int i = 0; i < 3; i++)
		args[i] = rv_arg_int(request, i);
}

bool rv_sockets_dispatch(struct rv_context *context, int listener,
	const struct seccomp_notif *notif, bool may_block, const struct rv_pass *pass,
	struct rv_answer *ret)
{
	const struct call *call = context->sockets ? find(&notif->data) : NULL;
	struct rv_request request = {
		.context = context, .notif = notif, .may_block = may_block, .pass = pass};
	enum rv_socket_verdict verdict;
	struct rv_caller caller;
	int args[3];
	bool answered = false;

	if (!call)
		return false;
	rv_request_open(&request, listener, &caller);
	request.call = call->name;
	take_args(&request, call, args);
	verdict = rv_sockets_verdict(context->sockets, args);
	if (verdict != RV_SOCKET_ALLOWED)
		answered = answer(&request, call, args, verdict, ret);
	rv_caller_close(&caller);
	return answered;
}
