/* SPDX-License-Identifier: MIT */
/*
 * Calls on sockets. Each that is trapped is performed by a worker of the connector (workers.h), in
 * the floor domain, on a duplicate of the caller's own socket and from a copy of the address: what
 * was judged is what is used. What a live rule allows, and the floor need not, is performed by its
 * twin (twin.h) instead. None of them ever goes on in the kernel, but for those that are decided on
 * numbers: socket(2), socketpair(2), and a send that is trapped only to be noted.
 */
#ifndef RV_SUPERVISE_NET_H
#define RV_SUPERVISE_NET_H

#include <stdatomic.h>
#include <sys/un.h>
#include "supervise/known.h"
#include "supervise/owner.h"
#include "supervise/request.h"
#include "supervise/twin.h"
#include "supervise/waits.h"

/* Constant once the domain runs, but for what locks itself. */
struct rv_net {
	struct rv_workers *inside; /* the connector's */
	struct rv_twin twin;
	struct rv_owner *owner; /* NULL: no scope of UNIX sockets is left to us */
	struct rv_waits *waits;
	bool scopes_path, scopes_abstract;
	/* Paths are scoped by the kernel, and what a live rule grants is reached by the twin. */
	bool kernel_scopes_path;
	struct rv_known *known; /* then: files that the domain can reach by itself */
	bool binds;		/* rights of bind(2) that the kernel's Landlock does not check */
	bool connects;		/* the same of connect(2) */
	bool sends;		/* sendto(2) and its like are judged */
	bool guards_tcp;	/* MSG_FASTOPEN is refused */
	/* All limits there are are the kernel's, which decides whatever no live rule grants. */
	bool grants_only;
	int path_error;	 /* what a scoped path gives, positive */
	bool listens;	 /* listen(2) is trapped */
	atomic_int bare; /* enum rv_bare */
	ino_t network;	 /* our network namespace */
};

struct rv_net_options {
	struct rv_workers *inside; /* borrowed */
	bool scopes_path, scopes_abstract, kernel_scopes_path, binds, connects, sends, guards_tcp,
		grants_only, listens;
	int path_error;
};

/* Also what rv_owner_new() gives. */
int rv_net_new(const struct rv_net_options *options, struct rv_net **ret);
/* Ends the twin: before the receivers are waited for. NULL is allowed. */
void rv_net_stop(struct rv_net *net);
void rv_net_free(struct rv_net *net); /* the connector must have ended; NULL is allowed */

/* Answers a call on a socket; false for any other call. */
bool rv_net_dispatch(struct rv_context *context, int listener, const struct seccomp_notif *notif,
	bool may_block, const struct rv_pass *pass, struct rv_answer *ret);

/* net_connect.c */
struct rv_answer rv_net_connect(struct rv_request *request);

/* net_bind.c */
struct rv_answer rv_net_bind(struct rv_request *request);

/*
 * net_listen.c: a *bare* socket is one of TCP that no rule lets be made, made without a question
 * because connect, bind and listen ask, about an address. What holds for all of them is that no
 * listen(2) of the domain goes on in the kernel, where it would bind one to a port of its choice,
 * and no connect(2), which might be of another socket and to another address by then.
 */
enum rv_bare {
	RV_BARE_UNDECIDED,
	RV_BARE_MADE,  /* from now on neither goes on in the kernel */
	RV_BARE_NEVER, /* one did */
};
bool rv_net_may_make_bare(struct rv_net *net); /* true: it is to be made */
/*
 * Whether a connect or listen may go on in the kernel, whatever socket it is on by then: none is
 * bare, and none will be. Where somebody could be asked, what can be performed is not given up for
 * that.
 */
bool rv_net_may_go_on(struct rv_request *request, bool can_be_performed);
struct rv_answer rv_net_listen(struct rv_request *request);

/* net_send.c */
struct rv_answer rv_net_sendto(struct rv_request *request);
struct rv_answer rv_net_sendmsg(struct rv_request *request);
struct rv_answer rv_net_sendmmsg(struct rv_request *request);

/* net_memfd.c */
struct rv_answer rv_net_memfd_create(struct rv_request *request);

/* An address copied from the caller. */
struct rv_address_copy {
	uint32_t size;
	int domain; /* SO_DOMAIN of the socket that came with it: rv_net_copy() */
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		uint8_t bytes[sizeof(struct sockaddr_storage)];
	};
};

/* A socket is of the network namespace of whoever makes it. By number. */
bool rv_net_is_ours(struct rv_request *request);

/* An option of level SOL_SOCKET that is a number, as SO_DOMAIN: not negative; -errno. */
int rv_net_option(int fd, int name);

/*
 * The path of a UNIX address as the kernel takes it: up to the first NUL, or to the end of the
 * address, which is not longer than a struct sockaddr_un.
 */
#define RV_NET_PATH_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) + 1)
void rv_net_path(const struct rv_address_copy *address, char *path);

/*
 * net_unix.c: whether the caller's socket may connect or send to the address of a UNIX socket.
 * True: with *ret_pin, on the socket's file, or -1 where the address itself is to be used: what
 * means no socket is left to the kernel. False: *ret is the answer, and the denial was reported.
 */
bool rv_net_unix_allowed(struct rv_request *request, int fd, const struct rv_address_copy *address,
	int *ret_pin, struct rv_answer *ret);

/*
 * Copies what the caller's arguments name: its socket, as a duplicate, and an address. Errors are
 * the native ones, in the native order; -EPERM: the caller cannot be looked at.
 */
int rv_net_copy(struct rv_request *request, int fd, uint64_t address, int size, int *ret_fd,
	struct rv_address_copy *ret);
int rv_net_copy_fd(struct rv_request *request, int fd); /* without ENOTSOCK */
int rv_net_copy_address(
	struct rv_request *request, uint64_t address, int size, struct rv_address_copy *ret);

/*
 * What the kernel lets the connector get from a pinned socket file, by a socket of `type` that
 * stays without effect there: an errno, positive; 0: it can be connected to. It never waits.
 */
int rv_net_probe(struct rv_request *request, int pin, int type);

/*
 * Has a worker do it and answers, now or later: the connector's, or with request->outside the
 * twin's. `fds` stay the caller's. Only for calls whose result is all of the answer.
 */
struct rv_answer rv_net_perform(struct rv_request *request, struct rv_job *job);

#endif /* RV_SUPERVISE_NET_H */
