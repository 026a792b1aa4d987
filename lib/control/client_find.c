/* SPDX-License-Identifier: MIT */
/* Which domain somebody means. */
#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/strbuf.h"
#include "control/candidate.h"
#include "supervise/domain_id.h"

static void release(struct rv_candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++)
		free(candidates->items[i].name);
	free(candidates->items);
}

static int add_candidate(void *data, const struct rv_entry *entry)
{
	struct rv_candidates *candidates = data;
	struct rv_candidate *items =
		reallocarray(candidates->items, candidates->count + 1, sizeof(*items));
	char *name = entry->name ? strdup(entry->name) : NULL;

	if (items)
		candidates->items = items;
	if (!items || (entry->name && !name)) {
		free(name);
		return -ENOMEM;
	}
	items[candidates->count++] = (struct rv_candidate){
		entry->certificate, entry->domain, entry->pidns, entry->supervisor, name};
	return 0;
}

/* ----------------------------------------------------------------------- by words */

static pid_t number_of(const char *text)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	return text[0] >= '1' && text[0] <= '9' && !*end && !errno && number <= INT_MAX
		       ? (pid_t)number
		       : 0;
}

static bool is_id(const struct rv_candidate *candidate, const char *id)
{
	char text[RV_DOMAIN_ID_SIZE];

	return strcmp(rv_domain_id_format(candidate->domain, text), id) == 0;
}

static bool is_name(const struct rv_candidate *candidate, const char *id)
{
	return candidate->name && strcmp(candidate->name, id) == 0;
}

static bool has_prefix(const struct rv_candidate *candidate, const char *id)
{
	char text[RV_DOMAIN_ID_SIZE];

	rv_domain_id_format(candidate->domain, text);
	return *id && strncmp(text, id, strlen(id)) == 0;
}

static bool any(const struct rv_candidate *candidate, const char *id)
{
	(void)candidate;
	(void)id;
	return true;
}

/* Lists those that match, as far as they fit into a message. */
static int several(const struct rv_candidates *candidates, const char *id,
	bool (*matches)(const struct rv_candidate *candidate, const char *id),
	struct reeve_error *err)
{
	rv_autostrbuf list = {0};
	char text[RV_DOMAIN_ID_SIZE];

	for (size_t i = 0; i < candidates->count; i++) {
		const struct rv_candidate *candidate = &candidates->items[i];

		if (!matches(candidate, id))
			continue;
		rv_strbuf_printf(&list, "%s%s", list.length ? ", " : "",
			rv_domain_id_format(candidate->domain, text));
		if (candidate->name)
			rv_strbuf_printf(&list, " (%s)", rv_q(candidate->name));
	}
	if (id)
		rv_error(err, -EEXIST, "\"%s\" may be several domains: %s", rv_q(id),
			list.text ? list.text : "");
	else
		rv_error(err, -EEXIST, "several domains run: %s", list.text ? list.text : "");
	rv_error_hint(err, "say which: an id, a unique prefix of one, a name, or a pid");
	return -EEXIST;
}

/* 1: exactly one; 0: none; -EEXIST. */
static int match(const struct rv_candidates *candidates, const char *id,
	bool (*matches)(const struct rv_candidate *candidate, const char *id),
	const struct rv_candidate **ret, struct reeve_error *err)
{
	const struct rv_candidate *found = NULL;

	for (size_t i = 0; i < candidates->count; i++) {
		if (!matches(&candidates->items[i], id))
			continue;
		if (found)
			return several(candidates, id, matches, err);
		found = &candidates->items[i];
	}
	if (found)
		*ret = found;
	return found != NULL;
}

static bool is_process(const char *id)
{
	return number_of(id) && kill(number_of(id), 0) == 0;
}

static int not_found(const char *id, struct reeve_error *err)
{
	if (id)
		rv_error(err, -ENOENT, "\"%s\": no running domain has this id, name or process",
			rv_q(id));
	else
		rv_error(err, -ENOENT, "no domain runs");
	if (id && is_process(id))
		rv_error_hint(err,
			"process %s is in no supervised domain; of a run with --static "
			"nothing is left that could be asked",
			id);
	else
		rv_error_hint(err, "`reeve ps` lists the domains that run");
	return -ENOENT;
}

/* What is exact comes first. A number may be a pid or the beginning of an id, and must not be both.
 */
static int find(const struct rv_registry *registry, const struct rv_candidates *candidates,
	const char *id, const struct rv_candidate **ret, struct reeve_error *err)
{
	const struct rv_candidate *process = NULL;
	int r, by_pid;

	if (!id) {
		r = match(candidates, id, any, ret, err);
		return r == 0 ? not_found(id, err) : r;
	}
	r = match(candidates, id, is_id, ret, err);
	if (r == 0)
		r = match(candidates, id, is_name, ret, err);
	if (r)
		return r;
	by_pid = rv_candidate_of_pid(registry, candidates, number_of(id), &process, err);
	if (by_pid < 0)
		return by_pid;
	r = match(candidates, id, has_prefix, ret, err);
	if (r < 0 && !process)
		return r;
	if (process && (r < 0 || (r > 0 && *ret != process))) {
		rv_error(err, -EEXIST, "\"%s\" is a process in one domain, and begins another's id",
			rv_q(id));
		return rv_error_hint(err, "write out the id");
	}
	if (process)
		*ret = process;
	return process || r ? 1 : not_found(id, err);
}

/* -------------------------------------------------------------------------- opening */

static int check_running(const struct rv_registry *registry, const struct rv_candidate *candidate,
	struct reeve_error *err)
{
	struct rv_process process;

	if (candidate->pidns != registry->pidns ||
		rv_process_read(candidate->supervisor, &process) < 0 ||
		(process.state != 'T' && process.state != 't'))
		return 0;
	rv_error(err, -EBUSY, "the domain's supervisor, pid %d, is stopped, and cannot answer",
		(int)candidate->supervisor);
	return rv_error_hint(err, "continue it: `fg` in its shell, or `kill -CONT %d`",
		(int)candidate->supervisor);
}

static int open_candidate(const struct rv_registry *registry, const struct rv_candidate *candidate,
	const char *id, struct reeve_control **ret, struct reeve_error *err)
{
	int fd = rv_registry_connect(registry, &candidate->certificate), r;

	if (fd == -ECONNREFUSED || fd == -ENOENT) {
		/* It is about to end, or lost its server. */
		rv_registry_remove(registry, &candidate->certificate);
		return not_found(id, err);
	}
	if (fd < 0)
		return rv_error(err, fd, "%s: the control socket of %" PRIx64 ": %s",
			rv_q(registry->path), candidate->domain,
			fd == -ESTALE ? "not its supervisor's" : strerror(-fd));
	r = check_running(registry, candidate, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	return rv_control_greet(fd, candidate->domain, ret, err);
}

int reeve_control_open(const char *id, struct reeve_control **ret, struct reeve_error *err)
{
	rv_autoregistry registry = {.fd = -1};
	struct rv_candidates candidates = {0};
	const struct rv_candidate *found = NULL;
	int r = rv_registry_open(false, &registry, err);

	if (r < 0)
		return r;
	r = rv_registry_each(&registry, add_candidate, &candidates);
	if (r < 0)
		rv_error(err, r, "%s: %s", rv_q(registry.path), strerror(-r));
	else
		r = find(&registry, &candidates, id, &found, err);
	if (r > 0)
		r = open_candidate(&registry, found, id, ret, err);
	release(&candidates);
	return r;
}

/* ------------------------------------------------------------------------- denials */

static int read_record(const char *id, char **ret, struct reeve_error *err)
{
	rv_autoregistry registry = {.fd = -1};
	json_t *record = NULL;
	int r = rv_registry_open(false, &registry, err);

	if (r < 0)
		return r;
	r = rv_record_find(&registry, id, &record);
	if (r == 0) {
		*ret = json_dumps(record, JSON_COMPACT);
		json_decref(record);
		return *ret ? 0 : rv_error(err, -ENOMEM, "out of memory");
	}
	if (r == -EEXIST)
		return rv_error(err, r, "\"%s\" may be several domains that ended", rv_q(id));
	if (r == -ENOENT && id)
		return rv_error(err, r, "\"%s\": no domain that runs, or ran lately", rv_q(id));
	if (r == -ENOENT)
		return rv_error(err, r, "no domain runs, or ran lately");
	return rv_error(err, r, "%s: %s", rv_q(registry.path), strerror(-r));
}

int reeve_control_denials(const char *id, char **ret_answer, struct reeve_error *err)
{
	struct reeve_control *control;
	int r = reeve_control_open(id, &control, err);

	if (r == -ENOENT)
		return read_record(id, ret_answer, err);
	if (r < 0)
		return r;
	r = reeve_control_call(control, "{\"request\":\"denials\"}", ret_answer, err);
	reeve_control_close(control);
	return r;
}
