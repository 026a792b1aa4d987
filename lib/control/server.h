/* SPDX-License-Identifier: MIT */
/*
 * The control server of one domain: a thread that reads requests and answers them. Events come from
 * the supervisor's event thread, which only puts lines into the buffers of those who watch: a
 * buffer that is full loses them, and says so later.
 */
#ifndef RV_CONTROL_SERVER_H
#define RV_CONTROL_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/strbuf.h"
#include "control/protocol.h"
#include "control/registry.h"
#include "supervise/domain_id.h"

#define RV_CLIENTS_MAX 64
#define RV_CLIENT_PENDING                                                                          \
	(256u << 10) /* bytes that wait for a client: no events, no requests then */

enum rv_watch { RV_WATCH_NOT, RV_WATCH_JSON, RV_WATCH_TEXT };

struct rv_client {
	int fd; /* -1: gone */
	uid_t uid;
	char *in; /* what has been read of the next lines */
	size_t in_length, in_size;
	_Atomic bool closing;	       /* once all is written */
	enum rv_watch starts_watching; /* behind the answer */

	/* Guarded by the server's lock. */
	struct rv_strbuf out;
	size_t written; /* of out */
	enum rv_watch watching;
	uint64_t lost;
};

struct reeve_control_server {
	struct reeve_supervisor *supervisor;
	struct reeve_ruleset *ruleset; /* or NULL */
	struct rv_registry registry;
	struct rv_entry entry;
	char *name;
	json_t *argv;
	char *path;
	unsigned int own_filters; /* seccomp filters on ourselves */

	pthread_t thread;
	int listener, wake_fd, reserve_fd;
	_Atomic bool stopping;
	struct rv_client *clients[RV_CLIENTS_MAX]; /* only the thread changes which there are */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic int subscription; /* 0: nobody watches */
	bool exit_seen;
};

/* ---- clients: server_client.c */

/* Greets, or says why not. Takes the fd. NULL: nobody to serve. */
struct rv_client *rv_client_new(struct reeve_control_server *server, int fd);
void rv_client_free(struct rv_client *client);
/* Appends a line, and frees it. NULL: no memory, the connection ends. */
void rv_client_put(struct reeve_control_server *server, struct rv_client *client, char *line);
/* Reads and serves what is there. */
void rv_client_read(struct reeve_control_server *server, struct rv_client *client);
void rv_client_write(struct reeve_control_server *server, struct rv_client *client);
/* What to poll(2) for. */
short rv_client_events(struct reeve_control_server *server, struct rv_client *client);
/* Gives an event to those who watch. From the event thread. */
void rv_clients_event(void *server, const struct reeve_event *event);

/* ---- who may: server_peer.c */

/* -EPERM, with the reason; `fd` is connected. */
int rv_peer_check(
	const struct reeve_control_server *server, int fd, uid_t *ret_uid, struct reeve_error *err);
/* Seccomp filters on a thread; UINT_MAX: cannot be told. */
unsigned int rv_own_filters(void);

/* ---- what: server_verbs.c */

/* Answers one request; NULL: no memory. */
json_t *rv_serve_request(
	struct reeve_control_server *server, struct rv_client *client, const json_t *request);
/* {"denials": [...], ...}: an answer, and the record. */
json_t *rv_denials_message(struct reeve_control_server *server);

#endif /* RV_CONTROL_SERVER_H */
