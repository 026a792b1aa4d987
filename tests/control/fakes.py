# SPDX-License-Identifier: MIT
"""A control server over a supervisor that is made up, and who talks to it."""
import json
import os
import socket
import subprocess
import sys
import tempfile

import tap

FAKE, REEVE = (os.path.realpath(arg) for arg in sys.argv[1:3])
WORK = tempfile.mkdtemp()


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

    def __init__(self, *args, domain="", before=None, program=None, **more):
        """`domain`: what its id begins with; `before`: called with the id before it serves."""
        env = dict(os.environ, FAKE_ID=domain, **({"FAKE_WAIT": "1"} if before else {}))
        self.process = subprocess.Popen([program or FAKE, *args], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1, **more)
        if before:
            before(self.process.stdout.readline().split()[1])
            self.process.stdin.write("go\n")
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
                          timeout=240, **more)


def shows(name, done, code, *texts):
    said = done.stdout + done.stderr
    tap.report(done.returncode == code and all(text in said for text in texts), name,
           f"{done.args}: {done.returncode}, wanted {code}, {texts}\n{said}")


def fresh(name):
    """A runtime directory of its own for what follows."""
    path = os.path.join(WORK, name)
    os.mkdir(path, 0o700)
    os.environ["XDG_RUNTIME_DIR"] = path
    return path + "/reeve"
