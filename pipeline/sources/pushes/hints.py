"""Hints that there is news, debounced into looks, and pushes watched for what they should have told.

A hint opens a window: the look at once is the window's leading edge, hints within it are answered by one look at
its end, and two more looks follow for page caches and slow replicas. All of it is rows, so that no restart forgets
a look that was asked for; the database's uniqueness is the debounce.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from pipeline.kernel.queue import Job, wake
from pipeline.sources.models import Channel, Look, Push, Source

#: Steps of a Look. OPEN is no look: while its row stands, no other leading edge is taken.
OPEN, TRAILING, SOON, LATER = 0, 5, 20, 120
WINDOW = timedelta(seconds=5)
BUSY_PAUSE = timedelta(seconds=1)
MOST_AT_ONCE = 500
LOCK = 0x4C4F4F4B  #: the number of our advisory lock: "LOOK"
TOO_MANY_REQUESTS = 429
#: A push had its chance with a story this old; what is older than FORGOTTEN was backdated, or nobody's news.
CHANCE = timedelta(seconds=120)
FORGOTTEN = timedelta(hours=36)
#: A look this soon after a hint was caused by it: the last follow-up, and a look's own length.
CAUSED_WITHIN = timedelta(seconds=LATER + 30)

_FOLLOW_UPS = """
INSERT INTO dateline_look (source_id, push_id, due_at, step_s)
     VALUES (%s, %s, %s, %s), (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT look_once DO UPDATE SET due_at = EXCLUDED.due_at, push_id = EXCLUDED.push_id
      WHERE dateline_look.due_at < EXCLUDED.due_at - %s::interval
"""


def hear(*, source_id: int, now: datetime, push_id: int | None = None) -> bool:
    """Someone says there is news: look now, and again at +20 s and +120 s. True if this hint caused a look at once.

    Without `push_id` it is the source's own ping, whose row is made when it is first heard of.
    """
    with transaction.atomic():
        _alone(source_id)
        push_id = push_id or _ping(source_id, now=now)
        _note_heard(push_id, now=now)
        leads = _opened(source_id, push_id, now=now)
        _follow_up(source_id, push_id, now=now)
        if leads:
            for channel_id in _look(source_id, push_id, now=now):
                wake(Job.SOURCES_LOOK, channel_id=channel_id)
    return leads


def make_due(*, now: datetime) -> int:
    """Make channels due for every look whose time has come; how many sources. The tick rings for what is due."""
    waiting = Look.objects.filter(due_at__lte=now).order_by("due_at").values_list("source_id", flat=True)
    return sum(_made_due(source_id, now=now) for source_id in dict.fromkeys(waiting[:MOST_AT_ONCE]))


@transaction.atomic
def _made_due(source_id: int, *, now: datetime) -> bool:
    _alone(source_id)
    taken = _taken(source_id, now=now)
    if not taken or not Source.objects.filter(id=source_id, state=Source.State.ACTIVE).exists():
        return False
    push_id = next(iter(taken.values()))
    _look(source_id, push_id, now=now)
    if TRAILING in taken:
        _plan(source_id, push_id, OPEN, due_at=now + WINDOW)
    return True


def _look(source_id: int, push_id: int | None, *, now: datetime) -> list[int]:
    """Make what shows news due, and return it. A look under way may end before the news: then again in a second.

    Sitemaps are left to their hour where there is a faster way, and a site that asked us to slow down is heard.
    """
    asked_to_wait = Q(last_status=TOO_MANY_REQUESTS, next_due_at__gt=now)
    ways = Channel.objects.filter(source_id=source_id, state=Channel.State.ACTIVE).exclude(asked_to_wait)
    known = list(ways.order_by("id").values_list("id", "kind", "leased_until"))
    fast = [way for way in known if way[1] != Channel.Kind.SITEMAP] or known
    ids = [channel_id for channel_id, _, _ in fast]
    Channel.objects.filter(id__in=ids).update(next_due_at=now, last_full_at=None)
    if any(leased_until and leased_until > now for _, _, leased_until in fast):
        _plan(source_id, push_id, TRAILING, due_at=now + BUSY_PAUSE)
    return ids


# -- is a push telling what it should?


def found(*, source_id: int, fresh: int, published: Iterable[datetime | None] = (), now: datetime) -> None:
    """A look found `fresh` new stories: a push that had asked for it delivered, one that had not missed them."""
    if not fresh:
        return
    if Push.objects.filter(source_id=source_id, heard_at__gte=now - CAUSED_WITHIN).exists():
        delivered(source_id=source_id, now=now)
    else:
        missed(source_id=source_id, published=published, now=now)


def delivered(*, source_id: int, now: datetime, push_id: int | None = None) -> None:
    """What was lately heard led to news: those pushes work, whatever they missed before."""
    heard = Push.objects.filter(source_id=source_id).exclude(state=Push.State.ENDED)
    heard = heard.filter(id=push_id) if push_id else heard.filter(heard_at__gte=now - CAUSED_WITHIN)
    heard.update(delivered_at=now, missed=0, state=Push.State.ACTIVE)


def missed(*, source_id: int, published: Iterable[datetime | None], now: datetime) -> int:
    """A poll found stories first. Those a push had its time to tell break it; how many these were."""
    late = [at for at in published if at is not None and CHANCE <= now - at <= FORGOTTEN]
    silent = Push.objects.filter(source_id=source_id, state__in=(Push.State.ACTIVE, Push.State.BROKEN))
    for push in silent.exclude(heard_at__gte=now - CAUSED_WITHIN):
        count = sum(at > _working_since(push) for at in late)
        if count:
            Push.objects.filter(id=push.id).update(missed=F("missed") + count, state=Push.State.BROKEN)
    return len(late)


def _working_since(push: Push) -> datetime:
    """Nothing from before a push was set up, or was last heard, counts against it."""
    return max(push.created_at, push.heard_at - CHANCE if push.heard_at else push.created_at)


# -- rows


def _ping(source_id: int, *, now: datetime) -> int:
    push, _ = Push.objects.get_or_create(
        source_id=source_id, kind=Push.Kind.PING, topic_url="", defaults={"created_at": now}
    )
    return push.id


def _note_heard(push_id: int, *, now: datetime) -> None:
    """To five seconds: a flood of hints must not be a flood of writes."""
    heard = Push.objects.filter(
        Q(heard_at=None) | Q(heard_at__lt=now - WINDOW) | Q(heard_at__gt=now + WINDOW), id=push_id
    )
    heard.update(heard_at=now)
    Push.objects.filter(id=push_id, state=Push.State.PENDING).update(state=Push.State.ACTIVE)


def _opened(source_id: int, push_id: int, *, now: datetime) -> bool:
    """Whether this hint opened a window; if one stands open, its end gets a look."""
    if _plan(source_id, push_id, OPEN, due_at=now + WINDOW):
        return True
    ends = Look.objects.filter(source_id=source_id, step_s=OPEN).values_list("due_at", flat=True).first()
    _plan(source_id, push_id, TRAILING, due_at=ends or now + WINDOW)
    return False


def _plan(source_id: int, push_id: int | None, step: int, *, due_at: datetime) -> bool:
    """Plan a look of that step unless there is one; True if there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dateline_look (source_id, push_id, due_at, step_s) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT ON CONSTRAINT look_once DO NOTHING RETURNING id",
            [source_id, push_id, due_at, step],
        )
        return cursor.fetchone() is not None


def _follow_up(source_id: int, push_id: int, *, now: datetime) -> None:
    """Plan the follow-ups, or move them to after this hint where that is a window later."""
    soon, later = now + timedelta(seconds=SOON), now + timedelta(seconds=LATER)
    with connection.cursor() as cursor:
        cursor.execute(
            _FOLLOW_UPS, [source_id, push_id, soon, SOON, source_id, push_id, later, LATER, f"{WINDOW.seconds} s"]
        )


def _taken(source_id: int, *, now: datetime) -> dict[int, int | None]:
    """Step -> push of the looks that are due now, taken from the table; a window that closes is no look."""
    due = Look.objects.filter(source_id=source_id, due_at__lte=now)
    steps: dict[int, int | None] = dict(due.exclude(step_s=OPEN).values_list("step_s", "push_id"))
    due.delete()
    return steps


def _alone(source_id: int) -> None:
    """One transaction at a time plans a source's looks; two that each wait for the other's row would both fail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, source_id])
