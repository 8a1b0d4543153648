"""A wire to a Unix socket that can go dead without anybody being told: the half-open connection of a broken router."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from pathlib import Path


class Proxy(socketserver.ThreadingTCPServer):
    """Listens on loopback for a socket at `path`. `half_open` stops every connection there is, and closes none."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, path: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Wire)
        self.path, self.port, self.dead_before = path, int(self.server_address[1]), 0
        self.served = 0

    def half_open(self) -> None:
        """What is connected now hears nothing any more; who connects anew is served."""
        self.dead_before = self.served

    def __enter__(self) -> Proxy:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Connections are cut on purpose here."""


class _Wire(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self.server.served += 1
        number = self.server.served
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as there:
            there.connect(str(self.server.path))
            back = threading.Thread(target=self._carry, args=(there, self.request, number), daemon=True)
            back.start()
            self._carry(self.request, there, number)
            back.join()

    def _carry(self, one: socket.socket, other: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if number > self.server.dead_before:
                    other.sendall(data)
            if number > self.server.dead_before:
                other.shutdown(socket.SHUT_WR)
