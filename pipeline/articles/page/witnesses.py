"""Who can be asked about a story: the page's tree, what it says to machines, and the feed's entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from lxml.html import HtmlElement

from pipeline.articles import furniture
from pipeline.articles.raw import dates
from pipeline.articles.raw.metadata import Metadata


class Told(Protocol):
    """What a feed's entry says of the same story."""

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
    def image(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Page:
    """All witnesses of one story: the page's tree, what it says to machines, and the feed's entry."""

    tree: HtmlElement
    said: Metadata
    entry: Told | None
    url: str | None
    headers: Mapping[str, str]
    zone: tzinfo

    def first(self, *names: str) -> str:
        return next((value for name in names if (value := self.said.meta.get(name))), "")

    def pick(self, *paths: str) -> str:
        """The words (or the attribute) the first matching path finds."""
        for path in paths:
            for found in self.tree.xpath(path)[:3]:
                text = " ".join(str(found).split()) if isinstance(found, str) else furniture.text_of(found)
                if text:
                    return text
        return ""

    def when(self, *texts: str) -> datetime | None:
        return next((moment.at for text in texts if text and (moment := dates.parse(text, zone=self.zone))), None)
