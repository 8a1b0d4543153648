"""Which way mail goes out: the first that works, never two for one doubt, and back when the first is well."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Permanent, RateLimited, Temporary
from pipeline.delivery import transports
from pipeline.delivery.batches import batch
from pipeline.delivery.message.mail import NoMailServer
from pipeline.delivery.models import Batch, Delivery, Send, Transport
from pipeline.delivery.transports import FAILS_FOR, RELAY, Exit, chosen
from pipeline.kernel.config import Config, config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.mail_server import Scripted
from tests.factories.provider_server import DROP_AFTER, ProviderServer

NOW = datetime(2026, 11, 16, 6, 30, tzinfo=UTC)
LONG = NOW - FAILS_FOR
LATELY = NOW - FAILS_FOR + timedelta(seconds=1)


def rule(*exits: Exit, began_on: str | None = None, in_doubt: bool = False, asked: str = "") -> str | None:
    return chosen(exits, began_on=began_on, in_doubt=in_doubt, asked=asked, now=NOW)


@pytest.mark.parametrize(
    ("ways", "told", "way"),
    [
        ([Exit("b", 2), Exit("a", 1)], {}, "a"),
        ([Exit("a", 1, LONG), Exit("b", 2)], {}, "b"),
        ([Exit("a", 1, LATELY), Exit("b", 2)], {}, "a"),
        ([Exit("a", 1, LONG), Exit("b", 2, LONG)], {}, "a"),
        ([Exit("a", 1), Exit("b", 2)], {"began_on": "b"}, "b"),
        ([Exit("a", 1), Exit("b", 2, LONG)], {"began_on": "b"}, "a"),
        ([Exit("a", 1), Exit("b", 2, LONG)], {"began_on": "b", "in_doubt": True}, "b"),
        ([Exit("a", 1)], {"began_on": "b", "in_doubt": True}, None),
        ([Exit("a", 1)], {"began_on": "b"}, "a"),
        ([Exit("a", 1), Exit("b", 2)], {"asked": "b"}, "b"),
        ([Exit("a", 1), Exit("b", 2, LONG)], {"asked": "b"}, "b"),
        ([Exit("a", 1)], {"asked": "gone"}, "a"),
        ([], {}, None),
    ],
)
def test_the_way_is_the_first_sound_one_unless_somebody_is_in_doubt(
    ways: list[Exit], told: dict[str, Any], way: str | None
) -> None:
    assert rule(*ways, **told) == way


_EXITS = st.lists(
    st.builds(Exit, st.sampled_from("abcd"), st.integers(0, 3), st.sampled_from([None, LATELY, LONG])),
    unique_by=lambda one: one.name,
)


@given(exits=_EXITS, began=st.sampled_from([None, *"abcd"]), asked=st.sampled_from(["", *"abcd"]))
def test_who_is_in_doubt_at_one_way_is_never_sent_by_another(exits: list[Exit], began: str | None, asked: str) -> None:
    assert rule(*exits, began_on=began, in_doubt=began is not None, asked=asked) in {began, None} or began is None


# -- with rows, and servers that die


@pytest.fixture
def send(db: None) -> Send:
    now = timezone.now()
    newsletter = editions.newsletter(now=now)
    audience.readers(count=3, follows=newsletter.topic, now=now)
    for _ in range(3):
        articles.article(now=now)
    return deliveries.send(
        edition=editions.composed(newsletter=newsletter, slot_at=now + timedelta(minutes=18), now=now), now=now
    )


@pytest.fixture
def relay() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


def closed() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def told(port: int) -> Config:
    return replace(config(), smtp_url=f"smtp://127.0.0.1:{port}")


def esp(server: ProviderServer, *, rank: int = 1) -> Transport:
    sealed = transports.sealed_settings(server.name, server.settings, config=config())
    return Transport.objects.create(
        name=server.name, kind="esp", provider=server.name, settings=sealed, rank=rank, created_at=timezone.now()
    )


def run(send: Send, settings: Config) -> int | None:
    [one] = Batch.objects.filter(send=send)
    Batch.objects.filter(id=one.id).update(due_at=timezone.now() - timedelta(seconds=1))
    return batch.submit(batch_id=one.id, config=settings, now=timezone.now())


def states(send: Send) -> list[tuple[str, str]]:
    return sorted(Delivery.objects.filter(send=send).values_list("state", "transport"))


def test_a_relay_that_is_away_is_left_after_a_while_and_taken_again_when_it_answers(send: Send) -> None:
    with ProviderServer("postmark") as server:
        esp(server)
        away = told(closed())
        assert run(send, away) == 0
        assert states(send) == [("pending", "")] * 3 and not server.stored, "a restart is no reason to leave"
        Transport.objects.filter(name=RELAY).update(failing_since=timezone.now() - FAILS_FOR)
        assert run(send, away) == 3
    assert states(send) == [("accepted", "postmark")] * 3
    assert Delivery.objects.exclude(remote_id="").count() == 3
    assert transports.failing(config=away, now=timezone.now()) is not None


def test_a_way_that_answers_again_is_knocked_at_and_used(send: Send, relay: Scripted) -> None:
    settings = told(relay.port)
    Transport.objects.create(
        name=RELAY, kind="relay", rank=0, failing_since=timezone.now() - timedelta(hours=1), created_at=timezone.now()
    )
    assert transports.look_again(config=told(closed())) == 0
    assert transports.look_again(config=settings) == 1
    assert transports.failing(config=settings, now=timezone.now()) is None
    assert run(send, settings) == 3 and states(send) == [("accepted", "")] * 3


def test_a_provider_that_is_out_of_order_is_failing_though_one_reader_is_in_doubt(send: Send) -> None:
    with ProviderServer("postmark", lambda _n: 502) as server:
        esp(server)
        run(send, config())
    row = Transport.objects.get(name="postmark")
    assert row.failing_since is not None and "502" in row.said


def test_a_batch_with_somebody_in_doubt_waits_for_its_own_way(send: Send, relay: Scripted) -> None:
    with ProviderServer("mailgun", lambda n: DROP_AFTER if n == 1 else None) as server:
        row = esp(server, rank=1)
        Transport.objects.filter(id=row.id).update(
            settings=transports.sealed_settings("mailgun", server.settings | {"window": "1"}, config=config())
        )
        nowhere = config()
        run(send, nowhere)
        assert states(send) == [("pending", "mailgun")] * 2 + [("unknown", "mailgun")]
    Transport.objects.filter(id=row.id).update(failing_since=timezone.now() - timedelta(hours=1))
    run(send, told(relay.port))
    assert states(send) == [("pending", "mailgun")] * 2 + [("unknown", "mailgun")] and not relay.stored
    Transport.objects.filter(id=row.id).update(state=Transport.State.PAUSED)
    run(send, told(relay.port))
    assert not relay.stored, "paused by a person, it is waited for all the same"
    Delivery.objects.filter(send=send, state="unknown").update(state="accepted")
    run(send, told(relay.port))
    assert len(relay.stored) == 2, "settled by a person, the rest goes on another way"


def test_a_transport_somebody_chose_for_a_send_is_taken(send: Send, relay: Scripted) -> None:
    with ProviderServer("brevo") as server:
        esp(server, rank=5)
        Send.objects.filter(id=send.id).update(transport="brevo")
        assert run(send, told(relay.port)) == 3
    assert not relay.stored and len(server.stored) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trouble", "heard", "fails"),
    [
        (Temporary("no route"), 0, True),
        (Temporary("no route"), 5, False),
        (RateLimited("slow down"), 0, False),
        (Permanent("bad password"), 0, False),
        (None, 3, False),
    ],
)
def test_a_way_fails_only_where_nobody_is_there(trouble: Any, heard: int, fails: bool) -> None:
    began = timezone.now()
    transports.tell(RELAY, trouble=trouble, heard=heard, now=began)
    transports.tell(RELAY, trouble=trouble, heard=heard, now=began + timedelta(minutes=9))
    rows = list(Transport.objects.values_list("failing_since", flat=True))
    assert rows == ([began] if fails else []), "from the first time on"


@pytest.mark.django_db
def test_a_way_that_takes_mail_fails_no_more() -> None:
    transports.tell(RELAY, trouble=Temporary("away"), heard=0, now=timezone.now())
    transports.tell(RELAY, trouble=None, heard=1, now=timezone.now())
    assert Transport.objects.get().failing_since is None


def test_a_relay_of_a_row_is_spoken_to_by_smtp(send: Send, relay: Scripted) -> None:
    sealed = transports.sealed_settings("second", {"url": f"smtp://127.0.0.1:{relay.port}"}, config=config())
    Transport.objects.create(name="second", kind="relay", settings=sealed, created_at=timezone.now())
    assert run(send, config()) == 3 and states(send) == [("accepted", "second")] * 3


def test_without_any_way_the_send_pauses_and_says_what_to_set(send: Send) -> None:
    assert run(send, config()) == 0
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED and "DATELINE_SMTP_URL" in send.params["said"]


@pytest.mark.django_db
def test_keys_sealed_with_another_secret_are_said_to_be() -> None:
    sealed = transports.sealed_settings("x", {"api_key": "k"}, config=replace(config(), secret_key="t" * 60))
    row = Transport.objects.create(name="x", kind="esp", provider="brevo", settings=sealed, created_at=NOW)
    with pytest.raises(Permanent, match="another secret key"):
        transports.settings_of(row, config=config())
    row.name = "y"
    with pytest.raises(Permanent):
        transports.settings_of(row, config=replace(config(), secret_key="t" * 60))


@pytest.mark.django_db
def test_no_way_at_all_is_no_mail_server() -> None:
    with pytest.raises(NoMailServer):
        transports.channel_for(RELAY, config=config(), client_name="x")
