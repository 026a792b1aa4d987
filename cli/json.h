/* SPDX-License-Identifier: MIT */
/* JSON out: one object a line, each with "version". */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#define CLI_JSON_VERSION 1

/* A new object with "version" and "type". */
json_t *cli_json_new(const char *type);
/* Sets a string; what is not UTF-8 is escaped first. NULL text: null. */
void cli_json_text(json_t *object, const char *key, const char *text);
/* Sets an array of the names of rights. */
void cli_json_rights(json_t *object, const char *key, int cls, uint64_t bits);
/* Prints the line and drops the object. NULL (no memory): false. */
bool cli_json_line(json_t *object);

#endif /* CLI_JSON_H */
