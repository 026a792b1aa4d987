# SPDX-License-Identifier: MIT
"""Who receives what an attack sends. A hit is what comes where nothing should."""
import socket
import threading

from harness import usual

INET, TCP, UDP = socket.AF_INET, socket.SOCK_STREAM, socket.SOCK_DGRAM


class Receiver:
    """Counts what a socket outside of the domain receives: datagrams, or connections."""

    def __init__(self, family, kind, address):
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.count, self.over = 0, False
        if kind == TCP:
            self.socket.listen(128)
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        while True:
            if self.socket.type == TCP:
                with self.socket.accept()[0] as peer:
                    word = peer.recv(16)
            else:
                word = self.socket.recv(16)
            if word == b"end":
                return
            self.count += word == b"x"

    def end(self):
        """All that was sent before comes before."""
        with socket.socket(self.socket.family, self.socket.type) as one:
            one.connect(self.socket.getsockname())
            one.sendall(b"end")
            self.thread.join()
        self.socket.close()
        return self.count


def count(receivers, command, env, place):
    """One is granted, one is not. A hit is what the latter received."""
    try:
        got = usual(command, env, place)
    finally:
        grants, hits = (one.end() for one in receivers)
    return got if got[0] is None else (got[0] + hits, got[1], max(got[2], grants))
