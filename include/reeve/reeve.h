/* SPDX-License-Identifier: MIT */
/*
 * reeve: sandboxes a program, shows what it asks for, and changes what it may do while it runs.
 * This header includes all others.
 */
#ifndef REEVE_REEVE_H
#define REEVE_REEVE_H

#include <reeve/error.h>
#include <reeve/ruleset.h>
#include <reeve/domain.h>
#include <reeve/policy.h>
#include <reeve/sandbox.h>
#include <reeve/check.h>
#include <reeve/event.h>
#include <reeve/record.h>
#include <reeve/supervisor.h>
#include <reeve/control.h>
#include <reeve/observe.h>
#include <reeve/host.h>
#include <reeve/audit.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The library's version, "0.1.0". Static. */
const char *reeve_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* REEVE_REEVE_H */
