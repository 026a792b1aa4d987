/* SPDX-License-Identifier: MIT */
/* A connection to a domain's control socket. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/error.h"
#include "control/client.h"

#define READ_AT_ONCE 65536
#define ANSWER_MAX   (64u << 20)
#define GREETING_MS  5000

/* ---------------------------------------------------------------------- lines */

/* A whole line, if one has been read. */
static int take_line(struct reeve_control *control, char **ret)
{
	char *end = control->in ? memchr(control->in, '\n', control->in_length) : NULL;
	size_t length = end ? (size_t)(end - control->in) : 0;
	char *line;

	if (!end)
		return 0;
	line = strndup(control->in, length);
	if (!line)
		return -ENOMEM;
	control->in_length -= length + 1;
	memmove(control->in, end + 1, control->in_length);
	*ret = line;
	return 1;
}

static int make_room(struct reeve_control *control)
{
	size_t size = 2 * control->in_size + READ_AT_ONCE;
	char *in;

	if (control->in_length < control->in_size)
		return 0;
	if (size > ANSWER_MAX)
		return -EMSGSIZE;
	in = realloc(control->in, size);
	if (!in)
		return -ENOMEM;
	control->in = in;
	control->in_size = size;
	return 0;
}

struct rv_patience rv_patience(int milliseconds, int pidfd)
{
	return (struct rv_patience){
		milliseconds < 0 ? -1 : (int64_t)rv_now_ms(CLOCK_MONOTONIC) + milliseconds, pidfd};
}

static int milliseconds_left(const struct rv_patience *patience)
{
	int64_t left =
		patience->until < 0 ? -1 : patience->until - (int64_t)rv_now_ms(CLOCK_MONOTONIC);

	return patience->until >= 0 && left < 0 ? 0 : (int)left;
}

/* 1: there is something to read. */
static int await(const struct reeve_control *control, const struct rv_patience *patience)
{
	struct pollfd fds[] = {
		{.fd = control->fd, .events = POLLIN}, {.fd = patience->pidfd, .events = POLLIN}};
	int r = poll(fds, 2, milliseconds_left(patience));

	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	return fds[0].revents ? 1 : -ESRCH;
}

/* Waits and reads. 0: the end. */
static int receive(struct reeve_control *control, const struct rv_patience *patience)
{
	int r = make_room(control);
	ssize_t n;

	if (r == 0)
		r = await(control, patience);
	if (r < 0)
		return r;
	n = recv(control->fd, control->in + control->in_length,
		control->in_size - control->in_length, MSG_DONTWAIT);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return -errno;
	control->in_length += (size_t)n;
	return n > 0;
}

static int next_line(struct reeve_control *control, const struct rv_patience *patience, char **ret)
{
	int r;

	do {
		r = take_line(control, ret);
		if (r)
			return r;
		r = receive(control, patience);
	} while (r > 0);
	return r;
}

/* ------------------------------------------------------------------- beginning */

static int check_greeting(const char *line, struct reeve_error *err)
{
	json_t *message = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (json_integer_value(json_object_get(message, "version")) != RV_PROTOCOL_VERSION)
		r = rv_error(err, -EPROTO, "the domain speaks another protocol than this reeve");
	else
		r = rv_message_to_error(message, err);
	json_decref(message);
	return r;
}

/* 0 with a line; `failure`: what is said of all but the domain's end. */
static int read_line(struct reeve_control *control, const struct rv_patience *patience,
	const char *failure, char **ret, struct reeve_error *err)
{
	int r;

	do
		r = next_line(control, patience, ret);
	while (r == -EINTR);
	if (r == 0)
		return rv_error(err, -EPIPE, "the domain ended");
	return r < 0 ? rv_error(err, r, "%s: %s", failure, strerror(-r)) : 0;
}

static int read_greeting(
	struct reeve_control *control, const struct rv_patience *patience, struct reeve_error *err)
{
	rv_autofree char *line = NULL;
	int r = read_line(control, patience, "the domain's supervisor does not answer", &line, err);

	return r < 0 ? r : check_greeting(line, err);
}

/* Takes the fd. */
static struct reeve_control *control_new(int fd, uint64_t domain)
{
	struct reeve_control *control = calloc(1, sizeof(*control));

	if (!control) {
		close(fd);
		return NULL;
	}
	control->fd = fd;
	control->domain = domain;
	return control;
}

int rv_control_greet(int fd, uint64_t domain, struct reeve_control **ret, struct reeve_error *err)
{
	const struct rv_patience patience = rv_patience(GREETING_MS, -1);
	struct reeve_control *control = control_new(fd, domain);
	int r;

	if (!control)
		return rv_error(err, -ENOMEM, "out of memory");
	r = read_greeting(control, &patience, err);
	if (r < 0) {
		reeve_control_close(control);
		return r;
	}
	*ret = control;
	return 0;
}

void reeve_control_close(struct reeve_control *control)
{
	if (!control)
		return;
	rv_close_p(&control->fd);
	free(control->in);
	free(control);
}

uint64_t reeve_control_domain(const struct reeve_control *control)
{
	return control->domain;
}

int reeve_control_fd(const struct reeve_control *control)
{
	return control->fd;
}

/* ---------------------------------------------------------------------- calling */

static int send_all(struct reeve_control *control, const char *text, size_t length)
{
	while (length > 0) {
		struct pollfd poller = {.fd = control->fd, .events = POLLOUT};
		ssize_t n = send(control->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			n = poll(&poller, 1, -1) < 0 && errno != EINTR ? -1 : 0;
		else if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A descriptor goes with the first byte. */
static int send_first(struct reeve_control *control, char *byte, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} passed = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
			    .cmsg_level = SOL_SOCKET,
			    .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed)};
	ssize_t n;

	memcpy(CMSG_DATA(&passed.header), &fd, sizeof(fd));
	do
		n = sendmsg(control->fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int send_line(struct reeve_control *control, char *line, int fd)
{
	int r = fd < 0 ? 0 : send_first(control, line, fd);

	line += fd < 0 ? 0 : 1;
	return r < 0 ? r : send_all(control, line, strlen(line));
}

/* A request may be written over several lines; the protocol wants one. */
static int send_request(
	struct reeve_control *control, const char *request, int fd, struct reeve_error *err)
{
	json_t *message = json_loads(request, JSON_REJECT_DUPLICATES, NULL);
	rv_autofree char *line = rv_message_line(message);
	int r;

	if (!line)
		return rv_error(err, -EINVAL, "the request is not a JSON object");
	if (strlen(line) > RV_REQUEST_MAX)
		return rv_error(err, -EMSGSIZE, "the request is longer than 1 MiB");
	r = send_line(control, line, fd);
	if (r == -EPIPE || r == -ECONNRESET)
		return rv_error(err, -EPIPE, "the domain ended");
	return r < 0 ? rv_error(err, r, "cannot send the request: %s", strerror(-r)) : 0;
}

static int check_answer(const char *line, struct reeve_error *err)
{
	json_t *message = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	int r = json_is_object(message) ? rv_message_to_error(message, err)
					: rv_error(err, -EPROTO, "the answer is not JSON");

	json_decref(message);
	return r;
}

static int read_answer(struct reeve_control *control, const struct rv_patience *patience,
	char **ret_answer, struct reeve_error *err)
{
	rv_autofree char *line = NULL;
	int r = read_line(control, patience, "cannot read the answer", &line, err);

	if (r == 0)
		r = check_answer(line, err);
	if (r == 0)
		*ret_answer = rv_steal_ptr(&line);
	return r;
}

int reeve_control_call(struct reeve_control *control, const char *request, char **ret_answer,
	struct reeve_error *err)
{
	const struct rv_patience endless = rv_patience(-1, -1);
	int r = send_request(control, request, -1, err);

	return r < 0 ? r : read_answer(control, &endless, ret_answer, err);
}

int reeve_control_next(
	struct reeve_control *control, bool nonblock, char **ret_line, struct reeve_error *err)
{
	const struct rv_patience patience = rv_patience(nonblock ? 0 : -1, -1);
	int r = next_line(control, &patience, ret_line);

	if (r == -ETIMEDOUT)
		r = -EAGAIN;
	if (r < 0)
		rv_error(err, r, "cannot read from the domain: %s", strerror(-r));
	return r;
}

/* ------------------------------------------------------------- asking of a process */

/* It may say neither: null. */
static int member_of(const char *answer)
{
	json_t *message = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
	const json_t *member = json_object_get(message, "member");
	int r = json_is_boolean(member) ? json_is_true(member) : -ENODATA;

	json_decref(message);
	return r;
}

/* The request goes before the greeting has come: that is one wait less. */
static int ask_member(struct reeve_control *control, const struct rv_patience *patience)
{
	rv_autofree char *answer = NULL;
	int r = send_request(control, "{\"request\":\"member\"}", patience->pidfd, NULL);

	/* Who refuses, may have done so by now; the reason is in the greeting. */
	if (r == 0 || r == -EPIPE)
		r = read_greeting(control, patience, NULL);
	if (r == 0)
		r = read_answer(control, patience, &answer, NULL);
	return r < 0 ? r : member_of(answer);
}

int rv_control_member(int fd, uint64_t domain, const struct rv_patience *patience)
{
	struct reeve_control *control = control_new(fd, domain);
	int r;

	if (!control)
		return -ENOMEM;
	r = ask_member(control, patience);
	reeve_control_close(control);
	return r;
}
