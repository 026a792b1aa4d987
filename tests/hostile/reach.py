#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other ways to a file or a process than the usual calls: each works outside, and none in a sandbox.

	reach.py REEVE REACH [--user]
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402

REEVE, REACH = (os.path.realpath(arg) for arg in sys.argv[1:3])
VICTIM = """import sys, time
print("up", flush=True)
while True:
    open(sys.argv[1]).close()
    time.sleep(0.02)
"""


def outcomes(argv, cwd):
    got = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd, timeout=240,
                         check=False)
    return dict(line.rsplit(": ", 1) for line in got.stdout.splitlines()), got.stderr


def main():
    if "--user" in sys.argv:
        tap.as_user(home=True)
    top = os.path.realpath(tempfile.mkdtemp())
    os.mkdir(top + "/cwd")
    shutil.copy(REACH, top + "/cwd/reach")
    with open(top + "/secret", "w", encoding="ascii") as file:
        file.write("secret\n")
    victim = subprocess.Popen([tap.PYTHON, "-c", VICTIM, top + "/secret"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True)
    victim.stdout.readline()
    argv = [top + "/cwd/reach", top + "/secret", str(victim.pid)]
    outside, _ = outcomes(argv, top + "/cwd")
    inside, said = outcomes([REEVE, "run", "--quiet", "--", *argv], top + "/cwd")
    tap.report(len(outside) == len(inside) > 10, "all were tried", (outside, inside, said))
    for name, outcome in outside.items():
        if outcome == "reached":
            tap.report(inside.get(name) != "reached", f"not by {name}", inside)
        else:
            tap.skip(f"not by {name}", f"privilege: nor outside: {outcome}")
    victim.kill()
    victim.wait()
    victim.stdout.close()
    shutil.rmtree(top)
    tap.finish()


main()
