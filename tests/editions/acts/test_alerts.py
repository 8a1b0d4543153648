"""Breaking alerts, and their brakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.editions.acts.alerts import raise_alert
from pipeline.editions.acts.review import Refused
from pipeline.editions.assemble import content_of
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition, Newsletter
from pipeline.staff.models import JournalEntry, User
from tests.factories import articles, editions, staff

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def alerts() -> Newsletter:
    return editions.newsletter(
        slug="alerts", name="Alerts", kind="alert", minimum=1, blocks=[{"kind": "lead", "rule": {"count": 1}}]
    )


@pytest.fixture
def head() -> User:
    return staff.user(email="head@example.org", role="head")


@pytest.fixture
def editor() -> User:
    return staff.user(email="editor@example.org", role="editor")


def alert(alerts: Newsletter, actor: User, *, now: datetime = NOW, **fields: object) -> Edition:
    known = {"article_id": articles.article().id, "so_what": "Ports close at noon.\n\nTrains run."}
    return raise_alert(newsletter_id=alerts.id, actor=actor, now=now, **{**known, **fields})  # type: ignore[arg-type]


def test_an_alert_is_one_story_with_its_so_what(alerts: Newsletter, editor: User) -> None:
    edition = alert(alerts, editor)
    articles.article()
    assert compose(edition_id=edition.id, now=NOW) == "ready"
    content = content_of(Edition.objects.get(id=edition.id))
    assert len(content.stories()) == 1
    assert content.blocks[0].note.startswith("Ports close")
    assert content.masthead.design == "breaking"


def test_a_second_alert_within_the_pause_needs_a_head_and_a_reason(
    alerts: Newsletter, editor: User, head: User
) -> None:
    first = alert(alerts, editor)
    Edition.objects.filter(id=first.id).update(state="sent")
    soon = NOW + timedelta(minutes=12)
    with pytest.raises(Refused, match="12 min ago"):
        alert(alerts, editor, now=soon)
    with pytest.raises(Refused, match="give a reason"):
        alert(alerts, head, now=soon)
    assert alert(alerts, head, now=soon, despite="the second quake")
    assert JournalEntry.objects.filter(verb="alert", reason="the second quake").exists()


def test_after_the_pause_anyone_who_edits_may_alert(alerts: Newsletter, editor: User) -> None:
    Edition.objects.filter(id=alert(alerts, editor).id).update(state="sent")
    assert alert(alerts, editor, now=NOW + timedelta(minutes=31))


def test_the_same_story_is_not_alerted_twice_by_accident(alerts: Newsletter, editor: User) -> None:
    story = articles.article()
    Edition.objects.filter(id=alert(alerts, editor, article_id=story.id).id).update(state="sent")
    with pytest.raises(Refused, match="alerted of this story"):
        alert(alerts, editor, article_id=story.id, now=NOW + timedelta(hours=5))


def test_of_two_who_alert_of_the_same_story_at_once_the_second_is_told(alerts: Newsletter, editor: User) -> None:
    story = articles.article()
    assert alert(alerts, editor, article_id=story.id).state == "collecting", "nobody has composed it yet"
    with pytest.raises(Refused, match="alerted of this story"):
        alert(alerts, editor, article_id=story.id, now=NOW + timedelta(seconds=1))


def test_an_alert_that_was_skipped_alarmed_nobody(alerts: Newsletter, editor: User) -> None:
    Edition.objects.filter(id=alert(alerts, editor).id).update(state="skipped")
    assert alert(alerts, editor, now=NOW + timedelta(minutes=1))


def test_a_held_or_killed_story_cannot_be_alerted(alerts: Newsletter, editor: User) -> None:
    held = articles.article(state="held", announced_at=None)
    with pytest.raises(Refused, match="may not be announced"):
        alert(alerts, editor, article_id=held.id)


def test_a_viewer_may_not_alert(alerts: Newsletter) -> None:
    with pytest.raises(Refused, match="may not alert"):
        alert(alerts, staff.user(email="v@example.org", role="viewer"))
