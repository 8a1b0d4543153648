"""A newsroom grown large, made in the database by SQL: rows as the workers would have left them, none of them worked for.

Two years of a house: 5,000 articles, 1,000,000 readers, 400 editions, 50,000,000 clicks as tallies, and deliveries of the
last sends, one of them to everybody and half way. Raw events are those of the last day.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ARTICLES, READERS, CLICKS, EDITIONS = 5000, 1_000_000, 50_000_000, 400
SENDS, RECIPIENTS, BATCH = 10, 100_000, 1000
MINUTES_OF_AN_ARTICLE, EVENTS, CONSIDERED, PICKED, ACCOUNTS = 300, 200_000, 30, 12, 4

_READERS = """
INSERT INTO dateline_subscriber (address, address_hash, name, state, language, zone, tracking, last_human_at, joined_at, created_at)
SELECT 'reader' || n || '@' || (ARRAY['gmail.com', 'yahoo.fr', 'outlook.com', 'hotmail.co.uk', 'post' || n %% 5000 || '.example'])[1 + n %% 5],
       decode(md5(n::text), 'hex'), '', 'active', 'en', 'Europe/Brussels', 'aggregate',
       %(now)s::timestamptz - n %% 200 * interval '1 day', %(now)s::timestamptz - n %% 700 * interval '1 day',
       %(now)s::timestamptz - n %% 700 * interval '1 day'
  FROM generate_series(1, %(readers)s) AS n
"""
_SUBSCRIPTIONS = """
INSERT INTO dateline_subscription (subscriber_id, topic_id, since, left_at, pace)
SELECT id, %(topic)s, created_at, CASE WHEN id %% 20 = 0 THEN %(now)s::timestamptz - id %% 600 * interval '1 hour' END, 'every'
  FROM dateline_subscriber WHERE id %% %(every)s = 0
"""
_CONSENTS = """
INSERT INTO dateline_consent (subscriber_id, topic_id, at, act, origin, wording, network, form, wording_version)
SELECT id, %(topic)s, created_at, 'confirmed', 'sign-up form', '', '', '', '' FROM dateline_subscriber
"""
_SUPPRESSIONS = """
INSERT INTO dateline_suppression (address_hash, reason, at, detail)
SELECT address_hash, 'bounced', created_at, '' FROM dateline_subscriber WHERE id %% 50 = 7
"""
_BATCHES = """
INSERT INTO dateline_batch (send_id, number, state, fence, host, due_at)
SELECT %(send)s, n, CASE WHEN n * %(size)s < %(done)s THEN 'done' ELSE 'pending' END,
       CASE WHEN n * %(size)s < %(done)s THEN 1 ELSE 0 END, '', %(now)s
  FROM generate_series(0, (%(recipients)s - 1) / %(size)s) AS n
"""
_DELIVERIES = """
INSERT INTO dateline_delivery (send_id, batch_id, subscriber_id, ordinal, address, state, reason, transport, remote_id, smtp_code, tries, answered_at)
SELECT %(send)s, batch.id, reader.id, reader.n, reader.address,
       CASE WHEN reader.n > %(done)s THEN 'pending' WHEN reader.n %% 400 = 1 THEN 'bounced' WHEN reader.n %% 1500 = 2 THEN 'refused'
            WHEN reader.n %% 5000 = 3 THEN 'complained' WHEN reader.n %% 9000 = 4 THEN 'unknown' ELSE 'accepted' END,
       CASE WHEN reader.n %% 1500 = 2 THEN '5.1.1 no such user' ELSE '' END, '', '', CASE WHEN reader.n %% 1500 = 2 THEN 550 ELSE 250 END, 1,
       CASE WHEN reader.n <= %(done)s THEN %(now)s::timestamptz + reader.n * interval '1 millisecond' END
  FROM (SELECT id, address, row_number() OVER (ORDER BY id) AS n FROM dateline_subscriber ORDER BY id LIMIT %(recipients)s) AS reader
  JOIN dateline_batch batch ON batch.send_id = %(send)s AND batch.number = (reader.n - 1) / %(size)s
"""
_TALLIES = """
INSERT INTO dateline_tally (article_id, minute, channel, n)
SELECT article.id, extract(epoch FROM article.first_seen_at)::bigint / 60 + minute * (1 + minute / 30), (ARRAY['email', 'social', 'site'])[1 + minute %% 3], %(each)s
  FROM dateline_article article, generate_series(1, %(minutes)s) AS minute
"""
_EVENTS = """
INSERT INTO dateline_event (id, at, kind, origin_id, ordinal, link, article_id, channel, person, network, agent, method, flags, verdict, rules, counted, mode)
SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), %(now)s::timestamptz - n * interval '400 milliseconds', 'click', %(origin)s, n, n %% 12, article.id, 'email',
       decode(md5(n::text), 'hex'), decode(md5((n %% 999)::text), 'hex'), 'Mozilla/5.0', 'GET', 1, CASE WHEN n %% 9 = 0 THEN 'scanner' ELSE 'human' END,
       CASE WHEN n %% 9 = 0 THEN '["R5"]'::jsonb ELSE '[]'::jsonb END, n %% 9 <> 0, 'aggregate'
  FROM generate_series(1, %(events)s) AS n
  JOIN (SELECT id, row_number() OVER (ORDER BY id DESC) AS place FROM dateline_article) AS article ON article.place = 1 + n %% 60
"""
_JOURNAL = """
INSERT INTO dateline_journalentry (at, actor_id, verb, subject, subject_id, reason, detail)
SELECT %(now)s::timestamptz - n * interval '10 minutes', %(actor)s, 'rewrite', 'edition', 1 + n %% %(editions)s, '', '{}'::jsonb
  FROM generate_series(1, 40000) AS n
"""


@dataclass(slots=True)
class House:
    """What stands in it; `running` and `ready` are editions."""

    running: int = 0
    ready: int = 0
    sent: int = 0
    article: int = 0
    newsletter: int = 0
    reader: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    built_s: float = 0.0


def build(*, now: datetime) -> House:
    """All of it, in an empty database."""
    from pipeline.staff.models import Role, User

    began, house = time.perf_counter(), House()
    user = User.objects.create_user("ada@example.org", None, name="Ada", role=Role.ADMIN)
    letters = _newsletters(now)
    _readers(letters, now=now)
    _articles(now)
    _editions(house, letters, now=now)
    _posts(now)
    _charts(now)
    _run(_JOURNAL, now=now, actor=user.id, editions=EDITIONS)
    _settled(house)
    house.built_s = round(time.perf_counter() - began, 1)
    return house


def _run(statement: str, **values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _settled(house: House) -> None:
    """As autovacuum would have left it; and how much there is."""
    from django.db import connection

    from pipeline import models

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    for model in (models.Article, models.Subscriber, models.Subscription, models.Delivery, models.Tally, models.Report, models.Event, models.Edition, models.Item, models.Post):  # fmt: skip
        house.rows[model.__name__] = model._default_manager.count()
    house.article = models.Article.objects.order_by("-id")[0].id
    house.reader = models.Subscriber.objects.order_by("id")[5].id


def _newsletters(now: datetime) -> list[Any]:
    from tests.factories import editions

    return [
        editions.newsletter(slug=f"letter-{n}", name=f"Letter {n}", now=now, cadence={"kind": "daily", "at": "06:30", "zone": "Europe/Brussels"})
        for n in range(4)
    ]  # fmt: skip


def _readers(letters: list[Any], *, now: datetime) -> None:
    _run(_READERS, now=now, readers=READERS)
    for every, letter in enumerate(letters, start=1):
        _run(_SUBSCRIPTIONS, now=now, topic=letter.topic_id, every=every)
    _run(_CONSENTS, topic=letters[0].topic_id)
    _run(_SUPPRESSIONS)


def _articles(now: datetime) -> None:
    from pipeline.models import Article, Reading
    from tests.factories import sources

    source = sources.source(now=now)
    sources.channel(source=source, now=now)
    sections = ["Politics", "Business", "Trade", "Culture", "Sport"]
    made = Article.objects.bulk_create(
        Article(
            source=source, state="eligible", url=f"{source.home_url}story-{n}/", headline=f"Story {n} of a house that has many",
            section_path=["World", sections[n % 5]], standfirst="What it is about. " * 8, text="A paragraph of the story. " * 150,
            first_seen_at=at, published_at=at, read_at=at, eligible_at=at, announced_at=at, fingerprint=f"{n:064x}",
        )
        for n in range(ARTICLES)
        for at in [now - timedelta(hours=(ARTICLES - n) * 2)]
    )  # fmt: skip
    Reading.objects.bulk_create(
        Reading(article=one, day=int(one.first_seen_at.timestamp()) // 86_400 + day, views=900, seconds=40_000)
        for one in made
        for day in range(3)
    )
    _run(_TALLIES, minutes=MINUTES_OF_AN_ARTICLE, each=CLICKS // (ARTICLES * MINUTES_OF_AN_ARTICLE))


def _editions(house: House, letters: list[Any], *, now: datetime) -> None:
    """A hundred days of each; the last SENDS of the first letter with deliveries, and one on its way to everybody."""
    from pipeline.models import Article, Edition

    ids = list(Article.objects.order_by("-id").values_list("id", flat=True)[:400])
    for number in range(EDITIONS - 2):
        letter, day = letters[number % len(letters)], number // len(letters) + 1
        edition = _edition(letter, now - timedelta(days=day), ids[day : day + CONSIDERED], state=Edition.State.SENT)
        mailed = RECIPIENTS if letter is letters[0] and day <= SENDS else 0
        _send(
            edition,
            recipients=mailed or RECIPIENTS,
            rows=mailed,
            done=RECIPIENTS,
            now=edition.slot_at,
            state="submitted",
        )
        house.sent = house.sent or edition.id
    running = _edition(letters[0], now - timedelta(minutes=8), ids[:CONSIDERED], state=Edition.State.SENDING)
    send = _send(running, recipients=READERS, rows=READERS, done=READERS // 2, now=now, state="submitting")
    _run(_EVENTS, now=now, origin=send.origin_id, events=EVENTS)
    ready = _edition(letters[1], now + timedelta(minutes=20), ids[:CONSIDERED], state=Edition.State.READY)
    house.running, house.ready, house.newsletter = running.id, ready.id, letters[0].id


def _edition(letter: Any, slot: datetime, articles: list[int], **fields: Any) -> Any:
    from pipeline.models import Edition, Item

    edition = Edition.objects.create(
        newsletter=letter, slot_at=slot, subject="What matters today", composed_at=slot, ended_at=slot, **fields
    )
    blocks = list(letter.blocks.all())
    Item.objects.bulk_create(
        Item(edition=edition, article_id=one, block=blocks[n % len(blocks)] if n < PICKED else None, position=n, picked=n < PICKED,
             code="newest" if n < PICKED else "no_room", params={"rank": 1, "of": 2} if n < PICKED else {"block": 1, "count": 3})
        for n, one in enumerate(articles)
    )  # fmt: skip
    return edition


def _send(edition: Any, *, recipients: int, rows: int, done: int, now: datetime, state: str) -> Any:
    from pipeline.models import Link, Origin, Report, Send

    origin = Origin.objects.create(id=edition.id + 1000, kind="edition", started_at=now)
    articles = edition.items.filter(picked=True).values_list("article_id", flat=True)
    Link.objects.bulk_create(
        Link(origin=origin, number=n, url="https://dispatch.example/", kind="story", slot=f"top/{n}", article_id=one)
        for n, one in enumerate(articles)
    )
    Report.objects.create(origin=origin, body={"days": _report(now)}, computed_at=now)
    edition.origin = origin
    edition.save(update_fields=["origin"])
    send = Send.objects.create(
        edition=edition, origin=origin, state=state, recipients=recipients, created_at=now, prepared_at=now
    )
    if rows:
        values = {"send": send.id, "recipients": rows, "size": BATCH, "done": done, "now": now}
        _run(_BATCHES, **values)
        _run(_DELIVERIES, **values)
    return send


def _report(now: datetime) -> dict[str, Any]:
    day, minute = int(now.timestamp()) // 86_400, int(now.timestamp()) // 60
    return {
        str(day + later): {
            "people": {"click": 9000 // (later + 1), "open": 30_000}, "opens": {"apple": 40_000, "direct": 9000, "proxy": 8000},
            "fates": {"click human ": 12_000, "click scanner R5": 4000, "open prefetch MPP": 40_000},
            "links": {str(n): 900 - 60 * n for n in range(PICKED)},
            "curve": {str(minute + 1440 * later + at): 12 for at in range(900)},
        }
        for later in range(2)
    }  # fmt: skip


def _posts(now: datetime) -> None:
    from pipeline.models import Article, Post, Variant
    from tests.factories import posts

    accounts = [posts.account(handle=f"@desk{n}", now=now) for n in range(ACCOUNTS)]
    states = {True: Post.State.DUE, False: Post.State.POSTED}
    Post.objects.bulk_create(
        Post(article_id=one, account=account, state=states[n < 20], due_at=now + timedelta(hours=10 - n), created_at=now - timedelta(hours=n),
             posted_at=None if n < 20 else now - timedelta(hours=n))
        for n, one in enumerate(Article.objects.order_by("-id").values_list("id", flat=True))
        for account in accounts
    )  # fmt: skip
    Variant.objects.bulk_create(
        Variant(post_id=one, text="Words of a post", length=15, chosen=True)
        for one in Post.objects.values_list("id", flat=True)
    )


def _charts(now: datetime) -> None:
    from pipeline.models import Article, Chart, Standing

    ids = list(Article.objects.order_by("-id").values_list("id", flat=True)[:20])
    for window in ("now", "today", "week", "trending"):
        chart = Chart.objects.create(window=window, section="", version="1", computed_at=now, changed_at=now)
        Standing.objects.bulk_create(
            Standing(chart=chart, place=n, article_id=one, value=900 - n, counted_in=window)
            for n, one in enumerate(ids, 1)
        )
