/* SPDX-License-Identifier: MIT */
/*
 * Shared libraries, found as ld.so(8) finds them: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, then the
 * system's directories. A library that is denied in one is looked for in the next. What is in one
 * of the system's own directories, and allowed, is taken as complete: its own libraries are there
 * too. So a usual program costs one faccessat(2) for each library that it names.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "enforce/diagnose_private.h"
#include "enforce/search.h"

#define LIBRARIES_MAX 128
#define DIRS_MAX      4096

struct libraries {
	struct rv_look *look;
	const char *system;	      /* directories that every loader of this machine looks into */
	char main_rpath[DIRS_MAX];    /* inherited by libraries; expanded */
	char *conf;		      /* of ld.so.conf, read when it is needed; "" without any */
	char *seen[LIBRARIES_MAX];    /* names, each looked for once */
	char *to_read[LIBRARIES_MAX]; /* canonical paths of libraries to look into */
	size_t seen_count, to_read_count;
};

/* What one object brings to the search. */
struct origin {
	char directory[PATH_MAX]; /* $ORIGIN */
	char rpath[DIRS_MAX], runpath[DIRS_MAX];
};

/* ------------------------------------------------------------------- directories */

/* Canonical names first: the text is compared with the policy's rules. */
static const char *system_dirs(const struct rv_elf *elf)
{
	switch (elf->machine) {
	case EM_X86_64:
		return "/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu:/usr/lib64:/lib64:/usr/lib:"
		       "/lib";
	case EM_AARCH64:
		return "/usr/lib/aarch64-linux-gnu:/lib/aarch64-linux-gnu:/usr/lib64:/lib64:"
		       "/usr/lib:/lib";
	case EM_386:
		return "/usr/lib/i386-linux-gnu:/lib/i386-linux-gnu:/usr/lib32:/lib32:/usr/lib:"
		       "/lib";
	default:
		return "/usr/lib64:/lib64:/usr/lib:/lib";
	}
}

/* Only loaders whose directories are known; one of Nix or of a game brings its own. */
static bool is_system_loader(const char *interp)
{
	return strncmp(interp, "/lib", 4) == 0 || strncmp(interp, "/usr/lib", 8) == 0;
}

static void add_conf_file(struct rv_strbuf *sb, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\r\n#")] = '\0';
		if (line[0] == '/')
			rv_strbuf_printf(sb, "%s%s", sb->length ? ":" : "", line);
	}
	if (file)
		fclose(file);
}

/* ld.so.conf, and what it includes on every distribution. "" when out of memory. */
static const char *conf_dirs(struct libraries *libs)
{
	rv_autostrbuf sb = {0};
	glob_t found;

	if (libs->conf)
		return libs->conf;
	add_conf_file(&sb, "/etc/ld.so.conf");
	if (glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_conf_file(&sb, found.gl_pathv[i]);
		globfree(&found);
	}
	if (rv_strbuf_steal(&sb, &libs->conf) < 0)
		libs->conf = NULL;
	return libs->conf ? libs->conf : "";
}

/* $ORIGIN and $LIB, with or without braces; a part with anything else stays and finds nothing. */
static void expand(const struct origin *origin, const char *text, char *buf, size_t size)
{
	static const struct {
		const char *token;
		bool is_origin;
	} tokens[] = {{"${ORIGIN}", true}, {"$ORIGIN", true}, {"${LIB}", false}, {"$LIB", false}};
	size_t at = 0;

	while (*text && at + 1 < size) {
		size_t i = 0;

		while (i < RV_COUNT(tokens) &&
			strncmp(text, tokens[i].token, strlen(tokens[i].token)) != 0)
			i++;
		if (i == RV_COUNT(tokens)) {
			buf[at++] = *text++;
			continue;
		}
		at += (size_t)snprintf(
			buf + at, size - at, "%s", tokens[i].is_origin ? origin->directory : "lib");
		text += strlen(tokens[i].token);
	}
	/* What does not fit is of no use in parts. */
	buf[at < size && !*text ? at : 0] = '\0';
}

static void read_dirs(
	const struct rv_elf *elf, uint64_t at, const struct origin *origin, char *buf, size_t size)
{
	char text[DIRS_MAX];

	buf[0] = '\0';
	if (rv_elf_string(elf, at, text, sizeof(text)) == 0)
		expand(origin, text, buf, size);
}

static void read_origin(
	struct origin *origin, const struct rv_image *object, const struct rv_elf *elf)
{
	snprintf(origin->directory, sizeof(origin->directory), "%s", object->path);
	*strrchr(origin->directory, '/') = '\0';
	read_dirs(elf, elf->runpath_at, origin, origin->runpath, sizeof(origin->runpath));
	read_dirs(elf, elf->rpath_at, origin, origin->rpath, sizeof(origin->rpath));
	if (origin->runpath[0])
		origin->rpath[0] = '\0'; /* DT_RUNPATH makes ld.so ignore DT_RPATH */
}

/* -------------------------------------------------------------------- one library */

/* What came of looking for a library. */
struct finding {
	char denied[PATH_MAX]; /* canonical, "": in no place that the policy denies */
	uint64_t missing;
};

static void read_later(struct libraries *libs, const char *path)
{
	if (libs->to_read_count == LIBRARIES_MAX)
		return;
	libs->to_read[libs->to_read_count] = strdup(path);
	if (libs->to_read[libs->to_read_count])
		libs->to_read_count++;
}

/* True where the library is there and may be read. */
static bool try_file(
	struct libraries *libs, const char *path, bool is_system, struct finding *finding)
{
	struct rv_image object = RV_OBJECT_NONE;
	uint64_t missing;

	if (faccessat(AT_FDCWD, path, F_OK, 0) < 0)
		return false;
	if (is_system && !rv_look_missing(libs->look, path, REEVE_FS_READ_FILE))
		return true;
	if (rv_image_open(&object, path) < 0)
		return false;
	rv_image_close(&object);
	missing = rv_look_missing(libs->look, object.path, REEVE_FS_READ_FILE);
	if (!missing && !is_system)
		read_later(libs, object.path);
	if (missing && !finding->denied[0]) {
		strcpy(finding->denied, object.path);
		finding->missing = missing;
	}
	return !missing;
}

static bool try_dirs(struct libraries *libs, const char *dirs, bool is_system, const char *name,
	struct finding *finding)
{
	char path[PATH_MAX];

	while (dirs && *dirs) {
		size_t n = strcspn(dirs, ":;");
		int length = snprintf(path, sizeof(path), "%.*s/%s", (int)n, dirs, name);

		/* Empty and relative parts depend on a working directory: not looked into. */
		if (dirs[0] == '/' && length > 0 && (size_t)length < sizeof(path) &&
			try_file(libs, path, is_system, finding))
			return true;
		dirs += n + (dirs[n] != '\0');
	}
	return false;
}

static bool try_everywhere(struct libraries *libs, const struct origin *origin, const char *name,
	struct finding *finding)
{
	const char *env = rv_env_get(libs->look->envp, "LD_LIBRARY_PATH");

	if (name[0] == '/')
		return try_file(libs, name, false, finding);
	if (strchr(name, '/'))
		return true; /* relative to the working directory: not judged */
	return (!origin->runpath[0] &&
		       (try_dirs(libs, origin->rpath, false, name, finding) ||
			       try_dirs(libs, libs->main_rpath, false, name, finding))) ||
	       try_dirs(libs, env, false, name, finding) ||
	       try_dirs(libs, origin->runpath, false, name, finding) ||
	       try_dirs(libs, libs->system, true, name, finding) ||
	       try_dirs(libs, conf_dirs(libs), false, name, finding);
}

static bool seen_before(struct libraries *libs, const char *name)
{
	for (size_t i = 0; i < libs->seen_count; i++) {
		if (strcmp(libs->seen[i], name) == 0)
			return true;
	}
	if (libs->seen_count == LIBRARIES_MAX)
		return true;
	libs->seen[libs->seen_count] = strdup(name);
	if (libs->seen[libs->seen_count])
		libs->seen_count++;
	return false;
}

static void look_for(struct libraries *libs, const struct origin *origin, const char *name)
{
	struct finding finding = {0};
	char what[300];

	if (seen_before(libs, name) || try_everywhere(libs, origin, name, &finding))
		return;
	if (!finding.denied[0])
		return; /* nowhere at all: for ld.so to say */
	snprintf(what, sizeof(what), "its shared library %s", rv_q(name));
	rv_look_deny(libs->look, finding.denied, finding.missing, true, what);
}

static void look_at_needed(
	struct libraries *libs, const struct origin *origin, const struct rv_elf *elf)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < elf->needed_count; i++) {
		if (rv_elf_string(elf, elf->needed_at[i], name, sizeof(name)) == 0)
			look_for(libs, origin, name);
	}
}

/* -------------------------------------------------------------------- all of them */

static void look_at_library(
	struct libraries *libs, const char *path, struct origin *origin, struct rv_elf *elf)
{
	struct rv_image object = RV_OBJECT_NONE;

	if (rv_image_open(&object, path) == 0 && object.fd >= 0 &&
		rv_elf_read(elf, object.fd) == 0) {
		read_origin(origin, &object, elf);
		look_at_needed(libs, origin, elf);
	}
	rv_image_close(&object);
}

/* The name as it would be in one of the system's directories, allowed by its text. */
static bool is_in_system(const struct rv_look *look, const char *dirs, const char *name)
{
	char path[512];

	while (*dirs) {
		size_t n = strcspn(dirs, ":");
		int length = snprintf(path, sizeof(path), "%.*s/%s", (int)n, dirs, name);

		if (length > 0 && (size_t)length < sizeof(path) &&
			!rv_look_missing(look, path, REEVE_FS_READ_FILE) &&
			faccessat(AT_FDCWD, path, F_OK, 0) == 0)
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

/* Most programs: no search path of their own, and all in the system's directories. */
static bool is_usual(const struct rv_look *look, const struct rv_elf *elf)
{
	char name[256];

	if (elf->runpath_at || elf->rpath_at || rv_env_get(look->envp, "LD_LIBRARY_PATH"))
		return false;
	for (size_t i = 0; i < elf->needed_count; i++) {
		if (rv_elf_string(elf, elf->needed_at[i], name, sizeof(name)) < 0 ||
			strchr(name, '/') || !is_in_system(look, system_dirs(elf), name))
			return false;
	}
	return true;
}

static void release(struct libraries *libs)
{
	for (size_t i = 0; i < LIBRARIES_MAX; i++) {
		free(libs->seen[i]);
		free(libs->to_read[i]);
	}
	free(libs->conf);
	free(libs);
}

void rv_look_at_libraries(struct rv_look *look, const struct rv_image *object,
	const struct rv_elf *elf, const char *interp)
{
	struct libraries *libs;
	struct origin *origin;
	struct rv_elf *other;

	if (!is_system_loader(interp) || is_usual(look, elf))
		return;
	libs = calloc(1, sizeof(*libs));
	origin = calloc(1, sizeof(*origin));
	other = malloc(sizeof(*other));
	if (libs && origin && other) {
		libs->look = look;
		libs->system = system_dirs(elf);
		read_origin(origin, object, elf);
		strcpy(libs->main_rpath, origin->rpath);
		look_at_needed(libs, origin, elf);
		for (size_t i = 0; i < libs->to_read_count; i++)
			look_at_library(libs, libs->to_read[i], origin, other);
	}
	if (libs)
		release(libs);
	free(origin);
	free(other);
}
