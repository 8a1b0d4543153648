"""The bytes of one recorded answer, taken apart in every way people record them. Pure."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from pipeline.articles.raw.markup import absolute

MAX_BYTES = 11_000_000
MAX_BLOCKS = 20  #: of headers: redirects and interim answers that `curl -L` prints one after another
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})\b")
_REQUEST = re.compile(rb"(?:GET|HEAD|POST)[ \t]+(\S{1,4000})[ \t]+HTTP/\d")
_HEADERS = re.compile(rb"(?:[A-Za-z][\w-]{0,60}:[^\r\n]*\r?\n){1,100}[ \t]*\r?\n")
_EMPTY_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,7})[ \t]*(?:;[^\r\n]*)?\r?\n")
_BEFORE = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Header names are lower case; `url` is what was asked and `final_url` where redirects led."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str | None = None
    final_url: str | None = None
    warnings: tuple[str, ...] = ()


def answer(data: bytes) -> Answer:
    """The last answer in a recording; bytes without a status line are the body of a 200."""
    rest, url = _without_request(data)
    found: Answer | None = None
    for _ in range(MAX_BLOCKS):
        match = _STATUS.match(rest.lstrip(_BEFORE))
        if match is None:
            break
        head, rest = _split(rest.lstrip(_BEFORE))
        headers = _headers(head)
        url = url or _said_url(headers)
        found = Answer(int(match[1]), headers, b"", url, _led_to(found, url))
    if found is None:
        found, rest = _bare(data)
    return _decoded(replace(found, body=rest))


def _without_request(data: bytes) -> tuple[bytes, str | None]:
    """A recorded exchange may begin with the request, which says what was asked."""
    match = _REQUEST.match(data.lstrip(_BEFORE))
    if match is None:
        return data, None
    head, rest = _split(data.lstrip(_BEFORE))
    target, host = match[1].decode("latin-1"), _headers(head).get("host", "")
    return rest, absolute(target, base=f"https://{host}/" if host else None)


def _bare(data: bytes) -> tuple[Answer, bytes]:
    warnings = ("no status line: taken as the body of a 200",)
    if _HEADERS.match(data):
        head, rest = _split(data)
        headers = _headers(b"\n" + head)
        url = _said_url(headers)
        return Answer(200, headers, b"", url, url, ("no status line: taken as a 200",)), rest
    return Answer(200, {}, b"", None, None, warnings), data


def _split(data: bytes) -> tuple[bytes, bytes]:
    """At the first empty line; recordings edited by hand often have bare line feeds."""
    match = _EMPTY_LINE.search(data)
    return (data[: match.start()], data[match.end() :]) if match else (data, b"")


def _headers(head: bytes) -> dict[str, str]:
    """The lines after the first; a name said twice is joined with a comma."""
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head).decode("utf-8", "replace")
    found: dict[str, str] = {}
    for line in unfolded.splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().casefold()
            found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


def _said_url(headers: dict[str, str]) -> str | None:
    return absolute(headers.get("x-dateline-url", ""), base=None) if headers.get("x-dateline-url") else None


def _led_to(before: Answer | None, url: str | None) -> str | None:
    """Where the answer after a redirect comes from."""
    here = (before.final_url if before else None) or url
    if before is None or before.status // 100 != 3:
        return here
    target = before.headers.get("location", "")
    return absolute(urljoin(here or "", target), base=None) if target else here


def _decoded(found: Answer) -> Answer:
    """The body as its reader gets it. `curl` prints it decoded and leaves the headers as they were."""
    body, warnings = found.body, list(found.warnings)
    if "chunked" in found.headers.get("transfer-encoding", "").lower() and _CHUNK.match(body):
        body = _unchunked(body)
    encoding = found.headers.get("content-encoding", "").lower()
    if body.startswith(b"\x1f\x8b") or (encoding == "deflate" and body[:1] == b"\x78"):
        body, whole = _inflated(body)
        warnings += [] if whole else ["its gzip is cut off or longer than any answer we read"]
    elif len(body) > MAX_BYTES:
        body = body[: MAX_BYTES + 1]
    return replace(found, body=body, warnings=tuple(warnings))


def _unchunked(body: bytes) -> bytes:
    """What the chunks hold; where they stop making sense, the rest as it is."""
    parts: list[bytes] = []
    at = 0
    while match := _CHUNK.match(body, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[match.end() : match.end() + size])
        at = match.end() + size
        at += 2 if body[at : at + 2] == b"\r\n" else 1 if body[at : at + 1] == b"\n" else 0
    return b"".join([*parts, body[at:]])


def _inflated(body: bytes) -> tuple[bytes, bool]:
    """Inflated as far as it goes and no further than any answer may be; and whether that was all."""
    unzip = zlib.decompressobj(47)
    try:
        made = unzip.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        return b"", False
    return made, unzip.eof
