/* SPDX-License-Identifier: MIT */
/* The environment that makes programs load the try-then-trap shim (shim/). */
#ifndef RV_SUPERVISE_SHIM_ENV_H
#define RV_SUPERVISE_SHIM_ENV_H

/*
 * Where the shim is: $REEVE_SHIM (never for a setuid program), else where it is installed;
 * malloc(3). -ENOENT: not there, -EINVAL: its path has a colon or blank, which LD_PRELOAD cannot
 * name: start without it. -ENOMEM.
 */
int rv_shim_find(char **ret);

/*
 * A copy of `envp` in one block for free(3), with the shim at the end of LD_PRELOAD (other preloads
 * come first: they wrap what the shim wraps, fakeroot for one) and, as ASan refuses preloads
 * otherwise, verify_asan_link_order=0 in ASAN_OPTIONS. What is there already is not put twice.
 * -ENOMEM.
 */
int rv_shim_env(char *const envp[], const char *shim, char ***ret);

#endif /* RV_SUPERVISE_SHIM_ENV_H */
