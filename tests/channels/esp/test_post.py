"""Five providers on loopback: what they receive, and what is known when they fail."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from pipeline.channels.base import Envelope, Outcome, Permanent, RateLimited, Receipt, Temporary
from pipeline.channels.esp import providers
from pipeline.channels.esp.post import EspChannel
from tests.factories.provider_server import (
    DROP_AFTER,
    DROP_BEFORE,
    NONSENSE,
    PATHS,
    SETTINGS,
    STALL_AFTER,
    ProviderServer,
)

NAMES = sorted(SETTINGS)
#: The providers that answer with a number of theirs; SendGrid's is asked for by anymail and told in its events.
NUMBERED = [name for name in NAMES if name != "sendgrid"]


def letter(key: int) -> Envelope:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Dépêche <brief@dispatch.example>"
    mail["To"] = f"reader-{key}@quay.example"
    mail["Subject"] = "Élections: the count"
    mail["Message-ID"] = f"<{key:030x}@dispatch.example>"
    mail["Date"] = "Mon, 16 Nov 2026 06:30:04 +0000"
    mail["List-Unsubscribe"] = f"<https://news.example/u/{key}>, <mailto:leave@bounce.example>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["List-ID"] = "Morning Brief <morning-brief.dispatch.example>"
    mail.set_content(f"Good morning, reader {key}. Überblick.\n")
    mail.add_alternative(f"<p>Good morning, reader <b>{key}</b>. Überblick.</p>\n", subtype="html")
    return Envelope(
        key=key, sender=f"b+1.{key:x}.0@bounce.example", recipient=f"reader-{key}@quay.example", data=bytes(mail)
    )


def wide(envelope: Envelope) -> Envelope:
    """To the same reader under a name outside ASCII."""
    number, named = f"reader-{envelope.key}@", f"jürgen-{envelope.key}@"
    data = envelope.data.replace(b"To: " + number.encode(), b"To: " + named.encode())
    return replace(envelope, recipient=envelope.recipient.replace(number, named), data=data)


class Book:
    """The caller's side: who was announced, who was answered, in which order."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.told: list[tuple[str, int]] = []
        self.receipts: dict[int, Receipt] = {}
        self.taken: list[int] = []
        self.stop_after = stop_after
        self.wide: frozenset[int] = frozenset()
        self.error: Exception | None = None

    def dot(self, key: int) -> None:
        self.told.append(("dot", key))

    def answer(self, receipt: Receipt) -> None:
        assert ("dot", receipt.key) in self.told or receipt.enhanced == "5.6.7", "asked, or known without asking"
        self.told.append(("answer", receipt.key))

    def record(self, receipt: Receipt) -> None:
        assert self.told[-1] == ("answer", receipt.key) and receipt.key not in self.receipts
        self.receipts[receipt.key] = receipt

    def source(self, count: int) -> Iterator[Envelope]:
        for key in range(1, count + 1):
            self.taken.append(key)
            yield wide(letter(key)) if key in self.wide else letter(key)

    def submit(self, server: ProviderServer, count: int, **settings: str) -> Book:
        channel = EspChannel(server.name, server.settings | settings)
        try:
            channel.submit(
                self.source(count),
                journal=self,
                record=self.record,
                stopping=lambda: len(self.taken) >= self.stop_after,
            )
        except (Temporary, Permanent) as error:
            self.error = error
        assert sorted(self.receipts) == sorted(self.taken)
        return self

    def outcomes(self) -> Counter[Outcome]:
        return Counter(receipt.outcome for receipt in self.receipts.values())


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "ANSWER_S", 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_each_provider_receives_our_message_whole(name: str) -> None:
    with ProviderServer(name) as server:
        book = Book().submit(server, 20)
    assert book.error is None and book.outcomes() == {Outcome.ACCEPTED: 20}
    assert server.paths == {PATHS[name]}
    assert sorted(int(mail["delivery"]) for mail in server.stored) == list(range(1, 21))
    mail = next(mail for mail in server.stored if mail["delivery"] == "7")
    assert mail["to"].endswith("reader-7@quay.example")
    assert mail["subject"] == "Élections: the count"
    assert mail["text"].strip() == "Good morning, reader 7. Überblick."
    assert mail["html"].strip() == "<p>Good morning, reader <b>7</b>. Überblick.</p>"
    assert mail["headers"]["message-id"] == f"<{7:030x}@dispatch.example>"
    assert mail["headers"]["list-unsubscribe"].startswith("<https://news.example/u/7>,")
    assert mail["headers"]["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["headers"]["list-id"] == "Morning Brief <morning-brief.dispatch.example>"


@pytest.mark.parametrize("name", NAMES)
def test_an_address_outside_ascii_is_carried_where_the_provider_says_so_and_else_refused_for_that_reader_alone(
    name: str,
) -> None:
    book = Book()
    book.wide = frozenset({2, 4})
    with ProviderServer(name) as server:
        book.submit(server, 4, window="1")
    carried = {int(mail["delivery"]) for mail in server.stored}
    assert book.error is None
    if name == "mailgun":
        assert carried == {1, 2, 3, 4} and any("jürgen-2@quay.example" in mail["to"] for mail in server.stored)
        return
    assert carried == {1, 3} and server.requests == 2
    why = f"this way out ({name}) cannot carry an address outside ASCII"
    for key in (2, 4):
        assert book.receipts[key] == Receipt(key, Outcome.REFUSED, 0, "5.6.7", why)


@pytest.mark.parametrize("name", NUMBERED)
def test_a_receipt_carries_the_providers_own_number(name: str) -> None:
    with ProviderServer(name) as server:
        book = Book().submit(server, 3)
    assert {key: receipt.remote_id for key, receipt in book.receipts.items()} == {n: f"{name}-{n}" for n in (1, 2, 3)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ends", [DROP_AFTER, DROP_BEFORE, STALL_AFTER, 500, 502, 504])
def test_what_was_cut_before_its_answer_is_unknown_and_nothing_is_repeated(
    name: str, ends: int | str, hurried: None
) -> None:
    with ProviderServer(name, lambda n: ends if n == 3 else None) as server:
        book = Book().submit(server, 50, window="1")
    placed = Counter(int(mail["delivery"]) for mail in server.stored)
    assert set(placed.values()) <= {1}, "a request was repeated"
    assert type(book.error) is Temporary
    assert book.outcomes()[Outcome.UNKNOWN] == 1, "one message is in doubt, for one request was cut"
    assert len(book.taken) == 3, "nobody is taken after that answer"
    for key, receipt in book.receipts.items():
        assert receipt.outcome is not Outcome.ACCEPTED or key in placed
        assert receipt.outcome is not Outcome.UNSENT or key not in placed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (429, RateLimited, Outcome.UNSENT),
        (503, Temporary, Outcome.UNSENT),
        (401, Permanent, Outcome.UNSENT),
        (403, Permanent, Outcome.UNSENT),
    ],
)
def test_a_refusal_of_us_leaves_everybody_unsent(
    name: str, status: int, error: type[Exception], outcome: Outcome
) -> None:
    with ProviderServer(name, lambda _n: status) as server:
        book = Book().submit(server, 50, window="2")
    assert type(book.error) is error
    assert set(book.outcomes()) == {outcome} and len(book.taken) <= 4
    assert not server.stored
    if isinstance(book.error, RateLimited) and name != "ses":
        assert book.error.retry_after_s == 7


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_of_one_message_is_its_own(name: str) -> None:
    with ProviderServer(name, lambda n: 400 if n == 2 else None) as server:
        book = Book().submit(server, 6, window="1")
    assert book.error is None
    assert book.receipts[2].outcome is Outcome.REFUSED and book.receipts[2].text
    assert book.outcomes() == {Outcome.REFUSED: 1, Outcome.ACCEPTED: 5}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sendgrid"])
def test_a_success_that_cannot_be_read_is_in_doubt(name: str) -> None:
    with ProviderServer(name, lambda _n: NONSENSE) as server:
        book = Book().submit(server, 5, window="1")
    assert book.receipts[1].outcome is Outcome.UNKNOWN and len(server.stored) == 1


@pytest.mark.parametrize("name", NAMES)
def test_where_nobody_listens_nothing_was_sent(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = ProviderServer(name)
        server.server_close()
        book = Book()
        channel = EspChannel(name, server.settings | {"api_url": f"http://127.0.0.1:{taken.getsockname()[1]}"})
        with pytest.raises(Temporary):
            channel.submit(book.source(5), journal=book, record=book.record, stopping=lambda: False)
    assert set(book.outcomes()) == {Outcome.UNSENT}


def test_a_pause_takes_nobody_more() -> None:
    with ProviderServer("postmark") as server:
        book = Book(stop_after=5).submit(server, 500, window="4")
    assert len(book.taken) == 5 and book.outcomes() == {Outcome.ACCEPTED: 5}


def test_a_limit_a_second_is_kept() -> None:
    with ProviderServer("brevo") as server:
        Book().submit(server, 12, per_second="20")
    times = sorted(mail["at"] for mail in server.stored)
    assert times[-1] - times[0] >= 0.5


@pytest.mark.parametrize(("name", "settings"), [("pigeon", {}), ("mailgun", {"api_key": "k"}), ("ses", {})])
def test_a_transport_that_lacks_something_says_what(name: str, settings: dict[str, str]) -> None:
    with pytest.raises(Permanent, match=r"needs|no provider"):
        EspChannel(name, settings)


def test_a_callers_error_loses_no_answer() -> None:
    class Broken(Exception):
        pass

    book = Book()

    def record(receipt: Receipt) -> None:
        raise Broken

    with ProviderServer("mailgun") as server, pytest.raises(Broken):
        EspChannel("mailgun", server.settings | {"window": "4"}).submit(
            book.source(20), journal=book, record=record, stopping=lambda: False
        )
    announced = {key for told, key in book.told if told == "dot"}
    assert (
        announced == {key for told, key in book.told if told == "answer"} == {int(m["delivery"]) for m in server.stored}
    )
