#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that sandbox themselves by Landlock inside of a supervised run.

	test_inner.py REEVE [--user]
"""
import os
import socket
import subprocess
import rig
from rig import PYTHON, REEVE, events, put, reeve, report, run

PROGRAM = [PYTHON, "-I", "-S", "prog.py"]
POLICY = """abi = 7
extends = ["base"]
{inner}
[[ruleset]]
handled_access_fs = ["abi.all"]
handled_access_net = ["connect_tcp"]
scoped = ["signal", "abstract_unix_socket", "pathname_unix_socket"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{here}/floor", "{here}/brokered"]
except = ["{here}/brokered/secret"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{here}/live"]
live = true
[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["{here}/prog.py"]
{more}"""

# restrict(): forbids to read files but below PATHS, to write none, and to connect by TCP to none.
PROLOGUE = r"""
import ctypes, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def landlock(number, *args):
    got = libc.syscall(ctypes.c_long(number), *args)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
def restrict(*paths, fs=4, net=0, scoped=0):
    attr = (ctypes.c_uint64 * 3)(fs, net, scoped)
    ruleset = landlock(444, ctypes.byref(attr), ctypes.c_size_t(24 if scoped else 16), 0)
    for path in paths:
        class Rule(ctypes.Structure):
            _pack_ = 1
            _fields_ = [("allowed", ctypes.c_uint64), ("fd", ctypes.c_int32)]
        fd = os.open(path, os.O_PATH)
        landlock(445, ruleset, 1, ctypes.byref(Rule(fs, fd)), 0)
        os.close(fd)
    landlock(446, ruleset, 0)
    os.close(ruleset)
def attempt(name, call):
    try:
        got = call()
        print(name, got if isinstance(got, str) else "done", flush=True)
    except OSError as error:
        print(name, error.strerror, flush=True)
def read(path):
    with open(path) as file:
        return file.read().strip()
def write(path):
    with open(path, "w") as file:
        file.write("x")
"""


def prepare(program, inner='inner_landlock = "floor-only"', more=""):
    here = os.getcwd()
    for name in ("floor", "live", "brokered"):
        os.makedirs(name, exist_ok=True)
        put(f"{name}/f", f"{name} f\n")
    put("brokered/secret", "secret\n")
    put("prog.py", PROLOGUE + program)
    put("policy.toml", POLICY.format(here=here, inner=inner, more=more))


def started(*args, **more):
    return run("-p", "./policy.toml", "--events", "log", *args, command=[*PROGRAM], **more)


def without():
    prepare("attempt('restrict', restrict)\n", inner="")
    got = started()
    report(got.stdout == "restrict Operation not supported\n", "refused unless the policy allows it",
           got)
    seen = [event for event in events("log") if event.get("by") == "guard.landlock"]
    report(seen, "and told", events("log"))


ENDS = r"""
attempt("live", lambda: read("live/f"))
attempt("make", lambda: write("live/new"))
attempt("brokered", lambda: write("brokered/new"))
attempt("secret", lambda: read("brokered/secret"))
child = os.fork()
if child == 0:
    restrict("floor")
    attempt("inner floor", lambda: read("floor/f"))
    attempt("inner live", lambda: read("live/f"))
    attempt("inner brokered", lambda: read("brokered/f"))
    os._exit(0)
os.waitpid(child, 0)
attempt("outer floor", lambda: read("floor/f"))
attempt("outer live", lambda: read("live/f"))
attempt("outer made", lambda: write("live/later"))
attempt("outer brokered", lambda: write("brokered/later"))
attempt("outer secret", lambda: read("brokered/secret"))
attempt("outer move", lambda: os.rename("floor/f", "floor/g"))
attempt("outer carry", lambda: os.rename("floor/g", "live/g"))
"""
DENIED = "Permission denied"


def ends():
    prepare(ENDS)
    got = started()
    wanted = ["live live f", "make done", "brokered done", f"secret {DENIED}",
              "inner floor floor f", f"inner live {DENIED}", f"inner brokered {DENIED}",
              "outer floor floor f", f"outer live {DENIED}", f"outer made {DENIED}",
              f"outer brokered {DENIED}", f"outer secret {DENIED}", "outer move done"]
    lines = got.stdout.splitlines()
    report(lines[:-1] == wanted, "live rules, and what is brokered, end for the whole domain; the "
           "floor stays", got)
    report(lines and lines[-1] in ("outer carry " + why for why in (
        "Invalid cross-device link", DENIED)), "nothing is carried to where a rule was live", got)
    commits = [event for event in events("log") if event["event"] == "commit"]
    report([event["by"] for event in commits] == ["inner_landlock"] and "restricts itself" in
           commits[0]["object"], "one event says so", commits)
    denied = {os.path.basename(event["object"]) for event in events("log")
              if event["event"] == "denied"}
    report({"f", "later", "secret"} <= denied, "what is lost is told as denied", events("log"))


def no_more():
    prepare("restrict('floor')\nprint('ready', flush=True)\nsys.stdin.read()\n"
            "attempt('live', lambda: read('live/f'))\n")
    with subprocess.Popen([REEVE, "run", "-p", "./policy.toml", "--name", "inner-" + str(os.getpid()),
                           "--", *PROGRAM], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        name = "inner-" + str(os.getpid())
        allowed = reeve("allow", name, "--ro", f"{os.getcwd()}/live")
        rules = reeve("rules", name)
        shown = reeve("inspect", name)
        out = running.communicate("", timeout=120)[0]
    report(allowed.returncode and "restricted itself" in allowed.stderr and "floor-only" in
           allowed.stderr, "nothing can be granted any more, with the reason", allowed)
    report(rules.stdout == "No live rules.\n", "no rule is shown as live", rules)
    report("restricted itself" in shown.stdout, "inspect says it", shown)
    report(out == f"live {DENIED}\n", "and nothing was granted", out)


QUESTIONS = r"""
child = os.fork()
if child == 0:
    attempt("asked", lambda: read("outside"))
    os._exit(0)
while not os.path.exists("floor/question"):
    time.sleep(0.01)
restrict("floor")
os.waitpid(child, 0)
attempt("not asked", lambda: read("floor/../outside"))
"""


def questions():
    put("outside", "word\n")
    prepare(QUESTIONS)
    # Says that it was asked, and never answers.
    put("approver", f"#!/bin/sh\nread line; : >{os.getcwd()}/floor/question; read line; cat\n", 0o755)
    got = started("--approver", f"{os.getcwd()}/approver")
    report(got.stdout == f"asked {DENIED}\nnot asked {DENIED}\n",
           "what is held is denied, and nothing is asked any more", got)


SOCKETS = r"""
server = socket.socket(socket.AF_UNIX)
server.bind("floor/s")
server.listen(8)
named = socket.socket(socket.AF_UNIX)
named.bind("\0inner-%d" % os.getpid())
named.listen(8)
port = int(sys.argv[1])
def connect(family, to):
    with socket.socket(family) as s:
        s.connect(to)
def all_of(when):
    attempt(when + " tcp", lambda: connect(socket.AF_INET, ("127.0.0.1", port)))
    attempt(when + " path", lambda: connect(socket.AF_UNIX, "floor/s"))
    attempt(when + " abstract", lambda: connect(socket.AF_UNIX, "\0inner-%d" % os.getpid()))
    attempt(when + " outside", lambda: connect(socket.AF_UNIX, "outside.s"))
all_of("before")
restrict("/", net=2)
all_of("after")
"""


def sockets():
    outside = socket.socket(socket.AF_UNIX)
    outside.bind("outside.s")
    outside.listen(8)
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    prepare(SOCKETS, more=f"""[[net_address]]
allowed_access = ["connect_tcp"]
address = ["127.0.0.1:{port}"]
""")
    got = run("-p", "./policy.toml", command=[*PROGRAM, str(port)])
    lines = got.stdout.splitlines()
    report(lines[:4] == ["before tcp done", "before path done", "before abstract done",
                         f"before outside {DENIED}"], "before", got)
    report(f"after tcp {DENIED}" in lines, "TCP is not performed any more: the inner domain "
           "forbids it", got)
    report("after path done" in lines, "a socket of the domain is reached by its path", got)
    report(f"after outside {DENIED}" in lines, "one outside is not", got)
    outside.close()
    server.close()


def nested():
    prepare("os.execv(sys.argv[1], sys.argv[1:])\n", more=f"""[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["{os.path.dirname(REEVE)}"]
""")
    inside = [REEVE, "run", "--static", "-p", "base", "--ro", "floor", "--", "/bin/sh", "-c",
              "cat floor/f; cat live/f; cat brokered/f"]
    got = run("-p", "./policy.toml", command=[*PROGRAM, *inside])
    report(got.stdout == "floor f\n" and got.returncode == 1,
           "`reeve run --static` works inside, and holds", got)
    inside.remove("--static")
    got = run("-p", "./policy.toml", command=[*PROGRAM, *inside])
    report(got.returncode == 125 and "already runs in the supervised domain" in got.stderr and
           "floor-only" in got.stderr, "a second supervisor is refused, with the ways out", got)


rig.main(without, ends, no_more, questions, sockets, nested)
