/* SPDX-License-Identifier: MIT */
/* reeve_verify(): each claim is tried, row by row. */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "observe/verify.h"

/* ------------------------------------------------------------------- saying */

static void append(char *buf, size_t size, const char *separator, const char *text)
{
	size_t used = strlen(buf);
	int n = snprintf(buf + used, size - used, "%s%s", used ? separator : "", text);

	if (n < 0 || (size_t)n >= size - used)
		memcpy(buf + size - 4, "...", 4);
}

/* A higher rank replaces what was told before; the same rank adds to it. */
static int rank(enum reeve_verdict verdict)
{
	static const int ranks[] = {[REEVE_SKIPPED] = 0, [REEVE_HELD] = 1, [REEVE_BROKEN] = 2};

	return ranks[verdict];
}

/* Is this verdict of any interest after those before? Makes room for it. */
static bool listens(struct rv_proof *proof, enum reeve_verdict verdict)
{
	if (proof->told && rank(verdict) < rank(proof->verdict))
		return false;
	if (!proof->told || rank(verdict) > rank(proof->verdict))
		proof->detail[0] = proof->how[0] = '\0';
	proof->told = true;
	proof->verdict = verdict;
	return true;
}

static void tell(struct rv_proof *proof, enum reeve_verdict verdict, const char *fmt, va_list args)
{
	char text[sizeof(proof->detail)];

	if (!listens(proof, verdict))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	append(proof->detail, sizeof(proof->detail), "; ", text);
}

void rv_tell(struct rv_proof *proof, enum reeve_verdict verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(proof, verdict, fmt, args);
	va_end(args);
}

void rv_tell_held(struct rv_proof *proof, const char *how, const char *what)
{
	if (!listens(proof, REEVE_HELD))
		return;
	if (strcmp(proof->how, how) == 0) {
		append(proof->detail, sizeof(proof->detail), ", ", what);
		return;
	}
	snprintf(proof->how, sizeof(proof->how), "%s", how);
	append(proof->detail, sizeof(proof->detail), "; ", how);
	append(proof->detail, sizeof(proof->detail), ": ", what);
}

/* 16 layers around the caller leave no room for one more: no fault of what is tried. */
void rv_tell_wrong(struct rv_proof *proof, const struct rv_outcome *got, const char *fmt, ...)
{
	bool full = got->end == RV_END_BOX && got->code == -E2BIG;
	va_list args;

	va_start(args, fmt);
	tell(proof, full ? REEVE_SKIPPED : REEVE_BROKEN, fmt, args);
	va_end(args);
}

char *rv_outcome_say(const struct rv_outcome *outcome, char *buf, size_t size)
{
	const char *name = strerrorname_np(-outcome->code);

	if (outcome->end == RV_END_BOX)
		snprintf(buf, size, "could not be sandboxed: %s", outcome->text);
	else if (outcome->end != RV_END_DONE)
		snprintf(buf, size, "%s", outcome->text);
	else if (outcome->code == 0)
		snprintf(buf, size, "worked");
	else if (outcome->code == RV_LACKING)
		snprintf(buf, size, "lacks what it needs");
	else
		snprintf(buf, size, "failed with %s", name ? name : "an unknown error");
	return buf;
}

/* -------------------------------------------------------------------- sides */

static bool done_with(const struct rv_outcome *outcome, int code)
{
	return outcome->end == RV_END_DONE && outcome->code == code;
}

/* Is there anything to be learnt from a refusal? Tells why not. */
static bool can_be_tried(
	struct rv_proof *proof, const struct rv_row *row, const struct rv_outcome *bare)
{
	char said[sizeof(bare->text) + 32];

	if (done_with(bare, 0))
		return true;
	if (bare->end == RV_END_DONE && (row->flags & RV_ROW_FUTILE) &&
		bare->code != -row->refused && bare->code != RV_LACKING)
		return true;
	rv_tell(proof, REEVE_SKIPPED, "%s cannot be tried: unsandboxed, it %s", row->what,
		rv_outcome_say(bare, said, sizeof(said)));
	return false;
}

static void tell_broken(struct rv_proof *proof, const struct rv_row *row, const char *where,
	const struct rv_outcome *got, const char *wanted)
{
	char said[sizeof(got->text) + 32];

	rv_tell_wrong(proof, got, "%s %s %s, expected: %s", row->what, where,
		rv_outcome_say(got, said, sizeof(said)), wanted);
}

/* The granting side. Sets *ret_ok. -errno where the trial could not be made. */
static int try_grant(struct rv_proof *proof, const struct rv_row *row,
	const struct rv_outcome *bare, bool *ret_ok)
{
	struct rv_outcome got;
	int r = 0;

	*ret_ok = true;
	if (row->flags & RV_ROW_NO_GRANT)
		return 0;
	r = rv_trial(proof, row, RV_GRANTED, row->op, &got);
	if (r < 0 || done_with(&got, bare->code))
		return r;
	*ret_ok = false;
	tell_broken(proof, row, "with its rule", &got, bare->code ? "as unsandboxed" : "worked");
	return 0;
}

static int try_refusal(struct rv_proof *proof, const struct rv_row *row, bool *ret_ok)
{
	const char *name = strerrorname_np(row->refused);
	struct rv_outcome got;
	int r = rv_trial(proof, row, RV_REFUSED, row->op, &got);

	*ret_ok = r >= 0 && done_with(&got, -row->refused);
	if (r < 0 || *ret_ok)
		return r;
	tell_broken(proof, row, row->flags & RV_ROW_NO_GRANT ? "sandboxed" : "without its rule",
		&got, name);
	return 0;
}

/* A neighbour that does not work here anyway (no loopback, say) tells nothing. */
static int try_neighbour(struct rv_proof *proof, const struct rv_row *row, bool *ret_ok)
{
	struct rv_outcome bare, got;
	int r;

	*ret_ok = true;
	if (!row->neighbour)
		return 0;
	r = rv_trial(proof, row, RV_BARE, row->neighbour, &bare);
	if (r < 0 || !done_with(&bare, 0))
		return r;
	r = rv_trial(proof, row, RV_REFUSED, row->neighbour, &got);
	if (r < 0 || done_with(&got, 0))
		return r;
	*ret_ok = false;
	tell_broken(proof, row, "on what is no business of the guard", &got, "worked");
	return 0;
}

/* A box that asks for what this kernel lacks would be refused by its plan, and rightly. */
static bool has_wanted(struct rv_proof *proof, const struct rv_row *row)
{
	char name[64];

	if ((row->wants & proof->kernel.rights.of[row->wants_class]) == row->wants)
		return true;
	rv_tell(proof, REEVE_SKIPPED, "%s needs a kernel with %s.%s", row->what,
		reeve_class_name(row->wants_class),
		reeve_rights_format(row->wants_class, row->wants, name, sizeof(name)));
	return false;
}

static void tell_held(struct rv_proof *proof, const struct rv_row *row)
{
	char how[sizeof(proof->how)];

	snprintf(how, sizeof(how), "refused with %s%s", strerrorname_np(row->refused),
		row->flags & RV_ROW_NO_GRANT ? "" : ", granted by its rule");
	rv_tell_held(proof, how, row->what);
}

int rv_prove_sides(struct rv_proof *proof, const struct rv_row *row)
{
	bool granted = false, refused = false, spared = false;
	struct rv_outcome bare;
	int r;

	if (!has_wanted(proof, row))
		return 0;
	r = rv_trial(proof, row, RV_BARE, row->op, &bare);
	if (r < 0)
		return r;
	if (!can_be_tried(proof, row, &bare))
		return 0;
	r = try_grant(proof, row, &bare, &granted);
	if (r >= 0)
		r = try_refusal(proof, row, &refused);
	if (r >= 0)
		r = try_neighbour(proof, row, &spared);
	if (r >= 0 && granted && refused && spared)
		tell_held(proof, row);
	return r;
}

/* ----------------------------------------------------------------- features */

static struct rv_rows (*const tables[])(void) = {
	rv_rows_fs,
	rv_rows_net,
	rv_rows_scope,
	rv_rows_socket,
	rv_rows_guard,
	rv_rows_setting,
	rv_rows_deny,
};

static int prove_rows(struct rv_proof *proof, const struct rv_rows *table, const char *feature)
{
	int r = 0;

	for (size_t i = 0; i < table->count && r >= 0; i++) {
		const struct rv_row *row = &table->rows[i];

		if (strcmp(row->feature, feature) == 0)
			r = row->prove ? row->prove(proof, row) : rv_prove_sides(proof, row);
	}
	return r;
}

/* Lacking memory, processes or fds says nothing about a feature: that ends the whole run. */
static bool exhausted(int r)
{
	return r == -ENOMEM || r == -EAGAIN || r == -EMFILE || r == -ENFILE;
}

/* A trial that could not be set up (no loopback, say) proves nothing; the others go on. */
static int prove(struct rv_proof *proof, const char *feature)
{
	int r = 0;

	for (size_t i = 0; i < RV_COUNT(tables) && r >= 0; i++) {
		struct rv_rows table = tables[i]();

		r = prove_rows(proof, &table, feature);
	}
	if (exhausted(r))
		return r;
	if (r < 0)
		rv_tell(proof, REEVE_SKIPPED, "cannot be tried: no stage for it: %s", strerror(-r));
	if (!proof->told)
		rv_tell(proof, REEVE_SKIPPED, "nobody has written a trial for this");
	return 0;
}

/* Most trials restrict a process in place; what the supervisor enforces takes one of its own. */
static bool is_tried_supervised(const char *feature)
{
	for (size_t i = 0; i < RV_COUNT(tables); i++) {
		struct rv_rows table = tables[i]();

		for (size_t k = 0; k < table.count; k++)
			if ((table.rows[k].flags & RV_ROW_SUPERVISED) &&
				strcmp(table.rows[k].feature, feature) == 0)
				return true;
	}
	return false;
}

static bool claimed(struct rv_proof *proof, const struct reeve_feature *feature)
{
	char why[256] = "";
	enum reeve_enforcer by = reeve_feature_enforcer(feature, &proof->kernel, why, sizeof(why));

	if (by == REEVE_BY_LANDLOCK || by == REEVE_BY_SECCOMP ||
		(by == REEVE_BY_SUPERVISOR && is_tried_supervised(feature->name))) {
		if (proof->kernel.landlock_abi > 0)
			return true;
		/* The filter could do its part, but no policy of ours comes without Landlock. */
		rv_tell(proof, REEVE_SKIPPED, "cannot be tried without Landlock");
		return false;
	}
	if (by == REEVE_BY_SUPERVISOR)
		rv_tell(proof, REEVE_SKIPPED,
			"not tried: a supervisor's, and none is started for it");
	else
		rv_tell(proof, REEVE_SKIPPED, "not enforced here%s%s", why[0] ? ": " : "", why);
	return false;
}

/* -------------------------------------------------------------- the directory */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static void remove_tree(const struct rv_proof *proof)
{
	nftw(proof->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int make_dir(struct rv_proof *proof, struct reeve_error *err)
{
	const char *base = secure_getenv("TMPDIR");
	char made[sizeof(proof->dir)];
	rv_autofree char *real = NULL;

	if (!base || base[0] != '/')
		base = "/tmp";
	if (snprintf(made, sizeof(made), "%s/reeve-verify.XXXXXX", base) >= (int)sizeof(made))
		return rv_error(err, -ENAMETOOLONG, "TMPDIR is too long");
	if (!mkdtemp(made))
		return rv_error(err, -errno, "%s: cannot make a temporary directory: %s",
			rv_q(base), strerror(errno));
	real = realpath(made, NULL);
	snprintf(proof->dir, sizeof(proof->dir), "%s", real ? real : made);
	return 0;
}

/* ------------------------------------------------------------------ the whole */

int reeve_verify(void (*fn)(void *data, const struct reeve_feature *feature,
			 enum reeve_verdict verdict, const char *detail),
	void *data, struct reeve_error *err)
{
	const struct reeve_feature *feature;
	struct rv_proof proof = {.kernel.size = sizeof(proof.kernel)};
	int broken = 0, r = reeve_kernel_probe(&proof.kernel);

	if (r < 0)
		return rv_error(err, r, "cannot probe the kernel: %s", strerror(-r));
	r = make_dir(&proof, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && (feature = reeve_feature_at(i)); i++) {
		proof.told = false;
		if (claimed(&proof, feature))
			r = prove(&proof, feature->name);
		if (r < 0)
			break;
		broken += proof.verdict == REEVE_BROKEN;
		if (fn)
			fn(data, feature, proof.verdict, proof.detail);
	}
	remove_tree(&proof);
	return r < 0 ? rv_error(err, r, "cannot try %s: %s", feature->name, strerror(-r)) : broken;
}
