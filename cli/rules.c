/* SPDX-License-Identifier: MIT */
/* From -p and rule flags to a resolved policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"

void cli_log(void *data, enum reeve_log_level level, const char *message)
{
	const bool *verbose = data;

	if (level == REEVE_LOG_WARNING)
		fprintf(stderr, "reeve: warning: %s\n", message);
	else if (verbose && *verbose)
		fprintf(stderr, "reeve: %s\n", message);
}

/* Does this rule flag take a path? */
static bool takes_path(const char *name)
{
	const struct reeve_rule_flag *flag;

	for (size_t i = 0; (flag = reeve_rule_flag_at(i)); i++)
		if (strcmp(flag->name, name) == 0)
			return flag->argument && strcmp(flag->argument, "PATH") == 0;
	return false;
}

char *cli_quote_dollars(const char *path)
{
	char *quoted = malloc(2 * strlen(path) + 1), *out = quoted;

	for (; quoted && *path; path++) {
		*out++ = *path;
		if (*path == '$')
			*out++ = '$';
	}
	if (quoted)
		*out = '\0';
	return quoted;
}

/*
 * With --chdir the policy's working directory is the one where CMD starts; relative paths on the
 * command line still mean what they mean to the shell that completed them.
 */
static char *anchored(const char *value)
{
	cli_autofree char *cwd = getcwd(NULL, 0);
	cli_autofree char *quoted = cwd ? cli_quote_dollars(cwd) : NULL;
	char *path = NULL;

	if (quoted && asprintf(&path, "%s/%s", quoted, value) < 0)
		path = NULL;
	return path;
}

static bool is_relative(const char *value)
{
	return value && value[0] && value[0] != '/' && strncmp(value, "${", 2) != 0;
}

static int add_flag(struct reeve_policy *policy, const struct cli_rule_flag *flag, bool anchor,
	struct reeve_error *err)
{
	cli_autofree char *path = NULL;

	if (!anchor || !takes_path(flag->flag) || !is_relative(flag->value))
		return reeve_policy_add_flag(policy, flag->flag, flag->value, err);
	path = anchored(flag->value);
	if (!path) {
		err->code = -errno;
		snprintf(err->message, sizeof(err->message), "%s: working directory: %s",
			flag->flag, strerror(errno));
		return err->code;
	}
	return reeve_policy_add_flag(policy, flag->flag, path, err);
}

static int load(struct reeve_policy *policy, const struct cli_rules *rules, struct reeve_error *err)
{
	int r = 0;

	if (rules->policies.count == 0)
		return reeve_policy_load_profile(policy, "workspace", err);
	for (size_t i = 0; i < rules->policies.count && r == 0; i++)
		r = reeve_policy_load(policy, rules->policies.items[i], err);
	return r;
}

static int widen(
	struct reeve_policy *policy, const struct cli_build *build, struct reeve_error *err)
{
	int r = 0;

	for (size_t i = 0; build->degrade && i < build->degrade->count && r == 0; i++)
		r = reeve_policy_degrade(policy, build->degrade->items[i], err);
	for (size_t i = 0; i < build->rules->count && r == 0; i++)
		r = add_flag(policy, &build->rules->flags[i], build->chdir != NULL, err);
	return r;
}

int cli_build_policy(
	const struct cli_build *build, struct reeve_policy **ret, struct reeve_error *err)
{
	struct reeve_log log = {cli_log, (void *)&build->verbose};
	struct reeve_resolve_options options = {
		.size = sizeof(options), .cwd = build->chdir, .keep_open = build->keep_open};
	cli_autopolicy *policy = NULL;
	int r = reeve_policy_new(&policy);

	if (r < 0) {
		err->code = r;
		snprintf(err->message, sizeof(err->message), "out of memory");
		return r;
	}
	if (!build->quiet)
		reeve_policy_set_log(policy, &log);
	r = load(policy, build->rules, err);
	if (r == 0)
		r = widen(policy, build, err);
	if (r == 0)
		r = reeve_policy_resolve(policy, &options, err);
	/* The log points to the caller's struct, which the policy may outlive. */
	reeve_policy_set_log(policy, &(struct reeve_log){0});
	if (r < 0)
		return r;
	*ret = policy;
	policy = NULL;
	return 0;
}
