/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/json_members.h"

static bool is_one_of(const char *key, const char *const *known)
{
	while (*known && strcmp(*known, key) != 0)
		known++;
	return *known;
}

static int unknown(const char *key, const char *const *known, struct reeve_error *err)
{
	char list[256] = "";
	size_t used = 0;

	for (; *known && used < sizeof(list); known++)
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", used ? ", " : "", *known);
	rv_error(err, -EINVAL, "%s: unknown member", rv_q(key));
	rv_error_hint(err, "expected: %s", list);
	return -EINVAL;
}

int rv_json_members(const json_t *object, const char *const *known, struct reeve_error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!is_one_of(key, known))
			return unknown(key, known, err);
	}
	return 0;
}
