"""A news site on loopback: a feed, a REST interface and sitemaps made from a list of posts that a test edits."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.kernel.outbound.http import Client

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """One request. Header names are lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Post:
    """`at` is its date, `modified` when it was changed last."""

    id: int
    title: str
    at: datetime
    modified: datetime | None = None

    @property
    def touched(self) -> datetime:
        return self.modified or self.at


Answering = Callable[[Asked], Reply]


class Site:
    """`routes` answer before the site's own paths do: /feed/, /wp-json/..., /wp-sitemap.xml, /news-sitemap.xml."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.asked: list[Asked] = []
        self.routes: dict[str, Answering] = {}
        self.generator = "https://wordpress.org/?v=7.1.4"
        self.built_at = NOW
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}/"

    def publish(self, count: int = 1, *, at: datetime = YESTERDAY, first_id: int | None = None) -> list[Post]:
        """New posts, each a minute after the one before, with ids of their own."""
        start = first_id or max((post.id for post in self.posts), default=100) + 3
        made = [
            Post(id=start + n, title=f"Story {start + n} of the river towns", at=at + timedelta(minutes=n))
            for n in range(count)
        ]
        self.posts += made
        return made

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
        own: dict[str, Answering] = {
            "/feed/": self.feed,
            "/wp-json/wp/v2/posts": self.rest,
            "/wp-json/wp/v2/categories": self.categories,
            "/wp-sitemap.xml": self.sitemap_index,
            "/wp-sitemap-posts-post-1.xml": self.sitemap,
            "/news-sitemap.xml": self.news_sitemap,
        }
        known = {**own, **self.routes}
        return known[asked.path](asked) if asked.path in known else Reply(404, b"no such page")

    def feed(self, asked: Asked) -> Reply:
        """The ten newest, as WordPress serves them: ETag and Last-Modified of the newest, both compared."""
        page = int(asked.query.get("paged", "1"))
        posts = sorted(self.posts, key=lambda post: post.at, reverse=True)[10 * (page - 1) : 10 * page]
        if not posts and page > 1:
            return Reply(404, b"<html>no such page</html>")
        newest = max((post.touched for post in self.posts), default=NOW)
        validators = {"Last-Modified": format_datetime(newest, usegmt=True)}
        validators["ETag"] = f'"{hashlib.sha256(newest.isoformat().encode()).hexdigest()[:32]}"'
        sent = [asked.headers.get(name) for name in ("if-none-match", "if-modified-since")]
        if any(sent) and all(one in {None, validators["ETag"], validators["Last-Modified"]} for one in sent):
            return Reply(304, headers=validators)
        return Reply(200, self._rss(posts).encode(), validators | {"Content-Type": "application/rss+xml"})

    def _rss(self, posts: list[Post]) -> str:
        items = "".join(
            f"<item><title>{post.title}</title><link>{self.link(post)}</link>"
            f'<guid isPermaLink="false">{self.url}?p={post.id}</guid><pubDate>{format_datetime(post.at)}</pubDate>'
            f"<description>What was agreed on in {post.title}.</description></item>"
            for post in posts
        )
        built = format_datetime(self.built_at)
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>The Meridian</title><link>{self.url}</link>'
            f"<lastBuildDate>{built}</lastBuildDate><generator>{self.generator}</generator>{items}</channel></rss>"
        )

    def rest(self, asked: Asked) -> Reply:
        found = list(self.posts)
        if after := asked.query.get("after"):
            found = [post for post in found if post.at > datetime.fromisoformat(after)]
        if after := asked.query.get("modified_after"):
            found = [post for post in found if post.touched > datetime.fromisoformat(after)]
        by_id = asked.query.get("orderby") == "id"
        found.sort(key=lambda post: (post.id if by_id else 0, post.at), reverse=True)
        size, page = int(asked.query.get("per_page", "10")), int(asked.query.get("page", "1"))
        shown = [self._json(post) for post in found[size * (page - 1) : size * page]]
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        return Reply(200, json.dumps(shown).encode(), headers | {"Content-Type": "application/json"})

    def _json(self, post: Post) -> dict[str, Any]:
        said = f"<p>What was agreed on in {post.title}, at length.</p>"
        return {
            "id": post.id, "link": self.link(post), "guid": {"rendered": f"{self.url}?p={post.id}"}, "status": "publish",
            "date_gmt": f"{post.at:%Y-%m-%dT%H:%M:%S}", "modified_gmt": f"{post.touched:%Y-%m-%dT%H:%M:%S}",
            "title": {"rendered": post.title}, "content": {"rendered": said}, "categories": [7],
        }  # fmt: skip

    def categories(self, _asked: Asked) -> Reply:
        told = [
            {"id": 7, "name": "Ambassadors", "slug": "ambassadors", "parent": 3},
            {"id": 3, "name": "Diplomatic News", "slug": "diplomatic", "parent": 0},
        ]
        return Reply(200, json.dumps(told).encode(), {"Content-Type": "application/json", "X-WP-TotalPages": "1"})

    def sitemap_index(self, _asked: Asked) -> Reply:
        body = f"<sitemapindex><sitemap><loc>{self.url}wp-sitemap-posts-post-1.xml</loc></sitemap></sitemapindex>"
        return Reply(200, body.encode())

    def sitemap(self, _asked: Asked) -> Reply:
        listed = "".join(
            f"<url><loc>{self.link(post)}</loc><lastmod>{post.touched.isoformat()}</lastmod></url>"
            for post in self.posts
        )
        return Reply(200, f"<urlset>{listed}</urlset>".encode())

    def news_sitemap(self, _asked: Asked) -> Reply:
        listed = "".join(
            f"<url><loc>{self.link(post)}</loc><n:news><n:publication_date>{post.at.isoformat()}</n:publication_date>"
            f"<n:title>{post.title}</n:title></n:news></url>"
            for post in self.posts
        )
        return Reply(
            200, f'<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{listed}</urlset>'.encode()
        )

    def link(self, post: Post) -> str:
        return f"{self.url}story-{post.id}/"

    def client(self) -> Client:
        return Client(site_url="http://127.0.0.1", allow=frozenset({self.place}))

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            reply = site.answer(Asked(parts.path, query, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


@contextmanager
def site() -> Iterator[Site]:
    """A site that answers until the block ends."""
    made = Site()
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(5)
