/* SPDX-License-Identifier: MIT */
/* A library that no loader finds by itself, for test_diagnose.c. */
int lonely(void);

int lonely(void)
{
	return 7;
}
