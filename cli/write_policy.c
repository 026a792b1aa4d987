/* SPDX-License-Identifier: MIT */
/*
 * `reeve run --write-policy FILE`: the policy of the run and what it needed besides.
 *
 * Where one policy was given, the new one extends it: its variables then go on meaning the working
 * directory, the terminal and so on of each later run. What was composed of several, or changed in
 * what it handles by flags, is written out as it was resolved.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "needed.h"

int cli_write_policy_open(struct cli_write_policy *out)
{
	out->fd = cli_out_open("--write-policy", out->name);
	return out->fd < 0 ? CLI_ERROR : 0;
}

/* ------------------------------------------------------------------ what it was */

/* Flags that only add rules; the others change what is handled. */
static bool only_adds(const char *flag)
{
	static const char *const flags[] = {"--ro", "--rx", "--rox", "--rw", "--rwx", "--unix",
		"--connect-tcp", "--bind-tcp", "--connect-udp", "--bind-udp"};

	for (size_t i = 0; i < CLI_COUNT(flags); i++)
		if (strcmp(flag, flags[i]) == 0)
			return true;
	return false;
}

/* The name for `extends`, allocated, escaped for TOML by `quote`; NULL where it cannot be that. */
static char *one_policy(const struct cli_rules *rules)
{
	const char *name = rules->policies.count ? rules->policies.items[0] : "workspace";
	size_t length = strlen(name);

	for (size_t i = 0; i < rules->count; i++)
		if (!only_adds(rules->flags[i].flag))
			return NULL;
	if (rules->policies.count > 1 || strcmp(name, "-") == 0)
		return NULL;
	if (strchr(name, '/') || (length > 5 && (strcmp(name + length - 5, ".toml") == 0 ||
							strcmp(name + length - 5, ".json") == 0)))
		return realpath(name, NULL);
	return strdup(name);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f || *text == '"' || *text == '\\')
			return false;
	return true;
}

static void put_degrade(FILE *file, const struct cli_write_policy *out, bool all)
{
	const char *comma = "degrade = [", *name;

	for (size_t i = 0; all && (name = reeve_policy_degraded_at(out->policy, i)); i++) {
		fprintf(file, "%s\"%s\"", comma, name);
		comma = ", ";
	}
	for (size_t i = 0; !all && i < out->degrade->count; i++) {
		fprintf(file, "%s\"%s\"", comma, out->degrade->items[i]);
		comma = ", ";
	}
	if (comma[0] == ',')
		fputs("]\n", file);
}

static int put_rule(FILE *file, const struct reeve_rule *rule, const char *comment)
{
	cli_autofree char *toml = NULL;
	cli_autoescape char *shown = cli_escape(comment);
	int r = reeve_rule_to_toml(rule, &toml);

	if (r == 0)
		fprintf(file, "\n# %s\n%s", shown, toml);
	return r;
}

/* The rules that flags of the command line added. */
static int put_flags(FILE *file, const struct reeve_ruleset *ruleset)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.origin && strncmp(rule.origin, "--", 2) == 0)
			r = put_rule(file, &rule, rule.origin);
	return r;
}

static void put_settings(FILE *file, const struct reeve_policy *policy)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	const char *comma = "deny = [", *name;

	reeve_policy_settings(policy, &settings);
	if (settings.deny || settings.unix_datagram != REEVE_UNIX_DATAGRAM_DEFAULT)
		fputs("\n[[ruleset]]\n", file);
	for (size_t i = 0; (name = cli_denial_name(i)); i++) {
		if (!(settings.deny & cli_denial_bit(i)))
			continue;
		fprintf(file, "%s\"%s\"", comma, name);
		comma = ", ";
	}
	if (comma[0] == ',')
		fputs("]\n", file);
	if (settings.unix_datagram != REEVE_UNIX_DATAGRAM_DEFAULT)
		fprintf(file, "unix_datagram = \"%s\"\n",
			settings.unix_datagram == REEVE_UNIX_DATAGRAM_REFUSE ? "refuse"
									     : "mediate");
}

/* Everything as it was resolved. */
static int put_resolved(FILE *file, const struct cli_write_policy *out)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	cli_autofree char *toml = NULL;
	int r = reeve_ruleset_to_toml(reeve_policy_ruleset(out->policy), &toml);

	if (r)
		return r;
	reeve_policy_settings(out->policy, &settings);
	put_degrade(file, out, true);
	if (settings.private_tmpdir)
		fputs("tmpdir = \"private\"\n", file);
	if (settings.inner_landlock_floor_only)
		fputs("inner_landlock = \"floor-only\"\n", file);
	put_settings(file, out->policy);
	fprintf(file, "\n%s", toml);
	return 0;
}

static int put_policy(FILE *file, const struct cli_write_policy *out)
{
	cli_autofree char *extends = one_policy(out->rules);

	if (!extends || !is_plain(extends))
		return put_resolved(file, out);
	fprintf(file, "extends = [\"%s\"]\n", extends);
	put_degrade(file, out, false);
	return put_flags(file, reeve_policy_ruleset(out->policy));
}

/* --------------------------------------------------------------- what was needed */

struct writing {
	FILE *file;
	size_t count;
	bool no_text;		     /* a path is not UTF-8, which policies are */
	struct reeve_rights handled; /* by the policy */
};

static int put_needed(
	struct writing *writing, const struct reeve_rule *rule, const struct cli_need *need)
{
	cli_autofree char *comment = NULL;
	int r;

	if (asprintf(&comment, "needed by %s%s", need->who ? need->who : "?",
		    need->count > 1 ? " and others" : "") < 0)
		return -ENOMEM;
	r = put_rule(writing->file, rule, comment);
	if (r == -EILSEQ)
		writing->no_text = true;
	else
		writing->count += r == 0;
	return r == -EILSEQ ? 0 : r;
}

static int put_need(void *data, const struct cli_need *need)
{
	const struct reeve_rule rule = {
		.type = REEVE_RULE_PATH_BENEATH, .allowed = need->rights, .path = need->path};

	return put_needed(data, &rule, need);
}

/* What a flag for an address brings along: the sockets that were made were seen by themselves. */
static bool is_implied(const char *flag, const struct reeve_rule *rule)
{
	return rule->type == REEVE_RULE_SOCKET && strcmp(flag, "--socket") != 0;
}

/* "--connect-tcp 192.0.2.1:443": the rules that this flag stands for. */
static int put_flag(void *data, const struct cli_need *need)
{
	struct writing *writing = data;
	cli_autopolicy *policy = NULL;
	cli_autofree char *flag = strdup(need->path);
	char *value = flag ? strchr(flag, ' ') : NULL;
	struct reeve_rule rule;
	int r = reeve_policy_new(&policy);

	if (r || !value)
		return r ? r : -ENOMEM;
	*value++ = '\0';
	r = reeve_policy_handle(policy, &writing->handled); /* flags only widen */
	if (r == 0)
		r = reeve_policy_add_flag(policy, flag, value, NULL);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, NULL);
	for (size_t i = 0; r == 0 && reeve_ruleset_at(reeve_policy_ruleset(policy), i, &rule) == 0;
		i++)
		r = is_implied(flag, &rule) ? 0 : put_needed(writing, &rule, need);
	return r;
}

static void put_head(FILE *file, const struct cli_write_policy *out)
{
	fputs("# Written by `reeve run --write-policy` for", file);
	for (size_t i = 0; out->command[i]; i++) {
		cli_autoescape char *shown = cli_escape(out->command[i]);

		fprintf(file, " %s", shown);
	}
	fputs("\n", file);
}

static int put_all(FILE *file, const struct cli_write_policy *out, const struct cli_needed *needed,
	struct writing *writing)
{
	int r;

	put_head(file, out);
	r = put_policy(file, out);
	if (r)
		return r;
	reeve_ruleset_handled(reeve_policy_ruleset(out->policy), &writing->handled);
	r = cli_needed_each(needed, writing->handled.of[REEVE_FS], put_need, writing);
	return r ? r : cli_needed_flags(needed, put_flag, writing);
}

/* -------------------------------------------------------------------- the file */

static void report(const struct cli_write_policy *out, const struct cli_needed *needed,
	const struct writing *w)
{
	cli_autoescape char *shown = cli_escape(out->name);
	uint64_t lost = cli_needed_lost(needed);

	fprintf(stderr, "reeve: %s: the policy, and %zu rule%s of what was needed besides\n", shown,
		w->count, w->count == 1 ? "" : "s");
	if (lost)
		fprintf(stderr,
			"reeve: warning: %" PRIu64 " events were lost: run it again under %s\n",
			lost, shown);
	if (w->no_text)
		fprintf(stderr, "reeve: warning: names that are not UTF-8 were left out\n");
}

int cli_write_policy(
	const struct cli_write_policy *out, const struct cli_needed *needed, bool quiet)
{
	cli_autoescape char *shown = cli_escape(out->name);
	cli_autofree char *text = NULL;
	struct writing writing = {0};
	size_t size;
	int r;

	writing.file = open_memstream(&text, &size);
	if (!writing.file)
		return cli_fail(NULL, "out of memory");
	r = put_all(writing.file, out, needed, &writing);
	if (fclose(writing.file) != 0)
		r = -ENOMEM;
	if (r)
		return cli_fail(NULL, "--write-policy: %s: %s", shown, strerror(-r));
	r = cli_policy_file_store("--write-policy", out->name, out->fd, text);
	if (r == 0 && !quiet)
		report(out, needed, &writing);
	return r;
}
