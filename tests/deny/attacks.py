#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Attacks on deny inside of a grant. Each succeeds first against a reeve that is wrong.

	attacks.py REEVE REEVE-UNPINNED [--user]
"""
import os
import subprocess
import tempfile

from harness import BASE, PYTHON, REEVE, SECRET, WRONG, Tree, begin, finish, inside, read, report, run

# What runs inside: four processes that move, exchange, link and replace everything above the secret,
# and look for it under each name that it could have. Prints how often they got at it.
STORM = r'''
import ctypes, os, random, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
SECRET = "this is the secret\n"
end = time.monotonic() + float(sys.argv[1])
NAMES = ["a", "a/b", "a/b/secret", "free", "free/a", "free/b", "free/sub", "free/sub/b", "new",
         "new/a", "new/b", "a/new", "x", "free/secret", "secret", "a/secret", "free/sub/secret"]
WHERE = ["a/b/secret", "free/a/b/secret", "free/b/secret", "free/sub/b/secret", "free/secret",
         "free/sub/secret", "secret", "new/a/b/secret", "new/b/secret", "x/b/secret", "x", "b/secret",
         "free/x/b/secret", "a/secret", "new/secret", "a/new/secret", "x/secret"]
held = [os.open(p, os.O_PATH) for p in ("a", "a/b", "free", "a/b/secret")]

def exchange(a, b):
    libc.syscall(316 if os.uname().machine == "x86_64" else 276, -100, a.encode(), -100, b.encode(), 2)

def look():
    got = 0
    path = random.choice(WHERE)
    flags = random.choice((os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_RDONLY))
    dir_fd = random.choice((None, None, held[0], held[1], held[2]))
    if dir_fd is not None:
        path = random.choice(("secret", "b/secret", "../a/b/secret", "a/b/secret", "sub/b/secret"))
    fd = os.open(path, flags, dir_fd=dir_fd)
    try:
        inode = os.fstat(fd).st_ino
        if inode == os.stat(held[3]).st_ino:
            got = 1
    finally:
        os.close(fd)
    return got

def mess():
    kind = random.randrange(9)
    a, b = random.choice(NAMES), random.choice(NAMES)
    if kind < 3:
        os.rename(a, b)
    elif kind == 3:
        exchange(a, b)
    elif kind == 4:
        os.link(a, b)
    elif kind == 5:
        os.link(f"/proc/self/fd/{held[3]}", b, follow_symlinks=True)
    elif kind == 6:
        os.mkdir(b)
    elif kind == 7:
        os.symlink("../" + a, b)
    else:
        (os.rmdir if random.random() < .5 else os.unlink)(random.choice(("new", "x", "a/new", b)))

AIMED = [("a", "free/a", "free/a/b/secret"), ("a/b", "free/b", "free/b/secret"),
         ("a/b/secret", "free/secret", "free/secret"), ("a", "free/sub", "free/sub/b/secret")]

def aim():
    """There, a look, and back."""
    old, new, secret = random.choice(AIMED)
    move = random.choice((os.rename, exchange))
    try:
        move(old, new)
    except OSError:
        pass
    try:
        with open(secret, random.choice(("r", "r+"))) as file:
            return file.read() == SECRET
    finally:
        move(new, old)

def attack():
    count = rounds = 0
    while time.monotonic() < end:
        rounds += 1
        for step in (aim, look, mess, look):
            try:
                count += step() or 0
            except OSError:
                pass
    os.write(1, f"{count} {rounds}\n".encode())

for seed in range(4):
    if os.fork() == 0:
        random.seed(seed)
        attack()
        os._exit(0)
for _ in range(4):
    os.wait()
'''


def storm(tree, reeve, seconds, *args):
    """How often the secret was opened, and how many rounds that took."""
    script = tempfile.NamedTemporaryFile("w", suffix=".py", dir=tree.path, delete=False)
    script.write(STORM)
    script.close()
    got = run(*BASE, "--ro", "/sys", "--rwx", tree.path, "--deny", tree / "a/b/secret", *args,
              command=[PYTHON, script.name, str(seconds)], cwd=tree.path, reeve=reeve)
    lines = [line.split() for line in got.stdout.splitlines()]
    if len(lines) != 4:
        print("#", got.returncode, got.stdout, got.stderr[-2000:])
        return -1, 0
    return sum(int(a) for a, _ in lines), sum(int(b) for _, b in lines)


def tree():
    return Tree({"a": {"b": {"secret": SECRET}}, "free": {"sub": {}, "f": "f"}, "top": "t"})


begin()
for how, args in (("with the shim", ()), ("without it", ("--no-shim",))):
    with tree() as t:
        for seconds in (1, 5, 25):  # on a busy machine
            count, rounds = storm(t, WRONG, seconds, *args)
            if count:
                break
        report(count > 0, f"a rename storm, {how}: the wrong reeve loses the secret",
               f"{count} of {rounds}")
    with tree() as t:
        for seconds in (3, 15, 60):
            count, rounds = storm(t, REEVE, seconds, *args)
            if count or rounds > 100:
                break
        print(f"# {rounds} rounds, {count} times")
        report(count == 0 and rounds > 100, f"a rename storm, {how}: reeve does not",
               f"{count} of {rounds}")
        report(read(t / "a/b/secret") == SECRET and os.lstat(t / "a/b/secret").st_nlink == 1,
               f"a rename storm, {how}: it is where it was, as it was")

# ---- single attacks, each against the wrong reeve as well where it is the rule that stops it
for reeve, wins in ((WRONG, True), (REEVE, False)):
    who = "the wrong reeve loses it" if wins else "reeve does not"
    for name, script in (
            ("the directory above it moved into the floor", "mv a free/a; cat free/a/b/secret"),
            ("its own directory moved there", "mv a/b free/b; cat free/b/secret"),
            ("exchanged with a directory of the floor",
             f"{PYTHON} -c 'import ctypes; ctypes.CDLL(None).syscall(%d, -100, b\"a\", -100,"
             " b\"free/sub\", 2)'; cat free/sub/b/secret" % (
                 316 if os.uname().machine == "x86_64" else 276))):
        with tree() as t:
            got = inside(t, script, denied=["a/b/secret"], reeve=reeve)
            report((SECRET in got.stdout) == wins, f"{name}: {who}", got.stdout + got.stderr)

# ---- what somebody outside does meanwhile: what is denied stays so by its inode
def meanwhile(tree, act, script, **more):
    """Runs `act` outside once the program runs, and then the rest of the script; its output."""
    ready, go = tree / "free/ready", tree / "free/go"
    os.mkfifo(ready)
    os.mkfifo(go)
    process = subprocess.Popen(
        [REEVE, "run", *BASE, "--rwx", tree.path, "--deny", tree / "a/b/secret", "--deny",
         tree / "d", "--", "sh", "-c", f"echo >{ready}; read x <{go}; {script}"],
        cwd=tree.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(ready, encoding="utf-8") as file:
        file.read()  # else it writes to nobody, and dies of SIGPIPE
    act()
    with open(go, "w", encoding="utf-8") as file:
        file.write("go\n")
    out, err = process.communicate(timeout=240)
    return out, err

def tree2():
    return Tree({"a": {"b": {"secret": SECRET}}, "free": {"sub": {}}, "d": {"s": SECRET, "e": {"s": SECRET}},
                 "top": "t\n"})

with tree2() as t:
    def act(t=t):
        os.mkdir(t / "late")
        os.rename(t / "a/b/secret", t / "late/x")
        os.rename(t / "d", t / "late/dd")
    out, _ = meanwhile(t, act, "cat late/x; cat late/dd/s late/dd/e/s; ls late/dd; (echo >late/dd/n); "
                       "rm late/x; rm late/dd/s; ln late/x l; mv late/dd/e free/; mv late/x free/; cat top")
    report(out == "t\n" and sorted(os.listdir(t / "late/dd")) == ["e", "s"],
           "moved by somebody outside: still denied, and what is below it", out)
with tree2() as t:
    def act(t=t):
        os.rename(t / "a/b/secret", t / "a/b/old")
        with open(t / "a/b/secret", "w", encoding="utf-8") as file:
            file.write("a new one")
        os.link(t / "a/b/old", t / "old2")
    out, _ = meanwhile(t, act, "cat a/b/secret a/b/old old2; cat top")
    report(out == "t\n", "replaced by somebody outside: the new one by its path, the old one by its inode",
           out)
with tree2() as t:
    out, _ = meanwhile(t, lambda: None, f"""exec 3<free; {PYTHON} -c '
import os
def attempt(what):
    try:
        what()
        print("worked")
    except OSError:
        pass
fd = os.open("a/b", os.O_PATH)
attempt(lambda: os.open("secret", os.O_RDONLY, dir_fd=fd))
secret = os.open("a/b/secret", os.O_PATH)
attempt(lambda: os.open(f"/proc/self/fd/{{secret}}", os.O_RDONLY))
attempt(lambda: os.link(f"/proc/self/fd/{{secret}}", "free/l", follow_symlinks=True))
attempt(lambda: os.link("secret", "l", src_dir_fd=fd))
attempt(lambda: os.truncate("a/b/secret", 0))
attempt(lambda: os.open("d", os.O_RDWR | os.O_TMPFILE))
attempt(lambda: os.mkfifo("d/f"))
attempt(lambda: os.open("a/b/../../a/./b//secret", os.O_RDONLY))
new = os.open(".", os.O_RDWR | os.O_TMPFILE, 0o600)
attempt(lambda: os.link(f"/proc/self/fd/{{new}}", "d/x", follow_symlinks=True))
print("end")
'""")
    report(out == "end\n", "by descriptors, magic links, O_TMPFILE and other spellings", out)
finish()
