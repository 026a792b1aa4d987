/* SPDX-License-Identifier: MIT */
/* Questions as words and as JSON, and answers from JSON. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "base/json_members.h"
#include "base/strbuf.h"
#include "policy/values.h"
#include "supervise/ask_private.h"
#include "supervise/domain_id.h"
#include "supervise/event_private.h"

/* ----------------------------------------------------------------------- for people */

/* The first row that fits says it. */
static const struct {
	uint64_t right;
	const char *verb;
} verbs[] = {
	{REEVE_FS_MAKE_DIR, "create the directory"},
	{REEVE_FS_MAKE_SYM, "create the symbolic link"},
	{REEVE_FS_MAKE_FIFO, "create the FIFO"},
	{REEVE_FS_MAKE_SOCK, "create the socket"},
	{REEVE_FS_MAKE_CHAR | REEVE_FS_MAKE_BLOCK, "create the device"},
	{REEVE_FS_MAKE_REG, "create the file"},
	{REEVE_FS_REMOVE_DIR, "remove the directory"},
	{REEVE_FS_REMOVE_FILE, "remove"},
	{REEVE_FS_READ_DIR, "list the directory"},
};

/* Of an open: what for. Truncating is a way of writing. */
static const char *verb_of_open(uint64_t rights)
{
	bool reads = rights & REEVE_FS_READ_FILE;
	bool writes = rights & (REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE);

	if (reads && writes)
		return "read and write";
	if (reads || writes)
		return reads ? "read" : "write";
	return rights & REEVE_FS_IOCTL_DEV ? "control the device" : "use";
}

static const char *verb_of(const struct reeve_question *q)
{
	if (q->object2)
		return q->call && strncmp(q->call, "link", 4) == 0 ? "link" : "move";
	for (size_t i = 0; i < RV_COUNT(verbs); i++)
		if (q->missing & verbs[i].right)
			return verbs[i].verb;
	return verb_of_open(q->missing);
}

/* The wishes that are not for a file, but through one. */
static const char *verb_of_path(const struct reeve_question *q)
{
	return q->missing == REEVE_FS_RESOLVE_UNIX ? "connect to the socket" : verb_of(q);
}

static void put_escaped(struct rv_strbuf *sb, const char *text)
{
	char escaped[1024]; /* longer names are cut: a screen has no room for them */

	rv_strbuf_puts(sb, rv_escape(escaped, sizeof(escaped), text, strlen(text)));
}

static void put_path_wish(struct rv_strbuf *sb, const struct reeve_question *q)
{
	rv_strbuf_printf(sb, "%s ", verb_of_path(q));
	put_escaped(sb, q->object);
	if (q->object2) {
		rv_strbuf_puts(sb, " to ");
		put_escaped(sb, q->object2);
	}
}

/* The first row that fits: a send needs to be bound besides, where it is not yet. */
static void put_net_wish(struct rv_strbuf *sb, const struct reeve_question *q)
{
	static const struct {
		uint64_t right;
		const char *verb;
	} rows[] = {
		{REEVE_NET_CONNECT_TCP, "connect by TCP to"},
		{REEVE_NET_BIND_TCP, "listen by TCP on"},
		{REEVE_NET_CONNECT_SEND_UDP, "send by UDP to"},
		{REEVE_NET_BIND_UDP, "receive by UDP on"},
	};

	for (size_t i = 0; i < RV_COUNT(rows); i++)
		if (q->missing & rows[i].right) {
			rv_strbuf_printf(sb, "%s %s", rows[i].verb, q->object);
			return;
		}
}

/* Families and types as people call them; others by their names, or numbers. */
static const char *word_of(enum rv_socket_part part, int number, char buf[static 16])
{
	static const struct {
		enum rv_socket_part part;
		int number;
		const char *word;
	} words[] = {
		{RV_SOCKET_FAMILY, AF_UNIX, "UNIX"},
		{RV_SOCKET_FAMILY, AF_INET, "IPv4"},
		{RV_SOCKET_FAMILY, AF_INET6, "IPv6"},
		{RV_SOCKET_TYPE, SOCK_DGRAM, "datagram"},
	};
	const char *name = rv_socket_name(part, number);

	for (size_t i = 0; i < RV_COUNT(words); i++)
		if (words[i].part == part && words[i].number == number)
			return words[i].word;
	snprintf(buf, 16, "%d", number);
	return name ? name : buf;
}

static void put_socket_wish(struct rv_strbuf *sb, const struct reeve_question *q)
{
	char family[16], type[16];

	rv_strbuf_printf(sb, "make a socket: %s %s (%s)%s",
		word_of(RV_SOCKET_FAMILY, q->socket_family, family),
		word_of(RV_SOCKET_TYPE, q->socket_type, type), q->object,
		q->is_unlimited ? ", and no rule limits what that reaches" : "");
}

int reeve_question_to_text(const struct reeve_question *q, char **ret)
{
	static void (*const wishes[])(struct rv_strbuf *, const struct reeve_question *) = {
		[REEVE_FS] = put_path_wish,
		[REEVE_NET] = put_net_wish,
		[REEVE_SOCKET] = put_socket_wish,
	};
	rv_autostrbuf sb = {0};

	put_escaped(&sb, q->comm[0] ? q->comm : "a program");
	rv_strbuf_printf(&sb, "[%d] wants to ", (int)q->pid);
	wishes[q->cls](&sb, q);
	return rv_strbuf_steal(&sb, ret);
}

/* ------------------------------------------------------------------------- to JSON */

static json_t *rights_to_json(enum reeve_class cls, uint64_t bits)
{
	const struct reeve_right_info *info;
	json_t *names = json_array();

	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		if (info->cls == cls && (bits & info->bit))
			json_array_append_new(names, json_string(info->full_name));
	return names;
}

static json_t *parents_to_json(const struct reeve_question *q)
{
	json_t *parents = json_array();

	for (size_t i = 0; i < q->parents_count; i++) {
		json_t *parent = json_pack("{s:i}", "pid", (int)q->parents[i].pid);

		rv_json_text(parent, "comm", q->parents[i].comm);
		json_array_append_new(parents, parent);
	}
	return parents;
}

/* The tables of a policy file, in one line; NULL: it cannot be granted so. */
static char *policy_line(const struct reeve_question *q, enum reeve_answer_scope scope)
{
	struct reeve_rule rules[REEVE_QUESTION_RULES];
	int count = reeve_question_rules(q, scope, rules);
	rv_autostrbuf sb = {0};
	char *line = NULL;

	for (int i = 0; i < count; i++) {
		rv_autofree char *toml = NULL;

		if (reeve_rule_to_toml(&rules[i], &toml) < 0)
			return NULL;
		for (char *p = toml; *p; p++)
			*p = *p == '\n' ? ' ' : *p;
		rv_strbuf_puts(&sb, toml);
	}
	if (sb.length)
		sb.text[--sb.length] = '\0';
	if (sb.text && rv_strbuf_steal(&sb, &line) < 0)
		return NULL;
	return line;
}

static json_t *lines_to_json(const struct reeve_question *q)
{
	json_t *lines = json_object();

	for (size_t i = 0; rv_scope_names[i]; i++) {
		rv_autofree char *line = policy_line(q, (enum reeve_answer_scope)i);

		if (line)
			json_object_set_new(lines, rv_scope_names[i], json_string(line));
	}
	return lines;
}

/* What the object is made of, where it is no path. */
static void put_parts(json_t *json, const struct reeve_question *q)
{
	if (q->address) {
		json_object_set_new(json, "address", json_string(q->address));
		json_object_set_new(json, "port", json_integer(q->port));
	}
	if (q->cls != REEVE_SOCKET)
		return;
	json_object_set_new(json, "family", json_integer(q->socket_family));
	json_object_set_new(json, "socketType", json_integer(q->socket_type));
	json_object_set_new(json, "protocol", json_integer(q->socket_protocol));
}

static json_t *question_to_json(const struct reeve_question *q, const char *save)
{
	char id[RV_DOMAIN_ID_SIZE];
	rv_autofree char *text = NULL;
	json_t *json = json_pack("{s:i, s:I, s:s, s:i, s:i, s:i, s:i, s:b}", "version", 1,
		"question", (json_int_t)q->id, "domain", rv_domain_id_format(q->domain, id), "pid",
		(int)q->pid, "tid", (int)q->tid, "waiting", (int)q->waiting, "questions",
		(int)q->questions, "objectIsDirectory", q->object_is_directory);

	rv_json_text(json, "comm", q->comm);
	rv_json_text(json, "exe", q->exe);
	json_object_set_new(json, "parents", parents_to_json(q));
	rv_json_text(json, "call", q->call);
	json_object_set_new(json, "class", json_string(reeve_class_name(q->cls)));
	json_object_set_new(json, "asked", rights_to_json(q->cls, q->asked));
	json_object_set_new(json, "missing", rights_to_json(q->cls, q->missing));
	rv_json_text(json, "object", q->object);
	rv_json_text(json, "object2", q->object2);
	rv_json_text(json, "directory", q->directory);
	rv_json_text(json, "tree", q->tree);
	put_parts(json, q);
	json_object_set_new(json, "policyLines", lines_to_json(q));
	rv_json_text(json, "policyFile", save);
	if (reeve_question_to_text(q, &text) == 0)
		rv_json_text(json, "text", text);
	return json;
}

int reeve_question_to_json(const struct reeve_question *q, const char *save, char **ret)
{
	json_t *json = question_to_json(q, save);
	/* ASCII: nothing in it can do something to a terminal. */
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(json);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

/* ----------------------------------------------------------------------- from JSON */

/* The place of a member's value among words that end with NULL; absent: 0. -EINVAL. */
static int word_in(
	const json_t *json, const char *key, const char *const words[], struct reeve_error *err)
{
	const json_t *value = json_object_get(json, key);
	rv_autostrbuf expected = {0};

	for (int i = 0; value && words[i]; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0)
			return i;
		rv_strbuf_printf(&expected, "%s\"%s\"", i ? ", " : "", words[i]);
	}
	return value ? rv_error(err, -EINVAL, "%s: expected one of %s", key, expected.text) : 0;
}

static int read_words(const json_t *json, struct reeve_answer *ret, struct reeve_error *err)
{
	static const char *const answers[] = {"deny", "allow", NULL}, *const terms[] = {"once",
									      "session", "duration",
									      NULL};
	int allow = word_in(json, "answer", answers, err), scope, term;

	if (allow >= 0 && !json_object_get(json, "answer"))
		return rv_error(err, -EINVAL, "answer: expected \"allow\" or \"deny\"");
	scope = allow < 0 ? allow : word_in(json, "scope", rv_scope_names, err);
	term = scope < 0 ? scope : word_in(json, "term", terms, err);
	if (term < 0)
		return term;
	ret->allow = allow;
	ret->scope = (enum reeve_answer_scope)scope;
	ret->term = (enum reeve_answer_term)term;
	return 0;
}

static int answer_of_json(const json_t *json, const char *save, struct reeve_answer *ret,
	uint64_t *ret_question, struct reeve_error *err)
{
	const json_t *question = json_object_get(json, "question");
	const json_t *milliseconds = json_object_get(json, "milliseconds");
	const json_t *saved = json_object_get(json, "save"), *tree = json_object_get(json, "tree");

	if (!json_is_integer(question) || json_integer_value(question) <= 0)
		return rv_error(err, -EINVAL, "question: expected the number of a question");
	if (milliseconds &&
		(!json_is_integer(milliseconds) || json_integer_value(milliseconds) <= 0))
		return rv_error(err, -EINVAL, "milliseconds: expected a number above 0");
	if (saved && !json_is_boolean(saved))
		return rv_error(err, -EINVAL, "save: expected true or false");
	if (tree && !json_is_string(tree))
		return rv_error(err, -EINVAL, "tree: expected a path");
	if (json_is_true(saved) && !save) {
		rv_error(err, -EOPNOTSUPP, "there is no policy file to save it to");
		rv_error_hint(err, "start the program with -p FILE");
		return -EOPNOTSUPP;
	}
	*ret_question = (uint64_t)json_integer_value(question);
	ret->milliseconds = (uint64_t)json_integer_value(milliseconds);
	ret->save = json_is_true(saved) ? save : NULL;
	ret->tree = json_string_value(tree);
	return read_words(json, ret, err);
}

int reeve_supervisor_answer_json(struct reeve_supervisor *supervisor, const char *text,
	const char *by, const char *save, struct reeve_error *err)
{
	struct reeve_answer answer = {.size = sizeof(answer), .by = by};
	static const char *const known[] = {"request", "question", "answer", "scope", "tree",
		"term", "milliseconds", "save", NULL};
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	uint64_t question = 0;
	int r = json_is_object(json)
			? rv_json_members(json, known, err)
			: rv_error(err, -EINVAL, "an answer is a JSON object in one line");

	if (r == 0)
		r = answer_of_json(json, save, &answer, &question, err);
	if (r == 0)
		r = reeve_supervisor_answer(supervisor, question, &answer, err);
	json_decref(json);
	return r;
}
