#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve top` in tmux: what it shows, its keys, and that the terminal is as before afterwards. TAP.

	test_top.py REEVE [--user]
"""
import os
import re
import signal
import subprocess
import sys

import ask_terminal as base
from ask_terminal import REEVE, Place, Tmux, report, wait_for


class Run:
    """A domain in the background; its program ends with its standard input."""

    def __init__(self, place, name, script, *options):
        self.process = subprocess.Popen(
            [REEVE, "run", "--quiet", "--name", name, *options, "--", "sh", "-c", script],
            cwd=place.work, env=place.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def listed(place, *names):
    text = subprocess.run([REEVE, "ps", "--json"], env=place.env, stdout=subprocess.PIPE, text=True,
                          check=False).stdout
    return all(f'"name":"{name}"' in text for name in names)


def visible(tmux):
    return tmux.call("capture-pane", "-p", "-t", "t:0")


def size(tmux, columns, lines):
    tmux.call("resize-window", "-t", "t:0", "-x", str(columns), "-y", str(lines))


def begin(place, tmux, before=""):
    """Up to its first frame."""
    if os.path.exists(f"{place.work}/modes2"):
        os.remove(f"{place.work}/modes2")
    tmux.fresh()
    tmux.line(f"stty -g >modes1; {before} {REEVE} top")
    return wait_for(lambda: "reeve top: " in visible(tmux) and "q quit" in visible(tmux))


def ended(place, tmux, code):
    """With this code, and the terminal as before."""
    if not wait_for(lambda: "q quit" not in visible(tmux)):
        return False
    tmux.line("echo code $?.; stty -g >modes2")
    good = tmux.shows(f"code {code}.")
    wait_for(lambda: place.read("modes2") != "")
    return good and place.read("modes1") == place.read("modes2") != ""


def row(tmux, name):
    return next((line for line in visible(tmux).splitlines() if f" {name} " in line), "")


def test_shows(place, tmux):
    noisy = f"while ! read -t 0 x 2>/dev/null && [ ! -e stop ]; do cat {place.outside}/none {place.write('file')} " \
            "; sleep 0.1; done; read x"
    with Run(place, "quiet", "read x # " + 100 * "-"), Run(place, "noisy", noisy):
        wait_for(lambda: listed(place, "quiet", "noisy"))
        size(tmux, 80, 24)
        report(begin(place, tmux), "starts", visible(tmux))
        report(wait_for(lambda: re.search(r"\n> +[1-9]\d*\.\d +\d+ +0 +0 .*noisy", visible(tmux)) or
                        re.search(r" +[1-9]\d*\.\d +\d+ +0 +0 .*noisy", row(tmux, "noisy"))),
               "denials a second", visible(tmux))
        lines = visible(tmux).splitlines()
        names = [line for line in lines if "noisy" in line or "quiet" in line]
        report(len(lines) <= 24 and max(map(len, lines)) <= 80, "in 80 columns", visible(tmux))
        report(len(names) == 2 and "noisy" in names[0], "the most denials first", visible(tmux))
        report(all(len(line) == 80 and line.endswith("...") for line in names), "to the last column", visible(tmux))
        report("DEN/S" in lines[1] and "K kill" in lines[-1], "headings, and keys", visible(tmux))
        size(tmux, 50, 8)
        report(wait_for(lambda: "q quit" not in visible(tmux) and
                        max(map(len, visible(tmux).splitlines())) <= 50 and "noisy" in visible(tmux)),
               "in 50 columns, 8 lines", visible(tmux))
        size(tmux, 100, 50)
        report(wait_for(lambda: "q quit" in visible(tmux)), "and in 100 again", visible(tmux))
        tmux.keys("j", "j", "k", "j")
        report(wait_for(lambda: row(tmux, "quiet").startswith(">")), "j and k choose", visible(tmux))
        tmux.keys("Up")
        report(wait_for(lambda: row(tmux, "noisy").startswith(">")), "so do arrows", visible(tmux))
        open(f"{place.work}/stop", "w").close()
        report(wait_for(lambda: re.match(r"> +0\.0 ", row(tmux, "noisy"))), "until nothing is denied any more",
               visible(tmux))
        tmux.keys("q")
        report(ended(place, tmux, 0), "q leaves", tmux.screen())
    os.remove(f"{place.work}/stop")


def test_watch(place, tmux):
    secret = place.write("watched")
    script = f"while [ ! -e go ]; do sleep 0.05; done; cat {secret} >got; read x"
    with Run(place, "one", script):
        wait_for(lambda: listed(place, "one"))
        begin(place, tmux)
        tmux.keys("w")
        report(tmux.shows("[top: watching"), "w watches", tmux.screen())
        tmux.keys("C-c")
        report(wait_for(lambda: "q quit" in visible(tmux)), "Ctrl-C goes back", visible(tmux))
        tmux.keys("a")
        tmux.shows("are asked here")
        open(f"{place.work}/go", "w").close()
        report(tmux.shows(f"wants to read {secret}") and tmux.shows("\n?"), "a asks", tmux.screen())
        tmux.keys("y")
        report(wait_for(lambda: place.read("got") == "secret\n"), "and answers", tmux.screen())
        tmux.keys("C-c")
        report(wait_for(lambda: "q quit" in visible(tmux)), "Ctrl-C goes back again", visible(tmux))
        tmux.keys("i")
        report(tmux.shows("Enforced by") and tmux.shows("press a key to go back"), "i inspects",
               tmux.screen()[-500:])
        tmux.keys("x")
        report(wait_for(lambda: "q quit" in visible(tmux)), "a key goes back", visible(tmux))
        tmux.keys("C-c")
        report(ended(place, tmux, 0), "Ctrl-C leaves", tmux.screen())
    os.remove(f"{place.work}/go")


def test_asking(place, tmux):
    secret = place.write("asked")
    with Run(place, "idle", "read x"), \
            Run(place, "asks", f"cat {secret}; read x", "--approver", "cat >/dev/null") as asks:
        wait_for(lambda: listed(place, "idle", "asks"))
        begin(place, tmux)
        report(wait_for(lambda: "1 request waits" in visible(tmux) and
                        visible(tmux).find(" asks ") < visible(tmux).find(" idle ")),
               "who waits for an answer comes before others", visible(tmux))
        tmux.keys("G")
        wait_for(lambda: row(tmux, "idle").startswith(">"))
        tmux.keys("n")
        report(wait_for(lambda: row(tmux, "asks").startswith(">")), "n chooses it", visible(tmux))
        asks.process.kill()
        wait_for(lambda: " asks " not in visible(tmux))
        tmux.keys("n")
        report(wait_for(lambda: "Nothing waits for an answer." in visible(tmux)), "or says that there is none",
               visible(tmux))
        tmux.keys("w")
        tmux.shows("[top: watching")
        tmux.keys("C-c")
        wait_for(lambda: "q quit" in visible(tmux))
        tmux.keys("w")
        report(wait_for(lambda: re.search(r"\n\[top: watching[^\[]*\n\[top: watching", tmux.screen())),
               "what runs from here begins a line", tmux.screen())
        tmux.keys("C-c")
        wait_for(lambda: "q quit" in visible(tmux))
        tmux.keys("q")
        ended(place, tmux, 0)


def test_kill(place, tmux):
    with Run(place, "first", "read x"), Run(place, "second", "read x # \033[2J\n") as second:
        wait_for(lambda: listed(place, "first", "second"))
        begin(place, tmux)
        report(wait_for(lambda: r"# \x1b[2J\n" in row(tmux, "second")), "what a program says of itself is escaped", visible(tmux))
        if not row(tmux, "second").startswith(">"):
            tmux.keys("j")
            if not wait_for(lambda: row(tmux, "second").startswith(">")):
                tmux.keys("k")
        tmux.keys("K")
        report(wait_for(lambda: "Kill every process of" in visible(tmux)), "K asks", visible(tmux))
        tmux.keys("n")
        report(wait_for(lambda: "Nothing was killed." in visible(tmux)) and second.process.poll() is None,
               "n: nothing is killed", visible(tmux))
        tmux.keys("K", "y")
        wait_for(lambda: "Kill every process of" in visible(tmux))
        if second.process.poll() is None:
            tmux.keys("y")
        report(wait_for(lambda: second.process.poll() == 137), "y kills", second.process.poll())
        report(wait_for(lambda: "second" not in visible(tmux) and "first" in visible(tmux)),
               "and the other is left", visible(tmux))
        tmux.keys("q")
        report(ended(place, tmux, 0), "leaves", tmux.screen())


def pid_of_top(tmux):
    pid = tmux.call("display-message", "-p", "-t", "t:0", "#{pane_pid}").strip()
    while True:
        with open(f"/proc/{pid}/comm") as file:
            if file.read() == "reeve\n":
                return int(pid)
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            pid = file.read().split()[0]


def test_signals(place, tmux):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        begin(place, tmux, before="ulimit -c 0;")
        os.kill(pid_of_top(tmux), number)
        report(ended(place, tmux, 128 + number), f"ended by {number.name}, the terminal is as before", tmux.screen())
    begin(place, tmux)
    tmux.keys("w")
    tmux.shows("[top: watching")
    os.kill(pid_of_top(tmux), signal.SIGTERM)
    report(ended(place, tmux, 128 + signal.SIGTERM), "also while another verb has it", tmux.screen())


def test_stopped(place, tmux):
    tmux.fresh()
    tmux.line("set -m")
    begin(place, tmux)
    tmux.keys("C-z")
    report(tmux.shows("Stopped") and "q quit" not in visible(tmux), "Ctrl-Z stops it", tmux.screen())
    tmux.line("fg")
    report(wait_for(lambda: "q quit" in visible(tmux)), "and it goes on", visible(tmux))
    tmux.keys("q")
    report(wait_for(lambda: "q quit" not in visible(tmux)), "to its end", tmux.screen())
    tmux.line("set +m")


def test_colour(place, tmux):
    begin(place, tmux)
    wait_for(lambda: "> " in visible(tmux))
    shown = tmux.call("capture-pane", "-p", "-e", "-t", "t:0")
    report(re.search(r"\033\[[0-9;]*7m[^\n]*> ", shown), "the chosen one is marked", repr(shown))
    tmux.keys("q")
    ended(place, tmux, 0)
    begin(place, tmux, before="NO_COLOR=1")
    wait_for(lambda: "> " in visible(tmux))
    shown = tmux.call("capture-pane", "-p", "-e", "-t", "t:0")
    report("\033[" not in shown and "\n> " in shown, "with NO_COLOR by > alone", repr(shown))
    tmux.keys("q")
    ended(place, tmux, 0)


def test_many(place, tmux):
    size(tmux, 80, 24)
    runs = [Run(place, f"many{i}", "read x") for i in range(30)]
    wait_for(lambda: listed(place, *(f"many{i}" for i in range(30))))
    begin(place, tmux)
    report(wait_for(lambda: "0 above, 10 below" in visible(tmux)), "30 domains in 24 lines", visible(tmux))
    tmux.keys("G")
    report(wait_for(lambda: "10 above, 0 below" in visible(tmux) and
                    visible(tmux).splitlines()[21].startswith(">")), "G goes to the last", visible(tmux))
    for run in runs[1:]:
        run.__exit__()
    report(wait_for(lambda: "above" not in visible(tmux) and visible(tmux).count("many") == 1),
           "and comes back with those that are left", visible(tmux))
    tmux.keys("q")
    report(ended(place, tmux, 0), "leaves", tmux.screen())
    runs[0].__exit__()


def test_no_terminal(place):
    done = subprocess.run([REEVE, "top"], cwd=place.work, env=place.env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    report(done.returncode == 0 and "\033" not in done.stdout and "DEN/S" in done.stdout and
           " stays " in done.stdout, "where it is no terminal: once, plain", done)


base.begin("--user" in sys.argv)
PLACE = Place()
TMUX = Tmux(PLACE)
try:
    # As root one half, as a user the other: neither differs in this, and each takes its time.
    if not base.IS_COPY:
        test_shows(PLACE, TMUX)
        test_asking(PLACE, TMUX)
        test_kill(PLACE, TMUX)
        test_many(PLACE, TMUX)
    if base.IS_COPY or os.geteuid() != 0:
        test_watch(PLACE, TMUX)
        with Run(PLACE, "stays", "read x"):
            wait_for(lambda: listed(PLACE, "stays"))
            test_signals(PLACE, TMUX)
            test_stopped(PLACE, TMUX)
            test_colour(PLACE, TMUX)
            test_no_terminal(PLACE)
finally:
    TMUX.stop()
    PLACE.remove()
base.finish()
