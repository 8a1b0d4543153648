"""The outbound client: every answer is bounded in bytes and in time, every hop goes through kernel/outbound/guard.py.

httpcore is used without httpx's client because nothing may be decoded, followed, remembered (cookies) or read
from the environment (proxies, trust_env) behind our back; httpx lends only its URL.
"""

from __future__ import annotations

import re
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

import certifi
import httpcore
import httpx

from pipeline.kernel.outbound.guard import (
    CONNECT_OR_READ_S,
    Deadline,
    FetchError,
    Guard,
    Refused,
    Resolver,
    TooLarge,
    TooSlow,
    Unreachable,
    system_resolver,
)

__all__ = ["Answer", "Client", "FetchError", "Refused", "TooLarge", "TooSlow", "Unreachable", "Validators"]

MAX_REDIRECTS = 5
WALL_S = 30.0
_PIECE = 65536  #: inflate this much at a time: httpx's own decoder made 64 MB of one chunk (watching.md 5)
_KEEPS_METHOD = {307, 308}
_REDIRECTS = {301, 302, 303} | _KEEPS_METHOD
_HTTPCORE_ERRORS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave us to ask "changed since?" with; sent back verbatim (RFC 9110 8.8, 13.1)."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """The request headers that carry them."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower case; a repeated header is joined with ", ".

    `permanent_redirect_to` is where the unbroken run of 301 and 308 from the asked address ended, else None.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    final_url: str
    permanent_redirect_to: str | None
    elapsed_s: float

    @property
    def not_modified(self) -> bool:
        """True for 304: what we hold is still the answer, and `body` is empty."""
        return self.status == 304

    def validators(self, sent: Validators | None = None) -> Validators:
        """What to send next time: new ones replace the sent; a 304 keeps those it does not renew (RFC 9111 4.3.4)."""
        kept = sent if sent and self.not_modified else Validators()
        return Validators(
            etag=self.headers.get("etag", kept.etag),
            last_modified=self.headers.get("last-modified", kept.last_modified),
        )


def retry_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds a server asks us to wait (RFC 9110 10.2.3: seconds or an HTTP date), None where it does not say."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Gunzip in pieces of at most 64 KB; several members in a row are one text (RFC 1952 2.2)."""
    member = zlib.decompressobj(wbits=31)
    fed = False
    for chunk in chunks:
        rest, fed = chunk, True
        while rest:
            if member.eof:
                if not rest.startswith(b"\x1f"):
                    return  # padding after the last member, which gzip(1) ignores as well
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(rest, _PIECE)
            rest = member.unconsumed_tail or member.unused_data
    while fed and not member.eof:
        piece = member.decompress(b"", _PIECE)
        if not piece:
            raise Unreachable("the answer ends in the middle of its gzip data")
        yield piece


def _bounded(chunks: Iterable[bytes], limit_bytes: int) -> Iterator[bytes]:
    """Pass chunks on. Raises TooLarge as soon as their sum passes the limit."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit_bytes:
            raise TooLarge(f"the answer is larger than {limit_bytes} bytes")
        yield chunk


def _body(response: httpcore.Response, headers: Mapping[str, str], limit_bytes: int) -> bytes:
    length, coding = headers.get("content-length", ""), headers.get("content-encoding", "").strip().lower()
    if length.isdecimal() and len(length) < 20 and int(length) > limit_bytes:
        raise TooLarge(f"the answer is {length} bytes, more than {limit_bytes}")
    wire = _bounded(response.iter_stream(), limit_bytes)
    if coding in {"", "identity"}:
        return b"".join(wire)
    if coding not in {"gzip", "x-gzip"}:
        raise Unreachable(f"the answer is encoded as {coding!r}, which was not asked for")
    try:
        return b"".join(_bounded(_inflated(wire), limit_bytes))
    except zlib.error as error:
        raise Unreachable("the answer says gzip and is not") from error


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _header_list(*layers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Later layers win; latin-1 gives a server its own bytes back, so that validators stay verbatim."""
    merged = {name.lower(): value for layer in layers for name, value in layer.items()}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in merged.items()]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _readable(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise Refused(f"{url[:200]!r} is not an address") from error


def _check(url: httpx.URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host:
        raise Refused(f"{url} is not an http or https address")
    if url.userinfo:
        raise Refused(f"the address of {url.host} carries a name or password")


def _next_url(url: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads. Raises Refused for a Location that cannot be read or that gives up TLS."""
    raw = location.encode("latin-1")
    try:
        target = url.join(raw.decode("utf-8", errors="replace"))
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"{url} redirects to something that is not an address") from error
    if url.scheme == "https" and target.scheme != "https":
        raise Refused(f"{url} redirects to {target}, which gives up encryption")
    return target


class Client:
    """Thread-safe; make one per process and reuse it (not across a fork).

    `site_url` signs our requests. `allow` holds "host:port" places exempt from the address and port rules
    ("[::1]:8000" for IPv6); it is for development and for sites inside the operator's own network.
    """

    def __init__(
        self,
        *,
        site_url: str,
        allow: frozenset[str] = frozenset(),
        resolve: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
        io_s: float = CONNECT_OR_READ_S,
        wall_s: float = WALL_S,
    ) -> None:
        self._agent = f"Dateline/0.1 (+{site_url.rstrip('/')}/bot)"
        self._io_s, self._wall_s = io_s, wall_s
        self._deadline = Deadline()
        self._guard = Guard(allow=allow, resolve=resolve, deadline=self._deadline)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or ssl.create_default_context(cafile=certifi.where()),
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=5.0,
            network_backend=self._guard,
        )

    def get(
        self,
        url: str,
        *,
        limit_bytes: int,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Fetch, following at most five redirects. Any status is an Answer; raises a FetchError otherwise.

        `headers` (say, Authorization) go to the asked origin only and are dropped when a redirect leaves it.
        """
        conditional = validators.headers() if validators else {}
        return self._follow("GET", url, b"", shared=conditional, private=headers or {}, limit_bytes=limit_bytes)

    def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str] | None = None, limit_bytes: int = 65536
    ) -> Answer:
        """Send bytes once. Only 307 and 308 are followed, with method and body kept (RFC 9110 15.4.8)."""
        own = dict(headers or {})
        shared = {name: own.pop(name) for name in list(own) if name.lower() == "content-type"}
        return self._follow("POST", url, content, shared=shared, private=own, limit_bytes=limit_bytes)

    def judge(self, url: str) -> None:
        """Whether we would talk to an address, without connecting. Raises FetchError with the reason."""
        parsed = _readable(url)
        _check(parsed)
        self._guard.judge(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))

    def close(self) -> None:
        """Close every idle connection."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _follow(
        self,
        method: str,
        url: str,
        content: bytes,
        *,
        shared: Mapping[str, str],
        private: Mapping[str, str],
        limit_bytes: int,
    ) -> Answer:
        started = time.monotonic()
        self._deadline.ends = started + self._wall_s
        asked = here = _readable(url)
        permanent, unbroken = None, True
        for _ in range(MAX_REDIRECTS + 1):
            _check(here)
            headers = {**shared, **(private if _origin(here) == _origin(asked) else {})}
            status, got, body, onward = self._exchange(method, here, content, headers, limit_bytes)
            if onward is None:
                return Answer(status, got, body, str(here), permanent, time.monotonic() - started)
            unbroken = unbroken and status in {301, 308}
            here = _next_url(here, onward)
            permanent = str(here) if unbroken else permanent
        raise Refused(f"{url} redirects more than {MAX_REDIRECTS} times")

    def _exchange(
        self, method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str], limit_bytes: int
    ) -> tuple[int, dict[str, str], bytes, str | None]:
        """One request: status, headers, body, and the Location where it is to be followed (body then unread)."""
        ours = {"Host": url.netloc.decode("ascii"), "User-Agent": self._agent}
        asked = _header_list({**ours, "Accept": "*/*", "Accept-Encoding": "gzip"}, headers)
        follows = _REDIRECTS if method == "GET" else _KEEPS_METHOD
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self._io_s)
        try:
            with self._pool.stream(
                method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=asked,
                content=content or None,
                extensions={"timeout": waits},
            ) as response:
                got = _joined(response.headers)
                if response.status in follows and got.get("location"):
                    return response.status, got, b"", got["location"]
                return response.status, got, _body(response, got, limit_bytes), None
        except httpcore.TimeoutException as error:
            raise TooSlow(f"{url.host} did not answer in time") from error
        except _HTTPCORE_ERRORS as error:
            raise Unreachable(f"{url.host} did not give an HTTP answer: {error}") from error
