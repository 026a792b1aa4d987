/* SPDX-License-Identifier: MIT */
/* bind(2). */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/cleanup.h"
#include "supervise/fs.h"
#include "supervise/net_ip.h"

struct binding {
	struct rv_request *request;
	int fd; /* a duplicate of the caller's socket */
	struct rv_address_copy address;
};

/* By a worker, from the caller's working directory and with its umask; the floor is asked. */
static struct rv_answer perform(struct binding *b)
{
	rv_autoclose int cwd = rv_caller_dir(b->request->caller, AT_FDCWD);
	struct rv_job job = {.work = {.kind = RV_WORK_BIND, .address_size = b->address.size},
		.fds = {b->fd, cwd},
		.fds_count = 2};
	struct rv_caller_status status;
	struct rv_answer answer;

	if (!rv_net_inner_lets(b->request, b->fd, RV_IP_BIND, &b->address, &answer))
		return answer;
	if (cwd < 0 || rv_caller_status(b->request->caller, &status) < 0 ||
		!rv_may_act_for(b->request))
		return rv_answer_errno(EPERM);
	job.work.args[0] = (int32_t)status.umask;
	memcpy(job.work.address, b->address.bytes, b->address.size);
	return rv_net_perform(b->request, &job);
}

/*
 * What a live rule allows is performed, outside the floor. Else only where bind's rights are ours
 * to enforce may nothing go on: else the kernel checks all of them again, whatever the address says
 * by then.
 */
static struct rv_answer go_on(struct binding *b, const char *reason)
{
	if (b->request->outside || b->request->context->net->binds)
		return perform(b);
	return rv_answer_continue(reason);
}

/* -------------------------------------------------------------------------- UNIX */

static bool can_make(const void *place)
{
	return rv_fs_can_make(place);
}

/*
 * What a live rule allows and the floor does not. The name is looked up below the directory that
 * was judged, so getsockname(2) shows the last component alone.
 */
static struct rv_answer bind_here(struct binding *b, const struct rv_place *place, mode_t mask)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = strlen(place->name);
	int r;

	/* All of sun_path may be the name, without a NUL. */
	if (length > sizeof(to.sun_path))
		return rv_answer_errno(ENAMETOOLONG);
	memcpy(to.sun_path, place->name, length);
	if (fchdir(place->dir) < 0)
		return rv_answer_errno(errno);
	umask(mask);
	r = bind(b->fd, (const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	r = r < 0 ? errno : 0;
	/* This thread keeps no directory of the program's busy. */
	if (chdir("/") < 0) {
		/* It is only kept busy, then. */
	}
	return r ? rv_answer_errno(r) : rv_answer_value(0);
}

static struct rv_answer bind_path(struct binding *b)
{
	struct rv_request *request = b->request;
	rv_autopath path = RV_PATH_EMPTY;
	rv_autoplace place = RV_PLACE_EMPTY;
	struct rv_verdict verdict = {.asked = REEVE_FS_MAKE_SOCK, .makes = true};
	const char *reason;
	struct rv_answer answer;

	rv_net_path(&b->address, path.text);
	path.base = path.text[0] == '/' ? AT_FDCWD : rv_resolve_base(request, AT_FDCWD);
	if (path.text[0] != '/' && path.base < 0)
		return go_on(b, "the working directory cannot be opened");
	reason = rv_resolve_place(request, path.base, path.text, 0, &place);
	if (!reason && place.exists)
		reason = "it exists: the kernel finds that out first";
	if (reason)
		return go_on(b, reason);
	rv_judge_path(
		request->context->judge, place.dir_path, REEVE_FS_MAKE_SOCK, &verdict.judgement);
	verdict.object = place.path;
	verdict.places[0] = &place;
	if (rv_fs_go(request, &verdict, can_make, &place, &answer))
		return bind_here(b, &place, verdict.umask);
	return answer.kind == RV_ANSWER_CONTINUE ? go_on(b, answer.reason) : answer;
}

static struct rv_answer bind_unix(struct binding *b)
{
	const struct sockaddr_un *to = (const void *)b->address.bytes;
	const size_t before = offsetof(struct sockaddr_un, sun_path);

	if (to->sun_family != AF_UNIX || b->address.size <= before ||
		b->address.size > sizeof(*to) || !to->sun_path[0])
		return go_on(b, "not a path");
	return bind_path(b);
}

/* -------------------------------------------------------------------- all of them */

struct rv_answer rv_net_bind(struct rv_request *request)
{
	struct binding b = {.request = request, .fd = -1};
	int domain, r = rv_net_copy(request, rv_arg_int(request, 0), rv_arg(request, 1),
			    rv_arg_int(request, 2), &b.fd, &b.address);
	struct rv_answer answer;

	if (r < 0)
		return request->context->net->binds
			       ? rv_answer_errno(-r)
			       : rv_answer_continue("the kernel gives the errno, or binds nothing");
	domain = b.address.domain;
	if (domain == AF_UNIX)
		answer = bind_unix(&b);
	else if ((domain != AF_INET && domain != AF_INET6) ||
		 rv_net_ip_allowed(request, b.fd, RV_IP_BIND, &b.address, &answer))
		answer = go_on(&b, "the floor checks TCP ports, and nothing else is restricted");
	rv_close_p(&b.fd);
	return answer;
}
