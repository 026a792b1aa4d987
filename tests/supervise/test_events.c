/* SPDX-License-Identifier: MIT */
/* The event queue: order, losses, readers that come and go or block, and what is kept. */
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/cleanup.h"
#include "supervise/events.h"
#include "tap.h"

#define DOMAIN 0xabcdef

/* What a reader saw; it can be made to block. */
struct reader {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool blocked; /* it waits as long as this is set */
	bool inside;
	uint64_t seen, lost, last_sequence;
	bool wrong; /* a hole, a wrong domain … */
	struct rv_events *events;
	unsigned int id;
};

#define READER                                                                                     \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER             \
	}

static void see(void *data, const struct reeve_event *event)
{
	struct reader *reader = data;

	pthread_mutex_lock(&reader->lock);
	reader->inside = true;
	pthread_cond_broadcast(&reader->changed);
	while (reader->blocked)
		pthread_cond_wait(&reader->changed, &reader->lock);
	reader->wrong |= event->sequence != reader->last_sequence + 1 || event->domain != DOMAIN ||
			 event->size != sizeof(*event) || event->time.tv_sec == 0;
	reader->last_sequence = event->sequence;
	if (event->kind == REEVE_EVENT_LOST)
		reader->lost += event->count;
	else
		reader->seen++;
	reader->inside = false;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

static void wait_for(struct reader *reader, uint64_t events)
{
	pthread_mutex_lock(&reader->lock);
	while (reader->seen + reader->lost < events)
		pthread_cond_wait(&reader->changed, &reader->lock);
	pthread_mutex_unlock(&reader->lock);
}

static void set_blocked(struct reader *reader, bool blocked)
{
	pthread_mutex_lock(&reader->lock);
	reader->blocked = blocked;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

static void wait_inside(struct reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	while (!reader->inside)
		pthread_cond_wait(&reader->changed, &reader->lock);
	pthread_mutex_unlock(&reader->lock);
}

static struct rv_events *new_events(struct reader *reader)
{
	struct rv_events *events = NULL;

	CHECK_EQ(rv_events_new(DOMAIN, reader ? see : NULL, reader, &events), 0);
	return events;
}

static void put(struct rv_events *events, const char *object)
{
	struct reeve_event event = {.kind = REEVE_EVENT_DENIED,
		.object = object,
		.missing = REEVE_FS_READ_FILE,
		.exe = "/bin/cat"};

	rv_events_put(events, &event);
}

/* ------------------------------------------------------------------------- queue */

static void all_that_is_put_is_handed_out(void)
{
	struct reader reader = READER;
	struct rv_events *events = new_events(&reader);
	uint64_t count, lost;

	for (int i = 0; i < 1000; i++)
		put(events, "/x");
	wait_for(&reader, 1000);
	rv_events_counters(events, &count, &lost);
	CHECK_EQ(count, 1000);
	CHECK_EQ(lost, 0);
	/* What is in the queue at the end, too. */
	put(events, "/y");
	rv_events_free(events);
	CHECK_EQ(reader.seen, 1001);
	CHECK(!reader.wrong);
}

struct flood {
	struct rv_events *events;
	int count;
};

static void *flood(void *data)
{
	const struct flood *from = data;

	for (int i = 0; i < from->count; i++)
		put(from->events, "/x");
	return NULL;
}

static void many_threads_put(void)
{
	struct reader reader = READER;
	struct flood from = {new_events(&reader), 20000};
	uint64_t count, lost;
	pthread_t threads[4];

	for (size_t i = 0; i < RV_COUNT(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, flood, &from), 0);
	for (size_t i = 0; i < RV_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	wait_for(&reader, 80000);
	rv_events_counters(from.events, &count, &lost);
	rv_events_free(from.events);
	printf("# %llu lost\n", (unsigned long long)lost);
	CHECK_EQ(reader.seen, count);
	CHECK_EQ(reader.lost, lost);
	CHECK_EQ(count + lost, 80000);
	CHECK(!reader.wrong);
}

/* The puts below would never end if they waited for the reader. */
static void a_blocked_reader_loses(void)
{
	struct reader reader = READER;
	struct rv_events *events;
	uint64_t count, lost;

	reader.blocked = true;
	events = new_events(&reader);
	put(events, "/first");
	wait_inside(&reader);
	for (int i = 0; i < 3 * RV_EVENTS_RING; i++)
		put(events, "/x");
	rv_events_counters(events, &count, &lost);
	CHECK(lost >= 2 * RV_EVENTS_RING);
	set_blocked(&reader, false);
	/* The loss is announced without another event. */
	wait_for(&reader, 3 * RV_EVENTS_RING + 1);
	put(events, "/last");
	wait_for(&reader, 3 * RV_EVENTS_RING + 2);
	rv_events_free(events);
	CHECK_EQ(reader.lost, lost);
	CHECK(!reader.wrong);
}

static void a_loss_precedes_the_next_event(void)
{
	struct reader reader = READER;
	struct rv_events *events;

	reader.blocked = true;
	events = new_events(&reader);
	put(events, "/first");
	wait_inside(&reader);
	for (int i = 0; i < RV_EVENTS_RING + 10; i++)
		put(events, "/x");
	/* Lets one event go. */
	pthread_mutex_lock(&reader.lock);
	reader.blocked = false;
	pthread_cond_broadcast(&reader.changed);
	while (reader.seen < 2)
		pthread_cond_wait(&reader.changed, &reader.lock);
	reader.blocked = true;
	pthread_mutex_unlock(&reader.lock);
	put(events, "/y");
	set_blocked(&reader, false);
	wait_for(&reader, RV_EVENTS_RING + 12);
	rv_events_free(events);
	CHECK(reader.lost >= 10);
	CHECK(!reader.wrong);
}

static size_t memory_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static char *long_name(size_t length, int number)
{
	char *name = malloc(length + 1);

	CHECK(name);
	memset(name, 'a', length);
	name[length] = '\0';
	snprintf(name, length, "/%d-", number);
	name[strlen(name)] = 'a';
	return name;
}

static int check_length(void *data, const struct reeve_event *event, uint64_t count)
{
	size_t *entries = data;

	CHECK(strlen(event->object) < PATH_MAX);
	CHECK_EQ(count, 1);
	++*entries;
	return 0;
}

static void memory_is_bounded(void)
{
	struct reader reader = READER;
	struct rv_events *events;
	size_t before = memory_used(), used, entries = 0;

	reader.blocked = true;
	events = new_events(&reader);
	put(events, "/first");
	wait_inside(&reader);
	for (int i = 0; i < 20000; i++) {
		rv_autofree char *name = long_name(i % 2 ? 100000 : 4000, i);

		put(events, name);
	}
	used = memory_used() - before;
	printf("# %zu KiB\n", used >> 10);
	CHECK(used < 5u << 20);
	CHECK_EQ(rv_events_kept(events, check_length, &entries), 0);
	CHECK(entries > 100);
	set_blocked(&reader, false);
	rv_events_free(events);
	CHECK(memory_used() <= before + 4096);
}

/* ----------------------------------------------------------------------- readers */

static void leave(void *data, const struct reeve_event *event)
{
	struct reader *reader = data;

	see(reader, event);
	rv_events_unsubscribe(reader->events, reader->id);
}

static void leaving_from_the_callback(void)
{
	struct reader stays = READER, leaves = READER;
	struct rv_events *events = new_events(&stays);

	leaves.events = events;
	CHECK_EQ(rv_events_subscribe(events, leave, &leaves, &leaves.id), 0);
	for (int i = 0; i < 10; i++)
		put(events, "/x");
	wait_for(&stays, 10);
	rv_events_free(events);
	CHECK_EQ(stays.seen, 10);
	CHECK_EQ(leaves.seen, 1);
}

static void join(void *data, const struct reeve_event *event)
{
	struct reader *reader = data;

	(void)event;
	if (!reader->id)
		CHECK_EQ(rv_events_subscribe(reader->events, see, reader, &reader->id), 0);
}

static void joining_from_the_callback(void)
{
	struct reader stays = READER, joins = READER;
	struct rv_events *events = new_events(&stays);
	unsigned int id;

	joins.events = events;
	joins.last_sequence = 1;
	CHECK_EQ(rv_events_subscribe(events, join, &joins, &id), 0);
	for (int i = 0; i < 10; i++)
		put(events, "/x");
	rv_events_free(events);
	CHECK_EQ(stays.seen, 10);
	CHECK_EQ(joins.seen, 9);
	CHECK(!joins.wrong);
}

static void *release_soon(void *data)
{
	set_blocked(data, false);
	return NULL;
}

/* Its memory may be freed as soon as unsubscribe returns. */
static void not_called_after_unsubscribe(void)
{
	struct rv_events *events = new_events(NULL);

	for (int i = 0; i < 200; i++) {
		struct reader *reader = malloc(sizeof(*reader));
		pthread_t thread;
		unsigned int id;

		*reader = (struct reader)READER;
		reader->blocked = true;
		CHECK_EQ(rv_events_subscribe(events, see, reader, &id), 0);
		put(events, "/x");
		put(events, "/y");
		wait_inside(reader);
		CHECK_EQ(pthread_create(&thread, NULL, release_soon, reader), 0);
		rv_events_unsubscribe(events, id);
		CHECK(!reader->inside);
		pthread_join(thread, NULL);
		memset(reader, 0xff, sizeof(*reader));
		free(reader);
		put(events, "/z");
	}
	rv_events_free(events);
}

static void *come_and_go(void *data)
{
	struct rv_events *events = data;

	for (int i = 0; i < 500; i++) {
		struct reader reader = READER;
		unsigned int id;

		CHECK_EQ(rv_events_subscribe(events, see, &reader, &id), 0);
		put(events, "/x");
		rv_events_unsubscribe(events, id);
	}
	return NULL;
}

static void readers_come_and_go(void)
{
	struct reader stays = READER;
	struct rv_events *events = new_events(&stays);
	pthread_t threads[4];

	for (size_t i = 0; i < RV_COUNT(threads); i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, come_and_go, events), 0);
	for (size_t i = 0; i < RV_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	wait_for(&stays, 2000);
	rv_events_free(events);
	CHECK_EQ(stays.seen + stays.lost, 2000);
	CHECK(!stays.wrong);
}

/* It is given up after a while without progress. Takes that while. */
static void the_end_with_a_reader_that_never_returns(void)
{
	static struct reader reader = READER;
	struct rv_events *events;

	reader.blocked = true;
	events = new_events(&reader);
	put(events, "/x");
	put(events, "/y");
	wait_inside(&reader);
	rv_events_free(events);
	set_blocked(&reader, false);
	wait_for(&reader, 1);
	CHECK_EQ(reader.seen, 1);
}

/* -------------------------------------------------------------------------- kept */

struct list {
	size_t count;
	uint64_t total;
	char first[64], last[64];
	struct rv_events *events;
	size_t stop_at;
};

static int collect(void *data, const struct reeve_event *event, uint64_t count)
{
	struct list *list = data;

	if (list->count++ == 0)
		snprintf(list->first, sizeof(list->first), "%s", event->object);
	snprintf(list->last, sizeof(list->last), "%s", event->object);
	list->total += count;
	if (list->events)
		put(list->events, "/from/the/callback");
	return list->stop_at && list->count == list->stop_at ? 7 : 0;
}

static struct list list_kept(struct rv_events *events)
{
	struct list list = {0};

	CHECK_EQ(rv_events_kept(events, collect, &list), 0);
	return list;
}

/* A guard's refusals are kept as well: by guard and call. */
static void guards_are_kept(void)
{
	struct rv_events *events = new_events(NULL);
	struct reeve_event guard = {
		.kind = REEVE_EVENT_GUARD, .object = "/a", .by = "guard.tcp", .call = "socket"};
	struct list list;

	put(events, "/a");
	rv_events_put(events, &guard);
	rv_events_put(events, &guard);
	guard.call = "sendto";
	rv_events_put(events, &guard);
	guard.by = "guard.tty";
	rv_events_put(events, &guard);
	list = list_kept(events);
	CHECK_EQ(list.count, 4);
	CHECK_EQ(list.total, 5);
	rv_events_free(events);
}

static void equal_denials_are_joined(void)
{
	struct rv_events *events = new_events(NULL);
	struct reeve_event other = {.kind = REEVE_EVENT_DENIED,
		.object = "/a",
		.missing = REEVE_FS_WRITE_FILE,
		.exe = "/bin/cat"};
	struct reeve_event commit = {.kind = REEVE_EVENT_COMMIT, .object = "/a"};
	struct list list;

	put(events, "/a");
	put(events, "/b");
	for (int i = 0; i < 9; i++)
		put(events, "/a");
	rv_events_put(events, &commit);
	list = list_kept(events);
	CHECK_EQ(list.count, 2);
	CHECK_EQ(list.total, 11);
	CHECK_STR(list.first, "/b");
	CHECK_STR(list.last, "/a");
	rv_events_put(events, &other); /* other rights */
	other.exe = "/bin/dog";
	rv_events_put(events, &other);
	other.exe = NULL;
	rv_events_put(events, &other);
	other.object2 = "/b";
	rv_events_put(events, &other);
	rv_events_put(events, &other);
	list = list_kept(events);
	CHECK_EQ(list.count, 6);
	CHECK_EQ(list.total, 16);
	rv_events_free(events);
}

static void the_oldest_is_forgotten(void)
{
	struct rv_events *events = new_events(NULL);
	struct list list;
	char name[32];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < RV_EVENTS_KEPT + 10; i++) {
			snprintf(name, sizeof(name), "/%d/%d", round, i);
			put(events, name);
			put(events, "/again");
		}
	}
	list = list_kept(events);
	CHECK_EQ(list.count, RV_EVENTS_KEPT);
	CHECK_STR(list.first, "/2/11");
	CHECK_STR(list.last, "/again");
	CHECK_EQ(list.total, RV_EVENTS_KEPT - 1 + 3 * (RV_EVENTS_KEPT + 10));
	list = (struct list){.events = events, .stop_at = 5};
	CHECK_EQ(rv_events_kept(events, collect, &list), 7);
	CHECK_EQ(list.count, 5);
	rv_events_free(events);
}

/* What a blocked reader loses is kept nevertheless. */
static void lost_denials_are_kept(void)
{
	struct reader reader = READER;
	struct rv_events *events;

	reader.blocked = true;
	events = new_events(&reader);
	for (int i = 0; i < 2 * RV_EVENTS_RING; i++)
		put(events, "/x");
	CHECK_EQ(list_kept(events).total, 2 * RV_EVENTS_RING);
	set_blocked(&reader, false);
	rv_events_free(events);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"all that is put is handed out, in order", all_that_is_put_is_handed_out},
		{"many threads put", many_threads_put},
		{"a reader that blocks loses, and learns how much", a_blocked_reader_loses},
		{"a loss comes before the next event", a_loss_precedes_the_next_event},
		{"memory is bounded", memory_is_bounded},
		{"a reader leaves from its callback", leaving_from_the_callback},
		{"a reader joins from a callback", joining_from_the_callback},
		{"nobody is called after unsubscribe", not_called_after_unsubscribe},
		{"readers come and go", readers_come_and_go},
		{"the end, with a reader that never returns",
			the_end_with_a_reader_that_never_returns},
		{"equal denials are joined", equal_denials_are_joined},
		{"refusals by guards are kept", guards_are_kept},
		{"the oldest denial is forgotten", the_oldest_is_forgotten},
		{"denials that readers lose are kept", lost_denials_are_kept},
	};

	return tap_run(cases, RV_COUNT(cases));
}
