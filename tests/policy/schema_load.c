/* SPDX-License-Identifier: MIT */
/* Loads each line of standard input as a JSON policy: "ok", or why not. For schema.py. */
#include <reeve/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	while ((length = getline(&line, &capacity, stdin)) > 0) {
		struct reeve_policy *policy;
		struct reeve_error err = {0};

		if (reeve_policy_new(&policy) < 0)
			return 1;
		if (reeve_policy_load_text(policy, "policy.json", line, (size_t)length,
			    REEVE_POLICY_JSON, &err) < 0)
			printf("%s\n", err.message);
		else
			printf("ok\n");
		reeve_policy_free(policy);
	}
	free(line);
	return 0;
}
