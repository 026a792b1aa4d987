#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sending on sockets of one's own, with what sendto, sendmsg and sendmmsg give for each case.

	send_table.py

Prints a line a case. test_send.py compares what it prints natively and in a sandbox.
"""
import array
import ctypes
import errno
import mmap
import os
import signal
import socket
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
UNIX, DGRAM, STREAM, SEQ = (socket.AF_UNIX, socket.SOCK_DGRAM, socket.SOCK_STREAM,
                            socket.SOCK_SEQPACKET)
SOL, RIGHTS, CREDENTIALS = socket.SOL_SOCKET, socket.SCM_RIGHTS, socket.SCM_CREDENTIALS
BAD = 16  # an address that nothing is mapped at

keep = []


def show(name, result):
    print(f"{name}: {result}", flush=True)


def attempt(name, call):
    try:
        show(name, call())
    except OSError as error:
        show(name, errno.errorcode[error.errno])


def outcome(r):
    return r if r >= 0 else errno.errorcode[ctypes.get_errno()]


def bound(name, kind=DGRAM):
    one = socket.socket(UNIX, kind)
    one.bind(name)
    keep.append(one)
    return one


def path(text):
    return struct.pack("H", UNIX) + text


def buffer(data):
    one = ctypes.create_string_buffer(data, len(data) + 1)
    keep.append(one)
    return ctypes.addressof(one)


def header(name=0, name_size=0, parts=0, count=0, control=0, control_size=0):
    """A struct msghdr."""
    return struct.pack("QIxxxxQQQQixxxx", name, name_size, parts, count, control, control_size, 0)


def parts(*pieces):
    return buffer(b"".join(struct.pack("QQ", buffer(p), len(p)) for p in pieces)), len(pieces)


def raw_sendto(fd, data, size, flags=0, name=0, name_size=0):
    return outcome(LIBC.sendto(fd, ctypes.c_void_p(data), ctypes.c_size_t(size), flags,
                               ctypes.c_void_p(name), name_size))


def raw_sendmsg(fd, message, flags=0):
    where = message if isinstance(message, int) else buffer(message)
    return outcome(LIBC.sendmsg(fd, ctypes.c_void_p(where), flags))


def raw_sendmmsg(fd, messages, count=None, flags=0):
    """What it gives, and the lengths that it wrote."""
    where = buffer(b"".join(m + struct.pack("Ixxxx", 77) for m in messages))
    r = outcome(LIBC.sendmmsg(fd, ctypes.c_void_p(where),
                              len(messages) if count is None else count, flags))
    after = ctypes.string_at(where, 64 * len(messages))
    return r, [struct.unpack_from("I", after, 64 * i + 56)[0] for i in range(len(messages))]


def cmsg(level, kind, data):
    one = struct.pack("Qii", 16 + len(data), level, kind) + data
    return one + bytes(-len(one) % 8)


def sendto():
    a, b = bound("a"), bound("b")
    s = bound("stream", STREAM)
    s.listen()
    bound("seq", SEQ).listen()
    bound("gone").close()
    open("file", "w", encoding="utf-8").close()
    os.symlink("b", "link")
    fd, data, to = a.fileno(), buffer(b"data"), buffer(path(b"b"))
    for name in (os.getcwd() + "/../" + os.path.basename(os.getcwd()) + "/./././b", "b", "./b", "link", "none", "gone", "file", "stream", "seq",
                 "none/b", "file/b", "", "x" * 107):
        attempt(f"to {name[-8:]}", lambda name=name: a.sendto(b"data", name))
    b.setblocking(False)
    show("from", {b.recvfrom(9) for _ in range(4)})
    attempt("nothing more", lambda: b.recv(9))
    show("empty", raw_sendto(fd, 0, 0, 0, to, 4))
    show("received", b.recvfrom(9))
    show("108 bytes", raw_sendto(fd, data, 4, 0, buffer(path(b"x" * 108)), 110))
    for name, args in (("no fd", (999, data, 4, 0, to, 4)), ("no socket", (0, data, 4, 0, to, 4)),
                       ("bad address", (fd, data, 4, 0, BAD, 4)),
                       ("bad data", (fd, BAD, 4, 0, to, 4)),
                       ("no size", (fd, data, 4, 0, to, 0)), ("short", (fd, data, 4, 0, to, 1)),
                       ("family alone", (fd, data, 4, 0, to, 2)),
                       ("long", (fd, data, 4, 0, to, 129)), ("negative", (fd, data, 4, 0, to, -1)),
                       ("more than a path", (fd, data, 4, 0, to, 120)),
                       ("other family", (fd, data, 4, 0, buffer(struct.pack("H14x", 2)), 16)),
                       ("AF_UNSPEC", (fd, data, 4, 0, buffer(bytes(16)), 16)),
                       ("MSG_OOB", (fd, data, 4, socket.MSG_OOB, to, 4)),
                       ("unknown flags", (fd, data, 4, 0x10 | 0x8000, to, 4)),
                       ("too long", (fd, data, 1 << 30, 0, to, 4))):
        show(name, raw_sendto(*args))
    a.connect("b")
    show("connected", raw_sendto(fd, data, 4, 0, to, 4))
    attempt("connected, to another", lambda: a.sendto(b"x", "a"))
    show("disconnect", LIBC.connect(fd, ctypes.c_void_p(buffer(bytes(8))), 8))
    attempt("not connected", lambda: a.send(b"x"))
    one, two = socket.socketpair(UNIX, DGRAM)
    attempt("from a pair", lambda: one.sendto(b"pair", "b"))
    show("within a pair", (one.send(b"x"), two.recv(9)))
    keep.extend([one, two])
    name = "\0table" + str(os.getpid())
    bound(name)
    attempt("abstract", lambda: one.sendto(b"abs", name))
    attempt("no such abstract", lambda: one.sendto(b"abs", name + "x"))
    raw = socket.socket(UNIX, socket.SOCK_RAW)
    attempt("SOCK_RAW", lambda: raw.sendto(b"raw", "b"))
    c = socket.socket(UNIX, STREAM)
    c.connect("stream")
    attempt("a stream", lambda: c.sendto(b"x", "b"))
    attempt("a stream that is none", lambda: socket.socket(UNIX, STREAM).sendto(b"x", "b"))
    q = socket.socket(UNIX, SEQ)
    q.connect("seq")
    attempt("a connection", lambda: q.sendto(b"x", "b"))
    keep.extend([c, q, raw])


def edge():
    """Memory that ends within what is read."""
    page = mmap.PAGESIZE
    area = mmap.mmap(-1, 2 * page)
    at = ctypes.addressof(ctypes.c_char.from_buffer(area))
    LIBC.munmap(ctypes.c_void_p(at + page), ctypes.c_size_t(page))
    keep.append(area)
    return at + page


def sendmsg():
    a, b = bound("ma"), bound("mb")
    b.setblocking(False)
    to = buffer(path(b"mb"))
    iov, count = parts(b"one", b"", b"three")
    end = edge()
    fd = a.fileno()
    good = header(to, 5, iov, count)
    show("three parts", raw_sendmsg(fd, good))
    show("received", b.recvfrom(99))
    for name, message in (
            ("no parts", header(to, 5)), ("bad header", BAD), ("cut header", end - 20),
            ("bad parts", header(to, 5, BAD, 2)), ("cut parts", header(to, 5, end - 8, 1)),
            ("too many parts", header(to, 5, iov, 1025)),
            ("negative part", header(to, 5, buffer(struct.pack("QQ", iov, 1 << 63)), 1)),
            ("bad part", header(to, 5, buffer(struct.pack("QQ", BAD, 3)), 1)),
            ("huge parts", header(to, 5, buffer(struct.pack("QQQQ", iov, 1 << 30, iov, 1 << 30)), 2)),
            ("bad name", header(BAD, 5, iov, count)), ("cut name", header(end - 3, 5, iov, count)),
            ("negative name", header(to, 1 << 31, iov, count)),
            ("no name", header(0, 5, iov, count)), ("name of no size", header(to, 0, iov, count)),
            ("bad control", header(to, 5, iov, count, BAD, 24)),
            ("short control", header(to, 5, iov, count, buffer(bytes(8)), 8)),
            ("control of no size", header(to, 5, iov, count, BAD, 0)),
            ("wrong control", header(to, 5, iov, count, buffer(bytes(24)), 24)),
            ("endless control", header(to, 5, iov, count,
                                       buffer(struct.pack("Qii", 99, SOL, RIGHTS)), 16)),
            ("huge control", header(to, 5, iov, count, iov, 1 << 33))):
        show(name, raw_sendmsg(fd, message))
    show("no socket", raw_sendmsg(0, good))
    show("no fd, bad header", raw_sendmsg(999, BAD))
    flood(b)


def flood(one):
    """What is in its queue."""
    got = []
    while True:
        try:
            got.append(one.recv(1 << 20))
        except BlockingIOError:
            show("in the queue", [(len(m), m[:9]) for m in got])
            return


def control():
    a, b = bound("ca"), bound("cb")
    b.settimeout(20)
    r, w = os.pipe()

    def send(*messages, data=b"x"):
        return a.sendmsg([data], messages, 0, "cb")

    def rights(*fds):
        return SOL, RIGHTS, array.array("i", fds)

    def receive():
        fds = 0
        data, control, flags, _ = b.recvmsg(9, 8192)
        for level, kind, content in control:
            if (level, kind) == (SOL, RIGHTS):
                got = array.array("i", content[:len(content) & ~3])
                for fd in got:
                    fds += os.fstat(fd).st_ino == os.fstat(w).st_ino
                    os.close(fd)
        return data, fds, flags & ~socket.MSG_CMSG_CLOEXEC
    attempt("a descriptor", lambda: (send(rights(w)), receive()))
    attempt("the two ends", lambda: (send(rights(r, w)), receive()))
    attempt("253", lambda: (send(rights(*[w] * 253)), receive()))
    attempt("254", lambda: send(rights(*[w] * 254)))
    attempt("none", lambda: (send(rights()), receive()))
    attempt("a bad one", lambda: send(rights(w, 999)))
    where = os.open("/", os.O_PATH)
    attempt("O_PATH", lambda: (send(rights(where)), receive()))
    attempt("another socket", lambda: (send(rights(a.fileno())), receive()))
    attempt("an unknown message", lambda: send((SOL, 77, b"x")))
    attempt("another level", lambda: (send((socket.SOL_IP, 8, struct.pack("i", 1))), receive()))
    me = (os.getpid(), os.getuid(), os.getgid())
    attempt("who I am", lambda: (send((SOL, CREDENTIALS, struct.pack("3i", *me))), receive()))
    attempt("that and a descriptor", lambda: (
        send((SOL, CREDENTIALS, struct.pack("3i", *me)), rights(w)), receive()))
    attempt("a short claim", lambda: send((SOL, CREDENTIALS, struct.pack("2i", *me[:2]))))
    if os.getuid():
        for name, claim in (("who I am not", (1, *me[1:])), ("a user", (me[0], 0, me[2])),
                            ("a group", (me[0], me[1], 0))):
            attempt(name, lambda claim=claim: send((SOL, CREDENTIALS, struct.pack("3i", *claim))))
    one, two = socket.socketpair(UNIX, STREAM)
    one.sendmsg([b"stream"], [rights(w)])
    data, control, _, _ = two.recvmsg(9, 99)
    show("over a stream", (data, len(control)))
    show("a stream, many parts", (one.sendmsg([b"part"] * 1000), len(two.recv(9999))))
    two.close()
    LIBC.signal(signal.SIGPIPE, 0)
    pid = os.fork()
    if pid == 0:
        one.sendmsg([b"x"])
        os._exit(0)
    show("to nobody", os.waitpid(pid, 0)[1])
    attempt("without a signal", lambda: one.sendmsg([b"x"], [], socket.MSG_NOSIGNAL))
    signal.signal(signal.SIGPIPE, lambda *_: show("the signal", "came"))
    attempt("with a handler", lambda: one.sendmsg([b"x"]))
    q, p = socket.socketpair(UNIX, SEQ)
    p.close()
    attempt("a connection to nobody", lambda: q.sendmsg([b"x"]))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.close(where)
    keep.extend([one, q])


def sendmmsg():
    a, b = bound("xa"), bound("xb")
    b.setblocking(False)
    to, none = buffer(path(b"xb")), buffer(path(b"none"))
    messages = [header(to, 5, *parts(b"m%d" % i)) for i in range(5)]
    bad = header(none, 7, *parts(b"bad"))
    fd = a.fileno()
    show("five", raw_sendmmsg(fd, messages))
    flood(b)
    show("a bad one third", raw_sendmmsg(fd, messages[:2] + [bad] + messages[2:]))
    flood(b)
    show("a bad one first", raw_sendmmsg(fd, [bad] + messages))
    show("none", raw_sendmmsg(fd, messages, 0))
    flood(b)
    show("without memory", outcome(LIBC.sendmmsg(fd, ctypes.c_void_p(BAD), 2, 0)))
    show("no fd", outcome(LIBC.sendmmsg(999, ctypes.c_void_p(BAD), 0, 0)))
    show("no socket", outcome(LIBC.sendmmsg(0, ctypes.c_void_p(BAD), 1, 0)))


def lengths():
    a, b = bound("la"), bound("lb")
    b.setblocking(False)
    a.setsockopt(SOL, socket.SO_SNDBUF, 200000)
    for size in (0, 1, 4095, 4096, 4097, 65535, 100000, 199000):
        attempt(f"{size} bytes", lambda size=size: (a.sendto(b"z" * size, "lb"),
                                                    len(b.recv(1 << 20))))
    attempt("too many", lambda: a.sendto(b"z" * 1000000, "lb"))
    one, two = socket.socketpair(UNIX, STREAM)
    data = os.urandom(3000000)
    thread = threading.Thread(target=lambda: (one.sendall(data[:1000000]), send_all(one, data)))
    thread.start()
    got = b""
    while len(got) < len(data):
        got += two.recv(1 << 20)
    thread.join()
    show("a long stream", got == data)


def send_all(one, data):
    at = 1000000
    while at < len(data):
        at += one.sendmsg([data[at:at + 500000], data[at + 500000:at + 700000]])


def waiting():
    full = bound("full")
    one = socket.socket(UNIX, DGRAM)
    one.setblocking(False)
    sent = 0
    try:
        while True:
            sent += one.sendto(b"x", "full")
    except BlockingIOError:
        show("full", sent > 0)
    show("MSG_DONTWAIT", raw_sendto(one.fileno(), buffer(b"x"), 1, socket.MSG_DONTWAIT,
                                    buffer(path(b"full")), 7))
    two = socket.socket(UNIX, DGRAM)
    results = []
    thread = threading.Thread(target=lambda: results.append(two.sendto(b"last", "full")))
    thread.start()
    thread.join(0.05)
    show("a blocking one waits", thread.is_alive())
    got = [full.recv(9) for _ in range(sent + 1)]
    thread.join()
    show("until there is room", (results, got[-1]))
    try:
        while True:
            one.sendto(b"x", "full")
    except BlockingIOError:
        pass
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    show("a signal", raw_sendto(two.fileno(), buffer(b"x"), 1, 0, buffer(path(b"full")), 7))
    two.setsockopt(SOL, socket.SO_SNDTIMEO, struct.pack("ll", 0, 30000))
    attempt("a timeout", lambda: two.sendto(b"x", "full"))
    keep.extend([one, two])


def ip(family, host):
    there = socket.socket(family, DGRAM)
    there.bind((host, 0))
    there.settimeout(20)
    where = there.getsockname()
    one = socket.socket(family, DGRAM)
    attempt(f"{host}: not connected", lambda: one.send(b"x"))
    attempt(f"{host}: nor by sendmsg", lambda: one.sendmsg([b"x"]))
    attempt(f"{host}: sendto", lambda: (one.sendto(b"to", where), there.recv(9)))
    attempt(f"{host}: sendmsg", lambda: (one.sendmsg([b"m", b"sg"], [], 0, where), there.recv(9)))
    v4 = struct.pack("!HH4s8x", 0, 9, b"\xff" * 4)
    show(f"{host}: IPv4, broadcast", raw_sendto(one.fileno(), buffer(b"x"), 1, 0,
                                                buffer(struct.pack("H", 2) + v4[2:]), 16))
    attempt(f"{host}: too long", lambda: one.sendto(b"x" * 70000, where))
    attempt(f"{host}: port 0", lambda: one.sendto(b"x", (host, 0)))
    one.connect(where)
    attempt(f"{host}: connected", lambda: (one.sendmsg([b"c"]), there.recv(9)))
    other = socket.socket(family, DGRAM)
    other.bind((host, 0))
    other.settimeout(20)
    attempt(f"{host}: to another", lambda: (one.sendto(b"o", other.getsockname()), other.recv(9)))
    # From an IPv6 socket Landlock refuses it, and here nothing else is denied: landlock/udp.
    if family == socket.AF_INET:
        address = struct.pack("!HH", 0, where[1]) + socket.inet_pton(family, host) + bytes(8)
        show(f"{host}: AF_UNSPEC", raw_sendto(one.fileno(), buffer(b"u"), 1, 0, buffer(address),
                                              len(address)))
        show(f"{host}: it came", there.recv(9))
    show(f"{host}: short", raw_sendto(one.fileno(), buffer(b"u"), 1, 0,
                                      buffer(struct.pack("H", family)), 2))
    show(f"{host}: six", raw_sendmmsg(one.fileno(), [header(0, 0, *parts(b"%d" % i))
                                                     for i in range(6)]))
    show(f"{host}: came", [there.recv(9) for _ in range(6)])
    tcp = socket.socket(family, STREAM)
    attempt(f"{host}: TCP without a connection", lambda: tcp.sendto(b"x", where))
    attempt(f"{host}: nor by sendmsg", lambda: tcp.sendmsg([b"x"]))
    listener = socket.socket(family, STREAM)
    listener.bind((host, 0))
    listener.listen()
    tcp.connect(listener.getsockname())
    peer, _ = listener.accept()
    attempt(f"{host}: TCP", lambda: (tcp.sendmsg([b"t", b"cp"]), peer.recv(9)))
    attempt(f"{host}: TCP, an address", lambda: (tcp.sendto(b"ta", where), peer.recv(9)))
    attempt(f"{host}: TCP, descriptors", lambda: tcp.sendmsg([b"f"], [
        (SOL, RIGHTS, array.array("i", [0]))]))
    attempt(f"{host}: UDP, descriptors", lambda: one.sendmsg([b"f"], [
        (SOL, RIGHTS, array.array("i", [0]))]))
    ttl = (socket.SOL_IP, socket.IP_TTL) if family == socket.AF_INET else (socket.IPPROTO_IPV6, 52)
    attempt(f"{host}: TTL", lambda: one.sendmsg([b"f"], [(*ttl, struct.pack("i", 9))]))
    attempt(f"{host}: bad TTL", lambda: one.sendmsg([b"f"], [(*ttl, struct.pack("i", 999))]))


def netlink():
    """What getaddrinfo and iproute2 do."""
    one = socket.socket(16, socket.SOCK_RAW, 0)
    one.bind((0, 0))
    ask = struct.pack("IHHIIBxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0)
    attempt("netlink, sendto", lambda: (one.sendto(ask, (0, 0)), len(one.recv(65536)) > 100))
    while one.recv(65536)[4:6] != b"\3\0":
        pass
    attempt("netlink, sendmsg", lambda: (one.sendmsg([ask], [], 0, (0, 0)),
                                         len(one.recv(65536)) > 100))


for part in (sendto, sendmsg, control, sendmmsg, lengths, waiting):
    part()
ip(socket.AF_INET, "127.0.0.1")
if os.path.exists("/proc/net/if_inet6"):
    ip(socket.AF_INET6, "::1")
netlink()
