#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Questions on a terminal: `run --ask` and `watch --answer` in tmux. TAP.

	test_ask_terminal.py REEVE [--user]
"""
import os
import re
import socket
import subprocess
import sys
import threading
import time

import ask_terminal as base
from ask_terminal import REEVE, Place, Tmux, report, wait_for


def test_keys(place, tmux):
    secret = place.write("file")
    tmux.ask("asks", f"cat {secret} >out")
    screen = tmux.screen()
    report(all(part in screen for part in (
        f"] wants to read {secret}", "/usr/bin/cat, started by sh[", "needs    fs.read_file",
        f'[[path_beneath]] allowed_access = ["read_file"] parent = ["{secret}"]',
        "F  this file", f"D  {place.outside}", "K  all of this kind")),
           "says who, what, and what would be written", screen)
    tmux.keys("z", "G", "Escape", "Up", "F5")
    tmux.keys("y")
    report(tmux.shows("code 0.") and place.read("out") == "secret\n", "y allows once", tmux.screen())

    tmux.ask("asks again", f"trap 'echo int >got' INT; cat {secret}; cat {secret}; exit 3")
    tmux.keys("n")
    report(tmux.shows("wants to", times=2) and tmux.shows("\n?", times=2), "n denies, once", tmux.screen())
    tmux.keys("C-c")
    report(tmux.shows("code 3.") and place.read("got") == "", "Ctrl-C denies, and is no signal",
           tmux.screen())

    tmux.ask("a third time", f"for i in 1 2 3; do cat {secret} || exit 1; done; exit 4")
    tmux.keys("F")
    report(tmux.shows("code 4."), "F holds", tmux.screen())
    report(tmux.screen().count("wants to") == 1, "and is not asked again", tmux.screen())

    tmux.ask("a fourth time", f"for i in 1 2 3; do cat {secret}; done; exit 5")
    tmux.keys("X")
    report(tmux.shows("code 5.") and tmux.screen().count("wants to") == 1, "X denies the kind",
           tmux.screen())

    tmux.ask("asks before making a file", f"echo >{place.outside}/new; exit 6")
    report("F  this" not in tmux.screen(), "which no rule on the file alone can allow", tmux.screen())
    tmux.keys("F")
    tmux.keys("D")
    report(tmux.shows("code 6.") and os.path.exists(place.outside + "/new"), "D allows", tmux.screen())


def test_joined(place, tmux):
    for i in range(3):
        place.write(f"n{i}")
    files = " ".join(f"{place.outside}/n{i}" for i in range(3))
    # As long as the terminal is raw nobody is stopped, so that all three come to ask.
    tmux.ask("three at once", f"stty raw; for f in {files}; do cat $f & done; sleep 0.5; stty sane; wait; exit 7")
    report(tmux.shows("? (2 more questions wait)"),
           "says how many more wait", tmux.screen())
    tmux.keys("D")
    report(tmux.shows("code 7.") and tmux.screen().count("secret") == 3,
           "one answer settles them all", tmux.screen())


def test_typed_ahead(place, tmux):
    secret = place.write("ahead")
    with open(f"{place.work}/script", "w") as file:
        file.write(f"echo ready; sleep 0.5; cat {secret}; exit 8")
    tmux.fresh()
    tmux.line(f"{REEVE} run --ask -- sh script; echo code $?.")
    tmux.shows("ready")
    tmux.keys("y", "y", "F", "y", "y")
    report(tmux.shows("\n?"), "asks although keys were typed before", tmux.screen())
    time.sleep(0.4)
    report("secret" not in tmux.screen() and "code" not in tmux.screen().split("wants to")[1],
           "which answer nothing", tmux.screen())
    tmux.keys("n")
    report(tmux.shows("code 8."), "the key typed afterwards does", tmux.screen())


def test_terminal_replies(place, tmux):
    """What the terminal types itself: its state, a title that the program chose."""
    secret = place.write("replies")
    tmux.ask("asks after sequences that the terminal answers",
             r"printf '\033]2;yyFF\007\033[21t\033[6n\033[c\033[>c\033[18t\005'; "
             f"cat {secret}; exit 9")
    time.sleep(0.3)
    report("\nallowed" not in tmux.screen() and "code" not in tmux.screen().split("wants to")[1], "and takes no answer for a key", tmux.screen())
    tmux.keys("n")
    report(tmux.shows("code 9."), "but that", tmux.screen())


def test_terminal_types(place, tmux):
    """What it types while the question is there: nobody pressed a key. The program chose that it says where the
    mouse is, in bytes that are letters at some columns; function keys of the console and a paste have letters too."""
    secret = place.write("mouse")
    tmux.ask("asks after the mouse was asked for", rf"printf '\033[?1003h\033[?2004h'; cat {secret}; exit 25")
    for typed in (b"\033[MCyF", b"\033[MC\xa5F", b"\033[M\xc2\x83FK", b"\033[M FK\033[M yF", b"\033[tFK", b"\033[TFKyDTF",
                  b"\033[[D", b"\033[<35;38;12M", b"\033[32;38;33M", b"\033OF", b"\033[200~F\033[AyK\033[201~", b"\033[M Fy"):
        tmux.call("send-keys", "-t", "t:0", "-H", *(f"{byte:x}" for byte in typed))
    time.sleep(0.3)
    report("\n? allowed" not in tmux.screen() and "code" not in tmux.screen().split("wants to")[1],
           "no move of the mouse is an answer, nor a paste", tmux.screen())
    tmux.keys("n")
    report(tmux.shows("code 25."), "a key is", tmux.screen())


def test_stopped(place, tmux):
    secret = place.write("stopped")
    tmux.ask("a domain with more in it",
             "(i=0; while :; do i=$((i+1)); echo $i >ticks; done) & "
             f"(while read -r x </dev/tty; do echo $x >>stolen; done) & cat {secret}; exit 10")
    before = place.read("ticks")
    time.sleep(0.3)
    report(place.read("ticks") == before, "is stopped while it is asked about", before)
    tmux.keys("y")
    report(tmux.shows("code 10.") and place.read("stolen") == "",
           "goes on, and nobody took the key", tmux.screen() + place.read("stolen"))
    report(tmux.shows("secret"), "got it", tmux.screen())


def test_names(place, tmux):
    os.mkdir(place.outside + "/names")
    for name in ("a\nallow? [y] ", "b\033[2J\033]2;t\007", "c\u202etxt.exe", "d" * 200):
        place.write("names/" + name)
    with open(f"{place.work}/names.py", "w") as file:
        file.write("import os, sys\nfor name in sorted(os.listdir(sys.argv[1])):\n"
                   "    try:\n        open(os.path.join(sys.argv[1], name))\n"
                   "    except OSError:\n        pass\n")
    tmux.ask("asks about a list", f"python3 names.py {place.outside}/names; exit 11")
    tmux.keys("y")
    for i, shown in enumerate(("a\\nallow? [y]", "b\\x1b[2J\\x1b]2;t\\x07", "c\\xe2\\x80\\xaetxt.exe", "ddd")):
        report(tmux.shows(shown) and tmux.shows("\n?", times=i + 2), f"shows {shown[:12]} escaped", tmux.screen())
        tmux.keys("n")
    report(tmux.shows("code 11.") and "\u202e" not in tmux.screen(), "to the end", tmux.screen())


def test_save(place, tmux):
    secret = place.write("saved")
    policy = place.top + "/policy.toml"
    text = "# mine\nextends = ['workspace']  # and this\n"
    with open(policy, "w") as file:
        file.write(text)
    tmux.ask("asks with a policy file", f"cat {secret}; exit 12", "-p", policy)
    report(f"s  [ ] ... and are saved to {policy}" in tmux.screen(), "says where it can be saved", tmux.screen())
    tmux.keys("s")
    report(tmux.shows("s  [x]"), "s switches", tmux.screen())
    tmux.keys("F")
    tmux.shows("code 12.")
    with open(policy) as file:
        saved = file.read()
    report(saved == text + f'\n[[path_beneath]]\nallowed_access = ["read_file"]\nparent = ["{secret}"]\n',
           "the file has the rule, its comments and order", saved)
    done = subprocess.run([REEVE, "run", "-p", policy, "--", "cat", secret], cwd=place.work, text=True,
                          env=place.env, stdout=subprocess.PIPE, check=False)
    report(done.stdout == "secret\n", "the next run has it", done)
    os.rename(policy, policy + ".real")
    os.symlink(policy + ".real", policy)
    place.write("second")
    tmux.ask("the same by a link", f"cat {place.outside}/second; exit 13", "-p", policy)
    report(f"saved to {policy}.real" in tmux.screen(), "which is followed when it is loaded", tmux.screen())
    os.rename(policy + ".real", policy + ".moved")
    os.symlink(place.write("elsewhere", "[[net_port]]\nallowed_access=['connect_tcp']\nport=[1]\n"), policy + ".real")
    tmux.keys("s", "F")
    report(tmux.shows("a symbolic link: it may lead elsewhere"), "and never when it is saved", tmux.screen())
    tmux.keys("n")
    report(tmux.shows("code 13."), "it can still be answered", tmux.screen())


def test_resize(place, tmux):
    secret = place.write("resize")
    tmux.ask("asks in a wide window", f"cat {secret}; exit 14")
    tmux.call("resize-window", "-t", "t:0", "-x", "60", "-y", "50")
    report(tmux.shows("] wants to", times=2), "shows it again when the size changes", tmux.screen())
    report(tmux.shows("  N  never this", times=2) and tmux.shows("  q  stop asking", times=2) and " ... X " not in tmux.screen(),
           "with every key, however narrow", tmux.screen())
    tmux.call("resize-window", "-t", "t:0", "-x", "100", "-y", "50")
    tmux.shows("] wants to", times=3)
    tmux.keys("m")
    report(tmux.shows("[x] capital letters hold for 10 minutes"), "m switches", tmux.screen())
    tmux.keys("F")
    report(tmux.shows("code 14."), "and is answered", tmux.screen())


def test_elsewhere(place, tmux):
    """A program that uses the terminal itself; and the answers from another one."""
    secret = place.write("raw")
    tmux.ask("does not ask where a program uses the terminal",
             f"stty raw -echo; cat {secret} >raw-out; stty sane; exit 15", asks="in another:\n  reeve watch")
    domain = re.search(r"reeve watch (\w+) --answer", tmux.screen())
    tmux.call("new-window", "-d", "-t", "t:1", "-c", place.work, "sh")
    tmux.line(f"{REEVE} watch {domain.group(1)} --answer; echo left $?.", window="t:1")
    report(tmux.shows(f"wants to read {secret}", window="t:1") and tmux.shows("\n?", window="t:1"),
           "asks there", tmux.screen("t:1"))
    tmux.keys("y", window="t:1")
    report(tmux.shows("code 15.") and place.read("raw-out") == "secret\n", "and goes on here", tmux.screen())
    report(tmux.shows("left 0.", window="t:1"), "watch ends with the domain", tmux.screen("t:1"))

    tmux.line("clear", window="t:1")
    tmux.fresh()
    with open(f"{place.work}/script", "w") as file:
        file.write(f"while [ ! -e go ]; do sleep 0.05; done; cat {secret}; exit 16")
    tmux.line(f"rm -f go; {REEVE} run --name quiet -- sh script; echo code $?.")
    wait_for(lambda: subprocess.run([REEVE, "ps"], env=place.env, stdout=subprocess.PIPE, text=True,
                                    check=False).stdout.count("quiet"))
    tmux.line(f"{REEVE} watch quiet --answer; echo left $?.", window="t:1")
    tmux.shows("are asked here", window="t:1")
    open(f"{place.work}/go", "w").close()
    report(tmux.shows("wants to", window="t:1") and tmux.shows("\n?", window="t:1"), "asks without --ask",
           tmux.screen("t:1"))
    tmux.keys("q", window="t:1")
    report(tmux.shows("left 0.", window="t:1"), "q leaves", tmux.screen("t:1"))
    report(tmux.shows("code 16.") and "Permission denied" in tmux.screen(), "then it is denied", tmux.screen())


def test_sockets(place, tmux):
    """A socket is a question; of a TCP connection, its address alone."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    threading.Thread(target=lambda: [server.accept()[0].sendall(b"hello") for _ in range(2)], daemon=True).start()
    with open(f"{place.work}/tcp.py", "w") as file:
        file.write("import socket, sys\nsocket.socket(type=socket.SOCK_DGRAM)\nfor i in range(2):\n    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
                   "    print(s.recv(10), file=open('tcp-out', 'a'))\n")
    tmux.ask("asks about a socket", f"rm -f tcp-out; python3 tcp.py {port}; exit 22", asks="wants to make a socket: IPv4 datagram")
    report(tmux.shows("\n?") and "T  of this type" in tmux.screen() and "A  of this family" in tmux.screen(), "with its keys",
           tmux.screen())
    tmux.keys("P", "D")  # no keys of this question
    tmux.keys("F")
    report(tmux.shows(f"wants to connect by TCP to 127.0.0.1:{port}") and tmux.shows("\n?", times=2)
           and f"P  port {port} of all addresses" in tmux.screen(), "and then about the connection", tmux.screen())
    tmux.keys("P")
    report(tmux.shows("code 22.") and place.read("tcp-out").count("hello") == 2 and tmux.screen().count("wants to") == 2,
           "each once", tmux.screen())


def test_no_terminal(place):
    secret = place.write("none")
    done = subprocess.run([REEVE, "run", "--ask", "--", "cat", secret], cwd=place.work, env=place.env,
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True, check=False)
    report(done.returncode == 1 and "no terminal" in done.stdout and "Permission denied" in done.stdout,
           "without a terminal it is denied", done.stdout)
    for option in (["--ask"], ["--approver", "cat"]):
        done = subprocess.run([REEVE, "run", "--static", *option, "--", "true"], cwd=place.work, env=place.env,
                              text=True, stderr=subprocess.PIPE, check=False)
        report(done.returncode == 125 and option[0] in done.stderr, f"{option[0]} needs a supervisor", done.stderr)


def test_attacks(place, tmux):
    """From inside, its own question."""
    secret = place.write("attack")
    with open(f"{place.work}/attack.py", "w") as file:
        file.write(ATTACK)
    tmux.ask("asks while the program attacks", f"python3 attack.py {REEVE} {secret} & cat {secret}; wait; exit 17",
             "--rw", place.run, "--rx", REEVE, asks=f"wants to read {secret}")
    tmux.shows("\n?")
    tmux.keys("n")
    report(tmux.shows(f"socket {place.run}/reeve/") and tmux.shows("\n?", times=2), "its control socket is a question",
           tmux.screen())
    tmux.keys("F")  # even so
    tmux.shows("code 17.")
    log = place.read("attack.log")
    report("TIOCSTI: EPERM" in log, "TIOCSTI is refused", log)
    report("socket: refused" in log, "its control socket refuses it", log)
    report("socket: answered" not in log and "secret\n" not in tmux.screen(), "and nothing answered", tmux.screen())


def deny_all(tmux, end):
    """Answers whatever is asked, until the program ended."""
    typed = [0, time.monotonic()]

    def step():
        screen = tmux.screen()
        prompts = screen.count("\n?")
        # A key that came before the terminal was quiet is thrown away.
        if end not in screen and prompts and (prompts > typed[0] or time.monotonic() - typed[1] > 3):
            typed[:] = prompts, time.monotonic()
            tmux.keys("X")
        return end in screen
    wait_for(step)


def test_tmux_attack(place, tmux):
    """tmux types what whoever reaches its socket says: that is a question of its own."""
    secret = place.write("typed")
    server = f"{place.top}/tmux-{os.geteuid()}/default"
    def script(window, code):
        # Not faster than the terminal is quiet between two keys: else they are thrown away.
        typing = f"while ! [ -e stop ]; do tmux -S {server} send-keys -t {window} y; sleep 0.5; done"
        return (f"rm -f stop typed-out; ({typing}) "
                f">/dev/null 2>&1 & cat {secret} >typed-out; touch stop; wait; exit {code}")

    # Which of the two comes first is theirs, and who is stopped and goes on may ask again.
    tmux.ask("asks while the program types by tmux", script("t:0", 18), asks="wants to ")
    deny_all(tmux, "code 18.")
    report(f"wants to connect to the socket {server}" in tmux.screen() and
           f"wants to read {secret}" in tmux.screen(), "it would need an answer first", tmux.screen())
    report("code 18." in tmux.screen() and place.read("typed-out") == "", "and gets none", tmux.screen())

    tmux.ask("asks although tmux is granted", script("t:0", 20), "--unix", server, asks=f"wants to read {secret}")
    tmux.shows("\n?")
    time.sleep(0.5)
    report("code 20." not in tmux.screen(), "who is stopped types nothing", tmux.screen())
    tmux.keys("n")
    report(tmux.shows("code 20.") and place.read("typed-out") == "", "but whoever is asked", tmux.screen())

    tmux.keys("C-u")
    # Or this test would see nothing: where the domain is not stopped, tmux is the person.
    tmux.call("new-window", "-d", "-t", "t:2", "-c", place.work, "sh")
    with open(f"{place.work}/script", "w") as file:
        file.write("while ! [ -e go ]; do sleep 0.05; done; " + script("t:2", 21))
    tmux.fresh()
    tmux.line(f"rm -f go; {REEVE} run --name typist --unix {server} -- sh script; echo code $?.")
    wait_for(lambda: "typist" in subprocess.run([REEVE, "ps"], env=place.env, stdout=subprocess.PIPE, text=True,
                                                check=False).stdout)
    tmux.line(f"{REEVE} watch typist --answer", window="t:2")
    tmux.shows("are asked here", window="t:2")
    open(f"{place.work}/go", "w").close()
    report(tmux.shows("code 21.") and place.read("typed-out") == "secret\n",
           "granted, and asked elsewhere, it does answer", tmux.screen())


def test_edit_while_saving(place, tmux):
    """A policy file in the middle of what the program may write, while answers are saved to it."""
    policy, secrets = place.work + "/p.toml", [place.write(f"edit{i}") for i in range(4)]
    text = "# mine\nextends = ['workspace']\n"
    with open(policy, "w") as file:
        file.write(text)
    with open(f"{place.work}/edit.py", "w") as file:
        file.write(EDIT)
    tmux.ask("asks while the program edits its policy",
             f"rm -f stop; python3 edit.py & while ! grep -qs EACCES edit.log; do sleep 0.01; done; cat {' '.join(secrets)}; touch stop; wait; exit 19",
             "-p", policy)
    for i in range(4):
        tmux.shows(f"wants to read {secrets[i]}")
        tmux.shows("\n?", times=i + 1)
        tmux.keys(*(["s"] if i == 0 else []), "F")  # s stays on
    report(tmux.shows("code 19."), "is answered four times", tmux.screen())
    with open(policy) as file:
        saved = file.read()
    rule = '\n[[path_beneath]]\nallowed_access = ["read_file"]\nparent = ['
    report(saved == text + rule + ", ".join(f'"{secret}"' for secret in secrets) + "]\n",
           "the file has the answers, and nothing of the program's", saved)
    log = place.read("edit.log")
    report(set(log.split()) == {"ready", "EACCES"}, "which could do nothing to it", log[-200:])
    report(not [name for name in os.listdir(place.work) if name.startswith(".reeve-")], "nothing is left behind")


EDIT = r"""
import errno, os
log = open("edit.log.new", "w")
print("ready", file=log, flush=True)
os.rename("edit.log.new", "edit.log")
with open("evil", "w") as file:
    file.write("[[path_beneath]]\nallowed_access = ['read_file']\nparent = ['/']\n")
def replace():
    os.rename("evil", "p.toml")
def append():
    open("p.toml", "a").write("evil")
def swap():
    for name in os.listdir("."):
        if name.startswith(".reeve-"):
            try:
                os.rename(name, "taken")
                os.link("evil", name)
            except (FileNotFoundError, FileExistsError):
                pass
tries = (replace, append, lambda: os.unlink("p.toml"), lambda: os.truncate("p.toml", 0),
         lambda: os.rename("p.toml", "gone"), lambda: os.link("p.toml", "other"))
while not os.path.exists("stop"):
    swap()
    for attempt in tries:
        try:
            attempt()
            print("done", attempt, file=log, flush=True)
        except OSError as e:
            print(errno.errorcode[e.errno], file=log, flush=True)
"""


ATTACK = r"""
import errno, fcntl, glob, json, os, socket, sys, time
log = open("attack.log", "w")
def note(*words):
    print(*words, file=log, flush=True)
tty = os.open("/dev/tty", os.O_RDWR)
for i in range(50):
    try:
        fcntl.ioctl(tty, 0x5412, b"y")
        note("TIOCSTI: typed")
    except OSError as e:
        if i == 0:
            note("TIOCSTI:", errno.errorcode[e.errno])
    for path in glob.glob(os.environ["XDG_RUNTIME_DIR"] + "/reeve/*.sock"):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            s.sendall(b'{"request":"answer","question":1,"answer":"allow"}\n')
            answer = json.loads(s.makefile().readline())
            note("socket:", "answered" if answer["ok"] else "refused")
        except (OSError, ValueError) as e:
            note("socket: refused", e)
    time.sleep(0.01)
"""


base.begin("--user" in sys.argv)
PLACE = Place()
TMUX = Tmux(PLACE)
try:
    # As a user, what differs: who owns the terminal and the sockets.
    for test in (test_keys, test_elsewhere, test_attacks, test_tmux_attack) if base.IS_COPY else (test_keys, test_joined, test_typed_ahead, test_terminal_replies, test_terminal_types, test_stopped, test_names,
                 test_save, test_resize, test_elsewhere, test_sockets, test_attacks, test_tmux_attack, test_edit_while_saving):
        test(PLACE, TMUX)
    test_no_terminal(PLACE)
finally:
    TMUX.stop()
    PLACE.remove()
base.finish()
