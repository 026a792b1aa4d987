/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "policy/variables.h"

/* ------------------------------------------------------------------ templates */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool rv_is_variable_name(const char *name, size_t length)
{
	if (length == 0 || length >= RV_NAME_MAX || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_letter(name[i]) && name[i] != '_' && !(name[i] >= '0' && name[i] <= '9'))
			return false;
	return true;
}

/* One piece of a template: text (which may be empty), or a variable, or the end. */
struct token {
	enum { TEXT, VARIABLE, END, BROKEN } kind;
	const char *start;
	size_t length;
	const char *next;
};

static struct token next_token(const char *text)
{
	const char *end;

	if (!*text)
		return (struct token){.kind = END};
	if (text[0] == '$' && text[1] == '$')
		return (struct token){TEXT, text, 1, text + 2};
	if (text[0] != '$' || text[1] != '{') {
		size_t n = 1 + strcspn(text + 1, "$");

		return (struct token){TEXT, text, n, text + n};
	}
	end = strchr(text, '}');
	if (!end || !rv_is_variable_name(text + 2, (size_t)(end - text - 2)))
		return (struct token){.kind = BROKEN};
	return (struct token){VARIABLE, text + 2, (size_t)(end - text - 2), end + 1};
}

int rv_check_template(const char *text)
{
	struct token token;

	for (token = next_token(text); token.kind < END; token = next_token(token.next))
		;
	return token.kind == END ? 0 : -EINVAL;
}

/* ------------------------------------------------------------ built-in variables */

/* Where a built-in variable's value comes from, first to last: env, get, the value of another. */
static const struct builtin {
	const char *name;
	const char *env;     /* NULL: not from the environment; not an absolute path: not set */
	const char *env_too; /* a second name, or NULL */
	const char *base, *suffix; /* default: ${base} + suffix; base NULL: just suffix */
	bool is_list;		   /* the environment's value may be several, with colons */
} builtins[] = {
	{"TMPDIR", "TMPDIR", NULL, NULL, "/tmp", false},
	{"XDG_RUNTIME_DIR", "XDG_RUNTIME_DIR", NULL, "UID", NULL, false},
	{"XDG_CONFIG_HOME", "XDG_CONFIG_HOME", NULL, "HOME", "/.config", false},
	{"XDG_CACHE_HOME", "XDG_CACHE_HOME", NULL, "HOME", "/.cache", false},
	{"XDG_DATA_HOME", "XDG_DATA_HOME", NULL, "HOME", "/.local/share", false},
	{"XDG_STATE_HOME", "XDG_STATE_HOME", NULL, "HOME", "/.local/state", false},
	{"CARGO_HOME", "CARGO_HOME", NULL, "HOME", "/.cargo", false},
	{"RUSTUP_HOME", "RUSTUP_HOME", NULL, "HOME", "/.rustup", false},
	{"GOPATH", "GOPATH", NULL, "HOME", "/go", true},
	{"GOMODCACHE", "GOMODCACHE", NULL, "GOPATH", "/pkg/mod", false},
	{"GOCACHE", "GOCACHE", NULL, "XDG_CACHE_HOME", "/go-build", false},
	{"GOROOT", "GOROOT", NULL, NULL, NULL, false},
	{"NVM_DIR", "NVM_DIR", NULL, "HOME", "/.nvm", false},
	{"VOLTA_HOME", "VOLTA_HOME", NULL, "HOME", "/.volta", false},
	{"PNPM_HOME", "PNPM_HOME", NULL, "XDG_DATA_HOME", "/pnpm", false},
	{"NPM_CONFIG_CACHE", "npm_config_cache", "NPM_CONFIG_CACHE", "HOME", "/.npm", false},
	{"PYENV_ROOT", "PYENV_ROOT", NULL, "HOME", "/.pyenv", false},
	{"PIP_CACHE_DIR", "PIP_CACHE_DIR", NULL, "XDG_CACHE_HOME", "/pip", false},
	{"UV_CACHE_DIR", "UV_CACHE_DIR", NULL, "XDG_CACHE_HOME", "/uv", false},
	{"VIRTUAL_ENV", "VIRTUAL_ENV", NULL, NULL, NULL, false},
	{"SSH_AUTH_SOCK", "SSH_AUTH_SOCK", NULL, NULL, NULL, false},
};

static const char *const computed[] = {"HOME", "PWD", "TTY", "UID", "USER"};

const char *rv_builtin_variable_at(size_t i)
{
	if (i < RV_COUNT(computed))
		return computed[i];
	i -= RV_COUNT(computed);
	return i < RV_COUNT(builtins) ? builtins[i].name : NULL;
}

/* A path of the environment that is not absolute is to be ignored, as the XDG specification says.
 */
static const char *path_from_env(const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	return value && value[0] == '/' ? value : NULL;
}

/* ${name} among what was bound so far; NULL: it is not there. */
static const char *value_so_far(const struct rv_variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->bindings.count; i++)
		if (strcmp(variables->bindings.at[i].name, name) == 0)
			return variables->bindings.at[i].value;
	return NULL;
}

static int bind(struct rv_variables *variables, const char *name, const char *value, size_t length)
{
	const char *copy = rv_arena_add(&variables->arena, value, length);

	if (!copy || rv_reserve(&variables->bindings, 1) < 0)
		return -ENOMEM;
	variables->bindings.at[variables->bindings.count++] = (struct rv_binding){name, copy};
	return 0;
}

static int bind_list(struct rv_variables *variables, const char *name, const char *value)
{
	int r = 0;

	for (size_t n; r == 0 && *value; value += n + (value[n] == ':')) {
		n = strcspn(value, ":");
		if (value[0] == '/')
			r = bind(variables, name, value, n);
	}
	return r;
}

static int bind_default(struct rv_variables *variables, const struct builtin *b)
{
	const char *base = b->base ? value_so_far(variables, b->base) : "";
	char text[PATH_MAX];
	int n;

	if (!base || (!b->base && !b->suffix))
		return 0;
	if (b->suffix)
		n = snprintf(text, sizeof(text), "%s%s", base, b->suffix);
	else
		n = snprintf(text, sizeof(text), "/run/user/%s", base);
	return n < (int)sizeof(text) ? bind(variables, b->name, text, (size_t)n) : 0;
}

static int bind_builtin(struct rv_variables *variables, const struct builtin *b)
{
	const char *value = path_from_env(b->env);

	if (!value)
		value = path_from_env(b->env_too);
	if (!value)
		return bind_default(variables, b);
	if (b->is_list)
		return bind_list(variables, b->name, value);
	return bind(variables, b->name, value, strlen(value));
}

/* The user's entry, in `buf`; NULL where there is none. It asks the name service: not for nothing.
 */
static const struct passwd *ask_passwd(struct passwd *entry, char *buf, size_t size)
{
	struct passwd *found = NULL;

	return getpwuid_r(getuid(), entry, buf, size, &found) == 0 ? found : NULL;
}

/* HOME from the environment, else from the passwd entry, else not at all. USER can wait. */
static int bind_user(struct rv_variables *variables)
{
	const char *home = path_from_env("HOME"), *user = getenv("USER");
	const struct passwd *found;
	struct passwd entry;
	char buf[4096], uid[16];
	int r = 0;

	if (!home) {
		found = ask_passwd(&entry, buf, sizeof(buf));
		home = found && found->pw_dir[0] == '/' ? found->pw_dir : NULL;
	}
	if (home)
		r = bind(variables, "HOME", home, strlen(home));
	if (r == 0 && user && *user)
		r = bind(variables, "USER", user, strlen(user));
	snprintf(uid, sizeof(uid), "%u", (unsigned int)getuid());
	return r < 0 ? r : bind(variables, "UID", uid, strlen(uid));
}

/* The terminals that a program started now would hold: none, or up to three. */
static int bind_terminals(struct rv_variables *variables)
{
	char name[64];
	int r = 0;

	for (int fd = STDIN_FILENO; r == 0 && fd <= STDERR_FILENO; fd++)
		if (ttyname_r(fd, name, sizeof(name)) == 0)
			r = bind(variables, "TTY", name, strlen(name));
	return r;
}

static int bind_builtins(struct rv_variables *variables)
{
	int r = bind_user(variables);

	if (r == 0)
		r = bind_terminals(variables);

	if (r == 0)
		r = bind(variables, "PWD", variables->cwd, strlen(variables->cwd));
	for (size_t i = 0; r == 0 && i < RV_COUNT(builtins); i++)
		r = bind_builtin(variables, &builtins[i]);
	return r;
}

/* --------------------------------------------------------------------- look-up */

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct rv_binding *)a)->name, ((const struct rv_binding *)b)->name);
}

/* By name, then value; a declaration without value comes first. */
static int compare_bindings(const void *pa, const void *pb)
{
	const struct rv_binding *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	if (order == 0)
		order = !a->value || !b->value ? !!a->value - !!b->value
					       : strcmp(a->value, b->value);
	return order;
}

static bool binds(const struct rv_binding *sorted, size_t count, const char *name)
{
	struct rv_binding key = {.name = name};

	return count && bsearch(&key, sorted, count, sizeof(key), compare_names);
}

static int append_bindings(
	struct rv_variables *variables, const struct rv_binding *bindings, size_t count)
{
	if (rv_reserve(&variables->bindings, count) < 0)
		return -ENOMEM;
	if (count)
		memcpy(variables->bindings.at + variables->bindings.count, bindings,
			count * sizeof(*bindings));
	variables->bindings.count += count;
	return 0;
}

/* Sorts, and drops what is there twice. */
static void tidy(struct rv_variables *variables)
{
	struct rv_binding *at = variables->bindings.at;
	size_t kept = 0;

	if (variables->bindings.count)
		qsort(at, variables->bindings.count, sizeof(*at), compare_bindings);
	for (size_t i = 0; i < variables->bindings.count; i++)
		if (kept == 0 || compare_bindings(&at[kept - 1], &at[i]) != 0)
			at[kept++] = at[i];
	variables->bindings.count = kept;
}

/* Replaces what `over` (tidied) binds, and adds the rest. */
static int override(struct rv_variables *variables, const struct rv_variables *over)
{
	size_t kept = 0;

	for (size_t i = 0; i < variables->bindings.count; i++)
		if (!binds(over->bindings.at, over->bindings.count, variables->bindings.at[i].name))
			variables->bindings.at[kept++] = variables->bindings.at[i];
	variables->bindings.count = kept;
	return append_bindings(variables, over->bindings.at, over->bindings.count);
}

static int override_by(struct rv_variables *variables, const struct rv_config *config)
{
	struct rv_variables over = {0};
	int r = append_bindings(&over, config->bindings.at, config->bindings.count);

	tidy(&over);
	if (r == 0)
		r = override(variables, &over);
	free(over.bindings.at);
	return r;
}

int rv_variables_init(struct rv_variables *variables, const struct rv_config *config,
	const struct rv_config *set, const char *cwd)
{
	int r;

	*variables = (struct rv_variables){.cwd = cwd};
	r = bind_builtins(variables);
	if (r == 0)
		r = override_by(variables, config);
	if (r == 0)
		r = override_by(variables, set);
	tidy(variables);
	if (r < 0)
		rv_variables_release(variables);
	return r;
}

void rv_variables_release(struct rv_variables *variables)
{
	free(variables->bindings.at);
	rv_arena_release(&variables->arena);
	*variables = (struct rv_variables){0};
}

/* The values of a name: ret_first and their number; -ENOENT: not defined. */
static int find(const struct rv_variables *variables, const char *name, size_t length,
	const struct rv_binding **ret_first, size_t *ret_count)
{
	const struct rv_binding *at = variables->bindings.at;
	size_t low = 0, high = variables->bindings.count, end;
	char copy[RV_NAME_MAX];

	memcpy(copy, name, length);
	copy[length] = '\0';
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(at[middle].name, copy) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < variables->bindings.count && strcmp(at[end].name, copy) == 0; end++)
		;
	if (end == low)
		return -ENOENT;
	low += !at[low].value;
	*ret_first = at + low;
	*ret_count = end - low;
	return 0;
}

/* ------------------------------------------------------------------- expanding */

struct expansion {
	const struct rv_variables *variables;
	int (*fn)(void *data, const char *expanded);
	void *data;
	unsigned int count;
	char text[PATH_MAX];
};

static int expand_from(struct expansion *e, const char *text, size_t at);

static int append_and_go_on(
	struct expansion *e, const char *piece, size_t length, const char *rest, size_t at)
{
	if (at + length >= sizeof(e->text))
		return -ENAMETOOLONG;
	memcpy(e->text + at, piece, length);
	return expand_from(e, rest, at + length);
}

/* Expands `text` after the first `at` bytes of e->text. */
static int expand_from(struct expansion *e, const char *text, size_t at)
{
	struct token token = next_token(text);
	const struct rv_binding *values;
	size_t count;
	int r = 0;

	if (token.kind == END) {
		e->text[at] = '\0';
		return ++e->count > RV_EXPANSIONS_MAX ? -E2BIG : e->fn(e->data, e->text);
	}
	if (token.kind == TEXT)
		return append_and_go_on(e, token.start, token.length, token.next, at);
	if (find(e->variables, token.start, token.length, &values, &count) < 0)
		return -ENOENT;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = append_and_go_on(e, values[i].value, strlen(values[i].value), token.next, at);
	return r;
}

/* ${USER} without the environment's help; sorts it in. -ENOENT: not to be had. */
static int bind_late(struct rv_variables *variables, const char *name, size_t length)
{
	const struct passwd *found;
	struct passwd entry;
	char buf[4096];
	int r;

	if (length != strlen("USER") || memcmp(name, "USER", length) != 0)
		return -ENOENT;
	found = ask_passwd(&entry, buf, sizeof(buf));
	if (!found)
		return -ENOENT;
	r = bind(variables, "USER", found->pw_name, strlen(found->pw_name));
	tidy(variables);
	return r;
}

/* All variables are known; *ret_empty: one has no value, so there is nothing to expand to. */
static int check_names(struct rv_variables *variables, const char *text, bool *ret_empty,
	char ret_name[RV_NAME_MAX])
{
	const struct rv_binding *values;
	struct token token;
	size_t count;

	*ret_empty = false;
	for (token = next_token(text); token.kind < END; token = next_token(token.next)) {
		if (token.kind == TEXT)
			continue;
		if (find(variables, token.start, token.length, &values, &count) < 0 &&
			(bind_late(variables, token.start, token.length) < 0 ||
				find(variables, token.start, token.length, &values, &count) < 0)) {
			memcpy(ret_name, token.start, token.length);
			ret_name[token.length] = '\0';
			return -ENOENT;
		}
		*ret_empty |= count == 0;
	}
	return token.kind == END ? 0 : -EINVAL;
}

int rv_expand(struct rv_variables *variables, const char *text,
	int (*fn)(void *data, const char *expanded), void *data, char ret_name[RV_NAME_MAX])
{
	struct expansion e; /* 4 KiB: cleared where needed */
	bool empty;
	int r;

	ret_name[0] = '\0';
	if (!strchr(text, '$'))
		return fn(data, text);
	e.variables = variables;
	e.fn = fn;
	e.data = data;
	e.count = 0;
	r = check_names(variables, text, &empty, ret_name);
	return r < 0 || empty ? r : expand_from(&e, text, 0);
}
