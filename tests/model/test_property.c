/* SPDX-License-Identifier: MIT */
/*
 * The model against the running kernel: random rulesets, up to four of them nested, random
 * requests, the same answers: allowed or denied, and the errno.
 *
 * REEVE_SEED (a number) makes other random ones, REEVE_PROPERTY_CASES more or fewer. At the first
 * disagreement the case is shown and the test ends.
 */
#include <inttypes.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include "prop.h"
#include "tap.h"

#define DEFAULT_SEED  20261123
#define DEFAULT_CASES 3200

/* How often each outcome was seen. */
struct tally {
	unsigned long allowed, denied, eacces, exdev;
};

struct run {
	struct prop_tree tree;
	struct prop_abilities can;
	struct prop_random random;
	struct tally kinds[PROP_KIND_COUNT], rights[64], all;
	int *answers; /* shared with the child */
};

static unsigned long number_from(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

/* ------------------------------------------------------------------- showing */

static void show_rights(const char *what, enum reeve_class cls, uint64_t bits)
{
	char buf[512];

	if (bits)
		printf("#     %s %s: %s\n", what, reeve_class_name(cls),
			reeve_rights_format(cls, bits, buf, sizeof(buf)));
}

static void show_layer(const struct prop_tree *tree, const struct prop_layer *layer)
{
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		show_rights("handles", (enum reeve_class)cls, layer->handled.of[cls]);
	for (int i = 0; i < layer->rule_count; i++) {
		printf("#     rule%s on %s\n", layer->rules[i].live ? ", live," : "",
			tree->nodes[layer->rules[i].node].path);
		show_rights("  allows", REEVE_FS, layer->rules[i].allowed);
	}
	for (int i = 0; i < layer->port_count; i++) {
		printf("#     rule on ports %u-%u\n", layer->ports[i].first, layer->ports[i].last);
		show_rights("  allows", REEVE_NET, layer->ports[i].allowed);
	}
}

static void show(const struct run *run, const struct prop_case *c,
	const struct prop_request *request, int model, int kernel)
{
	printf("# disagreement: %s %s -> %s, port %u\n", prop_kind_names[request->kind],
		run->tree.nodes[request->node].path, request->new_path, request->port);
	printf("#   the model says %s, the kernel %s\n", model ? strerror(model) : "allowed",
		kernel ? strerror(kernel) : "allowed");
	for (int i = 0; i < c->layer_count; i++) {
		printf("#   layer %d\n", i + 1);
		show_layer(&run->tree, &c->layers[i]);
	}
	if (c->has_resource)
		printf("#   the resource shares %d layers and adds %d\n", c->shared,
			c->added_count);
	for (int i = 0; i < c->added_count; i++)
		show_layer(&run->tree, &c->added[i]);
}

/* ------------------------------------------------------------------ counting */

static void count(struct tally *tally, int error)
{
	tally->allowed += error == 0;
	tally->denied += error != 0;
	tally->eacces += error == EACCES;
	tally->exdev += error == EXDEV;
}

/* A right is exercised where it decides: nothing else was missing, or it was needed and handled. */
static void count_rights(struct run *run, const struct prop_case *c, const struct prop_answer *said)
{
	uint64_t handled = 0;

	for (int i = 0; i < c->layer_count; i++)
		handled |= c->layers[i].handled.of[REEVE_FS];
	for (int bit = 0; bit < 64; bit++) {
		uint64_t right = UINT64_C(1) << bit;

		if (said->error == 0 && said->wanted & handled & right)
			run->rights[bit].allowed++;
		if (said->error != 0 && said->wanted && said->missing == right)
			run->rights[bit].denied++;
	}
}

static bool check_one(struct run *run, const struct prop_case *c, const struct prop_answer *said,
	const struct prop_request *request, int kernel)
{
	kernel = prop_normalise(request->kind, kernel);
	if (said->error != kernel) {
		show(run, c, request, said->error, kernel);
		return false;
	}
	count(&run->all, kernel);
	count(&run->kinds[request->kind], kernel);
	count_rights(run, c, said);
	return true;
}

static bool run_case(struct run *run, const struct prop_case *c)
{
	struct prop_domains domains;
	bool agree = true;

	if (prop_kernel_run(&run->tree, &run->can, c, run->answers) < 0)
		return false;
	if (prop_model_make(&run->tree, c, &domains) < 0) {
		printf("# the model refused a ruleset\n");
		prop_model_free(&domains);
		return false;
	}
	for (int i = 0; agree && i < c->request_count; i++) {
		struct prop_answer said = prop_model_answer(&run->tree, &domains, &c->requests[i]);

		agree = check_one(run, c, &said, &c->requests[i], run->answers[i]);
	}
	prop_model_free(&domains);
	return agree;
}

/* ------------------------------------------------------------- what was tried */

static bool is_exercised(const struct run *run, enum prop_kind kind)
{
	const struct tally *tally = &run->kinds[kind];
	bool refers = kind == PROP_RENAME_BETWEEN || kind == PROP_REPLACE ||
		      kind == PROP_EXCHANGE || kind == PROP_LINK_BETWEEN;

	if ((kind == PROP_BIND_TCP || kind == PROP_CONNECT_TCP) && !run->can.of[REEVE_NET])
		return true;
	if (kind == PROP_IOCTL && !(run->can.of[REEVE_FS] & REEVE_FS_IOCTL_DEV))
		return true;
	if (kind == PROP_TRUNCATE && !(run->can.of[REEVE_FS] & REEVE_FS_TRUNCATE))
		return true;
	if (kind == PROP_PTRACE && !run->can.ptrace)
		return true;
	if (kind >= PROP_SIGNAL && kind != PROP_PTRACE && !run->can.of[REEVE_SCOPE])
		return true;
	return tally->allowed && tally->denied && (!refers || (tally->eacces && tally->exdev));
}

/* Every kind of request, and every right that decides alone, in both outcomes. */
static bool show_coverage(const struct run *run)
{
	bool complete = true;

	for (int kind = 0; kind < PROP_KIND_COUNT; kind++) {
		const struct tally *t = &run->kinds[kind];

		printf("# %-28s %6lu allowed, %6lu denied (%lu EXDEV)\n", prop_kind_names[kind],
			t->allowed, t->denied, t->exdev);
		if (!is_exercised(run, (enum prop_kind)kind)) {
			printf("# %s was not seen with every outcome\n", prop_kind_names[kind]);
			complete = false;
		}
	}
	for (int bit = 0; bit < 64; bit++) {
		uint64_t right = UINT64_C(1) << bit;

		/* Refer decides in renames and links only, where it is not alone: counted above. */
		if (!(run->can.of[REEVE_FS] & right & ~REEVE_FS_REFER) ||
			(run->rights[bit].allowed && run->rights[bit].denied))
			continue;
		printf("# fs right %d was not seen with both outcomes\n", bit);
		complete = false;
	}
	return complete;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool balanced(const struct run *run)
{
	unsigned long total = run->all.allowed + run->all.denied;

	return total && run->all.allowed * 100 / total >= 30 && run->all.denied * 100 / total >= 30;
}

/* -------------------------------------------------------------------- the runs */

/*
 * Parent and child take turns for each undoing. On one processor a turn is a few microseconds; to
 * wake another one costs ten times as much.
 */
static void stay_on_one_processor(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void set_up(struct run *run)
{
	memset(run, 0, sizeof(*run));
	stay_on_one_processor();
	prop_kernel_probe(&run->can);
	if (run->can.abi < 1)
		SKIP("landlock: the kernel has none");
	run->random.state = number_from("REEVE_SEED", DEFAULT_SEED);
	run->answers = mmap(NULL, PROP_REQUESTS * sizeof(int), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(run->answers != MAP_FAILED);
	if (prop_tree_make(&run->tree) < 0) {
		printf("# cannot make a tree in %s: %s\n", run->tree.top, strerror(errno));
		prop_tree_remove(&run->tree);
		CHECK(!"prop_tree_make");
	}
}

/* Else a denial could be something else's. */
static void works_outside(void)
{
	static struct run run;
	static struct prop_case c;
	bool fine = true;

	set_up(&run);
	for (int n = 0; fine && n < 20; n++) {
		prop_generate(&run.random, &run.tree, &run.can, &c);
		c.layer_count = c.shared = c.added_count = 0;
		fine = run_case(&run, &c);
	}
	prop_tree_remove(&run.tree);
	CHECK(fine);
	CHECK(run.all.denied == 0);
}

static void agrees(void)
{
	static struct run run;
	static struct prop_case c;
	unsigned long cases = number_from("REEVE_PROPERTY_CASES", DEFAULT_CASES), n;
	double start = seconds();
	bool fine = true;

	set_up(&run);
	printf("# REEVE_SEED=%" PRIu64 ", Landlock ABI %d, %s\n", run.random.state, run.can.abi,
		run.can.is_root ? "root" : "not root");
	for (n = 0; fine && n < cases; n++) {
		prop_generate(&run.random, &run.tree, &run.can, &c);
		fine = run_case(&run, &c);
	}
	prop_tree_remove(&run.tree);
	if (!fine)
		printf("# in case %lu\n", n);
	CHECK(fine);
	fine = show_coverage(&run);
	printf("# %lu domains, %lu requests: %lu allowed (%.0f %%), %lu denied; %.1f s\n", n,
		run.all.allowed + run.all.denied, run.all.allowed,
		100.0 * (double)run.all.allowed / (double)(run.all.allowed + run.all.denied),
		run.all.denied, seconds() - start);
	CHECK(fine);
	CHECK(balanced(&run));
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"without a domain every request works", works_outside},
		{"the model and the kernel agree", agrees},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
