/* SPDX-License-Identifier: MIT */
/* Files, profiles and what they extend. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "policy/decode.h"
#include "policy/policy.h"

#define SIZE_MAX_TEXT (64u << 20)
#define DEPTH_MAX     32

/* ------------------------------------------------------------------- reading */

static int too_large(const char *path, struct reeve_error *err)
{
	return rv_error(err, -EFBIG, "%s: larger than 64 MiB: expected a policy file", rv_q(path));
}

/* Opens without ever waiting: O_NONBLOCK for a FIFO, and nothing is read from a device. */
static int open_regular(const char *path, size_t *ret_size, struct reeve_error *err)
{
	rv_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return rv_error(err, -errno, "%s: cannot open the policy file: %s", rv_q(path),
			strerror(errno));
	if (fstat(fd, &st) < 0)
		return rv_error(err, -errno, "%s: %s", rv_q(path), strerror(errno));
	if (S_ISDIR(st.st_mode))
		return rv_error(
			err, -EISDIR, "%s: a directory: expected a policy file", rv_q(path));
	if (!S_ISREG(st.st_mode))
		return rv_error(
			err, -ENXIO, "%s: not a regular file: expected a policy file", rv_q(path));
	if (st.st_size > (off_t)SIZE_MAX_TEXT)
		return too_large(path, err);
	*ret_size = (size_t)st.st_size;
	return rv_steal_fd(&fd);
}

static int read_all(int fd, const char *path, struct rv_strbuf *text, struct reeve_error *err)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return rv_error(err, -errno, "%s: cannot read the policy file: %s",
				rv_q(path), strerror(errno));
		rv_strbuf_add(text, buf, (size_t)n);
		if (text->length > SIZE_MAX_TEXT)
			return too_large(path, err);
	}
	return 0;
}

int rv_read_file(const char *path, char **ret_text, size_t *ret_length, struct reeve_error *err)
{
	rv_autoclose int opened = -1;
	rv_autostrbuf text = {0};
	bool is_stdin = strcmp(path, "-") == 0;
	size_t length = 0;
	int r;

	if (!is_stdin) {
		opened = open_regular(path, &length, err);
		if (opened < 0)
			return opened;
	}
	rv_strbuf_reserve(&text, length);
	r = read_all(
		is_stdin ? STDIN_FILENO : opened, is_stdin ? "standard input" : path, &text, err);
	if (r < 0)
		return r;
	length = text.length;
	if (rv_strbuf_steal(&text, ret_text) < 0)
		return rv_no_memory(err);
	*ret_length = length;
	return 0;
}

/* ------------------------------------------------------------------- a load */

/* A file or profile that is being decoded, below the one that extends it. */
struct unit {
	const struct unit *outer;
	const char *name;      /* in messages: the path as given, or "profile NAME" */
	const char *id;	       /* canonical path, or "profile NAME" */
	const char *directory; /* of a file, in the config's arena; NULL: relative to the cwd */
	const char *text;
	size_t length;
	bool json;
	const struct rv_builtin_profile *ready; /* in the place of a text */
};

struct load {
	struct rv_config *config;
	RV_LIST(const char *) done; /* ids, in the config's arena: a diamond is read once */
	bool follow;		    /* extends */
	unsigned int depth;
	const struct unit *unit; /* the innermost */
	struct reeve_error *err;
};

static int load_name(struct load *load, const char *name);

/* "FILE:LINE: extends: " before whatever went wrong in there, unless it names a file itself. */
static int extend(void *data, const char *name, unsigned int line)
{
	struct load *load = data;
	const struct unit *unit = load->unit;
	int r = load_name(load, name);

	load->unit = unit;
	if (r < 0)
		rv_error_wrap(load->err, r, "%s:%u: extends", rv_q(unit->name), line);
	return r;
}

static int cycle(struct load *load, const struct unit *again, const char *name)
{
	char chain[512] = "";
	rv_autostrbuf text = {0};
	const struct unit *units[DEPTH_MAX + 1];
	size_t count = 0;

	for (const struct unit *u = load->unit; u && count <= DEPTH_MAX; u = u->outer) {
		units[count++] = u;
		if (u == again)
			break;
	}
	while (count--)
		rv_strbuf_printf(&text, "%s → ", units[count]->name);
	rv_strbuf_puts(&text, name);
	if (text.text)
		rv_escape(chain, sizeof(chain), text.text, text.length);
	return rv_error(load->err, -ELOOP, "a cycle: %s", chain);
}

static bool is_done(const struct load *load, const char *id)
{
	for (size_t i = 0; i < load->done.count; i++)
		if (strcmp(load->done.at[i], id) == 0)
			return true;
	return false;
}

static int add_ready(struct rv_decoder *d, const struct rv_builtin_profile *profile)
{
	const struct rv_ready_pair *extends = rv_ready_pairs + profile->extends.first;
	int r = 0;

	for (size_t i = 0; r == 0 && d->extend && i < profile->extends.count; i++)
		r = rv_take_extension(d, rv_ready_string(extends[i].text), extends[i].other);
	if (r == 0 && rv_ready_add(d->config, profile) < 0)
		r = rv_no_memory(d->err);
	return r;
}

static int decode_unit(struct load *load, struct unit *unit)
{
	struct rv_decoder decoder = {
		.config = load->config,
		.name = unit->name,
		.base = unit->directory,
		.json = unit->json,
		.err = load->err,
		.extend = load->follow ? extend : NULL,
		.data = load,
	};
	int r;

	load->unit = unit;
	load->depth++;
	r = unit->ready ? add_ready(&decoder, unit->ready)
			: rv_decode_text(&decoder, unit->text, unit->length);
	load->depth--;
	if (r < 0)
		return r;
	if (rv_reserve(&load->done, 1) < 0)
		return rv_no_memory(load->err);
	load->done.at[load->done.count++] = unit->id;
	return 0;
}

/* A unit is decoded once, and never within itself. */
static int load_unit(struct load *load, struct unit *unit)
{
	unit->outer = load->unit;
	for (const struct unit *u = unit->outer; u; u = u->outer)
		if (u->id && strcmp(u->id, unit->id) == 0)
			return cycle(load, u, unit->name);
	if (is_done(load, unit->id))
		return 0;
	if (load->depth >= DEPTH_MAX)
		return rv_error(load->err, -ELOOP, "%s: extended through more than %d files",
			rv_q(unit->name), DEPTH_MAX);
	return decode_unit(load, unit);
}

static bool ends_in(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* No TOML document begins with a brace, and every policy in JSON does. */
static bool is_json(
	const char *path, enum reeve_policy_format format, const char *text, size_t length)
{
	size_t i = 0;

	if (format != REEVE_POLICY_AUTO || ends_in(path, ".json"))
		return format != REEVE_POLICY_TOML;
	while (i < length && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	return i < length && text[i] == '{';
}

/* Fills in what the canonical path tells: the id, and the directory of relative paths. */
static int identify(struct load *load, struct unit *unit, const char *path)
{
	rv_autofree char *real = realpath(path, NULL);
	struct rv_arena *arena = &load->config->arena;
	const char *slash;

	if (!real)
		return rv_error(load->err, -errno, "%s: cannot open the policy file: %s",
			rv_q(path), strerror(errno));
	slash = strrchr(real, '/');
	unit->id = rv_arena_puts(arena, real);
	unit->directory = rv_arena_add(arena, real, slash == real ? 1 : (size_t)(slash - real));
	if (!unit->id || !unit->directory)
		return rv_no_memory(load->err);
	return 0;
}

/* What is left of a path when its first steps are taken, which lead up from a canonical path. */
static const char *step_up(char *cwd, const char *path)
{
	while (strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0) {
		char *slash = path[1] == '.' ? strrchr(cwd, '/') : NULL;

		if (slash)
			slash[slash == cwd] = '\0';
		path += strcspn(path, "/");
		path += strspn(path, "/");
	}
	return path;
}

/* The way to a file by which it was found, which symbolic links may be part of. */
static const char *road_to(struct load *load, const char *path)
{
	char cwd[PATH_MAX], road[2 * PATH_MAX];

	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return rv_arena_puts(&load->config->arena, path);
	path = step_up(cwd, path);
	snprintf(road, sizeof(road), "%s/%s", cwd, path);
	return rv_arena_puts(&load->config->arena, road);
}

static int add_file(struct load *load, const struct unit *unit, const char *path)
{
	const char *road = road_to(load, path);

	if (!road || rv_config_add_file(load->config, unit->id, road) < 0)
		return rv_no_memory(load->err);
	return 0;
}

/* `name` NULL: the path is shown. */
static int load_path(
	struct load *load, const char *path, enum reeve_policy_format format, const char *name)
{
	rv_autofree char *text = NULL;
	struct unit unit = {.name = name ? name : path};
	int r = rv_read_file(path, &text, &unit.length, load->err);

	if (r < 0)
		return r;
	unit.text = text;
	unit.json = is_json(path, format, text, unit.length);
	if (strcmp(path, "-") == 0) {
		unit.name = unit.id = "standard input";
		return load_unit(load, &unit);
	}
	r = identify(load, &unit, path);
	if (r == 0 && !is_done(load, unit.id))
		r = add_file(load, &unit, path);
	return r < 0 ? r : load_unit(load, &unit);
}

static int unknown_profile(struct load *load, const char *name)
{
	char known[400];

	rv_list_profiles(known, sizeof(known));
	rv_error(load->err, -ENOENT, "no profile \"%s\": expected one of %s", rv_q(name), known);
	rv_error_hint(load->err, "a policy file is named by a path with a \"/\", or ending in "
				 "\".toml\" or \".json\"");
	return -ENOENT;
}

/* Is the user's own profile being decoded? Then its name means the one that it hides. */
static bool is_open(const struct load *load, const char *path)
{
	rv_autofree char *real = realpath(path, NULL);

	for (const struct unit *u = load->unit; real && u; u = u->outer)
		if (u->id && strcmp(u->id, real) == 0)
			return true;
	return false;
}

static int load_profile(struct load *load, const char *name)
{
	rv_autofree char *path = NULL;
	char shown[160];
	struct unit unit = {.name = shown};

	if (!rv_is_profile_name(name))
		return unknown_profile(load, name);
	if (rv_user_profile_path(name, &path) < 0)
		return rv_no_memory(load->err);
	unit.ready = rv_builtin_profile(name);
	if (path && access(path, F_OK) == 0 && !(unit.ready && is_open(load, path)))
		return load_path(load, path, REEVE_POLICY_TOML, NULL);
	if (!unit.ready)
		return unknown_profile(load, name);
	snprintf(shown, sizeof(shown), "profile %s", name);
	unit.id = rv_arena_puts(&load->config->arena, shown);
	return unit.id ? load_unit(load, &unit) : rv_no_memory(load->err);
}

static bool is_path(const char *name)
{
	return strchr(name, '/') || ends_in(name, ".toml") || ends_in(name, ".json");
}

/* What an element of `extends` names. */
static int load_name(struct load *load, const char *name)
{
	const char *directory = load->unit->directory, *slash = strrchr(load->unit->name, '/');
	char path[PATH_MAX], shown[PATH_MAX];

	if (!is_path(name))
		return load_profile(load, name);
	while (strncmp(name, "./", 2) == 0 && name[2])
		name += 2; /* no "././" in messages */
	if (name[0] == '/' || !directory)
		return load_path(load, name, REEVE_POLICY_AUTO, NULL);
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return rv_error(
			load->err, -ENAMETOOLONG, "%s: %s", rv_q(name), strerror(ENAMETOOLONG));
	snprintf(shown, sizeof(shown), "%.*s%s", slash ? (int)(slash + 1 - load->unit->name) : 0,
		load->unit->name, name);
	return load_path(load, path, REEVE_POLICY_AUTO, shown);
}

/* Composes what a load brought, or takes it as it is. */
static int take(struct reeve_policy *policy, struct rv_config *config, struct reeve_error *err)
{
	rv_config_handle_used(config);
	if (policy->is_loaded)
		return rv_config_compose(&policy->loaded, config) < 0 ? rv_no_memory(err) : 0;
	policy->loaded = *config; /* which was empty */
	*config = (struct rv_config){0};
	policy->is_loaded = true;
	return 0;
}

static int finish(struct reeve_policy *policy, struct load *load, int r)
{
	if (r == 0)
		r = take(policy, load->config, load->err);
	free(load->done.at);
	rv_config_release(load->config);
	return r;
}

/* ---------------------------------------------------------------- public */

int reeve_policy_load_file(struct reeve_policy *policy, const char *path,
	enum reeve_policy_format format, struct reeve_error *err)
{
	struct rv_config config = {0};
	struct load load = {.config = &config, .follow = true, .err = err};

	return finish(policy, &load, load_path(&load, path, format, NULL));
}

int reeve_policy_load_text(struct reeve_policy *policy, const char *name, const char *text,
	size_t length, enum reeve_policy_format format, struct reeve_error *err)
{
	struct rv_config config = {0};
	struct load load = {.config = &config, .follow = true, .err = err};
	struct unit unit = {.name = name,
		.id = name,
		.text = text,
		.length = length,
		.json = is_json(name, format, text, length)};

	if (length > SIZE_MAX_TEXT)
		return too_large(name, err);
	return finish(policy, &load, load_unit(&load, &unit));
}

int reeve_policy_load_profile(
	struct reeve_policy *policy, const char *name, struct reeve_error *err)
{
	struct rv_config config = {0};
	struct load load = {.config = &config, .follow = true, .err = err};

	return finish(policy, &load, load_profile(&load, name));
}

int reeve_policy_load(struct reeve_policy *policy, const char *arg, struct reeve_error *err)
{
	if (strcmp(arg, "-") == 0 || is_path(arg))
		return reeve_policy_load_file(policy, arg, REEVE_POLICY_AUTO, err);
	return reeve_policy_load_profile(policy, arg, err);
}

int rv_load_own_part(const char *profile, struct rv_config *ret, struct reeve_error *err)
{
	struct rv_config config = {0};
	struct load load = {.config = &config, .err = err};
	int r = load_profile(&load, profile);

	free(load.done.at);
	if (r < 0)
		rv_config_release(&config);
	else
		*ret = config;
	return r;
}
