"""One request to a network, and what is certain once it is over. Nothing is followed, repeated, remembered or logged.

httpx's transport is used without its client: the client writes every address into the log, and those of Telegram and
Discord hold the secret.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from pipeline.channels.base import ChannelError, Permanent, RateLimited, Temporary, Unauthorised, Unknown
from pipeline.kernel.outbound.guard import FetchError, Refused
from pipeline.kernel.outbound.http import retry_after_s

TIMEOUT_S = (5.0, 30.0)  #: connect, read
LARGEST_ANSWER = 4 * 1024 * 1024  #: bytes

#: What an answer stands for: an error to raise, or None where it is what was asked for. `writing` is true for a call
#: that must not happen twice.
Judge = Callable[..., ChannelError | None]

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Caller:
    """Sends requests to one network. `judge(response, *, writing)` knows that network's way of refusing."""

    def __init__(
        self,
        *,
        title: str,
        base_url: str,
        judge: Judge,
        headers: Mapping[str, str] | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.title, self._base_url, self._judge = title, base_url.rstrip("/"), judge
        self._headers, self._timeout_s = dict(headers or {}), timeout_s
        # One connection a request: a kept one that the server has closed fails like a lost answer.
        alone = httpx.Limits(max_keepalive_connections=0)
        self._transport = transport or httpx.HTTPTransport(limits=alone, trust_env=False)

    def write(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Make a call that must not happen twice; `content` is httpx.Request's, `path` a path or a whole address.

        A header that is None is left out, for strangers who must not get our token.
        Raises Temporary where nothing left us, Unknown where no sense came back, and whatever the judge says.
        """
        try:
            response = self._exchange(self._request(method, path, content))
        except _NEVER_LEFT as lost:
            raise Temporary(f"{self.title} could not be reached: {type(lost).__name__}") from None
        except (httpx.HTTPError, httpx.StreamError) as lost:
            raise Unknown(f"no answer from {self.title}: {type(lost).__name__}") from None
        return self._judged(response, writing=True)

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Make a call that may be repeated: a read, a deletion, an edit. What is lost is Temporary."""
        try:
            response = self._exchange(self._request(method, path, content))
        except (httpx.HTTPError, httpx.StreamError) as lost:
            raise Temporary(f"no answer from {self.title}: {type(lost).__name__}") from None
        return self._judged(response, writing=False)

    def _request(self, method: str, path: str, content: dict[str, Any]) -> httpx.Request:
        url = path if path.startswith(("http://", "https://")) else self._base_url + path
        given = {"User-Agent": "Dateline", "Connection": "close", **self._headers, **content.pop("headers", {})}
        headers = {name: value for name, value in given.items() if value is not None}
        connect_s, read_s = self._timeout_s
        waits = httpx.Timeout(read_s, connect=connect_s).as_dict()
        try:
            return httpx.Request(method, url, headers=headers, extensions={"timeout": waits}, **content)
        except (httpx.InvalidURL, ValueError, TypeError):  # its words would show the address, and the secret in it
            raise Permanent(f"{self.title} cannot be asked: the address or a key is ill-formed") from None

    def _exchange(self, request: httpx.Request) -> httpx.Response:
        ends = time.monotonic() + sum(self._timeout_s)
        try:
            streamed = self._transport.handle_request(request)
        except Refused as refused:
            raise Permanent(f"{self.title} is not asked: {refused}") from None
        except FetchError as lost:
            raise httpx.ConnectError(str(lost)) from lost
        body = bytearray()
        try:
            for piece in streamed.stream:  # type: ignore[union-attr]  # a transport that is not async streams so
                body += piece
                if len(body) > LARGEST_ANSWER or time.monotonic() > ends:
                    raise httpx.ReadError("the answer has no end")
        finally:
            streamed.close()
        try:
            return httpx.Response(streamed.status_code, headers=streamed.headers, content=bytes(body), request=request)
        except httpx.DecodingError:
            return httpx.Response(streamed.status_code, request=request)

    def _judged(self, response: httpx.Response, *, writing: bool) -> httpx.Response:
        error = self._judge(response, writing=writing)
        if error is not None:
            raise error
        return response


def refusal(response: httpx.Response, *, title: str, said: str, writing: bool) -> ChannelError | None:
    """What an answer's status stands for, where the network says nothing better; None for 2xx."""
    status = response.status_code
    words = f"{title} answered {status}: {said or response.reason_phrase}"[:300]
    if 200 <= status < 300:
        return None
    if status == 429:
        return RateLimited(words, retry_after_s=patience(response))
    if status == 408 or status >= 500 or status < 200:
        return Unknown(words) if writing else Temporary(words)
    if status == 401:
        return Unauthorised(words)
    return Permanent(words)


def patience(response: httpx.Response) -> float | None:
    """Seconds asked for in Retry-After (RFC 9110 10.2.3), None where it does not say."""
    return retry_after_s(response.headers, now=moment(response))


def moment(response: httpx.Response) -> datetime:
    """When the answer was made, by the server's own clock where it tells the time."""
    try:
        said: datetime = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, TypeError):
        return datetime.now(UTC)
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def body_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; {} where it holds none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def list_in(response: httpx.Response, name: str, *, title: str) -> list[dict[str, Any]]:
    """The objects under `name`. Raises Temporary where there is no such list: the account was then not read."""
    found = body_of(response).get(name)
    if not isinstance(found, list):
        raise Temporary(f"{title} gave no list of {name}")
    return [one for one in found if isinstance(one, dict)]


def carries(text: str, marker: str) -> bool:
    """Whether the marker stands in the text whole: /s/ab is not in /s/abc."""
    return bool(marker) and bool(re.search(rf"{re.escape(marker)}(?![\w-])", text))
