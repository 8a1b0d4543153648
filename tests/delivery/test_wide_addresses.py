"""Readers whose addresses are written outside ASCII (RFC 6530): mailed where the way out carries them, told where not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pipeline.audience.models import Suppression
from pipeline.channels.base import MailServer
from pipeline.channels.esp.post import EspChannel
from pipeline.channels.mail.smtp import SmtpEngine
from pipeline.delivery.batches import batch
from pipeline.delivery.letters import relay
from pipeline.delivery.models import Batch, Delivery, Feedback
from pipeline.kernel.config import config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.mail_server import FAST, Scripted
from tests.factories.provider_server import ProviderServer

pytestmark = pytest.mark.django_db
READERS = ("cleo@example.org", "jürgen@bücher.example", "用户@example.org", "dan@bücher.example")
WIDE = {"jürgen@bücher.example", "用户@example.org"}


def due() -> int:
    """An edition for all of them; its batch."""
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    for address in READERS:
        audience.subscriber(address=address, follows=newsletter.topic)
    deliveries.send(edition=editions.composed(newsletter=newsletter), now=timezone.now() - timedelta(seconds=1))
    return int(Batch.objects.get().id)


@contextmanager
def mailed(tmp_path: Path, *, offers: tuple[str, ...]) -> Iterator[tuple[Scripted, MailServer]]:
    """The edition handed to a server that announces `offers`."""
    batch_id = due()
    with Scripted(words=("PIPELINING", *offers)) as server:
        at = MailServer("127.0.0.1", server.port, connections=1)
        here = replace(config(), data_dir=tmp_path)
        engine = SmtpEngine(at, timeouts=FAST)
        batch.submit(batch_id=batch_id, config=here, now=timezone.now(), channel=engine)
        yield server, at


def said(server: Scripted, stage: str) -> list[str]:
    return [line.decode().strip() for at, line in server.heard if at == stage]


def test_where_the_server_carries_them_they_are_mailed_in_their_own_letters(tmp_path: Path) -> None:
    with mailed(tmp_path, offers=("SMTPUTF8",)) as (server, _):
        assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}
        rcpt = said(server, "RCPT")
        assert rcpt == [
            "RCPT TO:<cleo@example.org>", "RCPT TO:<jürgen@xn--bcher-kva.example>", "RCPT TO:<用户@example.org>",
            "RCPT TO:<dan@xn--bcher-kva.example>",
        ]  # fmt: skip
        assert [" SMTPUTF8" in line and " BODY=8BITMIME" in line for line in said(server, "MAIL")] == [
            False, True, True, False,
        ]  # fmt: skip
        heads = [body.partition(b"\r\n\r\n")[0].decode() for body in server.stored]
        assert "\r\nTo: jürgen@xn--bcher-kva.example\r\n" in heads[1]
        assert [head.isascii() for head in heads] == [True, False, False, True]


def test_where_it_does_not_only_they_are_refused_and_the_row_says_why(tmp_path: Path) -> None:
    with mailed(tmp_path, offers=()) as (server, _):
        states = dict(Delivery.objects.values_list("address", "state"))
        assert states == {address: "refused" if address in WIDE else "accepted" for address in READERS}
        assert len(server.stored) == 2
    why = set(Delivery.objects.filter(address__in=WIDE).values_list("reason", flat=True))
    assert why == {"5.6.7 the server takes no address outside ASCII (no SMTPUTF8)"}
    assert (Batch.objects.get().state, Suppression.objects.count(), Feedback.objects.count()) == ("done", 0, 0)


@pytest.mark.parametrize(("provider", "carried"), [("mailgun", True), ("ses", False)])
def test_a_providers_api_carries_them_or_only_they_are_refused(tmp_path: Path, provider: str, *, carried: bool) -> None:
    batch_id = due()
    with ProviderServer(provider) as server:
        channel = EspChannel(provider, server.settings)
        here = replace(config(), data_dir=tmp_path)
        batch.submit(batch_id=batch_id, config=here, now=timezone.now(), channel=channel)
    states = dict(Delivery.objects.values_list("address", "state"))
    assert states == {whom: "accepted" if carried or whom not in WIDE else "refused" for whom in READERS}
    assert {mail["to"].rpartition("@")[0] for mail in server.stored} == (
        {"cleo", "dan", "jürgen", "用户"} if carried else {"cleo", "dan"}
    )
    if not carried:
        why = set(Delivery.objects.filter(address__in=WIDE).values_list("reason", flat=True))
        assert why == {"5.6.7 this way out (ses) cannot carry an address outside ASCII"}
    assert (Batch.objects.get().state, Suppression.objects.count(), Feedback.objects.count()) == ("done", 0, 0)


@pytest.mark.parametrize(("offers", "taken"), [(("SMTPUTF8",), True), ((), False)])
def test_a_single_letter_goes_the_same_way(offers: tuple[str, ...], taken: bool) -> None:
    with Scripted(words=offers) as server:
        at = MailServer("127.0.0.1", server.port)
        letters = [
            ("d@example.org", whom, f"To: {whom}\r\n\r\nhi\r\n".encode())
            for whom in ("jürgen@b.example", "a@b.example")
        ]
        assert relay.hand_over(at, sender="d@example.org", recipient="jürgen@b.example", message=letters[0][2]) is taken
        assert relay.hand_over_all(at, letters) == 1 + taken
        assert any("jürgen" in line for line in said(server, "RCPT")) is taken
