/* SPDX-License-Identifier: MIT */
/* The processes of the domains that run, by one walk over /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include "base/error.h"
#include "control/listing.h"

/* From so many on, two threads share the reading, as many at a time: it is nearly all that this
 * takes. */
#define SHARED_FROM 512
#define PORTION	    64

struct task {
	pid_t pid;
	bool is_there, settled;
	struct rv_process process;
	const struct rv_row *row; /* its domain; NULL: none */
	const struct rv_row *program_of;
	const struct rv_row *supervises; /* one of `domains` */
	unsigned int domains;
};

struct tasks {
	const struct rv_listing *listing;
	struct task *at; /* in ascending order of pids */
	size_t count;
	_Atomic size_t taken; /* by who reads them */
};

/* -------------------------------------------------------------------------- reading */

static int by_pid(const void *a, const void *b)
{
	const struct task *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* Zeroed is valid and empty. */
struct pids {
	pid_t *at;
	size_t count, capacity;
};

static int add_pid(struct pids *pids, pid_t pid)
{
	size_t capacity = pids->capacity ? 2 * pids->capacity : 1024;
	pid_t *at = pids->at;

	if (pids->count == pids->capacity) {
		at = reallocarray(at, capacity, sizeof(*at));
		if (!at)
			return -ENOMEM;
		pids->at = at;
		pids->capacity = capacity;
	}
	at[pids->count++] = pid;
	return 0;
}

static int list_pids(struct pids *pids)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = dir ? 0 : -errno;

	while (r == 0 && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			r = add_pid(pids, atoi(entry->d_name));
	if (dir)
		closedir(dir);
	return r;
}

static int make_tasks(const struct pids *pids, struct tasks *tasks)
{
	bool ascending = true;

	tasks->at = calloc(pids->count + 1, sizeof(*tasks->at));
	if (!tasks->at)
		return -ENOMEM;
	tasks->count = pids->count;
	for (size_t i = 0; i < pids->count; i++) {
		tasks->at[i].pid = pids->at[i];
		ascending &= i == 0 || pids->at[i - 1] < pids->at[i];
	}
	/* /proc has them in this order. */
	if (!ascending)
		qsort(tasks->at, tasks->count, sizeof(*tasks->at), by_pid);
	return 0;
}

static int read_pids(struct tasks *tasks)
{
	struct pids pids = {0};
	int r = list_pids(&pids);

	if (r == 0)
		r = make_tasks(&pids, tasks);
	free(pids.at);
	return r;
}

/* Until none is left that nobody has taken. */
static void read_stats(struct tasks *tasks)
{
	size_t from, to;

	while ((from = atomic_fetch_add(&tasks->taken, PORTION)) < tasks->count) {
		to = from + PORTION < tasks->count ? from + PORTION : tasks->count;
		for (struct task *task = &tasks->at[from]; task < &tasks->at[to]; task++)
			task->is_there = rv_process_read(task->pid, &task->process) == 0;
	}
}

/* Which domains there are, while others read which processes; then half of these. */
struct helper {
	pthread_t thread;
	struct tasks *tasks;
	struct rv_listing *listing;
	struct reeve_error *err;
	int r;
	sem_t known; /* which processes there are */
};

static void *help(void *data)
{
	struct helper *helper = data;

	helper->r = rv_listing_new(false, helper->listing, helper->err);
	while (sem_wait(&helper->known) < 0)
		;
	if (helper->r == 0)
		read_stats(helper->tasks);
	return NULL;
}

/* Signals are for the threads of the program that we are part of. */
static bool start_helper(struct helper *helper)
{
	struct sysinfo machine;
	sigset_t all, saved;
	bool started;

	if (sysinfo(&machine) < 0 || machine.procs < SHARED_FROM || sem_init(&helper->known, 0, 0))
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	started = pthread_create(&helper->thread, NULL, help, helper) == 0;
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (!started)
		sem_destroy(&helper->known);
	return started;
}

static int read_all(struct tasks *tasks, struct rv_listing *listing, struct reeve_error *err)
{
	struct reeve_error refused = {0};
	struct helper helper = {.tasks = tasks, .listing = listing, .err = &refused};
	bool helped = start_helper(&helper);
	int r = read_pids(tasks);

	if (r < 0)
		tasks->taken = tasks->count;
	if (helped)
		sem_post(&helper.known);
	else
		helper.r = rv_listing_new(false, listing, &refused);
	read_stats(tasks);
	if (helped) {
		pthread_join(helper.thread, NULL);
		sem_destroy(&helper.known);
	}
	if (helper.r < 0 && err)
		*err = refused;
	if (helper.r < 0)
		return helper.r;
	return r < 0 ? rv_error(err, r, "/proc: %s", strerror(-r)) : 0;
}

/* ----------------------------------------------------------------------- whose it is */

static struct task *find(const struct tasks *tasks, pid_t pid)
{
	struct task key = {.pid = pid}, *found;

	found = tasks->count ? bsearch(&key, tasks->at, tasks->count, sizeof(*tasks->at), by_pid)
			     : NULL;
	return found && found->is_there ? found : NULL;
}

/* Where the pid was given again, that is somebody else. */
static struct task *find_same(const struct tasks *tasks, const struct rv_process_id *id)
{
	struct task *found = find(tasks, id->pid);

	return found && found->process.start == id->start ? found : NULL;
}

static void mark(const struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->listing->count; i++) {
		const struct rv_row *row = &tasks->listing->rows[i];
		const struct rv_certificate *is = &row->entry.certificate;
		struct task *supervisor = row->here ? find_same(tasks, &is->supervisor) : NULL;
		struct task *program = row->here ? find_same(tasks, &is->program) : NULL;

		if (supervisor) {
			supervisor->supervises = row;
			supervisor->domains++;
		}
		if (program && program != supervisor)
			program->program_of = row;
	}
}

/* The domain that begins with this process, below its parent. */
static const struct rv_row *begins(const struct task *task, const struct task *parent)
{
	if (task->program_of)
		return task->program_of;
	if (!parent || !parent->supervises)
		return NULL;
	if (parent->program_of)
		return parent->program_of;
	/* Of several domains of one supervisor it cannot be told which. */
	return parent->domains == 1 && rv_row_has_orphan(parent->supervises, task->pid)
		       ? parent->supervises
		       : NULL;
}

/* Upwards to where it is known, and back. */
static void settle(const struct tasks *tasks, struct task *task)
{
	const struct rv_row *row = NULL;
	struct task *at = task, *parent;

	for (size_t steps = 0; at && steps < tasks->count; steps++, at = parent) {
		parent = find(tasks, at->process.parent);
		row = at->settled ? at->row : begins(at, parent);
		if (row || at->settled)
			break;
	}
	for (; task && task != at; task = find(tasks, task->process.parent)) {
		task->row = row;
		task->settled = true;
	}
	if (at && !at->settled) {
		at->row = row;
		at->settled = true;
	}
}

static int tell(const struct tasks *tasks, uint64_t domain,
	int (*fn)(void *data, const struct reeve_control_process *process), void *data)
{
	int r = 0;

	for (size_t i = 0; i < tasks->count && r == 0; i++) {
		const struct task *task = &tasks->at[i];
		struct reeve_control_process shown = {.pid = task->pid,
			.parent = task->process.parent,
			.state = task->process.state,
			.comm = task->process.comm};

		if (!task->row || (domain && task->row->entry.domain != domain))
			continue;
		shown.domain = task->row->entry.domain;
		r = fn(data, &shown);
	}
	return r;
}

static int survey(uint64_t domain,
	int (*on_domain)(void *data, const struct reeve_control_entry *entry),
	int (*on_process)(void *data, const struct reeve_control_process *process), void *data,
	struct reeve_error *err)
{
	struct rv_listing listing = {0};
	struct tasks tasks = {.listing = &listing};
	int r = read_all(&tasks, &listing, err);

	if (r == 0) {
		mark(&tasks);
		for (size_t i = 0; i < tasks.count; i++)
			if (tasks.at[i].is_there)
				settle(&tasks, &tasks.at[i]);
		r = on_domain ? rv_listing_show(&listing, on_domain, data) : 0;
	}
	if (r == 0)
		r = tell(&tasks, domain, on_process, data);
	free(tasks.at);
	rv_listing_release(&listing);
	return r;
}

int reeve_control_processes(uint64_t domain,
	int (*fn)(void *data, const struct reeve_control_process *process), void *data,
	struct reeve_error *err)
{
	return survey(domain, NULL, fn, data, err);
}

int reeve_control_tree(int (*on_domain)(void *data, const struct reeve_control_entry *entry),
	int (*on_process)(void *data, const struct reeve_control_process *process), void *data,
	struct reeve_error *err)
{
	return survey(0, on_domain, on_process, data, err);
}
