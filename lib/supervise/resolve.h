/* SPDX-License-Identifier: MIT */
/*
 * From a path of the caller to objects that are held: an O_PATH fd on what it names, or on the
 * directory in which it names an entry. From there on only the fd is used: no path is looked up a
 * second time once it was judged.
 *
 * Looked up by this thread, from the caller's directories, below our root: only meaningful where
 * rv_may_act_for() says that the caller's root and credentials are ours. Magic links are never
 * followed (they would lead to *our* descriptors), and what is on procfs may be ours.
 *
 * All functions that return a text return NULL on success, and else why the call must go on
 * natively, for rv_answer_continue(). Failures are such reasons too: the kernel gives the caller
 * the native errno.
 */
#ifndef RV_SUPERVISE_RESOLVE_H
#define RV_SUPERVISE_RESOLVE_H

#include <fcntl.h>
#include <limits.h>
#include "base/cleanup.h"
#include "supervise/request.h"

/* A path as the caller gave it. */
struct rv_path {
	int base;  /* what it is relative to, O_PATH; AT_FDCWD where it is absolute */
	int error; /* where it could not be copied: the native errno, positive */
	char text[PATH_MAX];
};

/* Something that exists. */
struct rv_object {
	int fd; /* O_PATH; -1: none */
	struct stat st;
	char path[PATH_MAX]; /* canonical */
};

/* An entry of a directory, there or not. */
struct rv_place {
	int dir;   /* O_PATH; -1: none */
	int error; /* where it could not be looked up: the native errno, positive; 0: not known */
	struct stat dir_st;
	char name[NAME_MAX + 2]; /* ends in a slash where the path does */
	char dir_path[PATH_MAX];
	char path[PATH_MAX]; /* canonical, of the entry itself */
	bool exists;
	struct stat st; /* of what is there now, not followed */
};

#define RV_PATH_EMPTY	((struct rv_path){.base = -1})
#define RV_OBJECT_EMPTY ((struct rv_object){.fd = -1})
#define RV_PLACE_EMPTY	((struct rv_place){.dir = -1})

/* The same without filling with zeros what is long and will be written: some 0.1 µs each. */
void rv_path_init(struct rv_path *path);
void rv_object_init(struct rv_object *object);

/* NULL-safe cleanups. */
void rv_path_close(struct rv_path *path);
/* What is beneath a directory, and not by a magic link; -errno. */
int rv_resolve_below(int dir, const char *text, uint64_t flags);

/* st and path of what only has an fd, wherever it is. */
bool rv_object_name(const struct rv_request *request, struct rv_object *object);

void rv_object_close(struct rv_object *object);
void rv_place_close(struct rv_place *place);

#define rv_autopath   RV_CLEANUP(rv_path_close) struct rv_path
#define rv_autoobject RV_CLEANUP(rv_object_close) struct rv_object
#define rv_autoplace  RV_CLEANUP(rv_place_close) struct rv_place

/* Copies a path from the caller's memory; `dirfd` is a descriptor of the caller, or AT_FDCWD. */
const char *rv_path_copy(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret);

/* The two halves of that, for who can do without the second. */
const char *rv_path_copy_text(struct rv_request *request, uint64_t address, struct rv_path *ret);
const char *rv_path_copy_base(struct rv_request *request, int dirfd, struct rv_path *ret);

/* The same, and always with `base`: for lookups that are confined to the directory. */
const char *rv_path_copy_confined(
	struct rv_request *request, int dirfd, uint64_t address, struct rv_path *ret);

/*
 * What `text`, looked up from `base`, names. `flags`: O_NOFOLLOW, O_DIRECTORY. `resolve`: RESOLVE_*
 * of openat2(2). *ret_error (may be NULL) is the negative errno of a failed lookup.
 */
/* In two steps, for who can do without the path: the second completes what the first has found. */
int rv_resolve_pin(const struct rv_request *request, int base, const char *text,
	struct rv_object *ret); /* with `st`; a negative errno */
const char *rv_resolve_pinned(const struct rv_request *request, struct rv_object *object);

const char *rv_resolve_object(const struct rv_request *request, int base, const char *text,
	uint64_t flags, uint64_t resolve, struct rv_object *ret, int *ret_error);

/*
 * For a call that goes on in the kernel whatever is found: 0 and the canonical path of what `text`
 * names; -ENOENT: nothing. All else has to be resolved properly. Nothing is held: the directory is
 * looked up by its name again, which may mean another by then.
 */
int rv_resolve_shortly(
	struct rv_request *request, int dirfd, const char *text, char path[static PATH_MAX]);

/*
 * An O_PATH fd on a directory that the caller names paths from: one of its descriptors, or
 * AT_FDCWD. -EXDEV: it is on a mount that is not in our namespace, where a path would mislead
 * (mounts.h). Else as rv_caller_dir().
 */
int rv_resolve_base(struct rv_request *request, int fd);

/* The object behind a descriptor of the caller. */
const char *rv_resolve_fd(struct rv_request *request, int fd, struct rv_object *ret);

/* The last component is not followed. "/", ".", ".." and "" name no entry. */
const char *rv_resolve_place(const struct rv_request *request, int base, const char *text,
	uint64_t resolve, struct rv_place *ret);

/*
 * The name of one of our fds in the directory rv_context.own_fds: opens, links and truncates the
 * object itself. From there, since looking up /proc/self costs as much as opening a file.
 */
struct rv_fd_name {
	char text[12];
};
struct rv_fd_name rv_fd_name(int fd);

#endif /* RV_SUPERVISE_RESOLVE_H */
