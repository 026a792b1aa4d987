#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What UNIX sockets are an escape by: a terminal multiplexer, an agent, a bus, a daemon that runs
what it is told. Each first works without reeve.

	test_unix_demo.py REEVE
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report, skip  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])


def has(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        skip(f"with {programs[0]}", f"{missing[0]}: not installed")
    return not missing


def call(*command, **more):
    more.setdefault("env", os.environ)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240, **more)


def inside(*command, options=(), **more):
    return call(REEVE, "run", "--quiet", *options, "--", *command, **more)


def tmux():
    if not has("tmux"):
        return
    server = ("tmux", "-f", "/dev/null", "-S", os.path.abspath("tmux.sock"))
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    env.pop("TMUX", None)

    def escape(name):
        # The window says over a channel of tmux's own that it has done its work.
        return (*server, "new-window", f"touch {os.path.abspath(name)}; "
                f"{' '.join(server)} wait-for -S {name}")
    call(*server, "new-session", "-d", "sleep 1000", env=env)
    try:
        got = call(*escape("native"), env=env)
        call(*server, "wait-for", "native", env=env)
        report(got.returncode == 0 and os.path.exists("native"),
               "tmux new-window runs anything outside", got)
        got = inside(*escape("reeve"), env=env)
        report(got.returncode != 0 and "Permission denied" in got.stderr, "not from inside", got)
        got = inside(*escape("allowed"), options=("--unix", "tmux.sock"), env=env)
        if got.returncode == 0:
            call(*server, "wait-for", "allowed", env=env)
        report(got.returncode == 0 and os.path.exists("allowed") and not os.path.exists("reeve"),
               "unless --unix says so", got)
    finally:
        call(*server, "kill-server", env=env)


def ssh_agent():
    if not has("ssh-agent", "ssh-add"):
        return
    path = os.path.abspath("agent.sock")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, text=True)
    agent.stdout.readline()
    env = {**os.environ, "SSH_AUTH_SOCK": path}
    try:
        report("no identities" in call("ssh-add", "-l", env=env).stdout, "ssh-agent answers")
        got = inside("ssh-add", "-l", env=env)
        report("Permission denied" in got.stderr, "not to a program inside", got)
        got = inside("ssh-add", "-l", options=("--unix", path), env=env)
        report("no identities" in got.stdout, "unless --unix says so", got)
    finally:
        agent.terminate()
        agent.wait()
    got = inside("sh", "-c", 'eval "$(ssh-agent -a "$TMPDIR/own")" >&2 && ssh-add -l; ssh-agent -k')
    report("no identities" in got.stdout, "an agent of its own", got)


def bus():
    if not has("dbus-daemon", "dbus-send"):
        return
    address = "unix:path=" + os.path.abspath("bus")
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nosyslog", "--nopidfile",
                               "--address=" + address, "--print-address=1"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    daemon.stdout.readline()
    ask = ("dbus-send", "--bus=" + address, "--print-reply", "--dest=org.freedesktop.DBus", "/",
           "org.freedesktop.DBus.ListNames")
    try:
        report("org.freedesktop.DBus" in call(*ask).stdout, "a message bus answers")
        got = inside(*ask)
        report(got.returncode != 0 and "Permission denied" in got.stderr, "not to a program inside",
               got)
        got = inside(*ask, options=("--unix", "bus"))
        report("org.freedesktop.DBus" in got.stdout, "unless --unix says so", got)
    finally:
        daemon.terminate()
        daemon.wait()
    own = "unix:path=own-bus"
    got = inside("sh", "-c", "mkfifo up && { dbus-daemon --session --nofork --nosyslog --nopidfile "
                 f"--address={own} --print-address=1 >up & }} && read line <up && dbus-send --bus={own} "
                 + " ".join(ask[2:]) + "; kill $!", options=("--ro", "/etc/dbus-1"))
    report("org.freedesktop.DBus" in got.stdout, "a bus of its own", got)


REQUEST = """
import http.client, socket, sys
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
c = Connection('docker'); c.request('POST', '/containers/create'); print(c.getresponse().read())
"""


def docker():
    """A daemon that does as root what it is told over HTTP."""
    server = socket.socket(socket.AF_UNIX)
    server.bind("docker.sock")
    server.listen(4)

    def serve():
        while True:
            peer, _ = server.accept()
            if peer.recv(4096):
                peer.sendall(b"HTTP/1.0 201 Created\r\n\r\ncontainer")
            peer.close()
    threading.Thread(target=serve, daemon=True).start()
    ask = (PYTHON, "-c", REQUEST, "docker.sock")
    report("container" in call(*ask).stdout, "a daemon like docker's answers")
    got = inside(*ask)
    report("Permission denied" in got.stderr, "not to a program inside", got)
    os.symlink("docker.sock", "link.sock")
    report("Permission denied" in inside(*ask[:3], "link.sock").stderr, "nor by a link")


def sandboxer():
    script = """
import errno, os, socket
def connect(name):
    try: socket.socket(socket.AF_UNIX).connect(name); return 'ok'
    except OSError as error: return errno.errorcode[error.errno]
s = socket.socket(socket.AF_UNIX); s.bind('own'); s.listen(4)
print(connect('out'), connect('\\0abstract' + os.environ['N']), connect('own'))
"""
    one, two = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    one.bind("out")
    two.bind("\0abstract" + str(os.getpid()))
    one.listen(4)
    two.listen(4)
    for scoped, want in (("", "ok ok ok"), ("a", "ok EPERM ok"), ("u:a", "EPERM EPERM ok"),
                         ("u", "EPERM ok ok")):
        env = {**os.environ, "LL_FS_RO": "/usr:/lib:/lib64:/etc:/proc", "LL_FS_RW": ".",
               "LL_SCOPED": scoped, "N": str(os.getpid())}
        got = call(REEVE, "sandboxer", PYTHON, "-c", script, env=env)
        report(got.stdout == want + "\n", f"sandboxer, LL_SCOPED={scoped}", got)
        os.unlink("own")


def main():
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        for part in (tmux, ssh_agent, bus, docker, sandboxer):
            part()
        os.chdir("/")
    tap.finish()


main()
