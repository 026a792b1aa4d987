/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "enforce/search.h"

const char *rv_env_get(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; envp && *envp; envp++) {
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	}
	return NULL;
}

char **rv_env_with(char *const *envp, const char *setting)
{
	size_t name = (size_t)(strchr(setting, '=') - setting) + 1, n = 0, out = 0;
	char **copy;

	while (envp && envp[n])
		n++;
	copy = calloc(n + 2, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(envp[i], setting, name) != 0)
			copy[out++] = envp[i];
	}
	copy[out] = (char *)setting;
	return copy;
}

/* The next part of PATH; an empty one is the working directory. False where there is none. */
static int next_part(struct rv_search *search, const char **ret, size_t *ret_length)
{
	const char *part = search->next;

	if (!part)
		return 0;
	*ret = part;
	*ret_length = strcspn(part, ":");
	search->next = part[*ret_length] ? part + *ret_length + 1 : NULL;
	return 1;
}

static int start(struct rv_search *search)
{
	search->started = 1;
	search->next = search->path ? search->path : "/bin:/usr/bin";
	if (!strchr(search->program, '/'))
		return search->program[0] != '\0';
	search->next = NULL;
	if (strlen(search->program) >= sizeof(search->name))
		return 0;
	strcpy(search->name, search->program);
	return -1;
}

/* "PART/PROGRAM" by hand: runs between fork and exec, where printf(3) is not allowed. */
static int join(struct rv_search *search, const char *part, size_t length)
{
	size_t program = strlen(search->program), slash = length > 0;

	if (length + slash + program >= sizeof(search->name))
		return 0;
	memcpy(search->name, part, length);
	if (slash)
		search->name[length] = '/';
	memcpy(search->name + length + slash, search->program, program + 1);
	return 1;
}

int rv_search_next(struct rv_search *search)
{
	const char *part;
	size_t length;

	if (!search->started) {
		int r = start(search);

		if (r <= 0)
			search->next = NULL;
		if (r < 0)
			return 1;
	}
	while (next_part(search, &part, &length)) {
		if (join(search, part, length))
			return 1;
	}
	return 0;
}

int rv_search_goes_on(int error)
{
	static const int on[] = {-EACCES, -ENOENT, -ESTALE, -ENOTDIR, -ENODEV, -ETIMEDOUT};

	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		if (error == on[i])
			return 1;
	}
	return 0;
}
