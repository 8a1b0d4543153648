"""Whether the machinery is well: sites, engines, queues, sends under way."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import django
import redis
from django.db import connection
from django.db.models import Count, Min, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pipeline.delivery.course import brake
from pipeline.delivery.models import Batch, Mailbox, Send, Transport
from pipeline.desk import sign_in
from pipeline.desk.sources.words import BADGES
from pipeline.desk.words import Badge, badge, count, duration
from pipeline.engagement.drain import STREAM
from pipeline.kernel.pages import ago
from pipeline.kernel.processes.redis_link import redis_link
from pipeline.kernel.queue import Queue
from pipeline.sources import health
from pipeline.sources.models import Source

MOST_SOURCES = 200
#: Due work older than this means that nobody is working.
STUCK_AFTER = timedelta(minutes=2)
BUSY_QUEUE, BUSY_STREAM = 1000, 100_000
QUEUE_WORDS = {
    Queue.WATCH: "looking at sites and reading stories",
    Queue.FAST: "clocks, composing, counting",
    Queue.SEND: "batches of mail",
    Queue.SOCIAL: "posts",
    Queue.SLOW: "upkeep and imports",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A source as the health strip shows it."""

    name: str
    home_url: str
    badge: Badge
    last_success_at: datetime | None
    last_error: str
    channels: int
    polls: int
    errors: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Engine:
    """PostgreSQL or Redis: whether it answers, in how many milliseconds, and which one it is."""

    name: str
    badge: Badge
    says: str
    answer_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Bells:
    """What waits in Redis: messages by queue and events not yet counted; None where Redis is away."""

    engine: Engine
    queues: dict[str, int] | None
    stream: int | None


def sites(*, now: datetime) -> list[Site]:
    """Every source, those in trouble first. A handful of queries, however many there are."""
    rows = Source.objects.annotate(
        ways=Count("channels"),
        polls=Sum("channels__polls"),
        errors=Sum("channels__errors"),
        due=Min("channels__next_due_at"),
    )
    listed = list(rows.order_by("name", "id")[:MOST_SOURCES])
    found = health.of(now=now, source_ids=[row.id for row in listed])
    made = [_site(row, found[row.id][0]) for row in listed]
    return sorted(made, key=lambda site: site.badge.tone != "trouble")


def _site(row: Any, worst: health.Health) -> Site:
    return Site(
        name=row.name,
        home_url=row.home_url,
        badge=BADGES[worst.code],
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        channels=row.ways,
        polls=row.polls or 0,
        errors=row.errors or 0,
        next_due_at=row.due,
    )


def bells() -> Bells:
    """Ask Redis once for everything. Never raises: Redis away is an answer."""
    names = [queue.value for queue in Queue]
    began = perf_counter()
    try:
        with _client() as client, client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(f"dateline:{name}")
            pipe.xlen(STREAM)
            pipe.info("server")
            *lengths, stream, info = pipe.execute()
    except redis.RedisError as error:
        away = f"does not answer ({type(error).__name__}). Work is late, not lost: the rows say what is due."
        return Bells(engine=Engine("Redis", Badge("away", "trouble"), away), queues=None, stream=None)
    says = f"{info.get('server_name', 'redis').capitalize()} {info.get('valkey_version') or info['redis_version']}"
    engine = Engine("Redis", Badge("well", "done"), says, round(1000 * (perf_counter() - began), 1))
    return Bells(engine=engine, queues=dict(zip(names, lengths, strict=True)), stream=int(stream))


def _client() -> redis.Redis:
    return redis_link()


def database() -> Engine:
    """Ask PostgreSQL who it is."""
    began = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        says = f"PostgreSQL {cursor.fetchone()[0]}"
    return Engine("PostgreSQL", Badge("well", "done"), says, round(1000 * (perf_counter() - began), 1))


def oldest_due(*, now: datetime) -> datetime | None:
    """Since when the oldest batch of a running send has been due; None where none is waiting."""
    waiting = Q(state=Batch.State.PENDING, due_at__lte=now) | Q(state=Batch.State.CLAIMED, lease_until__lt=now)
    found: datetime | None = Batch.objects.filter(waiting, send__state=Send.State.SUBMITTING).aggregate(
        d=Min("due_at")
    )["d"]
    return found


def sends_under_way() -> list[dict[str, Any]]:
    """Sends that are neither ended nor failed, oldest first."""
    states = [Send.State.PLANNED, Send.State.PREPARING, Send.State.SUBMITTING, Send.State.PAUSED]
    rows = Send.objects.filter(state__in=states).select_related("edition__newsletter").order_by("id")[:20]
    return [
        {"edition_id": row.edition_id, "name": row.edition.newsletter.name, "badge": badge("send", row.state), "recipients": row.recipients}
        for row in rows
    ]  # fmt: skip


def strip(*, now: datetime) -> list[dict[str, Any]]:
    """The health strip of the first screen: a few facts, each with a badge and a sentence. Four queries."""
    seen, rung, due, sends = sites(now=now), bells(), oldest_due(now=now), sends_under_way()
    return [_sites_fact(seen, now=now), *_bell_facts(rung), _send_fact(sends, due, now=now)]


def _sites_fact(seen: list[Site], *, now: datetime) -> dict[str, Any]:
    if not seen:
        return _fact("Sites", Badge("none", "needs"), "No site is watched yet; `dateline watch` adds the first.")
    ill = [site for site in seen if site.badge.tone == "trouble"]
    if ill:
        words = f"{ill[0].name}: last answer {ago(ill[0].last_success_at, now)}. {ill[0].last_error}".strip()
        return _fact("Sites", Badge(f"{len(ill)} of {len(seen)} silent", "trouble"), words)
    latest = max((site.last_success_at for site in seen if site.last_success_at), default=None)
    return _fact("Sites", Badge(f"{len(seen)} well", "done"), f"Last answer {ago(latest, now)}.")


def _bell_facts(rung: Bells) -> list[dict[str, Any]]:
    if rung.queues is None or rung.stream is None:
        return [_fact("Queues", rung.engine.badge, f"Redis {rung.engine.says}")]
    waiting = sum(rung.queues.values())
    busy = Badge("busy", "needs") if waiting > BUSY_QUEUE else Badge("calm", "done")
    behind = Badge("behind", "needs") if rung.stream > BUSY_STREAM else Badge("keeping up", "done")
    return [
        _fact("Queues", busy, f"{count(waiting, 'message')} waiting for a worker."),
        _fact("Clicks and opens", behind, f"{count(rung.stream, 'packet')} of events still to be counted."),
    ]


def _send_fact(sends: list[dict[str, Any]], due: datetime | None, *, now: datetime) -> dict[str, Any]:
    if due is not None and now - due > STUCK_AFTER:
        return _fact(
            "Sending",
            Badge("stuck", "trouble"),
            f"A batch has been due for {duration((now - due).total_seconds())} and nobody took it.",
        )
    if not sends:
        return _fact("Sending", Badge("idle", "waiting"), "Nothing is on its way.")
    return _fact("Sending", Badge("on its way", "moving"), f"{count(len(sends), 'send')} under way.")


def _fact(name: str, shown: Badge, words: str) -> dict[str, Any]:
    return {"name": name, "badge": shown, "words": words}


def ways() -> list[dict[str, Any]]:
    """How mail leaves, in the order it is tried, and what each said last where it fails."""
    return [
        {
            "name": row.name,
            "kind": row.provider or row.kind,
            "badge": _way_badge(row),
            "since": row.failing_since,
            "said": row.said,
        }
        for row in Transport.objects.order_by("rank", "id")
    ]


def _way_badge(row: Transport) -> Badge:
    if row.state != Transport.State.ACTIVE:
        return Badge("off", "off")
    return Badge("failing", "trouble") if row.failing_since else Badge("well", "done")


def mailboxes() -> list[dict[str, Any]]:
    """Where bounces are read, when they last were, and what went wrong."""
    return [
        {"name": row.name, "read_at": row.read_at, "said": row.said, "badge": Badge("failing", "trouble") if row.said else Badge("well", "done")}
        for row in Mailbox.objects.order_by("name")
    ]  # fmt: skip


def versions() -> dict[str, str]:
    """What is running."""
    try:
        own = version("dateline")
    except PackageNotFoundError:
        own = "not installed as a package"
    return {
        "Dateline": own,
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "Celery": version("celery"),
    }


@sign_in.required
@require_safe
def status(request: sign_in.Guest) -> HttpResponse:
    """The whole of it."""
    now = timezone.now()
    rung = bells()
    queues = [
        {
            "name": queue.value,
            "words": QUEUE_WORDS[queue],
            "waiting": None if rung.queues is None else rung.queues[queue.value],
        }
        for queue in Queue
    ]
    due = oldest_due(now=now)
    context = {
        "now": now,
        "engines": [database(), rung.engine],
        "queues": queues,
        "stream": rung.stream,
        "due_for": duration((now - due).total_seconds()) if due else "",
        "stuck": due is not None and now - due > STUCK_AFTER,
        "sends": sends_under_way(),
        "sites": sites(now=now),
        "versions": versions(),
        "ways": ways(),
        "mailboxes": mailboxes(),
        "sending_stopped": brake.is_pulled(),
        "may_edit": request.user.may_edit,
    }
    return render(request, "desk/status.html", context)
