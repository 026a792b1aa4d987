/* SPDX-License-Identifier: MIT */
/* Drafts to rules: variables, paths, existence. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/error.h"
#include "model/ruleset.h"
#include "policy/canon.h"
#include "policy/decode.h"
#include "policy/links.h"
#include "policy/policy.h"
#include "policy/variables.h"

/* The rules that are there already, by their hash: numbers in the ruleset plus 1, or 0. */
struct seen {
	uint32_t *slots;
	size_t size; /* a power of two, or 0 */
};

struct resolver {
	struct reeve_policy *policy;
	struct reeve_ruleset *ruleset;
	struct reeve_rights handled;
	struct rv_variables variables;
	struct rv_canon canon;
	struct rv_opened *opened; /* NULL: nothing is kept open */
	struct seen seen;
	struct rv_links links;
	char cwd[PATH_MAX];
	bool keep_missing;
	const struct rv_draft *draft; /* the current one */
	const char *from;	      /* what its path is relative to; NULL: absolute */
	bool is_reported;	      /* an expansion of it failed, and err says why */
	struct reeve_rule rule;	      /* what becomes of it */
	struct reeve_error *err;
};

/* --------------------------------------------------------------- no rule twice */

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	while (length--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_rule(const struct reeve_rule *rule)
{
	const uint64_t numbers[] = {rule->type, rule->flags, rule->allowed, rule->quiet,
		rule->port_first, rule->port_last, (uint64_t)rule->socket_family,
		(uint64_t)rule->socket_type, (uint64_t)rule->socket_protocol};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < RV_COUNT(numbers); i++)
		hash = ((hash ^ numbers[i]) * UINT64_C(0x9e3779b97f4a7c15)) ^ hash >> 29;

	if (rule->path)
		hash = mix(hash, rule->path, strlen(rule->path));
	if (rule->address)
		hash = mix(hash, rule->address, strlen(rule->address));
	return hash ^ hash >> 32;
}

static int seen_grow(struct resolver *res)
{
	size_t size = res->seen.size ? res->seen.size * 2 : 256;
	uint32_t *slots = calloc(size, sizeof(*slots));
	struct reeve_rule rule;

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; reeve_ruleset_at(res->ruleset, i, &rule) == 0; i++) {
		size_t at = hash_rule(&rule) & (size - 1);

		while (slots[at])
			at = (at + 1) & (size - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(res->seen.slots);
	res->seen = (struct seen){slots, size};
	return 0;
}

/* 1: the rule is in the ruleset; 0: it is now known as the next one to be added; -ENOMEM. */
static int seen_test(struct resolver *res, const struct reeve_rule *rule)
{
	size_t count = reeve_ruleset_count(res->ruleset), at;
	struct reeve_rule other;

	if (count * 2 >= res->seen.size && seen_grow(res) < 0)
		return -ENOMEM;
	at = hash_rule(rule) & (res->seen.size - 1);
	while (res->seen.slots[at]) {
		reeve_ruleset_at(res->ruleset, res->seen.slots[at] - 1, &other);
		if (rv_same_rule(&other, rule))
			return 1;
		at = (at + 1) & (res->seen.size - 1);
	}
	res->seen.slots[at] = (uint32_t)count + 1;
	return 0;
}

/* -------------------------------------------------------------------- one rule */

/* `fd`: of the rule's path, or -1; taken over. */
static int add_rule_at(struct resolver *res, int fd)
{
	rv_autoclose int opened = fd;
	int r = seen_test(res, &res->rule);

	if (r != 0)
		return r < 0 ? rv_no_memory(res->err) : 0;
	r = reeve_ruleset_add(res->ruleset, &res->rule, res->err);
	if (r < 0)
		rv_error_wrap(res->err, r, "%s", rv_q(res->rule.origin));
	else if (opened >= 0)
		rv_opened_keep(res->opened, (uint32_t)reeve_ruleset_count(res->ruleset) - 1,
			rv_steal_fd(&opened));
	return r;
}

static int add_rule(struct resolver *res)
{
	return add_rule_at(res, -1);
}

/* Which key of a policy file the path of a draft stands in. */
static const char *key_of(const struct rv_draft *draft)
{
	if (draft->rule.type == REEVE_RULE_UNIX_SOCKET || !draft->rule.allowed)
		return draft->rule.flags & REEVE_RULE_DENY ? "except" : "path";
	return "parent";
}

/* "policy.toml:7: parent: "/x": WHY", or "--ro x: /cwd/x: WHY". */
static int path_error(struct resolver *res, int code, const char *path, const char *why)
{
	const struct rv_draft *draft = res->draft;
	const char *origin = draft->rule.origin ? draft->rule.origin : "rule";

	if (draft->source == RV_DRAFT_TEXT)
		return rv_error(res->err, code, "%s: %s: \"%s\": %s", rv_q(origin), key_of(draft),
			rv_q(path), why);
	if (draft->rule.path && path[0] == '/' && strcmp(path, draft->rule.path) != 0)
		return rv_error(res->err, code, "%s: \"%s\": %s", rv_q(origin), rv_q(path), why);
	return rv_error(res->err, code, "%s: %s", rv_q(origin), why);
}

/* The way out, of a path as it was written. */
static const char *missing_hint(bool of_text, const char *written)
{
	if (written[0] == '~')
		return "only shells expand ~, and only where a word begins: write ${HOME}";
	if (of_text)
		return "write missing = \"ignore\" into the rule if the path need not exist";
	if (strchr(written, ','))
		return "the flag can be given several times, each with a path";
	return "create it first: a rule is bound to what exists when the sandbox starts";
}

static int missing(struct resolver *res, int code, const char *path)
{
	const struct rv_draft *draft = res->draft;
	const char *written = draft->rule.path ? draft->rule.path : path;

	path_error(res, code, path, strerror(-code));
	if (code == -ENOENT)
		rv_error_hint(
			res->err, "%s", missing_hint(draft->source == RV_DRAFT_TEXT, written));
	return code;
}

/* Whether what does not exist is kept: live and deny rules go by path, not by object. */
static bool may_miss(const struct resolver *res)
{
	return res->keep_missing || (res->rule.flags & (REEVE_RULE_LIVE | REEVE_RULE_DENY));
}

/* What a shell was to expand, and did not, would deny nothing: --deny=~/.ssh. */
static bool may_be_new(const struct resolver *res)
{
	return res->draft->rule.path[0] == '~' ? res->keep_missing : may_miss(res);
}

/*
 * An optional rule is skipped where the path does not exist, and where the user may not even look:
 * what this process cannot reach, the sandbox cannot either.
 */
static bool is_skipped(const struct resolver *res, int code)
{
	return (res->rule.flags & REEVE_RULE_OPTIONAL) &&
	       (code == -ENOENT || code == -ENOTDIR || code == -EACCES);
}

/* `path` itself, or in `buf`; NULL: too long. */
static const char *make_absolute(
	const struct resolver *res, const char *base, const char *path, char buf[PATH_MAX])
{
	const char *from = base ? base : res->cwd;

	if (path[0] == '/')
		return path;
	return snprintf(buf, PATH_MAX, "%s/%s", strcmp(from, "/") ? from : "", path) < PATH_MAX
		       ? buf
		       : NULL;
}

/* Whether `inner` is `outer` or below it; both canonical. */
static bool is_within(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (n == 1)
		return true;
	return strncmp(inner, outer, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}

static void met_link(void *data, const char *path)
{
	struct resolver *res = data;

	rv_links_met(&res->links, path);
}

/* Above where a relative path begins nothing depends on what is there. */
static void went_up(void *data, const char *dir)
{
	struct resolver *res = data;

	if (!res->from || !is_within(res->from, dir))
		rv_links_left(&res->links, dir);
}

/* Where the link itself is: its directory may be reached by another one. */
static void meet_link(struct resolver *res, const char *absolute)
{
	const char *slash = strrchr(absolute, '/');
	char dir[PATH_MAX], unused[PATH_MAX];
	rv_autoclose int fd = -1;

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - absolute), absolute);
	if (dir[0])
		fd = rv_open_canonical(dir);
	if (!dir[0] || fd >= 0)
		rv_links_met(&res->links, absolute);
	else
		rv_canonicalize(&res->canon, absolute, false, unused);
}

/*
 * The usual path is canonical as it is written and exists: one call finds that out, and leaves a
 * descriptor for Landlock. Most of the others are links to such a path, which is then in `target`.
 * -EAGAIN: it has to be walked.
 */
static int open_rule(struct resolver *res, const char *absolute, char target[PATH_MAX])
{
	int fd;

	if (!res->opened || !rv_opened_has_room(res->opened) || may_miss(res))
		return -EAGAIN;
	fd = rv_open_canonical(absolute);
	if (fd == -EAGAIN) {
		fd = rv_open_link(absolute, target);
		if (fd >= 0) {
			meet_link(res, absolute);
			res->rule.path = target;
		}
	}
	if (fd != -EMFILE && fd != -ENFILE)
		return fd;
	rv_opened_give_up(res->opened);
	return -EAGAIN;
}

static int add_path(struct resolver *res, const char *path)
{
	char buf[PATH_MAX], canonical[PATH_MAX];
	const char *absolute;
	int r, fd;

	if (!*path)
		return path_error(res, -EINVAL, "", "an empty path");
	absolute = make_absolute(res, res->draft->base, path, buf);
	res->from = res->draft->base ? res->draft->base : res->cwd;
	if (path[0] == '/')
		res->from = NULL;
	if (!absolute)
		return path_error(res, -ENAMETOOLONG, path, strerror(ENAMETOOLONG));
	res->rule.path = absolute;
	fd = r = open_rule(res, absolute, canonical);
	if (r == -EAGAIN) {
		r = rv_canonicalize(&res->canon, absolute, may_be_new(res), canonical);
		res->rule.path = canonical;
	}
	if (r < 0)
		return is_skipped(res, r) ? 0 : missing(res, r, absolute);
	/* Before its path is gone. */
	rv_links_settle(&res->links, &res->rule);
	return add_rule_at(res, fd);
}

static int expanded(void *data, const char *path)
{
	struct resolver *res = data;
	int r = add_path(res, path);

	res->is_reported = r < 0;
	rv_links_settle(&res->links, NULL); /* of what became no rule */
	return r;
}

/* An exception is never skipped: a variable that is not there must not widen the policy. */
static int undefined(struct resolver *res, const char *name)
{
	unsigned int flags = res->draft->rule.flags;
	char why[160];

	if ((flags & REEVE_RULE_OPTIONAL) && !(flags & REEVE_RULE_DENY))
		return 0;
	snprintf(why, sizeof(why), "the variable %s is not defined", name);
	path_error(res, -EINVAL, res->draft->rule.path, why);
	if (res->draft->source == RV_DRAFT_TEXT)
		rv_error_hint(res->err, "define it in a [[variable]] table, or write missing = "
					"\"ignore\" into the rule");
	return -EINVAL;
}

static int add_paths(struct resolver *res)
{
	const char *template = res->draft->rule.path;
	char name[RV_NAME_MAX];
	int r;

	res->is_reported = false;
	r = rv_expand(&res->variables, template, expanded, res, name);
	if (r == 0 || res->is_reported)
		return r;
	if (name[0])
		return undefined(res, name);
	return path_error(res, r, template,
		r == -E2BIG ? "its variables stand for too many paths" : strerror(-r));
}

/* False: nothing handles what is left of the draft. */
static bool cut(struct resolver *res, struct rv_draft *draft)
{
	if (rv_draft_cut(draft, &res->handled))
		return true;
	if (draft->source == RV_DRAFT_FLAG)
		rv_log(&res->policy->log, REEVE_LOG_WARNING,
			"%s: has no effect: the policy does not restrict this, so it is allowed",
			rv_q(draft->rule.origin));
	return false;
}

static int resolve_draft(struct resolver *res, const struct rv_draft *source)
{
	struct rv_draft draft = *source;

	if (!cut(res, &draft))
		return 0;
	res->draft = &draft;
	res->rule = draft.rule;
	return reeve_rule_class(draft.rule.type) == REEVE_FS ? add_paths(res) : add_rule(res);
}

static int resolve_drafts(struct resolver *res, const struct rv_config *config)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->drafts.count; i++)
		r = resolve_draft(res, &config->drafts.at[i]);
	return r;
}

/* ------------------------------------------------------------- working directory */

struct refused {
	struct resolver *res;
	const struct rv_refusal *refusal;
	const char *cwd; /* canonical */
};

static int check_refusal(void *data, const char *path)
{
	struct refused *refused = data;
	struct resolver *res = refused->res;
	char buf[PATH_MAX], canonical[PATH_MAX];
	const char *absolute = make_absolute(res, refused->refusal->base, path, buf);

	if (!absolute || rv_canonicalize(&res->canon, absolute, true, canonical) < 0 ||
		!is_within(canonical, refused->cwd))
		return 0;
	rv_error(res->err, -EINVAL,
		"%s: refuse_cwd: the working directory %s would be granted as a whole%s%s",
		rv_q(refused->refusal->origin), rv_q(refused->cwd),
		strcmp(canonical, refused->cwd) ? ", and with it " : "",
		strcmp(canonical, refused->cwd) ? rv_q(canonical) : "");
	rv_error_hint(res->err, "change to the project's directory first; what the program needs "
				"beside it is granted with --rw DIR");
	return -EINVAL;
}

static int check_cwd(struct resolver *res)
{
	const struct rv_config *config = &res->policy->loaded;
	char canonical[PATH_MAX], name[RV_NAME_MAX];
	struct refused refused = {.res = res, .cwd = canonical};

	if (!config->refusals.count)
		return 0;
	if (rv_canonicalize(&res->canon, res->cwd, true, canonical) < 0)
		strcpy(canonical, res->cwd);
	for (size_t i = 0; i < config->refusals.count; i++) {
		refused.refusal = &config->refusals.at[i];
		/* A home directory that nobody defines needs no protection. */
		if (rv_expand(&res->variables, refused.refusal->path, check_refusal, &refused,
			    name) == -EINVAL)
			return -EINVAL;
	}
	return 0;
}

/* ---------------------------------------------------------------------- public */

static int set_cwd(struct resolver *res, const char *cwd)
{
	if (cwd && cwd[0] != '/')
		return rv_error(
			res->err, -EINVAL, "%s: the working directory is not absolute", rv_q(cwd));
	if (cwd && strlen(cwd) >= sizeof(res->cwd))
		return rv_error(res->err, -ENAMETOOLONG, "the working directory: %s",
			strerror(ENAMETOOLONG));
	if (cwd)
		strcpy(res->cwd, cwd);
	else if (!getcwd(res->cwd, sizeof(res->cwd)))
		return rv_error(res->err, -errno, "the working directory: %s", strerror(errno));
	return 0;
}

#define UDP (REEVE_NET_BIND_UDP | REEVE_NET_CONNECT_SEND_UDP)

/* Whether these rules, other than by flags, let UDP sockets be made. */
static bool opens_udp(const struct rv_config *config)
{
	for (size_t i = 0; i < config->drafts.count; i++) {
		const struct rv_draft *draft = &config->drafts.at[i];
		const struct reeve_rule *rule = &draft->rule;
		int family = rule->socket_family, type = rule->socket_type;

		if (rule->type == REEVE_RULE_SOCKET && draft->source != RV_DRAFT_FLAG &&
			draft->source != RV_DRAFT_IMPLIED &&
			(family == AF_INET || family == AF_INET6 || family == REEVE_SOCKET_ANY) &&
			(type == SOCK_DGRAM || type == REEVE_SOCKET_ANY))
			return true;
	}
	return false;
}

/*
 * A flag for a port of UDP lets sockets be made that could reach all of UDP. Where there were none
 * without it, the rest stays out of reach.
 */
static uint64_t udp_by_flags(const struct reeve_policy *policy)
{
	const struct rv_config *extra = &policy->extra;
	uint64_t named = 0;

	for (size_t i = 0; i < extra->drafts.count; i++) {
		const struct rv_draft *draft = &extra->drafts.at[i];

		if (draft->source == RV_DRAFT_FLAG &&
			reeve_rule_class(draft->rule.type) == REEVE_NET)
			named |= draft->rule.allowed & UDP;
	}
	if (!named || !policy->loaded.handled.of[REEVE_SOCKET])
		return 0;
	return opens_udp(&policy->loaded) || opens_udp(extra) ? 0 : UDP;
}

static int start(struct resolver *res, const struct reeve_resolve_options *options)
{
	const struct reeve_policy *policy = res->policy;
	uint64_t any = 0;
	int r;

	if (options && options->size < sizeof(*options))
		return rv_error(res->err, -EINVAL, "options of an unknown size");
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++) {
		res->handled.of[cls] =
			policy->loaded.handled.of[cls] | policy->extra.handled.of[cls];
		any |= res->handled.of[cls];
	}
	res->handled.of[REEVE_NET] |= udp_by_flags(policy);
	if (!any && !policy->loaded.deny) {
		rv_error(res->err, -EINVAL,
			"the policy restricts nothing: no right is handled, nothing is scoped");
		rv_error_hint(res->err, "several policies together restrict only what each of them "
					"restricts; see reeve-policy(5)");
		return -EINVAL;
	}
	res->keep_missing = options && options->keep_missing;
	if (options && options->keep_open)
		res->opened = rv_opened_new();
	r = set_cwd(res, options ? options->cwd : NULL);
	if (r == 0 &&
		(rv_variables_init(&res->variables, &policy->loaded, &policy->set, res->cwd) < 0 ||
			reeve_ruleset_new(&res->handled, &res->ruleset) < 0 ||
			rv_ruleset_reserve(res->ruleset,
				policy->loaded.drafts.count + policy->extra.drafts.count) < 0))
		r = rv_no_memory(res->err);
	return r;
}

int reeve_policy_resolve(struct reeve_policy *policy, const struct reeve_resolve_options *options,
	struct reeve_error *err)
{
	struct resolver res;
	int r;

	memset(&res, 0, sizeof(res));
	res.policy = policy;
	res.err = err;
	r = start(&res, options);

	if (r == 0)
		r = check_cwd(&res);
	res.canon.on_link = met_link;
	res.canon.on_up = went_up;
	res.canon.data = &res;
	if (r == 0)
		r = resolve_drafts(&res, &policy->loaded);
	if (r == 0)
		r = resolve_drafts(&res, &policy->extra);
	if (r == 0)
		r = rv_links_check(&res.links, res.ruleset, err);
	if (r == 0) {
		reeve_ruleset_free(policy->ruleset);
		policy->ruleset = rv_steal_ptr(&res.ruleset);
		rv_opened_unref_p(&policy->opened);
		policy->opened = rv_steal_ptr(&res.opened);
		rv_links_release(&policy->links);
		policy->links = res.links;
		res.links = (struct rv_links){0};
	}
	rv_opened_unref_p(&res.opened);
	reeve_ruleset_free(res.ruleset);
	rv_variables_release(&res.variables);
	rv_links_release(&res.links);
	free(res.seen.slots);
	return r;
}
