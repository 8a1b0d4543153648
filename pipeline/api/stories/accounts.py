"""Social accounts: whether they post, and what they may still spend."""

from __future__ import annotations

from datetime import datetime

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import MOST_ROWS, Done, Id, Why, once, told
from pipeline.api.bearer import Asked, poster, touch
from pipeline.posts import budget
from pipeline.posts.acts import accounts, review
from pipeline.posts.models import Account
from pipeline.staff.models import Grant, User

router = Router(tags=["posts"])


class AccountRow(Schema):
    """An account; its keys are shown to nobody."""

    id: int
    network: str
    handle: str
    state: str
    approval: bool
    zone: str
    said: str
    limited_until: datetime | None


class AccountWhole(AccountRow):
    """An account with this month's money; null where no budget is set."""

    budget_usd: float | None = Field(description="for a calendar month in its zone")
    spent_usd: float


class AccountList(Schema):
    """Every account, by network and handle."""

    accounts: list[AccountRow]


class AccountDone(Done):
    """What came of an act on an account, and the account after it."""

    account: AccountRow


@router.get("/accounts", response=told(AccountList), summary="List social accounts")
def list_accounts(request: Asked) -> AccountList:  # noqa: ARG001
    """Every account, the first hundred by network and handle."""
    rows = Account.objects.defer("credentials").order_by("network", "handle")[:MOST_ROWS]
    return AccountList(accounts=[AccountRow.from_orm(row) for row in rows])


@router.get("/accounts/{int:account_id}", response=told(AccountWhole), summary="One social account")
def show_account(request: Asked, account_id: Id) -> AccountWhole:  # noqa: ARG001
    """An account and its month's money."""
    row = get_object_or_404(Account.objects.defer("credentials"), id=account_id)
    purse = budget.purse_of(row, now=timezone.now())
    limit = None if purse.budget is None else float(purse.budget)
    return AccountWhole(**AccountRow.from_orm(row).dict(), budget_usd=limit, spent_usd=float(purse.spent))


@router.post("/accounts/{int:account_id}/pause", response=told(AccountDone), summary="Pause a social account")
def pause_account(request: Asked, account_id: Id, body: Why) -> AccountDone:
    """Nothing leaves on it."""
    actor = _steering(request, account_id)
    done = once(
        lambda: accounts.pause(account_id=account_id, actor=actor, now=timezone.now(), reason=body.reason),
        refused=review.Refused,
        already=lambda: Account.objects.filter(id=account_id, state=Account.State.PAUSED).exists(),
        said="Paused: nothing leaves on it.",
    )
    return _told(account_id, *done)


@router.post("/accounts/{int:account_id}/resume", response=told(AccountDone), summary="Resume a social account")
def resume_account(request: Asked, account_id: Id) -> AccountDone:
    """What waited leaves by its rules, what is too old expires."""
    actor = _steering(request, account_id)
    done = once(
        lambda: accounts.resume(account_id=account_id, actor=actor, now=timezone.now()),
        refused=review.Refused,
        already=lambda: Account.objects.filter(id=account_id, state=Account.State.ACTIVE).exists(),
        said="It posts again.",
    )
    return _told(account_id, *done)


def account_row(account_id: int) -> AccountRow:
    """The account as it is now."""
    return AccountRow.from_orm(Account.objects.defer("credentials").get(id=account_id))


def _steering(request: Asked, account_id: int) -> User:
    actor = poster(request)
    get_object_or_404(Account.objects.only("id"), id=account_id)
    touch(actor, Grant.Kind.ACCOUNT, account_id)
    return actor


def _told(account_id: int, done: bool, message: str) -> AccountDone:
    return AccountDone(done=done, message=message, account=account_row(account_id))
