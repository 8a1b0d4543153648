"""A feed's bytes as XML that can be parsed in bounded time and memory, mended where that is safe.

Every limit below answers a measured cost of feedparser 6.0.14 on one core: 100,000 `<x/>` 1.7 s; 30,000
namespace declarations 32 s; one tag with 100,000 attributes 100 s; 200,000 nested elements 4.6 s; the loose
parser, for ill-formed feeds, 60 bytes of memory for each of the feed's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.entities import html5
from xml.parsers import expat

from pipeline.articles.raw.markup import UnusableInput, absolute, decode, depth
from pipeline.sources.formats.entries import Notes

MAX_BROKEN_BYTES = 3_000_000  #: of an ill-formed feed; the loose parser takes 60 bytes of memory for each
MAX_ITEMS = 1_000  #: parsed before the newest are chosen; of longer feeds, the first and last 500
MAX_TAGS = 150_000
MAX_REFERENCES = 500_000
MAX_NAMESPACES = 3_000
MAX_ATTRIBUTES = 100  #: in one tag; xml.sax looks for each among all of them
MAX_ATTRIBUTES_IN_ALL = 400_000
MAX_HIDDEN_ATTRIBUTES = 4_000  #: in one tag of escaped HTML
LONG_TAG = 8_000  #: characters; shorter ones cannot hold so many
MAX_DEPTH = 1_000

_DECLARATION = re.compile(r"<\?xml[^>]{0,500}\?>")
_ROOT = re.compile(
    r"<(?:[A-Za-z][\w\-]{0,30}:)?(rss|feed|rdf|channel|html|head|body|urlset|sitemapindex|opml)\b|<!doctype\s+html",
    re.IGNORECASE,
)
_ITEM = re.compile(r"<(?:[A-Za-z][\w\-]{0,30}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ITEM_END = re.compile(r"</(?:[A-Za-z][\w\-]{0,30}:)?(?:item|entry)\s*>|/>\s*(?:</|$)", re.IGNORECASE)
_CROWDED = re.compile(rf"<[A-Za-z][\w:.\-]*(?:\s[^<>\"'=]*=\s*(?:\"[^\"<]*\"|'[^'<]*')){{{MAX_ATTRIBUTES}}}")
_LONG_TAG = re.compile(r"<[A-Za-z/](?:[^<>\"']{20000}|[^<>]{500000})")
_LESS = re.compile(r"&(?:#0{0,7}60|#[xX]0{0,7}3[cC]|LT);")
_TAG_START = re.compile("(?:&lt;|<)[A-Za-z]")
_TAG_END = re.compile(r"&(?:gt|#0{0,7}62|#x0{0,7}3e);|>", re.IGNORECASE)
_LONG_BLANK = re.compile(r"\s{100,}")
_REFERENCE = re.compile(r"<!\[CDATA\[(?s:.*?\]\]>|.*)|&(#?\w{1,32};)?")
_GUID = re.compile(
    r"<guid(?:\s+isPermaLink\s*=\s*[\"']true[\"'])?\s*>(?=([^<]{0,300}|<!\[CDATA\[[^\]]{0,300}))",
    re.IGNORECASE,
)
_ID = re.compile(r"(<(?:[A-Za-z][\w\-]{0,30}:)?id(?:\s[^<>]{0,300})?>)\s*(?=[^<:\s][^<:]{0,300}</)")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[<>]{0,500}(?:\[([^\]]{0,20000})\]\s*)?>", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY\s+([\w.\-]{1,64})\s+([\"'])([^<&\"']{0,200})\2\s*>")
_FEED_LINK = re.compile(r"<link\b[^<>]{0,500}application/(?:rss|atom)\+xml[^<>]{0,500}>", re.IGNORECASE)
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
RAW_ID = "urn:x-raw-id:"  #: put before an Atom id that is no address, which feedparser would resolve like one
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def well_formed(data: bytes, *, content_type: str, url: str | None, notes: Notes) -> bytes:
    """XML that costs a bounded time to parse. Bytes, so that no copy of the text outlives the mending of it."""
    text, warnings = decode(data, content_type=content_type)
    for warning in warnings:
        notes.add(warning)
    text = _LESS.sub("&lt;", _LONG_BLANK.sub(" ", text.strip()))
    if not text:
        raise UnusableInput("empty: no bytes of a feed")
    text = _complete(_trimmed(_bounded(_from_root(text, url, notes)), notes), notes)
    if len(text) > MAX_BROKEN_BYTES:  # one emoji makes each character of a Python string four bytes
        text = _ASTRAL.sub(lambda match: f"&#{ord(match[0])};", text)
    return _affordable(_mended(text, notes).encode("utf-8", "replace"), notes)


def _from_root(text: str, url: str | None, notes: Notes) -> str:
    """Without the declaration (we decoded it) and whatever a broken plug-in printed before the feed."""
    root = _ROOT.search(text[:50_000])
    name = (root[1] or "html").lower() if root else ""
    if name in {"html", "head", "body"}:
        raise UnusableInput("this is a web page, not a feed" + _hint(text, url))
    if name in {"urlset", "sitemapindex", "opml"}:
        raise UnusableInput(f"this is {'an OPML list' if name == 'opml' else 'a sitemap'}, not a feed")
    declaration = _DECLARATION.search(text[:50_000])
    if declaration and (root is None or declaration.start() < root.start()):
        if declaration.start() > 0:
            notes.add("text before the feed was ignored")
        return text[declaration.end() :]
    if not text.startswith("<"):
        if root is None:
            raise UnusableInput("not a feed: it is neither XML nor JSON")
        notes.add("text before the feed was ignored")
        return text[root.start() :]
    return text


def _hint(text: str, url: str | None) -> str:
    link = _FEED_LINK.search(text[:200_000])
    href = _HREF.search(link[0]) if link else None
    address = absolute(html.unescape(href[1]), base=url) if href else None
    if address:
        return f"; it points to the feed {address[:300]}"
    return "; look in it for a link of type application/rss+xml, or try its address with /feed/"


def _bounded(text: str) -> str:
    is_crowded = text.count('="') + text.count("='") > MAX_ATTRIBUTES_IN_ALL or _CROWDED.search(text)
    if is_crowded or text.count("xmlns") > MAX_NAMESPACES or _LONG_TAG.search(text) or _hides_a_crowd(text):
        raise UnusableInput("not readable as a feed: more namespaces or attributes than any feed needs")
    return text


def _hides_a_crowd(text: str) -> bool:
    """Is there a tag, escaped or not, of thousands of attributes? feedparser takes 700 bytes for each."""
    starts = [match.start() for match in _TAG_START.finditer(text)]
    for start, end in zip(starts, [*starts, len(text)][1:], strict=True):
        if end - start > LONG_TAG:
            closed = _TAG_END.search(text, start, end)
            tag = text[start : closed.start() if closed else end][:200_000]
            if len(tag.split()) + tag.count("=") > MAX_HIDDEN_ATTRIBUTES:
                return True
    return False


def _trimmed(text: str, notes: Notes) -> str:
    """The whole of a short feed; of a long one, or one whose entries are long, as many of both ends as we can afford."""
    starts = [match.start() for match in _ITEM.finditer(text)]
    if len(starts) <= MAX_ITEMS and _is_affordable(text):
        return text
    for half in (MAX_ITEMS // 2, 200, 100, 50, 20, 10):
        if len(starts) <= 2 * half:
            continue
        ends = text[: starts[half]] + text[starts[-half] :]
        if _is_affordable(ends):
            notes.add(f"{len(starts)} entries: only the first and last {half} are looked at")
            return ends
    raise UnusableInput("not readable as a feed: more markup than 1,000 entries need")


def _is_affordable(text: str) -> bool:
    return text.count("<") + text.count("&lt;") <= MAX_TAGS and text.count("&") <= MAX_REFERENCES


def _complete(text: str, notes: Notes) -> str:
    """Without a last entry that the end of the file cuts off: half a link would be another article's."""
    starts = [match.start() for match in _ITEM.finditer(text)]
    if starts and not _ITEM_END.search(text, starts[-1]):
        notes.add("the feed is cut off: its last entry is left out")
        return text[: starts[-1]]
    return text


def _mended(text: str, notes: Notes) -> str:
    """Stray ampersands and HTML's entities made XML; guids that are no address marked so.

    feedparser would turn `AT&T` into `AT&T;` and resolve `<guid>123</guid>` like a link.
    """
    if depth(text, stop_at=MAX_DEPTH) >= MAX_DEPTH:
        raise UnusableInput(f"not readable as a feed: elements nested {MAX_DEPTH} deep")
    doctype = _DOCTYPE.search(text[:100_000])
    own = {f"{name};": value for name, _, value in _ENTITY.findall(doctype[1] or "")} if doctype else {}
    if doctype:
        text = text[: doctype.start()] + text[doctype.end() :]
    names = html5 | own if text.count("&") < 25_000 else html5
    mended = _REFERENCE.sub(lambda match: _reference(match, names), text)
    if mended.count("&amp;") > text.count("&amp;"):
        notes.add("stray & was read as an ampersand")
    mended = _ID.sub(rf"\1{RAW_ID}", mended)
    return _GUID.sub(lambda match: match[0] if "://" in match[1] else '<guid isPermaLink="false">', mended)


def _reference(match: re.Match[str], names: Mapping[str, str]) -> str:
    name = match[1]
    if match[0].startswith("<") or (name and (name in _XML_NAMES or name.startswith("#"))):
        return match[0]
    if name and (value := names.get(name)):
        return html.escape(value)
    return f"&amp;{name or ''}"


def _affordable(data: bytes, notes: Notes) -> bytes:
    """A large feed that is ill-formed, cut at an entry: the rest would need too much memory."""
    if len(data) <= MAX_BROKEN_BYTES:
        return data
    try:
        expat.ParserCreate().Parse(data, True)
    except expat.ExpatError:
        notes.add("ill-formed and large: only its first part is read")
        head = data[:MAX_BROKEN_BYTES]
        end = max(head.rfind(b"</item>"), head.rfind(b"</entry>"))
        return head[: end + len(b"</entry>")] if end > 0 else head
    return data
