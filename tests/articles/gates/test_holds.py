"""Held with one cause as one batch; released, discarded or killed by a person, and written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.articles.gates import holds
from pipeline.articles.gates.screen import Decision, State
from pipeline.articles.models import Article, Bulletin
from pipeline.sources.models import Source
from pipeline.staff.models import JournalEntry, User
from tests.factories import articles, sources, staff

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BURST = Decision(State.HELD, "burst", {"fresh": 9, "limit": 5})
pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> Source:
    return sources.source(now=NOW)


@pytest.fixture
def editor() -> User:
    return staff.user()


def held(source: Source, count: int, decision: Decision = BURST, *, now: datetime = NOW) -> list[Article]:
    found = [articles.article(source=source, now=now, state=Article.State.SEEN) for _ in range(count)]
    for article in found:
        holds.set_aside(article, decision, now=now)
    return found


def batches() -> set[str]:
    return set(holds.open_batches().values_list("batch", flat=True))


def test_five_hundred_of_one_event_are_one_hold(source: Source) -> None:
    held(source, 50)
    assert len(batches()) == 1


def test_other_causes_and_other_sites_are_other_holds(source: Source) -> None:
    held(source, 2)
    held(source, 2, Decision(State.HELD, "source_event", {}))
    held(sources.source(now=NOW), 2)
    held(source, 2, now=NOW + timedelta(hours=7))
    assert len(batches()) == 4


def test_each_embargo_is_a_hold_of_its_own(source: Source) -> None:
    held(source, 3, Decision(State.HELD, "embargo", {"text": "EMBARGOED"}))
    assert len(batches()) == 3


def test_one_click_releases_a_batch_and_tells_it(source: Source, editor: User) -> None:
    held(source, 7)
    [batch] = batches()
    assert holds.release_batch(batch=batch, actor=editor, now=NOW) == 7
    assert holds.release_batch(batch=batch, actor=editor, now=NOW) == 0
    assert Bulletin.objects.filter(kind="new").count() == 7
    assert JournalEntry.objects.filter(verb="release", actor=editor).count() == 7


def test_a_discarded_batch_is_archived_and_never_told(source: Source, editor: User) -> None:
    held(source, 4)
    [batch] = batches()
    assert holds.discard_batch(batch=batch, actor=editor, now=NOW, reason="an import") == 4
    assert set(Article.objects.values_list("state", "code")) == {("archived", "discarded")}
    assert not batches() and not Bulletin.objects.exists()


def test_pulling_back_leaves_what_was_told_or_released(source: Source) -> None:
    told = articles.article(source=source, now=NOW, age_s=60)
    released = articles.article(source=source, now=NOW, age_s=60, announced_at=None, code="released")
    ready = articles.article(source=source, now=NOW, age_s=60, announced_at=None)
    [last] = held(source, 1)
    assert holds.pull_back(last, BURST, now=NOW, since=NOW - timedelta(hours=1)) == 1
    states = {row.id: row.state for row in Article.objects.all()}
    assert (states[told.id], states[released.id], states[ready.id]) == ("eligible", "eligible", "held")


def test_a_killed_story_says_so_once(source: Source, editor: User) -> None:
    article = articles.article(source=source, now=NOW)
    assert holds.kill(article_id=article.id, actor=editor, now=NOW, reason="libel")
    assert not holds.kill(article_id=article.id, actor=editor, now=NOW, reason="libel")
    killed = Article.objects.get()
    assert (killed.state, killed.killed_at) == ("killed", NOW)
    assert Bulletin.objects.get().said == "libel"
