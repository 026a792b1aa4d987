/* SPDX-License-Identifier: MIT */
/* `reeve explain` of a process in static runs, as its environment tells of them: see layers.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "explain.h"

/* What is named there is somebody else's word: a FIFO, or our own input, would have us wait. */
static bool may_be_read(const struct cli_layer *layer, const char **ret_name)
{
	struct stat st;

	for (size_t i = 0; i < layer->rules.policies.count; i++) {
		*ret_name = layer->rules.policies.items[i];
		if (strcmp(*ret_name, "-") == 0 ||
			(strchr(*ret_name, '/') && stat(*ret_name, &st) == 0 &&
				!S_ISREG(st.st_mode)))
			return false;
	}
	return true;
}

/* In the directory that its paths are relative to. 0, or CLI_ERROR after saying why. */
static int build_here(const struct cli_layer *layer, struct reeve_policy **ret)
{
	const struct cli_build build = {.rules = &layer->rules,
		.degrade = &layer->degrade,
		.chdir = layer->chdir,
		.quiet = true};
	struct reeve_error err = {0};
	const char *name = NULL;

	if (!may_be_read(layer, &name)) {
		cli_autoescape char *shown = cli_escape(name);

		return cli_fail(NULL, "explain: %s: no file any more", shown);
	}
	if (cli_build_policy(&build, ret, &err) == 0)
		return 0;
	cli_print_error(&err);
	return CLI_ERROR;
}

static int build(const struct cli_layer *layer, struct reeve_policy **ret)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), r;
	cli_autoescape char *shown = cli_escape(layer->cwd);

	if (here < 0 || chdir(layer->cwd) < 0)
		r = cli_fail(NULL, "explain: %s: %s", shown, strerror(errno));
	else
		r = build_here(layer, ret);
	if (here >= 0 && fchdir(here) < 0)
		r = cli_fail(NULL, "explain: the working directory is gone");
	if (here >= 0)
		close(here);
	return r;
}

static void warn_changed(const struct reeve_policy *policy, time_t since)
{
	const char *name;
	struct stat st;

	for (size_t i = 0; (name = reeve_policy_file_at(policy, i)); i++) {
		cli_autoescape char *shown = cli_escape(name);

		if (stat(name, &st) == 0 && st.st_mtim.tv_sec > since)
			printf("  %s was changed since; this is what it says now\n", shown);
	}
}

int cli_explain_layer(const struct cli_layer *layer, const struct cli_access *access, int count,
	char *const *items)
{
	cli_autopolicy *policy = NULL;
	int code = build(layer, &policy);

	if (code)
		return code;
	code = cli_explain_policy(policy, access, count, items);
	warn_changed(policy, layer->since);
	return code;
}
