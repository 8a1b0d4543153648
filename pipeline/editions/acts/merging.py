"""Two editors at one edition: what does not overlap is merged, what does is shown to whoever came second."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from django.db import transaction

from pipeline.editions.acts import ordering, placing, review
from pipeline.editions.acts.review import CHANGEABLE, Refused, open_edition
from pipeline.editions.models import Edition, Item
from pipeline.staff.models import User

Words = Mapping[str, str]
#: What an item's hand may have written, as its form shows it.
STORY_FIELDS = tuple(placing.LONGEST)


@dataclass(frozen=True, slots=True)
class Clash:
    """Both wrote the same field: what stands there now, and what the second wrote."""

    name: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Three versions of some fields made one; where it could not be, `clashes`. `taken` are fields they changed."""

    words: dict[str, str]
    clashes: tuple[Clash, ...] = ()
    taken: tuple[str, ...] = ()


@dataclass(slots=True)
class Clashing(Exception):
    """Nothing was changed: a person has to choose. `standing` is what is kept now, for every field."""

    merge: Merge
    standing: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields both wrote."""
        return tuple(clash.name for clash in self.merge.clashes)

    def __str__(self) -> str:
        return "Somebody changed the same words while you were writing. Nothing of yours was lost, and nothing was changed: choose."


@dataclass(frozen=True, slots=True)
class Kept:
    """The edition after it, and the fields that somebody else had changed meanwhile and that stay as they made them."""

    edition: Edition
    taken: tuple[str, ...] = ()


def merged(*, base: Words, theirs: Words, mine: Words) -> Merge:
    """Field by field: who changed it since `base` wins; if both did, and not alike, it is a clash."""
    words: dict[str, str] = {}
    clashes, taken = [], []
    for name, own in mine.items():
        was, now = _plain(base[name]), _plain(theirs[name])
        if _plain(own) in (was, now):
            words[name] = theirs[name]
            taken += [name] if now != was and _plain(own) == was else []
        elif now == was:
            words[name] = own
        else:
            words[name] = own
            clashes.append(Clash(name, theirs[name], own))
    return Merge(words, tuple(clashes), tuple(taken))


@transaction.atomic
def rewrite(*, edition_id: int, actor: User, base: Words, mine: Words, now: datetime) -> Kept:
    """The words above the stories, on top of whatever anybody did since `base`. Raises Refused, and Clashing."""
    edition = _opened(edition_id, actor)
    standing = {"subject": edition.subject, "preheader": edition.preheader, "note": edition.note}
    found = _settled(merged(base=base, theirs=standing, mine=mine), standing)
    row = review.rewrite(
        edition_id=edition_id, revision=edition.revision, actor=actor, subject=found.words["subject"],
        preheader=found.words["preheader"], words=found.words["note"], now=now,
    )  # fmt: skip
    return Kept(row, found.taken)


@transaction.atomic
def override(
    *, edition_id: int, actor: User, article_id: int, base: Words, mine: Words, seen: Words, now: datetime
) -> Kept:
    """The words of one story, likewise; `seen` are the site's own words as its editor saw them."""
    edition = _opened(edition_id, actor)
    item = edition.items.filter(article_id=article_id, picked=True).first()
    if item is None:
        raise Refused(ordering.GONE)
    standing = {name: str(item.overrides.get(name, "")) for name in STORY_FIELDS}
    found = _settled(merged(base=base, theirs=standing, mine=mine), standing)
    row = placing.override(
        edition_id=edition_id, revision=edition.revision, actor=actor, article_id=article_id, words=found.words,
        seen=seen, now=now,
    )  # fmt: skip
    return Kept(row, found.taken)


def revision_for(*, edition_id: int, actor: User, revision: int, article_id: int, stood: str, order: bool) -> int:
    """The revision to act on one story at: the present one, if the story stands where this person saw it.

    `stood` is what `stands` said then; `order` asks that its neighbours are the same, too. Call it in the transaction
    of the act. A story that moved meanwhile gives back what was seen, which the act will refuse.
    """
    edition = _opened(edition_id, actor)
    if edition.revision == revision or not stood:
        return revision
    now = stands(edition_id).get(article_id, OUT)
    parts = 5 if order else 3
    same = now.split(":")[:parts] == stood.split(":")[:parts]
    return edition.revision if same else revision


#: What is said of a story that stands in no block.
OUT = "out:"


def stands(edition_id: int) -> dict[int, str]:
    """Where each story that is in stands: its block, whether by hand, its own words, its neighbours. One query."""
    return stands_of(ordering.arranged(ordering.loaded(edition_id)))


def stands_of(order: Mapping[int, Sequence[Item]]) -> dict[int, str]:
    """The same of what is loaded already."""
    found = {}
    for block, items in order.items():
        ids = [0, *(item.article_id for item in items), 0]
        for at, item in enumerate(items, start=1):
            words = blake2b(json.dumps(item.overrides, sort_keys=True).encode(), digest_size=4).hexdigest()
            found[item.article_id] = f"{block}:{int(item.pinned)}:{words}:{ids[at - 1]}:{ids[at + 1]}"
    return found


def _opened(edition_id: int, actor: User) -> Edition:
    return open_edition(edition_id, revision=None, actor=actor, states=CHANGEABLE, act="changed")


def _settled(merge: Merge, standing: dict[str, str]) -> Merge:
    if merge.clashes:
        raise Clashing(merge, standing)
    return merge


def _plain(text: str) -> str:
    """Browsers send other line ends than they were given."""
    return "\n".join(text.strip().splitlines())
