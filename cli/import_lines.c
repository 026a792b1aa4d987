/* SPDX-License-Identifier: MIT */
/* Files of lines, as units and profiles are. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "import.h"

#define FILE_SIZE_MAX (16 << 20)

struct reading {
	const char *path;
	FILE *file;
	char *line; /* of getline(3) */
	size_t size;
	unsigned int number;
};

static int cannot(const char *path, const char *why)
{
	cli_autoescape char *shown = cli_escape(path);

	return cli_fail(NULL, "policy import: %s: %s", shown, why);
}

/* A FIFO or device would block, or never end. */
static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *file;

	if (fd < 0 || fstat(fd, &st) < 0) {
		cannot(path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		cannot(path, S_ISREG(st.st_mode) ? "too large" : "not a regular file");
	} else if ((file = fdopen(fd, "re"))) {
		return file;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* Without blanks at both ends, in place. */
static char *trimmed(char *line)
{
	size_t length;

	line += strspn(line, " \t\r\n");
	length = strlen(line);
	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = '\0';
	return line;
}

/* The next line, trimmed; NULL at the end. A NUL in it ends what can be seen of it: an error. */
static char *next(struct reading *reading, int *ret_error)
{
	ssize_t n = getline(&reading->line, &reading->size, reading->file);

	if (n < 0)
		return NULL;
	reading->number++;
	if (strlen(reading->line) == (size_t)n)
		return trimmed(reading->line);
	*ret_error = cannot(reading->path, "a NUL byte: not a text file");
	return NULL;
}

static bool goes_on(const char *line)
{
	size_t length = strlen(line);

	return length && line[length - 1] == '\\' && line[0] != '#' && line[0] != ';';
}

/* A line with those that follow it after a backslash; comments between do not count. */
static char *joined(struct reading *reading, char *line, int *ret_error)
{
	char *whole = strdup(line), *more;

	while (whole && goes_on(whole) && (line = next(reading, ret_error))) {
		bool comment = line[0] == '#' || line[0] == ';';

		whole[strlen(whole) - 1] = '\0';
		if (asprintf(&more, "%s %s", whole, comment ? "\\" : line) < 0)
			more = NULL;
		free(whole);
		whole = more;
	}
	if (!whole)
		*ret_error = cli_fail(NULL, "out of memory");
	return whole;
}

static int read_lines(struct reading *reading, bool joins,
	int (*fn)(void *data, const char *line, const char *origin), void *data)
{
	char *line;
	int r = 0;

	while (r == 0 && (line = next(reading, &r))) {
		cli_autofree char *origin = NULL, *whole = NULL;

		if (asprintf(&origin, "%s:%u", reading->path, reading->number) < 0) {
			origin = NULL;
			return cli_fail(NULL, "out of memory");
		}
		whole = joins ? joined(reading, line, &r) : strdup(line);
		if (r == 0 && whole && *whole)
			r = fn(data, whole, origin);
	}
	return r;
}

int cli_import_lines(const char *path, bool joins,
	int (*fn)(void *data, const char *line, const char *origin), void *data)
{
	struct reading reading = {.path = path, .file = open_regular(path)};
	int r;

	if (!reading.file)
		return CLI_ERROR;
	r = read_lines(&reading, joins, fn, data);
	if (r == 0 && ferror(reading.file))
		r = cannot(path, strerror(errno));
	free(reading.line);
	fclose(reading.file);
	return r;
}
