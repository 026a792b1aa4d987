#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The caller is not whom the supervisor takes it for.

	who.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import os
import sys

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, put, run_all, usual  # noqa: E402

GROUP = 7777


def with_others(command, env, place):
    """With files of somebody else's, and a supervisor that is a member of their group."""
    put(f"{place.path}/live/others", "others", 0o600)
    os.chown(f"{place.path}/live/others", 65534, 65534)
    put(f"{place.path}/live/members", "members", 0o640)
    os.chown(f"{place.path}/live/members", 65534, GROUP)
    return usual(["setpriv", f"--groups={GROUP}", "--", *command], env, place)


def with_set_ids(command, env, place):
    """As nobody who may change groups and fs ids, and keeps all else when it does."""
    for name, mode, owner in (("members", 0o640, (0, GROUP)), ("owned", 0o600, (65534, 0)),
                              ("grouped", 0o040, (0, 65534))):
        put(f"{place.path}/live/{name}", name, mode)
        os.chown(f"{place.path}/live/{name}", *owner)
    return usual(["setpriv", "--reuid=65534", "--regid=65534", f"--groups={GROUP}",
                  "--inh-caps=+setuid,+setgid", "--ambient-caps=+setuid,+setgid", "--", *command],
                 env, place)


run_all([
    Attack("own-cwd", "continue,tgid", "a thread with a working directory of its own"),
    Attack("own-files", "continue,tgid", "a thread with descriptors of its own"),
    Attack("zombie-leader", "tgid", "nothing is granted once the leader is a zombie"),
    Attack("stale-cwd", "continue,cache-cwd", "a directory that is remembered over chdir"),
    Attack("vfork-exec", "continue,cache-memory", "memory that is remembered over vfork and exec"),
    Attack("credentials", "credentials", "dropped uid, groups, capabilities, user namespace",
           root=True, run=with_others),
    Attack("groups", "credentials", "a group that was left, other fs ids", root=True,
           run=with_set_ids),
    Attack("pid-reuse", "cache-credentials", "credentials that are remembered by pid",
           root=True),
    Attack("pid-reuse-meanwhile", "slow,id", "a pid that is reused while a call waits", root=True,
           also="slow"),
    Attack("jail", "root,credentials", "a file out of the program's own chroot"),
])
