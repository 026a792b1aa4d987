/* SPDX-License-Identifier: MIT */
/* From a denied file to the flag that would allow it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "enforce/diagnose_private.h"
#include "enforce/search.h"

/* Directories below $HOME that tools live in, and the profile that grants them, if one does. */
static const struct {
	const char *directory, *profile;
} tools[] = {
	{".nvm", "node"},
	{".volta", "node"},
	{".fnm", "node"},
	{".local/share/fnm", "node"},
	{".asdf", NULL},
	{".npm-global", "node"},
	{".bun", NULL},
	{".deno", NULL},
	{".pyenv", "python"},
	{".local/share/uv", "python"},
	{".local/pipx", "python"},
	{".local/share/pipx", "python"},
	{".cargo", "rust"},
	{".rustup", "rust"},
	{"go", "go"},
	{"sdk", "go"},
	{".gvm", "go"},
	{".goenv", "go"},
	{".local/bin", NULL},
};

/* Whether `path` is below `top`. */
static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && path[n] == '/';
}

/* The home of the program's user, canonical, as file paths are here. False without one. */
static bool find_home(const struct rv_look *look, char home[PATH_MAX])
{
	const char *value = rv_env_get(look->envp, "HOME");

	return value && value[0] == '/' && realpath(value, home) && home[1];
}

static bool find_tool(struct rv_grant *grant, const char *path, const char *home)
{
	for (size_t i = 0; i < RV_COUNT(tools); i++) {
		int n = snprintf(
			grant->path, sizeof(grant->path), "%s/%s", home, tools[i].directory);

		if (n < 0 || (size_t)n >= sizeof(grant->path) || !is_below(path, grant->path))
			continue;
		grant->profile = tools[i].profile;
		return true;
	}
	return false;
}

/*
 * What to grant for a file: its tool's directory; /usr for what the system brings; else the
 * directory that it is in, unless that is the whole home or more: then the file only.
 */
static void find_grant(const struct rv_look *look, const char *path, struct rv_grant *ret)
{
	char home[PATH_MAX];
	bool has_home = find_home(look, home);
	char *slash;

	ret->profile = NULL;
	if (has_home && find_tool(ret, path, home))
		return;
	if (is_below(path, "/usr") && !is_below(path, "/usr/local")) {
		strcpy(ret->path, "/usr");
		return;
	}
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	slash = strrchr(ret->path, '/');
	if (slash == ret->path || strlen(path) >= sizeof(ret->path))
		return;
	*slash = '\0';
	if (has_home && (strcmp(home, ret->path) == 0 || is_below(home, ret->path)))
		*slash = '/';
}

static void add_grant(struct rv_look *look, const char *path)
{
	struct rv_grant *grant = &look->grants[look->grants_count];

	if (look->grants_count == RV_HINTS_MAX)
		return;
	find_grant(look, path, grant);
	for (size_t i = 0; i < look->grants_count; i++) {
		if (strcmp(look->grants[i].path, grant->path) == 0)
			return;
	}
	look->grants_count++;
}

void rv_look_deny(
	struct rv_look *look, const char *path, uint64_t missing, bool after_exec, const char *what)
{
	struct rv_diagnosis *ret = look->ret;
	bool itself = strcmp(what, "it") == 0;
	const char *verb = missing & REEVE_FS_EXECUTE ? "execute" : "read";

	add_grant(look, path);
	if (ret->code) {
		/* The earliest step to fail is what happens. */
		ret->after_exec = ret->after_exec && after_exec;
		return;
	}
	ret->code = -EACCES;
	ret->after_exec = after_exec;
	snprintf(ret->message, sizeof(ret->message),
		itself ? "%s: the policy does not grant to %s %s%s"
		       : "%s: the policy does not grant to %s %s, %s",
		rv_q(look->program), verb, rv_q(path), itself ? "" : what);
}

/* A path in a command line, quoted for the shell where it has to be. */
static void put_path(struct rv_strbuf *sb, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+:,@%";

	if (strspn(path, plain) == strlen(path))
		rv_strbuf_puts(sb, path);
	else
		rv_strbuf_printf(sb, "'%s'", rv_q(path));
}

static void put_profiles(struct rv_look *look, struct rv_strbuf *sb)
{
	const char *seen = "";

	for (size_t i = 0; i < look->grants_count; i++) {
		const char *profile = look->grants[i].profile;

		if (profile && strcmp(profile, seen) != 0)
			rv_strbuf_printf(sb, "-p %s ", seen = profile);
	}
	if (sb->length)
		rv_strbuf_puts(sb, "or ");
}

void rv_look_finish(struct rv_look *look)
{
	rv_autostrbuf sb = {0};

	if (!look->grants_count)
		return;
	put_profiles(look, &sb);
	for (size_t i = 0; i < look->grants_count; i++) {
		rv_strbuf_puts(&sb, i ? " --rx " : "--rx ");
		put_path(&sb, look->grants[i].path);
	}
	snprintf(look->ret->hint, sizeof(look->ret->hint), "allow it with %s",
		sb.text && !sb.failed ? sb.text : "--rx");
}
