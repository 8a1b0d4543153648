from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.articles.models import Section
from pipeline.audience.models import Interest
from pipeline.delivery.learned.interests import learn
from pipeline.delivery.models import Send
from pipeline.engagement.models import Event
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries
from tests.factories.engagement import NOW, event

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> Send:
    """An edition to two readers, of whom the first consented, and a story in a section."""
    newsletter = editions.newsletter()
    stories = [articles.article() for _ in range(4)]
    world = Section.objects.create(source=stories[0].source, key="news/world", name="World")
    for story in stories:
        story.section = world
        story.save()
    audience.readers(count=2, follows=newsletter.topic)
    made = deliveries.send(edition=editions.composed(newsletter=newsletter))
    first = made.deliveries.order_by("ordinal")[0].subscriber
    first.tracking = "consented"
    first.save()
    return made


def click(sent: Send, *, place: int = 0, link: int = 0, mode: str = "consented", **fields: object) -> Event:
    links = sent.origin.links.filter(article__isnull=False).order_by("number")
    ordinal = sent.deliveries.order_by("ordinal")[place].ordinal
    return event(origin=sent.origin, ordinal=ordinal, article=links[link].article, mode=mode, **fields)  # type: ignore[arg-type]


def learned() -> list[tuple[str, int]]:
    learn()
    return list(Interest.objects.order_by("section").values_list("section", "clicks"))


def test_a_story_counts_once_a_day_for_its_section(sent: Send) -> None:
    click(sent), click(sent)
    last = click(sent, at=NOW + timedelta(days=1))
    assert learned() == learned() == [("news/world", 2)]
    assert Interest.objects.get().last_at == last.at
    assert Interest.objects.get().subscriber_id == sent.deliveries.order_by("ordinal")[0].subscriber_id


@pytest.mark.parametrize(
    "act", [{"mode": "aggregate"}, {"place": 1}, {"verdict": "scanner"}, {"kind": "open"}],
    ids=["only counted", "a reader who did not consent", "a machine", "an open"],
)  # fmt: skip
def test_nothing_else_is_learned_from(sent: Send, act: dict[str, object]) -> None:
    click(sent, **act)  # type: ignore[arg-type]
    assert learned() == []


def test_what_was_learned_goes_with_the_consent(sent: Send) -> None:
    click(sent)
    assert learned() == [("news/world", 1)]
    reader = sent.deliveries.order_by("ordinal")[0].subscriber
    reader.tracking = "aggregate"
    reader.save()
    assert learned() == []
