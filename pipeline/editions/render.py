"""From an edition's content to its HTML and text: Jinja once, MJML once, every link numbered."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, TypeVar

from mjml import mjml2html

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Story
from pipeline.editions.rendered import OPENING, LinkTable, Rendered
from pipeline.kernel.templating import direction, environment, local

#: The kinds of block a design sets; any other is set as a section.
KINDS = ("lead", "top", "section", "popular", "related", "opinion", "sponsor", "note")
DEFAULT_ACCENT = "#9b1c2e"

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"\s+")
_WEB = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_STRAY = re.compile(r"(<a\b[^>]*?\shref=\")(https?://[^\"]*)(?=\")", re.IGNORECASE)
#: mrml closes a conditional for Outlook and opens it again at once; together they are 3 % of a digest.
_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_INDENT = re.compile(r"\s*\n\s*")
#: Where a block begins, and with 0 where the last one ended: designs write it between sections and paragraphs.
_MARKER = re.compile(r"\s*\[\[dl:b\d{1,5}\]\]\s*")
#: Fields in which line ends mean something.
_MANY_LINES = frozenset({"note", "postal_address"})

Shape = TypeVar("Shape")


class UnusableTemplate(ValueError):
    """A design that MJML cannot compile; the message says where."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A story in its slot. `href` is a blank, or empty; `language` is set where it is not the edition's."""

    story: Story
    href: str
    language: str
    direction: str


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block as templates see it; `more` is a blank, or empty. `position` is its place in the content, from 1."""

    position: int
    kind: str
    title: str
    stories: tuple[Placed, ...]
    paragraphs: tuple[str, ...]
    more: str


def render(content: EditionContent, *, origin_links: LinkTable, honeypot: bool = True) -> Rendered:
    """The edition with its readers' blanks still open. The same content and table give the same bytes.

    `origin_links` receives every destination. `honeypot` adds a link no person can see or reach.
    Raises UnusableTemplate, and jinja2.TemplateError for a design that does not exist or asks for what is not there.
    """
    content = _clean(content)
    folder = f"email/editions/{content.masthead.design}"
    values = _values(content, links=origin_links, honeypot=honeypot)
    markup = compiled(_page(f"{folder}/body.mjml", values))
    return Rendered(
        subject=_line(_page(f"{folder}/subject.txt", values)),
        preheader=_line(_page(f"{folder}/preheader.txt", values)),
        html=_MARKER.sub("\n", _number_strays(markup, links=origin_links)),
        text=_MARKER.sub("\n\n", _page(f"{folder}/body.txt", values)).strip() + "\n",
        links=origin_links.links(),
        language=content.masthead.language,
        direction=content.masthead.direction,
    )


def render_notice(name: str, *, masthead: Masthead, facts: Mapping[str, Any]) -> Rendered:
    """A letter about one thing to one person, from templates/email/notices/`name`; its links are not counted.

    Raises as `render` does; a fact the templates ask for and do not get is a jinja2.UndefinedError.
    """
    masthead, folder = _clean(masthead), f"email/notices/{name}"
    values = _frame(masthead) | {key: _clean(value) for key, value in facts.items()}
    values["subject"] = _line(_page(f"{folder}/subject.txt", values))
    values["preheader"] = _line(_page(f"{folder}/preheader.txt", values))
    return Rendered(
        subject=values["subject"],
        preheader=values["preheader"],
        html=compiled(_page(f"{folder}/body.mjml", values)),
        text=_page(f"{folder}/body.txt", values).strip() + "\n",
        language=masthead.language,
        direction=masthead.direction,
    )


def mjml_source(content: EditionContent, *, origin_links: LinkTable) -> str:
    """The MJML an edition compiles from: what a designer reads when something looks wrong."""
    content = _clean(content)
    values = _values(content, links=origin_links, honeypot=True)
    return _page(f"email/editions/{content.masthead.design}/body.mjml", values)


def compiled(source: str) -> str:
    """MJML to HTML, tidied. Raises UnusableTemplate."""
    try:
        made = mjml2html(source, include_loader=_no_includes)
    except ValueError as error:
        raise UnusableTemplate(f"MJML cannot compile this design: {error}") from error
    return _INDENT.sub("\n", _SEAM.sub("", made)).strip() + "\n"


def _no_includes(path: str) -> NoReturn:
    """Jinja includes our parts. mrml's own include loses the width of the body, and is a way to foreign files."""
    raise UnusableTemplate(f"mj-include is not used here: {path}")


def _page(path: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(path).render(values)


def _values(content: EditionContent, *, links: LinkTable, honeypot: bool) -> dict[str, Any]:
    masthead = content.masthead
    home = _blank(links, masthead.home_url, kind="home", slot="masthead/1")
    trap = _blank(links, masthead.home_url, kind="honeypot", slot="trap/1") if honeypot else ""
    values = _frame(masthead)
    return values | {
        "edition": content,
        "blocks": _placed_blocks(content, links=links),
        "titles": {kind: kind for kind in KINDS if kind in values["words"]},
        "date": _date(content.slot_at, zone=masthead.zone, words=values["words"]),
        "home": home,
        "trap": trap,
    }


def _frame(masthead: Masthead) -> dict[str, Any]:
    """What every letter needs, edition or notice."""
    rtl = masthead.direction == "rtl"
    signature = [line.strip() for line in (masthead.publisher, *masthead.postal_address.splitlines())]
    return {
        "masthead": masthead,
        "signature": tuple(dict.fromkeys(line for line in signature if line)),
        "language": masthead.language,
        "direction": masthead.direction,
        "rtl": rtl,
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        "words": words(masthead.language),
    }


@cache
def words(language: str) -> Mapping[str, Any]:
    """The words around the stories in this language, or in English."""
    table: dict[str, Mapping[str, Any]] = environment().get_template("email/parts/words.mjml").module.words  # type: ignore[attr-defined]
    return table.get(language.partition("-")[0].lower(), table["en"])


def _date(moment: datetime, *, zone: str, words: Mapping[str, Any]) -> str:
    there = local(moment, zone)
    pattern: str = words["date"]
    return pattern.format(
        weekday=words["days"][there.weekday()],
        day=there.day,
        month=words["months"][there.month - 1],
        year=there.year,
    )


def _blank(links: LinkTable, url: str, *, kind: str, slot: str, article_id: int | None = None) -> str:
    """A blank that will be the tracked address of `url`; empty where there is no web address to go to."""
    if not _WEB.fullmatch(url):
        return ""
    return f"[[dl:c{links.number(url=url, kind=kind, slot=slot, article_id=article_id)}]]"


def _placed_blocks(content: EditionContent, *, links: LinkTable) -> tuple[PlacedBlock, ...]:
    """Stories with their slots, counted by kind of block: the second section goes on where the first ended."""
    seen: dict[str, int] = {}
    placed = []
    for position, block in enumerate(content.blocks, start=1):
        if not (block.stories or block.note):
            continue
        first = seen.get(block.kind, 0)
        seen[block.kind] = first + len(block.stories)
        placed.append(_placed_block(block, content.masthead, links=links, first=first, position=position))
    return tuple(placed)


def _placed_block(
    block: FilledBlock, masthead: Masthead, *, links: LinkTable, first: int, position: int
) -> PlacedBlock:
    kind = "sponsor" if block.kind == "sponsor" else "story"
    stories = tuple(
        _placed(story, masthead, href=_blank(links, story.url, kind=kind, slot=f"{block.kind}/{number}", article_id=story.article_id))
        for number, story in enumerate(block.stories, start=first + 1)
    )  # fmt: skip
    return PlacedBlock(
        position=position,
        kind=block.kind if block.kind in KINDS else "section",
        title=block.title,
        stories=stories,
        paragraphs=tuple(_line(part) for part in re.split(r"\n\s*\n", block.note) if part.strip()),
        more=_blank(links, block.link, kind="section", slot=f"more/{position}"),
    )


def _placed(story: Story, masthead: Masthead, *, href: str) -> Placed:
    spoken = story.language if _LANGUAGE.fullmatch(story.language) else ""
    foreign = spoken if spoken.partition("-")[0] != masthead.language.partition("-")[0] else ""
    if story.picture and not _WEB.fullmatch(story.picture.url):
        story = dataclasses.replace(story, picture=None)
    return Placed(story=story, href=href, language=foreign, direction=direction(foreign) if foreign else "")


def _number_strays(markup: str, *, links: LinkTable) -> str:
    """Links a design wrote by itself become counted ones too, numbered in the order they stand."""
    count = 0

    def numbered(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return found[1] + _blank(links, html.unescape(found[2]), kind="web", slot=f"web/{count}")

    return _STRAY.sub(numbered, markup)


def _line(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()


def _text(text: str, *, lines: bool) -> str:
    """What is left of hostile text: no control characters (mrml refuses them), no blank of ours, tidy spaces."""
    text = _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).replace(OPENING, "[[ dl:")
    return "\n".join(_line(part) for part in text.split("\n")).strip() if lines else _line(text)


def _clean(value: Shape, *, field: str = "") -> Shape:
    """The same shape with every string made fit to print."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = _text(value, lines=field in _MANY_LINES)
    elif isinstance(value, tuple | list):
        cleaned = type(value)(_clean(part) for part in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (each.name for each in dataclasses.fields(value))
        cleaned = dataclasses.replace(value, **{name: _clean(getattr(value, name), field=name) for name in names})
    if isinstance(cleaned, Masthead):
        cleaned = _settled(cleaned)
    settled: Shape = cleaned
    return settled


def _settled(masthead: Masthead) -> Masthead:
    """A masthead whose colour, language and direction can stand in an attribute."""
    return dataclasses.replace(
        masthead,
        accent=masthead.accent if _COLOUR.fullmatch(masthead.accent) else DEFAULT_ACCENT,
        language=masthead.language if _LANGUAGE.fullmatch(masthead.language) else "en",
        direction="rtl" if masthead.direction == "rtl" else "ltr",
        logo_url=masthead.logo_url if _WEB.fullmatch(masthead.logo_url) else "",
    )
