/* SPDX-License-Identifier: MIT */
/*
 * Sandboxes itself with a policy built in code: from then on, this process and its children may
 * read below one directory, and nothing else.
 *
 *	restrict_self DIRECTORY FILE...
 *
 * prints for each FILE whether it can still be opened. Exits with 1 if it could not sandbox itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <reeve/reeve.h>

/* Handle every file right of ABI 1, grant reading below `directory`. */
static int build_policy(struct reeve_policy **ret, const char *directory, struct reeve_error *err)
{
	struct reeve_rights handled = {.of[REEVE_FS] = reeve_rights_of_abi(REEVE_FS, 1)};
	struct reeve_rule rule = {
		.type = REEVE_RULE_PATH_BENEATH,
		.allowed = REEVE_FS_READ_FILE | REEVE_FS_READ_DIR,
		.path = directory,
		.origin = directory, /* what messages name */
	};
	int r = reeve_policy_new(ret);

	if (r == 0)
		r = reeve_policy_handle(*ret, &handled);
	if (r == 0)
		r = reeve_policy_add_rule(*ret, &rule, err);
	if (r == 0)
		r = reeve_policy_resolve(*ret, NULL, err);
	return r;
}

/* A plan says who would enforce what; restricting is the step that cannot be undone. */
static int restrict_to(const char *directory, struct reeve_error *err)
{
	struct reeve_policy *policy = NULL;
	struct reeve_plan *plan = NULL;
	int r = build_policy(&policy, directory, err);

	if (r == 0)
		r = reeve_plan_new(policy, NULL, &plan, err);
	if (r == 0)
		r = reeve_plan_restrict(plan, REEVE_RESTRICT_TSYNC, err);
	reeve_plan_free(plan);
	reeve_policy_free(policy);
	return r;
}

int main(int argc, char **argv)
{
	struct reeve_error err = {0};

	if (argc < 2) {
		fprintf(stderr, "usage: restrict_self DIRECTORY FILE...\n");
		return 1;
	}
	if (restrict_to(argv[1], &err) < 0) {
		fprintf(stderr, "%s\n%s%s", err.message, err.hint, err.hint[0] ? "\n" : "");
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		printf("%s: %s\n", argv[i], fd < 0 ? strerror(errno) : "can be read");
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
