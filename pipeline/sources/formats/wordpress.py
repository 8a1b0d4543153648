"""WordPress's REST interface: how it is asked, and what its posts, categories and index answer.

The answers hold post numbers, which are identities within a site; a feed's guids are not (watching reference 0.4).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from pipeline.articles.raw.markup import UnusableInput, absolute, decode, from_json, lower_headers, plain
from pipeline.sources.formats.entries import Entry, Notes, distinct
from pipeline.sources.formats.rest import Term, entry, number, text

__all__ = [
    "MAX_BYTES", "Posts", "Site", "Term", "categories", "index", "modified_since", "newest", "one", "published_since",
    "read_categories", "read_posts", "read_site", "root",
]  # fmt: skip

MAX_BYTES = 10_000_000
MAX_POSTS = 300  #: of one answer; a site gives at most 100
MAX_TERMS = 5_000
#: Only these are embedded, which also spares the site the replies (a site before 5.4 embeds everything).
EMBED = "author,wp:term,wp:featuredmedia"
_SITE_FIELDS = "name,description,url,home,gmt_offset,timezone_string,namespaces"
_ROUTE = re.compile(r"/?wp/v2(?:/.*)?$")
_LATE_START = re.compile(r"\[\s*\{\s*\"id\"|\{\s*\"(?:id|code|name)\"|\[\s*\]\s*$")
#: Half hours have no Etc/ zone; these zones keep them all the year.
_ODD_HOURS = {4.5: "Asia/Kabul", 5.5: "Asia/Kolkata", 5.75: "Asia/Kathmandu", 6.5: "Asia/Yangon"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """One answer of posts. `total` and `pages` are what the site says it has (X-WP-Total, X-WP-TotalPages)."""

    entries: tuple[Entry, ...]
    total: int | None = None
    pages: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a REST index says of its site. `zone` is an IANA name, "" where the site does not say."""

    name: str
    home: str | None
    zone: str


def root(address: str) -> str:
    """The root of the interface that `address` (a root, or the JSON of one post or term) belongs to; "" if none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "rest_route" for name, _ in query):
        kept = [(name, "/" if name == "rest_route" else value) for name, value in query if name != "_embed"]
        return urlunsplit(parts._replace(query=urlencode(kept, safe="/"), fragment=""))
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return ""
    path = _ROUTE.sub("", parts.path).rstrip("/") + "/"
    return urlunsplit(parts._replace(path=path, query="", fragment=""))


def index(root: str) -> str:
    """Where the interface tells of its site."""
    return _address(root, "", _fields=_SITE_FIELDS)


def newest(root: str, *, count: int = 20, page: int = 1) -> str:
    """The posts made last, whatever date they carry: only this order shows a new post with an old date."""
    paged = {"page": str(page)} if page > 1 else {}
    return _address(root, "wp/v2/posts", orderby="id", order="desc", per_page=str(count), **paged, _embed=EMBED)


def published_since(root: str, *, since: datetime, count: int = 100) -> str:
    """Posts dated after an instant."""
    return _address(root, "wp/v2/posts", after=_stamp(since), per_page=str(count), _embed=EMBED)


def modified_since(root: str, *, since: datetime, count: int = 100) -> str:
    """Posts changed after an instant (WordPress 5.7; older sites answer with their newest)."""
    return _address(
        root, "wp/v2/posts", modified_after=_stamp(since), orderby="modified", per_page=str(count), _embed=EMBED
    )


def one(root: str, *, wp_id: int) -> str:
    """One post."""
    return _address(root, f"wp/v2/posts/{wp_id}", _embed=EMBED)


def categories(root: str, *, page: int = 1) -> str:
    """A hundred categories, the most used first."""
    paged = {"page": str(page)} if page > 1 else {}
    return _address(root, "wp/v2/categories", per_page="100", orderby="count", order="desc", **paged)


def _address(root: str, route: str, **query: str) -> str:
    """Pretty (`/wp-json/wp/v2/posts?...`) or plain (`/?rest_route=/wp/v2/posts&...`), as the root is."""
    parts = urlsplit(root)
    asked = [
        (name, f"{value.rstrip('/')}/{route}") if name == "rest_route" else (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    path = parts.path if asked else parts.path.rstrip("/") + "/" + route
    return urlunsplit(parts._replace(path=path, query=urlencode([*asked, *query.items()], safe="/,:")))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_posts(
    data: bytes,
    *,
    url: str | None = None,
    zone: tzinfo = UTC,
    tree: Mapping[int, Term] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Posts:
    """The posts (or the one post) of an answer. `tree` is the site's categories, `zone` for dates without date_gmt.

    Raises UnusableInput, and nothing else, where it holds no posts: block pages, refusals, other JSON.
    """
    notes = Notes()
    told = _json(data, notes)
    posts = told if isinstance(told, list) else [told]
    if isinstance(told, dict) and not (number(told.get("id")) and ("link" in told or "title" in told)):
        raise UnusableInput("this is JSON, but no posts of WordPress")
    if len(posts) > MAX_POSTS:
        notes.add(f"{len(posts)} posts: only the first {MAX_POSTS} are looked at")
        posts = posts[:MAX_POSTS]
    found = [made for post in posts if (made := _entry(post, url=url, zone=zone, tree=tree or {}, notes=notes))]
    known = lower_headers(headers)
    return Posts(
        entries=distinct(found, notes=notes),
        total=_count(known.get("x-wp-total", "")),
        pages=_count(known.get("x-wp-totalpages", "")),
        warnings=notes.sentences(),
    )


def _entry(post: object, *, url: str | None, zone: tzinfo, tree: Mapping[int, Term], notes: Notes) -> Entry | None:
    if not isinstance(post, dict):
        notes.add("post is not an object")
        return None
    if text(post.get("status")) not in {"", "publish"}:
        notes.add("post is not published: left out")
        return None
    if not number(post.get("id")) and not text(post.get("link")):
        notes.add("post without number and link: left out")
        return None
    return entry(post, base=url, zone=zone, tree=tree, notes=notes)


def read_categories(data: bytes) -> dict[int, Term]:
    """The categories of an answer, by number. Raises UnusableInput where it holds none."""
    told = _json(data, Notes())
    if not isinstance(told, list):
        raise UnusableInput("this is JSON, but no categories of WordPress")
    terms: dict[int, Term] = {}
    for node in told[:MAX_TERMS]:
        if isinstance(node, dict) and (term_id := number(node.get("id"))) and (name := plain(text(node.get("name")))):
            terms[term_id] = Term(
                id=term_id,
                name=name[:200],
                slug=text(node.get("slug"))[:200],
                parent=number(node.get("parent")),
                link=absolute(text(node.get("link")), base=None),
            )
    return terms


def read_site(data: bytes) -> Site:
    """What a REST index says. Raises UnusableInput where it is none."""
    told = _json(data, Notes())
    spaces = told.get("namespaces") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(spaces, list) or "wp/v2" not in spaces:
        raise UnusableInput("this is JSON, but no index of WordPress's REST interface")
    return Site(
        name=plain(text(told.get("name")))[:200],
        home=absolute(text(told.get("home")), base=None),
        zone=_zone(text(told.get("timezone_string")), told.get("gmt_offset")),
    )


def _zone(name: str, offset: object) -> str:
    """An IANA name, also for a site that chose a plain offset."""
    try:
        if name:
            return str(ZoneInfo(name))
        return _of_offset(float(offset)) if isinstance(offset, str | int | float) else ""
    except (KeyError, ValueError, OSError, OverflowError):
        return ""


def _of_offset(hours: float) -> str:
    """The sign of an Etc/ zone is turned: east of Greenwich is minus there."""
    if hours == 0:
        return "UTC"
    if hours == int(hours) and -12 <= hours <= 14:
        return f"Etc/GMT{-int(hours):+d}"
    return _ODD_HOURS.get(hours, "")


def _json(data: bytes, notes: Notes) -> list[Any] | dict[str, Any]:
    """An answer's list or object. Raises UnusableInput for web pages, refusals and what is no JSON."""
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"too large for a REST answer: {len(data):,} bytes, the limit is {MAX_BYTES:,}")
    told = _parsed(decode(data)[0].strip(), notes)
    if isinstance(told, dict) and isinstance(told.get("code"), str) and "message" in told and "id" not in told:
        words = plain(text(told["message"]))[:150]
        raise UnusableInput(
            f"the site refuses its REST interface: {told['code'][:60]}" + (f", “{words}”" if words else "")
        )
    if not isinstance(told, list | dict):
        raise UnusableInput("this is JSON, but no answer of WordPress's REST interface")
    return told


def _parsed(words: str, notes: Notes) -> object:
    """PHP prints its notices before the JSON where a site shows them to everyone."""
    if not words.startswith(("[", "{")):
        start = _LATE_START.search(words[:50_000])
        if start is None:
            raise UnusableInput(_what_it_is(words))
        notes.add("text before the JSON was ignored")
        words = words[start.start() :]
    try:
        return from_json(words)
    except ValueError as error:
        raise UnusableInput("not readable as a REST answer: it starts like JSON and is not") from error


def _what_it_is(words: str) -> str:
    if not words:
        return "empty: no bytes of a REST answer"
    if words.startswith("<"):
        found = re.search(r"<title[^<>]{0,200}>([^<]{1,200})", words[:50_000], re.IGNORECASE)
        named = f" (“{' '.join(html.unescape(found[1]).split())[:80]}”)" if found else ""
        return f"this is a web page{named}, not a REST answer: the interface is closed, or something stands before it"
    return "not a REST answer: it is no JSON"


def _count(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None
