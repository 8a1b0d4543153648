"""OPML 1 and 2: the lists of feeds that readers export."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipeline.articles.raw.markup import UnusableInput, absolute, decode, depth, plain
from pipeline.sources.formats.entries import Notes

MAX_BYTES = 5_000_000
MAX_FEEDS = 5_000
MAX_TAGS = 100_000
MAX_DEPTH = 200
MAX_TAG_CHARS = 20_000

_LONG_TAG = re.compile(rf"<[^<>]{{{MAX_TAG_CHARS}}}")
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,500}\?>")
_REFERENCE = re.compile(r"&(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|\w{1,32};)?")
_XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A feed as the list names it. `categories` are the folders it lies in and those it is given, each once."""

    feed_url: str
    title: str
    home_url: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list read once, its folders flattened."""

    title: str | None
    feeds: tuple[Listed, ...]
    warnings: tuple[str, ...] = ()


class _Node(Protocol):
    """What is used of an element; its attributes' names are in whatever case the exporter liked."""

    tag: str
    attrib: dict[str, str]

    def __iter__(self) -> Iterator[_Node]: ...


def read(data: bytes) -> Listing:
    """The feeds of an OPML file, in its order. Raises UnusableInput where there is none."""
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"too large for an OPML list: {len(data):,} bytes, the limit is {MAX_BYTES:,}")
    notes = Notes()
    tree = _tree(data, notes)
    if tree.tag.lower() != "opml":
        named = {"html": "a web page", "rss": "a feed", "feed": "a feed"}.get(tree.tag.rpartition("}")[2].lower())
        raise UnusableInput(f"this is {named or 'other XML'}, not an OPML list")
    feeds: dict[str, Listed] = {}
    for feed in _feeds(tree, notes):
        if feed.feed_url in feeds:
            notes.add("feed is listed twice")
        elif len(feeds) == MAX_FEEDS:
            notes.add(f"more than {MAX_FEEDS:,} feeds: the rest is left out")
            break
        feeds.setdefault(feed.feed_url, feed)
    if not feeds:
        raise UnusableInput("the OPML list names no feed: no outline has an xmlUrl")
    return Listing(title=_title(tree), feeds=tuple(feeds.values()), warnings=notes.sentences())


def _tree(data: bytes, notes: Notes) -> _Node:
    text, warnings = decode(data)
    for warning in warnings:
        notes.add(warning)
    text = _DECLARATION.sub("", text, count=1).strip()
    if not text.startswith("<"):
        raise UnusableInput("not an OPML list: it is no XML" if text else "empty: no bytes of an OPML list")
    if text.count("<") > MAX_TAGS or _LONG_TAG.search(text) or depth(text, stop_at=MAX_DEPTH) >= MAX_DEPTH:
        raise UnusableInput("not readable as an OPML list: more markup than any list needs")
    try:
        return _parsed(text)
    except ParseError:
        notes.add("not well-formed: stray & were read as ampersands")
    try:
        return _parsed(_REFERENCE.sub(_reference, text))
    except ParseError as error:
        raise UnusableInput(f"not readable as an OPML list: {' '.join(str(error).split())[:120]}") from error


def _parsed(text: str) -> _Node:
    try:
        tree: _Node = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnusableInput("not readable as an OPML list: it declares a document type or entities") from error
    return tree


def _reference(match: re.Match[str]) -> str:
    """Addresses with `&` in them are what exporters forget to escape."""
    name = match[1] or ""
    if name in _XML_NAMES or name.startswith("#"):
        return match[0]
    meant = html.unescape(match[0])
    return html.escape(meant if meant != match[0] else match[0])


def _feeds(tree: _Node, notes: Notes) -> Iterator[Listed]:
    """Depth first, in the file's order; `waiting` holds what is still to be looked at, last first."""
    waiting: list[tuple[_Node, tuple[str, ...]]] = [(tree, ())]
    while waiting:
        node, folders = waiting.pop()
        said = {name.lower(): value for name, value in node.attrib.items()}
        name = plain(said.get("title") or said.get("text") or "")[:200]
        inner = folders
        if node.tag.lower() == "outline":
            if "xmlurl" in said:
                yield from _listed(said, name, folders, notes)
            elif name:
                inner = (*folders, name)
        waiting.extend((child, inner) for child in reversed(list(node)))


def _listed(said: dict[str, str], name: str, folders: tuple[str, ...], notes: Notes) -> Iterator[Listed]:
    raw = re.sub(r"^feed:(?://)?(?=https?:)", "", said["xmlurl"].strip(), flags=re.IGNORECASE)
    address = absolute(re.sub(r"^feed://", "http://", raw, flags=re.IGNORECASE), base=None)
    if address is None or address.startswith("mailto:"):
        notes.add("outline whose xmlUrl is no address of the web: left out")
        return
    given = (word.strip("/ ") for word in plain(said.get("category", "")).split(","))
    yield Listed(
        feed_url=address,
        title=name,
        home_url=absolute(said.get("htmlurl", ""), base=None),
        categories=tuple(dict.fromkeys(word[:200] for word in (*folders, *given) if word))[:50],
    )


def _title(tree: _Node) -> str | None:
    for head in tree:
        if head.tag.lower() == "head":
            for node in head:
                if node.tag.lower() == "title":
                    return plain(getattr(node, "text", None) or "")[:200] or None
    return None
