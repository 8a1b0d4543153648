"""What a feed says: plain values, whatever format it was in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MAX_ENTRIES = 300  #: considered in one feed; Feedbin's limit too


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed. Instants are aware UTC; None means the feed does not say.

    `id` is unique within its feed and stable while the site's own id, link or (last resort) words are.
    `content_html` has passed the allow-list; `title`, `summary` and `author` are plain text.
    """

    id: str
    title: str
    link: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None
    categories: tuple[str, ...] = ()
    summary: str | None = None
    content_html: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed read once. `warnings` are sentences about what was mended or doubted, each once."""

    title: str | None
    link: str | None
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()
    language: str | None = None
    generator: str | None = None
    hubs: tuple[str, ...] = ()
