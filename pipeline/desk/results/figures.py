"""The few numbers an edition is judged by, those of its like, and the sentence made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from pipeline.delivery.models import Delivery, Send
from pipeline.desk import frame, words
from pipeline.desk.queue import counts
from pipeline.kernel.pages import local, number

LIKE, MOST_LOOKED_AT = 8, 80
#: So many of its like make a usual; from ENOUGH_TO_TRIM on, the highest and the lowest are left out of it.
ENOUGH, ENOUGH_TO_TRIM = 3, 5
LEAVING = timedelta(hours=24)  #: whoever leaves so soon after an edition began is counted to it
#: People who clicked, from reports: a person counts once a UTC day, as everywhere.
_CLICKERS = """
SELECT report.origin_id, sum((day.value->'people'->>'click')::bigint)
  FROM dateline_report report, jsonb_each(coalesce(report.body->'days', '{}'::jsonb)) AS day
 WHERE report.origin_id = ANY(%(origins)s::bigint[]) GROUP BY 1
"""
#: From those who left, who are few, to whether they had it: never from the deliveries of a send.
_LEFT = """
SELECT send.id, gone.n
  FROM dateline_send send
  JOIN dateline_edition edition ON edition.id = send.edition_id
  JOIN dateline_newsletter newsletter ON newsletter.id = edition.newsletter_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS n
         FROM (SELECT choice.subscriber_id FROM dateline_subscription choice
                WHERE choice.topic_id = newsletter.topic_id AND choice.left_at >= send.created_at
                  AND choice.left_at < send.created_at + %(span)s OFFSET 0) AS leaver
        CROSS JOIN LATERAL (SELECT 1 FROM dateline_delivery delivery
                             WHERE delivery.send_id = send.id AND delivery.subscriber_id = leaver.subscriber_id
                             LIMIT 1) AS had) AS gone
 WHERE send.id = ANY(%(sends)s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one send. `clickers` is None where nothing was ever counted."""

    edition_id: int
    name: str
    slot_at: datetime
    zone: str
    mailed: int
    delivered: int
    clickers: int | None
    left: int
    complaints: int

    @property
    def click_share(self) -> float | None:
        """Clickers of delivered, in per cent."""
        return 100 * self.clickers / self.delivered if self.delivered and self.clickers is not None else None


def of(sends: Iterable[Send]) -> list[Figures]:
    """In the order given; their editions and newsletters should be loaded. Four queries, however many."""
    listed = list(sends)
    counted = counts.of(listed)
    clickers = _numbers(_CLICKERS, origins=[send.origin_id for send in listed])
    left = _numbers(_LEFT, sends=[send.id for send in listed], span=LEAVING)
    return [_figures(send, counted[send.id], clickers.get(send.origin_id), left.get(send.id, 0)) for send in listed]


def _figures(send: Send, count: counts.Counts, clickers: int | None, left: int) -> Figures:
    return Figures(
        edition_id=send.edition_id,
        name=send.edition.newsletter.name,
        slot_at=send.edition.slot_at,
        zone=frame.zone_of(send.edition.newsletter),
        mailed=count.mailed,
        delivered=count.delivered,
        clickers=clickers,
        left=left,
        complaints=count.of(Delivery.State.COMPLAINED),
    )


def _numbers(statement: str, **values: Any) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {key: int(n) for key, n in cursor.fetchall() if n is not None}


def of_its_like(send: Send) -> list[Send]:
    """The last sent editions of the newsletter on the same weekday, the latest first. One query."""
    edition, there = send.edition, ZoneInfo(frame.zone_of(send.edition.newsletter))
    earlier = Send.objects.filter(
        state=Send.State.SUBMITTED, edition__newsletter_id=edition.newsletter_id, edition__slot_at__lt=edition.slot_at
    ).select_related("edition__newsletter")
    day = edition.slot_at.astimezone(there).weekday()
    rows = earlier.order_by("-edition__slot_at")[:MOST_LOOKED_AT]
    return [row for row in rows if row.edition.slot_at.astimezone(there).weekday() == day][:LIKE]


def usual(earlier: Iterable[Figures]) -> tuple[float, float] | None:
    """The range their shares of clickers lie in, or None where there are too few."""
    shares = sorted(one.click_share for one in earlier if one.click_share is not None)
    if len(shares) < ENOUGH:
        return None
    inner = shares[1:-1] if len(shares) >= ENOUGH_TO_TRIM else shares
    return inner[0], inner[-1]


def headline(one: Figures, earlier: list[Figures], *, running: bool) -> dict[str, str]:
    """The sentences of the headline, by what they tell."""
    begun = "So far " if running else ""
    return {
        "delivered": f"{begun}{number(one.delivered)} delivered ({share(one.delivered, one.mailed)})",
        "clicked": _clicked(one),
        "usual": _usual(one, earlier),
        "left": f"{number(one.left)} left ({small(one.left, one.delivered)})",
        "complaints": f"{words.count(one.complaints, 'complaint')} ({small(one.complaints, one.delivered)})",
    }


def _clicked(one: Figures) -> str:
    if one.clickers is None:
        return "Nothing was counted yet"
    return f"Human clickers {number(one.clickers)} ({share(one.clickers, one.delivered)})"


def _usual(one: Figures, earlier: list[Figures]) -> str:
    day, found = local(one.slot_at, one.zone, "%A").split()[0], usual(earlier)
    if found is None:
        return f"no usual {day} yet: {words.count(len(earlier), 'earlier one')} to compare with"
    low, high = (round(edge, 1) for edge in found)
    where = ""
    if one.click_share is not None:
        own = round(one.click_share, 1)
        where = ", below it" if own < low else ", above it" if own > high else ", within it"
    return f"usual {day} {low:.1f}–{high:.1f} %{where}"


def share(part: int, whole: int) -> str:
    """A percentage that says 100 only when nothing is missing."""
    if not whole:
        return "–"
    return "100 %" if part == whole else f"{min(99.9, 100 * part / whole):.1f} %"


def small(part: int, whole: int) -> str:
    """A percentage of something rare, to two figures that mean anything."""
    if not whole or not part:
        return "0 %" if whole else "–"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 1 else f"{percent:.2g} %"


def as_row(one: Figures) -> Mapping[str, Any]:
    """A line of a comparison."""
    return {
        "edition_id": one.edition_id,
        "name": one.name,
        "slot_at": one.slot_at,
        "zone": one.zone,
        "delivered": one.delivered,
        "delivered_share": share(one.delivered, one.mailed),
        "clickers": one.clickers,
        "click_share": "–" if one.click_share is None else f"{one.click_share:.1f} %",
        "per_mille": round(10 * (one.click_share or 0)),
        "left": one.left,
        "complaints": one.complaints,
    }
