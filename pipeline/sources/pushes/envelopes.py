"""What senders put into a request: XML-RPC pings, the events of webhooks. Bytes in, plain values out.

A body is bounded by whoever calls. What cannot be read raises Unreadable and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from defusedxml import ElementTree

from pipeline.articles.raw import dates
from pipeline.articles.raw.markup import clean_html, plain, strip_control
from pipeline.sources.formats.entries import Entry

PING_METHODS = frozenset({"weblogUpdates.ping", "weblogUpdates.extendedPing"})
LONGEST_ID, LONGEST_URL, LONGEST_TITLE = 1000, 2000, 500
LARGEST_WP_ID = 2**63 - 1
_GHOST_OUT = ("published", "sent")  #: a tuple: what is looked for in it may be anything JSON can say
#: XML-RPC fault codes (the interoperability list of 2001).
NOT_XML, NO_METHOD = -32700, -32601


class Unreadable(ValueError):
    """The body is not what its address expects; the message says so in a sentence, `code` as XML-RPC does."""

    def __init__(self, why: str, *, code: int = NOT_XML) -> None:
        super().__init__(why)
        self.code = code


class Event(StrEnum):
    """What happened to a story."""

    PUBLISHED = "published"
    UPDATED = "updated"
    UNPUBLISHED = "unpublished"


@dataclass(frozen=True, slots=True)
class News:
    """An event and the story it happened to; an unpublished one may have no address any more."""

    event: Event
    entry: Entry


# -- XML-RPC


def ping_method(body: bytes) -> str:
    """The weblogUpdates method a body calls; what its parameters say is not read. Raises Unreadable."""
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except Exception as error:  # expat, defusedxml and codecs each raise their own, on hostile input too
        raise Unreadable("this is not XML-RPC") from error
    name = (root.findtext("methodName") or "").strip() if root.tag == "methodCall" else ""
    if name not in PING_METHODS:
        raise Unreadable(f"only {' and '.join(sorted(PING_METHODS))} are answered here", code=NO_METHOD)
    return name


def thanks(message: str) -> bytes:
    """The weblogs.com answer: no error, and a sentence."""
    members = (
        "<member><name>flerror</name><value><boolean>0</boolean></value></member>"
        f"<member><name>message</name><value><string>{escape(message)}</string></value></member>"
    )
    return _response(f"<params><param><value><struct>{members}</struct></value></param></params>")


def fault(message: str, *, code: int) -> bytes:
    """An XML-RPC fault."""
    members = (
        f"<member><name>faultCode</name><value><int>{code}</int></value></member>"
        f"<member><name>faultString</name><value><string>{escape(message)}</string></value></member>"
    )
    return _response(f"<fault><value><struct>{members}</struct></value></fault>")


def _response(inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<methodResponse>{inside}</methodResponse>\n'.encode()


# -- webhooks


def dateline_news(body: bytes) -> News:
    """`{event, id, url, title?, published_at?, modified_at?, wp_id?, summary?, content_html?}`. Raises Unreadable.

    `content_html` is taken as the whole story; without it the story's page will be read.
    """
    told = _object(body)
    try:
        event = Event(_text(told, "event", 20))
    except ValueError as error:
        raise Unreadable(f"event is one of {', '.join(Event)}") from error
    link, html = _link(told.get("url")), told.get("content_html")
    whole = clean_html(html, base=link) if isinstance(html, str) and html.strip() else None
    entry = Entry(
        id=_identity(told.get("id")),
        title=plain(_text(told, "title", 4 * LONGEST_TITLE))[:LONGEST_TITLE],
        link=link,
        published=_instant(told.get("published_at")),
        updated=_instant(told.get("modified_at")),
        summary=plain(_text(told, "summary", 4000)) or None,
        content_html=whole,
        is_whole=bool(whole),
        wp_id=_wp_id(told.get("wp_id")),
    )
    return News(event, _named(entry, event))


def ghost_news(body: bytes) -> News | None:
    """Ghost's `{post: {current, previous}}`; None for what is no news: pages, drafts, tags. Raises Unreadable.

    Ghost does not name the event, but tells what changed. A post's id is its guid in Ghost's own feed.
    """
    post = _object(body).get("post")
    current = post.get("current") if isinstance(post, dict) else None
    if not isinstance(current, dict):
        return None
    previous = post.get("previous") if isinstance(post, dict) else None
    event = _ghost_event(current, previous if isinstance(previous, dict) else {})
    if event is None or current.get("type", "post") != "post":
        return None
    link, html = _link(current.get("url")), current.get("html")
    is_open = current.get("visibility", "public") == "public"
    whole = clean_html(html, base=link) if is_open and isinstance(html, str) and html.strip() else None
    entry = Entry(
        id=_identity(current.get("id")),
        title=plain(_text(current, "title", 4 * LONGEST_TITLE))[:LONGEST_TITLE],
        link=link if event is not Event.UNPUBLISHED else None,  # by then it is the address of a preview
        published=_instant(current.get("published_at")),
        updated=_instant(current.get("updated_at")),
        summary=plain(_text(current, "custom_excerpt", 4000)) or None,
        image=_link(current.get("feature_image")),
        image_alt=plain(_text(current, "feature_image_alt", 1000)) or None,
        content_html=whole,
        is_whole=bool(whole),
        is_paywalled=not is_open,
    )
    return News(event, _named(entry, event))


def _ghost_event(current: Mapping[str, Any], previous: Mapping[str, Any]) -> Event | None:
    now, before = current.get("status"), previous.get("status")
    if now in _GHOST_OUT:
        return Event.UPDATED if before is None or before in _GHOST_OUT else Event.PUBLISHED
    return Event.UNPUBLISHED if before in _GHOST_OUT else None


def _named(entry: Entry, event: Event) -> Entry:
    if event is not Event.UNPUBLISHED and not entry.link:
        raise Unreadable("url is missing, or is not an http or https address")
    if not (entry.link or entry.id or entry.wp_id):
        raise Unreadable("neither id nor url says which story is meant")
    return entry


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the body is not JSON") from error
    if not isinstance(told, dict):
        raise Unreadable("the body is not a JSON object")
    return told


def _text(told: Mapping[str, Any], name: str, longest: int) -> str:
    value = told.get(name)
    return strip_control(value[:longest]).strip() if isinstance(value, str) else ""


def _identity(value: object) -> str:
    """Numbers and texts are ids; anything else is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    try:
        return strip_control(str(value)).strip()[:LONGEST_ID]
    except ValueError:  # an integer of more digits than Python prints
        return ""


def _wp_id(value: object) -> int | None:
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    return number if number is not None and 0 < number <= LARGEST_WP_ID else None


def _link(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST_URL:
        return None
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        return None
    usable = parts.scheme in {"http", "https"} and parts.hostname and port != 0 and not parts.username
    return strip_control(value).strip() if usable else None


def _instant(value: object) -> datetime | None:
    """An ISO text, or seconds since 1970; a text without a zone is UTC."""
    if isinstance(value, str):
        moment = dates.parse(value, zone=UTC) if len(value) <= dates.MAX_CHARS else None
        return moment.at if moment else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 631_152_000 < value < 4_102_444_800:
        return datetime.fromtimestamp(value, UTC)
    return None
