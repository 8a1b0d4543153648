"""A newsroom morning with something of everything: what the desk's pages are looked at with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.articles.models import Article, Hold
from pipeline.audience.models import Import, ImportFault, Segment
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.models import Design, DesignVersion, Edition
from pipeline.hooks.models import Notice
from pipeline.hooks.tell import open_hook
from pipeline.posts.models import Post
from pipeline.ranking.models import Chart, Standing
from tests.editions.own.designs import GOOD
from tests.factories import articles, audience, delivery, editions, posts, sources


@dataclass(frozen=True, slots=True)
class Morning:
    """What the morning holds. `now` is the true time: the desk tells it."""

    now: datetime
    ready: Edition
    leaving: Send
    held: Hold
    stories: list[Article]


def morning(*, now: datetime, headlines: Sequence[str] = ("",) * 9) -> Morning:
    """All of its rows. `now` is the true time where a page of the desk will be looked at; nine headlines, if any."""
    source = sources.source(now=now)
    sources.channel(source=source, now=now)
    stories = [
        articles.article(
            source=source, now=now, headline=headline, age_s=1800 + 600 * n, section_path=["World", "Africa"] if n < 4 else ["World"]
        )
        for n, headline in enumerate(headlines)
    ]  # fmt: skip
    frame: dict[str, Any] = {"cutoff_before_s": 60, "compose_before_s": 7200, "now": now}
    brief = editions.newsletter(**frame)
    audience.readers(count=12, follows=brief.topic, now=now)
    early = editions.composed(newsletter=brief, slot_at=now - timedelta(hours=1), now=now - timedelta(hours=1))
    leaving = delivery.send(edition=early, now=now - timedelta(minutes=59))
    states = [Delivery.State.ACCEPTED] * 7 + [Delivery.State.UNKNOWN] * 2 + [Delivery.State.REFUSED]
    delivery.answered(send=leaving, states=states, now=now)
    weekly = editions.newsletter(slug="weekly", name="Weekly", **frame)
    audience.subscriber(follows=weekly.topic, now=now)
    ready = editions.composed(newsletter=weekly, slot_at=now + timedelta(minutes=18), now=now)
    stopped = articles.article(
        source=source, now=now, state=Article.State.HELD, code="embargo", params={"text": "until 09:00"}
    )
    held = Hold.objects.create(article=stopped, code="embargo", at=now)
    own = Design.objects.create(name="Harbour", created_at=now)
    DesignVersion.objects.create(design=own, number=1, source=GOOD, at=now)
    account = posts.account(now=now)
    posts.post(article=stories[0], account=account, state=Post.State.UNKNOWN, code="no_answer", now=now)
    chart = Chart.objects.create(window="today", section="", version="1", computed_at=now, changed_at=now)
    Standing.objects.create(chart=chart, place=1, article=stories[2], value=1204, counted_in="today")
    rule = {"all": [{"follows": weekly.topic.slug}, {"not": {"language": "fr"}}]}
    Segment.objects.create(slug="loyal", name="Loyal", rule=rule, counted=1, counted_at=now, created_at=now)
    rows: dict[str, Any] = {
        "layout": "csv",
        "topic": weekly.topic,
        "state": Import.State.STOPPED,
        "position": 4,
        "rows": 9,
    }
    made_in = Import.objects.create(name="list.csv", digest=bytes(32), added=1, refused=2, started_at=now, **rows)
    ImportFault.objects.create(made_in=made_in, row=3, given="nobody", code="not_an_address", params={"why": "no @"})
    hook, _ = open_hook(url="https://cms.example/dateline", events=["popular.changed"], name="Our CMS", now=now)
    given_up = {"state": Notice.State.GIVEN_UP, "tries": 9, "said": "answered 503"}
    Notice.objects.create(hook=hook, event="popular.changed", at=now, due_at=now, **given_up)
    return Morning(now=now, ready=ready, leaving=leaving, held=held, stories=stories)
