/* SPDX-License-Identifier: MIT */
/* Which UNIX socket an address means, and whether it may be reached. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>
#include "base/cleanup.h"
#include "supervise/ask.h"
#include "supervise/deny.h"
#include "supervise/fs.h"
#include "supervise/net.h"

struct reaching {
	struct rv_request *request;
	int fd; /* a duplicate of the caller's socket */
	const struct rv_address_copy *address;
	struct rv_answer *answer; /* of what is not allowed */
	bool outside;		  /* where the messages before this one are performed */
};

static bool refuse(struct reaching *r, int error)
{
	*r->answer = rv_answer_errno(error);
	return false;
}

/* ------------------------------------------------------------------------- by name */

static bool reach_name(struct reaching *r)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path) + 1;
	struct rv_net *net = r->request->context->net;
	struct rv_found found;

	if (!net->scopes_abstract)
		return true;
	if (rv_owner_of_name(net->owner, (const char *)r->address->bytes + before,
		    r->address->size - before, &found) < 0)
		return refuse(r, EPERM);
	if (found.made == RV_MADE_NONE)
		return refuse(r, ECONNREFUSED);
	return found.made == RV_MADE_INSIDE || refuse(r, EPERM);
}

/* ------------------------------------------------------------------------- by path */

/* Whether the path has too many links, with magic ones or without. */
static bool is_loop(int base, const char *path)
{
	rv_autoclose int fd = openat(base, path, O_PATH | O_CLOEXEC);

	return fd < 0 && errno == ELOOP;
}

/* Its socket file, pinned, without its name. 0, or the errno of the native lookup. */
static int pin_path(struct rv_request *request, const char *path, struct rv_object *ret)
{
	rv_autoclose int base = path[0] == '/' ? AT_FDCWD : rv_resolve_base(request, AT_FDCWD);
	int error;

	if (path[0] != '/' && base < 0)
		return base == -EXDEV ? -EACCES : base;
	error = rv_resolve_pin(request, base, path, ret);
	/* Through a magic link (ELOOP as well) a path would mean our descriptors. */
	return error == -ELOOP && !is_loop(base, path) ? -EACCES : error;
}

/* A socket that was made inside can be reached whatever its name is. */
static bool is_known_inside(const struct rv_net *net, const struct rv_object *object)
{
	int type;

	return S_ISSOCK(object->st.st_mode) && net->scopes_path &&
	       rv_owner_knows_inside(net->owner, &object->st, &type);
}

static bool ask_path(
	struct reaching *r, const struct rv_judgement *judgement, const struct rv_object *object)
{
	const struct rv_want want = {.cls = REEVE_FS,
		.asked = REEVE_FS_RESOLVE_UNIX,
		.missing = REEVE_FS_RESOLVE_UNIX,
		.object = object->path};

	return rv_request_goes_on(
		r->request, judgement, &want, r->request->context->net->path_error, r->answer);
}

static bool use(struct reaching *r, const struct rv_judgement *judgement)
{
	return judgement->result == RV_LIVE_ALLOWS && rv_caller_waits(r->request->caller) &&
	       rv_judge_used(r->request->context->judge, judgement);
}

/*
 * Whose it is decides unless a rule allows it. Nothing that we can see bound to the file may still
 * be a socket of another network namespace, so that the answer is given here, not asked of the
 * kernel. The order of errors is the kernel's.
 */
static bool reach_scoped(
	struct reaching *r, const struct rv_judgement *judgement, const struct rv_object *object)
{
	struct rv_context *context = r->request->context;
	struct rv_found found;

	if (rv_owner_of_file(context->net->owner, object->fd, &object->st, &found) < 0)
		return refuse(r, EACCES);
	if (found.made == RV_MADE_INSIDE)
		return true;
	if (use(r, judgement))
		return true;
	if (!rv_fs_accessible(object->fd, W_OK))
		return refuse(r, EACCES);
	if (found.made == RV_MADE_NONE)
		return refuse(r, ECONNREFUSED);
	if (found.type != rv_net_option(r->fd, SO_TYPE))
		return refuse(r, EPROTOTYPE);
	return ask_path(r, judgement, object);
}

/*
 * One process performs all messages of a sendmmsg(2): one that is for the other is left to the
 * caller's next call.
 */
static bool may_go_outside(const struct reaching *r)
{
	return !r->request->is_partly_done || r->outside;
}

static bool go_outside(struct reaching *r)
{
	r->request->outside = true;
	return true;
}

/*
 * Where the kernel scopes UNIX sockets, the connector reaches what it lets the domain reach. The
 * call itself cannot be tried for that, as it may wait; what it would get is asked first, and
 * the kernel checks it once more. What is performed outside the floor has been granted for this
 * very file, whoever made its socket.
 */
static bool reach_natively(
	struct reaching *r, const struct rv_judgement *judgement, const struct rv_object *object)
{
	struct rv_context *context = r->request->context;
	int error, type;

	if (rv_known_find(context->net->known, &object->st, &type))
		return true;
	type = rv_net_option(r->fd, SO_TYPE);
	error = type < 0 ? -type : rv_net_probe(r->request, object->fd, type);
	if (error == 0)
		rv_known_keep(context->net->known, object->fd, &object->st, type);
	if (error != EACCES)
		return true;
	if (!rv_fs_accessible(object->fd, W_OK) || !may_go_outside(r))
		return refuse(r, EACCES);
	if (use(r, judgement))
		return go_outside(r);
	return ask_path(r, judgement, object) && go_outside(r);
}

static void judge_path(
	struct rv_context *context, const struct rv_object *object, struct rv_judgement *ret)
{
	if (rv_deny_object(context->deny, object, REEVE_FS_RESOLVE_UNIX))
		rv_judge_known_denied(ret, REEVE_FS_RESOLVE_UNIX);
	else
		rv_judge_path(context->judge, object->path, REEVE_FS_RESOLVE_UNIX, ret);
}

static bool reach_socket(struct reaching *r, const struct rv_object *object)
{
	struct rv_net *net = r->request->context->net;
	struct rv_judgement judgement;

	if (!net->scopes_path && !net->kernel_scopes_path)
		return true;
	judge_path(r->request->context, object, &judgement);
	if (judgement.result == RV_FLOOR_ALLOWS)
		return true;
	return net->scopes_path ? reach_scoped(r, &judgement, object)
				: reach_natively(r, &judgement, object);
}

static bool reach_path(struct reaching *r, int *ret_pin)
{
	rv_autoobject object = RV_OBJECT_EMPTY;
	char path[RV_NET_PATH_SIZE];
	int error;

	rv_net_path(r->address, path);
	error = pin_path(r->request, path, &object);
	if (error < 0)
		return refuse(r, -error);
	if (!is_known_inside(r->request->context->net, &object)) {
		if (rv_resolve_pinned(r->request, &object))
			return refuse(r, EACCES);
		/* What is no socket the kernel refuses itself. */
		if (S_ISSOCK(object.st.st_mode) && !reach_socket(r, &object))
			return false;
	}
	*ret_pin = rv_steal_fd(&object.fd);
	return true;
}

static bool reach(struct reaching *r, int *ret_pin)
{
	const struct sockaddr_un *to = (const void *)r->address->bytes;
	const size_t before = offsetof(struct sockaddr_un, sun_path);

	/* The kernel refuses what means none, or takes it as a disconnect. */
	if (r->address->size <= before || to->sun_family != AF_UNIX ||
		r->address->size > sizeof(*to))
		return true;
	return to->sun_path[0] ? reach_path(r, ret_pin) : reach_name(r);
}

bool rv_net_unix_allowed(struct rv_request *request, int fd, const struct rv_address_copy *address,
	int *ret_pin, struct rv_answer *ret)
{
	struct reaching reaching = {request, fd, address, ret, request->outside};
	bool allowed;

	*ret_pin = -1;
	request->outside = false;
	allowed = reach(&reaching, ret_pin);
	if (!request->is_partly_done)
		return allowed;
	if (allowed && request->outside != reaching.outside) {
		rv_close_p(ret_pin);
		allowed = refuse(&reaching, EACCES);
	}
	request->outside = reaching.outside;
	return allowed;
}
