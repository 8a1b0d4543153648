"""Sitemaps (sitemaps.org, Google's news extension) and robots.txt (RFC 9309): addresses a site lists for machines."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from pipeline.articles.addresses import same_site
from pipeline.articles.raw.markup import UnusableInput, absolute, decode, plain
from pipeline.sources.formats.entries import Entry, Notes

MAX_BYTES = 10_000_000
MAX_URLS = 50_000  #: of one sitemap; the protocol's own limit
MAX_TEXT = 4_000  #: kept of one element
MAX_DEPTH = 100
MAX_TAG_CHARS = 20_000
MAX_ROBOTS_BYTES = 500_000  #: RFC 9309 section 2.5 asks for at least 500 KiB
MAX_ROBOTS_LINES = 5_000
AGENT = "Dateline"

_PORTION = 65_536
_LONG_TAG = re.compile(rf"<[^<>]{{{MAX_TAG_CHARS}}}")
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,500}\?>")
_SITEMAP_LINE = re.compile(r"^\s*sitemap\s*:\s*(\S{1,2000})", re.IGNORECASE | re.MULTILINE)
#: Lists of anything but stories, as WordPress, Yoast, Rank Math and All in One SEO name them.
_NO_STORIES = re.compile(
    r"author|users?-\d|categor|\btags?\b|post_tag|taxonom|page-sitemap|posts-page|attachment|video|image|local", re.IGNORECASE
)  # fmt: skip
_FIELDS = frozenset(["loc", "lastmod", "news/title", "news/publication_date", "news/publication/language", "image/loc"])
_NUMBER = re.compile(r"(\d+)(?=\D*$)")
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A sitemap that an index names."""

    url: str
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """One sitemap: entries (their link is their id), or children where it is an index. `is_news`: it has headlines."""

    entries: tuple[Entry, ...] = ()
    children: tuple[Child, ...] = ()
    is_news: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Robots:
    """What a robots.txt says: its sitemaps, and what we may read."""

    sitemaps: tuple[str, ...] = ()
    _rules: RobotFileParser | None = field(default=None, repr=False, compare=False)

    def allows(self, url: str) -> bool:
        """May we read this address? Without rules everything may be read."""
        return self._rules is None or self._rules.can_fetch(AGENT, url)


def read(data: bytes, *, url: str, zone: tzinfo = UTC) -> Sitemap:
    """The sitemap in a body, gzip or plain. Addresses that are relative or lead to other sites are left out.

    What is cut off or ill-formed is read as far as it goes. Raises UnusableInput where there is no sitemap.
    """
    notes = Notes()
    reader = _Reader(url=url, zone=zone, notes=notes)
    text = _text(_plain_bytes(data), notes)
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        for start in range(0, len(text), _PORTION):
            parser.feed(text[start : start + _PORTION])
        parser.close()
    except _Enough:
        notes.add(f"more than {MAX_URLS:,} addresses: the rest is left out")
    except DefusedXmlException as error:
        raise UnusableInput("not readable as a sitemap: it declares a document type or entities") from error
    except ParseError as error:
        if not reader.found:
            raise UnusableInput(f"not readable as a sitemap: {' '.join(str(error).split())[:120]}") from error
        notes.add(f"not well-formed ({' '.join(str(error).split())[:120]}): read as far as it goes")
    return _sitemap(reader, notes)


def robots(data: bytes, *, url: str) -> Robots:
    """What a robots.txt says; a web page in its place says nothing. `url` is where it came from."""
    text, _ = decode(data[:MAX_ROBOTS_BYTES])
    if text.lstrip().startswith("<"):
        return Robots()
    rules = RobotFileParser()
    rules.parse(text.splitlines()[:MAX_ROBOTS_LINES])
    named = (absolute(found, base=url) for found in _SITEMAP_LINE.findall(text)[:100])
    return Robots(sitemaps=tuple(dict.fromkeys(address for address in named if address)), _rules=rules)


def story_lists(children: Iterable[Child]) -> tuple[str, ...]:
    """Of an index, the sitemaps that list stories: those for news first, then the one changed last.

    Where an index gives no dates (WordPress before 6.5), the highest number is the newest.
    """
    stories = [child for child in children if not _NO_STORIES.search(urlsplit(child.url).path)]
    return tuple(child.url for child in sorted(stories, key=_freshness, reverse=True))


def _freshness(child: Child) -> tuple[bool, datetime, int]:
    path = urlsplit(child.url).path
    number = _NUMBER.search(path)
    return "news" in path.lower(), child.modified or _LONG_AGO, int(number[1][:9]) if number else 0


def _plain_bytes(data: bytes) -> bytes:
    """Inflated within the limit: a bomb is named, not unpacked."""
    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, MAX_BYTES + 1)
        except zlib.error as error:
            raise UnusableInput("not readable as a sitemap: it says gzip and is not") from error
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"too large for a sitemap: more than {MAX_BYTES:,} bytes")
    return data


def _text(data: bytes, notes: Notes) -> str:
    """Decoded, so that no declared charset stops expat; without tags whose attributes alone take minutes."""
    text, warnings = decode(data)
    for warning in warnings:
        notes.add(warning)
    text = _DECLARATION.sub("", text, count=1).strip()
    if not text:
        raise UnusableInput("empty: no bytes of a sitemap")
    if not text.startswith("<"):
        raise UnusableInput("not a sitemap: it is no XML")
    if _LONG_TAG.search(text):
        raise UnusableInput("not readable as a sitemap: one tag is longer than any sitemap needs")
    return text


def _sitemap(reader: _Reader, notes: Notes) -> Sitemap:
    if reader.root not in {"urlset", "sitemapindex"}:
        named = {"html": "a web page", "rss": "a feed", "feed": "a feed", "RDF": "a feed", "opml": "an OPML list"}
        raise UnusableInput(f"this is {named.get(reader.root, 'other XML')}, not a sitemap")
    is_index = reader.root == "sitemapindex"
    return Sitemap(
        entries=() if is_index else tuple(reader.entries.values()),
        children=tuple(Child(url=url, modified=one.updated) for url, one in reader.entries.items()) if is_index else (),
        is_news=reader.is_news,
        warnings=notes.sentences(),
    )


class _Enough(Exception):
    """The reader holds as much as it may."""


class _Reader:
    """What expat calls. Only the texts of the current address are kept, and never a tree."""

    def __init__(self, *, url: str, zone: tzinfo, notes: Notes) -> None:
        self._url, self._zone, self._notes = url, zone, notes
        self._path: list[str] = []
        self._said: dict[str, str] = {}
        self._words: list[str] = []
        self.entries: dict[str, Entry] = {}
        self.root, self.is_news, self.found = "", False, 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """A tag opens; its namespace is ignored, its place is not."""
        self._path.append(tag.rpartition("}")[2])
        self._words.clear()
        self.root = self.root or self._path[0]
        if len(self._path) > MAX_DEPTH:
            raise UnusableInput(f"not readable as a sitemap: elements nested {MAX_DEPTH} deep")

    def data(self, words: str) -> None:
        """Words between tags."""
        if len(self._words) < 100:
            self._words.append(words[:MAX_TEXT])

    def end(self, _tag: str) -> None:
        """A tag closes: a field is known, or an address is complete."""
        if len(self._path) == 2 and self._path[1] in {"url", "sitemap"}:
            self._take()
            self._said.clear()
        elif (field := "/".join(self._path[2:])) in _FIELDS:
            self._said.setdefault(field, "".join(self._words)[:MAX_TEXT].strip())
        self._path.pop()
        self._words.clear()

    def close(self) -> None:
        """The document is complete."""

    def _take(self) -> None:
        self.found += 1
        if self.found > MAX_URLS:
            raise _Enough
        if (entry := self._entry()) is None:
            return
        if entry.id in self.entries:
            self._notes.add("address is listed twice")
            # The same page is listed for each of its pictures by some plug-ins; a date said later still counts.
            entry = replace(entry, updated=entry.updated or self.entries[entry.id].updated)
        self.entries[entry.id] = entry

    def _entry(self) -> Entry | None:
        said = self._said
        loc = said.get("loc", "")
        link = absolute(loc, base=None) if loc else None
        if link is None or link.startswith("mailto:"):
            self._notes.add("address is missing, relative or none of the web: left out")
            return None
        if not _is_of(link, self._url):
            self._notes.add("address of another site: left out")
            return None
        self.is_news = self.is_news or "news/title" in said or "news/publication_date" in said
        return Entry(
            id=link,
            link=link,
            title=plain(said.get("news/title", ""))[:1000],
            published=self._notes.when(said.get("news/publication_date"), zone=self._zone),
            updated=self._notes.when(said.get("lastmod"), zone=self._zone),
            language=said.get("news/publication/language", "")[:20] or None,
            image=absolute(said.get("image/loc", ""), base=None),
        )


def _is_of(link: str, url: str) -> bool:
    try:
        return _same(urlsplit(link).netloc, urlsplit(url).netloc)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _same(one: str, other: str) -> bool:
    """Unknown suffixes make a host its own site; with or without www it is the same one anyway."""
    return one.removeprefix("www.") == other.removeprefix("www.") or same_site(f"http://{one}/", f"http://{other}/")
