/* SPDX-License-Identifier: MIT */
#include <reeve/reeve.h>

const char *reeve_version(void)
{
	return REEVE_VERSION;
}
