#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is never performed: for callers that are not like the supervisor, on procfs, of terminals. Denials
of it are events.

	test_foreign.py REEVE [--user]
"""
import os
import rig
from rig import put, report

GROUP = 4242

# Each step in a process of its own: what it becomes, and what it then does with a path.
SCRIPT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def drop():
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
def drop_in_group():
    os.setgroups([4242]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
def only_fsuid():
    libc.setfsuid(65534)
def jail():
    os.chroot(sys.argv[1] + "/jail")
def namespace():
    if libc.unshare(0x10000000): os._exit(77)
def read(path): os.open(path, os.O_RDONLY)
def execute(path): os.execv(path, [path])
def inside(path):
    os.chdir(os.path.dirname(path)); read(os.path.basename(path))
for line in sys.argv[2:]:
    become, do, path = line.split()
    pid = os.fork()
    if pid == 0:
        try:
            globals()[become]()
            {"read": read, "mkdir": os.mkdir, "unlink": os.unlink, "exec": execute, "inside": inside}[do](path)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(line, status, flush=True)
"""
EACCES, ENOENT, SKIPPED = 13, 2, 77


def tree():
    work = os.getcwd()
    os.chmod(work, 0o755)
    os.chmod(os.path.dirname(work), 0o755)
    for name, mode in (("open", 0o777), ("closed", 0o700), ("fixed", 0o755), ("jail", 0o755), ("jail/etc", 0o755),
                       ("cwd", 0o755)):
        os.mkdir(name)
        os.chmod(name, mode)
    for name, mode in (("open/all", 0o644), ("open/mine", 0o600), ("open/group", 0o640), ("open/live", 0o644),
                       ("closed/all", 0o644), ("jail/all", 0o644),
                       ("jail/etc/passwd", 0o644), ("open/program", 0o755)):
        put(name, "#!/bin/sh\n", mode)
    if rig.ROOT:
        os.chown("open/group", 0, GROUP)
    put("policy.toml", f'abi = 3\nextends = ["workspace"]\n[[path_beneath]]\nallowed_access = ["abi.read_write"]\n'
        f'parent = ["{work}/open/live"]\nlive = true\n')
    return work


def try_all(work, steps, *options):
    """Each step's errno, and the objects of the events."""
    lines = [f"{become} {do} {path}" for become, do, path, *_ in steps]
    got = rig.run("-p", f"{work}/policy.toml", "--quiet", "--events", f"{work}/events", *options,
                  command=[rig.PYTHON, "-c", SCRIPT, work, *lines], cwd=f"{work}/cwd")
    if got.returncode:
        raise ValueError(got.stderr)
    errors = [int(line.split()[-1]) for line in got.stdout.splitlines()]
    seen = [event for event in rig.events(f"{work}/events")
            if event["event"] == "denied" and event.get("object", "").startswith(work)]
    os.unlink(f"{work}/events")
    return errors, seen


def check(title, work, steps, *options):
    errors, seen = try_all(work, steps, *options)
    if SKIPPED in errors:
        rig.skip(title, "userns: none here")
        return
    wanted = [object_ for *_, object_ in steps if object_]
    found = [event["object"] for event in seen]
    report(errors == [error for *_, error, _ in steps], title + ": nothing is granted", list(zip(steps, errors)))
    report(found == wanted and all(event["by"] == "floor" for event in seen),
           title + ": what the policy denies is an event, and nothing else is", (found, wanted, seen))


def dropped():
    if not rig.ROOT:
        return
    work = tree()
    steps = [("drop", "read", f"{work}/open/all", EACCES, f"{work}/open/all"),
             ("drop", "inside", f"{work}/open/all", EACCES, f"{work}/open/all"),
             ("drop", "read", f"{work}/open/live", EACCES, f"{work}/open/live"),
             ("drop", "read", f"{work}/open/mine", EACCES, None),
             ("drop", "read", f"{work}/closed/all", EACCES, None),
             ("drop", "read", f"{work}/open/none", ENOENT, None),
             ("drop", "read", f"{work}/open/group", EACCES, None),
             ("drop_in_group", "read", f"{work}/open/group", EACCES, f"{work}/open/group"),
             ("only_fsuid", "read", f"{work}/open/mine", EACCES, None),
             ("only_fsuid", "read", f"{work}/open/all", EACCES, f"{work}/open/all"),
             ("drop", "mkdir", f"{work}/open/new", EACCES, f"{work}/open/new"),
             ("drop", "mkdir", f"{work}/fixed/new", EACCES, None),
             ("drop", "unlink", f"{work}/open/all", EACCES, f"{work}/open/all"),
             ("drop", "exec", f"{work}/open/program", EACCES, f"{work}/open/program"),
             ("drop", "exec", f"{work}/open/all", EACCES, None)]
    for options in ((), ("--no-shim",)):
        check(" ".join(["a server that dropped to another user", *options]), work, steps, *options)


def chrooted():
    if not rig.ROOT:
        return
    work = tree()
    check("another root directory", work,
          [("jail", "read", "/all", EACCES, f"{work}/jail/all"),
           ("jail", "read", "/../../all", EACCES, f"{work}/jail/all"),
           ("jail", "read", "/etc/passwd", EACCES, f"{work}/jail/etc/passwd"),
           ("jail", "read", "/etc/hosts", ENOENT, None),
           ("jail", "mkdir", "/new", EACCES, f"{work}/jail/new")])


def in_namespace():
    work = tree()
    check("another user namespace", work,
          [("namespace", "read", f"{work}/open/all", EACCES, f"{work}/open/all"),
           ("namespace", "read", f"{work}/open/live", EACCES, f"{work}/open/live"),
           ("namespace", "mkdir", f"{work}/open/new", EACCES, f"{work}/open/new"),
           ("namespace", "read", f"{work}/open/none", ENOENT, None)])


def not_ours():
    """What is never opened for a program, by what it is: the caller's on procfs, and terminals."""
    work = tree()
    put(f"{work}/none.toml", f'abi = 3\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\n[[path_beneath]]\n'
        f'allowed_access = ["abi.read_execute"]\nparent = ["/usr", "/lib", "/lib64", "/etc", "{work}/cwd"]\n'
        'missing = "ignore"\n')
    paths = ["/proc/self/status", "/proc/thread-self/comm", "/proc/meminfo", "/proc/1/comm", "/dev/ptmx",
             "/proc/self/absent", "/proc/self/fd/999", "/proc/mounts", "/usr/bin/sh"]
    script = "import os, sys\nfor path in sys.argv[1:]:\n    try: os.open(path, os.O_RDONLY | os.O_NOCTTY)\n" \
             "    except OSError: pass\nprint(os.getpid())"
    got = rig.run("-p", f"{work}/none.toml", "--degrade", "pathname_unix_socket", "--quiet", "--events",
                  f"{work}/events", command=[rig.PYTHON, "-I", "-S", "-c", script, *paths], cwd=f"{work}/cwd")
    pid = got.stdout.strip()
    seen = [event["object"] for event in rig.events(f"{work}/events") if event["event"] == "denied"]
    wanted = [f"/proc/{pid}/status", f"/proc/{pid}/comm", "/proc/meminfo", "/proc/1/comm", os.path.realpath("/dev/ptmx")]
    report([path for path in seen if path.startswith(("/proc/", "/dev/pt"))][-5:] == wanted,
           "procfs and terminals: denials are events, failures are none", (seen, wanted, got.stderr))
    flags = rig.run("-p", f"{work}/none.toml", "--degrade", "pathname_unix_socket",
                    command=["cat", "/proc/self/comm"], cwd=f"{work}/cwd").stderr
    report("--ro /proc\n" in flags, "what would allow it is not the directory of this process", flags)


rig.main(not_ours, dropped, chrooted, in_namespace)
