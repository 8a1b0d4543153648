"""Where a story stands among the others of its block, and moving it there in steps as an editor sees them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.editions.acts import placing
from pipeline.editions.acts.review import CHANGEABLE, Refused, open_edition
from pipeline.editions.assemble import changed_since
from pipeline.editions.models import Edition, Item
from pipeline.staff.models import User

GONE = "That story is not in this edition any more. Nothing was changed: look again."
MOVED_ON = "The story it was to stand before is not in that block any more. Nothing was changed: look again."
AT_THE_END = "It is the first or last of its block already. Nothing was changed."


def loaded(edition_id: int) -> list[Item]:
    """Every item with its article and block, without what is heavy. One query."""
    rows = Item.objects.filter(edition_id=edition_id).select_related("article", "block").order_by("id")
    return list(rows.defer("article__text", "article__related", "article__markers", "article__likeness"))


def arranged(items: Iterable[Item]) -> dict[int, list[Item]]:
    """The picks of each block in the order they are read, before composing as after it.

    A hand that moved a story since has changed that one row: it stands where composing will put it.
    """
    found: dict[int, list[Item]] = {}
    picks = [item for item in items if item.picked and item.block]
    for item in sorted(picks, key=lambda item: (item.pinned, item.position, item.id)):
        order = found.setdefault(item.block.position if item.block else 0, [])
        order.insert(min(item.position, len(order) + 1) - 1 if item.pinned else len(order), item)
    return found


@transaction.atomic
def step(*, edition_id: int, revision: int, actor: User, article_id: int, up: bool, now: datetime) -> Edition:
    """One place up or down within its block. Raises Refused."""
    open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    item, order = _in_block(edition_id, article_id)
    at = order.index(item)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(order):
        raise Refused(AT_THE_END)
    return _swapped(
        item, order[to], at=at + 1, to=to + 1, edition_id=edition_id, revision=revision, actor=actor, now=now
    )


@transaction.atomic
def append(*, edition_id: int, revision: int, actor: User, article_id: int, block: int, now: datetime) -> Edition:
    """Into a block, as its last story, from another block or from those left out. Raises Refused."""
    open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    here = [item for item in arranged(loaded(edition_id)).get(block, []) if item.article_id != article_id]
    last = max([len(here), *(item.position for item in here if item.pinned)])
    return placing.place(
        edition_id=edition_id, revision=revision, actor=actor, article_id=article_id, block=block, position=last + 1,
        now=now,
    )  # fmt: skip


@transaction.atomic
def insert(
    *, edition_id: int, revision: int, actor: User, article_id: int, block: int, before: int, now: datetime
) -> Edition:  # fmt: skip
    """Into a block, before another story of it; those a hand placed keep their order around it. Raises Refused."""
    open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    order = [item.article_id for item in arranged(loaded(edition_id)).get(block, []) if item.article_id != article_id]
    if before not in order:
        raise Refused(MOVED_ON)
    order.insert(order.index(before), article_id)
    pinned = Item.objects.filter(edition_id=edition_id, pinned=True, picked=True).values_list("article_id", flat=True)
    others = [(each, order.index(each) + 1) for each in pinned if each in order and each != article_id]
    return placing.place(
        edition_id=edition_id, revision=revision, actor=actor, article_id=article_id, block=block,
        position=order.index(article_id) + 1, others=others, now=now,
    )  # fmt: skip


@transaction.atomic
def take_changes(*, edition_id: int, revision: int, actor: User, article_id: int, now: datetime) -> Edition:
    """Use what the site says now, for what it changed since; other words of our own stay. Raises Refused."""
    open_edition(edition_id, revision=revision, actor=actor, states=CHANGEABLE, act="changed")
    changed = changed_since(_in_block(edition_id, article_id)[0])
    blank = dict.fromkeys((*changed, *(["alt"] if "picture" in changed else [])), "")
    return placing.override(
        edition_id=edition_id, revision=revision, actor=actor, article_id=article_id, words=blank, now=now
    )


def _swapped(item: Item, other: Item, *, at: int, to: int, **who: Any) -> Edition:
    """Both by hand where both were: of two that a hand put in one place, neither would be sure of it."""
    return placing.place(
        article_id=item.article_id, block=item.block.position if item.block else 0, position=to,
        others=[(other.article_id, at)] if other.pinned else [], **who,
    )  # fmt: skip


def _in_block(edition_id: int, article_id: int) -> tuple[Item, list[Item]]:
    """A story's place in the edition, and the order it stands in. Raises Refused where it is in none."""
    for order in arranged(loaded(edition_id)).values():
        for item in order:
            if item.article_id == article_id:
                return item, order
    raise Refused(GONE)
