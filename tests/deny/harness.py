# SPDX-License-Identifier: MIT
"""What the tests of deny inside of a grant share: TAP, a second run as nobody, a fresh tree each."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report, skip  # noqa: E402, F401

REEVE = os.path.realpath(sys.argv[1])
WRONG = os.path.realpath(sys.argv[2])
SECRET = "this is the secret\n"
BASE = ["-p", "none", "--rx", "/usr", "--rx", "/bin", "--rx", "/lib", "--rx", "/etc", "--ro", "/proc",
        "--rw", "/dev/null"] + (["--rx", "/lib64"] if os.path.exists("/lib64") else [])


def begin():
    if "--user" in sys.argv:
        tap.as_user(os.path.realpath(__file__))


def finish():
    tap.finish()


class Tree:
    """A directory to grant, made anew; a dict is a directory, a str a file."""

    def __init__(self, what, parent=None):
        self.path = tempfile.mkdtemp(prefix="deny-", dir=parent)
        os.chmod(self.path, 0o755)
        self.fill(self.path, what)

    def fill(self, path, what):
        for name, inside in what.items():
            at = os.path.join(path, name)
            if isinstance(inside, dict):
                os.mkdir(at)
                self.fill(at, inside)
            else:
                with open(at, "w", encoding="utf-8") as file:
                    file.write(inside)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, name):
        return os.path.join(self.path, name)


def run(*args, command, reeve=REEVE, **more):
    return subprocess.run([reeve, "run", *args, "--", *command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240, errors="replace", **more)


def inside(tree, script, *args, denied=(), grant="--rwx", reeve=REEVE, base=None):
    """A shell script in the tree, with the tree granted and parts of it denied."""
    denials = [word for path in denied for word in ("--deny", tree / path)]
    return run(*(BASE if base is None else base), grant, tree.path, *denials, *args,
               command=["sh", "-c", script], cwd=tree.path, reeve=reeve)


def says(name, got, out=None, code=0, err=None):
    good = got.returncode == code and (out is None or got.stdout == out)
    good = good and (err is None or err in got.stderr)
    report(good, name, f"exit {got.returncode}, wanted {code}\n{got.stdout}\n{got.stderr}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
