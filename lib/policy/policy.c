/* SPDX-License-Identifier: MIT */
/* A policy's life, its settings, and what is added to it one by one. */
#include <limits.h>
#include <string.h>
#include "base/error.h"
#include "policy/decode.h"
#include "policy/policy.h"
#include "policy/variables.h"
#include <reeve/check.h>

int reeve_policy_new(struct reeve_policy **ret)
{
	struct reeve_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	*ret = policy;
	return 0;
}

void reeve_policy_free(struct reeve_policy *policy)
{
	if (!policy)
		return;
	rv_config_release(&policy->loaded);
	rv_config_release(&policy->extra);
	rv_config_release(&policy->set);
	reeve_ruleset_free(policy->ruleset);
	rv_opened_unref_p(&policy->opened);
	rv_links_release(&policy->links);
	free(policy);
}

void reeve_policy_set_log(struct reeve_policy *policy, const struct reeve_log *log)
{
	policy->log = log ? *log : (struct reeve_log){0};
}

/* ------------------------------------------------------------------- widening */

/* Checks all but the path as a ruleset does, on one that handles everything. */
static int check_rule(const struct reeve_rule *rule, struct reeve_error *err)
{
	struct reeve_rights all = {{0}};
	const struct reeve_right_info *info;
	struct reeve_ruleset *scratch;
	struct reeve_rule copy = *rule;
	int r;

	for (size_t i = 0; (info = reeve_right_at(i)); i++)
		all.of[info->cls] |= info->bit;
	r = reeve_ruleset_new(&all, &scratch);
	if (r < 0)
		return rv_no_memory(err);
	if (copy.path)
		copy.path = "/";
	r = reeve_ruleset_add(scratch, &copy, err);
	reeve_ruleset_free(scratch);
	return r;
}

static int check_path(const struct reeve_rule *rule, struct reeve_error *err)
{
	if (!rule->path || reeve_rule_class(rule->type) != REEVE_FS)
		return 0;
	if (!*rule->path)
		return rv_error(err, -EINVAL, "an empty path");
	if (strlen(rule->path) >= PATH_MAX)
		return rv_error(
			err, -ENAMETOOLONG, "%s: %s", rv_q(rule->path), strerror(ENAMETOOLONG));
	if (rv_check_template(rule->path) < 0)
		return rv_error(
			err, -EINVAL, "%s: expected " RV_TEMPLATE_EXPECTED, rv_q(rule->path));
	return 0;
}

/* NULL stays NULL. */
static int copy_string(struct rv_arena *arena, const char **text)
{
	if (*text)
		*text = rv_arena_puts(arena, *text);
	return 0;
}

int reeve_policy_add_rule(
	struct reeve_policy *policy, const struct reeve_rule *rule, struct reeve_error *err)
{
	struct rv_draft draft = {.rule = *rule, .source = RV_DRAFT_API};
	struct rv_arena *arena = &policy->extra.arena;
	int r = check_rule(rule, err);

	if (r == 0)
		r = check_path(rule, err);
	if (r < 0)
		return r;
	copy_string(arena, &draft.rule.path);
	copy_string(arena, &draft.rule.address);
	copy_string(arena, &draft.rule.origin);
	if ((rule->path && !draft.rule.path) || (rule->address && !draft.rule.address) ||
		(rule->origin && !draft.rule.origin) ||
		rv_config_add_draft(&policy->extra, &draft) < 0)
		return rv_no_memory(err);
	if (rule->type != REEVE_RULE_UNIX_SOCKET)
		policy->extra.handled.of[reeve_rule_class(rule->type)] |= rule->allowed;
	else
		policy->extra.handled.of[REEVE_SCOPE] |= REEVE_SCOPE_PATHNAME_UNIX_SOCKET;
	return 0;
}

int reeve_policy_handle(struct reeve_policy *policy, const struct reeve_rights *rights)
{
	struct reeve_ruleset *scratch;
	int r = reeve_ruleset_new(rights, &scratch); /* knows which bits there are */

	if (r < 0)
		return r;
	reeve_ruleset_free(scratch);
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		policy->extra.handled.of[cls] |= rights->of[cls];
	return 0;
}

int reeve_policy_set_variable(
	struct reeve_policy *policy, const char *name, const char *value, struct reeve_error *err)
{
	struct rv_config *set = &policy->set;
	const char *kept_name, *kept_value;

	if (!rv_is_variable_name(name, strlen(name)))
		return rv_error(err, -EINVAL, "%s: expected " RV_NAME_EXPECTED, rv_q(name));
	kept_name = rv_arena_puts(&set->arena, name);
	kept_value = rv_arena_puts(&set->arena, value);
	if (!kept_name || !kept_value)
		return rv_no_memory(err);
	for (size_t i = 0; i < set->bindings.count; i++)
		if (strcmp(set->bindings.at[i].name, name) == 0) {
			set->bindings.at[i].value = kept_value;
			return 0;
		}
	return rv_config_add_binding(set, kept_name, kept_value) < 0 ? rv_no_memory(err) : 0;
}

int reeve_policy_degrade(struct reeve_policy *policy, const char *name, struct reeve_error *err)
{
	const struct reeve_feature *feature = reeve_feature_find(name);
	struct rv_suggestion suggestion = {.word = name};

	if (feature)
		return rv_config_add_degraded(&policy->extra, feature->name) < 0 ? rv_no_memory(err)
										 : 0;
	rv_error(err, -EINVAL, "%s: no such feature: expected a feature or right of `reeve check`",
		rv_q(name));
	for (size_t i = 0; (feature = reeve_feature_at(i)); i++)
		rv_suggest(&suggestion, feature->name);
	rv_suggest_hint(&suggestion, err);
	return -EINVAL;
}

/* ------------------------------------------------------------------- settings */

const struct reeve_ruleset *reeve_policy_ruleset(const struct reeve_policy *policy)
{
	return policy->ruleset;
}

void reeve_policy_settings(const struct reeve_policy *policy, struct reeve_policy_settings *ret)
{
	const struct rv_config *loaded = &policy->loaded;
	struct reeve_policy_settings settings = {
		.size = ret->size,
		.deny = loaded->deny,
		.unix_datagram = loaded->unix_datagram,
		.private_tmpdir = loaded->private_tmpdir,
		.inner_landlock_floor_only = loaded->floor_only,
	};

	memcpy(ret, &settings, ret->size < sizeof(settings) ? ret->size : sizeof(settings));
}

const char *reeve_policy_degraded_at(const struct reeve_policy *policy, size_t i)
{
	if (i < policy->loaded.degraded.count)
		return policy->loaded.degraded.at[i];
	i -= policy->loaded.degraded.count;
	return i < policy->extra.degraded.count ? policy->extra.degraded.at[i] : NULL;
}

const char *reeve_policy_file_at(const struct reeve_policy *policy, size_t i)
{
	return i < policy->loaded.files.count ? policy->loaded.files.at[i] : NULL;
}

const char *reeve_policy_road_at(const struct reeve_policy *policy, size_t i)
{
	return i < policy->loaded.roads.count ? policy->loaded.roads.at[i] : NULL;
}
