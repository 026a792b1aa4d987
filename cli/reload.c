/* SPDX-License-Identifier: MIT */
/*
 * The policy of a run, loaded again: by `reeve reload`, or with --reload when its files change.
 *
 * Files that were loaded at the start, and links on the way to them, are protected from the
 * program. Others that come later (by `extends`, or because a link was turned) are not, so they
 * count only where no rule lets the program change them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "supervised.h"

struct cli_reload {
	const struct cli_reload_options *options;
	struct cli_build build; /* how the policy is made, as at the start */
	struct reeve_supervisor *supervisor;
	struct cli_file_watch *watch; /* NULL: only when asked to */
	bool quiet, verbose;
	char **steps; /* what was on the way to the policy's files */
	size_t steps_count;
	pthread_mutex_t lock; /* one at a time */
};

static int refuse(struct reeve_error *err, int code, const char *message, const char *hint)
{
	err->code = code;
	snprintf(err->message, sizeof(err->message), "%s", message);
	snprintf(err->hint, sizeof(err->hint), "%s", hint);
	return code;
}

static int check(const struct cli_rules *rules, bool has_file, struct reeve_error *err)
{
	for (size_t i = 0; i < rules->policies.count; i++)
		if (strcmp(rules->policies.items[i], "-") == 0)
			return refuse(err, -EOPNOTSUPP,
				"a policy from standard input cannot be loaded again",
				"put it into a file");
	if (!has_file)
		return refuse(err, -EOPNOTSUPP, "the policy is built in: there is no file to load",
			"start the program with -p FILE");
	return 0;
}

int cli_reload_check(
	const struct cli_rules *rules, const struct reeve_policy *policy, struct reeve_error *err)
{
	return check(rules, reeve_policy_file_at(policy, 0) != NULL, err);
}

/* ---------------------------------------------------------------------- loading */

/* What the program can change, now or under the new policy. */
struct checking {
	struct cli_reload *reload;
	const struct reeve_policy *policy;
	struct reeve_ruleset *live; /* the live rules; NULL: not needed yet */
	char *found;		    /* what it can */
};

static bool is_known(const struct cli_reload *reload, const char *path)
{
	for (size_t i = 0; i < reload->steps_count; i++)
		if (strcmp(reload->steps[i], path) == 0)
			return true;
	return false;
}

static int add_live(void *data, const struct reeve_live_rule *live)
{
	return reeve_ruleset_add(data, &live->rule, NULL);
}

/* There may be thousands of them. */
static int find_live(struct checking *checking)
{
	struct cli_reload *reload = checking->reload;
	struct reeve_rights handled;
	int r;

	if (checking->live)
		return 0;
	reeve_ruleset_handled(reload->options->ruleset, &handled);
	r = reeve_ruleset_new(&handled, &checking->live);
	return r ? r : reeve_supervisor_rules(reload->supervisor, add_live, checking->live);
}

/* Now, or under the new policy, or by what was granted meanwhile. */
static bool can_change(struct checking *checking, const char *path)
{
	return cli_can_change(checking->reload->options->ruleset, path) ||
	       cli_can_change(reeve_policy_ruleset(checking->policy), path) ||
	       find_live(checking) < 0 || cli_can_change(checking->live, path);
}

/* What was on the way at the start is protected. */
static bool check_step(void *data, const char *dir, const char *name)
{
	struct checking *checking = data;
	cli_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", dir[1] ? dir : "", name) < 0) {
		path = NULL;
		return false;
	}
	if (is_known(checking->reload, path) || !can_change(checking, path))
		return true;
	checking->found = path;
	path = NULL;
	return false;
}

static int check_files(
	struct cli_reload *reload, const struct reeve_policy *policy, struct reeve_error *err)
{
	struct checking checking = {.reload = reload, .policy = policy};
	const char *road;
	char message[320];
	int r = 0;

	for (size_t i = 0; r == 0 && (road = reeve_policy_road_at(policy, i)); i++) {
		if (cli_path_steps(road, check_step, &checking))
			continue;
		cli_autoescape char *shown = cli_escape(checking.found ? checking.found : road);

		snprintf(message, sizeof(message),
			"%.200s was not part of the policy so far, and the program can change it",
			shown);
		r = refuse(err, -EPERM, message, "start the program anew");
	}
	free(checking.found);
	reeve_ruleset_free(checking.live);
	return r;
}

static int load(struct cli_reload *reload, const char *by, struct reeve_reload *ret,
	struct reeve_error *err)
{
	cli_autopolicy *policy = NULL;
	int r = check(reload->build.rules, reload->options->files[0] != NULL, err);

	if (r == 0)
		r = cli_build_policy(&reload->build, &policy, err);
	if (r == 0)
		r = check_files(reload, policy, err);
	return r ? r
		 : reeve_supervisor_reload(reload->supervisor, reload->options->ruleset,
			   &reload->options->settings, policy, by, ret, err);
}

int cli_reload_now(void *data, const char *by, struct reeve_reload *ret, struct reeve_error *err)
{
	struct cli_reload *reload = data;
	int r;

	pthread_mutex_lock(&reload->lock);
	r = load(reload, by, ret, err);
	if (r)
		reeve_supervisor_reload_failed(reload->supervisor, by, err);
	cli_give_back_memory();
	pthread_mutex_unlock(&reload->lock);
	return r;
}

/* --------------------------------------------------------------------- changes */

void cli_reload_print(FILE *out, const char *prefix, size_t added, size_t removed, size_t kept)
{
	fprintf(out, "%spolicy loaded again: %zu live rule%s more, %zu less, %zu as before\n",
		prefix, added, added == 1 ? "" : "s", removed, kept);
}

static void print_done(const struct cli_reload *reload, const struct reeve_reload *done)
{
	if (reload->verbose || (done->fixed_count && !reload->quiet))
		cli_reload_print(stderr, "reeve: ", done->added, done->removed, done->kept);
	for (size_t i = 0; !reload->quiet && i < done->fixed_count; i++) {
		if (i == CLI_RELOAD_SHOWN) {
			fprintf(stderr, "  and %zu more\n", done->fixed_count - i);
			break;
		}
		fprintf(stderr, "  %s\n", done->fixed[i]);
	}
	if (!reload->quiet && done->fixed_count)
		fprintf(stderr, "hint: %s\n", CLI_RELOAD_HINT);
}

static void changed(void *data)
{
	struct cli_reload *reload = data;
	struct reeve_reload done = {.size = sizeof(done)};
	struct reeve_error err = {0};

	if (cli_reload_now(reload, "--reload", &done, &err) == 0)
		print_done(reload, &done);
	else if (!reload->quiet) {
		fputs("reeve: the policy stays as it was:\n", stderr);
		cli_print_error(&err);
	}
	reeve_reload_release(&done);
}

static bool remember(void *data, const char *dir, const char *name)
{
	struct cli_reload *reload = data;
	char **steps = realloc(reload->steps, (reload->steps_count + 1) * sizeof(*steps));

	if (!steps)
		return false;
	reload->steps = steps;
	if (asprintf(&steps[reload->steps_count], "%s/%s", dir[1] ? dir : "", name) < 0)
		return false;
	reload->steps_count++;
	return true;
}

bool cli_reload_keep(struct cli_reload_options *options, const struct reeve_policy *policy)
{
	size_t count = 0;

	while (reeve_policy_road_at(policy, count))
		count++;
	options->settings = (struct reeve_policy_settings){.size = sizeof(options->settings)};
	reeve_policy_settings(policy, &options->settings);
	options->files = calloc(count + 1, sizeof(*options->files));
	for (size_t i = 0; options->files && i < count; i++) {
		options->files[i] = strdup(reeve_policy_road_at(policy, i));
		if (!options->files[i])
			return false;
	}
	return options->files != NULL;
}

void cli_reload_release(struct cli_reload_options *options)
{
	for (size_t i = 0; options->files && options->files[i]; i++)
		free(options->files[i]);
	free(options->files);
	options->files = NULL;
}

struct cli_reload *cli_reload_begin(
	const struct cli_reload_options *options, struct reeve_supervisor *supervisor)
{
	struct cli_reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->build = options->build;
	reload->build.quiet = true;
	reload->build.keep_open = false;
	reload->options = options;
	reload->supervisor = supervisor;
	reload->quiet = options->build.quiet;
	reload->verbose = options->build.verbose;
	pthread_mutex_init(&reload->lock, NULL);
	for (size_t i = 0; options->files[i]; i++)
		cli_path_steps(options->files[i], remember, reload);
	if (options->watch) {
		reload->watch = cli_file_watch_begin(options->files, changed, reload);
		if (!reload->watch)
			fprintf(stderr, "reeve: warning: --reload: cannot watch the policy: %s\n",
				strerror(errno));
	}
	return reload;
}

void cli_reload_end(struct cli_reload *reload)
{
	if (!reload)
		return;
	cli_file_watch_end(reload->watch);
	for (size_t i = 0; i < reload->steps_count; i++)
		free(reload->steps[i]);
	free(reload->steps);
	pthread_mutex_destroy(&reload->lock);
	free(reload);
}
