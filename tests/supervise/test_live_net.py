#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Live rules for TCP, UDP and the creation of sockets: granted, used, taken back, by the twin.

	test_live_net.py REEVE [--user]
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])
PATIENCE = 60

PROGRAM = """
import ctypes, errno, mmap, os, random, signal, socket, sys, threading
def said(f, *args):
    try: r = f(*args); return 'ok' if r is None else r
    except OSError as e: return errno.errorcode.get(e.errno, str(e))
def make(*args): socket.socket(*args).close()
def connect(port, host='127.0.0.1', kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, kind) as s:
        s.connect((host, port))
def bind(port, host='127.0.0.1', kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s: s.bind((host, port))
def send(port, host='127.0.0.1'):
    with socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'x', (host, port))
def pair(*args):
    for s in socket.socketpair(*args): s.close()
def both(f, n):
    got = []
    ts = [threading.Thread(target=lambda: got.append(said(f))) for _ in range(n)]
    for t in ts: t.start()
    for t in ts: t.join()
    return f"{got.count('ok')} of {len(got)}"
def flip(port, other, tries):
    # Whether it connected at all, while another process went on changing the port.
    good, bad = [(2).to_bytes(2, 'little') + p.to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)
                 for p in (port, other)]
    shared, libc, got = mmap.mmap(-1, 16), ctypes.CDLL(None), set()
    shared[:] = bad  # nothing is AF_UNSPEC, which disconnects
    pid = os.fork()
    while pid == 0: shared[:] = random.choice((good, bad))
    buf = (ctypes.c_char * 16).from_buffer(shared)
    for i in range(50 * tries):
        if i >= tries and 0 in got: break
        with socket.socket() as s: got.add(libc.connect(s.fileno(), buf, 16))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 0 in got
for line in sys.stdin:
    print(said(eval, line) if line[0] != '!' else exec(line[1:]) or 'done', flush=True)
"""


class Run:
    """A domain whose program does what it is told, line by line."""

    def __init__(self, *args):
        read, write = os.pipe()
        self.process = subprocess.Popen([REEVE, "run", "--quiet", "--status-fd", str(write), *args, "--", PYTHON,
                                         "-uc", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, pass_fds=[write])
        os.close(write)
        with os.fdopen(read, encoding="ascii") as file:
            self.id = json.loads(file.readline())["domain"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def does(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def verb(self, verb, *args):
        return subprocess.run([REEVE, verb, self.id, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)


def listener(kind=socket.SOCK_STREAM, host="127.0.0.1"):
    there = socket.socket(type=kind)
    there.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        there.listen(64)
    return there, there.getsockname()[1]


def steps(run, name, *table):
    """(what is done, what is wanted): a verb's exit code, or what the program says."""
    for what, want in table:
        if isinstance(what, tuple):
            done = run.verb(*what)
            report(done.returncode == want, f"{name}: {' '.join(what)}: {want}", done.stderr)
        else:
            got = run.does(what)
            report(got == want, f"{name}: {what}: {want}", got)


def test_tcp():
    there, port = listener()
    other, second = listener()
    with there, other, Run() as run:
        steps(run, "tcp", (f"connect({port})", "EACCES"),
              (("allow", "--connect-tcp", str(port)), 0),
              (f"connect({port})", "ok"), (f"connect({second})", "EACCES"),
              ("bind(0)", "EACCES"),
              (("allow", "--bind-tcp", "127.0.0.1:0"), 0),
              ("bind(0)", "ok"), ("bind(0, '127.0.0.2')", "EACCES"),
              (("revoke", "--connect-tcp", str(port)), 0),
              (f"connect({port})", "EACCES"), ("bind(0)", "ok"),
              (("revoke", "--connect-tcp", str(port)), 1),
              (("allow", "--connect-tcp", f"127.0.0.0/8:{port}-{port}"), 0),
              (f"connect({port})", "ok"),
              (("revoke", "--connect-tcp", str(port)), 1),
              (f"connect({port})", "ok"))
        rules = [json.loads(line) for line in run.verb("rules", "--json").stdout.splitlines()]
        ports = [(r["rule"], r.get("address"), r["uses"]) for r in rules if r["class"] == "net"]
        report(sorted(ports, key=str) == [("net_address", "127.0.0.0/8", 2), ("net_address", "127.0.0.1/32", 2)],
               "rules: object and uses", ports)
        shown = run.verb("rules").stdout
        report(f"connect_tcp  127.0.0.0/8:{port}" in shown and "inet:stream" not in shown,
               "rules: a line for a port, none for its sockets", shown)
        shown = run.verb("inspect").stdout
        report("127.0.0.0/8" in shown, "inspect has it", shown)
        told = run.verb("explain", "connect_tcp", f"127.0.0.1:{port}")
        report(told.returncode == 0 and "allowed" in told.stdout, "explain: allowed", told.stdout + told.stderr)
        told = run.verb("explain", "connect_tcp", "10.0.0.1:1")
        report(told.returncode == 1, "explain: denied", told.stdout + told.stderr)


def test_once_and_time():
    there, port = listener()
    with there, Run("--socket", "inet", "--socket", "unix") as run:
        steps(run, "once", (f"connect({port})", "EACCES"),
              (("allow", "--connect-tcp", str(port), "--once"), 0),
              (f"both(lambda: connect({port}), 8)", "1 of 8"),
              (f"connect({port})", "EACCES"),
              (("allow", "--connect-tcp", str(port), "--for", "1h"), 0),
              (f"connect({port})", "ok"),
              (("allow", "--connect-tcp", "9", "--for", "1ms"), 0))
        since = time.monotonic()
        while "connect_tcp  9\n" in run.verb("rules").stdout and time.monotonic() - since < PATIENCE:
            time.sleep(0.05)
        steps(run, "after its time", ("connect(9)", "EACCES"))


def test_sockets():
    with Run() as run:
        steps(run, "sockets", ("make(socket.AF_INET)", "EACCES"),
              (("allow", "--socket", "inet:stream"), 0),
              ("make(socket.AF_INET)", "ok"), ("make(socket.AF_INET6)", "EACCES"),
              ("make(socket.AF_INET, socket.SOCK_STREAM, 262)", "EACCES"),
              ("make(socket.AF_INET, socket.SOCK_DGRAM)", "EACCES"),
              (("revoke", "--socket", "inet:stream"), 0),
              ("make(socket.AF_INET)", "EACCES"),
              (("allow", "--connect-tcp", "1"), 0), (("allow", "--bind-tcp", "2"), 0),
              (("revoke", "--connect-tcp", "1"), 0), ("make(socket.AF_INET)", "ok"),
              (("revoke", "--bind-tcp", "2"), 0), ("make(socket.AF_INET)", "EACCES"),
              (("allow", "--socket", "inet:stream:mptcp"), 0),
              ("said(make, socket.AF_INET, socket.SOCK_STREAM, 262) in ('ok', 'EPROTONOSUPPORT', 'ENOPROTOOPT')",
               "True"),
              ("make(socket.AF_INET)", "EACCES"))
    with Run("-p", "base", "--ro", ".", "--socket", "inet:stream") as run:
        steps(run, "a family that was not named", ("pair()", "EACCES"), (("allow", "--socket", "unix"), 0),
              ("pair()", "ok"), ("make(socket.AF_UNIX)", "ok"),
              # What is made inside counts as inside.
              ("!s = socket.socket(socket.AF_UNIX); s.bind('\\0' + str(os.getpid())); s.listen()", "done"),
              ("socket.socket(socket.AF_UNIX).connect(s.getsockname())", "ok"))


def test_udp():
    there, port = listener(socket.SOCK_DGRAM)
    with there, Run() as run:
        steps(run, "udp: ports that the policy does not restrict",
              (("allow", "--connect-udp", str(port)), 125), ("make(socket.AF_INET, socket.SOCK_DGRAM)", "EACCES"))
    policy = os.path.abspath("udp.toml")
    with open(policy, "w", encoding="ascii") as file:
        file.write('extends = ["workspace"]\n[[ruleset]]\nhandled_access_net = ["bind_udp", "connect_send_udp"]\n')
    with Run("-p", policy) as run:
        steps(run, "udp: not watched where there was none",
              (("allow", "--socket", "inet:dgram"), 125), (("allow", "--connect-udp", str(port)), 125))
    with open(policy, "a", encoding="ascii") as file:
        file.write('[[socket]]\nallowed_access = ["create"]\nfamily = ["inet"]\ntype = ["dgram"]\nprotocol = ["any"]\n')
    with there, Run("-p", policy) as run:
        steps(run, "udp", (f"send({port})", "EACCES"), (("allow", "--connect-udp", str(port)), 0),
              (f"send({port})", "ok"),
              (f"connect({port}, kind=socket.SOCK_DGRAM)", "ok"), ("send(1)", "EACCES"),
              (("revoke", "--connect-udp", str(port)), 0), (f"send({port})", "EACCES"))


def test_policy():
    """Rules that the policy itself has live."""
    there, port = listener()
    policy = os.path.abspath("live.toml")
    with open(policy, "w", encoding="ascii") as file:
        file.write(f'extends = ["workspace"]\n[[net_port]]\nallowed_access = ["connect_tcp"]\nport = [{port}]\n'
                   'live = true\n[[socket]]\nallowed_access = ["create"]\nfamily = ["inet"]\ntype = ["stream"]\n'
                   'protocol = ["any"]\nlive = true\n')
    with there, Run("-p", policy) as run:
        steps(run, "live in the policy", (f"connect({port})", "ok"), (("revoke", "--connect-tcp", str(port)), 0),
              (f"connect({port})", "EACCES"), (("revoke", "--socket", "inet:stream"), 0),
              ("make(socket.AF_INET)", "EACCES"))
    done = subprocess.run([REEVE, "run", "--static", "-p", policy, "--", "true"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    report(done.returncode == 125 and "live" in done.stderr, "not with --static", done.stderr)


PORT = '[[net_port]]\nallowed_access = ["connect_tcp"]\nport = [{}]\n'
SOCKET = '[[socket]]\nallowed_access = ["create"]\nfamily = ["inet"]\ntype = ["{}"]\nprotocol = ["any"]\n'


def test_reload():
    there, port = listener()
    other, second = listener()
    policy = os.path.abspath("../reload.toml")

    def write(text):
        with open(policy, "w", encoding="ascii") as file:
            file.write('extends = ["workspace"]\n' + text)
    write(PORT.format(second))
    with there, other, Run("-p", policy) as run:
        steps(run, "reload", (f"connect({port})", "EACCES"))
        write(PORT.format(second) + PORT.format(port) + SOCKET.format("stream"))
        steps(run, "reload: a port and its sockets", (("reload",), 0), (f"connect({port})", "ok"),
              (f"connect({second})", "ok"))
        write(PORT.format(second) + PORT.format(port) + 'live = true\n' + SOCKET.format("stream"))
        steps(run, "reload: live", (("reload",), 0), (f"connect({port})", "ok"))
        write(SOCKET.format("stream"))
        told = run.verb("reload")
        report(told.returncode == 1 and "net_port says stays in force" in told.stderr, "what the floor has is named",
               told.stderr)
        steps(run, "reload: taken out again", (f"connect({port})", "EACCES"), (f"connect({second})", "ok"))
        write("")
        steps(run, "reload: the sockets as well", (("reload",), 1), ("make(socket.AF_INET)", "EACCES"))


def test_flip():
    """Another process changes the address all the time: what was judged is what is reached."""
    there, port = listener()
    other, forbidden = listener()
    reached = {there: 0, other: 0}

    def accept(at):
        while True:
            try:
                at.accept()[0].close()
            except OSError:
                return
            reached[at] += 1
    threads = [threading.Thread(target=accept, args=[at], daemon=True) for at in reached]
    for thread in threads:
        thread.start()
    with Run() as run:
        run.verb("allow", "--connect-tcp", str(port))
        some = run.does(f"flip({port}, {forbidden}, 300)")
    # The last in each queue is one from outside.
    for at in reached:
        socket.create_connection(at.getsockname()).close()
    until = time.monotonic() + PATIENCE
    while not (reached[there] > 1 and reached[other]) and time.monotonic() < until:
        time.sleep(0.01)
    for at, thread in zip(reached, threads):
        at.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)
        at.close()
    report(reached[other] == 1, "the address flipped in memory", reached)
    report(some == "True" and reached[there] > 1, "some were let through", (some, reached))


def child_named(parent, name):
    for task in os.listdir(f"/proc/{parent}/task"):
        with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
            children = file.read().split()
        for pid in children:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read().strip() == name:
                    return pid
    return None


def test_twin():
    """Nothing of it is left, and it is nobody's to reach."""
    there, port = listener()
    with there, Run() as run:
        run.verb("allow", "--connect-tcp", str(port))
        steps(run, "twin", (f"connect({port})", "ok"))
        twin = child_named(run.process.pid, "reeve-twin")
        report(twin, "there is one", run.process.pid)
        with open(f"/proc/{twin}/status", encoding="ascii") as file:
            status = file.read()
        report("NoNewPrivs:\t1" in status, "it has no_new_privs", status)
        steps(run, "twin", (f"os.kill({twin}, 9)", "EPERM"),
              (f"open('/proc/{twin}/mem', 'rb')", "EACCES"),
              (f"os.pidfd_open({twin}) and ctypes.CDLL(None, use_errno=True).ptrace(16, {twin}, 0, 0)", "-1"))
    report(not os.path.exists(f"/proc/{twin}"), "it ends with the domain")


def main():
    if "--user" in sys.argv:
        tap.as_user()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.mkdir("run", 0o700)
        os.environ["XDG_RUNTIME_DIR"] = place + "/run"
        os.mkdir("work")
        os.chdir("work")
        for test in (test_tcp, test_once_and_time, test_sockets, test_udp, test_policy, test_reload, test_flip, test_twin):
            test()
        os.chdir("/")
    tap.finish()


main()
