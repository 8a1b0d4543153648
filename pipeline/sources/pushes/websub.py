"""WebSub: leases at hubs, and what hubs send (W3C Recommendation of 2018).

A hub's address comes out of a feed, so it is a stranger's: it is only asked through the guarded client, is sent a
secret only over TLS, and what it sends counts only with that secret's signature; then it is read as a poll would.

A push is pending while `asked_at` is set and `lease_until` is not. Once verified, `asked_at` is when the lease began.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value

from pipeline.articles.identity import identify
from pipeline.articles.raw.markup import UnusableInput
from pipeline.kernel.config import config
from pipeline.kernel.outbound.client import client as our_client
from pipeline.kernel.outbound.http import Client, FetchError
from pipeline.kernel.queue import Job, ring
from pipeline.kernel.secrets import Sealed
from pipeline.sources.formats import feeds
from pipeline.sources.models import Push, Source
from pipeline.sources.pushes import hints, limits, signatures
from pipeline.sources.pushes.seals import new_secret, secret_of

log = logging.getLogger("dateline.pushes")

LARGEST = 2_000_000  #: bytes of a delivery that are taken
#: A delivery holds a story or a few. More than this is not read while a hub waits; the look it causes reads the feed.
#: Measured: 36,000 empty items in 256 KB take 1.8 s; within both limits the worst found is 0.15 s.
LARGEST_READ, MOST_ITEMS = 128 * 1024, 300
_ITEM = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s/>]", re.IGNORECASE)
LEASE_S = 864_000  #: what we ask for: ten days
SHORTEST_LEASE_S, LONGEST_LEASE_S = 300, 30 * 86_400
ASK_AGAIN = timedelta(hours=1)
ASK_DENIED_AGAIN = timedelta(days=1)
MOST_AT_ONCE = 20
LONGEST_CHALLENGE = 4_000
_WANTED = (Push.State.PENDING, Push.State.ACTIVE, Push.State.BROKEN)


def subscribe(*, source_id: int, hub_url: str, topic_url: str, now: datetime) -> Push:
    """Want a topic from a hub. The next tick asks the hub; asked for twice, it is one push."""
    push, made = Push.objects.get_or_create(
        source_id=source_id,
        kind=Push.Kind.WEBSUB,
        topic_url=topic_url,
        defaults={"hub_url": hub_url, "created_at": now},
    )
    moved = push.hub_url != hub_url
    if made or moved or push.state == Push.State.ENDED:
        fields = {"hub_url": hub_url, "state": Push.State.PENDING, "asked_at": None, "lease_until": None}
        Push.objects.filter(id=push.id).update(**fields)
        new_secret(push)  # another hub must not know the first one's
        push.refresh_from_db()
    return push


def unsubscribe(*, push_id: int, now: datetime, client: Client | None = None) -> None:
    """End a push and tell its hub; what it still sends is answered 410."""
    Push.objects.filter(id=push_id).update(state=Push.State.ENDED, asked_at=now, lease_until=None)
    push = Push.objects.select_related("source").get(id=push_id)
    _ask(push, mode="unsubscribe", client=client or our_client())


def due_renewals(*, now: datetime) -> int:
    """Ring for every push whose hub must be asked; how many."""
    wanted = Push.objects.filter(_due(now), source__state=Source.State.ACTIVE)
    ids = list(wanted.order_by("id").values_list("id", flat=True)[:MOST_AT_ONCE])
    for push_id in ids:
        ring(Job.SOURCES_RENEW, push_id=push_id)
    return len(ids)


def _due(now: datetime) -> Q:
    """Never asked, not answered for an hour, or at half of its lease."""
    unanswered = Q(lease_until=None, asked_at__lte=now - ASK_AGAIN)
    as_long_again = ExpressionWrapper(Value(now) + (Value(now) - F("asked_at")), output_field=DateTimeField())
    half = Q(lease_until__lte=as_long_again)
    return Q(kind=Push.Kind.WEBSUB, state__in=_WANTED) & (Q(asked_at=None) | unanswered | half)


def renew(*, push_id: int, now: datetime, client: Client | None = None) -> bool:
    """Ask a hub for a lease, if it is time. The old one stays good at the hub; True if the hub took the request."""
    if not Push.objects.filter(_due(now), id=push_id).update(asked_at=now, lease_until=None):
        return False
    push = Push.objects.select_related("source").get(id=push_id)
    taken = _ask(push, mode="subscribe", client=client or our_client())
    if not taken:
        Push.objects.filter(id=push_id, state=Push.State.ACTIVE).update(state=Push.State.BROKEN)
    return taken


def _ask(push: Push, *, mode: str, client: Client) -> bool:
    said = {"hub.mode": mode, "hub.topic": push.topic_url, "hub.callback": callback(push)}
    if mode == "subscribe":
        said["hub.lease_seconds"] = str(LEASE_S)
        said |= {"hub.secret": secret_of(push)} if _is_private(push.hub_url) else {}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = client.post(push.hub_url, content=urlencode(said).encode(), headers=headers)
    except (FetchError, Sealed) as error:
        log.warning("the hub of %s was not asked: %s", push.source, error)
        return False
    if not 200 <= answer.status < 300:
        log.warning("the hub of %s answered %s to %s", push.source, answer.status, mode)
        return False
    return True


def callback(push: Push) -> str:
    """Where a hub reaches this push; the token in it is known to that hub alone."""
    return f"{config().site_url}/websub/{push.token}"


# -- what hubs send


def verify(*, token: str, query: Mapping[str, str], now: datetime) -> str | None:
    """A hub asks whether we meant it, or says that it will not. The text to answer, or None for "no" (404)."""
    push = Push.objects.filter(token=token, kind=Push.Kind.WEBSUB).first()
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    if push is None or topic != push.topic_url:
        return None
    if mode == "denied":
        return _denied(push, query.get("hub.reason", ""), now=now)
    challenge = query.get("hub.challenge", "")
    pending = push.asked_at is not None and push.asked_at <= now and push.lease_until is None
    meant = "unsubscribe" if push.state == Push.State.ENDED else "subscribe"
    if not (pending and mode == meant and 0 < len(challenge) <= LONGEST_CHALLENGE):
        return None
    _settle(push, query.get("hub.lease_seconds", ""), now=now)
    return challenge


def _settle(push: Push, lease: str, *, now: datetime) -> None:
    """A verified lease heals nothing: a push that missed stories works again when it delivers."""
    if push.state == Push.State.ENDED:
        Push.objects.filter(id=push.id).update(asked_at=None)
        return
    granted = int(lease) if lease.isascii() and lease.isdigit() and len(lease) < 12 else LEASE_S
    until = now + timedelta(seconds=min(LONGEST_LEASE_S, max(SHORTEST_LEASE_S, granted)))
    state = Push.State.ACTIVE if push.state == Push.State.PENDING else push.state
    Push.objects.filter(id=push.id).update(asked_at=now, lease_until=until, state=state)


def _denied(push: Push, reason: str, *, now: datetime) -> str:
    log.warning("the hub of source %s denies the topic: %s", push.source_id, reason[:200] or "it gives no reason")
    waiting = now + ASK_DENIED_AGAIN - ASK_AGAIN  # so that it is asked again in a day
    wanted = Push.objects.filter(id=push.id).exclude(state=Push.State.ENDED)
    wanted.update(state=Push.State.BROKEN, asked_at=waiting, lease_until=None)
    return ""


def receive(*, token: str, headers: Mapping[str, str], body: bytes | None, now: datetime) -> int:
    """Take a delivery; the status to answer. A bad one is answered like a good one and dropped: hubs need not know."""
    push = Push.objects.select_related("source").filter(token=token, kind=Push.Kind.WEBSUB).first()
    if push is None:
        return 404
    if push.state == Push.State.ENDED:
        return 410  # WebSub 7: the hub ends the subscription
    if push.source.state == Source.State.ACTIVE and body is not None and limits.may_knock(token, now=now):
        _delivered(push, headers, body, now=now)
    return 202


def _delivered(push: Push, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Without a shared secret anybody may have sent it: then it is a hint and nothing more."""
    if _is_private(push.hub_url):
        if not _is_signed(push, headers.get("X-Hub-Signature") or "", body):
            log.warning("a delivery from the hub of %s was dropped: its signature is missing or bad", push.source)
            return
        _take_in(push, headers, body, now=now)
    hints.hear(source_id=push.source_id, push_id=push.id, now=now)


def _is_signed(push: Push, header: str, body: bytes) -> bool:
    try:
        secret = secret_of(push)
    except Sealed as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says all
        return False
    return bool(secret) and signatures.check_hub(header, secret=secret, body=body)


def _take_in(push: Push, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    if push.source.baseline_at is None or len(body) > LARGEST_READ or len(_ITEM.findall(body)) > MOST_ITEMS:
        return
    try:
        content_type = {"content-type": headers.get("Content-Type") or ""}
        feed = feeds.read(body, url=push.topic_url, headers=content_type)
    except UnusableInput as error:
        log.info("a delivery from the hub of %s is no feed: %s", push.source, error)
        return
    seen = identify.observe(source_id=push.source_id, told=feed.entries, now=now, baseline=False)
    if seen.fresh:
        hints.delivered(source_id=push.source_id, push_id=push.id, now=now)


def _is_private(hub_url: str) -> bool:
    """May a secret travel there (WebSub 5.1: only over TLS)?"""
    return urlsplit(hub_url).scheme == "https"
