"""A story killed while its edition is leaving: what has not left stands still at once, and goes on without it.

Two steps, because a worker may hold a batch with the old words in its hands. The send is paused, and its holders stop
within half a second, after the message each connection is in the middle of. Only when nobody holds a batch any more is
the edition rendered without the story, its links under the numbers they have, and the send let go. A holder that is
stopped but alive keeps it waiting; one that is dead does not (docs/decisions/0004).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from jinja2 import TemplateError

from pipeline.delivery import send as sending
from pipeline.delivery.batches import journal as journals
from pipeline.delivery.batches.claims import FOREIGN_PATIENCE_S
from pipeline.delivery.course.barred import KILLED, holds_killed_story
from pipeline.delivery.course.pace import due_again, wake_due
from pipeline.delivery.message.renderings import NO_NEWS, frozen
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.editions.assemble import content_of, parts_of, rendering_of
from pipeline.editions.choosing.select import Selection
from pipeline.editions.compose import facts_of
from pipeline.editions.models import Edition, Newsletter, Rendering
from pipeline.editions.preflight import BLOCK, check
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import ClosedTable, UnknownLink
from pipeline.kernel.config import config
from pipeline.staff.journal import note

log = logging.getLogger("dateline.delivery")


class _Cannot(Exception):
    """The edition cannot be said without the story; the message says why."""


def sweep(*, now: datetime) -> None:
    """Stop sends that carry a killed story, and let go those that can leave without it. Every tick."""
    killed = Edition.objects.filter(holds_killed_story(), state=Edition.State.SENDING)
    for send in Send.objects.filter(state=Send.State.SUBMITTING, edition__in=killed).select_related(
        "edition__newsletter"
    ):
        _stop(send, now=now)
    held = Q(code="story_killed", edition__newsletter__on_kill=Newsletter.OnKill.RENDER_AGAIN, params={})
    waiting = Send.objects.filter(held | Q(code=sending.LEAVING_OUT), state=Send.State.PAUSED)
    for send_id in list(waiting.values_list("id", flat=True)):
        leave_out(send_id=send_id, now=now)


@transaction.atomic
def _stop(send: Send, *, now: datetime) -> None:
    """Looked at again under its lock: a slow sweep would stop once more what goes on without the story."""
    list(Send.objects.select_for_update(no_key=True).filter(id=send.id).values_list("id"))
    if not Edition.objects.filter(holds_killed_story(), id=send.edition_id).exists():
        return
    again = send.edition.newsletter.on_kill == Newsletter.OnKill.RENDER_AGAIN
    sending.pause(send_id=send.id, now=now, code=sending.LEAVING_OUT if again else "story_killed")


def leave_out(*, send_id: int, now: datetime) -> bool:
    """Render a paused send without its killed stories and let it go; False while a batch is held, or if it cannot be."""
    if any(_is_held(batch, now=now) for batch in Batch.objects.filter(send_id=send_id, state=Batch.State.CLAIMED)):
        return False
    try:
        return _leave_out(send_id=send_id, now=now)
    except _Cannot as error:
        log.warning("send %s cannot go on without its killed story: %s", send_id, error)
        Send.objects.filter(id=send_id, state=Send.State.PAUSED).update(
            code="story_killed", params={"why": str(error)[:300]}
        )
        return False


@transaction.atomic
def _leave_out(*, send_id: int, now: datetime) -> bool:
    rows = Send.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    send = rows.select_related("edition__newsletter").filter(id=send_id, state=Send.State.PAUSED).first()
    if send is None or _holders(send_id, now=now):
        return False
    edition = Edition.objects.select_related("rendering", "newsletter").select_for_update(of=("self",)).get(
        id=send.edition_id
    )  # fmt: skip
    killed = dict(edition.items.filter(KILLED, picked=True).values_list("article_id", "article__headline"))
    if killed:
        _render_without(edition, frozenset(killed), now=now)
    left = Delivery.objects.filter(send_id=send_id, state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED])
    note(
        verb="leave_out", subject="send", subject_id=send_id, now=now, reason="a story of it was killed",
        stories=list(killed.values()), readers=left.count(),
    )  # fmt: skip
    due_again(send=send, now=now)
    Send.objects.filter(id=send_id).update(state=Send.State.SUBMITTING, code="", params={})
    wake_due(send_id=send_id, now=now)
    return True


def _holders(send_id: int, *, now: datetime) -> bool:
    """Whether somebody holds a batch, asked where nobody can take one: a claim under way when the send was paused is
    waited for, or its holder would mail a whole batch with the story in it."""
    rows = Batch.objects.select_for_update(no_key=True).filter(send_id=send_id).order_by("id")
    return any(_is_held(batch, now=now) for batch in list(rows) if batch.state == Batch.State.CLAIMED)


def _is_held(batch: Batch, *, now: datetime) -> bool:
    """Whether somebody alive may still be mailing from it."""
    if batch.host != journals.machine():
        patience = timedelta(seconds=FOREIGN_PATIENCE_S)
        return batch.lease_until is not None and batch.lease_until > now - patience
    try:
        journals.testimony(journals.path_of(data_dir=config().data_dir, batch_id=batch.id, fence=batch.fence))
    except journals.WriterLives:
        return True
    return False


def _render_without(edition: Edition, killed: frozenset[int], *, now: datetime) -> None:
    was, lead = frozen(edition), next(iter(content_of(edition).stories()), None)
    edition.items.filter(article_id__in=killed).update(picked=False, code="killed", params={"while": "sending"})
    if lead is not None and lead.article_id in killed:
        edition.edited = False  # an editor's subject goes with the lead it was written for
    content = content_of(edition)
    if not any(block.stories for block in content.blocks if block.kind not in NO_NEWS):
        raise _Cannot("no other news is in it")
    try:
        rendered = rendering_of(edition.newsletter, content, origin_links=ClosedTable(was.links))
    except (UnknownLink, UnusableTemplate, TemplateError) as error:
        raise _Cannot(str(error)) from error
    found = check(rendered, content, facts=facts_of(edition, Selection(())))
    if found.blocked:
        raise _Cannot(next(row["sentence"] for row in found.as_json()["findings"] if row["level"] == BLOCK))
    edition.revision += 1
    edition.subject, edition.preheader = rendered.subject, rendered.preheader
    edition.save(update_fields=["revision", "subject", "preheader", "edited"])
    Rendering.objects.filter(edition_id=edition.id).update(
        revision=edition.revision, subject=rendered.subject, preheader=rendered.preheader, html=rendered.html,
        text=rendered.text, parts=parts_of(content), largest_bytes=found.html_bytes, rendered_at=now,
    )  # fmt: skip
