#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/LEARNING.md says what happens: its commands are typed again, in a home like its author's. Numbers may
be others (accesses, pids, ports), and rules must be those that it shows. What needs the network is left out.

	test_tutorial.py REEVE DOCUMENT [--user]
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap

# Sections: the programs that they need, where one stands, and what is there.
SECTIONS = {
    "A build step": (["make", "cc"], "hello", {
        "hello/hello.c": '#include <stdio.h>\n#include "greeting.h"\nint main(void) { return puts(GREETING) < 0; }\n',
        "hello/greeting.h": '#define GREETING "hello"\n',
        "hello/Makefile": "hello: hello.c greeting.h\n\tcc -O2 -o hello hello.c\ncheck: hello\n\t./hello\n"}),
    "A web server": (["python3", "curl"], "web", {"web/index.html": "<h1>hello</h1>\n"}),
    "A coding agent": (["cc"], "scratch", {
        "agent": '#!/bin/sh\n. ~/.agent/settings\necho "$@" >>~/.agent/log\n"$@"\n',
        ".agent/settings": "model=none\n", ".ssh/id_ed25519": "secret\n", "scratch/.keep": "",
        "project/prog.c": "int main(void) { return 0; }\n"}),
}


def sections(document, port):
    """Title: its fenced blocks, each with its language."""
    with open(document, encoding="utf-8") as file:
        text = file.read().replace("8321", port)
    found = {}
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        title, body = part.split("\n", 1)
        found[title] = re.findall(r"^```(\w+)\n(.*?)^```", body, flags=re.M | re.S)
    return found


def commands(blocks):
    """What is typed, and what comes of it; `cat` of a file that is not there makes it."""
    for language, text in blocks:
        for typed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, flags=re.M) if language == "console" else ():
            yield typed[0], typed[1].splitlines()


def script(typed):
    """All in one shell, told apart by a line before each."""
    lines = []
    for command, output in typed:
        made = re.fullmatch(r"cat (\.\./\S+)", command)
        if made:
            lines.append(f"cat >{made[1]} <<'END'\n" + "\n".join(output) + "\nEND")
        lines.append(f"echo '@@'\n{command}")
    return "\n".join(lines)


def plain(line, home):
    return re.sub(r"\d+", "#", line.replace(home, "~")).strip()


def shows(home, outputs, typed):
    """Each line that the document shows, and that is not there."""
    for (command, lines), output in zip(typed, outputs):
        there = [plain(line, home) for line in output.splitlines()]
        for line in lines:
            # A log's line has a date in it.
            if line != "..." and "GET /" not in line and plain(line, home) not in there:
                yield f"{command}: {line}"


def rules(text):
    """Of a policy, without comments."""
    return {re.sub(r"^#.*\n|\s+$", "", rule, flags=re.M)
            for rule in re.split(r"\n(?=#|\[\[)", "\n" + text) if "[[" in rule}


def check(title, blocks, reeve):
    programs, where, files = SECTIONS[title]
    lacking = [program for program in programs if not shutil.which(program)]
    if lacking:
        tap.skip(title, f"{lacking[0]}: is not here")
        return
    home = os.path.realpath(tempfile.mkdtemp())
    for name, text in files.items():
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755 if text.startswith("#!") else 0o644)
    typed = list(commands(blocks))
    done = subprocess.run(["bash", "-c", script(typed)], cwd=os.path.join(home, where), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "HOME": home, "LC_ALL": "C", "PYTHONUNBUFFERED": "1",
                               "PATH": os.path.dirname(reeve) + ":" + os.environ["PATH"]})
    missing = list(shows(home, done.stdout.split("@@\n")[1:], typed))
    tap.report(typed and not missing, f"{title}: what is shown is what happens", "\n".join(missing) + "\n" + done.stdout)
    written = ""
    for name in os.listdir(home):
        if name.endswith(".toml"):
            with open(os.path.join(home, name), encoding="utf-8") as file:
                written += file.read().replace(home, "~") + "\n"
    absent = set().union(*[rules(text) for language, text in blocks if language == "toml"]) - rules(written)
    tap.report(not absent, f"{title}: the rules are those", "\n\n".join(absent) + "\n----\n" + written)
    shutil.rmtree(home, ignore_errors=True)


def main():
    if "--user" in sys.argv:
        sys.argv.remove("--user")
        tap.as_user()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = sections(sys.argv[2], str(free.getsockname()[1]))
    for title in SECTIONS:
        check(title, found[title], os.path.realpath(sys.argv[1]))
    tap.finish()


main()
