#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve run --reload` and `reeve reload`: another policy for a running domain.

	test_reload.py REEVE [--user]
"""
import json
import os
import shutil
import subprocess
import time
import rig
from rig import put, reeve, report, run, skip

BASE = """abi = 7
extends = ["base"]
[[ruleset]]
handled_access_fs = ["abi.all"]
scoped = ["abi.all"]
[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["work"]
"""
READ = '[[path_beneath]]\nallowed_access = ["read_file"]\nparent = ["{}"]\n'
LIVE = READ + "live = true\n"


class Domain:
    """A sandboxed shell that reads files on request, and a watch on its events."""

    def __init__(self, *args, policy="policy.toml", **more):
        for name in ("work", "data"):
            os.makedirs(name, exist_ok=True)
        for name in ("one", "two", "three"):
            put(f"data/{name}", name)
        read, write = os.pipe()
        self.events = open("events", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [rig.REEVE, "run", "--status-fd", str(write), "--events", "events", *args, "-p",
             f"./{policy}", "--", "/bin/sh", "-c",
             'while read f; do if cat "$f" 2>/dev/null; then echo; else echo no; fi; done'],
            pass_fds=[write], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open("err", "w"),
            text=True, **more)
        os.close(write)
        with os.fdopen(read) as status:
            line = status.readline()
        self.id = json.loads(line)["domain"] if line else None

    def read(self, name):
        self.process.stdin.write(f"data/{name}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def can(self):
        return [name for name in ("one", "two", "three") if self.read(name) == name]

    def reload(self):
        return reeve("reload", self.id)

    def until(self, wanted):
        """The next event of a reload, success or not: its text."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for line in self.events:
                event = json.loads(line)
                if event["event"] == "reload":
                    return ("error" in event) is not wanted, event
            time.sleep(0.01)
        return False, "no event"

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=240)
        self.process.stdout.close()
        self.events.close()
        with open("err", encoding="utf-8") as file:
            return code, file.read()


def asked():
    put("policy.toml", BASE + LIVE.format("data/one"))
    d = Domain()
    report(d.can() == ["one"], "as it starts")
    put("policy.toml", BASE + LIVE.format("data/two") + READ.format("data/three"))
    got = d.reload()
    report(got.returncode == 0 and "2 live rules more, 1 less" in got.stdout and
           d.can() == ["two", "three"], "rules come and go, live or not", got)
    good, event = d.until(True)
    report(good and "2 rules added, 1 removed" in event["object"], "and it is an event", event)
    got = d.reload()
    report(got.returncode == 0 and "0 live rules more, 0 less, 2 as before" in got.stdout,
           "the same again", got)
    rules = json.loads(reeve("rules", d.id, "--json").stdout.splitlines()[0])
    report("policy.toml:" in json.dumps(rules), "rules have their origin", rules)
    reeve("allow", d.id, "--ro", "data/one")
    put("policy.toml", BASE)
    got = d.reload()
    report(d.can() == ["one"], "what was allowed otherwise stays", got)
    code, err = d.end()
    report(code == 0, "and it ends", (code, err))


def mistaken():
    put("policy.toml", BASE + LIVE.format("data/one"))
    d = Domain("--reload")
    for text, where in (("[[path_beneath]]\nallowed_access = [\"reed_file\"]\nparent = [\"/\"]\n",
                         f"policy.toml:{len(BASE.splitlines()) + 2}"), ("nonsense", "policy.toml:"),
                        (READ.format("missing"), "missing")):
        put("new", BASE + text)
        os.rename("new", "policy.toml")
        good, event = d.until(False)
        report(good and where in event["object"] and d.can() == ["one"],
               f"a mistake changes nothing: {where}", event)
        got = d.reload()
        report(got.returncode == 125 and where in got.stderr, "and is told who asks", got)
        d.until(False)
    code, err = d.end()
    report(code == 0 and "reed_file" in err and "policy.toml:" in err, "and on stderr", err)


def put_slowly(name, text):
    """As a writer that is interrupted does it: made, then half of it, then the rest."""
    with open(name, "w", encoding="utf-8") as file:
        for part in ("", text[:len(text) // 2], text[len(text) // 2:]):
            file.write(part)
            file.flush()
            time.sleep(0.12)


def edited():
    """However editors write a file."""
    put("policy.toml", BASE)
    d = Domain("--reload")

    def expect(name, wanted):
        good, event = d.until(True)
        got = d.can()
        report(good and got == wanted, f"edited: {name}", (event, got))

    put("policy.toml", BASE + READ.format("data/one"))
    expect("in place", ["one"])
    put(".policy.swp", BASE + READ.format("data/two"))
    os.rename(".policy.swp", "policy.toml")
    expect("renamed over", ["two"])
    os.rename("policy.toml", "policy.toml~")
    put("policy.toml", BASE + READ.format("data/three"))
    expect("moved away, and made anew", ["three"])
    os.unlink("policy.toml")
    put("policy.toml", BASE)
    expect("removed, and made anew", [])
    os.unlink("policy.toml")
    put_slowly("policy.toml", BASE + READ.format("data/three"))
    expect("removed, and made anew slowly", ["three"])
    put("other.toml", BASE + READ.format("data/one"))
    os.unlink("policy.toml")
    os.link("other.toml", "policy.toml")
    expect("a hard link", ["one"])
    subprocess.run(["sed", "-i", "s/one/two/", "policy.toml"], check=True)
    expect("sed -i", ["two"])
    for editor, args in (("vim", ["-es", "-u", "NONE", "-c", "%s/two/three/", "-c", "wq"]),
                         ("ex", ["-s", "-c", "%s/two/three/", "-c", "wq"])):
        if shutil.which(editor):
            subprocess.run([editor, *args, "policy.toml"], check=False, stdin=subprocess.DEVNULL)
            expect(editor, ["three"])
            break
    else:
        skip("vim", "vim: not installed")
    code, err = d.end()
    report(code == 0 and "policy" not in err.replace("policy.toml", ""), "silent about it", err)


def linked():
    """A link that is turned elsewhere, and a directory of it (as Kubernetes does)."""
    for name, text in (("v1", BASE), ("v2", BASE + READ.format("data/one"))):
        os.mkdir(name)
        put(f"{name}/policy.toml", text.replace('"work"', '"../work"').replace("data/", "../data/"))
    os.symlink("v1", "current")
    os.symlink("current/policy.toml", "policy.toml")
    d = Domain("--reload")
    os.symlink("v2", "next")
    os.rename("next", "current")
    good, event = d.until(True)
    report(good and d.can() == ["one"], "a link to a directory is turned", event)
    put("direct.toml", BASE + READ.format("data/two"))
    os.symlink("direct.toml", "next")
    os.rename("next", "policy.toml")
    good, event = d.until(True)
    report(good and d.can() == ["two"], "a link to a file is turned", event)
    d.end()


def fixed():
    """What cannot change is named, and what to do."""
    put("policy.toml", BASE + READ.format("data/one"))
    d = Domain("--reload")
    put("policy.toml", 'degrade = ["net_address"]\n' + BASE.replace('["abi.all"]\nscoped', '["abi.all"]\n'
        'deny = ["keyring"]\nhandled_access_net = ["connect_tcp"]\nscoped') +
        '[[path_beneath]]\nallowed_access = ["execute", "read_file"]\nparent = ["data/two"]\n'
        '[[net_port]]\nallowed_access = ["connect_tcp"]\nport = [443]\n' +
        READ.format("/etc/ssl") + 'except = ["/etc/ssl/private"]\n')
    good, event = d.until(True)
    report(good and "cannot change" in event["object"], "the rest is done", event)
    report(d.can() == ["one", "two"], "a rule of the floor stays, another is added")
    got = d.reload()
    for word in ("policy.toml:11: ", "data/one: read_file stays granted",
                 "data/two: execute cannot be added", "except cannot be added", "net: connect_tcp: what is handled", "deny cannot change", "live = true"):
        report(got.returncode == 1 and word in got.stderr, f"named: {word}", got)
    _, err = d.end()
    report("stays granted" in err and "hint: start the program anew" in err, "on stderr too", err)


def refused():
    for args, word in ((["--reload"], "built in"), (["--reload", "-p", "none"], "built in"),
                       (["--reload", "-p", "base", "--static"], "--reload"),
                       (["--reload", "--permissive"], "--permissive"),
                       (["--reload", "--events", "none"], "--events none")):
        got = run(*args, command=["true"])
        report(got.returncode == 125 and word in got.stderr, f"refused: {' '.join(args)}", got)
    put("policy.toml", BASE)
    os.mkdir("work")
    got = subprocess.run([rig.REEVE, "run", "--reload", "-p", "-", "--", "true"], input=BASE,
                         capture_output=True, text=True, timeout=240)
    report(got.returncode == 125 and "standard input" in got.stderr, "refused: -p -", got)
    d = Domain()
    put("more.toml", "abi = 7\n" + READ.format("data/one"))
    put("policy.toml", BASE.replace('["base"]', '["base", "more.toml"]'))
    got = d.reload()
    report(got.returncode == 0 and d.can() == ["one"], "a file more, out of the program's reach", got)
    put("work/more.toml", "abi = 7\n" + READ.format("../data/two"))
    put("policy.toml", BASE.replace('["base"]', '["base", "work/more.toml"]'))
    got = d.reload()
    report(got.returncode == 125 and "more.toml was not part" in got.stderr and d.can() == ["one"],
           "a file more that the program can change", got)
    d.end()
    os.chdir("work")
    put("inside.toml", BASE.replace('"work"', '"."'))
    got = run("-p", "./inside.toml", "--reload",
              command=["/bin/sh", "-c", "echo x >>inside.toml; mv inside.toml other; "
                       "ln -s /tmp inside.toml; echo $?"])
    with open("inside.toml", encoding="utf-8") as file:
        text = file.read()
    report(not text.endswith("x\n") and "live rule" not in got.stderr,
           "the program cannot write the policy that grants it its directory", (got, text))


def large():
    count = 10000
    os.makedirs("data/tree")
    for i in range(100):
        os.makedirs(f"data/tree/{i}")
    rules = "".join(f'"data/tree/{i % 100}/{i}",\n' for i in range(count))
    text = '[[path_beneath]]\nallowed_access = ["read_file"]\nlive = true\nparent = [\n' + rules + "]\n"
    put("policy.toml", BASE + text)
    d = Domain()
    spent = []
    for i in range(5):
        put("policy.toml", BASE + (text if i % 2 else text.replace("read_file", "write_file")))
        began = time.monotonic()
        got = d.reload()
        spent.append((time.monotonic() - began) * 1000)
        if got.returncode:
            report(False, "reloads 10 000 rules", got)
    print(f"# reload of {count} rules: {min(spent):.1f} ms at best, {sorted(spent)[2]:.1f} in the middle")
    report("10000 live rules more, 10000 less" in got.stdout, "10 000 rules", got)
    d.end()


rig.main(asked, mistaken, edited, linked, fixed, refused, large)
