"""The line to a PDS, by atproto's raw client: one request, one meaning, nothing repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from atproto_client.client.raw import ClientRaw
from atproto_client.request import Request, Response
from atproto_core.exceptions import AtProtocolError

from pipeline.channels.base import (
    Expired,
    Gone,
    Limits,
    Permanent,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.wire import limits_said, reset_said, retry_after_said, seconds_until

_GARBLED = (AtProtocolError, httpx.HTTPError, ValueError, KeyError, AttributeError, TypeError)
_CLOSED = ("AccountTakedown", "AccountDeactivated", "AccountSuspended")


class Taken(Permanent):
    """There is a record of that name already."""


class Line:
    """Calls to one PDS. `limits` is what the last answer told of the account's."""

    def __init__(self, *, base_url: str, timeout_s: tuple[float, float]) -> None:
        self.limits: Limits | None = None
        self._last: httpx.Response | None = None
        request = Request(
            timeout=httpx.Timeout(timeout_s[1], connect=timeout_s[0]),
            limits=httpx.Limits(max_keepalive_connections=0),
            max_redirects=0,  # atproto follows them; a redirected POST would be sent twice, or to a stranger
            trust_env=not base_url.startswith("http://"),
            event_hooks={"response": [self._hear]},
        )
        self._client = ClientRaw(base_url, request)

    def query(self, method: str, params: Any, *, token: str) -> dict[str, Any]:
        """A read. What is lost is Temporary."""
        headers = _bearer(token)
        return self._told(lambda: self._client.invoke_query(method, params=params, headers=headers), writing=False)

    def procedure(
        self, method: str, content: bytes, *, token: str, writing: bool = False, media_type: str = "application/json"
    ) -> dict[str, Any]:
        """A call that changes something. `writing`: it may not happen twice, so what is lost is Unknown."""
        headers = {**_bearer(token), **({"Content-Type": media_type} if content else {})}
        return self._told(
            lambda: self._client.invoke_procedure(method, content=content, headers=headers), writing=writing
        )

    def _hear(self, response: httpx.Response) -> None:
        self._last = response
        self.limits = limits_said(response.headers, window="RateLimit") or self.limits

    def _told(self, call: Callable[[], Response], *, writing: bool) -> dict[str, Any]:
        self._last = None
        try:
            content = call().content
        except _GARBLED as error:
            raise _meaning(error, self._last, writing=writing) from error
        return content if isinstance(content, dict) else {}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _meaning(error: Exception, last: httpx.Response | None, *, writing: bool) -> Exception:
    """The error that an answer stands for, or the want of one. atproto hides httpx's errors in its own."""
    lost = error.__cause__ or error
    if isinstance(lost, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return Temporary(f"Bluesky could not be reached: {type(lost).__name__}")
    if last is not None and last.is_redirect:
        return Permanent("Bluesky answered with a redirect, which is not followed")
    if last is None or last.status_code < 400:
        said = f"no usable answer from Bluesky: {type(lost).__name__}"
        return Unknown(said) if writing else Temporary(said)
    return _refusal(last, writing=writing)


def _refusal(answer: httpx.Response, *, writing: bool) -> Exception:  # noqa: PLR0911 - a table
    status, (code, words) = answer.status_code, _words(answer)
    said = f"Bluesky answered {status}: {words or code or answer.reason_phrase}"
    if status == 429:
        reset_at = reset_said(answer.headers, window="RateLimit")
        wait = seconds_until(reset_at, answer.headers) if reset_at else retry_after_said(answer.headers)
        return RateLimited(said, retry_after_s=wait)
    if code in _CLOSED or status == 403:
        return Unauthorised(said)
    if status == 401 or code in ("ExpiredToken", "InvalidToken"):
        return Expired(said)
    if code == "InvalidSwap":
        return Taken(said)
    if code == "RecordNotFound":
        return Gone(said)
    if status in (408, 409) or status >= 500:
        return Unknown(said) if writing else Temporary(said)
    return Permanent(said)


def _words(answer: httpx.Response) -> tuple[str, str]:
    """XRPC's name of the error, and its sentence."""
    try:
        body = answer.json()
    except (ValueError, httpx.StreamError):
        return "", ""
    return (str(body.get("error") or ""), str(body.get("message") or "")) if isinstance(body, dict) else ("", "")
