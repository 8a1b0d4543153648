"""Networks on loopback for the contract of channels, one per adapter (their frame: tests/factories/stage.py).

They keep their posts, check credentials (X: the OAuth 1.0a signature, by oauthlib) and can lose an answer before or
after they have acted on the request.
"""

from __future__ import annotations

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
from pipeline.channels.social.x import Credentials, X
from tests.factories import page_stages
from tests.factories.stage import SECRETS, TIMEOUT_S, Handler, Post, Stage


class XServer(Stage):
    """X: repeats are a 403 without a code, links are shown as t.co, pages are read by token."""

    network = "x"
    answer_to_repeat = "unknown"
    secrets_used = (0, 1, 2, 3)

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
            return self._post(json.loads(body)["text"])
        if method == "DELETE":
            gone = not self.remove(route.path.rpartition("/")[2])
            return (404, {"title": "Not Found Error"}) if gone else (200, {"data": {"deleted": True}})
        assert route.path == "/2/users/4711/tweets"
        return 200, self._page({name: values[0] for name, values in parse_qs(route.query).items()})

    def _post(self, text: str) -> tuple[int, Any]:
        if any(post.text == text for post in self.posts):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return 403, {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
        if len(text) > 280:
            return 403, {"detail": "You are not permitted to perform this action.", "title": "Forbidden"}
        post = self.store(text)
        return 201, {"data": {"id": post.id, "text": _wrapped(text)}}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        start, size = int(query.get("pagination_token", 0)), int(query["max_results"])
        newest = self.posts[::-1]
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


STAGES = (XServer, AgoraServer, *page_stages.STAGES)


@pytest.fixture(params=STAGES, ids=lambda server: server.network)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A running network, each in turn."""
    with request.param() as started:
        yield started


@pytest.fixture(params=[server for server in STAGES if server.reads_back], ids=lambda server: server.network)
def reader(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A running network whose accounts can be read back, each in turn."""
    with request.param() as started:
        yield started
