#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a granted descriptor, link or name can be made to do beyond its grant.

	files.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, put, run_all, score, survives, usual  # noqa: E402

ONLY = """[[path_beneath]]
allowed_access = ["write_file"]
parent = ["{work}/only"]
live = true
[[path_beneath]]
allowed_access = ["read_file"]
parent = ["/dev/urandom"]
live = true
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["/proc"]
live = true
"""
SHM = """[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["/dev/shm"]
live = true
"""
DROP = """[[path_beneath]]
allowed_access = ["write_file", "make_reg", "make_dir", "remove_file", "remove_dir", "refer"]
parent = ["{work}/drop", "{work}/mail"]
[[path_beneath]]
allowed_access = ["read_file", "read_dir"]
parent = ["{work}/mail", "{work}/drop/name", "{work}/drop/name2"]
live = true
"""
TERMINALS = """[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["/dev/pts"]
live = true
"""


def with_only(command, env, place):
    os.mkdir(f"{place.path}/only")
    put(f"{place.path}/only/f", "keep this")
    return usual(command, env, place)


def with_drop(command, env, place):
    os.mkdir(f"{place.path}/mail")
    os.makedirs(f"{place.path}/drop/d")
    put(f"{place.path}/mail/f", "good")
    for name in ("1", "2", "d/1"):
        put(f"{place.path}/drop/{name}", "secret", 0o666)
    return usual(command, env, place)


def with_same_names(command, env, place):
    """Below `shut` there is all of the path to `live` once more."""
    os.makedirs(f"{place.path}/shut{place.path}/live")
    put(f"{place.path}/shut{place.path}/live/f", "secret", 0o666)
    return usual(command, env, place)


def with_terminal(command, env, place):
    """reeve leads a session that has no terminal. A hit is one that it has afterwards."""
    master, slave = os.openpty()
    put(f"{place.path}/floor/pts", os.ttyname(slave))
    with subprocess.Popen(command, env=env, cwd=place.path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        ready = running.stdout.readline()
        with open(f"/proc/{running.pid}/stat", encoding="ascii", errors="replace") as file:
            number = int(file.read().rsplit(")", 1)[1].split()[4])
        said = score(running.communicate("x", timeout=240)[0])
    os.close(master)
    os.close(slave)
    return (int(number != 0), *said[1:]) if said and ready == "hold\n" else (None, ready)


run_all([
    Attack("out-of-look", "refer", "out of a read-only grant by link, rename and exchange"),
    Attack("out-of-shut", "refer", "out of what is not granted by link and rename"),
    Attack("carry", "carry", "by a move that the static rules allow, below a live rule",
           run=with_drop, extra=DROP),
    Attack("carry-flip", "carry", "such a move whose new name changes while it is judged",
           run=with_drop, extra=DROP),
    Attack("tmpfile-out", "continue", "O_TMPFILE and descriptors linked out by procfs"),
    Attack("shorten", "implied", "an injected descriptor truncates", run=with_only, extra=ONLY),
    Attack("device-ioctl", "implied", "an injected descriptor takes device ioctls", run=with_only,
           extra=ONLY),
    Attack("reopen", "continue", "a descriptor opened again for more"),
    Attack("magic", "magic", "procfs names that mean the supervisor", extra=ONLY, run=with_only,
           options=["--clear-env"]),
    Attack("lead-out", "textual", "links and dots that lead out of a grant"),
    Attack("detached-mount", "detached", "a mount that is attached nowhere", extra=SHM,
           run=with_same_names),
    Attack("adopt-terminal", "tty", "a terminal that becomes the supervisor's", extra=TERMINALS,
           run=with_terminal),
    Attack("no-descriptors", "continue,emfile", "EMFILE where the descriptor is handed over"),
    Attack("page-end", "chunk", "a path that ends where nothing is mapped"),
    Attack("endless-path", "overflow", "a path without an end", run=survives),
])
