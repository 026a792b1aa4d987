#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Denials whose path goes through a symbolic link: one run must not decide what the next one denies.

	links.py REEVE REEVE-UNPINNED [--user]
"""
import os
import subprocess

from harness import BASE, PYTHON, REEVE, SECRET, WRONG, Tree, begin, finish, inside, read, report, run, says, tap

# Every way to put something else in the place of a link, or of a directory above it.
ATTACK = r'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)

def exchange(a, b):
    call = 316 if os.uname().machine == "x86_64" else 276
    if libc.syscall(call, -100, a.encode(), -100, b.encode(), 2):
        raise OSError(ctypes.get_errno(), a)

def attempt(act, *args):
    try:
        act(*args)
    except OSError:
        pass

def put(at):
    """Something else there: a link, then what a program makes of a name that is free."""
    attempt(os.symlink, "decoy", "new")
    attempt(os.rename, "new", at)
    attempt(os.unlink, "new")
    attempt(os.symlink, "decoy", at)
    attempt(os.link, "decoy-link", at)
    attempt(os.rename, "decoy-link", at)
    attempt(os.mkdir, at)
    attempt(lambda: open(at + "/secret", "w").close())
    attempt(os.rename, "decoy", at)

def attack(at):
    before = os.lstat(at).st_ino
    for act in ((os.unlink, at), (os.rename, at, "gone"), (exchange, at, "decoy-link"), (exchange, at, "decoy"),
                (os.rmdir, at), (os.rename, at, "decoy/gone")):
        attempt(*act)
        if not os.path.lexists(at) or os.lstat(at).st_ino != before:
            break
    put(at)

processes, rounds = int(sys.argv[1]), int(sys.argv[2])
for _ in range(processes - 1):
    if os.fork() == 0:
        processes = 0
        break
for at in sys.argv[3:] * rounds:
    attempt(attack, at)
for _ in range(processes - 1):
    os.wait()
if processes:
    print("done")
'''


def project(**more):
    return Tree({"real": {"secret": SECRET}, "decoy": {"secret": "d\n"}, "sub": {"deep": {}}, "top": "t\n", **more})


def link(tree, links):
    os.symlink("decoy", tree / "decoy-link")
    for name, target in links.items():
        os.symlink(target, tree / name)


def hostile(tree, victims, *args, reeve=REEVE, rounds=(1, 1)):
    return run(*BASE, "--rwx", tree.path, *args, cwd=tree.path, reeve=reeve,
               command=[PYTHON, "-c", ATTACK, *map(str, rounds), *victims])


def two_runs(name, links, denied, victims, rounds=(1, 1)):
    """What the hostile run leaves, an honest one finds. The reeve that is wrong loses what is denied."""
    for reeve, wins in ((WRONG, True), (REEVE, False)):
        with project() as t:
            link(t, links)
            deny = [word for path in denied for word in ("--deny", t / path)]
            first = hostile(t, victims, *deny, reeve=reeve, rounds=rounds)
            whole = all(os.path.islink(t / at) and os.readlink(t / at) == to for at, to in links.items())
            got = inside(t, "cat real/secret; cat top", denied=denied)
            good = first.stdout == "done\n" and whole == (not wins)
            if not wins or rounds == (1, 1):  # what many leave may be no way at all
                good = good and (SECRET in got.stdout) == wins and got.stdout.endswith("t\n")
            report(good, f"{name}: " + ("the wrong reeve loses it to the next run" if wins else "reeve does not"),
                   first.stderr + got.stdout + got.stderr)


begin()
two_runs("a denied link", {"link": "real"}, ["link"], ["link"])
two_runs("a link to the file itself", {"link": "real/secret"}, ["link"], ["link"])
two_runs("a link on the way", {"way": "real"}, ["way/secret"], ["way"])
two_runs("the second of two links", {"one": "two", "two": "real"}, ["one/secret"], ["two"])
two_runs("a directory above the link", {"sub/deep/link": "../../real"}, ["sub/deep/link"], ["sub/deep", "sub"])
two_runs("a link that leads on from the denied one", {"link": "sub/way", "sub/way": "../real"}, ["link"], ["sub/way"])
two_runs("four processes at once", {"sub/deep/link": "../../real", "way": "sub/deep/link"}, ["way/secret"],
         ["way", "sub", "sub/deep", "sub/deep/link"], (4, 25))

# ---- the name is denied as well, wherever it leads
with project() as t, Tree({"hook": "a hook\n"}) as outside:
    link(t, {"hooks": outside.path})
    got = hostile(t, ["hooks"])
    report(not os.path.islink(t / "hooks") or os.readlink(t / "hooks") != outside.path,
           "a link that nothing denies can be replaced", got.stderr)
with project() as t, Tree({"hook": "a hook\n"}) as outside:
    link(t, {"hooks": outside.path})
    got = hostile(t, ["hooks"], "--deny", t / "hooks")
    says("a denied link to where nothing is granted", got, "done\n")
    report(os.readlink(t / "hooks") == outside.path, "it is as it was")
    report(f"denied by --deny {t / 'hooks'}" in got.stderr, "the summary names the denial", got.stderr)
    got = inside(t, "true", "--static", denied=["hooks"])
    says("--static refuses it, and names the link", got, code=125, err=f"{t / 'hooks'} could be changed from inside")
    got = inside(t, "cat top", "--static", denied=["hooks"], grant="--ro")
    says("--static, and no link can be replaced", got, "t\n")
with project() as t:
    link(t, {"env": ".env"})
    hostile(t, ["env"], "--deny", t / "env")
    with open(t / ".env", "w", encoding="utf-8") as file:
        file.write(SECRET)
    says("a link to what is not there yet", inside(t, "cat env .env; cat top", denied=["env"]), "t\n")
with project() as t, Tree({}) as outside:
    link(t, {"link": "real"})
    os.symlink(t / "link", outside / "way")
    hostile(t, ["link"], "--deny", outside / "way")
    report(os.readlink(t / "link") == "real", "a link that is found by way of another, which is out of reach")

# ---- what is beside it, and what it leads to, is used as ever
with project() as t, project() as elsewhere:
    link(t, {"way": "real", "link": "sub"})
    policy = elsewhere / "p.toml"
    with open(policy, "w", encoding="utf-8") as file:
        file.write('abi = 7\nextends = ["none"]\n'
                   f'[[path_beneath]]\nallowed_access = ["abi.all"]\nparent = ["{t.path}"]\n'
                   f'[[path_beneath]]\nexcept = ["{t / "way"}"]\n'
                   'except_access = ["write_file", "truncate"]\n')
    base = ["-p", policy] + BASE[2:]
    script = """cat way/secret; (echo x >way/secret); (echo x >way/new); (echo x >real/secret); rm -f way; mv way w
        ln -sfn decoy way; readlink way; echo y >link/f; cat link/f sub/f; rm link; mv decoy-link link; readlink link"""
    got = inside(t, script, base=base)
    says("except_access: what the link leads to can be read, neither be written", got,
         SECRET + "real\ny\ny\ndecoy\n")
    report(read(t / "real/secret") == SECRET and "p.toml:7" in got.stderr, "and the summary names its line",
           got.stderr)
with project() as t:
    link(t, {"link": "real", "other": "decoy"})
    says("links beside it", inside(t, """
        rm other; ln -s sub other; readlink other; mv other o; mv sub/deep sub/d; ls sub; ln -s x sub/link
        cat decoy-link/secret; (cat link/secret); readlink link""", denied=["link"]), "sub\nd\nd\nreal\n")
    os.link(t / "link", t / "link2", follow_symlinks=False)
    says("a link with another name", inside(t, "cat link2/secret; rm link; cat top", denied=["link"]), "t\n")
    report(os.path.islink(t / "link"), "it is as it was")

# ---- a directory that ".." leaves on the way: a link in its place would lead elsewhere
with project() as t, Tree({"sub": {}}) as outside:
    link(t, {"link": "decoy/../real/secret", "sub/link": "../real/secret"})
    refused = f'".." steps up from {t / "decoy"}, which the policy lets programs replace'
    says("by the path", inside(t, "true", denied=["decoy/../real/secret"]), code=125, err=refused)
    says("the way out is named", inside(t, "true", denied=["decoy/../real/secret"]), code=125,
         err=f'without "..", {t / "real/secret"}')
    says("by a link", inside(t, "true", denied=["link"]), code=125, err=refused)
    with open(t / "p.toml", "w", encoding="utf-8") as file:
        file.write('extends = ["base"]\n')
    says("by the way to a policy file", run("-p", t / "decoy/../p.toml", "--rw", t.path, command=["true"]),
         code=125, err=refused)
    says("where nothing can be replaced", inside(t, "cat top", denied=["decoy/../real/secret"], grant="--ro"), "t\n")
    says("nor what is above what is denied", inside(
        t, "mv decoy real; cat top", denied=["real/../real/secret"]), "t\n")
    says("from a link's own directory, which stays", inside(
        t, "cat sub/link; mv sub decoy; rm sub/link; cat top", denied=["sub/link"]), "t\n")
    report(os.path.islink(t / "sub/link"), "and did")
    for args in (("--deny", "../real/secret"), ("--deny", "./../sub/../real/secret"), ("-p", "../p.toml", "--ro", "."),
                 ("-p", ".//..//p.toml", "--ro", ".")):
        os.makedirs(t / "sub", exist_ok=True)
        got = run(*BASE, "--rwx", t.path, *args, cwd=t / "sub", command=["cat", "../top"])
        says("from where reeve is started: " + " ".join(args), got, "t\n")

# ---- what is granted later, while the program runs
def granted_later(tree, *args):
    """Attacks once all of the tree is granted; what is told."""
    name = f"links-{os.getpid()}"
    os.mkfifo(tree / "ready")
    os.mkfifo(tree / "go")
    process = subprocess.Popen(
        [REEVE, "run", *BASE, "--name", name, "--rw", tree / "ready", "--ro", tree / "go", *args, "--", "sh", "-c",
         'echo >ready; read x <go; exec "$@"', "sh", PYTHON, "-c", ATTACK, "1", "1", "link"],
        cwd=tree.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(tree / "ready", encoding="utf-8") as file:
        file.read()
    tap.wait_for(lambda: subprocess.run([REEVE, "inspect", name], capture_output=True).returncode == 0)
    allowed = subprocess.run([REEVE, "allow", name, "--rw", tree.path], capture_output=True, text=True)
    with open(tree / "go", "w", encoding="utf-8") as file:
        file.write("go\n")
    out, err = process.communicate(timeout=240)
    return out + allowed.stderr + err


for denied, name in (((), "a live rule lets a link be replaced"), (("link",), "but not one that is denied")):
    with project() as t:
        link(t, {"link": "real"})
        told = granted_later(t, *[word for at in denied for word in ("--deny", t / at)])
        kept = os.path.islink(t / "link") and os.readlink(t / "link") == "real"
        report(told.startswith("done\n") and kept == bool(denied), name, told)
finish()
