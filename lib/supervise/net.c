/* SPDX-License-Identifier: MIT */
/* What the calls on sockets share, and socket(2). */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include "base/cleanup.h"
#include "enforce/filter_calls.h"
#include "supervise/net.h"

/* ---------------------------------------------------------------------------- life */

static int own_network(ino_t *ret)
{
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int rv_net_new(const struct rv_net_options *options, struct rv_net **ret)
{
	struct rv_net *net = calloc(1, sizeof(*net));
	int r;

	if (!net)
		return -ENOMEM;
	rv_twin_init(&net->twin);
	net->inside = options->inside;
	net->scopes_path = options->scopes_path;
	net->scopes_abstract = options->scopes_abstract;
	net->kernel_scopes_path = options->kernel_scopes_path;
	net->binds = options->binds;
	net->connects = options->connects;
	net->sends = options->sends;
	net->guards_tcp = options->guards_tcp;
	net->grants_only = options->grants_only;
	net->listens = options->listens;
	net->path_error = options->path_error ? options->path_error : EACCES;
	r = own_network(&net->network);
	if (r == 0 && (net->scopes_path || net->scopes_abstract))
		r = rv_owner_new(&net->owner);
	if (r == 0 && net->kernel_scopes_path)
		r = rv_known_new(&net->known);
	if (r == 0)
		r = rv_waits_new(&net->waits);
	if (r < 0)
		rv_net_free(net);
	else
		*ret = net;
	return r;
}

void rv_net_stop(struct rv_net *net)
{
	if (net)
		rv_twin_end(&net->twin);
}

void rv_net_free(struct rv_net *net)
{
	if (!net)
		return;
	rv_net_stop(net);
	rv_waits_free(net->waits);
	rv_twin_release(&net->twin);
	rv_owner_free(net->owner);
	rv_known_free(net->known);
	free(net);
}

/* ------------------------------------------------------------------------- copying */

void rv_net_path(const struct rv_address_copy *address, char *path)
{
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	size_t size = address->size - before;

	memcpy(path, address->bytes + before, size);
	path[size] = '\0';
}

int rv_net_option(int fd, int name)
{
	int value;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -errno : value;
}

static int unknown_as_eperm(int error)
{
	return error == -ESRCH ? -EPERM : error;
}

int rv_net_copy_fd(struct rv_request *request, int fd)
{
	return unknown_as_eperm(rv_caller_fd(request->caller, fd));
}

int rv_net_copy_address(
	struct rv_request *request, uint64_t address, int size, struct rv_address_copy *ret)
{
	if (size < 0 || (size_t)size > sizeof(ret->bytes))
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->size = (uint32_t)size;
	return size ? rv_caller_read(request->caller, address, ret->bytes, (size_t)size) : 0;
}

int rv_net_copy(struct rv_request *request, int fd, uint64_t address, int size, int *ret_fd,
	struct rv_address_copy *ret)
{
	rv_autoclose int copy = rv_caller_fd_unchecked(request->caller, fd);
	int r = copy < 0 ? unknown_as_eperm(copy)
			 : rv_net_copy_address(request, address, size, ret);

	if (r == 0)
		r = rv_net_option(copy, SO_DOMAIN); /* ENOTSOCK */
	if (r < 0)
		return r;
	*ret_fd = rv_steal_fd(&copy);
	ret->domain = r;
	return 0;
}

/* ---------------------------------------------------------------------- performing */

static struct rv_answer answer_of(const struct rv_job *job)
{
	return job->result < 0 ? rv_answer_errno((int)-job->result) : rv_answer_value(job->result);
}

/* Whether the call may wait for somebody: a socket that is not O_NONBLOCK. */
static bool may_wait(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || !(flags & O_NONBLOCK);
}

/* The connector's end ends the domain; until then nothing can be performed. */
static struct rv_answer failed(int error)
{
	return rv_answer_errno(error == -EPIPE ? EPERM : -error);
}

static bool has_timeout(int fd)
{
	struct timeval timeout = {0};
	socklen_t size = sizeof(timeout);

	return getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size) == 0 &&
	       (timeout.tv_sec || timeout.tv_usec);
}

static struct rv_answer finish(struct rv_request *request, struct rv_workers *workers,
	struct rv_channel *channel, struct rv_job *job, bool *ret_later)
{
	struct rv_waits *waits = request->context->net->waits;
	/* Most are there at once; another thread receives if this one waits for a millisecond. */
	int r = rv_channel_answer(channel, true, job);

	if (r == -EAGAIN && *ret_later && may_wait(job->fds[0]) &&
		rv_waits_add(waits, workers, channel, request->caller, job,
			has_timeout(job->fds[0])) == 0)
		return rv_answer_held();
	*ret_later = false;
	while (r == -EAGAIN)
		r = rv_channel_answer(channel, true, job);
	if (r == 0 && job->after)
		job->after(request->caller, channel, job);
	rv_channel_done(workers, channel, r == 0);
	return r < 0 ? failed(r) : answer_of(job);
}

struct rv_answer rv_net_perform(struct rv_request *request, struct rv_job *job)
{
	struct rv_net *net = request->context->net;
	struct rv_workers *workers = request->outside ? rv_twin_workers(&net->twin) : net->inside;
	struct rv_waits *waits = net->waits;
	bool waiting = !job->no_wait, later;
	struct rv_channel *channel;
	struct rv_answer answer;
	int r;

	job->made = -1;
	if (!rv_caller_waits(request->caller))
		return rv_answer_none();
	if (!workers)
		return rv_answer_errno(EPERM);
	/* Most do not wait: what the socket is like is looked at where it matters. */
	if (waiting && !rv_waits_reserve(waits)) {
		if (may_wait(job->fds[0]))
			return rv_answer_errno(EAGAIN);
		waiting = false;
	}
	later = waiting;
	r = rv_workers_begin(workers, job, &channel);
	if (r < 0)
		later = false;
	answer = r < 0 ? failed(r) : finish(request, workers, channel, job, &later);
	if (waiting && !later)
		rv_waits_cancel(waits);
	return answer;
}

int rv_net_probe(struct rv_request *request, int pin, int type)
{
	struct rv_job job = {.work = {.kind = RV_WORK_PROBE, .args = {type}},
		.fds = {pin},
		.fds_count = 1,
		.made = -1};
	int r = rv_workers_do(request->context->net->inside, &job);

	if (r == 0)
		r = (int)job.result;
	return r < 0 ? -r : 0;
}

/* -------------------------------------------------------------------------- socket */

bool rv_net_is_ours(struct rv_request *request)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)request->caller->tid);
	return stat(path, &st) == 0 && st.st_ino == request->context->net->network;
}

/*
 * Made by the connector, so that the kernel takes it for the domain's as well, and recorded. What
 * is not made here counts as made outside: nobody inside reaches it.
 */
static struct rv_answer make_unix(struct rv_request *request)
{
	struct rv_net *net = request->context->net;
	struct rv_job job = {.work = {.kind = RV_WORK_SOCKET}, .made = -1};
	int r;

	for (unsigned int i = 0; i < 3; i++)
		job.work.args[i] = rv_arg_int(request, i);
	r = rv_workers_do(net->inside, &job);
	if (r < 0)
		return failed(r);
	if (job.result < 0 || job.made < 0)
		return rv_answer_errno(job.result < 0 ? (int)-job.result : EMFILE);
	r = net->owner ? rv_owner_record(net->owner, job.made) : 0;
	if (r < 0) {
		rv_close_p(&job.made);
		return rv_answer_errno(-r);
	}
	return rv_answer_fd(job.made, job.work.args[1] & SOCK_CLOEXEC);
}

static struct rv_answer do_socket(struct rv_request *request)
{
	if (rv_arg_int(request, 0) != AF_UNIX)
		return rv_answer_continue("noted; the filter has decided on numbers");
	if (request->context->net->grants_only)
		return rv_answer_continue("granted on numbers, and nobody asks who made it");
	if (!rv_may_act_for(request) || !rv_net_is_ours(request))
		return rv_answer_continue("decided on numbers, and counts as made outside");
	return make_unix(request);
}

static struct rv_answer do_socketpair(struct rv_request *request)
{
	(void)request;
	return rv_answer_continue("noted; the filter has decided on numbers");
}

/* ------------------------------------------------------------------------ dispatch */

static const struct handled {
	enum rv_call call;
	const char *name;
	rv_handler handler;
	bool sends;
} handled[] = {
	{RV_CALL_SOCKET, "socket", do_socket},
	{RV_CALL_SOCKETPAIR, "socketpair", do_socketpair},
	{RV_CALL_CONNECT, "connect", rv_net_connect},
	{RV_CALL_BIND, "bind", rv_net_bind},
	{RV_CALL_LISTEN, "listen", rv_net_listen},
	{RV_CALL_SENDTO, "sendto", rv_net_sendto, true},
	{RV_CALL_SENDMSG, "sendmsg", rv_net_sendmsg, true},
	{RV_CALL_SENDMMSG, "sendmmsg", rv_net_sendmmsg, true},
	{RV_CALL_MEMFD_CREATE, "memfd_create", rv_net_memfd_create},
};

static const struct handled *find(const struct seccomp_data *data)
{
	return rv_call_row(data->arch, data->nr, handled, RV_COUNT(handled), sizeof(handled[0]));
}

/* One that only the kernel judges: trapped to be noted, or for a guard to refuse it (guards.c). */
static bool let_send(const struct rv_net *net, enum rv_call call, const struct seccomp_data *data,
	struct rv_answer *ret)
{
	uint64_t flags = data->args[call == RV_CALL_SENDMSG ? 2 : 3];

	if (net->guards_tcp && (flags & MSG_FASTOPEN))
		return false;
	*ret = rv_answer_continue(
		"noted; its flags are numbers, its address the kernel's to judge");
	return true;
}

bool rv_net_dispatch(struct rv_context *context, int listener, const struct seccomp_notif *notif,
	bool may_block, const struct rv_pass *pass, struct rv_answer *ret)
{
	const struct handled *entry = context->net ? find(&notif->data) : NULL;
	struct rv_request request = {
		.context = context, .notif = notif, .may_block = may_block, .pass = pass};
	struct rv_caller caller;

	if (!entry)
		return false;
	if (entry->sends && !context->net->sends)
		return let_send(context->net, entry->call, &notif->data, ret);
	rv_request_open(&request, listener, &caller);
	request.call = entry->name;
	*ret = entry->handler(&request);
	rv_caller_close(&caller);
	return true;
}
