/* SPDX-License-Identifier: MIT */
/*
 * Our own definitions of the kernel's Landlock interface, ABI 1 to 12: the headers of the machine
 * that reeve is built on lag behind (Debian 12's stop at ABI 2). Taken from the documented
 * interface of Linux 7.3; each struct's size is asserted, because the kernel tells the ABI of a
 * caller by it.
 */
#ifndef RV_KERNEL_UAPI_H
#define RV_KERNEL_UAPI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* ---- system call numbers: the same on every architecture that reeve knows */
#define RV_NR_LANDLOCK_CREATE_RULESET 444
#define RV_NR_LANDLOCK_ADD_RULE	      445
#define RV_NR_LANDLOCK_RESTRICT_SELF  446

/* ---- landlock_create_ruleset() */
struct rv_landlock_ruleset_attr {
	uint64_t handled_access_fs;   /* ABI 1 */
	uint64_t handled_access_net;  /* ABI 4 */
	uint64_t scoped;	      /* ABI 6 */
	uint64_t quiet_access_fs;     /* ABI 10 */
	uint64_t quiet_access_net;    /* ABI 10 */
	uint64_t quiet_scoped;	      /* ABI 10 */
	uint64_t handled_permissions; /* ABI 12 */
};
static_assert(offsetof(struct rv_landlock_ruleset_attr, handled_access_net) == 8, "size at ABI 1");
static_assert(offsetof(struct rv_landlock_ruleset_attr, scoped) == 16, "size at ABI 4");
static_assert(offsetof(struct rv_landlock_ruleset_attr, quiet_access_fs) == 24, "size at ABI 6");
static_assert(
	offsetof(struct rv_landlock_ruleset_attr, handled_permissions) == 48, "size at ABI 10");
static_assert(sizeof(struct rv_landlock_ruleset_attr) == 56, "size at ABI 12");

#define RV_LANDLOCK_CREATE_RULESET_VERSION (1u << 0)
#define RV_LANDLOCK_CREATE_RULESET_ERRATA  (1u << 1) /* ABI 7 */

/* ---- landlock_add_rule() */
#define RV_LANDLOCK_RULE_PATH_BENEATH 1
#define RV_LANDLOCK_RULE_NET_PORT     2 /* ABI 4 */
#define RV_LANDLOCK_RULE_NAMESPACE    3 /* ABI 12 */
#define RV_LANDLOCK_RULE_CAPABILITY   4 /* ABI 12 */

#define RV_LANDLOCK_ADD_RULE_QUIET (1u << 0) /* ABI 10 */

struct rv_landlock_path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));
static_assert(sizeof(struct rv_landlock_path_beneath_attr) == 12, "packed");

struct rv_landlock_net_port_attr {
	uint64_t allowed_access;
	uint64_t port; /* host byte order; 0 is the ephemeral range for bind */
};
static_assert(sizeof(struct rv_landlock_net_port_attr) == 16, "no padding");

struct rv_landlock_namespace_attr {
	uint64_t permissions;
	uint64_t allowed_namespace_types; /* CLONE_NEW* */
	uint64_t quiet_namespace_types;
};
static_assert(sizeof(struct rv_landlock_namespace_attr) == 24, "no padding");

struct rv_landlock_capability_attr {
	uint64_t permissions;
	uint64_t allowed_capabilities; /* 1 << CAP_* */
	uint64_t quiet_capabilities;
};
static_assert(sizeof(struct rv_landlock_capability_attr) == 24, "no padding");

#define RV_LANDLOCK_PERMISSION_NAMESPACE_USE  (UINT64_C(1) << 0) /* ABI 12 */
#define RV_LANDLOCK_PERMISSION_CAPABILITY_USE (UINT64_C(1) << 1) /* ABI 12 */

/* ---- landlock_restrict_self() */
#define RV_LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF  (1u << 0) /* ABI 7 */
#define RV_LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON    (1u << 1) /* ABI 7 */
#define RV_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1u << 2) /* ABI 7 */
#define RV_LANDLOCK_RESTRICT_SELF_TSYNC		     (1u << 3) /* ABI 8 */
#define RV_LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS	     (1u << 4) /* ABI 11 */

#endif /* RV_KERNEL_UAPI_H */
