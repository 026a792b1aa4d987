#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What goes to the supervisor with `--events none`: found by a supervisor that is stopped. What is not
trapped returns all the same; what is waits until it goes on. Counted, each call LOOPS times.

	test_untrapped.py REEVE [--user]
"""
import os
import signal
import socket
import subprocess
import time

import rig
from rig import PYTHON, REEVE, report

LOOPS = 200
PATIENCE = 900 if "REEVE_TEST_EMULATED" in os.environ else 60
A_WHILE = 1  # seconds in which a call that is not trapped would be back

# Makes what the calls need, says so, waits for "go", and then does each in a process of its own, which
# leaves a file when it begins, and another one when it was done so often.
PROGRAM = f"""
import os, socket, sys, time
LOOPS = {LOOPS}
""" + """
def listening(family, address):
    one = socket.socket(family)
    one.bind(address)
    one.listen(LOOPS)
    return one

streams = listening(socket.AF_UNIX, 'stream.sock')
names = listening(socket.AF_UNIX, chr(0) + f'reeve-untrapped-{os.getpid()}')
try: # refused where the kernel does not scope them
    mail, letters = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for i in range(2))
    mail.bind('mail.sock')
except PermissionError:
    mail = None
unbound = socket.socket(socket.AF_UNIX)
tcp = listening(socket.AF_INET, ('127.0.0.1', int(sys.argv[1])))
accepted = socket.create_connection(tcp.getsockname())
other = tcp.accept()[0]
unix = [socket.socket(socket.AF_UNIX) for i in range(2 * LOOPS)]

def open_(i):
    with open('file', 'w'): pass

def move(i):
    os.mkdir('dir'), os.rename('dir', 'other'), os.rmdir('other')

def unix_socket(i):
    socket.socket(socket.AF_UNIX).close()

def unix_pair(i):
    for one in socket.socketpair(): one.close()

def unix_connect(i):
    unix[i].connect('stream.sock')
    streams.accept()[0].close()

def unix_abstract(i):
    unix[LOOPS + i].connect(names.getsockname())
    names.accept()[0].close()

def unix_bind(i):
    if i == 0: unbound.bind('bound.sock')

def unix_send(i):
    if mail:
        letters.sendto(b'x', 'mail.sock')
        mail.recv(1)

def tcp_socket(i):
    socket.socket(socket.AF_INET).close()

def tcp_connect(i):
    one = socket.socket(socket.AF_INET)
    one.connect(tcp.getsockname())
    tcp.accept()[0].close()
    one.close()

def tcp_bind(i):
    one = socket.socket(socket.AF_INET)
    one.bind(('127.0.0.1', 0))
    one.close()

def tcp_send(i):
    accepted.send(b'x'), other.recv(1), other.sendmsg([b'y']), accepted.recvmsg(1)

def refused(i):
    try: socket.socket(socket.AF_VSOCK)
    except PermissionError: return
    raise SystemExit('a socket to the host')

calls = [open_, move, unix_socket, unix_pair, unix_connect, unix_abstract, unix_bind, unix_send, tcp_socket,
         tcp_connect, tcp_bind, tcp_send, refused]
open('ready', 'w').close()
while not os.path.exists('go'):
    time.sleep(0.01)
for call in calls:
    if os.fork() == 0:
        open('tried.' + call.__name__, 'w').close()
        for i in range(LOOPS):
            call(i)
        open('done.' + call.__name__, 'w').close()
        os._exit(0)
for call in calls:
    os.wait()
"""

# What of the kernel spares which calls; where it lacks one, those go to the supervisor. Whose socket it is
# that connect(2) was given, and whose file is renamed, no filter can see.
SPARES = {"scope.pathname_unix_socket": {"unix_connect", "unix_socket", "unix_abstract", "unix_bind", "unix_send",
                                         "tcp_connect", "move"},
          "scope.abstract_unix_socket": {"unix_abstract", "unix_socket", "unix_connect", "tcp_connect", "unix_bind"},
          "net.connect_tcp": {"tcp_connect", "tcp_bind", "unix_connect", "unix_abstract", "unix_bind"}}
ALL = {"open_", "unix_pair", "tcp_socket", "tcp_send", "refused"}.union(*SPARES.values())
WAITS = {"scope.pathname_unix_socket": "unix_connect", "scope.abstract_unix_socket": "unix_abstract",
         "net.connect_tcp": "tcp_connect"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0]


def left(word):
    return {name[len(word) + 1:] for name in os.listdir(".") if name.startswith(word + ".")}


def stop(process):
    process.send_signal(signal.SIGSTOP)
    return rig.tap.wait_for(lambda: state(process.pid) == "T")


def start():
    port = free_port()
    rig.put("program.py", PROGRAM)
    return subprocess.Popen([REEVE, "run", "--quiet", "--events", "none", "--socket", "unix", "--socket", "inet",
                             "--bind-tcp", "0", "--bind-tcp", str(port), "--connect-tcp", str(port), "--",
                             PYTHON, "program.py", str(port)])


def untrapped():
    lacking = {feature for feature in SPARES if not rig.by_kernel(feature)}
    wanted = ALL - set().union(*(SPARES[feature] for feature in lacking))
    process = start()
    rig.tap.wait_for(lambda: os.path.exists("ready") or process.poll() is not None, PATIENCE)
    if process.poll() is not None:
        return report(False, "the program runs")
    report(stop(process), "the supervisor is stopped, its program not")
    rig.put("go", "")
    rig.tap.wait_for(lambda: wanted <= left("done") and left("tried") == ALL, PATIENCE)
    time.sleep(A_WHILE)
    for name in sorted(wanted):
        report(name in left("done"), f"{LOOPS} times without the supervisor: {name.strip('_')}")
    for feature in sorted(lacking):
        report(WAITS[feature] not in left("done"), f"{feature} is not the kernel's here: {WAITS[feature]} waits")
    process.send_signal(signal.SIGCONT)
    report(process.wait(PATIENCE) == 0 and left("done") == ALL, "and all of them when it goes on",
           sorted(ALL - left("done")))


if __name__ == "__main__":
    rig.main(untrapped)
