/* SPDX-License-Identifier: MIT */
/* `reeve ps --tree`: domains below those that they are in, and processes below their parents. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "ps.h"

/* ----------------------------------------------------------------------- collecting */

#define NONE SIZE_MAX

/* Its number; NONE: not listed. */
static size_t number_of(const json_t *domains, const char *id)
{
	const json_t *domain;
	size_t i;

	json_array_foreach((json_t *)domains, i, domain)
	{
		const char *other = json_string_value(json_object_get(domain, "domain"));

		if (id && other && strcmp(id, other) == 0)
			return i;
	}
	return NONE;
}

static int learn_ids(const json_t *domains, struct cli_ps_processes *processes)
{
	const json_t *domain;
	size_t i;

	processes->ids = calloc(json_array_size(domains) + 1, sizeof(*processes->ids));
	if (!processes->ids)
		return -ENOMEM;
	json_array_foreach((json_t *)domains, i, domain) processes->ids[i] =
		strtoull(json_string_value(json_object_get(domain, "domain")), NULL, 16);
	processes->domains = i;
	return 0;
}

static size_t number_of_id(const struct cli_ps_processes *processes, uint64_t domain)
{
	size_t low = 0, high = processes->domains;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (processes->ids[middle] == domain)
			return middle;
		if (processes->ids[middle] < domain)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

int cli_ps_add_process(const json_t *domains, struct cli_ps_processes *processes,
	const struct reeve_control_process *process)
{
	size_t room = processes->room ? 2 * processes->room : 256;
	struct cli_ps_process *at = processes->at;
	size_t domain;

	if (!processes->ids && learn_ids(domains, processes) < 0)
		return -ENOMEM;
	domain = number_of_id(processes, process->domain);
	if (domain == NONE) /* which ended meanwhile */
		return 0;
	if (processes->count == processes->room) {
		at = reallocarray(at, room, sizeof(*at));
		if (!at)
			return -ENOMEM;
		processes->at = at;
		processes->room = room;
	}
	at += processes->count++;
	*at = (struct cli_ps_process){domain, process->pid, process->parent, process->state, ""};
	snprintf(at->comm, sizeof(at->comm), "%s", process->comm);
	return 0;
}

void cli_ps_release(struct cli_ps_processes *processes)
{
	free(processes->at);
	free(processes->ids);
	*processes = (struct cli_ps_processes){0};
}

void cli_ps_name_processes(json_t *domains, const struct cli_ps_processes *processes)
{
	json_t *domain;
	size_t i;

	json_array_foreach(domains, i, domain)
		json_object_set_new(domain, "processes", json_array());
	for (i = 0; i < processes->count; i++) {
		const struct cli_ps_process *process = &processes->at[i];
		json_t *object = json_pack("{s:i, s:i, s:s%}", "pid", (int)process->pid, "parent",
			(int)process->parent, "state", &process->state, (size_t)1);

		cli_json_text(object, "comm", process->comm);
		json_array_append_new(
			json_object_get(json_array_get(domains, process->domain), "processes"),
			object);
	}
}

/* --------------------------------------------------------------------------- the tree */

/* A domain, or a process of one. */
struct node {
	const json_t *domain;
	const struct cli_ps_process *process; /* one of them is NULL */
	size_t parent, first, last, next;
	unsigned int depth;
};

/* First the processes, in ascending order of pids, then the domains. */
struct tree {
	struct node *at;
	size_t count, processes;
	const struct cli_ps_look *look;
	unsigned int room; /* columns of the terminal */
	char **cells;	   /* CLI_PS_COLUMNS of each domain */
};

static void hang(struct tree *tree, size_t parent, size_t child)
{
	struct node *above = &tree->at[parent];

	tree->at[child].parent = parent;
	if (above->first == NONE)
		above->first = child;
	else
		tree->at[above->last].next = child;
	above->last = child;
}

static void add_node(struct tree *tree, const json_t *domain, const struct cli_ps_process *process)
{
	tree->at[tree->count++] = (struct node){domain, process, NONE, NONE, NONE, NONE, 0};
}

static size_t process_of(const struct tree *tree, pid_t pid)
{
	size_t from = 0, to = tree->processes;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		pid_t here = tree->at[middle].process->pid;

		if (here == pid)
			return middle;
		if (here < pid)
			from = middle + 1;
		else
			to = middle;
	}
	return NONE;
}

/* Those without a parent in the domain are below the domain itself. (Should reused pids make a
 * loop, nothing leads to it from the top.) */
static void hang_process(struct tree *tree, size_t node)
{
	const struct cli_ps_process *process = tree->at[node].process;
	size_t above = process_of(tree, process->parent);

	if (above == NONE || above == node || tree->at[above].process->domain != process->domain)
		above = tree->processes + process->domain;
	hang(tree, above, node);
}

/* Nested domains come after the processes of the one that they are in. */
static void nest(struct tree *tree, const json_t *domains)
{
	for (size_t i = tree->processes; i < tree->count; i++) {
		const char *parent =
			json_string_value(json_object_get(tree->at[i].domain, "parent"));
		size_t above = parent ? number_of(domains, parent) : NONE;

		if (above != NONE && tree->processes + above != i)
			hang(tree, tree->processes + above, i);
	}
}

static void release_tree(struct tree *tree, size_t domains)
{
	for (size_t i = 0; i < domains * CLI_PS_COLUMNS; i++)
		cli_escape_free(tree->cells[i]);
	free(tree->cells);
	free(tree->at);
}

static bool make_tree(
	const json_t *domains, const struct cli_ps_processes *processes, struct tree *tree)
{
	json_t *domain;
	size_t i;

	*tree = (struct tree){.processes = processes->count, .room = cli_room(0)};
	tree->at = calloc(processes->count + json_array_size(domains) + 1, sizeof(*tree->at));
	tree->cells = calloc(json_array_size(domains) + 1, CLI_PS_COLUMNS * sizeof(*tree->cells));
	if (!tree->at || !tree->cells) {
		release_tree(tree, 0);
		return false;
	}
	for (i = 0; i < processes->count; i++)
		add_node(tree, NULL, &processes->at[i]);
	json_array_foreach((json_t *)domains, i, domain) add_node(tree, domain, NULL);
	for (i = 0; i < tree->processes; i++)
		hang_process(tree, i);
	nest(tree, domains);
	return true;
}

/* The next one from top to bottom, below `root`; NONE: that was all. */
static size_t following(struct tree *tree, size_t node)
{
	if (tree->at[node].first != NONE) {
		tree->at[tree->at[node].first].depth = tree->at[node].depth + 1;
		return tree->at[node].first;
	}
	while (node != NONE && tree->at[node].parent != NONE && tree->at[node].next == NONE)
		node = tree->at[node].parent;
	if (node == NONE || tree->at[node].parent == NONE)
		return NONE;
	tree->at[tree->at[node].next].depth = tree->at[node].depth;
	return tree->at[node].next;
}

/* --------------------------------------------------------------------------- printing */

#define DEEPEST 24 /* what is further down is not moved further to the right */

#define BRANCH (3 * DEEPEST + 1)

/* "|  |- " for a node two levels down. */
static const char *branch(const struct tree *tree, size_t node, char text[BRANCH])
{
	unsigned int depth = tree->at[node].depth < DEEPEST ? tree->at[node].depth : DEEPEST;

	text[3 * depth] = '\0';
	for (unsigned int level = depth; level-- > 0; node = tree->at[node].parent) {
		bool is_last = tree->at[node].next == NONE;

		if (level + 1 == depth)
			memcpy(text + (size_t)3 * level, is_last ? "`- " : "|- ", 3);
		else
			memcpy(text + (size_t)3 * level, is_last ? "   " : "|  ", 3);
	}
	return text;
}

static char *join(const char *before, const char *text)
{
	char *joined;

	return asprintf(&joined, "%s%s", before, text) < 0 ? cli_copy("?") : joined;
}

/* With what leads to it before its id. */
static void fill_cells(const struct tree *tree, size_t node, char **cells)
{
	char before[BRANCH], *id;

	tree->look->fill(tree->at[node].domain, cells);
	id = cells[0];
	cells[0] = join(branch(tree, node, before), id);
	cli_escape_free(id);
}

static char **cells_of(const struct tree *tree, size_t node)
{
	return tree->cells + (node - tree->processes) * CLI_PS_COLUMNS;
}

static void print_domain(const struct tree *tree, size_t node, const unsigned int *widths)
{
	int last = tree->look->columns - 1;
	char **cells = cells_of(tree, node);
	unsigned int taken = 0;

	for (int i = 0; i < last; i++)
		taken += widths[i] + 2;
	cli_cut(cells[last], tree->room > taken ? tree->room - taken : 0);
	cli_ps_cells((const char *const *)cells, widths, tree->look->columns);
}

static const char *state_of(const struct cli_ps_process *process)
{
	if (process->state == 'T')
		return "  (stopped)";
	return process->state == 'Z' ? "  (ended)" : "";
}

static void print_process(const struct tree *tree, size_t node)
{
	const struct cli_ps_process *process = tree->at[node].process;
	cli_autoescape char *comm = cli_escape(process->comm);
	char before[BRANCH], line[BRANCH + 4 * sizeof(process->comm) + 32];

	snprintf(line, sizeof(line), "%s%d %s%s", branch(tree, node, before), (int)process->pid,
		comm, state_of(process));
	cli_cut(line, tree->room);
	puts(line);
}

static void measure(struct tree *tree, unsigned int *widths)
{
	cli_ps_widen(widths, tree->look->headings, tree->look->columns);
	for (size_t root = tree->processes; root < tree->count; root++) {
		if (tree->at[root].parent != NONE)
			continue;
		for (size_t node = root; node != NONE; node = following(tree, node)) {
			char **cells = cells_of(tree, node);

			if (!tree->at[node].domain)
				continue;
			fill_cells(tree, node, cells);
			cli_ps_widen(widths, (const char *const *)cells, tree->look->columns);
		}
	}
}

void cli_ps_tree(const struct cli_ps_look *look, const json_t *domains,
	const struct cli_ps_processes *processes)
{
	unsigned int widths[CLI_PS_COLUMNS] = {0};
	struct tree tree;

	if (!make_tree(domains, processes, &tree)) {
		cli_fail(NULL, "out of memory");
		return;
	}
	tree.look = look;
	measure(&tree, widths);
	cli_ps_cells(look->headings, widths, look->columns);
	for (size_t root = tree.processes; root < tree.count; root++) {
		if (tree.at[root].parent != NONE)
			continue;
		for (size_t node = root; node != NONE; node = following(&tree, node)) {
			if (tree.at[node].domain)
				print_domain(&tree, node, widths);
			else
				print_process(&tree, node);
		}
	}
	release_tree(&tree, json_array_size(domains));
}

/* ---------------------------------------------------------------------- reeve's domains */

enum { ID, NAME, AGE, RULES, LIVE, DENIALS, ASKING, COMMAND, COLUMNS };

static const char *const headings[COLUMNS] = {
	"ID", "NAME", "AGE", "RULES", "LIVE", "DENIALS", "ASKING", "COMMAND"};

static void fill_domain(const json_t *domain, char **cells)
{
	const json_t *counters = json_object_get(domain, "counters");
	uint64_t since = (uint64_t)json_integer_value(json_object_get(domain, "since"));
	char span[32];

	cells[ID] = cli_control_text(domain, "domain");
	cells[NAME] = cli_ps_name(domain);
	cells[AGE] = cli_copy(cli_control_span(cli_control_age(since), span));
	cells[RULES] = cli_number(json_object_get(domain, "staticRules"));
	cells[LIVE] = cli_number(json_object_get(domain, "rules"));
	cells[DENIALS] = cli_number(json_object_get(counters, "denied"));
	cells[ASKING] = cli_number(json_object_get(domain, "questions"));
	cells[COMMAND] = cli_control_command(json_object_get(domain, "argv"));
}

const struct cli_ps_look cli_ps_domains = {headings, COLUMNS, fill_domain};
