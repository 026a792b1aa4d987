#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that lost their parent, and children of a supervisor that are none of its domain.

	test_orphans.py REEVE [--user]
"""
import json
import os
import signal
import subprocess
import time
import rig
from rig import report


def is_alive(pid):
    """Not even a zombie."""
    return os.path.exists(f"/proc/{pid}")


def connector_of(reeve):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        except OSError:
            continue
        if status["Name"].strip() == "reeve-connector" and int(status["PPid"]) == reeve:
            return int(pid)
    return None


def soon(what):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise TimeoutError("it did not come")


def orphans():
    command = "(setsid sh -c 'echo $$; exec sleep 1000' &); " \
              "(setsid sh -c '(sleep 1000 & echo $!; exec sleep 1000)' &); exec sleep 1000"
    process = subprocess.Popen([rig.REEVE, "run", "--", "sh", "-c", command], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    pids = [int(process.stdout.readline()) for _ in range(2)]
    os.kill(connector_of(process.pid), signal.SIGKILL)
    code = process.wait(timeout=240)
    left = [pid for pid in pids if is_alive(pid)]
    report(code == 137 and not left, "orphans end without the connector, too", (code, left))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    process.stdout.close()


def others():
    got = subprocess.run(["sh", "-c", f"sleep 1000 >/dev/null 2>&1 & echo $!; exec '{rig.REEVE}' "
                          "run -- sh -c '(sleep 1000 >/dev/null 2>&1 &)'"], timeout=240,
                         capture_output=True, text=True, check=False)
    other = int(got.stdout)
    report(got.returncode == 0 and is_alive(other), "children of who became reeve are left alone",
           got)
    os.kill(other, signal.SIGKILL)


def sandboxed_others():
    """A job of the shell that became reeve, and an orphan that it leaves later: none of the domain's."""
    job = "(sleep 1000 & echo $!); read x; (sleep 1000 & echo $!); exec sleep 1000"
    for name, how in (("its end", "exec true"), ("its connector killed", "exec sleep 1000")):
        shell = subprocess.Popen(
            ["sh", "-c", f"mkfifo p; '{rig.REEVE}' run -p none --rwx / --static -- sh -c '{job}' <p & echo $!; exec 4>p; "
             f"exec '{rig.REEVE}' run -- sh -c 'read x; {how}'"], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        pids = [int(shell.stdout.readline()) for _ in range(2)]
        if "killed" in name:
            os.kill(soon(lambda: connector_of(shell.pid)), signal.SIGKILL)
        else:
            with open("p", "w", encoding="ascii") as fifo:
                fifo.write("go\n")
            pids.append(int(shell.stdout.readline()))
            shell.stdin.write("go\n")
        code = shell.wait(timeout=240)
        report(all(map(is_alive, pids)), f"and so are their sandboxed ones: {name}", (code, pids))
        os.killpg(shell.pid, signal.SIGKILL)
        shell.stdin.close()
        shell.stdout.close()
        os.unlink("p")


def listed(reeve):
    shown = [json.loads(line) for line in rig.reeve("ps", "--json").stdout.splitlines()]
    return next((domain["domain"] for domain in shown if domain["supervisor"] == reeve), None)


def by_pid():
    """`reeve kill PID`: only where that process is in the domain."""
    shell = subprocess.Popen(
        ["sh", "-c", f"sleep 1000 >/dev/null & echo $!; exec '{rig.REEVE}' run --quiet -- sh -c '"
         "(setsid sh -c \"echo \\$\\$; exec sleep 1000\" &); read x; (sleep 1000 & echo $!; wait)'"],
        text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    job, orphan = (int(shell.stdout.readline()) for _ in range(2))
    domain = soon(lambda: listed(shell.pid))
    got = rig.reeve("kill", str(job))
    shell.stdin.write("go\n")
    child = int(shell.stdout.readline())
    report(got.returncode == 1 and "no running domain" in got.stderr and listed(shell.pid) == domain,
           "a supervisor's other child is none of its domain", got)
    shown = [json.loads(rig.reeve("inspect", "--json", str(pid)).stdout or "{}").get("domain")
             for pid in (child, orphan)]
    report(shown == [domain] * 2, "a child of the program is, and an orphan", (domain, shown))
    got = rig.reeve("kill", str(orphan))
    report(got.returncode == 0 and shell.wait(timeout=240) == 137 and is_alive(job), "and names it", got)
    os.killpg(shell.pid, signal.SIGKILL)
    shell.stdin.close()
    shell.stdout.close()


rig.main(orphans, others, sandboxed_others, by_pid)
