"""`dateline replay`: what the gates would have done with a recorded history of a site's feed.

The folder holds files `NNN.http` (`0001.http`, `0002.http`, ...), one recorded response each, taken in the order of
their numbers: a status line, headers, an empty line, the body's bytes, as HTTP/1.1 writes them.

    HTTP/1.1 200 OK
    Date: Mon, 23 Nov 2026 09:00:00 GMT
    X-Dateline-Url: https://news.example/feed/
    Content-Type: application/rss+xml; charset=UTF-8

    <?xml version="1.0"?><rss ...

When it was received is `X-Dateline-At` (ISO 8601), else `Date`. `X-Dateline-Kind: page` marks an article's page; what
such pages say (embargo, dateline, retraction) is known before their articles are screened. Everything else is a look
at the feed. The first good look is the baseline. Nothing of this is fetched, stored or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.articles.addresses import comparable, normalise
from pipeline.articles.raw import dates
from pipeline.articles.raw.markup import UnusableInput as Unreadable
from pipeline.articles.read import Reading, read
from pipeline.articles.gates.screen import (
    CAUTIOUS_FOR,
    SIMILAR,
    Decision,
    Facts,
    State,
    identity_break,
    screen,
    source_event,
)
from pipeline.commands.read_feed import content, instant
from pipeline.commands.unusable import UnusableInput
from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import Entry, Feed

MAX_FILES = 10_000
MAX_BYTES = 11_000_000
HOUR = timedelta(hours=1)
FEWEST_WORDS = 48  #: of both texts, for their likeness to mean anything
_ANSWERS = {State.ELIGIBLE: "announce", State.HELD: "hold"}


@dataclass(frozen=True, slots=True)
class Response:
    """One recorded response. `at` is aware UTC, header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    at: datetime

    @property
    def url(self) -> str | None:
        return self.headers.get("x-dateline-url")


@dataclass(slots=True)
class _Site:
    """The alias table of one replay, in memory, and what the gates need to know of the source."""

    pages: dict[str, Reading]
    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    titles: dict[str, list[set[str]]] = field(default_factory=dict)
    baseline_at: datetime | None = None
    last_success: datetime | None = None
    failing: bool = False
    looks: int = 0
    generator: str | None = None
    announced: list[datetime] = field(default_factory=list)
    cautious_until: datetime | None = None
    cautious_because: str = ""

    def knows(self, entry: Entry) -> bool:
        return entry.id in self.ids or bool(entry.link and comparable(entry.link) in self.links)

    def knows_title(self, entry: Entry) -> bool:
        return bool(entry.title) and entry.title.casefold() in self.titles

    def learn(self, entry: Entry) -> None:
        self.ids.add(entry.id)
        if entry.link:
            self.links.add(comparable(entry.link))
        told = self.titles.setdefault(entry.title.casefold(), [])
        if len(told) < 20:
            told.append(_shingles(entry))


def lines(folder: Path | str) -> Iterator[dict[str, Any]]:
    """One answer for each article, when it is first seen: {decision, reason, params, title, link, at}.

    `decision` is announce, hold or ignore. Raises UnusableInput for a folder or a file that is not of the format.
    """
    responses = _responses(Path(folder))
    site = _Site(pages=_pages(responses))
    for response in responses:
        if response.headers.get("x-dateline-kind", "feed") != "page":
            yield from _look(site, response)


def _responses(folder: Path) -> list[Response]:
    if not folder.is_dir():
        raise UnusableInput(f"{folder}: not a folder of recorded responses")
    numbered = [path for path in folder.glob("*.http") if path.stem.isdigit()]
    if not numbered:
        raise UnusableInput(f"{folder}: holds no files named like 0001.http")
    if len(numbered) > MAX_FILES:
        raise UnusableInput(f"{folder}: more than {MAX_FILES:,} responses")
    return [_response(path) for path in sorted(numbered, key=lambda path: (int(path.stem), path.name))]


def _response(path: Path) -> Response:
    head, _, body = _split(content(path, most=MAX_BYTES))
    first, *rest = head.decode("latin-1").splitlines() or [""]
    match = re.match(r"HTTP/\d(?:\.\d)?\s+(\d{3})\b", first)
    if match is None:
        raise UnusableInput(f"{path}: does not start with a status line such as HTTP/1.1 200 OK")
    pairs = (line.partition(":") for line in rest if ":" in line)
    headers = {name.strip().casefold(): value.strip() for name, _, value in pairs}
    moment = dates.parse(headers.get("x-dateline-at") or headers.get("date") or "")
    if moment is None:
        raise UnusableInput(f"{path}: says neither X-Dateline-At nor Date")
    return Response(int(match[1]), headers, body, moment.at)


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """At the first empty line; recordings edited by hand often have bare line feeds."""
    match = re.search(rb"\r?\n\r?\n", data)
    return (data[: match.start()], b"", data[match.end() :]) if match else (data, b"", b"")


def _pages(responses: list[Response]) -> dict[str, Reading]:
    pages = {}
    for response in responses:
        if response.headers.get("x-dateline-kind") == "page" and response.url and response.status == 200:
            try:
                pages[comparable(response.url)] = read(response.body, url=response.url, headers=response.headers)
            except Unreadable:
                continue
    return pages


def _look(site: _Site, response: Response) -> Iterator[dict[str, Any]]:
    """One look at the feed. An error or a web page in its place leaves everything as it was."""
    feed = _feed(response)
    if feed is None and response.status != 304:
        site.failing = True
        return
    _note_event(site, response.at, feed)
    site.looks += 1
    site.failing, site.last_success = False, response.at
    if feed is not None:
        yield from _screened(site, feed, response.at)
        site.baseline_at = site.baseline_at or response.at


def _feed(response: Response) -> Feed | None:
    if response.status != 200:
        return None
    try:
        return feeds.read(response.body, url=response.url, headers=response.headers)
    except Unreadable:
        return None


def _note_event(site: _Site, at: datetime, feed: Feed | None) -> None:
    changed = bool(feed and feed.generator and site.generator and _family(feed.generator) != _family(site.generator))
    silent = at - site.last_success if site.failing and site.last_success else timedelta(0)
    if because := source_event(generator_changed=changed, silent_for=silent):
        site.cautious_until, site.cautious_because = at + CAUTIOUS_FOR, because
    if feed and feed.generator:
        site.generator = feed.generator


def _family(generator: str) -> str:
    """WordPress writes its version into the generator; a minor update is no event, a major one is."""
    return re.sub(r"(\d+\.\d+)[.\d]*", r"\1", generator)


def _screened(site: _Site, feed: Feed, at: datetime) -> Iterator[dict[str, Any]]:
    """Every entry not seen before, judged with its whole batch."""
    migrating = identity_break([(entry.id in site.ids, _known_otherwise(site, entry)) for entry in feed.entries])
    fresh = [entry for entry in feed.entries if not site.knows(entry)]
    facts = [_facts(site, entry, at=at, migrating=migrating) for entry in fresh]
    eligible = sum(screen(each).state is State.ELIGIBLE for each in facts)
    recent = sum(at - then < HOUR for then in site.announced)
    for entry, each in zip(fresh, facts, strict=True):
        decision = screen(replace(each, fresh_in_hour=recent + eligible))
        if decision.state is State.ELIGIBLE:
            site.announced.append(at)
        yield _line(entry, decision, at)
    for entry in feed.entries:
        site.learn(entry)


def _known_otherwise(site: _Site, entry: Entry) -> bool:
    return bool(entry.link and comparable(entry.link) in site.links) or site.knows_title(entry)


def _facts(site: _Site, entry: Entry, *, at: datetime, migrating: bool) -> Facts:
    page = site.pages.get(comparable(entry.link)) if entry.link else None
    marks = {marker.kind: marker.text for marker in page.markers} if page else {}
    likeness = _likeness(site, entry)
    return Facts(
        now=at,
        first_seen=at,
        baseline_at=site.baseline_at or at,
        was_there_before=site.baseline_at is None,
        looks=site.looks,
        published=entry.published or entry.updated or (page.published if page else None),
        dateline_date=page.dateline.date if page and page.dateline else None,
        same_as=entry.title if likeness >= SIMILAR else None,
        similarity=likeness,
        title_known=site.knows_title(entry),
        migrating=migrating,
        embargo=marks.get("embargo"),
        retraction=marks.get("retraction"),
        cautious_until=site.cautious_until,
        cautious_because=site.cautious_because,
    )


def _likeness(site: _Site, entry: Entry) -> float:
    """How like (Jaccard, three-word pieces) the entry is to the likest known one under the same title."""
    own = _shingles(entry)
    known = [
        other for other in site.titles.get(entry.title.casefold(), []) if min(len(own), len(other)) >= FEWEST_WORDS
    ]
    return max((len(own & other) / len(own | other) for other in known), default=0.0)


def _shingles(entry: Entry) -> set[str]:
    words = re.sub(r"<[^<>]*>", " ", entry.content_html or entry.summary or "").casefold().split()[:2_000]
    return {" ".join(words[n : n + 3]) for n in range(len(words) - 2)}


def _line(entry: Entry, decision: Decision, at: datetime) -> dict[str, Any]:
    return {
        "decision": _ANSWERS.get(decision.state, "ignore"),
        "reason": decision.code,
        "params": dict(decision.params),
        "title": entry.title,
        "link": normalise(entry.link) if entry.link else None,
        "at": instant(at),
    }
