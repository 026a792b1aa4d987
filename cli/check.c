/* SPDX-License-Identifier: MIT */
/* `reeve check`: what this machine can enforce, and by whom; with proof on request. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include "json.h"
#include "verbs.h"

#define NAME_WIDTH 28
#define BY_WIDTH   11
#define LABEL	   22

struct check_options {
	bool verify, json;
};

static const struct cli_option options[] = {
	{"--verify", 0, NULL,
		"try to break each feature that is claimed, with real processes in a temporary "
		"directory, and say what held",
		CLI_NOTHING, CLI_FLAG, offsetof(struct check_options, verify)},
	{"--json", 0, NULL, "print one JSON object a line", CLI_NOTHING, CLI_FLAG,
		offsetof(struct check_options, json)},
	{0},
};

static const char text[] =
	"For each feature: who enforces it on this machine (the kernel's Landlock, a\n"
	"seccomp filter, reeve's supervisor, or nobody yet) and, where nobody does, why.\n"
	"\n"
	"Exit code: 0; with --verify 1 where a claim is disproved; 125 reeve failed.\n";

/* ------------------------------------------------------------- the machine */

static const char *yes(bool value)
{
	return value ? "yes" : "no";
}

/* "1, 3": the errata that are fixed. */
static void errata_text(uint64_t errata, char *buf, size_t size)
{
	size_t length = 0;

	snprintf(buf, size, "none reported");
	for (unsigned int i = 0; i < 64 && length < size; i++)
		if (errata >> i & 1)
			length += (size_t)snprintf(
				buf + length, size - length, "%s%u", length ? ", " : "", i + 1);
}

static const char *yama_text(int yama)
{
	static const char *const texts[] = {"0: any process of the user may be traced",
		"1: only descendants may be traced", "2: only with CAP_SYS_PTRACE", "3: nobody"};

	if (yama < 0)
		return "not there";
	return yama < (int)CLI_COUNT(texts) ? texts[yama] : "unknown";
}

static const char *landlock_text(const struct reeve_kernel *kernel, char *buf, size_t size)
{
	if (kernel->landlock_abi > 0)
		snprintf(buf, size, "ABI %d%s", kernel->landlock_abi,
			kernel->landlock_abi > REEVE_ABI_MAX ? ", newer than this reeve knows"
							     : "");
	else if (kernel->landlock_error == EOPNOTSUPP)
		snprintf(buf, size,
			"built in, but not enabled: add \"landlock\" to the kernel "
			"parameter lsm=");
	else
		snprintf(buf, size, "not in this kernel");
	return buf;
}

static void print_fact(const char *label, const char *value)
{
	printf("  %-*s", LABEL, label);
	cli_fill(stdout, 2 + LABEL, 2 + LABEL, value);
}

static void print_machine(const struct reeve_kernel *kernel)
{
	char landlock[128], errata[128], system[256];
	struct utsname uts = {0};

	uname(&uts);
	snprintf(system, sizeof(system), "%s %s, %s", uts.sysname, uts.release, uts.machine);
	errata_text(kernel->landlock_errata, errata, sizeof(errata));
	cli_styled(CLI_HEADING, "This machine");
	putchar('\n');
	print_fact("kernel", system);
	print_fact("Landlock", landlock_text(kernel, landlock, sizeof(landlock)));
	print_fact("Landlock errata fixed", errata);
	print_fact("seccomp filter", yes(kernel->seccomp_filter));
	print_fact("user notification", yes(kernel->user_notif));
	print_fact("wait killable", yes(kernel->wait_killable_recv));
	if (kernel->listener_taken)
		print_fact("supervised already", "yes: no second supervisor is possible");
	print_fact("no_new_privs set", yes(kernel->no_new_privs));
	print_fact("Yama ptrace scope", yama_text(kernel->yama));
}

static bool json_machine(const struct reeve_kernel *kernel)
{
	json_t *line = cli_json_new("machine"), *errata = json_array();
	struct utsname uts = {0};

	uname(&uts);
	for (unsigned int i = 0; i < 64; i++)
		if (kernel->landlock_errata >> i & 1)
			json_array_append_new(errata, json_integer(i + 1));
	cli_json_text(line, "reeve", reeve_version());
	cli_json_text(line, "kernel", uts.release);
	cli_json_text(line, "architecture", uts.machine);
	json_object_set_new(line, "landlock_abi", json_integer(kernel->landlock_abi));
	json_object_set_new(line, "landlock_errata", errata);
	json_object_set_new(line, "seccomp_filter", json_boolean(kernel->seccomp_filter));
	json_object_set_new(line, "user_notification", json_boolean(kernel->user_notif));
	json_object_set_new(line, "wait_killable", json_boolean(kernel->wait_killable_recv));
	json_object_set_new(line, "listener_taken", json_boolean(kernel->listener_taken));
	json_object_set_new(line, "no_new_privs", json_boolean(kernel->no_new_privs));
	json_object_set_new(line, "yama", json_integer(kernel->yama));
	return cli_json_line(line);
}

/* ------------------------------------------------------------- the features */

static const struct {
	const char *capability, *heading;
} capabilities[] = {
	{"C1", "Static sandbox: files, ports, scopes, logging"},
	{"C2", "Pathname UNIX sockets"},
	{"C3", "Domain ids"},
	{"C4", "Rules that change while the program runs"},
	{"C5", "Events, questions, permissive mode"},
	{"C6", "Creation of sockets"},
	{"C7", "Guarantees across domains"},
	{"C8", "Addresses, exceptions in a grant, memfds"},
};

static const char *by_text(enum reeve_enforcer by)
{
	return by == REEVE_BY_NOBODY ? "nobody yet" : reeve_enforcer_name(by);
}

static void print_feature(const struct reeve_feature *feature, const struct reeve_kernel *kernel)
{
	char why[256] = "";
	enum reeve_enforcer by = reeve_feature_enforcer(feature, kernel, why, sizeof(why));

	fputs("  ", stdout);
	cli_column(stdout, feature->name, 2, NAME_WIDTH);
	printf("%-*s ", BY_WIDTH, by_text(by));
	cli_fill(stdout, 3 + NAME_WIDTH + BY_WIDTH, 3 + NAME_WIDTH + BY_WIDTH,
		by == REEVE_BY_NOBODY && why[0] ? why : feature->does);
}

static void print_features(const struct reeve_kernel *kernel)
{
	for (size_t c = 0; c < CLI_COUNT(capabilities); c++) {
		const struct reeve_feature *feature;
		bool headed = false;

		for (size_t i = 0; (feature = reeve_feature_at(i)); i++) {
			if (strcmp(feature->capability, capabilities[c].capability) != 0)
				continue;
			if (!headed) {
				putchar('\n');
				cli_styled(CLI_HEADING, capabilities[c].heading);
				printf(" (%s)\n", capabilities[c].capability);
			}
			headed = true;
			print_feature(feature, kernel);
		}
	}
}

static bool json_feature(const struct reeve_feature *feature, const struct reeve_kernel *kernel)
{
	char why[256] = "";
	enum reeve_enforcer by = reeve_feature_enforcer(feature, kernel, why, sizeof(why));
	json_t *line = cli_json_new("feature");

	cli_json_text(line, "feature", feature->name);
	cli_json_text(line, "capability", feature->capability);
	cli_json_text(line, "does", feature->does);
	cli_json_text(line, "by", reeve_enforcer_name(by));
	cli_json_text(line, "why", why);
	return cli_json_line(line);
}

static bool json_features(const struct reeve_kernel *kernel)
{
	const struct reeve_feature *feature;
	bool ok = json_machine(kernel);

	for (size_t i = 0; ok && (feature = reeve_feature_at(i)); i++)
		ok = json_feature(feature, kernel);
	return ok;
}

/* ------------------------------------------------------------------- proof */

struct tally {
	bool json;
	unsigned int of[REEVE_SKIPPED + 1];
};

static const char *const verdicts[] = {
	[REEVE_HELD] = "held", [REEVE_BROKEN] = "BROKEN", [REEVE_SKIPPED] = "skipped"};

static void on_verdict(void *data, const struct reeve_feature *feature, enum reeve_verdict verdict,
	const char *detail)
{
	static const enum cli_style styles[] = {
		[REEVE_HELD] = CLI_GOOD, [REEVE_BROKEN] = CLI_BAD, [REEVE_SKIPPED] = CLI_HEADING};
	struct tally *tally = data;

	tally->of[verdict]++;
	if (tally->json) {
		json_t *line = cli_json_new("verdict");

		cli_json_text(line, "feature", feature->name);
		cli_json_text(
			line, "verdict", verdict == REEVE_BROKEN ? "broken" : verdicts[verdict]);
		cli_json_text(line, "detail", detail);
		cli_json_line(line);
	} else {
		fputs("  ", stdout);
		cli_column(stdout, feature->name, 2, NAME_WIDTH);
		cli_styled(styles[verdict], verdicts[verdict]);
		printf("%*s ", BY_WIDTH - (int)strlen(verdicts[verdict]), "");
		cli_fill(stdout, 3 + NAME_WIDTH + BY_WIDTH, 3 + NAME_WIDTH + BY_WIDTH, detail);
	}
	/* Children are forked between calls: what is buffered would be printed by each. */
	fflush(stdout);
}

static int verify(bool json)
{
	struct tally tally = {.json = json};
	struct reeve_error err = {0};
	int broken;

	if (!json) {
		putchar('\n');
		cli_styled(CLI_HEADING, "Tried");
		putchar('\n');
	}
	fflush(stdout);
	broken = reeve_verify(on_verdict, &tally, &err);
	if (broken < 0) {
		cli_print_error(&err);
		return CLI_ERROR;
	}
	if (!json)
		printf("\n%u held, %u broken, %u skipped\n", tally.of[REEVE_HELD],
			tally.of[REEVE_BROKEN], tally.of[REEVE_SKIPPED]);
	return broken > 0 ? CLI_NO : CLI_OK;
}

static int run_check(void *data, const struct cli_operands *operands)
{
	const struct check_options *check = data;
	struct reeve_kernel kernel = {.size = sizeof(kernel)};
	int r;

	if (operands->count > 0)
		return cli_fail(NULL, "check: takes no operands");
	r = reeve_kernel_probe(&kernel);
	if (r < 0)
		return cli_fail(NULL, "cannot probe the kernel: %s", strerror(-r));
	reeve_host_probe(&kernel);
	if (check->json) {
		if (!json_features(&kernel))
			return CLI_ERROR;
	} else {
		print_machine(&kernel);
		print_features(&kernel);
	}
	return check->verify ? verify(check->json) : CLI_OK;
}

const struct cli_verb cli_verb_check = {
	.name = "check",
	.synopsis = "",
	.summary = "Tell what this machine can enforce, and by whom",
	.text = text,
	.options = options,
	.size = sizeof(struct check_options),
	.run = run_check,
};
