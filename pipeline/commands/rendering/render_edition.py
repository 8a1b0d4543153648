"""An edition from a file of articles, without a database: HTML, text, one whole message and its preflight."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound

from pipeline.commands.rendering.edition_blocks import Blocks, by_itself, by_rules
from pipeline.commands.rendering.edition_file import (
    NOT_IN_A_SLUG,
    Reading,
    masthead_of,
    read_document,
    shortened,
    slot_of,
    stories_of,
)
from pipeline.commands.unusable import UnusableInput
from pipeline.delivery.message.merge import EditionHeaders, compile_program
from pipeline.editions.clients import unsupported
from pipeline.editions.content import EditionContent
from pipeline.editions.own.design import lint, render_own
from pipeline.editions.own.problems import ERROR, placed_sentence
from pipeline.editions.own.problems import sentence as problem_sentence
from pipeline.editions.preflight import BLOCK, CONFIRM, Facts, Preflight, check, sentence
from pipeline.editions.render import UnusableTemplate, render
from pipeline.editions.rendered import Doors, LinkTable, Rendered, preview, preview_text, sample_reader

__all__ = ["DOORS", "UnusableInput", "edition_content", "read_document", "render_edition"]

#: Where the sample message's links lead: a domain kept for examples (RFC 2606).
DOORS = Doors.at(track="https://track.example.org", public="https://news.example.org")
_LONGEST_SUBJECT = 70
_READING_PACE = 220


@dataclass(frozen=True, slots=True)
class _Laid:
    """An edition laid out from a file, and what came up on the way."""

    content: EditionContent
    blocks: Blocks
    warnings: list[str]
    design: str  #: MJML the file brings, or ""


def render_edition(*, articles: Path, newsletter: str, out: Path) -> list[str]:
    """Write <slug>.html, .txt, .eml and preflight.json into `out`; return what a person should know.

    `newsletter` is a name as readers see it; its slug names the files. `articles` is JSON: a list of articles, or
    {"newsletter": {...}, "articles": [...]}. The newsletter may bring "blocks" with rules, else the articles are laid
    out as a morning would be, and "own_design", MJML of its own. Raises UnusableInput.
    """
    slug = NOT_IN_A_SLUG.sub("-", newsletter).strip("-").lower()[:80]
    if not slug or not newsletter.isprintable():
        raise UnusableInput(f"not a name for a newsletter: {newsletter[:80]!r}")
    laid = _laid_out(read_document(articles), newsletter=newsletter)
    rendered = _rendered(laid)
    facts = Facts(doors=DOORS, short_blocks=laid.blocks.short, design_warnings=_design_warnings(laid.design))
    findings = check(rendered, laid.content, facts=facts)
    _write(rendered, laid, findings, stem=out / slug)
    return laid.warnings + [sentence(found) for found in findings.findings if found.level in {BLOCK, CONFIRM}]


def edition_content(document: dict[str, Any], *, newsletter: str) -> tuple[EditionContent, list[str]]:
    """The edition a document makes, and warnings. Raises UnusableInput where no article can be used."""
    laid = _laid_out(document, newsletter=newsletter)
    return laid.content, laid.warnings


def _laid_out(document: dict[str, Any], *, newsletter: str) -> _Laid:
    reading = Reading()
    settings = document.get("newsletter", {})
    if not isinstance(settings, dict):
        reading.warnings.append("newsletter: should be an object")
        settings = {}
    stories = stories_of(document["articles"], reading=reading)
    if not stories:
        raise UnusableInput("no usable article: each needs at least a title")
    slot = slot_of(settings, stories, reading=reading)
    if isinstance(settings.get("blocks"), list) and settings["blocks"]:
        blocks = by_rules(stories, document["articles"], settings, slot=slot, reading=reading)
    else:
        blocks = Blocks(by_itself(stories, settings, reading=reading))
    lead = next((story for block in blocks.filled for story in block.stories), stories[0])
    content = EditionContent(
        masthead=masthead_of(settings, newsletter=newsletter, stories=stories, reading=reading),
        slot_at=slot,
        subject=reading.text(settings, "subject") or shortened(lead.headline, _LONGEST_SUBJECT),
        preheader=reading.text(settings, "preheader") or shortened(lead.standfirst, 140),
        blocks=blocks.filled,
    )
    return _Laid(content, blocks, reading.warnings, design=reading.written(settings, "own_design"))


def _rendered(laid: _Laid) -> Rendered:
    """The edition in its design. Raises UnusableInput with one line, and the place where the design has one."""
    try:
        if not laid.design:
            return render(laid.content, origin_links=LinkTable())
        worst = next((each for each in lint(laid.design) if each.level == ERROR), None)
        if worst is not None:
            raise UnusableInput(f"own_design: {placed_sentence(worst)}")
        return render_own(laid.design, laid.content, origin_links=LinkTable())
    except TemplateNotFound as error:
        raise UnusableInput(f"there is no design called {laid.content.masthead.design!r}") from error
    except UnusableTemplate as error:
        raise UnusableInput(f"the design cannot be used: {' '.join(str(error).split())}") from error


def _design_warnings(design: str) -> tuple[tuple[int, str], ...]:
    return tuple((each.line, problem_sentence(each)) for each in lint(design)) if design else ()


def _write(rendered: Rendered, laid: _Laid, findings: Preflight, *, stem: Path) -> None:
    reader, masthead = sample_reader(rendered), laid.content.masthead
    headers = EditionHeaders(
        sender_name=" ".join(masthead.name.split()),
        sender="news@example.org",
        doors=DOORS,
        date=laid.content.slot_at,
        list_name=" ".join(masthead.name.split()),
        list_id=f"{re.sub('[^a-z0-9]+', '-', masthead.slug.lower()).strip('-') or 'news'}.example.org",
    )
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = {
        ".html": preview(rendered, doors=DOORS, values=reader).encode(),
        ".txt": preview_text(rendered, doors=DOORS, values=reader).encode(),
        ".eml": compile_program(rendered, headers=headers).message(reader),
    }
    for ending, written in files.items():
        stem.with_name(stem.name + ending).write_bytes(written)
    report = json.dumps(_report(rendered, laid, findings, files), ensure_ascii=False, indent=1)
    stem.with_name("preflight.json").write_text(report + "\n", encoding="utf-8")


def _report(rendered: Rendered, laid: _Laid, findings: Preflight, files: dict[str, bytes]) -> dict[str, Any]:
    """preflight.json: what was found, what it weighs, where it leads, who sees it otherwise, what was left out."""
    told = findings.as_json()["findings"]
    return {
        "blocked": findings.blocked,
        "findings": [{"text": each.pop("sentence"), **each} for each in told],
        "html_bytes": len(files[".html"]),
        "text_bytes": len(files[".txt"]),
        "eml_bytes": len(files[".eml"]),
        "reading_minutes": max(1, round(len(rendered.text.split()) / _READING_PACE)),
        "links": [
            {"number": each.number, "kind": each.kind, "slot": each.slot, "url": each.url} for each in rendered.links
        ],
        "clients": [
            {"feature": each.feature, "clients": list(each.clients), "fallback": each.fallback}
            for each in unsupported(files[".html"].decode())
        ],
        "left_out": list(laid.blocks.left_out),
    }
