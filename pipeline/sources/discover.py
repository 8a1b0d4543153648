"""From one address to a way of watching: the feed itself, or the feed a page names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from lxml import html

from pipeline.articles.raw.markup import UnusableInput
from pipeline.kernel.outbound.http import Answer, Client, FetchError
from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import Feed
from pipeline.sources.models import Channel, Source

BYTES = 10_000_000
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")


class NothingToWatch(Exception):
    """The address leads to nothing we can watch; the message says what was found and what to try."""


@dataclass(frozen=True, slots=True)
class Found:
    """A feed that answers, and what it says of itself."""

    feed_url: str
    home_url: str
    title: str
    feed: Feed


def discover(url: str, *, client: Client) -> Found:
    """Find the feed of a site. Raises NothingToWatch."""
    answer = _get(url, client)
    try:
        return _found(answer, feeds.read(answer.body, url=answer.final_url, headers=answer.headers))
    except UnusableInput:
        named = _named_feeds(answer)
    for candidate in named:
        answer = _get(candidate, client)
        try:
            return _found(answer, feeds.read(answer.body, url=answer.final_url, headers=answer.headers))
        except UnusableInput:
            continue
    raise NothingToWatch(
        f"{url} is neither a feed nor a page that names one. Give the address of the feed itself, often .../feed/ or .../rss."
    )


def add(found: Found, *, name: str, every_s: int, now: datetime) -> tuple[Source, bool]:
    """Start watching; (source, whether it is new). Its first look is the baseline."""
    source, made = Source.objects.get_or_create(
        home_url=found.home_url,
        defaults={"name": (name or found.title)[:120], "poll_s": every_s, "created_at": now},
    )
    Channel.objects.get_or_create(source=source, url=found.feed_url, defaults={"next_due_at": now})
    return source, made


def _get(url: str, client: Client) -> Answer:
    if not urlsplit(url).scheme:
        url = f"https://{url}"
    try:
        answer = client.get(url, limit_bytes=BYTES)
    except FetchError as error:
        raise NothingToWatch(f"{url} could not be read: {error}") from error
    if answer.status != 200:
        raise NothingToWatch(f"{url} answered {answer.status}; nothing was added")
    return answer


def _named_feeds(answer: Answer) -> list[str]:
    try:
        page = html.fromstring(answer.body, base_url=answer.final_url)
    except (ValueError, html.etree.ParserError):
        return []
    links = [link for link in page.iter("link") if "alternate" in link.get("rel", "").lower().split()]
    named = [link.get("href", "") for link in links if link.get("type", "").lower() in FEED_TYPES]
    return [urljoin(answer.final_url, href) for href in named if href and "/comments/" not in href][:5]


def _found(answer: Answer, feed: Feed) -> Found:
    parts = urlsplit(feed.link or answer.final_url)
    here = urlsplit(answer.final_url)
    # A feed may name another host than the one that answers (a staging copy, a missing port): the answer counts.
    home = f"{here.scheme}://{here.netloc}{parts.path if parts.netloc == here.netloc else '/'}"
    return Found(feed_url=answer.final_url, home_url=home, title=feed.title or here.netloc, feed=feed)
