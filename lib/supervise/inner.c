/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include "supervise/ask.h"
#include "supervise/inner.h"
#include "supervise/request.h"

bool rv_inner_lets(struct rv_request *request, enum reeve_class cls, uint64_t rights, int error,
	struct rv_answer *ret)
{
	const struct rv_inner *inner = &request->context->inner;

	if (!rv_inner_begun(inner) || !(rights & reeve_rights_of_abi(cls, inner->abi)))
		return true;
	rv_report_guard(request, "guard.inner_landlock", NULL, error);
	*ret = rv_answer_errno(error);
	return false;
}

static void report(struct rv_request *request)
{
	struct reeve_event event = {.kind = REEVE_EVENT_COMMIT, .by = RV_INNER_BY};
	char exe[PATH_MAX];

	event.object = "the program restricts itself: live rules and questions have ended";
	request->context->numbers->commits++;
	rv_fill_in_caller(request, &event, exe);
	rv_events_put(request->context->events, &event);
}

/* Whether the call itself will fail is the kernel's to find out, and too late to wait for. */
static int begin(struct rv_request *request)
{
	struct rv_context *context = request->context;
	int r = rv_judge_end(context->judge);

	if (r < 0 || atomic_exchange(&context->inner.begun, true))
		return r;
	rv_ask_end(context->ask, RV_INNER_BY);
	report(request);
	return 0;
}

struct rv_answer rv_inner_restrict(struct rv_request *request)
{
	int r;

	if (!request->context->inner.allowed) {
		rv_report_guard(request, "guard.landlock", NULL, EOPNOTSUPP);
		return rv_answer_errno(EOPNOTSUPP);
	}
	r = begin(request);
	if (r < 0)
		return rv_answer_errno(-r);
	return rv_answer_continue("its arguments are numbers, and it only takes away: nothing is "
				  "performed any more that it could forbid");
}
