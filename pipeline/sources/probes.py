"""Asking a site what it offers: a bounded number of requests, each of which may fail alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from pipeline.articles.raw.markup import UnusableInput
from pipeline.kernel.outbound.http import Answer, Client, FetchError
from pipeline.sources import links
from pipeline.sources.formats import feeds, sitemaps, wordpress
from pipeline.sources.formats.entries import Feed
from pipeline.sources.formats.sitemaps import Robots, Sitemap
from pipeline.sources.formats.wordpress import Posts, Site

BYTES = 10_000_000
MOST_REQUESTS = 24
LONGEST_S = 60.0
MOST_NAMED = 5  #: feeds or sitemaps tried of those a site names
USUAL_FEEDS = ("feed/", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml")
USUAL_SITEMAPS = ("news-sitemap.xml", "sitemap-news.xml", "wp-sitemap.xml")


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """A feed, and the answer it came in."""

    answer: Answer
    feed: Feed


@dataclass(frozen=True, slots=True)
class Rest:
    """A REST interface that answered: its root, its site, its newest posts."""

    root: str
    site: Site | None
    posts: Posts


@dataclass(frozen=True, slots=True)
class Listed:
    """A sitemap a site has; the news ones hold headlines, of the others `url` may be an index."""

    url: str
    is_news: bool
    count: int


class Probes:
    """Requests to one site, until their number or their time is spent. What went wrong is kept as sentences."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._left = MOST_REQUESTS
        self._until = time.monotonic() + LONGEST_S
        self._known: dict[str, Answer | None] = {}
        self.notes: list[str] = []

    def get(self, url: str) -> Answer | None:
        """The answer, if it is a 200; each address is asked once."""
        if url not in self._known:
            answer = self._ask(url)
            self._known[url] = answer if answer and answer.status == 200 else None
        return self._known[url]

    def know(self, url: str, answer: Answer) -> None:
        """Do not ask for what is here already."""
        self._known[url] = self._known[answer.final_url] = answer

    def _ask(self, url: str) -> Answer | None:
        if self._left <= 0 or time.monotonic() > self._until:
            self.note("the site was not asked everything: it answers slowly, or sends us from place to place")
            return None
        self._left -= 1
        try:
            return self._client.get(url, limit_bytes=BYTES)
        except FetchError:
            return None

    def note(self, sentence: str) -> None:
        """Remember a sentence, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def as_feed(answer: Answer) -> FeedAnswer | None:
    """The feed in an answer, unless it is no feed or one of comments."""
    try:
        feed = feeds.read(answer.body, url=answer.final_url, headers=answer.headers)
    except UnusableInput:
        return None
    return None if _tells_comments(answer.final_url, feed) else FeedAnswer(answer, feed)


def _tells_comments(url: str, feed: Feed) -> bool:
    """WordPress links each comment to its place on the page, in every language."""
    on_comments = sum("#comment-" in (entry.link or entry.id) for entry in feed.entries)
    return links.is_comments(url) or (on_comments > 0 and on_comments * 2 >= len(feed.entries))


def feed(probes: Probes, candidates: Iterable[str]) -> FeedAnswer | None:
    """The first feed that has stories; else the first that can be read."""
    empty = None
    for url in list(dict.fromkeys(candidates))[:MOST_NAMED]:
        answer = probes.get(url)
        found = as_feed(answer) if answer else None
        if found and found.feed.entries:
            return found
        empty = empty or found
    return empty


def usual_feed(probes: Probes, home: str) -> FeedAnswer | None:
    """A feed at one of the usual addresses, for sites that name none."""
    for name in USUAL_FEEDS:
        answer = probes.get(urljoin(home, name))
        if answer and (found := as_feed(answer)):
            return found
    return None


def rest(probes: Probes, roots: Iterable[str]) -> Rest | None:
    """The first REST interface whose posts can be read; why there is none is noted."""
    why = []
    for root in list(dict.fromkeys(roots))[:3]:
        answer = probes.get(wordpress.newest(root))
        if answer is None:
            why.append(f"the REST interface at {root} does not answer us")
            continue
        site = _site(probes, root)
        zone = ZoneInfo(site.zone if site and site.zone else "UTC")
        try:
            posts = wordpress.read_posts(answer.body, url=answer.final_url, zone=zone, headers=answer.headers)
        except UnusableInput as error:
            why.append(f"the REST interface at {root} cannot be used: {error}")
            continue
        return Rest(root=root, site=site, posts=posts)
    for sentence in why[:1]:
        probes.note(sentence)
    return None


def _site(probes: Probes, root: str) -> Site | None:
    answer = probes.get(wordpress.index(root))
    try:
        return wordpress.read_site(answer.body) if answer else None
    except UnusableInput:
        return None


def robots(probes: Probes, home: str) -> Robots:
    """What the host's robots.txt says; without one, everything may be read."""
    url = urljoin(home, "/robots.txt")
    answer = probes.get(url)
    return sitemaps.robots(answer.body, url=url) if answer else Robots()


def site_lists(probes: Probes, home: str, told: Robots) -> tuple[Listed, ...]:
    """At most one sitemap for news and one of everything: those robots.txt names first, then the usual places."""
    usual = [urljoin(home, name) for name in USUAL_SITEMAPS]
    ours = [url for url in told.sitemaps if _host(url) == _host(home)]
    best: dict[bool, Listed] = {}
    for url in list(dict.fromkeys([*sorted(ours, key=lambda url: "news" not in url)[:MOST_NAMED], *usual])):
        for found in _lists(probes, url) if len(best) < 2 else ():
            best.setdefault(found.is_news, found)
    return tuple(best[kind] for kind in (True, False) if kind in best)


def _lists(probes: Probes, url: str) -> list[Listed]:
    """What lies at an address; an index is looked into for a sitemap for news."""
    read = _read(probes, url)
    if read is None:
        return []
    found = [Listed(url, read.is_news, len(read.entries) or len(read.children))]
    stories = sitemaps.story_lists(read.children)
    if stories and "news" in urlsplit(stories[0]).path.lower() and (child := _read(probes, stories[0])):
        found += [Listed(stories[0], True, len(child.entries))] if child.is_news else []
    return found


def _read(probes: Probes, url: str) -> Sitemap | None:
    answer = probes.get(url)
    try:
        return sitemaps.read(answer.body, url=answer.final_url) if answer else None
    except UnusableInput:
        return None


def _host(url: str) -> str:
    return urlsplit(url).netloc.lower().removeprefix("www.")
