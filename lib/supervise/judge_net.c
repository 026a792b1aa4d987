/* SPDX-License-Identifier: MIT */
/* Decisions on IP addresses and ports, and on sockets: what is on no path. */
#include <errno.h>
#include <stdio.h>
#include "model/ruleset.h"
#include "supervise/judge_private.h"

#define TYPE_MASK 0xf /* the rest of a socket's type are flags */

/* What a request is about. */
struct wanted {
	enum reeve_class cls;
	/* REEVE_NET */
	const struct rv_ip *ip;
	uint16_t port;
	bool bound;
	/* REEVE_SOCKET: what the filter goes by, without its rules; family, type, protocol */
	const struct rv_filter_spec *spec;
	const int *socket;
};

static bool grants_socket(const struct rv_live_object *object, const struct wanted *wanted)
{
	const struct rv_filter_socket rule = {
		object->numbers[0], object->numbers[1], object->numbers[2]};
	struct rv_filter_spec spec = *wanted->spec;

	spec.sockets = &rule;
	spec.sockets_count = 1;
	return rv_filter_socket_verdict(&spec, wanted->socket[0], wanted->socket[1],
		       wanted->socket[2]) == RV_SOCKET_ALLOWED;
}

static bool is_on(const struct rv_live_rule *grant, const struct wanted *wanted)
{
	const struct rv_live_object *object = rv_live_rule_object(grant);

	if (reeve_rule_class((enum reeve_rule_type)grant->type) != wanted->cls)
		return false;
	if (wanted->cls == REEVE_SOCKET)
		return grants_socket(object, wanted);
	if (wanted->port < object->numbers[0] || wanted->port > object->numbers[1])
		return false;
	return grant->type == REEVE_RULE_NET_PORT ||
	       rv_address_match(&object->address, wanted->ip, wanted->bound);
}

/* By rules that are for good, then by such as are granted once; what is still missing. */
static uint64_t pick(const struct rv_snapshot *snapshot, const struct wanted *wanted, bool once,
	uint64_t missing, uint64_t *quiet, struct rv_judgement *ret)
{
	uint64_t now = snapshot->first_expiry ? rv_boot_ms() : 0;
	const struct rv_entry *entry;

	for (uint32_t i = snapshot->first_pathless; missing && i != RV_NO_RULE; i = entry->next) {
		entry = &snapshot->entries.at[i];
		if (entry->once != once || rv_live_rule_over(entry->grant, now) ||
			!is_on(entry->grant, wanted))
			continue;
		*quiet |= entry->quiet;
		if ((entry->allowed & missing) && rv_judgement_add(ret, entry))
			missing &= ~(uint64_t)entry->allowed;
	}
	return missing;
}

static void judge_live(struct rv_judge *judge, const struct wanted *wanted, uint64_t missing,
	uint64_t quiet, struct rv_judgement *ret)
{
	rv_autosnapshot snapshot = rv_judge_snapshot(judge);

	*ret = (struct rv_judgement){.result = RV_LIVE_ALLOWS, .decision = {.allowed = true}};
	missing = pick(snapshot, wanted, false, missing, &quiet, ret);
	missing = pick(snapshot, wanted, true, missing, &quiet, ret);
	if (!missing)
		return;
	*ret = (struct rv_judgement){.result = RV_DENIED,
		.decision = {.error = EACCES,
			.missing = missing,
			.layer = 1,
			.quiet = !(missing & ~quiet)}};
}

void rv_judge_endpoint(struct rv_judge *judge, uint64_t access, const struct rv_ip *ip,
	uint16_t port, bool bound, struct rv_judgement *ret)
{
	const struct wanted wanted = {.cls = REEVE_NET, .ip = ip, .port = port, .bound = bound};
	struct rv_grant grant = rv_ruleset_endpoint(judge->policy, ip, port, bound);
	uint64_t missing = judge->handled.of[REEVE_NET] & access & ~grant.allowed;

	if (missing)
		judge_live(judge, &wanted, missing, grant.quiet, ret);
	else
		*ret = (struct rv_judgement){
			.result = RV_FLOOR_ALLOWS, .decision = {.allowed = true}};
}

void rv_judge_socket(struct rv_judge *judge, const struct rv_filter_spec *spec, const int socket[3],
	struct rv_judgement *ret)
{
	const struct wanted wanted = {.cls = REEVE_SOCKET, .spec = spec, .socket = socket};
	struct rv_grant grant =
		rv_ruleset_socket(judge->policy, socket[0], socket[1] & TYPE_MASK, socket[2]);

	judge_live(judge, &wanted, REEVE_SOCKET_CREATE, grant.quiet, ret);
}
