"""A mail server to be unkind to: it keeps a book of what it took, and cuts every connection when told to.

    python -m tests.chaos.sink BOOK DELAY_MS

prints its port. A message is written into BOOK half of the delay after its final dot and answered half of it later, so
that a connection cut in between leaves a sender in doubt who may have been taken or not. "reset" on standard input cuts
all connections by RST; its end ends the sink.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from typing import cast

_LINE, _END = b"\r\n", b"\r\n.\r\n"
_EHLO = b"250-sink\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n"
_ANSWERS = {b"MAIL": b"250 2.1.0 Ok\r\n", b"DATA": b"354 Go on\r\n", b"RSET": b"250 Ok\r\n", b"QUIT": b"221 Bye\r\n"}


class Visit(asyncio.Protocol):
    """One connection. Commands are answered in their order; a body holds up what was sent after it."""

    def __init__(self, *, book: int, delay_s: float, guests: set[Visit]) -> None:
        self._book, self._half, self._guests = book, delay_s / 2, guests
        self._buffer, self._recipient = b"", b""
        self._in_body = self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._guests.add(self)
        self.transport.write(b"220 sink ESMTP\r\n")

    def connection_lost(self, _error: Exception | None) -> None:
        self._guests.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._go_on()

    def reset(self) -> None:
        """Cut, and drop what was on its way."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        self._guests.discard(self)

    def _go_on(self) -> None:
        while not self._waiting and (self._body() if self._in_body else self._command()):
            pass

    def _body(self) -> bool:
        end = self._buffer.find(_END)
        if end < 0:
            return False
        self._buffer = self._buffer[end + len(_END) :]
        self._in_body, self._waiting = False, True
        asyncio.get_running_loop().call_later(self._half, self._keep)
        return False

    def _keep(self) -> None:
        if self in self._guests and not self.transport.is_closing():
            os.write(self._book, self._recipient + b"\n")
            asyncio.get_running_loop().call_later(self._half, self._say_so)

    def _say_so(self) -> None:
        if self in self._guests and not self.transport.is_closing():
            self.transport.write(b"250 2.0.0 Kept\r\n")
            self._waiting = False
            self._go_on()

    def _command(self) -> bool:
        line, found, rest = self._buffer.partition(_LINE)
        if not found:
            return False
        self._buffer, verb = rest, line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line[line.index(b"<") + 1 : line.index(b">")]
        self._in_body = verb == b"DATA"
        self.transport.write(_EHLO if verb == b"EHLO" else _ANSWERS.get(verb, b"250 Ok\r\n"))
        return True


async def serve(*, book: int, delay_s: float) -> None:
    loop, guests = asyncio.get_running_loop(), set[Visit]()
    server = await loop.create_server(lambda: Visit(book=book, delay_s=delay_s, guests=guests), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "reset":
        for visit in list(guests):
            visit.reset()
    server.close()


if __name__ == "__main__":
    handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(serve(book=handle, delay_s=float(sys.argv[2]) / 1000))
