/* SPDX-License-Identifier: MIT */
/* `reeve ps --all`: every Landlock domain on the host, reeve's among them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ps_all.h"

enum { DOMAIN, REEVE, TASKS, DENIALS, MAKER, COMMAND, COLUMNS };

static const char *const headings[COLUMNS] = {
	"DOMAIN", "REEVE", "TASKS", "DENIALS", "MADE BY", "COMMAND"};

/* ------------------------------------------------------------------------ who is in which */

/* `count`: it is none of them. */
static size_t number_of(const struct cli_all *all, uint64_t id)
{
	size_t number = cli_host_number(all->host, all->count, id);
	const struct reeve_host_domain *domain = reeve_host_domain_at(all->host, number);

	return domain && domain->id == id ? number : all->count;
}

/* As many as tell where the next one goes: begin[i + 1] moves from the start of i to its end. */
static void sort_tasks(struct cli_all *all)
{
	const struct reeve_host_task *task;

	for (size_t i = 0; (task = reeve_host_task_at(all->host, i)); i++)
		if (task->depth)
			all->begin[number_of(all, task->domains[0]) + 2]++;
	for (size_t i = 2; i <= all->count; i++)
		all->begin[i] += all->begin[i - 1];
	for (size_t i = 0; (task = reeve_host_task_at(all->host, i)); i++)
		if (task->depth)
			all->tasks[all->begin[number_of(all, task->domains[0]) + 1]++] = task;
}

static bool find_tasks(struct cli_all *all)
{
	size_t tasks = 0;

	while (reeve_host_domain_at(all->host, all->count))
		all->count++;
	while (reeve_host_task_at(all->host, tasks))
		tasks++;
	all->begin = calloc(all->count + 3, sizeof(*all->begin));
	all->tasks = calloc(tasks + 1, sizeof(*all->tasks));
	all->joined = calloc(all->count + 1, sizeof(*all->joined));
	if (!all->begin || !all->tasks || !all->joined)
		return false;
	sort_tasks(all);
	for (size_t i = 0; i < all->join.count; i++) {
		const struct cli_joined *joined = &all->join.items[i];

		all->joined[number_of(all, joined->floor)] = joined;
		all->joined[number_of(all, joined->program)] = joined;
	}
	all->joined[all->count] = NULL;
	return true;
}

const struct cli_joined *cli_all_joined(
	const struct cli_all *all, const struct reeve_host_domain *domain)
{
	return all->joined[number_of(all, domain->id)];
}

static void release(struct cli_all *all)
{
	cli_join_release(&all->join);
	reeve_host_free(all->host);
	free(all->begin);
	free(all->tasks);
	free(all->joined);
}

/* ---------------------------------------------------------------- what it says of one */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool made_by_reeve(const struct reeve_host_domain *domain)
{
	return domain && strcmp(base_name(domain->exe), "reeve") == 0;
}

/* Supervised by somebody else's reeve: a floor and the program's layer, made by two processes. */
static bool is_supervised(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct reeve_host_domain *other = reeve_host_domain_find(all->host, domain->parent);

	if (other && made_by_reeve(other) && other->creator != domain->creator)
		return true;
	for (size_t i = 0; (other = reeve_host_domain_at(all->host, i)); i++)
		if (other->parent == domain->id && made_by_reeve(other) &&
			other->creator != domain->creator)
			return true;
	return false;
}

const char *cli_all_role(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct cli_joined *joined = cli_all_joined(all, domain);

	if (joined)
		return joined->floor == domain->id ? "floor" : "program";
	if (!made_by_reeve(domain))
		return NULL;
	return is_supervised(all, domain) ? "supervised" : "static";
}

static const struct reeve_host_task *first_task(
	const struct cli_all *all, const struct reeve_host_domain *domain)
{
	size_t number = number_of(all, domain->id);

	return all->begin[number] < all->begin[number + 1] ? all->tasks[all->begin[number]] : NULL;
}

/* The command line as /proc has it; empty where it has none, or not for us. */
static void read_command(pid_t pid, char *buf, size_t size)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	while (n > 0 && !buf[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	buf[n > 0 ? n : 0] = '\0';
}

/* ------------------------------------------------------------------------------ a table */

struct row {
	char *cells[COLUMNS]; /* escaped */
};

__attribute__((format(printf, 1, 2))) static char *cell(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return cli_escape(text);
}

char *cli_all_reeve(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct cli_joined *joined = cli_all_joined(all, domain);
	const char *is = cli_all_role(all, domain);

	return joined ? cell("%" PRIx64, joined->reeve) : cell("%s", is ? is : "-");
}

static char *command_cell(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct reeve_host_task *task = first_task(all, domain);
	const struct cli_joined *joined = cli_all_joined(all, domain);
	char command[256] = "";

	if (!task)
		return cell("-");
	/* The connector has its name, but the command line of the supervisor. */
	if (!joined || joined->floor != domain->id)
		read_command(task->pid, command, sizeof(command));
	return cell("%d %s", (int)task->pid, *command ? command : task->comm);
}

static void fill_row(
	const struct cli_all *all, const struct reeve_host_domain *domain, struct row *row)
{
	row->cells[DOMAIN] = cell("%*s%" PRIx64, 2 * (int)(domain->depth - 1), "", domain->id);
	row->cells[REEVE] = cli_all_reeve(all, domain);
	row->cells[TASKS] = cell("%u", domain->tasks);
	row->cells[DENIALS] = cell("%" PRIu64, domain->denials);
	row->cells[MAKER] = cell("%s[%d]", domain->comm, (int)domain->creator);
	row->cells[COMMAND] = command_cell(all, domain);
}

/* Of ours, and not among what was read: begun since, or in another pid namespace. */
static void fill_lost_row(const struct cli_joined *joined, struct row *row)
{
	for (int i = 0; i < COLUMNS; i++)
		row->cells[i] = cell("-");
	cli_escape_free(row->cells[REEVE]);
	row->cells[REEVE] = cell("%" PRIx64, joined->reeve);
}

static void print_row(const char *const *cells, const unsigned int *widths)
{
	for (int i = 0; i < COLUMNS; i++)
		printf("%s%*s", cells[i],
			i == COMMAND ? 0 : (int)(widths[i] + 2 - cli_columns(cells[i])), "");
	putchar('\n');
}

#define NONE SIZE_MAX

/* Below each domain those that were made in it, in ascending order. */
struct below {
	const struct cli_all *all;
	size_t *first, *next; /* by number; first[count]: what is in none that is known */
	const struct reeve_host_domain **order;
	size_t ordered;
};

static void order_below(struct below *below, size_t number)
{
	for (size_t i = below->first[number]; i != NONE; i = below->next[i]) {
		below->order[below->ordered++] = reeve_host_domain_at(below->all->host, i);
		order_below(below, i);
	}
}

/* Ids alone tell no more than who was first. */
static bool order_domains(const struct cli_all *all, const struct reeve_host_domain **order)
{
	struct below below = {.all = all, .order = order};
	size_t *numbers = malloc((2 * all->count + 1) * sizeof(*numbers));

	if (!numbers)
		return false;
	below.first = numbers;
	below.next = numbers + all->count + 1;
	for (size_t i = 0; i <= all->count; i++)
		below.first[i] = NONE;
	for (size_t i = all->count; i-- > 0;) {
		size_t above = number_of(all, reeve_host_domain_at(all->host, i)->parent);

		below.next[i] = below.first[above];
		below.first[above] = i;
	}
	order_below(&below, all->count);
	free(numbers);
	return true;
}

static void print_rows(struct row *rows, size_t count)
{
	unsigned int widths[COLUMNS], taken = 0, room;

	for (int i = 0; i < COLUMNS; i++)
		widths[i] = cli_columns(headings[i]);
	for (size_t r = 0; r < count; r++)
		for (int i = 0; i < COLUMNS; i++)
			if (cli_columns(rows[r].cells[i]) > widths[i])
				widths[i] = cli_columns(rows[r].cells[i]);
	for (int i = 0; i < COMMAND; i++)
		taken += widths[i] + 2;
	room = cli_room(taken);
	print_row(headings, widths);
	for (size_t r = 0; r < count; r++) {
		cli_cut(rows[r].cells[COMMAND], room);
		print_row((const char *const *)rows[r].cells, widths);
		for (int i = 0; i < COLUMNS; i++)
			cli_escape_free(rows[r].cells[i]);
	}
}

void cli_all_threads(const struct reeve_host *host)
{
	const struct reeve_host_task *task;

	for (size_t i = 0; (task = reeve_host_task_at(host, i)); i++) {
		cli_autoescape char *comm = cli_escape(task->comm);

		if (task->pid == task->tid)
			continue;
		if (task->depth == 0)
			printf("Thread %d (%s) of process %d is in no domain, its process is.\n",
				(int)task->tid, comm, (int)task->pid);
		else
			printf("Thread %d (%s) of process %d is in domain %" PRIx64
			       ", its process is not.\n",
				(int)task->tid, comm, (int)task->pid, task->domains[0]);
	}
}

static int print_table(const struct cli_all *all)
{
	size_t count = all->count;
	const struct reeve_host_domain **order = calloc(count + 1, sizeof(*order));
	struct row *rows = calloc(count + all->join.count + 1, sizeof(*rows));
	bool ok = order && rows && order_domains(all, order);

	if (ok) {
		for (size_t i = 0; i < count; i++)
			fill_row(all, order[i], &rows[i]);
		for (size_t i = 0; i < all->join.count; i++)
			if (!all->join.items[i].floor)
				fill_lost_row(&all->join.items[i], &rows[count++]);
		print_rows(rows, count);
		cli_all_threads(all->host);
	}
	free(rows);
	free(order);
	return ok ? CLI_OK : cli_fail(NULL, "out of memory");
}

/* --------------------------------------------------------------------------------- JSON */

static void set_id(json_t *json, const char *key, uint64_t id)
{
	char text[17];

	snprintf(text, sizeof(text), "%" PRIx64, id);
	cli_json_text(json, key, id ? text : NULL);
}

static json_t *task_json(const struct reeve_host_task *task)
{
	json_t *json = json_pack("{s:i, s:i, s:i}", "pid", (int)task->pid, "tid", (int)task->tid,
		"uid", (int)task->uid);

	cli_json_text(json, "comm", task->comm);
	return json;
}

static json_t *tasks_json(const struct cli_all *all, uint64_t id)
{
	size_t number = number_of(all, id);
	json_t *array = json_array();

	for (size_t i = all->begin[number]; i < all->begin[number + 1]; i++)
		json_array_append_new(array, task_json(all->tasks[i]));
	return array;
}

static json_t *maker_json(const struct reeve_host_domain *domain)
{
	json_t *json = json_pack("{s:i, s:b, s:I}", "pid", (int)domain->creator, "lives",
		(int)domain->creator_lives, "uid", (json_int_t)domain->creator_uid);

	cli_json_text(json, "comm", domain->comm);
	cli_json_text(json, "exe", domain->exe);
	return json;
}

static bool print_json(const struct cli_all *all, const struct reeve_host_domain *domain)
{
	const struct cli_joined *joined = cli_all_joined(all, domain);
	json_t *json = cli_json_new("landlock_domain");

	set_id(json, "domain", domain->id);
	set_id(json, "parent", domain->parent);
	json_object_set_new(json, "depth", json_integer(domain->depth));
	set_id(json, "reeve", joined ? joined->reeve : 0);
	cli_json_text(json, "name", joined ? joined->name : NULL);
	cli_json_text(json, "role", cli_all_role(all, domain));
	json_object_set_new(json, "denials", json_integer((json_int_t)domain->denials));
	json_object_set_new(json, "creator", maker_json(domain));
	json_object_set_new(json, "tasks", tasks_json(all, domain->id));
	return cli_json_line(json);
}

static bool print_lost(const struct cli_joined *joined)
{
	json_t *json = cli_json_new("landlock_domain");

	set_id(json, "domain", 0);
	set_id(json, "reeve", joined->reeve);
	cli_json_text(json, "name", joined->name);
	return cli_json_line(json);
}

/* A thread in no domain, while its process is in one. */
static bool print_free_threads(const struct cli_all *all)
{
	const struct reeve_host_task *task;
	bool ok = true;

	for (size_t i = 0; ok && (task = reeve_host_task_at(all->host, i)); i++)
		if (task->depth == 0) {
			json_t *json = cli_json_new("thread_outside");

			json_object_update_new(json, task_json(task));
			ok = cli_json_line(json);
		}
	return ok;
}

static int print_lines(const struct cli_all *all)
{
	const struct reeve_host_domain *domain;
	bool ok = true;

	for (size_t i = 0; ok && (domain = reeve_host_domain_at(all->host, i)); i++)
		ok = print_json(all, domain);
	for (size_t i = 0; ok && i < all->join.count; i++)
		if (!all->join.items[i].floor)
			ok = print_lost(&all->join.items[i]);
	return ok && print_free_threads(all) ? CLI_OK : CLI_ERROR;
}

struct names {
	struct cli_all *all;
	struct reeve_error err;
	int r;
};

static void *read_names(void *data)
{
	struct names *names = data;

	names->r = cli_join_names(&names->all->join, &names->err);
	return NULL;
}

/* The kernel's domains take about as long as ours, and neither needs the other. */
static bool read_both(struct cli_all *all)
{
	struct names names = {.all = all};
	struct reeve_error err = {0};
	pthread_t thread;
	bool helped = pthread_create(&thread, NULL, read_names, &names) == 0;
	int r = reeve_host_read(0, &all->host, &err);

	if (helped)
		pthread_join(thread, NULL);
	else
		read_names(&names);
	if (r < 0)
		cli_print_error(&err);
	else if (names.r < 0)
		cli_print_error(&names.err);
	else
		cli_join_host(all->host, &all->join);
	return r >= 0 && names.r >= 0;
}

int cli_ps_all(bool json, bool tree)
{
	struct cli_all all = {0};
	int code = CLI_ERROR;

	if (!read_both(&all))
		code = CLI_ERROR;
	else if (!find_tasks(&all))
		code = cli_fail(NULL, "out of memory");
	else
		code = json ? print_lines(&all) : tree ? cli_ps_all_tree(&all) : print_table(&all);
	release(&all);
	return code;
}
