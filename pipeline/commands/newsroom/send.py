"""`dateline send`: one edition, now, with a person watching."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.audience import counts
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery import send as sending
from pipeline.delivery.batches import batch
from pipeline.delivery.message.mail import NoMailServer, server
from pipeline.delivery.models import Batch, Delivery, Send
from pipeline.desk.reasons import codes, standing
from pipeline.editions import compose
from pipeline.editions.acts import review
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.preflight import BLOCK
from pipeline.kernel.config import Config

LONGEST_WAIT = timedelta(hours=1)


def run(*, slug: str, yes: bool, config: Config) -> dict[str, Any]:
    """Compose, ask, send, report. Raises UnusableInput where it cannot be sent; nothing has left then."""
    newsletter = Newsletter.objects.filter(slug=slug).first()
    if newsletter is None:
        known = ", ".join(Newsletter.objects.values_list("slug", flat=True)) or "none yet"
        raise UnusableInput(f"no newsletter {slug!r}; known are: {known}")
    try:
        server(config)
    except NoMailServer as error:
        raise UnusableInput(str(error)) from error
    edition = _composed(newsletter)
    readers = counts.count(
        topic_id=newsletter.topic_id, segment=newsletter.segment, slot_at=edition.slot_at, now=timezone.now(),
        rests=newsletter.judges_silence,
    )  # fmt: skip
    if not yes and not _agreed(edition, readers):
        return {
            "edition": edition.id,
            "state": edition.state,
            "sent": 0,
            "warnings": ["not sent: the answer was no"],
        }
    review.grant(edition, now=timezone.now(), actor=None, undo=False)
    if not sending.begin(edition_id=edition.id, now=timezone.now(), by_hand=True):
        raise UnusableInput(
            f"a story of edition {edition.id} was killed or held a moment ago. Nothing was sent; compose it again."
        )
    return _report(_submitted(edition, config=config))


def _composed(newsletter: Newsletter) -> Edition:
    """An edition whose cut-off is this moment: whoever sends by hand means what there is now."""
    now = timezone.now()
    cutoff = timedelta(seconds=newsletter.cutoff_before_s)
    edition = Edition.objects.create(newsletter=newsletter, slot_at=now + cutoff)
    state = compose.compose(edition_id=edition.id, now=now)
    Edition.objects.filter(id=edition.id).update(slot_at=now)
    edition = Edition.objects.select_related("newsletter").get(id=edition.id)
    if state == Edition.State.SKIPPED:
        raise UnusableInput(
            f"too few stories: {edition.params['found']} of at least {edition.params['minimum']}. Nothing was sent; edition {edition.id} says why for each."
        )
    if state == Edition.State.HELD:
        faults = "; ".join(f["sentence"] for f in edition.preflight if f["level"] == BLOCK)
        why = f"preflight forbids it: {faults}" if faults else standing.edition(edition, now=now)
        raise UnusableInput(f"{why} Nothing was sent; edition {edition.id} is held.")
    return edition


def _agreed(edition: Edition, readers: int) -> bool:
    print(f"{edition.newsletter.name}: “{edition.subject}”, to {readers} readers.", file=sys.stderr)
    print("Type the number of readers to send it: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == str(readers)


def _submitted(edition: Edition, *, config: Config) -> Send:
    """Work here as a worker would; workers of a running `dateline up` may take batches too."""
    send = Send.objects.get(edition=edition)
    sending.prepare(send_id=send.id, now=timezone.now())
    send.refresh_from_db()
    until = timezone.now() + LONGEST_WAIT
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        bar = progress.add_task("handing over", total=send.recipients)
        while send.state == Send.State.SUBMITTING and timezone.now() < until:
            due = Batch.objects.filter(send=send, state=Batch.State.PENDING, due_at__lte=timezone.now()).first()
            if due is None or batch.submit(batch_id=due.id, config=config, now=timezone.now()) is None:
                time.sleep(0.2)
            open_ = Delivery.objects.filter(
                send=send, state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED]
            ).count()
            progress.update(bar, completed=send.recipients - open_)
            if (
                open_
                and not Batch.objects.filter(send=send, due_at__lte=timezone.now() + timedelta(minutes=1))
                .exclude(state=Batch.State.DONE)
                .exists()
            ):
                break  # what is left was deferred by its servers for minutes or hours: the running system sends it
            send.refresh_from_db()
    return send


def _report(send: Send) -> dict[str, Any]:
    states = Delivery.objects.filter(send=send).values_list("state", flat=True)
    counts = dict.fromkeys(Delivery.State.values, 0)
    for state in states.iterator():
        counts[state] += 1
    doubtful = list(
        Delivery.objects.filter(send=send, state=Delivery.State.UNKNOWN).values_list("address", flat=True)[:100]
    )
    warnings = (
        [f"{counts['deferred']} were deferred and are tried again while `dateline up` runs"]
        if counts["deferred"]
        else []
    )
    if send.state == Send.State.ASKING:
        warnings.append(codes.sentence(codes.SEND, send.code, send.params) + " Nothing has left; the desk asks.")
    warnings += [f"in doubt: {', '.join(doubtful)}"] if doubtful else []
    return {
        "edition": send.edition_id, "state": send.state, "recipients": send.recipients, **counts, "warnings": warnings,
    }  # fmt: skip
