"""A mail server that does as it is told, and a book of what an engine told it and us."""

from __future__ import annotations

import contextlib
import datetime
import socketserver
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.channels.base import Envelope, MailServer, Outcome, Permanent, Receipt, Temporary
from pipeline.channels.mail.smtp import SmtpEngine, Timeouts

FAST = Timeouts(connect=2, command=2, block=2, dot=2, quit=0.3, pause=0.01)
IMPATIENT = Timeouts(connect=0.3, command=0.3, block=0.3, dot=0.3, quit=0.1, pause=0.01)
DAY = datetime.timedelta(days=1)
MODES = {"lock step": (), "pipelined": ("PIPELINING",), "chunked": ("PIPELINING", "CHUNKING")}


class HungUpError(Exception):
    pass


USUAL = {"connect": b"220 hi", "HELO": b"250 hi", "STARTTLS": b"220 go", "AUTH": b"235 in", "MAIL": b"250 ok",
         "RCPT": b"250 ok", "DATA": b"354 go", "RSET": b"250 ok", "QUIT": b"221 bye"}  # fmt: skip

LATE = b"<late>"  #: within an answer: wait a little
CLOSE, STALL, HOLD = (
    b"<close>",
    b"<stall>",
    b"<hold>",
)  #: at its end: hang up, fall silent, wait for the next 354
Rule = bytes | Callable[[int], bytes | None]


class Scripted(socketserver.ThreadingTCPServer):
    """A small SMTP server. `rules` give the answer for a stage, as bytes or by how often it was reached (from 1).

    `stored` are the bodies it took responsibility for, whether or not it said so.
    """

    def __init__(
        self, words: tuple[str, ...] = ("PIPELINING",), rules: dict[str, Rule] | None = None, **more: Any
    ) -> None:
        super().__init__(more.get("at", ("127.0.0.1", 0)), Visit)
        self.words, self.rules, self.port = ("8BITMIME", *words), rules or {}, self.server_address[1]
        self.tls: ssl.SSLContext | None = more.get("tls")
        self.wrapped, self.dribble = more.get("wrapped", False), more.get("dribble", False)
        self.before: Callable[[str], None] = more.get("before", lambda _: None)
        self.stored: list[bytes] = []
        self.heard: list[tuple[str, bytes]] = []
        self.reached: Counter[str] = Counter()
        self.open_now = 0
        self.over = threading.Event()

    def __enter__(self) -> Scripted:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


class Visit(socketserver.StreamRequestHandler):
    """One connection to a Scripted server."""

    server: Scripted
    timeout = 10
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.begun = self.valid = self.holding = False
        self.held = b""
        self.server.open_now += 1
        with contextlib.suppress(OSError, HungUpError):
            if self.server.wrapped:
                self.secure()
            self.answer("connect", b"")
            while line := self.rfile.readline():
                self.command(line)

    def command(self, line: bytes) -> None:
        word = line[:4].decode()  # credentials are lines of base64, where capitals count
        stage = (word.upper() if word.upper() in (*USUAL, "EHLO", "STAR", "BDAT") else word).replace("STAR", "STARTTLS")
        if stage == "BDAT":
            self.keep(stage, self.rfile.read(int(line.split()[1])))
            return
        if stage == "MAIL" and self.begun:
            self.say(stage, b"503 5.5.1 nested MAIL\r\n")
            return
        said = self.answer(stage, line)
        if stage == "STARTTLS" and said.startswith(b"220"):
            self.secure()
        elif stage == "RSET":
            self.begun = False
        elif stage in ("MAIL", "RCPT"):
            self.begun = self.begun or said.startswith(b"250")
            self.valid = said.startswith(b"250") and (stage == "MAIL" or self.valid)
        elif stage == "DATA" and said.startswith(b"354"):
            body = [b""]
            while (body[-1]) != b".\r\n":
                body.append(self.rfile.readline())
                if not body[-1]:
                    raise HungUpError
            self.keep("dot", b"".join(body[:-1]))

    def answer(self, stage: str, line: bytes) -> bytes:
        usual = USUAL.get(stage, b"500 what?") + b"\r\n"
        if stage == "EHLO":
            usual = b"".join(b"250-%s\r\n" % word.encode() for word in ("host", *self.server.words)) + b"250 HELP\r\n"
        return self.say(stage, self.ruled(stage, line) or usual)

    def keep(self, stage: str, body: bytes) -> None:
        """The server stores before it answers, as a real one does."""
        said = self.ruled(stage, body) or (b"250 2.0.0 kept\r\n" if self.valid else b"554 5.5.1 for whom?\r\n")
        if self.valid and said.startswith((b"250", CLOSE, STALL)):
            self.server.stored.append(body)
        # RFC 5321 4.1.1.4: a final dot ends the transaction whatever its answer; RFC 3030 2: a failed BDAT does not.
        self.begun, self.valid = stage == "BDAT" and not said.startswith(b"250"), False
        self.say(stage, said)

    def ruled(self, stage: str, line: bytes) -> bytes | None:
        self.server.before(stage)
        self.server.heard.append((stage, line))
        self.server.reached[stage] += 1
        rule = self.server.rules.get(stage)
        return rule(self.server.reached[stage]) if callable(rule) else rule

    def say(self, stage: str, said: bytes) -> bytes:
        self.holding = said.endswith(HOLD) or (self.holding and stage != "DATA")
        self.held += said.removesuffix(CLOSE).removesuffix(STALL).removesuffix(HOLD)
        if not self.holding:
            for part in self.held.split(LATE):
                for piece in (part[i : i + 1] for i in range(len(part))) if self.server.dribble else (part,):
                    self.wfile.write(piece)
                time.sleep(0.1 if LATE in self.held else 0)
            self.held = b""
        if said.endswith(STALL):
            self.server.over.wait(10)
        if said.endswith((CLOSE, STALL)):
            raise HungUpError
        return said

    def secure(self) -> None:
        assert self.server.tls is not None
        self.request = self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def finish(self) -> None:
        self.server.open_now -= 1
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()


@dataclass
class Book:
    """A journal, the receipts and what was taken, with the rules every submission must keep."""

    taken: list[int] = field(default_factory=list)
    dots: list[int] = field(default_factory=list)
    answers: list[Receipt] = field(default_factory=list)
    records: list[Receipt] = field(default_factory=list)
    error: Exception | None = None

    def dot(self, key: int) -> None:
        self.dots.append(key)

    def answer(self, receipt: Receipt) -> None:
        assert receipt.outcome not in (Outcome.ACCEPTED, Outcome.UNKNOWN) or receipt.key in self.dots
        self.answers.append(receipt)

    def record(self, receipt: Receipt) -> None:
        self.records.append(receipt)
        assert self.answers == self.records

    def source(self, envelopes: list[Envelope]) -> Iterator[Envelope]:
        for envelope in envelopes:
            self.taken.append(envelope.key)
            yield envelope

    @property
    def outcomes(self) -> list[Outcome]:
        """By key."""
        return [receipt.outcome for receipt in sorted(self.records, key=lambda receipt: receipt.key)]

    def check(self, stored: list[bytes]) -> None:
        """Exactly one receipt each, and none that contradicts what the server did."""
        assert sorted(receipt.key for receipt in self.records) == sorted(self.taken)
        assert len(set(self.dots)) == len(self.dots)
        kept = Counter(int(body.split()[1]) for body in stored)
        assert set(kept.values()) <= {1}
        for receipt in self.records:
            if receipt.outcome is not Outcome.UNKNOWN:
                assert (receipt.key in kept) is (receipt.outcome is Outcome.ACCEPTED), receipt


def letter(key: int, *, size: int = 60, **fields: Any) -> Envelope:
    data = b"Key: %d of many\r\n\r\n" % key + b"News of the day, \r\n" * max(1, size // 19)
    return Envelope(
        **{"key": key, "sender": "news@example.com", "recipient": f"r{key}@example.org", "data": data} | fields
    )


def letters(count: int, **fields: Any) -> list[Envelope]:
    return [letter(key, **fields) for key in range(1, count + 1)]


def submitted(
    server: Scripted,
    envelopes: list[Envelope],
    *,
    connections: int = 1,
    stopping: Callable[[], bool] = lambda: False,
    book: Book | None = None,
    timeouts: Timeouts = FAST,
    to: dict[str, Any] | None = None,
    **options: Any,
) -> Book:
    book = book or Book()
    whom = MailServer("127.0.0.1", server.port, connections=connections, **(to or {}))
    engine = SmtpEngine(whom, timeouts=timeouts, reconnects=options.pop("reconnects", 3), **options)
    try:
        engine.submit(book.source(envelopes), journal=book, record=book.record, stopping=stopping)
    except (Temporary, Permanent) as error:
        book.error = error
    book.check(server.stored)
    return book


def once(n: int, said: bytes) -> Callable[[int], bytes | None]:
    return lambda count: said if count == n else None
