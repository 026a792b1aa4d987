/* SPDX-License-Identifier: MIT */
/* Dependencies as rules of make, as lines of JSON, and those that were missing. */
#include <stdlib.h>
#include <string.h>
#include "deps.h"
#include "json.h"

/* ---------------------------------------------------------------------------- make */

/* As the Makefile would call it: relative to where CMD was started, where it is below that. */
static const char *named(const struct cli_deps_output *out, const char *path)
{
	size_t length = strlen(out->cwd);

	if (length > 1 && strncmp(path, out->cwd, length) == 0 && path[length] == '/')
		return path + length + 1;
	return path;
}

/* GNU make knows no way to write a newline in a name, and a colon ends the targets. */
static bool can_be_named(const char *path)
{
	return !strpbrk(path, "\n\r:");
}

static void put_name(FILE *file, const char *name)
{
	for (; *name; name++) {
		if (*name == ' ' || *name == '\t' || *name == '#' || *name == '\\' || *name == '%')
			fputc('\\', file);
		else if (*name == '$')
			fputc('$', file);
		fputc(*name, file);
	}
}

static void warn_unnamed(const char *path)
{
	cli_autoescape char *shown = cli_escape(path);

	fprintf(stderr, "reeve: warning: %s: left out: make has no way to write this name\n",
		shown);
}

/* How many targets there are. */
static size_t put_targets(const struct cli_deps *deps, const struct cli_deps_output *out)
{
	size_t count = out->targets->count;

	for (size_t i = 0; i < count; i++) {
		fputs(i ? " " : "", out->file);
		put_name(out->file, out->targets->items[i]);
	}
	for (size_t i = 0; !out->targets->count && i < deps->count; i++) {
		const struct cli_dep *file = deps->files[i];

		if (!cli_dep_is_output(file) || !cli_deps_wanted(deps, file->path))
			continue;
		if (!can_be_named(file->path)) {
			warn_unnamed(file->path);
			continue;
		}
		fputs(count++ ? " " : "", out->file);
		put_name(out->file, named(out, file->path));
	}
	return count;
}

static bool is_prerequisite(const struct cli_deps *deps, const struct cli_dep *file)
{
	return cli_dep_is_input(file) && cli_deps_wanted(deps, file->path);
}

static void put_heading(const struct cli_deps_output *out)
{
	fputs("# Written by `reeve deps` for", out->file);
	for (size_t i = 0; out->command[i]; i++) {
		cli_autoescape char *shown = cli_escape(out->command[i]);

		fprintf(out->file, " %s", shown);
	}
	fputs("\n", out->file);
}

/* A rule without a recipe for each prerequisite: when it is gone, make does not stop. */
int cli_deps_make(const struct cli_deps *deps, const struct cli_deps_output *out)
{
	put_heading(out);
	if (put_targets(deps, out) == 0)
		return cli_fail("name one: --target NAME",
			"deps: CMD left no file behind that could be a target");
	fputs(":", out->file);
	for (size_t i = 0; i < deps->count; i++) {
		if (!is_prerequisite(deps, deps->files[i]))
			continue;
		if (!can_be_named(deps->files[i]->path)) {
			warn_unnamed(deps->files[i]->path);
			continue;
		}
		fputs(" \\\n  ", out->file);
		put_name(out->file, named(out, deps->files[i]->path));
	}
	fputs("\n", out->file);
	for (size_t i = 0; i < deps->count; i++) {
		if (!is_prerequisite(deps, deps->files[i]) || !can_be_named(deps->files[i]->path))
			continue;
		fputs("\n", out->file);
		put_name(out->file, named(out, deps->files[i]->path));
		fputs(":\n", out->file);
	}
	return 0;
}

/* ---------------------------------------------------------------------------- JSON */

struct writing {
	const struct cli_deps *deps;
	FILE *file;
	bool failed;
};

static void put_line(struct writing *writing, json_t *line)
{
	if (!line || json_dumpf(line, writing->file, JSON_COMPACT) < 0)
		writing->failed = true;
	fputc('\n', writing->file);
	json_decref(line);
}

static const char *const outcomes[] = {[REEVE_ACCESS_ALLOWED] = "allowed",
	[REEVE_ACCESS_DENIED] = "denied",
	[REEVE_ACCESS_ABSENT] = "absent",
	[REEVE_ACCESS_FAILED] = "failed"};

/* The one word that says most. */
static const char *action_of(const struct reeve_access *access)
{
	static const struct {
		unsigned int flags;
		uint64_t rights;
		const char *word;
	} words[] = {{REEVE_ACCESS_REMOVES, 0, "delete"}, {REEVE_ACCESS_MAKES, 0, "make"},
		{0, REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE, "write"},
		{0, REEVE_FS_EXECUTE, "execute"}, {0, REEVE_FS_READ_FILE, "read"},
		{0, REEVE_FS_READ_DIR, "list"}};

	if (access->object2)
		return access->flags & REEVE_ACCESS_REMOVES ? "rename" : "link";
	for (size_t i = 0; i < CLI_COUNT(words); i++)
		if ((access->flags & words[i].flags) || (access->rights & words[i].rights))
			return words[i].word;
	return "other";
}

static json_t *rights_of(const struct reeve_access *access)
{
	json_t *names = json_array();
	const struct reeve_right_info *right;

	for (size_t i = 0; (right = reeve_right_at(i)); i++)
		if (right->cls == access->cls && (access->rights & right->bit))
			json_array_append_new(names, json_string(right->full_name));
	return names;
}

static int put_access(void *data, const struct reeve_access *access)
{
	struct writing *writing = data;
	json_t *line;

	if (access->cls == REEVE_FS && !cli_deps_wanted(writing->deps, access->object) &&
		!(access->object2 && cli_deps_wanted(writing->deps, access->object2)))
		return 0;
	line = cli_json_new("access");
	if (!line) {
		writing->failed = true;
		return 1;
	}
	json_object_set_new(line, "sequence", json_integer((json_int_t)access->sequence));
	cli_json_text(line, "action", access->cls == REEVE_FS ? action_of(access) : "use");
	cli_json_text(line, "call", access->call);
	cli_json_text(line, "object", access->object);
	if (access->object2)
		cli_json_text(line, "object2", access->object2);
	json_object_set_new(line, "rights", rights_of(access));
	cli_json_text(line, "outcome", outcomes[access->outcome]);
	json_object_set_new(line, "count", json_integer((json_int_t)access->count));
	json_object_set_new(line, "program", json_integer(access->actor->id));
	json_object_set_new(line, "pid", json_integer(access->actor->pid));
	cli_json_text(line, "comm", access->actor->comm);
	put_line(writing, line);
	return writing->failed;
}

static int put_actor(void *data, const struct reeve_actor *actor)
{
	struct writing *writing = data;
	json_t *line = cli_json_new("program");

	if (line) {
		json_object_set_new(line, "program", json_integer(actor->id));
		json_object_set_new(line, "process", json_integer(actor->process));
		json_object_set_new(line, "parent", json_integer(actor->parent));
		json_object_set_new(line, "pid", json_integer(actor->pid));
		cli_json_text(line, "comm", actor->comm);
		cli_json_text(line, "exe", actor->exe);
	}
	put_line(writing, line);
	return writing->failed;
}

/* What a file was to the run as a whole, and what it is like now. */
static const char *role_of(const struct cli_dep *file)
{
	if (cli_dep_is_output(file))
		return file->read ? "changed" : "output";
	if (cli_dep_is_input(file))
		return "input";
	if (file->absent && !file->exists)
		return "absent";
	return NULL;
}

static void put_file(struct writing *writing, const struct cli_dep *file)
{
	const char *role = role_of(file);
	json_t *line = role ? cli_json_new("file") : NULL;
	char mtime[48];

	if (!role)
		return;
	snprintf(mtime, sizeof(mtime), "%lld.%09ld", file->seconds, file->nanoseconds);
	if (line) {
		cli_json_text(line, "object", file->path);
		cli_json_text(line, "role", role);
		if (file->exists) {
			json_object_set_new(line, "size", json_integer(file->size));
			cli_json_text(line, "mtime", mtime);
		}
	}
	put_line(writing, line);
}

int cli_deps_json(const struct cli_deps *deps, const struct cli_deps_output *out)
{
	struct writing writing = {.deps = deps, .file = out->file};
	int r = reeve_record_actors(deps->record, put_actor, &writing);

	if (r == 0)
		r = reeve_record_each(deps->record, put_access, &writing);
	for (size_t i = 0; r == 0 && !writing.failed && i < deps->count; i++)
		if (cli_deps_wanted(deps, deps->files[i]->path))
			put_file(&writing, deps->files[i]);
	return r || writing.failed ? cli_fail(NULL, "deps: cannot write JSON: out of memory") : 0;
}

/* ------------------------------------------------------------------------- missing */

int cli_deps_missing(const struct cli_deps *deps, const struct cli_deps_output *out)
{
	struct writing writing = {.deps = deps, .file = out->file};

	for (size_t i = 0; i < deps->count; i++) {
		const struct cli_dep *file = deps->files[i];
		cli_autoescape char *shown = NULL;

		if (!file->absent || !cli_deps_wanted(deps, file->path))
			continue;
		if (out->json) {
			put_file(&writing, file);
			continue;
		}
		shown = cli_escape(file->path);
		fprintf(out->file, "%s\n", shown);
	}
	return writing.failed ? cli_fail(NULL, "deps: cannot write JSON: out of memory") : 0;
}
