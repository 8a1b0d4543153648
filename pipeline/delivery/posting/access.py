"""Getting in: an account's adapter, its token renewed by one process at a time, and the network's patience shared."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.db.models import F, Q

from pipeline.channels import registry
from pipeline.channels.base import (
    Channel,
    ChannelError,
    Limits,
    RateLimited,
    Refreshing,
    Roomy,
    Temporary,
    Unauthorised,
)
from pipeline.kernel.config import config
from pipeline.kernel.secrets import seal, unseal
from pipeline.posts.models import Account
from pipeline.posts.rules import patience, room

log = logging.getLogger("dateline.posts")

#: A token with less than this left is renewed before it is used.
MARGIN = timedelta(minutes=10)
RENEWAL_LEASE_S = 60
#: The share of a window that is left to breaking news and to putting right what is wrong; one request at least.
RESERVE = 0.04


def channel_of(account: Account) -> Channel:
    """The adapter of an account with its credentials. Raises Sealed, or Permanent for a network without an adapter."""
    keys = unseal(account.credentials, secrets=config().secrets, bound_to=str(account))
    return registry.connect(account.network, keys=keys, handle=account.handle, base_url=account.base_url)


def fresh_channel(account: Account, *, now: datetime, channel: Channel | None = None) -> Channel:
    """The adapter with a token that lasts. Raises Temporary while another process renews one that has run out."""
    line = channel or channel_of(account)
    if account.token_until is None or account.token_until > now + MARGIN or not isinstance(line, Refreshing):
        return line
    if renew(account, line, now=now):
        return line
    if account.token_until <= now:
        raise Temporary("the account's token has run out and is being renewed")
    return line


def renew(account: Account, channel: Channel, *, now: datetime) -> bool:
    """Renew a token; True for the one process that did. The new keys are stored before anything else uses them.

    Raises Temporary and Unauthorised.
    """
    if not isinstance(channel, Refreshing):
        return False
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=now)
    lease = now + timedelta(seconds=RENEWAL_LEASE_S)
    same = Q(token_until=account.token_until) & Q(credentials=account.credentials)  # else somebody did it meanwhile
    if not Account.objects.filter(free & same, id=account.id).update(refreshing_until=lease):
        return False
    try:
        keys = channel.refresh()
    except ChannelError:
        Account.objects.filter(id=account.id, refreshing_until=lease).update(refreshing_until=None)
        raise
    sealed = seal(dict(keys.values), secrets=config().secrets, bound_to=str(account))
    Account.objects.filter(id=account.id).update(
        credentials=sealed, token_until=keys.until, refreshing_until=None, said=""
    )
    account.credentials, account.token_until = sealed, keys.until
    return True


def lock_out(account: Account, error: Unauthorised) -> None:
    """The network does not take our keys any more: the account stands still until somebody connects it again."""
    Account.objects.filter(id=account.id, state=Account.State.ACTIVE).update(
        state=Account.State.BROKEN, said=str(error)[:300]
    )


def note_patience(account: Account, error: RateLimited, *, wait_s: float, now: datetime) -> None:
    """The network asked this account, or every account of the app, to wait."""
    _limit(account, until=now + timedelta(seconds=wait_s), scope=error.scope, said=str(error))


def note_limits(account: Account, limits: Limits | None) -> None:
    """What the last answer's headers said: a window that is used up is not tried, its last requests are kept back."""
    if limits is None or limits.reset_at is None:
        return
    if limits.remaining <= 0:
        _limit(account, until=limits.reset_at, scope=limits.scope, said="the network's window is used up")
    elif limits.remaining <= ceil((limits.size or 1) * RESERVE):
        _keep_back(account, until=limits.reset_at, scope=limits.scope)


def learn(account: Account, channel: Channel, *, now: datetime) -> None:
    """Ask a server for its own limits, once a day whatever comes of it; posts made afterwards fit them."""
    if not isinstance(channel, Roomy) or not _begins_to_learn(account, now=now):
        return
    try:
        told = channel.capacity()
    except ChannelError as error:
        log.warning("the limits of %s were not read: %s", account, error)
        return
    _note_room(account, room.told(limit=told.limit, media=told.media, at=now))


@transaction.atomic
def _begins_to_learn(account: Account, *, now: datetime) -> bool:
    """True for the one process whose turn it is; the day is marked before anything is asked."""
    row = Account.objects.select_for_update(no_key=True).get(id=account.id)
    if not room.is_due(row, now=now):
        return False
    row.capacity = {**row.capacity, **room.asked(at=now)}
    row.save(update_fields=["capacity"])
    return True


@transaction.atomic
def _note_room(account: Account, told: Mapping[str, object]) -> None:
    row = Account.objects.select_for_update(no_key=True).get(id=account.id)
    row.capacity = {**row.capacity, **told}
    row.save(update_fields=["capacity"])
    account.capacity = row.capacity


@transaction.atomic
def _keep_back(account: Account, *, until: datetime, scope: str) -> None:
    """Never shortened either; nothing is written where it is known already."""
    for row in Account.objects.select_for_update(no_key=True).filter(_whose(account, scope)).order_by("id"):
        if (known := patience.kept_until(row)) is None or known < until:
            row.capacity = {**row.capacity, **patience.kept(until)}
            row.save(update_fields=["capacity"])


def _limit(account: Account, *, until: datetime, scope: str, said: str) -> None:
    """Never shortened: a later instant that somebody else was told stands."""
    later = Q(limited_until=None) | Q(limited_until__lt=until)
    Account.objects.filter(_whose(account, scope) & later).update(limited_until=until, said=said[:300])


def _whose(account: Account, scope: str) -> Q:
    shared = Q(network=account.network, app=account.app) if scope == "app" and account.app else Q()
    return Q(id=account.id) | shared if shared else Q(id=account.id)


def forgive(account: Account, *, now: datetime) -> None:
    """A success after the wait: the reason is not shown any more."""
    Account.objects.filter(id=account.id, limited_until__lte=now).exclude(limited_until=None).update(
        limited_until=None, said="", refreshing_until=F("refreshing_until")
    )
