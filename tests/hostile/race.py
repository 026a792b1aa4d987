#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a call means is changed while it is judged.

	race.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, usual  # noqa: E402

CALLS = ("open", "create", "mkdir", "mknod", "symlink", "unlink", "rmdir", "truncate", "rename",
         "rename-into", "link")

UNIX = """[[unix_socket]]
allowed_access = ["connect"]
path = ["{work}/live/s"]
"""


def serve(path, word):
    """Says this word to whoever connects, until it is shut down."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    os.chmod(path, 0o777)
    server.listen(64)

    def answer():
        while True:
            try:
                client = server.accept()[0]
                client.sendall(word)
                client.close()
            except BrokenPipeError:
                pass
            except OSError:
                return
    threading.Thread(target=answer).start()
    return server


def with_servers(command, env, place):
    """One server is granted, one is not; both are outside of the domain."""
    with open(place.policy, encoding="utf-8") as file:
        text = file.read()
    with open(place.policy, "w", encoding="utf-8") as file:
        file.write(text.replace('scoped = ["abi.all"]',
                                'scoped = ["abi.all", "pathname_unix_socket"]'))
    servers = [serve(f"{place.path}/{name}/s", word)
               for name, word in (("live", b"good"), ("shut", b"secret"))]
    try:
        return usual(command, env, place)
    finally:
        for server in servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()


run_all([Attack(f"path-{call}", "continue", f"the path of {call} flipped in memory", ms=500)
         for call in CALLS] + [
    Attack("dirfd", "continue", "the directory's descriptor replaced by dup2"),
    Attack("cwd", "continue", "chdir by another thread"),
    Attack("swap-links", "continue", "a symbolic link swapped"),
    Attack("swap-directory", "continue", "a directory swapped with a symbolic link"),
    Attack("connect-path", "continue", "the path of connect flipped in memory", extra=UNIX,
           run=with_servers),
    Attack("connect-cwd", "continue", "connect beside a chdir by another thread", extra=UNIX,
           run=with_servers),
    Attack("open-how", "continue", "the flags of openat2 flipped in memory"),
])
