/* SPDX-License-Identifier: MIT */
/*
 * execve: only looked at for the event of a denial. The kernel does not execute what another
 * process opened, so nothing can be granted here, and the call goes on, unless a denial is the
 * reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "enforce/elf.h"
#include "supervise/guise.h"
#include "supervise/record.h"

/* A script's interpreter may be a script; the kernel gives up after five. */
#define MAX_INTERPRETERS 5

/* The kernel opens what it executes for reading, and Landlock looks at that too. */
#define RIGHTS (REEVE_FS_EXECUTE | REEVE_FS_READ_FILE)

static const char *find(
	struct rv_request *request, int dirfd, uint64_t address, int flags, struct rv_object *ret)
{
	rv_autopath path = RV_PATH_EMPTY;
	const char *reason = rv_path_copy(request, dirfd, address, &path);
	int error = 0;

	if (reason)
		return reason;
	reason = rv_resolve_object(request, path.base, path.text,
		flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0, 0, ret, &error);
	if (reason && request->context->record)
		rv_record_native(request, &path, ret->fd, error, RIGHTS);
	return reason;
}

static bool may_execute(const struct rv_request *request, const struct rv_object *object)
{
	bool may = S_ISREG(object->st.st_mode) && rv_guise_begin(request->guise) &&
		   rv_fs_accessible(object->fd, X_OK);

	rv_guise_end(request->guise);
	return may;
}

/* False: the kernel does not execute it, whatever the policy says. */
static bool judge(struct rv_request *request, const struct rv_object *object, bool is_interpreter,
	bool *ret_by_denial)
{
	struct rv_judgement judgement;

	if (!may_execute(request, object)) {
		if (request->context->record)
			rv_record_failed(request, object->path, RIGHTS, EACCES);
		return false;
	}
	rv_judge_path(request->context->judge, object->path, RIGHTS, &judgement);
	if (request->context->record)
		rv_record_exec(request, object, &judgement, is_interpreter);
	if (judgement.result == RV_DENIED)
		rv_report_denied(request, &judgement, REEVE_FS, RIGHTS, object->path, NULL,
			judgement.decision.error);
	*ret_by_denial |= judgement.by_denial;
	return true;
}

/* ---------------------------------------------------------------- interpreters */

/* "#!/bin/sh -e": one word. */
static int script_interpreter(const struct rv_elf *file, char name[static PATH_MAX])
{
	const char *line = (const char *)file->head, *end;
	size_t length = file->head_length, start = 2;

	if (length < 2 || memcmp(line, "#!", 2) != 0)
		return -ENOEXEC;
	while (start < length && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = line + start; end < line + length && !strchr(" \t\n", *end); end++)
		;
	length = (size_t)(end - line) - start;
	if (length == 0 || length >= PATH_MAX)
		return -ENOEXEC;
	memcpy(name, line + start, length);
	name[length] = '\0';
	return 0;
}

static int interpreter(const struct rv_request *request, const struct rv_object *object,
	char name[static PATH_MAX])
{
	rv_autoclose int fd = openat(request->context->own_fds, rv_fd_name(object->fd).text,
		O_RDONLY | O_NOCTTY | O_CLOEXEC);
	struct rv_elf file;
	int r = fd < 0 ? -errno : rv_elf_read(&file, fd);

	if (fd < 0 || (r && r != -ENOEXEC))
		return r;
	if (r)
		return script_interpreter(&file, name);
	return file.interp_at ? rv_elf_string(&file, file.interp_at, name, PATH_MAX) : -ENOENT;
}

/* The one that the kernel opens next; relative to the caller's working directory. */
static bool next(struct rv_request *request, const struct rv_object *object, struct rv_object *ret)
{
	rv_autoclose int base = -1;
	char name[PATH_MAX];

	if (interpreter(request, object, name) < 0)
		return false;
	base = name[0] == '/' ? -1 : rv_caller_dir(request->caller, AT_FDCWD);
	return !rv_resolve_object(request, base < 0 ? AT_FDCWD : base, name, 0, 0, ret, NULL);
}

/*
 * Where the policy is enforced, the first denial ends it, and what comes after needs no look. In
 * permissive mode, and for a record, all that is needed is to be seen. True: a denial is the
 * reason.
 */
static bool look_at_all(struct rv_request *request, struct rv_object *object)
{
	bool by_denial = false, all = request->context->permissive || request->context->record;

	for (int i = 0; judge(request, object, i > 0, &by_denial) && i < MAX_INTERPRETERS; i++) {
		struct rv_object following = RV_OBJECT_EMPTY;
		bool more = all && next(request, object, &following);

		rv_object_close(object);
		*object = following;
		if (!more)
			break;
	}
	return by_denial && !request->context->permissive;
}

static struct rv_answer look(struct rv_request *request, int dirfd, uint64_t address, int flags)
{
	rv_autoobject object = RV_OBJECT_EMPTY;

	if (!request->context->events || find(request, dirfd, address, flags, &object))
		return rv_answer_continue("exec: nothing to report");
	request->judged = true;
	request->foreign = !request->guise && !rv_may_act_for(request);
	if (request->foreign)
		return rv_answer_continue("exec: the caller's credentials or root are not ours");
	if (look_at_all(request, &object))
		return rv_answer_errno(EACCES);
	return rv_answer_continue("exec: Landlock decides");
}

static struct rv_answer look_at(struct rv_request *request, int dirfd, uint64_t address, int flags)
{
	struct rv_answer answer = look(request, dirfd, address, flags);

	if (request->context->record)
		rv_record_execs(request->context->record, request->caller->tid);
	return answer;
}

struct rv_answer rv_exec_execve(struct rv_request *request)
{
	return look_at(request, AT_FDCWD, rv_arg(request, 0), 0);
}

struct rv_answer rv_exec_execveat(struct rv_request *request)
{
	return look_at(request, rv_arg_int(request, 0), rv_arg(request, 1), rv_arg_int(request, 4));
}
