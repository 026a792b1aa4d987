# SPDX-License-Identifier: MIT
"""Landlock domains of tests, made without reeve: what others on a host would do."""
import ctypes
import os
import signal
import struct

CREATE, RESTRICT = 444, 446
MAKE_BLOCK = 1 << 11  # handled and granted nowhere: nobody misses it
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def restrict(handled=MAKE_BLOCK):
    """One more layer for the calling thread, which denies what `handled` says."""
    attr = ctypes.create_string_buffer(struct.pack("Q", handled), 8)
    ruleset = call(CREATE, attr, 8, 0)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    call(RESTRICT, ruleset, 0)
    os.close(ruleset)


class Child:
    """A process that does `work`, says so, and waits for its end."""

    def __init__(self, work):
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(ready)
                work()
                os.write(told, b"r")
                code = 0
                while True:
                    signal.pause()
            finally:
                os._exit(code)
        os.close(told)
        if os.read(ready, 1) != b"r":
            raise RuntimeError("the child could not sandbox itself")
        os.close(ready)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
