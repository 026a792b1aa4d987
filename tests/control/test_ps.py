#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What runs: `reeve ps`, over real domains and over made-up ones. TAP.

	test_ps.py FAKE_DOMAIN REEVE [--user]
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import report, wait_for  # noqa: E402

FAKE, REEVE = (os.path.realpath(arg) for arg in sys.argv[1:3])
PATIENCE = 60  # seconds; a machine under load


def reeve(*args, **more):
    return subprocess.run([REEVE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          cwd=WORK, timeout=PATIENCE, check=False, **more)


def lines(*args):
    return [json.loads(line) for line in reeve(*args).stdout.splitlines()]


def domains():
    return {line["name"]: line for line in lines("ps", "--json")}


class Run:
    """A real domain; its program ends with its standard input."""

    def __init__(self, name, script, *options):
        self.name = name
        self.process = subprocess.Popen(
            [REEVE, "run", "--quiet", "--name", name, *options, "--", "sh", "-c",
             script + "; echo ready; read x"], cwd=WORK, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ready(self):
        """The program is, and the domain is listed."""
        return self.process.stdout.readline() == "ready\n" and wait_for(lambda: self.name in domains())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def test_numbers():
    secret = os.path.join(WORK, "secret")
    with open(secret, "w", encoding="ascii") as file:
        file.write("x")
    with Run("numbers", f"for i in 1 2 3; do cat {secret}; done", "--deny", secret) as run:
        run.ready()
        shown = domains()["numbers"]
        report(shown["counters"]["denied"] == 3 and shown["rules"] == 0 and shown["questions"] == 0 and
               shown["staticRules"] > 10 and shown["parent"] is None and not shown["stopped"],
               "what a domain shows of itself", shown)
        reeve("allow", "numbers", "--ro", WORK + "/one", "--ro", WORK + "/two")
        shown = domains()["numbers"]
        report(shown["rules"] == 2 and shown["counters"]["commits"] == 1, "live rules, and commits", shown)
        reeve("allow", "numbers", "--ro", WORK + "/three", "--for", "1s")
        report(wait_for(lambda: domains()["numbers"]["rules"] == 2), "one that is over does not count",
               domains())
        asked = json.loads(reeve("inspect", "numbers", "--json").stdout)
        report(all(asked[key] == shown[key] for key in ("rules", "staticRules", "questions", "pid")),
               "the domain itself says the same", asked)
        run.process.send_signal(signal.SIGSTOP)
        report(wait_for(lambda: domains()["numbers"]["stopped"]) and
               domains()["numbers"]["counters"]["denied"] == 3, "a supervisor that is stopped shows the same",
               domains())
        run.process.send_signal(signal.SIGCONT)


def test_questions():
    program = f"(cat {WORK}/q1 & cat {WORK}/q2 & wait) 2>/dev/null"
    for name in ("q1", "q2"):
        with open(f"{WORK}/{name}", "w", encoding="ascii") as file:
            file.write("x")
    empty = os.path.join(WORK, "empty")
    os.mkdir(empty)
    # An approver that never answers.
    with Run("asks", program, "--approver", "cat >/dev/null", "--chdir", empty) as run:
        report(wait_for(lambda: domains().get("asks", {}).get("questions") == 2), "questions that wait",
               domains())
        for question in json.loads(ask("asks", {"request": "questions"}))["questions"]:
            ask("asks", {"request": "answer", "question": question["question"], "answer": "deny"})
        run.ready()
        shown = domains()["asks"]
        report(shown["questions"] == 0 and shown["counters"]["denied"] == 2, "and none once they are answered",
               shown)


def ask(name, request):
    """By the socket itself."""
    import socket
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{os.environ['XDG_RUNTIME_DIR']}/reeve/{domains()[name]['domain']}.sock")
        stream = client.makefile("rw")
        stream.readline()
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        return stream.readline()


def test_nested():
    """A supervisor below a domain's program. (Inside of a real one there can be none.)"""
    outer = subprocess.Popen([FAKE, "outer"], env=dict(os.environ, FAKE_ID="aa1"), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True, bufsize=1)
    outer.stdout.readline()
    outer.stdin.write(f"spawn FAKE_ID=bb2 {FAKE} inner <{WORK}/fifo >/dev/null 2>&1 &\n")
    outer.stdout.readline()
    with open(f"{WORK}/fifo", "w", encoding="ascii") as fifo:
        report(wait_for(lambda: "inner" in domains()) and
               domains()["inner"]["parent"] == domains()["outer"]["domain"] and
               domains()["outer"]["parent"] is None, "one domain in another", domains())
        text = reeve("ps", "--tree").stdout
        ids = {name: domain["domain"] for name, domain in domains().items()}
        report(f"\n{ids['outer']} " in text and f"\n`- {ids['inner']} " in text, "is below it in the tree", text)
        fifo.write("exit\n")
    outer.stdin.close()
    outer.wait()
    report(wait_for(lambda: not domains()), "none is left", domains())


def test_tree():
    """Processes that have lost their parent, names that are hostile; and nobody who is not in it."""
    with open(WORK + "/name.py", "w", encoding="ascii") as file:
        file.write("import ctypes, sys\nctypes.CDLL(None).prctl(15, b'ev\\x1b[2J\\n|-1 x', 0, 0, 0)\n"
                   "print(flush=True)\nsys.stdin.read()\n")
    script = (f"exec 3<&0; mkfifo up; {tap.PYTHON} name.py <&3 >up & read x <up; "
              f"(sh -c '{tap.PYTHON} name.py <&3 >up &'); read x <up")
    with Run("tree", script) as run, Run("other", "true") as other:
        report(run.ready() and other.ready(), "two domains run")
        wait_for(lambda: {"tree", "other"} <= set(domains()))
        shown = {line["name"]: line for line in lines("ps", "--tree", "--json")}
        processes = shown["tree"]["processes"]
        parents = {process["pid"]: process["parent"] for process in processes}
        program = shown["tree"]["pid"]
        report(sorted(process["comm"] for process in processes) ==
               sorted(["sh", "ev\x1b[2J\n|-1 x", "ev\x1b[2J\n|-1 x"]), "who is in it", processes)
        report(sorted(parents.values()) == sorted([run.process.pid, run.process.pid, program]) and
               parents[program] == run.process.pid, "parents; an orphan is the supervisor's", processes)
        report([process["comm"] for process in shown["other"]["processes"]] == ["sh"], "and in the other",
               shown)
        done = reeve("ps", "--tree")
        text = done.stdout
        child = next(pid for pid, parent in parents.items() if parent == program)
        orphan = next(pid for pid, parent in parents.items() if parent != program and pid != program)
        want = sorted([program, orphan])
        report("\033" not in text and f"|- {want[0]} " in text and f"`- {want[1]} " in text and
               f"`- {child} ev\\x1b[2J\\n|-1 x\n" in text, "as a tree, escaped", text)
        columns = text.splitlines()[0].split()
        report(columns == ["ID", "NAME", "AGE", "RULES", "LIVE", "DENIALS", "ASKING", "COMMAND"],
               "with headings", text)
        for pid in (run.process.pid, other.process.pid):
            report(f" {pid} " not in text, "without the supervisor", text)


def test_inspect():
    policy = WORK + "/policy.toml"
    with open(policy, "w", encoding="ascii") as file:
        file.write("abi = 6\nextends = ['workspace']\n\n[[path_beneath]]\nallowed_access = ['read_file']\n"
                   f"parent = ['{WORK}/odd']\nlive = true\n"
                   f"\n[[path_beneath]]\nparent = ['{WORK}']\nallowed_access = ['write_file']\n"
                   f"except = ['{WORK}/secret']\n")
    with Run("inspected", f"cat {WORK}/secret", "-p", policy, "--connect-tcp", "443") as run:
        report(run.ready(), "a domain runs")
        done = reeve("allow", "inspected", "--ro", WORK + "/odd\x1bname")
        report(done.returncode == 0, "which is allowed more", done)
        answer = json.loads(reeve("inspect", "inspected", "--json").stdout)
        static = {rule.get("path") or f"{rule['rule']} {rule.get('portFirst')}": rule for rule in answer["static"]}
        report(static["/usr"]["origin"].startswith("profile base:") and
               static[WORK + "/secret"]["deny"] is True and
               static[WORK + "/secret"]["origin"] == f"{policy}:12" and
               static["net_port 443"]["origin"] == "--connect-tcp 443", "each rule with its origin",
               answer["static"])
        report(any(rule["origin"] == "tmpdir" for rule in answer["static"]), "and what the start added",
               answer["static"][-3:])
        report([rule["path"] for rule in answer["live"]] == [WORK + "/odd", WORK + "/odd\x1bname"] and
               answer["live"][0]["origin"].startswith(policy + ":") and
               not any("/odd" in rule.get("path", "") for rule in answer["static"]), "live ones apart",
               answer["live"])
        by = {item["feature"]: item["by"] for item in answer["enforced"]}
        report(by["fs.read_file"] == "Landlock" and by["guard.arch"] == "seccomp" and
               by["live"] == "supervisor", "who enforces what", by)
        text = reeve("inspect", "inspected").stdout
        report(all(part in text for part in (
            "Enforced by", "  Landlock    fs.execute", "  supervisor  ", "Handled (denied",
            f"{policy}:12", "--connect-tcp 443", "Live rules (can be revoked", "odd\\x1bname",
            " 1 denials", "Waiting:     0 requests")) and "\033" not in text, "for people, escaped", text)
        with open(WORK + "/again.toml", "w", encoding="utf-8") as file:
            file.write(reeve("inspect", "inspected", "--toml").stdout)
        done = reeve("policy", "check", WORK + "/again.toml")
        report(done.returncode == 0, "--toml is a policy file", done)


def test_forged():
    """Entries that point at other files of the supervisor, or at nothing: then it is asked."""
    directory = os.environ["XDG_RUNTIME_DIR"] + "/reeve"
    secret = os.path.join(WORK, "secret")
    with Run("real", f"cat {secret}", "--deny", secret) as run:
        run.ready()
        path = f"{directory}/{domains()['real']['domain']}.json"
        with open(path, encoding="utf-8") as file:
            entry = json.load(file)
        for board in (0, 1, 2, -5, 1 << 40, "x", entry["board"]):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(dict(entry, board=board), file)
            shown = domains()["real"]
            report(shown["counters"]["denied"] == 1, f"numbers are a domain's own, by board {board}", shown)
        with open(f"{directory}/f1.json", "w", encoding="utf-8") as file:
            json.dump(dict(entry, domain="f1", name="f1"), file)
        report("f1" not in domains(), "nor is its entry another's", domains())
        os.unlink(f"{directory}/f1.json")


def test_other_users():
    if os.geteuid() != 0:
        tap.skip("another user's domains", "root: needed to become another user")
        return
    with Run("mine", "true") as run:
        run.ready()
        done = subprocess.run([REEVE, "ps"], cwd="/", capture_output=True, text=True, check=False,
                              user=65534, group=65534, extra_groups=[])
        report("mine" not in done.stdout, "another user's domains are not listed", done)


if "--user" in sys.argv:
    tap.as_user(home=True)
WORK = os.path.realpath(tempfile.mkdtemp())
os.mkdir(WORK + "/run", 0o700)
os.mkfifo(WORK + "/fifo")
os.environ["XDG_RUNTIME_DIR"] = WORK + "/run"
try:
    for test in (test_numbers, test_questions, test_nested, test_tree, test_inspect, test_forged, test_other_users):
        test()
finally:
    shutil.rmtree(WORK)
tap.finish()
