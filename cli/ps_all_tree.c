/* SPDX-License-Identifier: MIT */
/* `reeve ps --all --tree`: the kernel's domains, static runs and other programs' among them, with
 * the processes in each. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "ps.h"
#include "ps_all.h"

enum { ID, REEVE, NAME, DENIALS, MAKER, COLUMNS };

static const char *const headings[COLUMNS] = {"DOMAIN", "REEVE", "NAME", "DENIALS", "MADE BY"};

static void fill(const json_t *domain, char **cells)
{
	cells[ID] = cli_control_text(domain, "domain");
	cells[REEVE] = cli_control_text(domain, "reeve");
	cells[NAME] = cli_ps_name(domain);
	cells[DENIALS] = cli_number(json_object_get(domain, "denials"));
	cells[MAKER] = cli_control_text(domain, "maker");
}

static const struct cli_ps_look look = {headings, COLUMNS, fill};

static void set_id(json_t *json, const char *key, uint64_t id)
{
	char text[17];

	snprintf(text, sizeof(text), "%" PRIx64, id);
	cli_json_text(json, key, id ? text : NULL);
}

static json_t *row(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct cli_joined *joined = cli_all_joined(all, domain);
	cli_autoescape char *reeve = cli_all_reeve(all, domain);
	json_t *json = json_object();
	char maker[40];

	set_id(json, "domain", domain->id);
	set_id(json, "parent", domain->parent);
	cli_json_text(json, "reeve", reeve);
	cli_json_text(json, "name", joined ? joined->name : NULL);
	json_object_set_new(json, "denials", json_integer((json_int_t)domain->denials));
	snprintf(maker, sizeof(maker), "%s[%d]", domain->comm, (int)domain->creator);
	cli_json_text(json, "maker", maker);
	return json;
}

/* A thread that is alone in a domain is below its process. */
static int add_task(const json_t *domains, struct cli_ps_processes *processes,
	const struct reeve_host_task *task)
{
	const struct reeve_control_process process = {.domain = task->domains[0],
		.pid = task->tid,
		.parent = task->tid == task->pid ? task->parent : task->pid,
		.state = ' ',
		.comm = task->comm};

	return cli_ps_add_process(domains, processes, &process);
}

static int by_pid(const void *a, const void *b)
{
	const struct cli_ps_process *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

int cli_ps_all_tree(const struct cli_all *all)
{
	struct cli_ps_processes processes = {0};
	json_t *domains = json_array();
	int r = 0;

	for (size_t i = 0; i < all->count; i++)
		json_array_append_new(domains, row(all, reeve_host_domain_at(all->host, i)));
	for (size_t i = 0; r == 0 && i < all->begin[all->count]; i++)
		r = add_task(domains, &processes, all->tasks[i]);
	if (processes.count)
		qsort(processes.at, processes.count, sizeof(*processes.at), by_pid);
	if (r == 0) {
		cli_ps_tree(&look, domains, &processes);
		cli_all_threads(all->host);
	}
	cli_ps_release(&processes);
	json_decref(domains);
	return r < 0 ? cli_fail(NULL, "out of memory") : CLI_OK;
}
