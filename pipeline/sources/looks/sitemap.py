"""A look at a sitemap: what it lists and we do not have. News sitemaps at every poll, whole archives once a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pipeline.articles.identity.names import url_name
from pipeline.articles.models import Alias
from pipeline.kernel.outbound.http import Answer
from pipeline.sources.formats import sitemaps
from pipeline.sources.formats.entries import Entry
from pipeline.sources.formats.sitemaps import Sitemap
from pipeline.sources.looks import conditional
from pipeline.sources.looks.asking import Asker, Told, parsed
from pipeline.sources.looks.zones import zone_of
from pipeline.sources.models import Channel

MOST_LISTS = 3  #: of an index, the newest
MOST_FRESH = 300  #: looked at as news after one look; a site that lists more at once has moved, or restored a backup
#: An address dated before this that turns up now is archive: an old list that an edit brought to the top again.
NEWS_WITHIN = timedelta(hours=48)
CHUNK = 5_000


def is_news(url: str) -> bool:
    """News sitemaps are named so (`/news-sitemap.xml`, `/sitemap-news.xml`) and worth a look at every poll."""
    return "news" in urlsplit(url).path.lower()


def look(channel: Channel, *, asker: Asker, now: datetime) -> Told:
    """Raises Failed."""
    news, before = is_news(channel.url), conditional.Held(channel.etag, channel.last_modified, channel.modified_only)
    full = not news or conditional.wants_everything(last_full_at=channel.last_full_at, polls=channel.polls, now=now)
    sent = None if full else before.to_send()
    answer = asker.get(channel.url, sent=sent)
    digest = "" if answer.not_modified else conditional.digest(answer.body)
    is_same = news and (answer.not_modified or digest == channel.body_hash)
    lists = [] if is_same else list(_lists(channel, answer, asker))
    entries = [replace(entry, id="") for one in lists for entry in one.entries]  # an address is no guid
    fresh, archive = _sorted_out(channel, entries, now=now)
    return Told(
        status=answer.status,
        is_full=full,
        held=conditional.held_after(before, sent=sent, answer=answer, is_same=is_same),
        digest=digest,
        is_same=is_same,
        entries=tuple(fresh),
        archive=tuple(archive),
        note="; ".join(dict.fromkeys(warning for one in lists for warning in one.warnings)),
        moved_to=answer.permanent_redirect_to,
    )


def _lists(channel: Channel, answer: Answer, asker: Asker) -> Iterator[Sitemap]:
    """The sitemap itself or, of an index, the lists of stories that were changed last."""
    top = _read(channel, answer)
    yield top
    for url in sitemaps.story_lists(top.children)[:MOST_LISTS]:
        child = asker.get_further(url)
        if child is not None:
            yield _read(channel, child)


def _read(channel: Channel, answer: Answer) -> Sitemap:
    zone = zone_of(channel.source.zone)
    return parsed(lambda: sitemaps.read(answer.body, url=answer.final_url, zone=zone))


def _sorted_out(channel: Channel, entries: Sequence[Entry], *, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """(what may be news or has changed, what was there all along), by set difference with the addresses we know."""
    known = _known(channel.source_id, entries)
    fresh: list[Entry] = []
    changed: list[Entry] = []
    archive: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: _at(entry) or now, reverse=True):
        at = _at(entry)
        is_recent = at is None or at >= now - NEWS_WITHIN
        if _name(entry) in known:
            changed += [entry] if at is not None and is_recent else []
        else:
            (fresh if is_recent and channel.body_hash else archive).append(entry)
    return fresh[:MOST_FRESH] + changed[:MOST_FRESH], archive


def _at(entry: Entry) -> datetime | None:
    return entry.published or entry.updated


def _known(source_id: int, entries: Sequence[Entry]) -> set[str]:
    names, known = [_name(entry) for entry in entries], set()
    for start in range(0, len(names), CHUNK):
        rows = Alias.objects.filter(source_id=source_id, kind="url", value__in=names[start : start + CHUNK])
        known |= set(rows.values_list("value", flat=True))
    return known


def _name(entry: Entry) -> str:
    return url_name(entry.link or "")[1]
