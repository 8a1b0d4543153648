"""What a look changes in the rows: who looks, what was learned of the site, when to look again."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When

from pipeline.articles.addresses import comparable
from pipeline.articles.gates.screen import CAUTIOUS_FOR, source_event
from pipeline.sources import health, pace
from pipeline.sources.formats.feeds import generator_family
from pipeline.sources.looks import conditional, sitemap
from pipeline.sources.looks.asking import REFUSED, Failed, Told
from pipeline.sources.looks.conditional import Move
from pipeline.sources.looks.zones import zone_of
from pipeline.sources.models import Channel, Observation, Source

log = logging.getLogger("dateline.sources")

#: A look at a feed ends within this; the others may ask for several pages.
FEED_LEASE_S, LEASE_S = 60.0, 180.0
REFUSALS = 3
LONGEST_ADDRESS, LONGEST_ETAG, LONGEST_DATE = 1000, 500, 100
NAMES = {Channel.Kind.FEED: "", Channel.Kind.REST: "REST interface: ", Channel.Kind.SITEMAP: "sitemap: "}

#: A claim counts as a failure until the look has come back, so that input which kills its reader is met seldom.
_CLAIM = """
UPDATE dateline_channel AS channel
   SET leased_until = clock_timestamp() + lease.s * interval '1 second',
       next_due_at = %(now)s + greatest(lease.s, least(3600, 60 * power(2, least(errors, 6)))) * interval '1 second',
       errors = errors + 1
  FROM dateline_source source, (VALUES (true, %(feed_s)s::float), (false, %(other_s)s::float)) lease (is_feeds, s)
 WHERE channel.id = %(channel)s AND lease.is_feeds = (channel.kind = 'feed')
   AND source.id = channel.source_id AND source.state = 'active' AND channel.state <> 'gone' AND channel.next_due_at <= %(now)s
   AND (channel.leased_until IS NULL OR channel.leased_until < clock_timestamp())
RETURNING channel.leased_until, channel.next_due_at, channel.errors - 1,
          EXISTS (SELECT FROM dateline_push WHERE source_id = source.id AND state = 'active'
                     AND delivered_at IS NOT NULL AND missed = 0),
          EXISTS (SELECT FROM dateline_push WHERE source_id = source.id AND state = 'broken'),
          EXISTS (SELECT FROM dateline_channel other WHERE other.source_id = source.id AND other.kind = 'feed'
                     AND other.state = 'active' AND (other.errors = 0 OR other.leased_until IS NOT NULL)),
          NOT EXISTS (SELECT FROM dateline_channel other WHERE other.source_id = source.id AND other.kind = 'feed'
                         AND other.id < channel.id),
          (SELECT max(last_found_at) FROM dateline_channel other WHERE other.source_id = source.id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to look at a channel, and what was known before. `due_at` tells whether a hint came meanwhile.

    `channel.errors` is what it was before the claim. `is_first_feed`: its generator stands for the site's.
    """

    channel: Channel
    now: datetime
    leased_until: datetime
    due_at: datetime
    push_works: bool
    push_broken: bool
    feed_works: bool
    is_first_feed: bool
    found_at: datetime | None
    began: float = field(default_factory=time.monotonic)

    @property
    def lease_s(self) -> float:
        return FEED_LEASE_S if self.channel.kind == Channel.Kind.FEED else LEASE_S

    @property
    def is_baseline(self) -> bool:
        """What a channel shows at its first good look was there before us, as is all before the source's own first."""
        return not self.channel.body_hash or self.channel.source.baseline_at is None


def claim(*, channel_id: int, now: datetime) -> Claim | None:
    """Nobody else looks while the lease lasts; None if the channel is not due, or somebody looks."""
    with transaction.atomic(), connection.cursor() as cursor:
        values: dict[str, int | float | datetime] = {
            "channel": channel_id,
            "now": now,
            "feed_s": FEED_LEASE_S,
            "other_s": LEASE_S,
        }
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    channel = Channel.objects.select_related("source").get(id=channel_id)
    leased_until, due_at, channel.errors, works, broken, feed_works, is_first, found_at = row
    return Claim(
        channel=channel,
        now=now,
        leased_until=leased_until,
        due_at=due_at,
        push_works=works,
        push_broken=broken and not works,
        feed_works=feed_works,
        is_first_feed=is_first and channel.kind == Channel.Kind.FEED,
        found_at=found_at,
    )


def is_held(claim: Claim) -> bool:
    """Whether nobody else has looked since the lease ran out, if it did."""
    return Channel.objects.filter(id=claim.channel.id, leased_until=claim.leased_until).exists()


def answered(claim: Claim, told: Told) -> None:
    """What a good answer says of its site, written before anything it tells is judged."""
    source, now = claim.channel.source, claim.now
    changes: dict[str, Any] = {"last_success_at": now}
    if claim.channel.kind != Channel.Kind.SITEMAP:
        changes["looks"] = F("looks") + 1
    if told.generator and claim.is_first_feed:
        changes["generator"] = told.generator[:200]
    if told.total is not None:
        changes["posts_total"] = told.total
    if source.last_error and not _others_in_trouble(claim.channel):
        changes["last_error"] = ""
    if because := _event(claim, told):
        changes |= _caution(source, because, now=now)
    Source.objects.filter(id=source.id).update(**changes)


def revised(claim: Claim, *, share: float) -> None:
    """So much of what is known changed at once."""
    if because := source_event(revised_share=share):
        Source.objects.filter(id=claim.channel.source_id).update(
            **_caution(claim.channel.source, because, now=claim.now)
        )


def _event(claim: Claim, told: Told) -> str | None:
    source, now = claim.channel.source, claim.now
    was, total = source.posts_total, told.total
    families = {generator_family(source.generator), generator_family(told.generator)}
    move = _move(claim.channel, told, now=now)
    return source_event(
        generator_changed=claim.is_first_feed and bool(source.generator and told.generator) and len(families) > 1,
        address_changed=conditional.is_adopted(move, now=now) and comparable(move.to) != comparable(claim.channel.url),
        silent_for=now - source.last_success_at if source.last_success_at else timedelta(0),
        total_jump=total - was if total is not None and was is not None else 0,
        listed=told.listed,
    )


def _caution(source: Source, because: str, *, now: datetime) -> dict[str, Any]:
    log.warning("%s is treated with caution: %s", source.name, because)
    return {"cautious_until": now + CAUTIOUS_FOR, "cautious_because": because[:80]}


def _others_in_trouble(channel: Channel) -> bool:
    others = Channel.objects.filter(source_id=channel.source_id).exclude(id=channel.id)
    return others.filter(Q(errors__gt=0, leased_until=None) | ~Q(state=Channel.State.ACTIVE)).exists()


def kept(claim: Claim, told: Told, *, fresh: int, note: str) -> None:
    """Write what a good look learned of its channel, and when the next one is due."""
    channel, now = claim.channel, claim.now
    held = told.held
    changes: dict[str, Any] = {
        "state": Channel.State.ACTIVE,
        "errors": 0,
        "etag": held.etag if len(held.etag) <= LONGEST_ETAG else "",  # cut short it would never match
        "last_modified": held.last_modified if len(held.last_modified) <= LONGEST_DATE else "",
        "modified_only": held.modified_only,
        **_moved(channel, told, now=now),
    }
    changes |= {"body_hash": told.digest} if told.digest else {}
    changes |= {"last_found_at": now} if fresh else {}
    if told.is_full:
        changes["last_full_at"] = _unless_hinted(claim, "last_full_at", now)
    _release(claim, status=told.status, wait_s=_wait_s(claim, errors=0, fresh=fresh), **changes)
    if not told.is_same:
        entries = len(told.entries) + len(told.archive)
        _observed(claim, told.status, digest=told.digest, entries=entries, fresh=fresh, note=note)


def _move(channel: Channel, told: Told, *, now: datetime) -> Move:
    to = told.moved_to if told.moved_to and len(told.moved_to) <= LONGEST_ADDRESS else None
    return conditional.moved(Move(channel.moved_to, channel.moved_since), to=to, at=channel.url, now=now)


def _moved(channel: Channel, told: Told, *, now: datetime) -> dict[str, Any]:
    move = _move(channel, told, now=now)
    if not conditional.is_adopted(move, now=now):
        return {"moved_to": move.to, "moved_since": move.since}
    log.info("%s has moved to %s", channel.url, move.to)
    if Channel.objects.filter(source_id=channel.source_id, url=move.to).exclude(id=channel.id).exists():
        return {"state": Channel.State.GONE}  # that address is watched already
    return {"url": move.to, "moved_to": "", "moved_since": None}


def failed(claim: Claim, failure: Failed) -> None:
    """Old knowledge stays: a channel that fails is stale, never empty."""
    channel, errors = claim.channel, claim.channel.errors + 1
    refused = failure.is_refused and _refused_before(channel)
    changes: dict[str, Any] = {"errors": errors}
    why = f"{NAMES[Channel.Kind(channel.kind)]}{failure.why}"
    if failure.is_gone:
        changes["state"] = Channel.State.GONE
        why += "; it is asked no more"
    elif refused:
        changes["state"] = Channel.State.ASKING
        why += f"; {REFUSALS} times in a row, so ask the site's owner to let Dateline in"
    wait_s = _wait_s(claim, errors=errors, refused=refused, retry_after_s=failure.wait_s)
    _release(claim, status=failure.status, wait_s=wait_s, obeys=failure.wait_s is not None, **changes)
    Source.objects.filter(id=channel.source_id).update(last_error=why[:300])
    _observed(claim, failure.status, note=f"refused: {failure.why}" if failure.is_refused else failure.why)
    log.warning("%s: %s; looking again in %.0f s", channel.url, failure.why, wait_s)


def _refused_before(channel: Channel) -> bool:
    """Were the looks just before this one refused as well, so that it makes REFUSALS in a row?"""
    if channel.errors < REFUSALS - 1:
        return False
    last = Observation.objects.filter(channel=channel).order_by("-at", "-id")[: REFUSALS - 1]
    return all(row.status in REFUSED or row.note.startswith("refused: ") for row in last)


def postponed(claim: Claim, *, wait_s: float) -> None:
    """It was not the time for a look, which therefore was none."""
    Channel.objects.filter(id=claim.channel.id, leased_until=claim.leased_until).update(
        leased_until=None,
        errors=claim.channel.errors,
        next_due_at=_unless_hinted(claim, "next_due_at", _in(claim, wait_s)),
    )


def _wait_s(
    claim: Claim, *, errors: int, fresh: int = 0, refused: bool = False, retry_after_s: float | None = None
) -> float:
    source, now = claim.channel.source, claim.now
    found_at = now if fresh else claim.found_at
    facts = pace.Facts(
        poll_s=source.poll_s,
        is_ours=source.is_ours,
        hour=now.astimezone(zone_of(source.zone)).hour,
        task=_task(claim),
        errors=errors,
        retry_after_s=retry_after_s,
        refused=refused,
        push_works=claim.push_works,
        push_broken=claim.push_broken,
        found_s=(now - found_at).total_seconds() if found_at else None,
        usual_gap_s=None if source.is_ours else health.usual_gap_s(source_id=source.id),
    )
    return pace.next_look_s(facts, jitter=random.uniform(-1, 1))  # noqa: S311 - no secret, only spread


def _task(claim: Claim) -> pace.Task:
    if claim.channel.kind == Channel.Kind.SITEMAP:
        return pace.Task.LEAD if sitemap.is_news(claim.channel.url) else pace.Task.ARCHIVE
    is_second = claim.channel.kind == Channel.Kind.REST and claim.feed_works
    return pace.Task.RECONCILE if is_second else pace.Task.LEAD


def _release(claim: Claim, *, status: int, wait_s: float, obeys: bool = False, **changes: Any) -> None:
    """A hint that came during the look stands, unless the site asked us to wait."""
    due_at = _in(claim, wait_s)
    Channel.objects.filter(id=claim.channel.id, leased_until=claim.leased_until).update(
        leased_until=None,
        next_due_at=due_at if obeys else _unless_hinted(claim, "next_due_at", due_at),
        polls=F("polls") + 1,
        last_status=status,
        last_checked_at=claim.now,
        **changes,
    )


def _in(claim: Claim, seconds: float) -> datetime:
    """So many seconds from when the look ends."""
    return claim.now + timedelta(seconds=time.monotonic() - claim.began + seconds)


def _unless_hinted(claim: Claim, field: str, value: datetime) -> Case:
    return Case(When(next_due_at=claim.due_at, then=Value(value)), default=F(field))


def _observed(claim: Claim, status: int, *, digest: str = "", entries: int = 0, fresh: int = 0, note: str = "") -> None:
    Observation.objects.create(
        channel=claim.channel, at=claim.now, status=status, body_hash=digest, entries=entries, fresh=fresh, note=note[:300]
    )  # fmt: skip
