"""How a source is: plain codes and figures for the desk. A site that fails is stale, never "no news"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection

from pipeline.sources.models import Channel, Push, Source

STALE_AFTER, MISSED_POLLS = timedelta(minutes=15), 3
#: For a stranger's site, which is asked as seldom as every hour.
STRANGER_STALE_AFTER = timedelta(hours=3)
SILENT_TIMES_USUAL = 4
STORIES = 50  #: of each source, the newest, whose gaps say what is usual
FEWEST_STORIES = 8
Params = Mapping[str, str | int | float | datetime]

_GAPS = """
SELECT source.id, max(story.at), count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM story.gap)), max(extract(epoch FROM story.gap))
  FROM unnest(%s::bigint[]) AS source (id),
       LATERAL (SELECT first_seen_at AS at, first_seen_at - lag(first_seen_at) OVER (ORDER BY first_seen_at) AS gap
                  FROM (SELECT first_seen_at FROM dateline_article
                         WHERE source_id = source.id AND state NOT IN ('baseline', 'archived', 'duplicate')
                         ORDER BY first_seen_at DESC LIMIT %s) newest) story
 GROUP BY source.id
"""


class Code(StrEnum):
    """What a source is, the worst first."""

    GONE = "gone"  #: it answered 410 and is asked no more
    REFUSED = "refused"  #: only its owner can help
    STALE = "stale"
    UNANSWERED = "unanswered"  #: it never answered well
    SILENT = "silent"  #: it answers, and tells nothing for unusually long
    PUSH_BROKEN = "push_broken"
    FIRST_LOOK = "first_look"
    PAUSED = "paused"
    FRESH = "fresh"


#: A sentence for each, in the words of the house; its params are `Health.params`.
SENTENCES: Mapping[Code, str] = {
    Code.GONE: "{url} answered 410 and is asked no more",
    Code.REFUSED: "{url} refused us: ask the site's owner to let Dateline in",
    Code.STALE: "stale since {since}: {why}",
    Code.UNANSWERED: "has not answered yet: {why}",
    Code.SILENT: "answers, but told nothing since {since}; usual is a story every {usual_s} s",
    Code.PUSH_BROKEN: "its {kind} missed {missed} stories; polls found them",
    Code.FIRST_LOOK: "waits for its first look",
    Code.PAUSED: "paused",
    Code.FRESH: "answered at {since}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One thing that is so of a source. Instants among the params are aware UTC."""

    source_id: int
    code: Code
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How a source's newest stories came: the usual gap, the longest one, and the newest of all."""

    newest_at: datetime
    usual_s: float
    longest_s: float


def of(*, now: datetime, source_ids: Iterable[int] | None = None) -> dict[int, tuple[Health, ...]]:
    """Everything worth saying of each source, the worst first; a healthy one has one FRESH. Four queries."""
    rows = Source.objects.order_by("id")
    sources = list(rows if source_ids is None else rows.filter(id__in=list(source_ids)))
    ids = [source.id for source in sources]
    channels = list(Channel.objects.filter(source_id__in=ids).order_by("id"))
    pushes = list(Push.objects.filter(source_id__in=ids, state=Push.State.BROKEN).order_by("id"))
    rhythms = rhythms_of(source_ids=ids)
    return {
        source.id: judged(
            source,
            channels=[channel for channel in channels if channel.source_id == source.id],
            broken=[push for push in pushes if push.source_id == source.id],
            rhythm=rhythms.get(source.id),
            now=now,
        )
        for source in sources
    }


def judged(
    source: Source, *, channels: Sequence[Channel], broken: Sequence[Push], rhythm: Rhythm | None, now: datetime
) -> tuple[Health, ...]:
    """The same for one source whose rows are at hand."""
    if source.state == Source.State.PAUSED:
        return (Health(source_id=source.id, code=Code.PAUSED),)
    answer = _answer(source, now=now)
    found = [*_closed(source, channels), answer]
    if answer.code is Code.FRESH and (silence := _silence(source, rhythm, now=now)):
        found.append(silence)
    found += [
        Health(source_id=source.id, code=Code.PUSH_BROKEN, params={"kind": push.kind, "missed": push.missed})
        for push in broken
    ]
    worst = sorted(found, key=lambda health: list(Code).index(health.code))
    return tuple(worst if len(worst) == 1 else [each for each in worst if each.code is not Code.FRESH])


def _closed(source: Source, channels: Sequence[Channel]) -> list[Health]:
    codes = {Channel.State.GONE.value: Code.GONE, Channel.State.ASKING.value: Code.REFUSED}
    return [
        Health(
            source_id=source.id,
            code=codes[channel.state],
            params={"url": channel.url, "kind": channel.kind, "status": channel.last_status},
        )
        for channel in channels
        if channel.state in codes
    ]


def _answer(source: Source, *, now: datetime) -> Health:
    if source.last_success_at is None:
        if source.last_error:
            return Health(source_id=source.id, code=Code.UNANSWERED, params={"why": source.last_error})
        return Health(source_id=source.id, code=Code.FIRST_LOOK)
    patience = max(
        STALE_AFTER if source.is_ours else STRANGER_STALE_AFTER, MISSED_POLLS * timedelta(seconds=source.poll_s)
    )
    since: Params = {"since": source.last_success_at}
    if now - source.last_success_at > patience:
        why = source.last_error or "nobody has looked since; are the workers running?"
        return Health(source_id=source.id, code=Code.STALE, params={**since, "why": why})
    return Health(source_id=source.id, code=Code.FRESH, params=since)


def _silence(source: Source, rhythm: Rhythm | None, *, now: datetime) -> Health | None:
    """Longer than four usual gaps and than the longest of late, so that no night and no weekend is an alarm."""
    if rhythm is None:
        return None
    silent_s = (now - rhythm.newest_at).total_seconds()
    if silent_s <= SILENT_TIMES_USUAL * rhythm.usual_s or silent_s <= rhythm.longest_s:
        return None
    return Health(
        source_id=source.id,
        code=Code.SILENT,
        params={"since": rhythm.newest_at, "usual_s": round(rhythm.usual_s)},
    )


def rhythms_of(*, source_ids: Sequence[int]) -> dict[int, Rhythm]:
    """How the stories of each source came lately, where there were enough of them to tell."""
    with connection.cursor() as cursor:
        cursor.execute(_GAPS, [list(source_ids), STORIES])
        return {
            source_id: Rhythm(newest_at=newest_at, usual_s=float(usual), longest_s=float(longest))
            for source_id, newest_at, count, usual, longest in cursor.fetchall()
            if count >= FEWEST_STORIES
        }


def usual_gap_s(*, source_id: int) -> float | None:
    """Seconds between two stories, None where there are too few to tell."""
    rhythm = rhythms_of(source_ids=[source_id]).get(source_id)
    return rhythm.usual_s if rhythm else None
