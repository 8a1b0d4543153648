"""From one address to every way of watching its site: feed, REST interface, sitemaps, hub, pings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from django.db import transaction

from pipeline.articles.addresses import comparable, same_site
from pipeline.kernel.outbound.http import Answer, Client, FetchError
from pipeline.sources import links, probes
from pipeline.sources.formats.entries import Entry
from pipeline.sources.formats.wordpress import Site
from pipeline.sources.links import Link, Page
from pipeline.sources.models import Channel, Push, Source
from pipeline.sources.probes import FeedAnswer, Probes, Rest
from pipeline.sources.pushes import websub

STRANGER_EVERY_S = 900  #: sites whose owner was not asked are looked at no more often
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_PORTS = {"http": 80, "https": 443}


class NothingToWatch(Exception):
    """The address leads to nothing we can watch; the message says what was found and what to try."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to watch. `kind` is a channel's (feed, rest, sitemap) or `websub`, whose `url` is the hub's."""

    kind: str
    url: str
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A site that can be watched, and what it says of itself. `stories` counts those it has, where it says so."""

    home_url: str
    title: str
    ways: tuple[Way, ...]
    generator: str = ""
    language: str = ""
    zone: str = ""
    stories: int | None = None
    newest: Entry | None = None
    takes_pings: bool = False  #: it can be told, in its own settings, to ping us (WordPress)
    forbidden: tuple[str, ...] = ()  #: ways that its robots.txt asks us not to take
    warnings: tuple[str, ...] = ()

    @property
    def feed_url(self) -> str | None:
        """The feed, where there is one."""
        return next((way.url for way in self.ways if way.kind == Channel.Kind.FEED), None)


def discover(url: str, *, client: Client) -> Found:
    """Find what a site (or the page or feed of one) can be watched by. Raises NothingToWatch."""
    answer = _get(url if "://" in url else f"https://{url}", client)
    asked = Probes(client)
    asked.know(answer.final_url, answer)
    given = probes.as_feed(answer)
    home = _home(answer.final_url, given.feed.link if given else None)
    start = answer if given is None and not _is_xml(answer) else asked.get(home)
    page = _page(start)
    feed = given or _feed(asked, page, start, home)
    rest = probes.rest(asked, _roots(page, start, feed, home))
    if feed is None and rest is None:
        raise NothingToWatch(
            f"{url} is neither a feed nor a page that names one. "
            "Give the address of the feed itself, often .../feed/ or .../rss."
        )
    if feed:
        home = _home(feed.answer.final_url, feed.feed.link)
    return _found(asked, page, feed, rest, home=home)


def _get(url: str, client: Client) -> Answer:
    try:
        answer = client.get(url, limit_bytes=probes.BYTES)
    except FetchError as error:
        raise NothingToWatch(f"{url} could not be read: {error}") from error
    if answer.status != 200:
        raise NothingToWatch(f"{url} answered {answer.status}; nothing was added")
    return answer


def _is_xml(answer: Answer) -> bool:
    """A feed of comments, say, or a sitemap: nothing in it leads to the site's feed, its front page does."""
    return answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml")


def _page(answer: Answer | None) -> Page:
    if answer is None:
        return Page(links=())
    page = links.in_page(answer.body, base=answer.final_url)
    return replace(page, links=(*_header_links(answer), *page.links))


def _feed(asked: Probes, page: Page, start: Answer | None, home: str) -> FeedAnswer | None:
    """The feed the page names, else the one the front page names, else one at a usual address."""
    here = start.final_url if start else home
    if found := probes.feed(asked, links.feeds(page.links, page=here)):
        return found
    if here != home and (front := asked.get(home)):
        found = probes.feed(asked, links.feeds(_page(front).links, page=home))
    return found or probes.usual_feed(asked, home)


def _roots(page: Page, start: Answer | None, feed: FeedAnswer | None, home: str) -> list[str]:
    """Named roots on the same site; then, where WordPress shows, the place it has by default."""
    said = _header_links(feed.answer) if feed else ()
    named = [root for root in links.rest_roots([*page.links, *said]) if same_site(root, home)]
    made_with = f"{page.generator} {feed.feed.generator if feed else ''}".lower()
    shows = "wordpress" in made_with or (start is not None and b"/wp-content/" in start.body)
    return [*named, urljoin(home, "wp-json/")] if shows else named


def _found(asked: Probes, page: Page, feed: FeedAnswer | None, rest: Rest | None, *, home: str) -> Found:
    told, site = probes.robots(asked, home), rest.site if rest else None
    if feed and _is_of_a_part(feed, site):
        asked.note("the feed is of a part of its site: only the feed is watched")
        rest, lists = None, []
    else:
        lists = [Way(Channel.Kind.SITEMAP, found.url) for found in probes.site_lists(asked, home, told)]
    ways = [*_channels(feed, rest), *lists]
    forbidden = tuple(way.url for way in ways if not told.allows(way.url))
    made_with = (feed.feed.generator if feed else "") or page.generator or ("WordPress" if rest else "")
    return Found(
        home_url=home,
        title=(feed.feed.title if feed else "") or (site.name if site else "") or page.title or urlsplit(home).netloc,
        ways=(*ways, *_hubs(feed)),
        generator=made_with[:200],
        language=(feed.feed.language if feed else "") or page.language,
        zone=site.zone if site else "",
        stories=_stories(feed, rest),
        newest=_newest(feed, rest),
        takes_pings=rest is not None or "wordpress" in made_with.lower(),
        forbidden=forbidden,
        warnings=(*(feed.feed.warnings if feed else ()), *asked.notes, *map(_asks_not_to, forbidden)),
    )


def _asks_not_to(url: str) -> str:
    return f"robots.txt asks us not to read {url}"


def _channels(feed: FeedAnswer | None, rest: Rest | None) -> list[Way]:
    ways = [Way(Channel.Kind.FEED, feed.answer.final_url)] if feed else []
    return [*ways, Way(Channel.Kind.REST, rest.root)] if rest else ways


def _is_of_a_part(feed: FeedAnswer, site: Site | None) -> bool:
    """A section's feed, one language's: the REST interface and the sitemaps would bring the whole site."""
    whole, own = _path(site.home if site and site.home else "/"), _path(feed.answer.final_url)
    return _path(feed.feed.link or "/") not in {whole, own}


def _path(url: str) -> str:
    return re.sub(r"(?:^|/)index\.\w+$", "", urlsplit(url).path.strip("/"))


def _stories(feed: FeedAnswer | None, rest: Rest | None) -> int | None:
    if rest and rest.posts.total is not None:
        return rest.posts.total
    return len(feed.feed.entries) if feed else None


def _newest(feed: FeedAnswer | None, rest: Rest | None) -> Entry | None:
    entries = [*(rest.posts.entries if rest else ()), *(feed.feed.entries if feed else ())]
    return max(entries, key=lambda entry: entry.published or entry.updated or _LONG_AGO, default=None)


def _header_links(answer: Answer) -> tuple[Link, ...]:
    return links.in_header(answer.headers.get("link", ""), base=answer.final_url)


def _hubs(feed: FeedAnswer | None) -> list[Way]:
    """The feed's hub and the topic it takes; one hub is enough, one over TLS is better (its secret stays one)."""
    if feed is None:
        return []
    here = feed.answer.final_url
    said = [*_header_links(feed.answer), *links.in_page(feed.answer.body[:100_000], base=here).links]
    hubs = [*links.named(said, "hub"), *(hub for hub in feed.feed.hubs if hub.startswith(("http://", "https://")))]
    hubs.sort(key=lambda hub: not hub.startswith("https://"))
    topic = next((url for url in links.named(said, "self") if _may_be_topic(url, here)), here)
    return [Way("websub", hubs[0], topic)] if hubs else []


def _may_be_topic(url: str, here: str) -> bool:
    """rel=self came without the port on a real site (watching reference 1.3): another port is another place."""
    return same_site(url, here) and _port(url) == _port(here)


def _port(url: str) -> int | None:
    """The port an address names; those of http and https are one, for sites move from one to the other."""
    parts = urlsplit(url)
    try:
        return None if parts.port == _PORTS.get(parts.scheme) else parts.port
    except ValueError:
        return 0


def _home(address: str, link: str | None) -> str:
    """Where a site begins. A feed may name another host than the one that answers (a staging copy, a missing
    port): then the answer counts."""
    here, said = urlsplit(address), urlsplit(link or "")
    return f"{here.scheme}://{here.netloc}{(said.path or '/') if said.netloc == here.netloc else '/'}"


# -- adding


@transaction.atomic
def add(
    found: Found, *, name: str, every_s: int, now: datetime, is_ours: bool = True, settle_s: int | None = None
) -> tuple[Source, bool]:
    """Start watching by every way found; (source, whether it is new). Its first looks are the baseline.

    A source we have only gains the ways it lacked. A stranger's site is asked every 15 minutes at most.
    """
    source = known(found)
    made = source is None
    if source is None:
        settling = {} if settle_s is None else {"settle_s": settle_s}
        source = Source.objects.create(
            name=(name or found.title)[:120],
            home_url=found.home_url,
            is_ours=is_ours,
            poll_s=every_s if is_ours else max(every_s, STRANGER_EVERY_S),
            zone=found.zone or "UTC",
            created_at=now,
            **settling,
        )
    for way in found.ways:
        _add_way(source, way, now=now)
    if found.takes_pings and source.is_ours:
        Push.objects.get_or_create(source=source, kind=Push.Kind.PING, topic_url="", defaults={"created_at": now})
    return source, made


def known(found: Found) -> Source | None:
    """The source we have of this site: by the feed in use, or by its front page, with or without www and TLS."""
    in_use = Channel.objects.filter(url=found.feed_url or "", source__state=Source.State.ACTIVE)
    if channel := in_use.select_related("source").first():
        return channel.source
    if source := Source.objects.filter(home_url=found.home_url).first():
        return source
    home = comparable(found.home_url)
    active = Source.objects.filter(state=Source.State.ACTIVE).order_by("id")
    return next((source for source in active if comparable(source.home_url) == home), None)


def _add_way(source: Source, way: Way, *, now: datetime) -> None:
    if way.kind == Push.Kind.WEBSUB:
        websub.subscribe(source_id=source.id, hub_url=way.url, topic_url=way.topic, now=now)
    else:
        Channel.objects.get_or_create(source=source, url=way.url, defaults={"kind": way.kind, "next_due_at": now})
