/* SPDX-License-Identifier: MIT */
/* All that can be said of a running domain. */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "control/server.h"
#include "model/ruleset.h"
#include "supervise/member.h"

/* ---------------------------------------------------------- the policy, as a file says it */

/* Whether a ruleset says this of the path already. */
static int is_there(void *data, const struct reeve_rule *rule)
{
	const struct reeve_rule *asked = data;

	return (rule->flags & ~REEVE_RULE_OPTIONAL) == asked->flags &&
	       rule->allowed == asked->allowed && strcmp(rule->path, asked->path) == 0;
}

static bool is_known(const struct reeve_ruleset *ruleset, const struct reeve_rule *rule)
{
	struct reeve_rule other;

	if (rule->path)
		return reeve_ruleset_match_path(ruleset, rule->path, is_there, (void *)rule);
	for (size_t i = 0; reeve_ruleset_at(ruleset, i, &other) == 0; i++) {
		other.flags &= ~(unsigned int)REEVE_RULE_OPTIONAL;
		if (rv_same_rule(&other, rule))
			return true;
	}
	return false;
}

static int add_in_force(void *data, const struct reeve_live_rule *live)
{
	struct reeve_ruleset *ruleset = data;
	struct reeve_rule rule = live->rule;
	enum reeve_class cls = reeve_rule_class(rule.type);
	struct reeve_rights handled;

	reeve_ruleset_handled(ruleset, &handled);
	rule.allowed &= handled.of[cls];
	rule.quiet &= handled.of[cls];
	if ((!rule.allowed && !rule.quiet && !(rule.flags & REEVE_RULE_DENY)) ||
		is_known(ruleset, &rule))
		return 0;
	return reeve_ruleset_add(ruleset, &rule, NULL);
}

static int add_protection(void *ruleset, const struct reeve_rule *rule)
{
	return reeve_ruleset_add(ruleset, rule, NULL);
}

/* The policy, the protection of its own files, and the live rules that it has not. */
static int make_effective(const struct reeve_control_server *server, struct reeve_ruleset **ret)
{
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r;

	reeve_ruleset_handled(server->ruleset, &handled);
	r = reeve_ruleset_new(&handled, ret);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(server->ruleset, i, &rule) == 0; i++)
		r = reeve_ruleset_add(*ret, &rule, NULL);
	if (r == 0)
		r = rv_session_protected(server->supervisor, add_protection, *ret);
	return r ? r : reeve_supervisor_rules(server->supervisor, add_in_force, *ret);
}

static void add_policy_file(json_t *answer, const struct reeve_control_server *server)
{
	struct reeve_ruleset *effective = NULL;
	rv_autofree char *toml = NULL;

	if (make_effective(server, &effective) == 0 && reeve_ruleset_to_toml(effective, &toml) == 0)
		rv_message_text(answer, "policy", toml);
	reeve_ruleset_free(effective);
}

/* -------------------------------------------------------------------- rule by rule */

static void add_handled(json_t *answer, const struct reeve_ruleset *ruleset)
{
	json_t *object = json_object();
	struct reeve_rights handled;

	reeve_ruleset_handled(ruleset, &handled);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		json_object_set_new(object, reeve_class_name((enum reeve_class)cls),
			rv_rights_to_json((enum reeve_class)cls, handled.of[cls]));
	json_object_set_new(answer, "handled", object);
}

static int append_rule(void *array, const struct reeve_rule *rule)
{
	return json_array_append_new(array, rv_rule_to_json(rule)) < 0 ? -ENOMEM : 0;
}

struct besides {
	json_t *rules;
	uint64_t handled;
};

/* The supervisor may judge more than the policy handles. */
static int append_besides(void *data, const struct reeve_rule *rule)
{
	struct besides *besides = data;
	struct reeve_rule cut = *rule;

	cut.allowed &= besides->handled;
	return cut.allowed ? append_rule(besides->rules, &cut) : 0;
}

/* What holds until the end: the policy's rules, and what the start itself needed. */
static int add_static(json_t *answer, const struct reeve_control_server *server)
{
	struct besides besides = {.rules = json_array()};
	struct reeve_rights handled;
	struct reeve_rule rule;
	int r = 0;

	reeve_ruleset_handled(server->ruleset, &handled);
	besides.handled = handled.of[REEVE_FS];
	for (size_t i = 0; r == 0 && reeve_ruleset_at(server->ruleset, i, &rule) == 0; i++)
		if (!(rule.flags & REEVE_RULE_LIVE))
			r = append_rule(besides.rules, &rule);
	if (r == 0)
		r = rv_session_protected(server->supervisor, append_rule, besides.rules);
	if (r == 0)
		r = rv_session_besides(server->supervisor, append_besides, &besides);
	json_object_set_new(answer, "static", besides.rules);
	return r;
}

static int add_live(json_t *answer, const struct reeve_control_server *server)
{
	json_t *rules = json_array();
	int r = reeve_supervisor_rules(server->supervisor, rv_add_live_rule, rules);

	json_object_set_new(answer, "live", rules);
	if (rv_session_has_ended_live(server->supervisor))
		json_object_set_new(answer, "liveEnded", json_true());
	return r;
}

static size_t size_of_items(const struct reeve_plan *plan, size_t *ret_count)
{
	const struct reeve_plan_item *item;
	size_t size = 0;

	for (*ret_count = 0; (item = reeve_plan_at(plan, *ret_count)); ++*ret_count)
		size += strlen(item->feature) + strlen(item->why) + 2;
	return size;
}

static const char *put_text(char **at, const char *text)
{
	char *put = *at;

	*at = stpcpy(put, text) + 1;
	return put;
}

struct rv_enforced *rv_enforced_new(const struct reeve_plan *plan)
{
	size_t count, size = size_of_items(plan, &count);
	struct rv_enforced *enforced =
		malloc(sizeof(*enforced) + count * sizeof(enforced->items[0]) + size);
	char *text;

	if (!enforced)
		return NULL;
	enforced->count = count;
	text = (char *)&enforced->items[count];
	for (size_t i = 0; i < count; i++) {
		const struct reeve_plan_item *item = reeve_plan_at(plan, i);

		enforced->items[i].by = item->by;
		enforced->items[i].feature = put_text(&text, item->feature);
		enforced->items[i].why = put_text(&text, item->why);
	}
	return enforced;
}

static void add_enforced(json_t *answer, const struct rv_enforced *enforced)
{
	json_t *items = json_array();

	for (size_t i = 0; i < enforced->count; i++) {
		const struct reeve_plan_item *item = &enforced->items[i];

		json_array_append_new(
			items, json_pack("{s:s, s:s, s:s}", "feature", item->feature, "by",
				       reeve_enforcer_name(item->by), "why", item->why));
	}
	json_object_set_new(answer, "enforced", items);
}

int rv_serve_inspect(struct rv_asked *asked, struct reeve_error *err)
{
	const struct reeve_control_server *server = asked->server;
	int r = rv_serve_status(asked, err);

	if (r == 0)
		r = add_live(asked->answer, server);
	if (r == 0 && server->ruleset) {
		add_policy_file(asked->answer, server);
		add_handled(asked->answer, server->ruleset);
		r = add_static(asked->answer, server);
	}
	if (server->enforced)
		add_enforced(asked->answer, server->enforced);
	return r < 0 ? rv_error(err, r, "cannot list the rules: %s", strerror(-r)) : 0;
}
