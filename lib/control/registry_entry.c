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

/* --------------------------------------------------------------------------- reading */

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

int rv_entry_read(const struct rv_registry *registry, uint64_t domain,
	struct rv_entry_source *source, struct rv_entry *ret)
{
	char name[RV_ENTRY_NAME];
	int r = rv_registry_read(registry, rv_entry_name(domain, ".json", name), &source->object);

	return r < 0 ? r : entry_of_json(source, domain, ret);
}

void rv_entry_source_release(struct rv_entry_source *source)
{
	free(source->argv);
	json_decref(source->object);
	*source = (struct rv_entry_source){0};
}
