"""What each place of a message brought: a heat map of the message, its sections, and an editor's hand against the rules.

A place fewer than FLOOR people used is told as "under 5" and never exactly: who they were could be guessed by whoever
knows the readers of a small list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Sum

from pipeline.delivery.models import Send
from pipeline.desk import words
from pipeline.editions.models import Item
from pipeline.engagement.models import Link, Reading, Tally
from pipeline.kernel.pages import number

FLOOR = 5
MOST_PLACES, MOST_LEFT_OUT = 100, 5
STEPS = 5  #: of heat, above none
DAY_S, MINUTE_S, WITHIN_MIN = 86_400, 60, 180
ROW, WIDTH = 26, 300  #: of the drawing


def floored(n: int) -> str:
    """A number of readers as it may be told."""
    return number(n) if n == 0 or n >= FLOOR else f"under {FLOOR}"


def told(send: Send, clicks: Mapping[int, int]) -> dict[str, Any]:
    """Places in the order of the message, sections, hands. `clicks` are people by number of link. Three queries."""
    links = _links(send)
    views = _views(send, [link.article_id for link in links if link.article_id])
    items = dict(Item.objects.filter(edition_id=send.edition_id, picked=True).values_list("article_id", "pinned"))
    rows = _places(links, clicks, views)
    return {
        "places": rows,
        "height": ROW * len(rows),
        "sections": _sections(links, clicks),
        "hands": _hands(links, clicks, items),
        "views": _read(views),
    }


def _links(send: Send) -> list[Link]:
    found = Link.objects.filter(origin_id=send.origin_id).exclude(kind="honeypot").select_related("article")
    return list(found.defer("article__text", "article__related", "article__markers").order_by("number")[:MOST_PLACES])


def _places(links: list[Link], clicks: Mapping[int, int], views: Mapping[int, tuple[int, int]]) -> list[dict[str, Any]]:
    most = max((clicks.get(link.number, 0) for link in links), default=0)
    return [
        {
            "number": at + 1,
            "slot": link.slot,
            "what": link.article.headline if link.article else link.url,
            "people": floored(clicks.get(link.number, 0)),
            "heat": heat(clicks.get(link.number, 0), most),
            "width": _width(clicks.get(link.number, 0), most),
            "y": ROW * at,
            "views": views.get(link.article_id or 0, (None, 0))[0],
        }
        for at, link in enumerate(links)
    ]  # fmt: skip


def heat(n: int, most: int) -> int:
    """From 0, nobody, to STEPS, the place most used; below the floor all look alike."""
    if n == 0 or most < FLOOR:
        return 0
    return 1 if n < FLOOR else max(1, round(STEPS * n / most))


def _width(n: int, most: int) -> int:
    if n == 0 or most < FLOOR:
        return 0
    return round(WIDTH * max(n, FLOOR) / most)


def _sections(links: Iterable[Link], clicks: Mapping[int, int]) -> list[dict[str, Any]]:
    """Clicks of people by first section, the most first: who used two links of a section stands in it twice."""
    sums: Counter[str] = Counter()
    stories: defaultdict[str, set[int]] = defaultdict(set)
    for link in links:
        if link.article is not None:
            name = words.place(link.article.section_path[:1]) or "no section"
            sums[name] += clicks.get(link.number, 0)
            stories[name].add(link.article.id)
    most = max(sums.values(), default=0)
    return [
        {"name": name, "stories": len(stories[name]), "clicks": floored(n), "share": round(100 * n / most) if most and n >= FLOOR else 0}
        for name, n in sums.most_common()
    ]  # fmt: skip


def _hands(links: Iterable[Link], clicks: Mapping[int, int], items: Mapping[int, bool]) -> str:
    """What stories brought that editors placed, beside what the rules chose: a sentence, or nothing."""
    sums: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    for link in links:
        if link.article is not None and link.article.id in items:
            sums[items[link.article.id]][link.article.id] += clicks.get(link.number, 0)
    if any(not found or sum(found.values()) < FLOOR for found in sums.values()):
        return ""
    placed, ruled = (round(sum(found.values()) / len(found)) for found in (sums[True], sums[False]))
    count = words.count(len(sums[True]), "story", "stories")
    return f"{count} placed by editors brought {number(placed)} clicks each, those the rules chose {number(ruled)}. Places differ, so this proves little."


def _views(send: Send, article_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Views and visible seconds of each story's page on the edition's UTC day and the next, by whomever."""
    day = int(send.created_at.timestamp()) // DAY_S
    rows = Reading.objects.filter(article_id__in=article_ids, day__in=[day, day + 1]).values_list("article_id")
    return {article_id: (views, seconds) for article_id, views, seconds in rows.annotate(Sum("views"), Sum("seconds"))}


def _read(views: Mapping[int, tuple[int, int]]) -> str:
    total, seconds = (sum(pair[at] for pair in views.values()) for at in (0, 1))
    if not total:
        return ""
    mean = words.duration(seconds / total)
    return f"Pages of its stories were viewed {words.count(total, 'time')} on its day and the next, and stayed visible for {mean} each in the mean. These are all visitors, from wherever they came."


def left_out_but_read(send: Send) -> list[dict[str, Any]]:
    """Stories the edition left out that people clicked elsewhere within three hours of it. Two queries."""
    out = Item.objects.filter(edition_id=send.edition_id, picked=False).values_list("article_id", "article__headline")
    headlines: dict[int, str] = dict(out)
    start = int(send.created_at.timestamp()) // MINUTE_S
    tallies = Tally.objects.filter(article_id__in=headlines, minute__gte=start, minute__lt=start + WITHIN_MIN)
    found = tallies.values_list("article_id").annotate(n=Sum("n")).order_by("-n")[:MOST_LEFT_OUT]
    return [
        {"id": article_id, "headline": headlines[article_id], "clicks": number(n)}
        for article_id, n in found
        if n >= FLOOR
    ]
