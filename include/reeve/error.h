/* SPDX-License-Identifier: MIT */
/*
 * Errors and log messages.
 *
 * Every fallible function returns 0, or a count or fd where documented, and on failure a negative
 * errno value. Where it takes a `struct reeve_error *`, it also stores there what failed, naming
 * the object, and where errno misleads, a hint what to do. Passing NULL is always allowed. An
 * output parameter named `ret…` is left untouched on failure.
 *
 * A struct with a member `size` has it set by the caller, to sizeof what its header says. A size
 * that cannot be (0 above all), or something set beyond what this version of the library knows, is
 * -EINVAL: nothing that was asked for is left out in silence.
 *
 * The library never prints, exits, aborts or keeps global state. (landlock.h, which has the shape
 * of system calls, keeps what the kernel would keep behind a descriptor, and a log function.)
 */
#ifndef REEVE_ERROR_H
#define REEVE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Filled in by the function that failed; the caller owns the memory, and nothing in it needs to be
 * freed. Text that does not fit is cut, and ends in "...". Control characters in names that come
 * from outside are escaped, so both texts can be printed to a terminal as they are.
 */
struct reeve_error {
	int code;	   /* negative errno, or 0 where nothing failed */
	char message[768]; /* "FILE:LINE: what failed: why", without a final newline */
	char hint[512];	   /* what to do about it, or "" */
	int exit_code;	   /* see reeve_exec_exit_code(); 0 where nothing special */
};

enum reeve_log_level {
	REEVE_LOG_WARNING =
		1,	    /* something the user should know: a weaker guarantee, an odd policy */
	REEVE_LOG_INFO = 2, /* what was decided, for `-v` */
};

/*
 * Receives the messages of one operation. Called from the thread that runs the operation, with a
 * text that lives only during the call. A zeroed struct discards everything.
 */
struct reeve_log {
	void (*fn)(void *data, enum reeve_log_level level, const char *message);
	void *data;
};

#ifdef __cplusplus
}
#endif

#endif /* REEVE_ERROR_H */
