"""What people decide about an account: whether it posts, and the template its words are set in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from jinja2 import TemplateError

from pipeline.posts import wording
from pipeline.posts.acts.review import Refused, may
from pipeline.posts.models import Account
from pipeline.posts.variants import Brief, compose
from pipeline.staff.journal import note
from pipeline.staff.models import Grant, User
from pipeline.staff.people import may_touch

LONGEST = 4000
#: What a template is tried on where there is no story yet: something in every field.
SAMPLE = Brief(
    headline="Ferries sail again after three days of storm",
    link="https://go.example.org/c/AAAAAAAAAAAAAAAAAAAA",
    standfirst="The first boat left at dawn. Freight has to wait until the weekend.",
    section=("World", "Harbour news"),
    place="Porto",
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A template on one story: `text` "" and `fault` why it does not work, or what it says and what was left out."""

    text: str
    length: int = 0
    limit: int = 0
    left_out: tuple[str, ...] = ()
    fault: str = ""


def may_steer(actor: User, account: Account) -> bool:
    """Whether this person decides about posts, and about this account's."""
    return may(actor) and may_touch(actor, Grant.Kind.ACCOUNT, account.id)


def attempt(account: Account, *, template: str, brief: Brief = SAMPLE) -> Tried:
    """What a template makes of a story on this account's network; "" is the network's own template."""
    if len(template) > LONGEST:
        return Tried("", fault=f"It has {len(template)} characters; {LONGEST} is the most.")
    try:
        voice = wording.voice_of(account)
        source = template if template.strip() else wording.own_template(account)
        text = compose(brief, network=account.network, template=source, limit=voice.rules.length or None)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        return Tried("", fault=f"{f'Line {line}: ' if line else ''}{error.message or type(error).__name__}.")
    except (ValueError, TypeError, ArithmeticError, LookupError, OSError) as error:
        return Tried("", fault=f"{error}.")
    return Tried(text.text, text.length, text.limit, text.shortened)


@transaction.atomic
def keep_template(*, account_id: int, template: str, actor: User, now: datetime) -> None:
    """Set an account's words in this template from the next story on; "" gives it the network's. Raises Refused."""
    account = _locked(account_id, actor=actor)
    kept = template.replace("\r\n", "\n") if template.strip() else ""
    if fault := attempt(account, template=kept).fault:
        raise Refused(f"{fault} Nothing was changed; your text is still in the field.")
    if kept != account.template:
        note(
            verb="change template",
            subject="account",
            subject_id=account.id,
            now=now,
            actor=actor,
            before=account.template,
        )
        account.template = kept
        account.save(update_fields=["template"])


@transaction.atomic
def pause(*, account_id: int, actor: User, now: datetime, reason: str) -> None:
    """Nothing leaves on this account until somebody resumes it; deletions wait as well. Raises Refused."""
    account = _locked(account_id, actor=actor)
    if account.state != Account.State.ACTIVE:
        raise Refused(f"This account is {account.state} already. Nothing was changed.")
    if not reason:
        raise Refused("Say why, in a few words: it stands in the journal. Nothing was changed.")
    _turn(account, Account.State.PAUSED, verb="pause", actor=actor, now=now, reason=reason)


@transaction.atomic
def resume(*, account_id: int, actor: User, now: datetime) -> None:
    """What waited leaves by its rules, or expires. One that its network locked out has to be connected again first.

    Raises Refused.
    """
    account = _locked(account_id, actor=actor)
    if account.state == Account.State.BROKEN:
        raise Refused("Its network refuses our keys. Nothing was changed; connect it again, and it posts by itself.")
    if account.state == Account.State.ACTIVE:
        raise Refused("It posts already. Nothing was changed.")
    _turn(account, Account.State.ACTIVE, verb="resume", actor=actor, now=now, reason="")


def _turn(account: Account, state: Account.State, *, verb: str, actor: User, now: datetime, reason: str) -> None:
    account.state = state
    account.save(update_fields=["state"])
    note(verb=verb, subject="account", subject_id=account.id, now=now, actor=actor, reason=reason)


def _locked(account_id: int, *, actor: User) -> Account:
    account = Account.objects.select_for_update(no_key=True).get(id=account_id)
    if not may_steer(actor, account):
        raise Refused("You may look at this account but not change it. Nothing was changed; ask a social editor.")
    return account
