/* SPDX-License-Identifier: MIT */
/* `reeve ps`: the domains that run. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "host.h"
#include "ps.h"
#include "verbs.h"

enum { ID, NAME, PID, AGE, RULES, DENIALS, COMMAND, COLUMNS };

static const char *const headings[COLUMNS] = {
	"ID", "NAME", "PID", "AGE", "RULES", "DENIALS", "COMMAND"};

struct row {
	char *cells[COLUMNS]; /* escaped */
};

struct listing {
	json_t *domains; /* what each answered, or what its entry says */
	struct cli_ps_processes processes;
	struct reeve_error refused;
};

/* ------------------------------------------------------------------------- collecting */

static void add_numbers(json_t *domain, const struct reeve_control_entry *entry)
{
	json_object_set_new(domain, "rules", json_integer((json_int_t)entry->live_rules));
	json_object_set_new(domain, "questions", json_integer((json_int_t)entry->questions));
	json_object_set_new(domain, "counters",
		json_pack("{s:I, s:I, s:I}", "denied", (json_int_t)entry->denied, "guarded",
			(json_int_t)entry->guarded, "commits", (json_int_t)entry->commits));
}

static json_t *from_entry(const struct reeve_control_entry *entry)
{
	json_t *domain = cli_json_new("domain");
	char id[17];

	snprintf(id, sizeof(id), "%" PRIx64, entry->domain);
	cli_json_text(domain, "domain", id);
	cli_json_text(domain, "name", entry->name);
	json_object_set_new(domain, "supervisor", json_integer(entry->supervisor));
	json_object_set_new(domain, "pid", json_integer(entry->pid));
	json_object_set_new(domain, "since", json_integer((json_int_t)entry->since));
	json_object_set_new(domain, "argv", json_loads(entry->argv, 0, NULL));
	json_object_set_new(domain, "stopped", json_boolean(entry->stopped));
	json_object_set_new(domain, "staticRules", json_integer((json_int_t)entry->static_rules));
	snprintf(id, sizeof(id), "%" PRIx64, entry->parent);
	cli_json_text(domain, "parent", entry->parent ? id : NULL);
	if (entry->has_numbers)
		add_numbers(domain, entry);
	return domain;
}

/* One whose numbers cannot be seen is asked for them. If it is stopped, it is listed without. */
static int ask(json_t *domain, struct reeve_error *err)
{
	const char *id = json_string_value(json_object_get(domain, "domain"));
	cli_autofree char *text = NULL;
	struct reeve_control *control;
	json_t *answer;
	int r = reeve_control_open(id, &control, err);

	if (r < 0)
		return r == -EBUSY || r == -ETIMEDOUT || r == -EAGAIN ? 0 : r;
	r = reeve_control_call(control, "{\"request\":\"status\"}", &text, err);
	reeve_control_close(control);
	if (r < 0)
		return r;
	answer = json_loads(text, 0, NULL);
	json_object_del(answer, "ok");
	json_object_update_missing(domain, answer);
	json_decref(answer);
	return 0;
}

static int add(void *data, const struct reeve_control_entry *entry)
{
	struct listing *listing = data;
	json_t *domain = from_entry(entry);
	int r = entry->has_numbers || entry->stopped ? 0 : ask(domain, &listing->refused);

	if (r == 0)
		json_array_append(listing->domains, domain);
	json_decref(domain);
	/* Ended meanwhile: not worth a word. */
	return r == -ENOENT || r == -EPIPE ? 0 : r;
}

/* --------------------------------------------------------------------------- printing */

char *cli_copy(const char *text)
{
	char *copied = strdup(text);

	return copied ? copied : cli_escape("?");
}

char *cli_number(const json_t *value)
{
	char text[24];

	if (!value)
		return cli_copy("-");
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return cli_copy(text);
}

char *cli_ps_name(const json_t *domain)
{
	char *name = cli_control_text(domain, "name");

	if (*name)
		return name;
	cli_escape_free(name);
	return cli_copy("-");
}

static void fill_row(const json_t *domain, struct row *row)
{
	const json_t *counters = json_object_get(domain, "counters");
	uint64_t since = (uint64_t)json_integer_value(json_object_get(domain, "since"));
	char span[32];

	row->cells[ID] = cli_control_text(domain, "domain");
	row->cells[NAME] = cli_ps_name(domain);
	row->cells[PID] = cli_number(json_object_get(domain, "pid"));
	row->cells[AGE] = cli_copy(cli_control_span(cli_control_age(since), span));
	row->cells[RULES] = cli_number(json_object_get(domain, "rules"));
	row->cells[DENIALS] = cli_number(json_object_get(counters, "denied"));
	row->cells[COMMAND] = cli_control_command(json_object_get(domain, "argv"));
}

void cli_ps_widen(unsigned int *widths, const char *const *cells, int columns)
{
	for (int i = 0; i < columns; i++)
		if (cli_columns(cells[i]) > widths[i])
			widths[i] = cli_columns(cells[i]);
}

void cli_ps_cells(const char *const *cells, const unsigned int *widths, int columns)
{
	for (int i = 0; i < columns - 1; i++)
		printf("%s%*s", cells[i], (int)(widths[i] + 2 - cli_columns(cells[i])), "");
	puts(cells[columns - 1]);
}

static void print_table(const json_t *domains)
{
	size_t count = json_array_size(domains);
	struct row *rows = calloc(count + 1, sizeof(*rows));
	unsigned int widths[COLUMNS] = {0}, taken = 0, room;

	cli_ps_widen(widths, headings, COLUMNS);
	for (size_t r = 0; rows && r < count; r++) {
		fill_row(json_array_get(domains, r), &rows[r]);
		cli_ps_widen(widths, (const char *const *)rows[r].cells, COLUMNS);
	}
	for (int i = 0; i < COMMAND; i++)
		taken += widths[i] + 2;
	room = cli_room(taken);
	cli_ps_cells(headings, widths, COLUMNS);
	for (size_t r = 0; rows && r < count; r++) {
		cli_cut(rows[r].cells[COMMAND], room);
		cli_ps_cells((const char *const *)rows[r].cells, widths, COLUMNS);
		for (int i = 0; i < COLUMNS; i++)
			cli_escape_free(rows[r].cells[i]);
	}
	free(rows);
}

static void print_json(const json_t *domains)
{
	for (size_t i = 0; i < json_array_size(domains); i++)
		cli_json_line(json_incref(json_array_get(domains, i)));
}

struct ps_options {
	bool all, json, tree;
};

static int add_process(void *data, const struct reeve_control_process *process)
{
	struct listing *listing = data;

	return cli_ps_add_process(listing->domains, &listing->processes, process);
}

static int collect(struct listing *listing, bool processes)
{
	return processes ? reeve_control_tree(add, add_process, listing, &listing->refused)
			 : reeve_control_list(add, listing, &listing->refused);
}

static void print(const struct listing *listing, const struct ps_options *ps)
{
	if (ps->json && ps->tree)
		cli_ps_name_processes(listing->domains, &listing->processes);
	if (ps->json)
		print_json(listing->domains);
	else if (ps->tree)
		cli_ps_tree(&cli_ps_domains, listing->domains, &listing->processes);
	else
		print_table(listing->domains);
}

static int run_ps(void *data, const struct cli_operands *operands)
{
	const struct ps_options *ps = data;
	struct listing listing = {.domains = json_array()};
	int r;

	if (operands->count > 0) {
		json_decref(listing.domains);
		return cli_fail("`reeve inspect ID` shows one domain", "ps: takes no operands");
	}
	if (ps->all) {
		json_decref(listing.domains);
		return cli_ps_all(ps->json, ps->tree);
	}
	r = collect(&listing, ps->tree);
	if (r < 0)
		cli_print_error(&listing.refused);
	else
		print(&listing, ps);
	cli_ps_release(&listing.processes);
	json_decref(listing.domains);
	return r < 0 ? CLI_ERROR : CLI_OK;
}

static const struct cli_option options[] = {
	{"--all", 0, NULL,
		"list every Landlock domain on the host, whoever made it, by the kernel's ids; "
		"needs root, or `reeve observe pin`",
		CLI_NOTHING, CLI_FLAG, offsetof(struct ps_options, all)},
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct ps_options, json)},
	{"--tree", 0, NULL, "also the processes of each, and domains below those that they are in",
		CLI_NOTHING, CLI_FLAG, offsetof(struct ps_options, tree)},
	{0},
};

const struct cli_verb cli_verb_ps = {
	.name = "ps",
	.synopsis = "",
	.summary = "List the domains that run",
	.text = "PID is the program's. RULES counts live rules. A dash: it cannot be told, as the\n"
		"domain is in another pid namespace, and its supervisor is stopped.\n"
		"\n"
		"Listed are the supervised domains of the user who asks. Static runs have no\n"
		"supervisor, and nobody but the kernel knows of them: --all, also with --tree.\n",
	.options = options,
	.size = sizeof(struct ps_options),
	.run = run_ps,
};
