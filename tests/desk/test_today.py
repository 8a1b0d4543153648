from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.delivery.models import Send
from pipeline.desk import today
from pipeline.editions.acts import review
from pipeline.editions.models import Edition
from pipeline.posts.models import Post
from pipeline.staff.models import User
from tests.factories import articles, audience, delivery, editions, posts, sources

pytestmark = pytest.mark.django_db
MOST_QUERIES = 28


def queries(desk: Client) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert desk.get("/desk/").status_code == 200
    return len(seen)


def test_an_empty_desk_says_why_and_what_comes_next(desk: Client) -> None:
    told = desk.get("/desk/").content.decode()
    for words in (
        "Nothing is planned",
        "No article yet",
        "No edition is dated today",
        "Nothing was posted",
        "No clicks by people",
        "No site is watched",
    ):
        assert words in told


def test_the_line_on_top_says_what_leaves_next_and_what_it_waits_for(morning: Any) -> None:
    Edition.objects.filter(id=morning.leaving.edition_id).update(state=Edition.State.SENT)
    told = today.page(now=morning.now)["line"]
    assert told == "Weekly leaves in 18 min · 9 of at least 3 stories · waiting for your approval".replace("9", "6")


def test_the_line_names_who_approved(morning: Any, ada: User) -> None:
    Edition.objects.filter(id=morning.leaving.edition_id).update(state=Edition.State.SENT)
    review.approve(edition_id=morning.ready.id, revision=morning.ready.revision, actor=ada, now=morning.now)
    assert "approved by Ada" in today.page(now=morning.now)["line"]


def test_what_is_leaving_goes_first(morning: Any) -> None:
    assert today.page(now=morning.now)["line"].startswith("Morning Brief is leaving now")


def test_what_needs_a_person_comes_by_urgency(morning: Any) -> None:
    Send.objects.filter(id=morning.leaving.id).update(
        state=Send.State.PAUSED, code="server_refused", params={"said": "554 no"}
    )
    cards = today.needing(now=morning.now, zone="UTC")
    assert [card["badge"].label for card in cards] == ["paused", "unknown", "ready", "unknown", "held"]
    assert cards[0]["words"] == "The mail server refused us, so it was paused: “554 no”"
    assert cards[1]["title"] == "Morning Brief: 2 deliveries without an answer"
    assert cards[4]["words"] == "It names an embargo (“until 09:00”). Only a person lifts one."


def test_a_held_edition_comes_before_one_that_waits(morning: Any) -> None:
    held = editions.edition(
        newsletter=morning.ready.newsletter,
        slot_at=morning.now + timedelta(hours=2),
        state=Edition.State.HELD,
        code="preflight",
    )
    urls = [card["url"] for card in today.needing(now=morning.now, zone="UTC")]
    assert urls.index(f"/desk/editions/{held.id}/") < urls.index(f"/desk/editions/{morning.ready.id}/")


def test_an_edition_that_leaves_by_rule_needs_nobody(morning: Any) -> None:
    newsletter = morning.ready.newsletter
    newsletter.approval = "rules"
    newsletter.save()
    assert not [card for card in today.needing(now=morning.now, zone="UTC") if card["badge"].label == "ready"]


def test_an_article_says_where_it_is_in_or_why_it_is_not(desk: Client, morning: Any) -> None:
    rows = today.page(now=morning.now)["articles"]
    uses = {row["headline"]: [use["words"] for use in row["uses"]] for row in rows}
    assert uses[morning.stories[0].headline] == ["Weekly #1", "agora unknown"]
    assert uses[morning.stories[4].headline] == ["Morning Brief #1", "Weekly #5"]
    last = next(row for row in rows if row["headline"] == morning.stories[8].headline)
    assert "no room in" in last["excuse"]


def test_articles_found_at_one_look_stand_by_their_dates() -> None:
    now = timezone.now()
    for age in (100, 300, 200):
        articles.article(now=now, age_s=60, headline=f"{age}", published_at=now - timedelta(seconds=age))
    assert [row["headline"] for row in today.page(now=now)["articles"]] == ["100", "200", "300"]


def test_an_edition_belongs_to_the_day_of_its_own_clock(db: None) -> None:
    now = timezone.now().replace(hour=20, minute=30)
    tokyo = editions.newsletter(zone="Asia/Tokyo", now=now)
    editions.edition(newsletter=tokyo, slot_at=now.replace(hour=14))
    tomorrow_there = editions.edition(newsletter=tokyo, slot_at=now + timedelta(hours=1))
    assert [row["id"] for row in today.page(now=now)["editions"]] == [tomorrow_there.id]


def test_most_popular_is_shown_as_it_stands(desk: Client, morning: Any) -> None:
    told = desk.get("/desk/").content.decode()
    assert morning.stories[2].headline in told
    assert "1\u202f204" in told


def test_a_headline_is_text_whatever_it_holds(desk: Client, morning: Any) -> None:
    articles.article(headline="<script>alert(1)</script>", url="javascript:alert(2)")
    told = desk.get("/desk/").content.decode()
    assert "<script>alert" not in told
    assert "&lt;script&gt;" in told
    assert "javascript:" not in told


def test_the_queries_do_not_grow_with_the_newsroom(desk: Client, morning: Any, ada: User) -> None:
    desk.get("/desk/")
    few = queries(desk)
    now = morning.now
    account = posts.account(handle="@second", now=now)
    for number in range(6):
        source = sources.source(now=now)
        letter = editions.newsletter(slug=f"n{number}", name=f"N{number}", now=now, cutoff_before_s=60)
        audience.subscriber(address=f"{number}@example.org", follows=letter.topic, now=now)
        early = editions.composed(
            newsletter=letter, slot_at=now - timedelta(minutes=30), now=now - timedelta(minutes=31)
        )
        delivery.send(edition=early, now=now - timedelta(minutes=29), state=Send.State.PAUSED, code="paused")
        editions.composed(newsletter=letter, slot_at=now + timedelta(minutes=number + 2), now=now)
        editions.edition(
            newsletter=letter, slot_at=now + timedelta(minutes=50), state=Edition.State.HELD, code="preflight"
        )
        for age in range(6):
            article = articles.article(source=source, now=now, age_s=900 - 100 * number - age)
            posts.post(article=article, account=account, now=now, state=Post.State.REJECTED, code="refused")
            articles.article(
                source=source,
                now=now,
                state=Article.State.HELD,
                code="burst",
                params={"fresh": 9, "limit": 5.0},
            )
    assert queries(desk) == few <= MOST_QUERIES


@pytest.mark.parametrize("url", ["/desk/articles/", "/desk/posts/", "/desk/editions/", "/desk/status/"])
def test_a_list_takes_the_same_few_queries_for_many_rows(desk: Client, morning: Any, url: str) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(url).status_code == 200
        return len(seen)

    few = taken()
    account = posts.account(handle="@second")
    for _ in range(30):
        posts.post(article=articles.article(), account=account)
        editions.edition(
            newsletter=morning.ready.newsletter, slot_at=morning.now + timedelta(days=Edition.objects.count())
        )
        sources.channel(source=sources.source())
    assert taken() == few <= (15 if "status" in url else 12)
