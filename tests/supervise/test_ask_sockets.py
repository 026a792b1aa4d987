#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls on sockets that are held until somebody answers. TAP.

	test_ask_sockets.py REEVE [--user]
"""
import json
import os
import socket
import subprocess
import sys
import threading

import ask_terminal as base
from ask_terminal import PYTHON, REEVE, Place, report

# Answers a question by the first pair of ANSWERS whose text is in the question's, once for each
# pair that says so; an answer of null leaves it waiting.
APPROVER = """
import json, sys
answers, log = json.load(open(sys.argv[1])), open(sys.argv[2], "w")
for line in sys.stdin:
    log.write(line)
    log.flush()
    question = json.loads(line)
    for i, (text, answer) in enumerate(answers):
        if text in question.get("text", ""):
            del answers[i]
            if answer is not None:
                print(json.dumps({"question": question["question"], **answer}), flush=True)
            break
"""

# What the programs here share: a line for each attempt, with its errno.
PROGRAM = """
import ctypes, errno, os, signal, socket, struct, sys, time

def attempt(name, function):
    try:
        print(name, function(), flush=True)
    except OSError as e:
        print(name, errno.errorcode[e.errno], flush=True)

def connect(address, kind=socket.SOCK_STREAM, family=socket.AF_UNIX):
    with socket.socket(family, kind) as s:
        s.connect(address)
        return s.recv(100).decode()

"""
# What the approver was told so far can be read inside.
WAIT = """
def wait_until_asked(word, count):
    while open("asked").read().count(f'"{word}":') < count:
        time.sleep(0.01)

"""
ONCE, SESSION = {"answer": "allow"}, {"answer": "allow", "term": "session"}
NO, NEVER = {"answer": "deny"}, {"answer": "deny", "term": "session"}


class Server:
    """Says a word to each who connects; or keeps what it is sent."""

    def __init__(self, family, kind, address):
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.got = []
        if kind == socket.SOCK_STREAM:
            self.socket.listen(64)
        self.thread = threading.Thread(target=self.serve if kind == socket.SOCK_STREAM else self.take,
                                       daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            client = self.socket.accept()[0]
            try:
                client.sendall(b"hello")
            except OSError:
                pass
            client.close()

    def take(self):
        while True:
            self.got.append(self.socket.recv(65536))


def brief(asked):
    return [question["text"] for question in asked]


def run(place, program, answers, *options, words=()):
    """Output lines, questions, and what is wrong."""
    for name, text in (("prog.py", PROGRAM + WAIT + program), ("../approver.py", APPROVER),
                       ("../answers", json.dumps(answers))):
        with open(os.path.join(place.work, name), "w") as file:
            file.write(text)
    log = place.work + "/asked"
    with open(log, "w"):
        pass
    done = subprocess.run(
        [REEVE, "run", *options, "--approver", f"{PYTHON} {place.top}/approver.py {place.top}/answers {log}",
         "--", PYTHON, "prog.py", *words], cwd=place.work, env=place.env, text=True, timeout=240,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    with open(log) as file:
        lines = [json.loads(line) for line in file]
    return done.stdout.splitlines(), [line for line in lines if "question" in line], done.stderr


def test_unix(place):
    path = place.outside + "/s"
    Server(socket.AF_UNIX, socket.SOCK_STREAM, path)
    out, asked, err = run(place, """
for i in range(3):
    attempt("connect", lambda: connect(sys.argv[1]))
""", [["socket " + path, NO], ["socket " + path, ONCE], ["socket " + path, ONCE]], words=[path])
    report(out == ["connect EACCES", "connect hello", "connect hello"] and len(asked) == 3,
           "a UNIX socket: no, and yes for one call each", (out, brief(asked), err))
    question = asked[0]
    report(question["text"].endswith(f"wants to connect to the socket {path}") and question["class"] == "fs"
           and question["missing"] == ["fs.resolve_unix"] and question["call"] == "connect"
           and question["policyLines"]["object"] == f'[[unix_socket]] allowed_access = ["connect"] path = ["{path}"]',
           "as it is asked", question)
    out, asked, err = run(place, """
for i in range(3):
    attempt("connect", lambda: connect(sys.argv[1]))
""", [["socket " + path, SESSION]], words=[path])
    report(out == ["connect hello"] * 3 and len(asked) == 1, "for the session", (out, brief(asked), err))
    out, asked, err = run(place, """
for i in range(3):
    attempt("connect", lambda: connect(sys.argv[1]))
""", [["socket " + path, {**NEVER, "scope": "directory"}]], words=[path])
    report(out == ["connect EACCES"] * 3 and len(asked) == 1, "and never in its directory", (out, brief(asked), err))


def test_unix_unasked(place):
    dead, plain = place.outside + "/dead", place.write("plain")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(dead)
    out, asked, err = run(place, """
for path in sys.argv[1:]:
    attempt("connect", lambda: connect(path))
server = socket.socket(socket.AF_UNIX)
server.bind("own")
server.listen(1)
attempt("own", lambda: socket.socket(socket.AF_UNIX).connect("own"))
""", [], words=[place.outside + "/none", dead, plain])
    report(out == ["connect ENOENT", "connect ECONNREFUSED", "connect ECONNREFUSED", "own None"] and not asked,
           "nobody is asked about what would fail, or is allowed", (out, brief(asked), err))


def test_unix_saved(place):
    path, policy = place.outside + "/saved", place.top + "/policy.toml"
    Server(socket.AF_UNIX, socket.SOCK_STREAM, path)
    text = "# mine\nextends = ['workspace']\n"
    with open(policy, "w") as file:
        file.write(text)
    out, asked, err = run(place, 'attempt("connect", lambda: connect(sys.argv[1]))',
                          [[path, {**SESSION, "save": True}]], "-p", policy, words=[path])
    with open(policy) as file:
        saved = file.read()
    report(out == ["connect hello"] and saved ==
           text + f'\n[[unix_socket]]\nallowed_access = ["connect"]\npath = ["{path}"]\n', "saved", (out, saved, err))
    out, asked, err = run(place, 'attempt("connect", lambda: connect(sys.argv[1]))', [], "-p", policy, words=[path])
    report(out == ["connect hello"] and not asked, "the next run is not asked", (out, brief(asked), err))


SENDMMSG = """
def message(address, data, keep=[]):
    name = struct.pack("H", socket.AF_UNIX) + address.encode() + b"\\0"
    part = struct.pack("PN", ctypes.addressof(hold(data, keep)), len(data))
    return struct.pack("PIxxxxPNPNixxxxIxxxx", ctypes.addressof(hold(name, keep)), len(name),
                       ctypes.addressof(hold(part, keep)), 1, 0, 0, 0, 0)

def hold(data, keep):
    keep.append(ctypes.create_string_buffer(data, len(data)))
    return keep[-1]

def sendmmsg(s, *messages):
    libc = ctypes.CDLL(None, use_errno=True)
    sent = libc.sendmmsg(s.fileno(), hold(b"".join(messages), []), len(messages), 0)
    return sent if sent >= 0 else errno.errorcode[ctypes.get_errno()]

"""


def test_datagrams(place):
    path, policy = place.outside + "/d", place.top + "/datagrams.toml"
    server = Server(socket.AF_UNIX, socket.SOCK_DGRAM, path)
    with open(policy, "w") as file:
        file.write("extends = ['workspace']\n[[ruleset]]\nunix_datagram = 'mediate'\n")
    out, asked, err = run(place, SENDMMSG + """
path = sys.argv[1]
own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
own.bind("datagrams")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
attempt("sendto", lambda: s.sendto(b"one", path))
attempt("sendmsg", lambda: s.sendmsg([b"tw", b"o"], [], 0, path))
print("both", sendmmsg(s, message("datagrams", b"mine"), message(path, b"three")), flush=True)
print("rest", sendmmsg(s, message(path, b"three"), message("datagrams", b"mine")), flush=True)
print("got", own.recv(10), own.recv(10), flush=True)
attempt("more", lambda: own.recv(10, socket.MSG_DONTWAIT))
""", [[path, ONCE], [path, ONCE], [path, ONCE]], "-p", policy, words=[path])
    report(out == ["sendto 3", "sendmsg 3", "both 1", "rest 2", "got b'mine' b'mine'", "more EAGAIN"],
           "held messages are sent whole, and none twice", (out, brief(asked), err))
    report(base.wait_for(lambda: server.got == [b"one", b"two", b"three"]) and
           [q["call"] for q in asked] == ["sendto", "sendmsg", "sendmmsg"], "as asked", (server.got, brief(asked)))


def loopback(kind):
    server = Server(socket.AF_INET, kind, ("127.0.0.1", 0))
    server.port = server.socket.getsockname()[1]
    return server


TCP_POLICY = """extends = ["workspace"]
[[socket]]
allowed_access = ["create"]
family = ["inet"]
type = ["stream"]
protocol = ["any"]
"""


def tcp_policy(place, more=""):
    with open(place.top + "/net.toml", "w") as file:
        file.write(TCP_POLICY + more)
    return place.top + "/net.toml"


CONNECT = """
ports = [int(word) for word in sys.argv[1:]]
def tcp(port):
    return connect(("127.0.0.1", port), family=socket.AF_INET)

"""


def test_tcp(place):
    one, two = loopback(socket.SOCK_STREAM), loopback(socket.SOCK_STREAM)
    words, to = [str(one.port), str(two.port)], f"connect by TCP to 127.0.0.1:{one.port}"
    policy = tcp_policy(place)
    twice = CONNECT + "for port in ports * 2:\n    attempt('tcp', lambda: tcp(port))\n"
    out, asked, err = run(place, twice, [["TCP", NO], ["TCP", ONCE], ["TCP", ONCE], ["TCP", NO]], "-p", policy, words=words)
    report(out == ["tcp EACCES", "tcp hello", "tcp hello", "tcp EACCES"] and len(asked) == 4,
           "TCP: no, and yes for one connection each", (out, brief(asked), err))
    question = asked[0]
    report(question["text"].endswith(to) and question["class"] == "net" and question["missing"] == ["net.connect_tcp"]
           and question["address"] == "127.0.0.1/32" and question["port"] == one.port
           and set(question["policyLines"]) == {"object", "address", "port", "kind"}, "as it is asked", question)
    for scope, count in (("object", 2), ("port", 2), ("address", 1), ("kind", 1)):
        out, asked, err = run(place, twice, [["TCP", {**SESSION, "scope": scope}]] * 2, "-p", policy, words=words)
        report(out == ["tcp hello"] * 4 and len(asked) == count, f"{scope}: for the session", (out, brief(asked), err))
        out, asked, err = run(place, twice, [["TCP", {**NEVER, "scope": scope}]] * 2, "-p", policy, words=words)
        report(out == ["tcp EACCES"] * 4 and len(asked) == count, f"{scope}: never", (out, brief(asked), err))


def test_tcp_saved(place):
    server = loopback(socket.SOCK_STREAM)
    policy = tcp_policy(place)
    once = CONNECT + "attempt('tcp', lambda: tcp(ports[0]))\n"
    out, asked, err = run(place, once, [["TCP", {**SESSION, "save": True}]], "-p", policy, words=[str(server.port)])
    with open(policy) as file:
        saved = file.read()
    report(out == ["tcp hello"] and saved == TCP_POLICY + '\n[[net_address]]\nallowed_access = ["connect_tcp"]\n'
           f'address = ["127.0.0.1/32:{server.port}"]\n', "saved", (out, saved, err))
    out, asked, err = run(place, once, [], "-p", policy, words=[str(server.port)])
    report(out == ["tcp hello"] and not asked, "the next run is not asked", (out, brief(asked), err))


def test_bind(place):
    out, asked, err = run(place, """
def listen():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s.getsockname()[1] > 0

for i in range(3):
    attempt("bind", listen)
""", [["listen by TCP on 127.0.0.1:0", NO], ["listen by TCP on 127.0.0.1:0", SESSION]], "-p", tcp_policy(place))
    report(out == ["bind EACCES", "bind True", "bind True"] and len(asked) == 2, "bind: asked, and allowed",
           (out, brief(asked), err))


def test_creation(place):
    make = """
def make(family, *rest):
    socket.socket(family, *rest).close()

for protocol in (0, socket.IPPROTO_UDP):
    attempt("make", lambda: make(socket.AF_INET, socket.SOCK_DGRAM, protocol))
attempt("other", lambda: make(socket.AF_INET6, socket.SOCK_DGRAM))
attempt("tcp", lambda: make(socket.AF_INET, socket.SOCK_STREAM))
attempt("mptcp", lambda: make(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("pair", lambda: socket.socketpair()[0].close())
"""
    out, asked, err = run(place, make, [["IPv4 datagram", SESSION], ["IPv6", NO], ["mptcp", NO]])
    report(out == ["make None", "make None", "other EACCES", "tcp None", "mptcp EACCES", "pair None"] and len(asked) == 3,
           "a kind of socket, the usual protocol by both names", (out, brief(asked), err))
    report("wants to make a socket: IPv4 datagram (inet:dgram)" in asked[0]["text"] and asked[0]["class"] == "socket"
           and asked[0]["family"] == socket.AF_INET and set(asked[0]["policyLines"]) == {"object", "type", "family"},
           "as it is asked", asked[0])
    out, asked, err = run(place, make, [["IPv4 datagram", {**NEVER, "scope": "kind"}]])
    report(out == ["make EACCES"] * 2 + ["other EACCES", "tcp EACCES", "mptcp EACCES", "pair None"] and len(asked) == 1,
           "no sockets at all", (out, brief(asked), err))


def test_bare(place):
    """A TCP connection is one question, about its address: the socket that it takes is none."""
    server, policy = loopback(socket.SOCK_STREAM), place.top + "/bare.toml"
    words = [str(server.port)]
    twice = CONNECT + "for _ in range(2):\n    attempt('tcp', lambda: tcp(ports[0]))\n"
    out, asked, err = run(place, twice, [["TCP", NO], ["TCP", ONCE]], words=words)
    report(out == ["tcp EACCES", "tcp hello"] and len(asked) == 2 and asked[0]["class"] == "net",
           "TCP below workspace: one question for each connection", (out, brief(asked), err))
    text = "extends = ['workspace']\n"
    with open(policy, "w") as file:
        file.write(text)
    out, asked, err = run(place, twice, [["TCP", {**SESSION, "save": True}]], "-p", policy, words=words)
    with open(policy) as file:
        saved = file.read()
    report(out == ["tcp hello"] * 2 and len(asked) == 1 and saved.startswith(text) and '"inet"' in saved
           and '"stream"' in saved and f'"127.0.0.1/32:{server.port}"' in saved,
           "saved with the socket that it takes", (out, brief(asked), saved, err))
    out, asked, err = run(place, twice, [], "-p", policy, words=words)
    report(out == ["tcp hello"] * 2 and not asked, "the next run is not asked", (out, brief(asked), err))
    with open(policy, "w") as file:
        file.write(text + f"[[net_address]]\nallowed_access = ['connect_tcp']\naddress = ['127.0.0.1:{server.port}']\n")
    out, asked, err = run(place, twice, [["IPv4 stream", NO], ["IPv4 stream", SESSION]], "-p", policy, words=words)
    report(out == ["tcp EACCES", "tcp hello"] and len(asked) == 2 and {q["class"] for q in asked} == {"socket"},
           "an address that is granted is asked about as the socket", (out, brief(asked), err))
    out, asked, err = run(place, twice, [["TCP", {**NEVER, "scope": "kind"}]], words=words)
    report(out == ["tcp EACCES"] * 2 and len(asked) == 1, "never by TCP", (out, brief(asked), err))


def test_bare_never(place):
    """Where a listen(2) went on in the kernel, before anybody was asked, sockets are asked about."""
    with open(place.work + "/never.py", "w") as file:
        file.write(PROGRAM + """
def peer():
    own, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    own.bind("\\0never")
    own.listen()
    client.connect("\\0never")
    return struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0] == os.getpid()

attempt("own pid", peer)
print("ready", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
attempt("make", lambda: socket.socket().close())
""")
    if os.path.exists(place.work + "/go"):
        os.unlink(place.work + "/go")
    process = subprocess.Popen([REEVE, "run", "--quiet", "--status-fd", "2", "--", PYTHON, "never.py"], cwd=place.work, env=place.env,
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = [process.stdout.readline(), process.stdout.readline()]
    report(first == ["own pid True\n", "ready\n"], "whoever listens is its peer, unless somebody is asked", first)
    path = f"{place.run}/reeve/{json.loads(process.stderr.readline())['domain']}.sock"
    base.wait_for(lambda: os.path.exists(path))
    with socket.socket(socket.AF_UNIX) as client, client.makefile("rw") as lines:
        client.connect(path)
        greeting = lines.readline()
        print('{"request":"ask"}', file=lines, flush=True)
        greeting += lines.readline()
        with open(place.work + "/go", "w"):
            pass
        question = lines.readline()
    rest = process.communicate()[0]
    report("IPv4 stream" in question and rest == "make EACCES\n", "then a TCP socket is a question", (greeting, question, rest))


def test_bare_cannot(place):
    """What else a TCP socket could do without an address."""
    out, asked, err = run(place, """
def listen(bound=False):
    s = socket.socket()
    if bound:
        s.bind(("127.0.0.1", 0))
    s.listen()
    return s.getsockname()[1] > 0

attempt("listen", listen)
attempt("listen", listen)
attempt("bound", lambda: listen(True))
own = socket.socket(socket.AF_UNIX)
own.bind("bare.sock")
attempt("unix", lambda: own.listen())
attempt("unbound", lambda: socket.socket(socket.AF_UNIX).listen())
attempt("datagram", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).listen())
attempt("none", lambda: socket.socket(fileno=os.open("asked", os.O_RDONLY)).listen())
attempt("send", lambda: socket.socket().sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", 9)))
""", [["listen by TCP on 0.0.0.0:0", NO], ["listen by TCP on 0.0.0.0:0", ONCE], ["listen by TCP on 127.0.0.1:0", ONCE]])
    out = [line.replace("EOPNOTSUPP", "ENOTSUP") for line in out]  # two names of one number
    report(out == ["listen EACCES", "listen True", "bound True", "unix None", "unbound EINVAL", "datagram ENOTSUP",
                   "none ENOTSOCK", "send ENOTSUP"] and len(asked) == 3, "listen is asked about as bind",
           (out, brief(asked), err))
    out, asked, err = run(place, """
import threading
bare, own = socket.socket(), socket.socket(socket.AF_UNIX)
own.bind("swapped.sock")
shared = os.dup(own.fileno())
ended = False
def swap():
    while not ended:
        os.dup2(bare.fileno(), shared)
        os.dup2(own.fileno(), shared)

thread = threading.Thread(target=swap)
thread.start()
libc = ctypes.CDLL(None, use_errno=True)
results = {libc.listen(shared, 1) for _ in range(3000)}
ended = True
thread.join()
print(sorted(results), bare.getsockname()[1], flush=True)
""", [["listen by TCP", {**NEVER, "scope": "kind"}]])
    report(out in (["[-1, 0] 0"], ["[0] 0"], ["[-1] 0"]) and len(asked) <= 1, "nor when it takes another's place",
           (out, brief(asked), err))


def test_unlimited(place):
    """What a question for a socket has to say besides: nothing else will be asked about it."""
    program = "attempt('make', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())\n"
    out, asked, err = run(place, program, [["IPv4 datagram", ONCE]])
    report(out == ["make None"] and asked[0]["text"].endswith("(inet:dgram), and no rule limits what that reaches"),
           "a socket that may reach all", (out, brief(asked), err))


def udp_policy(place):
    return tcp_policy(place, """
[[socket]]
allowed_access = ["create"]
family = ["inet"]
type = ["dgram"]
protocol = ["any"]
[[ruleset]]
handled_access_net = ["bind_udp", "connect_send_udp"]
""")


def test_udp(place):
    server = loopback(socket.SOCK_DGRAM)
    policy = udp_policy(place)
    out, asked, err = run(place, """
to = ("127.0.0.1", int(sys.argv[1]))
for word in (b"one", b"two", b"three", b"four"):
    attempt("send", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(word, to))
""", [["send by UDP", NO], ["send by UDP", ONCE], ["send by UDP", SESSION]], "-p", policy, words=[str(server.port)])
    report(out == ["send EACCES", "send 3", "send 5", "send 4"] and len(asked) == 3 and
           set(asked[0]["missing"]) == {"net.bind_udp", "net.connect_send_udp"} and
           base.wait_for(lambda: server.got == [b"two", b"three", b"four"]),
           "UDP: sent whole, once, bound by it", (out, server.got, brief(asked), err))


ENDS = """
signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
parent = os.getpid()
if not os.fork():
    wait_until_asked("text", 1)
    os.kill(parent, signal.SIGALRM)
    os._exit(0)
try:
    wish()
except ZeroDivisionError:
    print("interrupted", flush=True)
wait_until_asked("gone", 1)
pid = os.fork()
if not pid:
    wish()
    os._exit(0)
wait_until_asked("text", 2)
os.kill(pid, signal.SIGKILL)
print("died by", os.waitpid(pid, 0)[1], flush=True)
wait_until_asked("gone", 2)
attempt("wish", wish)
"""


def test_ends(place):
    """The caller dies, or gets a signal, before there is an answer."""
    path = place.outside + "/e"
    Server(socket.AF_UNIX, socket.SOCK_STREAM, path)
    tcp, udp = loopback(socket.SOCK_STREAM), loopback(socket.SOCK_DGRAM)
    for name, wish, text, done, words in (
            ("connect to a UNIX socket", "connect(sys.argv[1])", path, "hello", [path]),
            ("connect by TCP", 'connect(("127.0.0.1", int(sys.argv[1])), family=socket.AF_INET)', "TCP", "hello",
             [str(tcp.port)]),
            ("listen by TCP", 'socket.socket().bind(("127.0.0.1", 0))', "listen by TCP", "None", []),
            ("send by UDP", 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(sys.argv[1])))',
             "send by UDP", "1", [str(udp.port)]),
            ("make a socket", "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()", "IPv6 datagram", "None", [])):
        policy = ("-p", udp_policy(place)) if "UDP" in name else ()
        out, asked, err = run(place, f"def wish():\n    return {wish}\n" + ENDS,
                              [[text, None], [text, None], [text, ONCE]], *policy, words=words)
        report(out == ["interrupted", "died by 9", "wish " + done] and len({q["question"] for q in asked}) == 3,
               name + ": a signal or the end takes the question back", (out, brief(asked), err))


base.begin_plain("--user" in sys.argv)
PLACE = Place()
try:
    for test in (test_unix, test_unix_unasked, test_unix_saved, test_datagrams, test_ends, test_tcp, test_tcp_saved,
                 test_bind, test_creation, test_bare, test_bare_never, test_bare_cannot, test_unlimited, test_udp):
        test(PLACE)
finally:
    PLACE.remove()
base.finish()
