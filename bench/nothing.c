/* SPDX-License-Identifier: MIT */
/* The smallest program: started under a launcher, it leaves the launcher's own memory as peak. */
int main(void)
{
	return 0;
}
