/* SPDX-License-Identifier: MIT */
/* What was needed of each path, from a record. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "learn.h"

/* -------------------------------------------------------------------------- lists */

static bool grow(void **at, size_t *capacity, size_t count, size_t size)
{
	size_t larger = *capacity ? 2 * *capacity : 32;
	void *grown;

	if (count < *capacity)
		return true;
	grown = reallocarray(*at, larger, size);
	if (!grown)
		return false;
	*at = grown;
	*capacity = larger;
	return true;
}

/* ---------------------------------------------------------------------------- who */

#define COMMS_MAX 2048 /* they are looked through one by one */

/* Number + 1; 0: there is no room. One program asks for much in a row. */
static uint16_t comm_number(struct learned *learned, const char *name)
{
	size_t i = learned->comm_last;

	name = name[0] ? name : "?";
	if (i < learned->comm_count && strcmp(learned->comms[i], name) == 0)
		return (uint16_t)(i + 1);
	for (i = 0; i < learned->comm_count && strcmp(learned->comms[i], name) != 0; i++)
		;
	if (i == COMMS_MAX || !grow((void **)&learned->comms, &learned->comm_capacity, i,
				      sizeof(*learned->comms)))
		return 0;
	if (i == learned->comm_count)
		snprintf(
			learned->comms[learned->comm_count++], sizeof(*learned->comms), "%s", name);
	learned->comm_last = i;
	return (uint16_t)(i + 1);
}

static void add_number(struct learn_who *who, uint16_t name, uint32_t count)
{
	for (size_t i = 0; name && i < LEARN_NAMES; i++) {
		if (who->names[i] && who->names[i] != name)
			continue;
		who->names[i] = name;
		who->counts[i] += count;
		return;
	}
	who->others += count;
}

void learn_who_add(struct learned *learned, struct learn_who *who, const char *name, uint64_t count)
{
	add_number(
		who, comm_number(learned, name), count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

void learn_who_join(struct learn_who *who, const struct learn_who *other)
{
	for (size_t i = 0; i < LEARN_NAMES && other->names[i]; i++)
		add_number(who, other->names[i], other->counts[i]);
	who->others += other->others;
}

char *learn_who_text(const struct learned *learned, const struct learn_who *who, const char *more)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(who->names[0] ? "needed by" : "", out);
	for (size_t i = 0; i < LEARN_NAMES && who->names[i]; i++) {
		cli_autoescape char *shown = cli_escape(learned->comms[who->names[i] - 1]);

		fprintf(out, "%s %s (%u)", i ? "," : "", shown, who->counts[i]);
	}
	if (who->others)
		fprintf(out, " and others (%u)", who->others);
	if (more)
		fprintf(out, "%s%s", who->names[0] ? "; " : "", more);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* -------------------------------------------------------------------------- rules */

bool learn_rules_add(struct learn_rules *rules, const struct learn_rule *rule)
{
	struct learn_rule *to;

	if (!grow((void **)&rules->at, &rules->capacity, rules->count, sizeof(*rules->at)))
		return false;
	to = &rules->at[rules->count];
	*to = *rule;
	to->path = rule->rule.path ? strdup(rule->rule.path) : NULL;
	to->address = rule->rule.address ? strdup(rule->rule.address) : NULL;
	to->rule.path = to->path;
	to->rule.address = to->address;
	rules->count++;
	return (to->path || !rule->rule.path) && (to->address || !rule->rule.address);
}

void learn_rules_release(struct learn_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->at[i].path);
		free(rules->at[i].address);
	}
	free(rules->at);
}

#define NOTES_MAX 20

void learn_note(struct learn_notes *notes, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	if (notes->count >= NOTES_MAX ||
		!grow((void **)&notes->at, &notes->capacity, notes->count, sizeof(*notes->at))) {
		notes->left_out++;
		return;
	}
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		notes->at[notes->count++] = text;
}

void learn_notes_release(struct learn_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->at[i]);
	free(notes->at);
}

/* --------------------------------------------------------------------------- life */

/* As lib/enforce/tmpdir.c makes them: BASE/reeve-UID/RUN. */
static char *tmp_base(void)
{
	const char *base = getenv("TMPDIR");
	cli_autofree char *real = realpath(base && base[0] == '/' ? base : "/tmp", NULL);
	char *path = NULL;

	if (real && asprintf(&path, "%s/reeve-%u", real, (unsigned int)geteuid()) < 0)
		path = NULL;
	return path;
}

int learn_init(struct learned *learned)
{
	const char *home = getenv("HOME");
	struct reeve_error err = {0};

	*learned = (struct learned){.paths.size = sizeof(struct learn_path),
		.names.size = sizeof(struct learn_socket),
		.now = time(NULL)};
	learn_refusals_init(learned);
	learned->tmp = tmp_base();
	learned->cwd = getcwd(NULL, 0);
	learned->home = home && home[0] == '/' ? realpath(home, NULL) : NULL;
	if (learn_granted_init(&learned->granted, &err) == 0)
		return 0;
	cli_print_error(&err);
	return CLI_ERROR;
}

void learn_release(struct learned *learned)
{
	cli_path_table_release(&learned->paths);
	cli_path_table_release(&learned->names);
	learn_refusals_release(learned);
	learn_granted_release(&learned->granted);
	learn_rules_release(&learned->rules);
	learn_rules_release(&learned->quiet);
	learn_notes_release(&learned->notes);
	free(learned->comms);
	free(learned->lineage);
	free(learned->tmp);
	free(learned->cwd);
	free(learned->home);
}

/* --------------------------------------------------------------------------- taking */

static struct learn_path *get(struct learned *learned, const char *path)
{
	struct learn_path *entry = cli_path_table_get(&learned->paths, path);

	learned->failed |= !entry;
	return entry;
}

static bool is_below(const char *path, const char *dir)
{
	size_t length = dir ? strlen(dir) : 0;

	return length && strncmp(path, dir, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* The private TMPDIR is another one each time, and granted as a whole. */
static bool is_private(struct learned *learned, const char *path)
{
	bool below = is_below(path, learned->tmp);

	learned->used_tmp |= below;
	return below;
}

const char *learn_comm(const struct learned *learned, const struct reeve_actor *actor)
{
	return actor->id < learned->lineage_count ? learned->lineage[actor->id].comm : actor->comm;
}

/* The first exec is ours, in the program's name. */
static const char *name_of_actor(const struct learned *learned, const struct reeve_access *access)
{
	const char *slash = strrchr(access->object, '/');

	return access->actor->id == 1 && (access->rights & REEVE_FS_EXECUTE) && slash
		       ? slash + 1
		       : learn_comm(learned, access->actor);
}

/* The directory that a name is in. */
static struct learn_path *get_above(struct learned *learned, const char *path)
{
	cli_autofree char *dir = strdup(path);

	learned->failed |= !dir;
	if (!dir)
		return NULL;
	cli_path_up(dir);
	return get(learned, dir);
}

static void need_inside(struct learned *learned, const char *path, uint64_t rights,
	const struct reeve_access *access)
{
	struct learn_path *entry;

	if (!rights || is_private(learned, path))
		return;
	entry = get_above(learned, path);
	if (!entry)
		return;
	entry->inside |= (uint32_t)rights;
	entry->directory = true;
	learn_who_add(learned, &entry->who, learn_comm(learned, access->actor), access->count);
}

static void need_on(struct learned *learned, const char *path, uint64_t rights,
	const struct reeve_access *access)
{
	struct learn_path *entry;

	if (!rights || is_private(learned, path))
		return;
	entry = get(learned, path);
	if (!entry)
		return;
	entry->object |= (uint32_t)rights;
	if (!access->object2)
		entry->directory |= (access->flags & REEVE_ACCESS_DIRECTORY) != 0;
	learn_who_add(learned, &entry->who, name_of_actor(learned, access), access->count);
}

/* What is known by two names one after the other needs the same by both. */
static void join_names(struct learned *learned, const struct reeve_access *access)
{
	struct learn_path *to, *from;
	size_t number;

	if (!access->object2 || is_private(learned, access->object) ||
		is_private(learned, access->object2))
		return;
	to = get(learned, access->object2);
	if (!to)
		return;
	number = cli_path_table_number(&learned->paths, to);
	from = get(learned, access->object);
	if (from)
		from->twin = (uint32_t)number + 1;
}

/* What becomes of the names. */
static void change_names(struct learned *learned, const struct reeve_access *access)
{
	const char *made = access->object2 ? access->object2 : access->object;
	struct learn_path *entry = NULL;

	if ((access->flags & REEVE_ACCESS_REMOVES) && !is_private(learned, access->object))
		entry = get(learned, access->object);
	if (entry) {
		entry->gone = true;
		learn_mark_fan(learned, access->object);
	}
	if (!(access->flags & (REEVE_ACCESS_MAKES | REEVE_ACCESS_REPLACES)) ||
		is_private(learned, made))
		return;
	entry = get(learned, made);
	if (!entry)
		return;
	/* Made again after it was removed: it was there, and is another one. */
	if ((access->flags & REEVE_ACCESS_REPLACES) || (entry->gone && !entry->made))
		entry->replaced = true;
	else
		entry->made = true;
	entry->gone = false;
	entry->directory |= (access->flags & REEVE_ACCESS_DIRECTORY) != 0;
	learned->made |= entry->made;
	if (entry->made) {
		enum learn_newness name = learn_newness_of(learned, made, access);

		entry->temporary |= name == LEARN_SURELY_NEW;
		entry->perhaps_temporary |= name == LEARN_PERHAPS_NEW;
		learn_mark_fan(learned, made);
	}
}

static void take_path(struct learned *learned, const struct reeve_access *access)
{
	uint64_t inside = access->rights & CLI_FS_IN_DIRECTORY;
	uint64_t object = (access->rights & ~CLI_FS_IN_DIRECTORY) | access->implied;

	if (access->object[0] != '/' || (access->flags & REEVE_ACCESS_INSIDE))
		return;
	if (access->object2) {
		uint64_t replaced =
			access->flags & REEVE_ACCESS_REPLACES ? inside & CLI_FS_REMOVING : 0;

		need_inside(learned, access->object,
			access->flags & REEVE_ACCESS_REMOVES ? inside & ~CLI_FS_MAKING
							     : inside & REEVE_FS_REFER,
			access);
		need_inside(
			learned, access->object2, (inside & ~CLI_FS_REMOVING) | replaced, access);
	} else {
		need_inside(learned, access->object, inside, access);
	}
	/* A file without a name takes a right on the directory that opening it asks for. */
	need_on(learned, access->object, object, access);
	change_names(learned, access);
	join_names(learned, access);
}

static int take(void *data, const struct reeve_access *access)
{
	struct learned *learned = data;

	if (access->outcome == REEVE_ACCESS_DENIED)
		learn_take_refused(learned, access);
	if (access->outcome != REEVE_ACCESS_ALLOWED)
		return 0;
	if (access->cls == REEVE_FS && !(access->rights & REEVE_FS_RESOLVE_UNIX))
		take_path(learned, access);
	else if (!(access->flags & REEVE_ACCESS_INSIDE))
		learn_take_socket(learned, access);
	return learned->failed ? -ENOMEM : 0;
}

static int take_actor(void *data, const struct reeve_actor *actor)
{
	struct learned *learned = data;
	char *exe = actor->exe ? strdup(actor->exe) : NULL; /* the record's for this call only */

	if (actor->exe && !exe)
		return -ENOMEM;
	if (actor->id < learned->lineage_count)
		learned->lineage[actor->id] = (struct learn_kin){
			actor->comm, exe, actor->pid, actor->process, actor->parent};
	else
		free(exe);
	return 0;
}

/*
 * A program that gives itself another name is one program, by the name that it had last: when its
 * threads ask for something is not the same each time.
 */
static void settle_names(struct learned *learned)
{
	struct learn_kin *kin = learned->lineage;

	for (size_t id = learned->lineage_count; id-- > 1;) {
		struct learn_kin *last = &kin[kin[id].process];

		/* The first of a process remembers, on the way down, who was looked at last. */
		if (last->last && kin[id].exe && kin[last->last].exe &&
			strcmp(kin[id].exe, kin[last->last].exe) == 0)
			kin[id].comm = kin[last->last].comm;
		last->last = (uint32_t)id;
	}
}

static int take_actors(struct learned *learned, struct reeve_record *record, uint64_t count)
{
	int r;

	learned->lineage = calloc(count + 1, sizeof(*learned->lineage));
	if (!learned->lineage)
		return -ENOMEM;
	learned->lineage_count = count + 1;
	r = reeve_record_actors(record, take_actor, learned);
	if (r == 0)
		settle_names(learned);
	for (size_t id = 0; id <= count; id++) {
		free(learned->lineage[id].exe);
		learned->lineage[id].exe = NULL;
	}
	return r;
}

int learn_read(struct learned *learned, struct reeve_record *record)
{
	struct reeve_record_counters counters = {.size = sizeof(counters)};

	reeve_record_count(record, &counters);
	cli_path_table_reserve(&learned->paths, counters.accesses);
	if (take_actors(learned, record, counters.actors) < 0)
		return -ENOMEM;
	return reeve_record_each(record, take, learned);
}
