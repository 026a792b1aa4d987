/* SPDX-License-Identifier: MIT */
/* The decisions that one object's rules make: paths, ports, sockets. */
#include <errno.h>
#include <string.h>
#include "model/domain_private.h"

void rv_decide_allowed(struct reeve_decision *ret)
{
	*ret = (struct reeve_decision){.allowed = true};
}

/*
 * What the live part of a layer grants besides its rules: rights that the layer handles and that a
 * ruleset put in its place (stage_replace) does not.
 */
static uint64_t live_grants_everywhere(const struct reeve_domain *layer, enum reeve_class cls)
{
	return layer->static_part->handled.of[cls] & ~layer->live->handled.of[cls];
}

/* Adds what the live part of a layer grants to what the static part does. */
static void add_live(const struct reeve_domain *layer, enum reeve_class cls, struct rv_grant live,
	struct rv_grant *grant)
{
	grant->allowed |= live.allowed | live_grants_everywhere(layer, cls);
	grant->quiet |= live.quiet;
}

/* ------------------------------------------------------------------ paths */

static struct rv_grant grant_on_path(
	const struct reeve_domain *layer, const char *path, size_t length, bool self_only)
{
	const struct reeve_ruleset *fixed = layer->static_part;
	struct rv_grant grant = rv_ruleset_path(fixed, NULL, path, length, self_only), live;

	if (!layer->live)
		return grant;
	/* The static part's denials hold for live grants too; a live denial only for those. */
	live = rv_ruleset_path(layer->live, fixed, path, length, self_only);
	live.allowed |=
		live_grants_everywhere(layer, REEVE_FS) & ~rv_ruleset_denied(fixed, path, length);
	grant.allowed |= live.allowed;
	grant.quiet |= live.quiet;
	return grant;
}

void rv_restrictions_on_path(const struct reeve_domain *domain, const char *path, size_t length,
	bool self_only, uint64_t want, struct rv_restrictions *ret)
{
	/* Once any layer handles an fs right, every layer denies refer: see rv_fs_restricted(). */
	uint64_t implied = domain && domain->fs_restricted ? REEVE_FS_REFER : 0;

	*ret = (struct rv_restrictions){0};
	for (const struct reeve_domain *layer = domain; layer; layer = layer->parent) {
		uint64_t restricted = layer->static_part->handled.of[REEVE_FS] | implied;
		struct rv_grant grant;

		if (!(restricted & want))
			continue;
		grant = grant_on_path(layer, path, length, self_only);
		ret->missing[layer->depth - 1] = restricted & want & ~grant.allowed;
		ret->quiet[layer->depth - 1] = grant.quiet;
	}
}

void rv_decide_restrictions(const struct reeve_domain *domain,
	const struct rv_restrictions *restrictions, struct reeve_decision *ret)
{
	rv_decide_allowed(ret);
	for (unsigned int layer = reeve_domain_depth(domain); layer > 0; layer--) {
		uint64_t missing = restrictions->missing[layer - 1];

		if (!missing)
			continue;
		*ret = (struct reeve_decision){.error = EACCES,
			.missing = missing,
			.layer = layer,
			.quiet = !(missing & ~restrictions->quiet[layer - 1])};
		return;
	}
}

void reeve_decide_path(const struct reeve_domain *domain, const char *path, uint64_t access,
	struct reeve_decision *ret)
{
	struct rv_restrictions restrictions;

	rv_restrictions_on_path(domain, path, strlen(path), false, access, &restrictions);
	rv_decide_restrictions(domain, &restrictions, ret);
}

/*
 * A DENY rule on an entry fixes that it is there, or is not. One below it: no other object may take
 * its place, as what is denied would then be somewhere else; a directory may be made.
 */
static bool is_fixed(
	const struct reeve_ruleset *ruleset, const char *path, size_t length, uint64_t access)
{
	if (!ruleset || !rv_ruleset_denies_within(ruleset, path, length))
		return false;
	return access != REEVE_FS_MAKE_DIR || rv_ruleset_denial_on(ruleset, path, length);
}

void reeve_decide_entry(const struct reeve_domain *domain, const char *path, uint64_t access,
	struct reeve_decision *ret)
{
	struct rv_restrictions restrictions;
	size_t length = strlen(path);

	for (const struct reeve_domain *layer = domain; layer; layer = layer->parent) {
		if (!is_fixed(layer->static_part, path, length, access) &&
			!is_fixed(layer->live, path, length, access))
			continue;
		*ret = (struct reeve_decision){
			.error = EACCES, .missing = access, .layer = layer->depth};
		return;
	}
	rv_restrictions_on_path(
		domain, path, rv_path_parent(path, length), false, access, &restrictions);
	rv_decide_restrictions(domain, &restrictions, ret);
}

/* ----------------------------------------------------------- ports, sockets */

/* Decides by what `grants` finds in each ruleset. */
static void decide_by(const struct reeve_domain *domain, enum reeve_class cls, uint64_t want,
	struct rv_grant (*grants)(const struct reeve_ruleset *ruleset, const void *object),
	const void *object, struct reeve_decision *ret)
{
	struct rv_restrictions restrictions = {0};

	for (const struct reeve_domain *layer = domain; layer; layer = layer->parent) {
		struct rv_grant grant = grants(layer->static_part, object);

		if (layer->live)
			add_live(layer, cls, grants(layer->live, object), &grant);
		restrictions.missing[layer->depth - 1] =
			layer->static_part->handled.of[cls] & want & ~grant.allowed;
		restrictions.quiet[layer->depth - 1] = grant.quiet;
	}
	rv_decide_restrictions(domain, &restrictions, ret);
}

static struct rv_grant grants_port(const struct reeve_ruleset *ruleset, const void *object)
{
	return rv_ruleset_port(ruleset, *(const uint16_t *)object);
}

void reeve_decide_port(const struct reeve_domain *domain, uint64_t access, uint16_t port,
	struct reeve_decision *ret)
{
	decide_by(domain, REEVE_NET, access, grants_port, &port, ret);
}

struct endpoint {
	struct rv_ip ip;
	uint16_t port;
	bool bound;
};

static struct rv_grant grants_endpoint(const struct reeve_ruleset *ruleset, const void *object)
{
	const struct endpoint *to = object;

	return rv_ruleset_endpoint(ruleset, &to->ip, to->port, to->bound);
}

int reeve_decide_address(const struct reeve_domain *domain, uint64_t access, const char *address,
	uint16_t port, struct reeve_decision *ret)
{
	static const uint64_t binds = REEVE_NET_BIND_TCP | REEVE_NET_BIND_UDP;
	struct rv_address parsed;

	if (strchr(address, '/') || rv_address_parse(address, &parsed, NULL) < 0 ||
		parsed.kind != RV_ADDRESS_PREFIX)
		return -EINVAL;
	decide_by(domain, REEVE_NET, access, grants_endpoint,
		&(struct endpoint){parsed.ip, port, (access & binds) != 0}, ret);
	return 0;
}

struct socket_kind {
	int family, type, protocol;
};

static struct rv_grant grants_socket(const struct reeve_ruleset *ruleset, const void *object)
{
	const struct socket_kind *kind = object;

	return rv_ruleset_socket(ruleset, kind->family, kind->type, kind->protocol);
}

void reeve_decide_socket(const struct reeve_domain *domain, int family, int type, int protocol,
	struct reeve_decision *ret)
{
	decide_by(domain, REEVE_SOCKET, REEVE_SOCKET_CREATE, grants_socket,
		&(struct socket_kind){family, type, protocol}, ret);
}
