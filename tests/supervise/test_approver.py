#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Questions to programs: `run --approver`, and clients of the control socket. TAP.

	test_approver.py REEVE EXAMPLE [--user]
"""
import json
import os
import socket
import subprocess
import sys
import time

import ask_terminal as base
from ask_terminal import PYTHON, REEVE, Place, report, wait_for

EXAMPLE = os.path.realpath(sys.argv[2])


def run(place, script, *options):
    return subprocess.run([REEVE, "run", *options, "--", "sh", "-c", script], cwd=place.work, env=place.env,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def test_example(place):
    good, bad = place.write("good"), place.write("bad")
    done = run(place, f"cat {good} {good}; cat {bad} {bad}; echo >{good}; exit 3",
               "--approver", f"{EXAMPLE} '{place.outside}/g*'")
    report(done.returncode == 3 and done.stdout.count("secret\n") == 2, "the example allows what fits", done.stdout)
    report(done.stdout.count("approver: allow") == 1 and done.stdout.count("approver: deny: cat") == 1,
           "and remembers", done.stdout)
    report("approver: deny: sh[" in done.stdout and f"wants to write {good}" in done.stdout, "writing not", done.stdout)


def approver(place, text):
    path = place.top + "/approver.py"
    with open(path, "w") as file:
        file.write("import json, sys, time\n" + text)
    return f"{PYTHON} -u {path}"


def test_protocol(place):
    secret = place.write("file")
    log = place.top + "/log"
    done = run(place, f"cat {secret}; sleep 0.3; exit 4", "--approver", approver(place, f"""
log = open({log!r}, "w")
line = sys.stdin.readline()
log.write(line)
for answer in ("nonsense", "[]", '{{"question":1}}', '{{"question":99,"answer":"allow"}}', ""):
    print(answer)
print(json.dumps({{"question": json.loads(line)["question"], "answer": "allow"}}))
for line in sys.stdin:
    log.write(line)
"""))
    report(done.returncode == 4 and "secret\n" in done.stdout, "wrong lines answer nothing, the right one does", done.stdout)
    report(done.stdout.count("reeve: --approver: ") == 3, "what is wrong with them is said", done.stdout)
    with open(log) as file:
        question, gone = (json.loads(line) for line in file.read().splitlines())
    parents = question.pop("parents")
    report(question["object"] == secret and question["missing"] == ["fs.read_file"] and question["call"] == "openat"
           and question["comm"] == "cat" and question["directory"] == place.outside and parents[0]["comm"] == "sh"
           and "object" in question["policyLines"] and question["version"] == 1, "a question", question)
    report(gone == {"version": 1, "gone": question["question"]}, "it is gone then", gone)


def test_death(place):
    secret = place.write("death")
    for how, text in (("exits", "sys.stdin.readline()"), ("is killed", "import os; os.kill(os.getpid(), 9)"),
                      ("closes its output", "import os; os.close(1); time.sleep(0.5)")):
        done = run(place, f"cat {secret}; cat {secret}; exit 5", "--approver", approver(place, text))
        report(done.returncode == 5 and done.stdout.count("Permission denied") == 2
               and "the approver ended" in done.stdout, f"one that {how}: denied from then on", done.stdout)
    done = run(place, "exit 6", "--approver", "/nonsense/approver")
    report(done.returncode == 6, "one that cannot be started is asked nothing", done.stdout)
    started = time.monotonic()
    done = run(place, f"cat {secret}; exit 7", "--approver", "sleep 60", "--events", "none")
    report(done.returncode == 125 and "traps nothing" in done.stdout, "where nothing is trapped: refused", done.stdout)
    report(time.monotonic() - started < 30, "at once")


def test_outside(place):
    """It is not sandboxed, and the program cannot reach its pipes or signal it."""
    secret = place.write("outside")
    pid = place.work + "/pid"
    done = run(place, f"""while [ ! -s {pid} ]; do sleep 0.01; done; p=$(cat {pid})
kill $p && echo killed; cat /proc/$p/environ >/dev/null && echo looked
for fd in 0 1; do echo '{{"question":1,"answer":"allow"}}' >/proc/$p/fd/$fd && echo written; done; cat {secret}; exit 8""",
               "--approver", approver(place, f"""
import os
open({secret!r}).read()
with open({pid!r} + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename({pid!r} + ".new", {pid!r})
for line in sys.stdin:
    if "question" in json.loads(line):
        print(json.dumps({{"question": json.loads(line)["question"], "answer": "deny"}}))
"""))
    report(done.returncode == 8 and not any(word in done.stdout for word in ("killed", "written", "secret\n")),
           "the program reaches neither it nor its pipes", done.stdout)
    # Root's CAP_PERFMON reads other processes' environment, sandboxed or not: SECURITY.md.
    report(os.geteuid() == 0 or "looked" not in done.stdout, "nor its memory", done.stdout)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(base.PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        assert self.read()["ok"]

    def read(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return self.read()

    def close(self):
        self.file.close()
        self.socket.close()


def start(place, script):
    process = subprocess.Popen([REEVE, "run", "--quiet", "--status-fd", "1", "--", "sh", "-c",
                                f"while [ ! -e go ]; do sleep 0.01; done; {script}"], cwd=place.work, env=place.env,
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    domain = json.loads(process.stdout.readline())["domain"]
    path = f"{place.run}/reeve/{domain}.sock"
    wait_for(lambda: os.path.exists(path))
    return process, path


def go(place):
    with open(place.work + "/go", "w"):
        pass


def end(place, process):
    out = process.communicate(timeout=base.PATIENCE)[0]
    os.unlink(place.work + "/go")
    return out


def test_clients(place):
    first, second = place.write("c1"), place.write("c2")
    process, path = start(place, f"cat {first} & cat {second} & wait; exit 9")
    one, two = Client(path), Client(path)
    report(one.ask(request="ask")["ok"] and not one.ask(request="ask")["ok"], "a client is asked, once")
    go(place)
    questions = [one.read(), one.read()]
    report({q["object"] for q in questions} == {first, second}, "two questions", questions)
    listed = two.ask(request="questions")["questions"]
    report([q["question"] for q in listed] == [q["question"] for q in questions], "are listed for others", listed)
    report(two.ask(request="answer", question=77, answer="allow")["error"]["errno"] == 2, "an unknown one")
    report(two.ask(request="answer", question=questions[0]["question"], answer="allow", term="session",
                   save=True)["error"]["errno"] == 95, "no policy file to save to")
    report(two.ask(request="answer", question=questions[0]["question"], answer="allow", term="session")["ok"],
           "anybody may answer")
    report(one.read() == {"version": 1, "gone": questions[0]["question"]}, "who was asked is told")
    rules = two.ask(request="rules")["rules"]
    report(len(rules) == 1 and rules[0]["by"].startswith("uid ") and rules[0]["origin"].startswith("question "),
           "the answer is a live rule with its origin", rules)
    late = Client(path)
    report(late.ask(request="ask")["ok"] and late.read()["question"] == questions[1]["question"],
           "a client that comes later is asked what waits")
    one.close()
    time.sleep(0.1)
    report(process.poll() is None, "one of two may go")
    late.close()
    out = end(place, process)
    report(out.count("secret") == 1 and out.count("Permission denied") == 1, "the last one goes: denied", out)


def test_events(place):
    secret = place.write("events")
    process, path = start(place, f"cat {secret}; exit 10")
    watch, client = Client(path), Client(path)
    watch.ask(request="watch")
    client.ask(request="ask")
    go(place)
    number = client.read()["question"]
    client.ask(request="answer", question=number, answer="allow", term="duration", milliseconds=60000)
    events = []
    while (event := watch.read()) and event["event"] != "exit":
        events.append(event)
    asked, answered = ([e for e in events if e["event"] == kind] for kind in ("question", "answer"))
    report(len(asked) == 1 and asked[0]["object"] == secret and asked[0]["question"] == number, "a question is an event", asked)
    report(len(answered) == 1 and answered[0]["answer"] == "allow object duration"
           and answered[0]["by"].startswith("uid ") and "until" in answered[0], "so is its answer: who, what, until when", answered)
    end(place, process)
    client.close()
    watch.close()


def test_slow_client(place):
    """One that does not read its questions does not hold up the domain for good."""
    names = " ".join(place.write("s" * 100 + str(i)) for i in range(40))
    process, path = start(place, f"for f in {names}; do cat $f & done; wait; exit 11")
    client = Client(path)
    client.ask(request="ask")
    go(place)
    time.sleep(0.3)
    report(process.poll() is None, "waits for a client that does not read")
    client.close()
    report(end(place, process).count("Permission denied") == 40, "until it goes")


base.begin("--user" in sys.argv)
PLACE = Place()
try:
    for test in (test_example, test_protocol, test_death, test_outside, test_clients, test_events, test_slow_client):
        test(PLACE)
finally:
    PLACE.remove()
base.finish()
