#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Datagrams under a supervisor: where they cannot go, and that all others are sent as natively.

	test_send.py REEVE [--user]
"""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report, skip  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])
UNIX, DGRAM = socket.AF_UNIX, socket.SOCK_DGRAM
TABLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "send_table.py")
PATIENCE = 600 if "REEVE_TEST_EMULATED" in os.environ else 60

MEDIATE = 'extends = ["workspace"]\n[[ruleset]]\nunix_datagram = "mediate"\n'


def call(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, **more)


def by_kernel(feature):
    return tap.enforcers(REEVE).get(feature) == "Landlock"


def run(*args, command, **more):
    return call(REEVE, "run", "-p", os.path.abspath("mediate.toml"), *args, "--", *command, **more)


def py(script, *args, **more):
    return run(*args, command=[PYTHON, "-c", SEND + script], **more)


SEND = """
import array, ctypes, errno, os, socket, struct, sys
U, D = socket.AF_UNIX, socket.SOCK_DGRAM
def code(call):
    try: call(); return 'ok'
    except OSError as e: return errno.errorcode[e.errno]
def mmsg(s, path):
    name = ctypes.create_string_buffer(struct.pack('H', U) + path.encode())
    data = ctypes.create_string_buffer(b'mmsg')
    iov = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 4)
    msg = (ctypes.c_uint64 * 8)(ctypes.addressof(name), len(name), ctypes.addressof(iov), 1)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.sendmmsg(s.fileno(), msg, 1, 0) < 0: raise OSError(ctypes.get_errno(), '')
def ways(s, path):
    return [code(lambda: s.sendto(b'sendto', path)), code(lambda: s.sendmsg([b'msg'], [], 0, path)),
            code(lambda: mmsg(s, path)), code(lambda: s.connect(path))]
def kinds():
    return socket.socket(U, D), socket.socket(U, socket.SOCK_RAW), socket.socketpair(U, D)[0]
"""


@contextlib.contextmanager
def receiver(path):
    """A server outside."""
    one = socket.socket(UNIX, DGRAM)
    one.setblocking(False)
    one.bind(path)
    try:
        yield one
    finally:
        one.close()
        os.unlink(path)


def drain(one):
    got = []
    while True:
        try:
            got.append(one.recv(99))
        except BlockingIOError:
            return got


def scope():
    script = "for s in kinds(): print(*ways(s, sys.argv[1] if len(sys.argv) > 1 else 'out'))"
    with receiver("out") as out:
        got = call(PYTHON, "-c", SEND + script)
        report(got.stdout == "ok ok ok ok\n" * 3 and len(drain(out)) == 9,
               "without reeve, it is reached by each kind of socket in each way", got)
        got = py(script)
        report(got.stdout == "EACCES EACCES EACCES EACCES\n" * 3 and not drain(out),
               "not from inside", got)
        got = py(script, "--unix", "out")
        report(got.stdout == "ok ok ok ok\n" * 3 and len(drain(out)) == 9, "--unix allows it", got)
        got = py("s = socket.socket(U, D); ways(s, 'out')", "--events", "-")
        events = [json.loads(line) for line in got.stdout.splitlines()]
        denied = [(e["call"], e["missing"], e["object"]) for e in events if e["event"] == "denied"]
        report(denied == [(name, ["fs.resolve_unix"], os.path.abspath("out"))
                          for name in ("sendto", "sendmsg", "sendmmsg", "connect")],
               "events name it", got.stdout)
        got = py(script, "--events", "none")
        report(got.stdout == "EACCES EACCES EACCES EACCES\n" * 3 and not drain(out),
               "--events none keeps the scope", got)
        os.symlink("out", "link")
        os.link("out", "hard")
        got = py("s = kinds()[2]\nfor p in ('link', 'hard', os.getcwd() + '/out', '/proc/self/cwd/out'):"
                 " print(ways(s, p)[0])")
        report(got.stdout == "EACCES\n" * 4 and not drain(out), "by other names", got)
        os.unlink("link")
        os.unlink("hard")
        got = py("""
s = socket.socket(U, D); s.bind('in')
c = kinds()[2]; print(code(lambda: c.sendto(b'x', 'in')), s.recv(9))
os.rename('in', 'in2'); print(code(lambda: c.sendto(b'y', 'in2')), s.recv(9))
c.connect('in2'); c.send(b'z'); print(s.recv(9), code(lambda: c.sendto(b'no', 'out')))
s.close(); print(code(lambda: c.send(b'x')))
""")
        report(got.stdout == "ok b'x'\nok b'y'\nb'z' EACCES\nECONNREFUSED\n" and not drain(out),
               "sockets made inside can be sent to", got)


def inherited():
    one, two = socket.socketpair(UNIX, DGRAM)
    got = py("", "--keep-fd", str(one.fileno()), pass_fds=[one.fileno()])
    # The kernel checks each send, by whoever made the socket.
    report(got.returncode == 0 if by_kernel("unix_datagram") else
           got.returncode == 125 and "datagram" in got.stderr, "one that is kept", got)
    two.close()


def peers():
    """Whom a server outside sees."""
    with receiver("out") as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        out.setblocking(True)
        out.settimeout(30)
        process = subprocess.Popen(
            [REEVE, "run", "-p", os.path.abspath("mediate.toml"), "--unix", "out", "--", PYTHON,
             "-c", SEND + """
s = socket.socket(U, D); s.connect('out'); s.send(b'x'); s.sendto(b'x', 'out')
sys.stdin.read()
"""], stdin=subprocess.PIPE)
        seen = []
        for _ in range(2):
            _, control, _, _ = out.recvmsg(9, 99)
            pid, uid, gid = memoryview(control[0][2]).cast("i")[:3]
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                seen.append((file.read().strip(), uid, gid))
        process.stdin.close()
        process.wait()
        me = os.getuid(), os.getgid()
        report(seen == [("python3", *me), ("reeve-connector", *me)],
               "it sees the program, or the connector where an address was named", seen)


def live():
    name = f"send{os.getpid()}"
    with receiver("out") as out:
        process = subprocess.Popen(
            [REEVE, "run", "-p", os.path.abspath("mediate.toml"), "--name", name, "--", PYTHON,
             "-c", SEND + "s = socket.socket(U, D)\n"
             "for _ in sys.stdin: print(code(lambda: s.sendto(b'x', 'out')), flush=True)"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def ask():
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        before = ask()
        call(REEVE, "allow", name, "--unix", os.path.abspath("out"))
        allowed = ask()
        call(REEVE, "revoke", name, "--unix", os.path.abspath("out"))
        report([before, allowed, ask(), len(drain(out))] == ["EACCES", "ok", "EACCES", 1],
               "live rules hold for datagrams")
        process.stdin.close()
        process.wait()


MANY = """
def many(s, *paths):
    # Until there is nothing left, or an error: how many calls do is not told.
    libc, keep, array = ctypes.CDLL(None, use_errno=True), [], b''
    for p in paths:
        name = ctypes.create_string_buffer(struct.pack('H', U) + p, len(p) + 2)
        data = ctypes.create_string_buffer(b'many', 4)
        iov = (ctypes.c_uint64 * 2)(ctypes.addressof(data), 4)
        keep += [name, data, iov]
        array += struct.pack('QIxxxxQQQQixxxxIxxxx', ctypes.addressof(name), len(p) + 2,
                             ctypes.addressof(iov), 1, 0, 0, 0, 0)
    at, end = ctypes.create_string_buffer(array, len(array)), len(paths)
    done = 0
    while done < end:
        n = libc.sendmmsg(s.fileno(), ctypes.byref(at, 64 * done), end - done, 0)
        if n < 0: return done, errno.errorcode[ctypes.get_errno()]
        done += n
    return done, 'ok'
"""


def mixed():
    """Messages of one call for different processes of ours: inside of the floor, and outside."""
    with open("mixed.toml", "w", encoding="utf-8") as file:
        file.write(MEDIATE + '[[unix_socket]]\nallowed_access = ["connect"]\n'
                   'path = ["${PWD}/out"]\nlive = true\n')
    abstract = f"\0send{os.getpid()}"
    with receiver("out") as out, receiver("other") as other, socket.socket(UNIX, DGRAM) as far:
        far.setblocking(False)
        far.bind(abstract)
        got = call(REEVE, "run", "--quiet", "-p", os.path.abspath("mixed.toml"), "--", PYTHON, "-c",
                   SEND + MANY + f"""
i = socket.socket(U, D); i.bind('in'); c = socket.socket(U, D)
print(many(c, b'in', b'out', b'in', b'out', b'in'), [i.recv(9) for _ in range(3)])
print(many(c, b'out', b'other'), many(c, b'in', b'out', b'other', b'out'), i.recv(9))
print(many(c, b'out', {abstract.encode()!r}), many(c, b'in', b'out', {abstract.encode()!r}))
""")
        letters = "[b'many', b'many', b'many']"
        report(got.stdout == f"(5, 'ok') {letters}\n(1, 'EACCES') (2, 'EACCES') b'many'\n"
               "(1, 'EPERM') (2, 'EPERM')\n", "one call for several receivers, one of them granted live",
               got)
        report([len(drain(out)), drain(other), drain(far)] == [6, [], []],
               "nothing rides along with what was granted")
    os.unlink("in")


def other_credentials():
    if os.geteuid() != 0:
        skip("other credentials", "root: only root can drop to another user")
        return
    got = py("""
s = socket.socket(U, D); s.bind('in'); os.chmod('in', 0o777)
a, b = socket.socketpair(); i = socket.socket(socket.AF_INET, D); i.bind(('127.0.0.1', 0))
os.setgroups([7])
print(code(lambda: kinds()[0].sendto(b'x', 'in')), code(lambda: a.sendmsg([b'x'])))
os.setresuid(65534, 65534, 65534)
print(code(lambda: kinds()[0].sendto(b'x', 'in')), code(lambda: a.sendmsg([b'x'])), code(lambda: a.send(b'x')))
print(code(lambda: i.sendto(b'x', i.getsockname())), code(lambda: i.sendmsg([b'x'], [], 0, i.getsockname())))
""", "--socket", "unix", "--socket", "inet")
    report(got.stdout == "EPERM EPERM\nEPERM EPERM ok\nok ok\n", "of a caller with other credentials",
           got)


def as_natively():
    outputs = []
    with open("own.toml", "w", encoding="utf-8") as file:
        file.write('abi = 6\nextends = ["base"]\n[[ruleset]]\nunix_datagram = "mediate"\n'
                   'scoped = ["pathname_unix_socket"]\n[[net_port]]\n'
                   'allowed_access = ["bind_udp", "connect_send_udp"]\nport = ["0-65535"]\n'
                   '[[path_beneath]]\n'
                   'allowed_access = ["abi.all"]\nparent = ["${PWD}"]\n')
    policy = os.path.abspath("own.toml")
    # The kernel's own check of UDP has errors of its own, for an address of another family.
    native = [REEVE, "run", "--static", "-p", policy, "--", PYTHON]
    if not by_kernel("net.connect_send_udp"):
        native = [PYTHON]
    for command in (native, [REEVE, "run", "-p", policy, "--", PYTHON]):
        with tempfile.TemporaryDirectory() as place:
            shutil.copy(TABLE, place + "/table.py")
            got = call(*command, "table.py", cwd=place)
            outputs.append((got.stdout + got.stderr).replace(place, "DIR"))
    one, two = (output.splitlines() for output in outputs)
    different = [f"{a!r} natively, {b!r} here" for a, b in zip(one, two) if a != b]
    report(len(one) > 120 and len(one) == len(two) and not different and "netlink" in one[-1],
           f"{len(one)} calls, each with its native result",
           "\n".join(different) or outputs[0][-500:] + outputs[1][-500:])


# ------------------------------------------------------------------- real programs

def has(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        skip(f"with {programs[0]}", f"{missing[0]}: not installed")
    return not missing


def socat():
    """As in the thread that proposed the scope."""
    if not has("socat"):
        return
    def exchange(*prefix, options=()):
        with subprocess.Popen(["socat", "unix-recvfrom:there", "exec:cat"],
                              stderr=subprocess.DEVNULL) as server:
            tap.wait_for(lambda: os.path.exists("there"))
            try:
                return subprocess.run([*prefix, "socat", "-T1", "-", "unix-sendto:there"],
                                      input="echo\n", capture_output=True, text=True, timeout=240)
            finally:
                server.terminate()
                server.wait()
                with contextlib.suppress(FileNotFoundError):
                    os.unlink("there")
    mediate = (REEVE, "run", "--quiet", "-p", os.path.abspath("mediate.toml"))
    got = exchange()
    report(got.returncode == 0, "socat: unix-sendto reaches unix-recvfrom", got)
    got = exchange(*mediate, "--")
    report(got.returncode != 0 and "Permission denied" in got.stderr, "not from inside", got)
    got = exchange(*mediate, "--unix", os.getcwd(), "--")
    report(got.returncode == 0, "unless --unix says so", got)
    got = run("--quiet", command=["sh", "-c", """
socat unix-listen:l,fork exec:cat & echo $! >pid
until [ -S l ]; do sleep .05; done
echo hello | socat -t9 - unix-connect:l; kill $(cat pid)
socat -u unix-recv:d,unlink-early - >got & echo $! >pid
until [ -S d ]; do sleep .05; done
echo datagram | socat -u - unix-sendto:d
until grep -q datagram got; do sleep .05; done; kill $(cat pid); cat got
"""])
    report(got.stdout == "hello\ndatagram\n", "socat as server and client, both inside", got)


def syslog():
    if not has("logger"):
        return
    if os.path.basename(os.path.realpath(shutil.which("logger"))) == "busybox":
        skip("with logger", "util-linux: logger is busybox's")
        return
    with receiver("log") as log:
        command = ["logger", "--socket-errors=on", "-u", os.path.abspath("log"), "-t", "reeve",
                   "message"]
        call(*command)
        report(b"message" in b"".join(drain(log)), "logger writes to the log")
        got = run("--quiet", command=command)
        report(not drain(log) and got.returncode != 0, "not from inside", got)
        got = run("--quiet", "--unix", "log", command=command)
        report(b"message" in b"".join(drain(log)), "unless --unix says so", got)


def notify():
    if not has("systemd-notify"):
        return
    with receiver("notify") as there:
        env = {**os.environ, "NOTIFY_SOCKET": os.path.abspath("notify")}
        command = ["systemd-notify", "--no-block", "--ready"]
        if call(*command, env=env).returncode != 0:
            skip("with systemd-notify", "systemd: it does not work here")
            return
        report(b"READY=1" in b"".join(drain(there)), "systemd-notify says that it is ready")
        got = run("--quiet", command=command, env=env)
        report(got.returncode != 0 and not drain(there), "not from inside", got)
        got = run("--quiet", "--unix", "notify", command=command, env=env)
        report(got.returncode == 0 and b"READY=1" in b"".join(drain(there)),
               "unless --unix says so", got)


def main():
    if "--user" in sys.argv:
        tap.as_user(TABLE)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        with open("mediate.toml", "w", encoding="utf-8") as file:
            file.write(MEDIATE)
        for part in (scope, inherited, peers, live, mixed, other_credentials, as_natively, socat, syslog,
                     notify):
            part()
        os.chdir("/")
    tap.finish()


main()
