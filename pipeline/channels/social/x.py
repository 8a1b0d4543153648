"""X, by tweepy with OAuth 1.0a user tokens (they do not expire; four secrets per account).

Limits and error texts as X documents them and as known on 2026-11-23: 100 posts in 15 minutes per account,
x-rate-limit-reset in epoch seconds and never a Retry-After; a repeated text is a 403 without a code.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import tweepy
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from pipeline.channels.base import Limits, Message, Permanent, Picture, Published, RateLimited, Temporary, Unknown
from pipeline.kernel.config import config

_HOST = "https://api.twitter.com"  # tweepy 4.17 has it in its code; api.x.com is the same service
_WINDOW = 100  #: newest own posts that `find` looks at
_PAGE = 20  #: posts per read: each costs $0.001
_FIELDS = ["created_at", "entities"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's pair and the account's pair, from developer.x.com."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> X:  # noqa: ARG001 - the keys name the account
    """The account that the keys belong to."""
    return X(credentials=Credentials(**keys), base_url=base_url or config().x_base_url)


class _Door(HTTPAdapter):
    """Gives every request the timeouts that tweepy forgets, and leads it to `base_url` where one is set.

    The signature is made before this point: whoever answers at `base_url` must check it against api.twitter.com.
    """

    def __init__(self, *, base_url: str, timeout_s: tuple[float, float]) -> None:
        self._base_url, self._timeout_s = base_url.rstrip("/"), timeout_s
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send once, with our timeouts in place of whatever was asked."""
        if self._base_url and request.url:
            request.url = request.url.replace(_HOST, self._base_url, 1)
        # One connection a request: a kept one that the server has closed fails like a lost answer.
        request.headers["Connection"] = "close"
        options["timeout"] = self._timeout_s
        return super().send(request, **options)


class X:
    """One X account. `timeout_s` is (connect, read) in seconds; `base_url` leads to a server that stands in."""

    network = "x"

    def __init__(
        self,
        *,
        credentials: Credentials,
        base_url: str = "",
        timeout_s: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        self.limits: Limits | None = None
        self._client = tweepy.Client(
            consumer_key=credentials.consumer_key,
            consumer_secret=credentials.consumer_secret,
            access_token=credentials.access_token,
            access_token_secret=credentials.access_token_secret,
            return_type=requests.Response,
            wait_on_rate_limit=False,  # a worker that sleeps for 15 minutes holds every account's posts
        )
        session = self._client.session
        session.max_redirects = 0  # a redirected POST would be sent twice, or to a stranger
        session.trust_env = not base_url
        session.mount(_HOST, _Door(base_url=base_url, timeout_s=timeout_s))
        # An OAuth 1.0a token begins with the account's number.
        self._account = credentials.access_token.partition("-")[0]

    def publish(self, message: Message) -> Published:
        """POST /2/tweets. Raises Temporary, RateLimited, Permanent or Unknown."""
        media = [self._uploaded(picture) for picture in message.pictures] or None
        response = _write(lambda: self._client.create_tweet(text=message.text, media_ids=media, user_auth=True))
        remote_id = _read_body(response).get("data", {}).get("id")
        if not remote_id:
            raise Unknown(f"X answered {response.status_code} without the post's id")
        return _published(remote_id)

    def find(self, message: Message) -> Published | None:
        """Look for the marker among the account's newest 100 posts (GET /2/users/:id/tweets).

        X wraps links in t.co, so the marker is sought in the expanded addresses. Raises Temporary, RateLimited,
        Permanent.
        """
        page_token, read = None, 0
        while read < _WINDOW:
            body = self._page(page_token)
            posts = body.get("data") or []
            for post in posts:
                if _carries(post, message.marker):
                    return _published(post["id"])
            page_token, read = body.get("meta", {}).get("next_token"), read + _PAGE
            if not posts or not page_token:
                break
        return None

    def delete(self, remote_id: str) -> None:
        """DELETE /2/tweets/:id; a post already gone is not an error. Raises Temporary, RateLimited, Permanent."""
        try:
            _idempotent(lambda: self._client.delete_tweet(remote_id, user_auth=True))
        except _Gone:
            return

    def _page(self, page_token: str | None) -> dict[str, Any]:
        response = _idempotent(
            lambda: self._client.get_users_tweets(
                self._account,
                max_results=_PAGE,
                pagination_token=page_token,
                tweet_fields=_FIELDS,
                user_auth=True,
            )
        )
        body = _read_body(response)
        if "data" not in body and "meta" not in body:
            raise Temporary(f"X gave no timeline: {_detail(body) or 'an empty answer'}")
        return body

    def _uploaded(self, picture: Picture) -> str:
        """POST /2/media/upload and its alt text; nothing is public yet, so every failure is provably harmless."""
        uploaded = _idempotent(lambda: self._send("/2/media/upload", files=_upload_form(picture)))
        media_id = _read_body(uploaded).get("data", {}).get("id")
        if not media_id:
            raise Temporary("X took the picture but gave no id for it")
        if picture.alt:
            described = {"id": media_id, "metadata": {"alt_text": {"text": picture.alt[:1000]}}}
            _idempotent(lambda: self._send("/2/media/metadata", json=described))
        return str(media_id)

    def _send(self, route: str, **body: Any) -> requests.Response:
        """A route tweepy has no method for, signed and judged as tweepy does."""
        signer = tweepy.OAuth1UserHandler(
            self._client.consumer_key,
            self._client.consumer_secret,
            self._client.access_token,
            self._client.access_token_secret,
        )
        session: requests.Session = self._client.session
        response = session.request("POST", _HOST + route, auth=signer.apply_auth(), **body)
        if response.status_code >= 400:
            raise tweepy.HTTPException(response)
        return response


class _Gone(Permanent):
    """404: what was asked for is not there."""


def _write(call: Callable[[], requests.Response]) -> requests.Response:
    """Run a call that must not happen twice: whatever is not provably without effect is Unknown."""
    try:
        return call()
    except tweepy.HTTPException as answer:
        raise _refusal(answer.response, writing=True) from answer
    except requests.TooManyRedirects as answer:
        raise Permanent("X answered with a redirect, which is not followed") from answer
    except requests.RequestException as lost:
        if _never_left(lost):
            raise Temporary(f"X could not be reached: {type(lost).__name__}") from lost
        raise Unknown(f"no answer from X: {type(lost).__name__}") from lost
    except (ValueError, AttributeError, TypeError) as garbled:
        # tweepy chokes on an error body or a reset header of another shape; an answer came, its sense did not.
        raise Unknown(f"X answered something unreadable: {garbled}") from garbled


def _idempotent(call: Callable[[], requests.Response]) -> requests.Response:
    """Run a read, a delete or an upload: what is lost may simply be asked again."""
    try:
        return call()
    except tweepy.HTTPException as answer:
        raise _refusal(answer.response, writing=False) from answer
    except (requests.RequestException, ValueError, AttributeError, TypeError) as lost:
        raise Temporary(f"no usable answer from X: {type(lost).__name__}") from lost


def _refusal(response: requests.Response, *, writing: bool) -> Exception:
    """The error that an HTTP answer of 400 or more stands for."""
    status, body = response.status_code, _read_body(response)
    said = f"X answered {status}: {_detail(body) or response.reason}"
    if status == 429 and "usage-capped" not in str(body.get("type", "")):  # capped means money, not patience
        return RateLimited(said, retry_after_s=_patience(response.headers))
    if status == 404:
        return _Gone(said)
    if status == 403 and writing and "duplicate content" in said.lower():
        # Our own lost request is the likeliest twin: evidence that it is live, not proof. Read the account.
        return Unknown(said)
    if status in (408, 409) or status >= 500:
        return Unknown(said) if writing else Temporary(said)
    return Permanent(said)


def _never_left(lost: requests.RequestException) -> bool:
    """True only where no connection was made: refused, no such host, or timed out while connecting."""
    reason = getattr(lost.args[0] if lost.args else None, "reason", None)
    return isinstance(lost, requests.ConnectTimeout) or isinstance(
        reason, (NewConnectionError, NameResolutionError, ConnectTimeoutError)
    )


def _patience(headers: Mapping[str, str]) -> float | None:
    """Seconds until the last of the exhausted windows opens, by X's own clock where it tells the time."""
    resets = [
        int(headers[f"{window}-reset"])
        for window in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
        if headers.get(f"{window}-remaining", "0").strip() == "0" and headers.get(f"{window}-reset", "").isdigit()
    ]
    if not resets:
        return None
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(1.0, max(resets) - now)


def _read_body(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _detail(body: Mapping[str, Any]) -> str:
    """What X says went wrong, in its own words: `detail`, or the first of `errors`."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(body.get("detail") or first.get("message") or first.get("detail") or body.get("title") or "")


def _carries(post: Mapping[str, Any], marker: str) -> bool:
    """Whether the marker stands in the text or in an expanded address, whole: /s/ab is not in /s/abc."""
    urls = (post.get("entities") or {}).get("urls") or ()
    places = [
        post.get("text", ""),
        *(url.get(name) or "" for url in urls for name in ("expanded_url", "unwound_url")),
    ]
    whole = re.compile(rf"{re.escape(marker)}(?![\w-])")
    return any(whole.search(place) for place in places)


def _upload_form(picture: Picture) -> dict[str, tuple[str | None, str | bytes, str]]:
    return {
        "media": ("picture", picture.content, picture.media_type),
        "media_category": (None, "tweet_image", "text/plain"),
    }


def _published(remote_id: str) -> Published:
    return Published(remote_id=str(remote_id), url=f"https://x.com/i/status/{remote_id}")
