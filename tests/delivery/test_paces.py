"""What providers let us do, from one batch to the next, through a transport of kind mx."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pipeline.channels.mail.providers import warm_up
from pipeline.delivery import paces, transports
from pipeline.delivery.batches import batch
from pipeline.delivery.models import Batch, Delivery, Provider, Send, Transport
from pipeline.kernel.config import Config, config
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.mail_server import CLOSE, Rule
from tests.factories.town import Town

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(tmp_path: Path) -> Config:
    return replace(config(), data_dir=tmp_path, workers=1, smtp_url="")


@pytest.fixture
def going() -> Send:
    newsletter = editions.newsletter()
    for _ in range(4):
        articles.article()
    for n in range(8):
        audience.subscriber(address=f"reader{n}@{'ab'[n % 2]}.example", follows=newsletter.topic)
    return deliveries.send(edition=editions.composed(newsletter=newsletter), now=timezone.now() - timedelta(seconds=1))


def town(**rules: dict[str, Rule]) -> Town:
    built = Town({"mx.a.example": rules.get("a", {}), "mx.b.example": rules.get("b", {})})
    built.lead("a.example", "mx.a.example")
    built.lead("b.example", "mx.b.example")
    return built


def work(built: Town, here: Config) -> None:
    paces._ways.cache_clear()
    with built as names:
        values = {"nameservers": "127.0.0.1", "dns_port": str(names.port), "port": str(built.port), "private": "1"}
        settings = transports.sealed_settings("direct", values, config=here)
        kept = {"kind": Transport.Kind.MX, "settings": settings, "created_at": timezone.now()}
        Transport.objects.update_or_create(name="direct", defaults=kept)
        Batch.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        batch.submit(batch_id=Batch.objects.get().id, config=here, now=timezone.now())


def states() -> dict[str, str]:
    return {row.address: row.state for row in Delivery.objects.all()}


def test_an_edition_goes_straight_to_its_readers_servers(going: Send, here: Config) -> None:
    built = town()
    work(built, here)
    assert set(states().values()) == {"accepted"}
    assert [len(server.stored) for server in built.servers.values()] == [4, 4]
    assert set(Provider.objects.values_list("transport", "group")) == {("direct", "a.example"), ("direct", "b.example")}
    assert set(Delivery.objects.values_list("transport", flat=True)) == {"direct"}


def test_a_block_is_remembered_and_its_readers_wait_it_out(going: Send, here: Config) -> None:
    blocks = {"MAIL": b"421 4.7.0 [TSS04] Messages deferred\r\n" + CLOSE}
    work(town(a=blocks), here)
    assert [states()[f"reader{n}@{'ab'[n % 2]}.example"] for n in range(8)] == ["pending", "accepted"] * 4
    row = Provider.objects.get(group="a.example")
    assert row.paused_until is not None
    assert "TSS04" in row.said
    assert timedelta(minutes=110) < Batch.objects.get().due_at - timezone.now() <= timedelta(hours=2)
    again = town()
    work(again, here)
    assert again.servers["mx.a.example"].reached["connect"] == 0
    Provider.objects.update(paused_until=timezone.now())
    work(town(), here)
    assert set(states().values()) == {"accepted"}
    going.refresh_from_db()
    assert going.state == Send.State.SUBMITTED


def test_a_new_address_hands_over_no_more_than_its_plan_and_counts_it(going: Send, here: Config) -> None:
    today, plan = timezone.now().date(), warm_up("a.example", day=20)
    assert plan is not None
    Provider.objects.create(transport="direct", group="", warming_since=today - timedelta(days=20))
    used = {"day": today, "sent_today": plan.per_day - 3}
    Provider.objects.create(transport="direct", group="a.example", **used)
    work(town(), here)
    assert sorted(states().values()) == ["accepted"] * 7 + ["pending"]
    counted = dict(Provider.objects.exclude(group="").values_list("group", "sent_today"))
    assert counted == {"a.example": plan.per_day, "b.example": 4}


def test_yesterdays_count_does_not_bind_today(going: Send, here: Config) -> None:
    today = timezone.now().date()
    old = {"warming_since": today - timedelta(days=20), "day": today - timedelta(days=1), "sent_today": 9_000_000}
    Provider.objects.create(transport="direct", group="a.example", **old)
    work(town(), here)
    assert set(states().values()) == {"accepted"}
    assert Provider.objects.get(group="a.example").sent_today == 4


def test_a_pace_is_shared_among_processes_and_comes_back_as_it_was(going: Send, here: Config) -> None:
    here = replace(here, workers=4)
    Provider.objects.create(
        transport="direct", group="a.example", connections=4, per_minute=800, clean_since=timezone.now()
    )
    work(town(), here)
    row = Provider.objects.get(group="a.example")
    assert (row.connections, row.per_minute) == (4, 800)
    work(town(), here)
    row.refresh_from_db()
    assert (row.connections, row.per_minute) == (4, 800)


def test_a_run_that_ends_by_yesterdays_clock_does_not_begin_the_day_again(going: Send, here: Config) -> None:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    channel = paces.direct("direct", {}, config=here, client_name="news.example", now=midnight)
    channel.gauge("other")
    channel.used["other"] = 7
    for at in (midnight, midnight - timedelta(seconds=1), midnight):
        paces.keep("direct", channel, now=at)
    assert Provider.objects.values_list("day", "sent_today").get() == (midnight.date(), 21)


def test_a_run_that_was_told_nothing_does_not_end_the_patience_another_was_asked_for(going: Send, here: Config) -> None:
    now = timezone.now()
    until = now + timedelta(hours=1)
    channel = paces.direct("direct", {}, config=here, client_name="news.example", now=now)
    gauge = channel.gauge("other")
    paces.keep("direct", channel, now=now)
    Provider.objects.update(paused_until=until)
    for told in (None, now + timedelta(minutes=5)):
        gauge.pace = replace(gauge.pace, paused_until=told)
        paces.keep("direct", channel, now=now)
    assert Provider.objects.get().paused_until == until
