"""How newsletters work, read, tried and changed by programs."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.editions.models import Newsletter
from pipeline.schedule.newsletters.changing import values_of
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.factories.mornings import Morning

DAILY = {"kind": "daily", "at": ["06:30"], "zone": "Europe/Brussels", "skip": {"2030-05-02": "a strike"}}


@pytest.fixture
def weekly(house: Morning) -> Newsletter:
    Newsletter.objects.filter(id=house.ready.newsletter_id).update(cadence=DAILY)
    return Newsletter.objects.get(id=house.ready.newsletter_id)


@pytest.fixture
def ask(as_one: Any) -> Ask:
    """A desk head's program."""
    asked: Ask = as_one("head")
    return asked


def test_settings_are_told_as_sentences_and_as_fields(ask: Ask, weekly: Newsletter) -> None:
    told = ask("GET", f"/newsletters/{weekly.id}/settings").json()
    assert {"about": "Minimum", "said": "Below 3 stories it is skipped, and its stories wait for the next."} in told[
        "sentences"
    ]
    assert (told["settings"]["minimum"], told["settings"]["cadence"]["kind"]) == (3, "daily")


def test_what_a_change_would_mean_is_told_and_nothing_is_kept(ask: Ask, weekly: Newsletter) -> None:
    before, acts = values_of(weekly), JournalEntry.objects.count()
    wanted = {"minimum": 9, "cadence": {"kind": "daily", "at": ["05:45"], "zone": "Europe/Brussels"}}
    told = ask("POST", f"/newsletters/{weekly.id}/settings/try", wanted).json()
    assert {row["about"] for row in told["changes"]} == {"When", "Minimum"} and told["refused"] == ""
    assert len(told["runs"]) == 5 and all(run["at"].endswith(":45:00Z") for run in told["runs"])
    refused = ask("POST", f"/newsletters/{weekly.id}/settings/try", {"compose_before_s": 30}).json()
    assert "put the draft before it" in refused["refused"] and refused["changes"] == []
    weekly.refresh_from_db()
    assert values_of(weekly) == before and JournalEntry.objects.count() == acts


def test_a_change_is_made_once_by_whoever_saw_what_is_there(ask: Ask, weekly: Newsletter) -> None:
    path = f"/newsletters/{weekly.id}/settings"
    seen = ask("GET", path).json()["seen"]
    times = {"kind": "weekly", "weekdays": ["mon"], "at": ["07:00"], "zone": "Europe/Brussels"}
    wanted = {"tagline": "At seven", "undo_s": 120, "cadence": times}
    body = {"seen": seen, "reason": "summer", "settings": wanted}
    first, again = (ask("POST", f"{path}/change", body).json() for _ in range(2))
    assert (first["done"], again["done"]) == (True, False)
    assert (first["settings"]["settings"]["tagline"], first["settings"]["settings"]["undo_s"]) == ("At seven", 120)
    weekly.refresh_from_db()
    assert weekly.cadence == {**times, "skip": DAILY["skip"]}, "days skipped stay"
    entry = JournalEntry.objects.get(verb="change settings")
    assert (entry.reason, entry.detail["changed"]["undo_s"]) == ("summer", [90, 120])
    late = ask("POST", f"{path}/change", {"seen": seen, "settings": {"undo_s": 60}})
    assert (late.status_code, late.json()["error"]) == (409, "conflict")
    assert late.json()["current"]["seen"] == first["settings"]["seen"] != seen


@pytest.mark.parametrize(
    ("wanted", "status"),
    [({"undo_s": -1}, 422), ({"paper": "blotting"}, 422), ({"owner_id": 10**9}, 422), ({"from_address": "nobody"}, 409), ({"segment_id": 10**9}, 409)],
)  # fmt: skip
def test_what_cannot_be_is_refused_whole(ask: Ask, weekly: Newsletter, wanted: dict[str, Any], status: int) -> None:
    path, before = f"/newsletters/{weekly.id}/settings", values_of(weekly)
    body = {"seen": ask("GET", path).json()["seen"], "settings": {"minimum": 8, **wanted}}
    assert ask("POST", f"{path}/change", body).status_code == status
    weekly.refresh_from_db()
    assert values_of(weekly) == before


def test_blocks_are_tried_and_set_anew_once(ask: Ask, weekly: Newsletter) -> None:
    path = f"/newsletters/{weekly.id}/blocks"
    kept = ask("GET", path).json()
    blocks = [{"kind": "lead", "id": kept["blocks"][0]["id"], "rule": {"count": 1}}, {"kind": "section", "title": "World", "rule": {"sections": ["World"], "count": 4}}]  # fmt: skip
    assert ask("POST", f"{path}/try", {"blocks": blocks}).json()["changes"][0]["about"] == "Blocks"
    assert ask("GET", path).json() == kept
    body = {"seen": kept["seen"], "blocks": blocks}
    first, again = (ask("POST", f"{path}/change", body).json() for _ in range(2))
    assert (first["done"], again["done"]) == (True, False)
    assert [row["rule"] for row in first["blocks"]["blocks"]] == [{"count": 1}, {"sections": ["World"], "count": 4}]
    assert first["blocks"]["blocks"][0]["id"] == kept["blocks"][0]["id"]
    late = ask("POST", f"{path}/change", {"seen": kept["seen"], "blocks": blocks[:1]})
    assert (late.status_code, late.json()["current"]["seen"]) == (409, first["blocks"]["seen"])
    odd = [{"kind": "top", "rule": {"count": 2, "minimum": 5}}]
    assert ask("POST", f"{path}/change", {"seen": first["blocks"]["seen"], "blocks": odd}).status_code == 409


def test_a_newsletter_is_made_once_under_its_name(ask: Ask, house: Morning) -> None:
    body = {"name": "Evening", "publisher": "Us", "sender": "us@example.org", "cadence": DAILY | {"skip": {}}}
    made = ask("POST", "/newsletters/make", body).json()["newsletter"]
    assert (made["slug"], made["state"], made["zone"]) == ("evening", "active", "Europe/Brussels")
    again = ask("POST", "/newsletters/make", body)
    assert again.status_code == 409 and "already" in again.json()["message"]
