"""Bytes of a feed (RSS, Atom, RDF, CDF by feedparser; JSON Feed by our own reader) to entries."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

import feedparser

from pipeline.articles.addresses import unbroken
from pipeline.articles.raw.markup import (
    UnusableInput,
    absolute,
    clean_html,
    decode,
    lower_headers,
    plain,
)
from pipeline.sources.formats import jsonfeed
from pipeline.sources.formats.entries import Entry, Feed, Notes, distinct, newest
from pipeline.sources.formats.mending import RAW_ID, well_formed

__all__ = ["MAX_BYTES", "UnusableInput", "generator_family", "read"]

MAX_BYTES = 10_000_000
SUMMARY_CHARS = 2_000
_FIRST_IMAGE = re.compile(r"<img\b[^<>]*\ssrc=\"([^\"<>]+)\"")
_BLANK = b" \t\r\n\xef\xbb\xbf"


def read(data: bytes, *, url: str | None = None, headers: Mapping[str, str] | None = None, zone: tzinfo = UTC) -> Feed:
    """The feed in a response body. `url` is where it came from, `zone` the source's for dates that name none.

    Of the response's headers only the charset of Content-Type is used: servers label feeds `text/html` and worse.
    Ill-formed feeds are mended with warnings. Raises UnusableInput, and nothing else, where there is no feed.
    """
    if len(data) > MAX_BYTES:
        raise UnusableInput(f"too large for a feed: {len(data):,} bytes, the limit is {MAX_BYTES:,}")
    if data.startswith(b"\x1f\x8b"):
        raise UnusableInput("compressed with gzip: decompress it first")
    notes = Notes()
    content_type = lower_headers(headers).get("content-type", "")
    if data.lstrip(_BLANK)[:1] in (b"{", b"["):
        text, warnings = decode(data, content_type=content_type)
        return jsonfeed.read(text.strip(), url=url, zone=zone, warnings=warnings)
    xml = well_formed(data, content_type=content_type, url=url, notes=notes)
    return _as_feed(_feedparser(xml, url), url=url, zone=zone, notes=notes)


def generator_family(generator: str) -> str:
    """What made a feed, without the last of its version: a minor update of WordPress is no event, a major one is."""
    return re.sub(r"(\d+\.\d+)[.\d]*", r"\1", generator)


def _as_feed(parsed: Any, *, url: str | None, zone: tzinfo, notes: Notes) -> Feed:
    if not parsed.entries and not parsed.get("version"):
        raise UnusableInput("not a feed: no RSS, Atom, RDF or JSON Feed was found in it")
    if parsed.bozo:
        notes.add(f"not well-formed: {_one_line(parsed.get('bozo_exception'))}")
    head = parsed.feed
    home = _address(dict.get(head, "link"), url)
    dated_by_dc = not str(parsed.version).startswith("atom")
    found = [_entry(raw, base=url or home, zone=zone, notes=notes, dated_by_dc=dated_by_dc) for raw in parsed.entries]
    return Feed(
        title=_title(head) or None,
        link=home,
        entries=newest(distinct(found, notes=notes), notes=notes),
        warnings=notes.sentences(),
        language=_string(head, "language")[:20] or None,
        generator=plain(_string(head, "generator"))[:200] or None,
        hubs=tuple(link["href"] for link in _dicts(head, "links") if link.get("rel") == "hub" and link.get("href"))[:5],
    )


def _feedparser(data: bytes, url: str | None) -> Any:
    """feedparser opens paths and addresses given as `str`, so it only ever gets bytes in memory."""
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url or ""}
    try:
        return feedparser.parse(
            io.BytesIO(data),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=True,
        )
    except Exception as error:  # feedparser, sgmllib and expat raise whatever their depths raise
        raise UnusableInput(f"not readable as a feed: {_one_line(error)}") from error


def _entry(raw: Any, *, base: str | None, zone: tzinfo, notes: Notes, dated_by_dc: bool) -> Entry:
    link = _address(_string(raw, "feedburner_origlink") or _string(raw, "link"), base)
    published = notes.when(_string(raw, "published") or _string(raw, "created"), zone=zone)
    updated = notes.when(_string(raw, "updated"), zone=zone)
    if published is None and dated_by_dc:
        published, updated = updated, None
    content, summary = _content(raw), _string(raw, "summary")
    title = _title(raw)
    told = (
        None
        if content and summary == content
        else _without_tail(plain(summary), f"The post {title} appeared first on ")
    )
    if not content and "<" in summary:
        content = summary
    markup = _without_tail(clean_html(content, base=link or base), "<p>The post <a") if content else ""
    return Entry(
        id=_string(raw, "id").strip().removeprefix(RAW_ID),
        title=title,
        link=link,
        published=published,
        updated=updated,
        author=_author(raw),
        categories=_categories(raw),
        summary=told[:SUMMARY_CHARS] if told else None,
        content_html=markup or None,
        image=_image(raw, base) or _first_image(markup),
    )


def _title(raw: Any) -> str:
    """Atom's type="text" is already words; elsewhere a title may hold markup, whatever it claims."""
    detail = dict.get(raw, "title_detail") or {}
    title = _string(raw, "title")
    looks_marked = bool(re.search(r"</?[a-z][^<>]*>|&#?\w+;", title, re.IGNORECASE))
    is_text = detail.get("type") == "text/plain" and not looks_marked
    return " ".join(title.split())[:1000] if is_text else plain(title)[:1000]


def _content(raw: Any) -> str:
    """The fullest HTML of an entry; plain text becomes a paragraph."""
    values = [(str(part.get("value") or ""), part.get("type")) for part in _dicts(raw, "content")]
    marked = max((value for value, kind in values if kind != "text/plain"), key=len, default="")
    words = max((value for value, kind in values if kind == "text/plain"), key=len, default="")
    return marked or (f"<p>{html.escape(words)}</p>" if words.strip() else "")


def _author(raw: Any) -> str | None:
    names = [str(person.get("name") or person.get("email") or "") for person in _dicts(raw, "authors")]
    return (
        ", ".join(dict.fromkeys(name for each in names if (name := plain(each))))
        or plain(_string(raw, "author"))
        or None
    )


def _categories(raw: Any) -> tuple[str, ...]:
    words = (plain(str(tag.get("label") or tag.get("term") or "")) for tag in _dicts(raw, "tags"))
    return tuple(dict.fromkeys(word[:200] for word in words if word))[:50]


def _image(raw: Any, base: str | None) -> str | None:
    for key in ("media_content", "media_thumbnail", "enclosures"):
        for part in _dicts(raw, key):
            kind = f"{part.get('medium', '')} {part.get('type', '')}"
            if key == "media_thumbnail" or "image" in kind:
                return _address(part.get("url") or part.get("href"), base)
    return None


def _without_tail(text: str, tail: str) -> str:
    """Without the line WordPress plug-ins put under every excerpt: `The post ... appeared first on ...`."""
    at = text.rfind(tail)
    return text[:at].rstrip() if at >= 0 and "appeared first on" in text[at:] else text


def _first_image(markup: str) -> str | None:
    match = _FIRST_IMAGE.search(markup)
    return html.unescape(match[1]) if match else None


def _dicts(raw: Any, key: str) -> Iterable[dict[str, Any]]:
    value = dict.get(raw, key)
    return [part for part in value[:100] if isinstance(part, dict)] if isinstance(value, list) else []


def _string(raw: Any, key: str) -> str:
    """Without FeedParserDict's own lookup, which answers `updated` for `published` and warns about it."""
    value = dict.get(raw, key)
    return value if isinstance(value, str) else ""


def _address(value: object, base: str | None) -> str | None:
    return absolute(unbroken(value), base=base) if isinstance(value, str) and value.strip() else None


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:200]
