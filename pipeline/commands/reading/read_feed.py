"""`dateline read-feed`: what a feed says, one JSON object for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.articles.raw.markup import UnusableInput as Unreadable
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.limits import TooMuchCpu, cpu_seconds
from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import Entry, Feed

MAX_CPU_S = 9.0  #: for one file; with the start of the program, 10


def lines(
    paths: Iterable[Path | str], *, url: str | None = None, headers: Iterable[str] = ()
) -> Iterator[dict[str, Any]]:
    """One answer for each file, in order: {feed: {title, link}, entries: [...], warnings: [...]}.

    `headers` are `Name: value` lines as the site sent them. Raises UnusableInput for a file that cannot be read or
    is no feed, after the answers of the files before it.
    """
    sent = dict(_header(line) for line in headers)
    for path in map(Path, paths):
        data = content(path, most=feeds.MAX_BYTES)
        with bounded(path):
            answer = as_json(feeds.read(data, url=url, headers=sent))
        yield answer


@contextmanager
def bounded(path: Path) -> Iterator[None]:
    """What cannot be read, or not in time, as UnusableInput with the name of its file."""
    try:
        with cpu_seconds(MAX_CPU_S):
            yield
    except Unreadable as error:
        raise UnusableInput(f"{path}: {error}") from error
    except TooMuchCpu as error:
        raise UnusableInput(f"{path}: given up, {error}") from error


def content(path: Path, *, most: int) -> bytes:
    """A file's bytes, at most one more than `most`. Raises UnusableInput."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def instant(at: datetime | None) -> str | None:
    """UTC to the second, as every answer of ours writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def as_json(feed: Feed) -> dict[str, Any]:
    """A feed as the answer's object."""
    return {
        "feed": {"title": feed.title, "link": feed.link},
        "entries": [_entry(entry) for entry in feed.entries],
        "warnings": list(feed.warnings),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "published": instant(entry.published),
        "updated": instant(entry.updated),
        "author": entry.author,
        "categories": list(entry.categories),
        "summary": entry.summary,
        "content_html": entry.content_html,
    }


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise UnusableInput(f"not a header: {line[:80]!r}; write it as Name: value")
    return name.strip(), value.strip()
