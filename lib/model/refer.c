/* SPDX-License-Identifier: MIT */
/*
 * Rename, exchange and hard link, as the kernel's current_check_refer_path() decides them.
 *
 * Landlock ties rights to hierarchies, so an object that gets another parent may gain rights. That
 * is refused with EXDEV, upon which programs copy instead; what could not be done by copying
 * either, because a right to create or remove is missing, is refused with EACCES.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "model/domain_private.h"
#include "model/refer.h"

/* One of the two objects of a request: its name, and where it is. */
struct side {
	const char *path;
	size_t length, parent_length;
	bool is_dir;
	uint64_t request;	       /* rights needed on the parent directory */
	struct rv_restrictions parent; /* what is denied below the parent directory */
	struct rv_restrictions self;   /* what the rules on the object itself do not grant */
};

static uint64_t make_right(unsigned int mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return REEVE_FS_MAKE_SYM;
	case S_IFDIR:
		return REEVE_FS_MAKE_DIR;
	case S_IFCHR:
		return REEVE_FS_MAKE_CHAR;
	case S_IFBLK:
		return REEVE_FS_MAKE_BLOCK;
	case S_IFIFO:
		return REEVE_FS_MAKE_FIFO;
	case S_IFSOCK:
		return REEVE_FS_MAKE_SOCK;
	}
	return REEVE_FS_MAKE_REG;
}

static uint64_t remove_right(unsigned int mode)
{
	if (!(mode & S_IFMT))
		return 0;
	return S_ISDIR(mode) ? REEVE_FS_REMOVE_DIR : REEVE_FS_REMOVE_FILE;
}

static struct side make_side(const char *path, unsigned int mode)
{
	size_t length = strlen(path);

	return (struct side){.path = path,
		.length = length,
		.parent_length = rv_path_parent(path, length),
		.is_dir = S_ISDIR(mode)};
}

/* The rights that each parent directory must grant, refer apart. */
static void set_requests(const struct reeve_refer *refer, struct side *old, struct side *new)
{
	new->request = make_right(refer->old_mode);
	if (refer->is_exchange)
		old->request |= make_right(refer->new_mode);
	if (refer->is_link)
		return;
	old->request |= remove_right(refer->old_mode);
	new->request |= remove_right(refer->new_mode);
}

static bool same_parent(const struct side *a, const struct side *b)
{
	return a->parent_length == b->parent_length &&
	       memcmp(a->path, b->path, a->parent_length) == 0;
}

uint64_t rv_refer_needs(const struct reeve_refer *refer)
{
	struct side old = make_side(refer->old_path, refer->old_mode);
	struct side new = make_side(refer->new_path, refer->new_mode);

	set_requests(refer, &old, &new);
	return old.request | new.request | (same_parent(&old, &new) ? 0 : REEVE_FS_REFER);
}

static void restrict_side(const struct reeve_domain *domain, struct side *side)
{
	rv_restrictions_on_path(
		domain, side->path, side->parent_length, false, UINT64_MAX, &side->parent);
	rv_restrictions_on_path(domain, side->path, side->length, true, UINT64_MAX, &side->self);
}

/*
 * Rights that the object of `from` would gain below the parent of `to`, in one layer. What a rule
 * on the object itself grants moves with it, and is no gain.
 */
static uint64_t gained(const struct side *from, const struct side *to, unsigned int layer)
{
	uint64_t denied = from->parent.missing[layer] & from->self.missing[layer];
	uint64_t gain = denied & ~to->parent.missing[layer];

	return from->is_dir ? gain : gain & REEVE_FS_FILE_RIGHTS;
}

static bool all_quiet(const struct side *side, unsigned int layer, uint64_t missing)
{
	return !(missing & ~side->parent.quiet[layer]);
}

/* One layer's denial; true where it denies. */
static bool decide_layer(const struct side *old, const struct side *new, bool is_exchange,
	unsigned int layer, struct reeve_decision *ret)
{
	uint64_t missing_old = old->parent.missing[layer] & old->request;
	uint64_t missing_new = new->parent.missing[layer] & new->request;
	uint64_t gain = gained(old, new, layer);

	if (is_exchange)
		gain |= gained(new, old, layer);
	if (!missing_old && !missing_new) {
		/* A gain counts as a lack of refer on both sides. */
		ret->missing = gain;
		ret->quiet = all_quiet(old, layer, REEVE_FS_REFER) &&
			     all_quiet(new, layer, REEVE_FS_REFER);
		return gain != 0;
	}
	ret->missing = missing_old | missing_new;
	ret->quiet = all_quiet(old, layer, missing_old) && all_quiet(new, layer, missing_new);
	return true;
}

/* EACCES counts more than EXDEV, whichever layer asks for it. */
static int error_of(const struct side *old, const struct side *new, unsigned int layers)
{
	for (unsigned int layer = 0; layer < layers; layer++) {
		uint64_t missing = (old->parent.missing[layer] & old->request) |
				   (new->parent.missing[layer] & new->request);

		if (missing & ~REEVE_FS_REFER)
			return EACCES;
	}
	return EXDEV;
}

static void decide_reparenting(const struct reeve_domain *domain, struct side *old,
	struct side *new, bool is_exchange, struct reeve_decision *ret)
{
	unsigned int layers = reeve_domain_depth(domain);

	old->request |= REEVE_FS_REFER;
	new->request |= REEVE_FS_REFER;
	restrict_side(domain, old);
	restrict_side(domain, new);
	rv_decide_allowed(ret);
	for (unsigned int layer = layers; layer > 0; layer--) {
		if (!decide_layer(old, new, is_exchange, layer - 1, ret))
			continue;
		ret->allowed = false;
		ret->layer = layer;
		ret->error = error_of(old, new, layers);
		return;
	}
	rv_decide_allowed(ret);
}

/* Within one directory nothing is gained, and refer is not needed. */
static void decide_same_parent(const struct reeve_domain *domain, const struct side *old,
	const struct side *new, struct reeve_decision *ret)
{
	struct rv_restrictions restrictions;

	rv_restrictions_on_path(domain, old->path, old->parent_length, false,
		old->request | new->request, &restrictions);
	rv_decide_restrictions(domain, &restrictions, ret);
}

/*
 * The innermost layer with a DENY rule on the object or below it, 0: none. What is denied by its
 * path must keep it: neither it nor a directory above it may be moved, replaced or linked.
 */
static unsigned int pinned_by(const struct reeve_domain *domain, const struct side *side)
{
	for (; domain; domain = domain->parent)
		if (rv_ruleset_denies_within(domain->static_part, side->path, side->length) ||
			(domain->live &&
				rv_ruleset_denies_within(domain->live, side->path, side->length)))
			return domain->depth;
	return 0;
}

void reeve_decide_refer(const struct reeve_domain *domain, const struct reeve_refer *refer,
	struct reeve_decision *ret)
{
	struct side old = make_side(refer->old_path, refer->old_mode);
	struct side new = make_side(refer->new_path, refer->new_mode);
	unsigned int pinned = pinned_by(domain, &old), pinned_new = pinned_by(domain, &new);

	set_requests(refer, &old, &new);
	if (pinned_new > pinned)
		pinned = pinned_new;
	if (pinned)
		*ret = (struct reeve_decision){.error = EACCES, .layer = pinned};
	else if (same_parent(&old, &new))
		decide_same_parent(domain, &old, &new, ret);
	else
		decide_reparenting(domain, &old, &new, refer->is_exchange, ret);
}
