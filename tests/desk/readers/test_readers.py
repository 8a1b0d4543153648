"""A reader at the desk: found, shown, acted for; addresses only for who may act."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience import subscribe
from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression
from pipeline.audience.suppress import suppress
from pipeline.delivery.models import Delivery, Feedback
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import articles, audience, delivery, editions, sources, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def head() -> User:
    return staff.user(email="head@example.org", name="Hana", role=Role.HEAD)


@pytest.fixture
def door(head: User, client: Client) -> Client:
    client.force_login(head)
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(staff.ben())
    return client


@pytest.fixture
def cleo() -> Subscriber:
    return audience.cleo(follows=audience.topic())


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def at(reader: Subscriber, act: str = "") -> str:
    return f"/desk/readers/{reader.id}/{act}"


def test_a_reader_is_found_by_a_part_of_the_address(door: Client, cleo: Subscriber) -> None:
    page = door.get("/desk/readers/", {"q": "leo@ex"})
    assert "cleo@example.org" in told(page) and at(cleo) in page.content.decode()
    assert "No reader has that" in told(door.get("/desk/readers/", {"q": "nobody@example.org"}))


def test_an_address_that_is_only_suppressed_is_told(door: Client) -> None:
    suppress(address="gone@example.org", reason=Suppression.Reason.COMPLAINED, now=timezone.now())
    assert "reported our mail as unwanted" in told(door.get("/desk/readers/", {"q": "gone@example.org"}))


def test_who_may_not_act_sees_numbers_and_masks(viewer: Client, cleo: Subscriber) -> None:
    pages = [
        viewer.get("/desk/readers/"),
        viewer.get("/desk/readers/", {"q": "cle"}),
        viewer.get(at(cleo)),
        viewer.get(at(cleo, "erase")),
    ]
    for page in pages:
        assert "cleo" not in page.content.decode() and "Cleo" not in page.content.decode()
    assert "No reader has that" in told(pages[1]), "a part finds nobody for them"
    assert "c…@example.org" in told(viewer.get("/desk/readers/", {"q": "cleo@example.org"}))
    assert "c…@example.org" in told(pages[2])


@pytest.mark.parametrize("act", ["suppress", "lift", "end", "export", "forget"])
def test_a_viewer_does_nothing_for_a_reader(viewer: Client, cleo: Subscriber, act: str) -> None:
    answer = viewer.post(at(cleo, act), {"reason": "curious", "topic": "all"}, follow=True)
    assert "Desk heads and administrators" in told(answer)
    assert (Suppression.objects.count(), JournalEntry.objects.count()) == (0, 0)
    assert Subscriber.objects.get().address == "cleo@example.org"


def test_the_page_tells_what_they_said_what_was_sent_and_what_came_back(door: Client, cleo: Subscriber) -> None:
    now = timezone.now()
    brief = editions.newsletter(cutoff_before_s=60, compose_before_s=7200, now=now)
    source = sources.source(now=now)
    for n in range(3):
        articles.article(source=source, now=now, age_s=7200 + n)
    Consent.objects.create(subscriber=cleo, topic=brief.topic, at=now, act="confirmed", origin="form", form="footer")
    hour_ago = now - timedelta(hours=1)
    early = editions.composed(newsletter=brief, slot_at=hour_ago, now=hour_ago)
    sent = delivery.send(edition=early, now=hour_ago + timedelta(minutes=1))
    delivery.answered(send=sent, states=[Delivery.State.BOUNCED], now=now)
    row = Delivery.objects.get()
    Feedback.objects.create(
        event="e1", kind="hard", way="mailbox", delivery_id=row.id, address_hash=cleo.address_hash, reason="no_mailbox",
        status="5.1.1", said="User unknown", at=now, noted_at=now,
    )  # fmt: skip
    Subscription.objects.update(pace="weekly", paused_until=now + timedelta(days=3))
    page = told(door.get(at(cleo)))
    for part in (
        "confirmed",
        "(footer)",
        "once a week at most",
        "paused until",
        "bounced",
        "no mailbox 5.1.1",
        "User unknown",
        "aggregate",
    ):
        assert part in page, part


def test_a_readers_page_asks_a_bounded_number_of_questions(
    door: Client, cleo: Subscriber, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        Consent.objects.create(
            subscriber=cleo, topic=audience.topic(), at=timezone.now(), act="changed", origin=f"page {n}"
        )
    with django_assert_max_num_queries(20):
        door.get(at(cleo))


def test_who_was_asked_and_did_not_answer_is_said_to_rest(door: Client, cleo: Subscriber) -> None:
    now = timezone.now()
    editions.newsletter(asks_again=True, tracking="consented")
    agreed = {"tracking": "consented", "tracking_at": now - timedelta(days=400)}
    Subscriber.objects.update(**agreed, asked_again_at=now - timedelta(days=31))
    assert "did not answer: any click or answer brings it back" in told(door.get(f"/desk/readers/{cleo.id}/"))
    Subscriber.objects.update(last_human_at=now)
    assert "did not answer" not in told(door.get(f"/desk/readers/{cleo.id}/"))


def test_suppressing_and_lifting_say_what_happened(door: Client, cleo: Subscriber) -> None:
    assert "Say why" in told(door.post(at(cleo, "suppress"), {}, follow=True))
    assert "no mail leaves" in told(door.post(at(cleo, "suppress"), {"reason": "asked by letter"}, follow=True))
    assert audience.reach(topic_id=audience.topic().id) == 0
    assert "sent to them again" in told(door.post(at(cleo, "lift"), {"reason": "asked again"}, follow=True))
    assert audience.reach(topic_id=audience.topic().id) == 1
    assert list(JournalEntry.objects.order_by("id").values_list("reason", flat=True)) == [
        "asked by letter",
        "asked again",
    ]


def test_a_complaint_is_not_offered_to_be_lifted_and_not_lifted(door: Client, cleo: Subscriber) -> None:
    suppress(address=cleo.address, reason=Suppression.Reason.COMPLAINED, now=timezone.now())
    assert at(cleo, "lift") not in door.get(at(cleo)).content.decode()
    assert "nobody here may lift that" in told(door.post(at(cleo, "lift"), {"reason": "please"}, follow=True))
    assert Suppression.objects.count() == 1


def test_one_newsletter_is_ended_and_the_other_stays(door: Client, cleo: Subscriber) -> None:
    weekly = audience.topic(slug="weekly", name="Weekly")
    subscribe.enrol(addresses=[cleo.address], topic=weekly, origin="list", now=timezone.now())
    door.post(at(cleo, "end"), {"topic": str(weekly.id), "reason": "wrote to us"})
    assert set(Subscription.objects.filter(left_at=None).values_list("topic__slug", flat=True)) == {"morning-brief"}
    assert "Choose what to end" in told(door.post(at(cleo, "end"), {"topic": "9x", "reason": "r"}, follow=True))


def test_all_that_is_held_is_given_as_json_and_the_journal_knows(door: Client, cleo: Subscriber, head: User) -> None:
    answer = door.post(at(cleo, "export"), {"reason": "asked for it"})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="reader-{cleo.id}.json"'
    assert json.loads(answer.content)["address"] == "cleo@example.org"
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.subject_id, entry.actor, entry.reason) == ("export reader", cleo.id, head, "asked for it")


def test_erasing_is_shown_before_it_is_done_and_needs_a_reason(door: Client, cleo: Subscriber) -> None:
    preview = told(door.get(at(cleo, "erase")))
    assert "keyed hash" in preview and "Nothing has been erased yet" in preview
    assert "Say why" in told(door.post(at(cleo, "forget"), {}, follow=True))
    assert Subscriber.objects.get().address == "cleo@example.org"
    assert "Erased" in told(door.post(at(cleo, "forget"), {"reason": "article 17"}, follow=True))
    assert Subscriber.objects.get().state == "erased"
    assert JournalEntry.objects.get().reason == "article 17"
    assert door.get(at(cleo)).status_code == 404


def test_whom_a_newsletter_reaches_is_written_to_a_file_no_spreadsheet_runs(door: Client, cleo: Subscriber) -> None:
    Subscriber.objects.update(name="=1+1")
    audience.subscriber(address="gone@example.org", follows=audience.topic())
    suppress(address="gone@example.org", reason=Suppression.Reason.MANUAL, now=timezone.now())
    answer = door.post("/desk/readers/export", {"topic": "morning-brief"})
    lines = b"".join(answer).decode().splitlines()  # type: ignore[arg-type]
    assert len(lines) == 2 and lines[1].startswith("cleo@example.org,'=1+1,")
    assert JournalEntry.objects.get().detail["readers"] == 1


def test_a_viewer_takes_no_file_of_readers(viewer: Client, cleo: Subscriber) -> None:
    assert viewer.post("/desk/readers/export", {"topic": "morning-brief"}).status_code == 302
    assert JournalEntry.objects.count() == 0
