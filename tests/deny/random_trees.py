#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random trees, grants and denials: what a program can do against what the rules say.

	random_trees.py REEVE REEVE-UNPINNED [SEED]
"""
import errno
import json
import os
import random
import sys

from harness import BASE, PYTHON, Tree, begin, finish, report, run

CASES, OPERATIONS = 30, 150
begin()
seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
print("# seed", seed)
rng = random.Random(seed)
NAMES = ["a", "b", "c"]

# Performs operations, one a line of JSON, and says how each went.
DRIVER = r'''
import errno, json, os, sys
def perform(op, path, other):
    if op == "read":
        os.close(os.open(path, os.O_RDONLY))
    elif op == "write":
        os.close(os.open(path, os.O_WRONLY))
    elif op == "make":
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    elif op == "unlink":
        os.unlink(path)
    elif op == "mkdir":
        os.mkdir(path)
    elif op == "rmdir":
        os.rmdir(path)
    elif op == "symlink":
        os.symlink("nowhere", path)
    elif op == "rename":
        os.rename(path, other)
    elif op == "link":
        os.link(path, other, follow_symlinks=False)
for op, path, other in json.load(open(sys.argv[1])):
    try:
        perform(op, path, other)
        print("ok")
    except OSError as e:
        print(errno.errorcode[e.errno])
'''


def make_tree(path, depth):
    for name in NAMES:
        if rng.random() < .75:
            if depth and rng.random() < .7:
                os.mkdir(f"{path}/{name}")
                make_tree(f"{path}/{name}", depth - 1)
            else:
                with open(f"{path}/{name}", "w", encoding="utf-8") as file:
                    file.write("x")


def some_path():
    return "/".join(rng.choice(NAMES) for _ in range(rng.randrange(1, 5)))


def is_possible(root, path):
    """Whether a policy can name it: nothing that is a file is above it."""
    parts = path.split("/")
    return not any(os.path.isfile("/".join([root, *parts[:n]])) for n in range(1, len(parts)))


class Rules:
    """The semantics of lib/model, said once more: grants of everything, denials of everything."""

    def __init__(self, root):
        drawn = [some_path() for _ in range(rng.randrange(4, 8))]
        possible = [path for path in drawn if is_possible(root, path)]
        self.denials = set(possible[:rng.randrange(1, 4)]) or {"a"}
        # Besides the whole: something that is there, often below a denial.
        self.grants = {""} | {path for path in possible[3:] if os.path.exists(f"{root}/{path}")}
        self.grants -= self.denials

    def allowed(self, path):
        """Whether something is granted on the object: the nearest rule on the way up decides."""
        parts = path.split("/") if path else []
        for n in range(len(parts), -1, -1):
            above = "/".join(parts[:n])
            if above in self.denials:
                return False
            if above in self.grants:
                return True
        return False

    def fixed(self, path):
        return any(d == path or d.startswith(path + "/") for d in self.denials)

    def on(self, path):
        return path in self.denials

    def judge(self, op, path, other):
        parent = os.path.dirname
        if op in ("read", "write"):
            return self.allowed(path)
        if op == "make":
            return self.allowed(parent(path)) and self.allowed(path) and not self.fixed(path)
        if op == "mkdir":
            return self.allowed(parent(path)) and not self.on(path)
        if op in ("unlink", "rmdir", "symlink"):
            return self.allowed(parent(path)) and not self.fixed(path)
        return (self.allowed(parent(path)) and self.allowed(parent(other)) and not self.fixed(path)
                and not self.fixed(other))


def operations():
    kinds = ["read", "write", "make", "unlink", "mkdir", "rmdir", "symlink", "rename", "link"]
    return [(rng.choice(kinds), some_path(), some_path()) for _ in range(OPERATIONS)]


def native(tree, op, path, other):
    """What becomes of the operation outside, for the same tree at the same point."""
    scope = {}
    exec(DRIVER.split("for op,")[0], scope)  # pylint: disable=exec-used
    try:
        scope["perform"](op, tree / path, tree / other)
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]


def one(number):
    with Tree({"run": {}, "twin": {}}) as t:
        state = rng.getstate()
        make_tree(t / "run", 3)
        rng.setstate(state)
        make_tree(t / "twin", 3)
        rules = Rules(t / "run")
        wanted = operations()
        with open(t / "ops.json", "w", encoding="utf-8") as file:
            json.dump([(op, t / "run/" + a, t / "run/" + b) for op, a, b in wanted], file)
        with open(t / "driver.py", "w", encoding="utf-8") as file:
            file.write(DRIVER)
        args = [word for g in rules.grants for word in ("--rw", (t / "run/" + g).rstrip("/"))]
        args += [word for d in rules.denials for word in ("--deny", t / "run/" + d)]
        got = run(*BASE, "--ro", t / "ops.json", "--ro", t / "driver.py", *args,
                  command=[PYTHON, t / "driver.py", t / "ops.json"])
        answers = got.stdout.split()
        wrong, denied, worked = [], 0, 0
        for answer, (op, a, b) in zip(answers, wanted):
            if rules.judge(op, a, b):
                expected = native(t, op, "twin/" + a, "twin/" + b)
                worked += expected == "ok"
                good = answer == expected
            else:
                # Denied, or it fails as it would anyway; which comes first is the kernel's to say.
                # EXDEV would make programs copy; a directory cannot be linked by anybody.
                linked = op == "link" and os.path.isdir(t / "twin/" + a)
                good = answer != "ok" and (answer != "EXDEV" or linked)
                denied += answer in ("EACCES", "EXDEV")
            if not good:
                wrong.append(f"{op} {a} {b}: {answer}, expected "
                             f"{expected if rules.judge(op, a, b) else 'a denial'}")
        good = len(answers) == OPERATIONS and not wrong
        report(good, f"tree {number}: {worked} worked, {denied} were denied",
               f"denials {sorted(rules.denials)}, grants {sorted(rules.grants)}\n" + "\n".join(wrong[:10]) + got.stderr[-500:])


for i in range(CASES):
    one(i)
finish()
