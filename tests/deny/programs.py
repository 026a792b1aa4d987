#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs in a project of which a part is denied.

	programs.py REEVE REEVE-UNPINNED [--user]
"""
import os
import shutil

import harness
from harness import PYTHON, Tree, begin, finish, report, says, skip

begin()
os.environ.update({"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e@e", "GIT_COMMITTER_NAME": "n",
                   "GIT_COMMITTER_EMAIL": "e@e", "HOME": "/nonexistent",
                   "PATH": "/usr/local/bin:/usr/bin:/bin"})


def inside(tree, script, **more):
    os.environ["TMPDIR"] = tree / "tmp"
    return harness.inside(tree, script, "--ro", "/dev/urandom", **more)


TREE = {"tmp": {}, "src": {"main.c": "int main(void)\n{\n\treturn 0;\n}\n"}, "out": {}, "top.txt": "one\n",
        "secret": {"key": "k\n"},
        "Makefile": "all: out/prog lib.o\nout/prog: src/main.c\n\tcc -o $@ $<\n"
                    "lib.o: src/main.c\n\tcc -c -o $@ $<\ncheck: all\n\tout/prog && echo passed\n"}

with Tree(TREE) as t:
    if shutil.which("git"):
        got = inside(t, "git init -q . && mkdir -p .git/hooks")
        report(got.returncode == 0, "git init, without a denial", got.stderr)
        got = inside(t, r"""
            set -e
            git add -A; git commit -qm one; git checkout -qb other; echo two >>top.txt
            git commit -qam two; git checkout -q -; git merge -q other; git tag v1; git gc -q
            git status --short; git stash -q 2>/dev/null || true; git log --oneline | wc -l
            git clone -q . cloned; cat cloned/top.txt; git fsck 2>&1 | grep -i error || true
            (echo x >.git/hooks/pre-commit) 2>/dev/null && echo made
            git config core.hooksPath >/dev/null || true; ls .git/hooks 2>/dev/null || echo unlisted
            """, denied=[".git/hooks"])
        says("git: commit, checkout, merge, gc, clone with .git/hooks denied", got,
             "2\none\ntwo\nunlisted\n")
    else:
        skip("git", "git: not installed")

with Tree(TREE) as t:
    if shutil.which("make") and shutil.which("cc"):
        got = inside(t, "make -s check && make -s check && touch src/main.c && make -s check; ls",
                     denied=["secret"], grant="--rwx")
        says("make, and what it made in a directory that was there is executed", got,
             "passed\npassed\npassed\nMakefile\nlib.o\nout\nsecret\nsrc\ntmp\ntop.txt\n")
        got = inside(t, "cc -o prog src/main.c && ./prog", denied=["secret"])
        says("what was made beside the denied object is not executed (documented)", got, code=126)
        got = inside(t, "./prog && echo ran", denied=["secret"])
        says("by the next run it is", got, "ran\n")
    else:
        skip("make", "cc: not installed")

with Tree(TREE) as t:
    got = inside(t, f"{PYTHON} -m venv --without-pip v && v/bin/python -c 'import sys; "
                 "print(sys.prefix != sys.base_prefix)'", denied=["secret"])
    says("a python venv", got, "True\n")
    got = inside(t, r"""
        set -e
        printf 'a\nb\n' >f; sed -i s/a/A/ f; cat f
        cp f f~; printf 'c\n' >.f.new; mv -f .f.new f; cat f             # editors: write, rename over
        printf 'd\n' >f.tmp; ln f.tmp f2; rm f.tmp; cat f2
        tar cf x.tar src top.txt; mkdir un; tar xf x.tar -C un; cat un/top.txt; diff -r src un/src
        find . -name '*.c' 2>/dev/null | sort; rm -r un; patch -s top.txt <<END
--- top.txt
+++ top.txt
@@ -1 +1 @@
-one
+two
END
        cat top.txt""" if shutil.which("patch") else "exit 9", denied=["secret"])
    if shutil.which("patch"):
        says("sed -i, rename over, backup copies, tar, find, patch", got,
             "A\nb\nc\nd\none\n./src/main.c\n./un/src/main.c\ntwo\n")
    else:
        skip("editors", "patch: not installed")
finish()
