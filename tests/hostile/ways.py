#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other ways to where a rule does not lead.

	ways.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import socket
import sys

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, without_int80  # noqa: E402
from receivers import INET, TCP, UDP, Receiver, count  # noqa: E402

ADDRESSES = """[[ruleset]]
handled_access_net = ["bind_udp", "connect_send_udp"]
[[net_address]]
allowed_access = ["connect_send_udp"]
address = ["127.0.0.1:{good}", "public:{bad}"]
[[net_port]]
allowed_access = ["bind_udp"]
port = [0]
"""
PORTS = """[[ruleset]]
handled_access_net = ["connect_tcp"]
[[net_port]]
allowed_access = ["connect_tcp"]
port = [{good}]
"""


def with_ports(kind, policy):
    def run(command, env, place):
        receivers = [Receiver(INET, kind, ("0.0.0.0", 0)) for _ in range(2)]
        good, bad = (one.socket.getsockname()[1] for one in receivers)
        with open(f"{place.path}/floor/ports", "w", encoding="utf-8") as file:
            file.write(f"{good} 127.0.0.1 {bad}\n")
        with open(place.policy, "a", encoding="utf-8") as file:
            file.write(policy.format(good=good, bad=bad))
        return count(receivers, command, env, place)
    return run


def udp(name, fault, title):
    return Attack(name, fault, title, run=with_ports(UDP, ADDRESSES))


def tcp(name, fault, title, native="", missing=""):
    return Attack(name, fault, title, run=with_ports(TCP, PORTS), native=native, missing=missing)


def lacks(*kind):
    """Why this kernel has no such socket."""
    try:
        socket.socket(*kind).close()
        return ""
    except OSError as error:
        return f"socket: {error}"


run_all([
    udp("mapped", "literal", "addresses of IPv4 in IPv6"),
    udp("this-host", "literal", "0.0.0.0 for 127.0.0.1, by sockets of IPv4 and IPv6"),
    udp("no-family", "literal", "an address of no family"),
    tcp("fast-open", "guards", "connecting by a send"),
    tcp("multipath", "guards", "MPTCP", lacks(INET, TCP, 262)),
    tcp("vsock", "guards", "VSOCK", lacks(socket.AF_VSOCK, TCP)),
    tcp("socketcall", "arch", "socketcall(2) by the 32-bit entry",
        missing=without_int80()),
])
