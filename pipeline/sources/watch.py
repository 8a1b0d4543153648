"""Looking at what is due: fetch, compare, hand on what is told, and say when to look again."""

from __future__ import annotations

import hashlib
import logging
import re
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from pipeline.articles import identify
from pipeline.articles.raw.markup import UnusableInput
from pipeline.kernel.outbound.client import client as our_client
from pipeline.kernel.outbound.http import Answer, Client, FetchError, Validators, retry_after_s
from pipeline.kernel.queue import Job, ring, wake
from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import Feed
from pipeline.sources.models import Channel, Observation, Source

log = logging.getLogger("dateline.sources")

LEASE_S = 60
FEED_BYTES = 10_000_000
#: A WordPress feed can answer 304 though something changed (measured: two posts in one second, old dates).
FULL_EVERY = timedelta(hours=2)
FULL_EVERY_NTH = 6
LONGEST_PAUSE_S = 3600
LONGEST_RETRY_AFTER_S = 86_400
KEEP_OBSERVATIONS = timedelta(days=14)
#: Generators stamp these on every build; they say nothing about the news.
_STAMPS = re.compile(rb"<(lastBuildDate|pubDate|updated)>[^<]*</\1>")

_CLAIM = """
UPDATE dateline_channel AS channel SET leased_until = clock_timestamp() + %(lease)s * interval '1 second'
  FROM dateline_source source
 WHERE channel.id = %(channel)s AND source.id = channel.source_id AND source.state = 'active'
   AND channel.next_due_at <= %(now)s AND (channel.leased_until IS NULL OR channel.leased_until < clock_timestamp())
RETURNING channel.id
"""


def ring_due(*, now: datetime, most: int = 200) -> int:
    """Ring for every channel that is due and that nobody looks at; how many."""
    due = Channel.objects.filter(source__state=Source.State.ACTIVE, next_due_at__lte=now).exclude(leased_until__gt=now)
    ids = list(due.order_by("next_due_at").values_list("id", flat=True)[:most])
    for channel_id in ids:
        ring(Job.SOURCES_LOOK, channel_id=channel_id)
    return len(ids)


def hint(*, source_id: int, now: datetime) -> None:
    """Someone says there is news: look now, without validators. A hint is never content to trust."""
    Channel.objects.filter(source_id=source_id).update(next_due_at=now, last_full_at=None)
    for channel_id in Channel.objects.filter(source_id=source_id).values_list("id", flat=True):
        wake(Job.SOURCES_LOOK, channel_id=channel_id)


def look(*, channel_id: int, now: datetime, client: Client | None = None) -> int | None:
    """One look at one channel; the number of new articles, or None if it was not due or is being looked at."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"channel": channel_id, "now": now, "lease": LEASE_S})
        if cursor.fetchone() is None:
            return None
    channel = Channel.objects.select_related("source").get(id=channel_id)
    full = _wants_everything(channel, now=now)
    sent = None if full else Validators(etag=channel.etag, last_modified=channel.last_modified)
    try:
        answer = (client or our_client()).get(channel.url, validators=sent, limit_bytes=FEED_BYTES)
    except FetchError as error:
        return _failed(channel, str(error), status=0, now=now)
    return _answered(channel, answer, sent=sent, full=full, now=now)


def _wants_everything(channel: Channel, *, now: datetime) -> bool:
    return (
        channel.last_full_at is None
        or now - channel.last_full_at >= FULL_EVERY
        or channel.polls % FULL_EVERY_NTH == FULL_EVERY_NTH - 1
    )


def _answered(channel: Channel, answer: Answer, *, sent: Validators | None, full: bool, now: datetime) -> int:
    if answer.not_modified:
        return _done(channel, answer, sent=sent, full=False, now=now, note="not modified")
    if answer.status != 200:
        wait = retry_after_s(answer.headers, now=now)
        return _failed(channel, f"the site answered {answer.status}", status=answer.status, now=now, wait_s=wait)
    digest = hashlib.sha256(_STAMPS.sub(b"", answer.body)).hexdigest()
    if digest == channel.body_hash and channel.source.baseline_at:
        return _done(channel, answer, sent=sent, full=full, now=now, digest=digest, note="same body")
    try:
        feed = feeds.read(answer.body, url=answer.final_url, headers=answer.headers)
    except UnusableInput as error:
        return _failed(channel, str(error), status=answer.status, now=now)
    return _taken_in(channel, answer, feed, sent=sent, full=full, digest=digest, now=now)


def _taken_in(
    channel: Channel,
    answer: Answer,
    feed: Feed,
    *,
    sent: Validators | None,
    full: bool,
    digest: str,
    now: datetime,
) -> int:
    """First contact is a baseline: what is there now was there before us."""
    first = channel.source.baseline_at is None
    seen = identify.observe(source_id=channel.source_id, told=feed.entries, now=now, baseline=first)
    if first:
        Source.objects.filter(id=channel.source_id, baseline_at=None).update(baseline_at=now)
    fresh = 0 if first else len(seen.fresh)
    note = f"first look: {len(seen.fresh)} stories were there before us" if first else "; ".join(feed.warnings)
    return _done(
        channel,
        answer,
        sent=sent,
        full=full,
        now=now,
        digest=digest,
        entries=len(feed.entries),
        fresh=fresh,
        note=note,
    )


def _done(
    channel: Channel, answer: Answer, *, sent: Validators | None, full: bool, now: datetime, digest: str = "",
    entries: int = 0, fresh: int = 0, note: str = "",
) -> int:  # fmt: skip
    kept = answer.validators(sent)
    changes: dict[str, Any] = {
        "etag": kept.etag[:500],
        "last_modified": kept.last_modified[:100],
        "errors": 0,
    }
    changes |= {"body_hash": digest} if digest else {}
    changes |= {"last_full_at": now} if full else {}
    changes |= {"last_found_at": now} if fresh else {}
    _release(channel, status=answer.status, now=now, wait_s=channel.source.poll_s, **changes)
    Source.objects.filter(id=channel.source_id).update(last_success_at=now, last_error="")
    if not answer.not_modified:
        _observed(channel, answer.status, now=now, digest=digest, entries=entries, fresh=fresh, note=note)
    return fresh


def _failed(channel: Channel, why: str, *, status: int, now: datetime, wait_s: float | None = None) -> int:
    """Old knowledge stays: a feed that fails is stale, never empty."""
    pause = min(LONGEST_PAUSE_S, channel.source.poll_s * 2 ** min(channel.errors + 1, 6))
    if wait_s is not None:
        pause = max(pause, min(LONGEST_RETRY_AFTER_S, int(wait_s)))
    _release(channel, status=status, now=now, wait_s=pause, errors=channel.errors + 1)
    Source.objects.filter(id=channel.source_id).update(last_error=why[:300])
    _observed(channel, status, now=now, note=why)
    log.warning("%s: %s; looking again in %s s", channel.url, why, pause)
    return 0


def _release(channel: Channel, *, status: int, now: datetime, wait_s: float, **changes: Any) -> None:
    due = timezone.now() + timedelta(seconds=wait_s)
    Channel.objects.filter(id=channel.id).update(
        leased_until=None,
        next_due_at=due,
        polls=channel.polls + 1,
        last_status=status,
        last_checked_at=now,
        **changes,
    )


def _observed(
    channel: Channel,
    status: int,
    *,
    now: datetime,
    digest: str = "",
    entries: int = 0,
    fresh: int = 0,
    note: str = "",
) -> None:
    Observation.objects.create(
        channel=channel,
        at=now,
        status=status,
        body_hash=digest,
        entries=entries,
        fresh=fresh,
        note=note[:300],
    )


def forget(*, now: datetime) -> int:
    """Drop observations older than two weeks; how many."""
    return Observation.objects.filter(at__lt=now - KEEP_OBSERVATIONS).delete()[0]
