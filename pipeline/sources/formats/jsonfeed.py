"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), which feedparser 6.0.14 does not read."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import Any

from pipeline.articles.raw.markup import UnusableInput, absolute, clean_html, from_json, plain
from pipeline.sources.formats.entries import Entry, Feed, Notes, distinct, newest

MAX_ITEMS = 3_000  #: looked at before the newest are chosen
MAX_OBJECTS = 200_000  #: and arrays; an empty one takes Python 64 bytes and more
MAX_QUOTES = 1_200_000


def read(text: str, *, url: str | None = None, zone: tzinfo = UTC, warnings: Iterable[str] = ()) -> Feed:
    """A JSON Feed as a Feed. Raises UnusableInput for other JSON, and for what is not JSON."""
    notes = Notes(warnings)
    data = _feed_object(text)
    home = _address(data.get("home_page_url"), url)
    base = url or _address(data.get("feed_url"), None) or home
    items = [item for item in data["items"] if isinstance(item, dict)]
    if len(items) < len(data["items"]):
        notes.add("item is not an object")
    found = [_entry(item, base=base, zone=zone, notes=notes) for item in _ends(items)]
    entries = newest(distinct(found, notes=notes), notes=notes)
    return Feed(
        title=plain(_text(data.get("title"))) or None,
        link=home,
        entries=entries,
        warnings=notes.sentences(),
        language=_text(data.get("language")) or None,
        hubs=tuple(_hubs(data.get("hubs"))),
    )


def _feed_object(text: str) -> dict[str, Any]:
    if text.count("{") + text.count("[") > MAX_OBJECTS or text.count('"') > MAX_QUOTES:
        raise UnusableInput("not readable as a feed: more objects than 3,000 entries need")
    try:
        data = from_json(text)
    except ValueError as error:
        raise UnusableInput("not a feed: it starts like JSON and is not") from error
    if isinstance(data, dict) and isinstance(data.get("items"), list) and _claims(data):
        return data
    if isinstance(data, list) and data and isinstance(data[0], dict) and "guid" in data[0]:
        raise UnusableInput("this is an answer of the WordPress REST interface, not a feed")
    raise UnusableInput("this is JSON, but not a JSON Feed")


def _claims(data: dict[str, Any]) -> bool:
    """By its version, or (leniently) by items that look like items."""
    items = data["items"]
    first = items[0] if items and isinstance(items[0], dict) else {}
    return "jsonfeed.org" in _text(data.get("version")) or bool({"id", "url"} & set(first))


def _ends(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    half = MAX_ITEMS // 2
    return items if len(items) <= MAX_ITEMS else items[:half] + items[-half:]


def _entry(item: dict[str, Any], *, base: str | None, zone: tzinfo, notes: Notes) -> Entry:
    link = _address(item.get("url"), base) or _address(item.get("external_url"), base)
    return Entry(
        id=_text(item.get("id")).strip(),
        title=plain(_text(item.get("title"))),
        link=link,
        published=notes.when(item.get("date_published"), zone=zone),
        updated=notes.when(item.get("date_modified"), zone=zone),
        author=_authors(item) or None,
        categories=tuple(dict.fromkeys(word for tag in _list(item.get("tags")) if (word := plain(_text(tag)))))[:50],
        summary=plain(_text(item.get("summary"))) or None,
        content_html=_content(item, link or base),
        image=_address(item.get("image"), base) or _address(item.get("banner_image"), base),
    )


def _content(item: dict[str, Any], base: str | None) -> str | None:
    if markup := _text(item.get("content_html")):
        return clean_html(markup, base=base) or None
    words = _text(item.get("content_text"))
    return clean_html(f"<p>{html.escape(words)}</p>") if words.strip() else None


def _authors(item: dict[str, Any]) -> str:
    people = _list(item.get("authors")) or [item.get("author")]
    names = (_text(person.get("name")) if isinstance(person, dict) else _text(person) for person in people[:20])
    return ", ".join(plain(name) for name in names if name)


def _hubs(value: object) -> Iterable[str]:
    for hub in _list(value)[:5]:
        if isinstance(hub, dict) and (address := _address(hub.get("url"), None)):
            yield address


def _address(value: object, base: str | None) -> str | None:
    return absolute(value, base=base) if isinstance(value, str) and value.strip() else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Strings as they are, numbers as written (ids often are numbers); anything else says nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        return ""
