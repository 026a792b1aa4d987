/* SPDX-License-Identifier: MIT */
/* `reeve run`: become a program that can reach only what the policy allows. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "layers.h"
#include "run.h"
#include "verbs.h"

#define NAME_LENGTH 64
#define LETTERS	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define AT(member) offsetof(struct run_options, member)

static const struct cli_option options[] = {
	{"--static", 0, NULL,
		"leave no process of reeve behind: restrict, then become CMD. No events, no "
		"live rules",
		CLI_NOTHING, CLI_FLAG, AT(is_static)},
	{"--permissive", 0, NULL,
		"enforce nothing of the policy but tell what it would deny, as events and at the "
		"end; "
		"only the guards hold",
		CLI_NOTHING, CLI_FLAG, AT(permissive)},
	{"--reload", 0, NULL,
		"load the policy again whenever one of its files changes: what it grants then is "
		"granted live; see also `reeve reload`",
		CLI_NOTHING, CLI_FLAG, AT(reload)},
	{"--write-policy", 0, "FILE",
		"write to FILE the policy with what CMD needed besides: with --permissive, what it "
		"needs to run undisturbed",
		CLI_PATHS, CLI_STRING, AT(write_policy)},
	{"--events", 0, "FILE",
		"write what is denied to FILE as JSON lines, \"-\" for standard output; \"none\": "
		"observe nothing, which costs nothing",
		CLI_PATHS, CLI_STRING, AT(events)},
	{"--ask", 0, NULL,
		"ask on this terminal about what only the policy denies; CMD is stopped meanwhile",
		CLI_NOTHING, CLI_FLAG, AT(ask)},
	{"--approver", 0, "COMMAND",
		"ask COMMAND: questions are lines of JSON on its standard input, answers on its "
		"output; it runs outside of the sandbox",
		CLI_COMMANDS, CLI_STRING, AT(approver)},
	{"--fail-on-deny", 0, NULL, "exit 124 where CMD exits 0 but something was denied",
		CLI_NOTHING, CLI_FLAG, AT(fail_on_deny)},
	{"--name", 0, "NAME",
		"a name for the domain, beside its id: letters, digits, \".\", \"_\" and \"-\"",
		CLI_NOTHING, CLI_STRING, AT(name)},
	{"--status-fd", 0, "N",
		"write JSON lines to file descriptor N: started, with domain and pid; exited, with "
		"the exit code",
		CLI_NOTHING, CLI_STRING, AT(status_fd)},
	{"--degrade", 0, "FEATURE",
		"start even though this machine cannot enforce FEATURE; `reeve check` lists them",
		CLI_FEATURES, CLI_LIST, AT(degrade)},
	RUN_START_OPTIONS(0),
	{"--chdir", 0, "DIR",
		"start CMD in DIR, which is then the policy's working directory; relative paths on "
		"the command line are still relative to where reeve was started",
		CLI_DIRECTORIES, CLI_STRING, AT(chdir)},
	{"--dry-run", 0, NULL,
		"print what would be enforced and by whom, and run nothing; with -v rights in "
		"full and the seccomp filter",
		CLI_NOTHING, CLI_FLAG, AT(dry_run)},
	{"--no-shim", 0, NULL,
		"do not preload reeve's shim, which spares most file system calls the way to the "
		"supervisor",
		CLI_NOTHING, CLI_FLAG, AT(no_shim)},
	{"--quiet", 0, NULL, "print no warnings, and no summary of what was denied", CLI_NOTHING,
		CLI_FLAG, AT(quiet)},
	{"--verbose", 'v', NULL, "say what is decided", CLI_NOTHING, CLI_FLAG, AT(verbose)},
	{0},
};

static const char text[] =
	"Without -p the profile `workspace` applies: system directories may be read and\n"
	"executed, the working directory written, and there is no other home, no network,\n"
	"and nothing outside to signal. `-p none` starts from nothing.\n"
	"\n"
	"reeve stays as the supervisor of CMD: what is denied is summed up at the end.\n"
	"Processes that CMD leaves behind are then killed.\n"
	"\n"
	"Exit code: that of CMD; 128+n where signal n ended it; 125 reeve failed; 126 CMD\n"
	"cannot be executed; 127 it was not found; 124 see --fail-on-deny.\n"
	"\n"
	"Examples:\n"
	"  reeve run -- make                        build in the working directory\n"
	"  reeve run --ro ~/data -- ./job           ... and read ~/data\n"
	"  reeve run --connect-tcp 443 -- curl ...    ... and reach HTTPS ports\n"
	"  reeve run -p none --rx /usr -- /usr/bin/ls /usr\n"
	"  reeve run --ask -- ./job                 decide each denial, one key an answer\n"
	"  reeve run --dry-run -- make              show what would be enforced\n";

/* ----------------------------------------------------------------- environment */

static void environment_set(struct run_environment *env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->entries[i], entry, name) == 0) {
			env->entries[i] = entry;
			return;
		}
	env->entries[env->count++] = entry;
}

static int make_environment(const struct run_options *run, struct run_environment *env)
{
	size_t inherited = 0;

	while (!run->clear_env && environ && environ[inherited])
		inherited++;
	env->entries = calloc(inherited + run->env.count + 2, sizeof(*env->entries));
	if (!env->entries)
		return cli_fail(NULL, "out of memory");
	for (; env->count < inherited; env->count++)
		env->entries[env->count] = environ[env->count];
	for (size_t i = 0; i < run->env.count; i++) {
		cli_autoescape char *shown = cli_escape(run->env.items[i]);

		if (!strchr(run->env.items[i], '=') || run->env.items[i][0] == '=')
			return cli_fail("variables are passed on as they are, unless --clear-env "
					"is given",
				"--env: %s: expected NAME=VALUE", shown);
		environment_set(env, run->env.items[i]);
	}
	return 0;
}

/* ------------------------------------------------------------ file descriptors */

static int parse_fd(const char *value, int *ret)
{
	cli_autoescape char *shown = cli_escape(value);
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || number > INT_MAX)
		return cli_fail(
			NULL, "--keep-fd: %s: expected the number of a file descriptor", shown);
	if (fcntl((int)number, F_GETFD) < 0)
		return cli_fail(NULL, "--keep-fd: file descriptor %ld is not open", number);
	*ret = (int)number;
	return 0;
}

static int make_keep_fds(const struct run_options *run, int **ret)
{
	cli_autofree int *fds = calloc(run->keep_fds.count + 1, sizeof(*fds));

	if (!fds)
		return cli_fail(NULL, "out of memory");
	for (size_t i = 0; i < run->keep_fds.count; i++) {
		int r = parse_fd(run->keep_fds.items[i], &fds[i]);

		if (r)
			return r;
	}
	*ret = fds;
	fds = NULL;
	return 0;
}

/* ------------------------------------------------------------------- the verb */

/* --chdir, absolute: the policy's working directory, and where CMD starts. */
static int make_chdir(const char *given, char **ret)
{
	cli_autoescape char *shown = cli_escape(given);
	struct stat st;

	if (!given)
		return 0;
	*ret = realpath(given, NULL);
	if (!*ret)
		return cli_fail(NULL, "--chdir: %s: %s", shown, strerror(errno));
	if (stat(*ret, &st) == 0 && !S_ISDIR(st.st_mode))
		return cli_fail(NULL, "--chdir: %s: not a directory", shown);
	return 0;
}

/* A name begins with a letter, so that it is no pid; what is in it needs no quotes anywhere. */
static int check_name(const char *name)
{
	cli_autoescape char *shown = cli_escape(name);
	size_t length = name ? strlen(name) : 0;

	if (!name)
		return 0;
	if (length <= NAME_LENGTH && strspn(name, LETTERS) > 0 &&
		name[strspn(name, LETTERS "0123456789._-")] == '\0')
		return 0;
	return cli_fail(NULL,
		"--name: %s: expected a letter, then letters, digits, \".\", \"_\" and \"-\", at "
		"most "
		"%d in all",
		shown, NAME_LENGTH);
}

/* What only a supervisor can do, without one. */
static int check_static(const struct run_options *run)
{
	const struct {
		bool given;
		const char *name;
	} table[] = {{run->events != NULL, "--events"}, {run->fail_on_deny, "--fail-on-deny"},
		{run->name != NULL, "--name"}, {run->status_fd != NULL, "--status-fd"},
		{run->permissive, "--permissive"}, {run->reload, "--reload"},
		{run->write_policy != NULL, "--write-policy"}, {run->ask, "--ask"},
		{run->approver != NULL, "--approver"}};

	for (size_t i = 0; run->is_static && i < CLI_COUNT(table); i++)
		if (table[i].given)
			return cli_fail(NULL,
				"run: %s needs the supervisor, which --static leaves out",
				table[i].name);
	return 0;
}

/* What goes by events, without any. */
static int check_events(const struct run_options *run)
{
	const char *name = run->permissive ? "--permissive" : "--write-policy";

	if ((!run->permissive && !run->write_policy) || !run->events ||
		strcmp(run->events, "none") != 0)
		return 0;
	return cli_fail(NULL, "run: %s goes by events, which --events none leaves out", name);
}

static int check_reload(const struct run_options *run)
{
	if (!run->reload)
		return 0;
	if (run->permissive)
		return cli_fail(NULL,
			"run: --reload does not go with --permissive, in which CMD can write to "
			"its policy");
	if (run->events && strcmp(run->events, "none") == 0)
		return cli_fail(
			NULL, "run: --reload needs trapped calls, which --events none leaves out");
	return 0;
}

int cli_run_prepare(
	struct run *run, const struct run_options *given, const struct cli_operands *operands)
{
	struct cli_build build = {.rules = &given->rules,
		.degrade = &given->degrade,
		.keep_open = !given->dry_run,
		.quiet = given->quiet,
		.verbose = given->verbose};
	struct reeve_error err = {0};
	int r;

	run->options = given;
	run->command = operands->items;
	if (operands->count == 0 && !given->dry_run)
		return cli_fail(
			"`reeve run -- CMD`, or `reeve run --dry-run`", "run: say what to run");
	r = check_static(given);
	if (r == 0)
		r = check_events(given);
	if (r == 0)
		r = check_reload(given);
	if (r == 0)
		r = check_name(given->name);
	if (r == 0)
		r = make_chdir(given->chdir, &run->chdir);
	if (r)
		return r;
	build.chdir = run->chdir;
	return cli_build_policy(&build, &run->policy, &err) < 0 ? cli_refuse(&err) : 0;
}

/* For those who ask later on: there is no supervisor to tell. */
static void tell_layer(const struct run_options *run, struct run_start *start)
{
	if (!run->is_static || run->clear_env)
		return;
	start->layers = cli_layers_add(run);
	if (start->layers)
		environment_set(&start->env, start->layers);
}

int cli_run_make_start(struct run *run)
{
	struct run_start *start = &run->start;
	int r = make_environment(run->options, &start->env);

	if (r == 0)
		tell_layer(run->options, start);
	if (r == 0)
		r = make_keep_fds(run->options, &start->keep_fds);
	start->exec = (struct reeve_exec_options){.size = sizeof(start->exec), .chdir = run->chdir};
	start->exec.envp = (char *const *)start->env.entries;
	start->exec.keep_fds = start->keep_fds;
	start->exec.keep_fds_count = run->options->keep_fds.count;
	return r;
}

void cli_run_release(struct run *run)
{
	reeve_policy_free(run->policy);
	free(run->chdir);
	free(run->start.env.entries);
	free(run->start.layers);
	free(run->start.keep_fds);
}

/* In place: returns only on failure before it is restricted. */
static int become(const struct run *run)
{
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_new(run->policy, NULL, &plan, &err) < 0)
		return cli_refuse(&err);
	reeve_plan_exec(plan, run->command, &run->start.exec, &err);
	cli_print_error(&err);
	/* Perhaps restricted by now, so nothing that runs at exit can rely on anything. */
	fflush(NULL);
	_exit(reeve_exec_exit_code(&err));
}

static int run_run(void *data, const struct cli_operands *operands)
{
	const struct run_options *given = data;
	struct run run = {0};
	int r;

	if (!given->is_static || given->dry_run)
		return cli_run_full(given, operands);
	r = cli_run_prepare(&run, given, operands);
	if (r == 0)
		r = cli_run_make_start(&run);
	if (r == 0)
		r = become(&run);
	cli_run_release(&run);
	return r;
}

const struct cli_verb cli_verb_run = {
	.name = "run",
	.synopsis = "[--] CMD [ARG]...",
	.summary = "Run a program in a sandbox",
	.text = text,
	.options = options,
	.size = sizeof(struct run_options),
	.takes_rules = true,
	.rules_offset = AT(rules),
	.first_operand_ends = true,
	.complete = CLI_COMMANDS,
	.run = run_run,
};
