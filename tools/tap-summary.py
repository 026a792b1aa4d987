#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts subtests, of meson's testlog.json and of plain TAP files, and says what went wrong.

	tap-summary.py [LABEL=]FILE...
	tap-summary.py --failed FILE	the programs to run once more, alone
	tap-summary.py --self-test

Prints the reasons of skips (each once, with how often), what failed with its `# ` lines, and as
its last line exactly `N passed, N failed, N skipped`. Exits 1 where anything failed, or where
nothing ran at all.

Where FILE.again exists, from a second run of what failed, alone on the machine, a program counts
as it did there, and is named as unsteady: seen, and not what keeps a change from landing. Attacks
(hostile/) have no second try: one success is one too many.

A test program that dies, times out or breaks its plan has a failure of its own, however many of
its subtests passed. A program that speaks no TAP counts as one subtest.
"""
import collections
import json
import pathlib
import re
import sys
import tempfile

LINE = re.compile(r"^(not )?ok\b(?: (\d+))?(?: *-? *([^#]*))?(?:#\s*(\w+)\S*\s*(.*))?")
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?", re.IGNORECASE)


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.reasons = collections.Counter()
        self.failures = []
        self.unsteady = []

    def skip(self, reason):
        self.skipped += 1
        self.reasons[reason or "no reason given"] += 1

    def fail(self, where, name, comments=()):
        self.failed += 1
        self.failures.append((where, name, list(comments)[-20:]))


def add_line(totals, where, match, comments):
    """One `ok` or `not ok` line, with the comments that stand before it."""
    negative, _, name, directive, reason = match.groups()
    name, directive = (name or "").strip(), (directive or "").upper()
    if directive == "SKIP":
        above = [c[7:].strip() for c in comments if c.startswith("# SKIP ")]
        totals.skip(above[-1] if above else reason.strip())
    elif negative and directive != "TODO":
        totals.fail(where, name, comments)
    else:
        totals.passed += 1


def add_tap(totals, where, text):
    """Adds the lines of one TAP text. Returns what is wrong with its plan, or None."""
    planned = None
    seen = 0
    comments = []
    for line in text.splitlines():
        plan, match = PLAN.match(line), LINE.match(line)
        if plan:
            planned = int(plan.group(1))
            if planned == 0:
                totals.skip(plan.group(2) or "")
        elif match:
            seen += 1
            add_line(totals, where, match, comments)
            comments = []
        elif line.startswith("Bail out!"):
            return line
        elif line.startswith("#"):
            comments.append(line)
    if planned is None:
        return "no plan: it died before it could say what it does"
    return f"{planned} planned, {seen} seen" if planned != seen else None


def add_test(totals, label, entry):
    """One line of testlog.json: one test program."""
    where = f"{label}: {entry['name']}" if label else entry["name"]
    stdout = entry.get("stdout") or ""
    before = totals.failed
    if not PLAN.search(stdout) and not re.search(r"^1\.\.\d", stdout, re.MULTILINE):
        return add_plain(totals, where, entry)
    wrong = add_tap(totals, where, stdout)
    if wrong or (is_bad(entry) and totals.failed == before):
        stderr = (entry.get("stderr") or "").splitlines()[-20:]
        totals.fail(where, wrong or f"the program: {entry['result']}", [f"# {l}" for l in stderr])


def add_plain(totals, where, entry):
    if entry["result"] in ("OK", "EXPECTEDFAIL"):
        totals.passed += 1
    elif entry["result"] == "SKIP":
        totals.skip(where)
    else:
        tail = ((entry.get("stdout") or "") + (entry.get("stderr") or "")).splitlines()[-20:]
        totals.fail(where, entry["result"], [f"# {l}" for l in tail])


def is_bad(entry):
    return entry["result"] in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS")


def read_log(name):
    text = pathlib.Path(name).read_text(encoding="utf-8", errors="replace")
    return [json.loads(line) for line in text.splitlines()]


def failed_names(name):
    names = [entry["name"].rpartition(" / ")[2] for entry in read_log(name) if is_bad(entry)]
    return [name for name in names if not name.startswith("hostile/")]


def add_log(totals, label, name):
    again = {}
    if pathlib.Path(name + ".again").exists():
        again = {e["name"]: e for e in read_log(name + ".again") if not is_bad(e)}
    for entry in read_log(name):
        second = again.get(entry["name"])
        if is_bad(entry) and second:
            first = Totals()
            add_test(first, label, entry)
            totals.unsteady += first.failures
            entry = second
        add_test(totals, label, entry)


def add_file(totals, argument):
    label, _, name = argument.rpartition("=")
    if name.endswith(".json"):
        return add_log(totals, label, name)
    text = pathlib.Path(name).read_text(encoding="utf-8", errors="replace")
    wrong = add_tap(totals, label or name, text)
    if wrong:
        totals.fail(label or name, wrong)


def report(totals):
    for reason, count in sorted(totals.reasons.items()):
        print(f"skipped{f' {count} times' if count > 1 else ''}: {reason}")
    for word, failures in (("unsteady, passed alone", totals.unsteady), ("FAILED", totals.failures)):
        for where, name, comments in failures:
            print(f"{word}: {where}: {name}")
            for comment in comments:
                print(f"    {comment}")
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed or not totals.passed else 0


# (TAP text, result by meson, passed, failed, skipped)
CASES = [
    ("1..2\nok 1 - a\nok 2 - b\n", "OK", 2, 0, 0),
    ("1..2\nok 1 - a\n# why\nnot ok 2 - b\n", "FAIL", 1, 1, 0),
    ("1..2\nok 1 - a\n", "ERROR", 1, 1, 0),
    ("ok 1 - a\n1..1\n", "OK", 1, 0, 0),
    ("1..1\n# SKIP root: needs root\nok 1 - a # SKIP see above\n", "SKIP", 0, 0, 1),
    ("1..0 # SKIP not here\n", "SKIP", 0, 0, 1),
    ("1..1\nok 1 - a\n", "TIMEOUT", 1, 1, 0),
    ("1..1\nok 1 - a\nBail out! no memory\n", "ERROR", 1, 1, 0),
    ("1..1\nnot ok 1 - later # TODO\n", "OK", 1, 0, 0),
    ("", "ERROR", 0, 1, 0),
    ("hello\n", "OK", 1, 0, 0),
    ("1..1\nok 1 - issue # 3 is not a directive\n", "OK", 1, 0, 0),
]


def second_try(name):
    """Of three programs that failed one passes alone, and one must not be tried."""
    bad = {"stdout": "1..1\nnot ok 1 - a\n", "result": "FAIL"}
    good = {"stdout": "1..1\nok 1 - a\n", "result": "OK"}
    tests = ("reeve:x / x/a", "reeve:x / x/b", "reeve:hostile / hostile/c")
    pathlib.Path(name).write_text("".join(json.dumps({"name": t, **bad}) + "\n" for t in tests))
    names = failed_names(name)
    again = pathlib.Path(name + ".again")
    again.write_text("".join(json.dumps({"name": t, **r}) + "\n"
                             for t, r in zip(tests, (good, bad))))
    totals = Totals()
    add_file(totals, f"gcc={name}")
    again.unlink()
    return (names == ["x/a", "x/b"] and (totals.passed, totals.failed) == (1, 2) and
            [where for where, _, _ in totals.unsteady] == ["gcc: reeve:x / x/a"])


def self_test():
    print(f"1..{len(CASES) + 2}")
    failed = 0
    for number, (text, result, *wanted) in enumerate(CASES, 1):
        totals = Totals()
        add_test(totals, "", {"name": "t", "stdout": text, "result": result})
        got = [totals.passed, totals.failed, totals.skipped]
        failed += got != wanted
        print(f"# wanted {wanted}, got {got}")
        name = " / ".join(text.splitlines()).replace("#", "")
        print(f"{'ok' if got == wanted else 'not ok'} {number} - {result}: {name}")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        for text, result, *_ in CASES[:2]:
            log.write(json.dumps({"name": "t", "stdout": text, "result": result}) + "\n")
        log.flush()
        totals = Totals()
        add_file(totals, f"gcc={log.name}")
        again = second_try(log.name)
    good = (totals.passed, totals.failed) == (3, 1) and totals.failures[0][0] == "gcc: t"
    print(f"{'ok' if good else 'not ok'} {len(CASES) + 1} - a log with a label")
    print(f"{'ok' if again else 'not ok'} {len(CASES) + 2} - a second try, and none for attacks")
    return 1 if failed or not good or not again else 0


def main(args):
    if args == ["--self-test"]:
        return self_test()
    if not args:
        print(__doc__, file=sys.stderr)
        return 2
    if args[0] == "--failed":
        print("\n".join(name for file in args[1:] for name in failed_names(file)))
        return 0
    totals = Totals()
    for argument in args:
        add_file(totals, argument)
    return report(totals)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
