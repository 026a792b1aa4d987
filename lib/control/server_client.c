/* SPDX-License-Identifier: MIT */
/* One client's connection: its buffers, and lines in and out. Nothing here blocks. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "control/server.h"

#define READ_AT_ONCE 65536

/* What is put into the buffer, must be under the server's lock. */
size_t rv_client_pending(const struct rv_client *client)
{
	return client->out.length - client->written;
}

void rv_client_put_locked(struct rv_client *client, const char *line)
{
	/* What was written already need not be kept. */
	if (client->written > client->out.length / 2) {
		client->out.length -= client->written;
		memmove(client->out.text, client->out.text + client->written,
			client->out.length + 1);
		client->written = 0;
	}
	if (line)
		rv_strbuf_puts(&client->out, line);
	if (!line || client->out.failed)
		client->closing = true;
}

void rv_client_put(struct reeve_control_server *server, struct rv_client *client, char *line)
{
	pthread_mutex_lock(&server->lock);
	rv_client_put_locked(client, line);
	if (client->starts_watching != RV_WATCH_NOT)
		client->watching = client->starts_watching;
	if (client->approver) {
		client->may_be_told = true;
		if (client->early.length)
			rv_client_put_locked(client, client->early.text);
		rv_strbuf_release(&client->early);
	}
	pthread_mutex_unlock(&server->lock);
	free(line);
}

/* ---------------------------------------------------------------------- beginning */

/* As far as it fits into the socket's buffer, which is empty. */
static void refuse(int fd, const struct reeve_error *err)
{
	rv_autofree char *line = rv_message_line(rv_message_error(err));

	if (line)
		send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static char *greeting(const struct reeve_control_server *server)
{
	json_t *message = rv_message_ok();
	char id[RV_DOMAIN_ID_SIZE];

	json_object_set_new(
		message, "domain", json_string(rv_domain_id_format(server->entry.domain, id)));
	return rv_message_line(message);
}

struct rv_client *rv_client_new(struct reeve_control_server *server, int fd)
{
	struct reeve_error err = {0};
	struct rv_client *client;
	uid_t uid;

	if (rv_peer_check(server, fd, &uid, &err) < 0) {
		refuse(fd, &err);
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return NULL;
	}
	client->server = server;
	client->fd = fd;
	client->passed_fd = -1;
	client->uid = uid;
	rv_client_put(server, client, greeting(server));
	return client;
}

void rv_client_free(struct rv_client *client)
{
	if (!client)
		return;
	rv_client_ask_end(client);
	rv_strbuf_release(&client->early);
	rv_close_p(&client->fd);
	rv_close_p(&client->passed_fd);
	free(client->in);
	rv_strbuf_release(&client->out);
	free(client);
}

/* ------------------------------------------------------------------------ reading */

static char *answer_wrong(int code, const char *why, const char *detail)
{
	struct reeve_error err = {0};

	rv_error(&err, code, "%s%s%s", why, detail ? ": " : "", detail ? rv_q(detail) : "");
	rv_error_hint(&err, "reeve-control(7) has the protocol");
	return rv_message_line(rv_message_error(&err));
}

/* One at most, until the request has been served. */
static void keep_passed(struct rv_client *client, int fd)
{
	rv_close_p(&client->passed_fd);
	client->passed_fd = fd;
}

static void serve_line(struct reeve_control_server *server, struct rv_client *client,
	const char *line, size_t length)
{
	json_error_t wrong;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &wrong);

	if (!request)
		rv_client_put(server, client,
			answer_wrong(-EBADMSG, "the request is not JSON", wrong.text));
	else if (!json_is_object(request))
		rv_client_put(server, client,
			answer_wrong(-EBADMSG, "the request is not a JSON object", NULL));
	else
		rv_client_put(
			server, client, rv_message_line(rv_serve_request(server, client, request)));
	json_decref(request);
	keep_passed(client, -1);
}

static bool is_held_up(struct reeve_control_server *server, struct rv_client *client)
{
	bool full;

	pthread_mutex_lock(&server->lock);
	full = client->closing || rv_client_pending(client) >= RV_CLIENT_PENDING;
	pthread_mutex_unlock(&server->lock);
	return full;
}

/* Whole lines, as long as the client takes the answers. */
static void serve_lines(struct reeve_control_server *server, struct rv_client *client)
{
	size_t done = 0;
	char *end;

	while (!is_held_up(server, client) &&
		(end = memchr(client->in + done, '\n', client->in_length - done))) {
		size_t length = (size_t)(end - client->in) - done;

		serve_line(server, client, client->in + done, length);
		done += length + 1;
	}
	client->in_length -= done;
	memmove(client->in, client->in + done, client->in_length);
	if (client->in_length > RV_REQUEST_MAX && !memchr(client->in, '\n', client->in_length)) {
		rv_client_put(server, client,
			answer_wrong(-EMSGSIZE, "the request is longer than 1 MiB", NULL));
		client->closing = true;
	}
}

static bool make_room(struct rv_client *client)
{
	char *in;

	if (client->in_size - client->in_length >= READ_AT_ONCE)
		return true;
	in = realloc(client->in, client->in_length + READ_AT_ONCE);
	if (!in)
		return false;
	client->in = in;
	client->in_size = client->in_length + READ_AT_ONCE;
	return true;
}

/* However many come along, there is room for two. */
static void take_passed(struct rv_client *client, struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
		int fd;

		memcpy(&fd, (const char *)header + at, sizeof(fd));
		keep_passed(client, fd);
	}
}

static ssize_t receive(struct rv_client *client)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control;
	struct iovec iov = {client->in + client->in_length, client->in_size - client->in_length};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take_passed(client, &message);
	return n;
}

void rv_client_read(struct reeve_control_server *server, struct rv_client *client)
{
	ssize_t n;

	if (!make_room(client)) {
		client->closing = true;
		return;
	}
	n = receive(client);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client->closing = true;
		return;
	}
	client->in_length += (size_t)n;
	serve_lines(server, client);
}

/* ------------------------------------------------------------------------ writing */

static char *event_line(const struct reeve_event *event, bool text)
{
	rv_autofree char *words = NULL;
	char flag[512];
	json_t *message;

	if (!text) {
		char *line = NULL;

		if (reeve_event_to_json(event, &words) < 0 || asprintf(&line, "%s\n", words) < 0)
			return NULL;
		return line;
	}
	if (reeve_event_to_text(event, &words) < 0)
		return NULL;
	message = rv_message_new();
	rv_message_text(message, "text", words);
	if (event->kind == REEVE_EVENT_DENIED)
		rv_message_text(message, "flag", reeve_event_flag(event, flag, sizeof(flag)));
	return rv_message_line(message);
}

/* Says how many events were lost before the next one, once there is room again. */
static void put_lost(struct reeve_control_server *server, struct rv_client *client, size_t limit)
{
	struct reeve_event lost = {.size = sizeof(lost),
		.kind = REEVE_EVENT_LOST,
		.domain = server->entry.domain,
		.count = client->lost};
	rv_autofree char *line = NULL;

	if (client->lost == 0 || rv_client_pending(client) >= limit)
		return;
	clock_gettime(CLOCK_REALTIME, &lost.time);
	line = event_line(&lost, client->watching == RV_WATCH_TEXT);
	if (!line)
		return;
	client->lost = 0;
	rv_client_put_locked(client, line);
}

void rv_client_write(struct reeve_control_server *server, struct rv_client *client)
{
	ssize_t n = 0;

	pthread_mutex_lock(&server->lock);
	if (rv_client_pending(client) > 0)
		n = send(client->fd, client->out.text + client->written, rv_client_pending(client),
			MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		client->written += (size_t)n;
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client->closing = true;
		client->written = client->out.length; /* nobody will read it */
	}
	put_lost(server, client, RV_CLIENT_PENDING / 2);
	pthread_mutex_unlock(&server->lock);
	/* Requests that waited for room. */
	if (client->in_length > 0)
		serve_lines(server, client);
}

short rv_client_events(struct reeve_control_server *server, struct rv_client *client)
{
	short events = 0;
	size_t left;

	pthread_mutex_lock(&server->lock);
	left = rv_client_pending(client);
	pthread_mutex_unlock(&server->lock);
	if (left > 0)
		events |= POLLOUT;
	if (!client->closing && left < RV_CLIENT_PENDING)
		events |= POLLIN;
	return events;
}

void rv_server_wake(struct reeve_control_server *server)
{
	uint64_t one = 1;

	if (write(server->wake_fd, &one, sizeof(one)) < 0)
		return; /* it is awake */
}

/* The last event is not lost: there is but one, and the end is near. */
static void put_event(
	struct reeve_control_server *server, struct rv_client *client, const char *line, bool last)
{
	put_lost(server, client, last ? SIZE_MAX : RV_CLIENT_PENDING / 2);
	if (client->lost || !line ||
		(!last && rv_client_pending(client) + strlen(line) > RV_CLIENT_PENDING))
		client->lost++;
	else
		rv_client_put_locked(client, line);
}

void rv_clients_event(void *data, const struct reeve_event *event)
{
	struct reeve_control_server *server = data;
	rv_autofree char *json = event_line(event, false), *text = event_line(event, true);

	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < RV_CLIENTS_MAX; i++) {
		struct rv_client *client = server->clients[i];

		if (client && client->watching != RV_WATCH_NOT)
			put_event(server, client, client->watching == RV_WATCH_TEXT ? text : json,
				event->kind == REEVE_EVENT_EXIT);
	}
	if (event->kind == REEVE_EVENT_EXIT) {
		server->exit_seen = true;
		pthread_cond_broadcast(&server->changed);
	}
	pthread_mutex_unlock(&server->lock);
	rv_server_wake(server);
}
