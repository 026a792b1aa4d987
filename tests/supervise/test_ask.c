/* SPDX-License-Identifier: MIT */
/* Held requests: asked, answered, and what becomes of them else. */
#include "ask_util.h"

/* Large, and each case is a process. */
static struct asked asked;

/* ------------------------------------------------------------------------- answers */

static void allows_once(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "text\n", 0644);
	start_shell(&asked, "cat $O/a >out || exit 1; cat $O/a >>out 2>&1; exit 0");
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "a"));
	CHECK_EQ(seen->missing, REEVE_FS_READ_FILE);
	CHECK_STR(seen->comm, "cat");
	CHECK(seen->parents >= 1);
	CHECK(strstr(seen->text, "] wants to read /"));
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	seen = next_question(&asked);
	answer(&asked, seen, false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(has_event(&asked, "answer allow object once by the test"));
	CHECK(has_event(&asked, "answer deny object once by the test"));
	CHECK(has_event(&asked, "denied  by the test"));
	reeve_supervisor_wait(asked.supervisor, 0, NULL);
	CHECK(strncmp(content("out"), "text\ncat: ", 10) == 0);
	CHECK_EQ(finish(&asked), 0);
}

static int look_at_rule(void *data, const struct reeve_live_rule *rule)
{
	printf("# %s by %s (%s) used %llu\n", rule->rule.path, rule->by, rule->rule.origin,
		(unsigned long long)rule->uses);
	CHECK_STR(rule->by, "the test");
	CHECK(strstr(rule->rule.origin, "question 1 of cat["));
	*(struct reeve_live_rule *)data = *rule;
	((struct reeve_live_rule *)data)->rule.path = strdup(rule->rule.path);
	return 0;
}

static struct reeve_live_rule the_rule(void)
{
	struct reeve_live_rule rule = {0};

	CHECK_EQ(reeve_supervisor_rules(asked.supervisor, look_at_rule, &rule), 0);
	CHECK(rule.rule.path);
	return rule;
}

static void allows_for_the_session(void)
{
	struct reeve_live_rule rule;

	prepare(&asked);
	write_file(outside(&asked, "a"), "text\n", 0644);
	start_shell(&asked, "cat $O/a && cat $O/a && cat $O/a >out; read x <&- ; exit 0");
	answer(&asked, next_question(&asked), true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_SESSION);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	no_more_questions(&asked);
	CHECK_STR(content("out"), "text\n");
	rule = the_rule();
	CHECK_STR(rule.rule.path, outside(&asked, "a"));
	CHECK_EQ(rule.rule.allowed, REEVE_FS_READ_FILE);
	CHECK_EQ(rule.uses, 3);
	CHECK(rule.milliseconds_left == UINT64_MAX);
	CHECK_EQ(finish(&asked), 0);
}

static int count_rule(void *data, const struct reeve_live_rule *rule)
{
	(void)rule;
	++*(int *)data;
	return 0;
}

static int rules_left(void)
{
	int count = 0;

	CHECK_EQ(reeve_supervisor_rules(asked.supervisor, count_rule, &count), 0);
	return count;
}

/* As long as the first three accesses may take; the last one waits until it is over. */
static uint64_t a_while(void)
{
	return getenv("REEVE_TEST_EMULATED") ? 30000 : 5000;
}

static void allows_for_a_while(void)
{
	struct reeve_answer a = {.allow = true,
		.scope = REEVE_ANSWER_DIRECTORY,
		.term = REEVE_ANSWER_DURATION,
		.milliseconds = a_while()};
	struct reeve_error err;
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	write_file(outside(&asked, "b"), "", 0644);
	start_shell(&asked, "cat $O/a && cat $O/b && ls $O && "
			    "while [ ! -e over ]; do sleep 0.01; done; cat $O/b");
	seen = next_question(&asked);
	CHECK_STR(seen->directory, asked.outside);
	CHECK_OK(answer_as(&asked, seen, a, &err));
	CHECK(the_rule().milliseconds_left <= a_while());
	CHECK_EQ(the_rule().rule.allowed, REEVE_FS_READ_FILE | REEVE_FS_READ_DIR);
	while (rules_left())
		pause_ms(10);
	write_file("over", "", 0644);
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "b"));
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK_EQ(finish(&asked), 0);
}

static void allows_trees_and_kinds(void)
{
	struct seen *seen;
	char tree[PATH_MAX + 300];

	prepare(&asked);
	CHECK_EQ(mkdir(outside(&asked, "repo"), 0755), 0);
	CHECK_EQ(mkdir(outside(&asked, "repo/.git"), 0755), 0);
	CHECK_EQ(mkdir(outside(&asked, "repo/src"), 0755), 0);
	write_file(outside(&asked, "repo/src/a"), "", 0644);
	write_file(outside(&asked, "repo/b"), "", 0644);
	write_file(outside(&asked, "c"), "", 0666);
	start_shell(&asked, "cat $O/repo/src/a && cat $O/repo/b && cat $O/c && cat $O/../outside/c "
			    "&& echo >$O/c");
	seen = next_question(&asked);
	strcpy(tree, outside(&asked, "repo"));
	CHECK_STR(seen->tree, tree);
	answer(&asked, seen, true, REEVE_ANSWER_TREE, REEVE_ANSWER_SESSION);
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "c"));
	answer(&asked, seen, true, REEVE_ANSWER_KIND, REEVE_ANSWER_SESSION);
	seen = next_question(&asked);
	CHECK(strstr(seen->text, "] wants to write /"));
	CHECK_EQ(seen->missing, REEVE_FS_WRITE_FILE | truncate_here());
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_SESSION);
	CHECK_EQ(finish(&asked), 0);
}

static void denies(void)
{
	prepare(&asked);
	CHECK_EQ(mkdir(outside(&asked, "d"), 0755), 0);
	write_file(outside(&asked, "a"), "", 0644);
	write_file(outside(&asked, "b"), "", 0644);
	write_file(outside(&asked, "d/c"), "", 0644);
	write_file(outside(&asked, "d/e"), "", 0666);
	start_shell(&asked, "cat $O/a; cat $O/a; cat $O/a; cat $O/d/c; cat $O/d/e; echo >$O/d/e; "
			    "cat $O/b; cat $O/b; exit 3");
	answer(&asked, next_question(&asked), false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	answer(&asked, next_question(&asked), false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_SESSION);
	answer(&asked, next_question(&asked), false, REEVE_ANSWER_DIRECTORY, REEVE_ANSWER_SESSION);
	answer(&asked, next_question(&asked), false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	answer(&asked, next_question(&asked), false, REEVE_ANSWER_KIND, REEVE_ANSWER_SESSION);
	CHECK(has_event(&asked, "denied  by an earlier answer"));
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	no_more_questions(&asked);
	CHECK_STR(asked.seen[3].object, outside(&asked, "d/e")); /* writing is another kind */
	CHECK_STR(asked.seen[4].object, outside(&asked, "b"));
	CHECK_EQ(finish(&asked), 3);
}

/* ---------------------------------------------------------------- entries of directories */

static void creates_moves_and_removes(void)
{
	struct reeve_error err;
	struct reeve_answer forever = {.allow = true, .term = REEVE_ANSWER_SESSION};
	struct seen *seen;

	prepare(&asked);
	start_shell(&asked, "echo made >$O/new && mv $O/new moved && mkdir $O/dir && "
			    "rmdir $O/dir && echo 2 >$O/second && rm $O/second");
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "new"));
	CHECK(strstr(seen->text, "] wants to create the file /"));
	CHECK_EQ(answer_as(&asked, seen, forever, &err), -EINVAL);
	CHECK(strstr(err.hint, "allow its directory"));
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "new"));
	CHECK(strstr(seen->text, "] wants to move /") && strstr(seen->object2, "/work/moved"));
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	seen = next_question(&asked);
	CHECK(strstr(seen->text, "] wants to create the directory /"));
	answer(&asked, seen, true, REEVE_ANSWER_DIRECTORY, REEVE_ANSWER_SESSION);
	seen = next_question(&asked);
	CHECK(strstr(seen->text, "] wants to remove the directory /"));
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	seen = next_question(&asked);
	CHECK_EQ(seen->missing, REEVE_FS_MAKE_REG | REEVE_FS_WRITE_FILE | truncate_here());
	answer(&asked, seen, true, REEVE_ANSWER_DIRECTORY, REEVE_ANSWER_SESSION);
	answer(&asked, next_question(&asked), true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	no_more_questions(&asked);
	CHECK_STR(content("moved"), "made\n");
	CHECK_EQ(finish(&asked), 0);
}

/* ------------------------------------------------------------------- what is not asked */

static void asks_about_nothing_that_would_fail(void)
{
	prepare(&asked);
	write_file(outside(&asked, "secret"), "", 0);
	write_file(outside(&asked, "prog"), "#!/bin/sh\n", 0755);
	start_shell(&asked, "cat $O/none; cat $O/none/x; ls $O/prog/x; $O/prog; rmdir $O/prog; "
			    "mkdir $O/none/x; [ $(id -u) = 0 ] || cat $O/secret; exit 4");
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	no_more_questions(&asked);
	CHECK_EQ(finish(&asked), 4);
}

static void denies_where_nobody_is(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_shell(&asked, "cat $O/a; cat $O/a; exit 5");
	seen = next_question(&asked);
	reeve_supervisor_ask_end(asked.supervisor, asked.approver);
	CHECK(has_event(&asked, "answer deny object once by nobody"));
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	no_more_questions(&asked);
	CHECK(!seen->gone); /* whoever left hears no more */
	CHECK_EQ(finish(&asked), 5);
}

/* ------------------------------------------------------------------------- who waits */

static int note_waiting(void *data, const struct reeve_question *question)
{
	*(unsigned int *)data = question->waiting;
	return 0;
}

/* Until so many wait for the answer to the only question there is. */
static void wait_for_waiting(unsigned int count)
{
	unsigned int waiting = 0;

	while (waiting < count) {
		pause_ms(5);
		CHECK_EQ(reeve_supervisor_questions(asked.supervisor, note_waiting, &waiting), 0);
	}
}

static void joins_the_same(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "x", 0644);
	start_shell(
		&asked, "for i in 1 2 3 4 5 6 7 8 9 10; do cat $O/a >>out & done; wait; exit 6");
	seen = next_question(&asked);
	wait_for_waiting(10);
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_EQ(asked.count, 1);
	CHECK_STR(content("out"), "xxxxxxxxxx");
	CHECK_EQ(finish(&asked), 6);
}

static void ends_with_the_caller(void)
{
	struct reeve_error err;
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_shell(&asked, "cat $O/a & while [ ! -e kill ]; do sleep 0.01; done; kill $!; wait; "
			    "exit 7");
	seen = next_question(&asked);
	write_file("kill", "", 0644);
	CHECK(is_gone(&asked, seen));
	CHECK_EQ(answer_as(&asked, seen, (struct reeve_answer){.allow = true}, &err), -ENOENT);
	CHECK(strstr(err.message, "nobody waits"));
	CHECK_EQ(finish(&asked), 7);
}

/* The helper: open A with an alarm whose handler has the flags B. Or the test sends it. */
static volatile sig_atomic_t alarms;
static long handling_ms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
	pause_ms(handling_ms);
}

static int open_with_alarm(const char *path, const char *flags)
{
	struct sigaction action = {.sa_handler = count_alarm};
	char text[64];
	int fd;

	action.sa_flags = strcmp(flags, "plain") == 0 ? 0 : SA_RESTART;
	handling_ms = strcmp(flags, "sent") == 0 ? 150 : 0;
	sigaction(SIGALRM, &action, NULL);
	wait_for_go();
	if (!handling_ms)
		ualarm(200000, 0);
	fd = open(path, O_RDONLY);
	snprintf(text, sizeof(text), "%s %d", fd >= 0 ? "opened" : strerrorname_np(errno),
		(int)alarms);
	write_file("out", text, 0644);
	return 0;
}

static void gives_way_to_signals(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_helper(&asked, "--alarm", outside(&asked, "a"), "plain");
	seen = next_question(&asked);
	CHECK(is_gone(&asked, seen));
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "EINTR 1");
	CHECK_EQ(finish(&asked), 0);
}

/* With SA_RESTART the call comes back, and its question has not gone away meanwhile. */
static void is_restarted_after_signals(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_helper(&asked, "--alarm", outside(&asked, "a"), "restart");
	seen = next_question(&asked);
	pause_ms(600);
	CHECK(!seen->gone);
	no_more_questions(&asked);
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "opened 1");
	CHECK_EQ(finish(&asked), 0);
}

/* A stopped process handles no signal, and asks nothing again: the question waits for it. */
static void stays_while_it_is_stopped(bool in_handler)
{
	struct seen *seen;

	if (!(kernel_here().rights.of[REEVE_SCOPE] & REEVE_SCOPE_SIGNAL))
		SKIP("landlock: without a scope of signals, no domain can be stopped");
	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_helper(&asked, "--alarm", outside(&asked, "a"), "sent");
	seen = next_question(&asked);
	if (!in_handler)
		CHECK(reeve_supervisor_stop(asked.supervisor) >= 0);
	CHECK_EQ(kill(seen->pid, SIGALRM), 0);
	pause_ms(80);
	if (in_handler)
		CHECK(reeve_supervisor_stop(asked.supervisor) >= 0);
	pause_ms(800);
	CHECK(!seen->gone);
	if (in_handler) {
		CHECK(reeve_supervisor_continue(asked.supervisor) >= 0);
		pause_ms(400);
	}
	no_more_questions(&asked);
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	if (!in_handler)
		CHECK(reeve_supervisor_continue(asked.supervisor) >= 0);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "opened 1");
	CHECK_EQ(finish(&asked), 0);
}

static void stays_while_stopped(void)
{
	stays_while_it_is_stopped(false);
}

static void stays_while_stopped_in_a_handler(void)
{
	stays_while_it_is_stopped(true);
}

/* What is allowed may then have to wait for something itself. */
static void allowed_fifos_wait(void)
{
	int fd;

	prepare(&asked);
	CHECK_EQ(mkfifo(outside(&asked, "fifo"), 0666), 0);
	start_shell(&asked, "read line <$O/fifo; echo $line >out; exit 0");
	answer(&asked, next_question(&asked), true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	fd = open(outside(&asked, "fifo"), O_WRONLY | O_CLOEXEC); /* until somebody reads */
	CHECK(fd >= 0 && write(fd, "through\n", 8) == 8);
	close(fd);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "through\n");
	CHECK_EQ(finish(&asked), 0);
}

/* And where nobody comes, the end of the domain does not wait for it. */
static void ends_while_a_fifo_waits(void)
{
	prepare(&asked);
	CHECK_EQ(mkfifo(outside(&asked, "fifo"), 0666), 0);
	start_shell(&asked, "read line <$O/fifo; exit 0");
	answer(&asked, next_question(&asked), true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	pause_ms(100);
	reeve_supervisor_kill(asked.supervisor);
	CHECK_EQ(finish(&asked), -SIGKILL);
}

/* -------------------------------------------------------------------------- attacks */

/* What was shown is what is granted: the name leads elsewhere by the time of the answer. */
static void swapped_links_are_asked_about_again(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "harmless"), "harmless", 0644);
	write_file(outside(&asked, "secret"), "secret", 0644);
	CHECK_EQ(symlink(outside(&asked, "harmless"), "link"), 0);
	start_shell(&asked, "cat link >out; exit 0");
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "harmless"));
	CHECK_EQ(unlink("link"), 0);
	CHECK_EQ(symlink(outside(&asked, "secret"), "link"), 0);
	answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	seen = next_question(&asked);
	CHECK_STR(seen->object, outside(&asked, "secret"));
	answer(&asked, seen, false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	CHECK(reeve_supervisor_wait(asked.supervisor, 0, NULL) > 0);
	CHECK_STR(content("out"), "");
	CHECK_EQ(finish(&asked), 0);
}

/* "Once" is for the request that waited: the next one that wants the same does not get it. */
static void once_is_for_who_waited(void)
{
	struct seen *seen;

	prepare(&asked);
	write_file(outside(&asked, "a"), "x", 0644);
	start_shell(&asked, "for i in 1 2 3 4 5; do cat $O/a; done; exit 0");
	for (int i = 0; i < 5; i++) {
		seen = next_question(&asked);
		answer(&asked, seen, true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	}
	CHECK_EQ(finish(&asked), 0);
}

/* Names that look like another question, or would move the cursor. */
static void names_are_escaped(void)
{
	static const char *const names[] = {"a\nallow? [y]", "\033[2Jb",
		"c\xe2\x80\xae"
		"txt.exe",
		"d\xff\xfe",
		"\xe2\x80\x8b"
		"e"};
	char script[256];

	prepare(&asked);
	for (size_t i = 0; i < 5; i++)
		write_file(outside(&asked, names[i]), "", 0644);
	snprintf(script, sizeof(script), "for f in $(cat names); do cat \"$O/$f\"; done; exit 0");
	write_file("names", "x", 0644);
	start_shell(
		&asked, "cat $O/*; cat \"$O\"/a* \"$O\"/?*b \"$O\"/c* \"$O\"/d* \"$O\"/*e; exit 0");
	/* First the list of the directory, which * needs. */
	answer(&asked, next_question(&asked), true, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	for (size_t i = 0; i < 5; i++) {
		struct seen *seen = next_question(&asked);

		for (const char *p = seen->text; *p; p++)
			CHECK((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
		CHECK(strlen(seen->text) < 400);
		answer(&asked, seen, false, REEVE_ANSWER_OBJECT, REEVE_ANSWER_ONCE);
	}
	reeve_supervisor_kill(asked.supervisor);
	CHECK_EQ(finish(&asked), -SIGKILL);
}

/* ---------------------------------------------------------------------------- saving */

static void saves_answers(void)
{
	static const char policy[] = "# mine\n[[ruleset]]\nhandled_access_fs = [\"read_file\"]\n";
	struct reeve_answer a = {.allow = true, .term = REEVE_ANSWER_SESSION};
	char file[PATH_MAX + 16], want[PATH_MAX + 512];
	struct reeve_error err;
	struct seen *seen;

	prepare(&asked);
	snprintf(file, sizeof(file), "%s/policy.toml", asked.dir);
	write_file(file, policy, 0600);
	write_file(outside(&asked, "a"), "", 0644);
	start_shell(&asked, "cat $O/a && cat $O/a");
	seen = next_question(&asked);
	a.save = outside(&asked, "none.toml");
	CHECK_EQ(answer_as(&asked, seen, a, &err), -ENOENT); /* and the question is still there */
	a.save = file;
	CHECK_OK(answer_as(&asked, seen, a, &err));
	snprintf(want, sizeof(want),
		"%s\n[[path_beneath]]\nallowed_access = [\"read_file\"]\nparent = [\"%s\"]\n",
		policy, outside(&asked, "a"));
	CHECK_STR(content(file), want);
	CHECK(has_event(&asked, "answer allow object session saved by the test"));
	CHECK_EQ(finish(&asked), 0);
}

static void answers_by_json(void)
{
	static const struct {
		const char *json;
		int error;
	} cases[] = {{"nonsense", -EINVAL}, {"[]", -EINVAL}, {"{\"question\": 0}", -EINVAL},
		{"{\"question\": 1}", -EINVAL}, {"{\"question\": 1, \"answer\": \"yes\"}", -EINVAL},
		{"{\"question\": 1, \"answer\": \"allow\", \"scope\": 3}", -EINVAL},
		{"{\"question\": 1, \"answer\": \"allow\", \"term\": \"duration\"}", -EINVAL},
		{"{\"question\": 1, \"answer\": \"allow\", \"milliseconds\": 5}", -EINVAL},
		{"{\"question\": 1, \"answer\": \"allow\", \"tree\": \"/etc\", \"scope\": \"tree\","
		 "\"term\": \"session\"}",
			-EINVAL},
		{"{\"question\": 1, \"answer\": \"allow\", \"save\": true}", -EOPNOTSUPP},
		{"{\"question\": 1, \"answer\": \"allow\", \"once\": true}", -EINVAL},
		{"{\"question\": 2, \"answer\": \"allow\"}", -ENOENT},
		{"{\"question\": 1, \"answer\": \"allow\"}", 0}};
	struct reeve_error err = {0};

	prepare(&asked);
	write_file(outside(&asked, "a"), "", 0644);
	start_shell(&asked, "cat $O/a");
	next_question(&asked);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = reeve_supervisor_answer_json(
			asked.supervisor, cases[i].json, "json", NULL, &err);

		printf("# %s: %d %s\n", cases[i].json, r, err.message);
		CHECK_EQ(r, cases[i].error);
	}
	CHECK_EQ(finish(&asked), 0);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{"once: the request that waits, and no other", allows_once},
		{"for the session: a live rule, with origin and uses", allows_for_the_session},
		{"for a while, the directory", allows_for_a_while},
		{"the tree, and all of a kind", allows_trees_and_kinds},
		{"denials once, and remembered", denies},
		{"entries are made, moved and removed", creates_moves_and_removes},
		{"what would fail anyway is not asked about", asks_about_nothing_that_would_fail},
		{"nobody to ask any more: denied", denies_where_nobody_is},
		{"the same from several is one question", joins_the_same},
		{"a question ends with its caller", ends_with_the_caller},
		{"a handled signal is EINTR", gives_way_to_signals},
		{"with SA_RESTART the same question goes on", is_restarted_after_signals},
		{"a stopped program's question stays, signal or not", stays_while_stopped},
		{"stopped while it handles one too", stays_while_stopped_in_a_handler},
		{"an allowed FIFO waits for its other end", allowed_fifos_wait},
		{"and does not hold up the end of the domain", ends_while_a_fifo_waits},
		{"a link that is swapped is another question", swapped_links_are_asked_about_again},
		{"once is for who waited", once_is_for_who_waited},
		{"names are escaped", names_are_escaped},
		{"saved to a policy file, or not answered", saves_answers},
		{"answers by JSON", answers_by_json},
	};

	if (argc == 4 && strcmp(argv[1], "--alarm") == 0)
		_exit(open_with_alarm(argv[2], argv[3])); /* no leak check below Landlock */
	if (argc > 1 && strcmp(argv[1], "--user") == 0)
		become_user();
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
