/* SPDX-License-Identifier: MIT */
/*
 * A parsed text to a config, by tables: each table of the policy language is a list of keys with
 * the shape of its value and a function that takes it (keys.c). What is the same for all of them
 * is here: unknown keys, shapes, required keys, and how an error reads.
 */
#ifndef RV_POLICY_DECODE_H
#define RV_POLICY_DECODE_H

#include "base/cleanup.h"
#include "policy/config.h"
#include "policy/suggest.h"
#include "policy/toml.h"

/* What one table (one [[path_beneath]] …) said so far; its `finish` makes drafts of it. */
struct rv_entry {
	uint64_t allowed, quiet;	   /* of the class of the table */
	uint64_t taken;			   /* except_access; 0: everything */
	unsigned int flags;		   /* REEVE_RULE_LIVE, REEVE_RULE_OPTIONAL */
	const struct toml_value *lists[3]; /* parents, ports, addresses …: see keys.c */
	const struct toml_value *rights;   /* as written */
	const char *variable;
};

struct rv_decoder {
	struct rv_config *config;
	const char *name; /* in messages and origins: the file as given, "profile base" */
	const char *base; /* what relative paths are relative to, living as long as config */
	bool json;
	int abi;	    /* 0: not said */
	bool datagram_said; /* unix_datagram, in this file */
	struct reeve_error *err;

	/* Where the work stands. */
	const struct rv_table *table;
	const char *key; /* as in the tables: snake_case */
	struct rv_entry entry;
	const char *origin; /* of the latest line, living as long as config */
	unsigned int origin_line;

	/* Loads what `extends` names; NULL: extends is not followed. */
	int (*extend)(void *data, const char *name, unsigned int line);
	void *data;
};

enum rv_shape {
	RV_STRING,
	RV_INTEGER,
	RV_BOOLEAN,
	RV_STRINGS, /* an array of strings, not empty */
	RV_MIXED,   /* an array of strings and integers, not empty */
	RV_TABLES,  /* [[name]], not empty */
};

struct rv_key {
	const char *name;
	enum rv_shape shape;
	bool required;
	/* With a value of the right shape. With RV_TABLES NULL, and `table` says what is in it. */
	int (*take)(struct rv_decoder *d, const struct toml_value *value);
	const struct rv_table *table;
};

struct rv_table {
	const char *name; /* "" for the document */
	const struct rv_key *keys;
	size_t keys_count;
	int (*finish)(struct rv_decoder *d, const struct toml_value *value); /* may be NULL */
};

/* The whole language. */
extern const struct rv_table rv_policy_table;

/* `length` bytes of text into d->config. All but `config`, `name` and `json` may be zero. */
int rv_decode_text(struct rv_decoder *d, const char *text, size_t length);

/*
 * Loads what `extends` names on that line; d->extend is set. Of several files included side by
 * side, the stricter word on datagram sockets counts; the includer's own overrides.
 */
int rv_take_extension(struct rv_decoder *d, const char *name, unsigned int line);

/* ------------------------------------------------- for the functions of keys.c */

/* "FILE:LINE: KEY: VALUE: expected WHAT", -EINVAL, about a value of the current key. */
int rv_expected(struct rv_decoder *d, const struct toml_value *value, const char *fmt, ...)
	RV_PRINTF(3, 4);

/* "FILE:LINE: KEY: WHAT", -EINVAL, about the current key (NULL) or table at a value's line. */
int rv_wrong(struct rv_decoder *d, const struct toml_value *value, const char *fmt, ...)
	RV_PRINTF(3, 4);

/* The key as this notation spells it: itself, or in a buffer of the decoder's caller. */
#define RV_KEY_SIZE 64
const char *rv_spell(const struct rv_decoder *d, const char *key, char buf[RV_KEY_SIZE]);

/* "FILE:LINE", or NULL: no memory. */
const char *rv_origin(struct rv_decoder *d, unsigned int line);

int rv_no_memory(struct reeve_error *err);

#endif /* RV_POLICY_DECODE_H */
