from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.delivery.models import Delivery, Send
from pipeline.desk.queue import counts
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, User
from tests.factories import staff

pytestmark = pytest.mark.django_db


def act(client: Client, edition_id: int, verb: str, **data: Any) -> tuple[int, str]:
    """POST and follow: the status and what stands on the page afterwards."""
    answer = client.post(f"/desk/editions/{edition_id}/{verb}", data, follow=True)
    return answer.status_code, answer.content.decode()


def test_an_approval_is_kept_with_its_name_and_can_be_taken_back(desk: Client, morning: Any, ada: User) -> None:
    _, told = act(desk, morning.ready.id, "approve", revision=morning.ready.revision)
    edition = Edition.objects.get(id=morning.ready.id)
    assert (edition.state, edition.approved_by, edition.leaves_at) == ("approved", ada, morning.ready.slot_at)
    assert "Approved. It leaves" in told
    assert "Take back: do not send at" in told
    _, told = act(desk, morning.ready.id, "undo")
    assert Edition.objects.get(id=morning.ready.id).state == "ready"
    assert "Taken back: nothing was sent." in told


@pytest.mark.parametrize("verb", ["approve", "skip", "write"])
@pytest.mark.parametrize("revision", ["0", "", "x", "²", "-1", "99999999999999999999"])
def test_nobody_decides_on_what_they_have_not_seen(desk: Client, morning: Any, verb: str, revision: str) -> None:
    _, told = act(desk, morning.ready.id, verb, revision=revision, reason="because", subject="Mine")
    assert Edition.objects.get(id=morning.ready.id).state == "ready"
    assert "Someone changed this edition while you were reading it" in told
    assert not JournalEntry.objects.exists()


def test_two_who_approve_send_it_once(desk: Client, morning: Any) -> None:
    act(desk, morning.ready.id, "approve", revision=morning.ready.revision)
    _, told = act(desk, morning.ready.id, "approve", revision=morning.ready.revision + 1)
    assert "This edition is approved and can no longer be approved" in told
    assert JournalEntry.objects.filter(verb="approve").count() == 1


def test_words_that_were_not_taken_are_shown_again_beside_what_is_kept(desk: Client, morning: Any) -> None:
    mine = {"subject": "My own subject", "preheader": "My line", "note": "My note"}
    answer = desk.post(f"/desk/editions/{morning.ready.id}/write", {"revision": "0", **mine})
    told = answer.content.decode()
    assert answer.status_code == 409
    assert all(words in told for words in mine.values())
    assert f"Kept now: “{morning.ready.subject}”" in told
    assert f'name="revision" value="{morning.ready.revision}"' in told


def test_new_words_are_kept_on_one_line_and_composed_again(desk: Client, morning: Any) -> None:
    words = {
        "subject": "Rain\r\nBcc: everyone@example.org",
        "preheader": " and  more ",
        "note": "One.\n\nTwo.",
    }
    _, told = act(desk, morning.ready.id, "write", revision=morning.ready.revision, **words)
    edition = Edition.objects.get(id=morning.ready.id)
    assert (edition.subject, edition.preheader) == ("Rain Bcc: everyone@example.org", "and more")
    assert edition.state == "collecting"
    assert "The edition is being composed again" in told


@pytest.mark.parametrize(("field", "value"), [("subject", "x" * 301), ("note", "x" * 5001), ("subject", "nul\x00")])
def test_words_that_cannot_be_kept_are_refused_and_shown_again(
    desk: Client, morning: Any, field: str, value: str
) -> None:
    answer = desk.post(f"/desk/editions/{morning.ready.id}/write", {"revision": morning.ready.revision, field: value})
    assert answer.status_code == 400
    assert Edition.objects.get(id=morning.ready.id).revision == morning.ready.revision


def test_skipping_takes_a_reason(desk: Client, morning: Any) -> None:
    _, told = act(desk, morning.ready.id, "skip", revision=morning.ready.revision, reason=" \n ")
    assert "Say why, in a few words" in told
    assert Edition.objects.get(id=morning.ready.id).state == "ready"
    _, told = act(desk, morning.ready.id, "skip", revision=morning.ready.revision, reason="Public\nholiday\x00")
    assert Edition.objects.get(id=morning.ready.id).params == {"who": "Ada", "why": "Public holiday"}
    assert "Ada skipped it: “Public holiday”." in told


@pytest.mark.parametrize("verb", ["approve", "undo", "skip", "write", "pause", "resume", "cancel"])
def test_who_may_only_look_changes_nothing(client: Client, morning: Any, verb: str) -> None:
    client.force_login(staff.ben())
    Edition.objects.filter(id=morning.ready.id).update(origin=None)
    target = morning.leaving.edition_id if verb in {"pause", "resume", "cancel"} else morning.ready.id
    before = Edition.objects.filter(id=target).values().get(), Send.objects.values().get()
    _, told = act(client, target, verb, revision=morning.ready.revision, reason="because", subject="Mine")
    assert (Edition.objects.filter(id=target).values().get(), Send.objects.values().get()) == before
    assert "ask a desk head" in told


def test_a_paused_send_goes_on_where_it_stopped(desk: Client, morning: Any) -> None:
    _, told = act(desk, morning.leaving.edition_id, "pause")
    assert Send.objects.get().state == "paused"
    assert "cannot be recalled" in told
    assert "Resume: send to the other 2" in told
    _, told = act(desk, morning.leaving.edition_id, "resume")
    assert Send.objects.get().state == "submitting"
    assert list(JournalEntry.objects.order_by("id").values_list("verb", "actor__name")) == [
        ("paused", "Ada"),
        ("submitting", "Ada"),
    ]


@pytest.mark.parametrize(
    ("verb", "told"),
    [("pause", "nothing to pause"), ("resume", "nothing to resume"), ("cancel", "nothing left to cancel")],
)
def test_an_act_that_comes_too_late_says_so(desk: Client, morning: Any, verb: str, told: str) -> None:
    Send.objects.update(state="submitted", ended_at=timezone.now())
    assert told in act(desk, morning.leaving.edition_id, verb, reason="because")[1]
    assert Send.objects.get().state == "submitted"


def test_cancelling_takes_a_reason_and_says_what_cannot_be_recalled(desk: Client, morning: Any) -> None:
    assert "Say why" in act(desk, morning.leaving.edition_id, "cancel")[1]
    assert Send.objects.get().state == "submitting"
    _, told = act(desk, morning.leaving.edition_id, "cancel", reason="Wrong lead")
    assert "Cancelled: 2 readers will not get it. 7 messages had been accepted and cannot be recalled." in told
    assert Delivery.objects.filter(state="cancelled").count() == 2
    assert JournalEntry.objects.get(verb="cancel").reason == "Wrong lead"


@pytest.mark.parametrize("verb", ["approve", "undo", "skip", "write", "pause", "resume", "cancel"])
def test_a_form_without_its_token_does_nothing(ada: User, morning: Any, verb: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(f"/desk/editions/{morning.leaving.edition_id}/{verb}").status_code == 403


@pytest.mark.parametrize("verb", ["approve", "undo", "skip", "write", "pause", "resume", "cancel"])
def test_an_act_on_no_edition_is_not_found(desk: Client, verb: str) -> None:
    assert desk.post(f"/desk/editions/999999/{verb}", {"revision": 1, "reason": "because"}).status_code == 404


def test_an_approval_after_the_slot_leaves_after_the_undo_window(desk: Client, morning: Any) -> None:
    Edition.objects.filter(id=morning.ready.id).update(slot_at=morning.now - timedelta(minutes=5))
    act(desk, morning.ready.id, "approve", revision=morning.ready.revision)
    edition = Edition.objects.get(id=morning.ready.id)
    assert edition.leaves_at is not None and edition.approved_at is not None
    assert edition.leaves_at - edition.approved_at == timedelta(seconds=90)


def test_a_pause_says_how_soon_it_stops_and_what_is_gone(desk: Client, morning: Any) -> None:
    count = counts.of([morning.leaving])[morning.leaving.id]
    gone, waiting = count.of("accepted"), count.waiting
    assert gone >= 7
    told = desk.get(f"/desk/editions/{morning.leaving.edition_id}/").content.decode()
    assert f"within about 1 s; {gone} already accepted cannot be recalled, {waiting} would wait." in told
    _, told = act(desk, morning.leaving.edition_id, "pause")
    assert (
        f"Paused. It will stop within about 1 s; {gone} messages already accepted cannot be recalled, and {waiting} readers wait"
        in told
    )
