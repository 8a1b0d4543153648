"""Whose copy differs: by what they followed, and by what they had, when their edition's audience was frozen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.articles.models import Article
from pipeline.audience import subscribe
from pipeline.audience.models import Subscriber, Subscription
from pipeline.delivery.message import choices
from pipeline.delivery.message.choices import Choice, Chosen, chosen
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.models import Block, Edition, Item, Newsletter
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
SECTIONS = ("Africa", "Asia", "Books")
BLOCKS: list[dict[str, Any]] = [
    {"kind": "lead", "title": "", "rule": {"count": 1}},
    *({"kind": "section", "title": s, "rule": {"count": 2, "sections": [s], "topic": s.lower()}} for s in SECTIONS),
]
NAMES = ("ada", "ben", "cleo", "dan")


def of(send: Send) -> Chosen:
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=send.edition_id)
    return chosen(edition, batch_id=send.batches.get().id)


def by_name(send: Send) -> dict[str, Choice]:
    names = {row.ordinal: row.address.partition("@")[0] for row in send.deliveries.all()}
    return {names[ordinal]: copy for ordinal, copy in of(send).copies.items()}


@pytest.fixture
def newsletter() -> Newsletter:
    made = editions.newsletter(blocks=BLOCKS)
    for name in NAMES:
        audience.subscriber(address=f"{name}@example.org", follows=made.topic)
    articles.article(headline="Lead", age_s=200)
    for n, section in enumerate(SECTIONS * 2, start=2):
        articles.article(headline=f"{section} {n}", section_path=[section], age_s=200 * n)
    return made


def follow(name: str, *slugs: str, since: datetime = NOW, left_at: datetime | None = None) -> None:
    reader = Subscriber.objects.get(address=f"{name}@example.org")
    for slug in slugs:
        Subscription.objects.create(subscriber=reader, topic=audience.topic(slug=slug), since=since, left_at=left_at)


def sent(newsletter: Newsletter, *, at: datetime = NOW, **settings: Any) -> Send:
    Newsletter.objects.filter(id=newsletter.id).update(**settings)
    newsletter.refresh_from_db()
    edition = editions.composed(newsletter=newsletter, slot_at=at + timedelta(minutes=18), now=at)
    return deliveries.send(edition=edition, now=at)


def test_where_everybody_gets_everything_nobody_is_asked_what_they_follow(newsletter: Newsletter) -> None:
    follow("ada", "asia")
    send = sent(newsletter)
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=send.edition_id)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert chosen(edition, batch_id=send.batches.get().id) == Chosen()
    assert len(queries) == 2, "the batch's own id, and who is not to be recorded"


def test_topics_a_reader_follows_come_first(newsletter: Newsletter) -> None:
    follow("ada", "asia")
    follow("ben", "books", "asia")
    follow("cleo", "africa", "asia", "books")
    follow("dan", "chess")
    send = sent(newsletter, reader_choice="first")
    assert [part["topic"] for part in send.edition.rendering.parts] == ["", "africa", "asia", "books"]
    assert by_name(send) == {"ada": Choice((1, 3, 2, 4)), "ben": Choice((1, 3, 4, 2))}


def test_topics_a_reader_does_not_follow_are_left_out_where_they_chose_some(newsletter: Newsletter) -> None:
    follow("ada", "asia")
    follow("dan", "chess")
    assert by_name(sent(newsletter, reader_choice="only")) == {"ada": Choice((1, 3))}


def test_what_counts_is_what_they_followed_when_the_audience_was_frozen(newsletter: Newsletter) -> None:
    later = NOW + timedelta(minutes=1)
    follow("ada", "asia", left_at=later)
    follow("ben", "asia", left_at=NOW - timedelta(minutes=1))
    follow("cleo", "asia", since=later)
    send = sent(newsletter, reader_choice="only")
    before = by_name(send)
    assert before == {"ada": Choice((1, 3))}
    reader = Subscriber.objects.get(address="ada@example.org")
    subscribe.leave(subscriber_id=reader.id, topic_id=audience.topic(slug="asia").id, origin="test", now=later)
    assert by_name(send) == before, "a batch claimed again gives the same copies"


def test_a_batch_asks_once_what_its_readers_follow_however_many_they_are(newsletter: Newsletter) -> None:
    for name in NAMES:
        follow(name, "asia", "books")
    send = sent(newsletter, reader_choice="first")
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=send.edition_id)
    batch_id = send.batches.get().id
    with CaptureQueriesContext(connection) as queries:
        assert len(chosen(edition, batch_id=batch_id).copies) == len(NAMES)
    assert len(queries) == 2, "what they follow, and who is not to be recorded"


ALL_NEWS: list[dict[str, Any]] = [
    {"kind": "lead", "title": "", "rule": {"count": 1}},
    {"kind": "top", "title": "", "rule": {"count": 6}},
]


def other(slug: str = "evening", *, had: Iterable[str], stories: Iterable[Article], state: str = "accepted",
          answered_at: datetime = NOW - timedelta(hours=2), **settings: Any) -> Send:  # fmt: skip
    """Another newsletter's edition with these stories, as these readers have it."""
    newsletter = editions.newsletter(slug=slug, blocks=ALL_NEWS, **settings)
    for name in had:
        reader = Subscriber.objects.get(address=f"{name}@example.org")
        Subscription.objects.create(subscriber=reader, topic=newsletter.topic, since=NOW)
    edition = editions.composed(newsletter=newsletter, slot_at=NOW + timedelta(minutes=17))
    edition.items.all().delete()
    for n, article in enumerate(stories):
        place = newsletter.blocks.all()[1]
        editions.item(edition=edition, article=article, position=n, block=place, version=article.version)
    send = deliveries.send(edition=edition)
    send.deliveries.update(state=state, answered_at=answered_at)
    return send


def story(start: str) -> Article:
    return Article.objects.get(headline__startswith=start)


@pytest.fixture
def asia(newsletter: Newsletter) -> Article:
    return Article.objects.filter(headline__startswith="Asia").order_by("id")[0]


def test_a_story_they_had_from_another_newsletter_this_week_is_left_out(newsletter: Newsletter, asia: Article) -> None:
    other(had=["ada", "ben"], stories=[asia, story("Lead")])
    other("africa-weekly", had=["ben"], stories=list(Article.objects.filter(headline__startswith="Africa")))
    send = sent(newsletter, remembers_readers=True)
    both = frozenset({asia.id, story("Lead").id})
    africa = frozenset(Article.objects.filter(headline__startswith="Africa").values_list("id", flat=True))
    assert by_name(send) == {"ada": Choice(None, both), "ben": Choice(None, both | africa)}
    assert of(send).nothing_new == frozenset()


def test_a_newsletter_that_does_not_remember_leaves_nothing_out(newsletter: Newsletter, asia: Article) -> None:
    other(had=["ada"], stories=[asia])
    assert by_name(sent(newsletter)) == {}


@pytest.mark.parametrize(
    ("case", "remembered"),
    [
        ({}, True),
        ({"state": "complained"}, True),
        ({"state": "bounced"}, False),
        ({"state": "unknown"}, False),
        ({"state": "pending"}, False),
        ({"answered_at": NOW}, True),
        ({"answered_at": NOW - timedelta(days=7) + timedelta(seconds=1)}, True),
        ({"answered_at": NOW - timedelta(days=7)}, False),
        ({"answered_at": NOW + timedelta(seconds=1)}, False),
        ({"reader_choice": "first"}, True),
    ],
)
def test_had_is_what_a_server_took_within_a_week_before_the_freeze(
    newsletter: Newsletter, asia: Article, case: dict[str, Any], remembered: bool
) -> None:
    other(had=["ada"], stories=[asia], **case)
    assert bool(by_name(sent(newsletter, remembers_readers=True))) is remembered


def test_a_story_that_developed_since_is_shown_again(newsletter: Newsletter, asia: Article) -> None:
    other(had=["ada"], stories=[asia])
    Article.objects.filter(id=asia.id).update(version=asia.version + 1)
    assert by_name(sent(newsletter, remembers_readers=True)) == {}


def test_a_story_considered_and_not_placed_was_not_had(newsletter: Newsletter, asia: Article) -> None:
    had = other(had=["ada"], stories=[asia])
    Item.objects.filter(edition=had.edition).update(picked=False)
    assert by_name(sent(newsletter, remembers_readers=True)) == {}


@pytest.mark.parametrize("elsewhere", [{"kind": "popular"}, {"kind": "section", "rule": {"topic": "asia"}}])
def test_a_place_in_a_chart_or_in_a_block_for_followers_only_does_not_count(
    newsletter: Newsletter, asia: Article, elsewhere: dict[str, Any]
) -> None:
    had = other(had=["ada"], stories=[asia], reader_choice="only")
    Block.objects.filter(newsletter=had.edition.newsletter).update(**elsewhere)
    assert by_name(sent(newsletter, remembers_readers=True)) == {}


def test_the_same_newsletters_earlier_edition_is_not_another_newsletter(newsletter: Newsletter, asia: Article) -> None:
    had = other(had=["ada"], stories=[asia])
    Edition.objects.filter(id=had.edition_id).update(newsletter=newsletter)
    Article.objects.filter(id=asia.id).update(version=2)
    Item.objects.filter(edition=had.edition).update(version=2)
    send = sent(newsletter, remembers_readers=True)
    assert Item.objects.filter(edition=send.edition, article=asia).exists()
    assert by_name(send) == {}


def test_a_reader_who_had_everything_gets_nothing(newsletter: Newsletter) -> None:
    other(had=["ada"], stories=Article.objects.all())
    found = of(sent(newsletter, remembers_readers=True))
    assert found.copies == {}
    assert found.nothing_new == frozenset(Delivery.objects.filter(address="ada@example.org", send__edition__newsletter=newsletter).values_list("ordinal", flat=True))  # fmt: skip
    assert len(found.nothing_new) == 1


def test_a_reader_whose_own_blocks_hold_nothing_new_gets_nothing(newsletter: Newsletter) -> None:
    """Ada follows only Asia here, and had it and the lead; what is new is in blocks she does not get."""
    follow("ada", "asia")
    follow("ben", "books")
    seen = [story("Lead"), *Article.objects.filter(headline__startswith="Asia")]
    other(had=["ada", "ben"], stories=seen)
    send = sent(newsletter, remembers_readers=True, reader_choice="only")
    assert {row.address for row in send.deliveries.filter(ordinal__in=of(send).nothing_new)} == {"ada@example.org"}
    assert by_name(send) == {"ben": Choice((1, 4), frozenset(article.id for article in seen))}


def test_readers_of_the_smallest_sets_get_it_whole_and_the_log_counts_them(
    newsletter: Newsletter, asia: Article, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choices, "MOST_COHORTS", 1)
    other(had=["ada", "ben"], stories=[asia])
    other("africa-weekly", had=["cleo"], stories=[story("Lead")])
    send = sent(newsletter, remembers_readers=True)
    assert by_name(send) == {"ada": Choice(None, frozenset({asia.id})), "ben": Choice(None, frozenset({asia.id}))}
    assert "2 sets of stories its readers had; 1 readers of the smallest get it whole" in caplog.text


def test_nobody_is_spared_a_story_where_the_edition_can_no_longer_be_made_again(
    newsletter: Newsletter, asia: Article
) -> None:
    other(had=["ada"], stories=Article.objects.all())
    send = sent(newsletter, remembers_readers=True)
    Article.objects.filter(id=asia.id).update(headline="Corrected")
    assert of(send) == Chosen()
