"""The first screen: what needs a person, what happens today, what came in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.articles.models import Article
from pipeline.delivery.models import Delivery, Send
from pipeline.desk import frame, sign_in, status, words
from pipeline.desk.guide import steps
from pipeline.desk.queue.rows import left_alone
from pipeline.desk.reasons import codes, standing
from pipeline.desk.stories import articles, holds, posts
from pipeline.editions.choosing.select import POPULAR
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.kernel.pages import ago, local, number
from pipeline.ranking.models import Standing

MOST_CARDS, MOST_EDITIONS, MOST_ARTICLES, MOST_POSTS, MOST_POPULAR = 12, 40, 20, 8, 10
DAY = timedelta(days=1)
#: Sends are looked through for unknown deliveries this long; after that the list on the edition remains.
RECENT = timedelta(days=3)
OPEN = (
    Edition.State.PLANNED,
    Edition.State.COLLECTING,
    Edition.State.READY,
    Edition.State.APPROVED,
    Edition.State.HELD,
)


@sign_in.required
@require_safe
def today(request: sign_in.Guest) -> HttpResponse:
    """The first screen."""
    return render(request, "desk/today.html", page(now=timezone.now()))


def page(*, now: datetime) -> dict[str, Any]:
    """Everything on it, as plain data, in a fixed number of queries."""
    zone = frame.newsroom_zone()
    editions = list(
        counted().filter(slot_at__gt=now - DAY, slot_at__lt=now + 2 * DAY).order_by("slot_at")[:MOST_EDITIONS]
    )
    needs = needing(now=now, zone=zone)
    return {
        "now": now,
        "zone": zone,
        "line": line(editions, needs=len(needs), now=now),
        "needs": needs,
        "editions": [edition_row(row, now=now) for row in editions if _is_today(row, now)],
        "next": _next_words(editions, now=now),
        "articles": articles.rows(list(articles.newest()[:MOST_ARTICLES]), zone=zone),
        "posts": posts.latest(most=MOST_POSTS, zone=zone, since=now - DAY),
        "popular": popular(),
        "health": status.strip(now=now),
        "first_steps": first_steps(),
    }


def first_steps() -> int:
    """How many are missing in a house that has never sent; one that has needs no guide, and pays one query."""
    if Send.objects.exists():
        return 0
    return len(steps.missing(steps.steps()))


def counted() -> QuerySet[Edition]:
    """Editions with their newsletter, who approved them, their send, and how many news stories they hold."""
    items = Item.objects.filter(edition=OuterRef("pk"), picked=True).exclude(code=POPULAR).order_by()
    news = Coalesce(Subquery(items.values("edition").annotate(n=Count("id")).values("n")), 0)
    return Edition.objects.select_related("newsletter", "approved_by", "send").annotate(news=news)


def edition_row(row: Edition, *, now: datetime) -> dict[str, Any]:
    """An edition as lists show it."""
    return {
        "id": row.id,
        "name": row.newsletter.name,
        "zone": frame.zone_of(row.newsletter),
        "slot_at": row.slot_at,
        "badge": words.badge("edition", row.state),
        "why": standing.edition(row, now=now),
        "subject": row.subject,
        "news": getattr(row, "news", 0),
        "minimum": row.newsletter.minimum,
        "recipients": row.send.recipients if hasattr(row, "send") else None,
    }


def line(editions: list[Edition], *, needs: int, now: datetime) -> str:
    """What leaves next, in a line; what is on its way goes first."""
    ahead = [row for row in editions if row.state in OPEN and row.slot_at > now - DAY / 2]
    leaving = [row for row in editions if row.state == Edition.State.SENDING]
    red = f"{needs} waiting for you" if needs else "nothing needs you"
    if leaving:
        return f"{leaving[0].newsletter.name} is leaving now · {red}"
    if not ahead:
        return f"Nothing is planned for the next two days · {red}"
    return f"{_next_line(ahead[0], now=now)} · {red}" if not needs else _next_line(ahead[0], now=now)


def _next_line(row: Edition, *, now: datetime) -> str:
    leaves = row.leaves_at or row.slot_at
    when = f"leaves {ago(leaves, now)}" if leaves > now else f"was due {ago(leaves, now)}"
    stories = f"{getattr(row, 'news', 0)} of at least {row.newsletter.minimum} stories"
    return " · ".join([f"{row.newsletter.name} {when}", *([stories] if row.composed_at else []), _stands(row)])


def _stands(row: Edition) -> str:
    if row.state == Edition.State.READY:
        return (
            "waiting for your approval" if row.newsletter.approval == Newsletter.Approval.EDITOR else "leaves by itself"
        )
    if row.state == Edition.State.APPROVED:
        return f"approved by {row.approved_by}" if row.approved_by else "approved by rule"
    return {"planned": "still collecting stories", "collecting": "being put together"}.get(row.state, row.state)


def _is_today(row: Edition, now: datetime) -> bool:
    zone = frame.zone_of(row.newsletter)
    return local(row.slot_at, zone, "%F") == local(now, zone, "%F")


def _next_words(editions: list[Edition], *, now: datetime) -> str:
    """What comes after the editions of today, or why there is nothing."""
    row = next((row for row in editions if row.slot_at > now and not _is_today(row, now)), None)
    if row is None:
        return "No later edition is planned yet; each newsletter's next one appears here by itself the day before."
    return f"Next: {row.newsletter.name}, {local(row.slot_at, frame.zone_of(row.newsletter))}."


def needing(*, now: datetime, zone: str) -> list[dict[str, Any]]:
    """Cards for a person, the most urgent first. Seven queries."""
    return [
        *_troubled_sends(now=now),
        *_waiting_editions(now=now),
        *_post_cards(zone=zone),
        *_held_articles(zone=zone),
    ]


def _card(title: str, shown: words.Badge, sentence: str, url: str, act: str) -> dict[str, Any]:
    return {"title": title, "badge": shown, "words": sentence, "url": url, "act": act}


def _troubled_sends(*, now: datetime) -> list[dict[str, Any]]:
    open_ = Q(
        state__in=[
            Send.State.ASKING,
            Send.State.PAUSED,
            Send.State.PLANNED,
            Send.State.PREPARING,
            Send.State.SUBMITTING,
        ]
    )
    recent = Send.objects.filter(open_ | Q(created_at__gt=now - RECENT)).order_by("-id")[: 2 * MOST_CARDS]
    sends = list(recent.select_related("edition__newsletter"))
    unknown = dict(
        Delivery.objects.filter(send__in=[send.id for send in sends], state=Delivery.State.UNKNOWN)
        .values_list("send").annotate(Count("id"))
    )  # fmt: skip
    settled = left_alone([*unknown])
    doubtful = {send_id: n for send_id, n in unknown.items() if send_id not in settled}
    return [card for send in sends for card in _send_cards(send, doubtful.get(send.id, 0))]


def _send_cards(send: Send, unknown: int) -> list[dict[str, Any]]:
    url = reverse("desk:send", kwargs={"edition_id": send.edition_id})
    name, cards = send.edition.newsletter.name, []
    if send.state in _HOW:
        shown = words.badge("send", send.state)
        cards.append(
            _card(
                f"{name}: the send {_HOW[Send.State(send.state)]}",
                shown,
                codes.sentence(codes.SEND, send.code, send.params),
                url,
                "See the send",
            )
        )
    if unknown:
        sentence = "The connection broke after the last word, before an answer. They may have it; they are never mailed twice by themselves."
        title = f"{name}: {words.count(unknown, 'delivery', 'deliveries')} without an answer"
        cards.append(_card(title, words.badge("delivery", "unknown"), sentence, url, "Decide about them"))
    return cards


_HOW = {Send.State.ASKING: "asks for a yes", Send.State.PAUSED: "is paused", Send.State.FAILED: "failed"}


def _waiting_editions(*, now: datetime) -> list[dict[str, Any]]:
    """Held ones first, then those waiting for approval by the time they leave."""
    asks = Q(state=Edition.State.HELD) | Q(state=Edition.State.READY, newsletter__approval=Newsletter.Approval.EDITOR)
    rows = list(counted().filter(asks).order_by("slot_at")[:MOST_CARDS])
    return [_edition_card(row, now=now) for row in sorted(rows, key=lambda row: row.state != Edition.State.HELD)]


def _edition_card(row: Edition, *, now: datetime) -> dict[str, Any]:
    url = reverse("desk:edition", kwargs={"edition_id": row.id})
    shown = edition_row(row, now=now)
    title = f"{shown['name']}, {local(row.slot_at, shown['zone'])}"
    act = "Review and approve" if row.state == Edition.State.READY else "Decide"
    stories = f"{words.count(shown['news'], 'story', 'stories')}, at least {shown['minimum']}. "
    return _card(title, shown["badge"], (stories if row.state == Edition.State.READY else "") + shown["why"], url, act)


def _post_cards(*, zone: str) -> list[dict[str, Any]]:
    rows = posts.troubled(most=MOST_CARDS, zone=zone)
    return [
        _card(f"{row['account']}: {row['headline']}", row["badge"], row["why"], reverse("desk:posts") + f"#post-{row['id']}", "See the post")
        for row in rows
    ]  # fmt: skip


def _held_articles(*, zone: str) -> list[dict[str, Any]]:
    """What one event held is one card; then those held by themselves. Two queries, three where events hold."""
    events, url = holds.batches(zone=zone), reverse("desk:articles") + "?state=held"
    held = words.badge("article", "held")
    cards = [
        _card(f"{words.count(event['count'], 'story', 'stories')} of {event['source']} held since {event['since_words']}", held, event["why"], url, "Decide about all")
        for event in events
    ]  # fmt: skip
    found = Article.objects.filter(state=Article.State.HELD)
    if events:
        found = found.exclude(id__in=holds.held_by([event["batch"] for event in events]))
    rows = list(found.order_by("-id")[: MOST_CARDS + 1])
    if len(rows) > MOST_CARDS:
        return [
            *cards,
            _card(
                f"More than {MOST_CARDS} articles are held", held, articles.why(rows[0], zone=zone), url, "List them"
            ),
        ]
    return [
        *cards,
        *(_card(row.headline, held, articles.why(row, zone=zone), url, "See held articles") for row in rows),
    ]


def popular() -> list[dict[str, Any]]:
    """Most Popular today, as it stands."""
    rows = Standing.objects.filter(chart__window="today", chart__section="").select_related("article").order_by("place")
    return [
        {"place": row.place, "headline": row.article.headline, "url": frame.safe_link(row.article.url), "value": number(row.value), "label": row.label}
        for row in rows[:MOST_POPULAR]
    ]  # fmt: skip
