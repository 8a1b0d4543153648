"""What an edition says, as plain data: the only thing its templates ever see."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """An article's image as the publisher serves it; `alt` and `credit` may be empty, never None."""

    url: str
    alt: str = ""
    credit: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One article as a digest shows it. `section` is the path from the front page; the last part is the deepest."""

    headline: str
    url: str
    standfirst: str = ""
    section: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    picture: Picture | None = None
    place: str = ""  #: the dateline's place, "Tokyo"
    language: str = ""
    label: str = ""  #: "Update", "from 2019"
    reading_minutes: int | None = None
    article_id: int | None = None


@dataclass(frozen=True, slots=True)
class FilledBlock:
    """A block of the newsletter with the stories chosen for it."""

    kind: str  #: lead, top, section, popular, related, opinion, sponsor, note
    title: str = ""
    stories: tuple[Story, ...] = ()
    note: str = ""  #: for an editor's note: plain text, paragraphs separated by a blank line
    link: str = ""  #: "More in Africa" leads here
    topic: str = ""  #: the slug readers may follow it by; "" is everybody's


@dataclass(frozen=True, slots=True)
class Masthead:
    """How a newsletter looks and who answers for it."""

    name: str
    slug: str
    publisher: str
    home_url: str
    postal_address: str
    tagline: str = ""
    logo_url: str = ""
    accent: str = "#9b1c2e"
    paper: str = "ivory"  #: ivory, white or rose
    typeface: str = "mixed"  #: headlines and text: mixed is serif over sans, else serif or sans alone
    language: str = "en"
    direction: str = "ltr"  #: ltr or rtl
    zone: str = "UTC"
    design: str = "morning"


@dataclass(frozen=True, slots=True)
class EditionContent:
    """A whole edition before rendering."""

    masthead: Masthead
    slot_at: datetime
    subject: str
    preheader: str
    blocks: tuple[FilledBlock, ...] = field(default_factory=tuple)

    def stories(self) -> tuple[Story, ...]:
        """Every story in the order it is read."""
        return tuple(story for block in self.blocks for story in block.stories)
