#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deny inside of a grant on other file systems: held, or refused by name.

	filesystems.py REEVE REEVE-UNPINNED
"""
import os
import shlex
import subprocess
import sys

from harness import BASE, PYTHON, REEVE, SECRET, Tree, begin, finish, report, skip

begin()
if os.geteuid() != 0:
    print("1..0 # SKIP root: mounts")
    sys.exit(0)


FILL = f"""mkdir -p {{where}}/a/b {{where}}/free || exit 98
        printf %s {shlex.quote(SECRET)} >{{where}}/a/b/secret || exit 98; echo t >{{where}}/top"""


def mounted(mount, script, where, *args, fill=FILL):
    """Mounts in a namespace of its own, fills the place, and runs a script in it below reeve."""
    setup = f"""{mount} || exit 99
        {fill.format(where=where)}
        cd {where} || exit 97
        exec "$@" """
    return subprocess.run(["unshare", "-m", "sh", "-c", setup, "sh", REEVE, "run", *BASE, "--rwx", where,
                           "--deny", where + "/a/b/secret", *args, "--", "sh", "-c", script],
                          capture_output=True, text=True, timeout=240)


# A file system of one empty directory, served until its last user is gone.
FUSE = r'''
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"t", sys.argv[1].encode(), b"fuse", 0, options) < 0:
    sys.exit(99)
if os.fork():
    os._exit(0)
os.setsid()
for stream in (0, 1, 2):
    os.dup2(os.open("/dev/null", os.O_RDWR), stream)
attr = struct.pack("=QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
replies = {3: struct.pack("=QII", 0, 0, 0) + attr, 17: bytes(80), 27: bytes(16), 28: b"", 29: b"", 34: b"",
           26: struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 1, 1, 65536, 1, 0, 0, 0)}
while True:
    try:
        request = os.read(fd, 1 << 20)
    except OSError:
        break
    _, opcode, unique = struct.unpack_from("=IIQ", request)
    if opcode in (2, 36, 38, 42):
        continue
    body = replies.get(opcode)
    error = 0 if body is not None else -2 if opcode == 1 else -38
    os.write(fd, struct.pack("=IiQ", 16 + len(body or b""), error, unique) + (body or b""))
'''


def fuse_server(tree):
    path = tree / "fuse.py"
    with open(path, "w", encoding="utf-8") as file:
        file.write(FUSE)
    return path


WORK = """cat a/b/secret; mv a free/; mv a/b free/; ln a/b/secret l; mkdir d; echo 1 >d/x; mv d/x x; cat x
(echo y >>top); mv top free/top; mv free/top top; cat top; rm -r d; (echo x >a/b/secret); rm -f a/b/secret"""


def held(name, mount, where, *args):
    got = mounted(mount, WORK, where, *args)
    if got.returncode == 99:
        skip(name, "mount: not possible here: " + got.stderr.strip().splitlines()[-1][:60])
        return
    report(got.stdout == "1\nt\ny\n", name, f"{got.returncode}\n{got.stdout}\n{got.stderr}")


def refused(name, mount, where, why, fill=FILL):
    got = mounted(mount, "cat a/b/secret", where, fill=fill)
    if got.returncode in (99, 98):
        skip(name, "mount: not possible here: " + (got.stderr.strip().splitlines() or ["?"])[-1][:60])
        return
    report(got.returncode == 125 and why in got.stderr and SECRET not in got.stdout, name,
           f"{got.returncode}\n{got.stdout}\n{got.stderr}")


with Tree({"m": {}, "lower": {"a": {"b": {}}}, "upper": {}, "work": {}, "other": {}}) as t:
    where = t / "m"
    held("tmpfs", f"mount -t tmpfs none {where}", where)
    held("overlayfs", f"mount -t overlay none -o lowerdir={t / 'lower'},upperdir={t / 'upper'},"
         f"workdir={t / 'work'} {where}", where)
    held("a bind mount as the grant", f"mount --bind {t / 'other'} {where}", where)
    held("a mount in the grant, with the denied object in it",
         f"mkdir -p {t / 'other'}/a && mount --bind {t / 'other'} {where} && mount -t tmpfs none {where}/a",
         where)
    refused("tmpfs that folds case",
            f"mount -t tmpfs -o casefold none {where} && mkdir -p {where}/a/b && chattr +F {where}/a/b",
            where, "folds case")
    image = t / "image"
    refused("ext4 that folds case",
            f"truncate -s 8M {image} && mkfs.ext4 -q -O casefold -E encoding=utf8 {image} 2>/dev/null && "
            f"mount -o loop {image} {where} && mkdir -p {where}/a/b && chattr +F {where}/a/b",
            where, "folds case")
    refused("vfat", f"truncate -s 8M {image} && mkfs.vfat {image} >/dev/null && "
            f"mount -o loop {image} {where}", where, "vfat")
    refused("FUSE", f"{PYTHON} {fuse_server(t)} {where}", where, "names or inodes of FUSE", fill=":")
    refused("the same file system mounted within another grant",
            f"mount --bind {t / 'other'} {where} && mkdir -p {where}/a/b {where}/free/again && "
            f"mount --bind {t / 'other'} {where}/free/again", where, "free/again/a/b/secret")
finish()
