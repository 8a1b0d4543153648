"""Networks on loopback for the contract of channels, one per adapter.

They keep their posts, check credentials (X: the OAuth 1.0a signature, by oauthlib) and can lose an answer before or
after they have acted on the request.
"""

from __future__ import annotations

import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from oauthlib.common import Request as SignedRequest  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

from pipeline.channels.base import Channel
from pipeline.channels.social.fake import Agora
from pipeline.channels.social.x import Credentials, X

TIMEOUT_S = (2.0, 0.5)
SECRETS = ("ck-public", "cs-secret", "4711-token", "ts-secret")


@dataclass(frozen=True)
class Post:
    """One stored post, as its author wrote it."""

    id: str
    text: str


class Stage(ABC):
    """A network with one account. `fault` is used up by the next request that writes (`any_fault`: by any)."""

    network: ClassVar[str]
    answer_to_repeat: ClassVar[str]
    secrets = SECRETS
    secrets_used: ClassVar[tuple[int, ...]]  #: which of SECRETS its channel needs

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.fault = self.any_fault = ""

        class Handler(_Handler):
            answer = staticmethod(self.take)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Stage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more; the port refuses connections."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, request: _Handler, method: str, body: bytes) -> None:
        fault, self.any_fault = self.any_fault, ""
        if method == "POST" and not fault:
            fault, self.fault = self.fault, ""
        if fault == "drop before":
            return request.drop()
        if fault in ("429", "500", "503"):
            return self.refuse(request, int(fault))
        if not self.knows(request, method):
            return self.refuse(request, 401)
        status, content = self.act(request, method, body)
        if fault == "drop after":
            return request.drop()
        if fault == "slow":
            time.sleep(TIMEOUT_S[1] * 2)
        return request.say(status, content)

    def store(self, text: str) -> Post:
        self.posts.append(Post(id=str(1000 + len(self.posts)), text=text))
        return self.posts[-1]

    def remove(self, post_id: str) -> bool:
        before = len(self.posts)
        self.posts = [post for post in self.posts if post.id != post_id]
        return len(self.posts) < before

    def refuse(self, request: _Handler, status: int) -> None:
        request.say(status, {"error": "no"}, Retry_After="7")

    @abstractmethod
    def knows(self, request: _Handler, method: str) -> bool:
        """Whether the caller proved who it is."""

    @abstractmethod
    def act(self, request: _Handler, method: str, body: bytes) -> tuple[int, Any]:
        """Do what is asked; status and JSON of the answer."""

    @abstractmethod
    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        """The adapter under test, led to this server."""


class _Handler(BaseHTTPRequestHandler):
    answer: Callable[[_Handler, str, bytes], None]

    def do_POST(self) -> None:
        self.answer(self, "POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self.answer(self, "GET", b"")

    def do_DELETE(self) -> None:
        self.answer(self, "DELETE", b"")

    def say(self, status: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client did not wait for us

    def drop(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Tests speak for themselves."""


class XServer(Stage):
    """X: repeats are a 403 without a code, links are shown as t.co, pages are read by token."""

    network = "x"
    answer_to_repeat = "unknown"
    secrets_used = (0, 1, 2, 3)

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        return X(credentials=Credentials(*secrets), base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: _Handler, method: str) -> bool:
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

    def refuse(self, request: _Handler, status: int) -> None:
        extra = {"x_rate_limit_reset": str(int(time.time()) + 7)} if status == 429 else {}
        request.say(status, {"title": "no", "detail": "no", "status": status}, **extra)

    def act(self, request: _Handler, method: str, body: bytes) -> tuple[int, Any]:
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

    def knows(self, request: _Handler, method: str) -> bool:
        return request.headers.get("Authorization") == f"Bearer {SECRETS[1]}"

    def act(self, request: _Handler, method: str, body: bytes) -> tuple[int, Any]:
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


@pytest.fixture(params=(XServer, AgoraServer), ids=lambda server: server.network)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A running network, each in turn."""
    with request.param() as started:
        yield started
