#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve ps --all` and `reeve observe`: every Landlock domain on the host.

    host.py REEVE          as root: domains of all kinds must be found, with the kernel's ids
    host.py --user REEVE   as an ordinary user: what it says without privileges
"""
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.append(os.path.dirname(os.path.realpath(__file__)))
import tap
from sandboxes import Child, restrict

HERE = os.path.dirname(os.path.realpath(__file__))
NS = 0x00020000  # CLONE_NEWNS
STATIC = ["-p", "none", "--rx", "/", "--static", "--"]


def reeve(*arguments, **more):
    return subprocess.run([REEVE, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=240, **more)


def domains(**more):
    done = reeve("ps", "--all", "--json", **more)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_task(lines, tid):
    """The innermost domain of a task, None where it is in none."""
    for line in lines:
        if any(task["tid"] == tid for task in line.get("tasks", [])):
            return line
    return None


def by_id(lines, domain):
    return next(line for line in lines if line.get("domain") == domain)


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("too long")
        time.sleep(0.02)


@contextlib.contextmanager
def running(*arguments, **more):
    process = subprocess.Popen([REEVE, "run", *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, **more)
    try:
        process.stdout.readline()
        # What lives long enough is listed a moment later.
        until(lambda: "--static" in arguments or reeve("ps", "--json").stdout)
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def case(name):
    def wrap(function):
        try:
            function()
            tap.report(True, name)
        except Exception as error:  # the report has it
            tap.report(False, name, f"{type(error).__name__}: {error}")
    return wrap


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def lacking():
    done = reeve("check", "--json")
    for line in map(json.loads, done.stdout.splitlines()):
        if line.get("feature") == "host_domains":
            return "" if line["by"] == "reeve" else line["why"] or "?"
    return "no such feature"


# ------------------------------------------------------------------------- the user

def as_ordinary_user():
    done = reeve("ps", "--all")
    if done.returncode == 0:
        tap.skip("the message of an ordinary user", "unpinned: this host has a pinned iterator")
    else:
        @case("an ordinary user is told why, and the way out")
        def _():
            check(done.returncode == 125, done.returncode)
            check(done.stdout == "", done.stdout)
            check("Landlock domains of this host cannot be read" in done.stderr, done.stderr)
            if "needs root" in done.stderr:
                check("hint: `reeve observe pin`" in done.stderr, done.stderr)

    @case("an ordinary user cannot pin")
    def _():
        done = reeve("observe", "pin")
        check(done.returncode == 125, done.returncode)
        check(done.stderr != "", done.stderr)


# ------------------------------------------------------------------------------ root

def twice():
    restrict()
    restrict()


def thread_alone(where):
    """A process outside, with a thread that sandboxed itself."""
    def work():
        ready = threading.Event()

        def inside():
            restrict()
            os.write(where, b"%d\n" % threading.get_native_id())
            ready.set()
            signal.pause()
        threading.Thread(target=inside, daemon=True).start()
        ready.wait()
    return work


def leader_alone(where):
    """A process that sandboxed itself, with a thread from before."""
    def work():
        ready = threading.Event()

        def outside():
            os.write(where, b"%d\n" % threading.get_native_id())
            ready.set()
            signal.pause()
        threading.Thread(target=outside, daemon=True).start()
        ready.wait()
        restrict()
    return work


def as_root():
    @case("a domain made by others, with its creator")
    def _():
        child = Child(restrict)
        try:
            found = of_task(domains(), child.pid)
            check(found, "not found")
            creator = found["creator"]
            check(found["depth"] == 1 and found["parent"] is None, found)
            check(creator["pid"] == child.pid and creator["lives"], found)
            check(creator["uid"] == os.getuid(), found)
            check(creator["exe"] == os.path.realpath("/proc/self/exe"), found)
            check(found["reeve"] is None and found["role"] is None, found)
            check(f"{found['domain']}" in reeve("ps", "--all").stdout, "not in the table")
        finally:
            child.end()
        check(of_task(domains(), child.pid) is None, "still there after its end")

    @case("nested domains, each with its parent")
    def _():
        child = Child(twice)
        try:
            lines = domains()
            inner = of_task(lines, child.pid)
            check(inner and inner["depth"] == 2, inner)
            outer = by_id(lines, inner["parent"])
            check(outer["depth"] == 1 and outer["tasks"] == [], outer)
            check(int(outer["domain"], 16) < int(inner["domain"], 16), lines)
        finally:
            child.end()

    @case("sixteen layers, the kernel's limit")
    def _():
        child = Child(lambda: [restrict() for _ in range(16)])
        try:
            lines = domains()
            inner = of_task(lines, child.pid)
            check(inner["depth"] == 16, inner)
            line, steps = inner, 1
            while line["parent"]:
                line, steps = by_id(lines, line["parent"]), steps + 1
            check(steps == 16, steps)
        finally:
            child.end()

    @case("denials are counted, whether they are logged or not")
    def _():
        def denied():
            restrict(1 << 2)  # read_file
            for _ in range(3):
                try:
                    os.open("/etc/passwd", os.O_RDONLY)
                    os._exit(1)
                except PermissionError:
                    pass
        child = Child(denied)
        try:
            found = of_task(domains(), child.pid)
            check(found["denials"] == 3, found)
        finally:
            child.end()

    @case("a thread whose domain is not its process's")
    def _():
        read, write = os.pipe()
        child = Child(thread_alone(write))
        tid = int(os.read(read, 32))
        try:
            lines = domains()
            found = of_task(lines, tid)
            check(found and found["tasks"][0]["pid"] == child.pid, found)
            check(of_task(lines, child.pid) is None, "the process is in no domain")
        finally:
            child.end()

    @case("a thread outside of its process's domain")
    def _():
        read, write = os.pipe()
        child = Child(leader_alone(write))
        tid = int(os.read(read, 32))
        try:
            lines = domains()
            check(of_task(lines, child.pid), "the process is in a domain")
            free = [line for line in lines if line["type"] == "thread_outside"]
            check(any(line["tid"] == tid and line["pid"] == child.pid for line in free), free)
            check(of_task(lines, tid) is None, "the thread is in none")
        finally:
            child.end()

    @case("threads that share their process's domain are not listed one by one")
    def _():
        def work():
            restrict()
            for _ in range(3):
                threading.Thread(target=signal.pause, daemon=True).start()
        child = Child(work)
        try:
            check(len(of_task(domains(), child.pid)["tasks"]) == 1, "one task")
        finally:
            child.end()

    @case("200 domains")
    def _():
        children = []
        try:
            for _ in range(200):
                children.append(Child(restrict))
            lines = domains()
            found = [of_task(lines, child.pid) for child in children]
            check(all(found), "one is missing")
            check(len({line["domain"] for line in found}) == 200, "ids are not unique")
        finally:
            for child in children:
                child.end()

    @case("a supervised run: reeve's id beside the kernel's two")
    def _():
        with running("-p", "none", "--rx", "/", "--", "sh", "-c", "echo ready; exec sleep 600"):
            own = [json.loads(line) for line in reeve("ps", "--json").stdout.splitlines()]
            lines = domains()
            check(len(own) == 1, own)
            ours = [line for line in lines if line["reeve"] == own[0]["domain"]]
            check([line["role"] for line in ours] == ["floor", "program"], ours)
            check(ours[1]["parent"] == ours[0]["domain"], ours)
            check(of_task(lines, own[0]["pid"]) == ours[1], ours)
            check(ours[0]["tasks"][0]["comm"] == "reeve-connector", ours)
            rows = [line.split() for line in reeve("ps", "--all").stdout.splitlines()]
            commands = {row[0]: row[5:] for row in rows}
            check(commands[ours[0]["domain"]][1:] == ["reeve-connector"], commands)
            check(commands[ours[1]["domain"]][1:] == ["sleep", "600"], commands)

    @case("a supervised run whose program is gone, and left a process")
    def _():
        script = "sleep 600 & echo ready; exec sleep 600"
        with running("-p", "none", "--rx", "/", "--", "sh", "-c", script):
            own = json.loads(reeve("ps", "--json").stdout)
            ours = [line for line in domains() if line["reeve"] == own["domain"]]
            check(len(ours) == 2 and len(ours[1]["tasks"]) == 2, ours)

    @case("a static run is named")
    def _():
        with running(*STATIC, "sh", "-c", "echo ready; exec sleep 600") as process:
            found = of_task(domains(), process.pid)
            check(found["role"] == "static" and found["reeve"] is None, found)
            check(found["creator"]["exe"] == REEVE, found)

    @case("the tree: a static run, its processes, and one that lost its parent")
    def _():
        script = "(sleep 600 & echo $!); sleep 600 & echo $!; wait"
        with subprocess.Popen([REEVE, "run", *STATIC, "sh", "-c", script], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as process:
            orphan, child = (int(process.stdout.readline()) for _ in range(2))
            try:
                found = of_task(domains(), process.pid)
                inside = {task["pid"] for task in found["tasks"]}
                check(inside == {process.pid, child, orphan}, found)
                done = reeve("ps", "--all", "--tree")
                lines = done.stdout.splitlines()
                check(lines[0].split() == ["DOMAIN", "REEVE", "NAME", "DENIALS", "MADE", "BY"], done)
                at = next(i for i, line in enumerate(lines) if line.split()[0] == found["domain"])
                check(lines[at].split()[1] == "static", lines[at])
                below = sorted(lines[at + 1:at + 4], key=lambda line: line.startswith(("   ", "|  ")))
                check(below[2][3:] == f"`- {child} sleep" and
                      {int(line[3:].split()[0]) for line in below[:2]} == {process.pid, orphan}, lines)
            finally:
                for pid in (child, orphan, process.pid):
                    os.kill(pid, signal.SIGKILL)

    @case("a process that names itself as reeve's connector is not taken for it")
    def _():
        with running("-p", "none", "--rx", "/", "--", "sh", "-c", "echo ready; exec sleep 600"):
            own = json.loads(reeve("ps", "--json").stdout)

            def work():
                restrict()
                with open("/proc/self/comm", "w") as comm:
                    comm.write("reeve-connector")
            child = Child(work)
            try:
                lines = domains()
                check(of_task(lines, child.pid)["reeve"] is None, lines)
                check(len([line for line in lines if line["reeve"] == own["domain"]]) == 2, lines)
            finally:
                child.end()

    @case("another pid namespace: its own tasks, by its own numbers")
    def _():
        script = (f"{tap.PYTHON} -c 'import sys; sys.path.append(\"{HERE}\"); "
                  f"from sandboxes import Child, restrict; import subprocess; c = Child(restrict); "
                  f"print(c.pid, flush=True); "
                  f"subprocess.run([\"{REEVE}\", \"ps\", \"--all\", \"--json\"]); c.end()'")
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script],
                              capture_output=True, text=True, timeout=240,
                              env={**os.environ, "XDG_RUNTIME_DIR": PLACE + "/empty"})
        pid, *rest = done.stdout.splitlines()
        lines = [json.loads(line) for line in rest]
        check(int(pid) < 50, f"pid {pid} is none of a new namespace")
        found = of_task(lines, int(pid))
        check(found and found["creator"]["pid"] == int(pid), done.stdout + done.stderr)
        check(len(lines) == 1, lines)

    pinned()


def in_namespace(function):
    """Runs function in a process with a /run of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            check(libc.unshare(NS) == 0, "unshare")
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "run", "/run"], check=True)
            function()
            code = 0
        except Exception as error:
            print(f"# {type(error).__name__}: {error}", flush=True)
        finally:
            os._exit(code)
    check(os.waitpid(pid, 0)[1] == 0, "see above")


def pins():
    """But for the kernel's own (BPF_PRELOAD)."""
    return [name for name in os.listdir("/run/reeve/bpf") if not name.endswith(".debug")]


def pinned():
    pin = "/run/reeve/bpf/domains"
    user = {"user": tap.NOBODY, "group": tap.NOBODY, "extra_groups": []}

    def both():
        done = reeve("observe", "pin")
        check(done.returncode == 0 and done.stdout == pin + "\n", done)
        check(os.stat(pin).st_mode & 0o7777 == 0o444, oct(os.stat(pin).st_mode))
        child = Child(restrict)
        try:
            found = of_task(domains(**user), child.pid)
            check(found and found == of_task(domains(), child.pid), found)
        finally:
            child.end()

    @case("pinned: an ordinary user reads it")
    def _():
        in_namespace(both)

    def again():
        for _ in range(2):
            check(reeve("observe", "pin").returncode == 0, "pin")
        check(pins() == ["domains"], pins())
        check(reeve("observe", "pin", "--root-only").returncode == 0, "pin")
        check(reeve("ps", "--all").returncode == 0, "root reads it")
        check(reeve("ps", "--all", **user).returncode == 125, "for root alone")
        check(reeve("observe", "unpin", **user).returncode == 125, "root's to remove")
        check(reeve("observe", "unpin").returncode == 0, "unpin")
        check(not os.path.exists("/run/reeve"), "something is left")
        check(reeve("observe", "unpin").returncode == 1, "nothing is pinned")

    @case("pinned again, for root alone, and unpinned without a trace")
    def _():
        in_namespace(again)

    def foreign():
        os.makedirs("/run/reeve")
        os.chown("/run/reeve", tap.NOBODY, tap.NOBODY)
        done = reeve("observe", "pin")
        check(done.returncode == 125 and "/run/reeve must be" in done.stderr, done)
        os.mkdir("/run/reeve/bpf")
        with open(pin, "w") as file:
            file.write("rev1" + "\0" * 4)
        os.chown(pin, tap.NOBODY, tap.NOBODY)
        child = Child(restrict)
        try:
            check(of_task(domains(), child.pid), "believes somebody else's file")
        finally:
            child.end()

    @case("a directory of somebody else's is neither used nor believed")
    def _():
        in_namespace(foreign)

    def garbage():
        os.makedirs("/run/reeve/bpf")
        for data in (b"", b"x", b"rev1", b"rev2\0\0\0\0" + b"\xff" * 200, b"rev9" * 100):
            with open(pin, "wb") as file:
                file.write(data)
            done = reeve("ps", "--all", **user)
            check(done.returncode == 125, (data, done))
            check("another version" in done.stderr and "hint" in done.stderr, (data, done.stderr))

    @case("what another version pinned is refused, with the way out")
    def _():
        in_namespace(garbage)

    def busy():
        check(reeve("observe", "pin").returncode == 0, "pin")
        os.mkdir("/run/reeve/bpf/other")
        check(reeve("observe", "unpin").returncode == 0, "unpin")
        check(pins() == ["other"], "took away what was somebody else's")

    @case("unpin leaves what others pinned there")
    def _():
        in_namespace(busy)


if "--user" in sys.argv:
    sys.argv.remove("--user")
    tap.as_user(HERE + "/sandboxes.py")
PLACE = tempfile.mkdtemp()
os.chmod(PLACE, 0o755)
os.mkdir(PLACE + "/empty", 0o700)
for source in (sys.argv[1], os.path.join(os.path.dirname(os.path.realpath(sys.argv[1])), "libreeve-command.so")):
    shutil.copy(source, PLACE)
REEVE = os.path.realpath(PLACE + "/" + os.path.basename(sys.argv[1]))
os.mkdir(PLACE + "/run", 0o700)
os.environ["XDG_RUNTIME_DIR"] = PLACE + "/run"
why = lacking()
if not tap.ROOT:
    as_ordinary_user()
elif why:
    tap.skip("the domains of this host", f"bpf: {why}")
else:
    as_root()
shutil.rmtree(PLACE)
tap.finish()
