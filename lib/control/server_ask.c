/* SPDX-License-Identifier: MIT */
/* Questions to clients, and their answers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "control/server.h"

/* From the thread of questions. A client that does not read is not asked any more. */
static void tell(struct rv_client *client, const char *line)
{
	struct reeve_control_server *server = client->server;

	pthread_mutex_lock(&server->lock);
	if (!line || rv_client_pending(client) + client->early.length > RV_CLIENT_QUESTIONS)
		shutdown(client->fd, SHUT_RDWR); /* seen as its end by the server's thread */
	else if (client->may_be_told)
		rv_client_put_locked(client, line);
	else
		rv_strbuf_puts(&client->early, line);
	pthread_mutex_unlock(&server->lock);
	rv_server_wake(server);
}

static void on_asked(void *data, const struct reeve_question *question)
{
	struct rv_client *client = data;
	rv_autofree char *json = NULL;
	rv_autostrbuf line = {0};

	if (reeve_question_to_json(question, client->server->policy_file, &json) < 0) {
		tell(client, NULL);
		return;
	}
	rv_strbuf_printf(&line, "%s\n", json);
	tell(client, line.text);
}

static void on_gone(void *data, uint64_t id)
{
	json_t *message = rv_message_new();
	rv_autofree char *line = NULL;

	json_object_set_new(message, "gone", json_integer((json_int_t)id));
	line = rv_message_line(message);
	tell(data, line);
}

int rv_serve_ask(struct rv_asked *asked, struct reeve_error *err)
{
	const struct reeve_approver approver = {.size = sizeof(approver),
		.asked = on_asked,
		.gone = on_gone,
		.data = asked->client};
	int id;

	if (asked->client->approver)
		return rv_error(err, -EALREADY, "this client is asked already");
	id = reeve_supervisor_ask(asked->server->supervisor, &approver, err);
	if (id < 0)
		return id;
	asked->client->approver = id;
	rv_message_text(asked->answer, "policyFile", asked->server->policy_file);
	return 0;
}

void rv_client_ask_end(struct rv_client *client)
{
	if (client->approver)
		reeve_supervisor_ask_end(client->server->supervisor, client->approver);
	client->approver = 0;
}

int rv_serve_answer(struct rv_asked *asked, struct reeve_error *err)
{
	rv_autofree char *json = json_dumps(asked->request, JSON_COMPACT);

	if (!json)
		return rv_error(err, -ENOMEM, "out of memory");
	return reeve_supervisor_answer_json(
		asked->server->supervisor, json, asked->by, asked->server->policy_file, err);
}

struct listing {
	json_t *array;
	const char *save;
};

static int add_question(void *data, const struct reeve_question *question)
{
	struct listing *listing = data;
	rv_autofree char *json = NULL;

	if (reeve_question_to_json(question, listing->save, &json) < 0)
		return -ENOMEM;
	return json_array_append_new(listing->array, json_loads(json, 0, NULL)) < 0 ? -ENOMEM : 0;
}

int rv_serve_questions(struct rv_asked *asked, struct reeve_error *err)
{
	struct listing listing = {json_array(), asked->server->policy_file};
	int r = reeve_supervisor_questions(asked->server->supervisor, add_question, &listing);

	json_object_set_new(asked->answer, "questions", listing.array);
	return r < 0 ? rv_error(err, r, "cannot list the questions: %s", strerror(-r)) : 0;
}
