/* SPDX-License-Identifier: MIT */
/*
 * Policies: text, and rules given one by one, to a ruleset.
 *
 * A policy is loaded from files in landlockconfig's format (TOML or JSON, see reeve-policy(5)) and
 * from profiles, composed, and widened by single rules (the flags of `reeve run`). Resolving it
 * expands variables, makes paths absolute and canonical and checks that they exist. The result has
 * one ruleset and the settings that are not rules.
 *
 *	struct reeve_policy *policy;
 *	reeve_policy_new(&policy);
 *	reeve_policy_load_profile(policy, "workspace", &err);
 *	reeve_policy_add_rule(policy, &rule, &err);
 *	reeve_policy_resolve(policy, NULL, &err);
 *	... reeve_policy_ruleset(policy) ...
 *	reeve_policy_free(policy);
 */
#ifndef REEVE_POLICY_H
#define REEVE_POLICY_H

#include <stdbool.h>
#include <reeve/ruleset.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct reeve_policy;

/* An empty policy: nothing handled, nothing granted. -ENOMEM. */
int reeve_policy_new(struct reeve_policy **ret);
void reeve_policy_free(struct reeve_policy *policy);

/* Where warnings go. The struct is copied. */
void reeve_policy_set_log(struct reeve_policy *policy, const struct reeve_log *log);

/* ------------------------------------------------------------------ loading */

enum reeve_policy_format {
	REEVE_POLICY_AUTO, /* JSON: a name ending in ".json", or a text beginning with '{' */
	REEVE_POLICY_TOML,
	REEVE_POLICY_JSON,
};

/*
 * Reads a file, with everything that it extends, and composes it with what is loaded already, as
 * landlockconfig does: handled is what both handle, rules are those of both cut down to that,
 * variables with one name unite. (What `extends` names is not composed but *included*: handled and
 * rules of both.) "-" is standard input. The first thing loaded is taken as it is.
 *
 * Errors name file, line, key, value and what was expected. -EINVAL: the text is wrong; -ELOOP: a
 * cycle of `extends`; -EFBIG: larger than 64 MiB; -EISDIR, -ENXIO (FIFO, device): not a regular
 * file; what open(2) gives; -ENOMEM. After a failure the policy is as it was before the call.
 */
int reeve_policy_load_file(struct reeve_policy *policy, const char *path,
	enum reeve_policy_format format, struct reeve_error *err);

/* The same for text in memory; `name` stands for the file in messages and origins. */
int reeve_policy_load_text(struct reeve_policy *policy, const char *name, const char *text,
	size_t length, enum reeve_policy_format format, struct reeve_error *err);

/*
 * The same for a profile: first NAME.toml in $XDG_CONFIG_HOME/reeve/profiles (~/.config), then
 * those compiled in. -ENOENT: there is none of that name (the message lists those there are).
 */
int reeve_policy_load_profile(
	struct reeve_policy *policy, const char *name, struct reeve_error *err);

/* What `-p ARG` means: a path where ARG has a '/' or ends in .toml or .json, "-", else a profile.
 */
int reeve_policy_load(struct reeve_policy *policy, const char *arg, struct reeve_error *err);

/*
 * Calls fn with each profile's name, a one-line description and its source ("built-in" or a path),
 * sorted by name; stops when fn returns non-zero, and returns that. -ENOMEM.
 */
int reeve_profile_list(
	int (*fn)(void *data, const char *name, const char *summary, const char *source),
	void *data);

/* The text of a built-in profile, or NULL. Static. */
const char *reeve_profile_builtin(const char *name, size_t *ret_length);

/* --------------------------------------------------------------- widening it */

/*
 * Adds a rule to what is loaded, and lets the policy handle its rights. `path` may contain
 * ${variables} and may be relative: to the working directory at reeve_policy_resolve(). Landlock
 * looks at objects, so symbolic links are followed. `origin` should name the flag. Errors as
 * reeve_ruleset_add(), canonicity aside.
 */
int reeve_policy_add_rule(
	struct reeve_policy *policy, const struct reeve_rule *rule, struct reeve_error *err);

/* Handles more rights, or scopes. -EINVAL: an unknown bit. */
int reeve_policy_handle(struct reeve_policy *policy, const struct reeve_rights *rights);

/*
 * Parses one rule flag as written on the command line, "--ro", "/usr" for instance, and adds what
 * it says. The flags are those of reeve-run(1), section RULES; reeve_rule_flag_at() lists them.
 * Flags only widen: a right that the policy does not handle is allowed already, so it stays
 * unhandled, and a flag of which nothing is left is a warning. --scope and --socket are the
 * exception: they handle what they name.
 * -ENOENT: no such flag; -EINVAL: a value that it cannot take.
 */
int reeve_policy_add_flag(
	struct reeve_policy *policy, const char *flag, const char *value, struct reeve_error *err);

struct reeve_rule_flag {
	const char *name;     /* "--ro" */
	const char *argument; /* "PATH", or NULL where it takes none */
	const char *does;     /* for help texts */
};
const struct reeve_rule_flag *reeve_rule_flag_at(size_t i);

/* Sets a variable for ${name}, replacing those of the policy and the built-in one of that name.
 * -EINVAL: a bad name. */
int reeve_policy_set_variable(
	struct reeve_policy *policy, const char *name, const char *value, struct reeve_error *err);

/* Names a right or feature that may be missing here (see reeve_feature_at() in check.h): -EINVAL
 * where it is not known. As `degrade = [...]` in a policy file. */
int reeve_policy_degrade(struct reeve_policy *policy, const char *feature, struct reeve_error *err);

/* ----------------------------------------------------------------- resolving */

struct reeve_resolve_options {
	size_t size;	 /* sizeof(struct reeve_resolve_options) */
	const char *cwd; /* what relative paths on the command line are relative to; NULL: getcwd */
	bool keep_missing; /* for `policy check` on another machine: paths that do not exist stay */
	/*
	 * Keeps what path rules name open until a plan made of the policy is enforced, or both are
	 * freed: looked up once, so faster. At most a quarter of RLIMIT_NOFILE, 256 descriptors.
	 */
	bool keep_open;
};

/*
 * Expands, canonicalises, checks. May be called again after more was added; `options` may be NULL.
 *
 * -EINVAL: an undefined variable, a NUL in a path, a ruleset that handles nothing, the working
 * directory is one that a profile refuses; -ENOENT, -EACCES, -ENOTDIR, -ELOOP, -ENAMETOOLONG: a
 * path; -E2BIG: the variables of one path stand for more than 65536; -ENOMEM. After a failure the
 * ruleset of the last success stays.
 */
int reeve_policy_resolve(struct reeve_policy *policy, const struct reeve_resolve_options *options,
	struct reeve_error *err);

/* The resolved ruleset; NULL before resolving. Owned by the policy. */
const struct reeve_ruleset *reeve_policy_ruleset(const struct reeve_policy *policy);

/* ---------------------------------------------------- settings that are not rules */

enum reeve_unix_datagram {
	REEVE_UNIX_DATAGRAM_DEFAULT, /* not said: "refuse" where pathname sockets are mediated */
	REEVE_UNIX_DATAGRAM_REFUSE,  /* AF_UNIX datagram and raw sockets cannot be created */
	REEVE_UNIX_DATAGRAM_MEDIATE, /* each send is performed by the supervisor */
};

#define REEVE_DENY_EXECUTE_MEMFD 1u /* memfds are created sealed against execution */
#define REEVE_DENY_SYSV_IPC	 2u /* System V shared memory, semaphores, message queues */
#define REEVE_DENY_KEYRING	 4u /* add_key, request_key, keyctl */

struct reeve_policy_settings {
	size_t size;	   /* set by the caller to sizeof(struct reeve_policy_settings) */
	unsigned int deny; /* REEVE_DENY_* */
	enum reeve_unix_datagram unix_datagram;
	bool private_tmpdir;		/* tmpdir = "private" */
	bool inner_landlock_floor_only; /* inner_landlock = "floor-only" */
};
void reeve_policy_settings(const struct reeve_policy *policy, struct reeve_policy_settings *ret);

/* The i-th feature named by `degrade`, or NULL past the end. */
const char *reeve_policy_degraded_at(const struct reeve_policy *policy, size_t i);

/* The i-th policy file read (absolute path), or NULL past the end. Profiles that are built in are
 * not files. */
const char *reeve_policy_file_at(const struct reeve_policy *policy, size_t i);

/* The same files as they were opened: absolute, with symbolic links in them. */
const char *reeve_policy_road_at(const struct reeve_policy *policy, size_t i);

/* ------------------------------------------------------------------------ saving */

/*
 * Adds rules to a policy file, and leaves everything else in it as it is: comments, order,
 * spelling, owner, mode. A path goes to the end of a list of paths that are granted the same; what
 * no table grants becomes a new table at the end. Rules are cut down to what the file handles, with
 * all that it extends. The file is replaced at once (rename(2)), or not at all.
 *
 * `path` names the file itself: a symbolic link is -ELOOP, since it may lead elsewhere by now; its
 * directory may be reached by links. In a file of JSON only grants of paths can be added.
 *
 * Returns how many rules were added; 0: all were there. -ENOENT: no such file; -EINVAL: it is not a
 * policy, or does not restrict what the rules would allow; -EMLINK: it has other hard links;
 * -EPERM: another user's; -ESTALE: it was changed meanwhile; -EBUSY: another process holds a lock
 * on the directory; -EILSEQ: a path is not UTF-8; -EOPNOTSUPP: the form of the file is one that
 * cannot be edited so; -ENXIO: not a regular file; what open(2), write(2) and rename(2) give;
 * -ENOMEM.
 */
int reeve_policy_file_add(
	const char *path, const struct reeve_rule *rules, size_t count, struct reeve_error *err);

/*
 * The same, with a comment for each rule (NULL: none), cut off after some 200 bytes. A rule with
 * one is never put into a list of others: it is a table of its own below "# COMMENT". JSON has
 * none.
 */
int reeve_policy_file_add_commented(const char *path, const struct reeve_rule *rules,
	const char *const *comments, size_t count, struct reeve_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_POLICY_H */
