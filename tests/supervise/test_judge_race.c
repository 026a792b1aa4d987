/* SPDX-License-Identifier: MIT */
/* A judge against the model by random rules, from many threads at once, and with many rules. */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include "judge_util.h"

#define THREADS 4

/* ------------------------------------------------------------- against the model */

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % below;
}

static void draw_path(char *path, size_t size)
{
	size_t at = 0;

	for (uint32_t depth = draw(4); depth > 0; depth--)
		at += (size_t)snprintf(path + at, size - at, "/%c", 'a' + (char)draw(3));
	if (at == 0)
		snprintf(path, size, "/");
}

static uint64_t draw_rights(void)
{
	static const uint64_t rights[] = {RF, WF, TR, REEVE_FS_REFER, REEVE_FS_MAKE_REG,
		REEVE_FS_REMOVE_FILE, REEVE_FS_MAKE_DIR, REEVE_FS_REMOVE_DIR};
	uint64_t drawn = 0;

	for (size_t i = 0; i < RV_COUNT(rights); i++)
		drawn |= draw(2) ? rights[i] : 0;
	return drawn ? drawn : RF;
}

static struct reeve_rule draw_rule(char *path, size_t size)
{
	struct reeve_rule rule;

	draw_path(path, size);
	rule = path_rule(path, draw_rights());
	rule.quiet = draw(3) ? 0 : draw_rights();
	if (draw(6) == 0)
		rule.flags = REEVE_RULE_DENY;
	return rule;
}

struct pair {
	struct rv_judge *judge;
	struct reeve_domain *domain; /* with the same floor and live part */
	struct reeve_domain *floor;
};

static struct pair draw_pair(void)
{
	struct reeve_rights handled = {{HANDLED, 0, 0, 0}};
	struct reeve_ruleset *floor = NULL, *none = NULL;
	struct pair pair;
	struct reeve_rule rule;
	char path[32];

	CHECK_EQ(reeve_ruleset_new(&handled, &floor), 0);
	CHECK_EQ(reeve_ruleset_new(&handled, &none), 0);
	for (uint32_t i = draw(4); i > 0; i--) {
		rule = draw_rule(path, sizeof(path));
		rule.flags = 0;
		CHECK_EQ(reeve_ruleset_add(floor, &rule, NULL), 0);
	}
	CHECK_EQ(rv_judge_new(floor, none, &pair.judge), 0);
	CHECK_EQ(reeve_domain_new(NULL, floor, &pair.domain), 0);
	CHECK_EQ(reeve_domain_new(NULL, floor, &pair.floor), 0);
	for (uint32_t i = draw(6); i > 0; i--) {
		rule = draw_rule(path, sizeof(path));
		CHECK_EQ(rv_judge_stage_add(pair.judge, &rule, NULL, NULL), 0);
		CHECK_EQ(reeve_domain_stage_add(pair.domain, &rule, NULL), 0);
	}
	commit(pair.judge);
	CHECK_EQ(reeve_domain_commit(pair.domain), 0);
	reeve_ruleset_free(floor);
	reeve_ruleset_free(none);
	return pair;
}

static void check_same(const struct rv_judgement *judgement, const struct reeve_decision *floor,
	const struct reeve_decision *both)
{
	if (floor->allowed) {
		CHECK_EQ(judgement->result, RV_FLOOR_ALLOWS);
		return;
	}
	CHECK_EQ(judgement->result, both->allowed ? RV_LIVE_ALLOWS : RV_DENIED);
	CHECK_EQ(judgement->decision.allowed, both->allowed);
	CHECK_EQ(judgement->decision.missing, both->missing);
	CHECK_EQ(judgement->decision.quiet, both->quiet);
	CHECK_EQ(judgement->decision.error, both->error);
	CHECK_EQ(judgement->decision.layer, both->layer);
	CHECK_EQ(judgement->ticket_count > 0, both->allowed);
}

static void compare_paths(const struct pair *pair)
{
	struct reeve_decision floor, both;
	struct rv_judgement judgement;
	uint64_t access;
	char path[32];

	draw_path(path, sizeof(path));
	access = draw_rights();
	judgement = on_path(pair->judge, path, access);
	reeve_decide_path(pair->floor, path, access, &floor);
	reeve_decide_path(pair->domain, path, access, &both);
	check_same(&judgement, &floor, &both);
}

/* Where the judge is stricter than the model: live rules are tied to paths, so that one on the new
 * name, or below it, is a gain as well, and static rules count where they are for sure. */
static struct {
	unsigned int allowed, stricter;
} moves;

/* What the floor allows is refused where it gains rights by the live rules, in the model too; live
 * denials take nothing from the floor. */
static bool is_stricter(const struct rv_judgement *judgement, const struct reeve_decision *floor,
	const struct reeve_decision *both)
{
	bool may_be = both->allowed || (floor->allowed && both->error != EXDEV);

	if (!both->allowed && !floor->allowed)
		return false;
	moves.allowed++;
	if (may_be && judgement->result != RV_DENIED)
		return false;
	moves.stricter++;
	CHECK_EQ(judgement->result, RV_DENIED);
	CHECK_EQ(judgement->decision.error, EXDEV);
	CHECK(judgement->decision.missing);
	CHECK_EQ(judgement->ticket_count, 0);
	return true;
}

static void compare_moves(const struct pair *pair)
{
	static const unsigned int modes[] = {S_IFREG, S_IFDIR};
	char from[32], to[32];
	struct reeve_refer refer = {.old_path = from, .new_path = to};
	struct reeve_decision floor, both;
	struct rv_judgement judgement;

	draw_path(from, sizeof(from));
	draw_path(to, sizeof(to));
	refer.old_mode = modes[draw(2)];
	refer.new_mode = draw(2) ? modes[draw(2)] : 0;
	refer.is_link = draw(3) == 0;
	refer.is_exchange = !refer.is_link && refer.new_mode && draw(2);
	memset(&judgement, 0xff, sizeof(judgement));
	rv_judge_refer(pair->judge, &refer, &judgement);
	reeve_decide_refer(pair->floor, &refer, &floor);
	reeve_decide_refer(pair->domain, &refer, &both);
	if (!is_stricter(&judgement, &floor, &both))
		check_same(&judgement, &floor, &both);
}

static void as_the_model_decides(void)
{
	const char *seed = getenv("REEVE_TEST_SEED");

	state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("# REEVE_TEST_SEED=%llu\n", (unsigned long long)state);
	fflush(stdout);
	for (int i = 0; i < 3000; i++) {
		struct pair pair = draw_pair();

		for (int k = 0; k < 20; k++) {
			compare_paths(&pair);
			compare_moves(&pair);
		}
		rv_judge_free(pair.judge);
		reeve_domain_free(pair.domain);
		reeve_domain_free(pair.floor);
	}
	printf("# %u moves allowed, of which %u gain by paths\n", moves.allowed, moves.stricter);
	CHECK(moves.stricter < moves.allowed / 2);
}

/* --------------------------------------------------------------------- threads */

struct shared {
	struct rv_judge *judge;
	atomic_bool stop;
	atomic_uint halves, decisions, wins, changes;
	pthread_barrier_t barrier;
};

/* Either reading or writing is granted, in one commit each: never both, never neither. */
static void *decide(void *data)
{
	struct shared *shared = data;

	while (!atomic_load(&shared->stop)) {
		struct rv_judgement j = on_path(shared->judge, "/w/x", RF | WF);

		if (j.result != RV_DENIED || (j.decision.missing != RF && j.decision.missing != WF))
			atomic_fetch_add(&shared->halves, 1);
		atomic_fetch_add(&shared->decisions, 1);
	}
	return NULL;
}

/* The same for a rename, which two rules grant together: the last commit has both or none. */
static void *decide_moves(void *data)
{
	static const struct reeve_refer refer = {
		.old_path = "/a/x", .new_path = "/b/x", .old_mode = S_IFREG};
	struct shared *shared = data;

	while (!atomic_load(&shared->stop)) {
		struct rv_judgement j;

		rv_judge_refer(shared->judge, &refer, &j);
		if (j.result != RV_LIVE_ALLOWS)
			atomic_fetch_add(&shared->halves, 1);
		else
			rv_judge_used(shared->judge, &j);
		atomic_fetch_add(&shared->decisions, 1);
	}
	return NULL;
}

static void stage_state(struct rv_judge *judge, int i)
{
	uint64_t move = RF | WF | REEVE_FS_MAKE_REG | REEVE_FS_REMOVE_FILE | REEVE_FS_REFER;

	CHECK_EQ(rv_judge_stage_clear(judge), 0);
	stage(judge, "/w", i % 2 ? RF : WF, NULL);
	/* The rights come from two rules on each side, or from one above both. */
	if (i % 2) {
		stage(judge, "/", move & ~(RF | WF), NULL);
	} else {
		stage(judge, "/a", move & ~(RF | WF), NULL);
		stage(judge, "/b", move & ~(RF | WF), NULL);
	}
}

static void no_half_commits(void)
{
	struct shared shared = {.judge = new_judge()};
	pthread_t threads[THREADS];

	stage_state(shared.judge, 0);
	commit(shared.judge);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, i % 2 ? decide_moves : decide, &shared),
			0);
	for (int i = 0; i < 5000 || atomic_load(&shared.decisions) < 20000; i++) {
		stage_state(shared.judge, i);
		commit(shared.judge);
	}
	atomic_store(&shared.stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("# %u decisions\n", atomic_load(&shared.decisions));
	CHECK_EQ(atomic_load(&shared.halves), 0);
	rv_judge_free(shared.judge);
}

static void *race_for_it(void *data)
{
	struct shared *shared = data;
	struct rv_judgement j;

	pthread_barrier_wait(&shared->barrier);
	j = on_path(shared->judge, "/w/x", RF);
	if (j.result == RV_LIVE_ALLOWS && rv_judge_used(shared->judge, &j))
		atomic_fetch_add(&shared->wins, 1);
	return NULL;
}

/* Meanwhile the rule's snapshot is replaced, with the rule in it. */
static void *commit_others(void *data)
{
	struct shared *shared = data;

	pthread_barrier_wait(&shared->barrier);
	for (int i = 0; i < 3; i++) {
		stage(shared->judge, "/other", RF, NULL);
		commit(shared->judge);
	}
	return NULL;
}

static void one_of_many_wins(void)
{
	static const struct reeve_live_options once = {.size = sizeof(once), .once = true};

	for (int round = 0; round < 300; round++) {
		struct shared shared = {.judge = new_judge()};
		pthread_t threads[THREADS + 1];

		stage(shared.judge, "/w", RF, &once);
		commit(shared.judge);
		pthread_barrier_init(&shared.barrier, NULL, THREADS + 1);
		for (int i = 0; i <= THREADS; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, i ? race_for_it : commit_others,
					 &shared),
				0);
		for (int i = 0; i <= THREADS; i++)
			pthread_join(threads[i], NULL);
		CHECK_EQ(atomic_load(&shared.wins), 1);
		CHECK_EQ(on_path(shared.judge, "/w/x", RF).result, RV_DENIED);
		CHECK_EQ(count_rules(shared.judge), 3);
		pthread_barrier_destroy(&shared.barrier);
		rv_judge_free(shared.judge);
	}
}

/* Adding, revoking, listing and expiring from all sides: nothing is lost or kept too long. */
static void *change(void *data)
{
	struct shared *shared = data;
	struct reeve_live_options brief = {.size = sizeof(brief), .milliseconds = 1};
	char path[32];

	snprintf(path, sizeof(path), "/t/%u", atomic_fetch_add(&shared->changes, 1));
	for (int i = 0; i < 300; i++) {
		struct reeve_rule rule = path_rule(path, 0);
		uint64_t next;

		stage(shared->judge, path, RF, NULL);
		stage(shared->judge, "/brief", RF, &brief);
		commit(shared->judge);
		CHECK_EQ(on_path(shared->judge, path, RF).result, RV_LIVE_ALLOWS);
		CHECK(count_rules(shared->judge) >= 1);
		CHECK(rv_judge_stage_revoke(shared->judge, &rule, NULL) >= 0);
		commit(shared->judge);
		CHECK_EQ(on_path(shared->judge, path, RF).result, RV_DENIED);
		CHECK(rv_judge_expire(shared->judge, &next) >= 0);
	}
	return NULL;
}

static void changes_from_all_sides(void)
{
	struct shared shared = {.judge = new_judge()};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, change, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while (rv_judge_has_live(shared.judge))
		;
	CHECK_EQ(count_rules(shared.judge), 0);
	rv_judge_free(shared.judge);
}

/* ------------------------------------------------------------------- many of them */

static double elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - since->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - since->tv_nsec) / 1e6;
}

static void ten_thousand_rules(void)
{
	struct reeve_live_options options = {.size = sizeof(options), .by = "uid 1000"};
	struct rv_judge *judge = new_judge();
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, used;
	struct reeve_rule rule = path_rule(NULL, RF);
	struct timespec start;
	char path[64];

	rule.origin = "--ro /home/user/project";
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "/home/user/project/src/file-%d.c", i);
		rule.path = path;
		CHECK_EQ(rv_judge_stage_add(judge, &rule, &options, NULL), 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	commit(judge);
	used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	printf("# a commit of 10000 rules: %.2f ms, %zu KiB\n", elapsed_ms(&start), used >> 10);
	CHECK(used < 3u << 20);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path), "/home/user/project/src/file-%d.c", i % 10000);
		CHECK_EQ(on_path(judge, path, RF).result, RV_LIVE_ALLOWS);
	}
	printf("# a decision by one of them: %.0f ns\n", elapsed_ms(&start) * 10);
	rv_judge_free(judge);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"decides as the model does", as_the_model_decides},
		{"no decision sees half a commit", no_half_commits},
		{"one of many requests gets a rule granted once", one_of_many_wins},
		{"changes from all sides", changes_from_all_sides},
		{"10000 rules", ten_thousand_rules},
	};

	return tap_run(cases, RV_COUNT(cases));
}
