/* SPDX-License-Identifier: MIT */
/* Dependencies as a graph for dot(1): programs as ellipses, a box around those of one process,
 * files as boxes; arrows go as data do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "deps.h"

struct drawing {
	const struct cli_deps *deps;
	FILE *file;
	uint32_t process; /* the box that is open, 0: none */
};

/* In quotes; what is no text as an escape that can be read. */
static void put_label(FILE *file, const char *text)
{
	cli_autoescape char *shown = cli_escape(text);

	for (const char *s = shown; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', file);
		fputc(*s, file);
	}
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path;
}

static int put_program(void *data, const struct reeve_actor *actor)
{
	struct drawing *drawing = data;
	FILE *file = drawing->file;

	if (drawing->process != actor->process) {
		fprintf(file, "%s\tsubgraph cluster_%" PRIu32 " {\n\t\tlabel=\"pid %d\";\n",
			drawing->process ? "\t}\n" : "", actor->process, (int)actor->pid);
		drawing->process = actor->process;
	}
	fprintf(file, "\t\tp%" PRIu32 " [label=\"", actor->id);
	put_label(file, actor->exe ? last_part(actor->exe) : actor->comm);
	fputs("\"];\n", file);
	return 0;
}

static int put_parent(void *data, const struct reeve_actor *actor)
{
	struct drawing *drawing = data;

	if (actor->id != actor->process)
		fprintf(drawing->file,
			"\tp%" PRIu32 " -> p%" PRIu32 " [style=dotted, label=exec];\n",
			actor->id - 1, actor->id);
	else if (actor->parent)
		fprintf(drawing->file, "\tp%" PRIu32 " -> p%" PRIu32 " [style=dotted];\n",
			actor->parent, actor->id);
	return 0;
}

/* Files are numbered by their place in the list, so that each is one node. */
static size_t number_of(const struct cli_deps *deps, const struct cli_dep *file)
{
	size_t low = 0, high = deps->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (deps->files[middle]->first < file->first)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < deps->count && deps->files[low] != file)
		low++;
	return low;
}

static void put_arrow(struct drawing *drawing, const struct reeve_access *access, const char *path,
	bool from_program, const char *style)
{
	const struct cli_dep *file = cli_deps_find(drawing->deps, path);
	size_t number = file ? number_of(drawing->deps, file) : 0;

	if (!file || !cli_deps_wanted(drawing->deps, path))
		return;
	if (from_program)
		fprintf(drawing->file, "\tp%" PRIu32 " -> f%zu", access->actor->id, number);
	else
		fprintf(drawing->file, "\tf%zu -> p%" PRIu32, number, access->actor->id);
	fprintf(drawing->file, "%s;\n", style);
}

static int put_access(void *data, const struct reeve_access *access)
{
	struct drawing *drawing = data;
	uint64_t changes = REEVE_FS_WRITE_FILE | REEVE_FS_TRUNCATE;
	const char *made = access->object2 ? access->object2 : access->object;

	if (access->cls != REEVE_FS)
		return 0;
	if (access->outcome == REEVE_ACCESS_ABSENT)
		put_arrow(drawing, access, access->object, false, " [style=dashed]");
	if (access->outcome != REEVE_ACCESS_ALLOWED)
		return 0;
	if (access->rights & (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE))
		put_arrow(drawing, access, access->object, false, "");
	if ((access->rights & changes) || (access->flags & REEVE_ACCESS_MAKES))
		put_arrow(drawing, access, made, true, "");
	if (access->flags & REEVE_ACCESS_REMOVES)
		put_arrow(drawing, access, access->object, true, " [color=red, arrowhead=tee]");
	return 0;
}

static void put_files(struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->deps->count; i++) {
		const struct cli_dep *file = drawing->deps->files[i];

		if (!cli_deps_wanted(drawing->deps, file->path))
			continue;
		fprintf(drawing->file, "\tf%zu [shape=box%s, label=\"", i,
			file->absent && !file->exists ? ", style=dashed" : "");
		put_label(drawing->file, file->path);
		fputs("\"];\n", drawing->file);
	}
}

int cli_deps_dot(const struct cli_deps *deps, const struct cli_deps_output *out)
{
	struct drawing drawing = {.deps = deps, .file = out->file};
	int r;

	fputs("digraph deps {\n\trankdir=LR;\n", out->file);
	r = reeve_record_actors(deps->record, put_program, &drawing);
	if (drawing.process)
		fputs("\t}\n", out->file);
	put_files(&drawing);
	if (r == 0)
		r = reeve_record_actors(deps->record, put_parent, &drawing);
	if (r == 0)
		r = reeve_record_each(deps->record, put_access, &drawing);
	fputs("}\n", out->file);
	return r ? cli_fail(NULL, "out of memory") : 0;
}
