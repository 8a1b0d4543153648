"""The dateline grammar: `WASHINGTON, Nov 3 (Reuters) -`, `Tokyo, 19 April 2024 (TDI):`, `東京 19日 ロイター -`.

A head of at most 110 characters stands before an end mark; its comma-separated parts must all be a place, a region,
a date or an agency. A place that the gazetteer does not know needs capitals and an agency, a date or a known region
beside it, so that `EXCLUSIVE —`, `NFF:` and `BRAUNGART, Richard:` stay what they are. The forms and their sources are
listed in the watching reference section 6 and, as a table, in tests/articles/test_datelines.py.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass, field
from datetime import date

from pipeline.articles.raw.dates import YEARS, month
from pipeline.articles.raw.places import is_agency, is_city, is_lead, is_region

MAX_HEAD = 110
LONGEST_MARK = 8  #: characters; what is bold further on is a bold sentence, and no evidence

_END = re.compile(r"\s*(?:\.(?=[—–-]))?(?:—|–|―|--|\s-(?=\s|$)|(?<=\))-|(?<=\))\s?:|:(?=\s|$)|\|)\s*-?\s*")
_BRACKET = re.compile(r"\s*[(\[]([^()\[\]]{2,40})[)\]]")
_SLASHES = re.compile(r"[./\s]+/([^/]{2,20})/\.?\s*")
_SIGNED_OFF = re.compile(r"^(?P<head>[^()]{4,80}\([^()]{2,30}\))(?:\s+(?=[^\W\d_\s])|$)")
_AGENCY_ONLY = re.compile(r"^\(([^()]{2,30})\)\s*(?:—|–|--|-|:)\s*")
_CAPS_LEAD = re.compile(
    r"^(?:ABOARD|ON BOARD|EN ROUTE TO|NEAR|OUTSIDE|SOUTHWEST|NORTHWEST|SOUTHEAST|NORTHEAST|SOUTH|NORTH|EAST|WEST)\s+\S"
)
_MONTH_DAY = re.compile(r"^([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?$", re.IGNORECASE)
_DAY_MONTH = re.compile(
    r"^(?:[^\W\d_]{2,12}\.?\s+)?(\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:de\s+)?([^\W\d_]{3,12})\.?(?:\s+(?:de\s+)?(\d{4}))?$",
    re.IGNORECASE,
)
_MONTH_DAY_YEAR = re.compile(r"^([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\s+(\d{4})$", re.IGNORECASE)
_HIJRI = re.compile(r"^\d{1,2}\s+\D{3,20}\s+1[34]\d\d$")
_WEEKDAY = re.compile(
    r"^(?:mon|tues|wednes|thurs|fri|satur|sun)day$|^(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)$|^(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)$",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"^[A-Za-z][\w\-]{1,20}\.(?:com|co|co\.id|id|net|org|news|tv|de|in|pk|ph)$", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:/|;|&|\band\b|\bund\b|\bet\b)\s*")
_IDEOGRAPHIC = re.compile(
    r"^[\[［【（(]?\s*(?:(新华社|新華社|中新社|路透社|法新社))?\s*([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,8}?)\s*"
    r"(?:(\d{1,2})\s*[月월])?\s*(?:(\d{1,2})\s*[日일])?\s*(?:[（(]?([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\w]{2,8}?)[)）]?)??\s*"
    r"(?:電|电|讯)?\s*[\]］】）)]?\s*(?:[-－—–=]+|(?<=[\]］】）)])|(?<=[电電讯])\s+)\s*"
)


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where and when a story says it was written. `rest` is the paragraph after it.

    `place` is "" where only an agency signs. `date` is None when the text names none, or names a day without a year
    and no date near it was given.
    """

    place: str
    date: date | None
    agency: str | None
    rest: str


@dataclass(slots=True)
class _Parts:
    places: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    agency: str | None = None
    day: int = 0
    month: int = 0
    year: int = 0
    unknown: int = 0

    def when(self, near: date | None) -> date | None:
        """The day meant; without a year (or month), the one nearest to `near`."""
        if not self.day:
            return None
        years = [self.year] if self.year else [near.year + step for step in (-1, 0, 1)] if near else []
        months = [self.month] if self.month else list(range(1, 13))
        found = [day for y in years for m in months if (day := _day(y, m, self.day))]
        if near is None:
            return found[0] if len(found) == 1 else None
        return min(found, key=lambda day: abs((day - near).days), default=None)


def find(text: str, *, strong: bool = False, html: str | None = None, near: date | None = None) -> Dateline | None:
    """The dateline a first paragraph starts with, or None.

    `strong` says that it is set in bold, which is evidence; `html` is the paragraph's own, from which that is seen.
    `near` is the day of publication, for datelines that leave out the year.
    """
    text = " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())
    if signed := _agency_only(text):
        return signed
    if ideographic := _ideographic(text, near):
        return ideographic
    bold = _bold(html) if html else ""
    if bold and text.startswith(bold) and text[len(bold) :][:1].isalnum():
        text = f"{bold} {text[len(bold) :]}"
    for head, rest, bare_colon in _heads(text):
        is_strong = strong or (bold.startswith(head[:40]) and 0 <= len(bold) - len(head) <= LONGEST_MARK)
        parts = _parse(head)
        if parts and _believable(parts, strong=is_strong, bare_colon=bare_colon):
            agency, after = _agency_after(parts.agency, rest)
            place = ", ".join(["/".join(parts.places), *parts.regions])
            return Dateline(place, parts.when(near), agency, after)
    return None


def _heads(text: str) -> list[tuple[str, str, bool]]:
    """Candidate heads with what follows: up to the first marks, or up to an agency in brackets without a mark."""
    found = []
    for mark in list(_END.finditer(text[: MAX_HEAD + 4]))[:3]:
        head = text[: mark.start()].strip()
        if head and len(head) <= MAX_HEAD:
            found.append((head, text[mark.end() :].strip(), mark[0].strip().endswith(":")))
    if (match := _SLASHES.search(text[:MAX_HEAD])) and is_agency(match[1]):
        found.append((f"{text[: match.start()]} ({match[1]})", text[match.end() :].strip(" -–—"), False))
    if (
        (match := _SIGNED_OFF.match(text[: MAX_HEAD + 4]))
        and (parts := _parse(match["head"]))
        and parts.agency
        and parts.day
    ):
        found.append((match["head"], text[match.end() :].strip(), False))
    return found


def _parse(head: str) -> _Parts | None:
    """The parts of a head, or None when one of them is none of ours."""
    parts = _Parts()
    for bracket in _BRACKET.findall(head):
        if not _bracket(parts, bracket.strip()):
            return None
    segments = [segment.strip() for segment in re.split("[,،、]", _BRACKET.sub("", head)) if segment.strip(" .")]
    if not segments or len(segments) > 7 or not _place(parts, segments[0]):
        return None
    return parts if all(_segment(parts, segment) for segment in segments[1:]) else None


def _bracket(parts: _Parts, inside: str) -> bool:
    if is_region(inside) and not is_agency(inside):
        parts.regions.append(inside)
        return True
    if any(character.isdigit() for character in inside) or len(inside.split()) > 5:
        return False
    pieces = [piece for piece in re.split(r"[/,]", inside) if piece.strip()]
    known = [piece for piece in pieces if is_agency(piece) or _DOMAIN.match(piece.strip())]
    if not known:
        parts.unknown += 1
    parts.agency = inside
    return parts.unknown < 2


def _place(parts: _Parts, segment: str) -> bool:
    """One place or several joined ones; the day may follow without a comma (`МОСКВА 19 апреля`, `東京 19日`)."""
    if match := re.match(r"^(\D{2,50}?)\s+(\d{1,2}\.?\s+\D{3,12}(?:\s+\d{4})?)$", segment):
        if not _date(parts, match[2]):
            return False
        segment = match[1]
    if len(segment) > 60 or any(character.isdigit() for character in segment) or is_lead(segment) or month(segment):
        return False
    segment = segment if "." in segment[:-1] else segment.rstrip(". ")
    names = [segment] if is_city(segment) else [name for name in _JOINED.split(segment) if name]
    if (
        not names
        or len(names) > 4
        or any(is_lead(name) or _WEEKDAY.match(name) or len(name.split()) > 5 for name in names)
    ):
        return False
    parts.places = names
    return True


def _segment(parts: _Parts, segment: str) -> bool:
    if _date(parts, segment) or _HIJRI.match(segment) or _WEEKDAY.match(segment):
        return True
    if re.fullmatch(r"\d{4}", segment) and parts.day and not parts.year and int(segment) in YEARS:
        parts.year = int(segment)
        return True
    if is_region(segment):
        parts.regions.append(segment)
        return True
    if is_agency(segment) or _DOMAIN.match(segment):
        parts.agency = segment
        return True
    if is_city(segment) and segment.isupper() == parts.places[0].isupper():
        parts.places.append(segment)
        return True
    return False


def _date(parts: _Parts, segment: str) -> bool:
    for pattern, order in ((_MONTH_DAY_YEAR, "mdy"), (_MONTH_DAY, "md"), (_DAY_MONTH, "dmy")):
        if (match := pattern.match(segment)) and not parts.day:
            given = dict(zip(order, match.groups(), strict=True))
            number, day = month(given["m"]), int(given["d"])
            if number and 1 <= day <= 31:
                parts.day, parts.month, parts.year = day, number, int(given.get("y") or 0)
                return True
    return False


def _believable(parts: _Parts, *, strong: bool, bare_colon: bool) -> bool:
    """Is there enough evidence that the head is a dateline?"""
    caps = all(_in_capitals(name) for name in parts.places)
    known = all(is_city(name) for name in parts.places)
    sure = all(is_city(name, sure=True) for name in parts.places)
    signed = bool(parts.agency) and not parts.unknown
    dated = bool(parts.day)
    if known:
        if dated or signed or parts.regions:
            return True
        if parts.agency:
            return caps or strong
        return (caps or strong or _caseless(parts.places[0])) and (sure or not bare_colon)
    if parts.unknown or (is_region(parts.places[0]) and not (dated or signed)):
        return False
    if caps:
        return (
            dated
            or signed
            or (bool(parts.regions) and not bare_colon)
            or bool(_CAPS_LEAD.match(parts.places[0]) and signed)
        )
    return (dated and signed) or (is_region(parts.places[0]) and (dated or signed))


def _in_capitals(name: str) -> bool:
    """All capitals but for the small letters of names: `McALLEN`, `ST. JOSEPH`, `PORT-au-PRINCE`."""
    letters = [character for character in name if character.isalpha()]
    return (
        len(letters) > 1
        and letters[0].isupper()
        and sum(character.isupper() for character in letters) * 10 >= len(letters) * 7
    )


def _caseless(name: str) -> bool:
    return name.lower() == name.upper()


def _agency_only(text: str) -> Dateline | None:
    match = _AGENCY_ONLY.match(text)
    if match is None or not is_agency(match[1]):
        return None
    return Dateline("", None, match[1], text[match.end() :].strip())


def _agency_after(agency: str | None, rest: str) -> tuple[str | None, str]:
    """`МОСКВА, 19 апр - РИА Новости.`: the agency stands behind the mark."""
    first, dot, after = rest.partition(".")
    if agency is None and dot and len(first) <= 30 and is_agency(first) and after[:1] in {" ", ""}:
        return first, after.strip()
    return agency, rest


def _ideographic(text: str, near: date | None) -> Dateline | None:
    match = _IDEOGRAPHIC.match(text[:60])
    if match is None:
        return None
    before, place, month_, day, after = match.groups()
    if not is_city(place) or (after and not is_agency(after)):
        return None
    parts = _Parts(places=[place], day=int(day or 0), month=int(month_ or 0))
    return Dateline(place, parts.when(near), after or before, text[match.end() :].strip())


def _bold(html: str) -> str:
    match = re.match(r"\s*(?:<p\b[^<>]*>\s*)?<(strong|b)\b[^<>]*>(.{1,300}?)</\1>", html, re.IGNORECASE | re.DOTALL)
    return " ".join(entities.unescape(re.sub(r"<[^<>]*>", "", match[2])).split()) if match else ""


def _day(year: int, month_: int, day: int) -> date | None:
    try:
        return date(year, month_, day)
    except ValueError:
        return None
