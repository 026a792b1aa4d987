/* SPDX-License-Identifier: MIT */
/* `reeve run`: become a program that can reach only what the policy allows. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervised.h"
#include "verbs.h"

struct run_options {
	struct cli_rules rules;
	struct cli_list degrade, keep_fds, env;
	const char *chdir, *events, *name, *status_fd;
	bool is_static, fail_on_deny, no_shim, clear_env, dry_run, quiet, verbose;
};

#define NAME_LENGTH 64
#define LETTERS	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define AT(member) offsetof(struct run_options, member)

static const struct cli_option options[] = {
	{"--static", 0, NULL,
		"leave no process of reeve behind: restrict, then become CMD. No events, no "
		"live rules",
		CLI_NOTHING, CLI_FLAG, AT(is_static)},
	{"--events", 0, "FILE",
		"write what is denied to FILE as JSON lines, \"-\" for standard output; \"none\": "
		"observe nothing, which costs nothing",
		CLI_PATHS, CLI_STRING, AT(events)},
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
	{"--keep-fd", 0, "N", "leave file descriptor N open; all others above 2 are closed",
		CLI_NOTHING, CLI_LIST, AT(keep_fds)},
	{"--clear-env", 0, NULL, "start CMD with an empty environment", CLI_NOTHING, CLI_FLAG,
		AT(clear_env)},
	{"--env", 0, "NAME=VALUE", "set a variable of CMD's environment", CLI_NOTHING, CLI_LIST,
		AT(env)},
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
	"  reeve run --dry-run -- make              show what would be enforced\n";

/* ----------------------------------------------------------------- environment */

/* The environment of CMD; the array is ours, its strings are not. */
struct environment {
	const char **entries;
	size_t count;
};

static void environment_set(struct environment *env, const char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->entries[i], entry, name) == 0) {
			env->entries[i] = entry;
			return;
		}
	env->entries[env->count++] = entry;
}

static int make_environment(const struct run_options *run, struct environment *env)
{
	size_t inherited = 0;

	while (!run->clear_env && environ && environ[inherited])
		inherited++;
	env->entries = calloc(inherited + run->env.count + 1, sizeof(*env->entries));
	if (!env->entries)
		return cli_fail(NULL, "out of memory");
	for (; env->count < inherited; env->count++)
		env->entries[env->count] = environ[env->count];
	for (size_t i = 0; i < run->env.count; i++) {
		cli_autoescape char *shown = cli_escape(run->env.items[i]);

		if (!strchr(run->env.items[i], '=') || run->env.items[i][0] == '=')
			return cli_fail(NULL, "--env: %s: expected NAME=VALUE", shown);
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

static int refused(const struct reeve_error *err)
{
	cli_print_error(err);
	return CLI_ERROR;
}

/* Where CMD starts, and with what; arrays are ours. */
struct start {
	struct environment env;
	int *keep_fds;
	struct reeve_exec_options exec;
};

static int make_start(const struct run_options *run, const char *chdir, struct start *start)
{
	int r = make_environment(run, &start->env);

	if (r == 0)
		r = make_keep_fds(run, &start->keep_fds);
	start->exec = (struct reeve_exec_options){.size = sizeof(start->exec), .chdir = chdir};
	start->exec.envp = (char *const *)start->env.entries;
	start->exec.keep_fds = start->keep_fds;
	start->exec.keep_fds_count = run->keep_fds.count;
	return r;
}

static void release_start(struct start *start)
{
	free(start->env.entries);
	free(start->keep_fds);
}

/* In place: returns only on failure before it is restricted. */
static int become(
	const struct reeve_policy *policy, const struct start *start, char *const *command)
{
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_new(policy, NULL, &plan, &err) < 0)
		return refused(&err);
	reeve_plan_exec(plan, command, &start->exec, &err);
	cli_print_error(&err);
	/* Perhaps restricted by now, so nothing that runs at exit can rely on anything. */
	fflush(NULL);
	_exit(reeve_exec_exit_code(&err));
}

static struct reeve_supervised_plan_options plan_options(const struct run_options *run)
{
	return (struct reeve_supervised_plan_options){
		.size = sizeof(struct reeve_supervised_plan_options),
		.no_events = run->events && strcmp(run->events, "none") == 0};
}

static int supervise(const struct run_options *run, const struct reeve_policy *policy,
	const struct start *start, char *const *command)
{
	struct reeve_supervised_plan_options wanted = plan_options(run);
	struct cli_supervised supervised = {.exec = &start->exec,
		.command = command,
		.events = run->events,
		.name = run->name,
		.ruleset = reeve_policy_ruleset(policy),
		.status_fd = run->status_fd,
		.fail_on_deny = run->fail_on_deny,
		.no_shim = run->no_shim,
		.quiet = run->quiet,
		.verbose = run->verbose};
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_new_supervised(policy, NULL, &wanted, &plan, &err) < 0)
		return refused(&err);
	supervised.plan = plan;
	return cli_run_supervised(&supervised);
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
		{run->name != NULL, "--name"}, {run->status_fd != NULL, "--status-fd"}};

	for (size_t i = 0; run->is_static && i < CLI_COUNT(table); i++)
		if (table[i].given)
			return cli_fail(NULL,
				"run: %s needs the supervisor, which --static leaves out",
				table[i].name);
	return 0;
}

static int start_command(const struct run_options *run, const struct reeve_policy *policy,
	const char *chdir, char *const *command)
{
	struct start start = {0};
	int r = make_start(run, chdir, &start);

	if (r == 0)
		r = run->is_static ? become(policy, &start, command)
				   : supervise(run, policy, &start, command);
	release_start(&start);
	return r;
}

static int run_run(void *data, const struct cli_operands *operands)
{
	const struct run_options *run = data;
	struct cli_build build = {.rules = &run->rules,
		.degrade = &run->degrade,
		.quiet = run->quiet,
		.verbose = run->verbose};
	cli_autofree char *chdir = NULL;
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	int r;

	if (operands->count == 0 && !run->dry_run)
		return cli_fail(
			"`reeve run -- CMD`, or `reeve run --dry-run`", "run: say what to run");
	r = check_static(run);
	if (r == 0)
		r = check_name(run->name);
	if (r == 0)
		r = make_chdir(run->chdir, &chdir);
	if (r)
		return r;
	build.chdir = chdir;
	if (cli_build_policy(&build, &policy, &err) < 0)
		return refused(&err);
	if (run->dry_run) {
		const struct reeve_supervised_plan_options plan = plan_options(run);

		return cli_run_dry(
			policy, run->is_static ? NULL : &plan, operands->items, run->verbose);
	}
	return start_command(run, policy, chdir, operands->items);
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
