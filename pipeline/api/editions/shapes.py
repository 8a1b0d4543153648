"""Editions, their items and their sends as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from ninja import Field, Schema

from pipeline.api.answers import Done
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.acts.ordering import arranged
from pipeline.editions.choosing.rules import POPULAR
from pipeline.editions.models import Edition, Item
from pipeline.engagement.keeping import reports
from pipeline.engagement.models import Link

MOST_LEFT_OUT, MOST_LINKS = 200, 200


class EditionRow(Schema):
    """An edition. `code` with `params` is why it is in its state; `revision` goes with every act on its contents."""

    id: int
    newsletter_id: int
    newsletter: str
    slot_at: datetime
    state: str = Field(description="`collecting`: a worker composes it; look again in a moment")
    code: str
    params: dict[str, Any]
    revision: int
    subject: str
    preheader: str
    note: str
    stories: int | None = Field(None, description="news in it, without Most Popular")
    composed_at: datetime | None
    approved_at: datetime | None
    approved_by: str | None
    leaves_at: datetime | None
    ended_at: datetime | None


class ItemRow(Schema):
    """A story considered for an edition: placed, or left out, each with its reason as a code."""

    article_id: int
    headline: str
    url: str
    block: int | None = Field(description="position of its block; null where it is left out")
    place: int | None = Field(description="from 1 within the block, as readers will see it")
    picked: bool
    pinned: bool = Field(description="a person put it there or took it out")
    code: str
    params: dict[str, Any]
    label: str
    overrides: dict[str, Any]


class SendRow(Schema):
    """A send. `counts` is of deliveries by state: accepted by the next server is not yet an inbox."""

    id: int
    state: str
    code: str
    params: dict[str, Any]
    expected: int | None
    recipients: int
    counts: dict[str, int]
    created_at: datetime
    prepared_at: datetime | None
    ended_at: datetime | None


class LinkRow(Schema):
    """People who followed one link of the message."""

    number: int
    slot: str
    url: str
    article_id: int | None
    people: int


class Results(Schema):
    """What people did, and apart from it what was filtered as machines', as last added up."""

    people: dict[str, int] = Field(description="people by act: click, open (opens are unreliable), unsubscribe")
    filtered: dict[str, int] = Field(description="events that count as nobody's, by the rule that said so")
    waiting: int = Field(description="events too fresh to be judged")
    links: list[LinkRow]
    computed_at: datetime | None


class EditionWhole(EditionRow):
    """An edition with what is in it, what was left out, what preflight found, and what became of it."""

    items: list[ItemRow]
    left_out: list[ItemRow] = Field(description=f"near misses, the latest {MOST_LEFT_OUT}")
    findings: list[dict[str, Any]] = Field(description="of preflight: level, code, params, where, sentence, fix")
    send: SendRow | None
    results: Results | None


class EditionDone(Done):
    """What came of an act on an edition, and the edition after it."""

    edition: EditionRow


class SendDone(Done):
    """What came of an act on a send, and the send after it."""

    send: SendRow


def editions() -> QuerySet[Edition]:
    """Editions with all a row shows. One query."""
    news = Count("items", filter=Q(items__picked=True) & ~Q(items__code=POPULAR))
    return Edition.objects.select_related("newsletter", "approved_by", "send").annotate(news=news)


def edition_row(row: Edition) -> EditionRow:
    """One of them."""
    return EditionRow(**_plain(row))


def row_of(edition_id: int) -> EditionRow:
    """The edition as it is now."""
    return edition_row(editions().get(id=edition_id))


def _plain(row: Edition) -> dict[str, Any]:
    same = ("id", "newsletter_id", "slot_at", "state", "code", "params", "revision", "subject", "preheader", "note",
            "composed_at", "approved_at", "leaves_at", "ended_at")  # fmt: skip
    return {name: getattr(row, name) for name in same} | {
        "newsletter": row.newsletter.slug,
        "approved_by": str(row.approved_by) if row.approved_by else None,
        "stories": getattr(row, "news", None),
    }


def edition_whole(row: Edition, items: list[Item]) -> EditionWhole:
    """One with everything. `items` are all of it."""
    order = arranged(items)
    picks = [item_row(item, place=place) for block in sorted(order) for place, item in enumerate(order[block], start=1)]
    missed = sorted((item for item in items if not item.picked), key=lambda item: item.article.first_seen_at)
    send = row.send if hasattr(row, "send") else None
    return EditionWhole(
        **_plain(row),
        items=picks,
        left_out=[item_row(item, place=None) for item in reversed(missed[-MOST_LEFT_OUT:])],
        findings=row.preflight,
        send=send_row(send) if send else None,
        results=results_of(send) if send else None,
    )


def item_row(item: Item, *, place: int | None) -> ItemRow:
    """A story of an edition."""
    return ItemRow(
        article_id=item.article_id, headline=item.article.headline, url=item.article.url,
        block=item.block.position if item.block and item.picked else None, place=place, picked=item.picked,
        pinned=item.pinned, code=item.code, params=item.params, label=item.label, overrides=item.overrides,
    )  # fmt: skip


def send_row(send: Send) -> SendRow:
    """A send with its deliveries counted. One query."""
    same = ("id", "state", "code", "params", "expected", "recipients", "created_at", "prepared_at", "ended_at")
    counts = dict(Delivery.objects.filter(send=send).order_by().values_list("state").annotate(Count("id")))
    return SendRow(**{name: getattr(send, name) for name in same}, counts=counts)


def results_of(send: Send) -> Results:
    """What people did with it. Two queries, and none of them over events."""
    seen = reports.told(send.origin_id)
    links = Link.objects.filter(origin_id=send.origin_id).exclude(kind="honeypot").order_by("number")[:MOST_LINKS]
    return Results(
        people=dict(seen.people),
        filtered=_filtered(seen.filtered),
        waiting=seen.waiting,
        links=[
            LinkRow(number=link.number, slot=link.slot, url=link.url, article_id=link.article_id, people=seen.links.get(link.number, 0))
            for link in links
        ],
        computed_at=seen.computed_at,
    )  # fmt: skip


def _filtered(rows: Iterable[reports.Filtered]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row.rule or row.verdict] = found.get(row.rule or row.verdict, 0) + row.events
    return found
