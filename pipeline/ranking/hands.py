"""Editors' hands on the list: a pin or a ban with a reason and an end, and taking it back. All in the journal."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from pipeline.articles.models import Article
from pipeline.kernel.queue import Job, wake
from pipeline.ranking.models import Pin
from pipeline.ranking.reading import SHOWN_STATES, SIZE
from pipeline.staff.journal import note
from pipeline.staff.models import User

LONGEST = timedelta(days=366)
NOT_YOURS = "Your role may look at Most Popular but not change it. Nothing was changed; ask an editor."
NO_REASON = "Say why, in a few words: it stands beside the list. Nothing was changed."


class Refused(Exception):
    """Nothing was changed; the message says why, for a person."""


@transaction.atomic
def lay(
    *, kind: Pin.Kind, article_id: int, actor: User, now: datetime, reason: str, until: datetime | None, place: int = 1
) -> Pin:
    """Pin a story to a place or ban it, instead of what a hand on it said before. Raises Refused."""
    _check(actor, reason)
    if until is not None and not now < until <= now + LONGEST:
        raise Refused("It must end in the future, within a year. Nothing was changed.")
    if kind is Pin.Kind.PIN and not 1 <= place <= SIZE:
        raise Refused(f"A place is a number from 1 to {SIZE}. Nothing was changed.")
    article = Article.objects.filter(id=article_id).only("id", "state", "killed_at").first()
    if article is None or (kind is Pin.Kind.PIN and (article.state not in SHOWN_STATES or article.killed_at)):
        raise Refused("This story may not be shown: it is unknown, held, killed or gone. Nothing was changed.")
    Pin.objects.filter(article_id=article_id).delete()
    pin = Pin.objects.create(
        article_id=article_id,
        kind=kind,
        place=place,
        until=until,
        by=actor,
        reason=reason.strip()[:200],
        created_at=now,
    )
    note(
        verb=f"{kind.value}_popular", subject="article", subject_id=article_id, actor=actor, now=now,
        reason=pin.reason, until=until.isoformat() if until else None, place=place if kind is Pin.Kind.PIN else None,
    )  # fmt: skip
    wake(Job.RANKING_REFRESH)
    return pin


@transaction.atomic
def lift(*, pin_id: int, actor: User, now: datetime, reason: str) -> Pin | None:
    """End a pin or a ban before its time; None where it had ended. Raises Refused."""
    _check(actor, reason)
    pin = in_force(now=now).filter(id=pin_id).select_for_update(of=("self",)).first()
    if pin is None:
        return None
    note(
        verb=f"un{pin.kind}_popular", subject="article", subject_id=pin.article_id, actor=actor, now=now,
        reason=reason.strip()[:200], was=pin.reason,
    )  # fmt: skip
    Pin.objects.filter(id=pin.id).delete()
    wake(Job.RANKING_REFRESH)
    return pin


def in_force(*, now: datetime) -> QuerySet[Pin]:
    """Pins and bans that have not ended."""
    return (
        Pin.objects.filter(Q(until=None) | Q(until__gt=now)).select_related("article", "by").order_by("kind", "place")
    )


def _check(actor: User, reason: str) -> None:
    if not actor.may_edit:
        raise Refused(NOT_YOURS)
    if not reason.strip():
        raise Refused(NO_REASON)
