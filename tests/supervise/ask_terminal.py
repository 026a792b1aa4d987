# SPDX-License-Identifier: MIT
"""What the tests of questions share: TAP, a scratch directory, reeve in a tmux window."""
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import report  # noqa: E402

PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
REEVE = os.path.realpath(sys.argv[1])
IS_COPY = "REEVE_TEST_COPY" in os.environ  # see begin()
PATIENCE = 20  # seconds; a machine under load
wait_for = functools.partial(tap.wait_for, patience=PATIENCE)


class Place:
    """work: the program's directory; outside: granted to nobody."""

    def __init__(self):
        self.top = os.path.realpath(tempfile.mkdtemp())
        os.chmod(self.top, 0o755)
        self.work, self.outside = self.top + "/work", self.top + "/outside"
        self.run = self.top + "/run"
        for path in (self.work, self.outside, self.run):
            os.mkdir(path, 0o700)
        os.makedirs(self.top + "/home", exist_ok=True)
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": self.top + "/home",
                    "XDG_RUNTIME_DIR": self.run, "TMUX_TMPDIR": self.top, "TERM": "screen",
                    "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TMPDIR": self.top}

    def write(self, name, text="secret\n"):
        path = os.path.join(self.outside, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def read(self, name):
        try:
            with open(f"{self.work}/{name}") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def remove(self):
        shutil.rmtree(self.top)


class Tmux:
    """A server of our own, with one window at first."""

    def __init__(self, place):
        self.place = place
        self.call("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "100", "-y", "50",
                  "-c", place.work, "sh")

    def call(self, *args):
        return subprocess.run(["tmux", *args], env=self.place.env, cwd=self.place.work, text=True,
                              stdout=subprocess.PIPE, check=False).stdout

    def keys(self, *keys, window="t:0"):
        self.call("send-keys", "-t", window, *keys)

    def line(self, text, window="t:0"):
        self.call("send-keys", "-t", window, "-l", text)
        self.keys("Enter", window=window)

    def screen(self, window="t:0"):
        return self.call("capture-pane", "-p", "-J", "-S", "-500", "-t", window)

    def shows(self, text, window="t:0", times=1):
        return wait_for(lambda: self.screen(window).count(text) >= times)

    def fresh(self, window="t:0"):
        """An idle shell and an empty screen."""
        self.line("clear", window)
        time.sleep(0.1)
        self.call("clear-history", "-t", window)

    def ask(self, name, command, *options, asks="wants to", times=1):
        """Runs a shell command below `run --ask`, up to its question."""
        with open(f"{self.place.work}/script", "w") as file:
            file.write(command)
        self.fresh()
        self.line(f"{REEVE} run --ask {' '.join(options)} -- sh script; echo code $?.")
        good = self.shows(asks, times=times) and (asks != "wants to" or self.shows("\n?"))
        report(good, name, self.screen())
        return good

    def stop(self):
        self.call("kill-server")


def begin(user):
    """As nobody with --user; returns only where the tests are to be run."""
    if not shutil.which("tmux"):
        tap.skip_all("tmux: not installed")
    begin_plain(user)


def begin_plain(user):
    """The same without a terminal."""
    if user:
        tap.as_user(os.path.realpath(__file__), REEVE_TEST_COPY="1", PYTHONDONTWRITEBYTECODE="1")


def finish():
    tap.finish()
