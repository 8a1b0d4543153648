"""Whose list a file is, by its header, and which of its columns say what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What a list says of an address. Only one of them makes a reader."""

    WANTS = "wants"
    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    UNCONFIRMED = "unconfirmed"


#: Header names as `folded` spells them.
_PLAIN = {
    **dict.fromkeys(("email", "e mail", "address", "email address", "e mail address", "mail"), "address"),
    **dict.fromkeys(("name", "full name"), "name"),
    **dict.fromkeys(("first name", "firstname"), "first"),
    **dict.fromkeys(("last name", "lastname"), "last"),
    **dict.fromkeys(("language", "lang", "locale"), "language"),
    **dict.fromkeys(("zone", "time zone", "timezone"), "zone"),
    **dict.fromkeys(("status", "state", "list status", "global status", "subscribed to emails"), "status"),
    **dict.fromkeys(("joined", "joined at", "subscribed at", "created at", "confirm time"), "joined"),
    **dict.fromkeys(("confirm ip", "subscribed ip", "confirmed ip"), "network"),
    "deleted at": "deleted",
}
#: A layout's own columns: any of them in a header tells whose file it is.
_MARKS = {
    "listmonk": {"uuid", "attributes"},
    "mailchimp": {"leid", "euid", "member rating", "unsub time", "clean time"},
    "ghost": {"subscribed to emails", "complimentary plan", "stripe customer id"},
    "mailpoet": {"global status", "list status"},
}
NAMES = ("csv", "tsv", "xlsx", *_MARKS)

_FATES = {
    **dict.fromkeys(("", "active", "subscribed", "enabled", "confirmed", "inactive", "true", "yes", "1"), Fate.WANTS),
    **dict.fromkeys(("unsubscribed", "left", "false", "no", "0", "archived"), Fate.LEFT),
    **dict.fromkeys(("bounced", "cleaned"), Fate.BOUNCED),
    **dict.fromkeys(("complained", "spam", "complaint"), Fate.COMPLAINED),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "disabled"), Fate.BLOCKED),
    **dict.fromkeys(("unconfirmed", "pending", "nonsubscribed", "non subscribed"), Fate.UNCONFIRMED),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file keeps what we read of it."""

    layout: str
    address: int
    at: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: our name of a column: its places
    everybody: Fate = Fate.WANTS  #: of files that hold one kind of address only


def folded(name: str) -> str:
    """A header's name without case and separators."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def columns(header: Sequence[str], *, kind: str, file_name: str) -> Columns | None:
    """What the header says; None where no column is known to hold addresses."""
    names = [folded(name) for name in header]
    at: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(names):
        if ours := _PLAIN.get(name):
            at[ours] = (*at.get(ours, ()), place)
    if "address" not in at:
        return None
    layout = next((layout for layout, marks in _MARKS.items() if marks & set(names)), kind)
    return Columns(layout=layout, address=at["address"][0], at=at, everybody=_everybody(set(names), folded(file_name)))


def bare(first: Sequence[str], *, kind: str) -> Columns | None:
    """A file without a header: the first column of its first line that holds an @."""
    place = next((place for place, value in enumerate(first) if "@" in value), None)
    return None if place is None else Columns(layout=kind, address=place)


def fate(said: str) -> Fate | None:
    """What a word in a status column means; None for a word nobody here knows."""
    return _FATES.get(folded(said))


def _everybody(names: set[str], file_name: str) -> Fate:
    """Mailchimp exports one file for each kind of contact."""
    if "clean time" in names or file_name.startswith("cleaned "):
        return Fate.BOUNCED
    if "unsub time" in names or file_name.startswith("unsubscribed "):
        return Fate.LEFT
    return Fate.UNCONFIRMED if file_name.startswith("nonsubscribed ") else Fate.WANTS
