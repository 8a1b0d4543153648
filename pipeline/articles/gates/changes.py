"""What kind of change a story went through between two readings (the watching reference 7, update detection).

Bulk edits bump the modified date of everything and change nothing: only what a reader could notice counts.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from pipeline.articles.gates.likeness import words

COSMETIC_SHARE = 0.03  #: of the words; more is a change of substance
HEADLINE_SHARE = 0.34
_NUMBER = re.compile(r"\d[\d.,:]*\d|\d")
_NAME = re.compile(r"(?<![.!?:\n] )(?<!^)\b[A-ZÀ-ÖØ-ÞА-Я][\w'’-]{2,}", re.MULTILINE)
#: One of these more or less turns a sentence round, however few words changed.
_TURNS = frozenset(
    [
        "no",
        "not",
        "never",
        "none",
        "nor",
        "without",
        "cannot",
        "n't",
        "won't",
        "isn't",
        "wasn't",
        "pas",
        "jamais",
        "nicht",
        "kein",
        "keine",
        "nie",
    ]
)


class Kind(StrEnum):
    """How much changed; the values are those of Version.kind."""

    COSMETIC = "cosmetic"
    MATERIAL = "material"
    CORRECTION = "correction"
    RETRACTION = "retraction"


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader sees of a story. `markers` are (kind, text) of corrections and retractions on the page."""

    headline: str
    standfirst: str = ""
    text: str = ""
    picture: str = ""
    markers: frozenset[tuple[str, str]] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Equal while nothing a reader would notice has changed."""
        parts = (self.headline, self.standfirst, " ".join(self.text.split()), self.picture)
        return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


def kind_of(before: Said, after: Said) -> Kind | None:
    """The class of a change; None when a reader would notice none."""
    new = {kind for kind, _ in after.markers - before.markers}
    if "retraction" in new:
        return Kind.RETRACTION
    if "correction" in new:
        return Kind.CORRECTION
    if before.fingerprint == after.fingerprint:
        return None
    return Kind.MATERIAL if _is_material(before, after) else Kind.COSMETIC


def _is_material(before: Said, after: Said) -> bool:
    if _share(before.headline, after.headline) > HEADLINE_SHARE:
        return True
    whole = [" \n".join((said.headline, said.standfirst, said.text)) for said in (before, after)]
    if _facts(whole[0]) != _facts(whole[1]):
        return True
    return _share(*whole) > COSMETIC_SHARE


def _share(one: str, other: str) -> float:
    """The share of words that are in one of the two only."""
    left, right = Counter(words(one)), Counter(words(other))
    differing = sum(((left - right) | (right - left)).values())
    return differing / max(left.total(), right.total(), 1)


def _facts(text: str) -> tuple[set[str], set[str], int]:
    """Numbers, names, and how often a sentence is turned round."""
    turned = sum(word in _TURNS for word in re.findall(r"[\w'’]+", text.casefold().replace("’", "'")))
    return set(_NUMBER.findall(text)), set(_NAME.findall(text)), turned
