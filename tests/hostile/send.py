#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where something is sent to is changed while it is judged.

	send.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import array
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, usual  # noqa: E402
from receivers import INET, TCP, UDP, Receiver, count  # noqa: E402

UNIX = """[[ruleset]]
scoped = ["pathname_unix_socket"]
unix_datagram = "mediate"
"""
TO = """[[unix_socket]]
allowed_access = ["connect"]
path = ["{work}/live/to"]
"""


# Port 0 is what a socket that is not bound is bound to.
PORTS = """[[ruleset]]
handled_access_net = ["connect_tcp", "bind_udp", "connect_send_udp"]
[[net_address]]
allowed_access = ["connect_tcp", "bind_udp", "connect_send_udp"]
address = ["127.0.0.1:{good}"]
[[net_port]]
allowed_access = ["bind_udp"]
port = [0]
"""


GIVE = TO.replace("live/to", "live/give")


def with_paths(command, env, place):
    receivers = []
    for name in ("live", "shut"):
        path = f"{place.path}/{name}/to"
        receivers.append(Receiver(socket.AF_UNIX, UDP, path))
        os.chmod(path, 0o777)
    return count(receivers, command, env, place)


def handing_out(kind, run):
    """Whoever connects to live/give gets a socket that was made outside."""
    def give(listener):
        with socket.socket(socket.AF_UNIX, kind) as made:
            made.setblocking(kind == TCP)
            peer = listener.accept()[0]
            peer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [made.fileno()]))])
            peer.close()

    def run_it(command, env, place):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{place.path}/live/give")
            os.chmod(f"{place.path}/live/give", 0o777)
            listener.listen()
            threading.Thread(target=give, args=[listener], daemon=True).start()
            return run(command, env, place)
    return run_it


def with_names(command, env, place):
    """One of the two names means a socket from outside."""
    out = f"{place.path}/floor/out"
    receiver = Receiver(socket.AF_UNIX, UDP, out)
    os.chmod(out, 0o777)
    made = os.stat(out).st_ino
    try:
        got = usual(command, env, place)
    finally:
        if os.stat(out).st_ino != made:
            os.rename(f"{place.path}/floor/in", out)
        hits = receiver.end()
    return got if got[0] is None else (got[0] + hits, *got[1:])


def with_ports(kind, free=False):
    """`free`: nothing is bound to them."""
    def run(command, env, place):
        # The kernel knows ports of TCP, and no addresses.
        host = "127.0.0.2" if kind == TCP else "127.0.0.1"
        receivers = [Receiver(INET, kind, ("127.0.0.1", 0))]
        good = receivers[0].socket.getsockname()[1]
        receivers.append(Receiver(INET, kind, (host, good if kind == TCP else 0)))
        bad = receivers[1].socket.getsockname()[1]
        with open(f"{place.path}/floor/ports", "w", encoding="utf-8") as file:
            file.write(f"{good} {host} {bad}\n")
        with open(place.policy, "a", encoding="utf-8") as file:
            file.write(PORTS.format(good=good))
        if not free:
            return count(receivers, command, env, place)
        for one in receivers:
            one.end()
        return usual(command, env, place)
    return run


def unix(name, title, grants=True):
    return Attack(name, "continue", title, extra=UNIX + TO, run=with_paths, racy_ms=1500, grants=grants)


def ip(name, title, kind=UDP, free=False, grants=True):
    return Attack(name, "continue", title, run=with_ports(kind, free), racy_ms=1500, grants=grants)


run_all([
    unix("unix-sendto", "the path of sendto flipped in memory"),
    unix("unix-pair", "the same from one end of a pair, SOCK_RAW"),
    unix("unix-sendmsg", "the header of sendmsg exchanged"),
    unix("unix-name-appears", "an address that appears in the header", grants=False),
    unix("unix-sendmmsg", "the second header of sendmmsg exchanged"),
    unix("unix-descriptor", "the socket replaced by dup2, stream and datagram", grants=False),
    Attack("unix-parked", "continue", "the same by a thread that hardly ever runs",
           extra=UNIX + TO, run=with_paths, grants=False),
    Attack("unix-renamed", "continue", "the socket's file exchanged by rename", extra=UNIX,
           run=with_names, racy_ms=1500),
    Attack("unix-received", "continue", "the path flipped, the socket received", extra=UNIX + TO + GIVE,
           run=handing_out(UDP, with_paths), racy_ms=1500),
    Attack("unix-listener", "owner", "a socket made outside that is received, bound and listens", extra=UNIX + GIVE,
           run=handing_out(TCP, usual), grants=False),
    ip("udp-sendto", "the port of sendto flipped in memory"),
    ip("udp-sendmsg", "the header of sendmsg exchanged, UDP"),
    ip("udp-connect", "the port of connect flipped in memory, UDP"),
    ip("udp-bind", "the port of bind flipped in memory, UDP", free=True),
    ip("udp-descriptor", "the socket replaced by dup2, TCP and UDP", grants=False),
    ip("tcp-connect", "the address of connect flipped in memory, TCP", TCP),
])
