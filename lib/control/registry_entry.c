/* SPDX-License-Identifier: MIT */
/* ID.json: what is said of a running domain. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include "control/registry.h"
#include "supervise/domain_id.h"

static void certify(struct rv_entry *entry, const struct rv_certificate *certificate)
{
	entry->certificate = *certificate;
	entry->domain = certificate->domain;
	entry->pidns = certificate->pidns;
	entry->supervisor = certificate->supervisor.pid;
	entry->start = certificate->supervisor.start;
	entry->program = certificate->program.pid;
	entry->connector = certificate->connector.pid;
}

void rv_entry_of_self(const struct rv_certificate *certificate, struct rv_entry *ret)
{
	struct timespec now;
	int is_subreaper = 0;

	*ret = (struct rv_entry){0};
	certify(ret, certificate);
	clock_gettime(CLOCK_REALTIME, &now);
	ret->since = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
	ret->subreaper = is_subreaper;
}

json_t *rv_entry_to_json(const struct rv_entry *entry, const json_t *argv)
{
	char id[RV_DOMAIN_ID_SIZE], text[RV_CERTIFICATE_SIZE];

	return json_pack("{s:i, s:s, s:s?, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:s, s:O?}",
		"version", 1, "domain", rv_domain_id_format(entry->domain, id), "name", entry->name,
		"supervisor", (int)entry->supervisor, "pid", (int)entry->program, "connector",
		(int)entry->connector, "board", entry->board, "staticRules",
		(json_int_t)entry->rules, "start", (json_int_t)entry->start, "pidns",
		(json_int_t)entry->pidns, "since", (json_int_t)entry->since, "subreaper",
		entry->subreaper, "certificate", rv_certificate_format(&entry->certificate, text),
		"argv", argv);
}

/* ------------------------------------------------------------------ as a JSON object */

static int64_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void believe(const char *certificate, struct rv_entry *entry)
{
	struct rv_certificate found;

	if (certificate && rv_certificate_parse(certificate, &found) == 0 &&
		found.domain == entry->domain)
		certify(entry, &found);
}

static int entry_of_json(struct rv_entry_source *source, uint64_t domain, struct rv_entry *ret)
{
	const json_t *object = source->object, *argv = json_object_get(object, "argv");

	source->argv = json_is_array(argv) ? json_dumps(argv, JSON_COMPACT) : strdup("[]");
	if (!source->argv)
		return -ENOMEM;
	*ret = (struct rv_entry){.domain = domain,
		.supervisor = (pid_t)integer(object, "supervisor"),
		.program = (pid_t)integer(object, "pid"),
		.connector = (pid_t)integer(object, "connector"),
		.board = json_object_get(object, "board") ? (int)integer(object, "board") : -1,
		.rules = (uint64_t)integer(object, "staticRules"),
		.start = (uint64_t)integer(object, "start"),
		.pidns = (uint64_t)integer(object, "pidns"),
		.since = (uint64_t)integer(object, "since"),
		.subreaper = json_is_true(json_object_get(object, "subreaper")),
		.name = json_string_value(json_object_get(object, "name")),
		.argv = source->argv};
	believe(json_string_value(json_object_get(object, "certificate")), ret);
	return 0;
}

/* --------------------------------------------------------------------- as plain text */

/*
 * Nearly all entries are plain: one object in one line, without spaces, whose values are numbers,
 * words, ASCII strings without escapes, or arrays of ASCII strings. `reeve ps` has hundreds of them
 * to read, and these it reads where they are, in a tenth of the time. Of the rest jansson makes
 * what it can.
 */
static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* Behind a string; NULL: it is not plain. In arrays an escape is, but for \u. */
static char *skip_string(char *at, bool escapes)
{
	if (*at++ != '"')
		return NULL;
	for (;; at++) {
		if (*at == '"')
			return at + 1;
		if (escapes && *at == '\\' && at[1] && strchr("\"\\/bfnrt", at[1]))
			at++;
		else if (!is_plain(*at))
			return NULL;
	}
}

static char *skip_array(char *at)
{
	if (at[1] == ']')
		return at + 2;
	do {
		at = skip_string(at + 1, true);
		if (!at)
			return NULL;
	} while (*at == ',');
	return *at == ']' ? at + 1 : NULL;
}

/* A number without fraction, true, false, null. */
static char *skip_word(char *at)
{
	size_t digits = strspn(at, "0123456789");

	if (digits)
		return digits < 19 && (digits == 1 || *at != '0') ? at + digits : NULL;
	for (size_t i = 0; i < 3; i++) {
		static const char *const words[] = {"true", "false", "null"};
		size_t length = strlen(words[i]);

		if (strncmp(at, words[i], length) == 0)
			return at + length;
	}
	return *at == '-' && at[1] == '1' ? at + 2 : NULL;
}

struct member {
	const char *key;
	char kind;   /* how the value begins */
	char *value; /* without quotes */
};

/* Takes the next member, and ends its texts. 1; 0: that was the last; -EINVAL: it is not plain. */
static int next_member(char **at, struct member *ret)
{
	char *key = *at, *value = skip_string(key, false), *end;
	bool more;

	if (!value || *value != ':')
		return -EINVAL;
	value[-1] = '\0';
	value++;
	*ret = (struct member){key + 1, *value, value};
	end = *value == '"'   ? skip_string(value, false)
	      : *value == '[' ? skip_array(value)
			      : skip_word(value);
	if (!end || (*end != ',' && strcmp(end, "}") != 0))
		return -EINVAL;
	more = *end == ',';
	*at = end + 1;
	*end = '\0';
	if (ret->kind == '"') {
		end[-1] = '\0';
		ret->value++;
	}
	return more;
}

/* Its digits fit, as skip_word() saw. */
static int64_t number(const struct member *member)
{
	return strtoll(member->value, NULL, 10);
}

struct plain {
	struct rv_entry *entry;
	const char *certificate;
};

static void take_member(const struct member *member, struct plain *plain)
{
	struct rv_entry *entry = plain->entry;
	const struct {
		const char *key;
		uint64_t *to;
	} numbers[] = {{"staticRules", &entry->rules}, {"start", &entry->start},
		{"pidns", &entry->pidns}, {"since", &entry->since}};
	const struct {
		const char *key;
		int *to;
	} pids[] = {{"supervisor", &entry->supervisor}, {"pid", &entry->program},
		{"connector", &entry->connector}, {"board", &entry->board}};

	for (size_t i = 0; i < RV_COUNT(numbers); i++)
		if (strcmp(member->key, numbers[i].key) == 0)
			*numbers[i].to = (uint64_t)number(member);
	for (size_t i = 0; i < RV_COUNT(pids); i++)
		if (strcmp(member->key, pids[i].key) == 0)
			*pids[i].to = (int)number(member);
	if (strcmp(member->key, "subreaper") == 0)
		entry->subreaper = member->kind == 't';
	if (strcmp(member->key, "name") == 0 && member->kind == '"')
		entry->name = member->value;
	if (strcmp(member->key, "argv") == 0 && member->kind == '[')
		entry->argv = member->value;
	if (strcmp(member->key, "certificate") == 0 && member->kind == '"')
		plain->certificate = member->value;
}

/* -EINVAL: it is not plain. */
static int entry_of_text(char *text, uint64_t domain, struct rv_entry *ret)
{
	struct rv_entry entry = {.domain = domain, .board = -1, .argv = "[]"};
	struct plain plain = {&entry, NULL};
	char *at = text + 1;
	struct member member;
	int r = *text == '{' ? 1 : -EINVAL;

	while (r == 1) {
		r = next_member(&at, &member);
		if (r >= 0)
			take_member(&member, &plain);
	}
	if (r < 0)
		return r;
	believe(plain.certificate, &entry);
	*ret = entry;
	return 0;
}

/* --------------------------------------------------------------------------- reading */

int rv_entry_read(const struct rv_registry *registry, uint64_t domain,
	struct rv_entry_source *source, struct rv_entry *ret)
{
	char name[RV_ENTRY_NAME];
	int r = rv_registry_read_text(
		registry, rv_entry_name(domain, ".json", name), &source->text);

	if (r < 0)
		return r;
	if (entry_of_text(source->text, domain, ret) == 0)
		return 0;
	/* Read once more: its members' texts have been ended. */
	r = rv_registry_read(registry, name, &source->object);
	return r < 0 ? r : entry_of_json(source, domain, ret);
}

void rv_entry_source_release(struct rv_entry_source *source)
{
	free(source->text);
	free(source->argv);
	json_decref(source->object);
	*source = (struct rv_entry_source){0};
}
