"""Meta's Graph API as Facebook pages and Threads share it: errors by code, limits in percent, the app's proof.

Codes: developers.facebook.com/docs/graph-api/guides/error-handling and .../overview/rate-limiting, read 2026-11-25.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx

from pipeline.channels.base import ChannelError, Gone, Limits, RateLimited, Temporary, Unauthorised, Unknown
from pipeline.channels.calls import body_of, moment, patience, refusal

_APP_WIDE = {4, 613}  #: calls of the whole app; the other codes are the account's
_BUSY = _APP_WIDE | {17, 32, 341} | set(range(80000, 80015))
_SIGNED_OUT = {102, 190, 463, 467}
_NOT_THERE = 33  #: subcode of 100: the object does not exist, or is hidden from this token
_DOUBTFUL = {1, 2, 506}  #: unknown, service, duplicate: it may be live
_NOT_READY = {2207027, 4279009}  #: subcodes: the container is still being made


def judge(title: str, tell: Callable[[Limits], None]) -> Callable[..., ChannelError | None]:
    """What Graph's answers stand for. `tell` hears what is left of the limits, in percent of what was granted."""

    def refused(response: httpx.Response, *, writing: bool) -> ChannelError | None:
        found = limits_in(response)
        if found is not None:
            tell(found)
        body = body_of(response)
        error = body["error"] if isinstance(body.get("error"), dict) else {}
        if not error:
            return refusal(response, title=title, said="", writing=writing)
        return _by_code(error, response, title=title, writing=writing)

    return refused


def _by_code(error: dict[str, Any], response: httpx.Response, *, title: str, writing: bool) -> ChannelError | None:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    said = str(error.get("error_user_msg") or error.get("message") or "")
    words = f"{title} answered {code}: {said}"[:300]
    if code in _BUSY or response.status_code == 429:
        scope = "app" if code in _APP_WIDE else "account"
        return RateLimited(words, retry_after_s=patience(response) or _regained_s(response), scope=scope)
    if code in _SIGNED_OUT:
        return Unauthorised(words)
    if (code == 100 and subcode == _NOT_THERE) or response.status_code == 404:
        return Gone(words)
    if subcode in _NOT_READY:
        return Temporary(words)
    if code in _DOUBTFUL or error.get("is_transient") is True or response.is_success:
        return Unknown(words) if writing else Temporary(words)
    return refusal(response, title=title, said=said, writing=writing)


def proof(*, token: str, app_secret: str) -> dict[str, str]:
    """`appsecret_proof`: HMAC-SHA256 of the token by the app's secret; nothing where the app does not ask for it."""
    if not app_secret:
        return {}
    return {"appsecret_proof": hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()}


def limits_in(response: httpx.Response) -> Limits | None:
    """The fuller of the windows that the headers tell of; `remaining` is a percentage."""
    app, businesses = _usage(response, "X-App-Usage"), _usage(response, "X-Business-Use-Case-Usage")
    told = [("app", app)] + [("account", one) for use in businesses.values() if isinstance(use, list) for one in use]
    full = [(max(used), scope) for scope, usage in told if (used := _percentages(usage))]
    if not full:
        return None
    fullest, scope = max(full)
    waits_s = _regained_s(response)
    reset_at = moment(response) + timedelta(seconds=waits_s) if waits_s else None
    return Limits(remaining=max(0, 100 - fullest), reset_at=reset_at, scope=scope, size=100)


def total(post: Mapping[str, Any], name: str) -> int | None:
    """`summary.total_count` of an edge that was asked for with `.limit(0).summary(total_count)`."""
    found = ((post.get(name) or {}).get("summary") or {}).get("total_count")
    return found if isinstance(found, int) else None


def insight(rows: Any, name: str) -> int | None:
    """The value of one lifetime metric among insights."""
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("name") == name:
            values = row.get("values") or [row.get("total_value") or {}]
            value = values[0].get("value") if isinstance(values[0], dict) else None
            return value if isinstance(value, int) else None
    return None


def _regained_s(response: httpx.Response) -> float | None:
    """Seconds until access is regained: the longest that X-Business-Use-Case-Usage estimates (in minutes)."""
    uses = _usage(response, "X-Business-Use-Case-Usage").values()
    minutes = [
        one.get("estimated_time_to_regain_access")
        for use in uses
        if isinstance(use, list)
        for one in use
        if isinstance(one, dict)
    ]
    known = [float(one) for one in minutes if isinstance(one, int | float) and one > 0]
    return max(known) * 60 if known else None


def _percentages(usage: Any) -> list[int]:
    names = ("call_count", "total_time", "total_cputime")
    return [int(usage[name]) for name in names if isinstance(usage, dict) and isinstance(usage.get(name), int | float)]


def _usage(response: httpx.Response, header: str) -> dict[str, Any]:
    try:
        usage = json.loads(response.headers.get(header, "{}"))
    except ValueError:
        return {}
    return usage if isinstance(usage, dict) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
