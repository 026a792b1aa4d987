# SPDX-License-Identifier: MIT
"""For test_id.py: pids of a namespace of their own, what /proc and a domain's certificate say of processes."""
import hashlib
import os
import socket
import subprocess

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def squeeze_pids():
    """In a pid namespace of our own: those from 300 on are given again, a hundred, so that none is missing to a fork."""
    try:
        with open("/proc/sys/kernel/pid_max", "w", encoding="ascii") as file:
            file.write("400")
    except OSError:
        pass


def pids_of_a_namespace():
    """Whether each has a limit of its own (Linux 6.14): else the whole machine would be squeezed."""
    path = "/proc/sys/kernel/pid_max"
    with open(path, encoding="ascii") as file:
        before = int(file.read())
    subprocess.run([*UNSHARE, "sh", "-c", f"echo {before - 1} >{path}"], capture_output=True, check=False)
    with open(path, "r+", encoding="ascii") as file:
        after = int(file.read())
        if after != before:
            file.write(str(before))
    return after == before


def start_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def certificate(supervisor, program, domain=None):
    """One that holds, unless `domain` is another's."""
    def who(pid):
        return f"{pid}.{start_of(pid)}"
    subject = f"{os.stat('/proc/self/ns/pid').st_ino} {who(supervisor)} 0.0 {who(program)} {'0' * 32}"
    digest = hashlib.sha256(f"reeve1 {subject}".encode()).hexdigest()[:16].lstrip("0")
    return f"reeve1 {domain or digest} {subject}", digest


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return file.read()


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


def drip(listening, over):
    """An answer that goes on and on, to one client after the other."""
    while not over.is_set():
        try:
            with listening.accept()[0] as client:
                while not over.wait(0.5):
                    client.send(b" ", socket.MSG_NOSIGNAL)
        except OSError:
            pass
