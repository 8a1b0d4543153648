"""Newsletters, sources, brakes, a reader, the journal and today, for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.audience.models import Suppression
from pipeline.audience.suppress import suppress
from pipeline.editions.models import Newsletter
from pipeline.sources.models import Source
from pipeline.staff.models import JournalEntry, Stop
from tests.api.conftest import Ask
from tests.factories.mornings import Morning

WHY = {"reason": "a strike"}
DAILY = {"kind": "daily", "at": ["06:30"], "zone": "Europe/Brussels"}


@pytest.fixture
def weekly(house: Morning) -> Newsletter:
    Newsletter.objects.filter(id=house.ready.newsletter_id).update(cadence=DAILY)
    return Newsletter.objects.get(id=house.ready.newsletter_id)


def test_a_newsletter_tells_its_next_five_runs(ask: Ask, weekly: Newsletter) -> None:
    told = ask("GET", f"/newsletters/{weekly.id}").json()
    assert len(told["runs"]) == 5 and told["trouble"] == ""
    assert told["zone"] == "Europe/Brussels" and [block["position"] for block in told["blocks"]] == [1, 2, 3, 4]


def test_a_cadence_that_cannot_be_read_is_said(ask: Ask, weekly: Newsletter) -> None:
    Newsletter.objects.filter(id=weekly.id).update(cadence={"kind": "daily", "at": ["25:00"]})
    told = ask("GET", f"/newsletters/{weekly.id}").json()
    assert told["runs"] == [] and told["trouble"]


def test_a_day_is_skipped_and_given_back(ask: Ask, weekly: Newsletter, house: Morning) -> None:
    day = (house.now + timedelta(days=3)).date().isoformat()
    path = f"/newsletters/{weekly.id}"
    skipped = ask("POST", f"{path}/skip-day", {"day": day, **WHY})
    assert skipped.status_code == 200 and "does not leave" in skipped.json()["message"]
    assert {run["day"]: run["off"] for run in ask("GET", path).json()["runs"]}[day] == "a strike"
    assert ask("POST", f"{path}/leave-after-all", {"day": day}).status_code == 200
    again = ask("POST", f"{path}/leave-after-all", {"day": day})
    assert again.status_code == 409 and again.json()["current"]["slug"] == "weekly"


def test_it_is_paused_resumed_and_ended_once_each(ask: Ask, weekly: Newsletter) -> None:
    path = f"/newsletters/{weekly.id}"
    for act, body, state in (("pause", WHY, "paused"), ("resume", {"gap": "carry"}, "active"), ("end", WHY, "ended")):
        answers = [ask("POST", f"{path}/{act}", body).json() for _ in range(2)]
        assert [(one["done"], one["newsletter"]["state"]) for one in answers] == [(True, state), (False, state)]
        assert answers[0]["message"].startswith("Weekly")


def test_a_source_is_paused_looked_at_and_resumed(ask: Ask, house: Morning) -> None:
    path = f"/sources/{Source.objects.get().id}"
    assert [ask("POST", f"{path}/pause").json()["done"] for _ in range(2)] == [True, False]
    assert ask("POST", f"{path}/look").json()["done"] is False, "nobody looks at one that is paused"
    assert ask("GET", path).json()["health"][0]["code"] == "paused"
    assert [ask("POST", f"{path}/resume").json()["done"] for _ in range(2)] == [True, False]
    assert ask("POST", f"{path}/look").json()["done"] is True


@pytest.mark.parametrize("kind", Stop.Kind.values)
def test_a_brake_is_pulled_and_let_go_once_each(ask: Ask, house: Morning, kind: str) -> None:
    assert [ask("POST", f"/brakes/{kind}/pull", WHY).json()["done"] for _ in range(2)] == [True, False]
    [brake] = ask("GET", "/brakes").json()["brakes"]
    assert (brake["kind"], brake["by"], brake["reason"]) == (kind, "Ada", "a strike")
    assert [ask("POST", f"/brakes/{kind}/release").json()["done"] for _ in range(2)] == [True, False]


def test_a_brake_that_is_not_there_is_not_pulled(ask: Ask) -> None:
    assert ask("POST", "/brakes/printing/pull", WHY).status_code == 422


def test_one_reader_is_found_by_exact_address_and_the_look_is_kept(ask: Ask, house: Morning) -> None:
    told = ask("POST", "/readers/find", {"address": " Cleo@Example.org "}).json()
    assert [choice["topic"] for choice in told["choices"]] == ["weekly"]
    assert told["suppressed"] is None and "cleo" not in str(told)
    assert JournalEntry.objects.get(verb="look up").subject_id == told["id"]
    suppress(address="cleo@example.org", reason=Suppression.Reason.BOUNCED, now=house.now)
    assert ask("POST", "/readers/find", {"address": "cleo@example.org"}).json()["suppressed"] == "bounced"


@pytest.mark.parametrize("address", ["cleo@example", "cleo@example.or", "%@example.org", "nobody", "@@@"])
def test_nobody_is_found_by_part_of_an_address(ask: Ask, house: Morning, address: str) -> None:
    assert ask("POST", "/readers/find", {"address": address}).status_code == 404


def test_the_journal_is_asked_by_verb_and_by_what_it_was_done_to(ask: Ask, house: Morning) -> None:
    ask("POST", "/brakes/sending/pull", WHY)
    [entry] = ask("GET", "/journal", None, verb="stop").json()["entries"]
    assert (entry["by"], entry["subject"], entry["reason"]) == ("Ada", "sending", "a strike")
    assert entry["through"] == "CMS", "the name of the token"
    assert ask("GET", "/journal", None, verb="stop", subject="posting").json()["entries"] == []


def test_today_counts_what_needs_a_person(ask: Ask, house: Morning) -> None:
    told = ask("GET", "/today").json()
    assert told["needs"] == {"editions": 1, "sends": 0, "held_stories": 1, "posts": 1}
    assert [row["id"] for row in told["editions"]] == [house.leaving.edition_id, house.ready.id]
    assert told["brakes"] == []
