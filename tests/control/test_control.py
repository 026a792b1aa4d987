#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket: protocol, peers, registry, and the verbs that use it. TAP.

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
import tempfile
import threading

FAKE, REEVE = (os.path.realpath(arg) for arg in sys.argv[1:3])
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22
number = 0
failed = False


def report(good, name, detail=""):
    global number, failed
    number += 1
    failed |= not good
    for line in str(detail).splitlines() if not good else []:
        print("#", line)
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def skip(name, why):
    global number
    number += 1
    print(f"ok {number} - {name} # SKIP {why}", flush=True)


def as_user():
    """This script again as nobody, with copies of what it needs."""
    if os.geteuid() != 0:
        print("1..0 # SKIP root: an ordinary user already")
        sys.exit(0)
    place = tempfile.mkdtemp()
    for name, path in (("fake", FAKE), ("reeve", REEVE), ("test.py", __file__)):
        shutil.copy(path, f"{place}/{name}")
    os.mkdir(place + "/tmp")
    os.chown(place + "/tmp", 65534, 65534)
    os.chmod(place, 0o755)
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": place + "/tmp"}
    code = subprocess.run([PYTHON, place + "/test.py", place + "/fake", place + "/reeve"], env=env,
                          user=65534, group=65534, extra_groups=[]).returncode
    shutil.rmtree(place)
    sys.exit(code)


class Refused(Exception):
    pass


class Client:
    """A connection, greeted."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        greeting = json.loads(self.file.readline())
        if not greeting["ok"]:
            raise Refused(greeting["error"]["message"])

    def send(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def read(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, request):
        self.send(request)
        return self.read()

    def error(self, request):
        return self.ask(request).get("error", {}).get("message", "no error")

    def close(self):
        self.file.close()
        self.socket.close()


class Fake:
    """A domain that is made up, with a real control server."""

    def __init__(self, *args, domain=None, **more):
        env = dict(os.environ, **({"FAKE_ID": domain} if domain else {}))
        self.process = subprocess.Popen([FAKE, *args], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1, **more)
        self.said = self.process.stdout.readline().split(maxsplit=2)
        if self.said[0] == "serving":
            self.domain, self.path = self.said[1], self.said[2].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()

    def stop(self):
        if self.process.poll() is None:
            try:
                self.process.stdin.write("exit\n")
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        said = self.process.stdout.read().strip()
        self.process.wait()
        return said

    def die(self):
        self.process.kill()
        self.process.wait()


def reeve(*args, **more):
    return subprocess.run([REEVE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **more)


def shows(name, done, code, *texts):
    said = done.stdout + done.stderr
    report(done.returncode == code and all(text in said for text in texts), name,
           f"{done.args}: {done.returncode}, wanted {code}, {texts}\n{said}")


def fresh(name):
    """A runtime directory of its own for what follows."""
    path = os.path.join(WORK, name)
    os.mkdir(path, 0o700)
    os.environ["XDG_RUNTIME_DIR"] = path
    return path + "/reeve"


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
            (allow(good, {"class": "net", "port": 1, "allowed": []}),
             "live rules of class net come with a later version"),
            (allow(good, rule("/b", "read_file", pathHex="2f62")), "path"),
            (allow(good, {"class": "fs", "pathHex": "2f0062", "allowed": ["read_file"]}), "path"),
            (allow(good, {"class": "fs", "pathHex": "2f6", "allowed": ["read_file"]}), "path"),
            (allow(rule("/b", "ioctl_dev")), "does not restrict"),
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
        wait_for(lambda: fake.tell("deny /y 1") and watch_has(watch))
        fake.stop()
        rest = watch.stdout.read()
        report(watch.wait() == 0 and all(json.loads(line) for line in rest.splitlines()),
               "reeve watch: ends with the domain", rest)
        client.close()


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return True
    return False


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
                          timeout=60).stdout


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
        report(wait_for(lambda: can_connect(fake.path)), "and there is room when one goes")
        for client in clients:
            client.close()
    limit = "ulimit -n 24; exec \"$@\""
    global FAKE
    real, wrapper = FAKE, os.path.join(WORK, "few.sh")
    with open(wrapper, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nset -- {real}\n{limit}\n")
    os.chmod(wrapper, 0o755)
    FAKE = wrapper
    with Fake() as fake:
        many = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for one in many:
            one.connect(fake.path)
        for one in many:
            one.recv(1)
            one.close()
        report(wait_for(lambda: can_connect(fake.path)), "without descriptors it goes on")
    FAKE = real


def can_connect(path):
    try:
        Client(path).close()
        return True
    except (Refused, json.JSONDecodeError, OSError):
        return False


# ------------------------------------------------------------------------------- registry

def test_directory():
    cases = [("open", lambda path: (os.mkdir(path), os.chmod(path, 0o755)), "open to other users"),
             ("link", lambda path: os.symlink(WORK, path), "not a directory"),
             ("file", lambda path: open(path, "w", encoding="ascii").close(), "not a directory")]
    if os.geteuid() == 0:
        cases.append(("foreign", lambda path: (os.mkdir(path, 0o700), os.chown(path, 65534, 0)),
                      "another user"))
    for name, make, text in cases:
        make(fresh(name))
        fake = Fake()
        report(fake.said[0] == "failed" and fake.said[1] == "1" and text in fake.said[2],
               f"directory: {name}: not served", fake.said)
        fake.process.wait()
        shows(f"directory: {name}: not read", reeve("ps"), 125, text, "hint:")
    directory = fresh("squatted")
    os.mkdir(directory, 0o700)
    target = os.path.join(WORK, "target")
    for name, make in (("file", lambda path: open(path, "w", encoding="ascii").close()),
                       ("link", lambda path: os.symlink(target, path))):
        make(directory + "/abc.sock")
        fake = Fake(domain="abc")
        report(fake.said[0] == "failed" and not os.path.exists(target), f"socket's place: a {name}",
               fake.said)
        fake.process.wait()
        report(os.path.lexists(directory + "/abc.sock"), "which stays")
        os.unlink(directory + "/abc.sock")


def entry_of(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_entry(directory, name, entry, **changed):
    with open(f"{directory}/{name}.json", "w", encoding="utf-8") as file:
        json.dump(dict(entry, domain=name, **changed), file)


def test_entries():
    directory = fresh("entries")
    shows("ps without a directory", reeve("ps"), 0, "ID", "COMMAND")
    shows("none runs", reeve("rules"), 1, "no domain runs", "hint:")
    with Fake() as fake:
        entry = entry_of(fake.path.replace(".sock", ".json"))
        strange = ["a1.json", "a2.json", "a3.json", "a4.json"]
        os.symlink(fake.path.replace(".sock", ".json"), f"{directory}/a1.json")
        os.mkfifo(f"{directory}/a2.json")
        with open(f"{directory}/a3.json", "w", encoding="ascii") as file:
            file.write("{")
        os.mkdir(f"{directory}/a4.json")
        if os.geteuid() == 0:
            write_entry(directory, "a5", entry)
            os.chown(f"{directory}/a5.json", 65534, 65534)
            strange.append("a5.json")
        done = reeve("ps", "--json")
        report(done.returncode == 0 and len(done.stdout.splitlines()) == 1,
               "links, FIFOs, halves, others' files are no entries", done)
        report(all(os.path.lexists(f"{directory}/{name}") for name in strange), "and stay")
        write_entry(directory, "b1", entry, supervisor=2 ** 22 + 5)
        write_entry(directory, "b2", entry, start=entry["start"] + 1)
        reeve("ps")
        report(not os.path.exists(f"{directory}/b1.json") and
               not os.path.exists(f"{directory}/b2.json"), "the dead are removed, reused pids too")
        write_entry(directory, "b3", entry)
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(f"{directory}/b3.sock")
        dead.close()
        shows("nobody listens", reeve("rules", "b3"), 1, "no running domain")
        report(not os.path.exists(f"{directory}/b3.sock"), "which is removed, too")
        killed = Fake()
        killed.die()
        shows("one that was killed is not counted", reeve("rules"), 0, "No live rules")
        report(not os.path.exists(killed.path), "and its socket is gone")


def test_ids():
    fresh("ids")
    with Fake("one", domain="abc1") as first, Fake("two", domain="abc2"):
        shows("several run", reeve("rules"), 125, "several domains run", "abc1 (one)", "abc2 (two)")
        shows("an ambiguous prefix", reeve("rules", "abc"), 125, "abc1 (one), abc2 (two)", "hint:")
        shows("a unique one", reeve("rules", "abc2"), 0)
        shows("a name", reeve("rules", "one"), 0)
        shows("neither", reeve("rules", "three"), 1, "no running domain")
        shows("nothing", reeve("rules", ""), 1, "no running domain")
        out = os.path.join(WORK, "pid")
        first.tell(f"spawn sleep 100 >/dev/null & echo $! >{out}")
        pid = open(out, encoding="ascii").read().strip()
        shows("a pid of a process in it", reeve("inspect", pid), 0, "Domain:      abc1")
        os.kill(int(pid), signal.SIGKILL)
        shows("a pid outside", reeve("inspect", str(os.getpid())), 1, "no running domain")
        fake = Fake("one")
        report(fake.said[:2] == ["failed", "98"], "a name that is taken", fake.said)
        fake.process.wait()
        first.stop()
        with Fake("one") as again:
            report(again.said[0] == "serving", "and free again", again.said)
        with Fake("x" * 200) as long:
            report(long.said[0] == "failed", "a name that is too long", long.said)


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
        shows("live rules of class net", reeve("allow", "--connect-tcp", "80"), 125,
              "class net come with a later version")
        shows("of UNIX sockets", reeve("allow", "--unix", "/x"), 125, "later version")
        shows("of socket creation", reeve("allow", "--socket", "inet"), 125, "later version")
        shows("scopes", reeve("allow", "--scope", "signal"), 125, "scopes")
        shows("allow --deny", reeve("allow", "--deny", "/x"), 125, "--deny", "reeve revoke")
        shows("allow -p", reeve("allow", "-p", "none"), 125, "unknown option -p")
        shows("allow nothing", reeve("allow"), 125, "say which rules")
        shows("a wrong duration", reeve("allow", "--ro", "/x", "--for", "5 years"), 125, "--for 5 years")
        shows("too many operands", reeve("allow", "a", "b", "--ro", "/"), 125, "at most one")
        shows("revoke", reeve("revoke", "--ro", "/opt"), 0)
        shows("revoke again", reeve("revoke", "--ro", "/opt"), 1, "no live rule")
        shows("inspect", reeve("inspect"), 0, "Domain:", "Live rules:  2", "Policy:", "/usr")
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


def test_records():
    directory = fresh("records")
    first = Fake(domain="f0")
    first.stop()
    os.utime(f"{directory}/f0.denials.json", (1, 1))
    for i in range(1, 34):
        Fake(domain=f"f{i:02}" if i > 9 else f"f00{i}").stop()
    records = sorted(name for name in os.listdir(directory) if name.endswith(".denials.json"))
    report(len(records) == 32 and "f0.denials.json" not in records, "32 records, the oldest go", records)
    report(sorted(os.listdir(directory)) == records, "and nothing else is left", os.listdir(directory))
    modes = {os.stat(f"{directory}/{name}").st_mode & 0o777 for name in records}
    report(modes == {0o600}, "of mode 0600", modes)
    shows("the last one", reeve("denials"), 0, "Nothing was denied.")
    target = os.path.join(WORK, "overwritten")
    os.symlink(target, f"{directory}/.f1.denials.json.new")
    os.symlink(target, f"{directory}/f1.denials.json")
    Fake(domain="f1").stop()
    report(not os.path.exists(target) and not os.path.islink(f"{directory}/f1.denials.json"),
           "links are replaced, not followed")


if "--user" in sys.argv:
    as_user()
WORK = tempfile.mkdtemp()
try:
    for test in (test_protocol, test_rules, test_watch, test_peers, test_directory, test_entries,
                 test_ids, test_verbs, test_records):
        test()
finally:
    shutil.rmtree(WORK)
print(f"1..{number}")
sys.exit(failed)
