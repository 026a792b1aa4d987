#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the supervisor supplies where the kernel's Landlock has no rights of TCP (before ABI 4) or no
scope of abstract UNIX sockets (before ABI 6), on a kernel that has them: reeve-racy can be told not
to know of them.

	test_lacks.py RACY [--user]
"""
import os
import socket
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report  # noqa: E402

RACY = os.path.realpath(sys.argv[1])

BASE = '''abi = 6
extends = ["base"]
[[path_beneath]]
allowed_access = ["abi.all"]
parent = ["${PWD}"]
[[ruleset]]
'''

PROBE = """
import array, errno, os, socket, sys
def code(call):
    try: call(); return 'ok'
    except OSError as e: return errno.errorcode.get(e.errno, str(e))
def connect(where, kind=socket.SOCK_STREAM):
    return code(lambda: socket.socket(socket.AF_INET, kind).connect(where))
def bind(where): return code(lambda: socket.socket().bind(where))
"""


def call(lacks, *command):
    return subprocess.run([RACY, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240, env={**os.environ, "REEVE_RACY": lacks})


def run(lacks, policy, script, *args):
    with open("p.toml", "w", encoding="utf-8") as file:
        file.write(BASE + policy)
    return call(lacks, "run", "-p", os.path.abspath("p.toml"), *args, "--", PYTHON, "-c",
                PROBE + script)


def rule(access, port):
    return f'[[net_port]]\nallowed_access = ["{access}"]\nport = [{port}]\n'


def tcp():
    handled = 'handled_access_net = ["bind_tcp", "connect_tcp"]\n'
    rules = handled + rule("connect_tcp", 2) + rule("bind_tcp", 0)
    got = call("lacks-tcp", "check", "--json")
    report('"net.connect_tcp"' in got.stdout and got.stdout.count('"supervisor"') >
           call("none", "check", "--json").stdout.count('"supervisor"'), "check tells who it is", got)
    script = """
print(connect(('127.0.0.1', 2)), connect(('127.0.0.1', 3)), connect(('127.0.0.1', 3), socket.SOCK_DGRAM))
print(bind(('127.0.0.1', 0)), bind(('127.0.0.1', 40999)))
s = socket.socket()
print(code(lambda: s.sendto(b'x', 0x20000000, ('127.0.0.1', 3))))
print(code(lambda: s.sendmsg([b'x'], [], 0x20000000, ('127.0.0.1', 3))))
l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()
print(connect(l.getsockname()), 'end')
"""
    want = "ECONNREFUSED EACCES ok\nok EACCES\nEOPNOTSUPP\nEOPNOTSUPP\nEACCES end\n"
    native = run("none", rules, script)
    report(native.stdout.replace("ENOTSUP", "EOPNOTSUPP") == want, "TCP, by the kernel", native)
    for options in ((), ("--events", "none")):
        got = run("lacks-tcp", rules, script, *options)
        report(got.stdout.replace("ENOTSUP", "EOPNOTSUPP") == want,
               f"TCP, by the supervisor {' '.join(options)}", got)


def abstract():
    name = f"lacks{os.getpid()}"
    outside = socket.socket(socket.AF_UNIX)
    outside.bind("\0" + name)
    outside.listen(16)
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind("\0" + name + "d")
    datagrams.setblocking(False)
    script = f"""
U, D, name = socket.AF_UNIX, socket.SOCK_DGRAM, chr(0) + {name!r}
print(code(lambda: socket.socket(U).connect(name)), code(lambda: socket.socket(U).connect(name + 'x')))
s = socket.socket(U); s.bind(name + 'in'); s.listen()
print(code(lambda: socket.socket(U).connect(name + 'in')))
d = socket.socket(U, D); d.bind(name + 'din')
for c in (socket.socket(U, D), socket.socketpair(U, D)[0]):
    print(*[code(lambda: c.sendto(b'x', name + n)) for n in ('din', 'd', 'none')],
          code(lambda: c.sendmsg([b'x'], [], 0, name + 'd')), code(lambda: c.connect(name + 'd')))
"""
    want = "EPERM ECONNREFUSED\nok\n" + "ok EPERM ECONNREFUSED EPERM EPERM\n" * 2
    policy = 'scoped = ["abstract_unix_socket"]\nunix_datagram = "mediate"\n'
    for lacks, who in (("none", "kernel"), ("lacks-abstract", "supervisor")):
        got = run(lacks, policy, script)
        report(got.stdout == want, f"abstract sockets, by the {who}", got)
    try:
        report(False, "nothing came", datagrams.recv(9))
    except BlockingIOError:
        report(True, "nothing came")
    got = run("lacks-abstract", 'scoped = ["abstract_unix_socket"]\n',
              "print(code(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))")
    report(got.stdout == "EACCES\n", "no datagram sockets unless mediated", got)


def main():
    if "--user" in sys.argv:
        tap.as_user()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        tcp()
        abstract()
        os.chdir("/")
    tap.finish()


main()
