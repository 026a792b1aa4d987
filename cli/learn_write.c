/* SPDX-License-Identifier: MIT */
/* The file of what was learned: a new one, or rules that another one lacks. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "learn.h"
#include "needed.h"

#define UNNAMED                                                                                    \
	"reeve: warning: names that are not UTF-8 were left out: a policy cannot have them\n"

int learn_open(struct learn_output *out)
{
	struct stat st;

	out->fd = -1;
	/* What is not there yet is written as a whole. */
	if (out->merge && (stat(out->name, &st) < 0 || st.st_size == 0))
		out->merge = false;
	if (out->diff)
		return 0;
	out->created = lstat(out->name, &st) < 0 && errno == ENOENT;
	out->fd = cli_out_open("learn", out->name);
	return out->fd < 0 ? CLI_ERROR : 0;
}

void learn_close(const struct learn_output *out)
{
	struct stat ours, there;

	if (out->fd < 0)
		return;
	/* CMD may have put another file there. */
	if (out->created && !out->written && fstat(out->fd, &ours) == 0 &&
		lstat(out->name, &there) == 0 && ours.st_dev == there.st_dev &&
		ours.st_ino == there.st_ino)
		unlink(out->name);
	close(out->fd);
}

/* --------------------------------------------------------------------------- a new one */

static void put_command(FILE *file, char *const *command)
{
	fputs("# Written by `reeve learn` for", file);
	for (size_t i = 0; command[i]; i++) {
		cli_autoescape char *shown = cli_escape(command[i]);

		fprintf(file, " %s", shown);
	}
	fputs("\n", file);
}

static void put_head(FILE *file, const struct learn_output *out, const struct learned *learned)
{
	put_command(file, out->command);
	fputs("# What it made goes by name (live rules); what it found goes by object.\n"
	      "abi = 7\n"
	      "extends = [\"base\"]\n",
		file);
	if (learned->quiet.count) /* the supervisor can in any case */
		fputs("degrade = [\"quiet\"] # of the kernel's own log, before Landlock ABI 10\n",
			file);
	if (learned->used_tmp)
		fputs("tmpdir = \"private\"\n", file);
	fprintf(file,
		"\n"
		"[[ruleset]]\n"
		"handled_access_fs = [\"abi.all\"]\n"
		"handled_access_net = [\"abi.all\"%s]\n"
		"handled_socket = [\"create\"]\n"
		"scoped = [\"abi.all\", \"pathname_unix_socket\"]\n",
		learned->udp ? ", \"bind_udp\", \"connect_send_udp\"" : "");
	if (learned->datagrams)
		fputs("unix_datagram = \"mediate\"\n", file);
}

static int put_rule(FILE *file, const struct learned *learned, const struct learn_rule *rule)
{
	cli_autofree char *comment = learn_who_text(learned, &rule->who, rule->more);
	cli_autofree char *toml = NULL;
	int r = comment ? reeve_rule_to_toml(&rule->rule, &toml) : -ENOMEM;

	if (r == 0)
		fprintf(file, "\n# %s\n%s", comment, toml);
	return r;
}

/* -EILSEQ: some paths are not UTF-8, which policies are; all others are there. */
static int put_rules(FILE *file, const struct learned *learned, const struct learn_rules *rules)
{
	int result = 0;

	for (size_t i = 0; i < rules->count; i++) {
		int r = put_rule(file, learned, &rules->at[i]);

		if (r && r != -EILSEQ)
			return r;
		result = r ? r : result;
	}
	return result;
}

static int write_new(const struct learn_output *out, const struct learned *learned)
{
	cli_autofree char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int r = file ? 0 : -ENOMEM;

	if (file) {
		put_head(file, out, learned);
		r = put_rules(file, learned, &learned->rules);
		if (r == 0 || r == -EILSEQ) {
			int quiet = put_rules(file, learned, &learned->quiet);

			r = quiet ? quiet : r;
		}
		if (fclose(file) != 0)
			r = -ENOMEM;
	}
	if (r == -EILSEQ)
		fputs(UNNAMED, stderr);
	else if (r)
		return cli_fail(NULL, "learn: %s", strerror(-r));
	return cli_policy_file_store("learn", out->name, out->fd, text);
}

/* ------------------------------------------------------------------ what a file lacks */

/* One address of those that a rule of ours names. */
static const char *example_of(const struct reeve_rule *rule)
{
	if (rule->type == REEVE_RULE_NET_PORT || strcmp(rule->address, "loopback") == 0)
		return "127.0.0.1";
	return strcmp(rule->address, "public") == 0 ? "1.1.1.1" : rule->address;
}

/* Of both ends of the range. */
static uint64_t missing_of_ports(const struct reeve_domain *domain, const struct reeve_rule *rule)
{
	const uint16_t ports[] = {rule->port_first, rule->port_last};
	uint64_t missing = 0;

	for (size_t i = 0; i < CLI_COUNT(ports); i++) {
		struct reeve_decision decision = {0};

		reeve_decide_address(domain, rule->allowed, example_of(rule), ports[i], &decision);
		missing |= decision.allowed ? 0 : decision.missing;
	}
	return missing;
}

/* A rule that the file's policy grants already is 0. */
static uint64_t missing_of(
	const struct reeve_domain *domain, const struct reeve_rule *rule, bool *ret_quiet)
{
	struct reeve_decision decision = {0};

	*ret_quiet = false;
	if (rule->type == REEVE_RULE_SOCKET)
		reeve_decide_socket(domain, rule->socket_family,
			rule->socket_type == REEVE_SOCKET_ANY ? 1 : rule->socket_type,
			rule->socket_protocol == REEVE_SOCKET_ANY ? 0 : rule->socket_protocol,
			&decision);
	else if (rule->type == REEVE_RULE_PATH_BENEATH || rule->type == REEVE_RULE_UNIX_SOCKET)
		reeve_decide_path(domain, rule->path, rule->allowed, &decision);
	else if (rule->quiet)
		reeve_decide_port(domain, rule->allowed, rule->port_first, &decision);
	else
		return missing_of_ports(domain, rule);
	*ret_quiet = decision.quiet;
	return decision.allowed ? 0 : decision.missing;
}

static int load(const char *name, struct reeve_policy **ret, struct reeve_error *err)
{
	int r = reeve_policy_new(ret);

	if (r == 0)
		r = reeve_policy_load_file(*ret, name, REEVE_POLICY_AUTO, err);
	if (r == 0)
		r = reeve_policy_resolve(*ret, NULL, err);
	return r;
}

/* What would be reported again. */
static int find_told(const struct reeve_domain *domain, const struct learn_rule *rule,
	struct learn_rules *missing)
{
	struct reeve_rule asked = rule->rule;
	bool quiet;

	asked.allowed = asked.quiet;
	if (!missing_of(domain, &asked, &quiet) || quiet)
		return 0;
	return learn_rules_add(missing, rule) ? 0 : -ENOMEM;
}

/* What no policy can name. */
static bool leave_unnamed(struct learn_rule *rule)
{
	cli_autofree char *toml = NULL;

	if (!rule->rule.allowed || reeve_rule_to_toml(&rule->rule, &toml) != -EILSEQ)
		return false;
	rule->rule.allowed = 0;
	return true;
}

/* Live rules are no part of a policy's static ones: as if all were in the floor. */
static int find_missing(const struct reeve_policy *policy, const struct learned *learned,
	struct learn_rules *missing)
{
	struct reeve_domain *domain = NULL;
	bool unnamed = false;
	int r = reeve_domain_new(
		NULL, (struct reeve_ruleset *)reeve_policy_ruleset(policy), &domain);

	for (size_t i = 0; r == 0 && i < learned->rules.count; i++) {
		struct learn_rule rule = learned->rules.at[i];
		bool quiet;

		rule.rule.allowed = missing_of(domain, &rule.rule, &quiet);
		unnamed |= leave_unnamed(&rule);
		if (rule.rule.allowed && !learn_rules_add(missing, &rule))
			r = -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < learned->quiet.count; i++)
		r = find_told(domain, &learned->quiet.at[i], missing);
	reeve_domain_free(domain);
	if (unnamed)
		fputs(UNNAMED, stderr);
	return r < 0 ? cli_fail(NULL, "out of memory") : 0;
}

/* What a merge hands over. */
struct merging {
	struct reeve_rule *rules;
	char **comments;
	size_t count;
};

static void merging_release(struct merging *merging)
{
	for (size_t i = 0; merging->comments && i < merging->count; i++)
		free(merging->comments[i]);
	free(merging->comments);
	free(merging->rules);
}

static bool merging_fill(
	struct merging *merging, const struct learned *learned, const struct learn_rules *missing)
{
	merging->rules = calloc(missing->count, sizeof(*merging->rules));
	merging->comments = calloc(missing->count, sizeof(*merging->comments));
	merging->count = missing->count;
	if (!merging->rules || !merging->comments)
		return false;
	for (size_t i = 0; i < missing->count; i++) {
		merging->rules[i] = missing->at[i].rule;
		merging->comments[i] =
			learn_who_text(learned, &missing->at[i].who, missing->at[i].more);
		if (!merging->comments[i])
			return false;
	}
	return true;
}

static int merge(const struct learn_output *out, const struct learned *learned,
	const struct learn_rules *missing)
{
	struct merging merging = {0};
	struct reeve_error err = {0};
	int added = 0, r = 0;

	if (!missing->count)
		return 0;
	if (!merging_fill(&merging, learned, missing))
		r = cli_fail(NULL, "out of memory");
	if (r == 0)
		added = reeve_policy_file_add_commented(out->name, merging.rules,
			(const char *const *)merging.comments, merging.count, &err);
	merging_release(&merging);
	if (added >= 0)
		return r;
	cli_print_error(&err);
	return CLI_ERROR;
}

static int show(const struct learned *learned, const struct learn_rules *missing)
{
	for (size_t i = 0; i < missing->count; i++) {
		cli_autofree char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		if (!file)
			return cli_fail(NULL, "out of memory");
		put_rule(file, learned, &missing->at[i]);
		fclose(file);
		learn_print_lines('+', text);
	}
	return 0;
}

/* What a setting would have to say, which is no rule. */
static void compare_datagrams(const struct learn_output *out, const struct reeve_policy *policy,
	const struct learned *learned)
{
	struct reeve_policy_settings settings = {.size = sizeof(settings)};
	cli_autoescape char *shown = cli_escape(out->name);

	reeve_policy_settings(policy, &settings);
	if (learned->datagrams && settings.unix_datagram != REEVE_UNIX_DATAGRAM_MEDIATE)
		fprintf(stderr,
			"reeve: warning: UNIX datagram sockets were used: %s needs unix_datagram = "
			"\"mediate\" in its [[ruleset]]\n",
			shown);
}

/* Before ABI 10 a policy with quiet rules has to say that the kernel's own log may do without. */
static bool takes_quiet(const struct reeve_policy *policy)
{
	const char *feature;

	for (size_t i = 0; (feature = reeve_policy_degraded_at(policy, i)); i++)
		if (strcmp(feature, "quiet") == 0)
			return true;
	return false;
}

static void forget_quiet(const struct learn_output *out, struct learned *learned)
{
	cli_autoescape char *shown = cli_escape(out->name);

	learn_rules_release(&learned->quiet);
	learned->quiet = (struct learn_rules){0};
	fprintf(stderr,
		"reeve: what was refused will be reported again: %s would need degrade = "
		"[\"quiet\"]\n",
		shown);
}

static int compare(struct learn_output *out, struct learned *learned)
{
	cli_autopolicy *policy = NULL;
	struct learn_rules missing = {0};
	struct reeve_error err = {0};
	int r;

	if (load(out->name, &policy, &err) < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (learned->quiet.count && !takes_quiet(policy))
		forget_quiet(out, learned);
	r = find_missing(policy, learned, &missing);
	if (r == 0)
		r = out->diff ? show(learned, &missing) : merge(out, learned, &missing);
	if (r == 0 && out->diff)
		out->broader = learn_print_broader(policy, learned);
	if (r == 0) {
		compare_datagrams(out, policy, learned);
		out->missing = missing.count;
	}
	learn_rules_release(&missing);
	return r == 0 && out->diff ? cli_finish(CLI_OK) : r;
}

/* ----------------------------------------------------------------------------- either */

int learn_write(struct learn_output *out, struct learned *learned)
{
	int r = out->merge || out->diff ? compare(out, learned) : write_new(out, learned);

	out->written = r == 0;
	return r;
}
