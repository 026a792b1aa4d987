/* SPDX-License-Identifier: MIT */
/* What of a run's dependencies is not any more as the run left it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "deps.h"
#include "json.h"

/* "12.000000034", as it was written. */
static bool same_time(const char *written, const struct timespec *now)
{
	char text[48];

	snprintf(text, sizeof(text), "%lld.%09ld", (long long)now->tv_sec, now->tv_nsec);
	return written && strcmp(written, text) == 0;
}

/* What happened to a file, or NULL: nothing. */
static const char *change_of(const json_t *line)
{
	const char *path = json_string_value(json_object_get(line, "object"));
	const char *role = json_string_value(json_object_get(line, "role"));
	json_int_t size = json_integer_value(json_object_get(line, "size"));
	struct stat st;

	if (!path || !role)
		return NULL;
	if (stat(path, &st) < 0)
		return strcmp(role, "absent") == 0 ? NULL : "gone";
	if (strcmp(role, "absent") == 0)
		return "appeared";
	if (st.st_size != size ||
		!same_time(json_string_value(json_object_get(line, "mtime")), &st.st_mtim))
		return "changed";
	return NULL;
}

static int print_change(const json_t *line, const char *change, bool json)
{
	const char *path = json_string_value(json_object_get(line, "object"));
	const char *role = json_string_value(json_object_get(line, "role"));
	cli_autoescape char *shown = cli_escape(path);
	json_t *out;

	if (!json) {
		printf("%-8s  %-7s  %s\n", change, role, shown);
		return 0;
	}
	out = cli_json_new("change");
	if (out) {
		cli_json_text(out, "object", path);
		cli_json_text(out, "role", role);
		cli_json_text(out, "change", change);
	}
	return cli_json_line(out) ? 0 : cli_fail(NULL, "out of memory");
}

struct comparing {
	size_t files, changes;
	bool json;
};

static int take_line(struct comparing *comparing, const json_t *line)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	const char *change;

	if (!type || strcmp(type, "file") != 0)
		return 0;
	comparing->files++;
	change = change_of(line);
	if (!change)
		return 0;
	comparing->changes++;
	return print_change(line, change, comparing->json);
}

static int read_lines(struct comparing *comparing, FILE *file, const char *shown)
{
	cli_autofree char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getline(&line, &size, file)) >= 0) {
		json_t *object = json_loadb(line, (size_t)n, 0, NULL);

		number++;
		if (json_is_object(object))
			r = take_line(comparing, object);
		else
			r = cli_fail(NULL,
				"deps: --changed-since %s:%zu: expected a JSON object in each line",
				shown, number);
		json_decref(object);
	}
	return r;
}

int cli_deps_changed(const char *name, bool json)
{
	struct comparing comparing = {.json = json};
	cli_autoescape char *shown = cli_escape(name);
	FILE *file = fopen(name, "re");
	int r;

	if (!file)
		return cli_fail(NULL, "deps: --changed-since %s: %s", shown, strerror(errno));
	r = read_lines(&comparing, file, shown);
	fclose(file);
	if (r == 0 && !comparing.files)
		return cli_fail("`reeve deps -o FILE.json -- CMD` writes such a file",
			"deps: --changed-since %s: no line of it is about a file", shown);
	if (r)
		return r;
	return comparing.changes ? CLI_NO : CLI_OK;
}
