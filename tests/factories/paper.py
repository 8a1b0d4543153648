"""A WordPress newspaper that answers as one: feed with validators, REST interface, pages. Served, or asked directly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.factories.sites import Asked, Reply, Site

START = datetime(2026, 4, 23, 9, 0, tzinfo=UTC)
TOWNS = ("Alder", "Birch", "Cedar", "Dover", "Elm", "Fern", "Grove", "Hazel", "Iris", "Juniper", "Kelp", "Linden")
BLOCK = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


@dataclass
class Story:
    """One post. `at` is its date, `modified` when it was changed last; `guid` never changes by itself."""

    id: int
    title: str
    slug: str
    at: datetime
    modified: datetime
    guid: str
    words: str


class Paper:
    """The site's database and what WordPress makes of it. `blocked` puts a block page before everything."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stories: list[Story] = []
        self.old_slugs: dict[str, Story] = {}
        self.blocked = False
        self._last_id = 100

    def publish(self, count: int = 1, *, at: datetime, title: str = "", slug: str = "", words: str = "") -> list[Story]:
        """New posts of the same second."""
        made = []
        for _ in range(count):
            self._last_id += 3
            number = self._last_id
            town = f"{TOWNS[number % 12]} {TOWNS[number // 12 % 12]}"
            made.append(
                Story(
                    id=number,
                    title=title or f"{town} council votes on matter {number}",
                    slug=slug or f"story-{number}",
                    at=at,
                    modified=at,
                    guid=f"{self.url.replace('https:', 'http:')}?p={number}",
                    words=words
                    or f"The council of {town} voted on matter {number} after a debate of {number % 7 + 2} hours.",
                )
            )
        self.stories += made
        return made

    def take_back(self, story: Story) -> None:
        self.stories.remove(story)

    def move(self, story: Story, slug: str, *, at: datetime) -> None:
        """A new slug: the old address leads to the new one."""
        self.old_slugs[story.slug] = story
        story.slug, story.modified = slug, at

    def link(self, story: Story) -> str:
        return f"{self.url}{story.slug}/"

    def answer(self, asked: Asked) -> Reply:
        if self.blocked:
            return Reply(200, BLOCK, {"Content-Type": "text/html; charset=UTF-8", "Server": "cloudflare"})
        if asked.path == "/feed/":
            return self._feed(asked)
        if asked.path.startswith("/wp-json/wp/v2/posts"):
            return self._rest(asked)
        if asked.path.startswith("/wp-json/wp/v2/categories"):
            return Reply(200, b"[]", {"Content-Type": "application/json; charset=UTF-8", "X-WP-TotalPages": "1"})
        return self._page(asked.path.strip("/"))

    def _feed(self, asked: Asked) -> Reply:
        """The ten newest by date; the ETag is of the newest change, to the second (the watching reference 0.2)."""
        page = int(asked.query.get("paged", "1"))
        shown = sorted(self.stories, key=lambda story: (story.at, story.id), reverse=True)[10 * (page - 1) : 10 * page]
        newest = max((max(story.at, story.modified) for story in self.stories), default=START)
        etag = hashlib.sha256(newest.isoformat().encode()).hexdigest()[:32]
        headers = {"Last-Modified": format_datetime(newest, usegmt=True), "ETag": f'"{etag}"'}
        if asked.headers.get("if-none-match") == headers["ETag"]:
            return Reply(304, headers=headers)
        return Reply(200, self._rss(shown, newest), {"Content-Type": "application/rss+xml; charset=UTF-8", **headers})

    def _rss(self, shown: Sequence[Story], newest: datetime) -> bytes:
        items = "".join(
            f"<item>\n<title>{story.title}</title>\n<link>{self.link(story)}</link>\n"
            f'<pubDate>{format_datetime(story.at)}</pubDate>\n<guid isPermaLink="false">{story.guid}</guid>\n'
            f"<description>{story.words}</description>\n</item>\n"
            for story in shown
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>\n<title>The Gazette</title>\n'
            f"<link>{self.url}</link>\n<lastBuildDate>{format_datetime(newest)}</lastBuildDate>\n"
            f"<generator>https://wordpress.org/?v=7.1.4</generator>\n{items}</channel></rss>\n"
        ).encode()

    def _rest(self, asked: Asked) -> Reply:
        query = asked.query
        found = list(self.stories)
        if since := query.get("after"):
            found = [story for story in found if story.at > datetime.fromisoformat(since)]
        if since := query.get("modified_after"):
            found = [story for story in found if story.modified > datetime.fromisoformat(since)]
        found.sort(key=lambda story: story.id if query.get("orderby") == "id" else story.at.timestamp(), reverse=True)
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        told = [self._post(story) for story in found[size * (page - 1) : size * page]]
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        body = "[" + ",\n".join(json.dumps(post, separators=(",", ":")) for post in told) + "]"
        return Reply(200, body.encode(), {"Content-Type": "application/json; charset=UTF-8", **headers})

    def _post(self, story: Story) -> dict[str, Any]:
        return {
            "id": story.id, "date_gmt": f"{story.at:%Y-%m-%dT%H:%M:%S}", "modified_gmt": f"{story.modified:%Y-%m-%dT%H:%M:%S}",
            "guid": {"rendered": story.guid}, "link": self.link(story), "title": {"rendered": story.title},
            "content": {"rendered": f"<p>{story.words}</p>"},
        }  # fmt: skip

    def _page(self, slug: str) -> Reply:
        html = {"Content-Type": "text/html; charset=UTF-8"}
        story = next((story for story in self.stories if story.slug == slug), None)
        if story is None and (moved := self.old_slugs.get(slug)) in self.stories and moved:
            return Reply(301, b"", {**html, "Location": self.link(moved)})
        if story is None:
            return Reply(404, b"<!DOCTYPE html><html><body><h1>Page not found</h1></body></html>", html)
        body = (
            f'<!DOCTYPE html><html lang="en"><head><title>{story.title}</title>'
            f'<link rel="canonical" href="{self.link(story)}"></head><body><article><h1>{story.title}</h1>'
            f'<div class="entry-content"><p>{story.words}</p></div></article></body></html>'
        )
        return Reply(200, body.encode(), html)


class Served(Site):
    """A paper over real HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.paper = Paper(self.url)

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            return self.paper.answer(asked)


def days_old(days: float) -> datetime:
    """An instant before the paper is first looked at."""
    return START - timedelta(days=days)
