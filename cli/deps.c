/* SPDX-License-Identifier: MIT */
/* `reeve deps`: run a program once, and write down what it read, wrote, executed, deleted, and
 * looked for in vain. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "deps.h"
#include "recorded.h"
#include "supervised.h"
#include "verbs.h"

struct deps_options {
	struct run_options run;
	struct cli_list targets, under;
	const char *output, *format, *changed_since;
	bool missing, json;
};

/* What the steps of a run are given. */
struct writing {
	const struct deps_options *given;
	size_t format;
	int fd;
};

/* ------------------------------------------------------------------------- formats */

static const struct {
	const char *name, *suffix;
	int (*write)(const struct cli_deps *deps, const struct cli_deps_output *out);
} formats[] = {{"make", ".d", cli_deps_make}, {"json", ".json", cli_deps_json},
	{"dot", ".dot", cli_deps_dot}};

#define NO_FORMAT CLI_COUNT(formats)
#define JSON	  1

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);

	return length > end && strcmp(name + length - end, suffix) == 0;
}

/* By --format, or by the name of the file. */
static int choose_format(const struct deps_options *given, size_t *ret)
{
	cli_autoescape char *shown = cli_escape(given->format ? given->format : given->output);

	*ret = given->json ? JSON : NO_FORMAT;
	for (size_t i = 0; *ret == NO_FORMAT && i < CLI_COUNT(formats); i++)
		if (given->format ? strcmp(given->format, formats[i].name) == 0
				  : ends_with(given->output, formats[i].suffix))
			*ret = i;
	if (*ret != NO_FORMAT || (given->missing && !given->format))
		return 0;
	if (given->format)
		return cli_fail(NULL, "deps: --format %s: expected make, json or dot", shown);
	return cli_fail("--format make, json or dot",
		"deps: -o %s: which format is told by .d, .json or .dot, or by --format", shown);
}

/* -------------------------------------------------------------------- the output */

static int open_output(const char *name, int *ret)
{
	*ret = strcmp(name, "-") == 0 ? STDOUT_FILENO : cli_out_open("-o", name);
	return *ret < 0 ? CLI_ERROR : 0;
}

static int store(int fd, const char *name, const char *text, size_t length)
{
	cli_autoescape char *shown = cli_escape(name);
	int r = fd != STDOUT_FILENO && ftruncate(fd, 0) < 0 ? -errno : 0;

	if (r == 0)
		r = cli_out_write(fd, text, length);
	return r ? cli_fail(NULL, "-o: %s: %s", shown, strerror(-r)) : 0;
}

/* Where CMD was started: what names in a Makefile are relative to. */
static char *working_directory(const struct run *run)
{
	return run->chdir ? strdup(run->chdir) : getcwd(NULL, 0);
}

static int write_all(void *data, const struct run *run, struct reeve_record *record)
{
	const struct writing *writing = data;
	const struct deps_options *given = writing->given;
	cli_autofree char *text = NULL, *cwd = working_directory(run);
	struct cli_deps deps;
	struct cli_deps_output out = {.command = run->command,
		.targets = &given->targets,
		.cwd = cwd,
		.json = writing->format == JSON};
	size_t length = 0;
	int r = 0;

	out.file = cwd ? open_memstream(&text, &length) : NULL;
	if (!out.file)
		return cli_fail(NULL, "out of memory");
	if (!cli_deps_read(&deps, record, &given->under))
		r = cli_fail(NULL, "out of memory");
	if (r == 0)
		r = given->missing ? cli_deps_missing(&deps, &out)
				   : formats[writing->format].write(&deps, &out);
	cli_deps_release(&deps);
	if (fclose(out.file) != 0 && r == 0)
		r = cli_fail(NULL, "out of memory");
	if (r == 0)
		r = store(writing->fd, given->output, text, length);
	if (r == 0 && !run->options->quiet)
		cli_warn_unrecorded(record, "left out");
	return r;
}

/* ------------------------------------------------------------------------- the run */

/* Without -p and rules nothing is denied: files are handled so that they are watched. */
static int open_policy(struct reeve_policy **ret)
{
	struct reeve_kernel kernel = {.size = sizeof(kernel)};
	struct reeve_rights handled = {{0}};
	struct reeve_rule everything = {
		.type = REEVE_RULE_PATH_BENEATH, .path = "/", .origin = "reeve deps"};
	cli_autopolicy *policy = NULL;
	struct reeve_error err = {0};
	int r = reeve_kernel_probe(&kernel);

	handled.of[REEVE_FS] = kernel.rights.of[REEVE_FS] & ~(uint64_t)REEVE_FS_RESOLVE_UNIX;
	everything.allowed = handled.of[REEVE_FS];
	if (r == 0)
		r = reeve_policy_new(&policy);
	if (r == 0 && !everything.allowed)
		return cli_fail("`reeve check` tells what this machine has",
			"deps: this kernel has no Landlock, which the supervisor needs");
	if (r == 0)
		r = reeve_policy_handle(policy, &handled);
	if (r == 0)
		r = reeve_policy_add_rule(policy, &everything, &err);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, &err);
	if (r < 0 && err.message[0])
		return cli_refuse(&err);
	if (r < 0)
		return cli_fail(NULL, "deps: %s", strerror(-r));
	*ret = policy;
	policy = NULL;
	return 0;
}

static int prepare(
	struct run *run, const struct run_options *options, const struct cli_operands *operands)
{
	if (options->rules.policies.count || options->rules.count)
		return cli_run_prepare(run, options, operands);
	run->options = options;
	run->command = operands->items;
	if (options->chdir) {
		cli_autoescape char *shown = cli_escape(options->chdir);

		run->chdir = realpath(options->chdir, NULL);
		if (!run->chdir)
			return cli_fail(NULL, "--chdir: %s: %s", shown, strerror(errno));
	}
	return open_policy(&run->policy);
}

static int watch(void *data, struct run *run, struct reeve_record *record)
{
	const struct run_options *options = run->options;
	const struct writing *writing = data;

	/* Of a policy that denies nothing everybody knows that. */
	if (!options->quiet && (options->rules.policies.count || options->rules.count))
		cli_warn_reachable(reeve_policy_ruleset(run->policy), "-o",
			writing->fd == STDOUT_FILENO ? -1 : writing->fd);
	return cli_recorded_run(run, record);
}

static int deps(struct writing *writing, const struct cli_operands *operands)
{
	static const struct cli_recorded steps = {watch, write_all};
	struct run run = {0};
	int r = prepare(&run, &writing->given->run, operands);

	if (r == 0)
		r = cli_recorded(&run, &steps, writing);
	cli_run_release(&run);
	return r;
}

/* ------------------------------------------------------------------------ the verb */

static int run_deps(void *data, const struct cli_operands *operands)
{
	const struct deps_options *given = data;
	struct writing writing = {.given = given, .format = NO_FORMAT, .fd = -1};
	int r;

	if (given->changed_since && operands->count)
		return cli_fail(NULL, "deps: --changed-since runs nothing: no CMD");
	if (given->changed_since)
		return cli_deps_changed(given->changed_since, given->json);
	if (operands->count == 0)
		return cli_fail("`reeve deps -o FILE -- CMD`", "deps: say what to run");
	if (!given->output)
		return cli_fail("`reeve deps -o FILE -- CMD`", "deps: say where to write");
	r = choose_format(given, &writing.format);
	if (r == 0)
		r = open_output(given->output, &writing.fd);
	if (r == 0)
		r = deps(&writing, operands);
	if (writing.fd >= 0 && writing.fd != STDOUT_FILENO)
		close(writing.fd);
	return r;
}

#define AT(member) offsetof(struct deps_options, member)

static const struct cli_option options[] = {
	{"--output", 'o', "FILE", "the file to write; - is standard output", CLI_PATHS, CLI_STRING,
		AT(output)},
	{"--format", 0, "FORMAT", "make, json or dot, unless FILE ends in .d, .json or .dot",
		CLI_NOTHING, CLI_STRING, AT(format)},
	{"--json", 0, NULL, "the same as --format json", CLI_NOTHING, CLI_FLAG, AT(json)},
	{"--target", 0, "NAME", "the target of a Makefile's rule; what CMD left unless given",
		CLI_PATHS, CLI_LIST, AT(targets)},
	{"--under", 0, "DIR", "only what is in DIR", CLI_DIRECTORIES, CLI_LIST, AT(under)},
	{"--missing", 0, NULL, "write only what was looked for in vain, a path a line", CLI_NOTHING,
		CLI_FLAG, AT(missing)},
	{"--changed-since", 0, "FILE",
		"run nothing: print what is not any more as FILE, of JSON, has it", CLI_PATHS,
		CLI_STRING, AT(changed_since)},
	RUN_START_OPTIONS(AT(run)),
	{"--chdir", 0, "DIR", "start CMD in DIR", CLI_DIRECTORIES, CLI_STRING, AT(run.chdir)},
	{"--quiet", 0, NULL, "print no warnings and no summary", CLI_NOTHING, CLI_FLAG,
		AT(run.quiet)},
	{"--verbose", 'v', NULL, "say what is decided", CLI_NOTHING, CLI_FLAG, AT(run.verbose)},
	{0},
};

static const char text[] =
	"CMD runs once, supervised; what it and its children read, wrote, executed,\n"
	"deleted, and looked for in vain by open and exec is written to FILE, in order.\n"
	"Nothing is denied, unless -p or rules say so.\n"
	"\n"
	"Exit code: that of CMD, as of `reeve run`; with --changed-since 0 nothing\n"
	"changed, 1 something did; 125 reeve failed.\n"
	"\n"
	"Examples:\n"
	"  reeve deps -o main.d -- cc -c main.c       for `include main.d` in a Makefile\n"
	"  reeve deps -o build.json -- make\n"
	"  reeve deps --changed-since build.json || make\n"
	"  reeve deps -o build.dot --under . -- make  for dot -Tsvg\n";

const struct cli_verb cli_verb_deps = {
	.name = "deps",
	.synopsis = "[--] CMD [ARG]...",
	.summary = "Write down what a program depends on, from one run",
	.text = text,
	.options = options,
	.size = sizeof(struct deps_options),
	.takes_rules = true,
	.rules_offset = AT(run.rules),
	.first_operand_ends = true,
	.complete = CLI_COMMANDS,
	.run = run_deps,
};
