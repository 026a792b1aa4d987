/* SPDX-License-Identifier: MIT */
/*
 * What the verbs that talk to a running domain share. Functions that can fail print why; they
 * return 0, CLI_NO where there is no such domain, or CLI_ERROR.
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include <limits.h>
#include <reeve/control.h>
#include "cli.h"
#include "json.h"

extern const struct cli_option cli_no_options[];

/* Opens the domain that the only operand names, if there is one. */
int cli_control_open(
	const char *verb, const struct cli_operands *operands, struct reeve_control **ret);
/* Prints the error; the exit code for it. */
int cli_control_failed(const struct reeve_error *err);
/* Sends the request and drops it; the answer is to be dropped. */
int cli_control_call(struct reeve_control *control, json_t *request, json_t **ret);
/* Opens, asks, closes. */
int cli_control_ask(
	const char *verb, const struct cli_operands *operands, json_t *request, json_t **ret);

/* A member of a domain's answer that is text, as it may be printed; "" where there is none. */
char *cli_control_text(const json_t *object, const char *key);
/* Its argv in one line, escaped. */
char *cli_control_command(const json_t *argv);
/* "3 s", "12 min", "5 h", "2 d": of milliseconds. */
char *cli_control_span(uint64_t milliseconds, char buf[32]);
/* Milliseconds since then. */
uint64_t cli_control_age(uint64_t since);

/* Prints text of several lines; control characters that are none of its own become '?'. */
void cli_control_print(const char *text);

/* ---- rules of a domain's answer: answer_rules.c */

/* One of them; its strings live in `object` and `path`. -EPROTO: nothing that this reeve knows. */
int cli_answer_rule(const json_t *object, char path[static PATH_MAX], struct reeve_rule *ret);

/* What the policy of a running domain handles, and its rules that cannot change. -EPROTO: that is
 * not in the answer, or nothing that this reeve knows. */
int cli_answer_ruleset(const json_t *answer, struct reeve_ruleset **ret);

/* ---- live rules: live_rules.c */

/* What the rule flags mean to a running domain: a JSON array, and whether execute was among them
 * and left out. */
int cli_live_rules(
	const char *verb, const struct cli_rules *rules, json_t **ret, bool *ret_execute);

/* One of a domain's live rules, for people. */
void cli_live_rule_print(const json_t *rule);

/* The flags in a policy that denies all else, so that each has its full meaning; resolved. */
int cli_live_policy(
	const struct cli_rules *rules, struct reeve_policy **ret, struct reeve_error *err);

#endif /* CLI_CONTROL_H */
