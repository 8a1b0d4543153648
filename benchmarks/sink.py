"""A fast SMTP sink in its own process: it answers, counts and forgets. Never deliver to it what matters.

    python -m benchmarks.sink --port 0 [--chunking] [--delay-ms 30] [--lock-step] [--tls pair.pem]

prints the port it listens on (loopback) and serves until its parent closes standard input or ends it. It looks for
CRLF.CRLF by one `find` per read, or skips the octets BDAT announced; it parses nothing else of a message.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ssl
import sys
from typing import cast

_END = b"\r\n.\r\n"
_ANSWERS = {
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 Go on\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"HELO": b"250 sink\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
_TAKEN = b"250 2.0.0 Ok: taken\r\n"


def greeting(*, chunking: bool, lock_step: bool) -> bytes:
    words = ["sink", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 52428800"]
    words += [] if lock_step else ["PIPELINING"]
    words += ["CHUNKING"] if chunking else []
    return b"".join(f"250{'-' if word != words[-1] else ' '}{word}\r\n".encode() for word in words)


class Sink(asyncio.Protocol):
    """One connection. Replies to what one read brought leave in one write, `delay_s` later."""

    def __init__(self, *, ehlo: bytes, delay_s: float) -> None:
        self._ehlo = ehlo
        self._delay_s = delay_s
        self._buffer = b""
        self._in_data = False
        self._to_skip = 0
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it
        self._out.append(b"220 sink ESMTP\r\n")
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while self._buffer and self._step():
            pass
        self._flush()

    def _step(self) -> bool:
        """Consume what can be; False where more must come first."""
        if self._to_skip:
            return self._skip()
        return self._body() if self._in_data else self._command()

    def _skip(self) -> bool:
        taken = min(self._to_skip, len(self._buffer))
        self._to_skip -= taken
        self._buffer = self._buffer[taken:]
        if not self._to_skip:
            self._out.append(_TAKEN)
        return True

    def _body(self) -> bool:
        """Bodies are kept to their last four octets: the mark may come in two reads."""
        end = self._buffer.find(_END)
        if end < 0:
            self._buffer = self._buffer[-4:]
            return False
        self._buffer = self._buffer[end + len(_END) :]
        self._in_data = False
        self._out.append(_TAKEN)
        return True

    def _command(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = rest
        verb = line[:4].upper()
        if verb == b"BDAT":
            self._to_skip = int(line.split()[1])
            if not self._to_skip:
                self._out.append(_TAKEN)
        elif verb == b"EHLO":
            self._out.append(self._ehlo)
        else:
            self._out.append(_ANSWERS.get(verb, b"500 5.5.2 What?\r\n"))
            self._in_data = verb == b"DATA"
            if self._in_data:
                self._buffer = b"\r\n" + self._buffer  # an empty body is a lone dot
        return True

    def _flush(self) -> None:
        if not self._out:
            return
        answer = b"".join(self._out)
        self._out.clear()
        if self._delay_s:
            self._loop.call_later(self._delay_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(answer)
        if answer.endswith(_ANSWERS[b"QUIT"]):
            self._transport.close()


async def serve(*, port: int, chunking: bool, delay_ms: float, lock_step: bool, tls: str) -> None:
    loop = asyncio.get_running_loop()
    ehlo = greeting(chunking=chunking, lock_step=lock_step)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
    server = await loop.create_server(lambda: Sink(ehlo=ehlo, delay_s=delay_ms / 1000), "127.0.0.1", port, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)  # ends with the parent that holds the other end
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="a fast SMTP sink for benchmarks")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunking", action="store_true")
    parser.add_argument("--lock-step", action="store_true", help="announce neither PIPELINING nor CHUNKING")
    parser.add_argument("--tls", default="", help="a certificate and its key in one file: TLS from the first octet")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="what each answer waits")
    asked = parser.parse_args()
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(
            serve(
                port=asked.port,
                chunking=asked.chunking and not asked.lock_step,
                delay_ms=asked.delay_ms,
                lock_step=asked.lock_step,
                tls=asked.tls,
            )
        )


if __name__ == "__main__":
    main()
