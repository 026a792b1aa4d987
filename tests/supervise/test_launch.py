#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reeve run` as a supervisor: who can reach whom, signals and jobs under a terminal, life and death.

	test_launch.py REEVE [--user]
"""
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios

sys.path.append(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import tap  # noqa: E402
from tap import PYTHON, report  # noqa: E402

REEVE = os.path.realpath(sys.argv[1])
PATIENCE = 300  # seconds; a machine under load
# What `workspace` asks for and only a kernel since Landlock ABI 9 can do without a supervisor.
STATIC = ("--static", "--degrade", "pathname_unix_socket")


def run(*args, command=None, **more):
    return subprocess.run([REEVE, "run", *args, "--", *command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE, **more)


def skip_where_refused():
    """What the default policy asks for, and no one can enforce on an older kernel."""
    got = run(command=["true"])
    if got.returncode == 125 and "cannot be enforced here" in got.stderr:
        print("1..0 # SKIP landlock:", got.stderr.splitlines()[0])
        sys.exit(0)


def sh(script, *args, **more):
    return run(*args, command=["sh", "-c", script], **more)


def status_of(pid):
    """Its fields of /proc/PID/status, or None."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    except OSError:
        return None


def wait_gone(pid):
    """Until a process is gone, or dead and not reaped; by its pidfd, so without a clock."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    select.select([fd], [], [])
    os.close(fd)


class Running:
    """`reeve run` with pipes; `pid` is the program's, `connector` reeve's other child."""

    def __init__(self, *args, command, **more):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [REEVE, "run", "--status-fd", str(write), *args, "--", *command],
            pass_fds=[write], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **more)
        os.close(write)
        self.status = os.fdopen(read)
        line = self.status.readline()
        self.started = json.loads(line) if line else {}
        self.pid = self.started.get("pid")

    def find_connector(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            status = status_of(pid)
            if status and status["Name"] == "reeve-connector" and \
                    int(status["PPid"]) == self.process.pid:
                return int(pid)
        return None

    def connector(self):
        """It takes its name, the last thing that it does to itself, when the program runs already."""
        for _ in range(1000):
            found = self.find_connector()
            if found or self.process.poll() is not None:
                return found
        return None

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        self.status.close()
        return self.process.returncode, out, err


def launch_basics():
    got = sh("exit 7")
    report(got.returncode == 7 and got.stderr == "", "the exit code, and silence", got)
    got = sh("kill -SEGV $$")
    report(got.returncode == 128 + signal.SIGSEGV, "128 + the signal", got)
    got = sh("mkdir a b && touch a/f && mv a/f b/f && ln b/f a/g && rm -r a b && echo done")
    report(got.stdout == "done\n", "rename and link across directories work", got)
    got = sh('echo "$REEVE_DOMAIN"; grep -E "^(SigBlk|SigIgn|NoNewPrivs|Seccomp):" '
             "/proc/self/status")
    lines = got.stdout.split()
    report(len(lines) == 9 and 0 < len(lines[0]) <= 16 and int(lines[0], 16) > 0,
           "REEVE_DOMAIN is a hex id", got)
    report(lines[lines.index("NoNewPrivs:") + 1] == "1" and
           lines[lines.index("Seccomp:") + 1] == "2", "no_new_privs and a filter", got)
    for name, option in (("supervised", ()), ("static", STATIC)):
        got = run(*option, command=["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"],
                  preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        bits = [int(word, 16) for word in got.stdout.split()[1::2]]
        report(len(bits) == 2 and bits[0] == 0 and
               bits[1] & (1 << (signal.SIGCHLD - 1)) != 0,
               f"{name}: mask and ignored signals are inherited, SIGCHLD too", got)


def exec_failures():
    with open("plain", "w", encoding="utf-8") as file:
        file.write("x")
    for what, command in (("missing", ["nonsense-program"]), ("a directory", ["/usr/bin"]),
                          ("not executable", ["./plain"]), ("a missing path", ["/usr/bin/nons"])):
        one, two = run(command=command), run(*STATIC, command=command)
        report((one.returncode, one.stderr) == (two.returncode, two.stderr) and
               one.returncode in (126, 127), f"the same failure as --static: {what}",
               f"{one}\n{two}")
    one = run("-p", "none", "--rx", "/etc", command=["/usr/bin/true"])
    two = run("-p", "none", "--rx", "/etc", "--static", command=["/usr/bin/true"])
    report((one.returncode, one.stderr) == (two.returncode, two.stderr) and
           one.returncode == 126, "the same hint as --static", f"{one}\n{two}")
    os.chmod("plain", 0o755)
    with open("plain", "w", encoding="utf-8") as file:
        file.write("echo script $1\n")
    got = run(command=["./plain", "of the shell"])
    report(got.stdout == "script of the shell\n", "what the kernel does not know is a script", got)


REACH = r"""
import ctypes, os, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(call):
    try:
        return "done" if call() is None else "done"
    except OSError as error:
        return error.strerror
for name, pid in (("supervisor", int(sys.argv[1])), ("connector", int(sys.argv[2]))):
    print(name, "kill", attempt(lambda: os.kill(pid, 0)))
    print(name, "stop", attempt(lambda: os.kill(pid, 19)))
    print(name, "prlimit", attempt(lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))))
    print(name, "sched", attempt(lambda: os.sched_setscheduler(pid, 5, os.sched_param(0))))
    r = libc.ptrace(16, pid, 0, 0)
    print(name, "attach", "done" if r == 0 else os.strerror(ctypes.get_errno()))
    print(name, "mem", attempt(lambda: os.close(os.open(f"/proc/{pid}/mem", 0))))
    print(name, "fd", attempt(lambda: os.readlink(f"/proc/{pid}/fd/0")))
    print(name, "cwd", attempt(lambda: os.readlink(f"/proc/{pid}/cwd")))
    fd = os.pidfd_open(pid)
    r = libc.syscall(438, fd, 0, 0)
    print(name, "getfd", "done" if r >= 0 else os.strerror(ctypes.get_errno()))
print("finished")
"""


def out_of_reach():
    run_it = Running(command=["sh", "-c", "read a b; exec /usr/bin/python3 -c \"$0\" $a $b", REACH])
    connector = run_it.connector()
    report(connector is not None, "there is a connector", run_it.started)
    fields = status_of(connector)
    try:
        dumpable = os.stat(f"/proc/{connector}/mem").st_uid == os.geteuid() and \
            os.geteuid() != 0
    except OSError:
        dumpable = False
    report(not dumpable, "it is not dumpable", fields)
    if os.geteuid() == 0:
        links = [os.readlink(f"/proc/{connector}/fd/{fd}")
                 for fd in os.listdir(f"/proc/{connector}/fd")]
        report(not [link for link in links if link.startswith("pipe:") or "/" in link
                    and link != "/proc" and "pidfd" not in link],
               "it holds nothing of the program's", links)
    run_it.process.stdin.write(f"{run_it.process.pid} {connector}\n")
    run_it.process.stdin.flush()
    code, out, err = run_it.end()
    broken = [line for line in out.splitlines() if line.endswith(" done")]
    report(out.endswith("finished\n") and not broken,
           "the program reaches neither supervisor nor connector", f"{out}\n{err}\n{code}")


def life_and_death():
    run_it = Running(command=["sh", "-c", "sleep 1000 & sleep 1000 & (sleep 1000 &); "
                              "setsid sleep 1000 & exit 3"])
    code, _, err = run_it.end()
    report(code == 3 and "4 processes were left in the domain, killed" in err,
           "what is left is killed, and counted", f"{code} {err}")

    for victim, expected in (("supervisor", -signal.SIGKILL), ("connector", 137)):
        run_it = Running(command=["sh", "-c", "setsid sleep 1000 & echo $!; exec sleep 1000"])
        below = int(run_it.process.stdout.readline())
        target = run_it.process.pid if victim == "supervisor" else run_it.connector()
        connector = run_it.connector()
        os.kill(target, signal.SIGKILL)
        for pid in (run_it.pid, below, connector):
            wait_gone(pid)
        code, _, err = run_it.end()
        report(code == expected, f"the domain ends with its {victim}", f"{code} {err}")

    got = sh("exec /usr/bin/python3 -c 'import ctypes, os; ctypes.CDLL(None).ptrace(0, 0, 0, 0); "
             "os.execvp(\"echo\", [\"echo\", \"traced\"])'")
    report(got.returncode == 0 and got.stdout == "traced\n", "PTRACE_TRACEME and exec", got)
    script = ("import ctypes, os, signal; libc = ctypes.CDLL(None)\n"
              "libc.ptrace(0, 0, 0, 0)\nsignal.signal(10, lambda *a: print('handled'))\n"
              "os.kill(os.getpid(), 10)\n")
    got = run(command=[PYTHON, "-c", script])
    report(got.returncode == 0 and got.stdout == "handled\n", "PTRACE_TRACEME and a signal", got)
    clone = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine)
    script = ("import ctypes, os; libc = ctypes.CDLL(None)\n"
              "for i in range(20):\n"
              f"    if libc.syscall({clone}, 0x8000, 0, 0, 0, 0) == 0: os._exit(5)\n"
              "print('made')\n")
    if clone:
        got = run(command=[PYTHON, "-c", script])
        report(got.returncode == 0 and got.stdout == "made\n", "children by CLONE_PARENT", got)
    run_it = Running(command=["sh", "-c", "for i in $(seq 300); do (sleep 0 &); done; read x"])
    run_it.process.stdin.close()
    run_it.process.stdin = None
    code, _, err = run_it.end()
    report(code in (0, 1), "orphans", f"{code} {err}")
    base = tempfile.mkdtemp()
    got = sh('touch "$TMPDIR/x" && mkdir "$TMPDIR/d" && echo "$TMPDIR"',
             env={**os.environ, "TMPDIR": base})
    made = got.stdout.strip()
    report(made.startswith(base) and not os.path.exists(made), "the private TMPDIR is removed", got)
    run(command=["nonsense-program"], env={**os.environ, "TMPDIR": base})
    report(not sum((files for _, _, files in os.walk(base)), []) and
           not os.listdir(base + f"/reeve-{os.geteuid()}"), "and when the program was not found")
    shutil.rmtree(base)


def many():
    runs = [Running(command=["cat"]) for _ in range(200)]
    domains = {one.started.get("domain") for one in runs}
    report(len(domains) == 200, "200 sandboxes at once, 200 ids", len(domains))
    codes = {one.end()[0] for one in runs}
    report(codes == {0}, "and all end", codes)
    script = "for i in $(seq 100); do echo $i | cat | cat >/dev/null || exit 1; done; echo done"
    got = run(command=["sh", "-c", script])
    report(got.stdout == "done\n", "100 pipelines of the shell", got)
    got = sh("i=0; while [ $i -lt 10000 ]; do (exit 0); i=$((i+1)); done; echo done")
    report(got.stdout == "done\n", "10 000 short processes", got)
    got = subprocess.run(f"'{REEVE}' run -- sh -c 'echo x; sleep 1000 >/dev/null 2>&1 &' | cat",
                         shell=True, capture_output=True, text=True, timeout=PATIENCE)
    report(got.stdout == "x\n", "a pipeline ends when the program does", got)


STORM = r"""
import errno, os, signal, sys
signal.signal(signal.SIGALRM, lambda *a: None)
signal.siginterrupt(signal.SIGALRM, True)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
wrong = 0
for i in range(5000):
    fd = libc.open(b"storm", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    if fd < 0:
        wrong += ctypes.get_errno() == errno.EINTR
    else:
        libc.close(fd)
    if libc.mkdir(b"storm.d", 0o700) < 0:
        wrong += ctypes.get_errno() == errno.EINTR
    for old, new in ((b"storm.d", b"storm.e"), (b"storm.e", b"storm.d")):
        if libc.rename(old, new) < 0:
            wrong += ctypes.get_errno() == errno.EINTR
    if libc.rmdir(b"storm.d") < 0:
        wrong += ctypes.get_errno() == errno.EINTR
signal.setitimer(signal.ITIMER_REAL, 0)
print(wrong)
"""


def storm(name, most, *options, **env):
    got = run(*options, command=[PYTHON, "-c", STORM], env={**os.environ, **env})
    count = int(got.stdout) if got.stdout.strip().isdigit() else -1
    print(f"# EINTR in 25000 calls under a storm of SIGALRM without SA_RESTART: {count}")
    report(got.returncode == 0 and 0 <= count <= most, name, got)


def storms():
    storm("a storm of signals", 2500, "--no-shim")
    shim = os.path.dirname(os.path.dirname(REEVE)) + "/shim/libreeve-shim.so"
    if os.path.exists(shim):
        # Not for ever: on a machine that is busy with others a receiver may come too late.
        storm("which the shim keeps from all that the floor allows", 5, REEVE_SHIM=shim)


# ---------------------------------------------------------------- terminals


class Terminal:
    """A shell with job control on a terminal of its own."""

    def __init__(self, shell=("bash", "--norc", "--noprofile", "-i")):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Before bash looks: who echoes a command says the word that is waited for, too.
            attributes = termios.tcgetattr(0)
            attributes[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, attributes)
            os.environ.update(PS1="ready$ ", TERM="dumb", REEVE=REEVE)
            os.execvp(shell[0], shell)

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, word):
        """Reads until `word` came; what was before it."""
        while word not in self.text:
            if not select.select([self.fd], [], [], 30)[0]:
                raise TimeoutError(f"no {word!r} in {self.text!r}")
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
            except OSError as error:
                raise EOFError(f"no {word!r} in {self.text!r}") from error
        before, self.text = self.text.split(word, 1)
        return before

    def ask(self, command, word):
        self.send(command + "\n")
        return self.until(word)

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def terminal_case(name, case):
    try:
        terminal = Terminal()
        terminal.until("ready$ ")
        case(terminal)
        terminal.close()
        report(True, name)
    except (TimeoutError, EOFError, AssertionError) as error:
        report(False, name, repr(error))


def ctrl_c(t):
    t.ask('"$REEVE" run -- sh -c "echo up; exec sleep 1000"', "up")
    t.send("\x03")
    t.until("ready$ ")
    t.ask("echo code=$?.", "code=130.")


def ctrl_c_handled(t):
    t.ask('"$REEVE" run -- sh -c "trap \'echo caught; exit 9\' INT; echo up; '
          'while :; do sleep 0.05; done"', "up")
    t.send("\x03")
    t.until("caught")
    t.until("ready$ ")
    t.ask("echo code=$?.", "code=9.")


def ctrl_z(t):
    t.ask('"$REEVE" run -- sh -c "echo up; read line; echo got \\$line; exit 4"', "up")
    t.send("\x1a")
    t.until("Stopped")
    t.until("ready$ ")
    t.ask("jobs", "Stopped")
    t.send("fg\n")
    t.until("read line")
    t.send("hello\n")
    t.until("got hello")
    t.until("ready$ ")
    t.ask("echo code=$?.", "code=4.")


def background_read(t):
    t.ask('"$REEVE" run -- sh -c "read line; echo got \\$line" &', "ready$ ")
    t.ask("wait -f 2>/dev/null; jobs", "Stopped")
    t.until("ready$ ")
    t.send("fg\n")
    t.until("read line")
    t.send("hello\n")
    t.until("got hello")


def winch(t):
    t.ask('"$REEVE" run -- bash -c "trap \'echo resized; exit\' WINCH; echo up; '
          'while :; do sleep 0.1; done"', "up")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, b"\x18\0\x60\0\0\0\0\0")
    t.until("resized")


def inner_shell(t):
    """Job control inside: the inner shell has a process group, and gives the terminal to jobs."""
    t.send('"$REEVE" run -- bash --norc --noprofile -i\n')
    t.until("ready$ ")
    t.ask("PS1='inner> '", "inner> ")
    t.ask("sh -c 'echo up; exec sleep 1000'", "up")
    t.send("\x1a")
    t.until("Stopped")
    t.until("inner> ")
    t.ask("P=$(jobs -p); echo got", "got")
    # A shell with a job that it still takes for stopped does not exit at the first `exit`.
    t.ask("kill %1; while kill -0 $P 2>/dev/null; do :; done; jobs", "Terminated")
    t.until("inner> ")
    t.ask("suspend", "Stopped")
    t.until("ready$ ")
    t.ask("jobs", "Stopped")
    t.until("ready$ ")
    t.ask("fg\necho on$((1+1))", "on2")
    t.until("inner> ")
    t.ask("exit 7", "ready$ ")
    t.ask("echo code=$?.", "code=7.")


# Counts SIGUSR1 and SIGINT; says each, and at SIGUSR2 how many there were.
COUNTING = r"""
import os, signal
counts = {signal.SIGUSR1: 0, signal.SIGINT: 0}
wanted = {signal.SIGUSR1, signal.SIGINT, signal.SIGUSR2, signal.SIGQUIT}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
os.write(1, b"counting as %d.\n" % os.getpid())
while True:
    sig = signal.sigwait(wanted)
    if sig in counts:
        counts[sig] += 1
        os.write(1, b"heard\n")
    else:
        os.write(1, b"usr1=%d int=%d.\n" % tuple(counts.values()))
"""


# Equal signals that come faster than reeve can ask about them merge, as they do for anybody: so
# each case waits for the answer to a SIGUSR2, which reeve alone got, before the next one.
def counted_job(t):
    with open("count.py", "w", encoding="utf-8") as file:
        file.write(COUNTING)
    t.ask('"$REEVE" run -- /usr/bin/python3 count.py & set +m', "counting")
    for i in range(5):
        t.ask("kill -USR1 %1", "heard")  # the group
        t.ask("kill -USR2 $!", f"usr1={2 * i + 1} int=0.")
        t.ask("kill -USR1 $!", "heard")  # reeve alone
        t.ask("kill -USR2 $!", f"usr1={2 * i + 2} int=0.")
    t.ask("kill -KILL %1; echo; echo over$((1+1))", "over2")


def counted_keys(t):
    t.ask('"$REEVE" run -- /usr/bin/python3 count.py', "counting as ")
    reeve = int(status_of(int(t.until(".")))["PPid"])
    for i in range(5):
        t.send("\x03")
        t.until("heard")
        os.kill(reeve, signal.SIGUSR2)
        t.until(f"usr1=0 int={i + 1}.")
    t.send("\x1a")
    t.until("ready$ ")
    t.ask("kill -USR1 %1; fg", "heard")
    os.kill(reeve, signal.SIGUSR2)
    t.until("usr1=1 int=5.")
    t.send("\x1a")
    t.until("ready$ ")
    t.ask("kill -KILL %1; echo; echo over$((1+1))", "over2")


def terminals():
    terminal_case("Ctrl-C: the program dies, we report 130", ctrl_c)
    terminal_case("Ctrl-C that the program handles", ctrl_c_handled)
    terminal_case("Ctrl-Z and fg", ctrl_z)
    terminal_case("a background job that reads the terminal stops", background_read)
    terminal_case("SIGWINCH reaches the program", winch)
    terminal_case("an interactive shell inside, with jobs of its own", inner_shell)
    terminal_case("signals to a job or to reeve arrive once each", counted_job)
    terminal_case("Ctrl-C arrives once, before and after Ctrl-Z", counted_keys)
    # A session leader on a terminal: nobody would continue it, so nobody stops.
    t = Terminal((REEVE, "run", "--", "sh", "-c", "echo up; read x; exit 6"))
    t.until("up")
    t.send("\n")
    report(os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) == 6, "a session leader")
    os.close(t.fd)


def forwarding():
    for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT):
        run_it = Running(command=["sh", "-c", f"trap 'echo caught; exit 8' {sig.name[3:]}; "
                                  "echo up; while :; do sleep 0.05; done"],
                         start_new_session=True)
        run_it.process.stdout.readline()
        os.kill(run_it.process.pid, sig)
        code, out, err = run_it.end()
        report(code == 8 and out == "caught\n", f"{sig.name} is forwarded", f"{code} {out} {err}")
    run_it = Running(command=["sleep", "1000"], start_new_session=True)
    os.kill(run_it.process.pid, signal.SIGTERM)
    code, _, err = run_it.end()
    report(code == 143, "SIGTERM ends it: 143", f"{code} {err}")
    run_it = Running(command=[PYTHON, "-c", COUNTING], start_new_session=True)
    run_it.process.stdout.readline()
    for send, to in ((os.killpg, "the group"), (os.kill, "reeve alone")) * 20:
        send(run_it.process.pid, signal.SIGUSR1)
        if run_it.process.stdout.readline() != "heard\n":
            report(False, f"SIGUSR1 to {to}")
        os.kill(run_it.process.pid, signal.SIGUSR2)
        got = run_it.process.stdout.readline()
    report(got == "usr1=40 int=0.\n", "signals of a script to the group or to reeve arrive once", got)
    os.killpg(run_it.process.pid, signal.SIGKILL)
    wait_gone(run_it.pid)
    run_it.end()
    # Without a terminal nobody watches jobs, and the rest of the domain needs its supervisor.
    got = sh("(sleep 0.2; kill -CONT $$) & kill -STOP $$; wait; echo on", start_new_session=True)
    report(got.stdout == "on\n", "a stop without a terminal is the program's own", got)


def nested():
    got = run("--rx", os.path.dirname(REEVE), command=[REEVE, "run", "--", "true"])
    report(got.returncode == 125 and "supervised domain" in got.stderr and
           "--static" in got.stderr, "a nested run is refused, with the way out", got)
    got = run(*STATIC, "--rx", os.path.dirname(REEVE), "--ro", "/proc",
              command=[REEVE, "run", "-p", "none", "--rx", "/", "--", "echo", "inner"])
    report(got.stdout == "inner\n", "nested in a static run, anything goes", got)


def options():
    got = sh("exit 0", "--fail-on-deny")
    report(got.returncode == 0, "--fail-on-deny without a denial", got)
    for option in (["--events", "-"], ["--fail-on-deny"], ["--name", "n"], ["--status-fd", "2"]):
        got = sh("exit 0", "--static", *option)
        report(got.returncode == 125 and option[0] in got.stderr,
               f"{option[0]} needs the supervisor", got)
    got = sh("echo ran", "--events", "none")
    report(got.stdout == "ran\n" and got.stderr == "", "--events none", got)
    os.symlink("elsewhere", "link")
    got = sh("exit 0", "--events", "link")
    report(got.returncode == 125 and "symbolic link" in got.stderr, "--events: no links", got)
    run_it = Running(command=["sh", "-c", "exit 3"])
    lines = run_it.status.readlines()
    run_it.process.communicate(timeout=PATIENCE)
    last = json.loads(lines[-1])
    report(run_it.started["event"] == "started" and run_it.started["version"] == 1 and
           last == {"version": 1, "event": "exited", "domain": run_it.started["domain"],
                    "code": 3}, "--status-fd", lines)


def main():
    if "--user" in sys.argv:
        tap.as_user()
    work = tempfile.mkdtemp()
    os.chdir(work)
    if not os.path.exists(PYTHON):
        print("1..0 # SKIP python: the system has none in /usr/bin")
        sys.exit(0)
    skip_where_refused()
    # Where the machine is emulated, what is about speed and numbers takes minutes, and tells nothing.
    emulated = "REEVE_TEST_EMULATED" in os.environ
    for part in (launch_basics, exec_failures, out_of_reach, life_and_death, forwarding,
                 terminals, nested, options, *(() if emulated else (storms, many))):
        try:
            part()
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            report(False, part.__name__, repr(error))
    os.chdir("/")
    shutil.rmtree(work)
    tap.finish()


main()
