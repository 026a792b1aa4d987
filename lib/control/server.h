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
#include "supervise/board.h"
#include "supervise/domain_id.h"

#define RV_CLIENTS_MAX 64
#define RV_CLIENT_PENDING                                                                          \
	(256u << 10) /* bytes that wait for a client: no events, no requests then */

/* Bytes of questions that wait for a client: who does not read them is not asked any more. */
#define RV_CLIENT_QUESTIONS (8u << 20)

enum rv_watch { RV_WATCH_NOT, RV_WATCH_JSON, RV_WATCH_TEXT };

struct rv_client {
	struct reeve_control_server *server;
	int fd; /* -1: gone */
	uid_t uid;
	char *in; /* what has been read of the next lines */
	size_t in_length, in_size;
	int passed_fd;		       /* came with the next request; -1: none */
	_Atomic bool closing;	       /* once all is written */
	enum rv_watch starts_watching; /* behind the answer */

	/* Guarded by the server's lock. */
	struct rv_strbuf out;
	size_t written; /* of out */
	enum rv_watch watching;
	uint64_t lost;
	int approver;		/* as which it is asked; 0: it is not */
	bool may_be_told;	/* the answer to "ask" is in `out` */
	struct rv_strbuf early; /* questions that were faster */
};

/* What a plan says of who enforces what; in one piece. */
struct rv_enforced {
	size_t count;
	struct reeve_plan_item items[];
};

/* One request on its way. */
struct rv_asked {
	struct reeve_control_server *server;
	struct rv_client *client;
	const json_t *request;
	char by[32];
	json_t *answer; /* "ok" is set */
};

struct reeve_control_server {
	struct reeve_supervisor *supervisor;
	struct reeve_ruleset *ruleset; /* or NULL */
	struct rv_enforced *enforced;  /* the same */
	struct rv_registry registry;
	struct rv_entry entry;
	char *name, *policy_file; /* or NULL */
	int (*reload)(
		void *data, const char *by, struct reeve_reload *ret, struct reeve_error *err);
	void *reload_data;
	json_t *argv;
	char *path;
	unsigned int own_filters; /* seccomp filters on ourselves */

	pthread_t thread;
	int listener, entry_fd, wake_fd, reserve_fd; /* entry_fd: it holds a lock */
	_Atomic bool stopping;
	bool is_all_below;     /* what its options state */
	unsigned int after_ms; /* when to enter the registry */
	bool entered;
	struct reeve_error late;		   /* why it could not be entered then */
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
/* The same with the lock, and the caller frees. */
void rv_client_put_locked(struct rv_client *client, const char *line);
size_t rv_client_pending(const struct rv_client *client);
void rv_server_wake(struct reeve_control_server *server);
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
/* server_member.c */
int rv_serve_member(struct rv_asked *asked, struct reeve_error *err);
int rv_serve_status(struct rv_asked *asked, struct reeve_error *err);
/* Appends it, with all that is known of it, to a JSON array. */
int rv_add_live_rule(void *array, const struct reeve_live_rule *live);
/* server_inspect.c */
int rv_serve_inspect(struct rv_asked *asked, struct reeve_error *err);
struct rv_enforced *rv_enforced_new(const struct reeve_plan *plan); /* NULL: no memory */
/* server_ask.c */
int rv_serve_ask(struct rv_asked *asked, struct reeve_error *err);
int rv_serve_answer(struct rv_asked *asked, struct reeve_error *err);
int rv_serve_questions(struct rv_asked *asked, struct reeve_error *err);
void rv_client_ask_end(struct rv_client *client); /* not with the lock: waits for a call */
/* {"denials": [...], ...}: an answer, and the record. */
json_t *rv_denials_message(struct reeve_control_server *server);

#endif /* RV_CONTROL_SERVER_H */
