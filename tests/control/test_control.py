#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket: protocol, peers, and the verbs that use it. TAP.

	test_control.py FAKE_DOMAIN REEVE [--user]
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.dirname(HERE))
import tap  # noqa: E402
from tap import report, skip  # noqa: E402
if "--user" in sys.argv:
    tap.as_user(HERE + "/fakes.py")
from fakes import FAKE, REEVE, WORK, Client, Fake, Refused, fresh, reeve, shows  # noqa: E402

PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22


def rule(path, *rights, **more):
    return dict({"class": "fs", "path": path, "allowed": list(rights)}, **more)


def allow(*rules, **more):
    return dict({"request": "allow", "rules": list(rules)}, **more)


# ------------------------------------------------------------------------------ protocol

def test_protocol():
    directory = fresh("protocol")
    with Fake("build") as fake:
        modes = [os.stat(p).st_mode & 0o777 for p in
                 (directory, fake.path, fake.path.replace(".sock", ".json"))]
        report(modes == [0o700, 0o600, 0o600], "modes of directory, socket, entry", modes)
        client = Client(fake.path)
        status = client.ask({"request": "status"})
        report(status["ok"] and status["domain"] == fake.domain and status["name"] == "build" and
               status["supervisor"] == fake.process.pid and status["argv"] == [FAKE, "build"],
               "status", status)
        garbage = [(b"nonsense\n", "not JSON"), (b"\n", "not JSON"), (b"\0\xff\n", "not JSON"),
                   (b"[1]\n", "not a JSON object"), (b"{}\n", "request"),
                   (b'{"request":1}\n', "request"), (b'{"request":"fly\\u001b"}\n', "unknown"),
                   (b'{"request":"kill","request":"status"}\n', "not JSON"),
                   (b"[" * 100000 + b"\n", "not JSON")]
        for line, text in garbage:
            said = client.error(line)
            report(text in said and "\033" not in said, f"garbage: {line[:20]!r}", said)
        report(client.ask({"request": "status"})["ok"], "and the connection goes on")
        client.send(b'{"request":"rules"}\n{"request":"rules"}\n')
        report([client.read()["ok"], client.read()["ok"]] == [True, True], "two requests at once")
        client.send(b'{"request":')
        report(Client(fake.path).ask({"request": "rules"})["ok"], "half a line holds up nobody")
        client.close()
        client = Client(fake.path)
        threading.Thread(target=send_much, args=(client.socket,)).start()
        said = client.read()
        report("1 MiB" in said["error"]["message"], "a line without end", said)
        report(fake.tell("rules") == "rules 0 0", "nothing was changed by all that")


def send_much(where):
    try:
        where.sendall(b"x" * (3 << 20))
    except OSError:
        pass


def test_rules():
    fresh("rules")
    with Fake() as fake:
        client = Client(fake.path)
        good = rule("/a", "read_file")
        wrong = [
            (allow(), "rules"), (allow(good, good, once=1), "once"),
            (allow(good, milliseconds=0), "milliseconds"),
            (allow(good, rule("b", "read_file")), "b"),
            (allow(good, rule("/a/../b", "read_file")), "b"),
            (allow(good, rule("/b", "fly")), "fly"), (allow(good, rule("/b", "execute")), "execute"),
            (allow(good, {"class": "tape", "allowed": []}), "tape"),
            (allow(good, {"class": "net", "port": 1, "allowed": []}), "unknown member"),
            (allow(good, {"class": "net", "portLast": 1, "allowed": []}), "portFirst"),
            (allow(good, {"class": "net", "portFirst": 2, "portLast": 1, "allowed": []}), "portLast"),
            (allow(good, {"class": "net", "portFirst": 1, "portLast": 70000, "allowed": []}), "portLast"),
            (allow(good, {"class": "net", "portFirst": 1, "portLast": 1, "allowed": ["read_file"]}), "class net"),
            (allow(good, {"class": "net", "portFirst": 1, "portLast": 1, "address": "10.0.0.1/8",
                          "allowed": ["connect_tcp"]}), "10.0.0.1/8"),
            (allow(good, {"class": "socket", "family": "inet", "allowed": ["create"]}), "family"),
            (allow(good, {"class": "socket", "family": 2, "socketType": -2, "allowed": ["create"]}), "socketType"),
            (allow(good, rule("/b", "read_file", pathHex="2f62")), "path"),
            (allow(good, {"class": "fs", "pathHex": "2f0062", "allowed": ["read_file"]}), "path"),
            (allow(good, {"class": "fs", "pathHex": "2f6", "allowed": ["read_file"]}), "path"),
            (allow(rule("/b", "ioctl_dev")), "does not restrict"),
            (allow(good, rule("/b", "read_file", deny=True)), "deny: unknown member"),
            (allow(good, onec=True), "onec: unknown member"),
            ({"request": "rules", "of": "/b"}, "of: unknown member"),
            ({"request": "allow", "rules": 7}, "rules"), (allow(good, 7), "class"),
        ]
        for request, text in wrong:
            said = client.error(request)
            report(text in said, f"refused: {json.dumps(request)[-60:]}", said)
        report(fake.tell("rules") == "rules 0 0", "and of none of these anything was granted")
        answer = client.ask(allow(good, rule("/new\n", "read_dir", origin="--ro x"), once=True,
                                  milliseconds=5000))
        report(answer.get("ok") and fake.tell("rules") == "rules 2 1", "two rules, one commit", answer)
        client.ask(allow({"class": "fs", "pathHex": "2fff", "allowed": ["write_file", "ioctl_dev"]}))
        rules = client.ask({"request": "rules"})["rules"]
        report([r.get("path", r.get("pathHex")) for r in rules] == ["/a", "/new\n", "2fff"] and
               rules[1]["origin"] == "--ro x" and rules[1]["millisecondsLeft"] == 5000 and
               rules[1]["once"] and rules[2]["allowed"] == ["write_file"], "rules", rules)
        answer = client.ask({"request": "revoke", "rules": [rule("/a", "read_file", "execute")]})
        report(answer["touched"] == 1 and fake.tell("rules") == "rules 2 3", "revoke", answer)
        answer = client.ask({"request": "revoke", "rules": [rule("/nowhere", "read_file")]})
        report(answer["touched"] == 0, "revoke of nothing", answer)
        answer = client.ask({"request": "revoke", "rules": [rule("/new\n", "execute")]})
        report(answer["touched"] == 0 and fake.tell("rules").startswith("rules 2"),
               "execute is not all", answer)
        answer = client.ask({"request": "revoke", "rules": [rule("/new\n")]})
        report(answer["touched"] == 1 and fake.tell("rules").startswith("rules 1"), "all of it", answer)


# ------------------------------------------------------------------------------- watching

def count_lines(client):
    """Events got and events said to be lost, until the end."""
    got = lost = 0
    while (line := client.read()) is not None:
        event = line["kind"] if "kind" in line else line["event"]
        lost += line.get("count", 0) if event in (5, "lost") else 0
        got += event in (2, "denied")
    return got, lost


def test_watch():
    fresh("watch")
    with Fake() as fake:
        slow, other, text = Client(fake.path), Client(fake.path), Client(fake.path)
        report(slow.ask({"request": "watch"})["ok"], "watch")
        report("format" in other.error({"request": "watch", "format": "xml"}), "a wrong format")
        text.ask({"request": "watch", "format": "text"})
        fake.tell("deny /etc/shadow 1")
        line = text.read()
        report("/etc/shadow" in line["text"] and line["flag"] == "--ro /etc/shadow", "as text", line)
        text.close()
        report(fake.tell("deny /x 30000") == "denied", "who does not read holds up nobody")
        report(other.ask({"request": "status"})["counters"]["denied"] == 30001, "nor other clients")
        thread = threading.Thread(target=fake.stop)
        thread.start()
        got, lost = count_lines(slow)
        thread.join()
        report(got + lost == 30001 and got > 100 and lost > 100,
               "it gets some, and is told how many were lost", (got, lost))
        other.close()
    with Fake() as fake:
        watch = subprocess.Popen([REEVE, "watch", "--json"], stdout=subprocess.PIPE, text=True)
        client = Client(fake.path)
        tap.wait_for(lambda: fake.tell("deny /y 1") and watch_has(watch))
        fake.stop()
        rest = watch.stdout.read()
        report(watch.wait() == 0 and all(json.loads(line) for line in rest.splitlines()),
               "reeve watch: ends with the domain", rest)
        client.close()


def watch_has(watch):
    import select
    ready, _, _ = select.select([watch.stdout], [], [], 0.05)
    return bool(ready) and bool(watch.stdout.readline())


# ---------------------------------------------------------------------------------- peers

TRY = """
import ctypes, json, socket, sys, os, threading
path, how = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)
def seccomp():
    code = (ctypes.c_uint64 * 1)(0x7fff000000000006)  # ret ALLOW
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    program = Program(1, ctypes.addressof(code))
    assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
if how == "nnp":
    assert libc.prctl(38, 1, 0, 0, 0) == 0
if how == "thread":
    done = threading.Event()
    def restricted():
        libc.prctl(38, 1, 0, 0, 0)
        done.set()
        threading.Event().wait()
    threading.Thread(target=restricted, daemon=True).start()
    done.wait()
if how == "seccomp":
    seccomp()
if how.startswith("daemon"):
    if os.fork():
        os.wait()
        sys.exit(0)
    os.setsid()
if how == "user":
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    print(s.makefile().readline())
except OSError as error:
    print(error)
"""


def attempt(fake, how):
    return subprocess.run([PYTHON, "-c", TRY, fake.path, how], capture_output=True, text=True,
                          timeout=240).stdout


def test_peers():
    fresh("peers")
    script = os.path.join(WORK, "try.py")
    with open(script, "w", encoding="ascii") as file:
        file.write(TRY)
    with Fake() as fake, Fake() as second:
        said = attempt(fake, "plain")
        report('"ok":true' in said, "a process of ours", said)
        for how in ("nnp", "thread"):
            said = attempt(fake, how)
            report("no_new_privs" in said and "not itself sandboxed" in said, f"refused: {how}", said)
        if os.geteuid() == 0:
            said = attempt(fake, "seccomp")
            report("seccomp" in said, "refused: a seccomp filter", said)
            said = attempt(fake, "user")
            report("Permission denied" in said, "refused: another user, by the mode", said)
            # Even where the modes are wrong.
            for path in (os.path.dirname(os.path.dirname(WORK)), WORK, WORK + "/peers",
                         WORK + "/peers/reeve"):
                os.chmod(path, 0o755) if path.startswith(WORK) else None
            os.chmod(fake.path, 0o666)
            said = attempt(fake, "user")
            report("is user 65534's" in said, "refused: another user, by the uid", said)
            os.chmod(WORK + "/peers/reeve", 0o700)
        else:
            skip("refused: a seccomp filter", "root: needed without no_new_privs")
            skip("refused: another user", "root: needed to become one")
        for target, name in ((fake, "its own domain"), (second, "another domain")):
            out = os.path.join(WORK, "said")
            fake.tell(f"spawn {PYTHON} {script} {target.path} plain >{out}")
            said = open(out, encoding="utf-8").read()
            report("below a reeve supervisor" in said, f"refused: a process of {name}", said)
        done = subprocess.run([REEVE, "ps"], capture_output=True, text=True,
                              preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        shows("reeve ps from inside says why", done, 125, "no_new_privs", "hint: use a terminal")
        clients = [Client(fake.path) for _ in range(64)]
        try:
            Client(fake.path)
            report(False, "the 65th client")
        except Refused as refused:
            report("64 control clients" in str(refused), "the 65th client is told", refused)
        clients.pop().close()
        report(tap.wait_for(lambda: can_connect(fake.path)), "and there is room when one goes")
        for client in clients:
            client.close()
    limit = "ulimit -n 24; exec \"$@\""
    wrapper = os.path.join(WORK, "few.sh")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nset -- {FAKE}\n{limit}\n")
    os.chmod(wrapper, 0o755)
    with Fake(program=wrapper) as fake:
        many = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for one in many:
            one.connect(fake.path)
        for one in many:
            one.recv(1)
            one.close()
        report(tap.wait_for(lambda: can_connect(fake.path)), "without descriptors it goes on")


def can_connect(path):
    try:
        Client(path).close()
        return True
    except (Refused, json.JSONDecodeError, OSError):
        return False


# ---------------------------------------------------------------------------------- verbs

def test_verbs():
    fresh("verbs")
    os.chdir(WORK)
    with Fake("bad\033[2J\nname") as fake:
        done = reeve("ps")
        report(done.returncode == 0 and "\033" not in done.stdout and len(done.stdout.splitlines()) == 2
               and "bad\\x1b[2J\\nname" in done.stdout, "ps escapes", done.stdout)
        status = json.loads(reeve("ps", "--json").stdout)
        report(status["domain"] == fake.domain and status["rules"] == 0 and status["type"] == "domain",
               "ps --json", status)
        shows("allow", reeve("allow", "--ro", "not-there", "--rw", "/srv", "--for", "5m", "--once"), 0)
        done = reeve("rules")
        shows("rules", done, 0, f"{WORK}/not-there", "rw", "by uid", "5 min", "once")
        shows("rules --json", reeve("rules", "--json"), 0, f'"path":"{WORK}/not-there"', '"version":1')
        shows("allow --rx", reeve("allow", "--rx", "/opt"), 1, "execute cannot be added", "hint:")
        report("rules 3" in fake.tell("rules"), "but grants the rest")
        shows("live rules of class net", reeve("allow", "--connect-tcp", "80"), 125, "does not restrict")
        shows("of UNIX sockets", reeve("allow", "--unix", "/x"), 125, "does not restrict")
        shows("of socket creation", reeve("allow", "--socket", "inet"), 125, "does not restrict")
        shows("scopes", reeve("allow", "--scope", "signal"), 125, "scopes")
        shows("allow --deny", reeve("allow", "--deny", "/x"), 125, "--deny", "reeve revoke")
        shows("allow -p", reeve("allow", "-p", "none"), 125, "unknown option -p")
        shows("allow nothing", reeve("allow"), 125, "say which rules")
        shows("a wrong duration", reeve("allow", "--ro", "/x", "--for", "5 years"), 125, "--for 5 years")
        shows("too many operands", reeve("allow", "a", "b", "--ro", "/"), 125, "at most one")
        shows("revoke", reeve("revoke", "--ro", "/opt"), 0)
        shows("revoke again", reeve("revoke", "--ro", "/opt"), 1, "no live rule")
        shows("inspect", reeve("inspect"), 0, "Domain:", "Live rules:  2", "Policy:", "/usr")
        policy = json.loads(reeve("inspect", "--json").stdout)["policy"]
        report(policy.count("live = true") == 2 and "/opt" not in policy,
               "the policy has the live rules of now, each once")
        shows("inspect --json", reeve("inspect", "--json"), 0, '"policy":', '"counters":')
        fake.tell("deny /etc/shadow 3")
        shows("denials", reeve("denials"), 0, "/etc/shadow", "(3 times)", "allow it: --ro /etc/shadow")
        fake.process.send_signal(signal.SIGSTOP)
        os.waitpid(fake.process.pid, os.WUNTRACED)
        shows("a stopped supervisor", reeve("allow", "--ro", "/"), 125, "is stopped", "-CONT")
        shows("ps of it", reeve("ps"), 0, " -  ")
        fake.process.send_signal(signal.SIGCONT)
        shows("kill", reeve("kill"), 0)
        report(fake.stop() == "stopped 1", "reached the supervisor")
        shows("denials afterwards", reeve("denials"), 0, "/etc/shadow")
        shows("by id", reeve("denials", fake.domain), 0, "/etc/shadow")
        shows("as JSON", reeve("denials", "--json", fake.domain[:6]), 0, '"count":3')
        shows("of an unknown one", reeve("denials", "feed"), 1, "no domain that runs, or ran")


try:
    for test in (test_protocol, test_rules, test_watch, test_peers, test_verbs):
        test()
finally:
    shutil.rmtree(WORK)
tap.finish()
