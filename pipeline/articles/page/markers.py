"""Sentences that change how a story may be used: corrections, updates, embargoes, retractions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


def _starting(pattern: str) -> re.Pattern[str]:
    return re.compile(r"^\W{0,5}(?:" + pattern + ")", re.IGNORECASE | re.DOTALL)


_MARK = r"\s*(?:\([^)]{0,40}\))?\s*[:：.—–-]"
_STORY = r"this (?:article|story|report|post)"
_WORDS_FOR_CORRECTION = (
    "corrections?(?: and clarifications?)?|corrected|erratum|rectificatif|korrektur|berichtigung|correcci[oó]n|correção|rettifica"
    "|تصحيح|تصحیح|更正|訂正"
)
_MONTH = r"(?:jan|feb|m[aä]r|apr|avr|ma[iy]|ju[inl]|aug|ao[uû]t|sep|o[ck]t|nov|de[cz]|d[ée]c)[a-zéû]*"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
_TIME = rf"(?:\d{{1,2}}[:.h]\d{{2}}\b|\d{{3,4}} ?(?:GMT|UTC|BST|CES?T|E[SD]T|hrs|hours)\b|\d{{1,2}}(?:st|nd|rd|th|\.)? {_MONTH}\b|{_MONTH} \d{{1,2}}\b|{_DAY})"
#: An embargo ends at some time, or speaks of publishing; an embargo on oil does neither.
_END = rf"\s*(?:until|till|jusqu|hasta|bis\b|not (?:for|before|to be)\b|strict|midnight|noon|[^:]{{0,20}}?{_TIME})"
_TAKEN_BACK = r"(?:removed|retracted|withdrawn|taken down)"
_ENDS_THERE = rf"{_TAKEN_BACK}(?=\W*$|[.!;,]|[^.]{{0,80}}\b(?:our|this) (?:web)?sites?\b|\s+(?:because|due|as it|pending|by the (?:editors?|publisher)))"
_MARKERS: Sequence[tuple[str, re.Pattern[str]]] = (
    (
        "embargo",
        _starting(
            rf"embargoed\b(?:\s+(?:until|till|for|to)\b|\s*[:—–-])|strictly embargo(?:ed)?\b"
            rf"|embargo\s*[:—–-]{_END}|embargo\s+(?:(?:until|till|hasta|bis)\b|jusqu|{_TIME})"
            rf"|under (?:strict )?embargo(?:\s+(?:until|till)\b|\s*[:—–-]{_END}|\W*$)|sous embargo(?:\s+jusqu|\s*[:—–-]{_END}|\W*$)"
            r"|not for (?:publication|release|broadcast)(?: or \w+)? (?:before|until)\b|hold for release\b|gesperrt bis\b|embargad[oa] hasta\b"
            rf"|sperrfrist\s*[:—–-]?{_END}"
        ),
    ),
    (
        "retraction",
        _starting(
            rf"retract(?:ed|ion)\b\s*(?:[:.—–-]|$|notice)|withdrawn\b\s*[:.—–-]|mandatory kill\b"
            rf"|{_STORY} (?:has been|was|is) {_ENDS_THERE}|(?:\S+ ){{1,4}}(?:has )?(?:retracted|withdrawn) {_STORY}\b"
        ),
    ),
    (
        "correction",
        _starting(
            rf"(?:{_WORDS_FOR_CORRECTION}){_MARK}|(?:an earlier|a previous|the original) version of (?:this|the)\b"
            rf"|(?:{_STORY}|this (?:headline|version|page)) (?:has been|was) (?:corrected|amended|updated to (?:correct|reflect|clarify))\b"
        ),
    ),
    ("clarification", _starting(rf"clarifications?\b{_MARK}")),
    (
        "update",
        _starting(
            rf"updated?s?\b(?:\s+\d)?\s*(?:\([^)]{{0,40}}\))?\s*[:—–]|{_STORY} (?:has been|was|is being) updated\b|this is a (?:developing|breaking) (?:news )?story"
            rf"|(?:last )?updated (?:on|at) |mise à jour\s*:|aktualisiert\s*:"
        ),
    ),
    ("note", _starting(rf"editor(?:[’']s|s[’']?|ial)? note{_MARK}")),
)


#: In capitals these words are no part of a sentence, wherever they stand.
_SHOUTED = (
    ("embargo", re.compile(r"^\W{0,5}EMBARGO\s*[:—–-]|\b(?:EMBARGOED (?:UNTIL|TILL|FOR|TO)|STRICTLY EMBARGOED|UNDER EMBARGO(?= UNTIL| TILL|\s*[:)\]—–-])|NOT FOR (?:PUBLICATION|RELEASE) (?:BEFORE|UNTIL))\b")),
    ("retraction", re.compile(r"^\W{0,5}KILL\s*[:—–]|[\[(](?:RETRACTED|WITHDRAWN)[\])]|[-–—|:] (?:RETRACTED|WITHDRAWN)$")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marker:
    """A sentence that changes how a story may be used: correction, update, clarification, embargo or retraction."""

    kind: str
    text: str


def markers(blocks: Sequence[str]) -> tuple[Marker, ...]:
    """Markers in a story's paragraphs: corrections in the first and last three, embargoes and retractions too."""
    ends = range(len(blocks)) if len(blocks) <= 6 else [0, 1, 2, *range(len(blocks) - 3, len(blocks))]
    found = (marker for number in ends if (marker := marker_of(blocks[number])))
    return tuple(dict.fromkeys(found))


def marker_of(block: str) -> Marker | None:
    """What a paragraph or headline declares, or None. An editor's note counts as what its words say, else as update."""
    for kind, pattern in _MARKERS:
        if not pattern.search(block[:400]):
            continue
        return Marker(_noted(block) if kind == "note" else kind, block[:1000])
    shouted = (kind for kind, pattern in _SHOUTED if pattern.search(block[:400]))
    return next((Marker(kind, block[:1000]) for kind in shouted), None)


def _noted(block: str) -> str:
    """What an editor's note is about: what its words declare, a correction if they speak of an error."""
    told = re.sub(r"^[^:.—–-]*[:.—–-]\s*", "", block, count=1)
    inner = marker_of(told) if told != block else None
    if inner:
        return inner.kind
    return "correction" if re.search(r"correct|error|incorrect", told, re.IGNORECASE) else "clarification"
