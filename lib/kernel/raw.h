/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc: they return a negative errno and touch no `errno`, which a thread made
 * by a bare clone(2) shares with all others of its process.
 */
#ifndef RV_KERNEL_RAW_H
#define RV_KERNEL_RAW_H

#include <stdint.h>
#include <sys/syscall.h>

#define RV_RAW_ARGS 6

#if defined(__x86_64__) && !defined(__ILP32__)
#define RV_HAS_RAW 1
static inline long rv_raw_call(long nr, const long args[RV_RAW_ARGS])
{
	register long r10 __asm__("r10") = args[3];
	register long r8 __asm__("r8") = args[4];
	register long r9 __asm__("r9") = args[5];
	long ret;

	__asm__ volatile(
		"syscall"
		: "=a"(ret)
		: "a"(nr), "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
#define RV_HAS_RAW 1
static inline long rv_raw_call(long nr, const long args[RV_RAW_ARGS])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = args[0];
	register long x1 __asm__("x1") = args[1];
	register long x2 __asm__("x2") = args[2];
	register long x3 __asm__("x3") = args[3];
	register long x4 __asm__("x4") = args[4];
	register long x5 __asm__("x5") = args[5];

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#define RV_HAS_RAW 0
static inline long rv_raw_call(long nr, const long args[RV_RAW_ARGS])
{
	(void)nr;
	(void)args;
	return -38; /* ENOSYS: reeve has no filter for this machine, hence no supervisor either */
}
#endif

/* rv_raw(SYS_close, fd): up to six arguments, each converted to long. */
#define rv_raw(...) rv_raw_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define rv_raw_(nr, a, b, c, d, e, f, ...)                                                         \
	rv_raw_call(nr, (const long[RV_RAW_ARGS]){                                                 \
				(long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)})

#endif /* RV_KERNEL_RAW_H */
