"""A real mail server takes our mails, their signatures hold on what arrived, and what it returns reaches the right reader."""

from __future__ import annotations

import contextlib
import smtplib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.utils import timezone

from pipeline.audience.models import Subscription, Suppression
from pipeline.audience.subscribe import hash_of
from pipeline.delivery.batches import batch
from pipeline.delivery.feedback import mailbox
from pipeline.delivery.models import Batch, Delivery, Feedback, Send
from pipeline.kernel.config import Config, config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.mailbox_server import MailboxServer
from tests.journeys import postfix

MISSING = postfix.missing()
pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db,
    pytest.mark.skipif(MISSING is not None, reason=MISSING or ""),
]
KNOWN = 5
GONE = f"gone@{postfix.READERS}"
RSA, EDWARDS = rsa.generate_private_key(public_exponent=65537, key_size=2048), ed25519.Ed25519PrivateKey.generate()
KEYS = "".join(
    key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for key in (RSA, EDWARDS)
)


@pytest.fixture(scope="module")
def server() -> Iterator[postfix.Postfix]:
    with postfix.running() as started:
        yield started


@pytest.fixture
def here(tmp_path: Path) -> Config:
    return replace(
        config(), data_dir=tmp_path, bounce_domain=postfix.RETURNED, dkim_key=KEYS, dkim_selector="s2048 sed"
    )


@pytest.fixture
def going() -> Send:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    addresses = [f"reader{n}@{postfix.READERS}" for n in range(KNOWN)]
    for address in [*addresses[:2], GONE, *addresses[2:]]:
        audience.subscriber(address=address, follows=newsletter.topic)
    return deliveries.send(edition=editions.composed(newsletter=newsletter), now=timezone.now() - timedelta(seconds=1))


def submitted(here: Config, *, port: int) -> None:
    config = replace(here, smtp_url=f"smtp://127.0.0.1:{port}")
    batch.submit(batch_id=Batch.objects.get().id, config=config, now=timezone.now())


def record(name: bytes, timeout: int = 5) -> bytes | None:
    """What DNS would say of our keys."""
    if name.startswith(b"s2048."):
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return b"v=DKIM1; k=rsa; p=" + b64encode(RSA.public_key().public_bytes(serialization.Encoding.DER, form))
    raw = EDWARDS.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + b64encode(raw)


def state_of(address: str) -> str:
    return Delivery.objects.values_list("state", flat=True).get(address=address)


def suppressed() -> set[bytes]:
    return {bytes(row) for row in Suppression.objects.values_list("address_hash", flat=True)}


def test_it_takes_the_mails_the_signatures_hold_and_what_it_returns_suppresses_the_right_reader(
    server: postfix.Postfix, going: Send, here: Config
) -> None:
    submitted(here, port=server.lenient)
    going.refresh_from_db()
    assert going.state == Send.State.SUBMITTED
    assert set(Delivery.objects.values_list("state", "smtp_code")) == {("accepted", 250)}

    arrived = server.wait_for("readers", KNOWN)
    assert sorted(message_from_bytes(mail, policy=policy.default)["To"] for mail in arrived) == sorted(
        Delivery.objects.exclude(address=GONE).values_list("address", flat=True)
    )
    for mail in arrived:
        assert mail.lower().count(b"\r\ndkim-signature:") == 2
        verifier = dkim.DKIM(mail)
        assert verifier.verify(idx=0, dnsfunc=record)
        assert verifier.verify(idx=1, dnsfunc=record)
        assert not dkim.verify(mail.replace(b"Subject: ", b"Subject: x", 1), dnsfunc=record)

    (returned,) = server.wait_for("bounces", 1)
    assert b"Content-Type: multipart/report" in returned
    assert suppressed() == set()
    with MailboxServer("imap") as box:
        box.put(returned)
        turn = mailbox.read(config=replace(here, bounce_mailbox=box.url()), now=timezone.now())
    assert turn is not None
    assert (turn.read, turn.new, turn.forged) == (1, 1, 0)
    told = Feedback.objects.get()
    assert (told.kind, told.reason, told.status, told.way) == ("hard", "no-mailbox", "5.1.1", "mailbox")
    assert suppressed() == {hash_of(GONE)}
    assert state_of(GONE) == "bounced"
    assert Delivery.objects.filter(state="accepted").count() == KNOWN
    assert Subscription.objects.exclude(subscriber__address=GONE).filter(left_at=None).count() == KNOWN


def test_it_turns_away_an_unknown_reader_at_once_and_nobody_else(
    server: postfix.Postfix, going: Send, here: Config
) -> None:
    before = len(server.box("readers"))
    submitted(here, port=server.strict)
    assert state_of(GONE) == "refused"
    assert Delivery.objects.get(address=GONE).smtp_code == 550
    server.wait_for("readers", before + KNOWN)
    assert suppressed() == {hash_of(GONE)}
    assert Send.objects.get().state == Send.State.SUBMITTED


def test_a_mail_it_was_told_to_return_to_a_forged_path_suppresses_nobody(
    server: postfix.Postfix, going: Send, here: Config
) -> None:
    """A stranger lets a real server return a mail to an address that looks like one of ours."""
    before = len(server.box("bounces"))
    forged = f"b+{going.origin_id:x}.1.000000000000@{postfix.RETURNED}"
    with contextlib.closing(smtplib.SMTP("127.0.0.1", server.lenient, timeout=10)) as stranger:
        stranger.sendmail(forged, [GONE], b"Subject: x\r\n\r\nx\r\n")
    returned = server.wait_for("bounces", before + 1)[-1]
    with MailboxServer("imap") as box:
        box.put(returned)
        turn = mailbox.read(config=replace(here, bounce_mailbox=box.url()), now=timezone.now())
    assert turn is not None
    assert turn.forged == 1
    assert suppressed() == set()
