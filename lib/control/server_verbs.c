/* SPDX-License-Identifier: MIT */
/* What can be asked of a domain. A request is answered whole, and one that changes rules is one
 * commit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "control/server.h"

#define RULES_MAX 16384 /* of one request */

/* One request on its way. */
struct asked {
	struct reeve_control_server *server;
	struct rv_client *client;
	const json_t *request;
	char by[32];
	json_t *answer; /* "ok" is set */
};

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

static int read_rules(const struct asked *asked, struct rules *rules, struct reeve_error *err)
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

/* Rights of class fs that the domain's policy restricts at all. */
static uint64_t handled_fs(const struct reeve_control_server *server)
{
	struct reeve_rights handled;

	if (!server->ruleset)
		return reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX);
	reeve_ruleset_handled(server->ruleset, &handled);
	return handled.of[REEVE_FS];
}

/* Tries all rules on a scratch ruleset: what is staged cannot be taken back. */
static int check_rules(const struct rules *rules, uint64_t handled, struct reeve_error *err)
{
	struct reeve_rights rights = {.of = {[REEVE_FS] = handled}};
	struct reeve_ruleset *scratch = NULL;
	int r = reeve_ruleset_new(&rights, &scratch);

	for (size_t i = 0; i < rules->count && r == 0; i++) {
		struct reeve_rule rule = rules->items[i];

		/* For a revocation nothing means all; a path must be one all the same. */
		rule.allowed = rule.allowed & handled ? rule.allowed & handled : handled;
		r = reeve_ruleset_add(scratch, &rule, err);
	}
	reeve_ruleset_free(scratch);
	return r;
}

static int check_execute(const struct rules *rules, struct reeve_error *err)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].allowed & REEVE_FS_EXECUTE)
			return rv_error(err, -EOPNOTSUPP,
				"%s: nothing can add execute to a running domain",
				rv_q(rules->items[i].path));
	return 0;
}

/* ---------------------------------------------------------------- changing rules */

static int live_options(
	struct asked *asked, struct reeve_live_options *ret, struct reeve_error *err)
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

static int stage_all(struct asked *asked, const struct rules *rules,
	const struct reeve_live_options *options, struct reeve_error *err)
{
	size_t staged = 0;
	int r = 0;

	for (size_t i = 0; i < rules->count && r == 0; i++) {
		struct reeve_rule rule = rules->items[i];

		rule.allowed &= handled_fs(asked->server);
		if (rule.allowed == 0)
			continue;
		r = reeve_supervisor_stage_add(asked->server->supervisor, &rule, options, err);
		staged++;
	}
	if (r == 0 && staged == 0)
		return rv_error(err, -EINVAL,
			"this domain's policy does not restrict what these rules would allow");
	return r;
}

static int serve_allow(struct asked *asked, struct reeve_error *err)
{
	struct reeve_live_options options;
	struct rules rules = {0};
	int r = read_rules(asked, &rules, err);

	if (r == 0)
		r = live_options(asked, &options, err);
	if (r == 0)
		r = check_execute(&rules, err);
	if (r == 0)
		r = check_rules(&rules, handled_fs(asked->server), err);
	if (r == 0)
		r = stage_all(asked, &rules, &options, err);
	if (r == 0)
		r = reeve_supervisor_commit(asked->server->supervisor, asked->by, err);
	release_rules(&rules);
	return r;
}

static int revoke_all(struct asked *asked, const struct rules *rules, struct reeve_error *err)
{
	json_int_t touched = 0;

	for (size_t i = 0; i < rules->count; i++) {
		struct reeve_rule rule = rules->items[i];
		int r;

		rule.allowed &= handled_fs(asked->server) & ~REEVE_FS_EXECUTE;
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
static int serve_revoke(struct asked *asked, struct reeve_error *err)
{
	struct rules rules = {0};
	int r = read_rules(asked, &rules, err);

	if (r == 0)
		r = check_rules(&rules, handled_fs(asked->server), err);
	if (r == 0)
		r = revoke_all(asked, &rules, err);
	if (r == 0)
		r = reeve_supervisor_commit(asked->server->supervisor, asked->by, err);
	release_rules(&rules);
	return r;
}

/* ------------------------------------------------------------------------ telling */

static int64_t milliseconds_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

static int add_rule(void *data, const struct reeve_live_rule *live)
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

static int serve_rules(struct asked *asked, struct reeve_error *err)
{
	json_t *rules = json_array();
	int r = reeve_supervisor_rules(asked->server->supervisor, add_rule, rules);

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

	json_object_del(entry, "start");
	json_object_del(entry, "pidns");
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

static int serve_denials(struct asked *asked, struct reeve_error *err)
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

static int serve_status(struct asked *asked, struct reeve_error *err)
{
	size_t rules = 0;

	(void)err;
	reeve_supervisor_rules(asked->server->supervisor, count_rule, &rules);
	add_entry(asked->answer, asked->server);
	json_object_set_new(asked->answer, "rules", json_integer((json_int_t)rules));
	json_object_set_new(asked->answer, "counters", counters_to_json(asked->server->supervisor));
	return 0;
}

static int serve_inspect(struct asked *asked, struct reeve_error *err)
{
	rv_autofree char *toml = NULL;
	int r = serve_status(asked, err);

	if (r == 0 && asked->server->ruleset &&
		reeve_ruleset_to_toml(asked->server->ruleset, &toml) == 0)
		rv_message_text(asked->answer, "policy", toml);
	return r;
}

/* ------------------------------------------------------------------ watch and kill */

static int serve_watch(struct asked *asked, struct reeve_error *err)
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

static int serve_kill(struct asked *asked, struct reeve_error *err)
{
	(void)err;
	reeve_supervisor_kill(asked->server->supervisor);
	return 0;
}

/* ---------------------------------------------------------------------- dispatching */

static const struct {
	const char *name;
	int (*serve)(struct asked *asked, struct reeve_error *err);
} verbs[] = {
	{"allow", serve_allow},
	{"revoke", serve_revoke},
	{"rules", serve_rules},
	{"watch", serve_watch},
	{"denials", serve_denials},
	{"status", serve_status},
	{"inspect", serve_inspect},
	{"kill", serve_kill},
};

static int dispatch(struct asked *asked, struct reeve_error *err)
{
	const char *name = json_string_value(json_object_get(asked->request, "request"));

	if (!name)
		return rv_error(err, -EBADMSG, "request: expected a string, what is wanted");
	for (size_t i = 0; i < RV_COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return verbs[i].serve(asked, err);
	rv_error(err, -ENOSYS, "request: \"%s\" is unknown here", rv_q(name));
	rv_error_hint(err, "reeve-control(7) lists the requests");
	return -ENOSYS;
}

json_t *rv_serve_request(
	struct reeve_control_server *server, struct rv_client *client, const json_t *request)
{
	struct asked asked = {
		.server = server, .client = client, .request = request, .answer = rv_message_ok()};
	struct reeve_error err = {0};

	snprintf(asked.by, sizeof(asked.by), "uid %u", (unsigned int)client->uid);
	if (asked.answer && dispatch(&asked, &err) < 0) {
		json_decref(asked.answer);
		return rv_message_error(&err);
	}
	return asked.answer;
}
