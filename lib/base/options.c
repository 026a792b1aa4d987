/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "base/error.h"
#include "base/options.h"

#define SIZE_MOST 4096 /* of any struct that will ever be */

static bool is_zero(const char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i])
			return false;
	return true;
}

int rv_options_take(void *to, size_t known, const void *given, struct reeve_error *err)
{
	size_t size;

	if (!given)
		return 0;
	memcpy(&size, given, sizeof(size));
	if (size < sizeof(size) || size > SIZE_MOST)
		return rv_error(err, -EINVAL, "options of a size that cannot be: %zu", size);
	if (size > known && !is_zero((const char *)given + known, size - known))
		return rv_error(err, -EINVAL, "options that this version of the library lacks");
	memcpy(to, given, size < known ? size : known);
	return 0;
}
