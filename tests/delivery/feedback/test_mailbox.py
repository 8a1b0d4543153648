"""The bounce mailbox over IMAP and POP3: read once, resumed where it was cut, and never changed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pipeline.audience.models import Suppression
from pipeline.delivery.feedback import mailbox
from pipeline.delivery.feedback.mailbox import Turn, read
from pipeline.delivery.models import Delivery, Feedback, Mailbox
from pipeline.kernel.config import Config, config
from tests.delivery.feedback.test_apply import accepted
from tests.factories import returned
from tests.factories.certificates import authority
from tests.factories.mailbox_server import MailboxServer

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["imap", "pop3"])
def server(request: pytest.FixtureRequest) -> Iterator[MailboxServer]:
    with MailboxServer(request.param) as running:
        yield running


def told(server: MailboxServer, **fields: str) -> Config:
    return replace(config(), bounce_mailbox=server.url(**fields))


def turn(server: MailboxServer, **fields: str) -> Turn:
    done = read(config=told(server, **fields), now=timezone.now())
    assert done is not None
    return done


def test_a_bounce_in_the_mailbox_suppresses_its_reader(server: MailboxServer) -> None:
    gone, full, other = accepted(readers=3)
    server.put(
        returned.bounce(gone), returned.bounce(full, status="5.2.2", said="552 5.2.2 full"), b"Subject: hi\n\nHello.\n"
    )
    assert turn(server) == Turn(read=3, new=3)
    assert list(Suppression.objects.values_list("reason", flat=True)) == ["bounced"]
    assert Delivery.objects.get(id=gone.id).state == Delivery.State.BOUNCED
    assert Delivery.objects.get(id=other.id).state == Delivery.State.ACCEPTED
    assert (
        sorted(Feedback.objects.values_list("kind", "delivery_id"))
        == sorted([("hard", gone.id), ("other", None), ("soft", full.id)], key=str)
        or Feedback.objects.count() == 3
    )


def test_a_complaint_whose_reader_was_struck_out_finds_them_by_the_link_they_were_given(server: MailboxServer) -> None:
    angry, calm = accepted(readers=2)
    server.put(returned.complaint(angry))
    turn(server)
    assert Delivery.objects.get(id=angry.id).state == Delivery.State.COMPLAINED
    assert Delivery.objects.get(id=calm.id).state == Delivery.State.ACCEPTED


def test_a_bounce_that_names_its_copy_by_message_id_only_finds_it(server: MailboxServer) -> None:
    gone, _ = accepted(readers=2)
    copy = returned.headers(gone, token=False)
    server.put(returned.bounce(gone, to="postmaster@dispatch.example", copy=copy))
    turn(server)
    assert Delivery.objects.get(id=gone.id).state == Delivery.State.BOUNCED


def test_a_forwarded_copy_is_the_readers_whose_return_path_it_was(server: MailboxServer) -> None:
    gone, _ = accepted(readers=2)
    server.put(returned.bounce(gone, address="the-new-place@elsewhere.example"))
    turn(server)
    assert Delivery.objects.get(id=gone.id).state == Delivery.State.BOUNCED


def test_forgeries_are_counted_and_do_nothing(server: MailboxServer) -> None:
    victim, _ = accepted(readers=2)
    path = returned.return_path(victim)
    wrong = path.replace("b+", "b+f", 1)
    server.put(returned.bounce(victim, to=wrong, copy=returned.headers(victim)))
    server.put(returned.bounce(victim, to="postmaster@dispatch.example"))
    assert turn(server).forged == 1
    assert not Suppression.objects.exists(), "a stranger who knows an address suppresses nobody"
    assert Mailbox.objects.get().said == "1 of 2 were forged"


def test_what_was_read_is_not_fetched_again(server: MailboxServer) -> None:
    copies = accepted(readers=4)
    server.put(*map(returned.bounce, copies[:2]))
    assert turn(server).read == 2
    assert turn(server).read == 0
    server.put(*map(returned.bounce, copies[2:]))
    assert turn(server) == Turn(read=2, new=2)
    assert server.fetched == [1, 2, 3, 4]


def test_a_mailbox_made_anew_is_read_again_and_nothing_happens_twice(server: MailboxServer) -> None:
    server.put(*map(returned.bounce, accepted(readers=3)))
    turn(server)
    server.validity += 1
    assert turn(server) == Turn(read=3, new=0)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_connection_cut_anywhere_is_taken_up_where_it_was(
    server: MailboxServer, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "AT_ONCE", 1)
    server.put(*map(returned.bounce, accepted(readers=3)))
    server.dies_at = at
    assert turn(server).said
    assert Mailbox.objects.get().said and Feedback.objects.count() == at - 1
    turn(server)
    assert Feedback.objects.count() == Suppression.objects.count() == 3
    assert not Mailbox.objects.get().said


def test_a_turn_is_bounded_and_the_next_goes_on(server: MailboxServer) -> None:
    server.put(*(b"Subject: %d\n\nHello.\n" % n for n in range(10)))
    sizes = [read(config=told(server), now=timezone.now(), most=4) for _ in range(4)]
    assert [one.read for one in sizes if one] == [4, 4, 2, 0]


def test_only_one_reads_at_a_time(server: MailboxServer) -> None:
    turn(server)
    Mailbox.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
    assert read(config=told(server), now=timezone.now()) is None
    Mailbox.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert read(config=told(server), now=timezone.now()) is not None
    assert Mailbox.objects.get().leased_until is None


def test_a_wrong_password_is_said_and_never_shown(server: MailboxServer) -> None:
    said = turn(server, password="not-this-one").said
    assert "bounces@dispatch.example" in said and "not-this-one" not in said
    assert "not-this-one" not in Mailbox.objects.get().name


def test_nobody_home_is_said_and_asked_again() -> None:
    with MailboxServer() as server:
        pass
    assert "127.0.0.1" in turn(server).said


def test_without_a_mailbox_there_is_nothing_to_read() -> None:
    assert read(config=config(), now=timezone.now()) is None and not Mailbox.objects.exists()


def test_a_line_too_long_for_the_protocol_is_passed_over_and_blocks_nothing(server: MailboxServer) -> None:
    [gone] = accepted()
    server.put(b"Subject: long\n\n" + b"x" * 300_000 + b"\n", returned.bounce(gone))
    turn(server)
    turn(server)
    assert Delivery.objects.get(id=gone.id).state == Delivery.State.BOUNCED


def test_a_mail_too_large_is_read_as_far_as_it_matters(server: MailboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    [gone] = accepted()
    server.put(returned.bounce(gone) + b"more and more\n" * 200_000)
    turn(server)
    assert Delivery.objects.get(id=gone.id).state == Delivery.State.BOUNCED


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_over_tls_the_servers_certificate_is_checked(
    protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = authority(tmp_path, name="127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.chain)
    with MailboxServer(protocol, tls=tls) as server:
        server.put(b"Subject: hi\n\nHello.\n")
        assert "certificate" in turn(server, scheme=f"{protocol}s").said.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(made.root))
        assert turn(server, scheme=f"{protocol}s").read == 1
