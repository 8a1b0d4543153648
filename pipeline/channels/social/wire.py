"""What X and Mastodon share on the wire: a door for requests, and what rate limits say in headers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from pipeline.channels.base import Limits


class Door(HTTPAdapter):
    """Gives every request our timeouts, leads it elsewhere where `led` says so, and remembers the last answer.

    `led` maps a beginning of an address to what takes its place. A signature is made before this point: whoever
    answers there must check it against the first. `last` is None while no answer came to the last request.
    """

    def __init__(self, *, timeout_s: tuple[float, float], led: Mapping[str, str] | None = None) -> None:
        self._timeout_s, self._led = timeout_s, dict(led or {})
        self.last: requests.Response | None = None
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send once, with our timeouts in place of whatever was asked."""
        for begins, instead in self._led.items():
            if request.url and request.url.startswith(begins):
                request.url = instead.rstrip("/") + request.url[len(begins) :]
        # One connection a request: a kept one that the server has closed fails like a lost answer.
        request.headers["Connection"] = "close"
        options["timeout"] = self._timeout_s
        self.last = None
        self.last = super().send(request, **options)
        return self.last


def behind(door: Door, *hosts: str, at_home: bool) -> requests.Session:
    """A session whose requests all pass the door. `at_home` is a server of ours: no proxy stands between."""
    session = requests.Session()
    session.max_redirects = 0  # a redirected POST would be sent twice, or to a stranger
    session.trust_env = not at_home
    for host in hosts:
        session.mount(host, door)
    return session


def never_left(lost: BaseException | None) -> bool:
    """True only where no connection was made: refused, no such host, or timed out while connecting."""
    if not isinstance(lost, requests.RequestException):
        return False
    reason = getattr(lost.args[0] if lost.args else None, "reason", None)
    return isinstance(lost, requests.ConnectTimeout) or isinstance(
        reason, (NewConnectionError, NameResolutionError, ConnectTimeoutError)
    )


def limits_said(headers: Mapping[str, str], *, window: str, scope: str = "account") -> Limits | None:
    """What `<window>-remaining` and `<window>-reset` say (epoch seconds or ISO 8601), None where they do not."""
    remaining = headers.get(f"{window}-remaining", "").strip()
    if not remaining.isdigit():
        return None
    size = headers.get(f"{window}-limit", "").strip()
    return Limits(
        remaining=int(remaining),
        reset_at=reset_said(headers, window=window),
        scope=scope,
        size=int(size) if size.isdigit() else None,
    )


def reset_said(headers: Mapping[str, str], *, window: str) -> datetime | None:
    """When the window opens again, by the network's clock."""
    said = headers.get(f"{window}-reset", "").strip()
    try:
        if said.isdigit():
            return datetime.fromtimestamp(int(said), UTC)
        told = datetime.fromisoformat(said)
    except (ValueError, OverflowError, OSError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def seconds_until(reset_at: datetime, headers: Mapping[str, str]) -> float:
    """Seconds to wait, at least one: by the network's own clock where its answer tells the time, else by ours."""
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(1.0, reset_at.timestamp() - now)


def retry_after_said(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, given as a number or a date (RFC 9110 10.2.3)."""
    said = headers.get("Retry-After", "").strip()
    if said.isdigit():
        return float(said)
    try:
        return seconds_until(parsedate_to_datetime(said), headers)
    except ValueError:
        return None
