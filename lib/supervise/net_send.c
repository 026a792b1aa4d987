/* SPDX-License-Identifier: MIT */
/*
 * sendto(2), sendmsg(2) and sendmmsg(2). Trapped where some address must not be sent to. What the
 * caller's descriptor is may change until the call is entered, and what its memory says as well, so
 * that every message is copied, judged and sent from the copy, whatever the socket.
 *
 * The copy is bounded: of a stream the first part is sent, as when its buffer is full; a datagram
 * that is too long is EMSGSIZE. Descriptors go along as duplicates. Credentials are those of the
 * connector, whom the receiver sees: claims that the kernel would refuse are refused, others are
 * left out unless the connector could make them as well (CAP_SYS_ADMIN).
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "base/cleanup.h"
#include "supervise/net_ip.h"

#define FLAG_FASTOPEN	0x20000000 /* MSG_FASTOPEN */
#define FLAG_ZEROCOPY	0x4000000  /* MSG_ZEROCOPY */
#define OPTION_ZEROCOPY 60	   /* SO_ZEROCOPY */

#define VECTORS_MAX 1024 /* the kernel's UIO_MAXIOV: parts of a message, messages of a call */
#define CONTROL_MAX (32u * 1024) /* longer is ENOBUFS, as above net.core.optmem_max */

#define CAP_SYS_ADMIN_BIT (UINT64_C(1) << 21)

struct sending {
	struct rv_request *request;
	int domain, type, flags;
	bool may_act;
	struct rv_job job; /* its first descriptor is the caller's socket */
	uint8_t *area;	   /* what will be in the worker's */
	size_t size, capacity;
};

static struct rv_mail *mail_of(const struct sending *s)
{
	return (void *)s->area;
}

static void release(struct sending *s)
{
	for (unsigned int i = 0; i < s->job.fds_count; i++)
		rv_close_p(&s->job.fds[i]);
	free(s->area);
}

/* ----------------------------------------------------------------- room for a copy */

/* Where the next `size` bytes go, aligned; -ENOMEM, -EMSGSIZE. */
static ssize_t make_room(struct sending *s, size_t size)
{
	size_t at = (s->size + 7) & ~(size_t)7, capacity = s->capacity;
	uint8_t *area;

	if (size > RV_AREA_SIZE || at + size > RV_AREA_SIZE)
		return -EMSGSIZE;
	while (capacity < at + size)
		capacity = capacity ? capacity * 2 : 1024;
	if (capacity != s->capacity) {
		area = realloc(s->area, capacity);
		if (!area)
			return -ENOMEM;
		s->area = area;
		s->capacity = capacity;
	}
	s->size = at + size;
	return (ssize_t)at;
}

/* Makes `count` empty letters. */
static int begin_mail(struct sending *s, uint32_t count, bool many)
{
	size_t size = sizeof(struct rv_mail) + count * sizeof(struct rv_letter);
	ssize_t at = make_room(s, size);

	if (at < 0)
		return (int)at;
	memset(s->area, 0, size);
	*mail_of(s) = (struct rv_mail){.flags = s->flags, .many = many};
	return 0;
}

/* A descriptor of ours that goes along; which it will be. Takes it over. */
static int add_fd(struct sending *s, int fd)
{
	if (s->job.fds_count == RV_WORK_FDS) {
		close(fd);
		return -ETOOMANYREFS;
	}
	s->job.fds[s->job.fds_count] = fd;
	return (int)s->job.fds_count++;
}

/* -------------------------------------------------------------------------- address */

/* Streams and connections have no other peer than their own: the kernel refuses or ignores it. */
static bool takes_address(const struct sending *s)
{
	return s->type != SOCK_STREAM && s->type != SOCK_SEQPACKET;
}

/* False: *ret is the answer. */
static bool judge(
	struct sending *s, const struct rv_address_copy *to, int *ret_pin, struct rv_answer *ret)
{
	int fd = s->job.fds[0];

	*ret_pin = -1;
	if (s->domain == AF_UNIX)
		return !takes_address(s) ||
		       (rv_net_inner_lets(s->request, fd, RV_IP_SEND, to, ret) &&
			       rv_net_unix_allowed(s->request, fd, to, ret_pin, ret));
	if (s->domain == AF_INET || s->domain == AF_INET6)
		return rv_net_ip_allowed(s->request, fd, RV_IP_SEND, to, ret) &&
		       rv_net_inner_lets(s->request, fd, RV_IP_SEND, to, ret);
	return true;
}

static bool put_address(
	struct sending *s, uint32_t i, const struct rv_address_copy *to, struct rv_answer *ret)
{
	int pin, number = 0;
	ssize_t at;

	if (!judge(s, to, &pin, ret))
		return false;
	if (pin >= 0)
		number = add_fd(s, pin);
	at = number < 0 ? number : make_room(s, to->size);
	if (at < 0) {
		*ret = rv_answer_errno((int)-at);
		return false;
	}
	memcpy(s->area + at, to->bytes, to->size);
	mail_of(s)->letters[i].name = (uint32_t)at;
	mail_of(s)->letters[i].name_size = to->size;
	mail_of(s)->letters[i].pin = (uint32_t)number;
	return true;
}

/* ----------------------------------------------------------------------------- data */

/* As much of the caller's bytes as there is room for; -errno. */
static int put_data(struct sending *s, uint32_t i, const struct iovec *parts, size_t count)
{
	size_t total = 0, room, done = 0;
	ssize_t at;

	for (size_t k = 0; k < count; k++) {
		if (parts[k].iov_len > SSIZE_MAX)
			return -EINVAL;
		total += parts[k].iov_len < RV_AREA_SIZE ? parts[k].iov_len : RV_AREA_SIZE;
	}
	room = RV_AREA_SIZE - s->size - sizeof(struct sockaddr_storage) - 2 * sizeof(uint64_t);
	if (total > room && s->type == SOCK_STREAM && i == 0)
		total = room;
	at = make_room(s, total);
	if (at < 0)
		return (int)at;
	for (size_t k = 0; k < count && done < total; k++) {
		size_t part = parts[k].iov_len < total - done ? parts[k].iov_len : total - done;
		int r = part ? rv_caller_read(s->request->caller, (uintptr_t)parts[k].iov_base,
				       s->area + at + done, part)
			     : 0;

		if (r < 0)
			return r;
		done += part;
	}
	mail_of(s)->letters[i].data = (uint32_t)at;
	mail_of(s)->letters[i].data_size = (uint32_t)total;
	return 0;
}

/* -------------------------------------------------------------------------- control */

/* The kernel's rule for a claim about oneself; -errno. 0: leave it out, 1: make it. */
static int check_claim(struct sending *s, const struct cmsghdr *header)
{
	const struct ucred *claim = (const void *)CMSG_DATA(header);
	struct rv_caller_status status;

	if (header->cmsg_len != CMSG_LEN(sizeof(*claim)))
		return -EINVAL;
	if (rv_caller_status(s->request->caller, &status) < 0)
		return -EPERM;
	if (status.credentials.effective & CAP_SYS_ADMIN_BIT)
		return 1;
	return claim->pid == status.tgid && claim->uid == status.credentials.fsuid &&
			       claim->gid == status.credentials.fsgid
		       ? 0
		       : -EPERM;
}

/* The caller's descriptors become numbers of those that go along; -errno. */
static int take_rights(struct sending *s, struct cmsghdr *header, unsigned int *rights)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int *fds = (int *)(void *)CMSG_DATA(header);

	/* Other families ignore them. */
	if (s->domain != AF_UNIX)
		return s->domain == AF_NETLINK ? -EINVAL : 0;
	if (count > RV_RIGHTS_MAX - *rights)
		return -EINVAL;
	*rights += (unsigned int)count;
	for (size_t i = 0; i < count; i++) {
		int fd = rv_net_copy_fd(s->request, fds[i]);

		fds[i] = fd < 0 ? fd : add_fd(s, fd);
		if (fds[i] < 0)
			return fds[i];
	}
	return 1;
}

/* -errno; 0: not to be sent. */
static int take_header(struct sending *s, struct cmsghdr *header, unsigned int *rights)
{
	bool creds = s->domain == AF_UNIX || s->domain == AF_NETLINK;

	if (header->cmsg_level != SOL_SOCKET)
		return 1;
	if (header->cmsg_type == SCM_RIGHTS)
		return take_rights(s, header, rights);
	return header->cmsg_type == SCM_CREDENTIALS && creds ? check_claim(s, header) : 1;
}

/* In place; what is left out makes it shorter. The new size, -errno. */
static ssize_t take_control(struct sending *s, uint8_t *control, size_t size)
{
	size_t in = 0, out = 0;
	unsigned int rights = 0;

	while (size - in >= sizeof(struct cmsghdr)) {
		struct cmsghdr *header = (void *)(control + in);
		size_t length = header->cmsg_len, step;
		int r;

		if (length < sizeof(*header) || length > size - in)
			return -EINVAL;
		step = CMSG_ALIGN(length) < size - in ? CMSG_ALIGN(length) : size - in;
		r = take_header(s, header, &rights);
		if (r < 0)
			return r;
		if (r) {
			memmove(control + out, header, step);
			out += step;
		}
		in += step;
	}
	return (ssize_t)out;
}

static int put_control(struct sending *s, uint32_t i, uint64_t address, uint64_t size)
{
	ssize_t at, left;
	int r;

	if (!size)
		return 0;
	/* Some messages ask for capabilities, which the connector may have and the caller not. */
	if (!s->may_act)
		return -EPERM;
	if (size > CONTROL_MAX)
		return -ENOBUFS;
	at = make_room(s, size);
	if (at < 0)
		return (int)at;
	r = rv_caller_read(s->request->caller, address, s->area + at, size);
	if (r < 0)
		return r;
	left = take_control(s, s->area + at, size);
	if (left < 0)
		return (int)left;
	mail_of(s)->letters[i].control = (uint32_t)at;
	mail_of(s)->letters[i].control_size = (uint32_t)left;
	return 0;
}

/* ------------------------------------------------------------------------- messages */

/* The kernel's order: address, parts, control. */
static int read_parts(struct sending *s, const struct msghdr *header, struct iovec **ret)
{
	size_t size = header->msg_iovlen * sizeof(**ret);

	if (header->msg_iovlen > VECTORS_MAX)
		return -EMSGSIZE;
	*ret = malloc(size + 1);
	if (!*ret)
		return -ENOMEM;
	return size ? rv_caller_read(s->request->caller, (uintptr_t)header->msg_iov, *ret, size)
		    : 0;
}

/* 0 and *ret_named: there is an address; -errno. Longer ones are cut, as the kernel does. */
static int read_name(struct sending *s, const struct msghdr *header, struct rv_address_copy *to)
{
	int size = (int)header->msg_namelen;

	to->size = 0;
	if (size < 0)
		return -EINVAL;
	if (!header->msg_name || !size)
		return 0;
	if ((size_t)size > sizeof(to->bytes))
		size = sizeof(to->bytes);
	return rv_net_copy_address(s->request, (uintptr_t)header->msg_name, size, to);
}

/* False: *ret is the answer. What is judged comes last, once all of it is known to be readable. */
static bool put_message(
	struct sending *s, uint32_t i, const struct msghdr *header, struct rv_answer *ret)
{
	rv_autofree struct iovec *parts = NULL;
	struct rv_address_copy to;
	int r = read_name(s, header, &to);

	if (r == 0)
		r = read_parts(s, header, &parts);
	if (r == 0)
		r = put_control(s, i, (uintptr_t)header->msg_control, header->msg_controllen);
	if (r == 0)
		r = put_data(s, i, parts, header->msg_iovlen);
	if (r < 0) {
		*ret = rv_answer_errno(-r);
		return false;
	}
	if (to.size && !put_address(s, i, &to, ret))
		return false;
	mail_of(s)->count = i + 1;
	return true;
}

static bool read_message(struct sending *s, uint32_t i, uint64_t address, struct rv_answer *ret)
{
	struct msghdr header;
	int r = rv_caller_read(s->request->caller, address, &header, sizeof(header));

	if (r < 0) {
		*ret = rv_answer_errno(-r);
		return false;
	}
	return put_message(s, i, &header, ret);
}

/* -------------------------------------------------------------------------- sending */

/* The signal is the calling thread's, as the kernel sends it. */
static void raise_sigpipe(struct rv_caller *caller)
{
	struct rv_caller_status status;

	if (rv_caller_status(caller, &status) == 0 && rv_caller_waits(caller))
		syscall(SYS_tgkill, status.tgid, caller->tid, SIGPIPE);
}

static void write_lengths(
	struct rv_caller *caller, const struct rv_mail *mail, const struct rv_job *job)
{
	for (int64_t i = 0; i < job->result && i < mail->count; i++) {
		uint64_t at = job->lengths_at + (uint64_t)i * sizeof(struct mmsghdr) +
			      offsetof(struct mmsghdr, msg_len);

		(void)rv_caller_write(caller, at, &mail->letters[i].sent, sizeof(uint32_t));
	}
}

static void after(
	struct rv_caller *caller, const struct rv_channel *channel, const struct rv_job *job)
{
	if (job->broken)
		raise_sigpipe(caller);
	if (job->lengths_at)
		write_lengths(caller, (const void *)channel->area, job);
}

static struct rv_answer perform(struct sending *s)
{
	s->job.work.kind = RV_WORK_SEND;
	s->job.data = s->area;
	s->job.data_size = s->size;
	s->job.after = after;
	s->job.no_wait = s->flags & MSG_DONTWAIT;
	return rv_net_perform(s->request, &s->job);
}

/* The caller's socket; -errno. */
static int take_socket(struct sending *s, int fd)
{
	int copy = rv_net_copy_fd(s->request, fd);

	if (copy < 0)
		return copy;
	add_fd(s, copy);
	s->domain = rv_net_option(copy, SO_DOMAIN);
	s->type = rv_net_option(copy, SO_TYPE);
	if (s->domain < 0 || s->type < 0)
		return s->domain < 0 ? s->domain : s->type; /* ENOTSOCK */
	s->may_act = rv_may_act_for(s->request);
	/* Sending by IP asks for no power of the caller's, but in control messages. */
	if (!s->may_act && s->domain != AF_INET && s->domain != AF_INET6)
		return -EPERM;
	/* The pages would be the worker's. Programs copy, then. */
	if ((s->flags & FLAG_ZEROCOPY) && rv_net_option(copy, OPTION_ZEROCOPY) > 0)
		return -ENOBUFS;
	return 0;
}

/* Begins a call; false: *ret is the answer. */
static bool begin(struct sending *s, uint32_t count, bool many, struct rv_answer *ret)
{
	int r;

	if (s->request->context->net->guards_tcp && (s->flags & FLAG_FASTOPEN)) {
		rv_report_guard(s->request, "guard.tcp", NULL, EOPNOTSUPP);
		*ret = rv_answer_errno(EOPNOTSUPP);
		return false;
	}
	r = take_socket(s, rv_arg_int(s->request, 0));
	if (r == 0)
		r = begin_mail(s, count, many);
	*ret = rv_answer_errno(-r);
	return r == 0;
}

struct rv_answer rv_net_sendto(struct rv_request *request)
{
	struct sending s = {.request = request, .flags = rv_arg_int(request, 3)};
	struct iovec part = {(void *)(uintptr_t)rv_arg(request, 1), rv_arg(request, 2)};
	struct rv_address_copy to = {0};
	struct rv_answer answer;
	int r;

	/* A length is cut by the kernel, not refused. */
	if (part.iov_len > SSIZE_MAX)
		part.iov_len = INT_MAX;
	if (!begin(&s, 1, false, &answer)) {
		release(&s);
		return answer;
	}
	r = rv_arg(request, 4)
		    ? rv_net_copy_address(request, rv_arg(request, 4), rv_arg_int(request, 5), &to)
		    : 0;
	if (r == 0)
		r = put_data(&s, 0, &part, 1);
	answer = rv_answer_errno(-r);
	if (r == 0 && (!to.size || put_address(&s, 0, &to, &answer))) {
		mail_of(&s)->count = 1;
		answer = perform(&s);
	}
	release(&s);
	return answer;
}

struct rv_answer rv_net_sendmsg(struct rv_request *request)
{
	struct sending s = {.request = request, .flags = rv_arg_int(request, 2)};
	struct rv_answer answer;

	if (begin(&s, 1, false, &answer) && read_message(&s, 0, rv_arg(request, 1), &answer))
		answer = perform(&s);
	release(&s);
	return answer;
}

/*
 * As many as can be copied and may be sent: those that are left are for the caller's next call,
 * which then gets the error.
 */
struct rv_answer rv_net_sendmmsg(struct rv_request *request)
{
	struct sending s = {.request = request, .flags = rv_arg_int(request, 3)};
	uint32_t count = (uint32_t)rv_arg_int(request, 2);
	struct rv_answer answer;

	if (count > VECTORS_MAX)
		count = VECTORS_MAX;
	if (begin(&s, count, true, &answer)) {
		for (uint32_t i = 0; i < count; i++) {
			uint64_t at = rv_arg(request, 1) + i * sizeof(struct mmsghdr);

			/* Those before it are sent now: an answer cannot begin again. */
			request->is_partly_done = i > 0;
			if (!read_message(&s, i, at, &answer))
				break;
		}
		s.job.lengths_at = rv_arg(request, 1);
		if (mail_of(&s)->count || !count)
			answer = count ? perform(&s) : rv_answer_value(0);
	}
	release(&s);
	return answer;
}
