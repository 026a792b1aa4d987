#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve run --permissive` and `--write-policy`.

	test_permissive.py REEVE [--user]
"""
import os
import shutil
import rig
from rig import PYTHON, ROOT, events, put, reeve, report, run, skip

GUARDED = r"""
import fcntl, os, sys
def attempt(name, call):
    try:
        call()
        print(name, "done")
    except OSError as error:
        print(name, error.strerror)
attempt("kill", lambda: os.kill(os.getppid(), 0))
attempt("push", lambda: fcntl.ioctl(1, 0x5412, b"x"))
print("preload", os.environ.get("LD_PRELOAD"))
"""


def judged():
    put("secret", "word\n")
    os.mkdir("dir")
    script = "cat secret; echo x >dir/new; rm dir/new; mkdir dir/d; rmdir dir/d; mv secret dir/; " \
             "mv dir/secret .; cat missing; ls dir >/dev/null; exit 3"
    command = ["/bin/sh", "-c", script]
    plain = run("-p", "base", command=command)
    report(plain.returncode == 3 and "word" not in plain.stdout and "denied" in plain.stderr,
           "enforced, all of it is denied", plain)
    got = run("-p", "base", "--permissive", "--events", "log", command=command)
    report(got.returncode == 3 and got.stdout == "word\n" and os.path.exists("secret"),
           "permissive, all of it works", got)
    report("requests would be denied" in got.stderr and "would be denied fs.read_file" in got.stderr
           and "--ro" in got.stderr, "the summary says what would be denied, and what allows it",
           got.stderr)
    denied = [event for event in events("log") if event["event"] == "denied"]
    report(denied and all(event["permissive"] is True and "error" not in event
                          for event in denied), "each event says so", denied)
    seen = {(right, os.path.basename(event["object"])) for event in denied
            for right in event["missing"]}
    wanted = {("fs.read_file", "secret"), ("fs.make_reg", "new"), ("fs.write_file", "new"),
              ("fs.remove_file", "new"), ("fs.make_dir", "d"), ("fs.remove_dir", "d"),
              ("fs.refer", "secret"), ("fs.read_dir", "dir")}
    report(wanted <= seen, "every right that is missing was seen", wanted - seen)
    report(not [event for event in denied if event["object"].endswith("missing")],
           "what does not exist is not denied", denied)
    plain = [event for event in events("log") if event["event"] != "denied"]
    report(not [event for event in plain if "permissive" in event], "others do not", plain)
    got = run("-p", "base", "--permissive", "--fail-on-deny", command=["cat", "secret"])
    report(got.returncode == 124, "--fail-on-deny counts them", got)
    put("none", "", 0o000)
    got = run("-p", "base", "--permissive", "--events", "log2", command=["cat", "none"])
    objects = [event["object"] for event in events("log2") if event["event"] == "denied"]
    if ROOT:
        skip("mode 000", "user: root reads it")
    else:
        report(got.returncode == 1 and not objects, "mode 000 is no denial", (got, objects))


def denied_inside():
    os.mkdir("sub")
    put("sub/secret", "word\n")
    command = ["/bin/sh", "-c", "cat sub/secret; echo x >sub/new; cat sub/new"]
    got = run("--deny", "sub/secret", command=command)
    report("word" not in got.stdout and got.stdout == "x\n", "deny inside holds", got)
    got = run("--deny", "sub/secret", "--permissive", "--events", "log", command=command)
    denied = [os.path.basename(event["object"]) for event in events("log")
              if event["event"] == "denied"]
    report(got.stdout == "word\nx\n" and denied == ["secret"], "permissive, it is told",
           (got, denied))


def executed():
    shutil.copy("/usr/bin/true", "prog")
    put("inner", f"#!{os.getcwd()}/prog\n", 0o755)
    put("script", f"#! {os.getcwd()}/inner -x\n", 0o755)
    got = run("-p", "none", "--permissive", "--events", "log", command=["./script"])
    seen = {os.path.basename(event["object"]) for event in events("log")
            if event["event"] == "denied" and "fs.execute" in event["missing"]}
    report(got.returncode == 0 and {"script", "inner", "prog"} <= seen and
           [name for name in seen if name.startswith("ld")],
           "interpreters of scripts and programs are judged too", (got, seen))
    got = run("-p", "base", "--ro", ".", command=["/bin/sh", "-c", "./prog"])
    report(f"--rx {os.getcwd()}/prog\n" in got.stderr, "the flag for a program, next time", got)


def guarded():
    got = run("--permissive", "--events", "log", command=[PYTHON, "-c", GUARDED])
    report(got.stdout == "kill Operation not permitted\npush Operation not permitted\n"
           "preload None\n", "supervisor out of reach, guards on, shim off", got)
    guards = [event for event in events("log") if event["event"] == "guard"]
    report([event["by"] for event in guards] == ["guard.tty"] and guards[0]["error"] == "EPERM",
           "what a guard refuses is reported as that", guards)


def refused():
    for args, word in ((["--static", "--permissive"], "--permissive"),
                       (["--static", "--write-policy", "f"], "--write-policy"),
                       (["--permissive", "--events", "none"], "--events none"),
                       (["--write-policy", "f", "--events", "none"], "--events none")):
        got = run(*args, command=["true"])
        report(got.returncode == 125 and word in got.stderr and not os.path.exists("f"),
               f"refused: {' '.join(args)}", got)
    got = run("--rx", os.path.dirname(rig.REEVE),
              command=[rig.REEVE, "run", "--permissive", "--", "true"])
    report(got.returncode == 125 and "supervised domain" in got.stderr, "nested: refused", got)
    os.symlink("elsewhere", "link")
    os.mkfifo("fifo")
    for name, word in (("link", "symbolic link"), ("fifo", ""), ("/dev/null", "regular")):
        got = run("--write-policy", name, command=["true"])
        report(got.returncode == 125 and word in got.stderr, f"--write-policy {name}", got)
    got = reeve("run", "--permissive", "--dry-run")
    report("judged only" in got.stdout and "neither enforced nor judged" in got.stdout,
           "--dry-run tells", got)


def warned():
    for option in ("--write-policy", "--events"):
        got = run(option, "inside", command=["true"])
        report(f"warning: {option}: CMD can write to" in got.stderr,
               f"{option} into a writable grant: a warning", got)
        os.mkdir("sub") if not os.path.isdir("sub") else None
        got = run("--chdir", "sub", option, "outside", command=["true"])
        report("warning" not in got.stderr, f"{option} elsewhere: none", got)


def written(name, policy, command, prepare=lambda: None, more=()):
    """What a permissive run writes lets the command run, and no more."""
    os.makedirs(name + "/work")
    os.chdir(name + "/work")
    prepare()
    first = run("-p", policy, "--permissive", "--quiet", "--write-policy", "../policy.toml", *more,
                command=command)
    os.chdir("..")
    shutil.rmtree("work")
    os.mkdir("work")
    os.chdir("work")
    prepare()
    report(first.returncode == 0 and os.path.getsize("../policy.toml") > 0,
           f"{name}: permissive", first)
    got = run("-p", "../policy.toml", "--fail-on-deny", command=command)
    report(got.returncode == 0 and got.stdout == first.stdout and "denied" not in got.stderr,
           f"{name}: the written policy lets it run", got)
    with open("../policy.toml", encoding="utf-8") as file:
        text = file.read()
    report("# needed by" in text and f'extends = ["{policy}"]' in text, f"{name}: how it reads",
           text)
    got = reeve("explain", "-p", "../policy.toml", "write_file", "/etc/passwd")
    report(got.returncode == 1, f"{name}: and no more than that", got)
    os.chdir("../..")


def prepare_make():
    put("m.c", "#include <stdio.h>\nint main(void) { puts(\"hi\"); return 0; }\n")
    put("Makefile", "m: m.c\n\t@cc -o m m.c\n\t@./m\n")


def prepare_git():
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    put("file", "one\n")
    for args in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        rig.subprocess.run([*git, *args], check=True, stdout=rig.subprocess.DEVNULL)
    put("file", "two\n")


SCRIPT = ("import json, os, tempfile, sqlite3; f = tempfile.NamedTemporaryFile(dir='.'); "
          "f.write(b'x'); f.flush(); os.mkdir('d'); os.rename('d', 'e'); "
          "db = sqlite3.connect('db'); db.execute('create table t (x)'); db.commit(); db.close(); "
          "os.stat('/proc/self/status'); print(len(open('/proc/self/status').read()) > 9)")


def programs():
    written("sh", "none", ["/bin/sh", "-c", "cat </etc/passwd >copy; ln copy more; rm copy; ls"])
    written("python", "none", [PYTHON, "-c", SCRIPT])
    for name, program, prepare, command in (
            ("make", "cc", prepare_make, ["make", "-s"]),
            ("git", "git", prepare_git, ["git", "-c", "user.name=a", "-c", "user.email=a@b",
                                         "commit", "-qam", "two"])):
        if shutil.which(program):
            written(name, "base", command, prepare)
        else:
            skip(name, f"{program}: not installed")


def connected():
    """An address, and the one kind of socket that was made for it: not all that its flag brings."""
    command = [PYTHON, "-c", "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"]
    written("connect", "workspace", command)
    with open("connect/policy.toml", encoding="utf-8") as file:
        text = file.read()
    report('address = ["127.0.0.1/32:9"]' in text and text.count("[[socket]]") == 1 and '"inet6"' not in text,
           "connect: no socket but what was made", text)


def composed():
    """Several policies, and flags that handle: written out as they were resolved."""
    put("a.toml", 'abi = 7\n[[ruleset]]\nhandled_access_fs = ["abi.all"]\ndeny = ["keyring"]\n'
        '[[path_beneath]]\nallowed_access = ["abi.read_execute"]\nparent = ["/usr", "/lib", '
        '"/lib64", "/bin", "/etc"]\nmissing = "ignore"\n')
    put("secret", "word\n")
    got = run("-p", "base", "-p", "./a.toml", "--permissive", "--quiet", "--write-policy", "out.toml",
              command=["cat", "secret"])
    again = run("-p", "./out.toml", "--fail-on-deny", command=["cat", "secret"])
    with open("out.toml", encoding="utf-8") as file:
        text = file.read()
    report(got.returncode == again.returncode == 0 and "extends" not in text,
           "several policies", (got, again, text))
    got = run("-p", "./a.toml", "--ro", "secret", "--permissive", "--quiet", "--write-policy",
              "out2.toml", command=["cat", "secret"])
    with open("out2.toml", encoding="utf-8") as file:
        text = file.read()
    again = run("-p", "./out2.toml", "--fail-on-deny", command=["cat", "secret"])
    report(again.returncode == 0 and "# --ro" in text and "needed" not in text.replace("needed:", ""),
           "rule flags go along", (got, again, text))


rig.main(judged, denied_inside, executed, guarded, refused, warned, programs, connected, composed)
