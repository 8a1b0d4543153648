"""Who is here: said by the page, forgotten after a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.staff import presence
from pipeline.staff.models import Presence, User
from tests.factories import staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


@pytest.fixture
def both() -> tuple[User, User]:
    return staff.ada(), staff.ben()


def beat(user: User, *, at: datetime = NOW, of: int = 1, part: str = "words") -> None:
    presence.beat(user=user, subject="edition", subject_id=of, part=part, now=at)


def here(user: User, *, at: datetime = NOW, of: int = 1) -> list[presence.Here]:
    return presence.others(subject="edition", subject_id=of, but=user, now=at)


def test_everybody_sees_the_others_and_not_themselves(both: tuple[User, User]) -> None:
    ada, ben = both
    beat(ada), beat(ben, part="story-3"), beat(ben, of=2)
    assert here(ada) == [presence.Here("Ben", "story-3")]
    assert here(ben) == [presence.Here("Ada", "words")]


def test_a_beat_is_one_row_however_often_it_comes(both: tuple[User, User]) -> None:
    ada, ben = both
    for s in range(3):
        beat(ada, at=NOW + timedelta(seconds=20 * s), part=f"story-{s}")
    assert here(ben, at=NOW + timedelta(seconds=40)) == [presence.Here("Ada", "story-2")]
    assert Presence.objects.count() == 1


def test_a_minute_of_silence_is_a_farewell(both: tuple[User, User]) -> None:
    ada, ben = both
    beat(ada), beat(ben, at=NOW + timedelta(seconds=30))
    assert here(ben, at=NOW + timedelta(seconds=59)) != []
    assert here(ben, at=NOW + timedelta(seconds=60)) == []
    assert presence.forget(now=NOW + timedelta(seconds=60)) == 1
    assert Presence.objects.get().user == ben
