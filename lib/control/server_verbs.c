/* SPDX-License-Identifier: MIT */
/* What can be asked of a domain. A request is answered whole, and one that changes rules is one
 * commit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/json_members.h"
#include "control/server.h"

#define RULES_MAX 16384 /* of one request */

/* ------------------------------------------------------------------ reading rules */

struct rules {
	struct reeve_rule *items; /* paths are ours */
	size_t count;
};

static void release_rules(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free((char *)rules->items[i].path);
	free(rules->items);
}

static int read_rules(const struct rv_asked *asked, struct rules *rules, struct reeve_error *err)
{
	const json_t *array = json_object_get(asked->request, "rules");
	size_t count = json_array_size(array);
	int r = 0;

	if (count == 0 || count > RULES_MAX)
		return rv_error(
			err, -EINVAL, "rules: expected an array of 1 to %d rules", RULES_MAX);
	rules->items = calloc(count, sizeof(*rules->items));
	if (!rules->items)
		return rv_error(err, -ENOMEM, "out of memory");
	while (r == 0 && rules->count < count) {
		r = rv_rule_of_json(
			json_array_get(array, rules->count), &rules->items[rules->count], err);
		rules->count += r == 0;
	}
	return r;
}

/* The rights that the domain's policy restricts at all. */
static struct reeve_rights handled_by(const struct reeve_control_server *server)
{
	struct reeve_rights handled = {{0}};

	for (int cls = 0; !server->ruleset && cls < REEVE_CLASS_COUNT; cls++)
		handled.of[cls] = reeve_rights_of_abi((enum reeve_class)cls, REEVE_ABI_MAX);
	if (!server->ruleset)
		handled.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE;
	else
		reeve_ruleset_handled(server->ruleset, &handled);
	/* What the scope denies, a rule on the socket's file allows. */
	if (handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET)
		handled.of[REEVE_FS] |= REEVE_FS_RESOLVE_UNIX;
	return handled;
}

/* What of a rule the policy restricts. */
static uint64_t restricted(const struct rv_asked *asked, const struct reeve_rule *rule)
{
	return rule->allowed & handled_by(asked->server).of[reeve_rule_class(rule->type)];
}

/* Tries all rules on a scratch ruleset: their objects must be sound even where nothing is left. */
static int check_rules(
	const struct rv_asked *asked, const struct rules *rules, struct reeve_error *err)
{
	struct reeve_ruleset *scratch = NULL;
	struct reeve_rights all = {{0}};
	int r;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		all.of[cls] = reeve_rights_of_abi((enum reeve_class)cls, REEVE_ABI_MAX);
	all.of[REEVE_SOCKET] = REEVE_SOCKET_CREATE;
	r = reeve_ruleset_new(&all, &scratch);
	for (size_t i = 0; i < rules->count && r == 0; i++) {
		struct reeve_rule rule = rules->items[i];

		/* For a revocation nothing means all. */
		if (!restricted(asked, &rule))
			rule.allowed = all.of[reeve_rule_class(rule.type)];
		r = reeve_ruleset_add(scratch, &rule, err);
	}
	reeve_ruleset_free(scratch);
	return r;
}

static int check_execute(const struct rules *rules, struct reeve_error *err)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].path && (rules->items[i].allowed & REEVE_FS_EXECUTE))
			return rv_error(err, -EOPNOTSUPP,
				"%s: nothing can add execute to a running domain",
				rv_q(rules->items[i].path));
	return 0;
}

/* ---------------------------------------------------------------- changing rules */

static int live_options(
	struct rv_asked *asked, struct reeve_live_options *ret, struct reeve_error *err)
{
	const json_t *milliseconds = json_object_get(asked->request, "milliseconds");
	const json_t *once = json_object_get(asked->request, "once");

	*ret = (struct reeve_live_options){.size = sizeof(*ret), .by = asked->by};
	if (milliseconds &&
		(!json_is_integer(milliseconds) || json_integer_value(milliseconds) <= 0))
		return rv_error(err, -EINVAL, "milliseconds: expected a number above 0");
	if (once && !json_is_boolean(once))
		return rv_error(err, -EINVAL, "once: expected true or false");
	ret->milliseconds = (uint64_t)json_integer_value(milliseconds);
	ret->once = json_is_true(once);
	return 0;
}

/*
 * Sockets that come along with ports which the policy does not restrict would reach any port, not
 * those that were named.
 */
static int check_ports(
	const struct rv_asked *asked, const struct rules *rules, struct reeve_error *err)
{
	uint64_t open = 0;
	bool sockets = false;
	char names[64];

	for (size_t i = 0; i < rules->count; i++) {
		const struct reeve_rule *rule = &rules->items[i];

		if (reeve_rule_class(rule->type) == REEVE_NET)
			open |= rule->allowed & ~restricted(asked, rule);
		sockets |= rule->type == REEVE_RULE_SOCKET && restricted(asked, rule);
	}
	if (!open || !sockets)
		return 0;
	rv_error(err, -EOPNOTSUPP,
		"this domain's policy restricts sockets and not %s: what these rules name would be "
		"allowed anywhere",
		reeve_rights_format(REEVE_NET, open, names, sizeof(names)));
	rv_error_hint(err, "start the program anew with these rules; or allow the sockets "
			   "themselves, as with `--socket inet:dgram`");
	return -EOPNOTSUPP;
}

/* In one commit, or not at all. */
static int grant_all(struct rv_asked *asked, struct rules *rules,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	struct reeve_supervisor *supervisor = asked->server->supervisor;
	rv_autofree struct reeve_rule *left = calloc(rules->count, sizeof(*left));
	size_t count = 0;

	if (!left)
		return rv_error(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < rules->count; i++) {
		left[count] = rules->items[i];
		left[count].allowed = restricted(asked, &rules->items[i]);
		count += left[count].allowed != 0;
	}
	if (count == 0)
		return rv_error(err, -EINVAL,
			"this domain's policy does not restrict what these rules would allow");
	return reeve_supervisor_grant(supervisor, left, count, options, err);
}

static int serve_allow(struct rv_asked *asked, struct reeve_error *err)
{
	struct reeve_live_options options;
	struct rules rules = {0};
	int r = read_rules(asked, &rules, err);

	if (r == 0)
		r = live_options(asked, &options, err);
	if (r == 0)
		r = check_execute(&rules, err);
	if (r == 0)
		r = check_rules(asked, &rules, err);
	if (r == 0)
		r = check_ports(asked, &rules, err);
	if (r == 0)
		r = grant_all(asked, &rules, &options, err);
	release_rules(&rules);
	return r;
}

static int revoke_all(struct rv_asked *asked, const struct rules *rules, struct reeve_error *err)
{
	json_int_t touched = 0;

	for (size_t i = 0; i < rules->count; i++) {
		struct reeve_rule rule = rules->items[i];
		int r;

		rule.allowed = restricted(asked, &rule);
		if (rule.path)
			rule.allowed &= ~REEVE_FS_EXECUTE;
		if (rule.allowed == 0 && rules->items[i].allowed != 0)
			continue; /* else it would mean all */
		r = reeve_supervisor_stage_revoke(asked->server->supervisor, &rule, err);
		if (r < 0)
			return r;
		touched += r;
	}
	json_object_set_new(asked->answer, "touched", json_integer(touched));
	return 0;
}

/* Unlike an `allow`, it may name any right: what is not granted need not be taken. */
static int serve_revoke(struct rv_asked *asked, struct reeve_error *err)
{
	struct rules rules = {0};
	int r = read_rules(asked, &rules, err);

	if (r == 0)
		r = check_rules(asked, &rules, err);
	if (r == 0)
		r = revoke_all(asked, &rules, err);
	if (r == 0)
		r = reeve_supervisor_commit(asked->server->supervisor, asked->by, err);
	release_rules(&rules);
	return r;
}

static int serve_reload(struct rv_asked *asked, struct reeve_error *err)
{
	struct reeve_reload done = {.size = sizeof(done)};
	json_t *fixed = json_array();
	int r;

	if (!asked->server->reload)
		r = rv_error(err, -EOPNOTSUPP, "this domain cannot load its policy again");
	else
		r = asked->server->reload(asked->server->reload_data, asked->by, &done, err);
	/* A file that is not there is not the domain: clients look at the number. */
	if (r == -ENOENT || r == -EEXIST)
		r = err->code = -EINVAL;
	json_object_set_new(asked->answer, "added", json_integer((json_int_t)done.added));
	json_object_set_new(asked->answer, "removed", json_integer((json_int_t)done.removed));
	json_object_set_new(asked->answer, "kept", json_integer((json_int_t)done.kept));
	for (size_t i = 0; i < done.fixed_count; i++)
		json_array_append_new(fixed, json_string(done.fixed[i]));
	json_object_set_new(asked->answer, "fixed", fixed);
	reeve_reload_release(&done);
	return r;
}

/* ------------------------------------------------------------------------ telling */

static int64_t milliseconds_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

int rv_add_live_rule(void *data, const struct reeve_live_rule *live)
{
	json_t *rule = rv_rule_to_json(&live->rule);

	rv_message_text(rule, "by", live->by);
	json_object_set_new(rule, "uses", json_integer((json_int_t)live->uses));
	json_object_set_new(rule, "since", json_integer(milliseconds_of(&live->since)));
	if (live->milliseconds_left != UINT64_MAX)
		json_object_set_new(rule, "millisecondsLeft",
			json_integer((json_int_t)live->milliseconds_left));
	json_object_set_new(rule, "once", json_boolean(live->once));
	return json_array_append_new(data, rule) < 0 ? -ENOMEM : 0;
}

static int serve_rules(struct rv_asked *asked, struct reeve_error *err)
{
	json_t *rules = json_array();
	int r = reeve_supervisor_rules(asked->server->supervisor, rv_add_live_rule, rules);

	json_object_set_new(asked->answer, "rules", rules);
	return r < 0 ? rv_error(err, r, "cannot list the live rules: %s", strerror(-r)) : 0;
}

static int add_denial(void *data, const struct reeve_event *event, uint64_t count)
{
	rv_autofree char *json = NULL, *text = NULL;
	char flag[512];
	json_t *denial;

	if (reeve_event_to_json(event, &json) < 0 || reeve_event_to_text(event, &text) < 0)
		return -ENOMEM;
	denial = rv_message_new();
	json_object_set_new(denial, "event", json_loads(json, 0, NULL));
	json_object_set_new(denial, "count", json_integer((json_int_t)count));
	rv_message_text(denial, "text", text);
	rv_message_text(denial, "flag", reeve_event_flag(event, flag, sizeof(flag)));
	return json_array_append_new(data, denial) < 0 ? -ENOMEM : 0;
}

static void add_entry(json_t *message, const struct reeve_control_server *server)
{
	json_t *entry = rv_entry_to_json(&server->entry, server->argv);

	json_object_del(entry, "board");
	json_object_del(entry, "start");
	json_object_del(entry, "pidns");
	json_object_del(entry, "subreaper");
	json_object_del(entry, "certificate");
	json_object_update_missing(message, entry);
	json_decref(entry);
}

json_t *rv_denials_message(struct reeve_control_server *server)
{
	json_t *message = rv_message_ok(), *denials = json_array();
	struct reeve_supervisor_counters counters = {.size = sizeof(counters)};

	if (reeve_supervisor_denials(server->supervisor, add_denial, denials) < 0) {
		json_decref(denials);
		json_decref(message);
		return NULL;
	}
	reeve_supervisor_counters(server->supervisor, &counters);
	json_object_set_new(message, "denials", denials);
	json_object_set_new(message, "eventsLost", json_integer((json_int_t)counters.events_lost));
	add_entry(message, server);
	return message;
}

static int serve_denials(struct rv_asked *asked, struct reeve_error *err)
{
	json_t *message = rv_denials_message(asked->server);

	if (!message)
		return rv_error(err, -ENOMEM, "out of memory");
	json_decref(asked->answer);
	asked->answer = message;
	return 0;
}

static int count_rule(void *data, const struct reeve_live_rule *rule)
{
	(void)rule;
	++*(size_t *)data;
	return 0;
}

static json_t *counters_to_json(struct reeve_supervisor *supervisor)
{
	struct reeve_supervisor_counters c = {.size = sizeof(c)};

	reeve_supervisor_counters(supervisor, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "trapped",
		(json_int_t)c.trapped, "continued", (json_int_t)c.continued, "performed",
		(json_int_t)c.performed, "injected", (json_int_t)c.injected, "denied",
		(json_int_t)c.denied, "guarded", (json_int_t)c.guarded, "events",
		(json_int_t)c.events, "eventsLost", (json_int_t)c.events_lost, "commits",
		(json_int_t)c.commits);
}

static int count_question(void *data, const struct reeve_question *question)
{
	(void)question;
	++*(size_t *)data;
	return 0;
}

int rv_serve_status(struct rv_asked *asked, struct reeve_error *err)
{
	size_t rules = 0, questions = 0;

	(void)err;
	reeve_supervisor_rules(asked->server->supervisor, count_rule, &rules);
	add_entry(asked->answer, asked->server);
	json_object_set_new(asked->answer, "rules", json_integer((json_int_t)rules));
	reeve_supervisor_questions(asked->server->supervisor, count_question, &questions);
	json_object_set_new(asked->answer, "questions", json_integer((json_int_t)questions));
	json_object_set_new(asked->answer, "counters", counters_to_json(asked->server->supervisor));
	return 0;
}

/* ------------------------------------------------------------------ watch and kill */

static int serve_watch(struct rv_asked *asked, struct reeve_error *err)
{
	const char *format = json_string_value(json_object_get(asked->request, "format"));
	struct reeve_control_server *server = asked->server;
	bool text = format && strcmp(format, "text") == 0;
	int id;

	if (format && !text && strcmp(format, "json") != 0)
		return rv_error(err, -EINVAL, "format: expected \"json\" or \"text\"");
	if (server->subscription == 0) {
		id = reeve_supervisor_subscribe(server->supervisor, rv_clients_event, server);
		if (id < 0)
			return rv_error(err, id, "cannot watch: %s", strerror(-id));
		server->subscription = id;
	}
	asked->client->starts_watching = text ? RV_WATCH_TEXT : RV_WATCH_JSON;
	return 0;
}

static int serve_kill(struct rv_asked *asked, struct reeve_error *err)
{
	(void)err;
	reeve_supervisor_kill(asked->server->supervisor);
	return 0;
}

/* ---------------------------------------------------------------------- dispatching */

static const struct verb {
	const char *name;
	int (*serve)(struct rv_asked *asked, struct reeve_error *err);
	const char *members[5]; /* the last is NULL */
} verbs[] = {
	{"allow", serve_allow, {"request", "rules", "milliseconds", "once"}},
	{"revoke", serve_revoke, {"request", "rules"}},
	{"rules", serve_rules, {"request"}},
	{"reload", serve_reload, {"request"}},
	{"watch", serve_watch, {"request", "format"}},
	{"denials", serve_denials, {"request"}},
	{"status", rv_serve_status, {"request"}},
	{"inspect", rv_serve_inspect, {"request"}},
	{"kill", serve_kill, {"request"}},
	{"member", rv_serve_member, {"request"}},
	{"ask", rv_serve_ask, {"request"}},
	/* It knows its members by itself: lines from an approver have the same. */
	{"answer", rv_serve_answer, {NULL}},
	{"questions", rv_serve_questions, {"request"}},
};

static int serve(const struct verb *verb, struct rv_asked *asked, struct reeve_error *err)
{
	int r = verb->members[0] ? rv_json_members(asked->request, verb->members, err) : 0;

	return r ? r : verb->serve(asked, err);
}

static int dispatch(struct rv_asked *asked, struct reeve_error *err)
{
	const char *name = json_string_value(json_object_get(asked->request, "request"));

	if (!name)
		return rv_error(err, -EBADMSG, "request: expected a string, what is wanted");
	for (size_t i = 0; i < RV_COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return serve(&verbs[i], asked, err);
	rv_error(err, -ENOSYS, "request: \"%s\" is unknown here", rv_q(name));
	rv_error_hint(err, "reeve-control(7) lists the requests");
	return -ENOSYS;
}

json_t *rv_serve_request(
	struct reeve_control_server *server, struct rv_client *client, const json_t *request)
{
	struct rv_asked asked = {
		.server = server, .client = client, .request = request, .answer = rv_message_ok()};
	struct reeve_error err = {0};

	snprintf(asked.by, sizeof(asked.by), "uid %u", (unsigned int)client->uid);
	if (asked.answer && dispatch(&asked, &err) < 0) {
		json_decref(asked.answer);
		return rv_message_error(&err);
	}
	return asked.answer;
}
