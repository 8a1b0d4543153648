"""What each provider lets us do, kept between batches: Provider rows to paces and back.

A row with the group "" speaks for every group that has none of its own: its `warming_since` warms a whole new address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from django.db.models import F, Q

from pipeline.channels.base import MailChannel
from pipeline.channels.mail.direct import Direct
from pipeline.channels.mail.mx import Ways
from pipeline.channels.mail.providers import Pace, caps_of, warm_up
from pipeline.delivery.models import Provider
from pipeline.kernel.config import Config

EVERY = ""


def direct(name: str, values: Mapping[str, str], *, config: Config, client_name: str, now: datetime) -> Direct:
    """The channel of a transport of kind mx, at the paces that were learnt.

    Its settings may name `nameservers` (by blanks), a `dns_port`, another `port` than 25, and `private` networks.
    """
    rows = {row.group: row for row in Provider.objects.filter(transport=name)}
    return Direct(
        _ways(values.get("nameservers", ""), int(values.get("dns_port", 53)), private=bool(values.get("private"))),
        client_name=client_name,
        paces={group: _pace(row, processes=config.workers, now=now) for group, row in rows.items() if group != EVERY},
        today=_plan(rows, now=now),
        processes=config.workers,
        port=int(values.get("port", 25)),
    )


def prepare(channel: MailChannel, addresses: Iterable[str]) -> None:
    """Ask DNS for a whole batch at once, where the channel will need it."""
    if isinstance(channel, Direct):
        channel.ways.prepare(address.rpartition("@")[2] for address in addresses if address.isascii())


def keep(name: str, channel: MailChannel, *, now: datetime) -> None:
    """Write down what a run taught: the pace of each group it met, and what it used of the day."""
    if not isinstance(channel, Direct):
        return
    for group, gauge in channel.gauges.items():
        pace, share = gauge.pace, caps_of(group)
        Provider.objects.update_or_create(
            transport=name,
            group=group,
            defaults={
                "connections": min(share.connections, pace.connections * channel.processes),
                "per_minute": pace.per_minute * channel.processes,
                "clean_since": pace.clean_since,
                "said": pace.said,
            },
        )
        if pace.paused_until is not None:  # never shortened: another run may have been told to wait longer
            shorter = Q(paused_until=None) | Q(paused_until__lt=pace.paused_until)
            Provider.objects.filter(shorter, transport=name, group=group).update(paused_until=pace.paused_until)
        if group in channel.used:
            rows = Provider.objects.filter(transport=name, group=group)
            rows.exclude(day__gte=now.date()).update(day=now.date(), sent_today=0)
            rows.update(sent_today=F("sent_today") + channel.used[group])


def _pace(row: Provider, *, processes: int, now: datetime) -> Pace:
    """This process's part of a row."""
    return Pace(
        caps=caps_of(row.group),
        connections=max(1, row.connections // processes),
        per_minute=max(1, row.per_minute // processes) if row.per_minute else 0,
        clean_since=row.clean_since or now,
        paused_until=row.paused_until,
        said=row.said,
    )


def _plan(rows: Mapping[str, Provider], *, now: datetime) -> Callable[[str], tuple[int, int] | None]:
    def today(group: str) -> tuple[int, int] | None:
        row = rows.get(group)
        since = (row.warming_since if row else None) or (rows[EVERY].warming_since if EVERY in rows else None)
        plan = warm_up(group, day=(now.date() - since).days) if since else None
        if plan is None:
            return None
        sent = row.sent_today if row is not None and row.day == now.date() else 0
        return max(0, plan.per_day - sent), plan.per_minute

    return today


@lru_cache(maxsize=4)
def _ways(nameservers: str, dns_port: int, *, private: bool) -> Ways:
    return Ways(nameservers=nameservers.split(), dns_port=dns_port, private=private)
