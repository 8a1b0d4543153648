"""X, by tweepy: OAuth 1.0a user tokens, which do not expire, or OAuth 2.0 (PKCE), which live for two hours.

Limits and error texts as X documents them and as known on 2026-11-23: 100 posts in 15 minutes per account,
x-rate-limit-reset in epoch seconds and never a Retry-After; a repeated text is a 403 without a code. Every request
costs money (facts.PRICES). There is no edit: it needs Premium, half an hour and a new id. Whether an
app may answer its own account's posts, X does not say: where it may not, the answer is Unanswerable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import tweepy

from pipeline.channels.base import (
    Gone,
    Keys,
    Limits,
    Message,
    Metrics,
    Picture,
    Published,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social import x_answers as answers
from pipeline.channels.social.wire import Door, behind
from pipeline.kernel.config import config

_HOST = "https://api.twitter.com"  # tweepy 4.17 has it in its code; api.x.com is the same service
_TOKENS = "https://api.x.com"
_TOKEN_S = 7200  #: life of an access token, where X does not say
_WINDOW = 100  #: newest own posts that `find` looks at
_PAGE = 20  #: posts per read: each costs $0.001
_FIELDS = ["created_at", "entities", "public_metrics"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's pair and the account's pair, from developer.x.com (OAuth 1.0a)."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """An account's consent to an app (OAuth 2.0 with PKCE).

    Scopes: tweet.read tweet.write users.read media.write offline.access. `client_secret` is "" for a public client.
    `account_id` is the account's number, asked for once where it is not known.
    """

    client_id: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    client_secret: str = field(default="", repr=False)
    account_id: str = ""


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> X:  # noqa: ARG001 - the keys name the account
    """The account that the keys belong to."""
    kind = Grant if "refresh_token" in keys else Credentials
    opened = kind(**{part.name: keys[part.name] for part in fields(kind) if part.name in keys})
    return X(credentials=opened, base_url=base_url or config().x_base_url)


class X:
    """One X account. `timeout_s` is (connect, read) in seconds; `base_url` leads to a server that stands in."""

    network = "x"

    def __init__(
        self,
        *,
        credentials: Credentials | Grant,
        base_url: str = "",
        timeout_s: tuple[float, float] = (5.0, 30.0),
    ) -> None:
        self.limits: Limits | None = None
        led = dict.fromkeys((_HOST, _TOKENS), base_url) if base_url else {}
        self._door = Door(timeout_s=timeout_s, led=led)
        self._session = behind(self._door, _HOST, _TOKENS, at_home=bool(base_url))
        self._open(credentials)

    def publish(self, message: Message) -> Published:
        """POST /2/tweets. Raises Temporary, RateLimited, Expired, Permanent, Spent, Unanswerable or Unknown."""
        media = [self._uploaded(picture) for picture in message.pictures] or None
        response = self._told(
            answers.write,
            lambda: self._client.create_tweet(
                text=message.text,
                media_ids=media,
                in_reply_to_tweet_id=message.reply_to or None,
                user_auth=self._signed,
            ),
        )
        remote_id = (answers.read_body(response).get("data") or {}).get("id")
        if not remote_id:
            raise Unknown(f"X answered {response.status_code} without the post's id")
        return answers.published(remote_id)

    def find(self, message: Message) -> Published | None:
        """Look for the marker among the account's newest 100 posts (GET /2/users/:id/tweets).

        X wraps links in t.co, so the marker is sought in the expanded addresses. Raises Temporary, RateLimited,
        Permanent.
        """
        for post in self._own(page=_PAGE, most=_WINDOW):
            if answers.carries(post, message.marker):
                return answers.published(post["id"])
        return None

    def delete(self, remote_id: str) -> None:
        """DELETE /2/tweets/:id; a post already gone is not an error. Raises Temporary, RateLimited, Permanent."""
        try:
            self._told(answers.ask, lambda: self._client.delete_tweet(remote_id, user_auth=self._signed))
        except Gone:
            return

    def read(self, remote_id: str) -> str | None:
        """The text of one own post, addresses in full; an owned read ($0.001), not a lookup ($0.005)."""
        for post in self._between([remote_id]):
            if post["id"] == remote_id:
                return answers.text_of(post)
        return None

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        """Public counts of own posts. Each post from the oldest to the newest of them is read, for $0.001 a day."""
        wanted = set(remote_ids)
        return {post["id"]: answers.metrics_of(post) for post in self._between(remote_ids) if post["id"] in wanted}

    def refresh(self) -> Keys:
        """A new pair of tokens for the old refresh token, which X takes once (OAuth 2.0 only).

        Raises Temporary, or Unauthorised where a person must connect the account again.
        """
        if not isinstance(self._keys, Grant):
            raise Unauthorised("an OAuth 1.0a token of X is not renewed: connect the account again")
        grant, asked_at = self._keys, datetime.now(UTC)
        body = answers.read_body(answers.ask(lambda: self._renewal(grant)))
        if not body.get("access_token"):
            raise Temporary("X renewed the token and did not tell it")
        renewed = Grant(
            client_id=grant.client_id,
            client_secret=grant.client_secret,
            access_token=str(body["access_token"]),
            refresh_token=str(body.get("refresh_token") or grant.refresh_token),
            account_id=grant.account_id,
        )
        self._open(renewed)
        names = ("client_id", "client_secret", "access_token", "refresh_token", "account_id")
        values = {name: value for name in names if (value := getattr(renewed, name))}
        life_s = body.get("expires_in")
        until = asked_at + timedelta(seconds=life_s if isinstance(life_s, int) else _TOKEN_S)
        return Keys(values=values, until=until)

    def _open(self, keys: Credentials | Grant) -> None:
        """A client for these keys. Our session, so that tweepy's forgotten timeouts are ours."""
        self._keys, self._signed = keys, isinstance(keys, Credentials)
        given = (
            {
                "consumer_key": keys.consumer_key,
                "consumer_secret": keys.consumer_secret,
                "access_token": keys.access_token,
                "access_token_secret": keys.access_token_secret,
            }
            if isinstance(keys, Credentials)
            else {"bearer_token": keys.access_token}
        )
        # wait_on_rate_limit would sleep for 15 minutes in a worker that every account's posts wait for
        self._client = tweepy.Client(**given, return_type=requests.Response, wait_on_rate_limit=False)
        self._client.session = self._session
        # An OAuth 1.0a token begins with the account's number.
        self._account = keys.access_token.partition("-")[0] if isinstance(keys, Credentials) else keys.account_id

    def _told(self, ask: Callable[..., requests.Response], call: Callable[[], requests.Response]) -> requests.Response:
        """Run one call, and keep what its answer says of our limits."""
        try:
            return ask(call, renewable=not self._signed)
        finally:
            if self._door.last is not None:
                self.limits = answers.limits(self._door.last.headers) or self.limits

    def _renewal(self, grant: Grant) -> requests.Response:
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, "client_id": grant.client_id}
        basic = (grant.client_id, grant.client_secret) if grant.client_secret else None
        response = self._session.post(_TOKENS + "/2/oauth2/token", data=form, auth=basic)
        if response.status_code in (400, 401, 403):  # invalid_grant, invalid_client
            said = answers.read_body(response)
            raise Unauthorised(f"X does not renew the token: {said.get('error_description') or said.get('error')}")
        if response.status_code >= 400:
            raise tweepy.HTTPException(response)
        return response

    def _between(self, remote_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Own posts from the oldest to the newest of these ids."""
        numbers = sorted(int(number) for number in remote_ids if number.isdigit())
        if not numbers:
            return iter(())
        return self._own(page=100, most=400, since_id=numbers[0] - 1, until_id=numbers[-1] + 1)

    def _own(self, *, page: int, most: int, **between: int) -> Iterator[dict[str, Any]]:
        """The account's posts, newest first, page by page, at most `most`."""
        page_token, read = None, 0
        while read < most:
            body = self._page(page_token, max_results=page, **between)
            posts = body.get("data") or []
            yield from posts
            page_token, read = body.get("meta", {}).get("next_token"), read + page
            if not posts or not page_token:
                break

    def _page(self, page_token: str | None, **asked: int) -> dict[str, Any]:
        number = self._number()
        response = self._told(
            answers.ask,
            lambda: self._client.get_users_tweets(
                number, pagination_token=page_token, tweet_fields=_FIELDS, user_auth=self._signed, **asked
            ),
        )
        body = answers.read_body(response)
        if "data" not in body and "meta" not in body:
            raise Temporary(f"X gave no timeline: {answers.detail(body) or 'an empty answer'}")
        return body

    def _number(self) -> str:
        """The account's number: in an OAuth 1.0a token, else asked for once (GET /2/users/me)."""
        if not self._account:
            me = self._told(answers.ask, lambda: self._client.get_me(user_auth=self._signed))
            self._account = str((answers.read_body(me).get("data") or {}).get("id") or "")
            if not self._account:
                raise Temporary("X did not say which account this is")
        return self._account

    def _uploaded(self, picture: Picture) -> str:
        """POST /2/media/upload and its alt text; nothing is public yet, so every failure is provably harmless."""
        uploaded = self._told(answers.ask, lambda: self._send("/2/media/upload", files=_upload_form(picture)))
        media_id = (answers.read_body(uploaded).get("data") or {}).get("id")
        if not media_id:
            raise Temporary("X took the picture but gave no id for it")
        if picture.alt:
            words = {"id": str(media_id), "metadata": {"alt_text": {"text": picture.alt[:1000]}}}
            self._told(answers.ask, lambda: self._send("/2/media/metadata", json=words))
        return str(media_id)

    def _send(self, route: str, **body: Any) -> requests.Response:
        """Media are v2 only by hand: tweepy's own upload is the retired v1.1."""
        if isinstance(self._keys, Credentials):
            keys = self._keys
            signer = tweepy.OAuth1UserHandler(
                keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
            )
            body["auth"] = signer.apply_auth()
        else:
            body["headers"] = {"Authorization": f"Bearer {self._keys.access_token}"}
        response = self._session.request("POST", _HOST + route, **body)
        if response.status_code >= 400:
            raise tweepy.HTTPException(response)
        return response


def _upload_form(picture: Picture) -> dict[str, tuple[str | None, str | bytes, str]]:
    return {
        "media": ("picture", picture.content, picture.media_type),
        "media_category": (None, "tweet_image", "text/plain"),
    }
