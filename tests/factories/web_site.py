"""A site on loopback that answers what a test writes, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.demo.world.serving import Answer, LocalServer, Request
from pipeline.kernel.outbound.http import Client

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>{title}</title><link>{link}</link>
<language>en-GB</language>{head}{items}</channel></rss>"""
ITEM = """<item><title>Story {n}</title><link>{site}/story-{n}/</link><guid isPermaLink="false">{site}/?p={n}</guid>
<pubDate>Sun, 19 Apr 2026 0{n}:00:00 GMT</pubDate><description>What story {n} is about.</description></item>"""


class WebSite:
    """Answers by path, or by `?` and its route where `rest_route` is asked; what is not there is a 404. `asked` has every path."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        self._server = LocalServer(answer=self._answer, name="site")

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def place(self) -> str:
        return self.url.removeprefix("http://")

    def _answer(self, request: Request) -> Answer:
        route = request.query.get("rest_route")
        path = f"?{route}" if route else request.path
        self.asked.append(path)
        return self.pages.get(path, Answer(b"<html><body>No such page.</body></html>", status=404))

    def put(
        self, path: str, body: str, *, kind: str = "text/html", status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """`{site}` in what is written becomes the site's address."""
        named = tuple((name, value.replace("{site}", self.url)) for name, value in (headers or {}).items())
        raw = body.replace("{site}", self.url).encode()
        self.pages[path] = Answer(raw, status=status, kind=f"{kind}; charset=utf-8", headers=named)

    def put_feed(
        self, path: str = "/feed/", *, title: str = "The Gazette", link: str = "{site}/", stories: int = 3,
        head: str = "", headers: dict[str, str] | None = None, items: str = "",
    ) -> None:  # fmt: skip
        """A feed with numbered stories, the newest first."""
        items = items or "".join(ITEM.format(n=n, site="{site}") for n in range(stories, 0, -1))
        body = FEED.format(title=title, link=link, head=head, items=items)
        self.put(path, body, kind="application/rss+xml", headers=headers)

    def put_wordpress(self, *, root: str = "/wp-json", zone: str = "Asia/Karachi", total: int = 522) -> None:
        """A WordPress as it is out of the box: front page, feed, comments, REST interface, sitemap, robots.txt."""
        shown = "{site}/?rest_route=/" if root == "?" else f"{{site}}{root}/"
        comments = '<link rel="alternate" type="application/rss+xml" title="Comments" href="{site}/comments/feed/">'
        feed = '<link rel="alternate" type="application/rss+xml" title="The Gazette" href="/feed/">'
        head = f'{comments}{feed}<meta name="generator" content="WordPress 6.8.7"><title>Home</title>'
        self.put(
            "/",
            f"<html lang='en-GB'><head>{head}</head></html>",
            headers={"Link": f'<{shown}>; rel="https://api.w.org/"'},
        )
        self.put_feed(head="<generator>https://wordpress.org/?v=6.8.7</generator>")
        self.put("/comments/feed/", FEED.format(title="Comments", link="{site}/", head="", items=_comments()))
        index = {"name": "The Gazette", "home": self.url, "namespaces": ["wp/v2"], "timezone_string": zone}
        self.put(f"{root}/", json.dumps(index), kind="application/json")
        posts = json.dumps([_post(n, self.url) for n in (9, 8, 7)])
        self.put(f"{root}/wp/v2/posts", posts, kind="application/json", headers={"X-WP-Total": str(total)})
        self.put(f"{root}/wp/v2/categories", "[]", kind="application/json")
        self.put(
            "/robots.txt", "User-agent: *\nDisallow: /wp-admin/\n\nSitemap: {site}/wp-sitemap.xml\n", kind="text/plain"
        )
        self.put("/wp-sitemap.xml", _index("{site}/wp-sitemap-posts-post-1.xml"), kind="application/xml")
        self.put("/wp-sitemap-posts-post-1.xml", _urls("{site}/story-9/"), kind="application/xml")


@contextmanager
def serving() -> Iterator[WebSite]:
    """A site that answers for the length of a block."""
    site = WebSite()
    site._server.start()
    try:
        yield site
    finally:
        site._server.stop()


@contextmanager
def reaching(*sites: WebSite) -> Iterator[Client]:
    """A guarded client that may reach these sites, and nothing else on this machine."""
    with Client(site_url="https://news.example.org", allow=frozenset(site.place for site in sites)) as client:
        yield client


def news_sitemap(*paths: str) -> str:
    """A news sitemap of these paths."""
    news = "<news:news><news:publication_date>2026-04-19T04:12:00Z</news:publication_date><news:title>News</news:title></news:news>"
    urls = "".join(f"<url><loc>{{site}}{path}</loc>{news}</url>" for path in paths)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>'


def _comments() -> str:
    return (
        "<item><title>By: Bo</title><link>{site}/story-1/#comment-4</link><guid>{site}/story-1/#comment-4</guid></item>"
    )


def _post(n: int, site: str) -> dict[str, object]:
    return {
        "id": n, "date_gmt": f"2026-04-19T0{n}:00:00", "modified_gmt": f"2026-04-19T0{n}:00:00", "status": "publish",
        "guid": {"rendered": f"{site}/?p={n}"}, "link": f"{site}/story-{n}/", "title": {"rendered": f"Story {n}"},
        "content": {"rendered": f"<p>Story {n} at length.</p>", "protected": False},
    }  # fmt: skip


def _index(*addresses: str) -> str:
    return "<sitemapindex>" + "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in addresses) + "</sitemapindex>"


def _urls(*addresses: str) -> str:
    return "<urlset>" + "".join(f"<url><loc>{url}</loc></url>" for url in addresses) + "</urlset>"
