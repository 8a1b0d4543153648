"""Breaking alerts: one story, at once, with brakes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from pipeline.articles.models import Article
from pipeline.editions.acts.review import Refused
from pipeline.editions.models import Edition, Item, Newsletter
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, Role, User
from pipeline.staff.people import may_touch

LONGEST_SO_WHAT = 280
#: An alert that failed or was taken out of the way alarmed nobody. One that is being composed is about to.
_ALARMED = (
    Edition.State.COLLECTING, Edition.State.READY, Edition.State.APPROVED, Edition.State.SENDING, Edition.State.SENT
)  # fmt: skip


@transaction.atomic
def raise_alert(
    *, newsletter_id: int, article_id: int, so_what: str, actor: User, now: datetime, despite: str = ""
) -> Edition:
    """Compose an alert of one story, to be approved like any edition.

    Within the cool-down, and for a story that was alerted before, only a desk head may go on, with `despite` as the
    reason. Raises Refused with when readers were last alarmed.
    """
    newsletter = Newsletter.objects.select_for_update().get(id=newsletter_id, kind=Newsletter.Kind.ALERT)
    if not actor.may_edit:
        raise Refused("Your role may not alert readers. Nothing was sent; ask a desk head.")
    if not may_touch(actor, Grant.Kind.NEWSLETTER, newsletter_id):
        raise Refused(f"You work for other newsletters than {newsletter.name}. Nothing was sent.")
    article = Article.objects.filter(id=article_id, announced_at__isnull=False, killed_at=None).first()
    if article is None:
        raise Refused("That story may not be announced (held, killed or old). Nothing was sent.")
    if objection := _objection(newsletter, article, now=now):
        _demand_reason(actor, despite, objection)
    edition = Edition.objects.create(
        newsletter=newsletter, slot_at=now, state=Edition.State.COLLECTING, note=so_what.strip()[:LONGEST_SO_WHAT]
    )
    block = newsletter.blocks.order_by("position").first()
    Item.objects.create(
        edition=edition, article=article, block=block, position=1, picked=True, pinned=True, code="placed",
        version=article.version,
    )  # fmt: skip
    note(
        verb="alert", subject="edition", subject_id=edition.id, now=now, actor=actor, reason=despite, article=article.id
    )
    wake(Job.EDITIONS_COMPOSE, edition_id=edition.id)
    return edition


def last_alert(newsletter: Newsletter, *, now: datetime) -> Edition | None:
    """The latest alert that reached readers, or is about to."""
    past = newsletter.editions.filter(state__in=_ALARMED, slot_at__lte=now)
    return past.order_by("-slot_at").first()


def _objection(newsletter: Newsletter, article: Article, *, now: datetime) -> str:
    same = Item.objects.filter(
        edition__newsletter_id=newsletter.id, article_id=article.id, picked=True, edition__state__in=_ALARMED
    )
    if before := same.order_by("-edition__slot_at").select_related("edition").first():
        return f"Readers were alerted of this story {_ago(now - before.edition.slot_at)} ago."
    last = last_alert(newsletter, now=now)
    if last and now - last.slot_at < timedelta(seconds=newsletter.cool_down_s):
        return f"Readers were alerted {_ago(now - last.slot_at)} ago; the pause between alerts is {newsletter.cool_down_s // 60} min."
    return ""


def _demand_reason(actor: User, despite: str, objection: str) -> None:
    if actor.role not in {Role.ADMIN, Role.HEAD}:
        raise Refused(f"{objection} Nothing was sent; a desk head may go on with a reason.")
    if not despite.strip():
        raise Refused(f"{objection} Nothing was sent; give a reason to go on all the same.")


def _ago(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
