"""Agora: a pretend social network over HTTP, with the faults a real one shows when it is asked to."""

from __future__ import annotations

import base64
import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import regex
from markupsafe import Markup, escape

from pipeline.demo.world.serving import (
    Answer,
    Hangup,
    LocalServer,
    Request,
    json_answer,
    redirect,
    stylesheet,
    templates,
)

LONGEST_TEXT = 500
MOST_PICTURES = 4
_FIRST_ID = 730_100
_CSP = "default-src 'none'; style-src 'self'; img-src 'self' http: https: data:"
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Picture:
    """One attached picture: bytes kept here, or the address of one elsewhere."""

    alt: str
    media_type: str
    content: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it went live."""

    id: str
    handle: str
    text: str
    language: str
    pictures: tuple[Picture, ...]
    created_at: datetime


class Refused(Exception):
    """The network says no: `status` and a sentence, after `retry_after_s` seconds perhaps yes."""

    def __init__(self, status: int, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.retry_after_s = status, reason, retry_after_s


class PretendNetwork:
    """Serves Agora on 127.0.0.1; everything is in memory.

    An account exists once somebody posts to it, and belongs to the token it was first used with. Faults are
    switched on for the next n posting requests and are spent one at a time, in the order `refuse`, `drop`.
    """

    def __init__(self, *, port: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._server = LocalServer(answer=self._answer, port=port, name="network")
        self._pages = templates("network")
        self._pages.globals.update(linked=_linked)
        self._lock = threading.Lock()
        self._ids = count(_FIRST_ID)
        self._posts: dict[str, Post] = {}
        self._tokens: dict[str, str] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._refusals: list[Refused] = []
        self._drops = 0
        self.requests: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def posts(self) -> list[Post]:
        """What is live, oldest first."""
        with self._lock:
            return list(self._posts.values())

    def commit_then_drop(self, *, times: int = 1) -> None:
        """The next posts are stored, and the connection is cut before a byte of an answer."""
        with self._lock:
            self._drops += times

    def refuse(
        self,
        *,
        times: int = 1,
        status: int = 503,
        reason: str = "Agora is over capacity",
        retry_after_s: float | None = None,
    ) -> None:
        """The next posts are refused with `status` and not stored; 429 with `retry_after_s` sends Retry-After."""
        with self._lock:
            self._refusals += [Refused(status, reason, retry_after_s=retry_after_s)] * times

    def mend(self) -> None:
        """Forget every fault not yet spent."""
        with self._lock:
            self._refusals.clear()
            self._drops = 0

    # What is asked for

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests[f"{request.method} {request.path}"] += 1
        try:
            return self._api(request) if request.path.startswith("/api/") else self._page(request)
        except Refused as refusal:
            return _refusal(refusal)

    def _api(self, request: Request) -> Answer:
        if found := re.fullmatch(r"/api/accounts/([\w.-]+)/posts", request.path):
            if request.method == "POST":
                return self._post(found[1], request)
            if request.method == "GET":
                return self._posts_of(found[1], request)
        elif found := re.fullmatch(r"/api/posts/(\d+)", request.path):
            if request.method == "GET":
                return json_answer(self._described(self._own(found[1], request)))
            if request.method == "DELETE":
                return self._delete(self._own(found[1], request))
        else:
            raise Refused(404, "There is nothing at this address")
        raise Refused(405, "This address does not take that method")

    def _post(self, handle: str, request: Request) -> Answer:
        """201 with the new post, or 200 with the one the same Idempotency-Key made before."""
        with self._lock:
            self._admit(handle, request)
            if self._refusals:
                raise self._refusals.pop(0)
            key = (handle, request.headers.get("idempotency-key", ""))
            before = self._keys.get(key) if key[1] else None
            post = self._posts.get(before or "") or self._stored(handle, request, key)
            dropping, self._drops = self._drops > 0, max(0, self._drops - 1)
        if dropping:
            raise Hangup
        return json_answer(self._described(post), status=200 if post.id == before else 201)

    def _stored(self, handle: str, request: Request, key: tuple[str, str]) -> Post:
        text, language, pictures = _draft(request.body)
        post = Post(str(next(self._ids)), handle, text, language, pictures, self._clock())
        self._posts[post.id] = post
        if key[1]:
            self._keys[key] = post.id
        return post

    def _posts_of(self, handle: str, request: Request) -> Answer:
        with self._lock:
            self._admit(handle, request)
        wanted, limit = request.query.get("contains", ""), request.query.get("limit", "")
        found = [post for post in reversed(self.posts) if post.handle == handle and wanted in post.text]
        shown = found[: int(limit) if limit.isdecimal() else 40]
        return json_answer({"posts": [self._described(post) for post in shown]})

    def _delete(self, post: Post) -> Answer:
        with self._lock:
            self._posts.pop(post.id, None)
        return Answer(status=204)

    def _own(self, number: str, request: Request) -> Post:
        with self._lock:
            post = self._posts.get(number)
            if post is None:
                raise Refused(404, "This post does not exist")
            self._admit(post.handle, request)
            return post

    def _admit(self, handle: str, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "Send Authorization: Bearer <token>")
        if self._tokens.setdefault(handle, token) != token:
            raise Refused(403, "This token belongs to another account")

    def _described(self, post: Post) -> dict[str, object]:
        return {
            "id": post.id,
            "account": post.handle,
            "text": post.text,
            "language": post.language,
            "media": [{"alt": each.alt, "url": self._address(post, n)} for n, each in enumerate(post.pictures)],
            "created_at": post.created_at.isoformat(),
            "url": f"{self.url}/@{post.handle}/{post.id}",
        }

    def _address(self, post: Post, number: int) -> str:
        return post.pictures[number].url or f"{self.url}/media/{post.id}/{number}"

    # What a person sees

    def _page(self, request: Request) -> Answer:
        if request.path == "/look.css":
            return stylesheet("network")
        if found := re.fullmatch(r"/media/(\d+)/(\d)", request.path):
            return self._picture(found[1], int(found[2]))
        if found := re.fullmatch(r"/@([\w.-]+)(?:/(\d+))?", request.path):
            return self._timeline(handle=found[1], number=found[2])
        if request.path == "/":
            return self._timeline(handle="", number=None)
        return redirect("/")

    def _timeline(self, *, handle: str, number: str | None) -> Answer:
        posts = [post for post in reversed(self.posts) if handle in ("", post.handle) and number in (None, post.id)]
        accounts = Counter(post.handle for post in self.posts)
        body = self._pages.get_template("timeline.html").render(
            posts=posts[:60],
            handle=handle,
            number=number,
            accounts=accounts.most_common(),
            address=self._address,
        )
        status = 200 if posts or not number else 404
        return Answer(body.encode(), status, headers=(("Content-Security-Policy", _CSP),))

    def _picture(self, number: str, index: int) -> Answer:
        post = next((post for post in self.posts if post.id == number), None)
        if post is None or index >= len(post.pictures) or not post.pictures[index].content:
            raise Refused(404, "This picture does not exist")
        return Answer(post.pictures[index].content, kind=post.pictures[index].media_type)


def graphemes(text: str) -> int:
    """Length as a reader counts: extended grapheme clusters (UAX #29)."""
    return len(regex.findall(r"\X", text))


def _draft(body: bytes) -> tuple[str, str, tuple[Picture, ...]]:
    """Raises Refused 400 for what is not JSON, 422 for what Agora does not publish."""
    try:
        told = json.loads(body)
        text, media = str(told["text"]).strip(), list(told.get("media") or [])
        pictures = tuple(_attached(each) for each in media)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(400, f"This is not a post: {error}") from error
    if not text:
        raise Refused(422, "A post needs a text")
    if (length := graphemes(text)) > LONGEST_TEXT:
        raise Refused(422, f"The text has {length} characters; {LONGEST_TEXT} fit")
    if len(pictures) > MOST_PICTURES:
        raise Refused(422, f"{len(pictures)} pictures were sent; {MOST_PICTURES} fit")
    return text, str(told.get("language") or "en"), pictures


def _attached(told: dict[str, str]) -> Picture:
    """Either `content` (base64, with `media_type`) or `url`; `alt` beside."""
    content = base64.b64decode(told["content"], validate=True) if told.get("content") else b""
    kind = told.get("media_type", "image/png")
    if not kind.startswith("image/"):
        raise ValueError(f"{kind} is not a picture")
    return Picture(told.get("alt", ""), kind, content, "" if content else told["url"])


def _refusal(refusal: Refused) -> Answer:
    wait = refusal.retry_after_s
    headers = (("Retry-After", str(math.ceil(wait))),) if wait is not None else ()
    return json_answer({"error": refusal.reason}, status=refusal.status, headers=headers)


def _linked(text: str) -> Markup:
    """Escaped text whose addresses are links, shown without their scheme."""
    parts, at = [], 0
    for found in _LINK.finditer(text):
        shown = found[0].partition("://")[2]
        shown = shown if len(shown) <= 38 else shown[:37] + "…"
        parts += [escape(text[at : found.start()]), Markup('<a href="{}">{}</a>').format(found[0], shown)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])
