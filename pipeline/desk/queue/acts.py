"""What is done to several rows of one state at once: each by the room that owns it, each told by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.delivery import send as sending
from pipeline.delivery.models import Send
from pipeline.desk.queue.rows import Row, Stage
from pipeline.editions.acts import review as editions
from pipeline.posts.acts import review as posts
from pipeline.staff.models import Grant, User
from pipeline.staff.people import may_touch

MAIL, POSTS = ("mail", "alert"), ("post",)
NOT_YOURS = "your role or your limits do not let you change it"
CHANGED = "it has moved on since you looked"
_REFUSALS = (editions.Refused, posts.Refused)


class NotDone(Exception):
    """Why one row stayed as it was."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row an act is done to, by whom and why. `revision` is the one the person saw."""

    id: int
    revision: int
    actor: User
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One button: what it says, what it warns of, whose rows it may be done to."""

    name: str
    label: str
    risk: str
    kinds: tuple[str, ...]
    stages: tuple[Stage, ...]
    do: Callable[[Chosen], object]
    asks_why: bool = False
    is_grave: bool = False


def _pause(one: Chosen) -> None:
    if not sending.pause(send_id=_send(one).id, now=one.now, actor=one.actor):
        raise NotDone("it was not being sent any more")


def _resume(one: Chosen) -> None:
    if not sending.resume(send_id=_send(one).id, now=one.now, actor=one.actor):
        raise NotDone("it was not paused any more")


def _cancel_rest(one: Chosen) -> None:
    send = _send(one)
    sending.cancel(send_id=send.id, now=one.now, actor=one.actor, reason=one.reason)
    send.refresh_from_db()
    if send.state != Send.State.CANCELLED:
        raise NotDone("it had ended already")


def _take_back(one: Chosen) -> None:
    editions.undo(edition_id=one.id, actor=one.actor, now=one.now)


def _skip(one: Chosen) -> None:
    editions.skip(edition_id=one.id, revision=one.revision, actor=one.actor, reason=one.reason, now=one.now)


def _let_go(one: Chosen) -> None:
    posts.approve(post_id=one.id, actor=one.actor, now=one.now)


def _hold(one: Chosen) -> None:
    posts.hold(post_id=one.id, actor=one.actor, now=one.now, reason=one.reason)


def _cancel_post(one: Chosen) -> None:
    posts.cancel(post_id=one.id, actor=one.actor, now=one.now, reason=one.reason)


def _send(one: Chosen) -> Send:
    """The send of an edition, if this person may change it."""
    send = Send.objects.select_related("edition").filter(edition_id=one.id).first()
    if send is None:
        raise NotDone(CHANGED)
    if not (one.actor.may_edit and may_touch(one.actor, Grant.Kind.NEWSLETTER, send.edition.newsletter_id)):
        raise NotDone(NOT_YOURS)
    return send


S = Stage
ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act("pause", "Pause", "Each stops within about a second; what is accepted cannot be recalled.", MAIL, (S.SENDING,), _pause),
        Act("resume", "Resume", "Each goes on where it stopped; nobody who has it gets it again.", MAIL, (S.PAUSED,), _resume),
        Act("take-back", "Take back", "None of them leaves before a person approves it again.", MAIL, (S.UNDO,), _take_back),
        Act("let-go", "Let go", "Each leaves at the next time its account’s rules allow.", POSTS, (S.APPROVAL, S.HELD), _let_go),
        Act("hold", "Hold", "Each waits until a person lets it go.", POSTS, (S.APPROVAL, S.SCHEDULED), _hold),
        Act("skip", "Skip", "Nothing is sent; the stories stay candidates for the next edition.", MAIL, (S.SCHEDULED, S.APPROVAL, S.HELD), _skip, asks_why=True, is_grave=True),
        Act("cancel-rest", "Cancel the rest", "Whoever has it keeps it. The others do not get it.", MAIL, (S.SENDING, S.PAUSED, S.ASKING), _cancel_rest, asks_why=True, is_grave=True),
        Act("cancel-post", "Cancel posts", "They do not leave, and are not planned again.", POSTS, (S.APPROVAL, S.SCHEDULED, S.HELD), _cancel_post, asks_why=True, is_grave=True),
    )
}  # fmt: skip


def offered(stage: Stage, rows: list[Row]) -> list[Act]:
    """What can be done to rows of a state, of those kinds that are there."""
    kinds = {row.kind for row in rows}
    return [act for act in ACTS.values() if stage in act.stages and kinds & set(act.kinds)]


def done(
    act: Act, *, keys: list[str], stage: Stage, rows: list[Row], actor: User, reason: str, now: datetime
) -> tuple[int, list[str]]:
    """How many it was done to, and for each other one why not."""
    known = {row.key.rpartition(":")[0] if row.kind in MAIL else row.key: row for row in rows}
    made, refused = 0, []
    for key in dict.fromkeys(keys):
        kind, _, rest = key.partition(":")
        number, _, revision = rest.partition(":")
        row = known.get(f"{kind}:{number}")
        try:
            _do(act, row, stage, Chosen(_int(number), _int(revision), actor, reason, now))
            made += 1
        except (NotDone, *_REFUSALS) as error:
            refused.append(f"{row.where if row else 'A row'}: {error}")
    return made, refused


def _do(act: Act, row: Row | None, stage: Stage, one: Chosen) -> None:
    if row is None or row.stage != stage:
        raise NotDone(CHANGED)
    if row.kind not in act.kinds:
        raise NotDone(f"“{act.label}” is not for a {row.kind}")
    act.do(one)


def _int(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else -1
