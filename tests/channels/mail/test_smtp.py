"""The engine against real sockets: a scripted server that misbehaves as told, and aiosmtpd."""

from __future__ import annotations

import email
import email.message
import socket
import socketserver
import time
from collections.abc import Iterator
from email import policy
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels.base import Envelope, MailServer, Outcome, Temporary
from pipeline.channels.mail.smtp import SmtpEngine
from tests.factories.mail_server import (
    CLOSE,
    FAST,
    HOLD,
    IMPATIENT,
    LATE,
    MODES,
    STALL,
    Book,
    Rule,
    Scripted,
    Visit,
    letter,
    letters,
    once,
    submitted,
)

A, D, R, UNK, UNS = Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.UNSENT


def final(words: tuple[str, ...]) -> str:
    return "BDAT" if "CHUNKING" in words else "dot"


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("size", [60, 60_000, 900_000])
def test_every_message_arrives_byte_for_byte(words: tuple[str, ...], connections: int, size: int) -> None:
    envelopes = letters(9, size=size)
    with Scripted(words) as server:
        book = submitted(server, envelopes, connections=connections)
    assert book.outcomes == [A] * 9
    assert book.records[0].enhanced == "2.0.0"
    assert sorted(server.stored) == sorted(envelope.data for envelope in envelopes)
    assert server.reached["connect"] <= connections
    assert server.reached["QUIT"] == server.reached["EHLO"]


def test_a_server_may_answer_a_body_after_it_has_heard_of_the_next() -> None:
    # A client that waits for the 250 before its next MAIL, RCPT and DATA would wait for ever.
    with Scripted(("PIPELINING",), {"dot": lambda n: b"250 kept\r\n" + HOLD if n < 3 else None}) as server:
        assert submitted(server, letters(3)).outcomes == [A] * 3


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize(("said", "outcome"), [(b"451 4.3.0 later\r\n", D), (b"550 5.1.1 never\r\n", R)])
def test_a_refusal_keeps_its_code_and_the_connection(
    words: tuple[str, ...], stage: str, said: bytes, outcome: Outcome
) -> None:
    stage = final(words) if stage == "dot" or (stage == "DATA" and "CHUNKING" in words) else stage
    with Scripted(words, {stage: once(2, said)}) as server:
        book = submitted(server, letters(4))
    assert book.outcomes == [A, outcome, A, A]
    refused = next(receipt for receipt in book.records if receipt.key == 2)
    assert (str(refused.code).encode(), refused.enhanced) == (said[:3], said[4:9].decode())
    assert server.reached["connect"] == 1


def test_a_refusal_of_every_recipient_ends_nothing(words: tuple[str, ...]) -> None:
    with Scripted(words, {"RCPT": b"550 5.1.1 no\r\n"}) as server:
        book = submitted(server, letters(5))
    assert book.outcomes == [R] * 5
    assert book.error is None


def test_an_invitation_without_a_recipient_is_answered_by_a_lone_dot() -> None:
    with Scripted(("PIPELINING",), {"RCPT": once(2, b"550 5.1.1 no\r\n")}) as server:
        book = submitted(server, letters(3))
    assert [body for stage, body in server.heard if stage == "dot"][1] == b""
    assert book.outcomes == [A, R, A]
    assert book.dots == [1, 3]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_421_before_the_dot_leaves_the_message_unsent_and_a_new_connection_goes_on(
    words: tuple[str, ...], stage: str
) -> None:
    stage = "MAIL" if "CHUNKING" in words and stage == "DATA" else stage
    with Scripted(words, {stage: once(2, b"421 4.3.2 closing\r\n" + CLOSE)}) as server:
        book = submitted(server, letters(4))
    # By BDAT the whole message was handed over; the 421 still answers for it.
    assert book.outcomes == [A, D if "CHUNKING" in words else UNS, A, A]
    assert server.reached["connect"] == 2


def test_421_to_the_final_dot_defers(words: tuple[str, ...]) -> None:
    with Scripted(words, {final(words): once(2, b"421 4.3.2 closing\r\n" + CLOSE)}) as server:
        book = submitted(server, letters(4))
    assert book.outcomes == [A, D, UNS if words == ("PIPELINING",) else A, A]


@pytest.mark.parametrize("said", [CLOSE, b"hello\r\n" + CLOSE, b"354 odd\r\n", b"220 odd\r\n", b"250-a\r\n251 b\r\n"])
def test_a_connection_that_fails_after_the_dot_leaves_one_unknown(words: tuple[str, ...], said: bytes) -> None:
    with Scripted(words, {final(words): once(2, said)}) as server:
        book = submitted(server, letters(4))
    assert book.outcomes == [A, UNK, UNS if words == ("PIPELINING",) else A, A]
    assert server.reached["connect"] == 2


@pytest.mark.parametrize("said", [CLOSE, b"\0\r\n", b"354 odd\r\n", b"221 odd\r\n", b"250 ok\n"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_connection_that_fails_before_the_dot_leaves_one_unsent(stage: str, said: bytes) -> None:
    if (stage, said) == ("DATA", b"354 odd\r\n"):
        said = b"250 odd\r\n"
    for words in (MODES["lock step"], MODES["pipelined"]):
        with Scripted(words, {stage: once(1, said)}) as server:
            book = submitted(server, letters(3))
        assert book.outcomes == [UNS, A, A]


def test_a_connection_lost_after_250_loses_nothing_that_was_answered(words: tuple[str, ...]) -> None:
    with Scripted(words, {final(words): once(2, b"250 kept\r\n" + CLOSE)}) as server:
        book = submitted(server, letters(4))
    assert book.outcomes[:2] == [A, A]
    assert book.outcomes[3] == A


def test_a_reply_nobody_asked_for_ends_the_connection() -> None:
    with Scripted(("PIPELINING",), {"DATA": once(1, b"354 go\r\n250 extra\r\n")}) as server:
        book = submitted(server, letters(3))
    assert book.outcomes == [UNS, UNS, A]  # the second was taken to be asked about behind the first body


def test_replies_may_come_one_byte_at_a_time(words: tuple[str, ...]) -> None:
    with Scripted(words, dribble=True) as server:
        assert submitted(server, letters(3), connections=2).outcomes == [A] * 3


@pytest.mark.parametrize(("stage", "outcome"), [("MAIL", UNS), ("dot", UNK)])
def test_silence_is_given_up_in_time(stage: str, outcome: Outcome) -> None:
    with Scripted((), {stage: once(2, STALL)}) as server:
        book = submitted(server, letters(3), timeouts=IMPATIENT)
    assert book.outcomes == [A, outcome, A]
    assert "in time" in book.records[1].text


def test_half_a_reply_buys_no_time() -> None:
    drops = b"250-" + LATE.join([b"x"] * 12) + LATE + b"\r\n250 ok\r\n"
    with Scripted((), {"MAIL": once(1, drops)}) as server:
        book = submitted(server, letters(2), timeouts=IMPATIENT)
    assert book.outcomes == [UNS, A]


def test_a_server_that_stops_reading_before_the_dot_leaves_the_message_unsent() -> None:
    with Scripted(("PIPELINING",), {"DATA": b"354 go\r\n" + STALL}) as server:
        book = submitted(server, letters(1, size=30_000_000), timeouts=IMPATIENT)
    assert book.outcomes == [UNS]
    assert "stopped reading" in book.records[0].text


@pytest.mark.parametrize(("missing", "outcome"), [(0, A), (1, UNS), (3, UNS)])
def test_the_dot_has_left_when_its_last_byte_has(
    monkeypatch: pytest.MonkeyPatch, missing: int, outcome: Outcome
) -> None:
    real = socket.socket.send

    def cut_short(sock: socket.socket, group: tuple[bytes, ...]) -> int:
        whole = b"".join(group)
        end = whole.find(b"\r\n.\r\n") + 5 - missing
        return real(sock, whole[:end] if b"\r\n.\r\n" in whole else whole)

    def full(sock: socket.socket, data: bytes) -> int:
        raise BlockingIOError

    monkeypatch.setattr(socket.socket, "sendmsg", cut_short)
    monkeypatch.setattr(socket.socket, "send", full)
    with Scripted(("PIPELINING",)) as server:
        book = submitted(server, letters(2), timeouts=IMPATIENT, reconnects=0)
    assert book.outcomes == [outcome, UNS]


def test_a_refusal_before_the_end_of_a_message_is_believed_and_ends_the_connection() -> None:
    with Scripted(
        ("PIPELINING",), {"DATA": once(1, b"354 go\r\n" + LATE + b"552 5.3.4 too much\r\n" + STALL)}
    ) as server:
        book = submitted(server, letters(3, size=30_000_000))
    assert book.outcomes == [R, UNS, A]


def test_no_more_is_taken_than_two_ahead_of_each_connection(words: tuple[str, ...]) -> None:
    book = Book()
    ahead: list[int] = []
    with Scripted(words, before=lambda _: ahead.append(len(book.taken) - len(book.records))) as server:
        submitted(server, letters(40), connections=3, book=book)
    assert max(ahead) <= 6


def test_stopping_takes_nothing_more_and_waits_for_what_is_in_flight(words: tuple[str, ...]) -> None:
    book = Book()
    with Scripted(words) as server:
        submitted(server, letters(50), connections=2, book=book, stopping=lambda: len(book.records) >= 5)
    assert set(book.outcomes) == {A}
    assert 5 <= len(book.taken) <= 5 + 4


def test_stopping_is_asked_while_a_server_keeps_silent() -> None:
    started = time.monotonic()
    with Scripted((), {"connect": STALL}) as server:
        book = submitted(server, letters(3), stopping=lambda: time.monotonic() - started > 0.2)
    assert time.monotonic() - started < 5
    assert (book.taken, book.error) == ([], None)


def test_a_journal_knows_of_the_dot_before_the_server_does(words: tuple[str, ...]) -> None:
    book, seen = Book(), []
    watch = lambda stage: seen.append(len(book.dots)) if stage in ("dot", "BDAT") else None  # noqa: E731
    with Scripted(words, before=watch) as server:
        submitted(server, letters(4), book=book)
    assert all(known >= stored for stored, known in enumerate(seen, start=1))


def test_a_journal_that_fails_stops_everything_and_no_dot_leaves(words: tuple[str, ...]) -> None:
    class Full(Book):
        def dot(self, key: int) -> None:
            raise OSError("no space left")

    book = Full()
    with Scripted(words) as server, pytest.raises(OSError, match="no space"):
        submitted(server, letters(3), book=book)
    assert server.stored == []
    book.check([])
    assert set(book.outcomes) == {UNS}


def test_a_source_that_fails_is_heard_after_those_in_flight(words: tuple[str, ...]) -> None:
    class Torn(Book):
        def source(self, envelopes: list[Envelope]) -> Iterator[Envelope]:
            yield from super().source(envelopes)
            raise LookupError("the table is gone")

    book = Torn()
    with Scripted(words) as server, pytest.raises(LookupError):
        submitted(server, letters(3), book=book)
    book.check(server.stored)
    assert book.outcomes == [A] * 3


def test_a_connection_ends_after_its_share_and_another_goes_on(words: tuple[str, ...]) -> None:
    with Scripted(words) as server:
        assert submitted(server, letters(7), per_connection=3).outcomes == [A] * 7
    assert server.reached["connect"] == server.reached["QUIT"] == 3


def test_one_letter_opens_one_connection() -> None:
    with Scripted() as server:
        submitted(server, letters(1), connections=8)
    assert server.reached["connect"] == 1


@pytest.mark.parametrize("rules", [{"connect": b"554 no\r\n"}, {"connect": CLOSE}, {"connect": b"SSH-2.0\r\n"},
                                   {"EHLO": b"451 no\r\n"}, {"EHLO": b"500 no\r\n", "HELO": b"500 no\r\n"}])  # fmt: skip
def test_no_connection_is_temporary_and_takes_nothing(rules: dict[str, Rule]) -> None:
    with Scripted((), rules) as server:
        book = submitted(server, letters(3), connections=3, reconnects=1)
    assert isinstance(book.error, Temporary)
    assert (book.taken, server.reached["connect"]) == ([], 2)


def test_nobody_there_is_temporary() -> None:
    server = Scripted()
    server.server_close()
    book = submitted(server, letters(3), reconnects=1)
    assert isinstance(book.error, Temporary)
    assert book.taken == []


def test_a_server_that_goes_away_for_good_is_temporary_while_letters_remain() -> None:
    with Scripted((), {"connect": lambda n: None if n == 1 else CLOSE, "dot": once(2, CLOSE)}) as server:
        book = submitted(server, letters(5))
    assert isinstance(book.error, Temporary)
    assert book.outcomes == [A, UNK]


def test_helo_is_said_to_a_server_that_knows_no_ehlo() -> None:
    with Scripted((), {"EHLO": b"502 what?\r\n"}) as server:
        assert submitted(server, letters(2)).outcomes == [A, A]


def test_what_cannot_be_sent_is_refused_here_and_the_others_go() -> None:
    bad = [
        letter(2, recipient="a@b\r\nRCPT TO:<c@d>"),
        letter(3, recipient="\u00e9@b"),
        letter(4, data=b"x" * 2000 + b"\r\n"),
    ]
    with Scripted(("PIPELINING", "SIZE 1000")) as server:
        book = submitted(server, [letter(1), *bad, letter(5)])
    assert book.outcomes == [A, R, R, R, A]
    assert server.reached["MAIL"] == 2


def test_aiosmtpd_parses_what_was_meant() -> None:
    class Handler:
        kept: ClassVar[list[tuple[str, list[str], bytes]]] = []

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 2.0.0 kept"

    message = email.message.EmailMessage(policy=policy.SMTP)
    message["Subject"], message["To"] = "Wahlabend \u2013 live", "r1@example.org"
    message.set_content("Gr\u00fc\u00dfe\n" * 900, cte="8bit")
    envelopes = letters(6, data=message.as_bytes())
    envelopes.append(letter(7, recipient="j\u00f6rg@example.org"))
    with socketserver.TCPServer(("127.0.0.1", 0), Visit) as free:  # its controller wants to be told a port
        port = free.server_address[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        book = Book()
        engine = SmtpEngine(MailServer("127.0.0.1", port, connections=2), timeouts=FAST)
        engine.submit(book.source(envelopes), journal=book, record=book.record, stopping=lambda: False)
    finally:
        controller.stop()
    assert book.outcomes == [A] * 7
    assert sorted(Handler.kept) == sorted((e.sender, [e.recipient], e.data) for e in envelopes)
    parsed = email.message_from_bytes(Handler.kept[0][2], policy=policy.SMTP)
    assert parsed["Subject"] == message["Subject"]


ANSWERS = [None, None, CLOSE, b"250 ok\r\n", b"250 ok\r\n" + CLOSE, b"354 go\r\n", b"421 bye\r\n", b"421 bye\r\n" + CLOSE,
           b"451 later\r\n", b"550 never\r\n", b"nonsense\r\n", b"250-a\r\n550 b\r\n"]  # fmt: skip
STAGES = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "dot", "BDAT", "RSET", "QUIT"]
PLANS = st.dictionaries(st.tuples(st.sampled_from(STAGES), st.integers(1, 4)), st.sampled_from(ANSWERS), max_size=6)


@settings(max_examples=40, deadline=None)
@given(PLANS, st.sampled_from(list(MODES.values())), st.integers(1, 3), st.integers(1, 7))
def test_every_letter_gets_one_true_receipt_whatever_the_server_does(
    plan: dict[tuple[str, int], bytes | None], words: tuple[str, ...], connections: int, count: int
) -> None:
    rules: dict[str, Rule] = {stage: (lambda n, stage=stage: plan.get((stage, n))) for stage in STAGES}
    with Scripted(words, rules) as server:
        book = submitted(server, letters(count), connections=connections, timeouts=IMPATIENT)
    if book.error is None:
        assert len(book.taken) == count
