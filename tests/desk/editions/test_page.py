from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html as lxml_html

from pipeline.audience import counts
from pipeline.audience.models import Subscription, Suppression
from pipeline.audience.suppress import suppress
from pipeline.desk.editions import page
from pipeline.editions.models import Edition
from pipeline.staff.models import User
from tests.factories import articles, audience, editions, staff

pytestmark = pytest.mark.django_db
HAND = {"move", "write-story", "put"}


def shown(desk: Client, edition: Edition) -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{edition.id}/").content.decode())


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


def test_the_button_says_to_how_many_and_when(desk: Client, morning: Any) -> None:
    there = morning.ready.slot_at.astimezone(ZoneInfo("Europe/Brussels"))
    tomorrow = "" if there.date() == morning.now.astimezone(there.tzinfo).date() else f"{there:%a %-d %b} "
    button = shown(desk, morning.ready).xpath("//form[contains(@action, 'approve')]//button")[0]
    assert words(button) == f"Send to 1 reader {tomorrow}at {there:%H:%M} Europe/Brussels"


def test_the_button_counts_by_thousands(desk: Client, morning: Any) -> None:
    audience.readers(count=1200, follows=morning.ready.newsletter.topic)
    assert "Send to 1\u202f201 readers" in desk.get(f"/desk/editions/{morning.ready.id}/").content.decode()


def test_the_number_of_readers_is_a_sum(desk: Client, morning: Any) -> None:
    made = audience.readers(count=1200, follows=morning.ready.newsletter.topic)
    paused = [reader.id for reader in made[:50]]
    Subscription.objects.filter(subscriber_id__in=paused).update(paused_until=morning.ready.slot_at + timedelta(days=9))
    suppress(address=made[60].address, reason=Suppression.Reason.MANUAL, now=morning.now)
    told = words(shown(desk, morning.ready))
    assert "1 201 readers chose Weekly, minus 1 suppressed, 50 paused = 1 150." in told
    assert "Send to 1 150 readers" in told


def test_a_large_number_of_readers_says_when_it_was_counted(
    desk: Client, morning: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "LARGE", 1)
    monkeypatch.setattr(counts, "_kept", {})
    assert "Counted at" not in words(shown(desk, morning.ready))
    with CaptureQueriesContext(connection) as seen:
        assert "Counted at" in words(shown(desk, morning.ready))
    assert not [query for query in seen if "'suppressed'" in query["sql"]], "nobody was counted again"
    letters = [desk.get(f"/desk/newsletters/{morning.ready.newsletter_id}/").content.decode() for _ in range(2)]
    assert ["Counted at" in letter for letter in letters] == [False, True]


def test_after_the_slot_the_button_names_the_undo_window(desk: Client, morning: Any) -> None:
    Edition.objects.filter(id=morning.ready.id).update(slot_at=morning.now - timedelta(minutes=1))
    assert "Send to 1 reader in 1 min" in desk.get(f"/desk/editions/{morning.ready.id}/").content.decode()


def test_the_slot_is_told_on_both_clocks(desk: Client, morning: Any) -> None:
    told = words(shown(desk, morning.ready).xpath("//main/p[@class='meta']")[0])
    assert f"{morning.ready.slot_at:%H:%M} UTC" in told
    assert "in 17 min" in told or "in 18 min" in told


def test_every_pick_has_its_reason(desk: Client, morning: Any) -> None:
    document = shown(desk, morning.ready)
    reasons = [words(node) for node in document.xpath("//ol[@class='picks']/li/div/p[@class='why']")]
    picked = morning.ready.items.filter(picked=True).count()
    assert len(reasons) == picked == 6
    assert reasons[:3] == [
        "Why: newest 1 of 9",
        "Why: newest 1 of 3 in Africa",
        "Why: newest 2 of 3 in Africa",
    ]


def test_those_left_out_stand_under_their_reason(desk: Client, morning: Any) -> None:
    late = articles.article(now=morning.now, age_s=0)
    editions.item(
        edition=morning.ready,
        article=late,
        picked=False,
        code="missed_cutoff",
        params={"by_s": 250},
        position=0,
    )
    groups = [words(node) for node in shown(desk, morning.ready).xpath("//section[h2[@id='left']]//summary")]
    assert groups == ["Missed the cut-off 1", "No room 3"]
    assert "missed the cut-off by 4 min" in desk.get(f"/desk/editions/{morning.ready.id}/").content.decode()


def test_findings_stand_in_sentences_the_worst_first(desk: Client, morning: Any) -> None:
    findings = [{"level": "note", "sentence": "Small thing."}, {"level": "block", "sentence": "Big thing."}]
    Edition.objects.filter(id=morning.ready.id).update(preflight=findings, state="held", code="preflight")
    told = words(shown(desk, morning.ready).xpath("//section[h2[@id='checks']]")[0])
    assert told == "Before it leaves Blocks sending 1 Big thing. Nice to have 1 Small thing."
    assert "A check before sending failed" in desk.get(f"/desk/editions/{morning.ready.id}/").content.decode()


def test_the_preview_is_a_sealed_frame_of_the_real_message(desk: Client, morning: Any) -> None:
    frames = shown(desk, morning.ready).xpath("//iframe")
    assert [(frame.get("sandbox"), frame.get("src")) for frame in frames] == [
        ("", f"/desk/editions/{morning.ready.id}/message.html?scheme=light"),
        ("", f"/desk/editions/{morning.ready.id}/message.html?scheme=dark"),
        ("", f"/desk/editions/{morning.ready.id}/message.txt"),
    ]


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        ("planned", {"skip"}), ("collecting", {"skip"}), ("ready", {"approve", "again", "skip", "write", *HAND}), ("approved", {"undo"}),
        ("held", {"again", "skip", "write", *HAND}), ("sent", set()), ("skipped", set()), ("expired", set()), ("cancelled", set()), ("killed", set()),
    ],
)  # fmt: skip
def test_only_what_is_possible_is_offered(desk: Client, morning: Any, state: str, acts: set[str]) -> None:
    Edition.objects.filter(id=morning.ready.id).update(state=state, leaves_at=morning.now)
    forms = shown(desk, morning.ready).xpath("//main//form[@method='post']/@action")
    assert {form.rpartition("/")[2] for form in forms} == acts


def test_who_may_only_look_is_offered_nothing(client: Client, morning: Any) -> None:
    client.force_login(staff.ben())
    document = shown(client, morning.ready)
    assert not document.xpath("//main//form")
    assert "Your role may look at editions but not change them." in words(document)


def test_an_edition_not_put_together_says_when_it_will_be(desk: Client, morning: Any) -> None:
    planned = editions.edition(newsletter=morning.ready.newsletter, slot_at=morning.now + timedelta(hours=9))
    told = words(shown(desk, planned))
    assert "Not put together yet. It is put together at" in told
    assert "There is no message yet." in told


def test_the_history_names_who_did_what(desk: Client, ada: User, morning: Any) -> None:
    desk.post(
        f"/desk/editions/{morning.ready.id}/skip",
        {"revision": morning.ready.revision, "reason": "Strike at the printer’s"},
    )
    told = words(shown(desk, morning.ready).xpath("//section[h2[@id='history']]")[0])
    assert "Ada skipped it: “Strike at the printer’s”" in told


def test_the_list_is_paginated_and_filters_by_state(desk: Client, morning: Any) -> None:
    for day in range(page.PAGE):
        slot = morning.now - timedelta(days=day + 2)
        editions.edition(
            newsletter=morning.ready.newsletter,
            slot_at=slot,
            state="skipped",
            code="below_minimum",
            params={"found": 1, "minimum": 3},
        )
    first: Any = lxml_html.document_fromstring(desk.get("/desk/editions/").content.decode())
    assert len(first.xpath("//tbody/tr")) == page.PAGE
    assert first.xpath("//a[@rel='next']/@href") == ["/desk/editions/?page=2"]
    ready: Any = lxml_html.document_fromstring(desk.get("/desk/editions/?state=ready").content.decode())
    assert len(ready.xpath("//tbody/tr")) == 1


def test_the_page_of_an_edition_takes_a_bounded_number_of_queries(desk: Client, morning: Any) -> None:
    url = f"/desk/editions/{morning.leaving.edition_id}/"
    desk.get(url)
    with CaptureQueriesContext(connection) as few:
        desk.get(url)
    for _ in range(30):
        article = articles.article(now=morning.now)
        editions.item(
            edition=morning.leaving.edition,
            article=article,
            picked=False,
            code="no_room",
            params={"block": 1, "title": "", "count": 1},
        )
    with CaptureQueriesContext(connection) as many:
        desk.get(url)
    assert len(many) == len(few) <= 18
