"""The frame of networks on loopback: they keep posts, check credentials, and lose an answer before or after acting."""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, ClassVar

from pipeline.channels.base import Channel

TIMEOUT_S = (2.0, 0.5)
SECRETS = ("ck-public", "cs-secret", "4711-token", "ts-secret")


@dataclass(frozen=True)
class Post:
    """One stored post, as its author wrote it."""

    id: str
    text: str


class Stage(ABC):
    """A network with one account. `fault` is used up by the next request that publishes (`any_fault`: by any).

    `answer_to_repeat` is "same" (post), "unknown", or "second" where the network knows no repeats. `reads_back` is
    false where nobody can look for a post. `renews` is true where a token runs out (`expire`) and is renewed;
    `reads_one`, `edits` and `answers` where it plays those routes too; `parents` is what each answer stands below.
    """

    network: ClassVar[str]
    answer_to_repeat: ClassVar[str]
    reads_back: ClassVar[bool] = True
    renews: ClassVar[bool] = False
    reads_one: ClassVar[bool] = False
    edits: ClassVar[bool] = False
    answers: ClassVar[bool] = False
    limit: ClassVar[int] = 500  #: characters it takes at most
    secrets = SECRETS
    secrets_used: ClassVar[tuple[int, ...]]  #: which of SECRETS its channel needs

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.parents: dict[str, str] = {}
        self.fault = self.any_fault = ""
        self.access = SECRETS[2]

        class Bound(Handler):
            answer = staticmethod(self.take)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
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

    def take(self, request: Handler, method: str, body: bytes) -> None:
        fault, self.any_fault = self.any_fault, ""
        if not fault and self.publishes(request, method):
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

    def publishes(self, request: Handler, method: str) -> bool:
        """Whether this request makes a post public."""
        return method == "POST"

    def expire(self) -> None:
        """Take the access token for one that has run out."""
        self.access = "another"

    def store(self, text: str) -> Post:
        self.posts.append(Post(id=str(1000 + len(self.posts)), text=text))
        return self.posts[-1]

    def above(self, ids: list[str]) -> list[str]:
        """What the answers of a thread stand below, in its order."""
        return ids[:-1]

    def below(self, parent: str, post: Post) -> Post:
        """The post, as an answer where `parent` is one that is there."""
        if parent:
            assert parent in [one.id for one in self.posts], f"no post {parent} to answer"
            self.parents[post.id] = parent
        return post

    def remove(self, post_id: str) -> bool:
        before = len(self.posts)
        self.posts = [post for post in self.posts if post.id != post_id]
        return len(self.posts) < before

    def refuse(self, request: Handler, status: int) -> None:
        request.say(status, {"error": "no"}, Retry_After="7")

    @abstractmethod
    def knows(self, request: Handler, method: str) -> bool:
        """Whether the caller proved who it is."""

    @abstractmethod
    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        """Do what is asked; status and JSON of the answer."""

    @abstractmethod
    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        """The adapter under test, led to this server."""


class Handler(BaseHTTPRequestHandler):
    """One request. `more` are headers of the answer to a request that was done."""

    answer: Callable[[Handler, str, bytes], None]
    more: Mapping[str, str] = MappingProxyType({})

    def do_POST(self) -> None:
        self.answer(self, "POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self.answer(self, "GET", b"")

    def do_PATCH(self) -> None:
        self.answer(self, "PATCH", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_PUT(self) -> None:
        self.answer(self, "PUT", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_DELETE(self) -> None:
        self.answer(self, "DELETE", b"")

    def say(self, status: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**self.more, **headers}.items():
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
