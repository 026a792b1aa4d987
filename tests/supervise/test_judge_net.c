/* SPDX-License-Identifier: MIT */
/* Live rules that are on no path. */
#include <arpa/inet.h>
#include "judge_util.h"

static enum rv_judged at(struct rv_judge *judge, const char *host, uint16_t port)
{
	struct rv_judgement judgement;
	struct in_addr address;
	struct rv_ip ip;

	inet_pton(AF_INET, host, &address);
	ip = rv_ip_from_v4(&address);
	rv_judge_endpoint(judge, NET, &ip, port, false, &judgement);
	CHECK_EQ(judgement.decision.missing, judgement.result == RV_DENIED ? NET : 0);
	rv_judge_used(judge, &judgement);
	return judgement.result;
}

static void ports_and_addresses(void)
{
	struct reeve_rule ports = {.type = REEVE_RULE_NET_PORT,
		.allowed = NET,
		.port_first = 80,
		.port_last = 90,
		.origin = "--connect-tcp 80-90"};
	struct reeve_rule here = {.type = REEVE_RULE_NET_ADDRESS,
		.allowed = NET,
		.address = "10.0.0.0/8",
		.port_last = 65535};
	struct reeve_rule part = ports;
	struct reeve_live_options once = {.size = sizeof(once), .once = true};
	struct rv_judge *judge = new_judge();

	CHECK_EQ(at(judge, "10.1.1.1", 80), RV_DENIED);
	CHECK_EQ(rv_judge_stage_add(judge, &ports, NULL, NULL), 0);
	CHECK_EQ(rv_judge_stage_add(judge, &here, &once, NULL), 0);
	CHECK_EQ(at(judge, "10.1.1.1", 80), RV_DENIED);
	commit(judge);
	CHECK(!rv_judge_has_live(judge)); /* no path need be looked up for it */
	CHECK_EQ(at(judge, "10.1.1.1", 80), RV_LIVE_ALLOWS);
	CHECK_EQ(at(judge, "192.0.2.1", 90), RV_LIVE_ALLOWS);
	CHECK_EQ(at(judge, "192.0.2.1", 91), RV_DENIED);
	CHECK_EQ(at(judge, "192.0.2.1", 79), RV_DENIED);
	CHECK_EQ(at(judge, "10.1.1.1", 1), RV_LIVE_ALLOWS);
	CHECK_EQ(at(judge, "10.1.1.1", 1), RV_DENIED);
	part.port_last = 80;
	CHECK_EQ(rv_judge_stage_revoke(judge, &part, NULL), 0);
	CHECK_EQ(rv_judge_stage_revoke(judge, &ports, NULL), 1);
	commit(judge);
	CHECK_EQ(at(judge, "192.0.2.1", 80), RV_DENIED);
	CHECK_EQ(count_rules(judge), 0);
	rv_judge_free(judge);
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"ports and addresses", ports_and_addresses},
	};

	return tap_run(cases, RV_COUNT(cases));
}
