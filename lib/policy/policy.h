/* SPDX-License-Identifier: MIT */
/* The inside of a policy, for the files of this room. */
#ifndef RV_POLICY_POLICY_H
#define RV_POLICY_POLICY_H

#include "policy/config.h"
#include "policy/links.h"
#include "policy/opened.h"
#include "policy/ready.h"

struct reeve_policy {
	struct reeve_log log;
	bool is_loaded;
	struct rv_config loaded;       /* what was loaded, composed */
	struct rv_config extra;	       /* rules, rights and features added one by one */
	struct rv_config set;	       /* only bindings: reeve_policy_set_variable() */
	struct reeve_ruleset *ruleset; /* NULL: not resolved */
	struct rv_opened *opened;      /* what its rules name; NULL unless asked for */
	struct rv_links links;	       /* on the way to what its rules name */
};

/* ------------------------------------------------------------------- profiles */

/* NULL: none of that name is compiled in. */
const struct rv_builtin_profile *rv_builtin_profile(const char *name);

/* The name of a profile, as opposed to a path: letters, digits, '.', '_' and '-', no dot first. */
bool rv_is_profile_name(const char *name);

/*
 * Where the user's profile NAME would be, allocated with malloc(3); NULL in *ret where there is no
 * home directory. With name NULL the directory. -ENOMEM.
 */
int rv_user_profile_path(const char *name, char **ret);

/* "base, git-ssh, go …", for a message. */
void rv_list_profiles(char *buf, size_t size);

/* -------------------------------------------------------------------- loading */

/*
 * Reads a whole regular file, or with "-" standard input. The text ends in NUL and is allocated
 * with malloc(3). Never blocks on a FIFO or device. Errors as reeve_policy_load_file().
 */
int rv_read_file(const char *path, char **ret_text, size_t *ret_length, struct reeve_error *err);

/* The drafts that a profile's own text makes, without what it extends: for --net. */
int rv_load_own_part(const char *profile, struct rv_config *ret, struct reeve_error *err);

#endif /* RV_POLICY_POLICY_H */
