"""Networks on loopback for the contract of channels, one per adapter (their frame: tests/factories/stage.py).

They keep their posts, check credentials (X: the OAuth 1.0a signature, by oauthlib) and can lose an answer before or
after they have acted on the request.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from oauthlib.common import Request as SignedRequest  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

from pipeline.channels.base import Channel
from pipeline.channels.social.fake import Agora
from pipeline.channels.social.x import Credentials, Grant, X
from tests.factories import page_stages, social_stages
from tests.factories.stage import SECRETS, TIMEOUT_S, Handler, Post, Stage


class XServer(Stage):
    """X: repeats are a 403 without a code, links are shown as t.co, pages are read by token."""

    network = "x"
    answer_to_repeat = "unknown"
    secrets_used = (0, 1, 2, 3)
    reads_one = answers = True

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        return X(credentials=Credentials(*secrets), base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        """RFC 5849: the signature is over https://api.twitter.com, wherever the request was led."""
        header = dict(re.findall(r'(oauth_\w+)="([^"]*)"', request.headers.get("Authorization", "")))
        url = "https://api.twitter.com" + request.path
        signed = SignedRequest(url, method, "", dict(request.headers.items()))
        signed.params = [
            *parse_qsl(urlsplit(url).query),
            *signature.collect_parameters(headers=dict(request.headers.items()), exclude_oauth_signature=True),
        ]
        signed.signature = signature.utils.unescape(header.get("oauth_signature", ""))
        known = header.get("oauth_consumer_key") == SECRETS[0] and header.get("oauth_token") == SECRETS[2]
        return known and bool(signature.verify_hmac_sha1(signed, SECRETS[1], SECRETS[3]))

    def refuse(self, request: Handler, status: int) -> None:
        extra = {"x_rate_limit_reset": str(int(time.time()) + 7)} if status == 429 else {}
        request.say(status, {"title": "no", "detail": "no", "status": status}, **extra)

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        route = urlsplit(request.path)
        if method == "POST":
            asked = json.loads(body)
            return self._post(asked["text"], (asked.get("reply") or {}).get("in_reply_to_tweet_id", ""))
        if method == "DELETE":
            gone = not self.remove(route.path.rpartition("/")[2])
            return (404, {"title": "Not Found Error"}) if gone else (200, {"data": {"deleted": True}})
        assert route.path == "/2/users/4711/tweets"
        return 200, self._page({name: values[0] for name, values in parse_qs(route.query).items()})

    def _post(self, text: str, parent: str) -> tuple[int, Any]:
        if any(post.text == text for post in self.posts):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return 403, {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
        if len(text) > 280:
            return 403, {"detail": "You are not permitted to perform this action.", "title": "Forbidden"}
        post = self.below(parent, self.store(text))
        return 201, {"data": {"id": post.id, "text": _wrapped(text)}}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        start, size = int(query.get("pagination_token", 0)), int(query["max_results"])
        low, high = int(query.get("since_id", 0)), int(query.get("until_id", 1 << 60))
        newest = [post for post in self.posts[::-1] if low < int(post.id) < high]
        page = [
            {
                "id": post.id,
                "text": _wrapped(post.text),
                "entities": {"urls": [{"url": "https://t.co/x", "expanded_url": url} for url in _urls(post.text)]},
            }
            for post in newest[start : start + size]
        ]
        more = {"next_token": str(start + size)} if start + size < len(newest) else {}
        return {"meta": {"result_count": len(page), **more}, **({"data": page} if page else {})}


class XGrantServer(XServer):
    """X with OAuth 2.0: a bearer token that runs out, and a refresh token that is taken once."""

    secrets_used = (2,)
    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.renewal = SECRETS[3]

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        grant = Grant(client_id=secrets[0], client_secret=secrets[1], access_token=secrets[2], refresh_token=secrets[3])
        return X(credentials=grant, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        basic = base64.b64encode(":".join(SECRETS[:2]).encode()).decode()
        asked = f"Basic {basic}" if request.path == "/2/oauth2/token" else f"Bearer {self.access}"
        return request.headers["Authorization"] == asked

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        if request.path == "/2/users/me":
            return 200, {"data": {"id": "4711", "username": "harbour"}}
        if request.path != "/2/oauth2/token":
            return super().act(request, method, body)
        asked = dict(parse_qsl(body.decode()))
        if (asked["grant_type"], asked["refresh_token"]) != ("refresh_token", self.renewal):
            return 400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
        self.access, self.renewal = "renewed-access", "renewed-refresh"
        return 200, {"access_token": self.access, "refresh_token": self.renewal, "expires_in": 7200}


def _urls(text: str) -> list[str]:
    return re.findall(r"https://\S+", text)


def _wrapped(text: str) -> str:
    return re.sub(r"https://\S+", "https://t.co/x", text)


class AgoraServer(Stage):
    """Agora: a repeated key gives the same post again."""

    network = "agora"
    answer_to_repeat = "same"
    secrets_used = (1,)

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Post] = {}

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        return Agora(base_url=self.url, handle="harbour", token=secrets[1], timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        return request.headers.get("Authorization") == f"Bearer {SECRETS[1]}"

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        route = urlsplit(request.path)
        if method == "DELETE":
            return (204, {}) if self.remove(route.path.rpartition("/")[2]) else (404, {"error": "gone"})
        assert route.path == "/api/accounts/harbour/posts"
        if method == "GET":
            wanted = parse_qs(route.query)["contains"][0]
            return 200, {"posts": [self._shown(post) for post in self.posts if wanted in post.text]}
        return self._post(request.headers["Idempotency-Key"], json.loads(body)["text"])

    def _post(self, key: str, text: str) -> tuple[int, Any]:
        if key in self.keys:
            return 200, self._shown(self.keys[key])
        if len(text) > 500:
            return 422, {"error": "too long"}
        self.keys[key] = self.store(text)
        return 201, self._shown(self.keys[key])

    def _shown(self, post: Post) -> dict[str, str]:
        return {"id": post.id, "url": f"{self.url}/posts/{post.id}", "text": post.text}


STAGES = (XServer, XGrantServer, AgoraServer, *social_stages.STAGES, *page_stages.STAGES)


def _running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with request.param() as started:
        yield started


def _each(**plays: bool) -> Any:
    """A fixture of running networks, each in turn, that have these attributes."""
    chosen = [server for server in STAGES if all(getattr(server, name) == value for name, value in plays.items())]
    return pytest.fixture(params=chosen, ids=lambda server: server.__name__.removesuffix("Server").lower())(_running)


stage = _each()
reader = _each(reads_back=True)
renewing = _each(renews=True)
reading = _each(reads_one=True)
editing = _each(edits=True)
answering = _each(answers=True)
