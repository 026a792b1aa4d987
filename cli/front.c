/* SPDX-License-Identifier: MIT */
/*
 * The command is two images. This small one, the program `reeve`, does a static run by itself, from
 * options to exec: it is what services and scripts start a hundred times, and every page, symbol
 * and library that is not loaded for it counts. All else is in a module beside the libraries, which
 * is loaded when it is needed (no second exec, 0.1 ms). Both are made of the same sources, the
 * module of all of them; nothing is shared at run time, so the two cannot misunderstand each other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "run.h"
#include "verbs.h"

/* The words as they came: parsing reorders them. */
static struct {
	int argc;
	char **argv;
} words;

/*
 * A copy of the program in a directory like /tmp must not load what somebody else put there: the
 * module belongs to root, to us or to whoever the program belongs to, and nobody else can write it.
 */
static bool is_trusted(const char *path)
{
	struct stat st, own;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 022))
		return false;
	if (st.st_uid == 0 || st.st_uid == geteuid())
		return true;
	return stat("/proc/self/exe", &own) == 0 && own.st_uid == st.st_uid;
}

/* 0: no path to the program's directory, which ends in a slash. */
static size_t own_directory(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 0 ? (size_t)n : 0;
}

/*
 * Beside the program, as it is built; then where it is installed, seen from the program, so that a
 * whole prefix can be moved; then where it was configured to be, should the program be a copy.
 */
static void *load_module(void)
{
	static const char *const places[] = {REEVE_MODULE, REEVE_MODULE_RELATIVE "/" REEVE_MODULE,
		REEVE_MODULE_DIR "/" REEVE_MODULE};
	char path[PATH_MAX];
	size_t length = own_directory(path), n;

	for (size_t i = 0; i < CLI_COUNT(places); i++) {
		n = places[i][0] == '/' ? 0 : length;
		if (n + strlen(places[i]) >= sizeof(path) || (!n && places[i][0] != '/'))
			continue;
		strcpy(path + n, places[i]);
		if (is_trusted(path))
			return dlopen(path, RTLD_LAZY);
	}
	return NULL;
}

static int elsewhere(void)
{
	int (*entry)(int argc, char **argv) = NULL;
	void *module = load_module(), *symbol = module ? dlsym(module, "cli_main") : NULL;

	if (!symbol) {
		const char *why = dlerror();

		return cli_fail(
			"install reeve again, as one: the program needs the module of its own "
			"build, with the same owner",
			"cannot load " REEVE_MODULE ": %s", why ? why : "it is not there");
	}
	memcpy(&entry, &symbol, sizeof(entry));
	return entry(words.argc, words.argv);
}

/* ---- what the sources that both images have leave to the module */

int cli_run_full(const struct run_options *options, const struct cli_operands *operands)
{
	(void)options;
	(void)operands;
	return elsewhere();
}

void cli_help_verb(FILE *out, const struct cli_verb *verb)
{
	(void)out;
	(void)verb;
	exit(elsewhere());
}

/* Nothing was done yet, so the module can begin anew; it has JSON. */
int cli_refuse(const struct reeve_error *err)
{
	if (err->code == -ELIBACC)
		return elsewhere();
	cli_print_error(err);
	return CLI_ERROR;
}

/* ------------------------------------------------------------------------ main */

/*
 * Whether this may be a static run, to be looked at more closely. Standard input can be read only
 * once, so what may be a policy from there ("-") is the module's from the start.
 */
static bool may_be_static(int argc, char *const *argv)
{
	bool found = false;

	if (argc < 3 || strcmp(argv[1], "run") != 0)
		return false;
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-") == 0 || strcmp(argv[i], "--policy=-") == 0 ||
			strcmp(argv[i], "-p-") == 0)
			return false;
		found |= strcmp(argv[i], "--static") == 0;
	}
	return found;
}

int main(int argc, char **argv)
{
	char **copy = may_be_static(argc, argv) ? calloc((size_t)argc + 1, sizeof(*copy)) : NULL;

	words.argc = argc;
	words.argv = copy ? copy : argv;
	if (!copy)
		return elsewhere();
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	return cli_finish(cli_run_verb(&cli_verb_run, argc - 2, argv + 2));
}
