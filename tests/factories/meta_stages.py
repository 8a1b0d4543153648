"""Facebook pages and Threads on loopback: Graph's errors in its own words, the app's proof, containers in two steps."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.channels.base import Channel
from pipeline.channels.pages.facebook import Credentials as FacebookKeys
from pipeline.channels.pages.facebook import Facebook
from pipeline.channels.pages.threads import Credentials as ThreadsKeys
from pipeline.channels.pages.threads import Threads
from tests.factories.stage import SECRETS, TIMEOUT_S, Handler, Post, Stage

TOKEN = 1  #: index among SECRETS


def query_of(request: Handler) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))


def form_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


class GraphStage(Stage):
    """Errors as Graph tells them."""

    def refuse(self, request: Handler, status: int) -> None:
        code = {401: 190, 429: 32, 500: 2, 503: 2}[status]
        error = {"message": "no", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
        request.say(400 if code != 2 else status, {"error": error}, Retry_After="7")

    def gone(self) -> tuple[int, Any]:
        said = "Unsupported request. Object does not exist, cannot be loaded due to missing permissions"
        return 400, {"error": {"message": said, "type": "GraphMethodException", "code": 100, "error_subcode": 33}}

    def page(self, request: Handler, shown: list[dict[str, Any]]) -> dict[str, Any]:
        asked = query_of(request)
        start, size = int(asked.get("after", 0)), int(asked["limit"])
        more = {"next": "https://graph.example/next"} if start + size < len(shown) else {}
        after = {"after": str(start + size)} if more else {}
        return {"data": shown[start : start + size], "paging": {"cursors": after, **more}}


class FacebookServer(GraphStage):
    """A page whose app requires proof; the same words again are error 506."""

    network = "facebook"
    answer_to_repeat = "unknown"
    secrets_used = (0, TOKEN)
    limit = 63206

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = FacebookKeys(access_token=secrets[TOKEN], page="4711", app_secret=secrets[0])
        return Facebook(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        proof = hmac.new(SECRETS[0].encode(), SECRETS[TOKEN].encode(), hashlib.sha256).hexdigest()
        signed = query_of(request).get("appsecret_proof") == proof
        return signed and request.headers["Authorization"] == f"Bearer {SECRETS[TOKEN]}"

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        place = urlsplit(request.path).path.removeprefix("/v25.0")
        if place == "/4711":
            return 200, {"id": "4711"}
        if method == "POST":
            return self._post(form_of(body)["message"])
        if method == "DELETE":
            return (200, {"success": True}) if self.remove(place[1:]) else self.gone()
        assert place == "/4711/posts"
        shown = [
            {"id": post.id, "message": post.text, "permalink_url": f"https://www.facebook.com/{post.id}"}
            for post in self.posts[::-1]
        ]
        return 200, self.page(request, shown)

    def _post(self, text: str) -> tuple[int, Any]:
        if any(post.text == text for post in self.posts):
            return 400, {"error": {"message": "Duplicate status message", "type": "FacebookApiException", "code": 506}}
        if len(text) > self.limit:
            return 400, {"error": {"message": "(#100) too long", "type": "OAuthException", "code": 100}}
        return 200, {"id": self.store(text).id}

    def store(self, text: str) -> Post:
        self.posts.append(Post(id=f"4711_{1000 + len(self.posts)}", text=text))
        return self.posts[-1]


class ThreadsServer(GraphStage):
    """Containers that nobody sees, and their publication, which may be lost."""

    network = "threads"
    answers = True
    answer_to_repeat = "second"
    secrets_used = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, dict[str, str]] = {}
        self.done: set[str] = set()

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = ThreadsKeys(access_token=secrets[TOKEN], user="4711")
        return Threads(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        return request.headers["Authorization"] == f"Bearer {SECRETS[TOKEN]}"

    def publishes(self, request: Handler, method: str) -> bool:
        return request.path.endswith("/threads_publish")

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        place = urlsplit(request.path).path.removeprefix("/v1.0")
        if method == "POST":
            assert place in ("/4711/threads", "/4711/threads_publish")
            return (self._contained if place.endswith("threads") else self._made_public)(form_of(body))
        if method == "DELETE":
            return (200, {"success": True}) if self.remove(place[1:]) else self.gone()
        if place in ("/4711/threads", "/4711/replies"):
            shown = [post for post in self.posts[::-1] if (post.id in self.parents) == place.endswith("replies")]
            return 200, self.page(request, [self._shown(post) for post in shown])
        if query_of(request).get("fields") == "status":
            return self._status(place[1:])
        if place == "/4711":
            return 200, {"id": "4711"}
        found = next((post for post in self.posts if f"/{post.id}" == place), None)
        return (200, self._shown(found)) if found else self.gone()

    def _contained(self, form: dict[str, str]) -> tuple[int, Any]:
        assert form["media_type"] == "TEXT"
        if len(form["text"]) > self.limit:
            return 400, {"error": {"message": "Param text must be at most 500 characters long.", "code": 100}}
        number = f"c{len(self.containers)}"
        self.containers[number] = form
        return 200, {"id": number}

    def _made_public(self, asked: dict[str, str]) -> tuple[int, Any]:
        number = asked["creation_id"]
        if number not in self.containers or number in self.done:
            return 400, {"error": {"message": "The requested resource does not exist", "code": 24}}
        self.done.add(number)
        form = self.containers[number]
        return 200, {"id": self.below(form.get("reply_to_id", ""), self.store(form["text"])).id}

    def _status(self, number: str) -> tuple[int, Any]:
        if number not in self.containers:
            return self.gone()
        return 200, {"id": number, "status": "PUBLISHED" if number in self.done else "FINISHED"}

    def _shown(self, post: Post) -> dict[str, str]:
        return {"id": post.id, "text": post.text, "permalink": f"https://www.threads.com/@harbour/post/{post.id}"}
