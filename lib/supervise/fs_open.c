/* SPDX-License-Identifier: MIT */
/*
 * open and its variants: the object is pinned first, judged by its canonical path, and then opened
 * through the pin. A file that has yet to be made is made with O_EXCL in the pinned directory.
 *
 * The opened file is ours until it is injected, so the rights that the kernel would check later
 * against the caller's domain (truncate, ioctl on a device) must be granted here already.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <linux/openat2.h>
#include "base/cleanup.h"
#include "supervise/guise.h"
#include "supervise/record.h"

#define KNOWN_FLAGS                                                                                \
	((uint64_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |    \
		    O_SYNC | O_ASYNC | O_DIRECT | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |           \
		    O_CLOEXEC | O_PATH | O_TMPFILE | 0100000 /* the kernel's O_LARGEFILE */))
#define KNOWN_RESOLVE                                                                              \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |         \
		RESOLVE_IN_ROOT | RESOLVE_CACHED)
#define NAMELESS  (O_TMPFILE & ~(uint64_t)O_DIRECTORY)
#define CONFINED  (RESOLVE_BENEATH | RESOLVE_IN_ROOT)
#define MAX_LINKS 40 /* as in the kernel */
#define MAX_RACES 8  /* how often somebody may make or remove the file between two looks */

struct opening {
	struct rv_request *request;
	uint64_t flags, resolve;
	mode_t mode;
	struct rv_path path;
};

/* ------------------------------------------------------------------- rights */

static bool reads(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(uint64_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* What Landlock asks for. */
static uint64_t rights_asked(uint64_t flags, mode_t type, bool exists)
{
	uint64_t asked = 0;

	if (reads(flags))
		asked |= S_ISDIR(type) ? REEVE_FS_READ_DIR : REEVE_FS_READ_FILE;
	if (writes(flags))
		asked |= REEVE_FS_WRITE_FILE;
	if ((flags & O_TRUNC) && exists && S_ISREG(type))
		asked |= REEVE_FS_TRUNCATE;
	return asked;
}

/* What it would ask for when the descriptor is used. */
static uint64_t rights_implied(uint64_t flags, mode_t type)
{
	uint64_t implied = 0;

	if (writes(flags) && S_ISREG(type))
		implied |= REEVE_FS_TRUNCATE;
	if (S_ISCHR(type) || S_ISBLK(type))
		implied |= REEVE_FS_IOCTL_DEV;
	return implied;
}

/* `performed`: it will not be the kernel that opens it, whatever is found out here. */
static void judge(struct opening *o, const char *path, mode_t type, bool exists, bool performed,
	struct rv_verdict *verdict)
{
	struct rv_judge *judge_ = o->request->context->judge;
	uint64_t implied = rights_implied(o->flags, type);

	*verdict = (struct rv_verdict){
		.object = path, .asked = rights_asked(o->flags, type, exists), .makes = !exists};
	verdict->exclusive = !exists && (o->flags & O_EXCL);
	rv_judge_path(judge_, path, verdict->asked, &verdict->judgement);
	if (verdict->judgement.result == RV_LIVE_ALLOWS)
		performed = true;
	verdict->implied = implied;
	verdict->needs = verdict->asked;
	if (verdict->judgement.result == RV_DENIED || !performed || !implied)
		return;
	verdict->asked |= implied;
	rv_judge_path(judge_, path, verdict->asked, &verdict->judgement);
}

/* ------------------------------------------------------------------- what exists */

/* Opening one makes it the controlling terminal, or means the caller's. */
static bool is_tty(const struct stat *st)
{
	static const unsigned char majors[] = {2, 3, 4, 5, 166, 188, 204, 229};
	unsigned int number = major(st->st_rdev);

	if (!S_ISCHR(st->st_mode))
		return false;
	for (size_t i = 0; i < RV_COUNT(majors); i++) {
		if (majors[i] == number)
			return true;
	}
	return number >= 136 && number <= 143; /* pts */
}

static const char *refuse_type(const struct opening *o, const struct stat *st)
{
	bool is_dir = S_ISDIR(st->st_mode);

	if (S_ISLNK(st->st_mode))
		return "a symbolic link";
	if (is_dir && (writes(o->flags) || (o->flags & (O_CREAT | O_TRUNC))))
		return "a directory";
	if (o->request->context->permissive)
		return NULL; /* the kernel opens it in any case */
	if (is_tty(st))
		return "a terminal";
	return NULL;
}

static int read_level(const char *name)
{
	rv_autoclose int fd = open(name, O_RDONLY | O_CLOEXEC);
	char digit = '2';

	if (fd >= 0 && read(fd, &digit, 1) != 1)
		digit = '2';
	return digit - '0';
}

/*
 * O_CREAT of somebody else's file in a sticky directory that others can write: the sysctls
 * fs.protected_regular and fs.protected_fifos refuse it. Opening the pin would not notice.
 */
static bool is_protected(const struct rv_object *object, uid_t uid)
{
	char dir[PATH_MAX];
	struct stat parent;
	int level;

	memcpy(dir, object->path, sizeof(dir));
	*(strrchr(dir, '/') + (strrchr(dir, '/') == dir)) = '\0';
	if (lstat(dir, &parent) < 0)
		return true;
	if (!(parent.st_mode & S_ISVTX) || parent.st_uid == object->st.st_uid ||
		object->st.st_uid == uid)
		return false;
	if (!S_ISREG(object->st.st_mode) && !S_ISFIFO(object->st.st_mode))
		return false;
	level = read_level(S_ISREG(object->st.st_mode) ? "/proc/sys/fs/protected_regular"
						       : "/proc/sys/fs/protected_fifos");
	return level > 0 &&
	       ((parent.st_mode & S_IWOTH) || (level > 1 && (parent.st_mode & S_IWGRP)));
}

static uid_t acting_uid(const struct opening *o)
{
	return o->request->guise ? o->request->guise->uid : geteuid();
}

static struct rv_answer answer_opened(const struct opening *o, int fd)
{
	/* errno of the open itself: the caller's own, had it been the caller's open. */
	return fd < 0 ? rv_answer_errno(errno) : rv_answer_fd(fd, o->flags & O_CLOEXEC);
}

struct existing {
	const struct rv_object *object;
	uint64_t flags;
};

static bool would_open(const void *data)
{
	const struct existing *e = data;
	int mode = (reads(e->flags) ? R_OK : 0) |
		   (writes(e->flags) || (e->flags & O_TRUNC) ? W_OK : 0);

	return rv_fs_accessible(e->object->fd, mode);
}

/* A terminal is opened by the kernel, and by the policy's leave; the others fail. */
static void note_refused(struct opening *o, const struct rv_object *object)
{
	struct existing existing = {object, o->flags};
	const mode_t type = object->st.st_mode;
	struct rv_verdict verdict;
	int error = S_ISDIR(type) ? EISDIR : S_ISLNK(type) ? ELOOP : EACCES;

	judge(o, object->path, type, true, false, &verdict);
	verdict.pinned = object;
	if ((o->flags & O_CREAT) && (o->flags & O_EXCL))
		error = EEXIST;
	else if (is_tty(&object->st)) {
		rv_record_verdict(o->request, &verdict, would_open(&existing));
		return;
	}
	rv_record_failed(o->request, object->path, verdict.needs, error);
}

/* The kernel alone opens it, or does not. */
static void report_denied(struct opening *o, const struct rv_object *object)
{
	struct existing existing = {object, o->flags};
	struct rv_verdict verdict;

	judge(o, object->path, object->st.st_mode, true, false, &verdict);
	rv_fs_report_floor(o->request, &verdict, would_open, &existing);
}

static struct rv_answer refuse(
	struct opening *o, const struct rv_object *object, const char *reason)
{
	if (o->request->context->record)
		note_refused(o, object);
	if (is_tty(&object->st) && (o->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		report_denied(o, object);
	return rv_answer_continue(reason);
}

static struct rv_answer open_existing(struct opening *o, const struct rv_object *object)
{
	struct existing existing = {object, o->flags};
	struct rv_verdict verdict;
	struct rv_answer answer;
	const char *reason = refuse_type(o, &object->st);

	if (!reason && (o->flags & O_CREAT) && (o->flags & O_EXCL))
		reason = "it exists";
	if (!reason && (o->flags & O_CREAT) && is_protected(object, acting_uid(o)))
		reason = "protected by a sysctl";
	if (reason)
		return refuse(o, object, reason);
	judge(o, object->path, object->st.st_mode, true, false, &verdict);
	verdict.pinned = object;
	/* Before anything is used up or reported: all of it is done again. */
	if (verdict.judgement.result == RV_LIVE_ALLOWS && !o->request->may_block &&
		!o->request->context->permissive && rv_open_may_wait(&object->st, o->flags))
		return rv_answer_blocks();
	if (!rv_fs_go(o->request, &verdict, would_open, &existing, &answer))
		return answer;
	/* Whether all of the path is cached cannot be told: the caller must cope with that. */
	if (o->resolve & RESOLVE_CACHED)
		return rv_answer_errno(EAGAIN);
	return rv_open_pinned(
		o->request, object, o->flags, rv_judgement_is_once(&verdict.judgement));
}

/* ------------------------------------------------------------------- what does not */

static bool would_create(const void *data)
{
	return rv_fs_can_make(data);
}

/* Both must be granted: the worse result is that of both, and what is missing adds up. */
static void join(struct rv_judgement *to, const struct rv_judgement *from)
{
	bool both_live = to->result == RV_LIVE_ALLOWS && from->result == RV_LIVE_ALLOWS;

	if (to->result == RV_DENIED && from->result == RV_DENIED) {
		to->decision.missing |= from->decision.missing;
		to->decision.quiet = to->decision.quiet && from->decision.quiet;
	} else if (both_live && !rv_judgement_join(to, from)) {
		to->result = RV_DENIED;
	} else if (from->result > to->result) {
		*to = *from;
	}
}

/*
 * The directory must grant that the file is made, and the file, as it will be, what it is opened
 * for.
 */
static bool judge_new(struct opening *o, const struct rv_place *place, struct rv_verdict *ret,
	struct rv_answer *answer)
{
	struct rv_judgement made;

	rv_judge_entry(
		o->request->context->judge, place->path, place->dir_path, REEVE_FS_MAKE_REG, &made);
	judge(o, place->path, S_IFREG, false, made.result == RV_LIVE_ALLOWS, ret);
	ret->asked |= REEVE_FS_MAKE_REG;
	ret->needs |= REEVE_FS_MAKE_REG;
	ret->places[0] = place;
	join(&ret->judgement, &made);
	return rv_fs_go(o->request, ret, would_create, place, answer);
}

/* False: somebody was faster, look again. */
static bool create_at(struct opening *o, const struct rv_place *place, struct rv_answer *ret)
{
	int flags = (int)o->flags | O_EXCL | O_CLOEXEC | O_NOCTTY;
	struct rv_verdict verdict;
	int fd;

	if (!judge_new(o, place, &verdict, ret))
		return true;
	umask(verdict.umask);
	fd = openat(place->dir, place->name, flags, o->mode);
	if (fd < 0 && errno == EEXIST)
		return false;
	*ret = answer_opened(o, fd);
	return true;
}

/* The file that a dangling symbolic link stands for is made where the link leads to. */
static const char *follow(
	const struct opening *o, const struct rv_place *place, char target[static PATH_MAX])
{
	ssize_t n;

	if (o->flags & (O_NOFOLLOW | O_EXCL))
		return "a symbolic link that is not to be followed";
	if (o->resolve & RESOLVE_NO_SYMLINKS)
		return "a dangling link where none is to be followed";
	n = readlinkat(place->dir, place->name, target, PATH_MAX);
	if (n <= 0 || n >= PATH_MAX)
		return "a symbolic link that cannot be read";
	target[n] = '\0';
	return NULL;
}

/*
 * Confined, a link means what it would in place of its own name: the kernel then sees to it, with
 * all of the path, that it does not lead out. From the link's directory it could not tell.
 */
static const char *put_in_place(
	const struct opening *o, char text[static PATH_MAX], const char *target)
{
	size_t dir = strlen(text), length;

	while (dir > 0 && text[dir - 1] != '/')
		dir--;
	if (target[0] == '/') {
		if (!(o->resolve & RESOLVE_IN_ROOT))
			return "a link that leads out of a confined lookup";
		target += strspn(target, "/");
		dir = 0;
	}
	length = strlen(target);
	if (dir + length >= PATH_MAX)
		return "a path that becomes too long";
	memcpy(text + dir, target, length + 1);
	return NULL;
}

/* Where the link at `place` leads to. `text`: the path by which it was found. */
static const char *go_on(const struct opening *o, const struct rv_place *place,
	char text[static PATH_MAX], struct rv_place *next)
{
	char target[PATH_MAX];
	const char *reason = follow(o, place, target);

	if (reason)
		return reason;
	if (!(o->resolve & CONFINED))
		return rv_resolve_place(o->request, place->dir, target, o->resolve, next);
	reason = put_in_place(o, text, target);
	return reason ? reason : rv_resolve_place(o->request, o->path.base, text, o->resolve, next);
}

/* False: look again. */
static bool create(struct opening *o, struct rv_answer *ret)
{
	rv_autoplace place = RV_PLACE_EMPTY;
	const char *reason;
	char text[PATH_MAX];

	memcpy(text, o->path.text, strlen(o->path.text) + 1);
	reason = rv_resolve_place(o->request, o->path.base, text, o->resolve, &place);
	for (int links = 0; !reason && place.exists && links < MAX_LINKS; links++) {
		struct rv_place next = RV_PLACE_EMPTY;

		if (!S_ISLNK(place.st.st_mode))
			return false;
		reason = go_on(o, &place, text, &next);
		rv_place_close(&place);
		place = next;
	}
	if (!reason && (place.exists || strchr(place.name, '/')))
		reason = "not the name of a file";
	if (!reason)
		return create_at(o, &place, ret);
	*ret = rv_answer_continue(reason);
	return true;
}

/* A file without a name belongs to the directory. */
static struct rv_answer open_nameless(struct opening *o)
{
	rv_autoobject dir = RV_OBJECT_EMPTY;
	struct existing existing = {&dir, O_RDWR};
	struct rv_verdict verdict;
	struct rv_answer answer;
	const char *reason = rv_resolve_object(o->request, o->path.base, o->path.text,
		O_DIRECTORY | (o->flags & O_NOFOLLOW), o->resolve, &dir, NULL);

	if (reason)
		return rv_answer_continue(reason);
	judge(o, dir.path, S_IFREG, false, false, &verdict);
	verdict.pinned = &dir;
	if (!rv_fs_go(o->request, &verdict, would_open, &existing, &answer))
		return answer;
	umask(verdict.umask);
	return answer_opened(o, openat(dir.fd, ".", (int)o->flags | O_CLOEXEC | O_NOCTTY, o->mode));
}

/* ------------------------------------------------------------------- all of them */

static void report_on_procfs(struct opening *o, const struct rv_object *pinned)
{
	rv_autoobject object = RV_OBJECT_EMPTY;

	if (rv_fs_find_on_procfs(o->request, o->path.text, o->flags & (O_NOFOLLOW | O_DIRECTORY),
		    pinned, &object) &&
		!refuse_type(o, &object.st))
		report_denied(o, &object);
}

/* Only the kernel knows what the path means, or it means nothing. */
static struct rv_answer natively(
	struct opening *o, const struct rv_object *object, int error, const char *reason)
{
	if (o->request->context->record)
		rv_record_native(o->request, &o->path, object->fd, error,
			rights_asked(o->flags, object->st.st_mode, object->fd >= 0));
	else if (object->fd >= 0 && o->request->context->events)
		report_on_procfs(o, object);
	return rv_answer_continue(reason);
}

static struct rv_answer open_any(struct opening *o)
{
	const uint64_t pass = o->flags & (O_NOFOLLOW | O_DIRECTORY);

	for (int races = 0; races < MAX_RACES; races++) {
		rv_autoobject object;
		struct rv_answer answer;
		int error = 0;
		const char *reason;

		rv_object_init(&object);
		reason = rv_resolve_object(
			o->request, o->path.base, o->path.text, pass, o->resolve, &object, &error);
		if (!reason)
			return open_existing(o, &object);
		if (error != -ENOENT || !(o->flags & O_CREAT))
			return natively(o, &object, error, reason);
		if (create(o, &answer))
			return answer;
	}
	return rv_answer_continue("somebody makes and removes it all the time");
}

/* Combinations that the kernel refuses, or that are none of ours. */
static const char *refuse_flags(const struct opening *o)
{
	if (o->flags & O_PATH)
		return "O_PATH: nothing is opened";
	if ((o->flags & O_ACCMODE) == O_ACCMODE)
		return "neither for reading nor for writing";
	if ((o->flags & O_CREAT) && (o->flags & (O_DIRECTORY | NAMELESS)))
		return "flags that exclude each other";
	if ((o->flags & NAMELESS) && (!(o->flags & O_DIRECTORY) || !writes(o->flags)))
		return "flags that exclude each other";
	if ((o->resolve & RESOLVE_CACHED) && (o->flags & (O_CREAT | O_TRUNC | NAMELESS)))
		return "flags that exclude each other";
	return NULL;
}

/*
 * Where nothing can be granted live, the answer is CONTINUE whatever is found: then it is only to
 * be known whether there is something to report. What may be asked for is judged, whatever is
 * there.
 */
static const char *see_no_denial(struct opening *o, int dirfd)
{
	const struct rv_context *context = o->request->context;
	const uint64_t most = (reads(o->flags) ? REEVE_FS_READ_FILE | REEVE_FS_READ_DIR : 0) |
			      (writes(o->flags) ? REEVE_FS_WRITE_FILE : 0) |
			      (o->flags & O_TRUNC ? REEVE_FS_TRUNCATE : 0);
	struct rv_judgement judgement;
	char path[PATH_MAX];
	int r;

	if (context->record || o->resolve || (o->flags & (O_CREAT | NAMELESS)) ||
		rv_judge_has_live(context->judge))
		return NULL;
	r = rv_resolve_shortly(o->request, dirfd, o->path.text, path);
	if (r == -ENOENT)
		return "nothing is there";
	if (r < 0)
		return NULL;
	rv_judge_path(context->judge, path, most, &judgement);
	return judgement.result == RV_FLOOR_ALLOWS
		       ? "the floor allows it, and more, and checks again"
		       : NULL;
}

static const char *copy_path(struct opening *o, int dirfd, uint64_t address)
{
	const char *reason;

	if (o->resolve & CONFINED)
		return rv_path_copy_confined(o->request, dirfd, address, &o->path);
	reason = rv_path_copy_text(o->request, address, &o->path);
	if (!reason)
		reason = see_no_denial(o, dirfd);
	return reason ? reason : rv_path_copy_base(o->request, dirfd, &o->path);
}

static struct rv_answer open_copied(struct opening *o, int dirfd, uint64_t address)
{
	const char *reason = refuse_flags(o);

	if (!reason)
		reason = copy_path(o, dirfd, address);
	if (!reason && (o->flags & O_CREAT) && o->path.text[strlen(o->path.text) - 1] == '/')
		reason = "not the name of a file";
	if (reason)
		return rv_answer_continue(reason);
	return (o->flags & O_TMPFILE) == O_TMPFILE ? open_nameless(o) : open_any(o);
}

static void begin(struct opening *o, struct rv_request *request, uint64_t flags, mode_t mode)
{
	o->request = request;
	o->flags = flags;
	o->resolve = 0;
	o->mode = mode;
	rv_path_init(&o->path);
}

/* open(2) and openat(2) ignore what they do not know. */
static struct rv_answer open_lenient(
	struct rv_request *request, int dirfd, uint64_t address, int flags, int mode)
{
	struct opening o;
	struct rv_answer answer;

	begin(&o, request, (uint32_t)flags & KNOWN_FLAGS, (mode_t)mode & 07777);
	answer = open_copied(&o, dirfd, address);
	rv_path_close(&o.path);
	return answer;
}

struct rv_answer rv_fs_open(struct rv_request *request)
{
	return open_lenient(request, AT_FDCWD, rv_arg(request, 0), rv_arg_int(request, 1),
		rv_arg_int(request, 2));
}

struct rv_answer rv_fs_creat(struct rv_request *request)
{
	return open_lenient(request, AT_FDCWD, rv_arg(request, 0), O_CREAT | O_WRONLY | O_TRUNC,
		rv_arg_int(request, 1));
}

struct rv_answer rv_fs_openat(struct rv_request *request)
{
	return open_lenient(request, rv_arg_int(request, 0), rv_arg(request, 1),
		rv_arg_int(request, 2), rv_arg_int(request, 3));
}

/* openat2(2) refuses what it does not know. */
static bool is_known(const struct open_how *how)
{
	const bool makes = how->flags & (O_CREAT | NAMELESS);

	return !(how->flags & ~KNOWN_FLAGS) && !(how->resolve & ~(uint64_t)KNOWN_RESOLVE) &&
	       !(how->mode & ~UINT64_C(07777)) && (makes || !how->mode);
}

struct rv_answer rv_fs_openat2(struct rv_request *request)
{
	struct opening o;
	struct open_how how;
	struct rv_answer answer;

	/* A longer struct is of a kernel newer than this file. */
	if (rv_arg(request, 3) != sizeof(how) ||
		rv_caller_read(request->caller, rv_arg(request, 2), &how, sizeof(how)) < 0)
		return rv_answer_continue("a struct open_how of another size, or not readable");
	if (!is_known(&how))
		return rv_answer_continue("flags that are not known");
	begin(&o, request, how.flags, (mode_t)how.mode);
	o.resolve = how.resolve;
	answer = open_copied(&o, rv_arg_int(request, 0), rv_arg(request, 1));
	rv_path_close(&o.path);
	return answer;
}
