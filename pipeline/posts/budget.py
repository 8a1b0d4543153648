"""What an account may spend in a calendar month of its zone, and what it has spent or reserved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db.models import Sum

from pipeline.channels import facts
from pipeline.kernel.clocks import resolved, zone_named
from pipeline.posts.models import Account, Charge, Post

#: What pace and caps count: words that reached readers. Reads and edits cost money, not patience.
POST, EDIT, DELETE, READ = "post", "edit", "delete", "read"


@dataclass(frozen=True, slots=True)
class Purse:
    """This month's money: `room` is None where no budget is set; `share` is the part spent, 0 to 1 and beyond."""

    budget: Decimal | None
    spent: Decimal

    @property
    def room(self) -> Decimal | None:
        return None if self.budget is None else self.budget - self.spent

    @property
    def share(self) -> float:
        return float(self.spent / self.budget) if self.budget else 0.0

    def covers(self, usd: Decimal) -> bool:
        """Whether an act of this price may be reserved. What is free always may."""
        return not usd or self.room is None or usd <= self.room


def month_of(account: Account, *, now: datetime) -> tuple[datetime, datetime]:
    """The first instant of this month and of the next, by the account's own calendar."""
    zone = zone_named(account.zone)
    first = now.astimezone(zone).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start, end = (resolved(datetime.combine(day, time()), zone)[0] for day in (first, following))
    return start, end


def purse_of(account: Account, *, now: datetime) -> Purse:
    """What is left of the month. Lock the account's row first where something is to be reserved."""
    start, end = month_of(account, now=now)
    spent = account.charges.filter(at__gte=start, at__lt=end).aggregate(usd=Sum("usd"))["usd"]
    return Purse(budget=account.budget_usd, spent=spent or Decimal(0))


def price(network: str, texts: Iterable[str]) -> Decimal:
    """What publishing these texts costs, by the dated table of channels/facts.py."""
    return sum((facts.cost(network, text) for text in texts), Decimal(0))


def reading(network: str, *, posts: int) -> Decimal:
    """What reading so many posts of our own costs."""
    found = facts.PRICES.get((facts.network_named(network).name, "read own post"))
    return found.usd * posts if found else Decimal(0)


def reserve(post: Post, *, act: str, usd: Decimal, now: datetime) -> None:
    """Write the charge of an act before its call: one for each post, however often it is tried."""
    Charge.objects.update_or_create(
        key=f"{act}-{post.id}",
        defaults={"account_id": post.account_id, "post": post, "act": act, "usd": usd, "at": now},
    )


def reserve_reading(account: Account, *, usd: Decimal, now: datetime, key: str, post: Post | None = None) -> None:
    """Write what a read is about to cost; nothing where reading is free."""
    if usd:
        values = {"account": account, "post": post, "act": READ, "usd": usd, "at": now}
        Charge.objects.get_or_create(key=key, defaults=values)
