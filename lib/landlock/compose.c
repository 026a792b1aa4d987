/* SPDX-License-Identifier: MIT */
/* Union, intersection and replacement of whole rulesets: the model does the thinking. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "landlock/ruleset.h"

/* ----------------------------------------------------------------- records and model */

void rv_record_rule(const struct rv_record *record, struct reeve_rule *ret)
{
	*ret = (struct reeve_rule){
		.type = (enum reeve_rule_type)record->type, .allowed = record->allowed};
	if (record->type == REEVE_RULE_PATH_BENEATH)
		ret->path = record->path;
	else if (record->type == REEVE_RULE_NET_PORT) {
		ret->port_first = record->port_first;
		ret->port_last = record->port_last;
	} else {
		ret->socket_family = record->family;
		ret->socket_type = record->socket_type;
		ret->socket_protocol = record->protocol;
	}
}

int rv_content_model(const struct reeve_rights *handled, const struct rv_records *records,
	struct reeve_ruleset **ret)
{
	const struct rv_record *record = NULL;
	struct reeve_ruleset *ruleset;
	struct reeve_rule rule;
	int r = reeve_ruleset_new(handled, &ruleset);

	if (r)
		return r;
	while (r == 0 && (record = rv_record_next(records, record))) {
		rv_record_rule(record, &rule);
		r = reeve_ruleset_add(ruleset, &rule, NULL);
	}
	if (r)
		reeve_ruleset_free(ruleset);
	else
		*ret = ruleset;
	return r;
}

/* The object that a path was when it was added to either; "/" may be new. */
static int find_object(const struct rv_records *left, const struct rv_records *right,
	const char *path, struct rv_record *ret)
{
	const struct rv_records *const both[] = {left, right};
	struct stat st;

	for (size_t i = 0; i < RV_COUNT(both); i++) {
		const struct rv_record *record = NULL;

		while ((record = rv_record_next(both[i], record))) {
			if (record->type != REEVE_RULE_PATH_BENEATH || strcmp(record->path, path))
				continue;
			ret->dev = record->dev;
			ret->ino = record->ino;
			return 0;
		}
	}
	if (stat(path, &st) < 0)
		return -errno;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	return 0;
}

/* A rule is on one port, and an intersection on exactly that; "everywhere" is an object by itself.
 */
static int add_ports(const struct reeve_rule *rule, struct rv_list *list)
{
	struct rv_record record = {.type = REEVE_RULE_NET_PORT, .allowed = rule->allowed};
	bool everywhere = rule->port_first == 0 && rule->port_last == UINT16_MAX;
	int r = 0;

	record.port_last = UINT16_MAX;
	if (everywhere)
		return rv_list_add(list, &record, "");
	for (uint32_t port = rule->port_first; r == 0 && port <= rule->port_last; port++) {
		record.port_first = record.port_last = (uint16_t)port;
		r = rv_list_add(list, &record, "");
	}
	return r;
}

static int add_rule(const struct reeve_rule *rule, const struct rv_records *left,
	const struct rv_records *right, struct rv_list *list)
{
	struct rv_record record = {.type = (uint16_t)rule->type, .allowed = rule->allowed};
	int r = 0;

	if (rule->type == REEVE_RULE_NET_PORT)
		return add_ports(rule, list);
	if (rule->type == REEVE_RULE_PATH_BENEATH) {
		r = find_object(left, right, rule->path, &record);
		return r ? r : rv_list_add(list, &record, rule->path);
	}
	record.family = rule->socket_family;
	record.socket_type = rule->socket_type;
	record.protocol = rule->socket_protocol;
	return rv_list_add(list, &record, "");
}

int rv_content_records(const struct reeve_ruleset *ruleset, const struct rv_records *left,
	const struct rv_records *right, struct rv_list *ret)
{
	struct reeve_rule rule;
	int r = 0;

	for (size_t i = 0; r == 0 && reeve_ruleset_at(ruleset, i, &rule) == 0; i++)
		if (rule.allowed)
			r = add_rule(&rule, left, right, ret);
	return r;
}

/* --------------------------------------------------------------- two rulesets to one */

static void free_ruleset_p(struct reeve_ruleset **ruleset)
{
	reeve_ruleset_free(*ruleset);
}
#define rv_autoruleset RV_CLEANUP(free_ruleset_p) struct reeve_ruleset *

static int combine(const struct reeve_rights *handled, const struct rv_records *left,
	const struct rv_content *right, bool intersect, struct reeve_ruleset **ret)
{
	rv_autoruleset a = NULL;
	rv_autoruleset b = NULL;
	int r = rv_content_model(handled, left, &a);

	if (r == 0)
		r = rv_content_model(&right->handled, &right->records, &b);
	if (r)
		return r;
	return intersect ? reeve_ruleset_intersect(a, b, ret) : reeve_ruleset_union(a, b, ret);
}

/* Socket creation is a permission in what is made of two of which one at least handles it. */
static bool is_permission(const struct rv_content *left, const struct rv_content *right)
{
	return left->handled.of[REEVE_SOCKET] ? left->permissions : right->permissions;
}

static bool differ_in_kind(const struct rv_content *left, const struct rv_content *right)
{
	return left->handled.of[REEVE_SOCKET] && right->handled.of[REEVE_SOCKET] &&
	       left->permissions != right->permissions;
}

static int make_of(const struct reeve_ruleset *ruleset, const struct rv_content *left,
	const struct rv_content *right)
{
	struct landlock_ruleset_attr attr = {0};
	struct reeve_rights handled;
	rv_autolist list = {0};
	int r = rv_content_records(ruleset, &left->records, &right->records, &list);
	const struct rv_records rules = {list.at, list.size};

	if (r)
		return r;
	reeve_ruleset_handled(ruleset, &handled);
	attr.handled_access_fs = handled.of[REEVE_FS];
	attr.handled_access_net = handled.of[REEVE_NET];
	attr.scoped = handled.of[REEVE_SCOPE];
	if (is_permission(left, right))
		attr.handled_permissions =
			handled.of[REEVE_SOCKET] ? LANDLOCK_PERMISSION_SOCKET_CREATE : 0;
	else
		attr.handled_access_socket = handled.of[REEVE_SOCKET];
	if (!attr.handled_access_fs && !attr.handled_access_net && !attr.scoped &&
		!attr.handled_access_socket && !attr.handled_permissions)
		return -ENOMSG; /* the union of two that have nothing in common */
	return rv_ruleset_make(&attr, RV_ROLE_PLAIN, &rules);
}

int rv_ruleset_compose(int left_fd, int right_fd, bool intersect)
{
	rv_autocontent left = {0}, right = {0};
	rv_autoruleset result = NULL;
	int r = rv_content_read(left_fd, &left);

	if (r == 0)
		r = rv_content_read(right_fd, &right);
	if (r == 0 && differ_in_kind(&left, &right))
		r = -EINVAL;
	if (r == 0)
		r = combine(&left.handled, &left.records, &right, intersect, &result);
	return r ? r : make_of(result, &left, &right);
}

/* ----------------------------------------------------------------- the live part */

int rv_live_check(const struct rv_record *record, const char **ret_why)
{
	uint64_t rights = record->type == REEVE_RULE_PATH_BENEATH ? record->allowed : 0;

	if (rights & REEVE_FS_EXECUTE)
		*ret_why = "execute cannot be given to a running domain: the kernel executes "
			   "nothing that another process opened; add it to the supervisee ruleset";
	else if ((rights & REEVE_FS_RESOLVE_UNIX) &&
		 !(rv_beyond_kernel(REEVE_FS) & REEVE_FS_RESOLVE_UNIX))
		*ret_why = "resolve_unix cannot be given to a running domain where the kernel's "
			   "Landlock decides it; add it to the supervisee ruleset";
	else
		return 0;
	return -ENOTSUP;
}

static int check_all(const struct rv_records *records, const char **ret_why)
{
	const struct rv_record *record = NULL;
	int r = 0;

	while (r == 0 && (record = rv_record_next(records, record)))
		r = rv_live_check(record, ret_why);
	return r;
}

static bool handles_more(const struct reeve_rights *a, const struct reeve_rights *b)
{
	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		if (cls != REEVE_SCOPE && (a->of[cls] & ~b->of[cls]))
			return true;
	return false;
}

/* Puts [clear, rules…] in place of what is staged; with the lock. On failure nothing changed. */
static int stage_all(struct rv_image *image, const struct rv_records *rules)
{
	const struct rv_record clear = {.op = RV_RECORD_CLEAR}, *record = NULL;
	uint32_t before = image->used[RV_AREA_STAGED];
	int r = rv_image_append(image, RV_AREA_STAGED, &clear, "");

	while (r == 0 && (record = rv_record_next(rules, record)))
		r = rv_image_append(image, RV_AREA_STAGED, record, record->path);
	if (r)
		image->used[RV_AREA_STAGED] = before;
	return r;
}

static int add_root(uint64_t allowed, struct rv_list *list)
{
	struct rv_record root = {.type = REEVE_RULE_PATH_BENEATH, .allowed = allowed};
	struct stat st;

	if (!allowed)
		return 0;
	if (stat("/", &st) < 0)
		return -errno;
	root.dev = st.st_dev;
	root.ino = st.st_ino;
	return rv_list_add(list, &root, "/");
}

static int add_every_port(uint64_t allowed, struct rv_list *list)
{
	const struct reeve_rule rule = {
		.type = REEVE_RULE_NET_PORT, .allowed = allowed, .port_last = UINT16_MAX};

	return allowed ? add_ports(&rule, list) : 0;
}

/* No rule is on any family. */
static int add_every_socket(uint64_t allowed, struct rv_list *list)
{
	struct rv_record record = {.type = REEVE_RULE_SOCKET, .allowed = allowed};
	int r = 0;

	record.socket_type = record.protocol = REEVE_SOCKET_ANY;
	for (int family = 0; allowed && r == 0 && family <= RV_FAMILY_MAX; family++) {
		record.family = family;
		r = rv_list_add(list, &record, "");
	}
	return r;
}

/* What the new one does not handle is granted everywhere. */
static int add_dropped(
	const struct rv_image *image, const struct rv_content *other, struct rv_list *list)
{
	uint64_t dropped[REEVE_CLASS_COUNT];
	int r;

	for (int cls = 0; cls < REEVE_CLASS_COUNT; cls++)
		dropped[cls] = image->handled.of[cls] & ~other->handled.of[cls];
	r = add_root(dropped[REEVE_FS], list);
	if (r == 0)
		r = add_every_port(dropped[REEVE_NET], list);
	return r ? r : add_every_socket(dropped[REEVE_SOCKET], list);
}

static int copy_all(const struct rv_records *records, struct rv_list *list)
{
	const struct rv_record *record = NULL;
	int r = 0;

	while (r == 0 && (record = rv_record_next(records, record)))
		r = rv_list_add(list, record, record->path);
	return r;
}

int rv_live_replace(struct rv_image *image, int ruleset_fd, const char **ret_why)
{
	rv_autocontent other = {0};
	rv_autolist list = {0};
	struct rv_records rules;
	uint32_t before;
	int r = rv_content_read(ruleset_fd, &other);

	if (r == 0 && handles_more(&other.handled, &image->handled))
		r = -EINVAL;
	if (r == 0)
		r = copy_all(&other.records, &list);
	if (r == 0)
		r = add_dropped(image, &other, &list);
	rules = (struct rv_records){list.at, list.size};
	if (r == 0)
		r = check_all(&rules, ret_why);
	if (r == 0)
		r = rv_image_lock(image);
	if (r)
		return r;
	before = image->used[RV_AREA_STAGED];
	r = stage_all(image, &rules);
	if (r == 0)
		r = rv_image_commit(image);
	if (r)
		image->used[RV_AREA_STAGED] = before;
	rv_image_unlock(image);
	return r;
}

/* What will be live once what is staged is committed. With the lock. */
static int read_coming(struct rv_image *image, struct rv_records *ret)
{
	struct rv_records live, staged = {(const char *)image + RV_IMAGE_FIRST +
						  (size_t)RV_AREA_STAGED * RV_IMAGE_AREA,
					image->used[RV_AREA_STAGED]};
	uint64_t generation;
	int r = rv_image_live(image, &live, &generation);

	if (r)
		return r;
	r = rv_records_apply(&live, &staged, ret);
	free((void *)(uintptr_t)live.at);
	return r;
}

static int intersect_locked(struct rv_image *image, const struct rv_content *other)
{
	rv_autocontent coming = {0};
	rv_autoruleset result = NULL;
	rv_autolist list = {0};
	int r = read_coming(image, &coming.records);

	if (r == 0)
		r = combine(&image->handled, &coming.records, other, true, &result);
	if (r == 0)
		r = rv_content_records(result, &coming.records, &other->records, &list);
	return r ? r : stage_all(image, &(struct rv_records){list.at, list.size});
}

int rv_live_intersect(struct rv_image *image, int ruleset_fd, const char **ret_why)
{
	rv_autocontent other = {0};
	int r = rv_content_read(ruleset_fd, &other);

	(void)ret_why; /* what is cut down can be live as it was */
	if (r == 0 && handles_more(&other.handled, &image->handled))
		r = -EINVAL;
	if (r == 0)
		r = rv_image_lock(image);
	if (r)
		return r;
	r = intersect_locked(image, &other);
	rv_image_unlock(image);
	return r;
}
