#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deny inside of a grant: what is allowed goes on as without it, what is denied does not.

	basics.py REEVE REEVE-UNPINNED [--user]
"""
import os
import subprocess

from harness import BASE, REEVE, SECRET, Tree, begin, finish, inside, read, report, run, says, skip

begin()


def plain():
    return Tree({"a": {"b": {"secret": SECRET, "other": "o\n"}, "near": {"f": "n\n"}},
                 "free": {"f": "f\n", "sub": {}}, "top": "t\n"})


# ---- what is denied, and what is not
with plain() as t:
    says("files beside and below the spine", inside(
        t, "cat top free/f a/near/f a/b/other", denied=["a/b/secret"]), "t\nf\nn\no\n")
    says("what is denied cannot be read", inside(t, "cat a/b/secret", denied=["a/b/secret"]),
         code=1, err="Permission denied")
    says("without the denial it can", inside(t, "cat a/b/secret"), SECRET)
    says("nor written, truncated, removed, replaced, linked", inside(t, """
        (echo x >a/b/secret); (: >>a/b/secret); rm -f a/b/secret; mv top a/b/secret
        ln a/b/secret free/l; ln a/b/secret a/b/l; mv a/b/secret free/; cat free/secret
        ls free; cat top""", denied=["a/b/secret"]), "f\nsub\nt\n")
    report(read(t / "a/b/secret") == SECRET, "it is as it was")
    says("a denied directory can neither be listed nor entered nor filled", inside(t, """
        ls a/b; cat a/b/other; (echo x >a/b/new); mkdir a/b/d; mv top a/b/; mv a/b free/b
        ln -s x a/b/l; cat top""", denied=["a/b"]), "t\n")
    report(sorted(os.listdir(t / "a/b")) == ["other", "secret"], "it is as it was too")
    says("several denials, one below the other", inside(
        t, "cat a/near/f; cat a/b/other; cat top; cat free/f", denied=["a/b", "a/near", "a/b/secret"]),
         "t\nf\n", 0)

# ---- the errors are EACCES: EXDEV would make mv copy
with plain() as t:
    got = inside(t, r"""
        mv a free/a; mv a a2; mv a/b free/b; mv free/f a/b/secret; rmdir a/b; ln a/b/secret free/x
        mv -T free a""", denied=["a/b/secret"])
    lines = [line for line in got.stderr.splitlines() if line.startswith(("mv", "ln", "rmdir"))]
    report(len(lines) == 7 and all("Permission denied" in line for line in lines[:5]) and
           not any("cross-device" in line for line in lines),
           "moves of what is denied, and of what is above it: EACCES", got.stderr)

# ---- work goes on
with plain() as t:
    says("moves between the parts of the floor and the rest", inside(t, r"""
        set -e
        mkdir new; echo 1 >new/f; mv new/f free/g; mv free/g a/g; mv a/g g; mv g new/g; cat new/g
        mv new free/new; cat free/new/g; mv free/new .; mv free moved; cat moved/f; mkdir free
        echo 2 >free/f; cat free/f moved/f; ln moved/f l; cat l; rm -r free; mkdir -p free/x/y
        echo 3 >free/x/y/z; cat free/x/y/z; ln -s top link; cat link; mkfifo p; rm p
        """, denied=["a/b/secret"]), "1\n1\nf\n2\nf\nf\n3\nt\n")
    says("save by rename, append, truncate, sed -i", inside(t, r"""
        set -e
        printf 'x\n' >.top.swp; mv .top.swp top; echo y >>top; sed -i s/x/z/ top; cat top
        truncate -s 2 top; cat top""", denied=["a/b/secret"]), "z\ny\nz\n")

with plain() as t:
    for place in ("prog", "a/prog", "free/prog"):
        with open(t / place, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho ran\n")
        os.chmod(t / place, 0o755)
    says("programs that were there are executed", inside(
        t, "./prog; a/prog; free/prog", denied=["a/b/secret"]), "ran\nran\nran\n")

# ---- except_access: only some rights are taken away
WRITING = ("write_file", "truncate", "remove_dir", "remove_file", "make_dir", "make_reg", "make_sym",
           "make_sock", "make_fifo", "refer")
with plain() as t, plain() as elsewhere:
    policy = elsewhere / "ro.toml"
    with open(policy, "w", encoding="utf-8") as file:
        file.write('abi = 7\nextends = ["none"]\n'
                   f'[[path_beneath]]\nallowed_access = ["abi.all"]\nparent = ["{t.path}"]\n'
                   f'[[path_beneath]]\nexcept = ["{t / "a"}"]\n'
                   f'except_access = [{", ".join(chr(34) + word + chr(34) for word in WRITING)}]\n')
    base = ["-p", policy] + BASE[2:]
    says("what may not be written can be read, and what is beside it written", inside(t, r"""
        cat a/b/secret; ls a; (echo x >a/new); (echo x >a/b/secret); (: >>a/near/f); rm -f a/b/other
        mkdir a/d; mv a/near/f free/; mv free/f a/; ln a/near/f l; mv a moved; (echo x >a/b/../n)
        echo y >free/f; cat free/f; mv free/f top; cat top""", base=base),
         SECRET + "b\nnear\ny\ny\n")
    report(sorted(os.listdir(t / "a")) == ["b", "near"] and read(t / "a/near/f") == "n\n" and
           read(t / "a/b/secret") == SECRET, "it is as it was, with some rights taken away")

# ---- beside a denial of everything, what such a denial leaves is still the kernel's: it executes
with plain() as t, plain() as elsewhere:
    policy = elsewhere / "both.toml"
    with open(policy, "w", encoding="utf-8") as file:
        file.write('abi = 7\nextends = ["none"]\n'
                   f'[[path_beneath]]\nallowed_access = ["abi.all"]\nparent = ["{t.path}"]\n'
                   f'except = ["{t / "free"}", "{t / "a/b/secret"}"]\n'
                   f'[[path_beneath]]\nexcept = ["{t / "a"}"]\n'
                   f'except_access = [{", ".join(chr(34) + word + chr(34) for word in WRITING)}]\n')
    for place in ("a/prog", "a/near/prog", "a/b/prog"):
        with open(t / place, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho ran\n")
        os.chmod(t / place, 0o755)
    base = ["-p", policy] + BASE[2:]
    says("programs where nothing can be written", inside(
        t, "a/prog; a/near/prog; a/b/prog; cat a/near/f; cat free/f; cat a/b/secret; (echo x >a/near/f)"
        "; mv a/near/f top; mv a/b/other a/near/; ls a/b", base=base), "ran\nran\nran\nn\nother\nprog\nsecret\n")
    report(read(t / "a/near/f") == "n\n" and read(t / "top") == "t\n", "and nothing was")

# ---- what is not there yet
with plain() as t:
    says("a denied path that is not there cannot be made", inside(t, r"""
        (echo x >env); mkdir env; ln -s top env; mv top env; mkfifo env; ln top env; cat top; ls""",
        denied=["env"]), "t\na\nfree\ntop\n")
    says("nor can something else take the place of what would be above it", inside(t, r"""
        ln -s ../free n; (echo x >n); mv free n; mkdir n; ls -d n; mkdir n/m; (echo x >n/m/env)
        ls n/m; rmdir n/m; rmdir n; mv n free/; ln -s x n/m/env; ls -d n/m""",
        denied=["n/m/env"]), "n\nn/m\n")
    report(not os.path.islink(t / "n") and os.listdir(t / "n/m") == [], "and nothing was made")

# ---- symbolic links lead to the object, which is judged
with plain() as t:
    says("links out of the tree and into what is denied", inside(t, r"""
        ln -s a/b/secret in; cat in; ln -s /etc/hostname out; ln -s a/b dir; cat dir/secret
        ln -s ../a/b/secret free/in; cat free/in; cat free/f""", denied=["a/b/secret"]), "f\n")
    outside = Tree({"s": "outside\n"})
    os.symlink(outside.path, t / "leads-out")
    says("a link in the tree grants nothing", inside(
        t, "cat leads-out/s; cat top", denied=["a/b/secret"]), "t\n")
    outside.__exit__()

# ---- more than one grant, read-only grants, grants inside of denials
with plain() as t:
    says("a grant below the denial counts", inside(
        t, "cat a/b/secret; cat a/b/other; (echo x >a/b/other); cat top",
        "--ro", t / "a/b/other", denied=["a/b"]), "o\nt\n")
    says("a read-only grant", inside(t, "cat top free/f; cat a/b/secret; (echo x >top); cat top",
                                     denied=["a/b/secret"], grant="--ro"), "t\nf\nt\n")
    says("two grants, one above the other", inside(
        t, "cat top; (echo x >top); echo y >a/near/f; cat a/near/f; cat a/b/secret; cat top", "--rw",
        t / "a", denied=["a/b/secret"], grant="--ro"), "t\ny\nt\n")
    says("everything is granted but one directory", run(
        "-p", "none", "--rw", "/", "--rx", "/usr", "--rx", "/bin", "--rx", "/lib", "--deny", t / "a",
        *(["--rx", "/lib64"] if os.path.exists("/lib64") else []),
        command=["sh", "-c", f"cat {t.path}/top; cat {t.path}/a/near/f; cat {t.path}/top"]),
        "t\nt\n")

# ---- how it is said
with plain() as t:
    got = inside(t, "cat a/b/secret", denied=["a/b/secret"])
    report(f"denied by --deny {t / 'a/b/secret'}" in got.stderr and "--ro " not in got.stderr,
           "the summary names the denial, and no flag", got.stderr)
    with open(t / "p.toml", "w", encoding="utf-8") as file:
        file.write('abi = 5\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\n'
                   '[[path_beneath]]\nallowed_access = ["abi.all"]\nparent = ["."]\n'
                   'except = ["a/b/secret"]\n'
                   '[[path_beneath]]\nallowed_access = ["abi.read_execute"]\n'
                   'parent = ["/usr", "/bin", "/lib", "/etc"]\n')
    got = run("-p", t / "p.toml", "--rx", "/lib64" if os.path.exists("/lib64") else "/usr",
              command=["sh", "-c", "cat a/b/secret; cat top"], cwd=t.path)
    says("except in a policy file", got, "t\n")
    report("p.toml:7" in got.stderr, "the summary names its line", got.stderr)
    got = inside(t, "cat a/b/secret; cat top", "--events", "none", denied=["a/b/secret"])
    says("--events none", got, "t\n")
    got = inside(t, "cat a/b/secret; cat top", "--no-shim", denied=["a/b/secret"])
    says("without the shim", got, "t\n")
    got = inside(t, "true", "--static", denied=["a/b/secret"])
    says("--static refuses it", got, code=125, err="run without --static")

# ---- what cannot be held is refused by name
with plain() as t:
    os.link(t / "a/b/secret", t / "free/link")
    says("a hard link made before", inside(t, "cat free/link", denied=["a/b/secret"]), code=125,
         err="a/b/secret: it has another name (hard link)")
    says("one of a file in a denied directory", inside(t, "cat free/link", denied=["a/b"]), code=125,
         err="secret in it has another name")

if os.geteuid() == 0:
    with plain() as t:
        script = f"mount --bind {t / 'a/b'} {t / 'free/sub'} && exec \"$@\""
        mounted = ["unshare", "-m", "sh", "-c", script, "sh", REEVE, "run", *BASE, "--rw", t.path,
                   "--deny", t / "a/b/secret"]
        got = subprocess.run([*mounted, "--", "true"], capture_output=True, text=True)
        says("a bind mount that leads there", got, code=125, err="free/sub/secret")
        got = subprocess.run([*mounted, "--deny", t / "free/sub/secret", "--", "cat",
                              t / "free/sub/secret"], capture_output=True, text=True)
        says("which can be denied too", got, code=1, err="Permission denied")
else:
    skip("a bind mount that leads there", "root: mounts")
    skip("which can be denied too", "root: mounts")

finish()
