#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The four attempts, by Python."""
import os
import signal
import socket

env = os.environ


def read():
    with open(env["ATTEMPT_KEY"], encoding="utf-8") as key:
        key.read()


def write():
    with open(env["ATTEMPT_OUTSIDE"], "w", encoding="utf-8") as file:
        file.write("was here\n")


def connect():
    socket.create_connection(("127.0.0.1", int(env["ATTEMPT_PORT"]))).close()


def kill():
    os.kill(int(env["ATTEMPT_PID"]), signal.SIGCONT)


with open(env["ATTEMPT_LOG"], "a", encoding="utf-8") as log:
    for name, attempt in {"read": read, "write": write, "connect": connect, "signal": kill}.items():
        try:
            attempt()
            log.write(f"{name} done\n")
        except OSError as error:
            log.write(f"{name} {error.strerror}\n")
