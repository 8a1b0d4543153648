"""Editions for programs: seen whole, decided about, changed at the revision that was looked at."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.delivery.models import Delivery, Send
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.factories.mornings import Morning


@pytest.fixture
def ready(house: Morning) -> Edition:
    return house.ready


def at(row: Edition, **more: Any) -> dict[str, Any]:
    row.refresh_from_db()
    return {"revision": row.revision, **more}


def test_one_is_told_with_every_reason(ask: Ask, ready: Edition) -> None:
    told = ask("GET", f"/editions/{ready.id}").json()
    assert told["state"] == "ready" and told["newsletter"] == "weekly" and told["revision"] == ready.revision
    assert told["items"][0]["place"] == 1
    assert all(item["code"] for item in (*told["items"], *told["left_out"]))
    assert all(finding["sentence"] for finding in told["findings"])
    assert told["send"] is None and told["results"] is None


def test_its_message_is_what_leaves(ask: Ask, ready: Edition) -> None:
    told = ask("GET", f"/editions/{ready.id}/message").json()
    assert told["html"] == ready.rendering.html and told["subject"] == ready.rendering.subject


def test_lists_are_asked_by_newsletter_state_and_slot(ask: Ask, house: Morning) -> None:
    def ids(**asked: Any) -> list[int]:
        return [row["id"] for row in ask("GET", "/editions", None, **asked).json()["editions"]]

    leaving, ready = house.leaving.edition_id, house.ready.id
    assert ids() == [ready, leaving]
    assert ids(state="ready") == ids(newsletter_id=house.ready.newsletter_id) == [ready]
    assert ids(slot_to=house.now.isoformat()) == [leaving]
    assert ids(slot_from=house.now.isoformat(), state="sending") == []


def test_an_approval_asked_for_twice_is_given_once(ask: Ask, ready: Edition) -> None:
    body = at(ready)
    first, again = (ask("POST", f"/editions/{ready.id}/approve", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["done"] is True and again.json()["done"] is False
    assert first.json()["edition"]["state"] == "approved" and first.json()["edition"]["approved_by"] == "Ada"
    assert JournalEntry.objects.filter(verb="approve").count() == 1


def test_an_approval_is_taken_back(ask: Ask, ready: Edition) -> None:
    ask("POST", f"/editions/{ready.id}/approve", at(ready))
    assert ask("POST", f"/editions/{ready.id}/undo").json()["done"] is True
    assert ask("POST", f"/editions/{ready.id}/undo").json()["done"] is False
    ready.refresh_from_db()
    assert (ready.state, ready.code, ready.approved_at) == ("ready", "taken_back", None)


def test_what_changed_meanwhile_is_a_conflict_that_holds_it_as_it_is_now(ask: Ask, ready: Edition) -> None:
    old = at(ready)
    ask("POST", f"/editions/{ready.id}/write", {**old, "subject": "Ours", "preheader": "p", "note": "n\nm"})
    answer = ask("POST", f"/editions/{ready.id}/approve", old)
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert answer.json()["current"]["revision"] > old["revision"]
    assert answer.json()["current"]["subject"] == "Ours"
    assert "Nothing" in answer.json()["message"] and answer.json()["kept"] == "Nothing was changed."


def test_words_are_kept_on_one_line_and_their_repeat_changes_nothing(ask: Ask, ready: Edition) -> None:
    body = at(ready, subject="Two\r\nBcc: x", preheader="p", note="a\r\nb")
    assert ask("POST", f"/editions/{ready.id}/write", body).json()["edition"]["state"] == "collecting"
    ready.refresh_from_db()
    assert (ready.subject, ready.note) == ("Two Bcc: x", "a\nb")
    again = ask("POST", f"/editions/{ready.id}/write", body).json()
    assert again["done"] is False
    assert JournalEntry.objects.filter(verb="rewrite").count() == 1


def test_skipping_needs_a_reason_and_is_done_once(ask: Ask, ready: Edition) -> None:
    assert ask("POST", f"/editions/{ready.id}/skip", at(ready)).status_code == 422
    body = at(ready, reason="A strike")
    assert [ask("POST", f"/editions/{ready.id}/skip", body).json()["done"] for _ in range(2)] == [True, False]
    ready.refresh_from_db()
    assert (ready.state, ready.params["why"]) == ("skipped", "A strike")


def test_a_story_is_moved_left_out_and_put_back(ask: Ask, house: Morning) -> None:
    ready = house.ready

    def order() -> list[int]:
        compose(edition_id=ready.id, now=house.now)
        told = ask("GET", f"/editions/{ready.id}").json()
        return [item["article_id"] for item in told["items"] if item["block"] == 3]

    first, second, *_ = order()
    move = ask("POST", f"/editions/{ready.id}/stories/{first}/move", at(ready, to="down"))
    assert move.status_code == 200 and move.json()["edition"]["state"] == "collecting"
    assert order()[:2] == [second, first]
    ask("POST", f"/editions/{ready.id}/stories/{first}/leave-out", at(ready))
    assert first not in order()
    ask("POST", f"/editions/{ready.id}/stories/{first}/put", at(ready, block=3, place=1))
    assert order()[0] == first


def test_words_of_our_own_for_a_story_leave_out_what_was_not_said(ask: Ask, ready: Edition) -> None:
    story = ready.items.filter(picked=True)[0].article_id
    path = f"/editions/{ready.id}/stories/{story}/write"
    assert ask("POST", path, at(ready, headline="Ours", standfirst="Longer")).status_code == 200
    assert ask("POST", path, at(ready, standfirst="")).status_code == 200
    assert ready.items.get(article_id=story).overrides == {"headline": "Ours"}
    assert ask("POST", path, at(ready, picture="javascript:alert(1)")).status_code == 422


def test_an_alert_is_raised_and_nothing_is_sent(ask: Ask, house: Morning) -> None:
    alerts = Newsletter.objects.get(kind=Newsletter.Kind.ALERT)
    body = {"newsletter_id": alerts.id, "article_id": house.stories[0].id, "so_what": "It matters."}
    answer = ask("POST", "/alerts", body)
    assert answer.status_code == 200
    assert Edition.objects.get(id=answer.json()["edition"]["id"]).newsletter == alerts
    assert Send.objects.count() == 1, "only the send of this morning"
    assert ask("POST", "/alerts", {**body, "newsletter_id": house.ready.newsletter_id}).status_code == 404


def test_a_send_is_paused_resumed_and_cancelled_once_each(ask: Ask, house: Morning) -> None:
    send = house.leaving
    path = f"/editions/{send.edition_id}/send"
    Send.objects.filter(id=send.id).update(state=Send.State.SUBMITTING)

    def done(act: str, body: Any = None) -> list[tuple[int, bool, str]]:
        answers = [ask("POST", f"{path}/{act}", body) for _ in range(2)]
        return [(a.status_code, a.json()["done"], a.json()["send"]["state"]) for a in answers]

    assert done("pause") == [(200, True, "paused"), (200, False, "paused")]
    assert done("resume") == [(200, True, "submitting"), (200, False, "submitting")]
    assert done("cancel", {"reason": "wrong list"}) == [(200, True, "cancelled"), (200, False, "cancelled")]
    late = ask("POST", f"{path}/pause")
    assert late.status_code == 409 and late.json()["current"]["id"] == send.edition_id


def test_progress_counts_deliveries_and_their_list_shows_no_address(ask: Ask, house: Morning) -> None:
    path = f"/editions/{house.leaving.edition_id}/send"
    counts = ask("GET", path).json()["counts"]
    assert counts["accepted"] == 7 and counts["unknown"] == 2
    answer = ask("GET", f"{path}/deliveries", None, state="unknown")
    assert len(answer.json()["deliveries"]) == 2
    address = Delivery.objects.filter(send=house.leaving).values_list("address", flat=True)[0]
    assert address not in answer.content.decode()


def test_results_tell_people_apart_from_machines(ask: Ask, house: Morning) -> None:
    told = ask("GET", f"/editions/{house.leaving.edition_id}").json()
    assert told["results"]["waiting"] == 0 and told["results"]["people"] == {}
    assert len(told["results"]["links"]) > 1 and not any(link["people"] for link in told["results"]["links"])


def test_the_number_of_readers_proves_that_somebody_read_it(ask: Ask, house: Morning) -> None:
    send = house.leaving
    Send.objects.filter(id=send.id).update(state=Send.State.ASKING)
    path = f"/editions/{send.edition_id}/send/confirm"
    assert ask("POST", path, {"readers": send.recipients + 1}).status_code == 409
    assert [ask("POST", path, {"readers": send.recipients}).json()["done"] for _ in range(2)] == [True, False]
