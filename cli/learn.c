/* SPDX-License-Identifier: MIT */
/* `reeve learn`: run a program once, watched and contained, and write the policy that it needs. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "learn.h"
#include "recorded.h"
#include "supervised.h"
#include "verbs.h"

#define PROGRESS_SECONDS 10

struct learn_options {
	struct run_options run;
	struct cli_list within;
	const char *output;
	bool merge, diff;
};

#define AT(member) offsetof(struct learn_options, member)

static const struct cli_option options[] = {
	{"--output", 'o', "POLICY", "the policy file to write", CLI_PATHS, CLI_STRING, AT(output)},
	{"--within", 'p', "POLICY",
		"what CMD may do at most while it is watched, a profile or a file; the profile "
		"`learn` unless given",
		CLI_POLICIES, CLI_LIST, AT(within)},
	{"--merge", 0, NULL,
		"add what POLICY lacks to it, and leave its comments and order as they are",
		CLI_NOTHING, CLI_FLAG, AT(merge)},
	{"--diff", 0, NULL,
		"write nothing: print what POLICY lacks, and what it grants beyond the need",
		CLI_NOTHING, CLI_FLAG, AT(diff)},
	RUN_START_OPTIONS(AT(run)),
	{"--chdir", 0, "DIR", "start CMD in DIR", CLI_DIRECTORIES, CLI_STRING, AT(run.chdir)},
	{"--quiet", 0, NULL, "print no warnings, no progress and no summary", CLI_NOTHING, CLI_FLAG,
		AT(run.quiet)},
	{"--verbose", 'v', NULL, "say what is decided", CLI_NOTHING, CLI_FLAG, AT(run.verbose)},
	{0},
};

static const char text[] =
	"CMD runs once, supervised: every file, socket and address that it asks for is\n"
	"taken down with the rights that it needs, and becomes a rule of POLICY. Then\n"
	"`reeve run -p POLICY -- CMD` allows what CMD did, and little else.\n"
	"\n"
	"Meanwhile CMD may read everything but places where secrets are kept, write to\n"
	"the working directory and its TMPDIR, and use no network. --net opens the\n"
	"network, other rules widen that, and --within names another policy. What is\n"
	"denied is summed up at the end and not learned.\n"
	"\n"
	"What was there gets a rule of its own; what CMD makes, one that goes by name.\n"
	"Sixteen files of a directory that need the same are one rule on the directory,\n"
	"four such directories one on the tree; but never /etc, a home, or what is\n"
	"shared. What the profile `base` grants is not repeated.\n"
	"\n"
	"Exit code: that of CMD, as of `reeve run`; 125 reeve failed, nothing is written.\n"
	"\n"
	"Examples:\n"
	"  reeve learn -o make.toml -- make\n"
	"  reeve learn -o make.toml --merge -- make install DESTDIR=out\n"
	"  reeve learn -o get.toml --net -- curl -O https://example.org/\n"
	"  reeve learn -o make.toml --diff -- make     ... what is not in it yet?\n";

/* ------------------------------------------------------------------------ progress */

struct progress {
	struct reeve_record *record;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool runs, ended;
};

static void print_counters(struct reeve_record *record, const char *what)
{
	struct reeve_record_counters counters = {.size = sizeof(counters)};

	reeve_record_count(record, &counters);
	fprintf(stderr,
		"reeve: %s: %" PRIu64 " accesses (%" PRIu64 " different) by %" PRIu64 " programs\n",
		what, counters.calls, counters.accesses, counters.actors);
}

static void *report(void *data)
{
	struct progress *progress = data;
	struct timespec until;

	pthread_mutex_lock(&progress->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	while (!progress->ended) {
		until.tv_sec += PROGRESS_SECONDS;
		while (!progress->ended &&
			pthread_cond_timedwait(&progress->changed, &progress->lock, &until) == 0)
			;
		if (!progress->ended)
			print_counters(progress->record, "learning");
	}
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

/* On a terminal alone; its signals are for others. */
static void progress_begin(struct progress *progress, bool quiet)
{
	sigset_t all, saved;

	pthread_mutex_init(&progress->lock, NULL);
	pthread_cond_init(&progress->changed, NULL);
	if (quiet || !isatty(STDERR_FILENO))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	progress->runs = pthread_create(&progress->thread, NULL, report, progress) == 0;
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

static void progress_end(struct progress *progress)
{
	pthread_mutex_lock(&progress->lock);
	progress->ended = true;
	pthread_cond_broadcast(&progress->changed);
	pthread_mutex_unlock(&progress->lock);
	if (progress->runs)
		pthread_join(progress->thread, NULL);
	pthread_cond_destroy(&progress->changed);
	pthread_mutex_destroy(&progress->lock);
}

/* --------------------------------------------------------------------------- what was */

static void print_result(const struct learn_output *out, const struct learned *learned)
{
	cli_autoescape char *shown = cli_escape(out->name);
	size_t rules = out->merge || out->diff ? out->missing : learned->rules.count;
	const char *plural = rules == 1 ? "" : "s";

	fprintf(stderr, "reeve: %s: ", shown);
	if (out->diff)
		fprintf(stderr,
			"lacks %zu rule%s of these, and grants more than was needed by "
			"%zu\n",
			rules, plural, out->broader);
	else
		fprintf(stderr, "%zu rule%s%s\n", rules, plural, out->merge ? " added" : "");
}

static void print_summary(
	struct reeve_record *record, const struct learn_output *out, const struct learned *learned)
{
	print_counters(record, "learned");
	print_result(out, learned);
	for (size_t i = 0; i < learned->notes.count; i++)
		fprintf(stderr, "  %s\n", learned->notes.at[i]);
	if (learned->notes.left_out)
		fprintf(stderr, "  and %zu more\n", learned->notes.left_out);
	cli_warn_unrecorded(record, "not in the policy");
	if (learned->denied)
		fprintf(stderr,
			"reeve: what was denied is not learned; rules like --rw DIR and --net, or "
			"--within POLICY, allow more\n");
	if (learned->quiet.count && !out->diff)
		fputs("reeve: what of it CMD went on without will not be reported again, but for "
		      "secrets\n",
			stderr);
}

/* A policy of nothing would take the place of one that means something. */
static bool has_started(struct reeve_record *record)
{
	struct reeve_record_counters counters = {.size = sizeof(counters)};

	reeve_record_count(record, &counters);
	if (!counters.accesses)
		fputs("reeve: CMD did not start: nothing is learned, and nothing written\n",
			stderr);
	return counters.accesses > 0;
}

static int write_learned(void *data, const struct run *run, struct reeve_record *record)
{
	struct learn_output *out = data;
	struct learned learned;
	int r;

	if (!has_started(record))
		return 0;
	r = learn_init(&learned);
	if (r == 0 && learn_read(&learned, record) < 0)
		r = cli_fail(NULL, "learn: out of memory");
	if (r == 0) {
		learn_path_rules(&learned);
		learn_socket_rules(&learned);
		if (out->succeeded)
			learn_quiet_rules(&learned);
		if (learned.failed)
			r = cli_fail(NULL, "learn: out of memory");
	}
	if (r == 0)
		r = learn_write(out, &learned);
	if (r == 0 && !run->options->quiet)
		print_summary(record, out, &learned);
	learn_release(&learned);
	return r;
}

/* --------------------------------------------------------------------------- the run */

static int watch(void *data, struct run *run, struct reeve_record *record)
{
	struct learn_output *out = data;
	bool quiet = run->options->quiet;
	struct progress progress = {.record = record};
	int code;

	if (!quiet)
		cli_warn_reachable(reeve_policy_ruleset(run->policy), "learn", out->fd);
	progress_begin(&progress, quiet);
	code = cli_recorded_run(run, record);
	progress_end(&progress);
	out->succeeded = code == CLI_OK;
	return code;
}

/* `--net` is a rule flag; without --within it means the whole network. */
static const char *profile_for(struct cli_rules *rules)
{
	const char *profile = "learn";
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->flags[i].flag, "--net") == 0)
			profile = "learn-net";
		else
			rules->flags[kept++] = rules->flags[i];
	}
	rules->count = kept;
	return profile;
}

static int learn(const struct learn_options *given, const struct cli_operands *operands,
	struct learn_output *out)
{
	static const struct cli_recorded steps = {watch, write_learned};
	struct run_options run_options = given->run;
	const char *profile;
	struct run run = {0};
	int r;

	run_options.rules.policies = given->within;
	if (!given->within.count) {
		profile = profile_for(&run_options.rules);
		run_options.rules.policies = (struct cli_list){.items = &profile, .count = 1};
	}
	r = cli_run_prepare(&run, &run_options, operands);
	if (r == 0)
		r = cli_recorded(&run, &steps, out);
	cli_run_release(&run);
	return r;
}

static int run_learn(void *data, const struct cli_operands *operands)
{
	const struct learn_options *given = data;
	struct learn_output out = {.name = given->output,
		.command = operands->items,
		.merge = given->merge,
		.diff = given->diff,
		.fd = -1};
	int code;

	if (operands->count == 0)
		return cli_fail("`reeve learn -o POLICY -- CMD`", "learn: say what to run");
	if (!given->output)
		return cli_fail(
			"`reeve learn -o POLICY -- CMD`", "learn: say where to write the policy");
	if (given->merge && given->diff)
		return cli_fail(NULL, "learn: --merge writes, and --diff does not: one of them");
	code = learn_open(&out);
	if (code == 0)
		code = learn(given, operands, &out);
	learn_close(&out);
	return code;
}

const struct cli_verb cli_verb_learn = {
	.name = "learn",
	.synopsis = "[--] CMD [ARG]...",
	.summary = "Write the policy that a program needs, from one run",
	.text = text,
	.options = options,
	.size = sizeof(struct learn_options),
	.takes_rules = true,
	.no_policy = true,
	.rules_offset = AT(run.rules),
	.first_operand_ends = true,
	.complete = CLI_COMMANDS,
	.run = run_learn,
};
