/* SPDX-License-Identifier: MIT */
/* `reeve ps`: the domains that run. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"
#include "verbs.h"

enum { ID, NAME, PID, AGE, RULES, DENIALS, COMMAND, COLUMNS };

static const char *const headings[COLUMNS] = {
	"ID", "NAME", "PID", "AGE", "RULES", "DENIALS", "COMMAND"};

struct row {
	char *cells[COLUMNS]; /* escaped */
};

struct listing {
	json_t *domains; /* what each answered, or what its entry says */
	struct reeve_error refused;
};

/* ------------------------------------------------------------------------- collecting */

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
	return domain;
}

/* Adds what only the domain itself knows. One that is stopped is listed without. */
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
	int r = ask(domain, &listing->refused);

	if (r == 0)
		json_array_append(listing->domains, domain);
	json_decref(domain);
	/* Ended meanwhile: not worth a word. */
	return r == -ENOENT || r == -EPIPE ? 0 : r;
}

/* --------------------------------------------------------------------------- printing */

static char *copy(const char *text)
{
	char *copied = strdup(text);

	return copied ? copied : cli_escape("?");
}

static char *number(const json_t *value)
{
	char text[24];

	if (!value)
		return copy("-");
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return copy(text);
}

static void fill_row(const json_t *domain, struct row *row)
{
	const json_t *counters = json_object_get(domain, "counters");
	uint64_t since = (uint64_t)json_integer_value(json_object_get(domain, "since"));
	char span[32];

	row->cells[ID] = cli_control_text(domain, "domain");
	row->cells[NAME] = cli_control_text(domain, "name");
	if (!*row->cells[NAME]) {
		cli_escape_free(row->cells[NAME]);
		row->cells[NAME] = copy("-");
	}
	row->cells[PID] = number(json_object_get(domain, "pid"));
	row->cells[AGE] = copy(cli_control_span(cli_control_age(since), span));
	row->cells[RULES] = number(json_object_get(domain, "rules"));
	row->cells[DENIALS] = number(json_object_get(counters, "denied"));
	row->cells[COMMAND] = cli_control_command(json_object_get(domain, "argv"));
}

static void print_cells(const char *const *cells, const unsigned int *widths)
{
	for (int i = 0; i < COLUMNS; i++)
		printf("%s%*s", cells[i],
			i == COMMAND ? 0 : (int)(widths[i] + 2 - cli_columns(cells[i])), "");
	putchar('\n');
}

static void print_table(const json_t *domains)
{
	size_t count = json_array_size(domains);
	struct row *rows = calloc(count + 1, sizeof(*rows));
	unsigned int widths[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		widths[i] = cli_columns(headings[i]);
	for (size_t r = 0; rows && r < count; r++) {
		fill_row(json_array_get(domains, r), &rows[r]);
		for (int i = 0; i < COLUMNS; i++)
			if (cli_columns(rows[r].cells[i]) > widths[i])
				widths[i] = cli_columns(rows[r].cells[i]);
	}
	print_cells(headings, widths);
	for (size_t r = 0; rows && r < count; r++) {
		print_cells((const char *const *)rows[r].cells, widths);
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
	bool json;
};

static int run_ps(void *data, const struct cli_operands *operands)
{
	const struct ps_options *ps = data;
	struct listing listing = {.domains = json_array()};
	int r;

	if (operands->count > 0) {
		json_decref(listing.domains);
		return cli_fail("`reeve inspect ID` shows one domain", "ps: takes no operands");
	}
	r = reeve_control_list(add, &listing, &listing.refused);
	if (r < 0)
		cli_print_error(&listing.refused);
	else if (ps->json)
		print_json(listing.domains);
	else
		print_table(listing.domains);
	json_decref(listing.domains);
	return r < 0 ? CLI_ERROR : CLI_OK;
}

static const struct cli_option options[] = {
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct ps_options, json)},
	{0},
};

const struct cli_verb cli_verb_ps = {
	.name = "ps",
	.synopsis = "",
	.summary = "List the domains that run",
	.text = "PID is the program's. RULES counts live rules. A dash: the domain does not\n"
		"answer, because its supervisor is stopped.\n",
	.options = options,
	.size = sizeof(struct ps_options),
	.run = run_ps,
};
