#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve audit`: records of the kernel's audit as events.

    audit.py [--user] REEVE

What is recorded here was seen on Linux 6.18, or is of the shape that the kernel's documentation
gives; auditing itself is not turned on, as all of the machine would notice.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.append(os.path.dirname(os.path.realpath(__file__)))
import tap
from sandboxes import Child, restrict

HERE = os.path.dirname(os.path.realpath(__file__))
CALLER = ("type=SYSCALL msg=audit(1795891451.884:{serial}): arch=c000003e syscall=257 success=no exit=-13 "
          "a0=ffffff9c items=0 ppid=24381 pid=24384 auid=4294967295 uid=0 tty=(none) comm=\"cat\" "
          "exe=\"/usr/bin/cat\" key=(null)\x1dARCH=x86_64 SYSCALL=openat\n")
END = "type=EOE msg=audit(1795891451.884:{serial}): \n"


def access(fields, serial=597, kind="LANDLOCK_ACCESS", domain="195ba459b"):
    return f"type={kind} msg=audit(1795891451.884:{serial}): domain={domain} {fields}\n"


def domain(fields, serial=597, kind="LANDLOCK_DOMAIN"):
    return f"type={kind} msg=audit(1795891451.884:{serial}): domain=195ba459b {fields}\n"


def caller(serial=597):
    return (CALLER + END).format(serial=serial)


def audit(log, *options):
    text = log if isinstance(log, bytes) else log.encode()
    done = subprocess.run([REEVE, "audit", *options, "-"], input=text, capture_output=True, timeout=240)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode("utf-8", "surrogateescape")


def events(log):
    return [json.loads(line) for line in audit(log, "--json").splitlines()]


def case(name):
    def wrap(function):
        try:
            function()
            tap.report(True, name)
        except Exception as error:  # the report has it
            tap.report(False, name, f"{type(error).__name__}: {error}")
    return wrap


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def says(name, log, wanted):
    case(name)(lambda: same(audit(log), wanted))


if "--user" in sys.argv:
    sys.argv.remove("--user")
    tap.as_user(HERE + "/sandboxes.py")
REEVE = os.path.realpath(sys.argv[1])

FILE = 'blockers=fs.write_file,fs.read_file path="/etc/passwd" dev="vda" ino=409611'


@case("a denial, with who did it: the keys of `reeve watch --json`")
def _():
    same(events(access(FILE) + caller()), [{
        "version": 1, "event": "denied", "sequence": 597, "time": "2026-11-28T18:44:11.884000Z",
        "domain": "195ba459b", "pid": 24384, "comm": "cat", "exe": "/usr/bin/cat", "call": "openat",
        "asked": ["fs.write_file", "fs.read_file"], "missing": ["fs.write_file", "fs.read_file"],
        "object": "/etc/passwd", "error": "EACCES", "by": "kernel"}])


@case("a domain's first denial and its end")
def _():
    log = (access(FILE) + domain('status=allocated mode=enforcing pid=300 uid=7 exe="/root/sandboxer" '
                                 'comm="sandboxer"') + caller() + domain("status=deallocated denials=3", 598))
    got = events(log)
    same([event["event"] for event in got], ["denied", "domain", "freed"])
    same((got[1]["pid"], got[1]["comm"], got[1]["exe"]), (300, "sandboxer", "/root/sandboxer"))
    same((got[2]["count"], got[2]["sequence"]), (3, 598))


says("text", access(FILE) + caller(), "195ba459b denied fs.write_file, fs.read_file /etc/passwd (cat[24384])\n")
says("without a record of the system call", access(FILE),
     "195ba459b denied fs.write_file, fs.read_file /etc/passwd\n")
for shape, line in {
        "auditd that does not know the type": access(FILE, kind="UNKNOWN[1423]"),
        "a number": access(FILE, kind="1423"),
        "dmesg": "[ 3652.339345] audit: " + access(FILE, kind="1423").replace("msg=", ""),
        "syslog": "Nov 28 18:44:11 host kernel: audit: " + access(FILE, kind="1423").replace("msg=", ""),
        "a node's name first": "node=host " + access(FILE)}.items():
    says(f"lines of {shape}", line, "195ba459b denied fs.write_file, fs.read_file /etc/passwd\n")

for what, fields, wanted in (
        ("TCP", "blockers=net.connect_tcp daddr=127.0.0.1 dest=9", "net.connect_tcp 127.0.0.1:9"),
        ("TCP over IPv6", "blockers=net.bind_tcp saddr=::1 src=9999", "net.bind_tcp [::1]:9999"),
        ("a port alone", "blockers=net.bind_tcp src=80", "net.bind_tcp 80"),
        ("an abstract socket", "blockers=scope.abstract_unix_socket path=0066322061627320",
         "scope.abstract_unix_socket @f2 abs "),
        ("a signal", 'blockers=scope.signal opid=1 ocomm="systemd"', "scope.signal pid 1 (systemd)"),
        ("ptrace", 'blockers=ptrace opid=300 ocomm="a"', "ptrace pid 300 (a)"),
        ("mount", 'blockers=fs.change_topology name="/mnt" dev="vda" ino=2', "fs.change_topology /mnt"),
        ("a right of a later Landlock", 'blockers=fs.fly path="/x"', "fs.fly /x")):
    says(f"denied: {what}", access(fields), f"195ba459b denied {wanted}\n")


@case("events are put together when their records come mixed")
def _():
    log = access(FILE, 1) + access(FILE, 2) + CALLER.format(serial=2) + CALLER.format(serial=1) + \
        END.format(serial=2) + END.format(serial=1)
    same([(event["sequence"], event["pid"]) for event in events(log)], [(1, 24384), (2, 24384)])


@case("several denials of one system call")
def _():
    got = events(access(FILE) + access('blockers=fs.make_reg path="/b" dev="vda" ino=2') + caller())
    same([(event["object"], event["pid"]) for event in got], [("/etc/passwd", 24384), ("/b", 24384)])


@case("thousands of events without an end")
def _():
    log = "".join(access(FILE, serial) for serial in range(3000))
    same([event["sequence"] for event in events(log)], list(range(3000)))


# ------------------------------------------------------------------------- hostile text

NAMES = [b"/tmp/a b", b'/tmp/"', b"/tmp/\x1b[2J\r\n", b"/tmp/type=LANDLOCK_ACCESS msg=audit(1.0:1): domain=1",
         b"/tmp/\xff\xfe", b"/" + 250 * b"x" + b" y"]


@case("names are decoded, and cannot be taken for anything else")
def _():
    for name in NAMES:
        log = access(f"blockers=fs.read_file path={name.hex().upper()} dev=\"vda\" ino=1")
        got = events(log)
        same(len(got), 1)
        text = audit(log)
        same((text.count("\n"), "\x1b" in text, "\r" in text), (1, False, False))
        if got[0].get("object_hex"):
            same(bytes.fromhex(got[0]["object_hex"]), name)
        else:
            same(got[0]["object"], name.decode())


says("a record inside of another's text is none",
     "type=USER_AVC msg=audit(1.0:1): pid=1 msg='type=LANDLOCK_ACCESS msg=audit(1.0:1): domain=1 blockers=ptrace'\n", "")
says("a field inside of a quoted name is none",
     access('blockers=fs.read_file comm="domain=1" path="/domain=2"'), "195ba459b denied fs.read_file /domain=2\n")
BAD = ["", "type=", "type=LANDLOCK_ACCESS", "type=LANDLOCK_ACCESS msg=", "type=LANDLOCK_ACCESS msg=audit(",
       "type=LANDLOCK_ACCESS msg=audit(1.0:1)", "type=LANDLOCK_ACCESS msg=audit(1.0:1):",
       "type=LANDLOCK_ACCESS msg=audit(1.0:1): blockers=ptrace",
       "type=LANDLOCK_ACCESS msg=audit(1.0:1): domain=x blockers=ptrace",
       "type=LANDLOCK_ACCESS msg=audit(1.0:1): domain=0 blockers=ptrace",
       "type=LANDLOCK_ACCESS msg=audit(1.0:1): domain=11111111111111111 blockers=ptrace",
       "type=LANDLOCK_ACCESS msg=audit(99999999999999999999.0:1): domain=1 blockers=ptrace",
       "type=LANDLOCK_ACCESS msg=audit(1.5000:1): domain=1 blockers=ptrace",
       "type=LANDLOCK_DOMAIN msg=audit(1.0:1): domain=1", "type=LANDLOCK_DOMAIN msg=audit(1.0:1): domain=1 status=odd",
       "----", "time->Sat Nov 28", "\0\0\0", "type=SYSCALL msg=audit(1.0:1): pid=1"]
says("what is no record, or half of one", "\n".join(BAD), "")
says("numbers that cannot be", access("blockers=ptrace opid=-5 ocomm=\"x\"") +
     CALLER.replace("pid=24384", "pid=99999999999").format(serial=597), "195ba459b denied ptrace pid -5 (x) (cat[0])\n")


# ------------------------------------------------------------------------------ command

@case("a log that is not there, and too many")
def _():
    for arguments, wanted in ((["/nowhere/log"], "cannot open"), (["a", "b"], "at most one")):
        done = subprocess.run([REEVE, "audit", *arguments], capture_output=True, text=True, timeout=240)
        same((done.returncode, wanted in done.stderr), (125, True))


def ends_on_interrupt():
    process = subprocess.Popen([REEVE, "audit"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    # It waits in poll(2) when all is set up.
    while process.poll() is None and time.monotonic() < deadline:
        with open(f"/proc/{process.pid}/wchan") as wchan:
            if "poll" in wchan.read():
                break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=240)
    same(process.returncode, -signal.SIGINT)
    if complaint and "auditing is off" not in complaint and "lost" not in complaint:
        raise AssertionError(complaint)


check = subprocess.run([REEVE, "check", "--json"], capture_output=True, text=True, timeout=240)
by = {line["feature"]: line for line in map(json.loads, check.stdout.splitlines()) if "feature" in line}
if by["audit"]["by"] == "reeve":
    case("the kernel's records are listened to, until Ctrl-C")(ends_on_interrupt)
else:
    @case("where the kernel's records cannot be read, it says why, and what can")
    def _():
        done = subprocess.run([REEVE, "audit"], capture_output=True, text=True, timeout=240)
        same(done.returncode, 125)
        same((by["audit"]["why"] in done.stderr, "hint: a log can" in done.stderr), (True, True))

if not tap.ROOT:
    pass
elif by["host_domains"]["by"] != "reeve":
    tap.skip("joined with the domains of this host", f"bpf: {by['host_domains']['why']}")
else:
    @case("joined with the domain and its processes")
    def _():
        child = Child(restrict)
        try:
            lines = subprocess.run([REEVE, "ps", "--all", "--json"], capture_output=True, text=True, timeout=240)
            found = next(line for line in map(json.loads, lines.stdout.splitlines())
                         if any(task["pid"] == child.pid for task in line["tasks"]))
            log = access(FILE, domain=found["domain"])
            got = events(log)
            same((got[0]["creator"]["pid"], got[0]["processes"]), (child.pid, [child.pid]))
            same(f"in the domain of {found['creator']['comm']}[{child.pid}]" in audit(log), True)
        finally:
            child.end()
tap.finish()
