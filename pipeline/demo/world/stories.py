"""The sample newsroom's stock: stories and authors read from `copy/`, one file each."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

COPY = Path(__file__).parent / "copy"

_MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "ar": ("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
}  # fmt: skip
_MARKS = {"## ": "h2", "### ": "h3", "Correction:": "correction"}


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a story: kind is p, h2, h3, also (the place of "Also read") or correction."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to draw: `kind` names a composition in `pictures.py`."""

    kind: str
    caption: str
    credit: str


@dataclass(frozen=True, slots=True)
class Story:
    """One story, undated: `dateline` is a pattern with {day}, {mon}, {month} and {year}, or empty.

    `markup` is what the page tells machines: "jsonld", "og" or "bare". `subject`, `actor` and `place` are the
    facts follow-up stories are written from.
    """

    slug: str
    title: str
    summary: str
    section: tuple[str, ...]
    author: str
    dateline: str
    blocks: tuple[Block, ...]
    image: Image | None
    markup: str
    related: str
    tags: tuple[str, ...]
    subject: str
    actor: str
    place: str
    language: str = "en"
    kind: str = "NewsArticle"

    @property
    def words(self) -> int:
        return sum(len(block.text.split()) for block in self.blocks)

    @property
    def reading_minutes(self) -> int:
        """At 220 words a minute, at least one."""
        return max(1, round(self.words / 220))


def dateline(story: Story, *, day: date) -> str:
    """The dateline as printed on `day`; empty for stories without one."""
    month = _MONTHS.get(story.language, _MONTHS["en"])[day.month - 1]
    return story.dateline.format(day=day.day, mon=month[:3], month=month, year=day.year)


@cache
def stories() -> tuple[Story, ...]:
    """Every story in `copy/`, in the order of its file numbers. Raises ValueError naming a malformed file."""
    return tuple(_parsed(path) for path in sorted(COPY.glob("*.md")))


@cache
def authors() -> dict[str, str]:
    """Name to a line about the author."""
    loaded: dict[str, str] = json.loads((COPY / "authors.json").read_text(encoding="utf-8"))
    return loaded


def slugify(name: str) -> str:
    """ASCII letters, digits and hyphens; scripts that do not fold to ASCII keep their own letters."""
    folded = unicodedata.normalize("NFKD", name.replace("–", "-")).encode("ascii", "ignore").decode()
    kept = folded if folded.strip() else name
    return re.sub(r"[^\w]+", "-", kept.lower()).strip("-")


def _parsed(path: Path) -> Story:
    head, found, body = path.read_text(encoding="utf-8").partition("\n---\n")
    fields = dict(_field(line) for line in head.splitlines())
    try:
        return _story(path.stem.partition("-")[2], fields, body)
    except KeyError as missing:
        raise ValueError(f"{path.name}: no {missing.args[0]!r} line" if found else f"{path.name}: no ---") from None


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _story(slug: str, fields: dict[str, str], body: str) -> Story:
    return Story(
        slug=slug,
        title=fields["title"],
        summary=fields["summary"],
        section=tuple(part.strip() for part in fields["section"].split(">")),
        author=fields["author"],
        dateline=fields["dateline"],
        blocks=tuple(_block(text) for text in body.strip().split("\n\n")),
        image=_image(fields),
        markup=fields["markup"],
        related=fields["related"],
        tags=tuple(tag.strip() for tag in fields["tags"].split(",")),
        subject=fields["subject"],
        actor=fields["actor"],
        place=fields["place"],
        language=fields.get("language", "en"),
        kind=fields.get("kind", "NewsArticle"),
    )


def _image(fields: dict[str, str]) -> Image | None:
    if not fields["picture"]:
        return None
    return Image(fields["picture"], fields["caption"], fields["credit"])


def _block(text: str) -> Block:
    if text == "[also]":
        return Block("also", "")
    for mark, kind in _MARKS.items():
        if text.startswith(mark):
            return Block(kind, text if kind == "correction" else text.removeprefix(mark))
    return Block("p", " ".join(text.split()))


# Follow-ups: when the stock runs out, facts of two stories make a third


def follow_up(*, number: int) -> Story:
    """The `number`-th (from 0) written follow-up: deterministic, with a slug and a title of its own."""
    leads = [story for story in stories() if story.language == "en" and story.section != ("Opinion",)]
    lead = leads[(number * 5) % len(leads)]
    other = leads[(number * 5 + 3 + number // len(leads)) % len(leads)]
    facts, parts = _facts(lead, other, number), _parts()
    # Every title meets every lead before one pairing repeats; after that the lap is told in the title.
    title = _told(parts["titles"], number // len(leads) + number % len(leads), facts)
    lap = number // (len(leads) * len(parts["titles"]))
    title = f"{title} ({lap + 1})" if lap else title
    return replace(
        lead,
        slug=f"{slugify(title)[:70].rpartition('-')[0]}-{number + 1}",
        title=title,
        summary=_told(parts["summaries"], number, facts),
        blocks=_follow_up_blocks(parts, facts, number),
        image=replace(lead.image, caption=f"From our files: {lead.place}.") if lead.image else None,
        markup=("jsonld", "og", "jsonld", "bare", "jsonld")[number % 5],
        related=lead.slug,
    )


def _follow_up_blocks(parts: dict[str, list[str]], facts: dict[str, object], number: int) -> tuple[Block, ...]:
    """Seven choices in five places, drawn as a Reed-Solomon code word: of 343 in a row no two share more than two
    paragraphs, or Dateline would rightly take them for one story edited."""
    low, middle, high = number % 7, number // 7 % 7, number // 49 % 7
    opening, fact, compare, caution, closing = (
        Block("p", _told(parts[name], low + middle * place + high * place * place, facts))
        for place, name in enumerate(("opening", "facts", "compare", "cautions", "closing"))
    )
    heads = [Block("h2", _told(parts["heads"], number + step, facts)) for step in (0, 3)]
    return (opening, heads[0], fact, Block("also", ""), compare, heads[1], caution, closing)


def _facts(lead: Story, other: Story, number: int) -> dict[str, object]:
    named = {"subject": lead.subject, "actor": lead.actor, "other_actor": other.actor}
    return {
        **named,
        **{name.capitalize(): value[0].upper() + value[1:] for name, value in named.items()},
        "other_subject": other.subject,
        "place": lead.place,
        "other_place": other.place,
        "n": 11 + number * 7 % 53,
        "weeks": ("six", "nine", "seven", "eleven", "five")[number % 5],
        "round": ("second", "third", "fourth", "fifth")[number // 26 % 4],
    }


def _told(choices: list[str], index: int, facts: dict[str, object]) -> str:
    return choices[index % len(choices)].format(**facts)


@cache
def _parts() -> dict[str, list[str]]:
    """Sections of `follow-ups.txt`: name to its lines."""
    text = (COPY / "follow-ups.txt").read_text(encoding="utf-8")
    sections = (part.partition("\n") for part in text.removeprefix("== ").split("\n== "))
    return {name.strip(): body.strip().splitlines() for name, _, body in sections}
