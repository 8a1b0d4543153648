"""The letter that says a draft is ready: once, to those who may decide, and in nobody's way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from pipeline.editions.compose import ASK_AGAIN
from pipeline.editions.models import Edition
from pipeline.schedule.alarms import drafts
from pipeline.schedule.alarms.seals import Sealed, opened
from pipeline.staff.journal import note
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import staff
from tests.schedule.alarms.conftest import Letters
from tests.schedule.conftest import DRAFT, Clock, first, newsletter, stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db: None) -> None:
    staff.ada()
    staff.ben()
    staff.user(email="head@example.org", role=Role.HEAD)
    staff.user(email="gone@example.org", is_active=False)
    staff.user(email="social@example.org", role=Role.SOCIAL)


@pytest.mark.usefixtures("desk")
def test_those_who_may_edit_get_what_is_in_it_and_where_to_decide(clock: Clock, post: Letters) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 2
    assert [to for to, _ in post.taken] == ["ada@example.org", "head@example.org"]
    letter = post.taken[0][1]
    assert letter["Subject"] == "Morning Brief is ready: leaves at 06:30 CEST"
    assert (letter["To"], letter["List-Unsubscribe"]) == ("ada@example.org", None)
    assert letter["Message-ID"] != post.taken[1][1]["Message-ID"]
    words = " ".join(post.words().split())
    url = f"/desk/editions/{first().id}"
    for said in (
        f"Subject: {first().subject}", "Stories: 4", "If nobody approves it by 06:30 CEST, it is held and nothing is sent.",
        f"{url}#words", "opening it decides nothing",
    ):  # fmt: skip
        assert said in words
    assert {link for part in letter.walk() for link in [part.get_content_type()]} >= {"text/plain", "text/html"}


@pytest.mark.usefixtures("desk")
def test_each_gets_a_link_of_their_own_that_works_until_it_leaves(clock: Clock, post: Letters) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    drafts.tell(edition_id=first().id, now=DRAFT)
    links = [re.search(r"/desk/decide/(\S+)", post.words(n)) for n in (0, 1)]
    sealed = [opened(link[1]) for link in links if link]
    assert sealed == [
        Sealed(User.objects.get(email=to).id, first().id, first().slot_at)
        for to in ("ada@example.org", "head@example.org")
    ]


@pytest.mark.usefixtures("desk")
def test_whoever_may_not_decide_about_this_newsletter_gets_no_letter(clock: Clock, post: Letters) -> None:
    newsletter(), stories()
    User.objects.filter(email="head@example.org").update(is_limited=True)
    clock.tick(DRAFT)
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 1
    assert [to for to, _ in post.taken] == ["ada@example.org"]


@pytest.mark.usefixtures("desk")
def test_composed_again_it_is_not_told_again(clock: Clock, post: Letters) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    drafts.tell(edition_id=first().id, now=DRAFT)
    clock.run(DRAFT, DRAFT + timedelta(minutes=40), step=timedelta(minutes=5))
    assert drafts.tell(edition_id=first().id, now=DRAFT) is None
    assert len(post.taken) == 2
    assert JournalEntry.objects.get(verb="draft_ready").detail == {"letters": 2}


@pytest.mark.usefixtures("desk")
def test_once_an_approval_was_taken_back_for_a_correction_its_editors_are_asked_again(
    clock: Clock, post: Letters
) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 2
    note(verb=ASK_AGAIN, subject="edition", subject_id=first().id, now=DRAFT + timedelta(minutes=9))
    assert drafts.tell(edition_id=first().id, now=DRAFT + timedelta(minutes=10)) == 2
    assert drafts.tell(edition_id=first().id, now=DRAFT + timedelta(minutes=11)) is None


@pytest.mark.parametrize(
    ("policy", "said"),
    [("hold", "held and nothing is sent"), ("send", "sent as it is"), ("lead", "only its lead story")],
)
def test_the_policy_stands_in_words(policy: str, said: str) -> None:
    made = newsletter(unapproved=policy)
    edition = Edition.objects.create(newsletter=made, slot_at=DRAFT + timedelta(minutes=45), state="ready")
    assert said in drafts.policy_of(edition)
    edition.state = "held"
    assert drafts.policy_of(edition) == "It is held: nothing is sent before somebody decides."


@pytest.mark.usefixtures("desk")
def test_a_relay_that_is_away_or_refuses_stops_nothing(clock: Clock, post: Letters, at_relay: Any) -> None:
    newsletter(), stories()
    clock.tick(DRAFT)
    post.refused.add("ada@example.org")
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 1
    JournalEntry.objects.all().delete()
    at_relay("smtp://127.0.0.1:1")
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 0
    JournalEntry.objects.all().delete()
    at_relay("")
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 0
    assert first().state == "ready"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("settings", "rings"),
    [({}, 1), ({"approval": "rules"}, 0), ({"state": "paused"}, 0)],
    ids=["editor", "rules", "paused"],
)
def test_the_tick_rings_for_drafts_that_wait_for_a_person(clock: Clock, settings: dict[str, str], rings: int) -> None:
    made = newsletter()
    stories()
    clock.tick(DRAFT)
    type(made).objects.update(**settings)
    clock.rung.clear()
    drafts.sweep(now=DRAFT)
    clock.answer(now=DRAFT)
    assert clock.rung["schedule.notice"] == rings


@pytest.mark.usefixtures("desk")
def test_what_preflight_blocks_is_told_too_with_its_reason(clock: Clock, post: Letters) -> None:
    made = newsletter()
    type(made).objects.update(
        masthead={"zone": "Europe/Brussels", "home_url": "https://dispatch.example", "logo_url": "x"}
    )
    stories()
    clock.tick(DRAFT)
    Edition.objects.filter(id=first().id).update(
        state="held", code="preflight", preflight=[{"level": "block", "code": "x", "sentence": "It names no address."}]
    )
    assert drafts.tell(edition_id=first().id, now=DRAFT) == 2
    assert "* It names no address." in post.words()
    assert "It is held: nothing is sent before somebody decides." in post.words()


@pytest.mark.usefixtures("desk")
def test_of_two_who_tell_at_once_the_one_that_waited_looks_again(clock: Clock, post: Letters) -> None:
    """A row that was only locked is not judged anew by the statement that waited for it."""
    newsletter(), stories()
    clock.tick(DRAFT)
    told: list[JournalEntry] = []

    def other(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "FOR UPDATE" in sql and not told:
            told.append(note(verb=drafts.VERB, subject="edition", subject_id=first().id, now=DRAFT))
        return answer

    with connection.execute_wrapper(other):
        assert drafts.tell(edition_id=first().id, now=DRAFT) is None
    assert JournalEntry.objects.get(verb=drafts.VERB) == told[0]
