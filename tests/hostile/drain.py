#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeping the supervisor busy, confused or out of means.

	drain.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, score, usual  # noqa: E402

MEMORY_KB = 1024  # what it may grow by after it has warmed up
DESCRIPTORS = 8   # threads that work at the moment hold some


def means(pid):
    """Memory in kB, and descriptors."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        memory = int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])
    return memory, len(os.listdir(f"/proc/{pid}/fd"))


def grows(command, env, place):
    """A hit is a supervisor that has more after some thousand calls than before."""
    with subprocess.Popen(command, env=env, cwd=place.path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as running:
        seen = []
        while running.stdout.readline() == "hold\n":
            seen.append(means(running.pid))
            running.stdin.write("x")
            running.stdin.flush()
            if len(seen) == 2:
                break
        said = score(running.stdout.read())
    if len(seen) < 2 or not said:
        return None, running.returncode, seen
    print(f"# memory and descriptors: {seen}")
    grown = seen[1][0] - seen[0][0] > MEMORY_KB or seen[1][1] - seen[0][1] > DESCRIPTORS
    return (int(grown), *said[1:])


def nobody_reads(command, env, place):
    """The program, which is to be done at some time, tells all to a pipe that nobody reads."""
    command[2:2] = ["--events", "-"]
    with subprocess.Popen(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as running:
        for _ in range(50):
            if os.path.exists(f"{place.path}/floor/done"):
                break
            time.sleep(0.1)
        else:
            running.kill()
            running.communicate()
            return 1, 1, 0
        return score(running.communicate(timeout=240)[0]) or (None, running.returncode)


def ends_as_told(command, env, place):
    """A hit is an end that is not the program's."""
    done = subprocess.run(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240)
    said = score(done.stdout)
    if done.returncode < 0:
        return None, done
    return said if said and done.returncode == 0 else (1, 1, 0)


def few_descriptors(command, env, place):
    return usual(["prlimit", "--nofile=1024:1024", *command], env, place)


def told(command, env, place):
    """The usual way, and how often a call was interrupted."""
    done = subprocess.run(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240)
    print("#", " ".join(re.findall("^EINTR.*", done.stdout, re.M)))
    return score(done.stdout) or (None, done)


run_all([
    Attack("fifos", "block", "100 FIFOs without another end"),
    Attack("unserved-page", "vm_readv", "100 paths on a page of userfaultfd", root=True),
    Attack("crowd", "leak", "200 threads, each in a call", run=few_descriptors),
    Attack("dying", "deaf", "callers that die in their calls"),
    Attack("unread", "sink", "events that nobody reads", run=nobody_reads),
    Attack("growth", "leak", "memory and descriptors of the supervisor", run=grows),
    Attack("storm-restarting", "killable", "a storm of signals with SA_RESTART", run=told),
    Attack("storm-plain", "killable", "a storm of signals without SA_RESTART", run=told),
    Attack("clone-parent", "wait", "children given to the supervisor", run=ends_as_told),
    Attack("trace-me", "stops", "a program that asks to be traced", run=ends_as_told),
])
