"""Who can be asked about a story: the page's tree, what it says to machines, and what a channel told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from lxml.html import HtmlElement

from pipeline.articles.raw import dates
from pipeline.articles.raw.metadata import Metadata
from pipeline.articles.raw.trees import says

PICK_CHARS = 2_000  #: of one field


class Rung(Protocol):
    """One step of a section path as a channel tells it."""

    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def term_id(self) -> int | None: ...


class Told(Protocol):
    """What a channel says of the same story; sources' Entry is one.

    With `is_whole`, `content_html` is the story as its site renders it (REST, a connector), and what is told is
    believed before anything the page says.
    """

    @property
    def title(self) -> str: ...
    @property
    def published(self) -> datetime | None: ...
    @property
    def updated(self) -> datetime | None: ...
    @property
    def author(self) -> str | None: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def summary(self) -> str | None: ...
    @property
    def content_html(self) -> str | None: ...
    @property
    def image(self) -> str | None: ...
    @property
    def image_alt(self) -> str | None: ...
    @property
    def image_credit(self) -> str | None: ...
    @property
    def wp_id(self) -> int | None: ...
    @property
    def sections(self) -> tuple[Rung, ...]: ...
    @property
    def language(self) -> str | None: ...
    @property
    def is_whole(self) -> bool: ...
    @property
    def is_paywalled(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a section path. `slug` is the site's own, so that a renamed section keeps its key."""

    name: str
    slug: str
    term_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a channel tells of one story, as values. Instants are aware UTC; None means that it does not say.

    `wp_id` is WordPress's number of the post, an identity within its site. `sections` is the path of its deepest
    section, outermost first. `is_whole` says that `content_html` is the whole story as its site renders it (REST, a
    connector), so that its page need not be fetched; such an entry outranks what the page says to machines.
    `content_html` has passed the allow-list; `title`, `summary` and `author` are plain text.
    """

    title: str = ""
    link: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None
    categories: tuple[str, ...] = ()
    summary: str | None = None
    content_html: str | None = None
    image: str | None = None
    image_alt: str | None = None
    image_credit: str | None = None
    wp_id: int | None = None
    sections: tuple[Step, ...] = ()
    language: str | None = None
    is_whole: bool = False
    is_paywalled: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """All witnesses of one story: the page's tree, what it says to machines, and what a channel told."""

    tree: HtmlElement
    said: Metadata
    entry: Told | None
    url: str | None
    headers: Mapping[str, str]
    zone: tzinfo

    @property
    def whole(self) -> Told | None:
        """The entry, where it is the first witness of all."""
        return self.entry if self.entry and self.entry.is_whole else None

    def first(self, *names: str) -> str:
        return next((value for name in names if (value := self.said.meta.get(name))), "")

    def pick(self, *paths: str) -> str:
        """The words (or the attribute) the first matching path finds."""
        for path in paths:
            for found in self.tree.xpath(path)[:3]:
                text = (
                    " ".join(str(found)[:PICK_CHARS].split())
                    if isinstance(found, str)
                    else says(found, most=PICK_CHARS)
                )
                if text:
                    return text
        return ""

    def when(self, *texts: str) -> datetime | None:
        return next((moment.at for text in texts if text and (moment := dates.parse(text, zone=self.zone))), None)
