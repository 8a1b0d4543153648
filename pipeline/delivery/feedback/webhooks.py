"""Providers' webhooks: whose address was called, and what the events mean here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from pipeline.channels.esp.hooks import Told
from pipeline.delivery.feedback.events import Event
from pipeline.delivery.feedback.reasons import CODE_OF_STATUS, Kind, judged
from pipeline.delivery.models import Transport
from pipeline.engagement import tokens
from pipeline.engagement.settle import BY_MACHINE
from pipeline.kernel.config import Config
from pipeline.kernel.signing import Keyring

#: Event types (anymail's words) that mean the same here whatever else is said with them.
_KINDS = {
    "complained": "complaint", "unsubscribed": "left", "delivered": "delivered", "autoresponded": "auto-reply",
    "deferred": "other", "failed": "other",
}  # fmt: skip
#: Why a provider would not even try (anymail's words): its own lists know the reader, or it blames us.
_REJECTED = {
    "invalid": ("hard", "no-mailbox"), "bounced": ("soft", "suppressed"), "spam": ("complaint", "spam"),
    "unsubscribed": ("left", "unsubscribed"), "timed_out": ("soft", "unreachable"),
}  # fmt: skip


def token_of(name: str, *, config: Config) -> str:
    """The secret in a transport's address: another one for each transport. Those of older secrets stay good."""
    return _token(name, secret=config.secret_key)


def _token(name: str, *, secret: str) -> str:
    digest = Keyring.from_secret(secret).derive(f"esp hook {name}")
    return base64.urlsafe_b64encode(digest[:24]).decode("ascii")


def address_of(row: Transport, *, config: Config) -> str:
    """What to paste where the provider asks for a webhook."""
    return f"{config.site_url}/esp/{row.provider}/{token_of(row.name, config=config)}"


def transport_of(*, provider: str, token: str, config: Config) -> Transport | None:
    """The transport whose address this is. All of a provider's are compared, in constant time each."""
    if not provider.isalnum():  # a NUL among others, which PostgreSQL refuses
        return None
    rows = Transport.objects.filter(kind=Transport.Kind.ESP, provider=provider)
    fits = [
        row
        for row in rows
        for secret in config.secrets
        if hmac.compare_digest(_token(row.name, secret=secret).encode(), token.encode("utf-8"))
    ]
    return fits[0] if fits else None


def events_of(told: Iterable[Told], *, transport: str, keyring: Keyring, now: datetime) -> list[Event]:
    """What concerns deliveries; opens and clicks are ours to count, by our own links, but for those of machines."""
    return [event for one in told if (event := _event(one, transport=transport, keyring=keyring, now=now))]


def _event(told: Told, *, transport: str, keyring: Keyring, now: datetime) -> Event | None:
    followed = _followed(told, keyring=keyring)
    kind, reason, status = _of_machine(told, followed) if told.by_machine else _meaning(told)
    if kind is None:
        return None
    return Event(
        id=_identity(told, transport=transport),
        kind=kind,
        way="webhook",
        at=_moment(told.at, now=now),
        address=told.recipient.lower(),
        reason=reason,
        status=status,
        said=told.said,
        copy=(followed.origin, followed.ordinal) if followed and followed.ordinal else None,
        delivery_id=told.delivery,
        remote_id=told.message_id,
        transport=transport,
        trusted=True,
    )


_CLICK = re.compile(r"/c/([A-Za-z0-9_-]{26})(?![A-Za-z0-9_-])")


def _followed(told: Told, *, keyring: Keyring) -> tokens.Token | None:
    """The link of ours that was followed, by its own signature."""
    found = _CLICK.search(told.url)
    token = tokens.read(keyring, found[1], kind=tokens.Kind.CLICK) if found else None
    return token if token and token.valid else None


def _of_machine(told: Told, followed: tokens.Token | None) -> tuple[str | None, str, str]:
    """A provider's word that nobody opened or clicked: kept with the link's number, for verdicts to look at."""
    if told.event_type == "opened":
        return "other", f"{BY_MACHINE}open", ""
    if told.event_type == "clicked" and followed:
        return "other", f"{BY_MACHINE}click", str(followed.link)
    return None, "", ""


def _meaning(told: Told) -> tuple[str | None, str, str]:
    """(kind, reason, status) of one event; kind None for what does not concern us."""
    status = (CODE_OF_STATUS.search(told.said) or [""])[0]
    if told.event_type == "bounced":
        return *_bounce(told, status=status), status
    if told.event_type == "rejected":
        return *_REJECTED.get(told.reject_reason, ("soft", "policy")), status
    return _KINDS.get(told.event_type), told.reject_reason or told.event_type, status


def _bounce(told: Told, *, status: str) -> tuple[str, str]:
    """Hard only where neither the provider nor the server's own words leave another reading."""
    kind, reason = judged(status=status, words=told.said)
    if told.lasts is False:
        return "soft", reason
    if kind is Kind.HARD:
        return "hard", reason
    nothing_said = reason == "unknown" and not status
    return ("hard", "no-mailbox") if told.lasts and nothing_said else ("soft", reason)


def _identity(told: Told, *, transport: str) -> str:
    """The same for a repetition."""
    parts = (
        transport,
        told.event_type,
        told.event_id,
        told.message_id,
        told.recipient,
        told.at.isoformat() if told.at else "",
        *filter(None, [told.url]),
    )
    return f"hook:{hashlib.blake2b('|'.join(parts).encode('utf-8', 'replace'), digest_size=20).hexdigest()}"


def _moment(at: datetime | None, *, now: datetime) -> datetime:
    """When it happened; a clock that runs ahead is ours."""
    return now if at is None or at > now + timedelta(minutes=5) else at
