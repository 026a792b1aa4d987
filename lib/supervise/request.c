/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fsuid.h>
#include "base/cleanup.h"
#include "enforce/filter.h"
#include "kernel/sys.h"
#include "supervise/ask.h"
#include "supervise/deny.h"
#include "supervise/fs.h"
#include "supervise/guise.h"
#include "supervise/record.h"

#define CAP_FOWNER_BIT (UINT64_C(1) << 3)

int rv_context_init(struct rv_context *context, bool no_new_privs)
{
	int r = rv_self_learn(&context->own, no_new_privs);

	if (r == 0)
		r = rv_mounts_new(&context->mounts);
	if (r < 0)
		return r;
	context->numbers = &context->own_numbers;
	atomic_store(&context->reading.served, true);
	pthread_mutex_init(&context->pidfds.lock, NULL);
	context->supervisor_pid = getpid();
	context->own_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return context->own_fds < 0 ? -errno : 0;
}

void rv_context_trust_filter(struct rv_context *context, unsigned int traps)
{
	if (!(traps & RV_TRAP_FS))
		return;
	atomic_store(&context->own.view_changed, false);
	atomic_store(&context->reading.served, false);
}

void rv_context_release(struct rv_context *context)
{
	rv_pidfds_release(&context->pidfds);
	rv_close_p(&context->own_fds);
	context->own_fds = -1;
	rv_mounts_free(context->mounts);
	context->mounts = NULL;
}

void rv_request_open(struct rv_request *request, int listener, struct rv_caller *caller)
{
	rv_caller_open(caller, listener, request->notif->id, (pid_t)request->notif->pid);
	caller->reading = &request->context->reading;
	caller->pidfds = &request->context->pidfds;
	request->caller = caller;
}

bool rv_may_act_for(struct rv_request *request)
{
	return rv_self_equals(&request->context->own, request->caller);
}

/* ------------------------------------------------------------------- reporting */

void rv_fill_in_caller(
	struct rv_request *request, struct reeve_event *event, char exe[static PATH_MAX])
{
	struct rv_caller_status status;
	int proc = rv_caller_proc(request->caller);
	rv_autoclose int comm = -1;
	ssize_t n = -1;

	event->call = request->call;
	event->tid = event->pid = request->caller->tid;
	if (rv_caller_status(request->caller, &status) == 0)
		event->pid = status.tgid;
	if (proc < 0)
		return;
	n = readlinkat(proc, "exe", exe, PATH_MAX - 1);
	if (n > 0) {
		exe[n] = '\0';
		event->exe = exe;
	}
	comm = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	if (comm >= 0 && read(comm, event->comm, sizeof(event->comm) - 1) > 0)
		event->comm[strcspn(event->comm, "\n")] = '\0';
}

static const char *denied_by(const struct rv_request *request, const struct rv_judgement *judgement)
{
	if (judgement->by_denial)
		return judgement->by;
	return request->denied_by ? request->denied_by : "floor";
}

void rv_report_denied(struct rv_request *request, const struct rv_judgement *judgement,
	enum reeve_class cls, uint64_t asked, const char *object, const char *object2, int error)
{
	const struct reeve_decision *decision = &judgement->decision;
	struct reeve_event event = {
		.kind = REEVE_EVENT_DENIED,
		.cls = cls,
		.asked = asked,
		.missing = decision->missing,
		.object = object,
		.object2 = object2,
		.layer = decision->layer,
		.error = request->context->permissive ? 0 : error,
		.by = denied_by(request, judgement),
		.permissive = request->context->permissive,
	};
	char exe[PATH_MAX];

	request->context->numbers->denied++;
	if (!request->context->events || decision->quiet || !rv_caller_waits(request->caller))
		return;
	rv_fill_in_caller(request, &event, exe);
	rv_events_put(request->context->events, &event);
}

void rv_report_guard(struct rv_request *request, const char *guard, const char *object, int error)
{
	struct reeve_event event = {
		.kind = REEVE_EVENT_GUARD, .object = object, .error = error, .by = guard};
	char exe[PATH_MAX];

	request->context->numbers->guarded++;
	if (!request->context->events || !rv_caller_waits(request->caller))
		return;
	rv_fill_in_caller(request, &event, exe);
	rv_events_put(request->context->events, &event);
}

/* ------------------------------------------------------------------------ asking */

/* Else request->denied_by says why not, for the event. */
static bool is_held(struct rv_request *request, const struct rv_judgement *judgement,
	const struct rv_want *want)
{
	static const char *const by[] = {[RV_HOLD_NO] = "floor",
		[RV_HOLD_REFUSED] = "an earlier answer",
		[RV_HOLD_FULL] = "too many questions"};
	bool answered = rv_pass_covers(request->pass, want);
	enum rv_hold held = RV_HOLD_NO;

	/* What the policy itself denies inside of a grant is no question. */
	if (!answered && !judgement->by_denial && !judgement->decision.quiet &&
		!request->is_partly_done && rv_caller_waits(request->caller))
		held = rv_ask_hold(request, want);
	request->denied_by = answered ? request->pass->by : by[held];
	return held == RV_HOLD_YES;
}

enum rv_settled rv_request_ask(struct rv_request *request, const struct rv_judgement *judgement,
	const struct rv_want *want)
{
	if (request->pass && request->pass->allow && rv_pass_covers(request->pass, want))
		return RV_ASKED_ALLOWED;
	if (request->context->permissive || !rv_may_act_for(request))
		return RV_ASKED_DENIED;
	return is_held(request, judgement, want) ? RV_ASKED_HELD : RV_ASKED_DENIED;
}

bool rv_request_goes_on(struct rv_request *request, const struct rv_judgement *judgement,
	const struct rv_want *want, int error, struct rv_answer *ret)
{
	enum rv_settled asked = rv_request_ask(request, judgement, want);

	if (asked == RV_ASKED_ALLOWED)
		return true;
	if (asked == RV_ASKED_HELD) {
		*ret = rv_answer_held();
		return false;
	}
	rv_report_denied(request, judgement, want->cls, want->asked, want->object, NULL, error);
	*ret = rv_answer_errno(error);
	return request->context->permissive;
}

/* --------------------------------------------- what the file system handlers share */

/* What of the rights that the verdict is about nothing grants: what it needs besides included. */
static uint64_t missing_of(const struct rv_request *request, const struct rv_verdict *verdict)
{
	uint64_t missing = verdict->judgement.decision.missing;
	struct rv_judgement implied;

	if (!verdict->implied)
		return missing;
	rv_judge_path(request->context->judge, verdict->object, verdict->implied, &implied);
	if (implied.by_denial)
		return UINT64_MAX; /* nobody can grant that */
	return implied.result == RV_DENIED ? missing | implied.decision.missing : missing;
}

static struct rv_want want_of(const struct rv_request *request, const struct rv_verdict *verdict)
{
	return (struct rv_want){.cls = REEVE_FS,
		.asked = verdict->asked | verdict->implied,
		.missing = missing_of(request, verdict),
		.object = verdict->object,
		.object2 = verdict->object2,
		.object_is_directory = verdict->asked & REEVE_FS_READ_DIR};
}

static struct rv_answer denied(struct rv_request *request, const struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data)
{
	const struct rv_judgement *judgement = &verdict->judgement;
	struct rv_want want;

	if (!would_work(data))
		return rv_answer_continue(
			"denied, and it would not work: the kernel gives the errno");
	want = want_of(request, verdict);
	if (is_held(request, judgement, &want))
		return rv_answer_held();
	rv_report_denied(request, judgement, REEVE_FS, verdict->asked, verdict->object,
		verdict->object2, judgement->decision.error);
	/* The floor might say EXDEV, upon which programs copy. */
	if (judgement->by_denial)
		return rv_answer_errno(EACCES);
	return rv_answer_continue("denied: the floor gives the errno");
}

/* What is denied by its identity is so whatever its name; a move is denied whatever the rights. */
static bool is_known_denied(const struct rv_request *request, const struct rv_verdict *verdict)
{
	const struct rv_deny *deny = request->context->deny;
	uint64_t rights = verdict->object2 ? UINT64_MAX : verdict->asked;
	bool known = verdict->pinned && rv_deny_object(deny, verdict->pinned, rights);

	for (size_t i = 0; !known && i < RV_COUNT(verdict->places); i++)
		known = verdict->places[i] && rv_deny_place(deny, verdict->places[i], rights);
	return known;
}

void rv_judge_known_denied(struct rv_judgement *ret, uint64_t asked)
{
	*ret = (struct rv_judgement){.result = RV_DENIED,
		.by_denial = true,
		.by = RV_BY_DENIAL "the same object under another name",
		.decision = {.error = EACCES, .missing = asked, .layer = 1}};
}

static bool deny_known(struct rv_request *request, struct rv_verdict *verdict)
{
	if (!request->context->deny || !is_known_denied(request, verdict))
		return false;
	rv_judge_known_denied(&verdict->judgement, verdict->asked);
	return true;
}

/* An answer allows just what was asked about, and never what the policy denies inside of a grant.
 */
static bool is_denied(struct rv_request *request, struct rv_verdict *verdict)
{
	struct rv_want want;

	if (verdict->judgement.by_denial || deny_known(request, verdict))
		return true;
	if (verdict->judgement.result != RV_DENIED)
		return false;
	if (!request->pass || !request->pass->allow)
		return true;
	want = want_of(request, verdict);
	return !rv_pass_covers(request->pass, &want);
}

/* The umask can be had in no cheaper way, and only what makes something needs it. */
static bool learn_umask(struct rv_request *request, struct rv_verdict *verdict)
{
	struct rv_caller_status status;

	if (!verdict->makes)
		return true;
	if (rv_caller_status(request->caller, &status) < 0)
		return false;
	verdict->umask = status.umask;
	return true;
}

/* Nothing is performed or asked: the kernel lets it pass, whatever the policy says of it. */
static struct rv_answer observe(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data)
{
	const struct rv_judgement *judgement = &verdict->judgement;

	if (!is_denied(request, verdict))
		rv_judge_used(request->context->judge, judgement);
	else if (would_work(data))
		rv_report_denied(request, judgement, REEVE_FS, verdict->asked, verdict->object,
			verdict->object2, judgement->decision.error);
	return rv_answer_continue("permissive: the kernel allows it");
}

/* No live rule is for this: then the floor lacks all that it was to add. */
static void judge_by_floor(struct rv_request *request, struct rv_verdict *verdict)
{
	struct reeve_rights handled;

	if (verdict->judgement.result != RV_LIVE_ALLOWS)
		return;
	reeve_ruleset_handled(rv_judge_static(request->context->judge), &handled);
	verdict->judgement.decision = (struct reeve_decision){.layer = 1,
		.error = EACCES,
		.missing =
			(verdict->needs ? verdict->needs : verdict->asked) & handled.of[REEVE_FS]};
}

/* For the event alone: the call went on, or was refused. */
static void report_by_floor(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data)
{
	bool works = rv_guise_begin(request->guise) && would_work(data);

	rv_guise_end(request->guise);
	if (!works)
		return;
	judge_by_floor(request, verdict);
	request->denied_by = "floor";
	rv_report_denied(request, &verdict->judgement, REEVE_FS, verdict->asked, verdict->object,
		verdict->object2, verdict->judgement.decision.error);
}

void rv_fs_report_floor(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data)
{
	request->judged = true;
	if (verdict->judgement.result == RV_FLOOR_ALLOWS || !request->context->events)
		return;
	request->foreign = !request->guise && !rv_may_act_for(request);
	if (!request->foreign)
		report_by_floor(request, verdict, would_work, data);
}

/* In another root directory the path means something else, which the floor may deny. */
static struct rv_answer go_on(struct rv_request *request)
{
	const struct rv_context *context = request->context;

	request->foreign = context->events && !rv_self_same_view(&context->own, request->caller);
	return rv_answer_continue("the floor allows it, and checks again");
}

static struct rv_answer go_foreign(struct rv_request *request)
{
	request->foreign = true;
	return rv_answer_continue("the caller's credentials or root are not ours");
}

bool rv_fs_go(struct rv_request *request, struct rv_verdict *verdict,
	bool (*would_work)(const void *data), const void *data, struct rv_answer *ret)
{
	const struct rv_judgement *judgement = &verdict->judgement;

	request->judged = true;
	if (request->guise) {
		if (judgement->result != RV_FLOOR_ALLOWS)
			report_by_floor(request, verdict, would_work, data);
		*ret = rv_answer_none();
		return false;
	}
	if (request->context->record)
		rv_record_verdict(request, verdict, would_work(data));
	if (judgement->result == RV_FLOOR_ALLOWS)
		*ret = go_on(request);
	else if (!rv_may_act_for(request))
		*ret = go_foreign(request);
	else if (request->context->permissive)
		*ret = observe(request, verdict, would_work, data);
	else if (is_denied(request, verdict))
		*ret = denied(request, verdict, would_work, data);
	else if (!learn_umask(request, verdict) || !rv_caller_waits(request->caller))
		*ret = rv_answer_continue("the caller waits no more");
	else if (!rv_judge_used(request->context->judge, judgement))
		*ret = rv_answer_continue("the rule was used up meanwhile");
	else
		return true;
	return false;
}

bool rv_fs_accessible(int fd, int mode)
{
	return faccessat(fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

bool rv_fs_can_make(const struct rv_place *place)
{
	return !place->exists && rv_fs_accessible(place->dir, W_OK | X_OK);
}

/* In a sticky directory only the owners of the file and of the directory can. */
static bool sticky_allows(const struct rv_place *place)
{
	uint64_t effective;
	uid_t uid;

	if (!(place->dir_st.st_mode & S_ISVTX))
		return true;
	uid = (uid_t)setfsuid((uid_t)-1); /* of who is looking (guise.h) */
	if (place->st.st_uid == uid || place->dir_st.st_uid == uid)
		return true;
	return rv_capget(0, &effective, NULL) == 0 && (effective & CAP_FOWNER_BIT);
}

bool rv_fs_can_remove(const struct rv_place *place)
{
	return place->exists && rv_fs_accessible(place->dir, W_OK | X_OK) && sticky_allows(place);
}

struct rv_answer rv_fs_result(long r)
{
	return r < 0 ? rv_answer_errno(errno) : rv_answer_value(r);
}
