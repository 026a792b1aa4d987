#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/HAZARDS.md names tests and attacks that exist, and all attacks. TAP.

	hazards.py ROOT BUILD
"""
import glob
import json
import os
import re
import subprocess
import sys

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import report  # noqa: E402

ROOT, BUILD = sys.argv[1:3]


def has_attacks(script):
    """By name, against the racy reeve as well; hostile/reach tries what it does outside first."""
    with open(script, encoding="utf-8") as file:
        return "run_all(" in file.read() and "harness" not in os.path.basename(script)


def attacks_of(script):
    done = subprocess.run([sys.executable, script, "-", "-", "-", "--list"], capture_output=True,
                          text=True, check=True)
    return set(done.stdout.split())


def all_tests():
    with open(f"{BUILD}/meson-info/intro-tests.json", encoding="utf-8") as file:
        return {test["name"] for test in json.load(file)}


def named():
    """(test, attacks) of each reference in a table's last column."""
    with open(f"{ROOT}/docs/HAZARDS.md", encoding="utf-8") as file:
        rows = [line for line in file if line.startswith("| ") and "| tests |" not in line]
    for row in rows:
        references = re.findall(r"`([a-z]+/[a-z_-]+)(?:: ([a-z0-9 -]+))?`", row)
        report(bool(references), f"watched: {row.split('|')[1].strip()[:60]}", row)
        yield from ((test, attacks.split()) for test, attacks in references)


def main():
    exist = {f"hostile/{os.path.basename(script)[:-3]}": attacks_of(script)
             for script in glob.glob(f"{ROOT}/tests/hostile/*.py") if has_attacks(script)}
    tests, missing, used = all_tests(), set(), {test: set() for test in exist}
    for test, attacks in named():
        if test not in tests:
            missing.add(test)
        missing |= {f"{test}: {name}" for name in attacks if name not in exist.get(test, ())}
        used.setdefault(test, set()).update(attacks)
    report(not missing, "the tests that are named exist", sorted(missing))
    for test, attacks in sorted(exist.items()):
        report(attacks <= used[test], f"all attacks of {test} are there", attacks - used[test])
    tap.finish()


main()
