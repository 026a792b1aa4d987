#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""UNIX sockets under a supervisor: which are out of reach, and that all others work as natively.

	test_unix.py REEVE [--user]
"""
import array
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report, skip  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])
UNIX, STREAM = socket.AF_UNIX, socket.SOCK_STREAM
TABLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "unix_table.py")
PATIENCE = 600 if "REEVE_TEST_EMULATED" in os.environ else 60


def run(*args, command, **more):
    return subprocess.run([REEVE, "run", *args, "--", *command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE, **more)


def py(script, *args, argv=(), **more):
    return run(*args, command=[PYTHON, "-c", "import os, socket, struct, sys\n" + script, *argv],
               **more)


CONNECT = """
def connect(path, kind=socket.SOCK_STREAM):
    try:
        socket.socket(socket.AF_UNIX, kind).connect(path)
        return "ok"
    except OSError as error:
        return error.strerror
"""


def reach(path, *args, **more):
    """What a program in the sandbox gets who connects to `path`."""
    return py(CONNECT + "print(connect(sys.argv[1]))", *args, argv=[path], **more).stdout.strip()


def by_kernel(feature):
    return tap.enforcers(REEVE).get(feature) == "Landlock"


@contextlib.contextmanager
def listener(path, kind=STREAM):
    """A server outside."""
    one = socket.socket(UNIX, kind)
    one.bind(path)
    one.listen(32)
    try:
        yield one
    finally:
        one.close()
        if isinstance(path, str) and os.path.lexists(path):
            os.unlink(path)


def native(path):
    with socket.socket(UNIX, STREAM) as one:
        one.connect(path)
    return True


# ------------------------------------------------------------------------- the scope

def scope():
    here = os.getcwd()
    with listener("out"), listener("seq", socket.SOCK_SEQPACKET), listener("other"):
        report(native("out"), "without reeve, it can be reached")
        report(reach("out") == "Permission denied", "a socket made outside", reach("out"))
        got = py(CONNECT + "print(connect('seq', socket.SOCK_SEQPACKET))")
        report(got.stdout == "Permission denied\n", "a seqpacket one", got)
        got = py(CONNECT + "print(connect('seq'))")
        report(got.stdout == "Protocol wrong type for socket\n", "of another type: as natively", got)
        report(reach("out", "--unix", "out") == "ok", "--unix allows it")
        report(reach("other", "--unix", "out") == "Permission denied", "and no other")
        report(reach("out", "--unix", here) == "ok", "--unix of the directory allows both")
        report(reach("out", "--rw", here) == "Permission denied", "--rw does not")
        report(reach("out", "--degrade", "pathname_unix_socket") == "Permission denied",
               "degrading gives nothing up that can be enforced")
        with open("rule.toml", "w", encoding="utf-8") as file:
            file.write('extends = ["workspace"]\n[[unix_socket]]\nallowed_access = ["connect"]\n'
                       'path = ["out"]\n')
        report(reach("out", "-p", "./rule.toml") == "ok", "[[unix_socket]] allows it")
        got = py(CONNECT + "connect('out')", "--events", "-")
        events = [json.loads(line) for line in got.stdout.splitlines()]
        denied = [e for e in events if e["event"] == "denied"]
        report(any(e["object"] == here + "/out" and e["missing"] == ["fs.resolve_unix"] and
                   e["call"] == "connect" for e in denied), "an event names it", got.stdout)
        report("--unix " + here + "/out" in got.stderr, "the summary names the flag", got.stderr)
        got = py(CONNECT + "print(connect('out'))", "--events", "none")
        report(got.stdout == "Permission denied\n", "--events none keeps the scope", got)


def names():
    with listener("out"):
        os.symlink("out", "link")
        os.link("out", "hard")
        for name in ("link", "hard", "./out", "../" + os.path.basename(os.getcwd()) + "/out",
                     os.getcwd() + "/out"):
            report(reach(name) == "Permission denied", f"by {name}")
        got = py(CONNECT + """
os.mkdir('d'); os.rename('hard', 'd/moved'); print(connect('d/moved'))
os.link('out', 'd/again'); print(connect('d/again'))
os.chdir('d'); print(connect('again')); print(connect('../link'))
fd = os.open('..', os.O_PATH); print(connect(f'/proc/self/fd/{fd}/out'))
""")
        report(got.stdout == "Permission denied\n" * 5, "moved, linked, relative, by a link", got)
        shutil.rmtree("d")
        os.unlink("link")


def ownership():
    got = py(CONNECT + """
s = socket.socket(socket.AF_UNIX); s.bind('in'); s.listen(9)
print(connect('in'))
os.rename('in', 'in2'); print(connect('in2'))
os.link('in2', 'in3'); os.unlink('in2'); print(connect('in3'))
s.close(); print(connect('in3')); os.unlink('in3')
pid = os.fork()
if pid == 0:
    c = socket.socket(socket.AF_UNIX); c.bind('child'); c.listen(9); c.accept(); os._exit(0)
while connect('child') != 'ok': pass
os.waitpid(pid, 0); print('child')
""")
    report(got.stdout == "ok\nok\nok\nConnection refused\nchild\n", "sockets made inside", got)
    with listener("taken"):
        got = py(CONNECT + """
s = socket.socket(socket.AF_UNIX); s.bind('mine'); s.listen(9)
print(connect('mine'))
os.rename('taken', 'mine2'); os.rename('mine', 'taken'); os.rename('mine2', 'mine')
print(connect('mine'), connect('taken'))
""")
        report(got.stdout == "ok\nPermission denied ok\n", "names that were exchanged", got)
        for name in ("mine", "taken"):
            os.unlink(name)
    # Made outside, bound inside.
    made = socket.socket(UNIX, STREAM)
    got = py(CONNECT + f"""
s = socket.socket(fileno={made.fileno()}); s.bind('inherited'); s.listen(9)
print(connect('inherited'))
""", "--keep-fd", str(made.fileno()), pass_fds=[made.fileno()])
    report(got.stdout == "Permission denied\n", "made outside, inherited, bound inside", got)
    os.unlink("inherited")
    received()


def moved():
    """Into a directory whose sockets may be reached: the kernel knows of no such right here."""
    os.mkdir("granted")
    with listener("out"), listener("granted/known"):
        got = py(CONNECT + """
def move(old, new):
    try:
        os.rename(old, new)
        return "ok"
    except OSError as error:
        return error.strerror
print(connect('granted/known'), connect('out'))
print(move('out', 'granted/out'))
print(connect('granted/out'))
print(move('out', 'out2'), move('out2', 'out'), move('granted/known', 'granted/other'))
""", "--unix", os.getcwd() + "/granted")
    report(got.stdout == "ok Permission denied\nInvalid cross-device link\n"
           "No such file or directory\nok ok ok\n", "sockets that would be moved there", got)
    shutil.rmtree("granted")


def reused():
    """Paths, and mostly inodes, that were a socket's of the domain and are one's outside by now."""
    process = subprocess.Popen([REEVE, "run", "--quiet", "--", PYTHON, "-c", "import socket, sys\n" +
                                CONNECT + """
import os
for line in sys.stdin:
    if line == 'make\\n':
        s = socket.socket(socket.AF_UNIX); s.bind('again'); s.listen(9)
        got = connect('again')
        os.unlink('again'); s.close()
        print(got, flush=True)
    else:
        print(connect('again'), flush=True)
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(word):
        process.stdin.write(word + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()
    got = []
    for _ in range(20):
        got.append(ask("make"))
        with listener("again"):
            got.append(ask("connect"))
    process.stdin.close()
    process.wait()
    report(got == ["ok", "Permission denied"] * 20, "a path that was inside, and is outside", got)


def received():
    """A listening socket that comes by SCM_RIGHTS over a socket that is allowed."""
    def hand_over(server, gift):
        peer, _ = server.accept()
        peer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                               array.array("i", [gift.fileno()]))])
    with listener("allowed") as server:
        gift = socket.socket(UNIX, STREAM)
        thread = threading.Thread(target=hand_over, args=(server, gift))
        thread.start()
        got = py(CONNECT + """
s = socket.socket(socket.AF_UNIX); s.connect('allowed')
_, control, _, _ = s.recvmsg(8, 100)
g = socket.socket(fileno=struct.unpack('i', control[0][2][:4])[0]); g.bind('gift'); g.listen(9)
print(connect('gift'))
""", "--unix", "allowed")
        thread.join()
        report(got.stdout == "Permission denied\n", "made outside, received, bound inside", got)
        os.unlink("gift")


def kinds():
    got = py("""
for make in (lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
             lambda: socket.socket(socket.AF_UNIX, socket.SOCK_RAW),
             lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
             lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)):
    try:
        make(); print('made')
    except OSError as error:
        print(error.strerror)
""")
    # Landlock checks each send, where it knows of paths at all.
    natively = by_kernel("unix_datagram")
    report(got.stdout == ("made\n" if natively else "Permission denied\n") * 3 + "made\n",
           "datagram sockets by default", got)
    one, two = socket.socketpair(UNIX, socket.SOCK_DGRAM)
    got = py("", "--keep-fd", str(one.fileno()), pass_fds=[one.fileno()])
    report(got.returncode == 0 if natively else got.returncode == 125 and "datagram" in got.stderr,
           "and one that is kept", got)
    two.close()
    got = py("""
s = socket.socket(socket.AF_UNIX); s.bind('p'); s.listen(9)
c = socket.socket(socket.AF_UNIX); c.connect('p'); a, _ = s.accept()
pid = struct.unpack('3i', a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
print(open(f'/proc/{pid}/comm').read())
""")
    report(("python3" if natively else "reeve-connector") in got.stdout,
           "the peer of a connection is the connector, where the kernel leaves the check to it", got)


def live():
    with listener("out"):
        script = CONNECT + """
for line in sys.stdin: print(connect('out'), flush=True)
"""
        process = subprocess.Popen(
            [REEVE, "run", "--name", "live" + str(os.getpid()), "--", PYTHON, "-c",
             "import socket, sys\n" + script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)

        def ask():
            process.stdin.write("\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        def change(*words):
            return subprocess.run([REEVE, words[0], "live" + str(os.getpid()), *words[1:]],
                                  capture_output=True, text=True, timeout=PATIENCE)
        report(ask() == "Permission denied", "before it is granted")
        got = change("allow", "--unix", os.getcwd() + "/out")
        report(got.returncode == 0 and ask() == "ok", "granted live", got)
        got = change("rules")
        report("resolve_unix" in got.stdout and "/out" in got.stdout, "listed", got)
        got = change("revoke", "--unix", os.getcwd() + "/out")
        report(got.returncode == 0 and ask() == "Permission denied", "and revoked", got)
        change("allow", "--unix", os.getcwd() + "/out", "--once")
        report([ask(), ask()] == ["ok", "Permission denied"], "once")
        process.stdin.close()
        process.wait()


def is_pending(server):
    try:
        server.accept()[0].close()
        return True
    except BlockingIOError:
        return False


def live_policy():
    """What a policy grants live, and what a rule for one request is used up by."""
    with open("live.toml", "w", encoding="utf-8") as file:
        file.write('extends = ["workspace"]\n[[unix_socket]]\nallowed_access = ["connect"]\n'
                   'path = ["${PWD}/out"]\nlive = true\n')
    name = f"policy{os.getpid()}"
    with listener("out") as out, listener("out2") as out2:
        process = subprocess.Popen(
            [REEVE, "run", "--name", name, "-p", os.path.abspath("live.toml"), "--", PYTHON, "-c",
             "import socket, struct, sys\n" + CONNECT + """
s = socket.socket(socket.AF_UNIX); s.bind('in'); s.listen(9)
for line in sys.stdin: print(connect(line.strip()), flush=True)
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def ask(path):
            process.stdin.write(path + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        def change(*words):
            return subprocess.run([REEVE, words[0], name, *words[1:]], capture_output=True,
                                  text=True, timeout=PATIENCE)
        report([ask("out"), ask("out2")] == ["ok", "Permission denied"],
               "a policy's live rule is for its socket alone")
        out.setblocking(False)
        out2.setblocking(False)
        peer = struct.unpack("3i", out.accept()[0].getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        with open(f"/proc/{peer[0]}/comm", encoding="utf-8") as file:
            peer = (file.read().strip(), *peer[1:])
        by = "reeve-twin" if by_kernel("unix_socket") else "reeve-connector"
        report(peer == (by, os.getuid(), os.getgid()),
               "its server sees a process of reeve's, with the program's user", peer)
        report(not is_pending(out) and not is_pending(out2), "once, and a denied one's server sees nothing")
        got = change("revoke", "--unix", os.getcwd() + "/out")
        report(got.returncode == 0 and ask("out") == "Permission denied", "and can be revoked", got)
        change("allow", "--unix", os.getcwd(), "--once")
        report([ask("in"), ask("in"), ask("out2"), ask("out2")] ==
               ["ok", "ok", "ok", "Permission denied"],
               "sockets made inside use up no rule for one request")
        os.chmod("out2", 0)
        change("allow", "--unix", os.getcwd() + "/out2")
        report(ask("out2") == ("ok" if os.geteuid() == 0 else "Permission denied"),
               "a rule does not stand in for the file's mode")
        process.stdin.close()
        process.wait()
    os.unlink("in")


def as_natively():
    outputs = []
    with open("own.toml", "w", encoding="utf-8") as file:
        file.write('abi = 6\nextends = ["base"]\n[[ruleset]]\n'
                   'scoped = ["pathname_unix_socket"]\n[[path_beneath]]\n'
                   'allowed_access = ["abi.all"]\nparent = ["${PWD}"]\n')
    policy = os.path.abspath("own.toml")
    for command in ([PYTHON], [REEVE, "run", "-p", policy, "--", PYTHON]):
        with tempfile.TemporaryDirectory() as place:
            shutil.copy(TABLE, place + "/table.py")
            got = subprocess.run([*command, "table.py"], cwd=place, capture_output=True, text=True,
                                 timeout=PATIENCE)
            outputs.append((got.stdout + got.stderr).replace(place, "DIR"))
    one, two = (output.splitlines() for output in outputs)
    different = [f"{a!r} natively, {b!r} here" for a, b in zip(one, two) if a != b]
    report(len(one) > 60 and len(one) == len(two) and not different,
           f"{len(one)} calls, each with its native result", "\n".join(different) or outputs[1])


ALL = ("-p", "none", "--rwx", "/", "--scope", "pathname_unix_socket", "--socket", "unix", "--socket",
       "inet", "--bind-tcp", "0", "--connect-tcp", "1024-65535")


def credentials():
    if os.geteuid() != 0:
        skip("other credentials", "root: only root can drop to another user")
        return
    got = py(CONNECT + """
s = socket.socket(socket.AF_UNIX); s.bind('in'); s.listen(9); os.chmod('in', 0o777)
os.chmod('.', 0o755)
l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(9)
os.setresuid(65534, 65534, 65534)
print(connect('in'))
try: socket.create_connection(l.getsockname()).close(); print('by IP')
except OSError as error: print(error)
""", *ALL)
    refusal = "ok" if by_kernel("unix_socket") else "Operation not permitted"
    report(got.stdout == f"{refusal}\nby IP\n", "of a caller with other credentials", got)
    os.unlink("in")
    got = py(CONNECT + """
os.mkdir('root'); s = socket.socket(socket.AF_UNIX); s.bind('root/in'); s.listen(9)
os.chroot('root'); print(connect('/in'))
""", *ALL)
    report(got.stdout == f"{refusal}\n", "and in another root", got)
    shutil.rmtree("root")


def filesystems():
    if os.geteuid() != 0:
        skip("file systems", "root: only root can mount")
        return
    script = CONNECT + """
print(connect('out'))
s = socket.socket(socket.AF_UNIX); s.bind('in'); s.listen(9); print(connect('in'))
"""
    for name, mount in (("tmpfs", "mount -t tmpfs none m"),
                        ("overlayfs", "mkdir l u w; mount -t tmpfs none m && mkdir m/l m/u m/w && "
                         "mount -t overlay none -o lowerdir=m/l,upperdir=m/u,workdir=m/w m"),
                        # A subvolume: stat(2) tells another device than that of the file system.
                        ("btrfs", "mount -t tmpfs none m; truncate -s 200M m/f; mkfs.btrfs -q m/f >&2; mkdir m/b; "
                         "mount -o loop m/f m/b; btrfs subvolume create m/b/sub >&2; umount m/b; "
                         "mount -o loop,subvol=sub m/f m")):
        got = subprocess.run(
            ["unshare", "-m", "sh", "-ec", f"""
mkdir -p m; {mount}; cd m
{PYTHON} -c "
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX); s.bind('out'); s.listen(9)
c = socket.socket(socket.AF_UNIX); c.connect('out'); print('natively', flush=True)
sys.exit(subprocess.run(sys.argv[1:]).returncode)
" {REEVE} run -- {PYTHON} -c "$SCRIPT"
"""], env={**os.environ, "SCRIPT": "import socket\n" + script}, capture_output=True, text=True,
            timeout=PATIENCE)
        if "natively" not in got.stdout:
            skip(f"on {name}", f"{name}: {got.stderr.strip()}")
            continue
        report(got.stdout == "natively\nPermission denied\nok\n", f"on {name}", got)
        shutil.rmtree("m", ignore_errors=True)


def main():
    if "--user" in sys.argv:
        tap.as_user(TABLE)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        for part in (scope, names, ownership, moved, reused, kinds, live, live_policy, as_natively, credentials,
                     filesystems):
            part()
        os.chdir("/")
    tap.finish()


main()
