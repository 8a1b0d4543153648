"""What X's answers mean: bodies, errors by their detail, windows in headers."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

import requests
import tweepy

from pipeline.channels.base import (
    Expired,
    Gone,
    Limits,
    Metrics,
    Permanent,
    Published,
    RateLimited,
    Spent,
    Temporary,
    Unanswerable,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.wire import limits_said, never_left, reset_said, seconds_until

#: (window in the headers, whose it is); X never sends a Retry-After.
_WINDOWS = (("x-rate-limit", "account"), ("x-user-limit-24hour", "account"), ("x-app-limit-24hour", "app"))
#: Money, not patience: the month's quota, the prepaid credits, the cap that the owner of the app has set.
_SPENT = ("usage-capped", "/problems/credits", "usagecapexceeded", "creditsdepleted", "spendcapreached", "spend cap")
#: 403s that no other text would cure.
_LOCKED = ("suspended", "temporarily locked", "unsupported authentication", "oauth1-permissions",
           "client-not-enrolled", "client-forbidden", "not permitted to access this feature")  # fmt: skip

#: 403s for an answer that the same words without it would not get.
_UNANSWERABLE = ("reply to this conversation is not allowed", "engaged by the author of the post you are replying to",
                 "reply to a tweet that is deleted or not visible", "reply to a post that is deleted or not visible")  # fmt: skip


def write(call: Callable[[], requests.Response], *, renewable: bool = False) -> requests.Response:
    """Run a call that must not happen twice: whatever is not provably without effect is Unknown."""
    try:
        return call()
    except tweepy.HTTPException as answer:
        raise refusal(answer.response, writing=True, renewable=renewable) from answer
    except requests.TooManyRedirects as answer:
        raise Permanent("X answered with a redirect, which is not followed") from answer
    except requests.RequestException as lost:
        if never_left(lost):
            raise Temporary(f"X could not be reached: {type(lost).__name__}") from lost
        raise Unknown(f"no answer from X: {type(lost).__name__}") from lost
    except (ValueError, AttributeError, TypeError) as garbled:
        # tweepy chokes on an error body or a reset header of another shape; an answer came, its sense did not.
        raise Unknown(f"X answered something unreadable: {garbled}") from garbled


def ask(call: Callable[[], requests.Response], *, renewable: bool = False) -> requests.Response:
    """Run a read, a delete or an upload: what is lost may simply be asked again."""
    try:
        return call()
    except tweepy.HTTPException as answer:
        raise refusal(answer.response, writing=False, renewable=renewable) from answer
    except (requests.RequestException, ValueError, AttributeError, TypeError) as lost:
        raise Temporary(f"no usable answer from X: {type(lost).__name__}") from lost


def refusal(response: requests.Response, *, writing: bool, renewable: bool) -> Exception:  # noqa: PLR0911 - a table
    """The error that an HTTP answer of 400 or more stands for. `renewable`: the token may just have run out."""
    status, body = response.status_code, read_body(response)
    said = f"X answered {status}: {detail(body) or response.reason}"
    reasons = f"{said} {body.get('type', '')} {body.get('title', '')} {body.get('reason', '')}".lower()
    if status == 402 or (status in (403, 429) and any(word in reasons for word in _SPENT)):
        return Spent(said)
    if status == 429:
        return _patience(said, response.headers)
    if status == 401:
        return Expired(said) if renewable else Unauthorised(said)
    if status == 404:
        return Gone(said)
    if status == 403 and writing and "duplicate content" in reasons:
        # Our own lost request is the likeliest twin: evidence that it is live, not proof. Read the account.
        return Unknown(said)
    if status == 403 and any(word in reasons for word in _UNANSWERABLE):
        return Unanswerable(said)
    if status == 403 and any(word in reasons for word in _LOCKED):
        return Unauthorised(said)
    if status in (408, 409) or status >= 500:
        return Unknown(said) if writing else Temporary(said)
    return Permanent(said)


def _patience(said: str, headers: Mapping[str, str]) -> RateLimited:
    """Until the last of the exhausted windows opens, by X's own clock where it tells the time."""
    told = [
        (reset_at, scope)
        for window, scope in _WINDOWS
        if headers.get(f"{window}-remaining", "0").strip() == "0" and (reset_at := reset_said(headers, window=window))
    ]
    if not told:
        return RateLimited(said)
    reset_at, scope = max(told)
    return RateLimited(said, retry_after_s=seconds_until(reset_at, headers), scope=scope)


def limits(headers: Mapping[str, str]) -> Limits | None:
    """The window with the least left in it."""
    told = [said for window, scope in _WINDOWS if (said := limits_said(headers, window=window, scope=scope))]
    return min(told, key=lambda window: window.remaining, default=None)


def read_body(response: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty for anything else."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def detail(body: Mapping[str, Any]) -> str:
    """What X says went wrong, in its own words: `detail`, or the first of `errors`."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(body.get("detail") or first.get("message") or first.get("detail") or body.get("title") or "")


def published(remote_id: str) -> Published:
    """A post by its id; X leads /i/status/ to the account."""
    return Published(remote_id=str(remote_id), url=f"https://x.com/i/status/{remote_id}")


def carries(post: Mapping[str, Any], marker: str) -> bool:
    """Whether the marker stands in the text or in an expanded address, whole: /s/ab is not in /s/abc."""
    places = [
        text_of(post),
        *(url.get(name) or "" for url in _urls(post) for name in ("expanded_url", "unwound_url")),
    ]
    whole = re.compile(rf"{re.escape(marker)}(?![\w-])")
    return any(whole.search(place) for place in places)


def text_of(post: Mapping[str, Any]) -> str:
    """The words as written: X escapes &, < and >, and puts t.co in place of each address.

    The address of an attached picture, which X adds at the end, is left out.
    """
    text = str(post.get("text", ""))
    for url in _urls(post):
        if url.get("url") and url.get("expanded_url"):
            text = text.replace(url["url"], "" if url.get("media_key") else url["expanded_url"], 1)
    return html.unescape(text).rstrip()


def metrics_of(post: Mapping[str, Any]) -> Metrics:
    """The public counts of a post; a quote is a repost with words."""
    counts = post.get("public_metrics") or {}
    reposts, quotes = counts.get("retweet_count"), counts.get("quote_count")
    return Metrics(
        likes=counts.get("like_count"),
        reposts=None if reposts is None else reposts + (quotes or 0),
        replies=counts.get("reply_count"),
        impressions=counts.get("impression_count"),
    )


def _urls(post: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((post.get("entities") or {}).get("urls") or ())
