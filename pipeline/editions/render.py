"""From an edition's content to its HTML and text: Jinja once, MJML once, every link numbered."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from pipeline.editions.content import EditionContent, Masthead
from pipeline.editions.designs.cleaning import clean, line
from pipeline.editions.designs.compiling import UnusableTemplate, compiled
from pipeline.editions.designs.look import look_of
from pipeline.editions.designs.placing import blank, placed_blocks
from pipeline.editions.rendered import LinkTable, Rendered
from pipeline.kernel.templating import environment, local

__all__ = ["UnusableTemplate", "compiled", "dated", "mjml_source", "render", "render_notice", "values_of", "words"]

#: Words a minute at which the minutes of a whole edition are counted; its headlines are read, not skimmed.
_READING_PACE = 220
_STRAY = re.compile(r"(<a\b[^>]*?\shref=\")(https?://[^\"]*)(?=\")", re.IGNORECASE)


def render(content: EditionContent, *, origin_links: LinkTable, honeypot: bool = True) -> Rendered:
    """The edition with its readers' blanks and its blocks' markers still in it. The same content and table give the same bytes.

    `origin_links` receives every destination. `honeypot` adds a link no person can see or reach.
    Raises UnusableTemplate, and jinja2.TemplateError for a design that does not exist or asks for what is not there.
    """
    content = clean(content)
    folder = f"email/editions/{content.masthead.design}"
    values = values_of(content, links=origin_links, honeypot=honeypot)
    markup = compiled(_page(f"{folder}/body.mjml", values))
    return Rendered(
        subject=line(_page(f"{folder}/subject.txt", values)),
        preheader=line(_page(f"{folder}/preheader.txt", values)),
        html=number_strays(markup, links=origin_links),
        text=_page(f"{folder}/body.txt", values).strip() + "\n",
        links=origin_links.links(),
        language=content.masthead.language,
        direction=content.masthead.direction,
    )


def render_notice(name: str, *, masthead: Masthead, facts: Mapping[str, Any]) -> Rendered:
    """A letter about one thing to one person, from templates/email/notices/`name`; its links are not counted.

    Raises as `render` does; a fact the templates ask for and do not get is a jinja2.UndefinedError.
    """
    masthead, folder = clean(masthead), f"email/notices/{name}"
    values = _frame(masthead) | {key: clean(value) for key, value in facts.items()}
    values["subject"] = line(_page(f"{folder}/subject.txt", values))
    values["preheader"] = line(_page(f"{folder}/preheader.txt", values))
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
    content = clean(content)
    values = values_of(content, links=origin_links, honeypot=True)
    return _page(f"email/editions/{content.masthead.design}/body.mjml", values)


def _page(path: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(path).render(values)


def values_of(content: EditionContent, *, links: LinkTable, honeypot: bool) -> dict[str, Any]:
    """Everything a design may name. `content` must be clean."""
    masthead = content.masthead
    home = blank(links, masthead.home_url, kind="home", slot="masthead/1")
    trap = blank(links, masthead.home_url, kind="honeypot", slot="trap/1") if honeypot else ""
    values = _frame(masthead)
    there = local(content.slot_at, masthead.zone)
    return values | {
        "edition": content,
        "blocks": placed_blocks(content, links=links, words=values["words"]),
        "date": _date(there, words=values["words"]),
        "week": values["words"]["week"].replace("#", _date(there, words=values["words"], pattern="short")),
        "clock": f"{there:%H:%M}",
        "zone": f"UTC{there:%Z}" if f"{there:%Z}"[:1] in "+-" else f"{there:%Z}",  # not every zone has a name
        "minutes": values["words"]["minutes"].replace("#", str(_reading_minutes(content))).replace(" ", "\u00a0"),
        "home": home,
        "trap": trap,
    }


def _frame(masthead: Masthead) -> dict[str, Any]:
    """What every letter needs, edition or notice."""
    rtl = masthead.direction == "rtl"
    signature = [part.strip() for part in (masthead.publisher, *masthead.postal_address.splitlines())]
    look = look_of(accent=masthead.accent, paper=masthead.paper, typeface=masthead.typeface, language=masthead.language)
    return {
        "masthead": masthead,
        "signature": tuple(dict.fromkeys(part for part in signature if part)),
        "language": masthead.language,
        "direction": masthead.direction,
        "rtl": rtl,
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        "words": words(masthead.language),
        "look": look,
        "small": f"14px/{1.5 * look.script.air:.4g} {look.script.text}",
    }


@cache
def words(language: str) -> Mapping[str, Any]:
    """The words around the stories in this language, or in English."""
    table: dict[str, Mapping[str, Any]] = environment().get_template("email/parts/words.mjml").module.words  # type: ignore[attr-defined]
    return table.get(language.partition("-")[0].lower(), table["en"])


def _date(there: datetime, *, words: Mapping[str, Any], pattern: str = "date") -> str:
    named: str = words[pattern]
    return named.format(
        weekday=words["days"][there.weekday()],
        day=there.day,
        month=words["months"][there.month - 1],
        year=there.year,
    )


def dated(moment: datetime, language: str, zone: str = "UTC") -> str:
    """A day and its time with the zone, as this language writes them: 2 December 2026, 10:12 UTC."""
    there = local(moment, zone)
    return f"{_date(there, words=words(language), pattern='short')}, {there:%H:%M %Z}"


def _reading_minutes(content: EditionContent) -> int:
    """How long the letter itself takes, not the stories behind it."""
    notes = [block.note for block in content.blocks]
    read = " ".join([*notes, *(f"{story.headline} {story.standfirst}" for story in content.stories())])
    return max(1, round(len(read.split()) / _READING_PACE))


def number_strays(markup: str, *, links: LinkTable) -> str:
    """Links a design wrote by itself become counted ones too, numbered in the order they stand."""
    count = 0

    def numbered(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return found[1] + blank(links, html.unescape(found[2]), kind="web", slot=f"web/{count}")

    return _STRAY.sub(numbered, markup)
