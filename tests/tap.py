# SPDX-License-Identifier: MIT
"""TAP for tests in Python, and a second run of a script as an ordinary user.

A script in a directory of tests/ finds it by

	sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
"""
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

PYTHON = "/usr/bin/python3"  # the system's: what every profile lets a program read
ROOT = os.geteuid() == 0
NOBODY = 65534
number = 0
failed = False


def report(good, name, detail=""):
    global number, failed
    number += 1
    failed |= not good
    for line in str(detail).splitlines() if not good else []:
        print("#", line.encode("ascii", "backslashreplace").decode())
    print(("ok" if good else "not ok"), number, "-", name, flush=True)


def skip(name, why):
    """A failure where REEVE_TEST_REQUIRE has the word before the colon of `why`."""
    global number
    if why.split(":")[0] in os.environ.get("REEVE_TEST_REQUIRE", "").split(","):
        report(False, name, f"required, but would be skipped: {why}")
        return
    number += 1
    print(f"ok {number} - {name} # SKIP {why}", flush=True)


def skip_all(why):
    """As skip(), instead of all."""
    if why.split(":")[0] in os.environ.get("REEVE_TEST_REQUIRE", "").split(","):
        report(False, f"required, but would be skipped: {why}")
        finish()
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def wait_for(condition, patience=60):
    """Whether it came true within so many seconds; as many as a machine under load may need."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@functools.cache
def enforcers(reeve):
    """Who enforces each feature here, as `reeve check` has it."""
    out = subprocess.run([reeve, "check", "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=240).stdout
    rows = map(json.loads, out.splitlines())
    return {row["feature"]: row["by"] for row in rows if "feature" in row}


def finish():
    print(f"1..{number}")
    sys.exit(1 if failed else 0)


def as_user(*files, home=False, **more):
    """The calling script again as nobody, with copies of itself, `files`, and the programs among its
    arguments; reeve's module goes where reeve goes. With `home`, its HOME is its TMPDIR; `more` is
    added to its environment."""
    if not ROOT:
        skip_all("root: an ordinary user already")
    place = tempfile.mkdtemp()
    programs = [os.path.realpath(word) for word in sys.argv[1:] if os.path.isfile(word)]
    modules = [os.path.join(os.path.dirname(program), "libreeve-command.so") for program in programs]
    os.mkdir(place + "/bin")
    for path in {os.path.realpath(sys.argv[0]), os.path.realpath(__file__), *programs, *files,
                 *filter(os.path.exists, modules)}:
        shutil.copy(path, place + "/bin")
    os.mkdir(place + "/tmp")
    os.chown(place + "/tmp", NOBODY, NOBODY)
    os.chmod(place, 0o755)
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": place + "/tmp",
           "REEVE_TEST_REQUIRE": os.environ.get("REEVE_TEST_REQUIRE", "")}
    env.update(more)
    if home:
        env["HOME"] = place + "/tmp"
    copies = [f"{place}/bin/{os.path.basename(path)}" for path in [sys.argv[0], *programs]]
    code = subprocess.run([PYTHON, *copies], env=env, user=NOBODY, group=NOBODY,
                          extra_groups=[]).returncode
    shutil.rmtree(place)
    sys.exit(code)
