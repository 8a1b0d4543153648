"""A look at a feed: RSS, Atom, RDF or JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.articles.identity import identify
from pipeline.kernel.outbound.http import Answer
from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import Entry, Feed
from pipeline.sources.looks import conditional
from pipeline.sources.looks.asking import Asker, Failed, Told, parsed
from pipeline.sources.looks.zones import zone_of
from pipeline.sources.models import Channel

FURTHEST_PAGE = 5


def look(channel: Channel, *, asker: Asker, now: datetime) -> Told:
    """Raises Failed."""
    before = conditional.Held(channel.etag, channel.last_modified, channel.modified_only)
    full = conditional.wants_everything(last_full_at=channel.last_full_at, polls=channel.polls, now=now)
    sent = None if full else before.to_send()
    answer = asker.get(channel.url, sent=sent)
    digest = "" if answer.not_modified else conditional.digest(answer.body)
    is_same = answer.not_modified or digest == channel.body_hash
    held = conditional.held_after(before, sent=sent, answer=answer, is_same=is_same)
    feed = None if is_same else parsed(lambda: _read(answer, channel))
    return Told(
        status=answer.status,
        is_full=full or (not answer.not_modified and sent is not None and not sent.headers()),
        held=held,
        digest=digest,
        is_same=is_same,
        entries=_with_earlier(channel, feed, asker) if feed else (),
        note="; ".join(feed.warnings) if feed else "",
        moved_to=answer.permanent_redirect_to,
        generator=(feed.generator or "") if feed else "",
    )


def _read(answer: Answer, channel: Channel) -> Feed:
    return feeds.read(answer.body, url=answer.final_url, headers=answer.headers, zone=zone_of(channel.source.zone))


def _with_earlier(channel: Channel, feed: Feed, asker: Asker) -> tuple[Entry, ...]:
    """Where every entry of a WordPress feed is new, earlier ones were pushed out of it: its further pages have them."""
    entries = fresh = list(feed.entries)
    if not channel.body_hash or "wordpress" not in (feed.generator or "").lower():
        return tuple(entries)
    for page in range(2, FURTHEST_PAGE + 1):
        if not fresh or _meets_known(channel.source_id, fresh):
            break
        fresh = list(_page(channel, page, asker))
        entries = [*entries, *fresh]
    return tuple(entries)


def _page(channel: Channel, page: int, asker: Asker) -> Iterator[Entry]:
    """What a further page tells; nothing where the feed ends before it."""
    try:
        answer = asker.get_further(paged(channel.url, page))
        if answer is not None:
            yield from parsed(lambda: _read(answer, channel)).entries
    except Failed:
        return


def _meets_known(source_id: int, entries: list[Entry]) -> bool:
    """Looked for from the oldest: in most looks the first question answers it."""
    told = (entry for entry in reversed(entries) if entry.link)
    return any(identify.find(source_id=source_id, names=identify.names_of(entry)) for entry in told)


def paged(url: str, page: int) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*kept, ("paged", str(page))])))
