#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve id`: which domain a process is in, proven. TAP.

	test_id.py REEVE ID_CHURN [--user]
"""
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import pids  # noqa: E402
import tap  # noqa: E402
from pids import (UNSHARE, certificate, drip, parent_of, pids_of_a_namespace,  # noqa: E402
                  squeeze_pids, state_of, status_of)
from tap import report, wait_for  # noqa: E402

REEVE, CHURN = (os.path.realpath(arg) for arg in sys.argv[1:3])
if "--user" in sys.argv:
    tap.as_user(pids.__file__, home=True)
PATIENCE = 60  # seconds; a machine under load
WORK = os.path.realpath(tempfile.mkdtemp())
os.mkdir(WORK + "/run", 0o700)
os.mkdir(WORK + "/cwd")
os.environ["XDG_RUNTIME_DIR"] = WORK + "/run"
REGISTRY = WORK + "/run/reeve"


def reeve(*args, **more):
    return subprocess.run([REEVE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, check=False, **more)


def id_of(pid):
    """The id that is given, "" where none is."""
    done = reeve("id", str(pid))
    good = done.returncode == (0 if done.stdout else 1)
    return done.stdout.strip() if good else f"failed {done.returncode}: {done.stderr}"


# LeakSanitizer cannot look at itself in a sandbox.
INSIDE = dict(os.environ, ASAN_OPTIONS=":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"])))


class Run:
    """A domain whose program, a script, says pids, and goes on until its standard input ends."""

    def __init__(self, name, script, *options, command="run"):
        self.process = subprocess.Popen(
            [REEVE, command, *(["--quiet", "--name", name] if command == "run" else []), *options, "--",
             tap.PYTHON, "-c", PRELUDE + script + "\nsys.stdin.read()\n"],
            cwd=WORK + "/cwd", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline().split()

    def pids(self):
        return [int(word) for word in self.said if word.isdigit()]

    def listed(self):
        lines = [json.loads(line) for line in reeve("ps", "--json").stdout.splitlines()]
        return [line["domain"] for line in lines if line["supervisor"] == self.process.pid]

    def domain(self):
        domains = []
        wait_for(lambda: domains.extend(self.listed()) or domains)
        return domains[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


# Children wait for a pipe that ends with the program.
PRELUDE = """
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
alive = os.pipe()
def park():
    os.close(alive[1])
    os.read(alive[0], 1)
    os._exit(0)
def spawn():
    pid = os.fork()
    if pid == 0:
        park()
    return pid
def say(*words):
    print(*words, flush=True)
"""


def test_plain():
    script = """
child = spawn()
thread = threading.Thread(target=sys.stdin.read, daemon=True)
thread.start()
say(os.getpid(), child, thread.native_id)
thread.join()
"""
    with Run("plain", script) as run, Run("other", "say(os.getpid())") as other:
        program, child, thread = run.pids()
        domain = run.domain()
        report(id_of(program) == id_of(child) == domain, "the program, and its child", domain)
        report(id_of(other.pids()[0]) == other.domain() != domain, "another domain has another")
        done = reeve("id", str(run.process.pid))
        report(done.returncode == 1 and "it is in no domain of reeve's" in done.stderr, "its supervisor is in none", done)
        if hasattr(os, "pidfd_open") and can_open_threads():
            report(id_of(thread) == domain, "a thread", id_of(thread))
        else:
            tap.skip("a thread", "pidfd: no PIDFD_THREAD (Linux 6.9)")
        report(id_of(run.process.pid) == "" and id_of(os.getpid()) == "", "not the supervisor, nor we")
        shown = json.loads(reeve("id", "--json", str(child)).stdout)
        report(shown["domain"] == shown["firstDomain"] == domain and shown["pid"] == child and
               shown["restricted"] is True and shown["byPid"] is False, "as JSON", shown)
    done = reeve("id", str(program))
    report(done.returncode == 1 and "no such process" in done.stderr, "a process that ended", done)
    for args in (["x"], ["-1"], ["0"], ["1", "2"], ["1", "--self"], ["--peer", "99"],
                 ["--peer", "/nonexistent"]):
        done = reeve("id", *args)
        report(done.returncode == 125 and not done.stdout, f"not to be told: {args}", done)


def can_open_threads():
    try:
        os.close(os.pidfd_open(os.getpid(), os.O_EXCL))
        return True
    except OSError:
        return False


def test_claims():
    """What a process says of itself."""
    with Run("victim", "say(os.getpid())") as victim:
        domain = victim.domain()
        outside = subprocess.Popen(["sleep", "1000"], env=dict(os.environ, REEVE_DOMAIN=domain))
        done = reeve("id", "--json", str(outside.pid))
        report(done.returncode == 1 and json.loads(done.stdout)["domain"] is None,
               "REEVE_DOMAIN of a process outside", done)
        outside.kill()
        outside.wait()
        script = f"""
if os.fork() == 0:
    os.environ["REEVE_DOMAIN"] = "{domain}"
    os.execvp("sleep", ["sleep", "1000"])
say(os.getpid())
"""
        with Run("claims", script) as run:
            children = open(f"/proc/{run.pids()[0]}/task/{run.pids()[0]}/children",
                            encoding="ascii").read().split()
            report(id_of(children[0]) == run.domain(), "REEVE_DOMAIN of one inside")
            done = reeve("id", "--self", env=dict(os.environ, REEVE_DOMAIN=domain))
            report(done.returncode == 1 and not done.stdout, "--self of one outside", done)


def test_orphans():
    script = """
say_to = os.dup(1)
def told(*pids):
    os.write(say_to, (" ".join(map(str, pids)) + "\\n").encode())
def double(then=park):
    inner = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(inner[1], str(os.getpid()).encode())
            then()
        os._exit(0)
    return int(os.read(inner[0], 20))
def clone_parent():
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    pid = libc.syscall(number, 0x8000 | 17, 0, 0, 0, 0)
    if pid == 0:
        park()
    return pid
def reap(then):
    libc.prctl(36, 1, 0, 0, 0)
    then()
orphan = double()
sibling = clone_parent()
inner = os.pipe()
if os.fork() == 0:
    libc.prctl(36, 1, 0, 0, 0)
    os.write(inner[1], f"{os.getpid()} {double()} {clone_parent()}".encode())
    park()
# What /proc says of it then does not fit a page, and what comes last is whether it is restricted.
def join_many():
    if os.geteuid() == 0:
        os.setgroups(range(10000, 13000))
    park()
members = double(join_many)
say(os.getpid(), orphan, sibling, os.read(inner[0], 100).decode(), members)
"""
    with Run("orphans", script) as run:
        domain = run.domain()
        wait_for(lambda: os.geteuid() != 0 or "12999" in status_of(run.pids()[6]))
        names = ("the program", "a double fork's", "one by CLONE_PARENT of the program", "a subreaper inside",
                 "one that it reaped", "one by CLONE_PARENT of it", "one in thousands of groups")
        for name, pid in zip(names, run.pids()):
            report(id_of(pid) == domain, f"orphans: {name}", id_of(pid))
        parents = [parent_of(pid) for pid in run.pids()]
        report(len(run.pids()) == 7 and parents[1] == parents[2] == parents[6] == run.process.pid and
               parents[4] == run.pids()[3] and parents[5] == run.pids()[0], "which were what they should be",
               (run.said, parents))
        run.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: state_of(run.process.pid) == "T")
        report(id_of(run.pids()[0]) == id_of(run.pids()[1]) == domain,
               "who has no others below itself need not be asked: it is stopped")
        run.process.send_signal(signal.SIGCONT)
    # A child of the supervisor that is not of the domain: what its shell had started before.
    shell = f"sleep 1000 & echo $!; exec {REEVE} run --quiet --name inherits -- sh -c 'echo $$; (sleep 1000 & echo $!); read x'"
    process = subprocess.Popen(["sh", "-c", shell], cwd=WORK + "/cwd", stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    before, program, orphan = (int(process.stdout.readline()) for _ in range(3))
    report(id_of(program) != "" and id_of(before) == "" and parent_of(before) == process.pid,
           "not what the supervisor had for a child before")
    domain = id_of(program)
    is_orphan = wait_for(lambda: parent_of(orphan) == process.pid)
    report(is_orphan and id_of(orphan) == domain, "it tells which is which")
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: state_of(process.pid) == "T")
    report(id_of(program) == domain and id_of(orphan) == "", "when it is stopped it proves nothing for orphans")
    process.send_signal(signal.SIGCONT)
    report(id_of(orphan) == domain, "until it goes on")
    # The same in a sandbox of its own, where it looks like an orphan.
    process.stdin.close()
    process.wait()
    os.kill(before, signal.SIGKILL)
    static = f"{REEVE} run --static --quiet --degrade scope.pathname_unix_socket --degrade fs.resolve_unix -- sleep 1000 & echo $!; " \
             f"exec {REEVE} run --quiet --name inherits -- sh -c 'echo $$; read x'"
    process = subprocess.Popen(["sh", "-c", static], cwd=WORK + "/cwd", stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    before, program = int(process.stdout.readline()), int(process.stdout.readline())
    wait_for(lambda: json.loads(reeve("id", "--json", str(before)).stdout)["restricted"])
    shown = json.loads(reeve("id", "--json", str(before)).stdout)
    report(id_of(program) != "" and shown["domain"] is None and shown["restricted"],
           "nor if it is in a sandbox of its own", shown)
    process.stdin.close()
    process.wait()
    try:
        os.kill(before, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_new():
    """At the other end of a socket there may be who has just begun, in a domain not listed yet."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(WORK + "/new")
        listening.listen()
        script = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{WORK}/new'); s.recv(1)"
        with subprocess.Popen([REEVE, "run", "--quiet", "--unix", WORK + "/new", "--", tap.PYTHON, "-c", script],
                              cwd=WORK + "/cwd") as process:
            accepted = listening.accept()[0]
            since = time.monotonic()
            done = reeve("id", "--peer", str(accepted.fileno()), pass_fds=[accepted.fileno()])
            # A second is what it waits: on a machine that is busy with others reeve may need longer.
            while done.returncode and time.monotonic() - since < PATIENCE:
                done = reeve("id", "--peer", str(accepted.fileno()), pass_fds=[accepted.fileno()])
            report(done.returncode == 0 and len(done.stdout) > 8, "a domain that has just begun", done)
            accepted.close()
            process.wait()


def test_readers():
    """Who is in a sandbox is told of domains below its own, and of no others."""
    box = ["run", "--static", "--quiet", "--degrade", "scope.pathname_unix_socket", "--degrade",
           "fs.resolve_unix", "--rw", WORK + "/run", "--rx", os.path.dirname(REEVE)]
    with Run("beside", "say(os.getpid())") as run:
        pid = run.pids()[0]
        done = reeve(*box, "--", REEVE, "id", str(pid), cwd=WORK + "/cwd", env=INSIDE)
        report(done.returncode == 1 and not done.stdout, "a reader in a sandbox beside", done)
        script = f"import os; os.execv({REEVE!r}, ['reeve', 'id', {str(pid)!r}])"
        done = reeve("run", "--quiet", "--ro", WORK + "/run", "--rx", os.path.dirname(REEVE), "--",
                     tap.PYTHON, "-c", script, cwd=WORK + "/cwd", env=INSIDE)
        report(done.returncode == 1 and not done.stdout, "a reader in another domain", done)
    inner = f"{REEVE} run --quiet --name inner -- sh -c 'echo $$; (sleep 1000 & echo $!); read x' <{WORK}/fifo"
    shell = f"{inner} >pids & exec 3>{WORK}/fifo; while ! [ \"$(wc -l <pids)\" = 2 ]; do sleep 0.05; done; " \
            f"cat pids; for pid in $(cat pids); do {REEVE} id $pid; done; echo done; read x"
    os.mkfifo(WORK + "/fifo")
    with subprocess.Popen([REEVE, *box, "--rw", WORK + "/fifo", "--", "sh", "-c", shell], cwd=WORK + "/cwd", env=INSIDE,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        while "done" not in lines:
            line = process.stdout.readline()
            if not line:
                break
            lines.append(line.strip())
        outside = [id_of(pid) for pid in lines[:2]]
        report(len(lines) == 5 and len(outside[0]) > 8 and outside == [outside[0]] * 2,
               "a domain in a static sandbox, as seen from outside", (lines, outside))
        # The second is an orphan. Nobody has to be asked, who would take no questions from inside of sandboxes.
        report(lines[2:4] == outside, "and from that sandbox", lines)
        process.stdin.close()


def test_kernel():
    """The kernel's ids, of a static domain, which has none of reeve's, and of a supervised one."""
    static = [REEVE, "run", "--static", "--quiet", "--degrade", "scope.pathname_unix_socket", "--degrade",
              "fs.resolve_unix", "--", "sh", "-c", "echo $$; read x"]
    with subprocess.Popen(static, cwd=WORK + "/cwd", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process, Run("kernel", "say(os.getpid())") as run:
        shown = [json.loads(reeve("id", "--kernel", "--json", pid).stdout)
                 for pid in (process.stdout.readline().strip(), str(run.pids()[0]))]
        done = reeve("id", str(process.pid))
        process.stdin.close()
        report(shown[0]["domain"] is None and shown[1]["domain"] == run.domain(), "only a supervised one has reeve's",
               shown)
        report(done.stdout != "" or "restricted" in done.stderr and "hint: static runs" in done.stderr,
               "where it has none, what else there may be", done)
        if shown[0]["kernelDomain"] is None:
            tap.skip("the kernel's ids", "bpf: the iterator over all tasks cannot be loaded here"
                     if tap.ROOT else "root: only it can load the iterator")
            return
        report(shown[0]["kernelDomain"] == shown[0]["kernelFirstDomain"], "one layer: first is last", shown[0])
        report(shown[1]["kernelDomain"] != shown[1]["kernelFirstDomain"], "the program has one more than the connector",
               shown[1])
        lines = [json.loads(line) for line in reeve("ps", "--all", "--json").stdout.splitlines()]
        mine = [line for line in lines if line["domain"] == shown[1]["kernelDomain"]]
        report(len(mine) == 1 and mine[0]["tasks"][0]["pid"] == run.pids()[0], "as ps --all has them", mine)


def churn():
    name = f"churn{os.getpid()}"
    # All pids may be taken until those that ended have been waited for. So nobody else has to begin once this has.
    script = f"libc.prctl(15, b'{name}', 0, 0, 0)" + """
def fork():
    while True:
        try: return os.fork()
        except BlockingIOError: time.sleep(0.01)
say(os.getpid())
sys.stdin.readline()
if fork() == 0:
    while os.getppid() != 1:
        pid = fork()
        if pid == 0:
            if fork() == 0:
                time.sleep(0.002)
            os._exit(0)
        os.waitpid(pid, 0)
"""
    with Run("churn", script) as run:
        with subprocess.Popen([CHURN, run.domain(), name, "100", "100"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as process:
            run.process.stdin.write("go\n")
            run.process.stdin.flush()
            return process.communicate(timeout=PATIENCE * 5)[0], process.returncode


def test_reuse():
    if os.environ.get("ID_TEST_REUSE"):
        squeeze_pids()
        said, code = churn()
        report(code == 0, "pids reused under load", said)
        return
    said, code = churn()
    report(code == 0, "processes that come and go", said)
    if not tap.ROOT or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        tap.skip("pids reused under load", "root: needed for a pid namespace")
        return
    if not pids_of_a_namespace():
        tap.skip("pids reused under load", "pid_max: one for all pid namespaces (before Linux 6.14)")
        return
    done = subprocess.run([*UNSHARE, tap.PYTHON, os.path.realpath(__file__), REEVE, CHURN],
                          env=dict(os.environ, ID_TEST_REUSE="1"), capture_output=True, text=True,
                          timeout=PATIENCE * 6, check=False)
    report("ok 1 - pids reused under load" in done.stdout and "not ok" not in done.stdout,
           "pids reused under load", done.stdout + done.stderr)


def test_users():
    """Two users, neither of them root."""
    if not tap.ROOT:
        tap.skip("two users", "root: needed to become two others")
        return
    place = tempfile.mkdtemp()
    os.chmod(place, 0o755)
    for name in ("reeve", "libreeve-command.so"):
        path = os.path.join(os.path.dirname(REEVE), name)
        if os.path.exists(path):
            shutil.copy(path, place)
    for uid in (65533, 65534):
        os.makedirs(f"{place}/{uid}/run", 0o700)
        os.chown(f"{place}/{uid}", uid, uid)
        os.chown(f"{place}/{uid}/run", uid, uid)

    def as_user(uid, run_of, *args):
        env = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": f"{place}/{run_of}/run"}
        return subprocess.Popen([place + "/reeve", *args], env=env, user=uid, group=uid, extra_groups=[],
                                cwd=f"{place}/{uid}", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def said(*args):
        process = as_user(*args)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err
    theirs = as_user(65534, 65534, "run", "--quiet", "--name", "theirs", "--", "sh", "-c", "echo $$; read x")
    pid = theirs.stdout.readline().strip()
    code, domain, err = said(65534, 65534, "id", pid)
    domain = domain.strip()
    report(code == 0 and domain, "two users: whose it is, is told", err)
    for who, uid in (("another user", 65533), ("root", 0)):
        if uid == 0:
            os.makedirs(f"{place}/0/run", 0o700)
        code, out, err = said(uid, uid, "id", "--json", pid)
        report(code == 1 and json.loads(out)["domain"] is None and json.loads(out)["restricted"],
               f"two users: {who} is not", out + err)
        code, out, err = said(uid, uid, "ps", "--json")
        report(code == 0 and not out, f"two users: nor is it listed for {who}", out + err)
        for verb in ("inspect", "kill", "rules", "denials"):
            code, out, err = said(uid, uid, verb, domain)
            report(code == 1 and not out, f"two users: {verb} by {who} who knows the id", out + err)
    for verb in (["ps"], ["kill", domain], ["id", pid]):
        code, out, err = said(65533, 65534, *verb)
        report(code in (0, 1, 125) and not out.replace("\n", "").startswith(domain) and "theirs" not in out,
               f"two users: {verb[0]} in the other's directory", (code, out, err))
    code, out, err = said(65534, 65534, "id", pid)
    report(code == 0 and out.strip() == domain, "two users: it still runs", err)
    theirs.communicate()
    left = [name for name in os.listdir(f"{place}/65534/run/reeve") if not name.endswith(".denials.json")]
    report(not left, "two users: no trace is left", left)
    shutil.rmtree(place)


def link(pid, text):
    path = f"{REGISTRY}/pid-{pid}"
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(text, path)


ORPHAN = """
def orphan():
    ends = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            os.write(ends[1], str(os.getpid()).encode())
            park()
        os._exit(0)
    os.wait()
    return int(os.read(ends[0], 20))
"""


def test_forged():
    """By who may write to the registry, as a sandboxed program may where a policy says so."""
    with Run("victim", ORPHAN + "say(os.getpid(), spawn(), orphan())") as victim, Run("real", "say(os.getpid())") as other:
        domain, own = victim.domain(), other.domain()
        child = subprocess.Popen(["sleep", "1000"])
        text, made = certificate(os.getpid(), child.pid)
        link(child.pid, text)
        report(id_of(child.pid) == made, "a certificate of our own, for our own child", id_of(child.pid))
        link(child.pid, certificate(os.getpid(), child.pid, domain)[0])
        report(id_of(child.pid) == "", "with another's id")
        link(child.pid, os.readlink(f"{REGISTRY}/pid-{victim.pids()[0]}"))
        report(id_of(child.pid) == "", "another's certificate")
        for what, pid in (("who is not our child", os.getppid()), ("ourselves", os.getpid())):
            link(pid, certificate(os.getpid(), pid)[0])
            report(id_of(pid) == "" and id_of(child.pid) == "", f"a certificate for {what}")
            os.unlink(f"{REGISTRY}/pid-{pid}")
        # With links to the victim's socket, on which its supervisor listens, and to its entry, by a lock on which it
        # states that all below it is in its domain.
        text, made = certificate(victim.process.pid, victim.pids()[0])
        os.link(f"{REGISTRY}/{domain}.sock", f"{REGISTRY}/{made}.sock")
        os.link(f"{REGISTRY}/{domain}.json", f"{REGISTRY}/{made}.json")
        os.symlink(text, f"{REGISTRY}/supervisor-{victim.process.pid}/{made}")
        saved = os.readlink(f"{REGISTRY}/pid-{victim.process.pid}")
        stated = saved.split()[-1]
        report(stated.isdigit() and len(stated) < 9, "its supervisor states that all below it is in its domain", saved)
        link(victim.process.pid, f"{text} {stated}")
        report(id_of(victim.pids()[2]) == domain, "a certificate of our own for another's orphan", id_of(victim.pids()[2]))
        # Whoever holds such a lock, it is not the supervisor.
        with open(f"{REGISTRY}/{made}.json", "r+", encoding="ascii") as held:
            fcntl.lockf(held, fcntl.LOCK_EX, 1, int(made, 16) & (1 << 63) - 1)
            report(id_of(victim.pids()[2]) == domain, "nor with a lock of our own", id_of(victim.pids()[2]))
            link(victim.process.pid, f"{text} {held.fileno()}")
            report(id_of(victim.pids()[2]) == domain, "by its number", id_of(victim.pids()[2]))
        os.unlink(f"{REGISTRY}/supervisor-{victim.process.pid}/{domain}")
        report(id_of(victim.pids()[2]) == domain, "nor in place of the real one", id_of(victim.pids()[2]))
        os.unlink(f"{REGISTRY}/supervisor-{victim.process.pid}/{made}")
        os.unlink(f"{REGISTRY}/{made}.json")
        link(victim.process.pid, saved)
        report(id_of(victim.pids()[2]) == domain, "the real one once more", id_of(victim.pids()[2]))
        saved = os.readlink(f"{REGISTRY}/pid-{other.pids()[0]}")
        for text in (certificate(child.pid, other.pids()[0])[0], "reeve1", "x" * 200, "../victim"):
            link(other.pids()[0], text)
            report(id_of(other.pids()[0]) == own, f"in place of a real one, whose supervisor knows: {text[:20]}")
        link(other.pids()[0], saved)
        report(id_of(other.pids()[0]) == own, "the real one again")
        child.kill()
        child.wait()


def test_slow():
    """A supervisor above a task, which is asked of it, and sends a byte now and then."""
    static = [REEVE, "run", "--static", "--quiet", "--degrade", "scope.pathname_unix_socket", "--degrade",
              "fs.resolve_unix", "--", "sh", "-c", "echo $$; read x"]
    with subprocess.Popen(static, cwd=WORK + "/cwd", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process, socket.socket(socket.AF_UNIX) as listening:
        other = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL)
        text, made = certificate(os.getpid(), other.pid)
        path = f"{REGISTRY}/supervisor-{os.getpid()}"
        os.makedirs(path, exist_ok=True)
        os.symlink(text, f"{path}/{made}")
        listening.bind(f"{REGISTRY}/{made}.sock")
        listening.listen()
        over = threading.Event()
        thread = threading.Thread(target=drip, args=(listening, over))
        thread.start()
        done = reeve("id", process.stdout.readline().strip())
        report(done.returncode == 1 and not done.stdout, "a supervisor that answers byte by byte is given up", done)
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        other.kill()
        other.wait()
        shutil.rmtree(path)
        process.stdin.close()


def test_self():
    done = reeve("run", "--quiet", "--ro", REEVE, "--ro", os.path.dirname(REEVE), "--rx", REEVE, "--",
                 "sh", "-c", f"{REEVE} id; {REEVE} id --self --json; echo $REEVE_DOMAIN", cwd=WORK + "/cwd", env=INSIDE)
    lines = done.stdout.splitlines()
    report(len(lines) == 3 and lines[0] == lines[2] != "" and
           json.loads(lines[1]) == {"version": 1, "type": "id", "domain": lines[0], "source": "environment",
                                    "pid": json.loads(lines[1])["pid"], "restricted": True},
           "--self inside: what it was told", done)


def test_peers():
    path = WORK + "/cwd/listening"
    script = """
import socket
listening = socket.socket(socket.AF_UNIX)
listening.bind("listening")
listening.listen()
out = socket.socket(socket.AF_UNIX)
say(os.getpid())
"""
    with Run("peers", script) as run:
        done = reeve("id", "--peer", path)
        report(done.stdout.strip() == run.domain(), "who listens there", done)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(WORK + "/outside")
        listening.listen()
        script = f"""
import socket
out = socket.socket(socket.AF_UNIX)
out.connect("{WORK}/outside")
say(os.getpid())
"""
        with Run("connects", script, "--unix", WORK + "/outside") as run:
            accepted = listening.accept()[0]
            with accepted:
                done = reeve("id", "--peer", str(accepted.fileno()), pass_fds=[accepted.fileno()])
                report(done.stdout.strip() == run.domain(), "who connected from inside", done)
                shown = json.loads(reeve("id", "--json", "--peer", str(accepted.fileno()),
                                         pass_fds=[accepted.fileno()]).stdout)
                report(shown["domain"] == run.domain() and shown["pid"] > 0, "as JSON", shown)
        client = socket.socket(socket.AF_UNIX)
        client.connect(WORK + "/outside")
        accepted = listening.accept()[0]
        done = reeve("id", "--peer", str(accepted.fileno()), pass_fds=[accepted.fileno()])
        report(done.returncode == 1 and not done.stdout, "who is in none", done)


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if reeve("run", "--dry-run", "--", "true", cwd=WORK + "/cwd").returncode != 0:
        tap.skip_all("landlock: no supervised domain can be started here")
    if os.environ.get("ID_TEST_REUSE"):
        test_reuse()
        return
    for test in (test_plain, test_claims, test_forged, test_slow, test_self, test_peers, test_orphans, test_readers, test_kernel, test_new,
                 test_reuse, test_users):
        test()


try:
    main()
finally:
    shutil.rmtree(WORK)
tap.finish()
