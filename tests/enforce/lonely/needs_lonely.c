/* SPDX-License-Identifier: MIT */
/* A program that needs a library of its own. Exits with 7. */
int lonely(void);

int main(void)
{
	return lonely();
}
