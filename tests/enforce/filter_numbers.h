/* SPDX-License-Identifier: MIT */
/*
 * System call numbers, written down independently of lib/enforce/filter_calls.c and compared with
 * the headers of whatever machine this is compiled for (see also cross.sh).
 */
#ifndef TESTS_ENFORCE_FILTER_NUMBERS_H
#define TESTS_ENFORCE_FILTER_NUMBERS_H

#include <asm/unistd.h>

/* X(name, x86-64, arm64) */
#define CALLS_COMMON(X)                                                                            \
	X(read, 0, 63)                                                                             \
	X(write, 1, 64)                                                                            \
	X(close, 3, 57)                                                                            \
	X(mmap, 9, 222)                                                                            \
	X(getpid, 39, 172)                                                                         \
	X(futex, 202, 98)                                                                          \
	X(connect, 42, 203)                                                                        \
	X(memfd_create, 319, 279)                                                                  \
	X(bind, 49, 200)                                                                           \
	X(listen, 50, 201)                                                                         \
	X(accept4, 288, 242)                                                                       \
	X(recvmsg, 47, 212)                                                                        \
	X(setsockopt, 54, 208)                                                                     \
	X(kill, 62, 129)                                                                           \
	X(getpriority, 140, 141)                                                                   \
	X(ioprio_get, 252, 31)                                                                     \
	X(sched_getparam, 143, 121)                                                                \
	X(sched_getscheduler, 145, 120)                                                            \
	X(sched_getattr, 315, 275)                                                                 \
	X(setrlimit, 160, 164)                                                                     \
	X(pidfd_send_signal, 424, 424)                                                             \
	X(open_tree, 428, 428)                                                                     \
	X(openat, 257, 56)                                                                         \
	X(execve, 59, 221)                                                                         \
	X(sched_setaffinity, 203, 122)                                                             \
	X(execveat, 322, 281)                                                                      \
	X(openat2, 437, 437)                                                                       \
	X(mkdirat, 258, 34)                                                                        \
	X(mknodat, 259, 33)                                                                        \
	X(unlinkat, 263, 35)                                                                       \
	X(renameat, 264, 38)                                                                       \
	X(renameat2, 316, 276)                                                                     \
	X(linkat, 265, 37)                                                                         \
	X(symlinkat, 266, 36)                                                                      \
	X(truncate, 76, 45)                                                                        \
	X(seccomp, 317, 277)                                                                       \
	X(prctl, 157, 167)                                                                         \
	X(setns, 308, 268)                                                                         \
	X(setgroups, 116, 159)                                                                     \
	X(setfsuid, 122, 151)                                                                      \
	X(setfsgid, 123, 152)                                                                      \
	X(unshare, 272, 97)                                                                        \
	X(clone, 56, 220)                                                                          \
	X(clone3, 435, 435)                                                                        \
	X(chroot, 161, 51)                                                                         \
	X(pivot_root, 155, 41)                                                                     \
	X(userfaultfd, 323, 282)                                                                   \
	X(landlock_create_ruleset, 444, 444)                                                       \
	X(landlock_add_rule, 445, 445)                                                             \
	X(landlock_restrict_self, 446, 446)                                                        \
	X(ioctl, 16, 29)                                                                           \
	X(prlimit64, 302, 261)                                                                     \
	X(sched_setscheduler, 144, 119)                                                            \
	X(sched_setparam, 142, 118)                                                                \
	X(sched_setattr, 314, 274)                                                                 \
	X(setpriority, 141, 140)                                                                   \
	X(ioprio_set, 251, 30)                                                                     \
	X(io_uring_setup, 425, 425)                                                                \
	X(io_uring_enter, 426, 426)                                                                \
	X(io_uring_register, 427, 427)                                                             \
	X(sendto, 44, 206)                                                                         \
	X(sendmsg, 46, 211)                                                                        \
	X(sendmmsg, 307, 269)                                                                      \
	X(socket, 41, 198)                                                                         \
	X(socketpair, 53, 199)                                                                     \
	X(getsockopt, 55, 209)                                                                     \
	X(shmget, 29, 194)                                                                         \
	X(shmat, 30, 196)                                                                          \
	X(shmctl, 31, 195)                                                                         \
	X(shmdt, 67, 197)                                                                          \
	X(semget, 64, 190)                                                                         \
	X(semop, 65, 193)                                                                          \
	X(semctl, 66, 191)                                                                         \
	X(semtimedop, 220, 192)                                                                    \
	X(msgget, 68, 186)                                                                         \
	X(msgsnd, 69, 189)                                                                         \
	X(msgrcv, 70, 188)                                                                         \
	X(msgctl, 71, 187)                                                                         \
	X(mq_unlink, 241, 181)                                                                     \
	X(add_key, 248, 217)                                                                       \
	X(request_key, 249, 218)                                                                   \
	X(keyctl, 250, 219)

/* Calls of old that arm64 never had. */
#define NO_CALL 0xfffffffeu
#define CALLS_X86_64(X)                                                                            \
	X(open, 2, NO_CALL)                                                                        \
	X(creat, 85, NO_CALL)                                                                      \
	X(mkdir, 83, NO_CALL)                                                                      \
	X(mknod, 133, NO_CALL)                                                                     \
	X(unlink, 87, NO_CALL)                                                                     \
	X(rmdir, 84, NO_CALL)                                                                      \
	X(rename, 82, NO_CALL)                                                                     \
	X(link, 86, NO_CALL)                                                                       \
	X(symlink, 88, NO_CALL)

#define CALL_ENUM(name, x86_64, arm64) CALL_##name,
enum call { CALLS_COMMON(CALL_ENUM) CALLS_X86_64(CALL_ENUM) CALL_COUNT };

/* The first that a guard looks at; before it, from here on, those that a supervisor does too. */
#define CALL_FIRST_GUARDED    CALL_ioctl
#define CALL_FIRST_SUPERVISED CALL_openat

#if defined(__x86_64__) && !defined(__ILP32__)
#define CALL_ASSERT(name, x86_64, arm64) _Static_assert(__NR_##name == (x86_64), #name);
CALLS_COMMON(CALL_ASSERT) CALLS_X86_64(CALL_ASSERT)
#elif defined(__aarch64__)
#define CALL_ASSERT(name, x86_64, arm64) _Static_assert(__NR_##name == (arm64), #name);
CALLS_COMMON(CALL_ASSERT)
#endif

#endif /* TESTS_ENFORCE_FILTER_NUMBERS_H */
