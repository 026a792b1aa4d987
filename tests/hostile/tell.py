#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the program can say through reeve's mouth, and to its control socket.

	tell.py REEVE RACY HOSTILE [--user] [ATTACK...]
"""
import json
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # not into the source tree

from harness import Attack, run_all, score, usual  # noqa: E402

# Control characters but newline and tab, C1 ones as bytes of UTF-8, and lines that are not ours.
FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|^reeve: forged"
                       rb'|^\{"version":1,"forged":true\}$', re.M)
SOCKETS = """[[path_beneath]]
allowed_access = ["abi.read_write"]
parent = ["{work}/run"]
"""
# And connect to it is what the policy lets it, by the connector and its workers.
CONNECT = SOCKETS + """[[unix_socket]]
allowed_access = ["connect"]
path = ["{work}/run"]
"""


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def reeve_finds_none(reeve, env):
    return subprocess.run([reeve, "rules"], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=240).returncode != 0


def look_at(reeve, env, place):
    """What the verbs show meanwhile: {name: output}."""
    nasty = f"{place.path}/\033[31m\nreeve: forged"
    verbs = {"allow": ["allow", "--ro", nasty], "rules": ["rules"], "ps": ["ps"],
             "denials": ["denials"], "inspect": ["inspect"], "rules --json": ["rules", "--json"],
             "ps --json": ["ps", "--json"], "denials --json": ["denials", "--json"],
             "inspect --json": ["inspect", "--json"], "explain": ["explain", "read_file", nasty],
             "inspect what is not": ["inspect", nasty]}
    shown = {}
    for name, verb in verbs.items():
        done = subprocess.run([reeve, *verb], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=240)
        shown[name] = done.stdout + done.stderr
    return shown


def shows(command, env, place):
    """A hit is an output with what a terminal obeys, or with a forged line."""
    reeve = command[0]
    command = [arg for arg in command if arg != "--quiet"]
    command[2:2] = ["--events", f"{place.path}/events"]
    command.append("\033[31margument\nreeve: forged")
    command[-5:] = ["sh", "-c", '"$0" "$1" "$2" "$3"', *command[-5:]]
    with subprocess.Popen(command, env=env, cwd=place.path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        watches = {}
        ready = running.stdout.readline()
        # The program may be faster than its supervisor's registration.
        while running.poll() is None and reeve_finds_none(reeve, env):
            pass
        for name in ("watch", "watch --json"):
            watches[name] = subprocess.Popen([reeve, *name.split()], env=env,
                                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        shown = look_at(reeve, env, place)
        running.stdin.write(b"x")
        running.stdin.close()
        said = score(running.stdout.read().decode())
        shown["summary"] = running.stderr.read()
    for name, watch in watches.items():
        shown[name] = watch.communicate(timeout=240)[0]
    with open(f"{place.path}/events", "rb") as file:
        shown["events, as JSON"] = file.read()
    if ready != b"hold\n" or not said:
        return None, ready, shown
    bad = [name for name, text in shown.items() if FORBIDDEN.search(text) or
           "JSON" in name.upper() and not all(map(is_json, text.splitlines()))]
    empty = [name for name, text in shown.items() if not text]
    print("# shown as it is by:", ", ".join(bad) or "none;", "empty:", ", ".join(empty) or "none")
    return len(bad), len(shown), said[2]


def by_connector(command, env, place):
    with open(place.policy, encoding="utf-8") as file:
        text = file.read()
    with open(place.policy, "w", encoding="utf-8") as file:
        file.write(text.replace('scoped = ["abi.all"]',
                                'scoped = ["abi.all", "pathname_unix_socket"]'))
    return usual(command, env, place)


def from_another(command, env, place):
    """From a static sandbox, whose policy has nothing live, to a domain beside it."""
    with open(place.policy, encoding="utf-8") as file:
        rules = file.read().split("[[path_beneath]]")
    other = f"{place.path}/other.toml"
    with open(other, "w", encoding="utf-8") as file:
        file.write("[[path_beneath]]".join(rule for rule in rules if "live = true" not in rule))
    at = command.index("--")
    with subprocess.Popen([*command[:at + 1], "sh", "-c", "echo up; read x"], env=env,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as beside:
        beside.stdout.readline()
        attack = [other if arg == place.policy else arg for arg in command if arg != "--no-shim"]
        attack[2:2] = ["--static"]
        said = usual(attack, env, place)
        beside.stdin.close()
    return said


run_all([
    Attack("names-shown", "escape", "escape sequences in names", run=shows),
    Attack("control", "peers", "the control socket from inside", extra=SOCKETS),
    Attack("control", "peers", "the control socket through the connector", extra=CONNECT,
           run=by_connector),
    Attack("control", "peers", "the control socket by a live grant", extra=CONNECT + "live = true\n",
           run=by_connector),
    Attack("control", "peers", "the control socket from a static sandbox beside", extra=SOCKETS,
           run=from_another),
])
