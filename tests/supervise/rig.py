# SPDX-License-Identifier: MIT
"""Runs of reeve, and a directory for each part, for the scripts of this directory."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, ROOT, report, skip  # noqa: E402, F401

REEVE = os.path.realpath(sys.argv[1])


def put(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def reeve(*args, **more):
    return subprocess.run([REEVE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240, **more)


def run(*args, command, **more):
    return reeve("run", *args, "--", *command, **more)


def by_kernel(feature):
    return tap.enforcers(REEVE).get(feature) == "Landlock"


def events(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main(*parts):
    """Runs the parts in a directory of their own; with --user as nobody."""
    if "--user" in sys.argv:
        tap.as_user(os.path.realpath(__file__), home=True)
    if not os.path.exists(PYTHON):
        print("1..0 # SKIP python: the system has none in /usr/bin")
        sys.exit(0)
    work = os.path.realpath(tempfile.mkdtemp())
    for part in parts:
        place = f"{work}/{part.__name__}"
        os.mkdir(place)
        os.chdir(place)
        try:
            part()
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            report(False, part.__name__, repr(error))
    os.chdir("/")
    shutil.rmtree(work)
    tap.finish()
