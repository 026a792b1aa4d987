/* SPDX-License-Identifier: MIT */
/*
 * Calls on sockets for the record, before they are handled: what they ask for follows from their
 * arguments alone, whoever answers them in the end.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "enforce/filter_calls.h"
#include "supervise/net_ip.h"
#include "supervise/record.h"
#include "supervise/sockets.h"

#define MESSAGES_MAX 1024 /* of one call: the kernel's UIO_MAXIOV */

static void put(struct rv_request *request, const struct rv_note *note)
{
	struct reeve_record *record = request->context->record;

	/* What was read may be another's, else. */
	if (!rv_caller_waits(request->caller))
		return;
	rv_record_put(record, rv_record_actor(record, request->caller), note);
}

static void deny(struct rv_note *note, const struct rv_judgement *judgement, int error)
{
	if (judgement->result != RV_DENIED)
		return;
	note->outcome = REEVE_ACCESS_DENIED;
	note->error = error;
}

/* ------------------------------------------------------------------------ socket */

static void note_socket(struct rv_request *request)
{
	const int args[3] = {
		rv_arg_int(request, 0), rv_arg_int(request, 1), rv_arg_int(request, 2)};
	const struct rv_sockets *sockets = request->context->sockets;
	char object[RV_SOCKET_TEXT];
	struct rv_note note = {.call = request->call,
		.cls = REEVE_SOCKET,
		.rights = REEVE_SOCKET_CREATE,
		.object = object,
		.family = args[0],
		.type = args[1] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC),
		.protocol = args[2]};

	rv_sockets_describe(args, object, sizeof(object));
	if (sockets && rv_sockets_verdict(sockets, args) != RV_SOCKET_ALLOWED) {
		note.outcome = REEVE_ACCESS_DENIED;
		note.error = EACCES;
	}
	put(request, &note);
}

/* --------------------------------------------------------------------- addresses */

static void note_endpoint(
	struct rv_request *request, uint64_t right, const struct rv_endpoint *to, bool binds)
{
	struct rv_judgement judgement;
	struct rv_note note = {.call = request->call,
		.cls = REEVE_NET,
		.rights = right,
		.object = to->text,
		.port = to->port};

	rv_judge_endpoint(request->context->judge, right, &to->ip, to->port, binds, &judgement);
	deny(&note, &judgement, EACCES);
	put(request, &note);
}

static void note_ip(struct rv_request *request, int fd, enum rv_ip_use use,
	const struct rv_address_copy *address)
{
	const uint64_t right = rv_net_ip_right(fd, use);
	struct rv_endpoint to, any;

	if (!right || !rv_net_ip_parse(fd, address, use, &to))
		return;
	note_endpoint(request, right, &to, use == RV_IP_BIND);
	if (right != REEVE_NET_CONNECT_SEND_UDP || !rv_net_ip_is_unbound(fd))
		return;
	any = rv_net_ip_any(fd);
	note_endpoint(request, REEVE_NET_BIND_UDP, &any, true);
}

/* A name in the abstract space, which may hold anything: up to its first NUL. */
static void note_name(struct rv_request *request, const struct rv_address_copy *address)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path) + 1;
	char object[sizeof(((struct sockaddr_un *)0)->sun_path) + 2] = "@";
	const struct rv_note note = {.call = request->call,
		.cls = REEVE_SCOPE,
		.rights = REEVE_SCOPE_ABSTRACT_UNIX_SOCKET,
		.object = object};
	size_t size = address->size - before;

	memcpy(object + 1, address->bytes + before, size);
	object[1 + size] = '\0';
	put(request, &note);
}

static void note_path(struct rv_request *request, const struct rv_address_copy *address)
{
	rv_autoobject object = RV_OBJECT_EMPTY;
	rv_autopath path = RV_PATH_EMPTY;
	struct rv_owner *owner = request->context->net ? request->context->net->owner : NULL;
	struct rv_judgement judgement;
	struct rv_found found;
	struct rv_note note = {
		.call = request->call, .cls = REEVE_FS, .rights = REEVE_FS_RESOLVE_UNIX};
	int error = 0;

	rv_net_path(address, path.text);
	path.base = path.text[0] == '/' ? AT_FDCWD : rv_resolve_base(request, AT_FDCWD);
	if (path.text[0] != '/' && path.base < 0)
		return;
	if (rv_resolve_object(request, path.base, path.text, 0, 0, &object, &error)) {
		rv_record_native(request, &path, object.fd, error, note.rights);
		return;
	}
	note.object = object.path;
	rv_judge_path(request->context->judge, object.path, note.rights, &judgement);
	if (owner && rv_owner_of_file(owner, object.fd, &object.st, &found) == 0 &&
		found.made == RV_MADE_INSIDE)
		note.flags = REEVE_ACCESS_INSIDE;
	else
		deny(&note, &judgement, EACCES);
	put(request, &note);
}

static void note_unix(struct rv_request *request, const struct rv_address_copy *address)
{
	const struct sockaddr_un *to = (const void *)address->bytes;
	const size_t before = offsetof(struct sockaddr_un, sun_path);

	if (to->sun_family != AF_UNIX || address->size <= before || address->size > sizeof(*to))
		return;
	if (to->sun_path[0])
		note_path(request, address);
	else
		note_name(request, address);
}

/* Streams and connections have no other peer than their own, whatever a send names. */
static bool takes_address(int fd)
{
	int type = rv_net_option(fd, SO_TYPE);

	return type != SOCK_STREAM && type != SOCK_SEQPACKET;
}

static void note_address(struct rv_request *request, enum rv_ip_use use, uint64_t at, int size)
{
	rv_autoclose int fd = -1;
	struct rv_address_copy address;

	if (rv_net_copy(request, rv_arg_int(request, 0), at, size, &fd, &address) < 0)
		return;
	if (rv_net_option(fd, SO_DOMAIN) != AF_UNIX)
		note_ip(request, fd, use, &address);
	else if (use == RV_IP_CONNECT || (use == RV_IP_SEND && takes_address(fd)))
		note_unix(request, &address);
}

static void note_connect(struct rv_request *request)
{
	note_address(request, RV_IP_CONNECT, rv_arg(request, 1), rv_arg_int(request, 2));
}

static void note_bind(struct rv_request *request)
{
	note_address(request, RV_IP_BIND, rv_arg(request, 1), rv_arg_int(request, 2));
}

/* What is not bound is by that. */
static void note_listen(struct rv_request *request)
{
	rv_autoclose int fd = rv_net_copy_fd(request, rv_arg_int(request, 0));
	struct rv_endpoint any;

	if (fd < 0 || !rv_net_ip_listen_binds(fd))
		return;
	any = rv_net_ip_any(fd);
	note_endpoint(request, REEVE_NET_BIND_TCP, &any, true);
}

static void note_sendto(struct rv_request *request)
{
	if (rv_arg(request, 4))
		note_address(request, RV_IP_SEND, rv_arg(request, 4), rv_arg_int(request, 5));
}

static void note_message(struct rv_request *request, uint64_t at)
{
	struct msghdr header;

	if (rv_caller_read(request->caller, at, &header, sizeof(header)) == 0 && header.msg_name)
		note_address(
			request, RV_IP_SEND, (uintptr_t)header.msg_name, (int)header.msg_namelen);
}

static void note_sendmsg(struct rv_request *request)
{
	note_message(request, rv_arg(request, 1));
}

static void note_sendmmsg(struct rv_request *request)
{
	uint32_t count = (uint32_t)rv_arg_int(request, 2);

	for (uint32_t i = 0; i < count && i < MESSAGES_MAX; i++)
		note_message(request, rv_arg(request, 1) + i * sizeof(struct mmsghdr));
}

/* ---------------------------------------------------------------------- dispatch */

static const struct noted {
	enum rv_call call;
	const char *name;
	void (*note)(struct rv_request *request);
} noted[] = {
	{RV_CALL_SOCKET, "socket", note_socket},
	{RV_CALL_SOCKETPAIR, "socketpair", note_socket},
	{RV_CALL_CONNECT, "connect", note_connect},
	{RV_CALL_BIND, "bind", note_bind},
	{RV_CALL_LISTEN, "listen", note_listen},
	{RV_CALL_SENDTO, "sendto", note_sendto},
	{RV_CALL_SENDMSG, "sendmsg", note_sendmsg},
	{RV_CALL_SENDMMSG, "sendmmsg", note_sendmmsg},
};

void rv_record_net(struct rv_context *context, int listener, const struct seccomp_notif *notif)
{
	const struct noted *row = rv_call_row(
		notif->data.arch, notif->data.nr, noted, RV_COUNT(noted), sizeof(noted[0]));
	struct rv_request request = {.context = context, .notif = notif};
	struct rv_caller caller;

	if (!row)
		return;
	rv_request_open(&request, listener, &caller);
	request.call = row->name;
	row->note(&request);
	rv_caller_close(&caller);
}
