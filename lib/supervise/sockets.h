/* SPDX-License-Identifier: MIT */
/*
 * socket(2), socketpair(2) and SCTP's peeloff that the filter refuses: trapped where events are
 * wanted, so that it shows. Decided on the numbers that were passed, as the filter did.
 */
#ifndef RV_SUPERVISE_SOCKETS_H
#define RV_SUPERVISE_SOCKETS_H

#include "enforce/filter.h"
#include "supervise/request.h"

struct rv_sockets;

/* Copies what of the filter's description concerns sockets. -ENOMEM. */
int rv_sockets_new(const struct rv_filter_spec *spec, struct rv_sockets **ret);
void rv_sockets_free(struct rv_sockets *sockets); /* NULL is allowed */

/* Of the arguments of a call: family, type with its flags, protocol. */
enum rv_socket_verdict rv_sockets_verdict(const struct rv_sockets *sockets, const int args[3]);

/* As --socket takes it: "inet:stream", "inet:raw:icmp". */
#define RV_SOCKET_TEXT 64
void rv_sockets_describe(const int args[3], char *text, size_t size);

/* Whether no rule, live ones included, lets such a socket be made. */
bool rv_sockets_lack_rule(struct rv_context *context, const int args[3]);

/*
 * In a domain where bare ones were made (net.h), whether a TCP socket may be used for what is
 * granted: one of a kind that no rule lets be made is asked about. False: *ret is the answer.
 */
bool rv_sockets_may_use(struct rv_request *request, const int args[3], struct rv_answer *ret);

/*
 * Answers what the filter refuses: what a live rule grants, or an answer, goes on, the rest puts an
 * event: class socket where rules decide, else a guard's. False for any other call, and for a
 * socket that may be made, unless nobody else looks at it. In permissive mode what no rule grants
 * is reported and goes on.
 */
bool rv_sockets_dispatch(struct rv_context *context, int listener,
	const struct seccomp_notif *notif, bool may_block, const struct rv_pass *pass,
	struct rv_answer *ret);

#endif /* RV_SUPERVISE_SOCKETS_H */
