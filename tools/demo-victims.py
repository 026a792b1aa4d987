#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The parts of the demo that a shell cannot do: a loopback server, a client, a terminal.

	demo-victims.py server               listens on a free loopback port, prints it, accepts for ever
	demo-victims.py connect N            connects to it
	demo-victims.py type                 puts a character into its terminal's input (TIOCSTI)
	demo-victims.py on-terminal CMD...   runs CMD on a terminal of its own
"""
import fcntl
import os
import pty
import socket
import sys
import termios


def server():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        listener.accept()[0].close()


def connect(port):
    socket.create_connection(("127.0.0.1", int(port))).close()


def type_here():
    fcntl.ioctl(0, termios.TIOCSTI, b"x")


def on_terminal(*command):
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    try:
        while chunk := os.read(master, 4096):
            os.write(1, chunk)
    except OSError:
        pass  # EIO: the last of them has left the terminal
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


VERBS = {"server": server, "connect": connect, "type": type_here, "on-terminal": on_terminal}


def main(verb, *args):
    try:
        VERBS[verb](*args)
    except OSError as error:
        sys.exit(f"{verb}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
