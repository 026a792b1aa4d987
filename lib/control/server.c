/* SPDX-License-Identifier: MIT */
/* The server's life and its loop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include "base/error.h"
#include "base/options.h"
#include "control/server.h"
#include "supervise/member.h"

/* How long an end waits for the last event, and for clients to take what is left for them. */
#define LAST_EVENT_MS 500
#define DRAIN_MS      1000

/* -------------------------------------------------------------------------- loop */

static void accept_into(struct reeve_control_server *server, size_t slot, int fd)
{
	struct rv_client *client = rv_client_new(server, fd);

	pthread_mutex_lock(&server->lock);
	server->clients[slot] = client;
	pthread_mutex_unlock(&server->lock);
}

static void refuse_full(int fd)
{
	struct reeve_error err = {0};
	rv_autofree char *line = NULL;

	rv_error(&err, -EBUSY, "this domain has %d control clients, and serves no more",
		RV_CLIENTS_MAX);
	line = rv_message_line(rv_message_error(&err));
	if (line)
		send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* Out of descriptors, the client would stay in the queue and poll(2) would never wait. */
static void drop_one(struct reeve_control_server *server)
{
	int fd;

	rv_close_p(&server->reserve_fd);
	fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
	rv_close_p(&fd);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_one(struct reeve_control_server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			drop_one(server);
		return;
	}
	for (size_t i = 0; i < RV_CLIENTS_MAX; i++)
		if (!server->clients[i]) {
			accept_into(server, i, fd);
			return;
		}
	refuse_full(fd);
}

static void end_client(struct reeve_control_server *server, size_t slot)
{
	struct rv_client *client = server->clients[slot];
	bool watched = false;
	int subscription = server->subscription;

	pthread_mutex_lock(&server->lock);
	server->clients[slot] = NULL;
	for (size_t i = 0; i < RV_CLIENTS_MAX; i++)
		watched |= server->clients[i] && server->clients[i]->watching != RV_WATCH_NOT;
	pthread_mutex_unlock(&server->lock);
	rv_client_free(client);
	/* Not under the lock: it waits for a callback that wants it. */
	if (!watched && subscription) {
		reeve_supervisor_unsubscribe(server->supervisor, subscription);
		server->subscription = 0;
	}
}

static void serve_client(struct reeve_control_server *server, size_t slot, short revents)
{
	struct rv_client *client = server->clients[slot];

	if (revents & POLLIN)
		rv_client_read(server, client);
	if (revents & (POLLERR | POLLNVAL))
		client->closing = true;
	rv_client_write(server, client);
	if (revents & (POLLERR | POLLHUP | POLLNVAL) && !(revents & POLLIN))
		end_client(server, slot);
	else if (client->closing && !(rv_client_events(server, client) & POLLOUT))
		end_client(server, slot);
}

struct polled {
	struct pollfd fds[RV_CLIENTS_MAX + 2];
	size_t slots[RV_CLIENTS_MAX + 2]; /* the client of each */
	nfds_t count;
};

static void prepare(struct reeve_control_server *server, struct polled *polled, bool draining)
{
	polled->count = 0;
	polled->fds[polled->count++] = (struct pollfd){server->wake_fd, POLLIN, 0};
	polled->fds[polled->count++] = (struct pollfd){draining ? -1 : server->listener, POLLIN, 0};
	for (size_t i = 0; i < RV_CLIENTS_MAX; i++) {
		struct rv_client *client = server->clients[i];
		short events = client ? rv_client_events(server, client) : 0;

		if (!client || (draining && !(events & POLLOUT)))
			continue;
		polled->slots[polled->count] = i;
		polled->fds[polled->count++] =
			(struct pollfd){client->fd, draining ? POLLOUT : events, 0};
	}
}

static int enter(struct reeve_control_server *server, struct reeve_error *err);

/* Whether to go on. */
static bool enter_late(struct reeve_control_server *server)
{
	struct pollfd wake = {.fd = server->wake_fd, .events = POLLIN};

	if (server->entered)
		return true;
	return poll(&wake, 1, (int)server->after_ms) == 0 && enter(server, &server->late) == 0;
}

static void *serve(void *data)
{
	struct reeve_control_server *server = data;
	struct polled polled;

	if (!enter_late(server))
		return NULL;
	while (!server->stopping) {
		uint64_t woken;

		prepare(server, &polled, false);
		if (poll(polled.fds, polled.count, -1) < 0)
			continue;
		if (polled.fds[0].revents && read(server->wake_fd, &woken, sizeof(woken)) < 0)
			continue;
		for (nfds_t i = 2; i < polled.count; i++)
			if (polled.fds[i].revents)
				serve_client(server, polled.slots[i], polled.fds[i].revents);
		if (polled.fds[1].revents)
			accept_one(server);
	}
	return NULL;
}

/* ------------------------------------------------------------------------ starting */

/* `ps` shows it; what is not UTF-8 is escaped, and a novel is cut. */
static json_t *argv_to_json(char *const *argv)
{
	json_t *array = json_array();
	size_t left = 16384;

	for (; argv && *argv && left > 0; argv++) {
		size_t length = strnlen(*argv, left);
		rv_autofree char *word = strndup(*argv, length);
		json_t *holder = json_object();

		if (word)
			rv_message_text(holder, "word", word);
		json_array_append(array, json_object_get(holder, "word"));
		json_decref(holder);
		left -= length < left ? length + 1 : left;
	}
	return array;
}

static int check_name(const char *name, struct reeve_error *err)
{
	json_t *text = name ? json_string(name) : json_null();

	json_decref(text);
	if (name && !text)
		return rv_error(err, -EINVAL, "--name %s: expected UTF-8", rv_q(name));
	if (name && (!*name || strlen(name) > 128))
		return rv_error(err, -EINVAL, "--name \"%s\": expected 1 to 128 bytes", rv_q(name));
	return 0;
}

static uint64_t count_static(const struct reeve_ruleset *ruleset)
{
	struct reeve_rule rule;
	uint64_t count = 0;

	for (size_t i = 0; ruleset && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		count += !(rule.flags & REEVE_RULE_LIVE);
	return count;
}

static int fill_in(struct reeve_control_server *server, struct reeve_supervisor *supervisor,
	const struct reeve_control_options *options, struct reeve_error *err)
{
	server->supervisor = supervisor;
	server->ruleset = reeve_ruleset_ref((struct reeve_ruleset *)options->ruleset);
	server->name = options->name ? strdup(options->name) : NULL;
	server->enforced = options->plan ? rv_enforced_new(options->plan) : NULL;
	server->policy_file = options->policy_file ? strdup(options->policy_file) : NULL;
	server->reload = options->reload;
	server->reload_data = options->reload_data;
	server->argv = argv_to_json(options->argv);
	rv_entry_of_self(rv_supervisor_certificate(supervisor), &server->entry);
	server->entry.board = rv_session_board(supervisor);
	server->entry.rules = count_static(options->ruleset);
	server->entry.name = server->name;
	server->is_all_below = options->is_all_below;
	server->after_ms = options->after_ms;
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!server->argv || (options->name && !server->name) ||
		(options->policy_file && !server->policy_file) ||
		(options->plan && !server->enforced))
		return rv_error(err, -ENOMEM, "out of memory");
	if (server->wake_fd < 0)
		return rv_error(err, -errno, "eventfd: %s", strerror(errno));
	return 0;
}

static int same_name(void *data, const struct rv_entry *entry)
{
	return entry->name && strcmp(entry->name, data) == 0;
}

/* Nobody could believe a supervisor that cannot tell who it is. */
static int know_ourselves(struct reeve_control_server *server, struct reeve_error *err)
{
	if (!server->entry.start)
		return rv_error(err, -ENOENT, "/proc/self/stat cannot be read");
	server->own_filters = rv_own_filters();
	return 0;
}

/* The entry, and where it is found by pid. */
static int write_entry(struct reeve_control_server *server)
{
	char name[RV_ENTRY_NAME];
	json_t *entry = rv_entry_to_json(&server->entry, server->argv);
	int statement = -1;

	server->entry_fd = rv_registry_write(
		&server->registry, rv_entry_name(server->entry.domain, ".json", name), entry);
	json_decref(entry);
	if (server->entry_fd < 0)
		return server->entry_fd;
	/* Who does not see it asks. */
	if (server->is_all_below &&
		rv_registry_state_all_below(server->entry_fd, server->entry.domain) == 0)
		statement = server->entry_fd;
	return rv_registry_certify(&server->registry, &server->entry.certificate, statement);
}

/* The lock makes two starts with one name see each other. */
static int enter(struct reeve_control_server *server, struct reeve_error *err)
{
	const struct rv_registry *registry = &server->registry;
	rv_autoclose int lock = -1;
	char name[RV_ENTRY_NAME];
	int r = know_ourselves(server, err);

	if (r < 0)
		return r;
	lock = rv_registry_lock(registry, false);
	if (lock >= 0 && server->name && rv_registry_each(registry, same_name, server->name) > 0)
		return rv_error(err, -EADDRINUSE, "--name %s: a running domain has this name",
			rv_q(server->name));
	server->listener = lock < 0 ? lock : rv_registry_listen(registry, server->entry.domain);
	if (server->listener < 0)
		return rv_error(err, server->listener, "%s: cannot make the control socket: %s",
			rv_q(registry->path), strerror(-server->listener));
	r = write_entry(server);
	if (r == 0 && asprintf(&server->path, "%s/%s", registry->path,
			      rv_entry_name(server->entry.domain, ".sock", name)) < 0)
		r = -ENOMEM;
	if (r < 0) {
		rv_registry_remove(registry, &server->entry.certificate);
		return rv_error(err, r, "%s: %s", rv_q(registry->path), strerror(-r));
	}
	server->entered = true;
	return 0;
}

static int run_thread(struct reeve_control_server *server, struct reeve_error *err)
{
	sigset_t all, saved;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	r = pthread_create(&server->thread, NULL, serve, server);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (r == 0)
		return 0;
	if (server->entered)
		rv_registry_remove(&server->registry, &server->entry.certificate);
	return rv_error(err, -r, "cannot start a thread: %s", strerror(r));
}

static void free_server(struct reeve_control_server *server)
{
	for (size_t i = 0; i < RV_CLIENTS_MAX; i++)
		rv_client_free(server->clients[i]);
	rv_close_p(&server->listener);
	rv_close_p(&server->entry_fd);
	rv_close_p(&server->wake_fd);
	rv_close_p(&server->reserve_fd);
	rv_registry_close(&server->registry);
	reeve_ruleset_free(server->ruleset);
	json_decref(server->argv);
	pthread_cond_destroy(&server->changed);
	pthread_mutex_destroy(&server->lock);
	free(server->name);
	free(server->policy_file);
	free(server->enforced);
	free(server->path);
	free(server);
}

int reeve_control_serve(struct reeve_supervisor *supervisor,
	const struct reeve_control_options *given, struct reeve_control_server **ret,
	struct reeve_error *err)
{
	struct reeve_control_options options = {0};
	struct reeve_control_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return rv_error(err, -ENOMEM, "out of memory");
	server->listener = server->entry_fd = server->wake_fd = server->reserve_fd =
		server->registry.fd = -1;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->changed, NULL);
	r = rv_options_take(&options, sizeof(options), given, err);
	if (r == 0)
		r = check_name(options.name, err);
	if (r == 0)
		r = fill_in(server, supervisor, &options, err);
	if (r == 0)
		r = rv_registry_open(true, &server->registry, err);
	if (r == 0 && !server->after_ms)
		r = enter(server, err);
	if (r == 0)
		r = run_thread(server, err);
	if (r < 0) {
		free_server(server);
		return r;
	}
	*ret = server;
	return 0;
}

const char *reeve_control_path(const struct reeve_control_server *server)
{
	return server->path;
}

/* -------------------------------------------------------------------------- ending */

static struct timespec after(clockid_t clock, long milliseconds)
{
	struct timespec time;

	clock_gettime(clock, &time);
	time.tv_nsec += milliseconds % 1000 * 1000000;
	time.tv_sec += milliseconds / 1000 + time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

/* Who watches wants to see the end, which may still be in the supervisor's queue. */
static void await_last_event(struct reeve_control_server *server)
{
	struct timespec deadline = after(CLOCK_REALTIME, LAST_EVENT_MS);
	int r = 0;

	pthread_mutex_lock(&server->lock);
	while (server->subscription && !server->exit_seen && r == 0)
		r = pthread_cond_timedwait(&server->changed, &server->lock, &deadline);
	pthread_mutex_unlock(&server->lock);
}

static long milliseconds_until(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (deadline->tv_sec - now.tv_sec) * 1000 + (deadline->tv_nsec - now.tv_nsec) / 1000000;
}

/* Gives what is left to those who take it. The thread has ended. */
static void drain(struct reeve_control_server *server)
{
	struct timespec deadline = after(CLOCK_MONOTONIC, DRAIN_MS);
	struct polled polled;
	long left;

	while ((left = milliseconds_until(&deadline)) > 0) {
		prepare(server, &polled, true);
		polled.fds[0].fd = -1;
		if (polled.count == 2 || poll(polled.fds, polled.count, (int)left) == 0)
			return;
		for (nfds_t i = 2; i < polled.count; i++)
			if (polled.fds[i].revents)
				serve_client(server, polled.slots[i], polled.fds[i].revents);
	}
}

static void write_record(struct reeve_control_server *server)
{
	json_t *record = rv_denials_message(server);

	if (record &&
		(server->entered || json_array_size(json_object_get(record, "denials")) > 0)) {
		json_object_set_new(record, "ended", json_true());
		rv_record_write(&server->registry, server->entry.domain, record);
	}
	json_decref(record);
}

int reeve_control_stop(struct reeve_control_server *server, struct reeve_error *err)
{
	uint64_t one = 1;
	int r;

	if (!server)
		return 0;
	await_last_event(server);
	server->stopping = true;
	while (write(server->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(server->thread, NULL);
	/* First the entry, so that nobody finds a socket that refuses. */
	if (server->entered)
		rv_registry_remove(&server->registry, &server->entry.certificate);
	if (server->subscription)
		reeve_supervisor_unsubscribe(server->supervisor, server->subscription);
	server->subscription = 0;
	drain(server);
	write_record(server);
	r = server->late.code;
	if (r && err)
		*err = server->late;
	free_server(server);
	return r;
}
