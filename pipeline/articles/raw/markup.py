"""Bytes and markup strangers wrote, made harmless: charset, control characters, nesting, allow-list.

Measured with nh3 0.3.8: 16,000 nested `<div>` take 0.33 s and the cost is quadratic, so nesting is counted in
one pass before any tree is built (the watching reference 5 has the figures for feedparser).
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import nh3
from charset_normalizer import from_bytes

MAX_HTML_CHARS = 500_000  #: of one entry's content; more is cut, with a warning by the caller
MAX_HTML_DEPTH = 200
DETECT_BYTES = 32_768
MOST_MENDED = 100_000  #: bytes read one by one, at a microsecond each
MAX_SPACES = 600  #: and equals signs in one tag: half a megabyte of attributes costs nh3 a gigabyte

TAGS = frozenset({
    "p", "a", "img", "figure", "figcaption", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "em", "strong",
    "br",
})  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "width", "height"}}
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
})  # fmt: skip
_CLOSE_THEMSELVES = frozenset(["p", "li", "dt", "dd", "td", "th", "tr", "option", "thead", "tbody", "colgroup"])

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL_REFERENCE = re.compile(r"&#(?:0{0,6}(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0{0,6}(?:[0-8bcefBCEF]|1[0-9a-fA-F]));")
_HALVES = re.compile("[\ud800-\udfff]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]{0,200}?encoding|<meta[^>]{0,200}?charset)\s{0,5}=\s{0,5}["']?\s{0,5}([\w.:\-]{2,40})""",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"<!\[CDATA\[(?s:.*?\]\]>|.*)|<!--(?s:.*?-->|.*)|<(/?)([A-Za-z_][\w:.\-]*)([^<>]*)>")
_TAG = re.compile(r"<[^<>]*>")
_CROWDED = re.compile(rf"<[A-Za-z/!](?:[^<>\s=]*[\s=]+){{{MAX_SPACES}}}")
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|tr|td|h[1-6]|blockquote|figure|figcaption|section|article)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
#: Blocks that do not survive the cleaning; a blank line stands where they began and ended.
_BREAKS = re.compile(
    r"</?(?:div|section|article|header|footer|main|center|table|tr|td|h1|h5|h6|dl|dt|dd|address)\b", re.IGNORECASE
)
_MANY_BREAKS = re.compile(r"[ \t]{0,50}\n[ \t\r]{0,50}\n\s{0,200}")
_BLANKS = re.compile(r"[ \t]{100,}")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"<\0!\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
    (b"\0<\0!", "utf-16-be"),
)
# Labels as browsers read them (WHATWG Encoding Standard section 4.2): the smaller name means the larger set.
_WIDER = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949",
    "shift_jis": "cp932", "iso8859-9": "cp1254", "tis-620": "cp874", "iso8859-11": "cp874", "big5": "big5hkscs",
}  # fmt: skip
_NOT_CHARSETS = {
    "punycode", "idna", "utf-7", "unicode_escape", "raw_unicode_escape", "undefined", "unicode-escape",
    "raw-unicode-escape",
}  # fmt: skip


class UnusableInput(ValueError):
    """Nothing can be read from this input; the message is one line a person can act on."""


def decode(data: bytes, *, content_type: str = "") -> tuple[str, tuple[str, ...]]:
    """Text without control characters, and warnings. Charset: BOM > HTTP > declaration > detection.

    One exception to that order: valid multi-byte UTF-8 that also declares itself so is UTF-8, whatever a server's
    default charset header says. Bytes no charset explains are read as Windows-1252, one by one.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return strip_control(data.decode(encoding, "replace").lstrip("\ufeff")), ()
    declared = _DECLARED.search(data[:4096])
    names = [_charset_of(content_type), declared[1].decode("ascii", "replace") if declared else ""]
    text, warning = _by_names(data, [codec for name in names if (codec := _codec(name))])
    return strip_control(text.lstrip("\ufeff")), (warning,) if warning else ()


def _charset_of(content_type: str) -> str:
    match = re.search(r"charset\s*=\s*[\"']?([\w.:\-]+)", content_type[:300], re.IGNORECASE)
    return match[1] if match else ""


def _codec(name: str) -> str:
    """Python's name for a charset label, or "" when it is none ("utf-8-sig" and friends are harmless)."""
    try:
        info = codecs.lookup(name.replace("x-sjis", "shift_jis"))
    except (LookupError, ValueError):
        return ""
    if info.name in _NOT_CHARSETS or not getattr(info, "_is_text_encoding", True):
        return ""
    return _WIDER.get(info.name, info.name)


def _by_names(data: bytes, codecs_: list[str]) -> tuple[str, str]:
    utf8 = _strictly(data, "utf-8")
    if utf8 is not None and (not codecs_ or "utf-8" in codecs_ or utf8.isascii()):
        return utf8, ""
    for codec in codecs_:
        if (text := _strictly(data, codec)) is not None:
            return text, ""
    if utf8 is not None:
        return utf8, f"not in its declared charset {codecs_[0]}: read as utf-8"
    return _guess(data, codecs_)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _guess(data: bytes, codecs_: list[str]) -> tuple[str, str]:
    """A few foreign bytes in UTF-8 are mended one by one; many mean another charset."""
    bad = data.decode("utf-8", "replace").count("\ufffd")
    high = sum(byte > 0x7F for byte in data[:DETECT_BYTES]) or 1
    label = codecs_[0] if codecs_ else "utf-8"
    if bad * 4 > high and "utf-8" not in codecs_[:1]:
        best = from_bytes(_high_part(data)).best()
        if best is not None and (text := _strictly(data, best.encoding)) is not None:
            return text, f"charset not declared: read as {best.encoding}"
    errors = "dateline.cp1252" if bad < MOST_MENDED else "replace"
    return data.decode(
        "utf-8" if bad < MOST_MENDED else "cp1252", errors
    ), f"bytes that are not {label} were read as windows-1252"


def _high_part(data: bytes) -> bytes:
    """A window that holds the first byte worth looking at; detectors are slow on megabytes."""
    first = next((i for i, byte in enumerate(data) if byte > 0x7F), 0)
    start = max(0, first - 2_000)
    return data[start : start + DETECT_BYTES]


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("dateline.cp1252", _as_cp1252)


def strip_control(text: str) -> str:
    """Without the characters XML 1.0 section 2.2 forbids, written plainly or as references."""
    text = _CONTROL.sub("", text)
    return _CONTROL_REFERENCE.sub("", text) if "&#" in text else text


def from_json(text: str) -> Any:
    """JSON with raw line breaks allowed in its strings, without the halves of characters that nobody can print.

    Raises ValueError.
    """
    try:
        data = json.loads(text, strict=False)
        if _SURROGATE.search(text):
            whole = json.dumps(data, ensure_ascii=False).encode("utf-8", "ignore")
            data = json.loads(whole)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return data


def depth(text: str, *, stop_at: int) -> int:
    """How deep elements nest, as a browser would close them; counting ends at `stop_at`."""
    if text.count("<") < stop_at:
        return 0
    stack: list[str] = []
    open_: dict[str, int] = {}
    deepest = 0
    for match in _TOKEN.finditer(text):
        closing, name, rest = match.groups()
        if name is None or rest.endswith("/"):
            continue
        _step(stack, open_, name.lower(), closing=bool(closing))
        deepest = max(deepest, len(stack))
        if deepest >= stop_at:
            break
    return deepest


def _step(stack: list[str], open_: dict[str, int], name: str, *, closing: bool) -> None:
    if closing:
        while open_.get(name):
            gone = stack.pop()
            open_[gone] -= 1
            if gone == name:
                return
    elif name not in _VOID and not (name in _CLOSE_THEMSELVES and stack and stack[-1] == name):
        stack.append(name)
        open_[name] = open_.get(name, 0) + 1


def clean_html(text: str, *, base: str | None = None) -> str:
    """HTML of the allow-list only, its addresses absolute and http(s) or mailto."""
    text = _BLANKS.sub(" ", _HALVES.sub("", text[:MAX_HTML_CHARS]))
    if _CROWDED.search(text) or depth(text, stop_at=MAX_HTML_DEPTH) >= MAX_HTML_DEPTH:
        return f"<p>{html.escape(_TAG.sub(' ', text))}</p>"
    cleaned = nh3.clean(
        _BREAKS.sub(r"\n\n\g<0>", text),
        tags=set(TAGS),
        clean_content_tags={"script", "style", "nav", "form", "button", "svg", "iframe", "noscript", "template"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        attribute_filter=partial(_absolute, base),
    )
    return _MANY_BREAKS.sub("\n\n", cleaned.replace("<img>", "")).strip()


def _absolute(base: str | None, tag: str, name: str, value: str) -> str | None:
    if (tag, name) not in {("a", "href"), ("img", "src")}:
        return value
    return absolute(value, base=base)


def absolute(address: str, *, base: str | None) -> str | None:
    """An absolute http(s) or mailto address, or None: a relative one without a base leads nowhere."""
    if not (address := _HALVES.sub("", address.strip()[:4000])):
        return None
    try:
        joined = urlsplit(urljoin(base or "", address)).geturl()
    except ValueError:
        return None
    return joined if re.match(r"(?:https?://[^/?#\s]|mailto:)", joined, re.IGNORECASE) else None


def plain(text: str) -> str:
    """The words of a fragment of HTML, on one line. `1 < 2` stays, entities are read once."""
    text = _HALVES.sub("", text[:MAX_HTML_CHARS])
    if "<" in text:
        text = _words(text)
    return " ".join(html.unescape(text).split())


def _words(text: str) -> str:
    spaced = _BLOCK.sub(lambda match: match[0] + " ", text)
    if _CROWDED.search(spaced) or depth(spaced, stop_at=MAX_HTML_DEPTH) >= MAX_HTML_DEPTH:
        return _TAG.sub(" ", spaced)
    return nh3.clean(spaced, tags=set(), link_rel=None)


def lower_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Header names are case-insensitive (RFC 9110 section 5.1); here they are lower case."""
    return {name.casefold(): value for name, value in (headers or {}).items()}
