"""A site on loopback, watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pipeline.articles.models import Article
from pipeline.sources import watch
from pipeline.sources.looks import courtesy, rest
from pipeline.sources.models import Channel, Source
from tests.factories import sites, sources
from tests.factories.sites import NOW, Site


class Watched:
    """A site, the source it is, and a clock that a test moves on. Every look is made when it is due."""

    def __init__(self, site: Site) -> None:
        self.site, self.now = site, NOW
        self.client = site.client()
        self._source_id = 0

    def begin(self, *kinds: str, baseline: bool = True, **fields: object) -> None:
        """Watch it by these ways (feed, rest, sitemap, news), with a first look at each."""
        known = {"baseline_at": None, "looks": 0, "last_success_at": None, **fields}
        made = sources.source(home_url=self.site.url, now=self.now, **known)
        self._source_id = made.id
        ways = {"feed": "feed/", "rest": "wp-json/", "sitemap": "wp-sitemap.xml", "news": "news-sitemap.xml"}
        for kind in kinds or ("feed",):
            sources.channel(
                source=made, url=self.site.url + ways[kind], kind="sitemap" if kind == "news" else kind, now=self.now
            )
        if baseline:
            for _ in range(2):  # telling starts after the second
                self.look_all()
        self.site.asked.clear()

    @property
    def source(self) -> Source:
        return Source.objects.get(id=self._source_id)

    def channel(self, kind: str = "feed") -> Channel:
        return Channel.objects.get(source_id=self._source_id, kind=kind)

    def look(self, kind: str = "feed", *, after: timedelta | None = None) -> int | None:
        """The next look, when it is due, or `after` the last one."""
        channel = self.channel(kind)
        self.now = max(self.now + after if after else channel.next_due_at, self.now)
        Channel.objects.filter(id=channel.id).update(next_due_at=min(channel.next_due_at, self.now))
        return watch.look(channel_id=channel.id, now=self.now, client=self.client, gap_s=0.0)

    def look_all(self) -> None:
        self.now += timedelta(seconds=90)
        for channel in Channel.objects.filter(source_id=self._source_id).order_by("id"):
            Channel.objects.filter(id=channel.id).update(next_due_at=self.now)
            watch.look(channel_id=channel.id, now=self.now, client=self.client, gap_s=0.0)

    def hint(self) -> None:
        Channel.objects.filter(source_id=self._source_id).update(next_due_at=self.now, last_full_at=None)

    def states(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for state in Article.objects.filter(source_id=self._source_id).values_list("state", flat=True):
            found[state] = found.get(state, 0) + 1
        return found

    def wait_s(self, since: datetime, kind: str = "feed") -> float:
        return (self.channel(kind).next_due_at - since).total_seconds()


@pytest.fixture
def site() -> Iterator[Site]:
    courtesy._robots.clear()
    rest._trees.clear()
    rest._in_vain.clear()
    with sites.site() as made:
        yield made


@pytest.fixture
def watched(site: Site, db: None) -> Iterator[Watched]:
    made = Watched(site)
    yield made
    made.client.close()
