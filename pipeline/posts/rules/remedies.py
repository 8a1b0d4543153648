"""What is done about a live post when its story turned out otherwise, by what its network can do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.channels.registry import Can

UPDATE, CORRECTION = "update", "correction"
WITHDRAWN = ("retraction", "kill", "gone")
#: Gravest last; the gravest that is open is the one acted upon.
GRAVITY = (UPDATE, CORRECTION, "gone", "retraction", "kill")


class Way(StrEnum):
    """The acts on a post; the values are those of Post.Act."""

    PUBLISH = "publish"
    REPLY = "reply"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do; `ask` is for a person first, `relink` leads the post's link to the correction note at once."""

    way: Way
    ask: bool = False
    relink: bool = False


def remedy(kind: str, *, can: Can, delete: str) -> Remedy | None:
    """The remedy for a kind of bulletin; None where nothing wrong is left standing.

    An update is edited in where readers see edits, and is otherwise no wrong. A correction is edited in; where that
    cannot be, it is said in a reply below the post or in one of its own, and the wrong post's link leads to the note
    at once. What was withdrawn is taken down, once a person has confirmed
    it unless the account's rules say "alone"; its link leads elsewhere before that.
    """
    if kind == UPDATE:
        return Remedy(Way.EDIT) if can.edit else None
    if kind == CORRECTION:
        return Remedy(Way.EDIT) if can.edit else Remedy(Way.REPLY if can.reply else Way.PUBLISH, relink=True)
    if kind in WITHDRAWN:
        return Remedy(Way.DELETE, ask=delete != "alone", relink=True)
    return None


#: "Correction" as newsrooms of that language say it; English where it is not here.
_LABELS = {
    "da": "Rettelse", "de": "Korrektur", "en": "Correction", "es": "Corrección", "fi": "Oikaisu", "fr": "Rectification",
    "it": "Rettifica", "ja": "訂正", "nl": "Correctie", "no": "Rettelse", "pl": "Sprostowanie", "pt": "Correção",
    "sv": "Rättelse", "uk": "Виправлення", "zh": "更正",
}  # fmt: skip


def label(language: str) -> str:
    """The word that a correction begins with."""
    return _LABELS.get(language.partition("-")[0].lower(), _LABELS["en"])
