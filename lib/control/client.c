/* SPDX-License-Identifier: MIT */
/* A connection to a domain's control socket. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
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

/* Waits for at most `timeout` milliseconds (-1: for ever) and reads. 0: the end. */
static int receive(struct reeve_control *control, int timeout)
{
	struct pollfd poller = {.fd = control->fd, .events = POLLIN};
	int r = make_room(control);
	ssize_t n;

	if (r < 0)
		return r;
	r = poll(&poller, 1, timeout);
	if (r <= 0)
		return r < 0 ? -errno : timeout ? -ETIMEDOUT : -EAGAIN;
	n = recv(control->fd, control->in + control->in_length,
		control->in_size - control->in_length, MSG_DONTWAIT);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		return -errno;
	control->in_length += (size_t)n;
	return n > 0;
}

static int next_line(struct reeve_control *control, int timeout, char **ret)
{
	int r;

	do {
		r = take_line(control, ret);
		if (r)
			return r;
		r = receive(control, timeout);
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

int rv_control_greet(int fd, uint64_t domain, struct reeve_control **ret, struct reeve_error *err)
{
	struct reeve_control *control = calloc(1, sizeof(*control));
	rv_autofree char *line = NULL;
	int r;

	if (!control) {
		close(fd);
		return rv_error(err, -ENOMEM, "out of memory");
	}
	control->fd = fd;
	control->domain = domain;
	r = next_line(control, GREETING_MS, &line);
	if (r == 0)
		r = rv_error(err, -EPIPE, "the domain ended");
	else if (r < 0)
		rv_error(err, r, "the domain's supervisor does not answer: %s", strerror(-r));
	else
		r = check_greeting(line, err);
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

int reeve_control_call(struct reeve_control *control, const char *request, char **ret_answer,
	struct reeve_error *err)
{
	return rv_control_ask(control, request, -1, -1, ret_answer, err);
}

int rv_control_ask(struct reeve_control *control, const char *request, int fd, int timeout,
	char **ret_answer, struct reeve_error *err)
{
	rv_autofree char *line = NULL;
	int r = send_request(control, request, fd, err);

	if (r < 0)
		return r;
	do
		r = next_line(control, timeout, &line);
	while (r == -EINTR);
	if (r == 0)
		return rv_error(err, -EPIPE, "the domain ended");
	if (r < 0)
		return rv_error(err, r, "cannot read the answer: %s", strerror(-r));
	r = check_answer(line, err);
	if (r == 0)
		*ret_answer = rv_steal_ptr(&line);
	return r;
}

int reeve_control_next(
	struct reeve_control *control, bool nonblock, char **ret_line, struct reeve_error *err)
{
	int r = next_line(control, nonblock ? 0 : -1, ret_line);

	if (r < 0)
		rv_error(err, r, "cannot read from the domain: %s", strerror(-r));
	return r;
}
