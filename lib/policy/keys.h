/* SPDX-License-Identifier: MIT */
/* What keys.c (the document, its settings) and keys_rules.c (the tables of rules) share. */
#ifndef RV_POLICY_KEYS_H
#define RV_POLICY_KEYS_H

#include "policy/decode.h"

extern const struct rv_table rv_path_beneath_table, rv_net_port_table, rv_net_address_table,
	rv_unix_socket_table, rv_socket_table, rv_quiet_table;

/* A string's text, without NUL: its shape was checked. */
const char *rv_text(const struct toml_value *value);
/* The same in the config's arena; NULL: no memory. */
const char *rv_copy(struct rv_decoder *d, const struct toml_value *value);
/* The same for a path with ${variables}, checked. */
int rv_copy_path(struct rv_decoder *d, const struct toml_value *value, const char **ret);

/* Adds the bits of one right or group, or of an array of them, to *bits. */
int rv_take_right(
	struct rv_decoder *d, enum reeve_class cls, const struct toml_value *value, uint64_t *bits);
int rv_take_rights(
	struct rv_decoder *d, enum reeve_class cls, const struct toml_value *array, uint64_t *bits);
/* Permissions by name, as rights of class socket. */
int rv_take_permissions(struct rv_decoder *d, const struct toml_value *array, uint64_t *bits);

/* The bit of a word of `deny` in a ruleset; 0: it is none. */
unsigned int rv_denial(const char *name);

#endif /* RV_POLICY_KEYS_H */
