"""Which live posts are to be read back: once as proof, and a few times for what people did with them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from pipeline.channels.registry import ADAPTERS
from pipeline.posts.models import Account, Post
from pipeline.posts.rules import patience

#: Ages at which people's responses are read: most of what will happen has happened after the last.
STEPS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 168))
PROOF_AFTER, PROOF_UNTIL = timedelta(seconds=30), timedelta(hours=24)


def waiting(*, now: datetime) -> list[int]:
    """Accounts with something to be read, the one that waits longest first."""
    accounts = Account.objects.filter(state=Account.State.ACTIVE).exclude(limited_until__gt=now)
    able = [name for name, adapter in ADAPTERS.items() if adapter.can.read or adapter.can.metrics]
    found = [one for one in accounts.filter(network__in=able).order_by("id") if not patience.spares(one, now=now)]
    return [account.id for account in found if unproven(account, now=now) or unmeasured(account, now=now).exists()]


def unproven(account: Account, *, now: datetime) -> QuerySet[Post] | None:
    """Live posts that were not read back yet, None where the network cannot or there are none."""
    if not ADAPTERS[account.network].can.read:
        return None
    stretch = Q(posted_at__lte=now - PROOF_AFTER, posted_at__gt=now - PROOF_UNTIL)
    found = _live(account).filter(stretch, verified_at=None, code="")
    return found if found.exists() else None


def unmeasured(account: Account, *, now: datetime) -> QuerySet[Post]:
    """Live posts that have come to an age at which they are measured."""
    if not ADAPTERS[account.network].can.metrics:
        return Post.objects.none()
    due = Q()
    for step in STEPS:
        missed = Q(measured_at=None) | Q(measured_at__lt=F("posted_at") + step)
        due |= Q(posted_at__lte=now - step, posted_at__gt=now - STEPS[-1] * 2) & missed
    return _live(account).filter(due).order_by("posted_at", "id")


def _live(account: Account) -> QuerySet[Post]:
    said = [Post.Act.PUBLISH, Post.Act.REPLY]
    return account.posts.filter(state=Post.State.POSTED, act__in=said).exclude(remote_id="")
