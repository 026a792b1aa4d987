/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include "base/cleanup.h"
#include "supervise/known.h"
#include "supervise/owner.h"

/* The kernel's socket states, as sock_diag shows them. */
#define STATE_ESTABLISHED 1
#define STATE_CLOSE	  7
#define STATE_LISTEN	  10
#define BIT(state)	  (1u << (state))

#define FIRST_LIMIT 4096 /* cookies, before the list is gone through for those that are left */
#define TRIES	    2	 /* a list that changes while it is read may miss a socket */

/* Open addressing; 0 is no cookie. The capacity is a power of two. */
struct cookies {
	uint64_t *at;
	size_t count, capacity;
};

struct rv_owner {
	pthread_mutex_t lock;
	int netlink;
	uint32_t sequence;
	struct cookies made;
	size_t limit;
	struct rv_known *known; /* files whose sockets were made inside */
};

/* -------------------------------------------------------------------------- cookies */

static size_t slot_of(const struct cookies *c, uint64_t cookie)
{
	size_t i = (size_t)(cookie * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (c->capacity - 1);

	while (c->at[i] && c->at[i] != cookie)
		i = (i + 1) & (c->capacity - 1);
	return i;
}

static bool cookies_have(const struct cookies *c, uint64_t cookie)
{
	return c->capacity && c->at[slot_of(c, cookie)] == cookie;
}

static int cookies_grow(struct cookies *c)
{
	struct cookies bigger = {.capacity = c->capacity ? c->capacity * 2 : 64, .count = c->count};

	bigger.at = calloc(bigger.capacity, sizeof(*bigger.at));
	if (!bigger.at)
		return -ENOMEM;
	for (size_t i = 0; i < c->capacity; i++) {
		if (c->at[i])
			bigger.at[slot_of(&bigger, c->at[i])] = c->at[i];
	}
	free(c->at);
	*c = bigger;
	return 0;
}

static int cookies_add(struct cookies *c, uint64_t cookie)
{
	int r = (c->count + 1) * 2 > c->capacity ? cookies_grow(c) : 0;
	size_t i;

	if (r < 0)
		return r;
	i = slot_of(c, cookie);
	c->count += !c->at[i];
	c->at[i] = cookie;
	return 0;
}

/* ----------------------------------------------------------------------- the list */

/* One socket of it. */
struct listed {
	uint64_t cookie;
	int type;
	const struct unix_diag_vfs *file; /* NULL: not bound to one */
	const char *name; /* as in sun_path: of an abstract one it starts with NUL */
	size_t name_length;
};

struct question {
	struct { /* what is asked of the kernel */
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message;
	void (*each)(void *data, const struct listed *socket);
	void *data;
};

static void parse(const struct nlmsghdr *header, struct listed *ret)
{
	const struct unix_diag_msg *msg = NLMSG_DATA(header);
	const struct rtattr *attr = (const void *)(msg + 1);
	int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));

	*ret = (struct listed){
		.cookie = (uint64_t)msg->udiag_cookie[1] << 32 | msg->udiag_cookie[0],
		.type = msg->udiag_type};
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type == UNIX_DIAG_VFS &&
			RTA_PAYLOAD(attr) >= sizeof(struct unix_diag_vfs)) {
			ret->file = RTA_DATA(attr);
		} else if (attr->rta_type == UNIX_DIAG_NAME) {
			ret->name = RTA_DATA(attr);
			ret->name_length = RTA_PAYLOAD(attr);
		}
	}
}

/* 0: go on, 1: that was all; -errno. */
static int take_messages(const struct question *q, const struct nlmsghdr *header, ssize_t size)
{
	int left = (int)size;

	for (; left > 0 && NLMSG_OK(header, (unsigned int)left);
		header = NLMSG_NEXT(header, left)) {
		struct listed socket;

		if (header->nlmsg_seq != q->message.header.nlmsg_seq)
			continue; /* of a question that was given up */
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			return error->error ? error->error : 1;
		}
		parse(header, &socket);
		q->each(q->data, &socket);
	}
	return 0;
}

/* With the lock. */
static int ask(struct rv_owner *owner, struct question *q, uint32_t states, uint32_t show)
{
	char buf[32768] __attribute__((aligned(8)));
	int r = 0;

	q->message.header = (struct nlmsghdr){.nlmsg_len = sizeof(q->message),
		.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = ++owner->sequence};
	q->message.request = (struct unix_diag_req){
		.sdiag_family = AF_UNIX, .udiag_states = states, .udiag_show = show};
	if (send(owner->netlink, &q->message, sizeof(q->message), 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(owner->netlink, buf, sizeof(buf), 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		r = n <= 0 ? 0 : take_messages(q, (const void *)buf, n);
	}
	return r < 0 ? r : 0;
}

/* ---------------------------------------------------------------------------- life */

static void ignore(void *data, const struct listed *socket)
{
	(void)data;
	(void)socket;
}

int rv_owner_new(struct rv_owner **ret)
{
	struct rv_owner *owner = calloc(1, sizeof(*owner));
	struct question q = {.each = ignore};
	int r;

	if (!owner)
		return -ENOMEM;
	pthread_mutex_init(&owner->lock, NULL);
	owner->limit = FIRST_LIMIT;
	owner->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	r = owner->netlink < 0 ? -errno : ask(owner, &q, BIT(STATE_LISTEN), 0);
	if (r == 0)
		r = rv_known_new(&owner->known);
	if (r < 0)
		rv_owner_free(owner);
	else
		*ret = owner;
	return r;
}

void rv_owner_free(struct rv_owner *owner)
{
	if (!owner)
		return;
	rv_known_free(owner->known);
	rv_close_p(&owner->netlink);
	free(owner->made.at);
	pthread_mutex_destroy(&owner->lock);
	free(owner);
}

/* ----------------------------------------------------------------------- recording */

struct sifting {
	const struct cookies *from;
	struct cookies left;
	bool failed;
};

static void keep_listed(void *data, const struct listed *socket)
{
	struct sifting *sifting = data;

	if (cookies_have(sifting->from, socket->cookie))
		sifting->failed |= cookies_add(&sifting->left, socket->cookie) < 0;
}

/*
 * Forgets sockets that are gone. One that the list missed because it changed would be taken for
 * somebody else's for good, so what two looks find is kept.
 */
static void sift(struct rv_owner *owner)
{
	struct sifting sifting = {.from = &owner->made};
	struct question q = {.each = keep_listed, .data = &sifting};
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++)
		r = ask(owner, &q, ~0u, 0);
	if (r < 0 || sifting.failed) {
		free(sifting.left.at);
		return;
	}
	free(owner->made.at);
	owner->made = sifting.left;
	owner->limit = FIRST_LIMIT > 2 * owner->made.count ? FIRST_LIMIT : 2 * owner->made.count;
}

int rv_owner_record(struct rv_owner *owner, int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
		return -errno;
	pthread_mutex_lock(&owner->lock);
	r = cookies_add(&owner->made, cookie);
	if (owner->made.count >= owner->limit)
		sift(owner);
	pthread_mutex_unlock(&owner->lock);
	return r;
}

/* ------------------------------------------------------------------------- looking up */

struct search {
	const struct rv_owner *owner;
	uint32_t dev, ino; /* of a file, as sock_diag tells them */
	const char *name;
	size_t length;
	struct rv_found found;
};

/* All that match must be ours: the inode's number is cut to 32 bits. */
static void found(struct search *search, const struct listed *socket)
{
	bool inside = cookies_have(&search->owner->made, socket->cookie);

	if (search->found.made != RV_MADE_OUTSIDE) {
		search->found.made = inside ? RV_MADE_INSIDE : RV_MADE_OUTSIDE;
		search->found.type = socket->type;
	}
}

static void match_file(void *data, const struct listed *socket)
{
	struct search *search = data;

	if (socket->file && socket->file->udiag_vfs_ino == search->ino &&
		socket->file->udiag_vfs_dev == search->dev)
		found(search, socket);
}

static void match_name(void *data, const struct listed *socket)
{
	struct search *search = data;

	if (socket->name_length == search->length + 1 && !socket->name[0] &&
		memcmp(socket->name + 1, search->name, search->length) == 0)
		found(search, socket);
}

/*
 * What a connection accepted is shown with the address of what it was accepted on, in the state
 * ESTABLISHED, which a connected datagram socket has as well. Only the latter can be reached.
 */
static bool is_connection(const struct listed *socket, bool established)
{
	return established && socket->type != SOCK_DGRAM;
}

struct filtered {
	struct search *search;
	void (*match)(void *data, const struct listed *socket);
	bool established;
};

static void pass_on(void *data, const struct listed *socket)
{
	const struct filtered *filtered = data;

	if (!is_connection(socket, filtered->established))
		filtered->match(filtered->search, socket);
}

/* Listening and unconnected sockets, then connected datagram ones. */
static int look(struct rv_owner *owner, struct filtered *filtered, uint32_t show)
{
	static const uint32_t states[] = {
		BIT(STATE_LISTEN) | BIT(STATE_CLOSE), BIT(STATE_ESTABLISHED)};
	struct question q = {.each = pass_on, .data = filtered};
	int r = 0;

	for (int try = 0; try < TRIES && r == 0; try++) {
		for (size_t i = 0; i < RV_COUNT(states) && r == 0; i++) {
			filtered->established = i == 1;
			r = ask(owner, &q, states[i], show);
			if (filtered->search->found.made != RV_MADE_NONE)
				return r;
		}
	}
	return r;
}

static int search(struct rv_owner *owner, struct search *search,
	void (*match)(void *data, const struct listed *socket), uint32_t show)
{
	struct filtered filtered = {.search = search, .match = match};
	int r;

	search->owner = owner;
	search->found.made = RV_MADE_NONE;
	pthread_mutex_lock(&owner->lock);
	r = look(owner, &filtered, show);
	pthread_mutex_unlock(&owner->lock);
	return r;
}

/* The kernel's own encoding of a device number. */
static uint32_t kernel_dev(unsigned int major, unsigned int minor)
{
	return major << 20 | minor;
}

/*
 * The device of the file system itself, which the list shows: stat(2) shows another one on btrfs
 * (each subvolume has its own) and on overlayfs (that of the layer below). Those are never a file
 * system's own, or there is no socket bound to that file, so the list is asked for both in turn.
 */
static int superblock_dev(int pin, uint32_t *ret)
{
	struct statx stx;
	rv_autofree char *line = NULL;
	size_t size = 0;
	FILE *file;
	int r = -ENOENT;

	if (statx(pin, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	file = fopen("/proc/thread-self/mountinfo", "re");
	while (file && r < 0 && getline(&line, &size, file) > 0) {
		unsigned long long id;
		unsigned int major, minor;

		if (sscanf(line, "%llu %*u %u:%u", &id, &major, &minor) != 3 ||
			id != stx.stx_mnt_id)
			continue;
		*ret = kernel_dev(major, minor);
		r = 0;
	}
	if (file)
		fclose(file);
	return r;
}

bool rv_owner_knows_inside(struct rv_owner *owner, const struct stat *st, int *ret_type)
{
	return rv_known_find(owner->known, st, ret_type);
}

int rv_owner_of_file(struct rv_owner *owner, int pin, const struct stat *st, struct rv_found *ret)
{
	struct search by_file = {.dev = kernel_dev(major(st->st_dev), minor(st->st_dev)),
		.ino = (uint32_t)st->st_ino};
	uint32_t shown = by_file.dev;
	int r;

	ret->made = RV_MADE_INSIDE;
	if (rv_owner_knows_inside(owner, st, &ret->type))
		return 0;
	r = search(owner, &by_file, match_file, UDIAG_SHOW_VFS);
	/* What follows finds another device's numbers, which are not these. */
	if (r == 0 && by_file.found.made == RV_MADE_INSIDE)
		rv_known_keep(owner->known, pin, st, by_file.found.type);
	if (r == 0 && by_file.found.made == RV_MADE_NONE &&
		superblock_dev(pin, &by_file.dev) == 0 && by_file.dev != shown)
		r = search(owner, &by_file, match_file, UDIAG_SHOW_VFS);
	if (r < 0)
		return r;
	*ret = by_file.found;
	return 0;
}

int rv_owner_of_name(struct rv_owner *owner, const char *name, size_t length, struct rv_found *ret)
{
	struct search by_name = {.name = name, .length = length};
	int r = search(owner, &by_name, match_name, UDIAG_SHOW_NAME);

	if (r < 0)
		return r;
	*ret = by_name.found;
	return 0;
}
