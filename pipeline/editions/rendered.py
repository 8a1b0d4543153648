"""A rendered edition: its links, its blanks for one reader's values, and the one way they are filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: A blank as templates write it. Printable ASCII, because mrml refuses control characters; `clean` keeps it out of
#: what newsrooms write, so that nobody's headline can call for somebody's token.
BLANK = re.compile(r"\[\[dl:(?:c(\d{1,5})|(open|leave|prefs|view|why|name))\]\]")
OPENING = "[[dl:"
#: Where a block begins, by its place in the content; with 0, where the last one ended. Never in what a reader gets.
MARKER = re.compile(r"\[\[dl:b(\d{1,5})\]\]")
_AROUND_MARKERS = " \t\r\n"

#: Every token is 19 bytes in base64url: always this long, so that lines can be laid out before it is known.
TOKEN_LENGTH = 26
#: Numbers must fit the two bytes a token has for them.
MOST_LINKS = 65_536
_SAFE_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?")

#: Where a reader's values stand in the pool that blanks point into; click tokens follow by number.
OPEN, LEAVE, VIEW, NAME, NAME_IN_MARKUP, FIRST_CLICK = range(6)

Pieces = list[str | int]


class TooManyLinks(ValueError):
    """A link table is full: its numbers no longer fit the token."""


class UnknownLink(LookupError):
    """An edition that has left has no such link, and gets no more of them."""


@dataclass(frozen=True, slots=True)
class Link:
    """A destination. `kind` is story, sponsor, section, home, web or honeypot; `slot` its place, "lead/1"."""

    number: int
    url: str
    kind: str
    slot: str
    article_id: int | None = None


class LinkTable:
    """The numbered destinations of one origin; rendering again with the same table keeps every number's meaning."""

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self._numbers: dict[tuple[str, str, str, int | None], int] = {}
        for link in sorted(links, key=lambda link: link.number):
            self.number(url=link.url, kind=link.kind, slot=link.slot, article_id=link.article_id)

    def number(self, *, url: str, kind: str, slot: str, article_id: int | None = None) -> int:
        """The number of this destination in this slot, giving it the next one if it is new. Raises TooManyLinks."""
        key = (url, kind, slot, article_id)
        if key not in self._numbers and len(self._numbers) >= MOST_LINKS:
            raise TooManyLinks(f"an edition may hold {MOST_LINKS} links")
        return self._numbers.setdefault(key, len(self._numbers))

    def links(self) -> tuple[Link, ...]:
        """Every link by number, from 0 without gaps."""
        return tuple(
            Link(number=number, url=url, kind=kind, slot=slot, article_id=article_id)
            for (url, kind, slot, article_id), number in self._numbers.items()
        )


class ClosedTable(LinkTable):
    """The links of an edition that has left: a story that moved up a place keeps its number, and none is added."""

    def __init__(self, links: Iterable[Link]) -> None:
        super().__init__()
        self._links = tuple(links)
        self._places: dict[tuple[str, str, int | None], list[Link]] = {}
        for link in self._links:
            self._places.setdefault((link.url, link.kind, link.article_id), []).append(link)

    def links(self) -> tuple[Link, ...]:
        """As they were given."""
        return self._links

    def number(self, *, url: str, kind: str, slot: str, article_id: int | None = None) -> int:
        """The number of this destination in this slot, else in the same kind of slot, else anywhere. Raises UnknownLink."""
        found = self._places.get((url, kind, article_id))
        if not found:
            raise UnknownLink(f"this edition left without a link to {url[:200]}")

        def distance(link: Link) -> tuple[bool, bool, int]:
            return link.slot != slot, link.slot.partition("/")[0] != slot.partition("/")[0], link.number

        return min(found, key=distance).number


@dataclass(frozen=True, slots=True)
class Segments:
    """A part cut at its markers, each segment ending its line; `blocks` is empty where nothing can be moved."""

    head: str
    blocks: Mapping[int, str] = field(default_factory=dict)  #: by position, in the order they stand
    tail: str = ""

    def whole(self, blocks: Sequence[int] | None = None) -> str:
        """The part with these blocks in this order, or as it was written; a block it does not have is left out."""
        if blocks is None or not self.blocks:
            return "".join((self.head, *self.blocks.values(), self.tail))
        return "".join((self.head, *(self.blocks[n] for n in blocks if n in self.blocks), self.tail))


@dataclass(frozen=True, slots=True)
class Rendered:
    """An edition as every reader gets it, but for the blanks in `html` and `text`, and the markers of its blocks."""

    subject: str
    preheader: str
    html: str
    text: str
    links: tuple[Link, ...] = ()
    language: str = "en"
    direction: str = "ltr"

    def segments(self) -> tuple[Segments, Segments]:
        """The HTML and the text, cut at their markers.

        Nothing can be moved where a marker is missing, doubled or misplaced, or where the parts do not agree: a
        design's mistake must not cost a reader the way out at the end.
        """
        markup, text = _cut(self.html, gap="\n"), _cut(self.text, gap="\n\n")
        if list(markup.blocks) == list(text.blocks):
            return markup, text
        return Segments(markup.whole()), Segments(text.whole())


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a reader's addresses begin; the token follows. Raises ValueError for anything but a plain URL."""

    click: str
    open: str
    leave: str
    preferences: str
    view: str
    why: str

    def __post_init__(self) -> None:
        for url in (self.click, self.open, self.leave, self.preferences, self.view, self.why):
            if not _SAFE_URL.fullmatch(url):
                raise ValueError(f"not an address that can carry a token: {url!r}")

    @classmethod
    def at(cls, *, track: str, public: str) -> Doors:
        """The doors of a site: `track` answers clicks and opens, `public` answers people. Both without a path."""
        track, public = track.rstrip("/"), public.rstrip("/")
        return cls(
            click=f"{track}/c/",
            open=f"{track}/o/",
            leave=f"{public}/u/",
            preferences=f"{public}/p/",
            view=f"{public}/v/",
            why=f"{public}/w/",
        )

    def around(self, name: str) -> tuple[str, int, str]:
        """What stands before a named blank, the value it takes, what stands after."""
        return {
            "open": (self.open, OPEN, ".gif"),
            "leave": (self.leave, LEAVE, ""),
            "prefs": (self.preferences, LEAVE, ""),
            "why": (self.why, LEAVE, ""),
            "view": (self.view, VIEW, ""),
            "name": ("", NAME, ""),
        }[name]


@dataclass(frozen=True, slots=True)
class ReaderValues:
    """One reader's values. `tokens` stand by link number; each token is 26 base64url characters."""

    address: str
    tokens: Sequence[bytes]
    open_token: bytes
    leave_token: bytes
    view_token: bytes
    message_id: str  #: with its angle brackets, stable across retries
    name: str = ""


def _cut(part: str, *, gap: str) -> Segments:
    """Cut at the markers; `gap` takes the place of each and of the blank space around it."""
    first, *found = MARKER.split(part)
    if not found:
        return Segments(part)
    numbers = [int(number) for number in found[::2]]
    held = [first.rstrip(_AROUND_MARKERS), *(segment.strip(_AROUND_MARKERS) for segment in found[1:-1:2])]
    head, *inner = [segment + gap if segment else "" for segment in held]
    tail = found[-1].lstrip(_AROUND_MARKERS)
    if numbers[-1] != 0 or len(set(numbers)) != len(numbers):
        return Segments("".join((head, *inner, tail)))
    return Segments(head, dict(zip(numbers, inner, strict=False)), tail)


def pieces(part: str, *, doors: Doors, markup: bool) -> Pieces:
    """`part` with its blanks resolved: constants at even places, numbers of values at odd ones.

    Preview and merge both go through here, so that one cannot say what the other does not.
    """
    found: Pieces = []
    constant, end = "", 0
    for blank in BLANK.finditer(part):
        before, value, after = (doors.click, FIRST_CLICK + int(blank[1]), "") if blank[1] else doors.around(blank[2])
        if value == NAME and markup:
            value = NAME_IN_MARKUP
        found += [constant + part[end : blank.start()] + before, value]
        constant, end = after, blank.end()
    return [*found, constant + part[end:]]


def _filled(part: str, *, doors: Doors, values: ReaderValues, markup: bool) -> str:
    pool = [
        values.open_token.decode(),
        values.leave_token.decode(),
        values.view_token.decode(),
        values.name,
        html.escape(values.name),
        *(token.decode() for token in values.tokens),
    ]
    return "".join(
        piece if isinstance(piece, str) else pool[piece] for piece in pieces(part, doors=doors, markup=markup)
    )


def preview(rendered: Rendered, *, doors: Doors, values: ReaderValues, blocks: Sequence[int] | None = None) -> str:
    """The HTML this reader gets: these blocks in this order, or all of them."""
    return _filled(rendered.segments()[0].whole(blocks), doors=doors, values=values, markup=True)


def preview_text(rendered: Rendered, *, doors: Doors, values: ReaderValues, blocks: Sequence[int] | None = None) -> str:
    """The plain text this reader gets, likewise."""
    return _filled(rendered.segments()[1].whole(blocks), doors=doors, values=values, markup=False)


def sample_reader(rendered: Rendered) -> ReaderValues:
    """Nobody in particular, for previews and measures: tokens of the true length that no door accepts."""
    token = b"0" * TOKEN_LENGTH
    return ReaderValues(
        address="reader@example.org",
        tokens=[token] * len(rendered.links),
        open_token=token,
        leave_token=token,
        view_token=token,
        message_id="<sample@example.org>",
    )
