"""What happened with one reader, newest first: what they said, what we sent, what came back, what the desk did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.audience.models import Consent, Subscriber, Suppression
from pipeline.delivery.models import Delivery, Feedback
from pipeline.desk import words as said
from pipeline.desk.readers import words
from pipeline.desk.words import Badge
from pipeline.staff.models import JournalEntry

MOST = 60  #: of each kind


@dataclass(frozen=True, slots=True)
class Happening:
    """One line. `detail` is what a machine or a person said of it."""

    at: datetime
    badge: Badge
    what: str
    detail: str = ""


def of(reader: Subscriber, *, suppressed: Suppression | None) -> list[Happening]:
    """The latest of everything. Four queries, each by an index and with a limit."""
    sent = list(
        Delivery.objects.filter(subscriber=reader).select_related("send__edition__newsletter").order_by("-id")[:MOST]
    )
    found = [*_said(reader), *_sent(sent), *_came_back(reader, sent), *_done(reader)]
    if suppressed is not None:
        why = words.SUPPRESSED[Suppression.Reason(suppressed.reason)]
        found.append(Happening(suppressed.at, Badge("suppressed", "trouble"), why, suppressed.detail))
    return sorted(found, key=lambda one: one.at, reverse=True)[: 2 * MOST]


def _said(reader: Subscriber) -> Iterator[Happening]:
    rows = Consent.objects.filter(subscriber=reader).select_related("topic").order_by("-at", "-id")[:MOST]
    for row in rows:
        badge = Badge("left", "off") if row.act == "left" else Badge("reader", "waiting")
        yield Happening(row.at, badge, words.consent(row))


def _sent(rows: Iterable[Delivery]) -> Iterator[Happening]:
    for row in rows:
        edition = row.send.edition
        what = f"{edition.newsletter.name}, {edition.slot_at:%-d %B}"
        yield Happening(row.answered_at or row.send.created_at, said.badge("delivery", row.state), what, row.reason)


def _came_back(reader: Subscriber, sent: list[Delivery]) -> Iterator[Happening]:
    by_mail = Feedback.objects.filter(delivery_id__in=[row.id for row in sent]).order_by("-at")[:MOST]
    by_hash = Feedback.objects.filter(address_hash=bytes(reader.address_hash)).order_by("-at")[:MOST]
    for row in {row.id: row for row in (*by_mail, *by_hash)}.values():
        what = " ".join(filter(None, (row.reason.replace("_", " "), row.status))) or "no reason was given"
        yield Happening(row.at, words.FEEDBACK[Feedback.Kind(row.kind)], what, row.said)


def _done(reader: Subscriber) -> Iterator[Happening]:
    rows = JournalEntry.objects.filter(subject="subscriber", subject_id=reader.id).select_related("actor")
    for row in rows.order_by("-id")[:MOST]:
        yield Happening(row.at, Badge("desk", "waiting"), f"{row.actor or 'Dateline'}: {row.verb}", row.reason)
