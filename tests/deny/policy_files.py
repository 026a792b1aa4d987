#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loaded policy files are never writable from inside.

	policy_files.py REEVE REEVE-UNPINNED [--user]
"""
import os

from harness import Tree, begin, finish, read, report, run, says

POLICY = ('abi = 5\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\n'
          '[[path_beneath]]\nallowed_access = ["abi.all"]\nparent = ["%s"]\n'
          '[[path_beneath]]\nallowed_access = ["abi.read_execute"]\n'
          'parent = ["/usr", "/bin", "/lib", "/etc"%s]\n'
          '[[path_beneath]]\nallowed_access = ["read_file", "write_file"]\nparent = ["/dev/null"]\n')
EVIL = 'parent = ["/"]\n'
# Every way to put other rules there, and then what is there.
ATTACK = r"""
(echo '%s' >>p.toml); (echo x >evil); mv evil p.toml; cp evil p.toml; rm -f p.toml; ln -sf evil p.toml
truncate -s 0 p.toml; sed -i s/abi/xxx/ p.toml; ln p.toml other; (echo x >>other); mv p.toml gone
cd ..; mv conf conf2; cd conf; echo done
""" % EVIL.strip()


def policy(grant):
    return POLICY % (grant, ', "/lib64"' if os.path.exists("/lib64") else "")


def tree():
    return Tree({"conf": {"p.toml": policy(".."), "f": "f\n"}, "free": {}})


def attack(name, t, arg, file, cwd="conf", script=ATTACK):
    before = read(t / file)
    got = run("-p", arg, command=["sh", "-c", script], cwd=t / cwd)
    says(name, got, "done\n")
    good = read(t / file) == before and not os.path.islink(t / file) and os.path.isdir(t / "conf")
    report(good, name + ": it is as it was")
    return got


begin()
with tree() as t, Tree({"q.toml": policy(t.path)}) as elsewhere:
    got = run("-p", elsewhere / "q.toml", cwd=t / "conf", command=["sh", "-c", ATTACK])
    report(got.stdout == "done\n" and not os.path.isdir(t / "conf"),
           "a file that was not loaded can be changed", got.stderr)
with tree() as t:
    got = attack("within a writable grant", t, "p.toml", "conf/p.toml")
    report("loaded policy files are never writable" in got.stderr, "the summary says why", got.stderr)
    got = run("-p", "p.toml", cwd=t / "conf", command=["sh", "-c", r"""
        cat p.toml >copy; head -c 3 copy; echo; mkdir d; echo 1 >d/x; mv d/x x; cat x f; cp /bin/true .
        ./true && echo ran; cp /bin/true d/; d/true && echo ran"""])
    says("it can be read, and work beside it goes on", got, "abi\n1\nf\nran\nran\n")
with tree() as t:
    os.symlink("conf/p.toml", t / "link.toml")
    got = run("-p", t / "link.toml", cwd=t.path, command=["sh", "-c", """
        rm -f link.toml; ln -sf free/x link.toml; mv free/x link.toml; (echo x >>link.toml)
        mv link.toml l2; cd conf""" + ATTACK])
    report(os.readlink(t / "link.toml") == "conf/p.toml" and read(t / "conf/p.toml") == policy(".."),
           "by a symbolic link: neither it nor the file", got.stderr)
with tree() as t:
    os.symlink("conf", t / "dir")
    got = run("-p", t / "dir/p.toml", cwd=t.path,
              command=["sh", "-c", "rm -f dir; mkdir free/e; ln -sfn free/e dir; mv dir d2; true"])
    report(os.path.islink(t / "dir") and os.readlink(t / "dir") == "conf",
           "by a symbolic link to its directory: nor that", got.stderr)
with tree() as t:
    with open(t / "conf/base.toml", "w", encoding="utf-8") as file:
        file.write(policy(".."))
    with open(t / "conf/p.toml", "w", encoding="utf-8") as file:
        file.write('extends = ["./base.toml"]\n')
    before = read(t / "conf/base.toml")
    got = run("-p", "p.toml", cwd=t / "conf",
              command=["sh", "-c", "(echo x >>base.toml); rm -f base.toml; mv f base.toml; echo done"])
    says("a file that it extends", got, "done\n")
    report(read(t / "conf/base.toml") == before, "which is as it was")
with tree() as t:
    got = run("--static", "-p", "p.toml", cwd=t / "conf", command=["true"])
    says("--static", got, code=125, err="conf/p.toml could be changed from inside")
    with open(t / "conf/p.toml", "w", encoding="utf-8") as file:
        file.write(policy("../free"))
    got = run("--static", "-p", "p.toml", cwd=t / "conf", command=["echo", "fine"])
    says("--static, and it lies outside of what is writable", got, "fine\n")
    got = run("--static", "-p", "p.toml", "--ro", t.path, cwd=t / "conf", command=["echo", "fine"])
    says("--static, and it can be read", got, "fine\n")
with tree() as t:
    os.makedirs(t / "home/reeve/profiles")
    with open(t / "home/reeve/profiles/mine.toml", "w", encoding="utf-8") as file:
        file.write(policy(t.path))
    got = run("-p", "mine", cwd=t.path, env={**os.environ, "XDG_CONFIG_HOME": t / "home"}, command=[
        "sh", "-c", "(echo x >>home/reeve/profiles/mine.toml); mv home h; echo done"])
    says("a profile of the user", got, "done\n")
    report(read(t / "home/reeve/profiles/mine.toml") == policy(t.path), "which is as it was")
finish()
