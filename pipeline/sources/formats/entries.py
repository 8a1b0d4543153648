"""What a feed says: plain values, whatever format it was in, each entry with an id of its own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from pipeline.articles.page import witnesses
from pipeline.articles.raw import dates
from pipeline.articles.raw.markup import plain

MAX_ENTRIES = 300  #: considered in one feed; Feedbin's limit too
MAX_ID_CHARS = 1000
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(witnesses.Entry):
    """One item of a feed: what it tells of a story, under an id of its own.

    `id` is unique within its feed and stable while the site's own id, link or (last resort) words are.
    """

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed read once. `warnings` are sentences about what was mended or doubted, each once."""

    title: str | None
    link: str | None
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    language: str | None = None
    generator: str | None = None
    hubs: tuple[str, ...] = ()


class Notes:
    """Warnings of one reading, counted rather than repeated."""

    def __init__(self, first: Iterable[str] = ()) -> None:
        self._counts = Counter(first)

    def add(self, warning: str) -> None:
        self._counts[warning] += 1

    def when(self, text: object, *, zone: tzinfo) -> datetime | None:
        """The instant a feed's date string names; what had to be assumed becomes a warning."""
        if not isinstance(text, str) or not text.strip():
            return None
        moment = dates.parse(text, zone=zone)
        if moment is None:
            self.add("date cannot be read")
        elif moment.doubt:
            self.add(f"date with {moment.doubt}")
        return moment.at if moment else None

    def sentences(self) -> tuple[str, ...]:
        return tuple(f"{text} ({n} times)" if n > 1 else text for text, n in self._counts.items())


def newest(entries: Sequence[Entry], *, notes: Notes) -> tuple[Entry, ...]:
    """At most MAX_ENTRIES, in the feed's order: some feeds put the newest last."""
    if len(entries) <= MAX_ENTRIES:
        return tuple(entries)
    notes.add(f"only the newest {MAX_ENTRIES} of {len(entries)} entries are considered")
    by_age = sorted(
        range(len(entries)),
        key=lambda n: entries[n].published or entries[n].updated or _LONG_AGO,
        reverse=True,
    )
    return tuple(entries[n] for n in sorted(by_age[:MAX_ENTRIES]))


def distinct(entries: Iterable[Entry], *, notes: Notes) -> tuple[Entry, ...]:
    """Each entry under an id of its own; entries said twice are kept once.

    The same id on entries with different links is no id at all: their links are (Miniflux issue 4197). Without id
    and link, or where those too are shared, a hash of title and content stands in.
    """
    entries = [_bounded(entry) for entry in entries]
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.id or entry.link or "", []).append(entry)
    seen: set[str] = set()
    kept = []
    for entry in entries:
        named = _named(entry, groups[entry.id or entry.link or ""], notes)
        if named is not None and named.id not in seen:
            seen.add(named.id)
            kept.append(named)
    return tuple(kept)


def _bounded(entry: Entry) -> Entry:
    return entry if len(entry.id) <= MAX_ID_CHARS else replace(entry, id=_digest(entry.id))


def _named(entry: Entry, group: list[Entry], notes: Notes) -> Entry | None:
    own = entry.id or entry.link
    if own is None:
        notes.add("entry has neither id nor link: its words are its id")
        return replace(entry, id=_of_words(entry))
    if len(group) == 1:
        return replace(entry, id=own)
    same_link = [other for other in group if other.link == entry.link]
    titles = {other.title for other in same_link}
    if len(titles) > 2 or (len(titles) > 1 and not entry.id):
        notes.add("several entries share one id and link: their words are their ids")
        return replace(entry, id=_of_words(entry))
    if same_link[0] is not entry:
        notes.add("entry is said twice")
        return None
    return _by_link(entry, own, group, notes)


def _by_link(entry: Entry, own: str, group: list[Entry], notes: Notes) -> Entry:
    if all(other.link == entry.link for other in group):
        return replace(entry, id=own)
    notes.add("several entries share one id: their links are their ids")
    return replace(entry, id=entry.link or _of_words(entry))


def _of_words(entry: Entry) -> str:
    return _digest("\n".join((entry.title, plain(entry.content_html or entry.summary or ""))))


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
