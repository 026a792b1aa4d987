# SPDX-License-Identifier: MIT
"""Runs attacks first in the racy reeve, where they must succeed, and then in reeve. TAP."""
import glob
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import ROOT, report, skip  # noqa: E402

REEVE, RACY, HOSTILE = (os.path.realpath(arg) for arg in sys.argv[1:4])

POLICY = """abi = 6
[[ruleset]]
handled_access_fs = ["abi.all"]
scoped = ["abi.all"]
[[path_beneath]]
allowed_access = ["abi.read_execute"]
parent = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/dev/null", "{bin}"]
missing = "ignore"
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{work}/floor"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{work}/live"]
live = true
[[path_beneath]]
allowed_access = ["read_file", "read_dir"]
parent = ["{work}/look"]
live = true
"""


def put(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Place:
    """A fresh directory with what attacks find there (hostile.h), and the policy."""

    def __init__(self, extra=""):
        self.path = os.path.realpath(tempfile.mkdtemp())
        os.chmod(self.path, 0o755)
        for name, text in (("live", "good"), ("look", "good"), ("shut", "secret"),
                           ("floor", "floor"), ("run", "")):
            os.mkdir(f"{self.path}/{name}")
            put(f"{self.path}/{name}/f", text)
            put(f"{self.path}/{name}/t", text)
        put(f"{self.path}/shut/u", "secret")
        os.mkdir(f"{self.path}/shut/d")
        os.chmod(f"{self.path}/run", 0o700)
        put(f"{self.path}/live/private", "private", 0o600)
        self.policy = f"{self.path}/policy.toml"
        text = POLICY.format(work=self.path, bin=os.path.dirname(HOSTILE))
        put(self.policy, text + extra.format(work=self.path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Attack:
    """One attack: by which faults it succeeds, and how it is made.

    `ms`: how long it may go on against reeve. `grants`: it must get something that it should get.
    `root`: True: only as root; False: only as another. `run`: instead of the usual way, called with
    (command, environment, place) it returns (hits, tries, grants). `also`: words for the racy reeve
    with which it must fail as it does in reeve. `native`: why it cannot succeed on this machine.
    `missing`: why it cannot even be tried.
    """

    def __init__(self, name, faults, title, ms=1000, grants=True, root=None, run=None, extra="",
                 options=(), racy_ms=None, native="", also="", missing=""):
        self.name, self.faults, self.title = name, faults, title
        # As a user the same is tried once more, for half as long.
        self.ms, self.racy_ms = ms if ROOT else ms // 2, racy_ms or 8000
        self.grants, self.root = grants, root
        self.make, self.extra, self.options, self.native = run, extra, options, native
        self.also, self.missing = also, missing

    def command(self, faults, place):
        return [RACY if faults else REEVE, "run", "-p", place.policy, "--no-shim", "--quiet",
                *self.options, "--", HOSTILE, self.name, place.path,
                str(self.racy_ms if faults == self.faults else self.ms)]

    def once(self, faults):
        with Place(self.extra) as place:
            env = dict(os.environ, XDG_RUNTIME_DIR=f"{place.path}/run", HOSTILE_MARK="onlyoutside",
                       REEVE_RACY=faults)
            try:
                return (self.make or usual)(self.command(faults, place), env, place)
            except (subprocess.TimeoutExpired, OSError, ValueError) as error:
                return None, repr(error)

    def fails(self, what, faults):
        got = self.once(faults)
        # On a machine that is busy with others the time may be over before anything was tried.
        while got[0] == 0 and not (got[1] and (got[2] or not self.grants)) and self.ms < 20000:
            self.ms *= 4
            got = self.once(faults)
        report(got[0] == 0 and got[1] > 0 and (got[2] > 0 or not self.grants),
               f"{self.title}: fails in {what}", got)
        print(f"# {self.name}: {what} {got}", flush=True)

    def judge(self):
        if self.root is not None and self.root != ROOT:
            return
        if self.missing:
            skip(self.title, self.missing)
            return
        if self.native:
            skip(f"{self.title}: succeeds in the racy reeve", self.native)
        else:
            got = self.once(self.faults)
            # A race that was not won says nothing yet: on a busy machine the other side may not have run.
            while got[0] == 0 and self.racy_ms < 60000:
                self.racy_ms *= 2
                got = self.once(self.faults)
            report(got[0] is not None and got[0] > 0,
                   f"{self.title}: succeeds in the racy reeve ({self.faults})", got)
            print(f"# {self.name}: racy {got}")
        if self.also:
            self.fails(f"the racy reeve ({self.also})", self.also)
        self.fails("reeve", "")


def without_int80():
    """Why nothing can enter the kernel as i386 does, or ""."""
    if "--list" in sys.argv:
        return ""
    if platform.machine() != "x86_64":
        return "arch: x86-64 only"
    bare = subprocess.run([HOSTILE, "int80", "/", "100"], capture_output=True, text=True, check=False)
    return "" if (score(bare.stdout) or (0,))[0] else "ia32: this kernel runs no i386 system calls"


def score(text):
    """(hits, tries, grants) of what the program printed last."""
    found = re.findall(r"^hits (\d+) tries (\d+) grants (\d+)$", text, re.M)
    return tuple(map(int, found[-1])) if found else None


def usual(command, env, place):
    done = subprocess.run(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=150)
    return score(done.stdout) or (None, done.returncode, done.stdout, done.stderr)


def survives(command, env, place):
    """A hit is a supervisor, or a domain, that does not come to its end."""
    done = subprocess.run(command, env=env, cwd=place.path, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=150)
    said = score(done.stdout)
    if said and done.returncode == 0:
        return said
    return (1, 1, 0) if done.returncode < 0 or done.returncode == 137 else (None, done)


def finish():
    tap.finish()


def run_all(attacks):
    """Those that are named on the command line, or all."""
    if "--list" in sys.argv:
        print("\n".join(attack.name for attack in attacks))
        sys.exit(0)
    if "--user" in sys.argv:
        tap.as_user(*glob.glob(os.path.dirname(os.path.realpath(__file__)) + "/*.py"))
    names = [arg for arg in sys.argv[4:] if not arg.startswith("-")]
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for attack in attacks:
        if not names or attack.name in names:
            attack.judge()
    finish()
