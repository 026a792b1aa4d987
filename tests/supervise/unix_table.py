#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Connecting to UNIX and IP sockets of one's own, with what connect(2) gives for each case.

	unix_table.py

Prints a line a case. test_unix.py compares what it prints natively and in a sandbox.
"""
import ctypes
import errno
import os
import signal
import socket
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
UNIX, STREAM, SEQ = socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_SEQPACKET


def raw(fd, data, size=None):
    """connect(2) with these bytes as address."""
    buf = data if data is None else ctypes.create_string_buffer(data, len(data) + 1)
    r = LIBC.connect(fd, buf, len(data) if size is None else size)
    return "ok" if r == 0 else errno.errorcode[ctypes.get_errno()]


def path(text):
    return struct.pack("H", UNIX) + text


def show(name, result):
    print(f"{name}: {result}", flush=True)


def attempt(name, call):
    try:
        call()
        show(name, "ok")
    except OSError as error:
        show(name, errno.errorcode[error.errno])


def server(name, kind=STREAM, backlog=16):
    one = socket.socket(UNIX, kind)
    one.bind(name)
    one.listen(backlog)
    keep.append(one)
    return one


def client(name, kind=STREAM):
    one = socket.socket(UNIX, kind)
    return raw(one.fileno(), path(name) if isinstance(name, bytes) else name)


def addresses():
    long = b"l" * 108
    server("s")
    server("q", SEQ)
    server(b"\0abstract" + str(os.getpid()).encode())
    stale = server("stale")
    stale.close()
    deaf = socket.socket(UNIX, STREAM)
    deaf.bind("deaf")
    open("file", "w", encoding="utf-8").close()
    os.mkdir("dir")
    os.symlink("s", "link")
    os.symlink("nowhere", "dangling")
    os.symlink("loop", "loop")
    os.link("s", "hard")
    one = socket.socket(UNIX, STREAM)
    LIBC.bind(one.fileno(), ctypes.create_string_buffer(path(long), 111), 110)
    one.listen(4)
    keep.extend([one, deaf])
    for name in (b"s", b"s\0", b"s\0garbage", b"link", b"hard", b"./s", b"dir/../s", b"s/", b"link/",
                 b"q", b"nothing", b"stale", b"deaf", b"file", b"dir", b"dangling", b"loop", b"file/x",
                 long, b"x" * 108, b"\0abstract" + str(os.getpid()).encode(), b"\0nobody has this",
                 os.path.abspath("s").encode(), b"", b"dir/s", b"../" * 30 + b"s"):
        label = name.replace(str(os.getpid()).encode(), b"PID")
        label = label.replace(os.getcwd().encode(), b"CWD")
        show(label, client(name))
    show("seqpacket", client(b"q", SEQ))
    show("seqpacket to stream", client(b"s", SEQ))
    os.rename("s", "renamed")
    show("renamed", client(b"renamed"))
    show("the old name", client(b"s"))
    os.unlink("renamed")
    show("the hard link", client(b"hard"))
    os.unlink("stale")
    server("stale")
    show("bound again", client(b"stale"))
    os.chdir("dir")
    show("another directory", client(b"../hard"))
    os.chdir("..")
    os.chmod("hard", 0o000)
    show("no permission", client(b"hard") if os.geteuid() else "EACCES")


def arguments():
    one = socket.socket(UNIX, STREAM)
    fd = one.fileno()
    server("a")
    show("EBADF", raw(99, path(b"a")))
    show("EBADF before EINVAL", raw(99, path(b"a"), 1000))
    show("not a socket", raw(os.open("/dev/null", os.O_RDONLY), path(b"a")))
    show("not a socket, too long", raw(os.open("/dev/null", os.O_RDONLY), path(b"a"), 1000))
    show("NULL", raw(fd, None, 10))
    show("too long", raw(fd, path(b"a"), 129))
    show("longer than UNIX", raw(fd, path(b"a" * 120), 120))
    show("negative", raw(fd, path(b"a"), -1))
    show("only the family", raw(fd, path(b"")))
    show("nothing", raw(fd, b""))
    show("one byte", raw(fd, b"\1"))
    show("another family", raw(fd, struct.pack("H", socket.AF_INET) + b"a"))
    show("AF_UNSPEC", raw(fd, struct.pack("H", 0) + b"a"))
    show("works", raw(fd, path(b"a")))
    show("connected", raw(fd, path(b"a")))
    show("connected, to nothing", raw(fd, path(b"nothing")))
    show("a listening one", raw(keep[0].fileno(), path(b"a")))
    keep.append(one)


def waiting():
    full = server("full", backlog=0)
    one = socket.socket(UNIX, STREAM)
    one.setblocking(False)
    first = socket.socket(UNIX, STREAM)
    show("the first fits", raw(first.fileno(), path(b"full")))
    show("the second does not", raw(one.fileno(), path(b"full")))
    two = socket.socket(UNIX, STREAM)
    results = []
    thread = threading.Thread(target=lambda: results.append(raw(two.fileno(), path(b"full"))))
    thread.start()
    thread.join(0.05)
    show("a blocking one waits", thread.is_alive())
    full.accept()
    full.accept()
    thread.join()
    show("until there is room", results)
    third, fourth = socket.socket(UNIX, STREAM), socket.socket(UNIX, STREAM)
    raw(third.fileno(), path(b"full"))
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    show("a signal", raw(fourth.fileno(), path(b"full")))
    keep.extend([full, one, first, two, third, fourth])


def credentials():
    listener = server("c")
    one = socket.socket(UNIX, STREAM)
    one.connect("c")
    other, _ = listener.accept()
    whose = struct.unpack("3i", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    show("the client sees the server", whose == (os.getpid(), os.getuid(), os.getgid()))
    other.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    one.sendmsg([b"x"])
    _, control, _, _ = other.recvmsg(8, 100)
    show("SCM_CREDENTIALS", struct.unpack("3i", control[0][2][:12])[0] == os.getpid())
    show("getpeername", one.getpeername())
    show("the server's", other.getsockname())


def ip(family, host):
    listener = socket.socket(family, STREAM)
    listener.bind((host, 0))
    listener.listen(4)
    there = listener.getsockname()
    one = socket.socket(family, STREAM)
    attempt(f"{host}", lambda: one.connect(there))
    attempt(f"{host}: again", lambda: one.connect(there))
    two = socket.socket(family, STREAM)
    two.setblocking(False)
    attempt(f"{host}: in progress", lambda: two.connect(there))
    socket.create_connection(there[:2]).close()
    attempt(f"{host}: done", lambda: two.connect(there))
    show(f"{host}: closed port", raw_ip(family, host, 1))
    udp = socket.socket(family, socket.SOCK_DGRAM)
    attempt(f"{host}: UDP", lambda: udp.connect(there))
    attempt(f"{host}: UDP again", lambda: udp.connect((host, 9)))
    show(f"{host}: UDP peer", udp.getpeername()[:2])
    show(f"{host}: UDP disconnect", raw(udp.fileno(), struct.pack("H", 0) + bytes(14)))
    attempt(f"{host}: UDP no peer", udp.getpeername)
    short = socket.socket(family, STREAM)
    show(f"{host}: short", raw(short.fileno(), struct.pack("H", family)))
    keep.extend([listener, one, two, udp, short])


def raw_ip(family, host, port):
    try:
        socket.socket(family, STREAM).connect((host, port))
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


keep = []
addresses()
arguments()
waiting()
credentials()
ip(socket.AF_INET, "127.0.0.1")
if os.path.exists("/proc/net/if_inet6"):
    ip(socket.AF_INET6, "::1")
