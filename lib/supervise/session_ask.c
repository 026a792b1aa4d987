/* SPDX-License-Identifier: MIT */
/* Questions of a supervisor, as supervisor.h has them. */
#include <errno.h>
#include <string.h>
#include "base/error.h"
#include "base/options.h"
#include "supervise/ask.h"
#include "supervise/session.h"

int reeve_supervisor_ask(
	struct reeve_supervisor *s, const struct reeve_approver *approver, struct reeve_error *err)
{
	int r = rv_session_check_live(s, err);

	if (r)
		return r;
	r = rv_ask_add_approver(s->context.ask, approver);
	return r < 0 ? rv_error(err, r, "cannot ask: %s", strerror(-r)) : r;
}

void reeve_supervisor_ask_end(struct reeve_supervisor *s, int id)
{
	rv_ask_remove_approver(s->context.ask, id);
}

int reeve_supervisor_questions(struct reeve_supervisor *s,
	int (*fn)(void *data, const struct reeve_question *question), void *data)
{
	return rv_ask_questions(s->context.ask, fn, data);
}

int reeve_supervisor_answer(struct reeve_supervisor *s, uint64_t question,
	const struct reeve_answer *given, struct reeve_error *err)
{
	struct reeve_answer answer = {0};
	int r = rv_options_take(&answer, sizeof(answer), given, err);

	if (r)
		return r;
	r = rv_ask_answer(s->context.ask, question, &answer, err);
	if (r > 0) {
		s->context.numbers->commits++;
		rv_session_wake(s); /* a rule may expire sooner than any before */
	}
	return r < 0 ? r : 0;
}
