"""What a page, a feed or an HTTP answer points to, and what it says it was made with. Pure; no tree is built."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.articles.raw.markup import absolute, decode, plain
from pipeline.sources.formats import wordpress

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
REST = "https://api.w.org/"  #: the relation by which WordPress names the root of its REST interface
MAX_HEAD = 500_000  #: characters in which a page's links are looked for
MAX_LINKS = 200

_COMMENT = re.compile(r"<!--(?:.*?-->|.*)", re.DOTALL)
_LINK = re.compile(r"<(?:[a-z][\w\-]{0,20}:)?link\b([^<>]{0,3000})>", re.IGNORECASE)
_META = re.compile(r"<meta\b([^<>]{0,3000})>", re.IGNORECASE)
_BASE = re.compile(r"<base\b([^<>]{0,1000})>", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^<>]{0,500}>([^<]{0,1000})<", re.IGNORECASE)
_HTML = re.compile(r"<html\b([^<>]{0,2000})>", re.IGNORECASE)
_COMMENTS = re.compile(r"/comments(?:/|\?|$)|comments[-_]|withcomments", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z:\-]{1,30})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_PARAMETER = re.compile(r"([\w\-*]{1,30})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\",;]+))")
_HEADER_LINK = re.compile(r"<([^<>]{1,2000})>((?:\s*;\s*[\w\-*]{1,30}\s*=\s*(?:\"[^\"]{0,500}\"|[^\s\",;]{1,500}))*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: where to, by which relations, and of which type. Relations are lower case."""

    url: str
    relations: frozenset[str]
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the head of a page (or of a feed) says."""

    links: tuple[Link, ...]
    title: str = ""
    generator: str = ""
    language: str = ""


def in_header(value: str, *, base: str) -> tuple[Link, ...]:
    """The links of an HTTP Link header (RFC 8288)."""
    found = (
        _link({**_attributes(rest, _PARAMETER), "href": target}, base)
        for target, rest in _HEADER_LINK.findall(value[:20_000])
    )
    return tuple(link for link in found if link)[:MAX_LINKS]


def in_page(body: bytes, *, base: str) -> Page:
    """What a page says in its `link`, `meta` and `title`; of a feed, its `link` elements with a relation."""
    text = _COMMENT.sub("", decode(body[: 2 * MAX_HEAD])[0][:MAX_HEAD])
    based = _BASE.search(text)
    base = absolute(_attributes(based[1]).get("href", ""), base=base) or base if based else base
    found = (_link(_attributes(match[1]), base) for match in _LINK.finditer(text))
    metas = [_attributes(match[1]) for match in _META.finditer(text)]
    title, root = _TITLE.search(text), _HTML.search(text)
    return Page(
        links=tuple(link for link in found if link)[:MAX_LINKS],
        title=plain(title[1])[:200] if title else "",
        generator=next((plain(m.get("content", "")) for m in metas if m.get("name", "").lower() == "generator"), "")[
            :200
        ],
        language=_attributes(root[1]).get("lang", "")[:20] if root else "",
    )


def _attributes(text: str, pattern: re.Pattern[str] = _ATTRIBUTE) -> dict[str, str]:
    """An element's attributes, or a header's parameters; the first of a name counts."""
    said: dict[str, str] = {}
    for match in pattern.finditer(text):
        said.setdefault(match[1].lower(), html.unescape(match[2] or match[3] or match[4] or ""))
    return said


def _link(said: dict[str, str], base: str) -> Link | None:
    relations = frozenset(said.get("rel", "").lower().split())
    address = absolute(said.get("href", ""), base=base)
    if not relations or address is None or address.startswith("mailto:"):
        return None
    return Link(url=address, relations=relations, type=said.get("type", "").lower().partition(";")[0].strip())


def named(links: Iterable[Link], relation: str) -> tuple[str, ...]:
    """Addresses a relation leads to, each once."""
    return tuple(dict.fromkeys(link.url for link in links if relation in link.relations))


def feeds(links: Iterable[Link], *, page: str) -> tuple[str, ...]:
    """Feeds that are named, the likeliest first; none of comments, as far as an address shows it.

    A feed right below its page comes last: WordPress names there the comments on a story, but also a section's feed.
    """
    named = (link.url for link in links if "alternate" in link.relations and link.type in FEED_TYPES)
    stories = dict.fromkeys(url for url in named if not is_comments(url))
    below = f"{urlsplit(page).path.rstrip('/')}/feed"
    return tuple(sorted(stories, key=lambda url: below != "/feed" and urlsplit(url).path.rstrip("/") == below))


def is_comments(url: str) -> bool:
    """Is this a feed of comments, by its address?"""
    parts = urlsplit(url)
    return bool(_COMMENTS.search(f"{parts.path}?{parts.query}"))


def rest_roots(links: Iterable[Link]) -> tuple[str, ...]:
    """Roots of WordPress's REST interface: named as such, or the way to the JSON of the very page."""
    links = list(links)
    direct = [link.url for link in links if REST in link.relations]
    json = [link.url for link in links if "alternate" in link.relations and link.type == "application/json"]
    roots = [wordpress.root(url) for url in [*direct, *(url for url in json if "wp/v2" in url)]]
    return tuple(dict.fromkeys(root for root in roots if root))
