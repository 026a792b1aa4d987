/* SPDX-License-Identifier: MIT */
/* Which domains run, and what can be told of them without asking them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "control/listing.h"
#include "supervise/lineage.h"

/* ---------------------------------------------------------------------- collecting */

static int make_room(struct rv_listing *listing)
{
	size_t room = listing->room ? 2 * listing->room : 16;
	struct rv_row *rows;

	if (listing->count < listing->room)
		return 0;
	rows = reallocarray(listing->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	listing->rows = rows;
	listing->room = room;
	return 0;
}

static int add_row(void *data, const struct rv_entry *entry)
{
	struct rv_listing *listing = data;
	struct rv_row *row;

	if (make_room(listing) < 0)
		return -ENOMEM;
	row = &listing->rows[listing->count++];
	*row = (struct rv_row){.entry = *entry, .here = entry->process.start != 0};
	row->entry.name = row->name = entry->name ? strdup(entry->name) : NULL;
	row->entry.argv = row->argv = strdup(entry->argv);
	if (!row->argv || (entry->name && !row->name))
		return -ENOMEM;
	if (!row->here)
		return 0;
	row->stopped = entry->process.state == 'T' || entry->process.state == 't';
	row->has_numbers = !listing->brief && rv_board_read(entry->supervisor, entry->board,
						      entry->domain, &row->board) == 0;
	return 0;
}

/* -------------------------------------------------------------------------- nesting */

static const struct rv_row *supervisor_row(
	const struct rv_listing *listing, const struct rv_process_id *id, unsigned int *ret_count)
{
	const struct rv_row *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < listing->count; i++)
		if (listing->rows[i].here &&
			rv_process_id_same(&listing->rows[i].entry.certificate.supervisor, id)) {
			found = &listing->rows[i];
			++*ret_count;
		}
	return found;
}

static const struct rv_row *program_row(
	const struct rv_listing *listing, const struct rv_process_id *id)
{
	for (size_t i = 0; i < listing->count; i++)
		if (listing->rows[i].here &&
			rv_process_id_same(&listing->rows[i].entry.certificate.program, id))
			return &listing->rows[i];
	return NULL;
}

/* A child of a supervisor may be its own, or have lost its parent in the domain: then it has what
 * all have there, no_new_privs and a filter (in a container the supervisor may have them, too). */
static bool is_confined(pid_t pid, pid_t supervisor)
{
	struct rv_task_facts facts, own;

	return rv_task_facts_of(pid, &facts) == 0 && facts.no_new_privs && facts.seccomp &&
	       rv_task_facts_of(supervisor, &own) == 0 &&
	       (facts.filters > own.filters || (!facts.filters && !own.seccomp));
}

bool rv_row_has_orphan(const struct rv_row *row, pid_t child)
{
	return child != row->entry.connector && is_confined(child, row->entry.supervisor);
}

const struct rv_row *rv_row_of(
	const struct rv_listing *listing, const struct rv_process_id *id, pid_t child)
{
	const struct rv_row *row = program_row(listing, id);
	unsigned int count;

	if (row)
		return row;
	row = supervisor_row(listing, id, &count);
	/* Of several domains of one supervisor it cannot be told which. */
	return row && count == 1 && rv_row_has_orphan(row, child) ? row : NULL;
}

/* Most supervisors have most ancestors in common. */
struct parents {
	struct known {
		pid_t pid, parent;
		uint64_t start;
	} * at;
	size_t count;
};

static struct known look_up(struct parents *parents, pid_t pid)
{
	struct rv_process process = {0};
	struct known *at, known;

	for (size_t i = 0; i < parents->count; i++)
		if (parents->at[i].pid == pid)
			return parents->at[i];
	if (rv_process_read(pid, &process) < 0)
		return (struct known){0};
	known = (struct known){pid, process.parent, process.start};
	at = reallocarray(parents->at, parents->count + 1, sizeof(*at));
	if (at) {
		parents->at = at;
		at[parents->count++] = known;
	}
	return known;
}

static void find_parent(struct rv_listing *listing, struct parents *parents, struct rv_row *row)
{
	pid_t child = row->entry.supervisor, pid = row->entry.process.parent;

	for (int depth = 0; pid > 1 && depth < RV_LINEAGE_MAX; depth++) {
		const struct known known = look_up(parents, pid);
		const struct rv_process_id id = {pid, known.start};
		const struct rv_row *above = rv_row_of(listing, &id, child);

		if (above && above != row) {
			row->parent = above->entry.domain;
			return;
		}
		child = pid;
		pid = known.parent;
	}
}

/* ----------------------------------------------------------------------- the listing */

int rv_listing_new(bool brief, struct rv_listing *ret, struct reeve_error *err)
{
	rv_autoregistry registry = {.fd = -1};
	struct rv_listing listing = {.brief = brief};
	struct parents parents = {0};
	int r = rv_registry_open(false, &registry, err);

	if (r < 0)
		return r;
	r = rv_registry_each(&registry, add_row, &listing);
	if (r < 0) {
		rv_listing_release(&listing);
		return rv_error(err, r, "%s: %s", rv_q(registry.path), strerror(-r));
	}
	for (size_t i = 0; !brief && i < listing.count; i++)
		find_parent(&listing, &parents, &listing.rows[i]);
	free(parents.at);
	*ret = listing;
	return 0;
}

static void free_texts(struct rv_row *row)
{
	free(row->name);
	free(row->argv);
}

void rv_listing_release(struct rv_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free_texts(&listing->rows[i]);
	free(listing->rows);
	*listing = (struct rv_listing){0};
}

static int show(const struct rv_row *row,
	int (*fn)(void *data, const struct reeve_control_entry *entry), void *data)
{
	const struct rv_entry *entry = &row->entry;
	const struct rv_numbers *numbers = &row->board.numbers;
	struct reeve_control_entry shown = {.domain = entry->domain,
		.name = entry->name,
		.supervisor = entry->supervisor,
		.pid = entry->program,
		.since = entry->since,
		.argv = entry->argv,
		.parent = row->parent,
		.stopped = row->stopped,
		.static_rules = entry->rules,
		.has_numbers = row->has_numbers,
		.live_rules = numbers->rules,
		.questions = numbers->questions,
		.denied = numbers->denied,
		.guarded = numbers->guarded,
		.commits = numbers->commits};

	return fn(data, &shown);
}

int rv_listing_show(const struct rv_listing *listing,
	int (*fn)(void *data, const struct reeve_control_entry *entry), void *data)
{
	int r = 0;

	for (size_t i = 0; i < listing->count && r == 0; i++)
		r = show(&listing->rows[i], fn, data);
	return r;
}

static int list(bool brief, int (*fn)(void *data, const struct reeve_control_entry *entry),
	void *data, struct reeve_error *err)
{
	struct rv_listing listing;
	int r = rv_listing_new(brief, &listing, err);

	if (r < 0)
		return r;
	r = rv_listing_show(&listing, fn, data);
	rv_listing_release(&listing);
	return r;
}

int reeve_control_list(int (*fn)(void *data, const struct reeve_control_entry *entry), void *data,
	struct reeve_error *err)
{
	return list(false, fn, data, err);
}

int reeve_control_names(int (*fn)(void *data, const struct reeve_control_entry *entry), void *data,
	struct reeve_error *err)
{
	return list(true, fn, data, err);
}
