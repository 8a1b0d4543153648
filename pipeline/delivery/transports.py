"""The ways out for mail, in their order: which one a batch takes, when the next one steps in, when the first is back.

The environment's relay is the way named "" and comes first. A way fails when it cannot be reached or says it is out of
order; after FAILS_FOR of nothing else, batches that have not begun take the next way that does not fail. A batch that
has readers in doubt stays with its way, for their answers are there. A way that answers again is used again.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from pipeline.channels.base import MailChannel, MailServer, Permanent, RateLimited, Temporary
from pipeline.delivery import paces
from pipeline.delivery.message import mail
from pipeline.delivery.models import Delivery, Send, Transport
from pipeline.kernel.config import Config
from pipeline.kernel.secrets import Sealed, seal, unseal

log = logging.getLogger("dateline.delivery")

#: So long nothing but failures, and the next way steps in: shorter is a restart, longer is late news.
FAILS_FOR = timedelta(minutes=3)
RELAY = ""
PROBE_S = 5.0


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out as the rule sees it."""

    name: str
    rank: int
    failing_since: datetime | None = None

    def fails(self, *, now: datetime) -> bool:
        return self.failing_since is not None and self.failing_since <= now - FAILS_FOR


def chosen(exits: Iterable[Exit], *, began_on: str | None, in_doubt: bool, asked: str, now: datetime) -> str | None:
    """Which way a batch takes; None where there is none. Pure.

    `began_on` is the way of its rows that were answered, `asked` the one a person gave the send ("": none). What a
    person asked for, and what has readers in doubt, waits for its way rather than take another.
    """
    ranked = sorted(exits, key=lambda way: (way.rank, way.name))
    known = {way.name: way for way in ranked}
    if began_on is not None and began_on in known and (in_doubt or not known[began_on].fails(now=now)):
        return began_on
    if in_doubt and began_on is not None:
        return None
    if asked and asked in known:
        return asked
    sound = [way.name for way in ranked if not way.fails(now=now)]
    return next(iter(sound or known), None)


def take(*, batch_id: int, send_id: int, config: Config, client_name: str, now: datetime) -> tuple[str, MailChannel]:
    """The way a claimed batch takes, noted on its open rows, and its channel. Raises as `way_of` and `channel_for` do."""
    way = way_of(batch_id=batch_id, send_id=send_id, config=config, now=now)
    waiting = Delivery.objects.filter(batch_id=batch_id, state__in=[Delivery.State.PENDING, Delivery.State.DEFERRED])
    waiting.exclude(transport=way).update(transport=way)
    return way, channel_for(way, config=config, client_name=client_name)


def tell(way: str, *, trouble: Temporary | Permanent | None, heard: int, now: datetime) -> None:
    """How a batch fared on its way. One that was heard to say nothing has been failing since its first such batch.

    Who asks for patience, or refuses us, is there: that is not what another way would mend by itself.
    """
    if trouble is None or heard:
        note_answer(way)
    elif isinstance(trouble, Temporary) and not isinstance(trouble, RateLimited):
        _row(way, now=now)
        since = Coalesce("failing_since", Value(now))
        Transport.objects.filter(name=way).update(failing_since=since, said=str(trouble)[:300])


def way_of(*, batch_id: int, send_id: int, config: Config, now: datetime) -> str:
    """The way a claimed batch takes. Raises NoMailServer where there is none, Temporary where it must wait for its own."""
    begun = Delivery.objects.filter(batch_id=batch_id).exclude(answered_at=None).order_by("-answered_at")
    doubtful = begun.filter(state=Delivery.State.UNKNOWN).values_list("transport", flat=True).first()
    last = doubtful if doubtful is not None else begun.values_list("transport", flat=True).first()
    asked = Send.objects.values_list("transport", flat=True).get(id=send_id)
    ways = exits(config=config)
    name = chosen(ways, began_on=last, in_doubt=doubtful is not None, asked=asked, now=now)
    if name is None and ways:
        raise Temporary(f"readers of this batch are in doubt at {last or 'the relay'!r}, which is not in use")
    if name is None:
        mail.server(config)  # says what to set
        raise mail.NoMailServer("no way out for mail is in use: set DATELINE_SMTP_URL, or resume a transport")
    return name


def exits(*, config: Config) -> list[Exit]:
    """Every way that is in use."""
    rows = {row.name: row for row in Transport.objects.all()}
    found = [
        Exit(row.name, row.rank, row.failing_since)
        for row in rows.values()
        if row.name != RELAY and row.state == Transport.State.ACTIVE
    ]
    if config.smtp_url:
        kept = rows.get(RELAY)
        found.append(Exit(RELAY, 0, kept.failing_since if kept else None))
    return found


def channel_for(name: str, *, config: Config, client_name: str) -> MailChannel:
    """The channel of a way. Raises NoMailServer, or Permanent where its keys cannot be used."""
    if name == RELAY:
        return _smtp(mail.server(config), client_name=client_name)
    row = Transport.objects.get(name=name)
    if row.kind == Transport.Kind.MX:
        values = settings_of(row, config=config) if row.settings else {}
        return paces.direct(name, values, config=config, client_name=client_name, now=timezone.now())
    values = settings_of(row, config=config)
    if row.kind == Transport.Kind.ESP:
        from pipeline.channels.esp.post import EspChannel  # botocore and requests, for who has a provider

        return EspChannel(row.provider, values)
    if row.kind == Transport.Kind.RELAY:
        return _smtp(relay_of(values), client_name=client_name)
    raise Permanent(f"{name}: no channel for a transport of kind {row.kind}")


def relay_of(values: dict[str, str]) -> MailServer:
    """The server of a relay's settings, which hold its address as DATELINE_SMTP_URL would. Raises Permanent."""
    try:
        return mail.server_at(values["url"])
    except (KeyError, ValueError) as error:
        raise Permanent(f"the settings of this relay need a url: {error}") from error


def settings_of(row: Transport, *, config: Config) -> dict[str, str]:
    """A transport's keys. Raises Permanent where they were sealed with another secret."""
    try:
        return unseal(bytes(row.settings).decode("ascii"), secrets=config.secrets, bound_to=_bound(row.name))
    except Sealed as error:
        raise Permanent(f"{row.name}: {error}") from error


def sealed_settings(name: str, values: dict[str, str], *, config: Config) -> bytes:
    """A transport's keys as its row keeps them."""
    return seal(values, secrets=config.secrets, bound_to=_bound(name)).encode("ascii")


def note_answer(name: str) -> None:
    """A way that takes mail does not fail."""
    Transport.objects.filter(name=name).exclude(failing_since=None).update(failing_since=None, said="")


def look_again(*, config: Config) -> int:
    """Knock at each way that fails; those that answer are used again. Returns how many do."""
    back = 0
    for row in Transport.objects.exclude(failing_since=None):
        if _answers(row, config=config):
            note_answer(row.name)
            log.info("the way out %r answers again; it had failed since %s", row.name or "relay", row.failing_since)
            back += 1
    return back


def failing(*, config: Config, now: datetime) -> datetime | None:
    """Since when the first way of the order fails, for a desk that asks; None while it does not."""
    ranked = sorted(exits(config=config), key=lambda way: (way.rank, way.name))
    return ranked[0].failing_since if ranked and ranked[0].fails(now=now) else None


def looked_at(*, config: Config, greet: Callable[[MailServer], object]) -> list[tuple[str, str]]:
    """Knock at every way in use, in their order: what it is called, and what is wrong with it ("" where it answers).

    `greet` speaks with a relay and raises OSError where it cannot be used. Mail that leaves by MX has many doors, and
    none of them is asked.
    """
    rows = {row.name: row for row in Transport.objects.all()}
    ranked = sorted(exits(config=config), key=lambda way: (way.rank, way.name))
    return [
        (
            "The mail relay" if way.name == RELAY else way.name,
            _trouble(rows.get(way.name), config=config, greet=greet),
        )
        for way in ranked
    ]


def _row(name: str, *, now: datetime) -> None:
    """The relay of the environment gets a row when there is something to remember of it."""
    if name == RELAY:
        Transport.objects.get_or_create(
            name=RELAY, defaults={"kind": Transport.Kind.RELAY, "rank": 0, "created_at": now}
        )


def _answers(row: Transport, *, config: Config) -> bool:
    return not _trouble(row, config=config, greet=_greet)


def _trouble(row: Transport | None, *, config: Config, greet: Callable[[MailServer], object]) -> str:
    """What a knock at a way's door says is wrong with it; None is the relay of the environment."""
    if row is not None and row.kind == Transport.Kind.MX:
        return ""
    try:
        if row is not None and row.kind == Transport.Kind.ESP:
            socket.create_connection(_api(row, config=config), timeout=PROBE_S).close()
        else:
            greet(
                mail.server(config) if row is None or row.name == RELAY else relay_of(settings_of(row, config=config))
            )
    except (OSError, Permanent, mail.NoMailServer) as error:
        return str(error) or type(error).__name__
    return ""


def _greet(server: MailServer) -> None:
    """Raises OSError where a server does not say 220; one that begins with TLS only has to take the connection."""
    with socket.create_connection((server.host, server.port), timeout=PROBE_S) as link:
        said = b"220" if server.security == "tls" else link.recv(200)
    if not said.startswith(b"220"):
        raise OSError(said.decode("ascii", "replace").strip() or "it hung up")


def _api(row: Transport, *, config: Config) -> tuple[str, int]:
    """Where a provider's API listens."""
    from pipeline.channels.esp.providers import provider_of

    values = settings_of(row, config=config)
    parts = urlsplit(values.get("api_url") or "https://" + provider_of(row.provider, values).host.format(**values))
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def _smtp(server: MailServer, *, client_name: str) -> MailChannel:
    from pipeline.channels.mail.smtp import SmtpEngine

    return SmtpEngine(server, client_name=client_name)


def _bound(name: str) -> str:
    return f"transport {name}"
