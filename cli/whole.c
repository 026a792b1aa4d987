/* SPDX-License-Identifier: MIT */
/* The whole command as one program, without front.c. */
#include "verbs.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
