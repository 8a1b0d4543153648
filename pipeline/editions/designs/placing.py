"""Stories in their slots, as designs see them: with addresses that are blanks, headings, and a script for each language."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Story
from pipeline.editions.designs.cleaning import is_language, is_web, line
from pipeline.editions.designs.look import Script, script_of
from pipeline.editions.rendered import LinkTable
from pipeline.kernel.templating import direction

#: The kinds of block a design sets; any other is set as a section.
KINDS = ("lead", "top", "section", "popular", "related", "opinion", "sponsor", "note")
#: Words over a block that has no title of its own, by kind; "" shows none. Some designs call a block otherwise.
HEADINGS = {"lead": "", "note": "", "section": "also"} | {
    kind: kind for kind in KINDS if kind not in ("lead", "note", "section")
}
OWN_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "weekly": {"top": "long", "section": "also_week"},
    "section": {"section": "brief"},
    "breaking": {"note": "know", "related": "also_read"},
}
#: Characters of a standfirst that make about two lines under an alert's headline.
LONGEST_BRIEF = 170
_SENTENCE = re.compile(r".+?[.!?…۔؟。](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Placed:
    """A story in its slot. `href` is a blank, or empty; `language` is set where it is not the edition's.

    `turned` says that it runs against the edition; `start` is the side its lines then begin on.
    """

    story: Story
    href: str
    language: str
    direction: str
    turned: bool
    start: str
    attributes: str  #: language and direction, as they stand in a tag
    side: str  #: the rule that turns its lines, or nothing
    brief: str  #: the standfirst in about two lines
    script: Script


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block as templates see it; `more` is a blank, or empty. `position` is its place in the content, from 1."""

    position: int
    kind: str
    title: str
    heading: str  #: the title, or what the design calls such a block
    stories: tuple[Placed, ...]
    paragraphs: tuple[str, ...]
    more: str


def blank(links: LinkTable, url: str, *, kind: str, slot: str, article_id: int | None = None) -> str:
    """A blank that will be the tracked address of `url`; empty where there is no web address to go to."""
    return f"[[dl:c{links.number(url=url, kind=kind, slot=slot, article_id=article_id)}]]" if is_web(url) else ""


def placed_blocks(content: EditionContent, *, links: LinkTable, words: Mapping[str, Any]) -> tuple[PlacedBlock, ...]:
    """Stories with their slots, counted by kind of block: the second section goes on where the first ended."""
    seen: dict[str, int] = {}
    placed = []
    for position, block in enumerate(content.blocks, start=1):
        if not (block.stories or block.note):
            continue
        first = seen.get(block.kind, 0)
        seen[block.kind] = first + len(block.stories)
        kind = "sponsor" if block.kind == "sponsor" else "story"
        stories = [
            _placed(story, content.masthead, href=blank(links, story.url, kind=kind, slot=f"{block.kind}/{number}", article_id=story.article_id))
            for number, story in enumerate(block.stories, start=first + 1)
        ]  # fmt: skip
        more = blank(links, block.link, kind="section", slot=f"more/{position}")
        placed.append(
            _block(block, tuple(stories), position=position, more=more, design=content.masthead.design, words=words)
        )
    return tuple(placed)


def _block(
    block: FilledBlock, stories: tuple[Placed, ...], *, position: int, more: str, design: str, words: Mapping[str, Any]
) -> PlacedBlock:
    kind = block.kind if block.kind in KINDS else "section"
    word = OWN_HEADINGS.get(design, {}).get(kind, HEADINGS[kind])
    return PlacedBlock(
        position=position,
        kind=kind,
        title=block.title,
        heading=block.title or (str(words[word]) if word else ""),
        stories=stories,
        paragraphs=tuple(line(part) for part in re.split(r"\n\s*\n", block.note) if part.strip()),
        more=more,
    )


def _placed(story: Story, masthead: Masthead, *, href: str) -> Placed:
    spoken = story.language if is_language(story.language) else ""
    foreign = spoken if spoken.partition("-")[0].lower() != masthead.language.partition("-")[0].lower() else ""
    runs = direction(foreign) if foreign else _runs(story.headline) or masthead.direction
    if story.picture and not is_web(story.picture.url):
        story = dataclasses.replace(story, picture=None)
    #: A headline that turns out to be in an Arabic script, whatever it was said to be, is set as Arabic.
    tongue = foreign or ("ar" if runs == "rtl" != masthead.direction else masthead.language)
    turned, start = runs != masthead.direction, "right" if runs == "rtl" else "left"
    return Placed(
        story=story,
        href=href,
        language=foreign,
        direction=runs,
        turned=turned,
        start=start,
        attributes=_attributes(foreign, runs if turned else ""),
        side=f"text-align:{start};" if turned else "",
        brief=brief(story.standfirst),
        script=script_of(tongue, masthead.typeface),
    )


def _attributes(language: str, runs: str) -> Markup:
    """` lang="ar" dir="rtl"`: both are of our own alphabet by now."""
    return Markup("").join(
        Markup(' {}="{}"').format(name, value) for name, value in (("lang", language), ("dir", runs)) if value
    )


def _runs(text: str) -> str:
    """The direction of the first letter that has one (UAX #9, P2), or nothing."""
    for letter in text:
        match unicodedata.bidirectional(letter):
            case "L":
                return "ltr"
            case "R" | "AL":
                return "rtl"
    return ""


def brief(text: str, *, most: int = LONGEST_BRIEF) -> str:
    """As many whole sentences as fit in `most` characters, else the beginning of the first, ended at a word."""
    if len(text) <= most:
        return text
    end = max((found.end() for found in _SENTENCE.finditer(text) if found.end() <= most), default=0)
    return text[:end] if end else text[: most - 1].rpartition(" ")[0].rstrip(",;:–—-") + "…"
