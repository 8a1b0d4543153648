"""Nobody approved it in time, and the newsletter lets the lead go alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.articles.models import Article
from pipeline.delivery.models import Send
from pipeline.editions.acts.review import approve, undo
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry
from tests.factories import staff
from tests.schedule.conftest import CUTOFF, DRAFT, SLOT, Clock, first, newsletter, stories

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_only_the_lead_leaves_and_everything_says_so(clock: Clock) -> None:
    newsletter(unapproved="lead")
    told = stories(4)
    clock.run(DRAFT, SLOT - SECOND, step=timedelta(minutes=5))
    Edition.objects.update(note="A note nobody finished")
    assert first().state == "ready"
    clock.tick(SLOT)
    edition = Edition.objects.select_related("rendering").get(id=first().id)
    assert (edition.state, edition.code, edition.approved_by) == ("sending", "lead_only", None)
    lead, *rest = sorted(told, key=lambda one: one.headline != edition.subject)
    assert lead.headline in edition.rendering.html
    assert lead.headline in edition.rendering.text
    assert not [one for one in rest if one.headline in edition.rendering.html]
    assert "A note nobody finished" not in edition.rendering.html
    assert edition.rendering.parts == [{"block": 1, "topic": ""}]
    assert list(edition.items.filter(picked=True).values_list("article_id", flat=True)) == [lead.id]
    assert set(edition.items.exclude(article=lead).values_list("code", flat=True)) == {"lead_only"}
    assert {link["article_id"] for link in edition.rendering.links if link["article_id"]} == {lead.id}
    entry = JournalEntry.objects.get(verb="lead_only")
    assert (entry.reason, entry.detail) == ("nobody approved it", {"lead": lead.headline})
    assert Send.objects.count() == 1


def test_what_was_left_behind_is_a_candidate_for_the_next_edition(clock: Clock) -> None:
    newsletter(unapproved="lead", minimum=1)
    stories(4)
    clock.run(DRAFT, SLOT, step=timedelta(minutes=5))
    left = set(first().items.filter(code="lead_only").values_list("article_id", flat=True))
    day = timedelta(days=1)
    clock.run(DRAFT + day, DRAFT + day + SECOND)
    tomorrow = Edition.objects.get(slot_at=SLOT + day)
    assert set(tomorrow.items.filter(picked=True).values_list("article_id", flat=True)) == left
    assert len(left) == 3


def test_approved_in_time_it_leaves_whole(clock: Clock) -> None:
    newsletter(unapproved="lead"), stories(4)
    clock.run(DRAFT, CUTOFF)
    approve(edition_id=first().id, revision=first().revision, actor=staff.ada(), now=CUTOFF)
    clock.tick(SLOT)
    assert (first().state, first().code, first().items.filter(picked=True).count()) == ("sending", "", 4)


def test_taken_back_by_a_person_not_even_the_lead_leaves(clock: Clock) -> None:
    newsletter(unapproved="lead"), stories(5)
    ada = staff.ada()
    clock.run(DRAFT, CUTOFF)
    approve(edition_id=first().id, revision=first().revision, actor=ada, now=CUTOFF)
    undo(edition_id=first().id, actor=ada, now=CUTOFF)
    clock.run(SLOT, SLOT + 2 * SECOND, step=SECOND)
    assert (first().state, first().code) == ("held", "not_approved")


def test_a_lead_that_cannot_leave_alone_is_held_like_any_other(clock: Clock) -> None:
    made = newsletter(unapproved="lead")
    stories(5)
    clock.run(DRAFT, SLOT - SECOND, step=timedelta(minutes=5))
    before = list(first().items.filter(picked=True).order_by("id").values_list("article_id", "code"))
    type(made).objects.update(masthead={"zone": "Europe/Brussels", "design": "morning", "postal_address": ""})
    Article.objects.update(headline="")
    clock.tick(SLOT)
    assert (first().state, first().code) == ("held", "not_approved")
    assert list(first().items.filter(picked=True).order_by("id").values_list("article_id", "code")) == before
    assert not JournalEntry.objects.filter(verb="lead_only").exists()
