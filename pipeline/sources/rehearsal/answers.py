"""What a recorded answer is, and what a list among them says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.articles.raw.markup import UnusableInput, absolute
from pipeline.kernel.limits import TooMuchCpu, cpu_seconds
from pipeline.sources import links
from pipeline.sources.formats import feeds, sitemaps, wordpress
from pipeline.sources.formats.entries import Entry

CPU_S = 10.0
#: Parameters of a REST list that make it a part of the posts: its total and what it lacks say nothing.
_PARTIAL = frozenset(
    ["after", "before", "modified_after", "modified_before", "search", "include", "exclude", "categories", "tags"]
)
_PAGED = frozenset(["page", "paged", "_embed", "_fields", "_"])
_ROOT = re.compile(rb"<(rss|feed|rdf:RDF|urlset|sitemapindex|html|head|body|!doctype\s+html)\b", re.IGNORECASE)
_ROOTS = {b"rss": "feed", b"feed": "feed", b"rdf:rdf": "feed", b"urlset": "sitemap", b"sitemapindex": "sitemap"}
_LIST_ADDRESS = re.compile(
    r"/(?:feed|rss2?|atom|rdf)(?:/|$)|\.(?:xml|rss|atom|rdf|json)$|/wp-json(?:/|$)|rest_route=|[?&]feed=|sitemap", re.I
)
_ONE_POST = re.compile(r"/wp/v2/posts/(\d{1,18})\b")


class Kind(StrEnum):
    """What an answer can tell."""

    FEED = "feed"
    REST = "rest"
    SITEMAP = "sitemap"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list says. `total` is X-WP-Total of a list of all posts."""

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    generator: str = ""
    total: int | None = None


def kind_of(body: bytes, *, url: str | None) -> Kind | None:
    """What a good answer seems to be; None for what can be none of these."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:4_000]
    if start[:1] == b"{" and b"jsonfeed.org" in start[:500]:
        return Kind.FEED
    if start[:1] in (b"{", b"["):
        return Kind.REST
    if match := _ROOT.search(start):
        return Kind(_ROOTS.get(match[1].lower(), "page"))
    if url and wordpress.root(url) and ("wp-json" in url or "rest_route" in url):
        return Kind.REST
    return None


def is_list_address(url: str) -> bool:
    """Does an address look like that of a list, whatever it answers today?"""
    return bool(_LIST_ADDRESS.search(url))


def canonical(body: bytes, headers: Mapping[str, str]) -> str | None:
    """The address a page gives itself, in its headers or its head."""
    said = links.in_header(headers.get("link", ""), base="") if headers.get("link") else ()
    named = [*links.named(said, "canonical"), *links.named(links.in_page(body, base="").links, "canonical")]
    return next((found for found in named if absolute(found, base=None)), None)


def post_of(url: str | None) -> int | None:
    """The number of the post that a REST address asks for."""
    match = _ONE_POST.search(url or "")
    return int(match[1]) if match else None


def way_of(kind: Kind, url: str | None) -> str:
    """One string for all answers of one way to watch a site."""
    if url is None or kind is Kind.REST:
        return f"{kind} {wordpress.root(url) if url else ''}".strip()
    return f"{kind} {list_of(url)}"


def list_of(url: str | None) -> str:
    """The address of a list, whichever of its pages was asked for."""
    if url is None:
        return ""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _PAGED]
    return urlunsplit(parts._replace(query=urlencode(kept), fragment=""))


def page_number(url: str | None) -> int:
    """Which page of its list an address asks for, from 1."""
    query = dict(parse_qsl(urlsplit(url or "").query))
    number = query.get("page") or query.get("paged") or "1"
    return int(number) if number.isdecimal() and len(number) < 6 else 1


def is_partial(url: str | None) -> bool:
    """Does an address ask for some of a site's posts only?"""
    return bool(_PARTIAL & {name for name, _ in parse_qsl(urlsplit(url or "").query)}) or post_of(url) is not None


def listing(kind: Kind, body: bytes, *, url: str | None, headers: Mapping[str, str]) -> Listing:
    """What a list says. Raises UnusableInput where it is none."""
    try:
        with cpu_seconds(CPU_S):
            return _LISTS[kind](body, url, headers)
    except TooMuchCpu as error:
        raise UnusableInput(f"reading it was given up: {error}") from error


def _feed(body: bytes, url: str | None, headers: Mapping[str, str]) -> Listing:
    read = feeds.read(body, url=url, headers=headers)
    return Listing(read.entries, read.warnings, read.generator or "")


def _rest(body: bytes, url: str | None, headers: Mapping[str, str]) -> Listing:
    read = wordpress.read_posts(body, url=url, headers=headers)
    return Listing(read.entries, read.warnings, total=None if is_partial(url) else read.total)


def _sitemap(body: bytes, url: str | None, _headers: Mapping[str, str]) -> Listing:
    read = sitemaps.read(body, url=url or _first_address(body))
    return Listing(tuple(replace(entry, id="") for entry in read.entries), read.warnings)  # an address is no guid


def _first_address(body: bytes) -> str:
    """A sitemap lists addresses of its own site only."""
    match = re.search(rb"<loc>\s*(https?://[^<\s]{1,2000})", body)
    return match[1].decode("latin-1") if match else ""


_LISTS = {Kind.FEED: _feed, Kind.REST: _rest, Kind.SITEMAP: _sitemap}
