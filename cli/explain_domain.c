/* SPDX-License-Identifier: MIT */
/* `reeve explain` of a running domain, which says itself what its policy and live rules are, and of
 * what was denied in one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"
#include "explain.h"
#include "remedy.h"

#define LAYERS_MAX REEVE_LAYERS_MAX

/* What a process is in: static runs, and in them domains that have a supervisor. */
struct layers {
	struct cli_layers outer;     /* outermost first */
	json_t *answers[LAYERS_MAX]; /* innermost first */
	size_t count;
	bool confined; /* the outermost supervisor is: by the outer ones, or others' */
};

/* ------------------------------------------------------------------- a running domain */

/* One domain's answer to "inspect". */
struct layer {
	json_t *answer;
	uint64_t parent;
};

static int ask(const char *id, json_t **ret)
{
	char *items[] = {(char *)id, NULL};
	const struct cli_operands operands = {id ? 1 : 0, items + (id ? 0 : 1)};

	return cli_control_ask("explain", &operands, json_pack("{s:s}", "request", "inspect"), ret);
}

struct parent_search {
	uint64_t domain, parent;
	pid_t supervisor, program;
};

static int on_entry(void *data, const struct reeve_control_entry *entry)
{
	struct parent_search *search = data;

	if (entry->domain != search->domain)
		return 0;
	search->parent = entry->parent;
	search->supervisor = entry->supervisor;
	search->program = entry->pid;
	return 1;
}

static uint64_t domain_of(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "domain"));

	return text ? strtoull(text, NULL, 16) : 0;
}

/* The domain that this one's supervisor runs in, which has to allow it, too. */
static struct parent_search parent_of(const json_t *answer)
{
	struct parent_search search = {.domain = domain_of(answer)};
	struct reeve_error err = {0};

	reeve_control_list(on_entry, &search, &err);
	return search;
}

/* As every sandbox needs it: of a static run, or of another tool. */
static bool is_confined(pid_t pid)
{
	char name[64], line[128];
	unsigned int set = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	file = fopen(name, "re");
	while (file && !set && fgets(line, sizeof(line), file))
		sscanf(line, "NoNewPrivs: %u", &set);
	if (file)
		fclose(file);
	return set;
}

/* A supervisor's environment may be closed to us; its program began with the same. */
static void find_outer(struct layers *layers, const struct parent_search *search)
{
	layers->confined = search->supervisor > 0 && is_confined(search->supervisor);
	if (layers->confined)
		cli_layers_read(search->supervisor, &layers->outer);
	if (layers->confined && !layers->outer.count)
		cli_layers_read(search->program, &layers->outer);
}

/* 0, or an exit code after saying why. */
static int ask_all(const char *id, struct layers *layers)
{
	char name[32];
	struct parent_search search = {0};
	int code = 0;

	while (layers->count < LAYERS_MAX) {
		code = ask(id, &layers->answers[layers->count]);
		if (code)
			return code;
		search = parent_of(layers->answers[layers->count++]);
		if (!search.parent)
			break;
		snprintf(name, sizeof(name), "%" PRIx64, search.parent);
		id = name;
	}
	find_outer(layers, &search);
	return 0;
}

/* A pid that no supervisor has, of a process in static runs alone. */
static bool is_static(const char *id, struct cli_layers *ret)
{
	struct reeve_control *control = NULL;
	struct reeve_error err = {0};
	pid_t pid = 0;

	if (id && id[0] && id[strspn(id, "0123456789")] == '\0')
		pid = (pid_t)strtoul(id, NULL, 10);
	if (pid <= 0 || !is_confined(pid) || reeve_control_open(id, &control, &err) == 0) {
		reeve_control_close(control);
		return false;
	}
	cli_layers_read(pid, ret);
	return ret->count > 0;
}

/* 0, or an exit code after saying why. */
static int find_layers(const char *id, struct layers *layers)
{
	return is_static(id, &layers->outer) ? 0 : ask_all(id, layers);
}

static void layers_release(struct layers *layers)
{
	cli_layers_release(&layers->outer);
	for (size_t i = 0; i < layers->count; i++)
		json_decref(layers->answers[i]);
}

static int load_text(struct reeve_policy *policy, const char *text)
{
	struct reeve_resolve_options resolve = {.size = sizeof(resolve), .keep_missing = true};
	struct reeve_error err = {0};
	int r = reeve_policy_load_text(
		policy, "domain", text, strlen(text), REEVE_POLICY_TOML, &err);

	if (r == 0)
		r = reeve_policy_resolve(policy, &resolve, &err);
	if (r == 0)
		return 0;
	cli_print_error(&err);
	return CLI_ERROR;
}

/* What one domain says. Origins are the comments in the text that it sent. */
static int explain_one(
	const json_t *answer, const struct cli_access *access, int count, char *const *items)
{
	const char *text = json_string_value(json_object_get(answer, "policy"));
	struct cli_inquiry inquiry = {.access = *access, .object = "", .text = text};
	cli_autopolicy *policy = NULL;
	int code;

	if (!text)
		return cli_fail(NULL, "explain: the domain does not tell its policy");
	if (reeve_policy_new(&policy) < 0)
		return cli_fail(NULL, "out of memory");
	code = load_text(policy, text);
	if (code)
		return code;
	inquiry.ruleset = reeve_policy_ruleset(policy);
	reeve_ruleset_handled(inquiry.ruleset, &inquiry.handled);
	return cli_explain_answer(&inquiry, count, items);
}

static void print_number(const struct layers *layers, size_t layer)
{
	if (layers->count + layers->outer.count > 1)
		printf("layer %zu, ", layer);
}

static void print_heading(const json_t *answer)
{
	cli_autoescape char *domain = cli_control_text(answer, "domain");
	cli_autoescape char *name = cli_control_text(answer, "name");

	printf("domain %s%s%s%s\n", domain, *name ? " (" : "", name, *name ? ")" : "");
}

static void print_static_heading(const struct cli_layer *layer)
{
	cli_autoescape char *cwd = cli_escape(layer->cwd);

	printf("a static run, started in %s\n", cwd);
}

static void print_limits(const struct layers *layers)
{
	if (layers->outer.count)
		puts("Static runs leave nobody to ask: the environment of the process tells how "
		     "they "
		     "were started. Sandboxes of other tools are not seen.");
	else if (layers->confined)
		puts("The supervisor runs in a sandbox itself (a static run, or another tool's): "
		     "that "
		     "may deny more, and cannot be asked.");
}

/* The worst answer of all: an error, a denial, or none. Outermost first, as the kernel counts. */
static int explain_all(
	const struct layers *layers, const struct cli_access *access, int count, char *const *items)
{
	size_t number = 0;
	int worst = CLI_OK, verdict;

	for (size_t i = 0; i < layers->outer.count; i++) {
		print_number(layers, ++number);
		print_static_heading(&layers->outer.at[i]);
		fflush(stdout);
		verdict = cli_explain_layer(&layers->outer.at[i], access, count, items);
		worst = verdict > worst ? verdict : worst;
	}
	for (size_t i = layers->count; i-- > 0;) {
		print_number(layers, ++number);
		print_heading(layers->answers[i]);
		verdict = explain_one(layers->answers[i], access, count, items);
		worst = verdict > worst ? verdict : worst;
	}
	return worst;
}

int cli_explain_domain(const char *id, int count, char *const *items)
{
	struct layers layers = {0};
	struct cli_access access;
	int code = cli_explain_parse_access(items[0], &access);

	if (code == 0)
		code = find_layers(id, &layers);
	if (code == 0) {
		code = explain_all(&layers, &access, count, items);
		print_limits(&layers);
	}
	layers_release(&layers);
	return code;
}

/* ------------------------------------------------------------------ what was denied */

static const char *text_in(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Of the names in the event, the class and the bits. */
static void rights_of(const json_t *event, struct reeve_event *ret)
{
	const json_t *names = json_object_get(event, "missing"), *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_string_value(name);
		const struct reeve_right_info *right =
			text ? reeve_right_find(REEVE_CLASS_COUNT, text) : NULL;

		if (!right)
			continue;
		ret->cls = right->cls;
		ret->missing |= right->bit;
	}
	ret->asked = ret->missing;
}

/* Borrows the strings. */
static struct reeve_event event_of(const json_t *event)
{
	const char *kind = text_in(event, "event"), *comm = text_in(event, "comm");
	struct reeve_event made = {.size = sizeof(made),
		.kind = kind && strcmp(kind, "guard") == 0 ? REEVE_EVENT_GUARD : REEVE_EVENT_DENIED,
		.call = text_in(event, "call"),
		.object = text_in(event, "object"),
		.object2 = text_in(event, "object2"),
		.by = text_in(event, "by"),
		.pid = (pid_t)json_integer_value(json_object_get(event, "pid"))};

	snprintf(made.comm, sizeof(made.comm), "%s", comm ? comm : "?");
	rights_of(event, &made);
	return made;
}

/* "rule" and "floor" are how it was found; a guard, and an exception, are what did it. */
static void print_cause(const struct reeve_event *event)
{
	const char *denial = cli_remedy_denial(event);
	cli_autoescape char *object = cli_escape(event->object), *by = cli_escape(event->by);

	if (event->kind == REEVE_EVENT_GUARD)
		printf("  refused by %s, whatever the policy says\n", *by ? by : "a guard");
	else if (denial)
		cli_remedy_print_denial(object, denial);
	else
		puts("  no rule grants it");
}

static void explain_event(const struct reeve_event *event, json_int_t count)
{
	cli_autofree char *path = NULL;
	char flag[CLI_REMEDY_SIZE];
	struct reeve_rule rule;
	bool has_rule;

	if (event->missing)
		printf("  missing: %s\n", cli_explain_names(event->cls, event->missing));
	print_cause(event);
	if (count > 1)
		printf("  %" JSON_INTEGER_FORMAT " times\n", count);
	if (event->kind == REEVE_EVENT_GUARD || cli_remedy_denial(event))
		return;
	cli_remedy_flag(event, flag);
	has_rule = cli_remedy_rule(event, &rule, &path);
	cli_remedy_print(flag, has_rule ? &rule : NULL);
}

static void print_denial(const json_t *denial)
{
	const json_t *event = json_object_get(denial, "event");
	const char *text = text_in(denial, "text");
	struct reeve_event made = event_of(event);

	cli_control_print(text ? text : "");
	putchar('\n');
	explain_event(&made, json_integer_value(json_object_get(denial, "count")));
}

int cli_explain_denied(const char *id)
{
	cli_autofree char *text = NULL;
	struct reeve_error err = {0};
	json_t *answer, *denial;
	size_t i;

	if (reeve_control_denials(id, &text, &err) < 0)
		return cli_control_failed(&err);
	answer = json_loads(text, 0, NULL);
	json_array_foreach(json_object_get(answer, "denials"), i, denial)
	{
		if (i)
			putchar('\n');
		print_denial(denial);
	}
	if (json_array_size(json_object_get(answer, "denials")) == 0)
		puts("Nothing was denied.");
	json_decref(answer);
	return CLI_OK;
}
