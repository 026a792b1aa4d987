/* SPDX-License-Identifier: MIT */
/*
 * An approver: what the policy denies is held, and answered by a rule of this program's own:
 * reading beneath a directory is allowed for the session, everything else is denied.
 *
 *	approver POLICY DIRECTORY PROGRAM [ARGUMENT]...
 */
#include <reeve/reeve.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAY_BE_ASKED (REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)

struct approver {
	pthread_mutex_t lock; /* held until the supervisor is known */
	struct reeve_supervisor *supervisor;
	const char *directory;
};

static bool is_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (!path[length] || path[length] == '/');
}

/*
 * In a thread of the supervisor's. It could as well only tell a window that there is a question,
 * which somebody answers later, from any thread.
 */
static void asked(void *data, const struct reeve_question *question)
{
	struct approver *approver = data;
	struct reeve_answer answer = {.size = sizeof(answer),
		.scope = REEVE_ANSWER_OBJECT,
		.term = REEVE_ANSWER_SESSION,
		.by = "example"};
	char *line;

	answer.allow = question->cls == REEVE_FS && !(question->missing & ~MAY_BE_ASKED) &&
		       is_beneath(question->object, approver->directory);
	if (reeve_question_to_text(question, &line) == 0) {
		fprintf(stderr, "%s: %s\n", line, answer.allow ? "allowed" : "denied");
		free(line);
	}
	/* The program may ask before whoever started it knows its supervisor. */
	pthread_mutex_lock(&approver->lock);
	/* -ENOENT: whoever asked is gone. */
	reeve_supervisor_answer(approver->supervisor, question->id, &answer, NULL);
	pthread_mutex_unlock(&approver->lock);
}

static int make_plan(const char *policy_name, struct reeve_plan **ret, struct reeve_error *err)
{
	struct reeve_policy *policy;
	int r = reeve_policy_new(&policy);

	if (r)
		return r;
	r = reeve_policy_load(policy, policy_name, err);
	if (r == 0)
		r = reeve_policy_resolve(policy, NULL, err);
	if (r == 0)
		r = reeve_plan_new_supervised(policy, NULL, NULL, ret, err);
	reeve_policy_free(policy);
	return r;
}

static int run(char *argv[], int *ret_status, struct reeve_error *err)
{
	struct approver approver = {.lock = PTHREAD_MUTEX_INITIALIZER, .directory = argv[1]};
	struct reeve_approver functions = {
		.size = sizeof(functions), .asked = asked, .data = &approver};
	/* From before the first request on: reeve_supervisor_ask() may come later than that. */
	struct reeve_supervisor_options options = {
		.size = sizeof(options), .sync_wake_up = -1, .approver = &functions};
	struct reeve_plan *plan;
	int r = make_plan(argv[0], &plan, err);

	if (r)
		return r;
	pthread_mutex_lock(&approver.lock);
	r = reeve_supervisor_start(plan, argv + 2, &options, &approver.supervisor, err);
	pthread_mutex_unlock(&approver.lock);
	reeve_plan_free(plan);
	if (r)
		return r;
	r = reeve_supervisor_wait(approver.supervisor, 0, ret_status);
	reeve_supervisor_end(approver.supervisor);
	return r;
}

int main(int argc, char *argv[])
{
	struct reeve_error err = {.message = "out of memory"};
	int status = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: approver POLICY DIRECTORY PROGRAM [ARGUMENT]...\n");
		return 125;
	}
	if (run(argv + 1, &status, &err) < 0) {
		fprintf(stderr, "approver: %s\n", err.message);
		return reeve_exec_exit_code(&err);
	}
	return status >> 8;
}
