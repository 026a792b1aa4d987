/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/error.h"
#include "enforce/diagnose_private.h"
#include "enforce/search.h"
#include "policy/canon.h"

/* execve(2) opens the program and each interpreter with both: __FMODE_EXEC and FMODE_READ. */
#define RUN (REEVE_FS_EXECUTE | REEVE_FS_READ_FILE)

/* BINPRM_BUF_SIZE: the kernel reads no more of a "#!" line. */
#define SHEBANG_MAX 256
/* The kernel follows five interpreters; one more of env's is added here. */
#define DEPTH_MAX 6

/* --------------------------------------------------------------------- objects */

/* The canonical path of what `path` names, with the kernel's help; takes over fd, which may be -1.
 */
static int name_by_link(struct rv_image *object, const char *path, int fd)
{
	int rv_autoclose pinned = fd >= 0 ? -1 : open(path, O_PATH | O_CLOEXEC);
	char link[40];
	ssize_t n;

	object->fd = fd;
	if (fd < 0 && pinned < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd >= 0 ? fd : pinned);
	n = readlink(link, object->path, sizeof(object->path) - 1);
	if (n <= 0 || object->path[0] != '/') {
		rv_image_close(object);
		return -ENOENT;
	}
	object->path[n] = '\0';
	return 0;
}

int rv_image_open(struct rv_image *object, const char *path)
{
	struct rv_canon canon;
	struct stat st;
	int fd, r;

	object->fd = -1;
	/* Opening a device or a FIFO could do something: never done for a look. */
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (path[0] != '/')
		return name_by_link(object, path, fd);
	/* By hand: the first look into /proc/self costs more than all that is looked at here. */
	rv_canon_init(&canon);
	r = rv_canonicalize(&canon, path, false, object->path);
	object->fd = fd;
	if (r < 0)
		rv_image_close(object);
	return r;
}

void rv_image_close(struct rv_image *object)
{
	rv_close_p(&object->fd);
	object->fd = -1;
}

uint64_t rv_look_missing(const struct rv_look *look, const char *path, uint64_t access)
{
	struct reeve_decision decision;

	reeve_decide_path(look->plan->domain, path, access, &decision);
	return decision.allowed ? 0 : decision.missing;
}

/* -------------------------------------------------------------- one file after another */

static void look_at_object(struct rv_look *look, const struct rv_image *object, const char *what,
	bool after_exec, unsigned int depth);

/* execve(2) says ENOENT for it, which looks as if the program were missing. */
static void note_no_interpreter(struct rv_look *look, const char *path)
{
	struct rv_diagnosis *ret = look->ret;

	if (ret->code)
		return;
	ret->code = -ENOENT;
	snprintf(ret->message, sizeof(ret->message), "%s: its interpreter %s does not exist",
		rv_q(look->program), rv_q(path));
}

/* Regular, executable by mode; -errno else. */
static int open_candidate(struct rv_image *object, const char *path)
{
	int r = rv_image_open(object, path);

	if (r == 0 && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0) {
		r = -errno;
		rv_image_close(object);
	}
	return r;
}

/* In a directory of PATH that we may not even search, such as root's: a shell would go on. */
static bool is_hidden(const struct rv_search *search)
{
	return strcmp(search->name, search->program) != 0 &&
	       faccessat(AT_FDCWD, search->name, F_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/*
 * The first candidate in PATH that can be executed, file modes and policy considered, as
 * execvp(3) goes on after EACCES. 0: it is in *ret, allowed; -EACCES: the first that only the
 * policy denies is; -ENOENT: nothing of that name; -EPERM: something of that name that cannot be
 * executed anyway. The caller closes *ret. ret_name (PATH_MAX bytes or NULL) is how PATH names it.
 */
static int find_program(
	const struct rv_look *look, const char *program, struct rv_image *ret, char *ret_name)
{
	struct rv_search search = {.program = program, .path = rv_env_get(look->envp, "PATH")};
	struct rv_image object;
	int found = -ENOENT;

	while (rv_search_next(&search)) {
		int r = open_candidate(&object, search.name);
		bool denied = r == 0 && rv_look_missing(look, object.path, RUN);

		if (r == -ENOENT || r == -ENOTDIR || (r == -EACCES && is_hidden(&search)))
			continue;
		if (r == 0 && (!denied || found != -EACCES)) {
			rv_image_close(ret);
			*ret = object;
			if (ret_name)
				strcpy(ret_name, search.name);
		} else {
			rv_image_close(&object);
		}
		if (r == 0 && !denied)
			return 0;
		if (found != -EACCES)
			found = denied ? -EACCES : -EPERM;
	}
	return found;
}

/* Splits "#! INTERPRETER ARGUMENT": 0, or -ENOEXEC. `head` is modified. */
static int parse_shebang(char *head, char **ret_interpreter, char **ret_argument)
{
	char *end = strchr(head, '\n');

	if (head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	if (end)
		*end = '\0';
	*ret_interpreter = head + 2 + strspn(head + 2, " \t");
	end = *ret_interpreter + strcspn(*ret_interpreter, " \t");
	*ret_argument = end + strspn(end, " \t");
	*end = '\0';
	return **ret_interpreter ? 0 : -ENOEXEC;
}

/* "#!/usr/bin/env python3", or env -S: env looks python3 up in PATH. */
static void look_behind_env(struct rv_look *look, char *argument, unsigned int depth)
{
	struct rv_image object = RV_OBJECT_NONE;
	char what[300];
	int r;

	if (strncmp(argument, "-S", 2) == 0)
		argument += 2 + strspn(argument + 2, " \t");
	argument[strcspn(argument, " \t")] = '\0';
	if (!*argument || *argument == '-' || strchr(argument, '='))
		return;
	r = find_program(look, argument, &object, NULL);
	/* Anything else is for env to say: it is not the policy's fault. */
	if (r == 0 || r == -EACCES) {
		snprintf(what, sizeof(what), "its interpreter %s", rv_q(argument));
		look_at_object(look, &object, what, true, depth);
	}
	rv_image_close(&object);
}

static void look_at_script(
	struct rv_look *look, const struct rv_elf *file, bool after_exec, unsigned int depth)
{
	size_t n = file->head_length < SHEBANG_MAX ? file->head_length : SHEBANG_MAX;
	char head[SHEBANG_MAX + 1], *interpreter, *argument;
	struct rv_image object = RV_OBJECT_NONE;
	const char *base;
	int r;

	memcpy(head, file->head, n);
	head[n] = '\0';
	if (parse_shebang(head, &interpreter, &argument) < 0)
		return;
	r = rv_image_open(&object, interpreter);
	if (r == -ENOENT)
		note_no_interpreter(look, interpreter);
	if (r == 0)
		look_at_object(look, &object, "its interpreter", after_exec, depth);
	rv_image_close(&object);
	base = strrchr(interpreter, '/');
	if (base && strcmp(base, "/env") == 0)
		look_behind_env(look, argument, depth);
}

static void look_at_elf(struct rv_look *look, const struct rv_image *object,
	const struct rv_elf *elf, bool after_exec)
{
	struct rv_image loader = RV_OBJECT_NONE;
	char interp[PATH_MAX];
	uint64_t missing;
	int r;

	if (rv_elf_string(elf, elf->interp_at, interp, sizeof(interp)) < 0)
		return; /* static: it needs nothing else */
	r = rv_image_open(&loader, interp);
	if (r == -ENOENT)
		note_no_interpreter(look, interp);
	if (r < 0)
		return;
	missing = rv_look_missing(look, loader.path, RUN);
	if (missing)
		rv_look_deny(look, loader.path, missing, after_exec, "its ELF interpreter");
	rv_image_close(&loader);
	rv_look_at_libraries(look, object, elf, interp);
}

static void look_at_object(struct rv_look *look, const struct rv_image *object, const char *what,
	bool after_exec, unsigned int depth)
{
	uint64_t missing = rv_look_missing(look, object->path, RUN);
	struct rv_elf *elf;
	int r;

	if (depth > DEPTH_MAX)
		return;
	if (missing)
		rv_look_deny(look, object->path, missing, after_exec, what);
	elf = object->fd < 0 ? NULL : malloc(sizeof(*elf));
	if (!elf)
		return;
	r = rv_elf_read(elf, object->fd);
	if (r == 0)
		look_at_elf(look, object, elf, after_exec);
	else if (r == -ENOEXEC)
		look_at_script(look, elf, after_exec, depth + 1);
	free(elf);
}

/* "Permission denied" of what the policy has no part in. */
static void note_no_program(struct rv_look *look)
{
	const char *reason = NULL;
	struct stat st;

	if (!strchr(look->program, '/') || stat(look->program, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		reason = "it is a directory";
	else if (S_ISREG(st.st_mode) && !(st.st_mode & 0111))
		reason = "it has no execute permission (chmod +x)";
	if (!reason)
		return;
	look->ret->code = -EPERM;
	snprintf(look->ret->message, sizeof(look->ret->message), "%s: cannot be executed: %s",
		rv_q(look->program), reason);
}

void rv_diagnose(const struct reeve_plan *plan, const char *program, char *const *envp,
	struct rv_diagnosis *ret)
{
	struct rv_look look = {.plan = plan, .envp = envp, .program = program, .ret = ret};
	struct rv_image object = RV_OBJECT_NONE;
	int r;

	ret->code = 0;
	ret->after_exec = false;
	ret->message[0] = ret->hint[0] = ret->program[0] = '\0';
	r = find_program(&look, program, &object, ret->program);
	if (r == -ENOENT)
		ret->code = -ENOENT;
	if (r == -EPERM)
		note_no_program(&look);
	if (r == 0 || r == -EACCES) {
		look_at_object(&look, &object, "it", false, 0);
		rv_look_finish(&look);
	}
	rv_image_close(&object);
}

int reeve_plan_diagnose(const struct reeve_plan *plan, const char *program, char *const *envp,
	char *ret, size_t size)
{
	struct rv_diagnosis diagnosis;

	rv_diagnose(plan, program, envp ? envp : environ, &diagnosis);
	if (size)
		snprintf(ret, size, "%s", diagnosis.hint);
	return diagnosis.code == -EACCES;
}
