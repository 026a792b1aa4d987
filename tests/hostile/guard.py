#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Around the filter, and at the supervisor and its connector.

	guard.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import os
import pty
import select
import signal
import subprocess
import sys

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, score, survives, usual, without_int80  # noqa: E402

PROC = """[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["/proc"]
"""
UNIX = """[[socket]]
allowed_access = ["create"]
family = ["unix"]
type = ["any"]
protocol = ["any"]
"""


def can_type():
    """Whether this kernel lets anybody type into a terminal at all."""
    try:
        with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return True


def on_terminal(command, env, place):
    """On a terminal of its own, which it shares with reeve."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(place.path)
        os.execve(command[0], command, env)
    text = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            got = os.read(fd, 65536)
        except OSError:
            break
        if not got:
            break
        text += got
    os.close(fd)
    os.waitpid(pid, 0)
    lines = text.decode(errors="replace").replace("\r", "").replace("hits", "\nhits")
    return score(lines) or (None, text)


def kill_supervisor(command, env, place):
    """The supervisor is killed when the program is ready. A program that lives on says so."""
    with subprocess.Popen(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as running:
        ready = running.stdout.readline()
        if not ready.startswith("ready"):
            raise ValueError(ready)
        os.kill(running.pid, signal.SIGKILL)
        rest = running.communicate(timeout=240)[0]
    if "trapped calls go on" in rest:
        return None, rest
    return score(rest) or (0, 1, 1)


def with_sockets(command, env, place):
    """With socket creation handled, and UNIX sockets granted."""
    with open(place.policy, encoding="utf-8") as file:
        text = file.read()
    with open(place.policy, "w", encoding="utf-8") as file:
        file.write(text.replace("[[ruleset]]\n", '[[ruleset]]\nhandled_socket = ["create"]\n'))
    return usual(command, env, place)


def with_inner(command, env, place):
    """Where programs may sandbox themselves."""
    with open(place.policy, encoding="utf-8") as file:
        text = file.read()
    with open(place.policy, "w", encoding="utf-8") as file:
        file.write(text.replace("[[ruleset]]\n", 'inner_landlock = "floor-only"\n[[ruleset]]\n', 1))
    return usual(command, env, place)


NO_TIOCSTI = "" if can_type() else "tty: dev.tty.legacy_tiocsti is 0"

run_all([
    Attack("type", "guards", "TIOCSTI", run=on_terminal, native=NO_TIOCSTI),
    Attack("type-wide", "wide", "TIOCSTI with dirty high halves", run=on_terminal,
           native=NO_TIOCSTI),
    Attack("wide-socket", "wide", "socket with dirty high halves", run=with_sockets, extra=UNIX),
    Attack("narrow-pointer", "narrow", "prlimit64 with a pointer whose low half is zero"),
    Attack("int80", "arch", "the 32-bit entry", missing=without_int80()),
    Attack("x32", "arch", "x32 numbers", native="x32: no such kernel here"),
    Attack("io-uring", "guards,arch", "io_uring"),
    Attack("listener", "listener", "a second listener", native="listener: the kernel refuses a "
           "second one as long as ours is open"),
    Attack("inherit", "survive,listener", "a program that outlives its supervisor",
           run=kill_supervisor),
    Attack("inner-domain", "guards", "what an inner Landlock domain forbids"),
    Attack("inner-floor", "inner", "what an allowed inner Landlock domain forbids",
           run=with_inner),
    Attack("enter-namespace", "guards", "setns"),
    Attack("undumpable", "continue,dumpable", "a program that cannot be looked at", root=False),
    Attack("forged-tag", "continue", "the shim's tag"),
    Attack("reach", "reach", "signals, ptrace and memory of supervisor and helpers", extra=PROC),
    Attack("power", "guards", "limits and scheduling of supervisor and helpers", extra=PROC),
    Attack("owner", "reach", "signals by the owner of a descriptor", extra=PROC, run=survives),
])
