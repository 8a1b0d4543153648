"""A finding, and the facts that judging an edition needs beside the edition itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.editions.content import EditionContent, Story
from pipeline.editions.rendered import Doors

BLOCK, CONFIRM, NOTE = "block", "confirm", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `level` is block, confirm or note.

    `where` is a place to jump to: subject, preheader, masthead, footer, html, text, blocks, block/3, story/2/1, design,
    design:12 (a line of the newsletter's own design). Blocks and stories count from 1, as the content has them.
    """

    code: str
    level: str
    where: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the database and the sites know: article ids, subjects of the last days, what did not answer."""

    doors: Doors
    killed: frozenset[int] = frozenset()
    embargoed: frozenset[int] = frozenset()
    changed: frozenset[int] = frozenset()  #: the site changed what an editor had overridden
    recent_subjects: tuple[str, ...] = ()
    short_blocks: tuple[tuple[str, int, int], ...] = ()  #: title, stories found, minimum
    largest_bytes: int = 0  #: HTML of the largest message a reader can get, where it is not the whole edition
    dead_links: Mapping[str, str] = field(default_factory=dict)  #: address -> what came instead, in words
    missing_pictures: Mapping[str, str] = field(default_factory=dict)
    heavy_pictures: Mapping[str, int] = field(default_factory=dict)  #: address -> bytes, at least
    design_warnings: tuple[tuple[int, str], ...] = ()  #: line and sentence, of the newsletter's own design


def placed(content: EditionContent) -> Iterator[tuple[str, str, Story]]:
    """Every story with its place and its block's kind, in the order they are read."""
    for block_number, block in enumerate(content.blocks, start=1):
        for number, story in enumerate(block.stories, start=1):
            yield f"story/{block_number}/{number}", block.kind, story
