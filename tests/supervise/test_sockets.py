#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Creation of sockets: every family, type and protocol, natively and under policies; and what is
refused shows.

	test_sockets.py REEVE [--user]
	test_sockets.py --probe		(inside: one line for each, its errno)
"""
import errno
import os
import random
import socket
import subprocess
import sys

FAMILIES = range(48)  # the kernel has 46
TYPES = range(13)     # and 11
PROTOCOLS = (0, 1, 2, 6, 17, 33, 58, 132, 136, 255, 256, 262, 300)
FLAGS = (0, socket.SOCK_CLOEXEC, socket.SOCK_NONBLOCK, 1 << 20)
WAYS = {"socket": 41, "socketpair": 53}


def probe():
    """Raw calls: Python's own socket() looks at families itself."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    pair = (ctypes.c_int * 2)()

    def attempt(family, kind, protocol, way):
        if way == "socket":
            r = libc.socket(family, kind, protocol)
            fds = [r]
        else:
            r = libc.socketpair(family, kind, protocol, pair)
            fds = list(pair)
        if r < 0:
            return ctypes.get_errno()
        for fd in fds:
            os.close(fd)
        return 0

    for family in FAMILIES:
        for kind in TYPES:
            for protocol in PROTOCOLS:
                print(attempt(family, kind, protocol, "socket"))
            print(attempt(family, kind, 0, "socketpair"))
    for flags in FLAGS:
        print(attempt(socket.AF_INET, socket.SOCK_STREAM | flags, 0, "socket"))


if sys.argv[1:] == ["--probe"]:
    probe()
    sys.exit(0)

import rig  # noqa: E402
from rig import PYTHON, by_kernel, report, run, skip  # noqa: E402

SCRIPT = os.path.realpath(__file__)
CASES = ([(f, t, p, w) for f in FAMILIES for t in TYPES
          for p, w in [(p, "socket") for p in PROTOCOLS] + [(0, "socketpair")]] +
         [(socket.AF_INET, socket.SOCK_STREAM | flags, 0, "socket") for flags in FLAGS])
BASE = ["-p", "none", "--rx", "/usr", "--rx", "/lib", "--ro", "/etc", "--rx", os.path.dirname(SCRIPT)]
if os.path.exists("/lib64"):
    BASE += ["--rx", "/lib64"]


def kernel_scopes_paths():
    """Landlock ABI 9: nothing of UNIX sockets is left to a supervisor."""
    return by_kernel("fs.resolve_unix")


def modes():
    """Without a supervisor there is no run where it has to enforce TCP's rights or a scope."""
    yield "supervised", []
    if all(by_kernel(feature) for feature in ("net.connect_tcp", "scope.abstract_unix_socket")):
        yield "static", ["--static", "--degrade", "pathname_unix_socket"]
    else:
        skip("static", "kernel: what is asked for needs a supervisor here")


def in_range(family, kind):
    """The kernel's own checks, which come first."""
    if kind & ~(0xf | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK):
        return errno.EINVAL
    if family >= 46:
        return errno.EAFNOSUPPORT
    return errno.EINVAL if kind & 0xf >= 11 else 0


def granted(rules, family, kind, protocol, by_name=False):
    return any(family == f and t in (-1, kind) and (protocol == p or p == -1 and not by_name)
               for f, t, p in rules)


def guarded(rules, family, kind, protocol, supervised):
    """What the guards refuse whatever a wildcard grants: streams besides TCP, where connect_tcp is
    handled, and datagrams by path, where a supervisor sees to UNIX sockets."""
    if family == socket.AF_UNIX:
        return supervised and kind in (2, 3) and not kernel_scopes_paths()
    if family not in (socket.AF_INET, socket.AF_INET6) or kind not in (1, 5):
        return False
    tcp = protocol == 6 or (protocol == 0 and kind == 1)
    return not tcp and not granted(rules, family, kind, protocol, by_name=True)


def wanted(rules, case, native, supervised):
    family, kind, protocol, _ = case
    error = in_range(family, kind)
    kind &= 0xf
    if error:
        return error
    if family == socket.AF_INET and kind == 10:  # SOCK_PACKET
        family = socket.AF_PACKET
    good = granted(rules, family, kind, protocol) and \
        not guarded(rules, family, kind, protocol, supervised)
    return native if good else errno.EACCES


def to_flags(rules):
    words = []
    for family, kind, protocol in rules:
        parts = [str(family)] + [str(n) if n >= 0 else "any" for n in (kind, protocol)]
        words += ["--socket", ":".join(parts)]
    return words


def results(*args):
    got = run(*BASE, *args, command=[PYTHON, SCRIPT, "--probe"])
    numbers = [int(word) for word in got.stdout.split()] if got.returncode == 0 else []
    return numbers, got


def compare(name, rules, native, *args):
    numbers, got = results(*to_flags(rules), *args)
    right = [wanted(rules, case, n, not args) for case, n in zip(CASES, native)]
    wrong = [(case, n, w) for case, n, w in zip(CASES, numbers, right) if n != w]
    good = len(numbers) == len(CASES) and not wrong
    report(good, name, (len(numbers), wrong[:8], got.stderr[-500:]))
    return numbers


def every_kind():
    native = [int(word) for word in subprocess.run(
        [PYTHON, SCRIPT, "--probe"], stdout=subprocess.PIPE, check=True).stdout.split()]
    report(len(native) == len(CASES) and native.count(0) > 20, "natively there are some sockets",
           native.count(0))
    inet = [(2, -1, -1), (10, 1, 6), (10, 1, 0)]
    for word, mode in modes():
        numbers = compare(f"{word}: inet, and TCP over inet6", inet, native, *mode)
        report(numbers.count(0) > 4 and numbers.count(errno.EACCES) > 1000,
               "some were made, most not", numbers.count(0))
        compare(f"{word}: overlapping rules", [(2, 1, 6), (2, -1, 6), (2, 1, -1), (1, -1, -1)],
                native, *mode)
        compare(f"{word}: SOCK_PACKET of inet is AF_PACKET", [(17, -1, -1)], native, *mode)
    rng = random.Random(os.urandom(8))
    for _ in range(2):
        rules = [(rng.randrange(46), rng.choice((-1, 1, 2, 3, 5, 10)),
                  rng.choice((-1, 0, 6, 17, 262))) for _ in range(rng.randrange(1, 30))]
        compare(f"at random: {rules}", rules, native)


def denials(*args, command):
    got = run("--events", "events", *args, command=[PYTHON, "-c", command])
    told = rig.events("events")
    os.unlink("events")
    return got, [e for e in told if e["event"] in ("denied", "guard")]


MAKE = "import socket\ntry:\n    socket.socket{}({})\nexcept OSError as e:\n    print(e.errno)"


def refusals():
    """What the filter refuses is an event all the same, and in the summary."""
    for arguments, text in (("2, 1", "inet:stream"), ("10, 2, 17", "inet6:dgram"),
                            ("2, 1, 262", "inet:stream:mptcp"), ("17, 3, 768", "packet:raw:768"),
                            ("38, 5", "alg:seqpacket")):
        got, told = denials(command=MAKE.format("", arguments))
        report(got.stdout.strip() == str(errno.EACCES) and len(told) == 1 and
               told[0]["missing"] == ["socket.create"] and told[0]["object"] == text and
               told[0]["call"] == "socket", f"refused, and told: {text}", (got, told))
        report(f"denied socket.create {text}" in got.stderr, "and in the summary", got.stderr)
    got, told = denials("--connect-tcp", "1", command=MAKE.format("", "2, 1, 132"))
    report(got.stdout.strip() == str(errno.EACCES) and len(told) == 1, "SCTP", (got, told))
    got, told = denials("--socket", "2:1", command=MAKE.format("", "2, 1"))
    report(got.stdout == "" and not told, "granted: nothing to tell", (got, told))
    got, _ = denials(command=MAKE.format("", "2, 1"))
    report("--connect-tcp" in got.stderr, "which names the flag that people want", got.stderr)
    got, told = denials(command=MAKE.format("pair", "1, 2"))
    if kernel_scopes_paths():
        return report(got.stdout == "" and not told, "a pair of datagram sockets", (got, told))
    report(len(told) == 1 and told[0]["event"] == "guard" and told[0]["by"] == "unix_datagram" and
           told[0]["call"] == "socketpair", "a pair of datagram sockets, by its guard", (got, told))
    line = "refused socketpair unix:dgram by unix_datagram"
    report(line in got.stderr and line in rig.reeve("denials", told[0]["domain"]).stdout,
           "told at the end and after it",
           got.stderr)
    report('hint: a policy with unix_datagram = "mediate"' in got.stderr, "and what to do about it", got.stderr)


def permissive():
    got, told = denials("--permissive", command=MAKE.format("", "2, 1"))
    report(got.stdout == "" and len(told) == 1 and told[0]["permissive"] and
           told[0]["object"] == "inet:stream", "permissive: made, and told", (got, told))
    got = run("--permissive", "--write-policy", "policy.toml",
              command=[PYTHON, "-c", MAKE.format("", "2, 1, 262")])
    again = run("-p", "./policy.toml", command=[PYTHON, "-c", MAKE.format("", "2, 1, 262")])
    report(again.returncode == 0 and again.stdout == "" and "denied" not in again.stderr,
           "and the policy that is written has it", (got, again))


PEEL = """
import errno, socket
one = socket.socket()
for option in (102, 122):
    try: one.getsockopt(132, option, 8)
    except OSError as error: print(errno.errorcode[error.errno])
"""


RECEIVED = """
import ctypes, errno, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = int(sys.argv[1])
one = socket.socket(fileno=fd)
listed = one.getsockopt(132, 29, 64)  # SCTP_GET_ASSOC_ID_LIST
argument = ctypes.create_string_buffer(struct.pack("=ii", struct.unpack_from("=Ii", listed)[1], 0), 8)
made = libc.getsockopt(fd, 132, 102, argument, ctypes.byref(ctypes.c_uint(8)))
print("made" if made >= 0 else errno.errorcode[ctypes.get_errno()])
"""


def peel_received(*words):
    """What comes of a one-to-many socket of SCTP that was made outside, and has an association."""
    with socket.socket(2, 5, 132) as server, socket.socket(2, 5, 132) as client:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        client.connect(server.getsockname())
        done = subprocess.run([*(word.format(client.fileno()) for word in words), PYTHON, "-c", RECEIVED,
                               str(client.fileno())], capture_output=True, text=True, pass_fds=[client.fileno()])
        return done.stdout + done.stderr


def peeloff_of_one_received(*rules):
    words = [rig.REEVE, "run", "--quiet", "--keep-fd", "{}", *rules]
    try:
        native = peel_received()
    except OSError as error:
        return skip("SCTP peeloff of a socket that was made outside", f"sctp: {error}")
    report(native == "made\n", "natively a socket that was received can be multiplied", native)
    got = peel_received(*words, "--")
    report(got == "EACCES\n", "not below rules that grant none", got)
    got = peel_received(*words, "--socket", "inet:seqpacket:sctp", "--")
    report(got == "made\n", "but by the rule of such sockets", got)


def peeloff():
    """Another road to a socket: it is one of the same kind, so it needs the same rule."""
    inet = ("--socket", "inet:stream:0")
    got, told = denials(*inet, command=PEEL)
    report(got.stdout == "EACCES\nEACCES\n" and len(told) == 2 and told[0]["call"] == "getsockopt" and
           told[0]["object"] == "inet:seqpacket:sctp" and told[0]["missing"] == ["socket.create"],
           "SCTP peeloff, and told", (got, told))
    got, told = denials(*inet, "--socket", "inet:seqpacket:sctp", command=PEEL)
    report("EACCES" not in got.stdout and len(got.stdout.splitlines()) == 2 and not told,
           "where such sockets are granted: the kernel's", (got, told))
    peeloff_of_one_received(*inet)
    for word, mode in modes():
        got = rig.reeve("run", *(mode or ["--events", "none"]), *inet, "--", PYTHON, "-c", PEEL)
        report(got.stdout == "EACCES\nEACCES\n", f"{word}: without events the filter refuses it", got)


rig.main(every_kind, refusals, permissive, peeloff)
