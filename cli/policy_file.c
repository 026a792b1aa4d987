/* SPDX-License-Identifier: MIT */
/* A policy that reeve writes is checked before it is stored. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "needed.h"

static int check_text(const char *name, const char *text, struct reeve_error *err)
{
	cli_autopolicy *policy = NULL;
	int r = reeve_policy_new(&policy);

	if (r == 0)
		r = reeve_policy_load_text(
			policy, name, text, strlen(text), REEVE_POLICY_TOML, err);
	return r ? r : reeve_policy_resolve(policy, NULL, err);
}

int cli_policy_file_store(const char *option, const char *name, int fd, const char *text)
{
	cli_autoescape char *shown = cli_escape(name);
	struct reeve_error err = {0};
	int r = check_text(name, text, &err);

	if (r == 0)
		r = ftruncate(fd, 0) < 0 ? -errno : cli_out_write(fd, text, strlen(text));
	if (r && err.message[0])
		cli_print_error(&err);
	return r ? cli_fail(NULL, "%s: %s: %s", option, shown, strerror(-r)) : 0;
}
