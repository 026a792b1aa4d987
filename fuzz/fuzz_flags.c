/* SPDX-License-Identifier: MIT */
/* Rule flags, one a line: "--ro /usr". Added to a policy that handles everything, and resolved. */
#include <reeve/policy.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char everything[] =
	"abi = 12\n[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\nhandled_access_net = "
	"[\"abi.all\"]\nhandled_socket = [\"create\"]\nscoped = [\"abi.all\"]\n";

/* What a flag refuses it must explain, and what it takes must resolve. */
static void add(struct reeve_policy *policy, char *line)
{
	struct reeve_error err = {0};
	char *value = strchr(line, ' ');

	if (value)
		*value++ = '\0';
	if (reeve_policy_add_flag(policy, line, value, &err) < 0 && !*err.message)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct reeve_resolve_options options = {
		.size = sizeof(options), .cwd = "/nowhere", .keep_missing = true};
	char *text = malloc(size + 1), *line, *rest;
	struct reeve_policy *policy;
	struct reeve_error err;

	if (!text || reeve_policy_new(&policy) < 0)
		return free(text), 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (reeve_policy_load_text(policy, "all.toml", everything, sizeof(everything) - 1,
		    REEVE_POLICY_TOML, &err) < 0)
		abort();
	rest = text;
	while ((line = strsep(&rest, "\n")))
		add(policy, line);
	reeve_policy_resolve(policy, &options, &err);
	reeve_policy_free(policy);
	free(text);
	return 0;
}
