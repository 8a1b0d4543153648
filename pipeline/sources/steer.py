"""What people do to a source: add it, pause it, have it looked at, end a caution, set its pace, give it a signed webhook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from pipeline.kernel.queue import Job, wake
from pipeline.sources import discover
from pipeline.sources.discover import Found
from pipeline.sources.models import Channel, Push, Source
from pipeline.sources.pushes import owners
from pipeline.sources.pushes.hints import TOO_MANY_REQUESTS
from pipeline.staff.journal import note
from pipeline.staff.models import User

USUAL_POLL_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a source is watched. `daily_budget` None: no limit; `settle_s` 0: breaking news; `zone` an IANA name."""

    is_ours: bool
    poll_s: int
    settle_s: int
    daily_budget: int | None
    zone: str


def terms_of(source: Source) -> Terms:
    """The terms a source has now."""
    return Terms(**{name: getattr(source, name) for name in Terms.__dataclass_fields__})


@transaction.atomic
def add(found: Found, *, name: str, terms: Terms | None, actor: User, now: datetime) -> tuple[Source, bool]:
    """Begin to watch what was found, at these terms; the source, and whether it is new. Its first looks begin at once.

    One we have only gains the ways it lacked: it keeps its own terms, and none need be given.
    """
    if terms is None:
        source, made = discover.add(found, name=name, every_s=USUAL_POLL_S, now=now)
    else:
        asked = replace(found, zone=terms.zone)
        source, made = discover.add(
            asked, name=name, every_s=terms.poll_s, now=now, is_ours=terms.is_ours, settle_s=terms.settle_s
        )
    _noted("add", source.id, actor, now, ways=len(found.ways), made=made)
    if made and terms is not None and terms.daily_budget is not None:
        change(
            source_id=source.id, terms=replace(terms_of(source), daily_budget=terms.daily_budget), actor=actor, now=now
        )
    wake_looks(source_id=source.id, now=now)
    return source, made


@transaction.atomic
def change(*, source_id: int, terms: Terms, actor: User, now: datetime) -> tuple[str, ...]:
    """Give a source other terms; the names of those that changed. Its next looks are planned afresh."""
    source = Source.objects.select_for_update().get(id=source_id)
    before, after = asdict(terms_of(source)), asdict(terms)
    changed = {name: after[name] for name in after if after[name] != before[name]}
    if changed:
        Source.objects.filter(id=source_id).update(**changed)
        was = {name: before[name] for name in changed}
        _noted("change", source_id, actor, now, was=was, now_is=changed)
    if changed.keys() & {"poll_s", "is_ours"}:
        _make_due(source_id, now=now)
    return tuple(changed)


@transaction.atomic
def pause(*, source_id: int, actor: User, now: datetime) -> bool:
    """Look no more until someone resumes; True if it was watched."""
    active = Source.objects.filter(id=source_id, state=Source.State.ACTIVE)
    paused = bool(active.update(state=Source.State.PAUSED))
    if paused:
        _noted("pause", source_id, actor, now)
    return paused


@transaction.atomic
def resume(*, source_id: int, actor: User, now: datetime) -> bool:
    """Watch again, beginning now; True if it was paused. What came meanwhile passes the gates as ever."""
    resumed = bool(Source.objects.filter(id=source_id, state=Source.State.PAUSED).update(state=Source.State.ACTIVE))
    if resumed:
        _make_due(source_id, now=now)
        _noted("resume", source_id, actor, now)
    return resumed


@transaction.atomic
def look_now(*, source_id: int, actor: User, now: datetime) -> int:
    """Have every way that is open looked at now, without validators; how many ways. None of a paused source."""
    if not Source.objects.filter(id=source_id, state=Source.State.ACTIVE).exists():
        return 0
    ways = _make_due(source_id, now=now)
    if ways:
        _noted("look", source_id, actor, now)
    return ways


def wake_looks(*, source_id: int, now: datetime) -> None:
    """Ring for what is due of a source, so that nobody waits for the tick."""
    _wake(Channel.objects.filter(source_id=source_id, next_due_at__lte=now).values_list("id", flat=True))


@transaction.atomic
def end_caution(*, source_id: int, actor: User, now: datetime) -> bool:
    """Trust a source again from now on; True if it was under caution. What is held stays held until it is released."""
    found = Source.objects.select_for_update().filter(id=source_id, cautious_until__gt=now).first()
    if found is None:
        return False
    Source.objects.filter(id=source_id).update(cautious_until=None, cautious_because="")
    _noted("end_caution", source_id, actor, now, because=found.cautious_because)
    return True


@transaction.atomic
def open_webhook(*, source_id: int, kind: Push.Kind, actor: User, now: datetime) -> tuple[Push, str]:
    """Make a signed webhook, or a new secret for the one there is; the secret is returned this once."""
    push, secret = owners.open_hook(source_id=source_id, kind=kind, now=now)
    _noted("open_webhook", source_id, actor, now, kind=str(kind))
    return push, secret


@transaction.atomic
def end_webhook(*, source_id: int, push_id: int, actor: User, now: datetime) -> bool:
    """Hear a webhook no more; True if it was open."""
    mine = Push.objects.filter(id=push_id, source_id=source_id, kind__in=owners.HEADERS).exclude(state=Push.State.ENDED)
    ended = bool(mine.update(state=Push.State.ENDED))
    if ended:
        _noted("end_webhook", source_id, actor, now, push=push_id)
    return ended


def _make_due(source_id: int, *, now: datetime) -> int:
    """A way that refused us is asked too: a person wants to know. One that asked us to wait is not."""
    asked_to_wait = Q(last_status=TOO_MANY_REQUESTS, next_due_at__gt=now)
    open_ = Channel.objects.filter(source_id=source_id).exclude(state=Channel.State.GONE).exclude(asked_to_wait)
    ids = list(open_.order_by("id").values_list("id", flat=True))
    Channel.objects.filter(id__in=ids).update(next_due_at=now, last_full_at=None)
    _wake(ids)
    return len(ids)


def _wake(ids: Iterable[int]) -> None:
    for channel_id in ids:
        wake(Job.SOURCES_LOOK, channel_id=channel_id)


def _noted(verb: str, source_id: int, actor: User, now: datetime, **detail: Any) -> None:
    note(verb=verb, subject="source", subject_id=source_id, now=now, actor=actor, **detail)
